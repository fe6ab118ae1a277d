#include "state/relation.h"

#include "base/i18n.h"
#include "state/rows.h"

/* Of a pair of kinds the first is what the row in the table says. */
static const struct relation_kind kinds[] = {
    {"employer", "employee", N_("employer")},
    {"employee", "employer", N_("employee")},
    {"contact-person", "represents", N_("contact person")},
    {"represents", "contact-person", N_("represents")},
    {"manager", "assistant", N_("manager")},
    {"assistant", "manager", N_("assistant")},
    {"parent", "child", N_("parent")},
    {"child", "parent", N_("child")},
    {"customer", "supplier", N_("customer")},
    {"supplier", "customer", N_("supplier")},
    {"spouse", "spouse", N_("spouse")},
    {"sibling", "sibling", N_("sibling")},
    {"colleague", "colleague", N_("colleague")},
    {"friend", "friend", N_("friend")},
    {"related", "related", N_("related")},
    {NULL, NULL, NULL},
};

const struct relation_kind *relation_kinds(void)
{
    return kinds;
}

const struct relation_kind *relation_kind_named(struct str name)
{
    for (const struct relation_kind *k = kinds; k->name; k++)
        if (str_eq_nocase(str_of(k->name), name)) return k;
    return NULL;
}

/* The one form in which a relation is kept: of two kinds the one named first. A kind that is its own inverse is the
 * same both ways. */
struct form {
    struct str record, other;
    const struct relation_kind *kind;
    bool both_ways;
};

static struct form form_of(struct str record, const struct relation_kind *kind, struct str other)
{
    const struct relation_kind *inverse = relation_kind_named(str_of(kind->inverse));
    return inverse < kind ? (struct form){other, record, inverse, false}
                          : (struct form){record, other, kind, inverse == kind};
}

static struct query *begin(struct db *db, enum query_id id, const struct form *form)
{
    struct query *q = query_begin(db, id);
    bind_text(q, 1, form->record);
    bind_text(q, 2, str_of(form->kind->name));
    bind_text(q, 3, form->other);
    bind_int(q, 4, form->both_ways);
    return q;
}

static bool is_there(struct db *db, const struct form *form)
{
    struct query *q = begin(db, QUERY_RELATION_FIND, form);
    bool there = query_step(q);
    query_end(q);
    return there;
}

enum fault_code relation_add(struct db *db, struct str record, const struct relation_kind *kind, struct str other,
                             struct fault *f)
{
    if (str_eq(record, other))
        return fault_set(f, FAULT_USAGE, _("name two contacts"), _("a contact cannot be linked with itself"));
    struct form form = form_of(record, kind, other);
    if (is_there(db, &form)) return db_check(db, f);
    struct query *q = begin(db, QUERY_RELATION_ADD, &form);
    bind_int(q, 4, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    return db_check(db, f);
}

enum fault_code relation_remove(struct db *db, struct str record, const struct relation_kind *kind, struct str other,
                                struct fault *f)
{
    struct form form = form_of(record, kind, other);
    if (!is_there(db, &form)) {
        enum fault_code code = db_check(db, f);
        return code ? code
                    : fault_set(f, FAULT_USAGE, _("\"abgleich contact show\" shows the links of a contact"),
                                _("there is no such link"));
    }
    query_run(begin(db, QUERY_RELATION_REMOVE, &form));
    return db_check(db, f);
}

size_t relation_list(struct db *db, struct str record, struct arena *arena, struct relation **out)
{
    struct rows rows = ROWS_OF(struct relation);
    struct query *q = query_begin(db, QUERY_RELATION_LIST);
    bind_text(q, 1, record);
    while (query_step(q)) {
        const struct relation_kind *kind = relation_kind_named(column_text(q, 1));
        if (kind && column_int(q, 2)) kind = relation_kind_named(str_of(kind->inverse));
        if (!kind) continue; /* of a newer program */
        *(struct relation *)rows_add(&rows) =
            (struct relation){kind, arena_str(arena, column_text(q, 3)), arena_str(arena, column_text(q, 4))};
    }
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}
