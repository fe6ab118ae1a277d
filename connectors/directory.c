/* A Directory elsewhere (protocols: directory 1, 2): any server that takes a phonebook as contacts.csv in one POST, as
 * the sync.blue Directory does, and another abgleich. What is pushed replaces what was pushed before, as a whole, so
 * core/push.c sends it only where something differs from the last list that was accepted, and sending it twice does no
 * harm.
 *
 * The key is the last part of the address and all that protects the phonebook: it is given as the account's password,
 * or, as the vendor prints it, in the address. No sentence of this file has it. */
#include "base/hash.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/http.h"
#include "connectors/registry.h"
#include "connectors/url.h"
#include "mapping/directory_csv.h"

#include <stdlib.h>

#define PATIENCE_S 120 /* a server reads the whole file before it answers */
#define ANSWER_MAX_BYTES ((size_t)64 << 10)
#define BOOK_MAX_BYTES ((size_t)256 << 20)
#define REASON_MAX_BYTES 300
#define BOUNDARY_BYTES 16

struct session {
    const struct account *account;
    struct env *env;
    struct http *http;
    char *url; /* with the key */
    struct collection about;
};

/* -- opening -- */

static bool is_key(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z')))
            return false;
    return s.n >= 8;
}

static struct str last_part(struct str path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/') at--;
    return (struct str){path.p + at, path.n - at};
}

/* "https://HOST/contacts/" and the key apart, or both together. */
static enum fault_code make_url(const struct account *a, struct buf *out, struct fault *f)
{
    struct str base = str_of(a->url ? a->url : "");
    struct url url;
    while (base.n && base.p[base.n - 1] == '/') base.n--;
    if (!url_parse(base, &url))
        return fault_set(f, FAULT_CONFIG, _("add url = https://HOST/contacts"), _("no address"));
    buf_addstr(out, base);
    if (url.query.p || url.userinfo.p)
        return fault_set(f, FAULT_CONFIG, _("write url = https://HOST/contacts"),
                         _("the address of a phonebook ends with its path"));
    if (a->password && *a->password) {
        if (!is_key(str_of(a->password)))
            return fault_set(f, FAULT_AUTH, _("abgleich secret set keeps another one"),
                             _("the key has a character no key has"));
        buf_addf(out, "/%s", a->password);
        return FAULT_NONE;
    }
    if (is_key(last_part(url.path)) && !str_eq_nocase(last_part(url.path), STR("contacts"))) return FAULT_NONE;
    return fault_set(f, FAULT_AUTH, _("abgleich secret set keeps it"), _("no key of the phonebook"));
}

static enum fault_code check_transport(const struct account *a, struct fault *f)
{
    if (str_starts_nocase(str_of(a->url), STR("https:")) || url_is_loopback(str_of(a->url)) || a->allow_plain_http)
        return FAULT_NONE;
    return fault_set(f, FAULT_CONFIG, _("use an https address; in a network you trust: plain_http = yes"),
                     _("the key and the contacts are not sent unencrypted"));
}

static void directory_close(struct session *s)
{
    if (!s) return;
    http_close(s->http);
    free(s->url);
    free(s);
}

static enum fault_code directory_open(const struct account *account, struct traits *traits, struct env *env,
                                      struct session **out, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    (void)traits;
    *out = NULL;
    enum fault_code code = make_url(account, &url, f);
    if (!code) code = check_transport(account, f);
    if (code) return code;
    struct session *s = mem_calloc(1, sizeof *s);
    *s = (struct session){.account = account, .env = env, .url = buf_detach(&url)};
    s->about = (struct collection){.name = (char[]){""}, .path = (char[]){""}, .kind = RECORD_CONTACT, .records = -1};
    const struct http_settings h = {
        .ca_file = account->ca_file, .allow_plain_http = account->allow_plain_http, .gate = account->gate, .env = env};
    s->http = http_open(&h);
    *out = s;
    return FAULT_NONE;
}

/* -- what answers mean (directory 1.5) -- */

#define LIST_WRONG N_("the server does not understand the list")
#define IS_KEY_RIGHT N_("is the key right, and the address? Nothing was changed there")
static const struct answer {
    int status; /* 0 ends */
    enum fault_code code;
    const char *what, *advice;
} answers[] = {
    {400, FAULT_REFUSED, LIST_WRONG, N_("nothing was changed there")},
    {401, FAULT_AUTH, N_("the server does not know the key"), IS_KEY_RIGHT},
    {403, FAULT_AUTH, N_("the key may not be written with"), IS_KEY_RIGHT},
    {404, FAULT_AUTH, N_("the server has no phonebook of this key"), IS_KEY_RIGHT},
    {405, FAULT_UNSUPPORTED, N_("no phonebook can be sent to this address"),
     N_("the address is that of the phonebook, like https://HOST/contacts")},
    {411, FAULT_UNSUPPORTED, LIST_WRONG, N_("nothing was changed there")},
    {413, FAULT_TOO_LARGE, N_("the list is too large for the server"),
     N_("narrow the link's filter, or have the limit raised there")},
    {415, FAULT_REFUSED, LIST_WRONG, N_("nothing was changed there")},
    {422, FAULT_REFUSED, LIST_WRONG, N_("nothing was changed there")},
    {429, FAULT_RATE_LIMITED, N_("too many requests"), N_("the next run sends the list")},
    {503, FAULT_RATE_LIMITED, N_("the server is busy or being maintained"), N_("the next run sends the list")},
    {0, FAULT_NONE, NULL, NULL},
};

/* The server's own first words, as one line without what a terminal would obey; it may name contacts, as reports do. */
static void add_reason(const struct http_exchange *x, struct buf *out)
{
    struct str text = str_trim(buf_str(&x->text));
    if (!x->type || !text.n) return;
    if (!str_starts_nocase(str_of(x->type), STR("text/plain")) &&
        !str_starts_nocase(str_of(x->type), STR("application/json")))
        return;
    buf_adds(out, ": ");
    size_t n = text.n < REASON_MAX_BYTES ? text.n : REASON_MAX_BYTES;
    while (n < text.n && n && ((unsigned char)text.p[n] & 0xc0) == 0x80) n--; /* whole characters */
    for (size_t i = 0; i < n; i++) buf_addc(out, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
}

static enum fault_code answered(const struct session *s, const struct http_exchange *x, struct fault *f)
{
    const struct answer *a = answers;
    struct buf what AUTO_BUF = BUF_INIT;
    while (a->status && a->status != x->status) a++;
    if (!a->status) return http_status_fault(x, f);
    buf_addf(&what, "%d, %s", x->status, _(a->what));
    add_reason(x, &what);
    if (str_find(buf_str(&what), last_part(str_of(s->url))) != (size_t)-1) { /* a proxy repeats the address */
        buf_reset(&what);
        buf_addf(&what, "%d, %s", x->status, _(a->what));
    }
    fault_set(f, a->code, _(a->advice), "%s", buf_cstr(&what));
    if (f) {
        f->http_status = x->status;
        f->retry_after_ms = x->retry_after_ms;
    }
    return a->code;
}

/* Sent, and nobody knows what became of it: the list is whole, so the next run just sends it again. */
static enum fault_code concluded(const struct session *s, struct http_exchange *x, enum fault_code code,
                                 struct fault *f)
{
    if (code == FAULT_CANCELLED) return code;
    if (x->status >= 200 && x->status < 300) { /* whatever came of the body */
        if (f) fault_clear(f);
        return FAULT_NONE;
    }
    if (x->status) {
        x->code = FAULT_NONE;
        if (f) fault_clear(f);
        return answered(s, x, f);
    }
    if (code != FAULT_UNKNOWN && code != FAULT_INCOMPLETE) return code;
    if (f) fault_clear(f);
    return fault_set(f, FAULT_UNREACHABLE, _("the next run sends the list again, which does no harm"),
                     _("the list was sent and no answer came"));
}

/* -- looking -- */

static enum fault_code drop(void *ctx, struct str bytes, struct fault *f)
{
    (void)ctx, (void)bytes, (void)f;
    return FAULT_NONE;
}

/* Reads the phonebook and forgets it. A key nobody has is no fault here: on many servers the first list makes the
 * phonebook (directory 1.4). */
static enum fault_code directory_discover(struct session *s, struct collections *out, struct fault *f)
{
    struct http_exchange x = {.method = "GET",
                              .url = s->url,
                              .repeatable = true,
                              .patience_s = PATIENCE_S,
                              .limit_bytes = BOOK_MAX_BYTES,
                              .on_body = drop};
    enum fault_code code = concluded(s, &x, http_do(s->http, &x, f), f);
    bool unknown = x.status == 404;
    http_clear(&x);
    if (code && !unknown) return code;
    if (f) fault_clear(f);
    *out = (struct collections){mem_calloc(1, sizeof *out->items), 1};
    out->items[0] = s->about;
    out->items[0].name = mem_strdup("");
    out->items[0].path = mem_strdup("");
    return FAULT_NONE;
}

/* The address has the key, so what is kept of it is a digest. */
static enum fault_code directory_select(struct session *s, const char *path, const struct collection **about,
                                        struct buf *identity, struct fault *f)
{
    char hex[DIGEST_HEX_BYTES];
    struct digest d;
    if (path && *path)
        return fault_set(f, FAULT_NO_COLLECTION, _("write \"ACCOUNT:\" with nothing after the colon"),
                         _("a phonebook has no books of its own"));
    digest_init(&d);
    digest_str(&d, str_of(s->url));
    digest_hex(&d, hex);
    if (identity) buf_addf(identity, "directory:%.32s", hex);
    *about = &s->about;
    return FAULT_NONE;
}

/* -- the list -- */

static enum fault_code directory_render(struct session *s, const struct record *r, struct str id, struct str before,
                                        struct arena *arena, struct pushed *out, struct fault *f)
{
    struct phonebook book = {.region = s->account->region};
    struct buf row AUTO_BUF = BUF_INIT;
    (void)before, (void)f;
    phonebook_add(&book, r, id);
    if (book.n) directory_csv_row(&book.entries[0], &row);
    *out = (struct pushed){
        .id = id, .title = arena_str(arena, record_title(r)), .body = arena_str(arena, buf_str(&row)), .who = STR("")};
    if (!book.n) out->warning = mem_strdup(_("no name, company or number: it is not in the phonebook"));
    phonebook_free(&book);
    return FAULT_NONE;
}

static void add_boundary(struct session *s, struct buf *out)
{
    unsigned char random[BOUNDARY_BYTES];
    s->env->random(s->env, random, sizeof random);
    buf_adds(out, "abgleich-");
    for (size_t i = 0; i < sizeof random; i++) buf_addf(out, "%02x", random[i]);
}

/* RFC 7578. The part is named "file"; its file name is not looked at. */
static void add_body(const char *boundary, const struct pushed *list, size_t n, struct buf *out)
{
    buf_addf(out,
             "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"contacts.csv\"\r\n"
             "Content-Type: text/csv; charset=utf-8\r\n\r\n",
             boundary);
    directory_csv_head(out);
    for (size_t i = 0; i < n; i++) buf_addstr(out, list[i].body);
    buf_addf(out, "\r\n--%s--\r\n", boundary);
}

static enum fault_code directory_send(struct session *s, const struct pushed *list, size_t n, struct fault *f)
{
    struct buf boundary AUTO_BUF = BUF_INIT, type AUTO_BUF = BUF_INIT, body AUTO_BUF = BUF_INIT,
                        url AUTO_BUF = BUF_INIT;
    add_boundary(s, &boundary);
    add_body(buf_cstr(&boundary), list, n, &body);
    buf_addf(&type, "multipart/form-data; boundary=%s", buf_cstr(&boundary));
    buf_addf(&url, "%s%s", s->url, n ? "" : "?allow_empty=1");
    struct http_exchange x = {.method = "POST",
                              .url = buf_cstr(&url),
                              .content_type = buf_cstr(&type),
                              .body = buf_str(&body),
                              .patience_s = PATIENCE_S,
                              .limit_bytes = ANSWER_MAX_BYTES};
    enum fault_code code = concluded(s, &x, http_do(s->http, &x, f), f);
    http_clear(&x);
    return code;
}

static void directory_traffic(struct session *s, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out)
{
    http_traffic(s->http, requests, bytes_in, bytes_out);
}

static const struct push push = {.render = directory_render, .send = directory_send};

const struct connector connector_directory = {
    .name = "directory",
    .capabilities = NO_COLLECTIONS,
    .push = &push,
    .open = directory_open,
    .close = directory_close,
    .discover = directory_discover,
    .select = directory_select,
    .traffic = directory_traffic,
};
