#include "core/resolve.h"

#include "base/i18n.h"
#include "base/mem.h"

static struct str without_slash(struct str s)
{
    while (s.n > 1 && s.p[s.n - 1] == '/') s.n--;
    return s;
}

static struct str last_segment(struct str path)
{
    path = without_slash(path);
    size_t start = path.n;
    while (start > 0 && path.p[start - 1] != '/') start--;
    return (struct str){path.p + start, path.n - start};
}

static bool is_path(const struct collection *c, struct str name)
{
    return str_eq(without_slash(str_of(c->path)), without_slash(name));
}

static bool is_name(const struct collection *c, struct str name)
{
    return str_eq(str_of(c->name), name);
}

static bool is_segment(const struct collection *c, struct str name)
{
    return str_eq(last_segment(str_of(c->path)), name);
}

static void list_names(const struct collections *all, struct buf *out)
{
    for (size_t i = 0; i < all->n; i++) buf_addf(out, "%s\"%s\"", i ? ", " : "", all->items[i].name);
    if (!all->n) buf_adds(out, _("nothing"));
}

const struct collection *collection_find(const struct collections *all, struct str name, struct fault *f)
{
    static bool (*const rules[])(const struct collection *, struct str) = {is_path, is_name, is_segment};
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        const struct collection *found = NULL;
        size_t n = 0;
        for (size_t i = 0; i < all->n; i++) {
            if (!rules[r](&all->items[i], name)) continue;
            found = &all->items[i];
            n++;
        }
        if (n == 1) return found;
        if (n > 1) {
            fault_set(f, FAULT_CONFIG, _("name it by its path, as `abgleich discover` shows it"), _("%zu collections are called \"%.*s\""),
                      n, STR_ARG(name));
            return NULL;
        }
    }
    struct buf there AUTO_BUF = BUF_INIT;
    list_names(all, &there);
    fault_set(f, FAULT_NO_COLLECTION, NULL, _("there is no collection \"%.*s\"; there is: %s"), STR_ARG(name), buf_cstr(&there));
    return NULL;
}

static enum fault_code find_path(const struct connector *connector, struct session *session, const char *name, char **path,
                                 struct fault *f)
{
    struct collections all = {0};
    enum fault_code code = connector->discover(session, &all, f);
    if (code) return code;
    const struct collection *found = collection_find(&all, str_of(name), f);
    if (found) *path = mem_strdup(found->path);
    collections_free(&all);
    return found ? FAULT_NONE : f ? f->code : FAULT_NO_COLLECTION;
}

enum fault_code collection_select(const struct connector *connector, struct session *session, struct traits *traits,
                                  const char *name, const struct collection **about, struct buf *identity, struct fault *f)
{
    if (connector->capabilities & NO_COLLECTIONS) return connector->select(session, "", about, identity, f);
    bool remembered = !(connector->capabilities & IN_STATE);
    struct buf key AUTO_BUF = BUF_INIT;
    buf_addf(&key, "path:%s", name);
    char *path AUTO_FREE = remembered ? traits->get(traits, buf_cstr(&key)) : NULL;
    if (!path) {
        enum fault_code code = find_path(connector, session, name, &path, f);
        if (code) return code;
        if (remembered) traits->set(traits, buf_cstr(&key), path);
    }
    return connector->select(session, path, about, identity, f);
}
