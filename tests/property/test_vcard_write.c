/* Random cards and random edits: a card comes back byte for byte; an edit changes only the lines of what it is about; the edited card
 * says exactly what was wanted; converting there and back says the same. */
#include "mapping/record_impl.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct hash_key key = {"abgleich-tests.."};
static const struct write_form keep = {.versions = 0, .strict = false};

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t n)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(d->state >> 33) % n;
}

static const char *const kinds[] = {
    "TEL;TYPE=CELL:+49 171 %u",        "TEL;TYPE=WORK,VOICE;X-P=\"a;b\":030/%u", "EMAIL;TYPE=INTERNET:mail%u@example.org",
    "item%u.URL:http://x.example/1\r\nitem%u.X-ABLABEL:Zentrale", "NOTE:Zeile eins\\nZeile %u\\, zwei\\; drei", "TITLE:Leiter %u",
    "ORG:Beispiel %u GmbH;Vertrieb",   "ADR;TYPE=HOME:;;Weg %u;Ort;;12345;DE", "CATEGORIES:Kunden,Gruppe %u,fest", "X-UNBEKANNT;A=b:roh\\,%u",
    "NICKNAME:Spitz%u,Name",           "BDAY:1980-02-1%u",                      "X-ANNIVERSARY:2001-01-0%u", "IMPP;TYPE=HOME:xmpp:a%u@example.org",
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg%uA", "KEY;VALUE=uri:https://k.example/%u",
};

static void add_folded(struct buf *out, const char *line)
{
    vcard_fold(out, str_of(line), true);
}

static void card_text(struct dice *d, struct buf *out)
{
    buf_adds(out, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-1\r\n");
    buf_addf(out, "N:Fam%u;Vor;;;\r\nFN:Vor Fam%u\r\n", d->state % 7 ? roll(d, 3) : 0, roll(d, 3));
    unsigned seen = 0;
    for (uint32_t i = roll(d, 14); i > 0; i--) {
        uint32_t kind = roll(d, sizeof kinds / sizeof *kinds);
        bool once = kind == 3 || kind == 4 || kind == 11 || kind == 12 || kind == 14;
        if (once && (seen & (1u << kind))) continue;
        seen |= 1u << kind;
        struct buf line AUTO_BUF = BUF_INIT;
        unsigned number = 1 + roll(d, 4);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_addf(&line, kinds[kind], number, number);
#pragma GCC diagnostic pop
        if (kind == 3) {
            buf_addstr(out, buf_str(&line));
            buf_adds(out, "\r\n");
        } else
            add_folded(out, buf_cstr(&line));
    }
    buf_adds(out, "END:VCARD\r\n");
}

static struct record *card(struct arena *arena, struct dice *d)
{
    struct buf text AUTO_BUF = BUF_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    card_text(d, &text);
    struct record *r = record_parse(arena, RECORD_CONTACT, arena_str(arena, buf_str(&text)), &key, &why);
    cr_assert(r, "%s\n%s", why.what, buf_cstr(&text));
    return r;
}

/* -- what may differ -- */

static bool concerns(const struct record *r, size_t prop, const struct element *target, const struct element *source)
{
    const struct property *p = &r->card->props[prop];
    const struct element *any = target ? target : source;
    uint16_t field = any->field->id;
    const struct property_row *row = property_row(p->name);
    bool name = field <= FIELD_FN || field == FIELD_ORG;
    if (name && (row->shape == SHAPE_NAME || row->field == FIELD_FN)) return true;
    if (row->field == field && (row->shape == SHAPE_LIST || any->field->arity != ARITY_SET)) return true;
    if (!target) return false;
    if (prop == target->prop) return true;
    struct str group = r->card->props[target->prop].group;
    if (group.p && str_eq_nocase(p->group, group)) return true;
    size_t n;
    const struct element *all = record_occurrences(r, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].prop == prop && all[i].key == target->key && all[i].value == target->value) return true;
    return false;
}

static void check_other_lines(const struct record *r, struct str after, const struct edit *e, unsigned seed)
{
    size_t from = 0;
    for (size_t i = 0; i < r->card->n_props; i++) {
        struct str raw = r->card->props[i].raw;
        if (concerns(r, i, e->target, e->source)) continue;
        struct str rest = {after.p + from, after.n - from};
        size_t at = str_find(rest, raw);
        cr_assert_neq(at, (size_t)-1, "seed %u: a line that no edit concerns changed: %.*s\nbefore:\n%.*s\nafter:\n%.*s", seed, STR_ARG(raw),
                      STR_ARG(record_bytes(r)), STR_ARG(after));
        from += at + raw.n;
    }
}

static void check_elements(const struct record *before, const struct record *after, const struct edit *e, unsigned seed)
{
    size_t n, n_after;
    const struct element *old = record_elements(before, &n), *now = record_elements(after, &n_after);
    for (size_t i = 0; i < n; i++) {
        const struct element *o = &old[i];
        bool removed = e->target && o->key == e->target->key && o->value == e->target->value;
        bool derived = o->field->id == FIELD_FN;
        bool found = false;
        for (size_t k = 0; k < n_after; k++) found |= now[k].key == o->key && now[k].value == o->value;
        bool again = e->source && o->key == e->source->key && o->value == e->source->value;
        if (!derived) cr_assert_eq(found, !removed || again, "seed %u: \"%.*s\" %s\nbefore:\n%.*s\nafter:\n%.*s", seed, STR_ARG(o->value_text),
                                   removed ? "is still there" : "is lost", STR_ARG(record_bytes(before)), STR_ARG(record_bytes(after)));
    }
    bool found = !e->source;
    for (size_t k = 0; e->source && k < n_after; k++) found |= now[k].key == e->source->key && now[k].value == e->source->value;
    cr_assert(found || e->source->field->id == FIELD_FN, "seed %u: \"%.*s\" did not arrive\nafter:\n%.*s", seed, STR_ARG(e->source->value_text),
              STR_ARG(record_bytes(after)));
}

static bool choose_edit(struct dice *d, const struct record *r, const struct record *other, struct edit *e)
{
    size_t n, n_other;
    const struct element *mine = record_elements(r, &n), *theirs = record_elements(other, &n_other);
    *e = (struct edit){.kind = (enum edit_kind)roll(d, 3), .source_record = other};
    if (e->kind != EDIT_ADD) {
        if (!n) return false;
        e->target = &mine[roll(d, (uint32_t)n)];
    }
    if (e->kind == EDIT_REMOVE) return true;
    if (!n_other) return false;
    e->source = &theirs[roll(d, (uint32_t)n_other)];
    if (e->kind == EDIT_SET) return e->source->field == e->target->field;
    for (size_t i = 0; i < n; i++) { /* an element that is there, or a second one of a field that has one, is no ADD */
        if (mine[i].key == e->source->key && mine[i].value == e->source->value) return false;
        if (mine[i].field == e->source->field && e->source->field->arity != ARITY_SET) return false;
    }
    return true;
}

Test(vcard_write, an_edit_changes_only_what_it_is_about)
{
    unsigned edited = 0;
    for (unsigned seed = 1; seed <= 6000; seed++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct dice d = {seed};
        struct record *r = card(&arena, &d), *other = card(&arena, &d);
        struct buf out AUTO_BUF = BUF_INIT;
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct edit e;
        if (!choose_edit(&d, r, other, &e)) continue;
        cr_assert_eq(record_write_edited(r, &e, 1, &keep, &out, &why), FAULT_NONE, "seed %u: %s", seed, why.what);
        struct record *after = record_parse(&arena, RECORD_CONTACT, buf_str(&out), &key, &why);
        cr_assert(after, "seed %u: %s", seed, why.what);
        check_other_lines(r, buf_str(&out), &e, seed);
        check_elements(r, after, &e, seed);
        edited++;
    }
    cr_assert_gt(edited, 2000);
}

Test(vcard_write, without_edits_the_same_bytes)
{
    for (unsigned seed = 1; seed <= 2000; seed++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct dice d = {seed};
        struct record *r = card(&arena, &d);
        struct buf out AUTO_BUF = BUF_INIT;
        struct buf strict AUTO_BUF = BUF_INIT;
        const struct write_form form = {.versions = WRITE_V30, .strict = true};
        record_write_edited(r, NULL, 0, &keep, &out, NULL);
        cr_assert(str_eq(buf_str(&out), record_bytes(r)), "seed %u", seed);
        record_write_new(r, &form, &strict, NULL);
        cr_assert(str_eq(buf_str(&strict), record_bytes(r)), "seed %u: a good card needs no change for a server", seed);
    }
}

static bool same_elements(const struct record *x, const struct record *y)
{
    size_t n, m;
    const struct element *a = record_elements(x, &n), *b = record_elements(y, &m);
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++) same = a[i].key == b[i].key && a[i].value == b[i].value;
    return same;
}

static struct record *converted(struct arena *arena, const struct record *r, unsigned versions, struct buf *out)
{
    const struct write_form form = {.versions = versions, .strict = true};
    struct fault why AUTO_FAULT = FAULT_INIT;
    cr_assert_eq(record_write_new(r, &form, out, &why), FAULT_NONE);
    return record_parse(arena, RECORD_CONTACT, arena_str(arena, buf_str(out)), &key, &why);
}

Test(vcard_write, another_version_says_the_same)
{
    for (unsigned seed = 1; seed <= 2000; seed++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct dice d = {seed};
        struct buf four AUTO_BUF = BUF_INIT;
        struct buf three AUTO_BUF = BUF_INIT;
        struct record *r = card(&arena, &d), *r4 = converted(&arena, r, WRITE_V40, &four);
        cr_assert(r4 && record_version(r4) == 40, "seed %u", seed);
        cr_assert(same_elements(r, r4), "seed %u:\n%.*s\n%s", seed, STR_ARG(record_bytes(r)), buf_cstr(&four));
        struct record *r3 = converted(&arena, r4, WRITE_V30, &three);
        cr_assert(r3 && same_elements(r, r3), "seed %u:\n%s\n%s", seed, buf_cstr(&four), buf_cstr(&three));
    }
}

static const struct {
    const char *what, *card, *wanted;
    unsigned versions;
} strict_rows[] = {
    {"UID, FN and N are added", "BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:a@b.example\r\nEND:VCARD\r\n",
     "BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:a@b.example\r\nUID:new-uid\r\nFN:a@b.example\r\nN:;;;;\r\nEND:VCARD\r\n", WRITE_V30},
    {"line ends become CRLF", "BEGIN:VCARD\nVERSION:3.0\nUID:u\nFN:A\nN:A;;;;\nEND:VCARD\n",
     "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:A\r\nN:A;;;;\r\nEND:VCARD\r\n", WRITE_V30},
    {"2.1 becomes 3.0", "BEGIN:VCARD\r\nVERSION:2.1\r\nUID:u\r\nN;CHARSET=ISO-8859-1:M\xfcller;Eva\r\nFN:Eva\r\nTEL;CELL;PREF:1\r\nEND:VCARD\r\n",
     "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nN:Müller;Eva\r\nFN:Eva\r\nTEL;TYPE=CELL;TYPE=PREF:1\r\nEND:VCARD\r\n", WRITE_V30},
    {"an inline picture", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:u\r\nFN:A\r\nN:A;;;;\r\nPHOTO:data:image/png;base64,AAAA\r\nEND:VCARD\r\n",
     "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:A\r\nN:A;;;;\r\nPHOTO;ENCODING=b;TYPE=PNG:AAAA\r\nEND:VCARD\r\n", WRITE_V30},
    {"a birthday without a year", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:u\r\nFN:A\r\nN:A;;;;\r\nBDAY:--0412\r\nEND:VCARD\r\n",
     "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:A\r\nN:A;;;;\r\nBDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12\r\nEND:VCARD\r\n", WRITE_V30},
};

Test(vcard_write, what_a_strict_server_is_given)
{
    for (size_t i = 0; i < sizeof strict_rows / sizeof *strict_rows; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        struct fault why AUTO_FAULT = FAULT_INIT;
        const struct write_form form = {.versions = strict_rows[i].versions, .strict = true, .uid = STR("new-uid")};
        struct record *r = record_parse(&arena, RECORD_CONTACT, str_of(strict_rows[i].card), &key, &why);
        cr_assert(r, "%s", strict_rows[i].what);
        record_write_new(r, &form, &out, &why);
        cr_expect_str_eq(buf_cstr(&out), strict_rows[i].wanted, "%s:\n%s", strict_rows[i].what, buf_cstr(&out));
    }
}
