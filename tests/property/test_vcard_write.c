/* Random cards and random edits: a card comes back byte for byte; an edit changes only the lines of what it is about; the edited card
 * says exactly what was wanted; converting there and back says the same. */
#include "mapping/record_impl.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
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
    {"a line that would become a marker", "BEGIN:VCARD\nVERSION:3.0\nUID:u\nFN:A\nN:A;;;;\nBEGIN:V\032CARD\nEND:\032VCARD\nBEGIN\025:VCARD\nEND:VCARD\n",
     "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:A\r\nN:A;;;;\r\nEND:VCARD\r\n", WRITE_V30},
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

/* -- several edits at once, cards of all versions, everything seen in the wild: the elements are the old ones plus the edits, exactly;
 * every line no edit concerns is byte-equal and in its place. ROUND=n in the environment runs that round alone. -- */

enum { ROUNDS = 6000, SEED = 20261123, MOST_LINES = 14, MOST_EDITS = 6, MOST_ELEMENTS = 256 };
enum { IN_21 = 1, IN_30 = 2, IN_40 = 4, IN_NEW = IN_30 | IN_40, IN_ALL = 7, ONCE = 8 };

/* '#' is a random digit 1..4, '@' a group of the line's own. ONCE: a card has at most one line of that name. */
static const struct {
    unsigned in;
    const char *name, *text;
} lines[] = {
    {IN_ALL | ONCE, "N", "N:Fam#;Giv#;;;"},
    {IN_ALL | ONCE, "N", "N:Özdemir;Lale,Sü#;;Dr.;"},
    {IN_NEW | ONCE, "N", "N;LANGUAGE=de:Fam\\, groß#;Giv#;Zweit;;jr."},
    {IN_21 | ONCE, "N", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller#;J=C3=BCrgen;;;"},
    {IN_40 | ONCE, "N", "N;SORT-AS=\"sort#\":Fam#;Giv#"},
    {IN_ALL | ONCE, "FN", "FN:Giv# Fam#"},
    {IN_ALL | ONCE, "FN", "FN:Chefin #"},
    {IN_40 | ONCE, "FN", "FN;PREF=1:Chefin #"},
    {IN_NEW, "TEL", "TEL;TYPE=CELL:+49 171 #"},
    {IN_NEW, "TEL", "tel;type=WORK,voice:040/#"},
    {IN_NEW, "TEL", "@.TEL;TYPE=pref:040 #\n@.X-ABLabel:Zentrale #"},
    {IN_NEW, "TEL", "@.TEL:030 #"},
    {IN_40, "TEL", "TEL;VALUE=uri;TYPE=\"cell,home\":tel:+49-171-#"},
    {IN_21, "TEL", "TEL;CELL;PREF:+49 171 #"},
    {IN_21, "TEL", "TEL;WORK;FAX:040 #"},
    {IN_30, "EMAIL", "EMAIL;TYPE=INTERNET;TYPE=HOME:a#@b.de"},
    {IN_40, "EMAIL", "EMAIL;PREF=1:mailto:a#@b.de"},
    {IN_ALL, "EMAIL", "EMAIL:a#@B.de"},
    {IN_NEW, "ADR", "ADR;TYPE=HOME:;;Weg #\\, hinten;Kiel;;24103;DE"},
    {IN_NEW, "ADR", "@.ADR;TYPE=WORK:;;Weg #\\nTor 2;Kiel;;;\n@.X-ABADR:de\n@.X-ABLabel:Lager"},
    {IN_40, "ADR", "ADR;TYPE=home;LABEL=\"Frau #, im Hof^n2. Stock\":;;Weg #;Kiel;;24103;DE"},
    {IN_21, "ADR", "ADR;HOME;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;;Stra=C3=9Fe #=0D=0ATor;Kiel;;;DE"},
    {IN_30 | IN_21, "LABEL", "LABEL;TYPE=WORK:Herrn #\\, Abteilung"},
    {IN_ALL, "ORG", "ORG:Firma #;Abteilung"},
    {IN_ALL, "TITLE", "TITLE:Chef #"},
    {IN_ALL, "ROLE", "ROLE:Rolle #"},
    {IN_NEW, "NOTE", "NOTE:eins\\nzwei #\\, drei; vier"},
    {IN_NEW, "NOTE", "NOTE:ein langer Text der gefaltet wird, weil er die Breite einer Zeile übe\n rschreitet #"},
    {IN_21, "NOTE", "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:eins=0D=0Azwei =\n=C3=BC #"},
    {IN_NEW, "CATEGORIES", "CATEGORIES:rot#,blau#,grün\\,gelb"},
    {IN_ALL, "CATEGORIES", "CATEGORIES:rot#"},
    {IN_NEW, "NICKNAME", "NICKNAME:Nick#,Nack#"},
    {IN_21, "NICKNAME", "X-NICKNAME:Nick#"},
    {IN_NEW, "URL", "@.URL:http\\://a.de/#\n@.X-ABLabel:_$!<HomePage>!$_"},
    {IN_ALL, "URL", "URL:https://b.de/?q=#"},
    {IN_ALL, "BDAY", "BDAY:198#-04-12"},
    {IN_40, "BDAY", "BDAY:--041#"},
    {IN_30, "BDAY", "BDAY;VALUE=date;X-APPLE-OMIT-YEAR=1604:1604-1#-12"},
    {IN_ALL, "BDAY", "BDAY:circa 190#"},
    {IN_40, "ANNIVERSARY", "ANNIVERSARY:2001020#"},
    {IN_30, "ANNIVERSARY", "X-ANNIVERSARY:2001-02-0#"},
    {IN_30, "ANNIVERSARY", "@.X-ABDATE:2001-02-0#\n@.X-ABLabel:_$!<Anniversary>!$_"},
    {IN_NEW, "DATE", "@.X-ABDATE;TYPE=pref:200#-02-03\n@.X-ABLabel:Abitur"},
    {IN_30 | ONCE, "PHOTO", "PHOTO;ENCODING=b;TYPE=JPEG:AAA#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n AAAA"},
    {IN_40 | ONCE, "PHOTO", "PHOTO:data:image/png;base64,AAA#"},
    {IN_21 | ONCE, "PHOTO", "PHOTO;ENCODING=BASE64;TYPE=GIF:\n AAA#\n"},
    {IN_NEW | ONCE, "PHOTO", "PHOTO;VALUE=uri:https://c.de/#.jpg"},
    {IN_30, "KEY", "KEY;ENCODING=b:BBB#"},
    {IN_40, "KEY", "KEY;VALUE=text:pgp#"},
    {IN_NEW, "IMPP", "IMPP;X-SERVICE-TYPE=Skype;TYPE=HOME:skype:n#"},
    {IN_ALL, "X-JABBER", "X-JABBER:n#@b.de"},
    {IN_30 | IN_21, "GEO", "GEO:48.1;11.#"},
    {IN_40, "GEO", "GEO:geo:48.1,11.#"},
    {IN_ALL, "TZ", "TZ:Europe/Zone#"},
    {IN_30, "SORT", "SORT-STRING:sort#"},
    {IN_30, "KIND", "X-ABSHOWAS:COMPANY"},
    {IN_40, "KIND", "KIND:org"},
    {IN_30, "GENDER", "X-GENDER:Male"},
    {IN_40, "GENDER", "GENDER:F;sie#"},
    {IN_40, "LANG", "LANG;PREF=1:de-#"},
    {IN_30, "CLASS", "CLASS:PRIVATE"},
    {IN_NEW, "RELATED", "@.X-ABRELATEDNAMES:Eva #\n@.X-ABLabel:_$!<Spouse>!$_"},
    {IN_40, "RELATED", "RELATED;TYPE=friend:urn:uuid:6F4A2C11-0000-4000-8000-00000000000#"},
    {IN_30, "MEMBER", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:6f4a2c11-0000-4000-8000-00000000000#"},
    {IN_30, "AGENT", "AGENT:Vertreterin #"},
    {IN_ALL, "X-PHONETIC-FIRST-NAME", "X-PHONETIC-FIRST-NAME:ra#"},
    {IN_ALL, "X-FOO", "X-FOO;B=1;A=\"x;y\":a\\,b;c #"},
    {IN_NEW, "X-FOO", "@.X-FOO:frei #\n@.X-ABLabel:Eigenes"},
    {IN_ALL, "X-BAR", "X-BAR:C\\:\\\\ordner\\#"},
    {IN_NEW, "X-ABLABEL", "@.X-ABLabel:einsam #"},
    {IN_21, "X-FOO", "X-FOO;ENCODING=QUOTED-PRINTABLE:a=0D=0ATEL:#"},
    {IN_21, "NOTE", "NOTE;ENCODING=QUOTED-PRINTABLE:C:\\neu=0D=0ATEL:66#"},
    {IN_21, "CATEGORIES", "CATEGORIES;ENCODING=QUOTED-PRINTABLE:a=0Ab#,c\\,d"},
    {IN_21, "TEL", "TEL;CELL;ENCODING=QUOTED-PRINTABLE:1=0D=0ATEL:#"},
    {IN_21, "URL", "URL;ENCODING=QUOTED-PRINTABLE:http://a.de/=0D=0A#"},
    {IN_30, "TITLE", "TITLE;CHARSET=ISO-8859-1:K\xf6nig#"},
    {IN_ALL, "ROLE", "ROLE:L\xfc" "cke #"},
    {IN_30, "X-CHARSET", "X-CHARSET;CHARSET=ISO-8859-1:K\xf6nig\\,#"},
    {IN_30, "NOTE", "NOTE:a\\:b\\Nc#\\"},
    {IN_30, "ORG", "ORG:a\\;b#\\,c;d,e\\:"},
    {IN_NEW, "X-CARET", "X-CARET;A=\"b^nc;d\":#"},
    {IN_ALL, "X-BASE", "X-BASE;ENCODING=b:AAA#"},
    {IN_NEW, "TEL", "@.TEL:1#\n@.EMAIL:x#@y.de\n@.X-ABLabel:Zwei"},
    {IN_NEW, "URL", "@.URL:u#\n@.X-ABLabel:A#\n@.X-ABLabel:B"},
    {IN_30, "LABEL", "LABEL;TYPE=HOME,\"a b\":Frau #\\nHof"},
    {IN_30, "KEY", "KEY:t e x t #"},
    {IN_ALL, "SOUND", "SOUND;X-IRMC-N:kana#"},
    {IN_30, "SORT", "SORT-STRING:a\\,b#"},
    {IN_30, "ADR", "ADR;TYPE=HOME;LABEL=\"a, b #\":;;Hof,Tor #;Kiel"},
    {IN_30, "GENDER", "GENDER:f;x#"},
    {IN_30, "RELATED", "RELATED;VALUE=text:Ina\\, #"},
    {IN_NEW, "TEL", "\n@.TEL:9#\n@.X-ABLabel:Leer"},
    {IN_ALL, "TEL", "\n\nTEL:8#"},
    {IN_NEW, "TEL", "@.TE\n L;TYPE=HO\n ME:7#\n@.X-ABLabel:Fa\n ltig"},
    {IN_ALL, "", "kein Feld #"},
    {IN_ALL, "REV", "REV:2024-01-0#T00:00:00Z"},
    {IN_ALL, "PRODID", "PRODID:-//x//y #//DE"},
    {IN_ALL | ONCE, "UID", "UID:uid-#"},
};
enum { N_LINES = sizeof lines / sizeof *lines };

struct world {
    uint64_t seed;
    unsigned group;
};

static unsigned dice(struct world *w, unsigned limit)
{
    uint64_t z = (w->seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % limit);
}

static void add_line(struct world *w, const char *text, const char *end, struct buf *out)
{
    unsigned group = ++w->group;
    for (; *text; text++) {
        if (*text == '#') buf_addc(out, (char)('1' + dice(w, 4)));
        else if (*text == '@' && text[1] == '.')
            buf_addf(out, "%s%u", group % 3 ? "item" : "ITEM", group);
        else if (*text == '\n')
            buf_adds(out, end);
        else
            buf_addc(out, *text);
    }
    buf_adds(out, end);
}

static struct str make_card(struct world *w, struct arena *arena)
{
    static const char *const versions[] = {"2.1", "3.0", "4.0"};
    struct buf out AUTO_BUF = BUF_INIT;
    bool there[N_LINES] = {false};
    unsigned version = dice(w, 5) ? 1 + dice(w, 2) : 0, n = dice(w, MOST_LINES + 1);
    const char *end = dice(w, 4) ? "\r\n" : "\n";
    w->group = dice(w, 3);
    buf_addf(&out, "BEGIN:VCARD%sVERSION:%s%s", end, versions[version], end);
    while (n--) {
        unsigned pick = dice(w, N_LINES);
        bool taken = !(lines[pick].in & 1u << version);
        for (unsigned i = 0; i < N_LINES; i++)
            taken |= there[i] && (lines[pick].in & ONCE) && !strcmp(lines[i].name, lines[pick].name);
        if (taken) continue;
        there[pick] = true;
        add_line(w, lines[pick].text, end, &out);
    }
    buf_addf(&out, "END:VCARD%s", end);
    return arena_str(arena, buf_str(&out));
}

static struct record *read_card(struct arena *arena, struct str text)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = record_parse(arena, RECORD_CONTACT, text, &key, &why);
    cr_assert(r, "%s in\n%.*s", why.what ? why.what : "?", STR_ARG(text));
    return r;
}

/* -- edits and what must come of them -- */

struct bag {
    struct element list[MOST_ELEMENTS];
    size_t n;
};

static int by_key_and_value(const void *a, const void *b)
{
    const struct element *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static bool same(const struct element *a, const struct element *b)
{
    return a->key == b->key && a->value == b->value;
}

static void bag_take(struct bag *b, const struct element *e)
{
    for (size_t i = 0; i < b->n; i++)
        if (same(&b->list[i], e)) b->list[i] = b->list[--b->n];
}

static void bag_put(struct bag *b, const struct element *e)
{
    bag_take(b, e);
    cr_assert(b->n < MOST_ELEMENTS);
    b->list[b->n++] = *e;
}

static bool bag_has(const struct bag *b, const struct element *e)
{
    for (size_t i = 0; i < b->n; i++)
        if (same(&b->list[i], e)) return true;
    return false;
}

static bool bag_has_field(const struct bag *b, uint16_t field)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->list[i].field->id == field) return true;
    return false;
}

static void bag_of(struct bag *b, const struct record *r)
{
    const struct element *e = record_elements(r, &b->n);
    cr_assert(b->n <= MOST_ELEMENTS);
    if (b->n) memcpy(b->list, e, b->n * sizeof *e);
}

static bool is_single(const struct element *e)
{
    return e->field->arity != ARITY_SET;
}

struct edits {
    struct edit list[MOST_EDITS];
    size_t n;
};

static bool is_targeted(const struct edits *edits, const struct element *e)
{
    for (size_t i = 0; i < edits->n; i++)
        if ((edits->list[i].target && same(edits->list[i].target, e)) || (edits->list[i].source && same(edits->list[i].source, e)))
            return true;
    return false;
}

/* One edit the engine could ask for, or none; *wanted follows. */
static void make_edit(struct world *w, const struct record *target, const struct record *source, struct edits *edits, struct bag *wanted)
{
    size_t n, m;
    const struct element *t = record_elements(target, &n), *s = record_elements(source, &m);
    t = n ? &t[dice(w, (unsigned)n)] : NULL;
    s = m ? &s[dice(w, (unsigned)m)] : NULL;
    enum edit_kind kind = (enum edit_kind)dice(w, 3);
    if (kind != EDIT_ADD && (!t || is_targeted(edits, t))) return;
    if (kind != EDIT_REMOVE && (!s || is_targeted(edits, s) || bag_has(wanted, s))) return;
    if (kind == EDIT_ADD && is_single(s) && bag_has_field(wanted, s->field->id)) return;
    if (kind == EDIT_ADD) /* what was removed a moment ago would have been set */
        for (size_t i = 0; i < edits->n; i++)
            if (is_single(s) && edits->list[i].target && edits->list[i].target->field == s->field) return;
    if (kind == EDIT_SET && t->field != s->field) return;
    edits->list[edits->n++] = (struct edit){kind, kind == EDIT_ADD ? NULL : t, kind == EDIT_REMOVE ? NULL : s,
                                            kind == EDIT_REMOVE ? NULL : source};
    if (kind != EDIT_ADD) bag_take(wanted, t);
    if (kind != EDIT_REMOVE) bag_put(wanted, s);
}

/* An FN equal to the built name is no element: whether one is left depends on the names of the result. */
static void settle_fn(struct bag *b, const struct record *result)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct str built = vcard_built_name(&arena, result->card);
    for (size_t i = 0; i < b->n; i++)
        if (b->list[i].field->id == FIELD_FN && str_eq(b->list[i].value_text, built)) b->list[i--] = b->list[--b->n];
}

static void add_elements(const char *title, const struct bag *b, struct buf *out)
{
    buf_addf(out, "-- %s\n", title);
    for (size_t i = 0; i < b->n; i++)
        buf_addf(out, "%.*s = %.*s\n", STR_ARG(b->list[i].key_text), STR_ARG(b->list[i].value_text));
}

static void add_edit(const struct edit *e, struct buf *out)
{
    static const char *const words[] = {"add", "set", "remove"};
    buf_adds(out, words[e->kind]);
    if (e->target) buf_addf(out, " [%.*s = %.*s]", STR_ARG(e->target->key_text), STR_ARG(e->target->value_text));
    if (e->source) buf_addf(out, " -> [%.*s = %.*s]", STR_ARG(e->source->key_text), STR_ARG(e->source->value_text));
    buf_addc(out, '\n');
}

static bool same_bags(struct bag *a, struct bag *b)
{
    if (a->n) qsort(a->list, a->n, sizeof *a->list, by_key_and_value);
    if (b->n) qsort(b->list, b->n, sizeof *b->list, by_key_and_value);
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (!same(&a->list[i], &b->list[i])) return false;
    return a->n == b->n;
}

/* -- lines no edit concerns -- */

static bool concerns_names(const struct edits *edits)
{
    for (size_t i = 0; i < edits->n; i++) {
        const struct element *e = edits->list[i].target ? edits->list[i].target : edits->list[i].source;
        if (e->field->id <= FIELD_FN || e->field->id == FIELD_ORG) return true;
    }
    return false;
}

static bool shares_group(const struct vcard *c, size_t a, size_t b)
{
    return c->props[a].group.p && c->props[b].group.p && str_eq_nocase(c->props[a].group, c->props[b].group);
}

/* Marks the properties an edit may change: the element's own places, their labels, and where new list items go. */
static void mark_concerned(const struct record *r, const struct edits *edits, bool *concerned)
{
    size_t n;
    const struct element *all = record_occurrences(r, &n);
    const struct vcard *c = r->card;
    for (size_t i = 0; i < edits->n; i++) {
        const struct element *t = edits->list[i].target, *any = t ? t : edits->list[i].source;
        for (size_t k = 0; t && k < n; k++)
            if (same(&all[k], t)) concerned[all[k].prop] = true;
        for (size_t k = 0; k < c->n_props; k++) {
            uint16_t field = property_row(c->props[k].name)->field;
            bool list = any->field->id == FIELD_CATEGORY || any->field->id == FIELD_NICKNAME;
            bool name = any->field->id <= FIELD_NAME_SUFFIX && field == FIELD_NAME_FAMILY;
            bool date = any->field->id == FIELD_ANNIVERSARY && field == FIELD_DATE;
            if (name || date || (field == any->field->id && (list || is_single(any)))) concerned[k] = true;
        }
    }
    for (size_t k = 0; k < c->n_props; k++) {
        if (concerns_names(edits) && str_eq(c->props[k].name, STR("FN"))) concerned[k] = true;
        if (!str_eq(c->props[k].name, STR("X-ABLABEL")) && !str_eq(c->props[k].name, STR("X-ABADR"))) continue;
        for (size_t i = 0; i < c->n_props; i++)
            if (concerned[i] && shares_group(c, i, k)) concerned[k] = true;
    }
}

/* No sign of a property in its first line: behind another line it could be read as the rest of that, so that it may move or be
 * written anew. */
static bool is_bare(const struct property *p)
{
    struct str raw = str_trim(p->raw);
    for (size_t i = 0; i < raw.n && raw.p[i] != '\n' && raw.p[i] != '\r'; i++)
        if (raw.p[i] == ':' || raw.p[i] == ';') return false;
    return true;
}

static const char *moved_line(const struct record *before, const struct record *after, const struct edits *edits)
{
    const struct vcard *c = before->card, *d = after->card;
    bool *concerned = mem_calloc(c->n_props + 1, sizeof *concerned);
    mark_concerned(before, edits, concerned);
    const char *moved = NULL;
    size_t at = 0;
    for (size_t i = 0; i < c->n_props && !moved; i++) {
        if (concerned[i] || is_bare(&c->props[i])) continue;
        while (at < d->n_props && !str_eq(str_trim(c->props[i].raw), str_trim(d->props[at].raw))) at++;
        if (at++ == d->n_props) moved = c->props[i].raw.p;
    }
    free(concerned);
    return moved;
}

/* -- the rounds -- */

static void tell(unsigned round, const struct record *before, const struct record *source, const struct edits *edits, struct str after,
                 struct buf *out)
{
    buf_addf(out, "seed %d round %u\n%.*s-- source\n%.*s-- edits\n", SEED, round, STR_ARG(before->bytes), STR_ARG(source->bytes));
    for (size_t i = 0; i < edits->n; i++) add_edit(&edits->list[i], out);
    buf_addf(out, "-- written\n%.*s", STR_ARG(after));
}

static bool check_edited(unsigned round)
{
    struct world w = {.seed = SEED + round};
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct buf out AUTO_BUF = BUF_INIT;
    struct buf story AUTO_BUF = BUF_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct record *target = read_card(&arena, make_card(&w, &arena)), *source = read_card(&arena, make_card(&w, &arena));
    struct edits edits = {.n = 0};
    struct bag wanted, got;
    bag_of(&wanted, target);
    for (unsigned tries = dice(&w, 2 * MOST_EDITS); tries && edits.n < MOST_EDITS; tries--) make_edit(&w, target, source, &edits, &wanted);
    struct write_form form = {0};
    enum fault_code code = record_write_edited(target, edits.list, edits.n, &form, &out, &f);
    tell(round, target, source, &edits, buf_str(&out), &story);
    if (code) {
        printf("refused (%s)\n%s\n", f.what, buf_cstr(&story));
        return false;
    }
    struct record *result = read_card(&arena, arena_str(&arena, buf_str(&out)));
    bag_of(&got, result);
    settle_fn(&wanted, result);
    add_elements("wanted", &wanted, &story);
    add_elements("got", &got, &story);
    const char *moved = moved_line(target, result, &edits);
    bool untouched = edits.n || str_eq(buf_str(&out), target->bytes);
    bool right = same_bags(&wanted, &got);
    if (right && untouched && !moved) return true;
    printf("%s\n%s\n", !right ? "other elements" : moved ? "a line no edit concerns" : "no edits, other bytes", buf_cstr(&story));
    return false;
}

Test(vcard_write, random_edits)
{
    const char *only = getenv("ROUND");
    unsigned failed = 0;
    for (unsigned round = only ? (unsigned)atoi(only) : 0; round < ROUNDS && failed < 3; round++) {
        failed += !check_edited(round);
        if (only) break;
    }
    cr_assert(!failed);
}

static bool is_strict_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\n' && (!i || s.p[i - 1] != '\r')) return false;
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f) return false;
    }
    return true;
}

static size_t count_named(const struct vcard *c, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_props; i++) n += str_eq(c->props[i].name, str_of(name));
    return n;
}

static bool check_new(unsigned round)
{
    struct world w = {.seed = SEED + 1000000 + round};
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct buf out AUTO_BUF = BUF_INIT;
    struct buf story AUTO_BUF = BUF_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct record *r = read_card(&arena, make_card(&w, &arena));
    struct write_form form = {.versions = dice(&w, 4), .strict = dice(&w, 2), .uid = STR("given")};
    cr_assert_eq(record_write_new(r, &form, &out, &f), FAULT_NONE);
    struct record *result = read_card(&arena, arena_str(&arena, buf_str(&out)));
    struct bag wanted, got;
    bag_of(&wanted, r);
    bag_of(&got, result);
    bool fn_made = form.strict && !count_named(r->card, "FN");
    for (size_t i = 0; fn_made && i < got.n; i++)
        if (got.list[i].field->id == FIELD_FN) got.list[i--] = got.list[--got.n];
    buf_addf(&story, "seed %d round %u, versions %u%s\n%.*s-- written\n%.*s", SEED, round, form.versions, form.strict ? ", strict" : "",
             STR_ARG(r->bytes), STR_ARG(buf_str(&out)));
    add_elements("wanted", &wanted, &story);
    add_elements("got", &got, &story);
    const struct vcard *c = result->card;
    bool fits = !form.versions || form.versions & (c->version == VCARD_40 ? WRITE_V40 : c->version == VCARD_30 ? WRITE_V30 : 0);
    if (form.strict)
        fits &= is_strict_text(buf_str(&out)) && count_named(c, "FN") && count_named(c, "UID") == 1 && count_named(c, "VERSION") == 1 &&
                count_named(c, "REV") <= 1 && count_named(c, "PRODID") <= 1 &&
                (count_named(c, "N") || c->version == VCARD_40);
    if (fits && same_bags(&wanted, &got)) return true;
    printf("%s\n%s\n", fits ? "other elements" : "does not fit the form", buf_cstr(&story));
    return false;
}

Test(vcard_write, random_new)
{
    const char *only = getenv("ROUND");
    unsigned failed = 0;
    for (unsigned round = only ? (unsigned)atoi(only) : 0; round < ROUNDS && failed < 3; round++) {
        failed += !check_new(round);
        if (only) break;
    }
    cr_assert(!failed);
}
