/* The store as a connector: what the contract of connectors/connector.h asks of it. */
#include "connectors/registry.h"
#include "state/store.h"
#include "tests/unit/state_fixture.h"

static const struct connector *const box = &connector_contactbox;

struct side {
    struct world world;
    struct account account;
    struct session *session;
    const struct collection *about;
};

static void side_start(struct side *s)
{
    struct book book;
    world_start(&s->world);
    s->account = (struct account){.name = "contactbox", .connector = "contactbox", .state = s->world.db};
    s->session = NULL;
    expect_ok(&s->world, book_add(s->world.db, STR("Kunden"), 0, &s->world.arena, &book, &s->world.fault));
    expect_ok(&s->world, box->open(&s->account, NULL, &s->world.env, &s->session, &s->world.fault));
    expect_ok(&s->world, box->select(s->session, book.id.p, &s->about, NULL, &s->world.fault));
}

static void side_end(struct side *s)
{
    box->close(s->session);
    world_end(&s->world);
}
#define AUTO_SIDE __attribute__((cleanup(side_end)))

/* Writes one thing; the version after it in the arena. */
static struct str do_write(struct side *s, enum write_kind kind, const char *id, const char *version, const char *body,
                           enum fault_code wanted)
{
    struct write w = {.kind = kind, .id = str_of(id), .version = str_of(version), .body = str_of(body), .title = STR("T"), .uid = str_of(id)};
    expect_ok(&s->world, box->write(s->session, &w, 1, NULL, NULL, &s->world.fault));
    cr_expect_eq(w.code, wanted, "%s: fault %s", id, fault_name(w.code));
    if (!w.code) cr_expect(w.kept);
    struct str after = arena_str(&s->world.arena, str_of(w.new_version));
    write_clear(&w);
    return after;
}

struct heard {
    char text[400];
    bool full;
    size_t stop_after, n;
};

static enum fault_code hear_begin(void *ctx, bool full)
{
    ((struct heard *)ctx)->full = full;
    return FAULT_NONE;
}

static enum fault_code hear(void *ctx, const struct entry *e)
{
    struct heard *h = ctx;
    size_t used = strlen(h->text);
    if (e->gone) cr_expect(!e->body.p && !e->version.p);
    snprintf(h->text + used, sizeof h->text - used, "%.*s%s%.*s%s%.*s ", STR_ARG(e->id), e->gone ? (e->by_person ? "--" : "-") : "@",
             STR_ARG(e->version), e->gone ? "" : "=", STR_ARG(e->body));
    return ++h->n == h->stop_after ? FAULT_CANCELLED : FAULT_NONE;
}

/* "f " (full) or "i " and the entries; the new token in *token, in the arena. */
static const char *changes(struct side *s, const char *token, bool list, const char **next)
{
    struct heard h = {.n = 0};
    const struct sink sink = {&h, hear_begin, hear};
    struct changes out;
    expect_ok(&s->world, box->changes(s->session, token, list, &sink, &out, &s->world.fault));
    cr_expect(out.complete && out.full == h.full);
    if (next) *next = arena_strdup(&s->world.arena, str_of(out.token));
    free(out.token);
    return arena_printf(&s->world.arena, "%s%s", h.full ? "f " : "i ", h.text);
}

static void delete_by_person(struct side *s, const char *id)
{
    const struct store_write w = {.id = str_of(id)};
    expect_ok(&s->world, store_delete(s->world.db, &w, true, NULL, &s->world.fault));
}

Test(contactbox, discovers_books)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    struct collections all;
    expect_ok(&s.world, box->discover(s.session, &all, &s.world.fault));
    cr_assert_eq(all.n, 1u);
    cr_expect_str_eq(all.items[0].name, "Kunden");
    cr_expect_str_eq(all.items[0].path, s.about->path);
    cr_expect(all.items[0].records == 1 && !all.items[0].read_only);
    collections_free(&all);
    struct buf identity AUTO_BUF = BUF_INIT;
    expect_ok(&s.world, box->select(s.session, s.about->path, &s.about, &identity, &s.world.fault));
    cr_expect_str_eq(buf_cstr(&identity), arena_printf(&s.world.arena, "contactbox:%s", s.about->path));
    expect_fault(&s.world, box->select(s.session, "nope", &s.about, NULL, &s.world.fault), FAULT_NO_COLLECTION, "no book \"nope\"");
}

Test(contactbox, tells_what_changed_since_a_token)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    const char *token, *next;
    cr_expect_str_eq(changes(&s, NULL, false, &token), "f ");
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    do_write(&s, WRITE_CREATE, "b", NULL, "1", FAULT_NONE);
    do_write(&s, WRITE_CREATE, "c", NULL, "1", FAULT_NONE);
    cr_expect_str_eq(changes(&s, token, false, &token), "i a@1=1 b@2=1 c@3=1 ");
    do_write(&s, WRITE_UPDATE, "a", "1", "2", FAULT_NONE);
    do_write(&s, WRITE_DELETE, "b", NULL, NULL, FAULT_NONE);
    delete_by_person(&s, "c");
    cr_expect_str_eq(changes(&s, token, false, &next), "i a@4=2 b- c-- ");
    cr_expect_str_eq(changes(&s, next, false, NULL), "i ");
    static const char *const useless[] = {"", "x", "-1", "7", "99999999999999999999", NULL};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
        cr_expect_str_eq(changes(&s, useless[i], false, NULL), "f a@4=2 c-- ", "token %s", useless[i] ? useless[i] : "none");
    cr_expect_str_eq(changes(&s, next, true, NULL), "f a@4=2 c-- ");
    int64_t n;
    expect_ok(&s.world, store_purge(s.world.db, s.world.now_ms + 1, &n, &s.world.fault));
    cr_expect_str_eq(changes(&s, token, false, NULL), "f a@4=2 ", "deletions since that token were purged");
    cr_expect_str_eq(changes(&s, next, false, NULL), "i ");
}

Test(contactbox, a_sink_that_stops_ends_the_call)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    do_write(&s, WRITE_CREATE, "b", NULL, "1", FAULT_NONE);
    struct heard h = {.stop_after = 1};
    const struct sink sink = {&h, hear_begin, hear};
    struct changes out;
    cr_expect_eq(box->changes(s.session, NULL, false, &sink, &out, &s.world.fault), FAULT_CANCELLED);
    cr_expect(h.n == 1 && !out.complete && !out.token);
}

Test(contactbox, a_book_that_went_is_no_empty_book)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    struct heard h = {.n = 0};
    const struct sink sink = {&h, hear_begin, hear};
    struct changes out;
    expect_ok(&s.world, book_remove(s.world.db, str_of(s.about->path), &s.world.fault));
    expect_fault(&s.world, box->changes(s.session, NULL, false, &sink, &out, &s.world.fault), FAULT_NO_COLLECTION, "not there any more");
    cr_expect_not(out.complete);
}

Test(contactbox, fetches_by_id)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    struct book other;
    expect_ok(&s.world, book_add(s.world.db, STR("Andere"), 0, &s.world.arena, &other, &s.world.fault));
    const struct store_write w = {.id = STR("x"), .book = other.id, .body = STR("1")};
    expect_ok(&s.world, store_create(s.world.db, &w, NULL, NULL, &s.world.fault));
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    do_write(&s, WRITE_CREATE, "b", NULL, "1", FAULT_NONE);
    delete_by_person(&s, "b");
    const struct str ids[] = {STR("b"), STR("a"), STR("x"), STR("none")};
    struct heard h = {.n = 0};
    const struct sink sink = {&h, NULL, hear};
    expect_ok(&s.world, box->fetch(s.session, ids, 4, &sink, &s.world.fault));
    cr_expect_str_eq(h.text, "b-- a@1=1 x- none- ");
}

Test(contactbox, preconditions)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    expect_str(do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE), "1");
    do_write(&s, WRITE_CREATE, "a", NULL, "2", FAULT_EXISTS);
    do_write(&s, WRITE_UPDATE, "a", "9", "2", FAULT_CHANGED);
    do_write(&s, WRITE_UPDATE, "a", "\"etag\"", "2", FAULT_CHANGED);
    do_write(&s, WRITE_UPDATE, "none", "1", "2", FAULT_GONE);
    do_write(&s, WRITE_DELETE, "a", "9", NULL, FAULT_CHANGED);
    expect_str(do_write(&s, WRITE_UPDATE, "a", "1", "2", FAULT_NONE), "2");
    expect_str(do_write(&s, WRITE_UPDATE, "a", "2", "2", FAULT_NONE), "2");
    expect_str(do_write(&s, WRITE_UPDATE, "a", NULL, "3", FAULT_NONE), "3");
    do_write(&s, WRITE_DELETE, "a", "3", NULL, FAULT_NONE);
    do_write(&s, WRITE_DELETE, "a", "3", NULL, FAULT_GONE);
}

Test(contactbox, token_after_own_writes)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    const char *token;
    changes(&s, NULL, false, &token);
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    do_write(&s, WRITE_UPDATE, "a", "1", "2", FAULT_NONE);
    do_write(&s, WRITE_UPDATE, "a", "2", "2", FAULT_NONE); /* changes nothing */
    char *after = box->token_after(s.session, token, 3);
    cr_expect_str_eq(after, "2");
    free(after);
    cr_expect_null(box->token_after(s.session, token, 2), "one of ours was taken back");
    cr_expect_null(box->token_after(s.session, "1", 3));
    delete_by_person(&s, "a");
    cr_expect_null(box->token_after(s.session, token, 3), "somebody else wrote");
}

Test(contactbox, writes_go_with_the_transaction_around_them)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    const char *token;
    changes(&s, NULL, false, &token);
    expect_ok(&s.world, db_begin(s.world.db, &s.world.fault));
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    db_rollback(s.world.db);
    cr_expect_eq(store_count(s.world.db, str_of(s.about->path)), 0);
    do_write(&s, WRITE_CREATE, "a", NULL, "1", FAULT_NONE);
    cr_expect_null(box->token_after(s.session, token, 1));
}

Test(contactbox, describes_what_it_stores)
{
    struct side s AUTO_SIDE;
    side_start(&s);
    struct write w[] = {{.kind = WRITE_CREATE, .id = STR("a"), .body = STR("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-1\r\nFN:Lale Özdemir\r\nN:Özdemir;Lale;;;\r\nEND:VCARD\r\n")},
                        {.kind = WRITE_CREATE, .id = STR("b"), .body = STR("no card at all"), .uid = STR("given")}};
    expect_ok(&s.world, box->write(s.session, w, 2, NULL, NULL, &s.world.fault));
    struct store_record r;
    cr_assert(store_get(s.world.db, STR("a"), &s.world.arena, &r));
    expect_str(r.uid, "u-1");
    expect_str(r.title, "Özdemir, Lale");
    expect_str(r.origin, "sync");
    cr_assert(store_get(s.world.db, STR("b"), &s.world.arena, &r));
    expect_str(r.uid, "given");
    expect_str(r.title, "(unreadable)");
    expect_str(r.body, "no card at all");
    for (int i = 0; i < 2; i++) write_clear(&w[i]);
    char *id = box->new_id(s.session);
    cr_expect_eq(strlen(id), 36u);
    free(id);
}
