/* Bodies of creates and updates (protocols: microsoft-graph 2, 5 "Preserve"). What is there is compared by what a card
 * shows of it, so another spelling is no change, and what no card can show goes back as it came. */
#include "mapping/graph.h"

#include "base/mem.h"
#include "mapping/graph_table.h"

#include <stdlib.h>

struct making {
    const json_t *current, *wanted;
    json_t *had; /* what a card shows of `current`, as graph_wanted tells it */
    json_t *body, *tags;
    bool carry;
};

/* -- what a card shows -- */

static json_t *shown(const json_t *contact, bool carry)
{
    struct buf card AUTO_BUF = BUF_INIT;
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    graph_card(contact, carry, STR_NONE, &card);
    json_t *seen = graph_wanted(buf_str(&card), carry, &ignored);
    return seen ? seen : json_object();
}

/* What a card shows of one entry of a list; NULL where it shows nothing. */
static json_t *shown_entry(const struct graph_row *row, json_t *entry)
{
    json_t *alone = json_pack("{s:[O]}", row->member, entry), *seen = shown(alone, false);
    json_t *first = json_incref(json_array_get(json_object_get(seen, row->member), 0));
    json_decref(alone);
    json_decref(seen);
    return first;
}

static json_t *first_had(const struct making *m, const struct graph_row *row)
{
    return json_array_get(json_object_get(m->had, row->member), 0);
}

static bool is_among(const json_t *list, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), (json_t *)value)) return true;
    return false;
}

/* Of several that want one place: who has it, else the preferred. */
static json_t *chosen(const struct making *m, const struct graph_row *row)
{
    const json_t *list = json_object_get(m->wanted, row->member);
    json_t *had = first_had(m, row);
    return had && is_among(list, had) ? had : json_array_get(list, 0);
}

static bool same(const json_t *a, const json_t *b)
{
    return a == b || (a && b && json_equal((json_t *)a, (json_t *)b));
}

/* -- values as they are sent -- */

/* Outlook keeps line ends as CRLF (2). */
static json_t *lines(struct str text)
{
    struct buf out AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') buf_addc(&out, '\r');
        buf_addc(&out, text.p[i]);
    }
    return json_stringn(buf_cstr(&out), out.len);
}

/* Noon UTC is that day in every time zone but the farthest (7). */
static json_t *noon(struct str day)
{
    struct buf out AUTO_BUF = BUF_INIT;
    buf_addf(&out, "%.*sT12:00:00Z", STR_ARG(day));
    return json_string(buf_cstr(&out));
}

static struct str text_of(const json_t *value)
{
    return (struct str){json_string_value(value), json_string_length(value)};
}

static json_t *value_of(const struct graph_row *row, const json_t *value)
{
    if (!value) return json_null();
    if (row->kind == GRAPH_DAY) return noon(text_of(value));
    return row->field == FIELD_NOTE ? lines(text_of(value)) : json_incref((json_t *)value);
}

/* -- single fields -- */

static void add_tag(struct making *m, const char *id, json_t *value)
{
    json_array_append_new(m->tags, json_pack("{s:s, s:o}", "id", id, "value", value));
}

/* The birthday as a day goes along: where it is there, it wins when it is read (7). */
static void set_local_birthday(struct making *m, const json_t *day)
{
    struct buf text AUTO_BUF = BUF_INIT;
    if (day) buf_addf(&text, "%sT00:00:00Z", json_string_value(day));
    add_tag(m, GRAPH_LOCAL_BIRTHDAY, day ? json_string(buf_cstr(&text)) : json_null());
}

static void set_one(struct making *m, const struct graph_row *row)
{
    const json_t *value = chosen(m, row);
    if (same(value, first_had(m, row))) return;
    if (row->form == FORM_TAG)
        add_tag(m, row->member, value_of(row, value));
    else
        json_object_set_new(m->body, row->member, value_of(row, value));
    if (row->field == FIELD_BDAY && m->carry) set_local_birthday(m, value);
}

static void set_company(struct making *m, const struct graph_row *row)
{
    static const char *const members[] = {"companyName", "department"};
    const json_t *value = chosen(m, row), *had = first_had(m, row);
    for (size_t i = 0; i < 2; i++) {
        json_t *text = json_object_get(value, members[i]);
        if (!same(text, json_object_get(had, members[i])))
            json_object_set_new(m->body, members[i], text ? json_incref(text) : json_null());
    }
}

/* -- addresses -- */

/* Lines of the street that stand for what Graph has no member for. */
static void add_rest(const json_t *place, struct buf *out)
{
    static const char *const parts[] = {"extension", "box"};
    for (size_t i = 0; i < 2; i++) {
        struct str part = json_member(place, parts[i]);
        if (part.n && out->len) buf_addc(out, '\n');
        buf_addstr(out, part);
    }
}

static json_t *place_of(const json_t *wanted, bool with_rest)
{
    json_t *place = json_object();
    struct buf street AUTO_BUF = BUF_INIT;
    buf_addstr(&street, json_member(wanted, "street"));
    if (with_rest) add_rest(wanted, &street);
    json_set_member(place, "street", buf_str(&street));
    for (size_t i = 1; i < 5; i++)
        json_set_member(place, graph_place_members[i], json_member(wanted, graph_place_members[i]));
    return place;
}

static bool is_place(const json_t *wanted, const json_t *had)
{
    json_t *plain = place_of(wanted, false), *whole = place_of(wanted, true);
    bool is = had && (same(plain, had) || same(whole, had));
    json_decref(plain);
    json_decref(whole);
    return is;
}

/* Extension and post box join the street where the address is new there, or where they stand already (5). */
static bool joins_rest(const json_t *wanted, const json_t *had)
{
    struct buf rest AUTO_BUF = BUF_INIT;
    add_rest(wanted, &rest);
    return rest.len && (!had || str_ends(json_member(had, "street"), buf_str(&rest)));
}

static json_t *place_sent(const json_t *place, bool clears)
{
    json_t *out = json_object();
    for (size_t i = 0; i < 5; i++) {
        struct str text = json_member(place, graph_place_members[i]);
        if (text.n)
            json_object_set_new(out, graph_place_members[i], lines(text));
        else if (clears)
            json_object_set_new(out, graph_place_members[i], json_null());
    }
    return out;
}

static void set_place(struct making *m, const struct graph_row *row)
{
    const json_t *list = json_object_get(m->wanted, row->member), *first = json_array_get(list, 0);
    json_t *had_whole = first_had(m, row), *had = had_whole ? place_of(had_whole, false) : NULL;
    bool there = !first && !had;
    for (size_t i = 0; i < json_array_size(list) && !there; i++) there = is_place(json_array_get(list, i), had);
    if (!there) {
        json_t *place = place_of(first, joins_rest(first, had));
        json_object_set_new(m->body, row->member, place_sent(place, had != NULL));
        json_decref(place);
    }
    json_decref(had);
}

/* -- lists with places -- */

struct places {
    json_t **list; /* borrowed or owned by `fresh`; NULL = free */
    size_t n;
    json_t *fresh;
    bool changed;
};

static bool is_blank(const json_t *entry)
{
    return json_is_null(entry) || (json_is_string(entry) && !json_string_length(entry));
}

/* What is wanted as it is, and what no card shows, stays where it is. `seen` receives what is there already. */
static void keep_places(const struct making *m, const struct graph_row *row, struct places *p, json_t *seen)
{
    const json_t *current = json_object_get(m->current, row->member), *wanted = json_object_get(m->wanted, row->member);
    for (size_t i = 0; i < json_array_size(current); i++) {
        json_t *entry = json_array_get(current, i), *view = is_blank(entry) ? NULL : shown_entry(row, entry);
        bool stays = !is_blank(entry) && (!view || is_among(wanted, view));
        p->changed |= !is_blank(entry) && !stays;
        p->list[p->n++] = stays ? entry : NULL;
        if (view && stays) json_array_append(seen, view);
        json_decref(view);
    }
}

static bool take_place(struct places *p, size_t most, json_t *entry)
{
    size_t at = 0;
    while (at < p->n && p->list[at]) at++;
    json_array_append_new(p->fresh, entry);
    if (most && at >= most) return false;
    if (at == p->n) p->n++;
    p->list[at] = entry;
    p->changed = true;
    return true;
}

/* The name beside an address is the contact's own (5). */
static json_t *as_entry(const struct making *m, const struct graph_row *row, json_t *value)
{
    if (row->form != FORM_MAILS) return json_incref(value);
    json_t *name = json_array_get(json_object_get(m->wanted, "displayName"), 0);
    return json_pack("{s:O, s:O}", "address", value, "name", name ? name : value);
}

static void send_places(struct making *m, const struct graph_row *row, const struct places *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i] && (!row->most || json_array_size(list) < row->most)) json_array_append(list, p->list[i]);
    json_object_set_new(m->body, row->member, list);
}

/* Numbers without a kind take what is left (`used` counts them): better shown as one of the company's than not there.
 */
static void add_spare(const struct making *m, const struct graph_row *row, struct places *p, size_t *used)
{
    const json_t *spare = json_object_get(m->wanted, "spare");
    while (row->kind == GRAPH_PHONE && *used < json_array_size(spare)) {
        json_t *number = json_array_get(spare, *used);
        bool known = is_among(json_object_get(m->wanted, row->member), number);
        if (!known && !take_place(p, row->most, json_incref(number))) return;
        ++*used;
    }
}

static void set_list(struct making *m, const struct graph_row *row, size_t *spare_used)
{
    const json_t *wanted = json_object_get(m->wanted, row->member);
    size_t n = json_array_size(json_object_get(m->current, row->member)) + json_array_size(wanted) +
               json_array_size(json_object_get(m->wanted, "spare"));
    struct places p = {.list = mem_calloc(n + 1, sizeof *p.list), .fresh = json_array()};
    json_t *seen = json_array();
    keep_places(m, row, &p, seen);
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        json_t *value = json_array_get(wanted, i);
        if (!is_among(seen, value)) take_place(&p, row->most, as_entry(m, row, value));
    }
    add_spare(m, row, &p, spare_used);
    if (p.changed) send_places(m, row, &p);
    json_decref(seen);
    json_decref(p.fresh);
    free(p.list);
}

/* -- the whole -- */

/* Graph builds these two anew when a name changes and they are not told (2). */
static void keep_built(struct making *m)
{
    static const char *const names[] = {"surname", "givenName", "middleName", "title", "generation", "companyName"};
    static const char *const built[] = {"displayName", "fileAs"};
    bool named = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) named |= json_object_get(m->body, names[i]) != NULL;
    for (size_t i = 0; named && i < 2; i++) {
        json_t *value = json_array_get(json_object_get(m->wanted, built[i]), 0);
        if (value && !json_object_get(m->body, built[i])) json_object_set(m->body, built[i], value);
    }
}

static void set_row(struct making *m, const struct graph_row *row, size_t *spare_used)
{
    switch ((enum graph_form)row->form) {
    case FORM_ONE:
        set_one(m, row);
        break;
    case FORM_TAG:
        if (m->carry) set_one(m, row);
        break;
    case FORM_LIST:
    case FORM_MAILS:
        set_list(m, row, spare_used);
        break;
    case FORM_PLACE:
        set_place(m, row);
        break;
    case FORM_COMPANY:
        set_company(m, row);
        break;
    case FORM_NONE:
        break;
    }
}

json_t *graph_update_body(const json_t *current, const json_t *wanted, bool carry)
{
    struct making m = {.current = current,
                       .wanted = wanted,
                       .had = shown(current, carry),
                       .body = json_object(),
                       .tags = json_array(),
                       .carry = carry};
    size_t spare_used = 0;
    for (size_t i = graph_rows_n; i-- > 0;)
        set_row(&m, &graph_rows[i], &spare_used); /* WORK before HOME, for the spare */
    keep_built(&m);
    if (json_array_size(m.tags)) json_object_set(m.body, "singleValueExtendedProperties", m.tags);
    json_decref(m.tags);
    json_decref(m.had);
    return m.body;
}

json_t *graph_create_body(const json_t *wanted, bool carry, struct str operation)
{
    json_t *nothing = json_object(), *body = graph_update_body(nothing, wanted, carry);
    json_t *tags = json_object_get(body, "singleValueExtendedProperties");
    if (!tags) {
        tags = json_array();
        json_object_set_new(body, "singleValueExtendedProperties", tags);
    }
    json_array_append_new(tags, json_pack("{s:s, s:s%}", "id", GRAPH_OPERATION, "value", operation.p, operation.n));
    json_decref(nothing);
    return body;
}
