#include "mapping/phonebook_form.h"

#include "base/i18n.h"
#include "mapping/text.h"

static const struct phone_family families[] = {
    {"yealink/v1", "Yealink", false, NUMBER_E164, 0, 32, 0, yealink_write},
    {"snom/v1", "snom", true, NUMBER_E164, 0, 0, 0, snom_write},
    {"gigaset/v1", "Gigaset", false, NUMBER_IDD, 32, 32, 2000, gigaset_write},
};

const struct phone_family *phone_family_at(size_t i)
{
    return i < sizeof families / sizeof *families ? &families[i] : NULL;
}

const struct phone_family *phone_family_of(const char *path, const char **file)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        size_t n = strlen(families[i].path);
        if (strncmp(path, families[i].path, n) != 0 || (path[n] && path[n] != '/')) continue;
        *file = path[n] ? path + n + 1 : "";
        return &families[i];
    }
    return NULL;
}

/* Length of the character at s, and whether XML 1.0 has it. */
static size_t character(struct str s, bool *allowed)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (n > s.n) n = s.n;
    *allowed = c >= 0x20 && c != 0x7f && !(n == 3 && memcmp(s.p, "\xef\xbf", 2) == 0 && (unsigned char)s.p[2] >= 0xbe);
    return n;
}

void xml_add(struct buf *out, struct str text, size_t max)
{
    size_t written = 0;
    while (text.n && (!max || written < max)) {
        bool allowed;
        size_t n = character(text, &allowed);
        bool blank = text.p[0] == '\n' || text.p[0] == '\r' || text.p[0] == '\t';
        if (blank)
            buf_addc(out, ' ');
        else if (allowed && n == 1 && text.p[0] == '&')
            buf_adds(out, "&amp;");
        else if (allowed && n == 1 && text.p[0] == '<')
            buf_adds(out, "&lt;");
        else if (allowed && n == 1 && text.p[0] == '>')
            buf_adds(out, "&gt;");
        else if (allowed && n == 1 && text.p[0] == '"')
            buf_adds(out, "&quot;");
        else if (allowed && n == 1 && text.p[0] == '\'')
            buf_adds(out, "&#39;");
        else if (allowed)
            buf_add(out, text.p, n);
        written += allowed || blank;
        text = (struct str){text.p + n, text.n - n};
    }
}

void entry_name(const struct phonebook_entry *e, struct buf *out)
{
    if (e->family.n && e->given.n)
        buf_addf(out, "%.*s, %.*s", STR_ARG(e->family), STR_ARG(e->given));
    else
        buf_addstr(out, e->family.n ? e->family : e->given.n ? e->given : e->display);
}

bool entry_dial(const struct phonebook_number *n, const struct form_settings *s, enum number_form family, size_t max,
                struct buf *out)
{
    size_t before = out->len;
    if (!phone_is_voice((enum phone_kind)n->kind)) return false;
    if (!number_dial(n, s->form_is_set ? s->form : family, s->line, s->region, out)) return false;
    if (!max || out->len - before <= max) return true;
    buf_truncate(out, before);
    return false;
}

bool entry_is_first(const struct phonebook_entry *e, size_t at, const struct form_settings *s, enum number_form family,
                    size_t max)
{
    struct buf this AUTO_BUF = BUF_INIT;
    if (!entry_dial(&e->numbers[at], s, family, max, &this)) return false;
    for (size_t i = 0; i < at; i++) {
        struct buf other AUTO_BUF = BUF_INIT;
        if (entry_dial(&e->numbers[i], s, family, max, &other) && str_eq(buf_str(&other), buf_str(&this))) return false;
    }
    return true;
}

bool entry_is_dialled(const struct phonebook_entry *e, const struct form_settings *s, enum number_form family,
                      size_t max)
{
    for (size_t i = 0; i < e->n_numbers; i++) {
        struct buf number AUTO_BUF = BUF_INIT;
        if (entry_dial(&e->numbers[i], s, family, max, &number)) return true;
    }
    return false;
}

bool entry_matches(const struct phonebook_entry *e, struct str folded)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    if (!folded.n) return true;
    const char *all = arena_printf(&scratch, "%.*s %.*s %.*s %.*s", STR_ARG(e->family), STR_ARG(e->given),
                                   STR_ARG(e->company), STR_ARG(e->display));
    return str_find(text_fold(&scratch, str_of(all)), folded) != (size_t)-1;
}

int64_t query_number(const struct form_query *q, const char *name, int64_t otherwise)
{
    const char *text = q->get(q->ctx, name);
    long long n;
    return text && str_to_int64(str_of(text), &n) ? n : otherwise;
}
