/* What hangs on records: follow-ups, attachments, relations; and that nothing of it is lost or doubled when records come and go. */
#include "state/attached.h"
#include "state/attachment.h"
#include "state/followup.h"
#include "state/relation.h"
#include "state/store.h"
#include "tests/unit/state_fixture.h"

struct desk {
    struct world world;
    struct book book;
    struct str anna, firm;
};

static struct str make(struct desk *d, const char *title)
{
    struct world *w = &d->world;
    const struct store_write sw = {.book = d->book.id, .title = str_of(title), .uid = str_of(title), .body = STR("card")};
    char id[UUID_TEXT_BYTES];
    expect_ok(w, store_create(w->db, &sw, id, NULL, &w->fault));
    return arena_str(&w->arena, str_of(id));
}

static void desk_start(struct desk *d)
{
    struct world *w = &d->world;
    world_start(w);
    expect_ok(w, book_add(w->db, STR("Kunden"), 0, &w->arena, &d->book, &w->fault));
    d->anna = make(d, "Anna");
    d->firm = make(d, "Firma");
}

static void desk_end(struct desk *d)
{
    world_end(&d->world);
}
#define AUTO_DESK __attribute__((cleanup(desk_end)))

static void delete(struct desk *d, struct str id)
{
    const struct store_write sw = {.id = id};
    expect_ok(&d->world, store_delete(d->world.db, &sw, true, NULL, &d->world.fault));
}

static void purge(struct desk *d)
{
    d->world.now_ms += 1000;
    expect_ok(&d->world, store_purge(d->world.db, d->world.now_ms, NULL, &d->world.fault));
}

/* -- follow-ups -- */

static int64_t remind(struct desk *d, struct str id, const char *contact, const char *due, const char *text)
{
    int64_t no = 0;
    expect_ok(&d->world, followup_add(d->world.db, id, str_of(contact), str_of(due), str_of(text), &no, &d->world.fault));
    return no;
}

static bool join(void *ctx, const struct followup *f)
{
    static const char marks[] = {[FOLLOWUP_LIVING] = ' ', [FOLLOWUP_DELETED] = 'd', [FOLLOWUP_UNASSIGNED] = 'u'};
    struct buf *out = ctx;
    buf_addf(out, "%.*s %.*s%c%s|", STR_ARG(f->contact), STR_ARG(f->text), marks[f->place], f->done_ms ? "x" : "");
    return true;
}

static void expect_followups(struct desk *d, const struct followup_filter *filter, const char *wanted)
{
    struct buf got AUTO_BUF = BUF_INIT;
    expect_ok(&d->world, followup_list(d->world.db, filter, join, &got, &d->world.fault));
    cr_expect_str_eq(buf_cstr(&got), wanted);
}

Test(attached, followups_by_day_and_by_filter)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    remind(&d, d.anna, "Anna", "2026-12-03", "late");
    int64_t call = remind(&d, d.firm, "Firma", "2026-12-01", "call");
    remind(&d, d.anna, "Anna", "2026-12-02", "write");
    expect_followups(&d, &(struct followup_filter){0}, "Firma call |Anna write |Anna late |");
    expect_followups(&d, &(struct followup_filter){.record = d.anna}, "Anna write |Anna late |");
    expect_followups(&d, &(struct followup_filter){.book = d.book.id}, "Firma call |Anna write |Anna late |");
    expect_followups(&d, &(struct followup_filter){.book = STR("another")}, "");
    expect_followups(&d, &(struct followup_filter){.due_before = STR("2026-12-02")}, "Firma call |");
    expect_ok(&d.world, followup_done(d.world.db, call, &d.world.fault));
    int64_t first = d.world.now_ms++;
    expect_ok(&d.world, followup_done(d.world.db, call, &d.world.fault));
    struct followup f;
    cr_assert(followup_get(d.world.db, call, &d.world.arena, &f));
    cr_expect_eq(f.done_ms, first, "done twice: the first time stays");
    expect_followups(&d, &(struct followup_filter){0}, "Anna write |Anna late |");
    expect_followups(&d, &(struct followup_filter){.done = true, .record = d.firm}, "Firma call x|");
    cr_expect_not(followup_get(d.world.db, 4711, &d.world.arena, &f));
}

Test(attached, followups_wait_for_a_deleted_record_and_outlive_a_purged_one)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    int64_t no = remind(&d, d.anna, "Anna", "2026-12-01", "call");
    delete(&d, d.anna);
    expect_followups(&d, &(struct followup_filter){0}, "Anna calld|");
    expect_ok(&d.world, store_restore(d.world.db, d.anna, STR("command"), NULL, &d.world.fault));
    expect_followups(&d, &(struct followup_filter){0}, "Anna call |");
    expect_followups(&d, &(struct followup_filter){.unassigned = true}, "");
    delete(&d, d.anna);
    purge(&d);
    expect_followups(&d, &(struct followup_filter){.unassigned = true}, "Anna callu|");
    expect_ok(&d.world, followup_assign(d.world.db, no, d.firm, STR("Firma"), &d.world.fault));
    expect_followups(&d, &(struct followup_filter){.record = d.firm}, "Firma call |");
    expect_ok(&d.world, book_remove(d.world.db, d.book.id, &d.world.fault));
    expect_followups(&d, &(struct followup_filter){0}, "Firma callu|");
}

/* -- attachments -- */

struct file {
    size_t left;
    char fill;
};

static enum fault_code read_file(void *ctx, char *out, size_t cap, size_t *n, struct fault *f)
{
    (void)f;
    struct file *file = ctx;
    *n = file->left < cap ? file->left : cap;
    if (*n > 1000) *n -= 7; /* odd pieces */
    memset(out, file->fill, *n);
    file->left -= *n;
    return FAULT_NONE;
}

static enum fault_code fail_late(void *ctx, char *out, size_t cap, size_t *n, struct fault *f)
{
    int *calls = ctx;
    *n = cap;
    memset(out, 'x', cap);
    return (*calls)++ < 2 ? FAULT_NONE : fault_set(f, FAULT_CONFIG, NULL, "disk gone");
}

static int64_t attach(struct desk *d, struct str id, const char *name, size_t size_bytes, char fill)
{
    struct file file = {size_bytes, fill};
    const struct attachment about = {.record = id, .name = str_of(name), .media_type = STR("text/plain")};
    int64_t no = 0;
    expect_ok(&d->world, attachment_add(d->world.db, &about, 4 << 20, read_file, &file, &no, &d->world.fault));
    return no;
}

static bool measure(void *ctx, struct str bytes)
{
    struct file *seen = ctx;
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != seen->fill) return false;
    seen->left += bytes.n;
    return true;
}

static size_t read_back(struct desk *d, int64_t no, char fill)
{
    struct file seen = {0, fill};
    expect_ok(&d->world, attachment_read(d->world.db, no, measure, &seen, &d->world.fault));
    return seen.left;
}

static size_t attached(struct desk *d, struct str id, bool detached)
{
    struct attachment *list;
    return attachment_list(d->world.db, id, detached, &d->world.arena, &list);
}

Test(attached, attachments_come_back_byte_for_byte_and_are_kept_once)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    int64_t big = attach(&d, d.anna, "big", 1000000, 'a'), empty = attach(&d, d.anna, "empty", 0, 'a');
    int64_t twin = attach(&d, d.firm, "twin", 1000000, 'a');
    struct attachment a, b;
    cr_assert(attachment_get(d.world.db, big, &d.world.arena, &a));
    cr_assert(attachment_get(d.world.db, twin, &d.world.arena, &b));
    cr_expect(a.size_bytes == 1000000 && str_eq(a.hash, b.hash) && a.hash.n == 64);
    expect_str(a.media_type, "text/plain");
    cr_expect_eq(read_back(&d, big, 'a'), 1000000);
    cr_expect_eq(read_back(&d, empty, 'a'), 0);
    cr_expect_eq(attach(&d, d.anna, "big", 1000000, 'a'), big, "the same file again is no second attachment");
    cr_expect_neq(attach(&d, d.anna, "big", 1000000, 'b'), big);
    cr_expect_eq(attached(&d, d.anna, false), 3);
    delete(&d, d.anna);
    purge(&d);
    cr_expect_eq(attached(&d, d.anna, true), 0);
    cr_expect_eq(read_back(&d, twin, 'a'), 1000000, "the other contact's copy stays");
}

Test(attached, a_failed_or_too_large_attachment_leaves_nothing)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    struct world *w = &d.world;
    const struct attachment about = {.record = d.anna, .name = STR("x"), .media_type = STR("text/plain")};
    struct file file = {2000, 'x'};
    int64_t no;
    expect_fault(w, attachment_add(w->db, &about, 1999, read_file, &file, &no, &w->fault), FAULT_TOO_LARGE, "larger");
    int calls = 0;
    expect_fault(w, attachment_add(w->db, &about, 4 << 20, fail_late, &calls, &no, &w->fault), FAULT_CONFIG, "disk gone");
    cr_expect_eq(attached(&d, d.anna, true), 0);
    file.left = 1999;
    expect_ok(w, attachment_add(w->db, &about, 1999, read_file, &file, &no, &w->fault));
}

Test(attached, detached_ones_can_be_taken_back_until_purged)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    int64_t no = attach(&d, d.anna, "x", 10, 'x');
    expect_ok(&d.world, attachment_detach(d.world.db, no, true, &d.world.fault));
    cr_expect(attached(&d, d.anna, false) == 0 && attached(&d, d.anna, true) == 1);
    cr_expect_eq(attach(&d, d.anna, "x", 10, 'x'), no, "the same file again takes it back");
    cr_expect_eq(attached(&d, d.anna, false), 1);
    expect_ok(&d.world, attachment_detach(d.world.db, no, true, &d.world.fault));
    purge(&d);
    cr_expect_eq(attached(&d, d.anna, true), 0);
}

/* -- relations -- */

static const struct relation_kind *kind(const char *name)
{
    return relation_kind_named(str_of(name));
}

static void expect_relations(struct desk *d, struct str id, const char *wanted)
{
    struct buf got AUTO_BUF = BUF_INIT;
    struct relation *list;
    size_t n = relation_list(d->world.db, id, &d->world.arena, &list);
    for (size_t i = 0; i < n; i++) buf_addf(&got, "%s %.*s|", list[i].kind->name, STR_ARG(list[i].title));
    cr_expect_str_eq(buf_cstr(&got), wanted);
}

Test(attached, every_kind_of_relation_has_an_inverse)
{
    for (const struct relation_kind *k = relation_kinds(); k->name; k++) {
        const struct relation_kind *inverse = kind(k->inverse);
        cr_assert(inverse, "%s", k->name);
        cr_expect_str_eq(inverse->inverse, k->name);
    }
}

Test(attached, a_relation_is_one_seen_from_both_ends)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    struct world *w = &d.world;
    expect_ok(w, relation_add(w->db, d.anna, kind("employer"), d.firm, &w->fault));
    expect_ok(w, relation_add(w->db, d.firm, kind("employee"), d.anna, &w->fault));
    expect_ok(w, relation_add(w->db, d.anna, kind("friend"), d.firm, &w->fault));
    expect_ok(w, relation_add(w->db, d.firm, kind("friend"), d.anna, &w->fault));
    expect_relations(&d, d.anna, "employer Firma|friend Firma|");
    expect_relations(&d, d.firm, "employee Anna|friend Anna|");
    expect_ok(w, relation_remove(w->db, d.firm, kind("employee"), d.anna, &w->fault));
    expect_ok(w, relation_remove(w->db, d.firm, kind("friend"), d.anna, &w->fault));
    expect_relations(&d, d.anna, "");
    expect_fault(w, relation_remove(w->db, d.firm, kind("friend"), d.anna, &w->fault), FAULT_USAGE, "no such link");
    expect_fault(w, relation_add(w->db, d.anna, kind("friend"), d.anna, &w->fault), FAULT_USAGE, "itself");
}

Test(attached, relations_wait_for_a_deleted_record)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    expect_ok(&d.world, relation_add(d.world.db, d.anna, kind("spouse"), d.firm, &d.world.fault));
    delete(&d, d.firm);
    expect_relations(&d, d.anna, "");
    expect_ok(&d.world, store_restore(d.world.db, d.firm, STR("command"), NULL, &d.world.fault));
    expect_relations(&d, d.anna, "spouse Firma|");
    delete(&d, d.firm);
    purge(&d);
    cr_expect_eq(make(&d, "Neu").n, 36);
    expect_relations(&d, d.anna, "");
}

/* -- all at once -- */

Test(attached, everything_moves_to_another_record_and_nothing_is_doubled)
{
    struct desk d AUTO_DESK;
    desk_start(&d);
    struct world *w = &d.world;
    struct str anew = make(&d, "Anna neu");
    remind(&d, d.anna, "Anna", "2026-12-01", "call");
    attach(&d, d.anna, "x", 10, 'x');
    expect_ok(w, relation_add(w->db, d.anna, kind("employer"), d.firm, &w->fault));
    expect_ok(w, relation_add(w->db, anew, kind("employer"), d.firm, &w->fault));
    expect_ok(w, relation_add(w->db, d.anna, kind("friend"), d.firm, &w->fault));
    expect_ok(w, relation_add(w->db, anew, kind("related"), d.anna, &w->fault));
    expect_ok(w, attached_move(w->db, d.anna, anew, &w->fault));
    expect_followups(&d, &(struct followup_filter){.record = anew}, "Anna neu call |");
    cr_expect_eq(attached(&d, anew, false), 1);
    expect_relations(&d, anew, "employer Firma|friend Firma|");
    expect_relations(&d, d.firm, "employee Anna neu|friend Anna neu|");
    expect_relations(&d, d.anna, "");
}
