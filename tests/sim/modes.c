/* The mode table (tests/modes/table.txt) in the simulator's world: the real store and a made server without faults. */
#include "tests/sim/modes.h"

#include "cli/file.h"
#include "state/store.h"

#include <stdio.h>
#include <stdlib.h>

#define SUBJECT "m-1"
#define SUBJECT_CARD "m-1.vcf"
#define BYSTANDERS 4

enum { WORDS = 6 };
struct cell { /* one line of the table, as its words */
    struct str policy, event, side, holds[2], counted;
};

struct trial {
    struct world *w;
    const struct cell *cell;
    struct policy policy;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void complain(struct trial *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%.*s, %.*s on %.*s: ", STR_ARG(t->cell->policy), STR_ARG(t->cell->event), STR_ARG(t->cell->side));
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    t->failed = true;
}

/* -- the two sides -- */

static void card_text(const char *uid, const char *note, struct buf *out)
{
    bool tel = str_ends(str_of(note), STR("+tel"));
    buf_addf(out, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:Anna %s\r\nN:%s;Anna;;;\r\nNOTE:%.*s\r\n%sEND:VCARD\r\n", uid, uid, uid,
             (int)(strlen(note) - (tel ? 4 : 0)), note, tel ? "TEL;TYPE=CELL:+491711234567\r\n" : "");
    if (strcmp(note, "kaputt") != 0) return;
    buf_truncate(out, 0);
    buf_adds(out, "kaputt: no vCard\r\n");
}

static void put_here(struct trial *t, const char *uid, const char *note)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct buf body AUTO_BUF = BUF_INIT;
    struct store_record r;
    char made[UUID_TEXT_BYTES];
    card_text(uid, note, &body);
    bool there = store_find_uid(t->w->db, str_of(t->w->book), str_of(uid), &arena, &r);
    struct store_write s = {.id = there ? r.id : STR_NONE, .book = str_of(t->w->book), .uid = str_of(uid), .title = str_of(uid),
                            .body = buf_str(&body), .origin = STR("user"), .kind = RECORD_CONTACT};
    db_begin(t->w->db, &f);
    if (there ? store_update(t->w->db, &s, NULL, &f) : store_create(t->w->db, &s, made, NULL, &f)) abort();
    db_commit(t->w->db, &f);
}

static void remove_here(struct trial *t, const char *uid)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct store_record r;
    if (!store_find_uid(t->w->db, str_of(t->w->book), str_of(uid), &arena, &r)) return;
    const struct store_write s = {.id = r.id, .origin = STR("user")};
    db_begin(t->w->db, &f);
    store_delete(t->w->db, &s, true, NULL, &f);
    db_commit(t->w->db, &f);
}

/* Under the name the server knows the subject by, or a new one. */
static struct card *card_there(struct trial *t, const char *uid)
{
    for (size_t i = 0; i < t->w->n_cards; i++)
        if (t->w->cards[i].there && (strstr(t->w->cards[i].body, uid) || strstr(t->w->cards[i].body, "kaputt"))) return &t->w->cards[i];
    return NULL;
}

static void put_there(struct trial *t, const char *uid, const char *note)
{
    struct buf body AUTO_BUF = BUF_INIT;
    char name[64];
    struct card *c = card_there(t, uid);
    card_text(uid, note, &body);
    snprintf(name, sizeof name, "%s.vcf", c ? "" : uid);
    server_put(t->w, c ? c->id : name, buf_cstr(&body));
}

static void remove_there(struct trial *t, const char *uid)
{
    struct card *c = card_there(t, uid);
    if (c) server_delete(t->w, c);
}

static void put(struct trial *t, enum side s, const char *note)
{
    (s == SIDE_A ? put_here : put_there)(t, SUBJECT, note);
}

static void take_away(struct trial *t, enum side s)
{
    (s == SIDE_A ? remove_here : remove_there)(t, SUBJECT);
}

/* "-", "alt", "hier+tel", "kaputt": what a side holds, in the table's words. */
static void describe(const char *body, struct buf *out)
{
    static const char *const words[] = {"alt", "hier", "dort", "neu", "kaputt"};
    if (!body) buf_adds(out, "-");
    for (size_t i = 0; body && i < sizeof words / sizeof *words; i++) {
        struct buf line AUTO_BUF = BUF_INIT;
        buf_addf(&line, "%s%s", strcmp(words[i], "kaputt") == 0 ? "" : "NOTE:", words[i]);
        if (strstr(body, buf_cstr(&line))) buf_addf(out, "%s%s", out->len ? "&" : "", words[i]);
    }
    if (body && strstr(body, "TEL")) buf_adds(out, "+tel");
}

static void held_by(struct trial *t, enum side s, struct buf *out)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct store_record r;
    const struct card *c = s == SIDE_B ? card_there(t, SUBJECT) : NULL;
    if (s == SIDE_B) describe(c ? c->body : NULL, out);
    else if (store_find_uid(t->w->db, str_of(t->w->book), STR(SUBJECT), &arena, &r))
        describe(arena_strdup(&arena, r.body), out);
    else
        describe(NULL, out);
}

/* -- counts -- */

static int64_t count_named(const struct side_counts *c, struct str name)
{
    const struct {
        const char *name;
        int64_t n;
    } counts[] = {{"total", c->total}, {"new", c->fresh}, {"changed", c->changed}, {"conflict", c->conflict}, {"unchanged", c->unchanged},
                  {"skipped_deleted", c->skipped_deleted}, {"to_delete", c->to_delete}, {"invalid", c->invalid}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (str_eq(name, str_of(counts[i].name))) return counts[i].n;
    abort();
}

/* Every contact of a side stands in exactly one row (contactbox 6). */
void check_counts(struct world *w, const struct run_result *r)
{
    const struct side_counts *sides[] = {&r->a, &r->b};
    for (int s = 0; s < 2; s++) {
        const struct side_counts *c = sides[s];
        int64_t sum = c->unchanged + c->fresh + c->changed + c->conflict + c->skipped_deleted + c->invalid + c->to_delete;
        bool negative = c->unchanged < 0 || c->fresh < 0 || c->changed < 0 || c->skipped_deleted < 0;
        if (c->total != sum || negative)
            violation(w, "counts of %c: %lld there, but %lld in the rows", 'A' + s, (long long)c->total, (long long)sum);
    }
}

/* "b.skipped_deleted=1" */
static void check_counted(struct trial *t, const struct run_result *r)
{
    struct str name = t->cell->counted;
    if (!name.n) return;
    struct str side = str_split(&name, '.'), key = str_split(&name, '=');
    long long want;
    if (!str_to_int64(name, &want)) abort();
    int64_t got = count_named(str_eq(side, STR("a")) ? &r->a : &r->b, key);
    if (got != want) complain(t, "counted %lld, not %.*s", (long long)got, STR_ARG(t->cell->counted));
}

/* The totals are what is there. */
static void check_totals(struct trial *t, const struct run_result *r, const int64_t before[2])
{
    const int64_t got[] = {r->a.total, r->b.total};
    for (int s = 0; s < 2; s++)
        if (got[s] != before[s])
            complain(t, "%c held %lld, the report says %lld", 'A' + s, (long long)before[s], (long long)got[s]);
}

static void totals_of(struct trial *t, int64_t out[2])
{
    out[SIDE_A] = store_count(t->w->db, str_of(t->w->book));
    out[SIDE_B] = 0;
    for (size_t i = 0; i < t->w->n_cards; i++) out[SIDE_B] += t->w->cards[i].there;
}

/* -- runs -- */

static size_t run(struct trial *t, bool of_event)
{
    struct link link = {.name = "modes", .a = {.name = "contactbox", .connector = "contactbox", .region = "DE", .state = t->w->db},
                        .b = {.name = "server", .connector = "simserver", .region = "DE", .state = t->w}, .collection_a = "Kunden",
                        .collection_b = "kunden", .policy = t->policy, .settings_hash = "", .history_ms = 86400000};
    const struct run_options options = {.trigger = "test"};
    struct run_result r;
    int64_t before[2];
    totals_of(t, before);
    run_link(t->w->db, &t->w->env, &link, &options, &r);
    bool left_alone = str_eq(t->cell->event, STR("unreadable")) && r.status == RUN_PARTIAL;
    if (r.status != RUN_DONE && r.status != RUN_UNCHANGED && !left_alone)
        complain(t, "the run is %s %s %s", run_status_name(r.status), r.held ? r.held : "", r.fault.what ? r.fault.what : "");
    check_counts(t->w, &r);
    check_totals(t, &r, before);
    if (of_event) check_counted(t, &r);
    size_t n = r.n_operations;
    run_result_free(&r);
    return n;
}

/* "two-way/contactbox", "import/ergaenzen", "one-way" */
static void set_policy(struct trial *t, struct str words)
{
    if (str_ends(words, STR("+"))) words.n--;
    struct str mode = str_split(&words, '/');
    bool import = str_eq(mode, STR("import"));
    if (!policy_set_mode(&t->policy, mode, import ? words : STR_NONE)) abort();
    if (words.n && !import && !policy_set_authority(&t->policy, words)) abort();
}

/* The agreed state before the event: the subject came from the side the policy takes records from. */
static void prepare(struct trial *t)
{
    const struct cell *c = t->cell;
    bool starts_on_b = str_starts(c->policy, STR("import")) || str_ends(c->policy, STR("+"));
    bool switches = str_eq(c->policy, STR("two-way/neu-anlegen"));
    t->policy = (struct policy)POLICY_INIT;
    set_policy(t, switches ? STR("two-way/server") : c->policy);
    for (int i = 0; i < BYSTANDERS; i++) {
        char uid[16];
        snprintf(uid, sizeof uid, "stander-%d", i);
        put_here(t, uid, "steht");
        put_there(t, uid, "steht");
    }
    if (!str_eq(c->event, STR("new"))) put(t, starts_on_b ? SIDE_B : SIDE_A, "alt");
    run(t, false);
    run(t, false);
}

static void happen(struct trial *t)
{
    struct str event = t->cell->event;
    enum side s = str_eq(t->cell->side, STR("a")) ? SIDE_A : SIDE_B;
    const char *edit[] = {"hier", "dort"};
    if (str_eq(event, STR("new"))) put(t, s, "neu");
    else if (str_eq(event, STR("changed")))
        put(t, s, edit[s]);
    else if (str_eq(event, STR("deleted")))
        take_away(t, s);
    else if (str_eq(event, STR("both"))) {
        put(t, SIDE_A, "hier");
        put(t, SIDE_B, s == SIDE_A ? "dort" : "alt+tel");
    } else if (str_eq(event, STR("crossed"))) {
        take_away(t, s);
        put(t, side_other(s), edit[side_other(s)]);
    } else if (str_eq(event, STR("tombstoned"))) {
        take_away(t, s);
        run(t, false);
        put(t, SIDE_B, "dort");
    } else if (str_eq(event, STR("unreadable")))
        put(t, s, "kaputt");
    else
        abort();
}

static void try_cell(struct trial *t)
{
    prepare(t);
    happen(t);
    set_policy(t, t->cell->policy);
    run(t, true);
    for (int s = 0; s < 2; s++) {
        struct buf got AUTO_BUF = BUF_INIT;
        held_by(t, (enum side)s, &got);
        if (!str_eq(buf_str(&got), t->cell->holds[s])) complain(t, "%c holds %s, not %.*s", 'A' + s, buf_cstr(&got), STR_ARG(t->cell->holds[s]));
    }
    size_t again = run(t, false);
    if (again) complain(t, "a further run writes %zu times", again);
}

/* A well-behaved server: what is tested here are the modes. */
static bool cell_passes(const char *folder, const struct cell *c, uint64_t seed, bool verbose)
{
    struct world *w = world_new(folder, seed, verbose);
    struct trial t = {.w = w, .cell = c};
    w->habits = (struct habits){.etags = ETAG_STRONG, .rewriting = REWRITE_NONE, .tokens = seed % 2, .tells_put_version = true};
    w->calm = true;
    note(w, "%.*s, %.*s on %.*s", STR_ARG(c->policy), STR_ARG(c->event), STR_ARG(c->side));
    try_cell(&t);
    bool good = !t.failed && !w->violations;
    world_free(w);
    return good;
}

static struct str next_word(struct str *line)
{
    *line = str_trim(*line);
    return line->n ? str_split(line, ' ') : STR("");
}

int modes_main(const char *folder, const char *path, bool verbose)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct buf text AUTO_BUF = BUF_INIT;
    if (file_read(path, &text, &f)) return 2;
    unsigned passed = 0, failed = 0;
    struct str rest = buf_str(&text);
    while (rest.n) {
        struct str line = str_split(&rest, '\n');
        if (!line.n || line.p[0] == '#') continue;
        struct cell c;
        struct str *words[WORDS] = {&c.policy, &c.event, &c.side, &c.holds[0], &c.holds[1], &c.counted};
        for (int i = 0; i < WORDS; i++) *words[i] = next_word(&line);
        for (uint64_t seed = 1; seed <= 2; seed++) { /* with and without sync tokens */
            if (cell_passes(folder, &c, seed, verbose)) passed++;
            else
                failed++;
        }
    }
    printf("modes: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
