#include "mapping/directory_csv.h"

#include "base/csv.h"
#include "base/date.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "mapping/text.h"
#include "mapping/vcard.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum column_kind { COLUMN_TEXT, COLUMN_PHONE, COLUMN_TYPED /* D1: WORK:+49... */, COLUMN_DATE };
/* In the order they are written; several names may stand for one column. */
static const struct column {
    const char *name;
    uint8_t kind, phone; /* phone: enum phone_kind */
    size_t offset;       /* of the text in struct phonebook_entry */
    bool written;
} columns[] = {
    {"internal_id", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, id), true},
    {"display_name", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, display), true},
    {"family_name", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, family), true},
    {"given_name", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, given), true},
    {"company", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, company), true},
    {"department", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, department), true},
    {"position", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, position), true},
    {"phone_work", COLUMN_PHONE, PHONE_WORK, 0, true},
    {"phone_home", COLUMN_PHONE, PHONE_HOME, 0, true},
    {"phone_fax", COLUMN_PHONE, PHONE_FAX, 0, true},
    {"phone_mobile", COLUMN_PHONE, PHONE_MOBILE, 0, true},
    {"phone_pager", COLUMN_PHONE, PHONE_PAGER, 0, true},
    {"phone_other", COLUMN_PHONE, PHONE_OTHER, 0, true},
    {"email", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, email), true},
    {"birthday", COLUMN_DATE, 0, offsetof(struct phonebook_entry, birthday), true},
    {"phone_cell", COLUMN_PHONE, PHONE_MOBILE, 0, false},
    {"phone", COLUMN_TYPED, 0, 0, false},
    {"mail", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, email), false},
    {"e-mail", COLUMN_TEXT, 0, offsetof(struct phonebook_entry, email), false},
};
#define N_COLUMNS (sizeof columns / sizeof *columns)

static struct str *text_at(struct phonebook_entry *e, const struct column *c)
{
    return (struct str *)(void *)((char *)e + c->offset);
}

/* -- reading -- */

struct reading {
    const struct directory_csv_options *options;
    struct phonebook *book;
    struct directory_report *report;
    struct fault *fault;
    struct csv csv;
    const struct column **of; /* by cell; NULL = unknown */
    size_t n_of;
    bool has_family, has_given;
    struct map64 ids;
    struct hash_key key;
};

static void warn(struct reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct reading *r, const char *fmt, ...)
{
    va_list ap;
    if (r->report->n_warnings++ >= DIRECTORY_WARNINGS_MAX) return;
    buf_addf(&r->report->warnings, _("line %zu: "), r->csv.line);
    va_start(ap, fmt);
    buf_vaddf(&r->report->warnings, fmt, ap);
    va_end(ap);
    buf_addc(&r->report->warnings, '\n');
}

static enum fault_code refuse(struct reading *r, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static enum fault_code refuse(struct reading *r, size_t line, const char *fmt, ...)
{
    struct buf what AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&what, fmt, ap);
    va_end(ap);
    return fault_set(r->fault, FAULT_UNREADABLE, _("nothing was changed"), _("line %zu: %s"), line, buf_cstr(&what));
}

static const struct column *column_named(struct str name)
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (str_eq_nocase(name, str_of(columns[i].name))) return &columns[i];
    return NULL;
}

/* By its own name, else by what people called it. */
static const struct column *column_of(const struct reading *r, struct str name)
{
    const struct column *c = column_named(str_trim(name));
    for (size_t i = 0; !c && r->options && i < r->options->n_aliases; i++)
        if (str_eq_nocase(str_trim(name), r->options->aliases[i].name)) c = column_named(r->options->aliases[i].column);
    return c;
}

/* Two names of one text: which of them holds? Numbers of both are taken. */
static bool is_one(const struct column *a, const struct column *b)
{
    bool numbers = a->kind == COLUMN_PHONE || a->kind == COLUMN_TYPED;
    return (a == b && !numbers) || (a->kind == COLUMN_TEXT && b->kind == COLUMN_TEXT && a->offset == b->offset);
}

static enum fault_code read_header(struct reading *r, struct arena *arena)
{
    struct str *cells;
    if (!csv_next(&r->csv, arena, &cells, &r->n_of)) return refuse(r, 1, "%s", _("the file is empty"));
    r->of = arena_zalloc(arena, (r->n_of + 1) * sizeof *r->of);
    for (size_t i = 0; i < r->n_of; i++) {
        r->of[i] = column_of(r, cells[i]);
        for (size_t k = 0; k < i; k++)
            if (r->of[i] && r->of[k] &&
                (is_one(r->of[i], r->of[k]) || str_eq_nocase(str_trim(cells[i]), str_trim(cells[k]))))
                return refuse(r, r->csv.line, _("the column %s is there twice"), r->of[i]->name);
        if (!r->of[i]) continue;
        r->has_family |= strcmp(r->of[i]->name, "family_name") == 0;
        r->has_given |= strcmp(r->of[i]->name, "given_name") == 0;
    }
    if (!r->has_family) return refuse(r, r->csv.line, _("the column %s is missing"), "family_name");
    if (!r->has_given) return refuse(r, r->csv.line, _("the column %s is missing"), "given_name");
    return FAULT_NONE;
}

/* The quote before what a spreadsheet would run is ours (add_cell): it is no text. */
static struct str unguarded(struct str cell)
{
    bool ours = cell.n > 1 && cell.p[0] == '\'' && (cell.p[1] == '=' || cell.p[1] == '@');
    return ours ? (struct str){cell.p + 1, cell.n - 1} : cell;
}

static void add_number(struct reading *r, struct phonebook_entry *e, size_t cap, enum phone_kind kind, struct str text)
{
    text = str_trim(text);
    if (text.n >= 2 && text.p[0] == '\'' && text.p[text.n - 1] == '\'')
        text = str_trim((struct str){text.p + 1, text.n - 2});
    else
        text = unguarded(text);
    if (!text.n || e->n_numbers == cap) return;
    e->numbers[e->n_numbers++] = (struct phonebook_number){.text = text, .kind = (uint8_t)kind};
    (void)r;
}

static void typed_number(struct reading *r, struct phonebook_entry *e, size_t cap, struct str text)
{
    static const struct {
        const char *word;
        enum phone_kind kind;
    } words[] = {{"WORK", PHONE_WORK}, {"HOME", PHONE_HOME},   {"MOBILE", PHONE_MOBILE}, {"CELL", PHONE_MOBILE},
                 {"FAX", PHONE_FAX},   {"PAGER", PHONE_PAGER}, {"OTHER", PHONE_OTHER}};
    struct str rest = str_trim(text), word = str_split(&rest, ':');
    for (size_t i = 0; rest.p && i < sizeof words / sizeof *words; i++)
        if (str_eq_nocase(str_trim(word), str_of(words[i].word))) {
            add_number(r, e, cap, words[i].kind, rest);
            return;
        }
    if (str_trim(text).n && rest.p) warn(r, _("\"%.*s\" is no kind of number and counts as other"), STR_ARG(word));
    add_number(r, e, cap, PHONE_OTHER, rest.p ? rest : text);
}

static bool is_date(struct arena *arena, struct str s, struct str *out)
{
    char day[DATE_BYTES];
    if (!date_parse(s, day)) return false;
    *out = arena_str(arena, str_of(day));
    return true;
}

static size_t count_numbers(const struct str *cells, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        most++;
        for (size_t k = 0; k < cells[i].n; k++) most += cells[i].p[k] == ';';
    }
    return most;
}

/* As phonebook_line would have it, so that it need not look. */
static bool is_one_line(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c == 0x7f || (c == ' ' && (i == 0 || i + 1 == s.n || s.p[i + 1] == ' '))) return false;
    }
    return true;
}

static void take_cell(struct reading *r, struct phonebook_entry *e, size_t cap, const struct column *c, struct str cell,
                      struct arena *arena)
{
    if (!is_one_line(cell)) cell = phonebook_line(arena, cell);
    switch ((enum column_kind)c->kind) {
    case COLUMN_TEXT:
        *text_at(e, c) = unguarded(cell);
        break;
    case COLUMN_PHONE:
        for (struct str rest = cell; rest.p;) add_number(r, e, cap, (enum phone_kind)c->phone, str_split(&rest, ';'));
        break;
    case COLUMN_TYPED:
        for (struct str rest = cell; rest.p;) typed_number(r, e, cap, str_split(&rest, ';'));
        break;
    case COLUMN_DATE:
        if (cell.n && !is_date(arena, cell, &e->birthday)) {
            warn(r, _("\"%.*s\" is no date and was left out"), STR_ARG(cell));
            e->birthday = STR_NONE;
        }
        break;
    }
}

static void name_it(struct phonebook_entry *e, struct arena *arena)
{
    if (e->display.n) return;
    if (e->given.n && e->family.n)
        e->display = str_of(arena_printf(arena, "%.*s %.*s", STR_ARG(e->given), STR_ARG(e->family)));
    else if (e->given.n || e->family.n)
        e->display = e->given.n ? e->given : e->family;
    else if (e->company.n)
        e->display = e->company;
    else if (e->email.n)
        e->display = e->email;
    else if (e->n_numbers)
        e->display = e->numbers[0].text;
}

/* The same person in the next file, too: name, mail and first number. */
static void identify(struct reading *r, struct phonebook_entry *e, struct arena *arena)
{
    if (e->id.n) return;
    struct str name = text_fold(arena, e->display), mail = text_fold(arena, e->email),
               number = e->n_numbers ? e->numbers[0].text : STR_NONE;
    const char *all = arena_printf(arena, "%.*s\n%.*s\n%.*s", STR_ARG(name), STR_ARG(mail), STR_ARG(number));
    e->id = str_of(arena_printf(arena, "h%016llx", (unsigned long long)hash_str(&r->key, str_of(all))));
}

static enum fault_code read_row(struct reading *r, struct arena *arena, const struct str *cells, size_t n)
{
    struct phonebook_entry e = {.numbers = NULL};
    size_t cap = count_numbers(cells, n);
    e.numbers = arena_zalloc(arena, (cap + 1) * sizeof *e.numbers);
    for (size_t i = 0; i < n; i++) {
        if (cells[i].n > DIRECTORY_CELL_MAX)
            return refuse(r, r->csv.line, _("a cell is longer than %zu bytes"), (size_t)DIRECTORY_CELL_MAX);
        if (i < r->n_of && r->of[i]) take_cell(r, &e, cap, r->of[i], cells[i], arena);
    }
    if (n > r->n_of) warn(r, _("more cells than columns: the last %zu were left out"), n - r->n_of);
    r->report->rows++;
    bool named = e.display.n || e.family.n || e.given.n || e.company.n;
    if (!named) {
        warn(r, "%s", _("no name: the row was left out"));
        r->report->skipped++;
        return FAULT_NONE;
    }
    name_it(&e, arena);
    identify(r, &e, arena);
    uint32_t at;
    uint64_t id = hash_str(&r->key, e.id);
    if (map64_get(&r->ids, id, &at)) { /* the last one wins, in the place of the first */
        warn(r, _("\"%.*s\" is there twice as internal_id; the last row counts"), STR_ARG(e.id));
        r->report->duplicates++;
        phonebook_add_entry(r->book, &e);
        r->book->entries[at] = r->book->entries[--r->book->n];
        return FAULT_NONE;
    }
    if (r->book->n >= DIRECTORY_ROWS_MAX)
        return refuse(r, r->csv.line, _("more than %zu rows"), (size_t)DIRECTORY_ROWS_MAX);
    map64_put(&r->ids, id, (uint32_t)r->book->n);
    phonebook_add_entry(r->book, &e);
    return FAULT_NONE;
}

/* "sep=;" is Excel's: a line of its own that names the separator. */
static struct str without_sep_line(struct str text, char *separator)
{
    struct str rest = text, line = str_split(&rest, '\n');
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (line.n != 5 || !str_starts_nocase(line, STR("sep="))) return text;
    *separator = line.p[4];
    return rest.p ? rest : (struct str){text.p + text.n, 0};
}

static enum fault_code to_utf8(struct str file, const char *charset, struct arena *arena, struct str *out,
                               struct fault *f)
{
    size_t bad = 0;
    *out = file;
    if (file.n >= 2 && (memcmp(file.p, "\xff\xfe", 2) == 0 || memcmp(file.p, "\xfe\xff", 2) == 0)) {
        struct str units = {file.p + 2, file.n - 2};
        if (text_from_charset(arena, units, file.p[0] == '\xff' ? "UTF-16LE" : "UTF-16BE", out)) return FAULT_NONE;
        return fault_set(f, FAULT_UNREADABLE, _("save the file as UTF-8"), _("the file begins as UTF-16 and is none"));
    }
    if (text_is_utf8(file)) return FAULT_NONE;
    if (charset && text_from_charset(arena, file, charset, out)) return FAULT_NONE;
    while (bad < file.n) {
        unsigned char c = (unsigned char)file.p[bad];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (bad + n > file.n || !text_is_utf8((struct str){file.p + bad, n})) break;
        bad += n;
    }
    return fault_set(f, FAULT_UNREADABLE, _("save the file as UTF-8; nothing was changed"),
                     _("the file is no UTF-8, from byte %zu on"), bad);
}

enum fault_code directory_csv_read(struct str file, const struct directory_csv_options *options, struct phonebook *out,
                                   struct directory_report *report, struct fault *f)
{
    struct arena head AUTO_ARENA = ARENA_INIT, row AUTO_ARENA = ARENA_INIT;
    struct reading r = {.options = options, .book = out, .report = report, .fault = f, .key = out->key};
    struct str text, *cells;
    char separator = 0;
    size_t n;
    enum fault_code code = to_utf8(file, options ? options->charset : NULL, &head, &text, f);
    if (code) return code;
    if (str_starts(text, STR("\xef\xbb\xbf"))) text = (struct str){text.p + 3, text.n - 3};
    text = without_sep_line(text, &separator);
    csv_begin(&r.csv, text);
    if (separator) r.csv.delimiter = separator;
    map64_init(&r.ids, 1024);
    code = read_header(&r, &head);
    while (!code && csv_next(&r.csv, (arena_reset(&row), &row), &cells, &n)) code = read_row(&r, &row, cells, n);
    if (!code && !out->n && report->rows) code = refuse(&r, r.csv.line, "%s", _("no row has a name"));
    map64_free(&r.ids);
    report->stored = out->n;
    return code;
}

enum fault_code directory_csv_aliases(struct str text, struct arena *arena, struct directory_csv_options *out,
                                      struct fault *f)
{
    size_t lines = 1, number = 0;
    for (size_t i = 0; i < text.n; i++) lines += text.p[i] == '\n';
    if (str_starts(text, STR("\xef\xbb\xbf"))) text = (struct str){text.p + 3, text.n - 3};
    out->aliases = arena_zalloc(arena, lines * sizeof *out->aliases);
    out->n_aliases = 0;
    while (text.p) {
        struct str column = str_trim(str_split(&text, '\n')), name;
        number++;
        if (!column.n || column.p[0] == '#') continue;
        name = str_trim(str_split(&column, '='));
        column = column.p ? str_trim(column) : STR_NONE;
        if (!name.n || !column_named(column))
            return fault_set(f, FAULT_CONFIG, _("write \"name in the file = column\", like Nachname = family_name"),
                             _("line %zu: \"%.*s\" is no column of a phonebook"), number, STR_ARG(column));
        out->aliases[out->n_aliases++] = (struct directory_csv_alias){arena_str(arena, name), arena_str(arena, column)};
    }
    return FAULT_NONE;
}

/* -- writing -- */

/* A spreadsheet would take what begins so for a formula. A number's + is none. */
static void add_cell(struct buf *out, struct str cell, bool quoted)
{
    bool formula = cell.n && strchr("=@\t\r", cell.p[0]);
    for (size_t i = 0; i < cell.n && !quoted; i++) quoted = strchr(",;\"\r\n", cell.p[i]) != NULL;
    if (quoted) buf_addc(out, '"');
    if (formula) buf_addc(out, '\'');
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '"') buf_addc(out, '"');
        buf_addc(out, cell.p[i]);
    }
    if (quoted) buf_addc(out, '"');
}

static void add_numbers(struct buf *out, const struct phonebook_entry *e, enum phone_kind kind)
{
    struct buf cell AUTO_BUF = BUF_INIT;
    size_t n = 0;
    for (size_t i = 0; i < e->n_numbers; i++) n += e->numbers[i].kind == kind;
    for (size_t i = 0; i < e->n_numbers; i++) {
        if (e->numbers[i].kind != kind) continue;
        struct str text = e->numbers[i].e164.n ? e->numbers[i].e164 : e->numbers[i].text;
        if (n > 1)
            buf_addf(&cell, "%s'%.*s'", cell.len ? ";" : "", STR_ARG(text));
        else
            buf_addstr(&cell, text);
    }
    add_cell(out, buf_str(&cell), n > 1);
}

void directory_csv_head(struct buf *out)
{
    for (size_t i = 0; i < N_COLUMNS && columns[i].written; i++) buf_addf(out, "%s%s", i ? "," : "", columns[i].name);
    buf_adds(out, "\r\n");
}

void directory_csv_row(const struct phonebook_entry *e, struct buf *out)
{
    for (size_t i = 0; i < N_COLUMNS && columns[i].written; i++) {
        if (i) buf_addc(out, ',');
        if (columns[i].kind == COLUMN_PHONE)
            add_numbers(out, e, (enum phone_kind)columns[i].phone);
        else
            add_cell(out, *(const struct str *)(const void *)((const char *)e + columns[i].offset), false);
    }
    buf_adds(out, "\r\n");
}

void directory_csv_write(const struct phonebook *p, struct buf *out)
{
    directory_csv_head(out);
    for (size_t i = 0; i < p->n; i++) directory_csv_row(&p->entries[i], out);
}

/* -- a card -- */

/* What was added since `start` is a line: it ends, folded where it is long. */
static void end_line(struct buf *out, size_t start)
{
    struct buf line AUTO_BUF = BUF_INIT;
    if (out->len - start <= 75) {
        buf_adds(out, "\r\n");
        return;
    }
    buf_add(&line, out->data + start, out->len - start);
    buf_truncate(out, start);
    vcard_fold(out, buf_str(&line), true);
}

static void add_line(struct buf *out, const char *name, struct str value)
{
    size_t start = out->len;
    if (!value.n) return;
    buf_adds(out, name);
    buf_addc(out, ':');
    vcard_escape(out, value, VCARD_30);
    end_line(out, start);
}

static void add_parts(struct buf *out, const char *name, struct str a, struct str b, const char *end)
{
    size_t start = out->len;
    if (!a.n && !b.n) return;
    buf_adds(out, name);
    buf_addc(out, ':');
    vcard_escape(out, a, VCARD_30);
    if (b.n || *end) buf_addc(out, ';');
    vcard_escape(out, b, VCARD_30);
    buf_adds(out, end);
    end_line(out, start);
}

void directory_card(const struct phonebook_entry *e, struct buf *out)
{
    static const char *const tel[PHONE_KINDS] = {"TEL;TYPE=WORK,VOICE", "TEL;TYPE=HOME,VOICE", "TEL;TYPE=FAX",
                                                 "TEL;TYPE=CELL",       "TEL;TYPE=PAGER",      "TEL"};
    buf_adds(out, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    add_line(out, "UID", e->id);
    add_line(out, "FN", e->display);
    if (e->family.n || e->given.n)
        add_parts(out, "N", e->family, e->given, ";;;");
    else
        buf_adds(out, "N:;;;;\r\n");
    add_parts(out, "ORG", e->company, e->department, "");
    add_line(out, "TITLE", e->position);
    for (size_t i = 0; i < e->n_numbers; i++) add_line(out, tel[e->numbers[i].kind], e->numbers[i].text);
    add_line(out, "EMAIL;TYPE=INTERNET", e->email);
    add_line(out, "BDAY", e->birthday);
    buf_adds(out, "END:VCARD\r\n");
}
