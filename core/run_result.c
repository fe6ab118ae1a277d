#include "core/run.h"

#include "base/i18n.h"
#include "core/match.h"

#include <stdlib.h>

const char *run_status_name(enum run_status s)
{
    static const char *const names[] = {
        [RUN_DONE] = "done",     [RUN_PARTIAL] = "partial",     [RUN_HELD] = "held",
        [RUN_FAILED] = "failed", [RUN_UNCHANGED] = "unchanged", [RUN_PENDING] = "pending",
    };
    return names[s];
}

const char *run_match_name(unsigned rule)
{
    static const char *const names[RUN_MATCHES] = {
        [MATCH_REMEMBERED] = "remembered", [MATCH_UID] = "uid",          [MATCH_NAME_EMAIL] = "name_email",
        [MATCH_NAME_PHONE] = "name_phone", [MATCH_NAME_ORG] = "name_company", [MATCH_GROUP_NAME] = "group_name",
    };
    return names[rule];
}

static void problems_free(struct run_problem *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].contact);
        free(list[i].other);
        free(list[i].id_a);
        free(list[i].id_b);
        free(list[i].reason);
    }
    free(list);
}

void run_result_free(struct run_result *r)
{
    for (size_t i = 0; i < r->n_conflicts; i++) {
        free(r->conflicts[i].contact);
        free(r->conflicts[i].field);
        free(r->conflicts[i].a);
        free(r->conflicts[i].b);
    }
    free(r->conflicts);
    problems_free(r->ambiguous, r->n_ambiguous);
    problems_free(r->quarantined, r->n_quarantined);
    for (size_t i = 0; i < r->n_operations; i++) free(r->operations[i].contact);
    free(r->operations);
    free(r->held);
    fault_clear(&r->fault);
    *r = (struct run_result){.fault = FAULT_INIT};
}

int run_exit_code(const struct run_result *r, bool check_only)
{
    switch (r->status) {
    case RUN_FAILED: return fault_exit_code(r->fault.code);
    case RUN_HELD: return fault_exit_code(FAULT_HELD);
    case RUN_PARTIAL: return r->fault.code > FAULT_COLLECTION_LAST ? fault_exit_code(r->fault.code) : 1;
    default: break;
    }
    if (check_only && r->status == RUN_PENDING) return 10;
    return r->n_ambiguous ? 3 : 0;
}
