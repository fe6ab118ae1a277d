/* Any JSON as a contact of Microsoft Graph: its card can be read, an update with what the card shows changes nothing, what a card asks for
 * comes back as the same card would ask for it, and an update to any other card leads there. */
#include "mapping/graph.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *input = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    if (json_is_object(input)) {
        for (int carry = 0; carry < 2; carry++) check_itself(input, carry);
        if (json_is_object(json_object_get(input, "other")))
            for (int carry = 0; carry < 2; carry++) check_update(input, json_object_get(input, "other"), carry);
    }
    json_decref(input);
    return 0;
}
