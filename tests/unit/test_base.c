#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/hash.h"

#include <criterion/criterion.h>

Test(buf, limit_changes_nothing)
{
    struct buf b AUTO_BUF = BUF_LIMIT(5);
    buf_adds(&b, "abc");
    buf_adds(&b, "def");
    cr_assert_str_eq(buf_cstr(&b), "abc");
    cr_assert(b.overflow);
}

Test(buf, grows_and_stays_terminated)
{
    struct buf b AUTO_BUF = BUF_INIT;
    for (int i = 0; i < 1000; i++) buf_addf(&b, "%03d", i);
    cr_assert_eq(b.len, 3000u);
    cr_assert_eq(b.data[3000], '\0');
    cr_assert_eq(memcmp(b.data + 2997, "999", 3), 0);
}

Test(str, table_of_integers)
{
    static const struct {
        const char *text;
        bool ok;
        long long value;
    } rows[] = {{"0", true, 0}, {"-12", true, -12}, {"", false, 0}, {"-", false, 0}, {"1x", false, 0},
                {"9223372036854775807", true, 9223372036854775807LL}, {"9223372036854775808", false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        long long v = 0;
        cr_expect_eq(str_to_int64(str_of(rows[i].text), &v), rows[i].ok, "row %s", rows[i].text);
        if (rows[i].ok) cr_expect_eq(v, rows[i].value, "row %s", rows[i].text);
    }
}

Test(str, split_to_the_end)
{
    struct str rest = STR("a;;b");
    cr_assert(str_eq(str_split(&rest, ';'), STR("a")));
    cr_assert(str_eq(str_split(&rest, ';'), STR("")));
    cr_assert(str_eq(str_split(&rest, ';'), STR("b")));
    cr_assert_null(rest.p);
}

Test(arena, pieces_do_not_overlap)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    char *pieces[2000];
    for (int i = 0; i < 2000; i++) {
        pieces[i] = arena_alloc(&a, (size_t)i % 97 + 1);
        memset(pieces[i], i & 255, (size_t)i % 97 + 1);
    }
    for (int i = 0; i < 2000; i++)
        for (int k = 0; k <= i % 97; k++) cr_assert_eq((unsigned char)pieces[i][k], (unsigned)i & 255);
}

Test(map64, holds_what_was_put)
{
    struct map64 m = {NULL, NULL, 0, 0};
    for (uint64_t i = 1; i <= 20000; i++) map64_put(&m, i * 0x9e3779b97f4a7c15u, (uint32_t)i);
    for (uint64_t i = 1; i <= 20000; i++) {
        uint32_t v = 0;
        cr_assert(map64_get(&m, i * 0x9e3779b97f4a7c15u, &v));
        cr_assert_eq(v, (uint32_t)i);
    }
    uint32_t v;
    cr_assert_not(map64_get(&m, 12345, &v));
    map64_free(&m);
}

Test(env, uuids_have_their_version)
{
    struct env_system e;
    env_system_init(&e, LOG_ERROR, NULL);
    char v4[UUID_TEXT_BYTES], v7[UUID_TEXT_BYTES];
    env_uuid4(&e.env, v4);
    env_uuid7(&e.env, v7);
    cr_assert_eq(strlen(v4), 36u);
    cr_assert_eq(v4[14], '4');
    cr_assert_eq(v7[14], '7');
    cr_assert(strchr("89ab", v7[19]) != NULL);
}

Test(fault, reads_as_a_sentence)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    fault_set(&f, FAULT_CHANGED, "changed there meanwhile, planned again", "%d Precondition Failed", 412);
    fault_set(&f, FAULT_GONE, NULL, "the first cause stays");
    fault_about(&f, "Özdemir, Lale", "nextcloud");
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(&f, &text);
    cr_assert_str_eq(buf_cstr(&text), "\"Özdemir, Lale\" on nextcloud: 412 Precondition Failed, changed there meanwhile, planned again");
}
