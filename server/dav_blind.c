/* Cards written over by a client that did not look (carddav 9.2). Some programs PUT without a condition, so nothing
 * tells a correction of what the client has seen from one that undoes somebody else's. So what each client was given is
 * remembered: books up to a change number (in the state), single cards in a table that forgets. What is replaced goes
 * to the archive in any case; if the client cannot have seen it, a conflict that the client won is reported as well. */
#include "server/dav_impl.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "mapping/record.h"
#include "state/archive.h"
#include "state/runs.h"

#include <sodium.h>
#include <stdlib.h>

#define SEEN_MAX 8192 /* a power of two */
#define UNSEEN_RULE N_("a program wrote over it without having seen the change")
#define OPERATION_UPDATE 1 /* as enum write_kind, which is the connectors' */

struct seen {
    pthread_mutex_t mutex;
    struct hash_key key;
    struct sight {
        uint64_t what; /* of client and book or card */
        int64_t seq;
    } list[SEEN_MAX];
};

struct seen *seen_new(void)
{
    struct seen *s = mem_calloc(1, sizeof *s);
    pthread_mutex_init(&s->mutex, NULL);
    randombytes_buf(&s->key, sizeof s->key);
    return s;
}

void seen_free(struct seen *s)
{
    if (s) pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* -- who asks: the same user with the same program at the same address -- */

static void client_of(struct dav *d, char hex[DIGEST_HEX_BYTES])
{
    const char *agent = http_call_header(d->call, "User-Agent");
    struct digest digest;
    digest_init(&digest);
    digest_str(&digest, d->user.name);
    digest_str(&digest, str_of(agent ? agent : ""));
    digest_str(&digest, str_of(http_call_peer(d->call)));
    digest_hex(&digest, hex);
    hex[32] = '\0';
}

static uint64_t what_of(struct dav *d, struct str book_or_card)
{
    struct buf text AUTO_BUF = BUF_INIT;
    const char *agent = http_call_header(d->call, "User-Agent");
    buf_addf(&text, "%.*s\n%s\n%s\n%.*s", STR_ARG(d->user.name), agent ? agent : "", http_call_peer(d->call),
             STR_ARG(book_or_card));
    return hash_str(&d->service->seen->key, buf_str(&text));
}

/* -- what was seen -- */

static void see(struct dav *d, struct str what, int64_t seq)
{
    struct seen *s = d->service->seen;
    uint64_t hash = what_of(d, what);
    pthread_mutex_lock(&s->mutex);
    s->list[hash & (SEEN_MAX - 1)] = (struct sight){hash, seq};
    pthread_mutex_unlock(&s->mutex);
}

static int64_t last_seen(struct dav *d, struct str what)
{
    struct seen *s = d->service->seen;
    uint64_t hash = what_of(d, what);
    pthread_mutex_lock(&s->mutex);
    const struct sight *one = &s->list[hash & (SEEN_MAX - 1)];
    int64_t seq = one->what == hash ? one->seq : -1;
    pthread_mutex_unlock(&s->mutex);
    return seq;
}

void dav_seen_card(struct dav *d, const struct dav_collection *c, struct str record, int64_t seq)
{
    if (c->source == &dav_store) see(d, record, seq);
}

/* Written only when it moves: looking for changes costs no write. */
void dav_seen_upto(struct dav *d)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    char client[DIGEST_HEX_BYTES];
    if (!d->told || d->told->source != &dav_store || last_seen(d, d->told->key) == d->told_seq) return;
    see(d, d->told->key, d->told_seq);
    client_of(d, client);
    if (dav_client_seq(d->db, str_of(client), d->told->key) != d->told_seq)
        dav_client_set(d->db, str_of(client), d->told->key, d->told_seq, &f);
    db_check(d->db, &f); /* only the report of a conflict hangs on it */
}

static bool was_seen(struct dav *d, const struct dav_collection *c, const struct dav_card *old)
{
    char client[DIGEST_HEX_BYTES];
    if (last_seen(d, old->id) >= old->seq || last_seen(d, c->key) >= old->seq) return true;
    client_of(d, client);
    return dav_client_seq(d->db, str_of(client), c->key) >= old->seq;
}

/* -- what is lost -- */

static const struct element *same_key(const struct element *list, size_t n, uint64_t key)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].key == key) return &list[i];
    return NULL;
}

static bool has(const struct element *list, size_t n, const struct element *e)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].key == e->key && list[i].value == e->value) return true;
    return false;
}

static void add_conflict(struct dav *d, int64_t run, const struct dav_card *old, const struct element *lost,
                         const struct element *instead)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct buf field AUTO_BUF = BUF_INIT, a AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
    element_label(lost, &field);
    element_value(lost, &a);
    if (instead) element_value(instead, &b);
    const struct report_conflict c = {.id = old->id,
                                      .contact = old->title,
                                      .field = buf_str(&field),
                                      .a = buf_str(&a),
                                      .b = buf_str(&b),
                                      .winner = 1,
                                      .rule = str_of(UNSEEN_RULE)};
    runs_add_conflict(d->db, run, &c, NULL, &f);
}

static void add_conflicts(struct dav *d, int64_t run, const struct dav_card *old, struct str body)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    size_t n_was, n_is;
    struct record *was = record_parse(&scratch, RECORD_CONTACT, old->body, dav_key(d), &f),
                  *is = was ? record_parse(&scratch, RECORD_CONTACT, body, dav_key(d), &f) : NULL;
    if (!is) return;
    const struct element *before = record_elements(was, &n_was), *after = record_elements(is, &n_is);
    for (size_t i = 0; i < n_was; i++) {
        if (has(after, n_is, &before[i])) continue;
        bool one = before[i].field->arity != ARITY_SET;
        add_conflict(d, run, old, &before[i], one ? same_key(after, n_is, before[i].key) : NULL);
    }
}

static int64_t archive_old(struct dav *d, int64_t run, struct str link, const struct dav_card *old)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct archived a = {
        .run = run, .link = link, .id = old->id, .title = old->title, .reason = ARCHIVE_OVERWRITTEN, .body = old->body};
    if (!d->service->settings.history) return 0;
    archive_put(d->db, &a, &f);
    return a.no;
}

/* A run of its own, so that `runs`, `report`, `conflicts` and the digest show it. */
static void report_it(struct dav *d, const struct dav_collection *c, const struct dav_card *old, struct str body)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct str link = str_of(arena_printf(&d->arena, "dav:%.*s", STR_ARG(d->user.name)));
    const char *agent = http_call_header(d->call, "User-Agent");
    struct run_report r = {.link = link,
                           .trigger = STR("dav"),
                           .status = STR("done"),
                           .name_a = str_of(arena_printf(&d->arena, "contactbox:%.*s", STR_ARG(c->book.store_name))),
                           .name_b =
                               str_of(arena_printf(&d->arena, "%.*s (%.200s)", STR_ARG(link), agent ? agent : "?"))};
    runs_start(d->db, &r, &f);
    struct report_operation o = {
        .op = OPERATION_UPDATE, .side = 0, .title = old->title, .id = old->id, .rule = str_of(UNSEEN_RULE)};
    o.archived = archive_old(d, r.run, link, old);
    runs_add_operation(d->db, r.run, &o, &f);
    add_conflicts(d, r.run, old, body);
    r.counts[0].total = r.counts[0].updated = 1;
    runs_finish(d->db, &r, &f);
}

void dav_keep_loser(struct dav *d, const struct dav_collection *c, const struct dav_card *old, struct str body)
{
    if (str_eq(old->body, body)) return;
    if (was_seen(d, c, old))
        archive_old(d, 0, str_of(arena_printf(&d->arena, "dav:%.*s", STR_ARG(d->user.name))), old);
    else
        report_it(d, c, old, body);
}
