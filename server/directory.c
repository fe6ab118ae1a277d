#include "server/directory.h"

#include "base/i18n.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/network.h"
#include "server/directory_impl.h"
#include "server/directory_pass.h"
#include "server/directory_phones.h"
#include "server/gzip.h"

#include <stdlib.h>

#define PREFIX "/contacts/"
#define FORM_BYTES 4096 /* of a form around its file */

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

struct directory_service *directory_service_new(const struct directory_service_settings *settings)
{
    struct directory_service *s = mem_calloc(1, sizeof *s);
    s->settings = *settings;
    desks_init(&s->desks, settings->state, settings->max_level, settings->cancel);
    s->settings.region = s->region = mem_strdup(settings->region);
    s->settings.claim_networks = s->claim_networks = copy(settings->claim_networks);
    s->guesses = guesses_new();
    s->proofs = proofs_new();
    pthread_mutex_init(&s->mutex, NULL);
    pthread_mutex_init(&s->making, NULL);
    return s;
}

void directory_service_free(struct directory_service *s)
{
    if (!s) return;
    snapshots_free(s);
    desks_end(&s->desks);
    guesses_free(s->guesses);
    proofs_free(s->proofs);
    free(s->region);
    free(s->claim_networks);
    pthread_mutex_destroy(&s->mutex);
    pthread_mutex_destroy(&s->making);
    free(s);
}

/* -- counting -- */

enum { COUNT_CSV, COUNT_PUSH, COUNT_FAMILIES };

static void count(struct directory_service *s, size_t what)
{
    if (what < DIRECTORY_FORMATS) __atomic_add_fetch(&s->answers[what], 1, __ATOMIC_RELAXED);
}

void directory_each_count(struct directory_service *s, void (*fn)(void *ctx, const char *format, uint64_t n), void *ctx)
{
    fn(ctx, "csv", __atomic_load_n(&s->answers[COUNT_CSV], __ATOMIC_RELAXED));
    fn(ctx, "push", __atomic_load_n(&s->answers[COUNT_PUSH], __ATOMIC_RELAXED));
    for (size_t i = 0; phone_family_at(i) && COUNT_FAMILIES + i < DIRECTORY_FORMATS; i++)
        fn(ctx, phone_family_at(i)->path, __atomic_load_n(&s->answers[COUNT_FAMILIES + i], __ATOMIC_RELAXED));
}

static size_t count_of(const struct phone_family *family)
{
    size_t i = 0;
    while (family && phone_family_at(i) && phone_family_at(i) != family) i++;
    return family ? COUNT_FAMILIES + i : COUNT_CSV;
}

/* -- one request -- */

struct asking {
    struct directory_service *s;
    struct desk *desk;
    struct http_call *call;
    struct http_answer *answer;
    struct arena arena;
    struct str key;
    const char *rest; /* after the key: "yealink/v1", or "" */
    struct directory d;
    unsigned rights;  /* enum directory_right */
    const char *pass; /* signed in with it; NULL = otherwise */
    uint64_t ticket;  /* of what is read */
};

static void say(struct asking *a, unsigned status, const char *text)
{
    http_answer_text(a->answer, status, "%s", text);
}

static void split_path(struct asking *a)
{
    struct str rest = str_of(http_call_path(a->call) + strlen(PREFIX));
    a->key = str_split(&rest, '/');
    a->rest = rest.p ? rest.p : "";
}

static bool is_private(const struct asking *a)
{
    return http_call_is_tls(a->call) || http_call_is_loopback(a->call);
}

/* Without encryption: only reading, only where somebody said so, and never with a password. */
static bool may_be_read(const struct asking *a)
{
    if (is_private(a)) return true;
    return a->d.plain_http && !a->d.user.n &&
           (!a->d.networks.n || network_list_has(a->d.networks, http_call_peer(a->call)));
}

/* Whoever pushes first to a key nobody has owns it, where that is allowed. */
static bool claim(struct asking *a)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct db *db = a->desk->db;
    const char *from = a->s->settings.claim_networks;
    if (!a->s->settings.claims || !directory_key_ok(a->key) || !is_private(a) ||
        (from && !network_list_has(str_of(from), http_call_peer(a->call))))
        return false;
    a->d = (struct directory){.name = str_of(arena_printf(&a->arena, _("Phonebook %.*s"), 4, a->key.p))};
    a->rights = DIRECTORY_READS | DIRECTORY_PUSHES;
    if (db_begin(db, &f)) return false;
    if (directory_add(db, &a->d, a->key, NULL, 0, &a->arena, &f)) {
        db_rollback(db);
        return false;
    }
    return !db_commit(db, &f);
}

static bool are_many(struct asking *a)
{
    struct env *env = &a->desk->system.env;
    if (!guesses_are_many(a->s->guesses, http_call_peer(a->call), env->monotonic_ms(env))) return false;
    http_answer_header(a->answer, "Retry-After", "60");
    say(a, 429, _("too many unknown keys from this address; wait a minute"));
    return true;
}

static void note_guess(struct asking *a)
{
    struct env *env = &a->desk->system.env;
    guesses_add(a->s->guesses, http_call_peer(a->call), env->monotonic_ms(env));
}

/* A phonebook may ask for user and password beside the key; links in what telephones read have a pass instead. */
static bool is_signed_in(struct asking *a)
{
    struct buf given = BUF_INIT;
    struct env *env = &a->desk->system.env;
    const char *pass = *a->rest ? http_call_query(a->call, "pass") : NULL;
    bool right = false;
    if (!a->d.user.n) return true;
    if (pass && directory_pass_is_right(a->desk->db, &a->d, env->now_ms(env), pass)) {
        a->pass = pass;
        return true;
    }
    const char *header = http_call_header(a->call, "Authorization");
    if (proof_of_basic(header, &given)) {
        struct str name = buf_str(&given);
        name = str_split(&name, ':');
        right = str_eq(name, a->d.user) &&
                proof_is_right(a->s->proofs, a->d.password, given.data + name.n + 1, env->monotonic_ms(env));
    }
    proof_wipe(&given);
    if (right) return true;
    if (header) note_guess(a);
    http_answer_header(a->answer, "WWW-Authenticate", "Basic realm=\"phonebook\", charset=\"UTF-8\"");
    say(a, 401, _("sign in"));
    return false;
}

static bool has_right(struct asking *a, bool push)
{
    if (a->rights & (push ? DIRECTORY_PUSHES : DIRECTORY_READS)) return true;
    say(a, 403, push ? _("this key only reads") : _("this key only pushes"));
    return false;
}

/* Unknown and malformed keys are answered alike, after the same work, and nobody may try many. Without encryption who
 * may not read must not learn whether the key is right. */
static bool find(struct asking *a, bool push)
{
    if (are_many(a)) return false;
    bool known = directory_by_key(a->desk->db, a->key, &a->arena, &a->d, &a->rights);
    if (!known && push) known = claim(a);
    bool allowed = known && !push ? may_be_read(a) : is_private(a);
    if (!known) note_guess(a);
    if (!allowed)
        say(a, 403, _("use https; for old telephones that cannot: abgleich directory set NAME plain_http=yes"));
    else if (!known)
        say(a, 404, _("not found"));
    return known && allowed && is_signed_in(a) && has_right(a, push);
}

/* -- what is read -- */

static const char *query_value(void *ctx, const char *name)
{
    return http_call_query(ctx, name);
}

/* For links, where telephones would have to sign in again; NULL = they need not, or the state cannot be read. Who came
 * with a pass gets no newer one: it would never end. */
static const char *pass_of(struct asking *a)
{
    struct env *env = &a->desk->system.env;
    struct fault unread AUTO_FAULT = FAULT_INIT;
    char pass[DIRECTORY_PASS_BYTES];
    if (a->pass) return a->pass;
    if (!a->d.user.n || directory_pass(a->desk->db, &a->d, env->now_ms(env), pass, &unread)) return NULL;
    return arena_strdup(&a->arena, str_of(pass));
}

static bool has_etag(const char *list, const char *etag)
{
    struct str rest = str_of(list);
    while (rest.p) {
        struct str one = str_trim(str_split(&rest, ','));
        if (str_starts(one, STR("W/"))) one = (struct str){one.p + 2, one.n - 2};
        if (str_eq(one, STR("*")) || str_eq(one, str_of(etag))) return true;
    }
    return false;
}

/* Both by RFC 9110 section 13.1: a tag, where there is one, tells; the time only where there is none. */
static bool is_known(const struct asking *a, const struct snapshot *snap, const struct rendered *r)
{
    const char *tags = http_call_header(a->call, "If-None-Match"),
               *since = http_call_header(a->call, "If-Modified-Since");
    int64_t since_s;
    if (tags) return has_etag(tags, r->etag);
    return since && date_of_http(str_of(since), &since_s) && snap->made_s <= since_s;
}

static void hand_out(struct asking *a, const struct snapshot *snap, struct rendered *r)
{
    struct env *env = &a->desk->system.env;
    char modified[DATE_HTTP_BYTES];
    a->answer->type = r->type;
    a->answer->cache = "private, no-cache";
    http_answer_header(a->answer, "ETag", "%s", r->etag);
    http_answer_header(a->answer, "Vary", "Accept-Encoding");
    if (!*a->rest) http_answer_header(a->answer, "Content-Disposition", "inline; filename=\"contacts.csv\"");
    if (snap->made_s <= env->now_ms(env) / 1000) { /* never a time to come */
        date_to_http(snap->made_s, modified);
        http_answer_header(a->answer, "Last-Modified", "%s", modified);
    }
    if (is_known(a, snap, r)) {
        a->answer->status = 304;
        return;
    }
    bool gzip = r->gzip && gzip_is_taken(a->call);
    if (gzip) http_answer_header(a->answer, "Content-Encoding", "gzip");
    struct blob *blob = blob_keep(gzip ? r->gzip : r->plain);
    a->answer->status = 200;
    a->answer->shared = buf_str(&blob->bytes);
    a->answer->release = blob_drop;
    a->answer->owner = blob;
}

static void read_out(struct asking *a, const struct phone_family *family, const char *file)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct form_query query = {NULL, NULL, "", "", NULL};
    struct snapshot *snap = snapshot_of(a->s, a->desk->db, &a->d, a->ticket, &f);
    if (!snap) {
        say(a, 503, _("the phonebook cannot be read just now"));
        return;
    }
    const struct form_settings settings = directory_form_settings(&a->d, a->s->settings.region, &a->arena);
    if (family) {
        const char *host = http_call_header(a->call, "Host");
        const char *url =
            arena_printf(&a->arena, "%s://%s" PREFIX "%.*s/%s", http_call_is_tls(a->call) ? "https" : "http",
                         host ? host : "localhost", STR_ARG(a->key), family->path);
        query = (struct form_query){query_value, a->call, file, url, pass_of(a)};
    }
    struct rendered *r = snapshot_render(a->s, snap, family, &query, &settings, gzip_is_taken(a->call));
    if (r) {
        hand_out(a, snap, r);
        rendered_drop(r);
        free(r);
    } else
        say(a, 404, _("not found"));
    snapshot_drop(a->s, snap);
}

#define WARNED_EVERY_MS (24 * 60 * 60 * (int64_t)1000)

/* Once a day for each: who reads along has the key. */
static void warn_of_plain(struct asking *a)
{
    struct env *env = &a->desk->system.env;
    struct pushing *one = &a->s->plain[a->d.no % PUSHING_MAX];
    int64_t now_ms = env->monotonic_ms(env);
    pthread_mutex_lock(&a->s->mutex);
    bool warn = one->directory != a->d.no || now_ms - one->since_ms > WARNED_EVERY_MS;
    if (warn) *one = (struct pushing){a->d.no, now_ms, 0};
    pthread_mutex_unlock(&a->s->mutex);
    if (warn)
        env_logf(env, LOG_WARNING, _("phonebook \"%.*s\" was read without encryption by %s: its key can be read along"),
                 STR_ARG(a->d.name), http_call_peer(a->call));
}

#define NOTED_EVERY_MS (60 * (int64_t)1000)

/* For `status`: when a telephone last asked. Not with each request: the book of a large house is read all day. Nor does
 * a telephone wait for it while somebody writes; the next one notes it. */
static void note_fetch(struct asking *a, const char *as)
{
    struct env *env = &a->desk->system.env;
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    int64_t age = env->now_ms(env) - a->d.fetched_ms;
    if ((age >= 0 && age < NOTED_EVERY_MS && str_eq(a->d.fetched_as, str_of(as))) || !db_begin_at_once(a->desk->db))
        return;
    directory_note_fetch(a->desk->db, a->d.no, str_of(as), &ignored);
    db_commit(a->desk->db, &ignored);
}

static void serve_push(struct asking *a)
{
    if (!find(a, true)) return;
    directory_push(a->s, a->desk, &a->d, &a->arena, a->call);
    count(a->s, COUNT_PUSH);
}

static void answer(struct asking *a, const struct phone_family *family, const char *file)
{
    bool post = strcmp(http_call_method(a->call), "POST") == 0;
    if (!is_private(a)) warn_of_plain(a);
    if (*a->rest && !family)
        say(a, 404, _("not found"));
    else if (post && !family->posts) {
        http_answer_header(a->answer, "Allow", "GET, HEAD");
        say(a, 405, _("send the file to the address without the telephone's part"));
    } else
        read_out(a, family, file);
}

/* All of it is read at one moment, whatever is written meanwhile. */
static void serve_read(struct asking *a)
{
    const char *file = "";
    struct fault f AUTO_FAULT = FAULT_INIT;
    const struct phone_family *family = *a->rest ? phone_family_of(a->rest, &file) : NULL;
    a->ticket = snapshot_ticket(a->s);
    if (db_begin_reading(a->desk->db, &f)) {
        say(a, 503, _("the state cannot be read just now"));
        return;
    }
    bool found = find(a, false);
    if (found) answer(a, family, file);
    db_rollback(a->desk->db);
    if (!found || a->answer->status >= 400) return;
    count(a->s, count_of(family));
    note_fetch(a, family ? family->path : "csv");
}

static void serve(struct asking *a)
{
    split_path(a);
    http_answer_header(a->answer, "Referrer-Policy", "no-referrer"); /* the address has the key in it */
    if (strcmp(http_call_method(a->call), "POST") == 0 && !*a->rest)
        serve_push(a);
    else
        serve_read(a);
}

static void on_begin(void *ctx, struct http_call *c)
{
    struct directory_service *s = ctx;
    if (strcmp(http_call_method(c), "POST") != 0) return;
    http_call_take_body(c, s->settings.upload_bytes + FORM_BYTES, _("the file is larger than max_upload allows"));
    bool is_push = !strchr(http_call_path(c) + strlen(PREFIX), '/'); /* (telephones post, too) */
    http_call_lane(c, is_push ? HTTP_LANE_BULK : HTTP_LANE_READ);
}

static void on_work(void *ctx, struct http_call *c)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct asking a = {.s = ctx, .call = c, .answer = http_call_answer(c), .arena = ARENA_INIT};
    a.desk = desk_take(&a.s->desks, &f);
    if (!a.desk) {
        say(&a, 503, _("the state cannot be read just now"));
        return;
    }
    serve(&a);
    arena_free(&a.arena);
    desk_give_back(&a.s->desks, a.desk);
}

void directory_route(struct directory_service *s, struct http_server *server)
{
    http_server_route(server,
                      &(const struct http_route){
                          .prefix = PREFIX, .methods = "GET HEAD POST", .ctx = s, .begin = on_begin, .work = on_work});
}
