#include "core/run.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "core/execute.h"
#include "core/push.h"
#include "core/resolve.h"
#include "core/traits.h"
#include "state/lease.h"
#include "state/lock.h"
#include "state/runs.h"
#include "state/settings.h"

#include <stdlib.h>

#define TURN_POLL_MS 100
#define TURN_WAIT_MAX_MS ((int64_t)10 * 60 * 1000)
#define FULL_LISTING_EVERY_MS (24 * 3600 * 1000LL)
#define DEFAULT_REGION "DE"

/* -- opening -- */

static enum fault_code open_side(struct job *job, enum side s, struct traits_in_state *traits)
{
    struct job_side *side = &job->side[s];
    const struct account *account = s == SIDE_A ? &job->link->a : &job->link->b;
    side->opened = *account;
    side->opened.looks_only = job->options->check_only;
    side->account = account = &side->opened;
    side->connector = connector_by_name(account->connector);
    if (!side->connector)
        return fault_set(job->fault, FAULT_CONFIG, NULL, _("there is no connector \"%s\""), account->connector);
    traits_in_state_init(traits, job->db, account->name);
    enum fault_code code = side->connector->open(account, &traits->traits, job->env, &side->session, job->fault);
    if (!code)
        code = collection_select(side->connector, side->session, &traits->traits,
                                 s == SIDE_A ? job->link->collection_a : job->link->collection_b, &side->collection,
                                 &side->identity, job->fault);
    if (code) fault_about(job->fault, NULL, account->name);
    return code;
}

static void ready_side(struct job *job, enum side s)
{
    struct job_side *side = &job->side[s];
    side->form = (struct write_form){.versions = side->collection->versions, .strict = !job_can(job, s, IN_STATE)};
    side->counts = s == SIDE_A ? &job->result->a : &job->result->b;
    int64_t age = job->env->now_ms(job->env) - job->state.last_full_ms[s];
    bool mirrored = s == SIDE_B && job->switches & SWITCH_MIRROR; /* what others put there is seen in listings alone */
    bool anew = job->options->one_time || job->refingerprint || job->switches & SWITCH_NEW_MODE;
    bool old = !job_can(job, s, OWN_LISTINGS) && (age > FULL_LISTING_EVERY_MS || age < 0);
    side->list = !job->state.token[s] || mirrored || anew || old;
}

static enum fault_code check_kinds(struct job *job)
{
    if (job->side[SIDE_A].collection->kind != job->side[SIDE_B].collection->kind)
        return fault_set(job->fault, FAULT_CONFIG, _("a link joins two address books or two calendars"),
                         _("one side holds contacts and the other events"));
    for (int s = 0; s < 2; s++)
        if (job->side[s].collection->read_only && policy_writes(job->policy, (enum side)s))
            return fault_set(job->fault, FAULT_READ_ONLY,
                             _("choose mode = import, or ask for the right to write there"),
                             _("\"%s\" cannot be written to"), job->side[s].collection->name);
    return FAULT_NONE;
}

static unsigned switches_of(const struct job *job, bool switched)
{
    const struct policy *p = &job->link->policy;
    return (p->strategy == DELETE_NEVER ? SWITCH_KEEP_ON_B : 0u) | (p->strategy >= DELETE_MIRROR ? SWITCH_MIRROR : 0u) |
           (p->strategy == DELETE_WIPE ? SWITCH_WIPE | SWITCH_ENFORCE : 0u) | (p->enforces ? SWITCH_ENFORCE : 0u) |
           (switched ? SWITCH_NEW_MODE : 0u) | (job->options->ignore_tombstones ? SWITCH_IGNORE_TOMBSTONES : 0u);
}

static enum fault_code open_job(struct job *job, struct traits_in_state traits[2])
{
    enum fault_code code = settings_hash_key(job->db, &job->key, job->fault);
    if (!code) code = link_state_load(job->db, job->link->name, &job->state, job->fault);
    for (int s = 0; !code && s < 2; s++) code = open_side(job, (enum side)s, &traits[s]);
    if (code) return code;
    bool switched =
        !job->options->one_time && job->state.mode && policy_is_switched(&job->link->policy, job->state.mode);
    job->policy = policy_row(&job->link->policy, !job->state.first_run_done || switched);
    job->switches = switches_of(job, switched);
    /* Another filter is asked about every record, and that takes their bodies. */
    bool refiltered = job->state.settings_hash && job->link->settings_hash &&
                      strcmp(job->state.settings_hash, job->link->settings_hash) != 0;
    job->refingerprint = job->state.known && (job->state.normaliser != NORMALISER_VERSION || refiltered);
    job->kind = job->side[SIDE_A].collection->kind;
    job->region = job->link->b.region   ? job->link->b.region
                  : job->link->a.region ? job->link->a.region
                                        : DEFAULT_REGION;
    job->pairs = -1;
    items_init(&job->items, &job->key);
    for (int s = 0; s < 2; s++) ready_side(job, (enum side)s);
    code = check_kinds(job);
    return code ? code : spool_open(NULL, &job->spool, job->fault);
}

static void close_job(struct job *job)
{
    if (job->amend && job->amend->free) job->amend->free(job->amend);
    push_free(job);
    for (int s = 0; s < 2; s++) {
        struct job_side *side = &job->side[s];
        if (side->session) side->connector->close(side->session);
        buf_free(&side->identity);
        free(side->new_token);
        free(job->work[s]);
    }
    items_free(&job->items);
    spool_close(job->spool);
    link_state_free(&job->state);
    arena_free(&job->memory);
    free(job->intents);
}

/* -- ending -- */

static void leave_open_items(struct job *job)
{
    struct fault moving AUTO_FAULT = FAULT_INIT;
    struct fault unknown AUTO_FAULT = FAULT_INIT;
    struct fault vanished AUTO_FAULT = FAULT_INIT;
    fault_set(&moving, FAULT_CHANGED, NULL, "%s", _("it changed again while it was looked at; the next run decides"));
    fault_set(&unknown, FAULT_UNKNOWN, NULL, "%s",
              _("a side did not say all that is needed to decide; the next run asks again"));
    fault_set(&vanished, FAULT_GONE, NULL, "%s", _("it vanished while it was looked at; the next run decides"));
    for (size_t i = 0; i < job->items.n; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct item *item = &job->items.list[i];
        if (item->dead || item->settled || item->waits) continue;
        bool gone = item->side[SIDE_A].gone || item->side[SIDE_B].gone;
        struct str title = job_title(job, item, &arena);
        struct fault withheld AUTO_FAULT = FAULT_INIT;
        if (item->withheld) fault_set(&withheld, FAULT_TOO_LARGE, NULL, "%s", item->withheld);
        const struct fault *why = item->withheld ? &withheld : gone ? &vanished : item->unknown ? &unknown : &moving;
        leave_pending(job, item, title, why, SIDE_A, NULL);
        tell_problem(job, PROBLEM_FAILED, item, SIDE_B, title, STR_NONE, why->code, why->what);
    }
}

/* An intent of an earlier run is done with once its record was looked at and its matter settled. */
static void close_old_intents(struct job *job)
{
    for (size_t i = 0; i < job->n_intents; i++) {
        const struct item *item = &job->items.list[job->intents[i].item];
        for (int s = 0; item && item->dead && s < 2; s++)
            if (item->side[s].id.p) item = items_find(&job->items, (enum side)s, item->side[s].id);
        bool done = item && !item->dead && item->settled && !item->failed && !item->unknown;
        if (done) intent_close(job->db, job->intents[i].no, job->fault);
    }
}

static void next_token(struct job *job, enum side s)
{
    struct job_side *side = &job->side[s];
    char *after = NULL;
    if (side->own_writes && side->connector->token_after && side->new_token)
        after = side->connector->token_after(side->session, side->new_token, side->own_writes);
    free(job->state.token[s]);
    job->state.token[s] = after ? after : side->new_token;
    if (after) free(side->new_token);
    side->new_token = NULL;
}

static void replace(char **where, const char *with)
{
    free(*where);
    *where = mem_strdup(with);
}

static void save_state(struct job *job)
{
    int64_t now = job->env->now_ms(job->env);
    for (int s = 0; s < 2; s++) {
        if (!job->options->one_time)
            next_token(job, (enum side)s); /* it left alone what the link's own mode would not */
        replace(&job->state.identity[s], buf_cstr(&job->side[s].identity));
        if (job->side[s].full && !job->options->one_time) job->state.last_full_ms[s] = now;
        const struct side_counts *c = job->side[s].counts;
        job->state.records[s] = c->total + c->created - c->deleted;
    }
    replace(&job->state.settings_hash, job->link->settings_hash ? job->link->settings_hash : "");
    job->state.normaliser = NORMALISER_VERSION;
    if (!job->options->one_time) {
        replace(&job->state.mode, policy_mode_key(&job->link->policy));
        job->state.first_run_done = true;
    }
    job->state.last_run_ms = now;
    link_state_save(job->db, job->link->name, &job->state, job->fault);
}

/* What a person wanted otherwise was done without listing: tokens and times stay. */
static void save_counts(struct job *job)
{
    for (int s = 0; s < 2; s++) job->state.records[s] += job->side[s].counts->created - job->side[s].counts->deleted;
    link_state_save(job->db, job->link->name, &job->state, job->fault);
}

static enum run_status status_of(const struct job *job)
{
    const struct run_result *r = job->result;
    bool failed = job->newly_unreadable;
    for (size_t i = 0; i < r->n_quarantined; i++) failed |= r->quarantined[i].kind == PROBLEM_FAILED;
    if (failed) return RUN_PARTIAL;
    return r->n_operations || r->run ? RUN_DONE : RUN_UNCHANGED;
}

static void count_traffic(struct job *job)
{
    for (int s = 0; s < 2; s++) {
        const struct job_side *side = &job->side[s];
        int64_t requests = 0, in = 0, out = 0;
        if (!side->session || !side->connector->traffic) continue;
        side->connector->traffic(side->session, &requests, &in, &out);
        job->result->requests += requests;
        job->result->bytes_in += in;
        job->result->bytes_out += out;
    }
}

static struct report_counts counted(const struct side_counts *c)
{
    return (struct report_counts){c->total,     c->fresh,           c->changed, c->created,  c->updated,   c->deleted,
                                  c->unchanged, c->skipped_deleted, c->invalid, c->conflict, c->to_delete, c->filtered};
}

static void store_report(struct job *job)
{
    struct run_result *r = job->result;
    struct buf text AUTO_BUF = BUF_INIT;
    if (r->fault.code) fault_text(&r->fault, &text);
    struct run_report report = {.run = r->run,
                                .link = str_of(job->link->name),
                                .status = str_of(run_status_name(r->status)),
                                .plan = str_of(r->plan),
                                .counts = {counted(&r->a), counted(&r->b)},
                                .requests = r->requests,
                                .bytes_in = r->bytes_in,
                                .bytes_out = r->bytes_out,
                                .held = str_of(r->held),
                                .fault = text.len ? buf_str(&text) : STR_NONE,
                                .fault_code = r->fault.code};
    tell_problems_stored(job);
    struct fault later AUTO_FAULT = FAULT_INIT;
    runs_finish(job->db, &report, &later);
}

/* A run that found nothing to do leaves a time stamp only. */
static bool is_idle(const struct run_result *r)
{
    return !r->n_operations && !r->n_conflicts && !r->n_quarantined && !r->n_ambiguous;
}

/* Tokens and report in one commit: what was read is remembered only together with what was made of it. */
static enum fault_code finish(struct job *job)
{
    struct run_result *r = job->result;
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    leave_open_items(job);
    close_old_intents(job);
    if (job->amend)
        save_counts(job);
    else {
        save_state(job);
        held_clear(job->db, job->link->name, job->fault);
    }
    r->status = status_of(job);
    bool asked = job->options->run != 0, worth = (r->n_quarantined || r->n_ambiguous) && r->status == RUN_PARTIAL;
    if (!r->run && (asked || worth)) tell_start(job, job->fault);
    count_traffic(job);
    if (r->run && is_idle(r)) {
        r->status = RUN_UNCHANGED;
        if (!asked) runs_drop(job->db, r->run, job->fault);
        if (!asked) r->run = 0;
    }
    if (r->run) store_report(job);
    return db_commit(job->db, job->fault);
}

/* A run that failed says so, too; what it did until then is in the database already. */
static void finish_failed(struct job *job)
{
    struct run_result *r = job->result;
    bool did = r->n_operations > 0;
    r->status = did ? RUN_PARTIAL : RUN_FAILED;
    count_traffic(job);
    if (job->options->check_only || r->fault.code == FAULT_STATE || r->fault.code == FAULT_BUSY) return;
    struct fault later AUTO_FAULT = FAULT_INIT;
    if (db_begin(job->db, &later)) return;
    if (!r->run) tell_start(job, &later);
    store_report(job);
    db_commit(job->db, &later);
}

/* -- held -- */

static bool is_approved(struct job *job)
{
    if (job->options->approved_plan && strcmp(job->options->approved_plan, job->result->plan) == 0) return true;
    struct held held;
    return held_get(job->db, job->link->name, &job->memory, &held) && held.approved &&
           str_eq(held.plan, str_of(job->result->plan));
}

static void tell_plan(struct job *job)
{
    if (job->push) push_tell(job);
    else
        plan_tell(job);
}

static enum fault_code hold(struct job *job)
{
    struct run_result *r = job->result;
    struct held held;
    r->held = mem_strdup(job->held);
    r->status = RUN_HELD;
    bool known = held_get(job->db, job->link->name, &job->memory, &held) && str_eq(held.plan, str_of(r->plan));
    if (job->options->check_only || (known && !job->options->run)) {
        tell_plan(job);
        count_traffic(job);
        if (!job->options->check_only)
            r->run = held.run; /* stopped before: what there is to say stands in that run's report */
        return FAULT_NONE;
    }
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    tell_start(job, job->fault);
    tell_plan(job);
    held_put(job->db, job->link->name, r->plan, job->held, r->run, job->fault);
    count_traffic(job);
    store_report(job);
    return db_commit(job->db, job->fault);
}

static enum fault_code refuse_other_plan(struct job *job)
{
    const char *wanted = job->options->only_plan;
    if (!wanted || strncmp(wanted, job->result->plan, sizeof job->result->plan) == 0) return FAULT_NONE;
    return fault_set(job->fault, FAULT_HELD, _("look at it with `abgleich check` and name the new plan"),
                     _("the plan is %s now, not %s"), job->result->plan, wanted);
}

static enum fault_code end_check(struct job *job)
{
    struct run_result *r = job->result;
    tell_plan(job);
    count_traffic(job);
    r->status = r->n_operations ? RUN_PENDING : job->amend && r->n_quarantined ? RUN_PARTIAL : RUN_UNCHANGED;
    return FAULT_NONE;
}

/* -- the run -- */

static enum fault_code make_plan(struct job *job)
{
    if (job->options->undo) return undo_plan(job);
    if (job->options->take) return take_plan(job);
    if (job->side[SIDE_B].connector->push) return push_plan(job);
    enum fault_code code = gather(job);
    if (!code) code = pair_new(job);
    if (!code) narrow(job);
    return code ? code : plan_build(job);
}

static enum fault_code wait_for_turn(struct job *job, const char *name, struct lock **turn)
{
    int64_t give_up_ms = job->env->monotonic_ms(job->env) + TURN_WAIT_MAX_MS;
    for (;;) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        enum fault_code code = lock_link(job->db, name, turn, &why);
        if (code != FAULT_BUSY || job->env->monotonic_ms(job->env) >= give_up_ms) {
            if (code) fault_copy(job->fault, &why);
            return code;
        }
        code = job->env->sleep_ms(job->env, TURN_POLL_MS);
        if (code) return fault_set(job->fault, code, _("the next run goes on"), _("stopped"));
    }
}

/* Several links may feed one collection of a remote (design.md 2), and none of them may create what another one is just
 * creating: they go one after the other. (The store needs no such turn: what links write there they also see there.) So do
 * links with a remote that must get one write at a time. */
static bool needs_turn(const struct job *job, enum side s)
{
    if (job->options->check_only || job_can(job, s, IN_STATE)) return false;
    return (s == SIDE_B && job->policy == POLICY_ONE_WAY) ||
           (job_can(job, s, SERIAL_WRITES) && policy_writes(job->policy, s));
}

static const char *turn_name(struct job *job, enum side s)
{
    return arena_printf(&job->memory, "target %s", buf_cstr(&job->side[s].identity));
}

/* Two turns are taken in one order by everybody. */
static enum fault_code take_turns(struct job *job, struct lock *turns[2])
{
    const char *names[2] = {"", ""};
    size_t n = 0;
    for (int s = 0; s < 2; s++)
        if (needs_turn(job, (enum side)s)) names[n++] = turn_name(job, (enum side)s);
    if (n == 2 && strcmp(names[0], names[1]) == 0) n = 1;
    if (n == 2 && strcmp(names[0], names[1]) > 0) {
        const char *first = names[1];
        names[1] = names[0];
        names[0] = first;
    }
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && i < n; i++) code = wait_for_turn(job, names[i], &turns[i]);
    return code;
}

static enum fault_code tidy(struct job *job)
{
    enum fault_code code = FAULT_NONE;
    for (int s = 0; !code && s < 2; s++) {
        const struct job_side *side = &job->side[s];
        if (!side->connector->tidy || !policy_writes(job->policy, (enum side)s)) continue;
        code = side->connector->tidy(side->session, job->fault);
        if (code) fault_about(job->fault, NULL, side->account->name);
    }
    return code;
}

static enum fault_code run_steps(struct job *job)
{
    enum fault_code code = make_plan(job);
    if (!code) code = refuse_other_plan(job);
    if (code) return code;
    if (job->held && !is_approved(job)) return hold(job);
    if (job->options->check_only) return end_check(job);
    code = tidy(job);
    if (!code) code = job->push ? push_send(job) : execute(job);
    return code ? code : finish(job);
}

static void run_locked(struct job *job)
{
    struct traits_in_state traits[2] = {{.db = job->db}, {.db = job->db}};
    tell_progress(job, PHASE_CONNECT, 0, 0);
    enum fault_code code = job->options->check_only ? FAULT_NONE : tell_interrupted(job);
    if (!code) code = open_job(job, traits);
    struct lock *first AUTO_LOCK = NULL, *second AUTO_LOCK = NULL, *turns[2] = {NULL, NULL};
    if (!code) code = take_turns(job, turns);
    first = turns[0];
    second = turns[1];
    if (!code) code = run_steps(job);
    if (code) {
        fault_set(job->fault, code, NULL, "%s", fault_name(code)); /* where a callee forgot to say */
        finish_failed(job);
    }
    tell_progress(job, PHASE_DONE, 0, 0);
    close_job(job);
}

/* Whatever it met on its way: that it was not its turn any more is the cause. */
static void tell_lost(struct run_result *r)
{
    r->status = RUN_FAILED;
    if (r->fault.code == FAULT_BUSY) return;
    fault_clear(&r->fault);
    fault_set(&r->fault, FAULT_BUSY, _("the other run does what is to be done"),
              _("this process stood still for so long that another one took the link over"));
}

void run_link(struct db *db, struct env *env, const struct link *link, const struct run_options *options,
              struct run_result *out)
{
    *out = (struct run_result){.fault = FAULT_INIT};
    struct job job = {.db = db,
                      .env = env,
                      .link = link,
                      .options = options,
                      .result = out,
                      .fault = &out->fault,
                      .memory = ARENA_INIT};
    int64_t started_ms = env->monotonic_ms(env);
    struct lease *lease AUTO_LEASE = NULL;
    if (lease_take(db, link->name, &lease, &out->fault)) {
        out->status = RUN_FAILED;
    } else {
        job.env = lease_env(lease);
        run_locked(&job);
        if (lease_is_lost(lease)) tell_lost(out);
    }
    if (out->fault.code) fault_about(&out->fault, link->name, NULL);
    out->duration_ms = env->monotonic_ms(env) - started_ms;
}
