/* Any JSON as a contact of Microsoft Graph: its card can be read, an update with what the card shows changes nothing, what a card asks for
 * comes back as the same card would ask for it, and an update to any other card leads there. */
#include "mapping/graph_table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define OPERATION STR("00000000-0000-4000-8000-000000000000")

static void must(bool holds, const char *what, const json_t *contact)
{
    if (holds) return;
    char *text = json_dumps(contact, JSON_COMPACT);
    fprintf(stderr, "broken: %s\n%s\n", what, text ? text : "");
    abort();
}

static json_t *wanted_of(const json_t *contact, bool carry, struct fault *why)
{
    struct buf card AUTO_BUF = BUF_INIT;
    graph_card(contact, carry, STR_NONE, &card);
    return graph_wanted(buf_str(&card), carry, why);
}

static void check_itself(const json_t *contact, bool carry)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    json_t *wanted = wanted_of(contact, carry, &why);
    must(wanted || why.code == FAULT_UNREADABLE, "the card of a contact cannot be read", contact);
    if (!wanted) return; /* beyond the limits of a card */
    json_t *update = graph_update_body(contact, wanted, carry);
    must(json_object_size(update) == 0, "what the card shows is a change", contact);
    json_t *made = graph_create_body(wanted, carry, OPERATION);
    json_t *back = wanted_of(made, carry, &why);
    must(back != NULL, "a contact we made cannot be read", contact);
    json_t *again = graph_create_body(back, carry, OPERATION);
    must(json_equal(made, again), "what comes back differs", contact);
    json_decref(wanted);
    json_decref(update);
    json_decref(made);
    json_decref(back);
    json_decref(again);
}

/* An update of one to what the other shows, carried out: then there is nothing left to send. */
static void check_update(const json_t *contact, const json_t *other, bool carry)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    json_t *wanted = wanted_of(other, carry, &why);
    if (!wanted) return;
    json_t *body = graph_update_body(contact, wanted, carry), *tags = json_object_get(body, "singleValueExtendedProperties");
    json_t *after = json_deep_copy(contact);
    json_object_del(body, "singleValueExtendedProperties");
    json_object_update(after, body);
    if (!tags) {
        json_t *rest = graph_update_body(after, wanted, carry);
        must(json_object_size(rest) == 0, "an update does not come to rest", contact);
        json_decref(rest);
    }
    json_decref(wanted);
    json_decref(body);
    json_decref(after);
}

/* -- contacts made of bytes: a member of the table, then its values, so that chance need not guess names -- */

struct bytes {
    const uint8_t *p;
    size_t n;
};

static unsigned next(struct bytes *b)
{
    if (!b->n) return 0;
    b->n--;
    return *b->p++;
}

static json_t *next_text(struct bytes *b)
{
    size_t n = next(b) % 40;
    if (n > b->n) n = b->n;
    json_t *text = json_stringn((const char *)b->p, n);
    b->p += n, b->n -= n;
    return text ? text : json_null();
}

static json_t *next_place(struct bytes *b)
{
    json_t *place = json_object();
    for (size_t i = 0; i < 5; i++)
        if (next(b) % 2) json_object_set_new(place, graph_place_members[i], next_text(b));
    return place;
}

static json_t *next_value(const struct graph_row *row, struct bytes *b)
{
    json_t *list = json_array();
    size_t n = next(b) % 5;
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, row->form == FORM_MAILS ? json_pack("{s:o, s:o}", "address", next_text(b), "name", next_text(b)) : next_text(b));
    return list;
}

static json_t *next_contact(struct bytes *b, size_t most)
{
    json_t *contact = json_object(), *tags = json_array();
    for (size_t i = 0; i < most && b->n; i++) {
        const struct graph_row *row = &graph_rows[next(b) % graph_rows_n];
        if (row->form == FORM_TAG)
            json_array_append_new(tags, json_pack("{s:s, s:o}", "id", row->member, "value", next_text(b)));
        else
            json_object_set_new(contact, row->member, row->form == FORM_PLACE ? next_place(b) : row->form == FORM_LIST || row->form == FORM_MAILS ? next_value(row, b) : next_text(b));
        if (row->form == FORM_COMPANY) json_object_set_new(contact, "department", next_text(b));
    }
    json_object_set_new(contact, "singleValueExtendedProperties", tags);
    return contact;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    bool text = size && data[0] == '{';
    json_t *contact = text ? json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL) : next_contact(&b, 12);
    json_t *other = text ? NULL : next_contact(&b, 12);
    for (int carry = 0; json_is_object(contact) && carry < 2; carry++) {
        check_itself(contact, carry);
        if (other) check_update(contact, other, carry);
    }
    json_decref(contact);
    json_decref(other);
    return 0;
}
