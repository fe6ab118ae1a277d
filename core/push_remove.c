#include "core/push.h"

#include "base/i18n.h"
#include "core/resolve.h"
#include "core/traits.h"
#include "state/lease.h"
#include "state/lock.h"
#include "state/pushed.h"

/* The next list would make it again: another person there, with another token. */
static enum fault_code refuse_listed(struct db *db, const struct link *link, struct str id, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct pushed_row *rows;
    size_t n = pushed_load(db, link->name, &arena, &rows);
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].id, id))
            return fault_set(f, FAULT_REFUSED, _("take the person out of the book or the filter, sync, and try again"),
                             _("\"%.*s\" is in the list that was sent last, and the next list would bring it back"),
                             STR_ARG(rows[i].title));
    return db_check(db, f);
}

static enum fault_code remove_there(struct db *db, struct env *env, const struct link *link, struct str id,
                                    struct fault *f)
{
    const struct connector *connector = connector_by_name(link->b.connector);
    struct traits_in_state traits = {.db = db};
    struct session *session;
    const struct collection *about;
    struct buf identity AUTO_BUF = BUF_INIT;
    struct lock *turn AUTO_LOCK = NULL;
    traits_in_state_init(&traits, db, link->b.name);
    enum fault_code code = connector->open(&link->b, &traits.traits, env, &session, f);
    if (code) return code;
    code = connector->select(session, link->collection_b, &about, &identity, f);
    struct buf name AUTO_BUF = BUF_INIT;
    buf_addf(&name, "target %s", buf_cstr(&identity));
    if (!code) code = lock_link(db, buf_cstr(&name), &turn, f);
    if (!code) code = connector->push->remove(session, id, f);
    connector->close(session);
    return code;
}

enum fault_code push_remove(struct db *db, const struct link *link, struct str id, struct fault *f)
{
    const struct connector *connector = connector_by_name(link->b.connector);
    struct lease *lease AUTO_LEASE = NULL;
    if (!connector || !connector->push || !connector->push->remove)
        return fault_set(f, FAULT_USAGE, NULL, _("records of \"%s\" are not deleted one by one"), link->b.name);
    enum fault_code code = lease_take(db, link->name, &lease, f);
    if (!code) code = refuse_listed(db, link, id, f);
    if (!code) code = remove_there(db, lease_env(lease), link, id, f);
    if (code) fault_about(f, NULL, link->b.name);
    return code;
}
