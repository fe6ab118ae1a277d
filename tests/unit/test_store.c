/* The Contactbox: change numbers, tombstones, restoring, resolving what a person calls a record. */
#include "state/store.h"
#include "tests/unit/state_fixture.h"

struct shop {
    struct world world;
    struct book book;
};

static void shop_start(struct shop *s)
{
    world_start(&s->world);
    expect_ok(&s->world, book_add(s->world.db, STR("Kunden"), 0, &s->world.arena, &s->book, &s->world.fault));
}

static void shop_end(struct shop *s)
{
    world_end(&s->world);
}
#define AUTO_SHOP __attribute__((cleanup(shop_end)))

static struct str make(struct shop *s, const char *title, const char *uid, const char *body)
{
    struct world *w = &s->world;
    const struct store_write sw = {.book = s->book.id, .title = str_of(title), .uid = str_of(uid), .body = str_of(body), .origin = STR("command")};
    char id[UUID_TEXT_BYTES];
    w->now_ms++;
    expect_ok(w, store_create(w->db, &sw, id, NULL, &w->fault));
    return arena_str(&w->arena, str_of(id));
}

static struct store_record get(struct shop *s, struct str id)
{
    struct store_record r;
    cr_assert(store_get(s->world.db, id, &s->world.arena, &r));
    return r;
}

Test(store, record_comes_back_byte_for_byte)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    const char body[] = "BEGIN:VCARD\r\nN:\303\226;\0;\377\r\n";
    const struct store_write w = {.id = STR("0193-my-own"), .book = s.book.id, .uid = STR("u"), .title = STR("Ö"), .body = {body, sizeof body},
                                  .origin = STR("dav:anna"), .kind = 1};
    int64_t seq;
    char id[UUID_TEXT_BYTES];
    expect_ok(&s.world, store_create(s.world.db, &w, id, &seq, &s.world.fault));
    cr_expect_str_eq(id, "0193-my-own");
    struct store_record r = get(&s, w.id);
    cr_expect(str_eq(r.body, w.body));
    cr_expect(str_eq(r.book, s.book.id));
    expect_str(r.uid, "u");
    expect_str(r.title, "Ö");
    expect_str(r.origin, "dav:anna");
    cr_expect(r.kind == 1 && r.seq == seq && !r.deleted && r.created_ms == s.world.now_ms && r.changed_ms == s.world.now_ms);
    expect_fault(&s.world, store_create(s.world.db, &w, id, &seq, &s.world.fault), FAULT_EXISTS, "there already");
    cr_expect_eq(store_count(s.world.db, s.book.id), 1);
    cr_expect_eq(store_seq(s.world.db, s.book.id), 1, "a refused write raises nothing");
}

Test(store, every_change_raises_the_number_by_one)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct str id = make(&s, "A", "u", "1");
    int64_t seq;
    struct store_write sw = {.id = id, .title = STR("A"), .uid = STR("u"), .body = STR("2"), .origin = STR("sync")};
    expect_ok(w, store_update(w->db, &sw, &seq, &w->fault));
    cr_expect_eq(seq, 2);
    expect_ok(w, store_update(w->db, &sw, &seq, &w->fault));
    cr_expect_eq(seq, 2, "the same bytes are no change");
    sw.title = STR("B");
    expect_ok(w, store_update(w->db, &sw, &seq, &w->fault));
    cr_expect_eq(seq, 3, "another title is");
    expect_ok(w, store_delete(w->db, &sw, true, &seq, &w->fault));
    cr_expect_eq(seq, 4);
    expect_ok(w, store_restore(w->db, id, STR("command"), &seq, &w->fault));
    cr_expect_eq(seq, 5);
    cr_expect_eq(store_seq(w->db, s.book.id), 5);
    cr_expect_eq(store_seq(w->db, STR("no such book")), -1);
}

Test(store, precondition_is_honoured)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct str id = make(&s, "A", "u", "1");
    struct store_write sw = {.id = id, .body = STR("2"), .expected_seq = 9};
    expect_fault(w, store_update(w->db, &sw, NULL, &w->fault), FAULT_CHANGED, "changed meanwhile");
    expect_fault(w, store_delete(w->db, &sw, false, NULL, &w->fault), FAULT_CHANGED, "changed meanwhile");
    expect_str(get(&s, id).body, "1");
    sw.expected_seq = 1;
    expect_ok(w, store_update(w->db, &sw, NULL, &w->fault));
    sw.expected_seq = 2;
    expect_ok(w, store_delete(w->db, &sw, false, NULL, &w->fault));
    expect_fault(w, store_delete(w->db, &sw, false, NULL, &w->fault), FAULT_GONE, "not there any more");
    expect_fault(w, store_update(w->db, &sw, NULL, &w->fault), FAULT_GONE, "not there any more");
    sw.id = STR("nobody");
    expect_fault(w, store_update(w->db, &sw, NULL, &w->fault), FAULT_GONE, "not there any more");
    expect_ok(w, db_check(w->db, &w->fault));
}

Test(store, tombstone_keeps_the_last_body)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct str id = make(&s, "A", "u", "body");
    const struct store_write sw = {.id = id, .origin = STR("command")};
    expect_ok(w, store_delete(w->db, &sw, true, NULL, &w->fault));
    struct store_record r = get(&s, id);
    cr_expect(r.deleted && r.by_person);
    expect_str(r.body, "body");
    expect_str(r.uid, "u");
    cr_expect_eq(store_count(w->db, s.book.id), 0);
    cr_expect_not(store_find_uid(w->db, s.book.id, STR("u"), &w->arena, &r));
    expect_ok(w, store_restore(w->db, id, STR("command"), NULL, &w->fault));
    r = get(&s, id);
    cr_expect(!r.deleted && !r.by_person);
    expect_str(r.body, "body");
    cr_expect(store_find_uid(w->db, s.book.id, STR("u"), &w->arena, &r));
    expect_fault(w, store_restore(w->db, id, STR("command"), NULL, &w->fault), FAULT_GONE, "no deleted record");
    cr_expect_eq(store_count(w->db, s.book.id), 1);
}

Test(store, create_on_a_tombstone_revives_it)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct str id = make(&s, "A", "u", "old");
    int64_t made = get(&s, id).created_ms;
    struct store_write sw = {.id = id, .book = s.book.id, .body = STR("new"), .title = STR("N")};
    expect_ok(w, store_delete(w->db, &sw, true, NULL, &w->fault));
    expect_ok(w, store_create(w->db, &sw, NULL, NULL, &w->fault));
    struct store_record r = get(&s, id);
    cr_expect(!r.deleted && !r.by_person && r.created_ms == made && r.seq == 3);
    expect_str(r.body, "new");
}

Test(store, two_records_may_share_a_uid)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct str first = make(&s, "A", "u", "1");
    make(&s, "B", "u", "2");
    struct store_record r;
    cr_assert(store_find_uid(s.world.db, s.book.id, STR("u"), &s.world.arena, &r));
    cr_expect(str_eq(r.id, first));
}

struct seen {
    char text[400];
    size_t stop_after, n;
};

static bool see(void *ctx, const struct store_record *r)
{
    struct seen *s = ctx;
    size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used, "%.*s%s ", STR_ARG(r->title), r->deleted ? "-" : "");
    return ++s->n != s->stop_after;
}

Test(store, changes_since_a_number)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct str a = make(&s, "A", "a", "1"), b = make(&s, "B", "b", "1");
    make(&s, "C", "c", "1");
    struct store_write sw = {.id = b};
    expect_ok(w, store_delete(w->db, &sw, false, NULL, &w->fault));
    sw = (struct store_write){.id = a, .title = STR("A2"), .body = STR("2")};
    expect_ok(w, store_update(w->db, &sw, NULL, &w->fault));
    static const struct {
        int64_t since;
        const char *wanted;
    } rows[] = {{0, "C B- A2 "}, {2, "C B- A2 "}, {3, "B- A2 "}, {4, "A2 "}, {5, ""}, {99, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {0};
        expect_ok(w, store_changes(w->db, s.book.id, rows[i].since, see, &seen, &w->fault));
        cr_expect_str_eq(seen.text, rows[i].wanted, "since %lld", (long long)rows[i].since);
    }
    struct seen living = {0}, one = {.stop_after = 1}, deleted = {0};
    expect_ok(w, store_each(w->db, s.book.id, see, &living, &w->fault));
    cr_expect_str_eq(living.text, "C A2 ");
    expect_ok(w, store_each(w->db, s.book.id, see, &one, &w->fault));
    cr_expect_str_eq(one.text, "C ");
    expect_ok(w, store_list(w->db, s.book.id, STR_NONE, true, see, &deleted, &w->fault));
    cr_expect_str_eq(deleted.text, "B- ");
}

Test(store, list_searches_folded_words)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    make(&s, "Müller, Jörg", "1", "TEL:0171");
    make(&s, "Meier, Anna", "2", "EMAIL:Anna@Example.org");
    static const struct {
        const char *search, *wanted;
    } rows[] = {{"", "Meier, Anna Müller, Jörg "}, {"MÜLLER", "Müller, Jörg "}, {"anna meier", "Meier, Anna "}, {"anna müller", ""},
                {"example.ORG", "Meier, Anna "},   {"0171 jörg", "Müller, Jörg "},  {"  ", "Meier, Anna Müller, Jörg "}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {0};
        expect_ok(&s.world, store_list(s.world.db, s.book.id, str_of(rows[i].search), false, see, &seen, &s.world.fault));
        cr_expect_str_eq(seen.text, rows[i].wanted, "search \"%s\"", rows[i].search);
    }
}

Test(store, resolve_by_id_prefix_or_title)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    const struct store_write one = {.id = STR("aaaa-1111"), .book = s.book.id, .title = STR("Anna")};
    const struct store_write two = {.id = STR("aaaa-2222"), .book = s.book.id, .title = STR("Anna")};
    const struct store_write three = {.id = STR("bbbb-3333"), .book = s.book.id, .title = STR("Bernd")};
    const struct store_write *all[] = {&one, &two, &three};
    for (int i = 0; i < 3; i++) expect_ok(w, store_create(w->db, all[i], NULL, NULL, &w->fault));
    static const struct {
        const char *handle, *id;
    } rows[] = {{"aaaa-1", "aaaa-1111"}, {"bbbb", "bbbb-3333"}, {"bbb", NULL}, {"aaaa", NULL}, {"Anna", NULL}, {"Bernd", "bbbb-3333"},
                {"bernd", NULL},         {"", NULL},            {"%", NULL},   {"aaaa-1111", "aaaa-1111"}};
    struct store_record r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum fault_code code = store_resolve(w->db, STR_NONE, str_of(rows[i].handle), false, &w->arena, &r, &w->fault);
        cr_expect_eq(code, rows[i].id ? FAULT_NONE : FAULT_USAGE, "handle %s", rows[i].handle);
        if (!code) expect_str(r.id, rows[i].id);
        fault_clear(&w->fault);
    }
    expect_fault(w, store_resolve(w->db, STR("another"), STR("Bernd"), false, &w->arena, &r, &w->fault), FAULT_USAGE, "no record");
    expect_ok(w, store_delete(w->db, &three, true, NULL, &w->fault));
    expect_fault(w, store_resolve(w->db, STR_NONE, STR("Bernd"), false, &w->arena, &r, &w->fault), FAULT_USAGE, "no record");
    expect_ok(w, store_resolve(w->db, STR_NONE, STR("Bernd"), true, &w->arena, &r, &w->fault));
}

Test(store, wipe_leaves_tombstones_of_no_person)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    expect_ok(w, db_begin(w->db, &w->fault));
    struct str id = STR_NONE;
    for (int i = 0; i < 1100; i++) id = make(&s, "A", "a", "1");
    int64_t n = 0;
    expect_ok(w, store_wipe(w->db, s.book.id, STR("sync"), &n, &w->fault));
    expect_ok(w, db_commit(w->db, &w->fault));
    cr_expect_eq(n, 1100);
    cr_expect_eq(store_count(w->db, s.book.id), 0);
    struct store_record r = get(&s, id);
    cr_expect(r.deleted && !r.by_person);
}

Test(store, purge_raises_the_floor)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct str a = make(&s, "A", "a", "1"), b = make(&s, "B", "b", "1");
    struct store_write sw = {.id = a};
    expect_ok(w, store_delete(w->db, &sw, false, NULL, &w->fault));
    int64_t between = w->now_ms += 1000, n;
    w->now_ms += 1000;
    sw.id = b;
    expect_ok(w, store_delete(w->db, &sw, false, NULL, &w->fault));
    expect_ok(w, store_purge(w->db, 0, &n, &w->fault));
    cr_expect(n == 0 && store_floor(w->db, s.book.id) == 0);
    expect_ok(w, store_purge(w->db, between, &n, &w->fault));
    cr_expect_eq(n, 1);
    cr_expect_eq(store_floor(w->db, s.book.id), 3);
    struct store_record r;
    cr_expect_not(store_get(w->db, a, &w->arena, &r));
    cr_expect(store_get(w->db, b, &w->arena, &r));
    expect_ok(w, store_purge(w->db, between, &n, &w->fault));
    cr_expect_eq(store_floor(w->db, s.book.id), 3);
}

Test(book, names_are_unique_and_ids_stay)
{
    struct shop s AUTO_SHOP;
    shop_start(&s);
    struct world *w = &s.world;
    struct book other, found;
    expect_fault(w, book_add(w->db, STR("Kunden"), 0, &w->arena, &other, &w->fault), FAULT_EXISTS, "a book \"Kunden\" already");
    expect_fault(w, book_add(w->db, STR(""), 0, &w->arena, &other, &w->fault), FAULT_USAGE, "needs a name");
    expect_ok(w, book_add(w->db, STR("Andere"), 1, &w->arena, &other, &w->fault));
    expect_fault(w, book_rename(w->db, other.id, STR("Kunden"), &w->fault), FAULT_EXISTS, "already");
    expect_ok(w, book_rename(w->db, other.id, STR("Termine"), &w->fault));
    expect_ok(w, book_rename(w->db, other.id, STR("Termine"), &w->fault));
    cr_assert(book_find(w->db, STR("Termine"), &w->arena, &found));
    cr_expect(str_eq(found.id, other.id) && found.kind == 1);
    cr_assert(book_find(w->db, other.id, &w->arena, &found));
    make(&s, "A", "a", "1");
    expect_ok(w, book_remove(w->db, s.book.id, &w->fault));
    cr_expect_not(book_find(w->db, STR("Kunden"), &w->arena, &found));
    expect_fault(w, book_remove(w->db, s.book.id, &w->fault), FAULT_NO_COLLECTION, "there is no book");
    expect_fault(w, book_rename(w->db, s.book.id, STR("X"), &w->fault), FAULT_NO_COLLECTION, "there is no book");
    const struct store_write sw = {.book = s.book.id, .body = STR("x")};
    expect_fault(w, store_create(w->db, &sw, NULL, NULL, &w->fault), FAULT_NO_COLLECTION, "book is not there");
}
