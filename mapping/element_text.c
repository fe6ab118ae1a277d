#include "mapping/record_impl.h"

#include "mapping/text.h"
#include "mapping/vcard_values.h"

#include "base/i18n.h"

/* TYPE words and Apple's built-in labels, as people call them. Any other is shown as it is, a TYPE in lower case. */
static const struct {
    struct str word;
    const char *text;
} words[] = {
    {{"HOME", 4}, N_("home")},
    {{"WORK", 4}, N_("work")},
    {{"CELL", 4}, N_("cell")},
    {{"FAX", 3}, N_("fax")},
    {{"PAGER", 5}, N_("pager")},
    {{"VIDEO", 5}, N_("video")},
    {{"CAR", 3}, N_("car")},
    {{"MAIN", 4}, N_("main")},
    {{"TEXT", 4}, N_("text")},
    {{"SPOUSE", 6}, N_("spouse")},
    {{"CHILD", 5}, N_("child")},
    {{"FRIEND", 6}, N_("friend")},
    {{"ASSISTANT", 9}, N_("assistant")},
    {{"MANAGER", 7}, N_("manager")},
    {{"AGENT", 5}, N_("agent")},
    {{"ANNIVERSARY", 11}, N_("anniversary")},
    {{"HOMEPAGE", 8}, N_("home page")},
    {{"MOBILE", 6}, N_("cell")},
};

static bool add_known(struct buf *out, struct str word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_eq_nocase(word, words[i].word)) continue;
        buf_adds(out, _(words[i].text));
        return true;
    }
    return false;
}

static void add_word(struct buf *out, struct str word)
{
    if (add_known(out, word)) return;
    for (size_t i = 0; i < word.n; i++)
        buf_addc(out, word.p[i] >= 'A' && word.p[i] <= 'Z' ? (char)(word.p[i] + 32) : word.p[i]);
}

/* "_$!<Home>!$_" is Apple's key for a word; everything else is somebody's own text. */
static void add_own_label(struct buf *out, struct str label)
{
    struct str open = STR("_$!<"), close = STR(">!$_");
    if (str_starts(label, open) && str_ends(label, close) && label.n >= open.n + close.n)
        add_word(out, (struct str){label.p + open.n, label.n - open.n - close.n});
    else
        buf_addstr(out, label);
}

static void separate(struct buf *out, size_t before)
{
    if (out->len > before) buf_adds(out, ", ");
}

static void add_types(struct buf *out, struct str list)
{
    while (list.n) {
        add_word(out, str_split(&list, ','));
        if (list.n) buf_adds(out, ", ");
    }
}

static bool has_spelling(uint16_t field)
{
    return field == FIELD_IMPP || field == FIELD_X || field == FIELD_CUSTOM;
}

/* What stands behind the field's name in a key: [spelling;]types;label. */
static void add_details(struct buf *out, const struct element *e, struct str rest)
{
    if (has_spelling(e->field->id)) {
        struct str spelling = str_split(&rest, ';');
        if (str_starts(spelling, STR("IMPP:"))) spelling.p += 5, spelling.n -= 5;
        buf_addstr(out, spelling);
    }
    struct str types = str_split(&rest, ';');
    if (types.n) separate(out, 0);
    if (e->field->id == FIELD_X)
        buf_addstr(out, types);
    else
        add_types(out, types);
    if (rest.n) separate(out, 0);
    add_own_label(out, rest);
}

void element_label(const struct element *e, struct buf *out)
{
    struct str rest = e->key_text;
    str_split(&rest, ';');
    buf_adds(out, _(e->field->label));
    if (!rest.n) return;
    struct buf details AUTO_BUF = BUF_INIT;
    add_details(&details, e, rest);
    if (!details.len) return;
    buf_adds(out, " (");
    text_printable(buf_str(&details), out);
    buf_addc(out, ')');
}

static void add_size(struct buf *out, struct str digest)
{
    long long bytes = 0;
    str_split(&digest, ':');
    str_to_int64(str_split(&digest, ':'), &bytes);
    if (bytes < 1024)
        buf_addf(out, _("%lld bytes"), bytes);
    else
        buf_addf(out, _("%lld KiB"), (bytes + 512) / 1024);
}

static bool is_date(uint16_t field)
{
    return field == FIELD_BDAY || field == FIELD_ANNIVERSARY || field == FIELD_DEATHDATE || field == FIELD_DATE;
}

/* Line breaks and the separator of parts become visible; other control characters are shown by number. */
static void add_text(struct buf *out, struct str s, const char *between_parts)
{
    while (s.p) {
        size_t end = 0;
        while (end < s.n && s.p[end] != '\n' && s.p[end] != PART_SEPARATOR) end++;
        text_printable((struct str){s.p, end}, out);
        if (end >= s.n) break;
        bool line = s.p[end] == '\n';
        if (line)
            buf_adds(out, " / ");
        else if (end)
            buf_adds(out, between_parts);
        s.p += end + 1, s.n -= end + 1;
    }
}

void element_value(const struct element *e, struct buf *out)
{
    struct str s = e->value_text;
    bool picture = (e->field->flags & FIELD_BINARY) || e->field->id == FIELD_X;
    if (picture && str_starts(s, STR("b:"))) {
        add_size(out, s);
        return;
    }
    bool marked = is_date(e->field->id) || (e->field->flags & FIELD_BINARY);
    if (marked && (str_starts(s, STR("t:")) || str_starts(s, STR("u:")))) s.p += 2, s.n -= 2;
    bool name = e->field->id >= FIELD_NAME_FAMILY && e->field->id <= FIELD_NAME_SUFFIX;
    add_text(out, s, name ? " " : ", ");
}
