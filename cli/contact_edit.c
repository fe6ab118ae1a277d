/* contact add/edit FIELD=VALUE: from words on the command line to edits of a record. */
#include "cli/contact.h"

#include "base/i18n.h"
#include "cli/custom_field.h"

enum change_kind { CHANGE_SET, CHANGE_ADD, CHANGE_REMOVE };
struct change { /* one argument */
    enum change_kind kind;
    struct str key;   /* "tel;CELL" */
    struct str value; /* empty with SET: the field goes */
    const char *text; /* as typed */
};

/* "kundennummer=4711" -> "custom;KUNDENNUMMER;Kundennummer" with a value that fits. One value a field: adding is setting. */
static bool read_custom(struct cli *cli, struct change *c)
{
    const struct config_field *field = cli_config(cli) ? custom_field(cli->config, c->key) : NULL;
    if (!field) return cli->config != NULL;
    struct buf key AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT;
    custom_field_key(field, &key);
    c->key = arena_str(&cli->arena, buf_str(&key));
    if (c->kind == CHANGE_ADD) c->kind = CHANGE_SET;
    if (!c->value.n) return true;
    if (custom_field_value(field, c->value, &value, &cli->fault)) return false;
    c->value = arena_str(&cli->arena, buf_str(&value));
    return true;
}

static bool read_change(struct cli *cli, const char *text, struct change *out)
{
    struct str value = str_of(text), key = str_split(&value, '=');
    if (!value.p || !key.n) {
        cli_usage(cli, _("write FIELD=VALUE, FIELD+=VALUE or FIELD-=VALUE"), _("\"%s\" changes nothing"), text);
        return false;
    }
    char last = key.p[key.n - 1];
    *out = (struct change){last == '+' ? CHANGE_ADD : last == '-' ? CHANGE_REMOVE : CHANGE_SET, key, value, text};
    if (out->kind != CHANGE_SET) out->key.n--;
    return read_custom(cli, out);
}

/* The element the argument describes, made by the codec; an empty value is only asked for its key. */
static const struct element *element_of(struct cli *cli, unsigned kind, const struct change *c,
                                        const struct record **source)
{
    const struct str pair[1][2] = {{c->key, c->value.n ? c->value : STR("1")}};
    struct record *r = cli_hash_key(cli)
                           ? record_from_pairs(&cli->arena, (enum record_kind)kind, pair, 1, &cli->key, &cli->fault)
                           : NULL;
    size_t n = 0;
    const struct element *e = r ? record_elements(r, &n) : NULL;
    struct str name = c->key;
    name = str_split(&name, ';');
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_of(e[i].field->name), name)) {
            *source = r;
            return &e[i];
        }
    if (!cli->fault.code) cli_usage(cli, NULL, _("\"%s\": this value does not fit the field"), c->text);
    return NULL;
}

struct edits {
    struct edit *list;
    size_t n;
    const struct record *record; /* being edited */
};

static bool has_target(const struct edits *e, const struct element *target)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->list[i].target == target) return true;
    return false;
}

/* Does the argument mean this element? With types named ("tel;CELL"): the same types, else any of the field. */
static bool meant(const struct change *c, const struct element *wanted, const struct element *e)
{
    bool exact = c->key.n != strlen(wanted->field->name);
    return e->field == wanted->field && (!exact || e->key == wanted->key);
}

static bool set_one(struct cli *cli, struct edits *out, const struct change *c, const struct element *wanted,
                    const struct record *source)
{
    size_t n, found = 0;
    const struct element *e = record_elements(out->record, &n), *target = NULL;
    for (size_t i = 0; i < n; i++)
        if (meant(c, wanted, &e[i]) && !has_target(out, &e[i])) {
            target = &e[i];
            found++;
        }
    if (found > 1) {
        cli_usage(cli, _("add another with +=, take one away with -="), _("%s: there are %zu of them"), c->text, found);
        return false;
    }
    out->list[out->n++] = (struct edit){target ? EDIT_SET : EDIT_ADD, target, wanted, source};
    return true;
}

static bool says(const struct element *e, struct str value)
{
    struct buf shown AUTO_BUF = BUF_INIT;
    element_value(e, &shown);
    return str_eq(value, buf_str(&shown));
}

/* Elements that are meant, of that value (or any, where it is empty). */
static bool remove_some(struct cli *cli, struct edits *out, const struct change *c, const struct element *wanted)
{
    size_t n, before = out->n;
    const struct element *e = record_elements(out->record, &n);
    for (size_t i = 0; i < n; i++) {
        bool fits = !c->value.n || e[i].value == wanted->value || says(&e[i], c->value);
        if (fits && meant(c, wanted, &e[i]) && !has_target(out, &e[i]))
            out->list[out->n++] = (struct edit){EDIT_REMOVE, &e[i], NULL, NULL};
    }
    if (out->n > before || c->kind == CHANGE_SET) return true;
    cli_usage(cli, _("\"abgleich contact show\" shows what there is"), _("%s: there is no such value"), c->text);
    return false;
}

static bool add_one(struct edits *out, const struct element *wanted, const struct record *source)
{
    size_t n;
    const struct element *e = record_elements(out->record, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].key == wanted->key && e[i].value == wanted->value) return true; /* it is there */
    out->list[out->n++] = (struct edit){EDIT_ADD, NULL, wanted, source};
    return true;
}

static bool apply(struct cli *cli, unsigned kind, const struct change *c, struct edits *out)
{
    const struct record *source = NULL;
    const struct element *wanted = element_of(cli, kind, c, &source);
    if (!wanted) return false;
    if (c->kind == CHANGE_ADD) return add_one(out, wanted, source);
    if (c->kind == CHANGE_REMOVE || !c->value.n) return remove_some(cli, out, c, wanted);
    return set_one(cli, out, c, wanted, source);
}

/* -- the displayed name follows the name it was made of -- */

static struct str changed_or(const struct record *r, const struct change *changes, size_t n, const char *field,
                             struct buf *now)
{
    for (size_t i = 0; i < n; i++)
        if (changes[i].kind == CHANGE_SET && str_eq(changes[i].key, str_of(field))) return changes[i].value;
    contact_values(r, field, " ", now);
    return buf_str(now);
}

static void join_name(struct str given, struct str family, struct buf *out)
{
    buf_addf(out, "%.*s%s%.*s", STR_ARG(given), given.n && family.n ? " " : "", STR_ARG(family));
}

/* "fn=Anna Neu" where family or given name change and fn was "Anna Alt" until now; false where a person wrote it
 * differently. */
static bool name_follows(struct cli *cli, const struct record *r, const struct change *changes, size_t n,
                         struct change *out)
{
    static const char given[] = "name.given", family[] = "name.family";
    struct buf old_fn AUTO_BUF = BUF_INIT, old AUTO_BUF = BUF_INIT, now AUTO_BUF = BUF_INIT;
    struct buf old_given AUTO_BUF = BUF_INIT, old_family AUTO_BUF = BUF_INIT, g AUTO_BUF = BUF_INIT,
                         f AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < n; i++)
        if (str_eq(changes[i].key, STR("fn"))) return false;
    contact_values(r, "fn", " ", &old_fn);
    join_name(changed_or(r, NULL, 0, given, &old_given), changed_or(r, NULL, 0, family, &old_family), &old);
    join_name(changed_or(r, changes, n, given, &g), changed_or(r, changes, n, family, &f), &now);
    if (!old_fn.len || !str_eq(buf_str(&old), buf_str(&old_fn)) || str_eq(buf_str(&old), buf_str(&now)) || !now.len)
        return false;
    *out = (struct change){CHANGE_SET, STR("fn"), arena_str(&cli->arena, buf_str(&now)), "fn"};
    return true;
}

bool contact_edit(struct cli *cli, const struct record *r, unsigned kind, char **pairs, size_t n, struct buf *out)
{
    struct change *changes = arena_zalloc(&cli->arena, (n + 1) * sizeof *changes);
    size_t elements;
    record_elements(r, &elements);
    struct edits edits = {arena_zalloc(&cli->arena, (n + 1 + elements) * sizeof(struct edit)), 0, r};
    for (size_t i = 0; i < n; i++)
        if (!read_change(cli, pairs[i], &changes[i])) return false;
    if (name_follows(cli, r, changes, n, &changes[n])) n++;
    for (size_t i = 0; i < n; i++)
        if (!apply(cli, kind, &changes[i], &edits)) return false;
    struct write_form form = {0};
    return record_write_edited(r, edits.list, edits.n, &form, out, &cli->fault) == FAULT_NONE;
}

bool contact_make(struct cli *cli, unsigned kind, char **pairs, size_t n, struct str uid, struct buf *out)
{
    struct str(*words)[2] = arena_zalloc(&cli->arena, (n + 2) * sizeof *words);
    struct buf fn AUTO_BUF = BUF_INIT;
    struct str given = STR_NONE, family = STR_NONE, org = STR_NONE;
    bool named = false;
    for (size_t i = 0; i < n; i++) {
        struct change c;
        if (!read_change(cli, pairs[i], &c)) return false;
        words[i][0] = c.key;
        words[i][1] = c.value;
        if (str_eq(c.key, STR("name.given"))) given = c.value;
        if (str_eq(c.key, STR("name.family"))) family = c.value;
        if (str_eq(c.key, STR("org"))) org = c.value;
        named |= str_eq(c.key, STR("fn"));
    }
    join_name(given, family, &fn);
    if (!fn.len) buf_addstr(&fn, org);
    if (!named && fn.len) {
        words[n][0] = STR("fn");
        words[n++][1] = buf_str(&fn);
    }
    if (!cli_hash_key(cli)) return false;
    struct record *r = record_from_pairs(&cli->arena, (enum record_kind)kind, (const struct str(*)[2])words, n,
                                         &cli->key, &cli->fault);
    char made[UUID_TEXT_BYTES];
    env_uuid4(cli->env, made);
    struct write_form form = {.strict = true, .uid = uid.n ? uid : str_of(made)};
    return r && record_write_new(r, &form, out, &cli->fault) == FAULT_NONE;
}
