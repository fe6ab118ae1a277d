/* Any JSON as a person of the People API: its card can be read, an update with what the card shows changes nothing, and
 * what a card asks for comes back as the same card would ask for it. */
#include "mapping/people.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool holds, const char *what, const json_t *person)
{
    if (holds) return;
    char *text = json_dumps(person, JSON_COMPACT);
    fprintf(stderr, "broken: %s\n%s\n", what, text ? text : "");
    abort();
}

static const char *group_name(void *ctx, const char *resource)
{
    (void)ctx;
    return strncmp(resource, "g/", 2) ? NULL : resource + 2;
}

static const char *group_resource(void *ctx, const char *name, struct fault *f)
{
    struct buf *out = ctx;
    (void)f;
    buf_reset(out);
    buf_addf(out, "g/%s", name);
    return buf_cstr(out);
}

static bool has(const json_t *list, const json_t *entry)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), (json_t *)entry)) return true;
    return !json_is_array(list) && json_equal((json_t *)list, (json_t *)entry);
}

/* All that `a` asks for, `b` asks for; two spellings of one entry may have become one. */
static bool is_within(json_t *a, const json_t *b)
{
    const char *name;
    json_t *list;
    json_object_foreach(a, name, list)
    {
        const json_t *other = json_object_get(b, name);
        if (!json_is_array(list) && !has(other, list)) return false;
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!has(other, json_array_get(list, i))) return false;
    }
    return true;
}

static void check(const json_t *person)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf scratch AUTO_BUF = BUF_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    struct buf again AUTO_BUF = BUF_INIT;
    struct buf mask AUTO_BUF = BUF_INIT;
    const struct people_groups groups = {&scratch, group_name, group_resource};
    people_card(person, &groups, STR_NONE, &card);
    json_t *wanted = people_wanted(buf_str(&card), &why);
    must(wanted || why.code == FAULT_UNREADABLE, "the card of a person cannot be read", person);
    if (!wanted) return; /* beyond the limits of a card */
    json_t *update = people_update_body(person, wanted, &groups, &mask, &why);
    must(update && !mask.len, "what the card shows is a change", person);
    json_t *made = people_create_body(wanted, STR("op"), STR("uid"), &groups, &why);
    must(made != NULL, "no body", person);
    people_card(made, &groups, STR_NONE, &again);
    json_t *second = people_wanted(buf_str(&again), &why);
    must(second && is_within(second, wanted) && is_within(wanted, second), "what comes back differs", person);
    json_decref(wanted);
    json_decref(update);
    json_decref(made);
    json_decref(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *person = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(person)) check(person);
    json_decref(person);
    return 0;
}
