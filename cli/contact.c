#include "cli/contact.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/custom_field.h"
#include "cli/out.h"
#include "mapping/text.h"

#include <sodium.h>
#include <stdlib.h>

bool contact_book(struct cli *cli, const char *name, struct book *out)
{
    if (!cli_db(cli)) return false;
    struct str plain = str_of(name);
    if (str_starts(plain, STR(CONFIG_STORE ":"))) plain = str_of(name + strlen(CONFIG_STORE ":"));
    if (book_find(cli->db, plain, &cli->arena, out)) return true;
    if (!db_check(cli->db, &cli->fault))
        cli_usage(cli, _("\"abgleich book list\" shows those there are"), _("there is no book \"%s\""), name);
    return false;
}

bool contact_find(struct cli *cli, const char *handle, bool deleted, struct store_record *out)
{
    return cli_db(cli) &&
           store_resolve(cli->db, STR_NONE, str_of(handle), deleted, &cli->arena, out, &cli->fault) == FAULT_NONE;
}

struct record *contact_parse(struct cli *cli, struct arena *arena, unsigned kind, struct str body, struct fault *why)
{
    if (!cli_hash_key(cli)) {
        fault_copy(why, &cli->fault);
        return NULL;
    }
    return record_parse(arena, (enum record_kind)kind, body, &cli->key, why);
}

static int by_field(const void *x, const void *y)
{
    const struct element *a = *(const struct element *const *)x, *b = *(const struct element *const *)y;
    if (a->field->id != b->field->id) return a->field->id < b->field->id ? -1 : 1;
    int order = str_cmp(a->key_text, b->key_text);
    return order ? order : str_cmp(a->value_text, b->value_text);
}

const struct element **contact_elements(const struct record *r, struct arena *arena, size_t *n)
{
    const struct element *e = record_elements(r, n);
    const struct element **sorted = arena_alloc(arena, (*n + 1) * sizeof *sorted);
    for (size_t i = 0; i < *n; i++) sorted[i] = &e[i];
    qsort(sorted, *n, sizeof *sorted, by_field);
    return sorted;
}

static json_t *values_json(const struct record *r, const char *field)
{
    json_t *all = json_array();
    struct arena arena AUTO_ARENA = ARENA_INIT;
    size_t n;
    const struct element **e = contact_elements(r, &arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(e[i]->field->name, field) != 0) continue;
        struct buf value AUTO_BUF = BUF_INIT;
        element_value(e[i], &value);
        json_array_append_new(all, json_text(buf_str(&value)));
    }
    return all;
}

void contact_values(const struct record *r, const char *field, const char *between, struct buf *out)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    size_t n, found = 0;
    const struct element **e = contact_elements(r, &arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(e[i]->field->name, field) != 0) continue;
        if (found++) buf_adds(out, between);
        element_value(e[i], out);
    }
}

json_t *contact_json(struct cli *cli, const struct store_record *r)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    const struct record *parsed = contact_parse(cli, &arena, r->kind, r->body, &why);
    return json_pack("{s:o,s:o,s:o,s:o}", "id", json_text(r->id), "name", json_text(r->title), "emails",
                     parsed ? values_json(parsed, "email") : json_array(), "phones",
                     parsed ? values_json(parsed, "tel") : json_array());
}

static json_t *fields_json(struct cli *cli, const struct record *r)
{
    json_t *all = json_array();
    struct arena arena AUTO_ARENA = ARENA_INIT;
    size_t n;
    const struct element **e = contact_elements(r, &arena, &n);
    for (size_t i = 0; i < n; i++) {
        struct buf label AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT;
        custom_field_label(cli->config, e[i], &label);
        element_value(e[i], &value);
        json_array_append_new(all, json_pack("{s:s,s:o,s:o,s:o}", "field", e[i]->field->name, "key",
                                             json_text(e[i]->key_text), "label", json_text(buf_str(&label)), "value",
                                             json_text(buf_str(&value))));
    }
    return all;
}

/* {"kundennummer": "4711"}: what the configuration knows, by its name there. */
static json_t *custom_json(struct cli *cli, const struct record *r)
{
    json_t *all = json_object();
    size_t n;
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++) {
        const struct config_field *field = custom_field_of(cli->config, &e[i]);
        if (field) json_object_set_new(all, field->name, json_text(e[i].value_text));
    }
    return all;
}

static json_t *base64_json(struct str bytes)
{
    size_t room = sodium_base64_encoded_len(bytes.n, sodium_base64_VARIANT_ORIGINAL);
    AUTO_FREE char *text = mem_alloc(room);
    sodium_bin2base64(text, room, (const unsigned char *)bytes.p, bytes.n, sodium_base64_VARIANT_ORIGINAL);
    return json_cstr(text);
}

json_t *contact_json_whole(struct cli *cli, const struct store_record *r)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    const struct record *parsed = contact_parse(cli, &arena, r->kind, r->body, &why);
    json_t *o = contact_json(cli, r);
    struct book book;
    bool known = book_find(cli->db, r->book, &arena, &book);
    json_object_set_new(o, "book", known ? json_text(book.name) : json_null());
    json_object_set_new(o, "uid", json_text(r->uid));
    json_object_set_new(o, "kind", json_string(r->kind == RECORD_EVENT ? "event" : "contact"));
    json_object_set_new(o, "version", json_count(r->seq));
    json_object_set_new(o, "created", json_time(r->created_ms));
    json_object_set_new(o, "changed", json_time(r->changed_ms));
    json_object_set_new(o, "origin", json_text(r->origin));
    json_object_set_new(o, "deleted", json_boolean(r->deleted));
    json_object_set_new(o, "fields", parsed ? fields_json(cli, parsed) : json_array());
    json_object_set_new(o, "custom", parsed ? custom_json(cli, parsed) : json_object());
    contact_attached_json(cli, r->id, o);
    json_object_set_new(o, "body", json_text(r->body));
    if (!text_is_utf8(r->body)) json_object_set_new(o, "body_base64", base64_json(r->body)); /* "body" is for reading then */
    return o;
}
