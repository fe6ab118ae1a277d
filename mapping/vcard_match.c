#include "mapping/record_impl.h"

#include "mapping/phone.h"
#include "mapping/text.h"
#include "mapping/vcard_values.h"

#include "base/i18n.h"

#include <stdlib.h>

/* The first property of a name that says something, or NULL. */
static const struct property *first_of(const struct vcard *c, const char *name)
{
    struct str wanted = str_of(name);
    for (size_t i = 0; i < c->n_props; i++)
        if (str_eq(c->props[i].name, wanted) && str_trim(c->props[i].value).n) return &c->props[i];
    return NULL;
}

static struct str text_of(struct arena *arena, const struct vcard *c, const char *name)
{
    const struct property *p = first_of(c, name);
    return p ? vcard_normal_text(arena, c, p, p->value) : STR_NONE;
}

/* -- names -- */

struct name {
    struct str parts[5]; /* family, given, additional, prefix, suffix; list items joined by a space */
};

static struct str spaced_items(const struct reader *r, const struct property *p, struct str part)
{
    struct str s = value_items(r, p, part);
    if (!s.n || !memchr(s.p, PART_SEPARATOR, s.n)) return s;
    char *copy = arena_strdup(r->arena, s);
    for (size_t i = 0; i < s.n; i++)
        if (copy[i] == PART_SEPARATOR) copy[i] = ' ';
    return (struct str){copy, s.n};
}

static bool read_name(struct arena *arena, const struct vcard *c, struct name *out)
{
    *out = (struct name){0};
    struct buf scratch AUTO_BUF = BUF_INIT;
    const struct reader r = {arena, c, &scratch};
    for (size_t i = 0; i < c->n_props; i++) {
        const struct property *p = &c->props[i];
        if (!str_eq(p->name, STR("N"))) continue;
        const struct str *parts;
        size_t n = vcard_split(arena, p->value, ';', &parts), found = 0;
        for (size_t k = 0; k < 5; k++) {
            out->parts[k] = k < n ? spaced_items(&r, p, parts[k]) : STR_NONE;
            found += out->parts[k].n > 0;
        }
        if (found) return true;
    }
    return false;
}

static struct str join_words(struct arena *arena, const struct str *words, size_t n)
{
    size_t bytes = 0, used = 0, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (!words[i].n) continue;
        bytes += words[i].n + 1;
        used++, last = i;
    }
    if (used <= 1) return used ? words[last] : STR_NONE;
    char *out = arena_alloc(arena, bytes);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (!words[i].n) continue;
        if (at) out[at++] = ' ';
        memcpy(out + at, words[i].p, words[i].n);
        at += words[i].n;
    }
    return (struct str){out, at};
}

/* ORG without its units, or the first unit where only a unit is named (vcard 5). */
static struct str company(struct arena *arena, const struct vcard *c)
{
    const struct property *p = first_of(c, "ORG");
    if (!p) return STR_NONE;
    const struct str *parts;
    size_t n = vcard_split(arena, p->value, ';', &parts);
    for (size_t i = 0; i < n; i++) {
        struct str s = vcard_normal_text(arena, c, p, parts[i]);
        if (s.n) return s;
    }
    return STR_NONE;
}

struct str vcard_built_name(struct arena *arena, const struct vcard *c)
{
    struct name n;
    if (!read_name(arena, c, &n)) return company(arena, c);
    const struct str words[] = {n.parts[3], n.parts[1], n.parts[2], n.parts[0], n.parts[4]};
    return join_words(arena, words, 5);
}

/* -- what the card is -- */

static bool has_kind(const struct vcard *c, const char *name, struct str kind)
{
    const struct property *p = first_of(c, name);
    return p && str_eq_nocase(str_trim(p->value), kind);
}

bool vcard_is_group(const struct vcard *c)
{
    return has_kind(c, "KIND", STR("group")) || has_kind(c, "X-ADDRESSBOOKSERVER-KIND", STR("group"));
}

static bool is_company(const struct vcard *c)
{
    return has_kind(c, "KIND", STR("org")) || has_kind(c, "X-ABSHOWAS", STR("company"));
}

struct str vcard_uid(const struct record *r)
{
    struct str uid = uid_normal(r->arena, text_of(r->arena, r->card, "UID"));
    return uid.n ? uid : STR_NONE;
}

static struct str family_first(struct arena *arena, const struct name *n)
{
    struct str family = n->parts[0], given = n->parts[1].n ? n->parts[1] : n->parts[2];
    if (!family.n || !given.n) return family.n ? family : given;
    return str_of(arena_printf(arena, "%.*s, %.*s", STR_ARG(family), STR_ARG(given)));
}

struct str vcard_title(const struct record *r)
{
    struct name n;
    struct str title = STR_NONE;
    if (!is_company(r->card) && !vcard_is_group(r->card) && read_name(r->arena, r->card, &n))
        title = family_first(r->arena, &n);
    if (!title.n && is_company(r->card)) title = company(r->arena, r->card);
    static const char *const others[] = {"FN", "ORG", "NICKNAME", "EMAIL", "TEL", "UID"};
    for (size_t i = 0; !title.n && i < sizeof others / sizeof *others; i++)
        title =
            str_eq(str_of(others[i]), STR("ORG")) ? company(r->arena, r->card) : text_of(r->arena, r->card, others[i]);
    return title.n ? title : str_of(_("(no name)"));
}

/* -- signals -- */

static uint64_t hash_folded(const struct record *r, struct str folded)
{
    return folded.n ? hash_str(&r->key, folded) : 0;
}

/* "Lale Özdemir" is "oezdemir lale"; "Özdemir, Lale" already is in that order. */
static struct str turn_displayed(struct arena *arena, struct str shown)
{
    struct str s = str_trim(shown);
    if (!s.p) return s;
    const char *space = memrchr(s.p, ' ', s.n);
    if (!space || memchr(s.p, ',', s.n)) return text_fold(arena, s);
    struct str given = {s.p, (size_t)(space - s.p)}, family = {space + 1, s.n - given.n - 1};
    const struct str words[] = {text_fold(arena, family), text_fold(arena, given)};
    return join_words(arena, words, 2);
}

static struct str folded_name(const struct record *r, struct arena *arena)
{
    const struct vcard *c = r->card;
    struct str shown = text_of(arena, c, "FN");
    if (vcard_is_group(c)) return text_fold(arena, shown);
    struct str firm = company(arena, c);
    if (is_company(c)) return text_fold(arena, firm.n ? firm : shown);
    struct name n;
    if (read_name(arena, c, &n) && (n.parts[0].n || n.parts[1].n)) {
        const struct str words[] = {text_fold(arena, n.parts[0]), text_fold(arena, n.parts[1])};
        return join_words(arena, words, 2);
    }
    if (shown.n && !str_eq(shown, firm)) return turn_displayed(arena, shown);
    return text_fold(arena, firm);
}

/* The address alone, in lower case: "Lale <L@b.de>" is l@b.de. */
static uint64_t email_signal(const struct record *r, struct arena *arena, struct str email)
{
    const char *open = memrchr(email.p, '<', email.n);
    if (open && email.p[email.n - 1] == '>') email = (struct str){open + 1, (size_t)(email.p + email.n - open - 2)};
    email = str_trim(email);
    return email.n && memchr(email.p, '@', email.n) ? hash_str(&r->key, ascii_lower(arena, email)) : 0;
}

/* Short codes and internal numbers are no signal: many people share them. */
static uint64_t phone_signal(const struct record *r, const char *region, struct str number)
{
    struct buf key AUTO_BUF = BUF_INIT;
    phone_key(number, region, &key);
    return str_starts(buf_str(&key), STR("raw:")) ? 0 : hash_str(&r->key, buf_str(&key));
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t sort_unique(uint64_t *list, size_t n)
{
    if (n) qsort(list, n, sizeof *list, by_number);
    size_t kept = n > 0;
    for (size_t i = 1; i < n; i++)
        if (list[i] != list[kept - 1]) list[kept++] = list[i];
    return kept;
}

static void collect_addresses(const struct record *r, const char *region, struct arena *arena, struct signals *out)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    uint64_t *emails = arena_alloc(arena, (n + 1) * sizeof *emails),
             *phones = arena_alloc(arena, (n + 1) * sizeof *phones);
    for (size_t i = 0; i < n; i++) {
        uint16_t field = e[i].field->id;
        uint64_t h = field == FIELD_EMAIL ? email_signal(r, arena, e[i].value_text)
                     : field == FIELD_TEL ? phone_signal(r, region, e[i].value_text)
                                          : 0;
        if (!h) continue;
        if (field == FIELD_EMAIL)
            emails[out->n_emails++] = h;
        else
            phones[out->n_phones++] = h;
    }
    out->n_emails = sort_unique(emails, out->n_emails);
    out->n_phones = sort_unique(phones, out->n_phones);
    out->emails = emails;
    out->phones = phones;
}

void vcard_signals(const struct record *r, const char *region, struct arena *arena, struct signals *out)
{
    *out = (struct signals){0};
    out->uid = hash_folded(r, vcard_uid(r));
    out->name = hash_folded(r, folded_name(r, arena));
    out->org = hash_folded(r, text_fold(arena, company(arena, r->card)));
    collect_addresses(r, region, arena, out);
}
