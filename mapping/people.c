/* Bodies of creates and updates (protocols: google-people 4, 5 "Preserve"). */
#include "mapping/people.h"

#include "base/mem.h"
#include "mapping/people_table.h"

#include <stdlib.h>

/* -- memberships: names of categories to groups -- */

#define MY_CONTACTS "contactGroups/myContacts"

static json_t *membership(const char *resource)
{
    return json_pack("{s:{s:s}}", "contactGroupMembership", "contactGroupResourceName", resource);
}

static const char *resource_of(const json_t *entry)
{
    return json_string_value(
        json_object_get(json_object_get(entry, "contactGroupMembership"), "contactGroupResourceName"));
}

/* Memberships in system groups stay as they are; the list must never be empty. */
static json_t *memberships(const json_t *current, const json_t *wanted, const struct people_groups *groups,
                           struct fault *f)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(current); i++) {
        const char *resource = resource_of(json_array_get(current, i));
        if (resource && !groups->name(groups->ctx, resource)) json_array_append_new(out, membership(resource));
    }
    if (!json_array_size(out)) json_array_append_new(out, membership(MY_CONTACTS));
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(wanted, i), "category"));
        const char *resource = name ? groups->resource(groups->ctx, name, f) : NULL;
        if (resource)
            json_array_append_new(out, membership(resource));
        else if (f->code) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* -- creating -- */

static void add_client_data(json_t *body, const char *key, struct str value)
{
    json_t *list = json_object_get(body, "clientData");
    if (!list) {
        list = json_array();
        json_object_set_new(body, "clientData", list);
    }
    if (value.n) json_array_append_new(list, json_pack("{s:s, s:s%}", "key", key, "value", value.p, value.n));
}

json_t *people_create_body(const json_t *wanted, struct str operation, struct str uid,
                           const struct people_groups *groups, struct fault *f)
{
    json_t *body = json_deep_copy(wanted), *categories = json_object_get(wanted, "memberships");
    json_object_del(body, "photo");
    json_object_del(body, "memberships");
    if (categories) {
        json_t *list = memberships(NULL, categories, groups, f);
        if (!list) {
            json_decref(body);
            return NULL;
        }
        json_object_set_new(body, "memberships", list);
    }
    add_client_data(body, PEOPLE_KEY_OPERATION, operation);
    add_client_data(body, PEOPLE_KEY_UID, uid);
    return body;
}

void people_show_uid(json_t *body, struct str uid)
{
    json_object_set_new(body, "externalIds",
                        json_pack("[{s:s%, s:s}]", "value", uid.p, uid.n, "type", PEOPLE_UID_TYPE));
}

/* -- updating: their list with our change applied -- */

/* What a card would show of `person`, in the form of people_wanted. */
static json_t *shown(const json_t *person, const struct people_groups *groups, struct fault *f)
{
    struct buf card AUTO_BUF = BUF_INIT;
    people_card(person, groups, STR_NONE, &card);
    return people_wanted(buf_str(&card), f);
}

/* What a card shows of one entry alone; NULL where it shows nothing. */
static json_t *shown_entry(const char *list, json_t *entry)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    json_t *alone = json_pack("{s:[O]}", list, entry);
    json_t *seen = shown(alone, NULL, &ignored), *first = json_array_get(json_object_get(seen, list), 0);
    json_incref(first);
    json_decref(alone);
    json_decref(seen);
    return first;
}

static json_t *as_input(const char *list, const json_t *entry)
{
    json_t *out = json_object();
    const char *member;
    json_t *value;
    bool names = strcmp(list, "names") == 0;
    json_object_foreach((json_t *)entry, member, value)
    {
        bool built = names && (strcmp(member, "displayName") == 0 || strcmp(member, "unstructuredName") == 0);
        if (!built && !people_is_output_only(member)) json_object_set(out, member, value);
    }
    return out;
}

/* Members that are built from others unless they are set: they would contradict what changes. */
static void drop_built(const char *list, json_t *entry)
{
    if (strcmp(list, "addresses") == 0) {
        json_object_del(entry, "formattedValue");
        json_object_del(entry, "countryCode");
    }
    if (strcmp(list, "biographies") == 0) json_object_del(entry, "contentType");
    if (strcmp(list, "birthdays") == 0) json_object_del(entry, "text");
}

/* The entry as it is, with what the card shows of it replaced by what is wanted. */
static json_t *edited(const char *list, const json_t *entry, const json_t *was, const json_t *wanted)
{
    json_t *out = as_input(list, entry);
    const char *member;
    json_t *value;
    drop_built(list, out);
    json_object_foreach((json_t *)was, member, value) json_object_del(out, member);
    json_object_update(out, (json_t *)wanted);
    return out;
}

struct their {            /* an entry of the list as it is */
    json_t *entry, *seen; /* seen: what a card shows of it, NULL = nothing */
    bool used;
};

static struct their *find_same(struct their *list, size_t n, const json_t *wanted)
{
    for (size_t i = 0; i < n; i++)
        if (!list[i].used && list[i].seen && json_equal(list[i].seen, (json_t *)wanted)) return &list[i];
    return NULL;
}

static bool is_wanted(const json_t *wanted, const json_t *seen)
{
    for (size_t i = 0; i < json_array_size(wanted); i++)
        if (json_equal(json_array_get(wanted, i), (json_t *)seen)) return true;
    return false;
}

/* Something the person changed: the first of theirs that nobody wants as it is and that has the same type, or the same
 * value. */
static struct their *find_changed(struct their *list, size_t n, const json_t *all_wanted, const json_t *wanted)
{
    static const char *const marks[] = {"value", "username", "person", "key", "name", "type"};
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
        json_t *mark = json_object_get(wanted, marks[m]);
        for (size_t i = 0; mark && i < n; i++)
            if (!list[i].used && list[i].seen && !is_wanted(all_wanted, list[i].seen) &&
                json_equal(json_object_get(list[i].seen, marks[m]), mark))
                return &list[i];
    }
    for (size_t i = 0; i < n; i++)
        if (!list[i].used && list[i].seen && !is_wanted(all_wanted, list[i].seen) && n == 1) return &list[i];
    return NULL;
}

static json_t *merged_list(const char *name, const json_t *current, const json_t *wanted)
{
    size_t n = json_array_size(current);
    struct their *theirs AUTO_FREE = mem_calloc(n + 1, sizeof *theirs);
    size_t own = 0;
    for (size_t i = 0; i < n; i++) {
        json_t *entry = json_array_get(current, i);
        if (people_is_own(entry)) theirs[own++] = (struct their){entry, shown_entry(name, entry), false};
    }
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *want = json_array_get(wanted, i);
        struct their *t = find_same(theirs, own, want);
        bool same = t != NULL;
        if (!t) t = find_changed(theirs, own, wanted, want);
        if (t) t->used = true;
        json_array_append_new(out, !t     ? json_deep_copy(want)
                                   : same ? as_input(name, t->entry)
                                          : edited(name, t->entry, t->seen, want));
    }
    for (size_t i = 0; i < own; i++) {
        if (!theirs[i].seen) json_array_append_new(out, as_input(name, theirs[i].entry)); /* no card shows it */
        json_decref(theirs[i].seen);
    }
    return out;
}

static json_t *list_for(const char *name, const json_t *current, const json_t *wanted,
                        const struct people_groups *groups, struct fault *f)
{
    const json_t *theirs = json_object_get(current, name), *ours = json_object_get(wanted, name);
    return strcmp(name, "memberships") == 0 ? memberships(theirs, ours, groups, f) : merged_list(name, theirs, ours);
}

static bool differs(const json_t *a, const json_t *b)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b)) return true;
    return n && !json_equal((json_t *)a, (json_t *)b);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *people_update_body(const json_t *current, const json_t *wanted, const struct people_groups *groups,
                           struct buf *mask, struct fault *f)
{
    json_t *had = shown(current, groups, f), *body = json_object();
    const char **names AUTO_FREE = mem_calloc(people_rows_n + 1, sizeof *names);
    const char *last = "photos";
    size_t n = 0;
    for (size_t i = 0; had && i < people_rows_n && !f->code; i++) {
        const char *name = people_rows[i].list;
        if (strcmp(name, last) == 0 || people_rows[i].kind == PEOPLE_PHOTO) continue;
        last = name;
        if (!differs(json_object_get(had, name), json_object_get(wanted, name))) continue;
        json_t *list = list_for(name, current, wanted, groups, f);
        if (list) json_object_set_new(body, name, list);
        names[n++] = name;
    }
    json_decref(had);
    if (f->code) {
        json_decref(body);
        return NULL;
    }
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) buf_addf(mask, "%s%s", i ? "," : "", names[i]);
    return body;
}
