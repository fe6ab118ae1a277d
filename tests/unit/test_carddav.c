/* The CardDAV connector against a server in this process that answers what a script says; the answers are those of real
 * servers (protocols: servers, carddav). Every request of a script must come, and no other. */
#include "connectors/registry.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* -- the server -- */

struct step {
    const char *method, *path;
    const char *needs; /* must stand in "Depth: 0\nIf-Match: ..\n<body>"; NULL = anything */
    const char *lacks; /* must not; NULL = nothing */
    unsigned status;
    const char *header; /* "Name: value"; NULL = none */
    const char *body;
};
#define STEPS_MAX 32

struct server {
    struct MHD_Daemon *daemon;
    unsigned port;
    pthread_mutex_t lock;
    const struct step *steps;
    size_t n;
    bool used[STEPS_MAX];
    struct buf unexpected;
};

static void add_header(struct MHD_Connection *c, struct buf *out, const char *name)
{
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
    if (value) buf_addf(out, "%s: %s\n", name, value);
}

static bool fits(const struct step *s, const char *method, const char *path, const char *text)
{
    return strcmp(s->method, method) == 0 && strcmp(s->path, path) == 0 && (!s->needs || strstr(text, s->needs)) &&
           (!s->lacks || !strstr(text, s->lacks));
}

static const struct step *take(struct server *s, const char *method, const char *path, const char *text)
{
    const struct step *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n && !found; i++) {
        if (s->used[i] || !fits(&s->steps[i], method, path, text)) continue;
        s->used[i] = true;
        found = &s->steps[i];
    }
    if (!found) buf_addf(&s->unexpected, "%s %s\n%s\n", method, path, text);
    pthread_mutex_unlock(&s->lock);
    return found;
}

static enum MHD_Result answer(struct server *s, struct MHD_Connection *c, const char *path, const char *method,
                              struct buf *body)
{
    static const struct step nothing = {.status = 418, .body = "not in the script"};
    struct buf text AUTO_BUF = BUF_INIT;
    add_header(c, &text, "Depth");
    add_header(c, &text, "If-Match");
    add_header(c, &text, "If-None-Match");
    add_header(c, &text, "Content-Type");
    buf_addstr(&text, buf_str(body));
    const struct step *step = take(s, method, path, buf_cstr(&text));
    if (!step) step = &nothing;
    const char *bytes = step->body ? step->body : "";
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(bytes), (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    const char *colon = step->header ? strstr(step->header, ": ") : NULL;
    if (colon) {
        char *name AUTO_FREE = mem_strndup(step->header, (size_t)(colon - step->header));
        MHD_add_response_header(r, name, colon + 2);
    }
    enum MHD_Result result = MHD_queue_response(c, step->status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *n, void **state)
{
    struct buf *body = *state;
    (void)version;
    if (!body) {
        *state = mem_calloc(1, sizeof *body);
        return MHD_YES;
    }
    if (*n) {
        buf_add(body, data, *n);
        *n = 0;
        return MHD_YES;
    }
    return answer(ctx, c, url, method, body);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
    struct buf *body = *state;
    (void)ctx;
    (void)c;
    (void)why;
    if (body) buf_free(body);
    free(body);
}

/* The path as it was sent: libmicrohttpd undoes percent-encoding otherwise. */
static size_t leave_encoded(void *ctx, struct MHD_Connection *c, char *s)
{
    (void)ctx;
    (void)c;
    return strlen(s);
}

/* -- the world: traits in a list, a counter as randomness -- */

struct world {
    struct env env;
    struct traits traits;
    struct {
        char *key, *value;
    } known[32];
    size_t n_known;
    unsigned char counter;
    struct server server;
    struct buf url;
    struct account account;
    struct session *session;
    struct fault fault;
    struct buf seen; /* what the sink was given */
};

static int64_t now_ms(struct env *e)
{
    (void)e;
    return 1700000000000;
}

static enum fault_code sleep_ms(struct env *e, int64_t ms)
{
    (void)e;
    (void)ms;
    return FAULT_NONE;
}

static bool cancelled(struct env *e)
{
    (void)e;
    return false;
}

static void boundary(struct env *e, const char *where)
{
    (void)e;
    (void)where;
}

static void fill_random(struct env *e, void *out, size_t n)
{
    memset(out, ++((struct world *)e)->counter, n);
}

static void log_nothing(struct env *e, enum log_level level, const char *line)
{
    (void)e;
    (void)level;
    (void)line;
}

static struct world *world_of(struct traits *t)
{
    return (struct world *)((char *)t - offsetof(struct world, traits));
}

static char *trait_get(struct traits *t, const char *key)
{
    struct world *w = world_of(t);
    for (size_t i = 0; i < w->n_known; i++)
        if (strcmp(w->known[i].key, key) == 0) return mem_strdup(w->known[i].value);
    return NULL;
}

static void trait_set(struct traits *t, const char *key, const char *value)
{
    struct world *w = world_of(t);
    size_t i = 0;
    while (i < w->n_known && strcmp(w->known[i].key, key) != 0) i++;
    if (i == w->n_known) {
        cr_assert_lt(w->n_known, 32u);
        w->known[w->n_known++].key = mem_strdup(key);
    } else
        free(w->known[i].value);
    w->known[i].value = value ? mem_strdup(value) : NULL;
}

static enum fault_code sink_begin(void *ctx, bool full)
{
    struct world *w = ctx;
    buf_adds(&w->seen, full ? "full:" : "delta:");
    return FAULT_NONE;
}

/* " id etag body": the body's first word only */
static enum fault_code sink_entry(void *ctx, const struct entry *e)
{
    struct world *w = ctx;
    struct str rest = e->body, word = str_split(&rest, ' ');
    buf_addf(&w->seen, " %.*s", STR_ARG(e->id));
    if (e->gone) buf_adds(&w->seen, " gone");
    if (e->version.p) buf_addf(&w->seen, " %.*s", STR_ARG(e->version));
    if (e->body.p) buf_addf(&w->seen, " [%.*s]", STR_ARG(word));
    buf_addc(&w->seen, ';');
    return FAULT_NONE;
}

static void script(struct world *w, const struct step *steps, size_t n)
{
    cr_assert_leq(n, (size_t)STEPS_MAX);
    pthread_mutex_lock(&w->server.lock);
    w->server.steps = steps;
    w->server.n = n;
    memset(w->server.used, 0, sizeof w->server.used);
    buf_reset(&w->server.unexpected);
    pthread_mutex_unlock(&w->server.lock);
    buf_reset(&w->seen);
    fault_clear(&w->fault);
}
#define SCRIPT(w, steps) script(w, steps, sizeof(steps) / sizeof *(steps))

/* Everything in the script was asked for, and nothing else. */
static void check_script(struct world *w, const char *row)
{
    cr_expect_str_eq(buf_cstr(&w->server.unexpected), "", "row %s: unexpected: %s", row,
                     buf_cstr(&w->server.unexpected));
    for (size_t i = 0; i < w->server.n; i++)
        cr_expect(w->server.used[i], "row %s: never asked: %s %s %s", row, w->server.steps[i].method,
                  w->server.steps[i].path, w->server.steps[i].needs ? w->server.steps[i].needs : "");
}

static void world_begin(struct world *w)
{
    *w = (struct world){.env = {.now_ms = now_ms,
                                .monotonic_ms = now_ms,
                                .random = fill_random,
                                .sleep_ms = sleep_ms,
                                .cancelled = cancelled,
                                .log = log_nothing,
                                .boundary = boundary},
                        .traits = {trait_get, trait_set},
                        .account = {.name = "test", .connector = "carddav", .user = "anna", .password = "geheim"}};
    pthread_mutex_init(&w->server.lock, NULL);
    w->server.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, &w->server,
                                        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_UNESCAPE_CALLBACK,
                                        leave_encoded, NULL, MHD_OPTION_END);
    cr_assert_not_null(w->server.daemon);
    w->server.port = MHD_get_daemon_info(w->server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void open_at(struct world *w, const char *path)
{
    if (w->session) connector_carddav.close(w->session);
    buf_reset(&w->url);
    buf_addf(&w->url, "http://127.0.0.1:%u%s", w->server.port, path);
    w->account.url = buf_cstr(&w->url);
    cr_assert_eq(connector_carddav.open(&w->account, &w->traits, &w->env, &w->session, &w->fault), FAULT_NONE);
}

/* A session on a book about which everything is known already. */
static void open_book(struct world *w, const char *path, const char *known)
{
    struct buf key AUTO_BUF = BUF_INIT;
    struct buf identity AUTO_BUF = BUF_INIT;
    const struct collection *about;
    buf_addf(&key, "book:%s", path);
    trait_set(&w->traits, buf_cstr(&key), known);
    open_at(w, "/");
    cr_assert_eq(connector_carddav.select(w->session, path, &about, &identity, &w->fault), FAULT_NONE);
}
#define WITH_SYNC "0 1 0 1 Kunden"
#define WITHOUT_SYNC "0 1 0 0 Kunden"

static void world_end(struct world *w)
{
    if (w->session) connector_carddav.close(w->session);
    MHD_stop_daemon(w->server.daemon);
    pthread_mutex_destroy(&w->server.lock);
    for (size_t i = 0; i < w->n_known; i++) {
        free(w->known[i].key);
        free(w->known[i].value);
    }
    buf_free(&w->server.unexpected);
    buf_free(&w->url);
    buf_free(&w->seen);
    fault_clear(&w->fault);
}
#define WORLD __attribute__((cleanup(world_end)))

/* -- answers -- */

#define MULTI(inside)                                                                                                  \
    "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\" "               \
    "xmlns:cs=\"http://calendarserver.org/ns/\">" inside "</d:multistatus>"
#define OK(href, props)                                                                                                \
    "<d:response><d:href>" href "</d:href><d:propstat><d:prop>" props                                                  \
    "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
#define STATUS(href, number)                                                                                           \
    "<d:response><d:href>" href "</d:href><d:status>HTTP/1.1 " number "</d:status></d:response>"
#define TOKEN(t) "<d:sync-token>" t "</d:sync-token>"
#define ETAG(t) "<d:getetag>" t "</d:getetag>"
#define DATA(t) "<c:address-data>" t " text</c:address-data>"
#define BOOK_TYPE "<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>"
#define FOLDER_TYPE "<d:resourcetype><d:collection/></d:resourcetype>"
#define ME(href) "<d:current-user-principal><d:href>" href "</d:href></d:current-user-principal>"
#define HOME(href) "<c:addressbook-home-set><d:href>" href "</d:href></c:addressbook-home-set>"
#define ERROR(name) "<d:error xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\">" name "</d:error>"

/* -- changes -- */

struct changes_row {
    const char *name, *known, *token;
    bool list;
    struct step steps[5];
    enum fault_code code;
    const char *seen, *next;
};

static const struct changes_row changes_rows[] = {
    {"tokens that are seconds (SOGo) are asked for with the second before",
     WITH_SYNC,
     "sync:1700000005",
     false,
     {{"REPORT", "/b/", "<D:sync-token>1700000004</D:sync-token>", NULL, 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"") DATA("one")) TOKEN("1700000007"))}},
     FAULT_NONE,
     "delta: /b/1.vcf \"1\" [one];",
     "sync:1700000007"},
    {"a second that went back (SOGo, restored)",
     WITH_SYNC,
     "sync:1700000005",
     false,
     {{"REPORT", "/b/", "1700000004", NULL, 207, NULL, MULTI(TOKEN("1700000001"))},
      {"REPORT", "/b/", "<D:sync-token></D:sync-token>", "address-data", 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"")) TOKEN("1700000001"))}},
     FAULT_NONE,
     "delta:full: /b/1.vcf \"1\";",
     "sync:1700000001"},
    {"4.0 is named where nothing else is offered",
     "0 2 0 1 Kunden",
     NULL,
     false,
     {{"REPORT", "/b/", "<C:address-data content-type=\"text/vcard\" version=\"4.0\"/>", NULL, 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"") DATA("one")) TOKEN("t1"))}},
     FAULT_NONE,
     "full: /b/1.vcf \"1\" [one];",
     "sync:t1"},
    {"and plain cards where both are (Cyrus, sabre)",
     "0 3 0 1 Kunden",
     NULL,
     false,
     {{"REPORT", "/b/", "<C:address-data/>", "4.0", 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"") DATA("one")) TOKEN("t1"))}},
     FAULT_NONE,
     "full: /b/1.vcf \"1\" [one];",
     "sync:t1"},
    {"nothing changed: one request",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", "<D:sync-token>t1</D:sync-token>", NULL, 207, NULL, MULTI(TOKEN("t1"))}},
     FAULT_NONE,
     "delta:",
     "sync:t1"},
    {"a delta with cards in it, a deletion, the book itself, another spelling of an href",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", "Depth: 0", NULL, 207, NULL,
       MULTI(OK("/b/", ETAG("\"book\"")) OK("/b/%61@x%2b.vcf", ETAG("\"1\"") DATA("CARD"))
                 STATUS("/b/gone.vcf", "404 Not Found") TOKEN("t2"))}},
     FAULT_NONE,
     "delta: /b/a@x%2B.vcf \"1\" [CARD]; /b/gone.vcf gone;",
     "sync:t2"},
    {"a first import asks for the cards along with the list",
     WITH_SYNC,
     NULL,
     false,
     {{"REPORT", "/b/", "address-data", NULL, 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"") DATA("ONE")) OK("/b/2.vcf", ETAG("\"2\"") DATA("TWO")) TOKEN("t1"))}},
     FAULT_NONE,
     "full: /b/1.vcf \"1\" [ONE]; /b/2.vcf \"2\" [TWO];",
     "sync:t1"},
    {"a listing where nearly all is known wants no cards",
     WITH_SYNC,
     "sync:t1",
     true,
     {{"REPORT", "/b/", "<D:sync-token></D:sync-token>", "address-data", 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"")) TOKEN("t2"))}},
     FAULT_NONE,
     "full: /b/1.vcf \"1\";",
     "sync:t2"},
    {"a cut page is asked on",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", "t1</D:sync-token>", NULL, 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"")) STATUS("/b/", "507 Insufficient Storage") TOKEN("t2"))},
      {"REPORT", "/b/", "t2</D:sync-token>", NULL, 207, NULL, MULTI(OK("/b/2.vcf", ETAG("\"2\"")) TOKEN("t3"))}},
     FAULT_NONE,
     "delta: /b/1.vcf \"1\"; /b/2.vcf \"2\";",
     "sync:t3"},
    {"a cut page whose token does not move",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", NULL, NULL, 207, NULL, MULTI(STATUS("/b/", "507 Insufficient Storage") TOKEN("t1"))}},
     FAULT_INCOMPLETE,
     "delta:",
     NULL},
    {"an answer without a token concludes nothing",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", NULL, NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("\"1\"")))}},
     FAULT_INCOMPLETE,
     "delta: /b/1.vcf \"1\";",
     NULL},
    {"an answer without its end concludes nothing",
     WITH_SYNC,
     NULL,
     true,
     {{"REPORT", "/b/", NULL, NULL, 207, NULL,
       "<d:multistatus xmlns:d=\"DAV:\">" OK("/b/1.vcf", ETAG("\"1\"")) TOKEN("t1")}},
     FAULT_INCOMPLETE,
     "full: /b/1.vcf \"1\";",
     NULL},
    {"a dead token (Radicale, Cyrus)",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", "t1</D:sync-token>", NULL, 403, NULL, ERROR("<d:valid-sync-token/>")},
      {"REPORT", "/b/", "<D:sync-token></D:sync-token>", "address-data", 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"1\"")) TOKEN("t9"))}},
     FAULT_NONE,
     "delta:full: /b/1.vcf \"1\";",
     "sync:t9"},
    {"a dead token by 400, as Thunderbird wants it",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", "t1</D:sync-token>", NULL, 400, NULL, ERROR("<d:valid-sync-token/>")},
      {"REPORT", "/b/", "<D:sync-token></D:sync-token>", NULL, 207, NULL, MULTI(TOKEN("t9"))}},
     FAULT_NONE,
     "delta:full:",
     "sync:t9"},
    {"a server restored from its backup: the number in the token went back",
     WITH_SYNC,
     "sync:http://sabre.io/ns/sync/15",
     false,
     {{"REPORT", "/b/", "/15<", NULL, 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"0\"")) TOKEN("http://sabre.io/ns/sync/12"))},
      {"REPORT", "/b/", "<D:sync-token></D:sync-token>", NULL, 207, NULL,
       MULTI(OK("/b/1.vcf", ETAG("\"0\"")) TOKEN("http://sabre.io/ns/sync/12"))}},
     FAULT_NONE,
     "delta: /b/1.vcf \"0\";full: /b/1.vcf \"0\";",
     "sync:http://sabre.io/ns/sync/12"},
    {"no sync here: ctag and listing; folders, lists and the book itself are no cards",
     WITHOUT_SYNC,
     NULL,
     true,
     {{"PROPFIND", "/b/", "getctag", NULL, 207, NULL, MULTI(OK("/b/", "<cs:getctag>c1</cs:getctag>"))},
      {"PROPFIND", "/b/", "Depth: 1", NULL, 207, NULL,
       MULTI(OK("/b", FOLDER_TYPE) OK("/b/sub", FOLDER_TYPE) OK("/b/1.eml", ETAG("1") "<d:resourcetype/>")
                 OK("/b/l.vlf", ETAG("2") "<d:getcontenttype>text/x-vlist</d:getcontenttype>")
                     OK("/b/2.vcf", ETAG("W/\"2\"") "<d:getcontenttype>text/vcard</d:getcontenttype>"))}},
     FAULT_NONE,
     "full: /b/1.eml 1; /b/2.vcf W/\"2\";",
     "ctag:c1"},
    {"the same ctag: one request",
     WITHOUT_SYNC,
     "ctag:c1",
     false,
     {{"PROPFIND", "/b/", "getctag", NULL, 207, NULL, MULTI(OK("/b/", "<cs:getctag>c1</cs:getctag>"))}},
     FAULT_NONE,
     "delta:",
     "ctag:c1"},
    {"an empty first token refused (Google), the listing works",
     WITH_SYNC,
     NULL,
     true,
     {{"REPORT", "/b/", NULL, NULL, 400, NULL, "no"},
      {"PROPFIND", "/b/", "getctag", NULL, 207, NULL, MULTI(OK("/b/", "<cs:getctag>c1</cs:getctag>"))},
      {"PROPFIND", "/b/", "Depth: 1", NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("\"1\"")))}},
     FAULT_NONE,
     "full:full: /b/1.vcf \"1\";",
     "ctag:c1"},
    {"what cannot be told of one card does not make it absent",
     WITH_SYNC,
     NULL,
     true,
     {{"REPORT", "/b/", NULL, NULL, 207, NULL,
       MULTI(STATUS("/b/teapot.vcf", "418 I'm a teapot") STATUS(
           "/b/denied.vcf", "403 Forbidden") "<d:response><d:href>/b/bare.vcf</d:href><d:propstat><d:status>HTTP/1.1 "
                                             "404 Not Found</d:status><d:prop><d:getetag/>"
                                             "</d:prop></d:propstat></d:response>" TOKEN("t1"))}},
     FAULT_NONE,
     "full: /b/teapot.vcf; /b/denied.vcf; /b/bare.vcf;",
     "sync:t1"},
    {"a server that calls itself by an inner name",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", NULL, NULL, 207, NULL,
       MULTI(OK("http://inner.example/b/1.vcf", ETAG("\"1\"")) OK("http://inner.example/c/1.vcf", ETAG("\"1\""))
                 TOKEN("t2"))}},
     FAULT_NONE,
     "delta: /b/1.vcf \"1\"; http://inner.example/c/1.vcf \"1\";",
     "sync:t2"},
    {"the book is gone: nothing is absent from it",
     WITH_SYNC,
     "sync:t1",
     false,
     {{"REPORT", "/b/", "t1<", NULL, 404, NULL, ""},
      {"REPORT", "/b/", "<D:sync-token></D:sync-token>", NULL, 404, NULL, ""},
      {"PROPFIND", "/b/", NULL, NULL, 404, NULL, ""}},
     FAULT_NO_COLLECTION,
     "delta:full:",
     NULL},
    {"a login page is no empty book",
     WITHOUT_SYNC,
     NULL,
     true,
     {{"PROPFIND", "/b/", NULL, NULL, 200, "Content-Type: text/html", "<html><body>Please log in</body></html>"}},
     FAULT_PROTOCOL,
     "",
     NULL},
};

static size_t count_steps(const struct step *steps, size_t max)
{
    size_t n = 0;
    while (n < max && steps[n].method) n++;
    return n;
}

Test(carddav, changes_as_servers_tell_them)
{
    for (size_t i = 0; i < sizeof changes_rows / sizeof *changes_rows; i++) {
        const struct changes_row *row = &changes_rows[i];
        struct world w WORLD;
        world_begin(&w);
        open_book(&w, "/b/", row->known);
        script(&w, row->steps, count_steps(row->steps, 5));
        const struct sink sink = {&w, sink_begin, sink_entry};
        struct changes got = {0};
        enum fault_code code = connector_carddav.changes(w.session, row->token, row->list, &sink, &got, &w.fault);
        cr_expect_eq(code, row->code, "row %s: %s", row->name, fault_name(code));
        cr_expect_str_eq(buf_cstr(&w.seen), row->seen, "row %s: %s", row->name, buf_cstr(&w.seen));
        cr_expect_eq(got.complete, code == FAULT_NONE, "row %s", row->name);
        cr_expect_str_eq(got.token ? got.token : "-", row->next ? row->next : "-", "row %s: %s", row->name, got.token);
        check_script(&w, row->name);
        free(got.token);
    }
}

/* -- discovery -- */

struct discover_row {
    const char *name, *start;
    struct step steps[16];
    enum fault_code code;
    const char *found; /* "name path ro|rw versions;" */
};

static const struct discover_row discover_rows[] = {
    {"well-known, principal, home (Radicale)",
     "/",
     {{"PROPFIND", "/.well-known/carddav", "Depth: 0", NULL, 301, "Location: /", ""},
      {"PROPFIND", "/", NULL, NULL, 207, NULL, MULTI(OK("/", FOLDER_TYPE ME("/anna/")))},
      {"PROPFIND", "/", NULL, NULL, 207, NULL, MULTI(OK("/", FOLDER_TYPE ME("/anna/")))},
      {"PROPFIND", "/anna/", "Depth: 0", NULL, 207, NULL, MULTI(OK("/anna/", HOME("/anna/books/")))},
      {"PROPFIND", "/anna/books/", "Depth: 1", NULL, 207, NULL,
       MULTI(OK("/anna/books/", FOLDER_TYPE) OK("/anna/books/k/", BOOK_TYPE "<d:displayname>Kunden</d:displayname>")
                 OK("/anna/books/r%20o/",
                    BOOK_TYPE "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>"
                              "</d:current-user-privilege-set><c:supported-address-data><c:address-data-type "
                              "content-type='text/vcard' version='4.0'/></c:supported-address-data>"))}},
     FAULT_NONE,
     "Kunden /anna/books/k/ rw 1;r%20o /anna/books/r%20o/ ro 2;"},
    {"the address of a book is that book",
     "/anna/books/k/",
     {{"PROPFIND", "/anna/books/k/", "Depth: 0", NULL, 207, NULL,
       MULTI(OK("/anna/books/k/", BOOK_TYPE "<d:displayname>K</d:displayname>" ME("/anna/")))}},
     FAULT_NONE,
     "K /anna/books/k/ rw 1;"},
    {"the address of a principal that tells its home",
     "/p/",
     {{"PROPFIND", "/p/", "Depth: 0", NULL, 207, NULL, MULTI(OK("/p/", HOME("/h/") ME("/p/")))},
      {"PROPFIND", "/h/", "Depth: 1", NULL, 207, NULL, MULTI(OK("/h/", FOLDER_TYPE) OK("/h/a/", BOOK_TYPE))}},
     FAULT_NONE,
     "a /h/a/ rw 1;"},
    {"neither principal nor home (DavMail): the address is both",
     "/users/a/contacts/",
     {{"PROPFIND", "/users/a/contacts/", "current-user-principal", NULL, 207, NULL,
       MULTI(OK("/users/a/contacts/", FOLDER_TYPE))},
      {"PROPFIND", "/.well-known/carddav", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/remote.php/dav/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/dav.php/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/dav/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/SOGo/dav/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/caldav.php/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/carddav/", NULL, NULL, 404, NULL, ""},
      {"PROPFIND", "/users/a/contacts/", "Depth: 0", "current-user-principal", 207, NULL,
       MULTI(OK("/users/a/contacts/", FOLDER_TYPE))},
      {"PROPFIND", "/users/a/contacts/", "Depth: 1", NULL, 207, NULL,
       MULTI(OK("/users/a/contacts/", FOLDER_TYPE) OK("/users/a/contacts/main/", BOOK_TYPE))}},
     FAULT_NONE,
     "main /users/a/contacts/main/ rw 1;"},
    {"what is not well known does not stop it, whatever it answers",
     "/",
     {{"PROPFIND", "/.well-known/carddav", NULL, NULL, 500, NULL, "oops"},
      {"PROPFIND", "/", NULL, NULL, 207, NULL, MULTI(OK("/", HOME("/h/")))},
      {"PROPFIND", "/h/", "Depth: 1", NULL, 207, NULL, MULTI(OK("/h/a/", BOOK_TYPE))}},
     FAULT_NONE,
     "a /h/a/ rw 1;"},
    {"a wrong password is tried once",
     "/p/",
     {{"PROPFIND", "/p/", NULL, NULL, 401, "WWW-Authenticate: Basic realm=\"x\"", ""}},
     FAULT_AUTH,
     ""},
};

static void describe(const struct collections *all, struct buf *out)
{
    for (size_t i = 0; i < all->n; i++)
        buf_addf(out, "%s %s %s %u;", all->items[i].name, all->items[i].path, all->items[i].read_only ? "ro" : "rw",
                 all->items[i].versions);
}

Test(carddav, books_are_found_from_any_address)
{
    for (size_t i = 0; i < sizeof discover_rows / sizeof *discover_rows; i++) {
        const struct discover_row *row = &discover_rows[i];
        struct world w WORLD;
        struct collections found = {0};
        struct buf text AUTO_BUF = BUF_INIT;
        world_begin(&w);
        open_at(&w, row->start);
        script(&w, row->steps, count_steps(row->steps, 16));
        enum fault_code code = connector_carddav.discover(w.session, &found, &w.fault);
        describe(&found, &text);
        cr_expect_eq(code, row->code, "row %s: %s", row->name, fault_name(code));
        cr_expect_str_eq(buf_cstr(&text), row->found, "row %s: %s", row->name, buf_cstr(&text));
        check_script(&w, row->name);
        collections_free(&found);
    }
}

Test(carddav, a_book_is_asked_about_once)
{
    static const struct step steps[] = {
        {"PROPFIND", "/b/", "Depth: 0", NULL, 207, NULL,
         MULTI(OK("/b/",
                  BOOK_TYPE "<d:displayname>Kunden</d:displayname><c:max-resource-size>1000</c:max-resource-size>"))}};
    struct world w WORLD;
    struct buf first AUTO_BUF = BUF_INIT;
    const struct collection *about;
    world_begin(&w);
    SCRIPT(&w, steps);
    for (int run = 0; run < 2; run++) {
        struct buf identity AUTO_BUF = BUF_INIT;
        open_at(&w, "/");
        cr_assert_eq(connector_carddav.select(w.session, "/b/", &about, &identity, &w.fault), FAULT_NONE);
        cr_expect_str_eq(about->name, "Kunden");
        cr_expect_eq(about->max_record_bytes, 1000);
        if (run)
            cr_expect_str_eq(buf_cstr(&identity), buf_cstr(&first));
        else
            buf_addstr(&first, buf_str(&identity));
    }
    check_script(&w, "select");
}

/* -- fetch -- */

struct fetch_row {
    const char *name, *ids[4];
    struct step steps[6];
    enum fault_code code;
    const char *seen;
};

static const struct fetch_row fetch_rows[] = {
    {"every id ends as a card, gone, or not at all; what was not asked for is left out",
     {"/b/1.vcf", "/b/2.vcf", "/b/3.vcf"},
     {{"REPORT", "/b/", "<D:href>/b/2.vcf</D:href>", NULL, 207, NULL,
       MULTI(OK("/b/%31.vcf", ETAG("\"1\"") DATA("ONE")) STATUS("/b/2.vcf", "404 Not Found")
                 OK("/b/9.vcf", DATA("NINE")) OK("/b/3.vcf", DATA("THREE")))}},
     FAULT_NONE,
     " /b/1.vcf \"1\" [ONE]; /b/2.vcf gone; /b/3.vcf [THREE];"},
    {"what multiget left out is asked for by GET",
     {"/b/1.vcf", "/b/2.vcf"},
     {{"REPORT", "/b/", NULL, NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("\"1\"") DATA("ONE")))},
      {"GET", "/b/2.vcf", NULL, NULL, 200, "ETag: \"2\"", "TWO text"}},
     FAULT_NONE,
     " /b/1.vcf \"1\" [ONE]; /b/2.vcf \"2\" [TWO];"},
    {"no multiget here",
     {"/b/1.vcf", "/b/2.vcf"},
     {{"REPORT", "/b/", NULL, NULL, 501, NULL, ""},
      {"GET", "/b/1.vcf", NULL, NULL, 200, "ETag: \"1\"", "ONE text"},
      {"GET", "/b/2.vcf", NULL, NULL, 404, NULL, ""}},
     FAULT_NONE,
     NULL},
};

Test(carddav, cards_are_fetched_the_way_that_works)
{
    for (size_t i = 0; i < sizeof fetch_rows / sizeof *fetch_rows; i++) {
        const struct fetch_row *row = &fetch_rows[i];
        struct world w WORLD;
        struct str ids[4];
        size_t n = 0;
        world_begin(&w);
        open_book(&w, "/b/", WITH_SYNC);
        script(&w, row->steps, count_steps(row->steps, 6));
        while (n < 4 && row->ids[n]) {
            ids[n] = str_of(row->ids[n]);
            n++;
        }
        const struct sink sink = {&w, NULL, sink_entry};
        enum fault_code code = connector_carddav.fetch(w.session, ids, n, &sink, &w.fault);
        cr_expect_eq(code, row->code, "row %s: %s", row->name, fault_name(code));
        if (row->seen) cr_expect_str_eq(buf_cstr(&w.seen), row->seen, "row %s: %s", row->name, buf_cstr(&w.seen));
        check_script(&w, row->name);
    }
}

/* -- write -- */

struct write_row {
    const char *name;
    enum write_kind kind;
    const char *version;
    struct step steps[4];
    enum fault_code code;
    const char *new_id, *new_version;
};

static const struct write_row write_rows[] = {
    {"a create",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", "If-None-Match: *", "If-Match", 201, "ETag: \"1\"", ""}},
     FAULT_NONE,
     NULL,
     "\"1\""},
    {"an update",
     WRITE_UPDATE,
     "\"0\"",
     {{"PUT", "/b/1.vcf", "If-Match: \"0\"", "If-None-Match", 204, NULL, ""}},
     FAULT_NONE,
     NULL,
     NULL},
    {"a delete",
     WRITE_DELETE,
     "\"0\"",
     {{"DELETE", "/b/1.vcf", "If-Match: \"0\"", NULL, 200, NULL, ""}},
     FAULT_NONE,
     NULL,
     NULL},
    {"a create put elsewhere",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 201, "Location: http://inner.example/b/%78.vcf", ""}},
     FAULT_NONE,
     "/b/x.vcf",
     NULL},
    {"a name that is taken",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 412, NULL, ""}},
     FAULT_EXISTS,
     NULL,
     NULL},
    {"a UID that is taken (Radicale, Cyrus)",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 409, NULL,
       ERROR("<c:no-uid-conflict><d:href>/b/other.vcf</d:href></c:no-uid-conflict>")}},
     FAULT_EXISTS,
     "/b/other.vcf",
     NULL},
    {"a UID that is taken (sabre)",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 400, NULL,
       "<d:error xmlns:d=\"DAV:\"><s:message xmlns:s=\"s\">VCard object with uid already exists in this addressbook "
       "collection."
       "</s:message></d:error>"}},
     FAULT_EXISTS,
     NULL,
     NULL},
    {"changed there",
     WRITE_UPDATE,
     "\"0\"",
     {{"PUT", "/b/1.vcf", NULL, NULL, 412, NULL, ""}},
     FAULT_CHANGED,
     NULL,
     NULL},
    {"409 for a vanished card",
     WRITE_UPDATE,
     "\"0\"",
     {{"PUT", "/b/1.vcf", NULL, NULL, 409, NULL, ""}},
     FAULT_CHANGED,
     NULL,
     NULL},
    {"gone", WRITE_UPDATE, "\"0\"", {{"PUT", "/b/1.vcf", NULL, NULL, 404, NULL, ""}}, FAULT_GONE, NULL, NULL},
    {"gone before it was deleted",
     WRITE_DELETE,
     "\"0\"",
     {{"DELETE", "/b/1.vcf", NULL, NULL, 410, NULL, ""}},
     FAULT_GONE,
     NULL,
     NULL},
    {"refused",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 403, NULL, ERROR("<c:valid-address-data/>")}},
     FAULT_REFUSED,
     NULL,
     NULL},
    {"refused without a word (iCloud)",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 403, NULL, ""}},
     FAULT_REFUSED,
     NULL,
     NULL},
    {"no right to write",
     WRITE_UPDATE,
     "\"0\"",
     {{"PUT", "/b/1.vcf", NULL, NULL, 403, NULL, ERROR("<d:need-privileges/>")}},
     FAULT_READ_ONLY,
     NULL,
     NULL},
    {"too large, told by status",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 413, NULL, ""}},
     FAULT_TOO_LARGE,
     NULL,
     NULL},
    {"too large, told by name",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 403, NULL, ERROR("<c:max-resource-size/>")}},
     FAULT_TOO_LARGE,
     NULL,
     NULL},
    {"locked", WRITE_UPDATE, "\"0\"", {{"PUT", "/b/1.vcf", NULL, NULL, 423, NULL, ""}}, FAULT_LOCKED, NULL, NULL},
    {"no room", WRITE_CREATE, NULL, {{"PUT", "/b/1.vcf", NULL, NULL, 507, NULL, ""}}, FAULT_QUOTA, NULL, NULL},
    {"500 may have stored it (ownCloud)",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 500, NULL, ""}},
     FAULT_UNKNOWN,
     NULL,
     NULL},
    {"a web page, which a proxy or a login sent: nobody knows whether it was stored",
     WRITE_CREATE,
     NULL,
     {{"PUT", "/b/1.vcf", NULL, NULL, 200, "Content-Type: text/html", "<html><body>Please log in</body></html>"}},
     FAULT_UNKNOWN,
     NULL,
     NULL},
    {"no etag told: it is asked for first",
     WRITE_UPDATE,
     NULL,
     {{"PROPFIND", "/b/1.vcf", "Depth: 0", NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("\"7\"")))},
      {"PUT", "/b/1.vcf", "If-Match: \"7\"", NULL, 204, NULL, ""}},
     FAULT_NONE,
     NULL,
     NULL},
    {"no etag told, and gone: not created again",
     WRITE_UPDATE,
     NULL,
     {{"PROPFIND", "/b/1.vcf", NULL, NULL, 404, NULL, ""}},
     FAULT_GONE,
     NULL,
     NULL},
    {"a weak etag that the server takes",
     WRITE_UPDATE,
     "W/\"0\"",
     {{"PUT", "/b/1.vcf", "If-Match: \"0\"", NULL, 204, NULL, ""}},
     FAULT_NONE,
     NULL,
     NULL},
    {"a weak etag that it does not take, of an unchanged card",
     WRITE_UPDATE,
     "W/\"0\"",
     {{"PUT", "/b/1.vcf", "If-Match: \"0\"", NULL, 412, NULL, ""},
      {"PROPFIND", "/b/1.vcf", NULL, NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("W/\"0\"")))},
      {"PUT", "/b/1.vcf", NULL, "If-Match", 204, NULL, ""}},
     FAULT_NONE,
     NULL,
     NULL},
    {"a weak etag, and the card changed",
     WRITE_UPDATE,
     "W/\"0\"",
     {{"PUT", "/b/1.vcf", NULL, NULL, 412, NULL, ""},
      {"PROPFIND", "/b/1.vcf", NULL, NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("W/\"1\"")))}},
     FAULT_CHANGED,
     NULL,
     NULL},
    {"an etag told without quotes and wanted with them",
     WRITE_DELETE,
     "0",
     {{"DELETE", "/b/1.vcf", "If-Match: 0", NULL, 400, NULL, ""},
      {"PROPFIND", "/b/1.vcf", NULL, NULL, 207, NULL, MULTI(OK("/b/1.vcf", ETAG("0")))},
      {"DELETE", "/b/1.vcf", "If-Match: \"0\"", NULL, 204, NULL, ""}},
     FAULT_NONE,
     NULL,
     NULL},
};

static void count_done(void *ctx, struct write *w)
{
    (void)w;
    ++*(int *)ctx;
}

Test(carddav, every_answer_to_a_write_has_its_meaning)
{
    for (size_t i = 0; i < sizeof write_rows / sizeof *write_rows; i++) {
        const struct write_row *row = &write_rows[i];
        struct world w WORLD;
        int done = 0;
        world_begin(&w);
        open_book(&w, "/b/", WITH_SYNC);
        script(&w, row->steps, count_steps(row->steps, 4));
        struct write one = {
            .kind = row->kind, .id = STR("/b/1.vcf"), .version = str_of(row->version), .body = STR("BEGIN:VCARD")};
        connector_carddav.write(w.session, &one, 1, count_done, &done, &w.fault);
        cr_expect_eq(one.code, row->code, "row %s: %s", row->name, fault_name(one.code));
        cr_expect_eq(one.fault.code, row->code, "row %s: the fault says %s", row->name, fault_name(one.fault.code));
        cr_expect_str_eq(one.new_id ? one.new_id : "-", row->new_id ? row->new_id : "-", "row %s: %s", row->name,
                         one.new_id);
        cr_expect_str_eq(one.new_version ? one.new_version : "-", row->new_version ? row->new_version : "-", "row %s",
                         row->name);
        cr_expect_not(one.kept, "row %s", row->name);
        cr_expect_eq(done, 1, "row %s", row->name);
        check_script(&w, row->name);
        write_clear(&one);
    }
}

Test(carddav, what_is_too_large_is_not_sent)
{
    struct world w WORLD;
    world_begin(&w);
    open_book(&w, "/b/", "0 1 10 1 Kunden");
    script(&w, NULL, 0);
    struct write one = {.kind = WRITE_CREATE, .id = STR("/b/1.vcf"), .body = STR("BEGIN:VCARD")};
    cr_expect_eq(connector_carddav.write(w.session, &one, 1, NULL, NULL, &w.fault), FAULT_NONE);
    cr_expect_eq(one.code, FAULT_TOO_LARGE);
    check_script(&w, "too large");
    write_clear(&one);
}

Test(carddav, a_new_name_lies_in_the_book)
{
    struct world w WORLD;
    world_begin(&w);
    open_book(&w, "/b", WITH_SYNC);
    char *id AUTO_FREE = connector_carddav.new_id(w.session), *other AUTO_FREE = connector_carddav.new_id(w.session);
    cr_expect(str_starts(str_of(id), STR("/b/")) && str_ends(str_of(id), STR(".vcf")), "%s", id);
    cr_expect_str_neq(id, other);
}
