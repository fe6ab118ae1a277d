#include "mapping/phonebook_sheet.h"

#include "base/mem.h"

#include <stdlib.h>

/* What is under way for one sheet. */
struct laying {
    struct sheet *sheet;
    const struct phone_form *form;
    const struct form_settings *s;
    loss_sink *lost;
    void *lost_ctx;
};

/* A number of the entry as it is dialled. */
struct dialled {
    struct sheet_number number;
    const struct phonebook_number *of;
};

void sheet_free(struct sheet *s)
{
    free(s->lines);
    speller_close(&s->speller);
    arena_free(&s->arena);
    s->lines = NULL;
    s->n = s->cap = 0;
}

static void lose(const struct laying *l, enum loss_kind kind, const struct phonebook_entry *e,
                 const struct phonebook_number *number, struct str was, struct str is)
{
    const struct loss loss = {kind, l->form, e, number, was, is};
    if (l->lost) l->lost(l->lost_ctx, &loss);
}

/* -- numbers -- */

/* The form asked for, else that of a line outside, else the family's own. */
static enum number_form form_of(const struct laying *l)
{
    return l->s->form_is_set ? l->s->form : l->s->line ? NUMBER_PREFIX : l->form->number;
}

static bool is_taken_kind(const struct laying *l, enum phone_kind kind)
{
    if (phone_is_voice(kind)) return true;
    return l->s->fax && (kind == PHONE_PAGER || (l->form->takes & TAKES_FAX));
}

/* Can the family dial it? NULL = yes, else why not in *why. */
static bool fits(const struct laying *l, struct str text, enum loss_kind *why)
{
    bool sip = str_starts(text, STR("sip:"));
    *why = LOSS_CHARACTERS;
    if (sip) return (l->form->takes & TAKES_SIP) != 0;
    if (!(l->form->takes & TAKES_CODES) && (memchr(text.p, '*', text.n) || memchr(text.p, '#', text.n))) return false;
    *why = LOSS_TOO_LONG;
    return !l->form->number_max || text.n <= l->form->number_max;
}

static bool is_there(const struct dialled *list, size_t n, struct str text)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].number.text, text)) return true;
    return false;
}

static bool dial(const struct laying *l, const struct phonebook_number *n, struct buf *out)
{
    struct buf made AUTO_BUF = BUF_INIT;
    if (!number_dial(n, form_of(l), l->s->line, l->s->region, &made)) return false;
    struct str text = buf_str(&made);
    if (text.p[0] == '+' && !(l->form->takes & TAKES_PLUS)) {
        buf_adds(out, "00");
        text = (struct str){text.p + 1, text.n - 1};
    }
    buf_addstr(out, text);
    return true;
}

/* Numbers of the entry that can be dialled, each once; the others are told. Returns how many. */
static size_t dial_all(const struct laying *l, const struct phonebook_entry *e, struct dialled *list)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_numbers; i++) {
        const struct phonebook_number *of = &e->numbers[i];
        struct buf text AUTO_BUF = BUF_INIT;
        enum loss_kind why = LOSS_UNDIALABLE;
        if (!is_taken_kind(l, (enum phone_kind)of->kind))
            lose(l, LOSS_FAX, e, of, STR_NONE, STR_NONE);
        else if (!dial(l, of, &text) || !fits(l, buf_str(&text), &why))
            lose(l, why, e, of, buf_str(&text), STR_NONE);
        else if (is_there(list, n, buf_str(&text)))
            lose(l, LOSS_DOUBLE, e, of, buf_str(&text), STR_NONE);
        else {
            struct str kept = arena_str(&l->sheet->arena, buf_str(&text));
            list[n++] = (struct dialled){{kept, (enum phone_kind)of->kind}, of};
        }
    }
    return n;
}

/* -- names -- */

static struct str name_part(const struct laying *l, const struct phonebook_entry *e, struct str text)
{
    struct str spelled = text_spelled(&l->sheet->arena, &l->sheet->speller, text),
               cut = text_cut(spelled, l->form->name_max);
    if (!str_eq(spelled, text)) lose(l, LOSS_NAME_SPELLED, e, NULL, text, spelled);
    if (cut.n != spelled.n) lose(l, LOSS_NAME_CUT, e, NULL, spelled, cut);
    return cut;
}

/* A name that nothing is left of, emoji in ASCII, becomes the number: phones want a name. */
static void name_line(const struct laying *l, const struct phonebook_entry *e, struct str number,
                      struct sheet_line *line)
{
    struct buf name AUTO_BUF = BUF_INIT;
    bool person = e->family.n || e->given.n;
    if (l->form->parts) {
        line->family = name_part(l, e, person ? e->family : e->display);
        line->given = name_part(l, e, person ? e->given : STR(""));
        if (!line->family.n && !line->given.n) line->family = number;
        return;
    }
    entry_name(e, &name);
    if (l->s->company && person && e->company.n) buf_addf(&name, " (%.*s)", STR_ARG(e->company));
    line->name = name_part(l, e, buf_str(&name));
    if (!line->name.n) line->name = number;
}

/* -- lines -- */

static struct sheet_line *line_add(struct laying *l, const struct sheet_line *like)
{
    struct sheet *s = l->sheet;
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->lines = mem_realloc(s->lines, s->cap * sizeof *s->lines);
    }
    struct sheet_line *line = &s->lines[s->n++];
    *line = *like;
    line->n = l->form->places;
    line->numbers = arena_zalloc(&s->arena, (line->n + 1) * sizeof *line->numbers);
    return line;
}

static enum phone_kind place_kind(const struct laying *l, enum phone_kind kind, const struct dialled *list, size_t n)
{
    if (!l->form->home_first || kind != PHONE_WORK) return kind;
    for (size_t i = 0; i < n; i++)
        if (list[i].number.kind == PHONE_HOME) return kind;
    return PHONE_HOME;
}

static bool put(struct sheet_line *line, size_t from, size_t to, const struct sheet_number *number)
{
    for (size_t i = from; i < to; i++)
        if (!line->numbers[i].text.n) {
            line->numbers[i] = *number;
            return true;
        }
    return false;
}

static bool put_own(const struct laying *l, struct sheet_line *line, enum phone_kind as, const struct dialled *d)
{
    size_t from = (size_t)l->form->place[as] * l->form->width;
    return put(line, from, from + l->form->width, &d->number);
}

static bool is_full(const struct sheet_line *line)
{
    for (size_t i = 0; i < line->n; i++)
        if (!line->numbers[i].text.n) return false;
    return true;
}

/* First those that find their own place in the first line, then the others: to a free place, or on a further line. */
static void place_all(struct laying *l, const struct sheet_line *like, const struct dialled *list, size_t n)
{
    size_t first = l->sheet->n, open = first;
    bool *placed AUTO_FREE = mem_calloc(n + 1, sizeof *placed);
    line_add(l, like);
    for (size_t i = 0; i < n; i++)
        placed[i] = put_own(l, &l->sheet->lines[first], place_kind(l, list[i].number.kind, list, n), &list[i]);
    for (size_t i = 0; i < n; i++) {
        enum phone_kind as = place_kind(l, list[i].number.kind, list, n);
        while (open < l->sheet->n && is_full(&l->sheet->lines[open])) open++;
        for (size_t at = open; at < l->sheet->n && !placed[i]; at++)
            placed[i] = put_own(l, &l->sheet->lines[at], as, &list[i]) ||
                        (l->form->shares && put(&l->sheet->lines[at], 0, l->form->places, &list[i].number));
        if (!placed[i]) placed[i] = put_own(l, line_add(l, like), as, &list[i]);
    }
}

static void list_all(struct laying *l, const struct sheet_line *like, const struct dialled *list, size_t n)
{
    struct sheet_line *line = line_add(l, like);
    line->n = n;
    line->numbers = arena_alloc(&l->sheet->arena, (n + 1) * sizeof *line->numbers);
    for (size_t i = 0; i < n; i++) line->numbers[i] = list[i].number;
}

/* -- limits -- */

static void lose_line(const struct laying *l, enum loss_kind kind, const struct sheet_line *line,
                      const struct dialled *list, size_t n)
{
    for (size_t i = 0; i < line->n; i++)
        for (size_t k = 0; k < n; k++)
            if (line->numbers[i].text.n && str_eq(line->numbers[i].text, list[k].number.text))
                lose(l, kind, line->entry, list[k].of, line->numbers[i].text, STR_NONE);
}

static void keep_limits(struct laying *l, size_t from, const struct dialled *list, size_t n)
{
    struct sheet *s = l->sheet;
    size_t max = l->form->entries_max, held = l->form->entries_held;
    if (l->s->max && (!max || l->s->max < max)) max = l->s->max;
    size_t kept = max && s->n > max ? (from > max ? from : max) : s->n;
    for (size_t i = kept; i < s->n; i++) lose_line(l, LOSS_OVER_LIMIT, &s->lines[i], list, n);
    s->n = kept;
    for (size_t i = held > from ? held : from; held && i < s->n; i++)
        lose_line(l, LOSS_PHONE_FULL, &s->lines[i], list, n);
}

static void lay(struct laying *l, const struct phonebook_entry *e)
{
    struct dialled *list AUTO_FREE = mem_alloc((e->n_numbers + 1) * sizeof *list);
    struct sheet_line like = {.entry = e};
    size_t n = dial_all(l, e, list), from = l->sheet->n;
    if (!n) {
        lose(l, LOSS_NO_NUMBER, e, NULL, STR_NONE, STR_NONE);
        return;
    }
    name_line(l, e, list[0].number.text, &like);
    if (l->form->places)
        place_all(l, &like, list, n);
    else
        list_all(l, &like, list, n);
    keep_limits(l, from, list, n);
    l->sheet->contacts += l->sheet->n > from;
    for (size_t i = from; i < l->sheet->n; i++)
        for (size_t k = 0; k < l->sheet->lines[i].n; k++) l->sheet->numbers += l->sheet->lines[i].numbers[k].text.n > 0;
}

struct sheet sheet_of(const struct phonebook *p, enum phone_form_id form, const struct form_settings *settings,
                      entry_filter *takes, void *takes_ctx, loss_sink *lost, void *lost_ctx)
{
    struct sheet s = {.arena = ARENA_INIT, .speller = speller_open(settings->letters), .form = phone_form_of(form)};
    struct laying l = {&s, s.form, settings, lost, lost_ctx};
    for (size_t i = 0; i < p->n; i++)
        if (!takes || takes(takes_ctx, &p->entries[i])) lay(&l, &p->entries[i]);
    return s;
}

struct str sheet_text(struct sheet *s, struct str text, size_t max)
{
    return text_cut(text_spelled(&s->arena, &s->speller, text), max);
}
