#include "core/traits.h"

#include "state/settings.h"

static char *get(struct traits *t, const char *key)
{
    struct traits_in_state *s = (struct traits_in_state *)t;
    return trait_get(s->db, s->account, key);
}

/* Losing one does no harm, so a fault here is nobody's concern. */
static void set(struct traits *t, const char *key, const char *value)
{
    struct traits_in_state *s = (struct traits_in_state *)t;
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (!s->read_only) trait_set(s->db, s->account, key, value, &ignored);
}

void traits_in_state_init(struct traits_in_state *out, struct db *db, const char *account)
{
    *out = (struct traits_in_state){{get, set}, db, account, false};
}
