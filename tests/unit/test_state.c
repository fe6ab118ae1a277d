/* Opening the state: what is refused, and that nothing damaged is ever taken for empty. Transactions and sticky faults.
 */
#include "state/schema.h"
#include "state/settings.h"
#include "state/store.h"
#include "tests/unit/state_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define RECORDS 40

static void fill(struct world *w)
{
    struct book book;
    expect_ok(w, db_begin(w->db, &w->fault));
    expect_ok(w, book_add(w->db, STR("Kunden"), 0, &w->arena, &book, &w->fault));
    for (int i = 0; i < RECORDS; i++) {
        const struct store_write sw = {.book = book.id,
                                       .title = STR("Özdemir, Lale"),
                                       .uid = STR("u1"),
                                       .body = str_of(arena_printf(&w->arena, "BEGIN:VCARD %0900d", i))};
        expect_ok(w, store_create(w->db, &sw, NULL, NULL, &w->fault));
    }
    expect_ok(w, db_commit(w->db, &w->fault));
}

/* A closed state of RECORDS records. */
static void prepare(struct world *w)
{
    world_start(w);
    fill(w);
    world_close(w);
}

static bool see_body(void *ctx, const struct store_record *r)
{
    *(int64_t *)ctx += r->body.n > 900;
    return true;
}

/* Records read to the last byte; -1 after a fault. */
static int64_t count_bodies(struct world *w)
{
    struct book book;
    int64_t n = 0;
    bool there = book_find(w->db, STR("Kunden"), &w->arena, &book);
    if (db_check(w->db, &w->fault)) return -1;
    if (!there) return 0;
    return store_each(w->db, book.id, see_body, &n, &w->fault) ? -1 : n;
}

Test(state, is_made_and_found_again)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    struct stat st;
    cr_assert_eq(stat(w.path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    cr_expect_eq(count_bodies(&w), RECORDS);
    expect_ok(&w, db_verify(w.db, &w.fault));
}

Test(state, missing_file_is_not_made_where_one_is_expected)
{
    struct world w AUTO_WORLD;
    world_init(&w);
    expect_fault(&w, world_open(&w, DB_EXISTING), FAULT_STATE, "there is no state database");
    cr_expect_eq(file_size(w.path), -1);
    strcpy(w.path, "/nowhere/state.db");
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "cannot be created");
}

Test(state, foreign_files_are_refused_and_stay)
{
    static const char sqlite_header[100] = "SQLite format 3\0\x10\0\1\1\0\x40\x20\x20";
    static const struct {
        const char *name;
        struct str bytes;
        const char *words;
    } rows[] = {
        {"empty", {"", 0}, "is empty"},
        {"one byte", {"S", 1}, "cut off"},
        {"text", {"this is a letter, not a state", 29}, "not a database"},
        {"short header", {sqlite_header, 60}, "cut off"},
        {"another program", {sqlite_header, 100}, "another program"},
    };
    struct world w AUTO_WORLD;
    world_init(&w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        file_write(w.path, rows[i].bytes.p, rows[i].bytes.n);
        for (int mode = DB_EXISTING; mode <= DB_MAY_CREATE; mode++) {
            enum fault_code code = world_open(&w, (enum db_mode)mode);
            cr_expect_null(w.db, "row %s", rows[i].name);
            expect_fault(&w, code, FAULT_STATE, rows[i].words);
            cr_expect_eq(file_size(w.path), (off_t)rows[i].bytes.n, "row %s", rows[i].name);
        }
    }
}

Test(state, folder_and_device_are_refused)
{
    struct world w AUTO_WORLD;
    world_init(&w);
    cr_assert_eq(mkdir(w.path, 0700), 0);
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "not a file");
    strcpy(w.path, "/dev/null");
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "not a file");
}

Test(state, newer_version_is_refused)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    const unsigned char newer = (unsigned char)(schema_version() + 1), none = 0;
    file_poke(w.path, 63, &newer, 1);
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "newer abgleich");
    file_poke(w.path, 63, &none, 1);
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "schema 0");
}

/* Whatever is cut off: refused, or (cuts of less than a page at the very end aside) a fault while reading; never fewer
 * records. */
Test(state, truncated_file_is_refused)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    off_t whole = file_size(w.path);
    for (off_t size = whole - 4096; size > 0; size -= 4096) {
        cr_assert_eq(truncate(w.path, size), 0);
        expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "damaged");
        cr_expect_null(w.db);
        cr_expect_eq(file_size(w.path), size, "a refused file must stay as it is");
    }
    cr_assert_eq(truncate(w.path, 4000), 0);
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "");
}

/* Each bit of the header: either it does not matter, and all records are there, or it is FAULT_STATE; never an empty
 * state. */
Test(state, flipped_bits_of_the_header)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    int refused = 0;
    for (int bit = 0; bit < 800; bit++) {
        unsigned char before = file_peek(w.path, bit / 8), after = before ^ (unsigned char)(1 << bit % 8);
        file_poke(w.path, bit / 8, &after, 1);
        enum fault_code code = world_open(&w, DB_MAY_CREATE);
        int64_t n = code ? -1 : count_bodies(&w);
        refused += code != FAULT_NONE;
        cr_expect(code == FAULT_NONE || code == FAULT_STATE, "byte %d bit %d: fault %s: %s", bit / 8, bit % 8,
                  fault_name(code), w.fault.what);
        cr_expect(n == RECORDS || w.fault.code == FAULT_STATE, "byte %d bit %d: %lld records, fault %s", bit / 8,
                  bit % 8, (long long)n, fault_name(w.fault.code));
        world_close(&w);
        file_poke(w.path, bit / 8, &before, 1);
    }
    cr_expect_gt(refused, 400);
}

/* Values that SQLite would live with, and damage the file by. */
Test(state, header_that_would_do_harm_is_refused)
{
    static const struct {
        int offset;
        unsigned char value;
        const char *name;
    } rows[] = {{20, 8, "reserved bytes"}, {47, 1, "schema format"}, {55, 1, "auto-vacuum"},
                {59, 2, "UTF-16"},         {67, 1, "incremental"},   {91, 1, "zero"}};
    struct world w AUTO_WORLD;
    prepare(&w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char before = file_peek(w.path, rows[i].offset);
        file_poke(w.path, rows[i].offset, &rows[i].value, 1);
        cr_expect_eq(world_open(&w, DB_EXISTING), FAULT_STATE, "row %s", rows[i].name);
        cr_expect(w.fault.what && strstr(w.fault.what, "first bytes"), "row %s", rows[i].name);
        world_close(&w);
        file_poke(w.path, rows[i].offset, &before, 1);
    }
}

/* Garbage over one page after the other: found while opening, reading or verifying. */
Test(state, garbage_in_a_page_is_found)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    off_t pages = file_size(w.path) / 4096;
    for (off_t page = 0; page < pages; page++) {
        unsigned char before[4096], garbage[4096];
        int fd = open(w.path, O_RDONLY);
        cr_assert_eq(pread(fd, before, sizeof before, page * 4096), (ssize_t)sizeof before);
        close(fd);
        world_random(&w.env, garbage, sizeof garbage);
        file_poke(w.path, page * 4096, garbage, sizeof garbage);
        enum fault_code code = world_open(&w, DB_EXISTING);
        if (!code) code = db_verify(w.db, &w.fault);
        cr_expect_eq(code, FAULT_STATE, "page %lld: fault %s", (long long)page, fault_name(code));
        world_close(&w);
        file_poke(w.path, page * 4096, before, sizeof before);
    }
}

Test(state, log_left_behind_is_not_played_into_a_new_state)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    char log[100];
    snprintf(log, sizeof log, "%s-wal", w.path);
    file_write(log, "changes", 7);
    unlink(w.path);
    expect_fault(&w, world_open(&w, DB_MAY_CREATE), FAULT_STATE, "changes to it are");
    cr_expect_eq(file_size(w.path), -1);
}

/* Run as nobody in a child process: root may write anywhere. */
static int open_as_nobody(struct world *w, const char *words)
{
    pid_t child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(0);
        enum fault_code code = world_open(w, DB_MAY_CREATE);
        _exit(code == FAULT_STATE && w->fault.advice && strstr(w->fault.what, words) ? 0 : 1 + (int)code);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

Test(state, folder_without_the_right_to_write)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    cr_assert_eq(chmod(w.folder, 0755), 0);
    cr_expect_eq(open_as_nobody(&w, "cannot be opened: Permission denied"), 0, "unreadable file");
    cr_assert_eq(chmod(w.path, 0644), 0);
    cr_expect_eq(open_as_nobody(&w, "state.db: "), 0, "read-only file in a read-only folder");
    cr_assert_eq(chmod(w.path, 0666), 0);
    cr_expect_eq(open_as_nobody(&w, "state.db: "), 0, "read-only folder");
    unlink(w.path);
    cr_expect_eq(open_as_nobody(&w, "cannot be created"), 0, "missing file in a read-only folder");
}

Test(state, full_disk_keeps_nothing_of_the_transaction)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    struct book book;
    cr_assert(book_find(w.db, STR("Kunden"), &w.arena, &book));
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){200000, RLIM_INFINITY}); /* writes beyond fail as on a full disk */
    char *body = arena_zalloc(&w.arena, 50000);
    expect_ok(&w, db_begin(w.db, &w.fault));
    for (int i = 0; i < 1000; i++) {
        const struct store_write sw = {.book = book.id, .body = {body, 50000}};
        store_create(w.db, &sw, NULL, NULL, NULL);
    }
    expect_fault(&w, db_commit(w.db, &w.fault), FAULT_STATE, "state.db");
    cr_expect_not(db_in_transaction(w.db));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    cr_expect_eq(store_count(w.db, book.id), RECORDS);
    cr_expect_eq(count_bodies(&w), RECORDS);
    expect_ok(&w, db_verify(w.db, &w.fault));
}

/* SQLite takes the whole transaction back when the disk is full; taking back an inner level must not hide that. */
Test(state, full_disk_in_an_inner_level_ends_the_outer_one)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    struct book book;
    expect_ok(&w, db_begin(w.db, &w.fault));
    expect_ok(&w, book_add(w.db, STR("outer"), 0, &w.arena, &book, &w.fault));
    expect_ok(&w, db_begin(w.db, &w.fault));
    expect_ok(&w, db_exec(w.db, "INSERT INTO setting VALUES ('x', x'00'); ROLLBACK",
                          &w.fault)); /* as SQLite does it itself */
    db_rollback(w.db);
    book_add(w.db, STR("after"), 0, &w.arena, &book, NULL);
    expect_fault(&w, db_commit(w.db, &w.fault), FAULT_STATE, "state.db");
    cr_expect_not(db_in_transaction(w.db));
    cr_expect_not(book_find(w.db, STR("outer"), &w.arena, &book));
    cr_expect_not(book_find(w.db, STR("after"), &w.arena, &book));
    expect_ok(&w, db_check(w.db, &w.fault));
}

/* -- transactions -- */

static int64_t books(struct world *w)
{
    struct book *list;
    return (int64_t)book_list(w->db, &w->arena, &list);
}

static void add_book(struct world *w, const char *name)
{
    struct book book;
    expect_ok(w, book_add(w->db, str_of(name), 0, &w->arena, &book, &w->fault));
}

Test(state, nested_levels_are_taken_back_alone)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    expect_ok(&w, db_begin(w.db, &w.fault));
    add_book(&w, "one");
    expect_ok(&w, db_begin(w.db, &w.fault));
    add_book(&w, "two");
    db_rollback(w.db);
    expect_ok(&w, db_begin(w.db, &w.fault));
    add_book(&w, "three");
    expect_ok(&w, db_commit(w.db, &w.fault));
    cr_expect(db_in_transaction(w.db));
    expect_ok(&w, db_commit(w.db, &w.fault));
    cr_expect_eq(books(&w), 2);
    expect_fault(&w, db_commit(w.db, &w.fault), FAULT_INTERNAL, "without a transaction");
}

Test(state, faults_stick_until_the_commit)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    expect_ok(&w, db_begin(w.db, &w.fault));
    add_book(&w, "one");
    db_fail(w.db, FAULT_STATE, "advice", "row %d is damaged", 7);
    struct book book;
    cr_expect_not(book_find(w.db, STR("one"), &w.arena, &book), "nothing is answered after a fault");
    db_fail(w.db, FAULT_INTERNAL, NULL, "a later one");
    cr_expect_eq(db_check(w.db, NULL), FAULT_STATE);
    expect_fault(&w, db_commit(w.db, &w.fault), FAULT_STATE, "row 7 is damaged");
    cr_expect_eq(db_check(w.db, NULL), FAULT_NONE);
    cr_expect_eq(books(&w), 0);
}

Test(state, fault_outside_a_transaction_is_handed_out_once)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    expect_fault(&w, db_exec(w.db, "SELECT nonsense", &w.fault), FAULT_INTERNAL, "nonsense");
    expect_ok(&w, db_check(w.db, &w.fault));
    add_book(&w, "one");
    cr_expect_eq(books(&w), 1);
}

Test(state, inner_fault_takes_back_the_inner_level_only)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    expect_ok(&w, db_begin(w.db, &w.fault));
    add_book(&w, "one");
    expect_ok(&w, db_begin(w.db, &w.fault));
    add_book(&w, "two");
    db_fail(w.db, FAULT_STATE, NULL, "inner");
    expect_fault(&w, db_commit(w.db, &w.fault), FAULT_STATE, "inner");
    expect_ok(&w, db_commit(w.db, &w.fault));
    cr_expect_eq(books(&w), 1);
}

Test(state, statement_begun_twice_is_a_fault)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct query *q = query_begin(w.db, QUERY_BOOK_LIST), *again = query_begin(w.db, QUERY_BOOK_LIST);
    cr_expect_not(query_step(again));
    query_end(again);
    query_end(q);
    expect_fault(&w, db_check(w.db, &w.fault), FAULT_INTERNAL, "twice");
    cr_expect_eq(books(&w), 0);
    expect_ok(&w, db_check(w.db, &w.fault));
}

/* The clock of the world runs by waiting only: ten virtual seconds, then a clear answer. */
Test(state, second_writer_waits_and_gives_up)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct db *other = NULL;
    expect_ok(&w, db_open(w.path, DB_EXISTING, &w.env, &other, &w.fault));
    expect_ok(&w, db_begin(w.db, &w.fault));
    int64_t start = w.now_ms;
    expect_fault(&w, db_begin(other, &w.fault), FAULT_BUSY, "in use");
    cr_expect_geq(w.now_ms - start, 9900);
    w.cancelled = true;
    expect_fault(&w, db_begin(other, &w.fault), FAULT_CANCELLED, "cancelled");
    expect_ok(&w, db_commit(w.db, &w.fault));
    expect_ok(&w, db_begin(other, &w.fault));
    db_rollback(other);
    db_close(other);
}

Test(state, copy_is_whole)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    char copy[100];
    snprintf(copy, sizeof copy, "%s/copy.db", w.folder);
    expect_ok(&w, db_copy(w.db, copy, &w.fault));
    expect_fault(&w, db_copy(w.db, copy, &w.fault), FAULT_USAGE, "File exists");
    world_close(&w);
    strcpy(w.path, copy);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    cr_expect_eq(count_bodies(&w), RECORDS);
}

/* A kill at any instant: what was committed is there, what was not is gone. */
Test(state, killed_writer_leaves_the_last_commit)
{
    struct world w AUTO_WORLD;
    prepare(&w);
    pid_t child = fork();
    if (child == 0) {
        struct book book;
        if (world_open(&w, DB_EXISTING) || db_begin(w.db, NULL)) _exit(1);
        book_add(w.db, STR("kept"), 0, &w.arena, &book, NULL);
        db_commit(w.db, NULL);
        db_begin(w.db, NULL);
        book_add(w.db, STR("lost"), 0, &w.arena, &book, NULL);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    struct book book;
    cr_expect(book_find(w.db, STR("kept"), &w.arena, &book));
    cr_expect_not(book_find(w.db, STR("lost"), &w.arena, &book));
    cr_expect_eq(count_bodies(&w), RECORDS);
}

Test(state, two_makers_at_once_share_one_state)
{
    struct world w AUTO_WORLD;
    world_init(&w);
    pid_t children[4];
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i]) continue;
        struct env_system system; /* they do have to wait for each other */
        env_system_init(&system, LOG_ERROR, NULL);
        char name[8];
        snprintf(name, sizeof name, "b%d", i);
        struct book book;
        enum fault_code code = db_open(w.path, DB_MAY_CREATE, &system.env, &w.db, &w.fault);
        if (!code) code = book_add(w.db, str_of(name), 0, &w.arena, &book, &w.fault);
        _exit((int)code);
    }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(children[i], &status, 0);
        cr_expect_eq(WEXITSTATUS(status), 0, "child %d: fault %s", i, fault_name((enum fault_code)WEXITSTATUS(status)));
    }
    expect_ok(&w, world_open(&w, DB_EXISTING));
    cr_expect_eq(books(&w), 4);
}

/* A process that was there before this one opened anything (a copy of SQLite's memory would know of our connections):
 * when told to go it opens, writes and closes; whoever thinks to be the last one to close takes the log away. */
struct writer {
    pid_t pid;
    int go[2];
};

static void writer_begin(struct writer *writer, const struct world *w)
{
    cr_assert_eq(pipe(writer->go), 0);
    writer->pid = fork();
    if (writer->pid) return;
    struct world own = *w;
    char c;
    if (read(writer->go[0], &c, 1) != 1 || world_open(&own, DB_EXISTING)) _exit(99);
    setting_set(own.db, "said", STR("two"), NULL);
    world_close(&own);
    _exit(0);
}

static void writer_go(struct writer *writer)
{
    int status;
    cr_assert_eq(write(writer->go[1], "x", 1), 1);
    waitpid(writer->pid, &status, 0);
    cr_assert_eq(status, 0);
}

/* A daemon opens the state anew for each job. Had that dropped the locks of its other connections, the next process to
 * close would have removed the log under them, and what they wrote from then on would have been lost. */
Test(db, opening_it_again_leaves_the_locks_of_the_first_connection_alone)
{
    struct world w AUTO_WORLD;
    struct writer writer;
    struct db *job = NULL;
    char log[sizeof w.path + 8];
    world_init(&w);
    writer_begin(&writer, &w);
    expect_ok(&w, world_open(&w, DB_MAY_CREATE));
    setting_set(w.db, "said", STR("one"), NULL);
    expect_ok(&w, db_open(w.path, DB_EXISTING, &w.env, &job, &w.fault));
    db_close(job);
    writer_go(&writer);
    expect_str(setting_get(w.db, "said", &w.arena), "two");
    snprintf(log, sizeof log, "%s-wal", w.path);
    cr_expect_gt(file_size(log), 0, "the log was taken away");
}
