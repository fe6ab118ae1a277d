#include "core/push_stop.h"

#include "base/i18n.h"
#include "core/push.h"
#include "state/pushed.h"

/* May another list fare better? Of the key and the address it is said whatever the list. */
static bool is_about_list(enum fault_code code)
{
    return code != FAULT_AUTH && code != FAULT_UNSUPPORTED;
}

static void cause_of(const struct job *job, enum fault_code code, char out[DIGEST_HEX_BYTES])
{
    const struct account *a = job->side[SIDE_B].account;
    struct digest d;
    digest_init(&d);
    digest_str(&d, buf_str(&job->side[SIDE_B].identity)); /* address and key */
    digest_str(&d, str_of(job->link->settings_hash));
    for (size_t i = 0; i < a->n_settings; i++) {
        digest_str(&d, str_of(a->settings[i].key));
        digest_str(&d, str_of(a->settings[i].name));
        digest_str(&d, str_of(a->settings[i].value));
    }
    if (is_about_list(code)) digest_str(&d, str_of(job->result->plan));
    digest_hex(&d, out);
}

static bool is_asked_for(const struct job *job)
{
    const char *why = job->options->trigger;
    return !why || (strcmp(why, "interval") != 0 && strcmp(why, "change") != 0);
}

enum fault_code push_stop_check(struct job *job)
{
    struct pushed_stop stop;
    char cause[DIGEST_HEX_BYTES];
    if (is_asked_for(job) || !pushed_stop_get(job->db, job->link->name, &job->memory, &stop)) return FAULT_NONE;
    cause_of(job, (enum fault_code)stop.code, cause);
    if (!str_eq(stop.cause, str_of(cause))) return FAULT_NONE;
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("%.*s; nothing is sent until that changes, or somebody runs abgleich sync %s"),
             STR_ARG(stop.advice), job->link->name);
    fault_set(job->fault, (enum fault_code)stop.code, buf_cstr(&advice), "%.*s", STR_ARG(stop.what));
    fault_about(job->fault, NULL, job->side[SIDE_B].account->name);
    return (enum fault_code)stop.code;
}

void push_stop_note(struct job *job, enum fault_code code)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    char cause[DIGEST_HEX_BYTES];
    if (db_begin(job->db, &ignored)) return;
    if (code && job->fault->lasts) {
        cause_of(job, code, cause);
        const struct pushed_stop stop = {(unsigned)code, str_of(job->fault->what), str_of(job->fault->advice),
                                         str_of(cause)};
        pushed_stop_set(job->db, job->link->name, &stop);
    } else
        pushed_stop_forget(job->db, job->link->name);
    if (db_check(job->db, &ignored))
        db_rollback(job->db);
    else
        db_commit(job->db, &ignored);
}
