/* Any bytes as a card: what is read is written back byte for byte; without edits nothing changes; what is made for a strict server is
 * read again, and says the same. */
#include "mapping/fingerprint.h"
#include "mapping/vcard.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hash_key key = {"abgleich-fuzzing"};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_unedited(const struct record *r)
{
    const struct write_form form = {.versions = 0, .strict = false};
    struct buf out AUTO_BUF = BUF_INIT;
    must(record_write_edited(r, NULL, 0, &form, &out, NULL) == FAULT_NONE && str_eq(buf_str(&out), record_bytes(r)), "no edit, other bytes");
}

static void check_strict(struct arena *arena, const struct record *r)
{
    const struct write_form form = {.versions = WRITE_V30, .strict = true, .uid = {"uid-of-ours", 11}};
    struct buf out AUTO_BUF = BUF_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (record_write_new(r, &form, &out, &why)) return;
    must(record_parse(arena, RECORD_CONTACT, buf_str(&out), &key, &why) != NULL, "a card for a strict server cannot be read");
}

static void check_print(struct arena *arena, const struct record *r)
{
    struct fingerprint a = fingerprint_of(arena, r), back;
    struct buf blob AUTO_BUF = BUF_INIT;
    fingerprint_encode(&a, &blob);
    must(fingerprint_decode(arena, buf_str(&blob), &back) && fingerprint_equal(&a, &back), "fingerprint does not survive the journal");
    must(fingerprint_matches(&a, r), "a record is not like itself");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct str bytes = {(const char *)data, n};
    struct vcard *card;
    struct buf raw AUTO_BUF = BUF_INIT;
    bool plain = record_is_plain(RECORD_CONTACT, bytes);
    if (vcard_parse(&arena, bytes, &card, &why)) {
        must(!plain, "a plain card cannot be read");
        return 0;
    }
    vcard_write_raw(card, &raw);
    must((card->flags & VCARD_CONVERTED) || str_eq(buf_str(&raw), bytes), "other bytes come back");
    struct record *r = record_parse(&arena, RECORD_CONTACT, bytes, &key, &why);
    must(r || !plain, "a plain card cannot be read");
    if (!r) return 0;
    must(record_title(r).n > 0, "no title");
    check_unedited(r);
    check_strict(&arena, r);
    check_print(&arena, r);
    return 0;
}
