#include "cli/contact_csv.h"

#include "base/i18n.h"
#include "cli/custom_field.h"
#include "mapping/text.h"

#include <stdlib.h>

#define PARTS '\x1f' /* between the parts of a value in normal form (mapping/record.h) */

/* -- columns -- */

/* What `contact edit` calls the field: its name, or its label in English or the user's language. */
static const char *field_word(unsigned kind, struct str word)
{
    size_t n;
    const struct field *table = field_table((enum record_kind)kind, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(word, str_of(table[i].name)) || str_eq_nocase(word, str_of(table[i].label)) ||
            str_eq_nocase(word, str_of(_(table[i].label))))
            return table[i].name;
    return NULL;
}

/* The element that a value under this key would be, of any value; NULL where nothing can be written under it. */
static const struct element *sample(struct cli *cli, unsigned kind, const char *key)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    const struct str pair[1][2] = {{str_of(key), STR("1")}};
    const struct record *r = record_from_pairs(&cli->arena, (enum record_kind)kind, pair, 1, &cli->key, &why);
    size_t n = 0;
    const struct element *e = r ? record_elements(r, &n) : NULL;
    struct str name = str_of(key);
    name = str_split(&name, ';');
    bool fits = n == 1 && str_eq(str_of(e->field->name), name) && !(e->field->flags & FIELD_BINARY) &&
                !str_eq(name, STR("geo"));
    return fits ? e : NULL;
}

static bool column_of(struct cli *cli, unsigned kind, struct str head, struct column *out)
{
    *out = (struct column){.kind = COLUMN_FIELD, .head = head};
    if (str_eq_nocase(head, STR("id")) || str_eq_nocase(head, STR("uid"))) {
        out->kind = head.n == 2 ? COLUMN_ID : COLUMN_UID;
        return true;
    }
    struct buf key AUTO_BUF = BUF_INIT;
    struct str rest = head, word = str_split(&rest, ';');
    out->custom = custom_field(cli->config, head);
    if (!out->custom && str_eq(word, STR("custom"))) {
        struct str name = rest;
        out->custom = custom_field(cli->config, str_split(&name, ';'));
    }
    const char *field = out->custom ? NULL : field_word(kind, str_trim(word));
    if (out->custom)
        custom_field_key(out->custom, &key);
    else if (field)
        buf_addf(&key, "%s%s%.*s", field, rest.p ? ";" : "", STR_ARG(rest));
    const struct element *e = key.len ? sample(cli, kind, buf_cstr(&key)) : NULL;
    if (!e) return false;
    out->key = e->key_text;
    out->field = e->field;
    return true;
}

static bool is_same_column(const struct column *x, const struct column *y)
{
    return x->kind == y->kind && (x->kind != COLUMN_FIELD || str_eq(x->key, y->key));
}

static bool add_column(struct cli *cli, unsigned kind, struct contact_table *t, struct str head)
{
    struct column *c = &t->columns[t->n_columns];
    if (!column_of(cli, kind, head, c)) {
        cli_usage(cli, _("head columns as \"contact edit\" names fields, or take this one out"),
                  _("no field is called \"%.*s\""), STR_ARG(head));
        return false;
    }
    for (size_t i = 0; i < t->n_columns; i++)
        if (is_same_column(c, &t->columns[i])) {
            cli_usage(cli, _("keep one of the two"), _("two columns are \"%.*s\""), STR_ARG(head));
            return false;
        }
    t->n_columns++;
    return true;
}

bool contact_table_begin(struct cli *cli, unsigned kind, struct str text, struct contact_table *out)
{
    *out = (struct contact_table){.n_columns = 0};
    if (!cli_hash_key(cli)) return false;
    if (!text_is_utf8(text)) text_from_charset(&cli->arena, text, "windows-1252", &text);
    csv_begin(&out->csv, text);
    if (!contact_table_next(out, &cli->arena)) return true;
    out->columns = arena_zalloc(&cli->arena, (out->n_cells + 1) * sizeof *out->columns);
    for (size_t i = 0; i < out->n_cells; i++)
        if (!add_column(cli, kind, out, str_trim(out->cells[i]))) return false;
    return true;
}

/* -- rows -- */

bool contact_table_next(struct contact_table *t, struct arena *arena)
{
    return csv_next(&t->csv, arena, &t->cells, &t->n_cells);
}

static struct str cell_at(const struct contact_table *t, size_t i)
{
    return i < t->n_cells ? str_trim(t->cells[i]) : STR("");
}

struct str contact_table_name(const struct contact_table *t, enum column_kind kind)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].kind == kind && cell_at(t, i).n) return cell_at(t, i);
    return STR_NONE;
}

void contact_table_uid(const struct contact_table *t, char out[UUID_TEXT_BYTES])
{
    struct digest d;
    char hex[DIGEST_HEX_BYTES];
    digest_init(&d);
    for (size_t i = 0; i < t->n_columns; i++) {
        if (!cell_at(t, i).n) continue;
        digest_str(&d, t->columns[i].key);
        digest_str(&d, cell_at(t, i));
    }
    digest_hex(&d, hex);
    snprintf(out, UUID_TEXT_BYTES, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15,
             hex + 18); /* version 8: our own making */
}

/* One value as it stands in a cell. */
static void add_value(const struct element *e, struct buf *out)
{
    struct str s = e->value_text;
    bool name = str_starts(str_of(e->field->name), STR("name."));
    bool date = str_eq(str_of(e->field->name), STR("bday")) || str_eq(str_of(e->field->name), STR("anniversary"));
    if (date && str_starts(s, STR("t:"))) s.p += 2, s.n -= 2;
    for (size_t i = 0; i < s.n; i++) buf_addc(out, s.p[i] != PARTS ? s.p[i] : name ? ' ' : ';');
}

static bool holds_many(const struct column *c)
{
    return c->field->arity == ARITY_SET;
}

/* A spreadsheet may write line ends of its own. */
static struct str plain_lines(struct str cell, struct arena *arena)
{
    struct buf plain AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < cell.n; i++)
        if (cell.p[i] != '\r') buf_addc(&plain, cell.p[i]);
    return arena_str(arena, buf_str(&plain));
}

/* The values of a cell, in the arena. */
static size_t values_of(const struct column *c, struct str cell, struct arena *arena, struct str **out)
{
    size_t n = 0, lines = 1;
    for (size_t i = 0; i < cell.n; i++) lines += cell.p[i] == '\n';
    *out = arena_alloc(arena, lines * sizeof **out);
    if (!holds_many(c)) {
        if (cell.n) (*out)[n++] = cell;
        return n;
    }
    for (struct str rest = cell; rest.p;) {
        struct str value = str_trim(str_split(&rest, '\n'));
        if (value.n) (*out)[n++] = value;
    }
    return n;
}

/* -- a row that is a contact already -- */

struct row_edits {
    struct cli *cli;
    unsigned kind;
    struct edit *edits;
    size_t n, cap;
};

static void add_edit(struct row_edits *ch, struct edit e)
{
    if (ch->n == ch->cap) {
        struct edit *bigger = arena_alloc(&ch->cli->arena, (ch->cap = ch->cap ? ch->cap * 2 : 8) * sizeof *bigger);
        if (ch->n) memcpy(bigger, ch->edits, ch->n * sizeof *bigger);
        ch->edits = bigger;
    }
    ch->edits[ch->n++] = e;
}

/* "custom;NR;Nummer" where a label goes with it, and a value that fits the field. */
static bool prepare(struct cli *cli, const struct column *c, struct str *key, struct str *value)
{
    struct buf text AUTO_BUF = BUF_INIT, kept AUTO_BUF = BUF_INIT;
    *key = c->key;
    if (!c->custom) return true;
    custom_field_key(c->custom, &text);
    *key = arena_str(&cli->arena, buf_str(&text));
    if (custom_field_value(c->custom, *value, &kept, &cli->fault)) return false;
    *value = arena_str(&cli->arena, buf_str(&kept));
    return true;
}

static bool add_source(struct row_edits *ch, const struct column *c, struct str value, const struct element *target)
{
    struct cli *cli = ch->cli;
    struct str pair[1][2];
    if (!prepare(cli, c, &pair[0][0], &value)) return false;
    pair[0][1] = value;
    const struct record *r = record_from_pairs(&cli->arena, (enum record_kind)ch->kind, (const struct str(*)[2])pair, 1,
                                               &cli->key, &cli->fault);
    size_t n = 0;
    const struct element *e = r ? record_elements(r, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        if (e[i].field == c->field) {
            add_edit(ch, (struct edit){target ? EDIT_SET : EDIT_ADD, target, &e[i], r});
            return true;
        }
    if (r) cli_usage(cli, NULL, _("\"%.*s\": this value does not fit the field"), STR_ARG(c->head));
    return false;
}

static bool says(const struct element *e, struct str value)
{
    struct buf text AUTO_BUF = BUF_INIT;
    add_value(e, &text);
    return str_eq(str_trim(buf_str(&text)), value);
}

/* What is gone from the cell makes room for what is new in it, in order. */
static bool change_column(struct row_edits *ch, const struct column *c, const struct record *r, struct str cell)
{
    struct arena *arena = &ch->cli->arena;
    struct buf as_exported AUTO_BUF = BUF_INIT;
    column_value(c, NULL, r, &as_exported);
    if (str_eq(str_trim(buf_str(&as_exported)), cell)) return true;
    struct str *wanted;
    size_t n, n_wanted = values_of(c, cell, arena, &wanted), n_gone = 0;
    const struct element **now = contact_elements(r, arena, &n);
    const struct element **gone = arena_alloc(arena, (n + 1) * sizeof *gone);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(now[i]->key_text, c->key)) continue;
        size_t k = 0;
        while (k < n_wanted && !(wanted[k].p && says(now[i], wanted[k]))) k++;
        if (k < n_wanted)
            wanted[k] = STR_NONE;
        else
            gone[n_gone++] = now[i];
    }
    size_t used = 0;
    for (size_t k = 0; k < n_wanted; k++)
        if (wanted[k].p && !add_source(ch, c, wanted[k], used < n_gone ? gone[used++] : NULL)) return false;
    for (; used < n_gone; used++) add_edit(ch, (struct edit){EDIT_REMOVE, gone[used], NULL, NULL});
    return true;
}

static bool change_row(struct cli *cli, unsigned kind, const struct contact_table *t, const struct record *old,
                       struct buf *out)
{
    struct row_edits ch = {.cli = cli, .kind = kind};
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].kind == COLUMN_FIELD &&
            !change_column(&ch, &t->columns[i], old, plain_lines(cell_at(t, i), &cli->arena)))
            return false;
    const struct write_form as_it_is = {0};
    return record_write_edited(old, ch.edits, ch.n, &as_it_is, out, &cli->fault) == FAULT_NONE;
}

/* -- a row that is a new contact -- */

static bool new_row(struct cli *cli, unsigned kind, const struct contact_table *t, struct str uid, struct buf *out)
{
    size_t most = 1, n = 0;
    for (size_t i = 0; i < t->n_cells; i++) most += 1 + t->cells[i].n;
    char **pairs = arena_alloc(&cli->arena, most * sizeof *pairs);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        struct str *values, key;
        size_t n_values =
            c->kind == COLUMN_FIELD ? values_of(c, plain_lines(cell_at(t, i), &cli->arena), &cli->arena, &values) : 0;
        for (size_t k = 0; k < n_values; k++) {
            if (!prepare(cli, c, &key, &values[k])) return false;
            pairs[n++] = arena_printf(&cli->arena, "%.*s=%.*s", STR_ARG(key), STR_ARG(values[k]));
        }
    }
    if (!n) {
        cli_usage(cli, NULL, _("the row says nothing about the contact"));
        return false;
    }
    return contact_make(cli, kind, pairs, n, uid, out);
}

bool contact_table_write(struct cli *cli, unsigned kind, const struct contact_table *t, const struct record *old,
                         struct str uid, struct buf *out)
{
    return old ? change_row(cli, kind, t, old, out) : new_row(cli, kind, t, uid, out);
}

/* -- export -- */

struct gathering {
    struct cli *cli;
    struct map64 seen; /* by the hash of the key */
    struct column *columns;
    size_t n, cap;
};

static void gather(struct gathering *g, unsigned kind, const struct element *e)
{
    uint32_t hit;
    if (map64_get(&g->seen, e->key, &hit)) return;
    map64_put(&g->seen, e->key, 1);
    struct column c;
    const struct config_field *custom = custom_field_of(g->cli->config, e);
    struct str head = arena_str(&g->cli->arena, custom ? str_of(custom->name) : e->key_text);
    if (!column_of(g->cli, kind, head, &c) || !str_eq(c.key, e->key_text)) return;
    if (g->n == g->cap) {
        struct column *bigger = arena_alloc(&g->cli->arena, (g->cap = g->cap ? g->cap * 2 : 32) * sizeof *bigger);
        if (g->n) memcpy(bigger, g->columns, g->n * sizeof *bigger);
        g->columns = bigger;
    }
    g->columns[g->n++] = c;
}

static bool gather_record(void *ctx, const struct store_record *stored)
{
    struct gathering *g = ctx;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    const struct record *r = contact_parse(g->cli, &arena, stored->kind, stored->body, &why);
    size_t n = 0;
    const struct element *e = r ? record_elements(r, &n) : NULL;
    for (size_t i = 0; i < n; i++) gather(g, stored->kind, &e[i]);
    return true;
}

static int by_field(const void *px, const void *py)
{
    const struct column *x = px, *y = py;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->kind == COLUMN_FIELD && x->field->id != y->field->id) return x->field->id < y->field->id ? -1 : 1;
    return str_cmp(x->key, y->key);
}

struct column *contact_columns(struct cli *cli, const struct book *book, size_t *n)
{
    struct gathering g = {.cli = cli, .cap = 32};
    g.columns = arena_alloc(&cli->arena, g.cap * sizeof *g.columns);
    map64_init(&g.seen, 64);
    g.columns[g.n++] = (struct column){.kind = COLUMN_ID, .head = STR("id")};
    g.columns[g.n++] = (struct column){.kind = COLUMN_UID, .head = STR("uid")};
    static const char *const always[] = {"name.family", "name.given", "org", "tel", "email"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        gather(&g, book->kind, sample(cli, book->kind, always[i]));
    store_each(cli->db, book->id, gather_record, &g, &cli->fault);
    map64_free(&g.seen);
    qsort(g.columns, g.n, sizeof *g.columns, by_field);
    *n = g.n;
    return g.columns;
}

void column_value(const struct column *c, const struct store_record *stored, const struct record *r, struct buf *out)
{
    if (c->kind != COLUMN_FIELD) {
        buf_addstr(out, c->kind == COLUMN_ID ? stored->id : stored->uid);
        return;
    }
    struct arena arena AUTO_ARENA = ARENA_INIT;
    size_t n;
    const struct element **e = contact_elements(r, &arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(e[i]->key_text, c->key)) continue;
        if (out->len) buf_addc(out, '\n');
        add_value(e[i], out);
    }
}
