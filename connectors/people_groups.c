/* Contact groups as categories (4): groups people made, by name; a missing one is made. The star is a category of
 * choice. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/people_session.h"

#include <stdlib.h>

#define MY_CONTACTS "contactGroups/myContacts"
#define STARRED "contactGroups/starred" /* the only other group of the system that takes members (4) */

/* The name a group has as a category; NULL = none. Those with a star are one where the account says so. */
static const char *category_of(const struct session *s, const json_t *group, const char *resource)
{
    const char *type = json_string_value(json_object_get(group, "groupType"));
    if (strcmp(resource, STARRED) == 0) return account_setting(s->account, PEOPLE_STARRED);
    return type && strcmp(type, "USER_CONTACT_GROUP") == 0 ? json_string_value(json_object_get(group, "name")) : NULL;
}

static void add(struct session *s, const json_t *group)
{
    const char *resource = json_string_value(json_object_get(group, "resourceName"));
    if (!resource) return;
    const char *name = category_of(s, group, resource);
    s->group_list = mem_realloc(s->group_list, (s->n_groups + 1) * sizeof *s->group_list);
    s->group_list[s->n_groups++] = (struct people_group){mem_strdup(resource), name ? mem_strdup(name) : NULL};
}

void people_groups_free(struct session *s)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        free(s->group_list[i].resource);
        free(s->group_list[i].name);
    }
    free(s->group_list);
    s->group_list = NULL;
    s->n_groups = 0;
    s->groups_known = false;
}

static enum fault_code load_page(struct session *s, struct buf *page, struct fault *f)
{
    struct buf path AUTO_BUF = BUF_INIT;
    buf_adds(&path, "contactGroups?pageSize=1000");
    if (page->len) people_add_query(&path, "pageToken", buf_str(page));
    struct people_call c AUTO_CALL = {.method = "GET", .path = buf_cstr(&path)};
    enum fault_code code = people_do(s, &c, f);
    const json_t *list = json_object_get(c.answer, "contactGroups");
    for (size_t i = 0; i < json_array_size(list); i++) add(s, json_array_get(list, i));
    const char *next = json_string_value(json_object_get(c.answer, "nextPageToken"));
    bool moves = next && !str_eq(str_of(next), buf_str(page));
    buf_reset(page);
    if (moves) buf_adds(page, next);
    return code;
}

static enum fault_code load(struct session *s, struct fault *f)
{
    struct buf page AUTO_BUF = BUF_INIT;
    enum fault_code code;
    people_groups_free(s);
    do code = load_page(s, &page, f);
    while (!code && page.len);
    s->groups_known = !code;
    return code;
}

static const struct people_group *find(const struct session *s, const char *resource)
{
    for (size_t i = 0; i < s->n_groups; i++)
        if (strcmp(s->group_list[i].resource, resource) == 0) return &s->group_list[i];
    return NULL;
}

/* Everybody is in myContacts, so that alone asks for nothing. */
enum fault_code people_know_groups(struct session *s, const json_t *person, struct fault *f)
{
    const json_t *list = json_object_get(person, "memberships");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *membership = json_object_get(json_array_get(list, i), "contactGroupMembership");
        const char *resource = json_string_value(json_object_get(membership, "contactGroupResourceName"));
        if (!resource || strcmp(resource, MY_CONTACTS) == 0 || find(s, resource)) continue;
        return s->groups_known ? FAULT_NONE : load(s, f); /* one that is not listed stays as it is */
    }
    return FAULT_NONE;
}

const char *people_group_name(void *ctx, const char *resource)
{
    const struct people_group *g = find(ctx, resource);
    return g ? g->name : NULL;
}

static const char *resource_by_name(const struct session *s, const char *name)
{
    for (size_t i = 0; i < s->n_groups; i++)
        if (s->group_list[i].name && strcmp(s->group_list[i].name, name) == 0) return s->group_list[i].resource;
    return NULL;
}

/* A lost answer needs no care: the next run finds the group by its name. */
static enum fault_code make(struct session *s, const char *name, struct fault *f)
{
    json_t *body = json_pack("{s:{s:s}}", "contactGroup", "name", name);
    struct people_call c AUTO_CALL = {.method = "POST", .path = "contactGroups", .body = body, .write = true};
    enum fault_code code = people_do(s, &c, f);
    if (!code) add(s, c.answer);
    if (code == FAULT_EXISTS) { /* made meanwhile, or spelled otherwise */
        fault_clear(f);
        code = load(s, f);
    } else if (code == FAULT_UNKNOWN)
        f->code = code = FAULT_LOCKED; /* of the record nothing was sent */
    json_decref(body);
    return code;
}

const char *people_group_resource(void *ctx, const char *name, struct fault *f)
{
    struct session *s = ctx;
    if (!s->groups_known && load(s, f)) return NULL;
    const char *found = resource_by_name(s, name);
    if (found || make(s, name, f)) return found;
    found = resource_by_name(s, name);
    for (size_t i = 0; !found && i < s->n_groups; i++)
        if (s->group_list[i].name && str_eq_nocase(str_of(s->group_list[i].name), str_of(name)))
            found = s->group_list[i].resource;
    if (!found)
        fault_set(f, FAULT_REFUSED, _("give the category another name"),
                  _("Google does not take \"%s\" as the name of a group"), name);
    return found;
}
