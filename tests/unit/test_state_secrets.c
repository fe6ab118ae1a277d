/* Sealed passwords: the key's file, wrong keys, swapped and damaged rows. And the lock of a link. */
#include "state/lock.h"
#include "state/secrets.h"
#include "tests/unit/state_fixture.h"

#include <sys/wait.h>

/* A state of two secrets; key_path receives the name of its key. */
static void prepare(struct world *w, char key_path[100])
{
    unsetenv("CREDENTIALS_DIRECTORY");
    world_start(w);
    snprintf(key_path, 100, "%s.key", w->path);
    expect_ok(w, secret_set(w->db, "anna", "password", STR("Geheim äöü"), &w->fault));
    expect_ok(w, secret_set(w->db, "bernd", "password", STR(""), &w->fault));
}

static void expect_secret(struct world *w, const char *account, const char *field, const char *wanted)
{
    char *got;
    expect_ok(w, secret_get(w->db, account, field, &got, &w->fault));
    cr_expect_eq(got == NULL, wanted == NULL, "%s %s", account, field);
    if (got && wanted) cr_expect_str_eq(got, wanted);
    secret_free(got);
}

static void expect_no_secret(struct world *w, const char *account, const char *words)
{
    char *got;
    enum fault_code code = secret_get(w->db, account, "password", &got, &w->fault);
    cr_expect_null(got);
    cr_expect_not_null(w->fault.advice);
    expect_fault(w, code, FAULT_STATE, words);
}

Test(secrets, come_back)
{
    struct world w AUTO_WORLD;
    char key[100];
    prepare(&w, key);
    expect_secret(&w, "anna", "password", "Geheim äöü");
    expect_secret(&w, "bernd", "password", "");
    expect_secret(&w, "anna", "token", NULL);
    expect_ok(&w, secret_set(w.db, "anna", "password", STR("new"), &w.fault));
    expect_ok(&w, secret_set(w.db, "anna", "token", STR("t"), &w.fault));
    expect_secret(&w, "anna", "password", "new");
    expect_ok(&w, secret_delete(w.db, "anna", "password", &w.fault));
    expect_secret(&w, "anna", "password", NULL);
    expect_secret(&w, "anna", "token", "t");
    expect_ok(&w, secret_delete(w.db, "anna", NULL, &w.fault));
    expect_secret(&w, "anna", "token", NULL);
    expect_secret(&w, "bernd", "password", "");
}

Test(secrets, are_nowhere_in_the_file)
{
    struct world w AUTO_WORLD;
    char key[100];
    prepare(&w, key);
    world_close(&w);
    struct buf file AUTO_BUF = BUF_INIT;
    buf_reserve(&file, 1 << 20);
    int fd = open(w.path, O_RDONLY);
    ssize_t n = read(fd, file.data, 1 << 20);
    close(fd);
    cr_assert_gt(n, 0);
    cr_expect_eq(str_find((struct str){file.data, (size_t)n}, STR("Geheim")), (size_t)-1);
    cr_expect_neq(str_find((struct str){file.data, (size_t)n}, STR("anna")), (size_t)-1);
}

Test(secrets, key_file_is_private)
{
    struct world w AUTO_WORLD;
    char key[100];
    prepare(&w, key);
    struct stat st;
    cr_assert_eq(stat(key, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_expect_eq(st.st_size, 32);
    static const mode_t open_modes[] = {0640, 0604, 0610};
    for (size_t i = 0; i < 3; i++) {
        chmod(key, open_modes[i]);
        expect_no_secret(&w, "anna", "others than its owner");
    }
    chmod(key, 0400);
    expect_secret(&w, "anna", "password", "Geheim äöü");
}

Test(secrets, wrong_or_missing_keys_are_told)
{
    struct world w AUTO_WORLD;
    char key[100];
    prepare(&w, key);
    file_write(key, "0123456789abcdef0123456789abcdef", 32);
    expect_no_secret(&w, "anna", "another key");
    static const struct {
        const char *name;
        struct str bytes;
    } rows[] = {{"empty", {"", 0}},
                {"short", {"0123456789abcdef0123456789abcde", 31}},
                {"no hex", {"g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64}},
                {"hex too short", {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd", 62}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        file_write(key, rows[i].bytes.p, rows[i].bytes.n);
        expect_no_secret(&w, "anna", "32 bytes or 64 hex digits");
    }
    unlink(key);
    expect_no_secret(&w, "anna", "2 passwords are sealed with it");
    expect_fault(&w, secret_set(w.db, "new", "password", STR("x"), &w.fault), FAULT_STATE, "sealed with it");
    cr_expect_eq(file_size(key), -1, "no other key is made while passwords wait for theirs");
    cr_assert_eq(symlink("/dev/zero", key), 0);
    expect_no_secret(&w, "anna", "symbolic links");
}

Test(secrets, rows_cannot_be_swapped_or_changed)
{
    static const struct {
        const char *sql, *words;
    } rows[] = {
        {"UPDATE secret SET account = 'carla' WHERE account = 'anna'; UPDATE secret SET account = 'anna' WHERE account = 'bernd'", "damaged"},
        {"UPDATE secret SET field = 'x' WHERE account = 'anna'; INSERT INTO secret SELECT 'anna', 'password', key_id, nonce, box FROM secret"
         " WHERE field = 'x'",
         NULL},
        {"UPDATE secret SET nonce = (SELECT nonce FROM secret WHERE account = 'bernd')", "damaged"},
        {"UPDATE secret SET nonce = x'00'", "damaged"},
        {"UPDATE secret SET box = x''", "damaged"},
        {"UPDATE secret SET box = x'0001020304050607080910111213141516171819'", "damaged"},
        {"UPDATE secret SET key_id = x'00'", "another key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w AUTO_WORLD;
        char key[100];
        prepare(&w, key);
        expect_ok(&w, db_exec(w.db, rows[i].sql, &w.fault));
        if (rows[i].words) expect_no_secret(&w, "anna", rows[i].words);
        else
            expect_secret(&w, "anna", "password", "Geheim äöü"); /* there and back again is the same row */
    }
}

Test(secrets, field_is_bound_too)
{
    struct world w AUTO_WORLD;
    char key[100], *got;
    prepare(&w, key);
    expect_ok(&w, db_exec(w.db, "UPDATE secret SET field = 'token' WHERE account = 'anna'", &w.fault));
    expect_fault(&w, secret_get(w.db, "anna", "token", &got, &w.fault), FAULT_STATE, "damaged");
    cr_expect_null(got);
}

Test(secrets, key_of_the_service_manager_comes_first)
{
    struct world w AUTO_WORLD;
    char key[100], credential[100];
    world_start(&w);
    snprintf(key, sizeof key, "%s.key", w.path);
    snprintf(credential, sizeof credential, "%s/abgleich-key", w.folder);
    file_write(credential, "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\n", 65);
    chmod(credential, 0440);
    setenv("CREDENTIALS_DIRECTORY", w.folder, 1);
    expect_ok(&w, secret_set(w.db, "anna", "password", STR("x"), &w.fault));
    cr_expect_eq(file_size(key), -1);
    expect_secret(&w, "anna", "password", "x");
    unsetenv("CREDENTIALS_DIRECTORY");
    expect_no_secret(&w, "anna", "1 passwords are sealed");
}

/* -- locks -- */

/* In a process of its own: the code that lock_link answers. */
static enum fault_code lock_elsewhere(const struct world *w, const char *link)
{
    pid_t child = fork();
    if (child == 0) {
        struct world own = *w;
        struct lock *lock;
        own.db = NULL;
        if (world_open(&own, DB_EXISTING)) _exit(99);
        _exit((int)lock_link(own.db, link, &lock, NULL));
    }
    int status;
    waitpid(child, &status, 0);
    return (enum fault_code)WEXITSTATUS(status);
}

Test(lock, one_run_per_link_over_all_processes)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct lock *lock, *again, *other;
    expect_ok(&w, lock_link(w.db, "one", &lock, &w.fault));
    cr_expect_eq(lock_elsewhere(&w, "one"), FAULT_BUSY);
    cr_expect_eq(lock_elsewhere(&w, "two"), FAULT_NONE, "other links go on");
    expect_fault(&w, lock_link(w.db, "one", &again, &w.fault), FAULT_BUSY, "another run of one");
    cr_expect_null(again);
    expect_ok(&w, lock_link(w.db, "two", &other, &w.fault));
    lock_release(other);
    cr_expect_eq(lock_elsewhere(&w, "one"), FAULT_BUSY, "closing another lock's file does not drop this one");
    lock_release(lock);
    cr_expect_eq(lock_elsewhere(&w, "one"), FAULT_NONE);
    expect_ok(&w, lock_link(w.db, "one", &lock, &w.fault));
    lock_cleanup(&lock);
    cr_expect_null(lock);
}

Test(lock, dies_with_its_process)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    cr_expect_eq(lock_elsewhere(&w, "one"), FAULT_NONE);
    cr_expect_eq(lock_elsewhere(&w, "one"), FAULT_NONE);
}
