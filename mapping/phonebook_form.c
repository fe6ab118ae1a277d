#include "mapping/phonebook_form.h"

#include "base/i18n.h"
#include "mapping/phone.h"
#include "mapping/text.h"

#include <stdio.h>

static const struct phone_family families[] = {
    {"yealink/v1", "Yealink", false, yealink_write, "format menu letter q"},
    {"snom/v1", "snom", true, snom_write, "format q offset limit"},
    {"gigaset/v1", "Gigaset", false, gigaset_write,
     "command ?command type first last count limit reqid set_first id ln fn nn ct zc st nr co hm mb fx sip em in bp "
     "cpn cat wh bi "
     "jid"},
    {"grandstream/v1", "Grandstream", false, grandstream_write, "format"},
    {"fritzbox/v1", "FRITZ!Box", false, fritzbox_write, ""},
    {"cisco/v1", "Cisco", false, cisco_write, "q offset"},
    {"fanvil/v1", "Fanvil", false, fanvil_write, "format"},
};
/* Understood by every family. */
static const char general[] = "num fax names company max";

const struct phone_family *phone_family_at(size_t i)
{
    return i < sizeof families / sizeof *families ? &families[i] : NULL;
}

const struct phone_family *phone_family_of(const char *path, const char **file)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        size_t n = strlen(families[i].path);
        if (strncmp(path, families[i].path, n) != 0 || (path[n] && path[n] != '/')) continue;
        *file = path + n;
        while (**file == '/') ++*file; /* DECT bases put "Server/" and "/Filename" together */
        return &families[i];
    }
    return NULL;
}

/* -- settings -- */

static bool yes_or_no(const char *value, bool *out)
{
    static const struct {
        const char *word;
        bool yes;
    } words[] = {{"yes", true}, {"1", true}, {"no", false}, {"0", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(value, words[i].word) == 0) {
            *out = words[i].yes;
            return true;
        }
    return false;
}

static bool take_number(struct form_settings *s, const char *value)
{
    bool known = number_form_parse(str_of(value), &s->form);
    s->form_is_set |= known;
    return known;
}

static bool take_line(struct form_settings *s, const char *value)
{
    if (!*value || strlen(value) > 8 || strspn(value, "0123456789*#") != strlen(value)) return false;
    s->line = value;
    return true;
}

static bool take_area(struct form_settings *s, const char *value)
{
    if (!*value || strlen(value) > 8 || strspn(value, "0123456789") != strlen(value)) return false;
    s->area = value;
    return true;
}

static bool take_country(struct form_settings *s, const char *value)
{
    struct buf code AUTO_BUF = BUF_INIT, trunk AUTO_BUF = BUF_INIT;
    if (!phone_country(value, &code, &trunk)) return false;
    s->region = value;
    return true;
}

static bool take_fax(struct form_settings *s, const char *value)
{
    return yes_or_no(value, &s->fax);
}

static bool take_names(struct form_settings *s, const char *value)
{
    return name_letters_parse(str_of(value), &s->letters);
}

static bool take_company(struct form_settings *s, const char *value)
{
    return yes_or_no(value, &s->company);
}

static bool take_max(struct form_settings *s, const char *value)
{
    long long n;
    if (!str_to_int64(str_of(value), &n) || n < 1) return false;
    s->max = (size_t)n;
    return true;
}

static const struct {
    const char *key, *parameter; /* parameter: of the address; NULL = none */
    bool (*take)(struct form_settings *s, const char *value);
} settings_rows[] = {
    {"number", "num", take_number},       {"line", NULL, take_line},        {"area", NULL, take_area},
    {"country", NULL, take_country},      {"include_fax", "fax", take_fax}, {"names", "names", take_names},
    {"company", "company", take_company}, {NULL, "max", take_max},
};

bool form_setting_take(struct form_settings *s, struct str key, const char *value)
{
    for (size_t i = 0; i < sizeof settings_rows / sizeof *settings_rows; i++)
        if (settings_rows[i].key && str_eq(key, str_of(settings_rows[i].key))) return settings_rows[i].take(s, value);
    return false;
}

/* -- what is asked -- */

/* The next of the words, and what follows. False: none is left. */
static bool next_word(struct str *words, struct str *word)
{
    while (words->n && words->p[0] == ' ') *words = (struct str){words->p + 1, words->n - 1};
    *word = words->n ? str_split(words, ' ') : STR_NONE;
    return word->n > 0;
}

static bool has_word(const char *words, struct str name)
{
    struct str rest = str_of(words), word;
    while (next_word(&rest, &word))
        if (str_eq(word, name)) return true;
    return false;
}

/* What a writer sees: nothing that is not named in its row, for that is what answers are kept under. */
struct restricted {
    const struct form_query *query;
    const struct phone_family *family;
};

static const char *restricted_get(void *ctx, const char *name)
{
    const struct restricted *r = ctx;
    struct str word = str_of(name);
    bool known = has_word(r->family->parameters, word) || has_word(general, word);
    return known ? r->query->get(r->query->ctx, name) : NULL;
}

bool phone_family_write(const struct phone_family *family, const struct phonebook *p, const struct form_settings *own,
                        const struct form_query *query, struct buf *out, const char **type)
{
    struct restricted r = {query, family};
    const struct form_query seen = {restricted_get, &r, query->file, query->url, query->pass};
    struct form_settings settings = *own;
    for (size_t i = 0; i < sizeof settings_rows / sizeof *settings_rows; i++) {
        const char *value = settings_rows[i].parameter ? query->get(query->ctx, settings_rows[i].parameter) : NULL;
        if (value) settings_rows[i].take(&settings, value);
    }
    return family->write(p, &settings, &seen, out, type);
}

void phone_family_each_parameter(const struct phone_family *family, const struct form_query *query,
                                 void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
    const char *const lists[] = {family->parameters, general};
    for (size_t i = 0; i < 2; i++) {
        struct str rest = str_of(lists[i]), word;
        while (next_word(&rest, &word)) {
            char name[32];
            snprintf(name, sizeof name, "%.*s", STR_ARG(word));
            const char *value = query->get(query->ctx, name);
            if (value) fn(ctx, name, value);
        }
    }
}

static void add_parameter(void *ctx, const char *name, const char *value)
{
    buf_addf(ctx, "&%s=%zu:%s", name, strlen(value), value);
}

void phone_family_key(const struct phone_family *family, const struct form_query *query, struct buf *out)
{
    buf_addf(out, "%s/%s", family->path, query->file);
    phone_family_each_parameter(family, query, add_parameter, out);
    buf_addf(out, " %s %s", query->url, query->pass ? query->pass : ""); /* links carry them */
}

int64_t query_number(const struct form_query *q, const char *name, int64_t otherwise)
{
    const char *text = q->get(q->ctx, name);
    long long n;
    return text && str_to_int64(str_of(text), &n) ? n : otherwise;
}

bool query_is(const struct form_query *q, const char *name, const char *value)
{
    const char *text = q->get(q->ctx, name);
    return text && strcmp(text, value) == 0;
}

void form_link(const struct form_query *q, const char *file, const char *more, struct buf *out)
{
    struct str rest = STR(general), word;
    char joint = '?';
    buf_addf(out, "%s%s%s", q->url, *file ? "/" : "", file);
    if (more) {
        buf_addf(out, "?%s", more);
        joint = '&';
    }
    while (next_word(&rest, &word)) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", STR_ARG(word));
        const char *value = q->get(q->ctx, name);
        if (!value) continue;
        buf_addf(out, "%c%s=", joint, name);
        url_add(out, str_of(value));
        joint = '&';
    }
    if (q->pass) buf_addf(out, "%cpass=%s", joint, q->pass);
}

/* -- searching -- */

struct search search_of(const struct form_query *q, struct arena *arena)
{
    const char *text = q->get(q->ctx, "q");
    struct search s = {.arena = arena};
    struct buf digits AUTO_BUF = BUF_INIT;
    if (!text) return s;
    s.is_asked = true;
    if (strcmp(text, "#SEARCH") == 0) return s; /* the phone put nothing in */
    s.folded = text_fold(arena, str_of(text));
    if (number_clean(str_of(text), &digits) && digits.len > 2) s.digits = arena_str(arena, buf_str(&digits));
    return s;
}

/* "040 31" and "+4940 31" find the same numbers. */
static bool number_has(const struct phonebook_number *n, struct str digits)
{
    struct buf stored AUTO_BUF = BUF_INIT;
    struct str d = digits;
    size_t front = str_starts(d, STR("00")) ? 2 : d.p[0] == '+' || d.p[0] == '0';
    d = (struct str){d.p + front, d.n - front};
    if (n->e164.n && str_find(n->e164, d) != (size_t)-1) return true;
    return number_clean(n->text, &stored) && str_find(buf_str(&stored), digits) != (size_t)-1;
}

bool search_takes(void *ctx, const struct phonebook_entry *e)
{
    const struct search *s = ctx;
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    if (!s->folded.n) return true;
    for (size_t i = 0; s->digits.n && i < e->n_numbers; i++)
        if (number_has(&e->numbers[i], s->digits)) return true;
    const char *all = arena_printf(&scratch, "%.*s %.*s %.*s %.*s", STR_ARG(e->family), STR_ARG(e->given),
                                   STR_ARG(e->company), STR_ARG(e->display));
    return str_find(text_fold(&scratch, str_of(all)), s->folded) != (size_t)-1;
}

/* -- names -- */

void entry_name(const struct phonebook_entry *e, struct buf *out)
{
    if (e->family.n && e->given.n)
        buf_addf(out, "%.*s, %.*s", STR_ARG(e->family), STR_ARG(e->given));
    else
        buf_addstr(out, e->family.n ? e->family : e->given.n ? e->given : e->display);
}

const char *phone_kind_word(enum phone_kind kind)
{
    static const char *const words[PHONE_KINDS] = {N_("Work"),   N_("Home"),  N_("Fax"),
                                                   N_("Mobile"), N_("Pager"), N_("Other")};
    return _(words[kind]);
}
