/* Three small cards made from the input: base, A and B. Merging a record with itself does nothing; both sides say the same after a
 * merge (written, read again, merged again: nothing left to do); swapping sides and winner mirrors the result. */
#include "core/merge.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hash_key key = {"abgleich-fuzzing"};
static const struct write_form form = {.versions = 0, .strict = false};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Each byte adds a line from a small set, so that cards overlap. */
static struct record *card_of(struct arena *arena, const uint8_t *data, size_t n)
{
    static const char *const lines[] = {"TEL;TYPE=CELL:+49171%d", "TEL;TYPE=WORK:+4930%d", "EMAIL:a%d@example.org", "NOTE:text %d", "TITLE:t%d",
                                        "ORG:Firma %d;Abt", "CATEGORIES:c%d,fix", "item1.URL:http://x%d.example\r\nitem1.X-ABLABEL:L", "X-A;P=1:v%d",
                                        "BDAY:1990-01-%02d", "ADR;TYPE=HOME:;;Weg %d;Ort;;1;DE", "NICKNAME:n%d"};
    struct buf text AUTO_BUF = BUF_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    buf_adds(&text, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\n");
    buf_addf(&text, "FN:Anna F%d\r\nN:F%d;Anna;;;\r\n", n ? data[0] % 3 : 0, n ? data[0] % 3 : 0);
    bool note = false, bday = false;
    for (size_t i = 0; i < n && i < 12; i++) {
        size_t which = data[i] % (sizeof lines / sizeof *lines);
        if ((which == 3 && note) || (which == 9 && bday)) continue;
        note |= which == 3;
        bday |= which == 9;
        if (which == 7 && str_find(buf_str(&text), STR("item1.")) != (size_t)-1) continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_addf(&text, lines[which], 1 + data[i] / 16 % 4);
#pragma GCC diagnostic pop
        buf_adds(&text, "\r\n");
    }
    buf_adds(&text, "END:VCARD\r\n");
    struct record *r = record_parse(arena, RECORD_CONTACT, arena_str(arena, buf_str(&text)), &key, &why);
    must(r != NULL, "a made card cannot be read");
    return r;
}

static void fill(struct merge_input *in, struct record *a, struct record *b, const struct fingerprint *base, enum side winner)
{
    struct record *side[2] = {a, b};
    *in = (struct merge_input){.kind = MERGE_TWO_WAY, .winner = winner};
    for (int s = 0; s < 2; s++) {
        in->side[s].elements = record_elements(side[s], &in->side[s].n);
        in->side[s].record = side[s];
        in->side[s].base = base ? &base[s] : NULL;
    }
}

static struct record *edited(struct arena *arena, struct record *r, const struct edit *edits, size_t n)
{
    struct buf out AUTO_BUF = BUF_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    must(record_write_edited(r, edits, n, &form, &out, &why) == FAULT_NONE, "edits cannot be written");
    struct record *after = record_parse(arena, RECORD_CONTACT, arena_str(arena, buf_str(&out)), &key, &why);
    must(after != NULL, "an edited card cannot be read");
    return after;
}

static void check_expected(struct arena *arena, const struct merge_input *in, const struct merge_result *m, enum side s, struct record *after)
{
    size_t n_wanted, n;
    const struct element **wanted = merge_expected(arena, in, m, s, &n_wanted), *e = record_elements(after, &n);
    bool same = n == n_wanted;
    for (size_t i = 0; same && i < n; i++) same = wanted[i]->key == e[i].key && wanted[i]->value == e[i].value;
    if (same) return;
    fprintf(stderr, "before:\n%.*s\nafter:\n%.*s\n", STR_ARG(record_bytes(in->side[s].record)), STR_ARG(record_bytes(after)));
    for (size_t i = 0; i < n_wanted; i++) fprintf(stderr, "wanted %.*s = %.*s\n", STR_ARG(wanted[i]->key_text), STR_ARG(wanted[i]->value_text));
    for (size_t i = 0; i < n; i++) fprintf(stderr, "got    %.*s = %.*s\n", STR_ARG(e[i].key_text), STR_ARG(e[i].value_text));
    must(false, "the edited card does not say what the merge decided");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    if (n < 4) return 0;
    size_t first = 1 + data[0] % n, second = data[1] % (n - first + 1);
    struct record *base = card_of(&arena, data + 1, first - 1);
    struct record *a = card_of(&arena, data + first, second), *b = card_of(&arena, data + first + second, n - first - second);
    struct fingerprint prints[2];
    struct merge_input in;
    struct merge_result m, mirrored, again;
    fingerprint_both(&arena, base, base, &prints[0], &prints[1]);
    fill(&in, base, base, prints, SIDE_A);
    merge_records(&arena, &in, &m);
    must(merge_is_empty(&m), "merge(x, x, x) is not x");
    enum side winner = data[2] & 1 ? SIDE_A : SIDE_B;
    bool with_base = (data[2] & 2) != 0;
    fill(&in, a, b, with_base ? prints : NULL, winner);
    merge_records(&arena, &in, &m);
    struct record *a2 = edited(&arena, a, m.edits[0], m.n_edits[0]), *b2 = edited(&arena, b, m.edits[1], m.n_edits[1]);
    check_expected(&arena, &in, &m, SIDE_A, a2);
    check_expected(&arena, &in, &m, SIDE_B, b2);
    struct merge_input swapped;
    fill(&swapped, b, a, with_base ? prints : NULL, side_other(winner));
    merge_records(&arena, &swapped, &mirrored);
    must(m.n_edits[0] == mirrored.n_edits[1] && m.n_edits[1] == mirrored.n_edits[0] && m.n_conflicts == mirrored.n_conflicts,
         "the swapped merge is no mirror");
    fingerprint_both(&arena, a2, b2, &prints[0], &prints[1]);
    fill(&in, a2, b2, prints, winner);
    merge_records(&arena, &in, &again);
    must(merge_is_empty(&again), "something is left to do after a merge");
    return 0;
}
