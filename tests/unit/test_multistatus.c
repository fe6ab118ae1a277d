#include "connectors/multistatus.h"

#include <criterion/criterion.h>

#define HEAD                                                                                                           \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:multistatus xmlns:d=\"DAV:\" "                                     \
    "xmlns:c=\"urn:ietf:params:xml:ns:carddav\">"
#define TAIL "</d:multistatus>\n"
#define ONE(href, inside) "<d:response><d:href>" href "</d:href>" inside "</d:response>"
#define GOOD(props) "<d:propstat><d:prop>" props "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
#define BAD(props) "<d:propstat><d:prop>" props "</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>"

enum { ETAG, DATA, TYPE, HOME, VERSIONS, WANTED };
static const struct dav_wanted wanted[WANTED] = {{NS_DAV, "getetag"},
                                                 {NS_CARDDAV, "address-data"},
                                                 {NS_DAV, "resourcetype"},
                                                 {NS_CARDDAV, "addressbook-home-set"},
                                                 {NS_CARDDAV, "supported-address-data"}};

/* What came, one line a response: "href status|etag status:text|...;" */
static void add_property(struct buf *out, const char *name, const struct dav_property *p)
{
    if (!p->status) return;
    buf_addf(out, "|%s %d:%.*s", name, p->status, STR_ARG(p->text));
    if (p->names.n) buf_addf(out, "(%.*s)", STR_ARG(p->names));
    if (p->hrefs.n) buf_addf(out, "{%.*s}", STR_ARG(p->hrefs));
    if (p->attributes.n) buf_addf(out, "[%.*s]", STR_ARG(p->attributes));
}

static enum fault_code take(void *ctx, const struct dav_response *r, struct fault *f)
{
    static const char *const names[WANTED] = {"etag", "data", "type", "home", "versions"};
    struct buf *out = ctx;
    (void)f;
    buf_addf(out, "%.*s %d", STR_ARG(r->href), r->status);
    for (size_t i = 0; i < WANTED; i++) add_property(out, names[i], &r->properties[i]);
    if (r->error_limit) buf_adds(out, "|limit");
    buf_adds(out, ";");
    return FAULT_NONE;
}

static enum fault_code read_in_pieces(struct str text, size_t piece, struct buf *out, struct fault *f)
{
    const struct multistatus_sink sink = {out, take};
    struct multistatus *m = multistatus_new(wanted, WANTED, &sink, 20000000);
    enum fault_code code = FAULT_NONE;
    for (size_t at = 0; at < text.n && !code; at += piece)
        code = multistatus_feed(m, (struct str){text.p + at, text.n - at < piece ? text.n - at : piece}, f);
    if (!code) code = multistatus_end(m, f);
    if (multistatus_token(m).n) buf_addf(out, "token=%.*s", STR_ARG(multistatus_token(m)));
    multistatus_free(m);
    return code;
}

Test(multistatus, answers_are_read_however_they_are_cut)
{
    static const struct {
        const char *what, *text, *expected;
    } rows[] = {
        {"nothing", HEAD TAIL, ""},
        {"a card",
         HEAD ONE("/a.vcf",
                  GOOD("<d:getetag>\"1\"</d:getetag><c:address-data>BEGIN:VCARD\nN:A&amp;B\n</c:address-data>")) TAIL,
         "/a.vcf 0|etag 200:\"1\"|data 200:BEGIN:VCARD\nN:A&B\n;"},
        {"characters are kept",
         HEAD ONE("/a", GOOD("<c:address-data>A&#13;\n&lt;B&gt;&#xe4;<![CDATA[<C>&amp;]]> ]</c:address-data>")) TAIL,
         "/a 0|data 200:A\r\n<B>\xc3\xa4<C>&amp; ];"},
        {"other prefixes",
         "<multistatus xmlns=\"DAV:\" xmlns:d=\"urn:x\"><d:response/><response><href> /a </href><propstat><prop>"
         "<getetag>2</getetag><d:getetag>3</d:getetag></prop><status>HTTP/1.0 "
         "200</status></propstat></response></multistatus>",
         "/a 0|etag 200:2;"},
        {"status first (Kerio)",
         HEAD ONE("/a",
                  "<d:propstat><d:status>HTTP/1.1 404 Not Found</d:status><d:prop><d:getetag/></d:prop></d:propstat>")
             TAIL,
         "/a 0|etag 404:;"},
        {"gone",
         HEAD ONE("/a", "<d:status>HTTP/1.1 404 Not Found</d:status>") "<d:sync-token> urn:t:2 </d:sync-token>" TAIL,
         "/a 404;token=urn:t:2"},
        {"two hrefs, one status", HEAD ONE("/a", "<d:href>/b</d:href><d:status>HTTP/2 410</d:status>") TAIL,
         "/a 410;/b 410;"},
        {"more to come",
         HEAD ONE("/", "<d:status>HTTP/1.1 507 x</d:status><d:error><d:number-of-matches-within-limits/></d:error>")
             TAIL,
         "/ 507|limit;"},
        {"good and bad propstats",
         HEAD ONE("/a", BAD("<d:getetag/><d:resourcetype/>") GOOD("<d:getetag>x</d:getetag>"))
             ONE("/b", GOOD("<d:getetag>y</d:getetag>")) TAIL,
         "/a 0|etag 200:x|type 404:;/b 0|etag 200:y;"},
        {"the first good value stays",
         HEAD ONE("/a",
                  GOOD("<d:getetag>x</d:getetag>") BAD(
                      "<d:getetag>"
                      "a long value that would need other memory "
                      "................................................................................................"
                      "</d:getetag>") GOOD("<d:getetag>z</d:getetag>")) TAIL,
         "/a 0|etag 200:x;"},
        {"types, hrefs, attributes",
         HEAD ONE(
             "/",
             GOOD("<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype><c:addressbook-home-set><d:href>/h/"
                  "1/</d:href>"
                  "<d:href> /h/2/ </d:href></c:addressbook-home-set><c:supported-address-data><c:address-data-type "
                  "content-type=\"text/vcard\" version=\"4.0\"/></c:supported-address-data>")) TAIL,
         "/ 0|type 200:(collection addressbook )|home 200:(href href ){/h/1/\n/h/2/\n}|versions 200:(address-data-type "
         ")[content-type="
         "text/vcard version=4.0 ];"},
        {"unknown elements",
         HEAD "<x/><d:y><d:response/></d:y>" ONE("/a", "<d:z><d:propstat/></d:z>") "<!-- c --><?p i?>" TAIL, "/a 0;"},
    };
    static const size_t pieces[] = {1, 2, 3, 7, 64, 100000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            struct buf out AUTO_BUF = BUF_INIT;
            struct fault f AUTO_FAULT = FAULT_INIT;
            enum fault_code code = read_in_pieces(str_of(rows[i].text), pieces[k], &out, &f);
            cr_expect_eq(code, FAULT_NONE, "row %s in %zu: %s", rows[i].what, pieces[k], f.what);
            cr_expect_str_eq(buf_cstr(&out), rows[i].expected, "row %s in %zu: %s", rows[i].what, pieces[k],
                             buf_cstr(&out));
        }
}

Test(multistatus, what_is_no_answer_is_refused)
{
    static const struct {
        const char *what, *text;
        enum fault_code code;
        const char *said;
    } rows[] = {
        {"empty", "", FAULT_INCOMPLETE, "ended early"},
        {"cut in the middle", HEAD ONE("/a", GOOD("<d:getetag>1</d:getetag>")), FAULT_INCOMPLETE, "ended early"},
        {"cut in a tag", HEAD "<d:resp", FAULT_INCOMPLETE, "ended early"},
        {"cut before the last >", HEAD "</d:multistatus", FAULT_INCOMPLETE, "ended early"},
        {"web page", "<!DOCTYPE html><html><body>Login<br></body></html>", FAULT_PROTOCOL, "web page"},
        {"web page without doctype", "<html><body>Login</body></html>", FAULT_PROTOCOL, "no DAV answer"},
        {"JSON", "{\"error\": 1}", FAULT_PROTOCOL, "no DAV answer"},
        {"other XML", "<d:error xmlns:d=\"DAV:\"/>", FAULT_PROTOCOL, "no DAV answer"},
        {"other namespace", "<multistatus/>", FAULT_PROTOCOL, "no DAV answer"},
        {"doctype", "<!DOCTYPE d [<!ENTITY a \"aa\">]><multistatus xmlns=\"DAV:\">&a;</multistatus>", FAULT_PROTOCOL,
         "DOCTYPE"},
        {"external entity", "<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><multistatus xmlns=\"DAV:\"/>", FAULT_PROTOCOL,
         "DOCTYPE"},
        {"unknown entity", HEAD ONE("/a", GOOD("<d:getetag>&nbsp;</d:getetag>")) TAIL, FAULT_PROTOCOL, "well-formed"},
        {"wrong nesting", HEAD "<d:response></d:href>" TAIL, FAULT_PROTOCOL, "well-formed"},
        {"control character", HEAD ONE("/a", GOOD("<c:address-data>\001</c:address-data>")) TAIL, FAULT_PROTOCOL,
         "well-formed"},
        {"no href", HEAD "<d:response><d:status>HTTP/1.1 404 x</d:status></d:response>" TAIL, FAULT_PROTOCOL,
         "without href"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 2000; piece += 999) {
            struct buf out AUTO_BUF = BUF_INIT;
            struct fault f AUTO_FAULT = FAULT_INIT;
            enum fault_code code = read_in_pieces(str_of(rows[i].text), piece, &out, &f);
            cr_expect_eq(code, rows[i].code, "row %s in %zu: %s", rows[i].what, piece, fault_name(code));
            cr_expect(f.what && strstr(f.what, rows[i].said), "row %s in %zu: %s", rows[i].what, piece,
                      f.what ? f.what : "nothing");
        }
}

/* Every beginning of a good answer is incomplete: none may be taken for whole. */
Test(multistatus, no_beginning_is_complete)
{
    const struct str text =
        STR(HEAD ONE("/a", GOOD("<d:getetag>1</d:getetag>")) "<d:sync-token>t</d:sync-token></d:multistatus>");
    for (size_t n = 0; n < text.n; n++) {
        struct buf out AUTO_BUF = BUF_INIT;
        cr_expect_eq(read_in_pieces((struct str){text.p, n}, 4096, &out, NULL), FAULT_INCOMPLETE, "first %zu bytes", n);
    }
}

static enum fault_code read_repeated(const char *before, const char *again, size_t times, const char *after)
{
    struct buf text AUTO_BUF = BUF_INIT;
    struct buf out AUTO_BUF = BUF_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    buf_adds(&text, before);
    for (size_t i = 0; i < times; i++) buf_adds(&text, again);
    buf_adds(&text, after);
    return read_in_pieces(buf_str(&text), 1 << 16, &out, &f);
}

Test(multistatus, bounds)
{
    cr_expect_eq(read_repeated(HEAD, "<d:x>", 100, ""), FAULT_PROTOCOL);
    cr_expect_eq(read_repeated(HEAD "<d:response><d:href>/", "aaaaaaaaaaaaaaaa", 70000, "</d:href></d:response>" TAIL),
                 FAULT_TOO_LARGE);
    cr_expect_eq(read_repeated(HEAD "<d:response><d:href>/</d:href><d:propstat><d:prop><d:resourcetype>",
                               "<d:aaaaaaaaaaaaaaa/>", 70000,
                               "</d:resourcetype></d:prop></d:propstat></d:response>" TAIL),
                 FAULT_TOO_LARGE);
    cr_expect_eq(read_repeated(HEAD, ONE("/a", GOOD("<d:getetag>1</d:getetag>")), 5000, TAIL), FAULT_NONE);
}

static enum fault_code full(void *ctx, const struct dav_response *r, struct fault *f)
{
    (void)r;
    (void)f;
    ++*(int *)ctx;
    return FAULT_CANCELLED;
}

Test(multistatus, the_sink_can_end_it)
{
    int calls = 0;
    const struct multistatus_sink sink = {&calls, full};
    struct multistatus *m = multistatus_new(wanted, WANTED, &sink, 1000);
    cr_expect_eq(multistatus_feed(m, STR(HEAD ONE("/a", "") ONE("/b", "") TAIL), NULL), FAULT_CANCELLED);
    cr_expect_eq(multistatus_end(m, NULL), FAULT_CANCELLED);
    cr_expect_eq(calls, 1);
    multistatus_free(m);
}

Test(multistatus, a_long_value_is_too_large)
{
    struct buf out AUTO_BUF = BUF_INIT;
    const struct multistatus_sink sink = {&out, take};
    struct multistatus *m = multistatus_new(wanted, WANTED, &sink, 10);
    struct fault f AUTO_FAULT = FAULT_INIT;
    cr_expect_eq(multistatus_feed(m, STR(HEAD ONE("/a", GOOD("<d:getetag>12345678901</d:getetag>")) TAIL), &f),
                 FAULT_TOO_LARGE);
    cr_expect_eq(out.len, 0u);
    multistatus_free(m);
}

Test(multistatus, errors_name_their_precondition)
{
    static const struct {
        const char *body, *name;
        bool named;
    } rows[] = {
        {"<d:error xmlns:d=\"DAV:\"><d:valid-sync-token/></d:error>", "valid-sync-token", true},
        {"<error\n xmlns=\"DAV:\"><valid-sync-token\n/></error>", "valid-sync-token", true},
        {"<error xmlns=\"DAV:\"><no-uid-conflict xmlns=\"urn:ietf:params:xml:ns:carddav\"/></error>", "no-uid-conflict",
         true},
        {"<error xmlns=\"DAV:\"><no-uid-conflicts/></error>", "no-uid-conflict", false},
        {"<error>no-uid-conflict</error>", "no-uid-conflict", false},
        {"<no-uid-conflict/>", "no-uid-conflict", false},
        {"", "no-uid-conflict", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(dav_error_names(str_of(rows[i].body), rows[i].name), rows[i].named, "row %s", rows[i].body);
    struct buf href AUTO_BUF = BUF_INIT;
    cr_expect(dav_error_href(
        STR("<d:error><c:no-uid-conflict><d:href> /b/x.vcf </d:href></c:no-uid-conflict></d:error>"), &href));
    cr_expect_str_eq(buf_cstr(&href), "/b/x.vcf");
    cr_expect_not(dav_error_href(STR("<d:error/>"), &href));
}
