#include "core/push.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "core/guard.h"
#include "core/push_stop.h"
#include "state/pushed.h"
#include "state/runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One record of side A on its way into the list. */
struct source {
    struct str id, body;
    bool gone;
};

struct entry_of_list {
    struct pushed made;
    struct str source, uid;
    const struct pushed_row *before; /* NULL = new there */
};

struct push_plan {
    struct source *sources;
    size_t n_sources, cap_sources;
    struct map64 by_id; /* hash of a source's id -> index */
    bool full;
    struct pushed_row *rows; /* accepted last */
    size_t n_rows;
    bool *kept; /* of rows: is in the list again */
    struct map64 by_source, by_uid;
    struct entry_of_list *list;
    size_t n_list, n_changes;
    int64_t filtered;
    bool first, stale; /* never accepted by this remote; to be sent though nothing changed */
    bool unsure;       /* an earlier list may have been taken or not */
};

static const struct push *push_of(const struct job *job)
{
    return job->side[SIDE_B].connector->push;
}

static uint64_t hash(const struct job *job, struct str s)
{
    return hash_str(&job->key, s);
}

/* -- reading side A: everything or nothing -- */

static enum fault_code begin(void *ctx, bool full)
{
    struct job *job = ctx;
    job->push->full = full;
    job->push->n_sources = 0;
    map64_free(&job->push->by_id);
    map64_init(&job->push->by_id, 64);
    return FAULT_NONE;
}

static enum fault_code entry(void *ctx, const struct entry *e)
{
    struct job *job = ctx;
    struct push_plan *p = job->push;
    uint32_t at;
    if (!map64_get(&p->by_id, hash(job, e->id), &at)) {
        if (e->gone) return FAULT_NONE; /* the store also names what a person deleted */
        if (p->n_sources == p->cap_sources) {
            p->cap_sources = p->cap_sources ? p->cap_sources * 2 : 256;
            p->sources = mem_realloc(p->sources, p->cap_sources * sizeof *p->sources);
        }
        at = (uint32_t)p->n_sources++;
        p->sources[at] = (struct source){.id = arena_str(&job->memory, e->id)};
        map64_put(&p->by_id, hash(job, e->id), at);
    }
    p->sources[at].gone = e->gone;
    if (e->body.p) p->sources[at].body = arena_str(&job->memory, e->body);
    return FAULT_NONE;
}

/* A body that is asked for and not had makes the list doubtful. */
static enum fault_code fetched(void *ctx, const struct entry *e)
{
    struct job *job = ctx;
    uint32_t at;
    if (e->withheld) return fault_set(job->fault, FAULT_INCOMPLETE, _("nothing was sent"), "%s", e->withheld);
    if (!map64_get(&job->push->by_id, hash(job, e->id), &at)) return FAULT_NONE;
    return entry(ctx, e);
}

static enum fault_code doubtful(struct job *job, const char *what)
{
    return fault_set(job->fault, FAULT_INCOMPLETE, _("nothing was sent, the next run asks again"), "%s", what);
}

static enum fault_code fetch_bodies(struct job *job)
{
    struct push_plan *p = job->push;
    struct str *ids AUTO_FREE = mem_alloc((p->n_sources + 1) * sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < p->n_sources; i++)
        if (!p->sources[i].gone && !p->sources[i].body.p) ids[n++] = p->sources[i].id;
    const struct sink sink = {job, NULL, fetched};
    tell_progress(job, PHASE_FETCH, 0, n);
    enum fault_code code =
        n ? job->side[SIDE_A].connector->fetch(job->side[SIDE_A].session, ids, n, &sink, job->fault) : FAULT_NONE;
    for (size_t i = 0; !code && i < p->n_sources; i++)
        if (!p->sources[i].gone && !p->sources[i].body.p)
            code = doubtful(job, _("a record was listed and not handed out"));
    return code;
}

static enum fault_code read_source(struct job *job)
{
    struct job_side *a = &job->side[SIDE_A];
    struct changes got = {.token = NULL};
    const struct sink sink = {job, begin, entry};
    tell_progress(job, PHASE_LIST, 0, 0);
    enum fault_code code = a->connector->changes(a->session, NULL, true, &sink, &got, job->fault);
    free(got.token);
    if (!code && (!got.complete || !got.full || !job->push->full)) code = doubtful(job, _("the listing ended early"));
    if (!code) code = fetch_bodies(job);
    if (code) fault_about(job->fault, NULL, a->account->name);
    return code;
}

/* -- names -- */

static void load_rows(struct job *job)
{
    struct push_plan *p = job->push;
    struct pushed_list last = {.sent_ms = 0};
    p->first = !pushed_list_get(job->db, job->link->name, &job->memory, &last) || !last.sent_ms ||
               !str_eq(last.identity, buf_str(&job->side[SIDE_B].identity));
    p->unsure = last.unsure;
    int64_t age = job->env->now_ms(job->env) - last.sent_ms;
    p->stale = job->options->full_listing || p->unsure || age > PUSH_AGAIN_MS || age < 0;
    p->n_rows = pushed_load(job->db, job->link->name, &job->memory, &p->rows);
    p->kept = arena_zalloc(&job->memory, p->n_rows + 1);
    map64_init(&p->by_source, 64);
    map64_init(&p->by_uid, 64);
    for (size_t i = 0; i < p->n_rows; i++) {
        map64_put(&p->by_source, hash(job, p->rows[i].source), (uint32_t)i);
        if (p->rows[i].uid.n) map64_put(&p->by_uid, hash(job, p->rows[i].uid), (uint32_t)i);
    }
}

/* Is that source there under its own name? Then its row is not free for another with its UID. */
static bool is_taken(const struct job *job, const struct pushed_row *row)
{
    uint32_t at;
    return map64_get(&job->push->by_id, hash(job, row->source), &at) && !job->push->sources[at].gone;
}

/* The name a record has there: for good. A record that A gives another name is known by its UID. */
static const struct pushed_row *row_of(const struct job *job, struct str source, struct str uid)
{
    const struct push_plan *p = job->push;
    uint32_t at;
    if (map64_get(&p->by_source, hash(job, source), &at)) return &p->rows[at];
    if (!uid.n || !map64_get(&p->by_uid, hash(job, uid), &at) || is_taken(job, &p->rows[at]) || p->kept[at])
        return NULL;
    return &p->rows[at];
}

/* The same each time until a list is accepted: a person approves exactly this list, and one whose answer was lost may
 * have made the records. The same name with another UID is another record. A UUID of version 8 (RFC 9562 5.8). */
static struct str new_name(struct job *job, struct str source, struct str uid)
{
    struct buf seed AUTO_BUF = BUF_INIT;
    if (job_can(job, SIDE_A, HUB)) return source;
    buf_addf(&seed, "%zu.%.*s%.*s", source.n, STR_ARG(source), STR_ARG(uid));
    uint64_t high = hash(job, buf_str(&seed));
    buf_addc(&seed, '2');
    uint64_t low = hash(job, buf_str(&seed));
    return str_of(arena_printf(&job->memory, "%08" PRIx64 "-%04" PRIx64 "-8%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                               high >> 32, high >> 16 & 0xffff, high & 0xfff, (low >> 48 & 0x3fff) | 0x8000,
                               low & 0xffffffffffff));
}

/* -- the list -- */

static void warn(struct job *job, const struct entry_of_list *e, struct str title, const char *reason)
{
    struct item about = {.row = 0};
    about.side[SIDE_A].id = e->source;
    about.side[SIDE_B].id = e->made.id;
    tell_problem(job, PROBLEM_QUARANTINED, &about, SIDE_B, title, STR_NONE, FAULT_NONE, reason);
}

static enum fault_code add_to_list(struct job *job, const struct source *source, const struct record *r)
{
    struct push_plan *p = job->push;
    struct entry_of_list *e = &p->list[p->n_list];
    *e = (struct entry_of_list){.source = source->id, .uid = arena_str(&job->memory, record_uid(r))};
    e->before = row_of(job, e->source, e->uid);
    struct str id = e->before ? e->before->id : new_name(job, e->source, e->uid);
    enum fault_code code = push_of(job)->render(
        job->side[SIDE_B].session, r, id, e->before ? e->before->body : STR_NONE, &job->memory, &e->made, job->fault);
    if (code) {
        struct buf title AUTO_BUF = BUF_INIT;
        buf_addstr(&title, record_title(r));
        fault_about(job->fault, buf_cstr(&title), job->side[SIDE_B].account->name);
        return code;
    }
    p->n_list++;
    if (e->before) p->kept[e->before - p->rows] = true;
    bool stops = e->made.stops && !job->options->accept_warnings;
    if (e->made.warning) warn(job, e, e->made.title, e->made.warning);
    if (stops) {
        struct buf title AUTO_BUF = BUF_INIT;
        buf_addstr(&title, e->made.title);
        code =
            fault_set(job->fault, FAULT_REFUSED,
                      _("mend it, or send the list all the same with --accept-missing-pager"), "%s", e->made.warning);
        fault_about(job->fault, buf_cstr(&title), job->side[SIDE_B].account->name);
    }
    free(e->made.warning);
    e->made.warning = NULL;
    return code;
}

static enum fault_code unreadable(struct job *job, const struct source *source, const struct fault *why)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct str guess = record_guess_title(&scratch, job->kind, source->body);
    struct buf title AUTO_BUF = BUF_INIT;
    buf_addstr(&title, guess.n ? guess : source->id);
    fault_set(job->fault, FAULT_UNREADABLE, _("nothing was sent: without this record the list would be short"), "%s",
              why->what);
    fault_about(job->fault, buf_cstr(&title), job->side[SIDE_A].account->name);
    return FAULT_UNREADABLE;
}

static enum fault_code make_list(struct job *job)
{
    struct push_plan *p = job->push;
    enum fault_code code = FAULT_NONE;
    p->list = arena_zalloc(&job->memory, (p->n_sources + 1) * sizeof *p->list);
    for (size_t i = 0; !code && i < p->n_sources; i++) {
        struct arena scratch AUTO_ARENA = ARENA_INIT;
        struct fault why AUTO_FAULT = FAULT_INIT;
        if (p->sources[i].gone) continue;
        struct record *r = record_parse(&scratch, job->kind, p->sources[i].body, &job->key, &why);
        if (!r)
            code = unreadable(job, &p->sources[i], &why);
        else if (record_is_group(r))
            continue;
        else if (!filter_passes(&job->link->filter, r))
            p->filtered++;
        else
            code = add_to_list(job, &p->sources[i], r);
    }
    return code;
}

/* -- the guards (fe2 4.1) -- */

struct worry {
    struct buf text;
    struct job *job;
};

static void worry(struct worry *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void worry(struct worry *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (w->text.len) buf_adds(&w->text, "; ");
    buf_vaddf(&w->text, fmt, ap);
    va_end(ap);
}

static bool is_many(size_t n, size_t of)
{
    return n > PUSH_FEW && n * 100 > of * PUSH_PERCENT;
}

static enum fault_code refuse_twice(struct job *job)
{
    struct push_plan *p = job->push;
    struct map64 seen = {0};
    enum fault_code code = FAULT_NONE;
    map64_init(&seen, p->n_list * 2 + 1);
    for (size_t i = 0; !code && i < p->n_list; i++) {
        uint32_t other;
        uint64_t id = hash(job, p->list[i].made.id);
        if (map64_get(&seen, id, &other))
            code = fault_set(job->fault, FAULT_REFUSED, _("nothing was sent"),
                             _("\"%.*s\" and \"%.*s\" would have one name there"), STR_ARG(p->list[i].made.title),
                             STR_ARG(p->list[other].made.title));
        map64_put(&seen, id, (uint32_t)i);
    }
    map64_free(&seen);
    return code;
}

static void count_losses(struct worry *w)
{
    struct push_plan *p = w->job->push;
    size_t vanish = 0, groups = 0, pager = 0;
    for (size_t i = 0; i < p->n_rows; i++) vanish += !p->kept[i];
    for (size_t i = 0; i < p->n_list; i++) {
        unsigned lost = p->list[i].before ? p->list[i].before->vital & ~p->list[i].made.vital : 0;
        groups += (lost & VITAL_GROUPS) != 0;
        pager += (lost & VITAL_PAGER) != 0;
    }
    if (is_many(vanish, p->n_rows)) worry(w, _("%zu of %zu would vanish"), vanish, p->n_rows);
    if (is_many(groups, p->n_rows)) worry(w, _("%zu would lose all alarm groups"), groups);
    if (is_many(pager, p->n_rows)) worry(w, _("%zu would lose their pager address"), pager);
}

/* Name and mail of `who` stand on a line each. */
static bool is_another(struct str a, struct str b)
{
    struct str name_a = str_split(&a, '\n'), name_b = str_split(&b, '\n');
    return !str_eq(name_a, name_b) && !str_eq(a, b);
}

/* A name there that changes its person, a person who changes the name: both would make FE2 page somebody else or
 * nobody. */
static void look_at_names(struct worry *w)
{
    struct push_plan *p = w->job->push;
    struct map64 leaving = {0};
    map64_init(&leaving, p->n_rows * 2 + 1);
    for (size_t i = 0; i < p->n_rows; i++)
        if (!p->kept[i] && p->rows[i].who.n) map64_put(&leaving, hash(w->job, p->rows[i].who), (uint32_t)i);
    for (size_t i = 0; i < p->n_list; i++) {
        const struct entry_of_list *e = &p->list[i];
        uint32_t at;
        if (e->before && is_another(e->before->who, e->made.who))
            worry(w, _("\"%.*s\" would become \"%.*s\" under the same name there"), STR_ARG(e->before->title),
                  STR_ARG(e->made.title));
        if (!e->before && e->made.who.n && map64_get(&leaving, hash(w->job, e->made.who), &at))
            worry(w, _("\"%.*s\" would be deleted and made again under another name"), STR_ARG(e->made.title));
    }
    map64_free(&leaving);
}

static enum fault_code refuse_empty(struct job *job)
{
    if (job->push->n_list) return FAULT_NONE;
    if (job->options->allow_empty && job->options->only_plan) return FAULT_NONE;
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("nothing was sent; if nobody is to be there: abgleich sync %s --allow-empty --plan %s"),
             job->link->name, job->result->plan);
    return fault_set(job->fault, FAULT_HELD, buf_cstr(&advice), _("the list is empty"));
}

static enum fault_code refuse_second(struct job *job)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    const char *owner = pushed_owner(job->db, buf_str(&job->side[SIDE_B].identity), job->link->name, &scratch);
    if (!owner) return FAULT_NONE;
    return fault_set(job->fault, FAULT_CONFIG, _("send one list: join both in one book, or remove one link"),
                     _("link \"%s\" sends its list there already, and each would delete what the other one brought"),
                     owner);
}

/* A list nobody is alarmed by is held as any other plan is (core/guard.h). */
static void look_as_guard(struct worry *w)
{
    const struct side_counts *a = &w->job->result->a, *b = &w->job->result->b;
    struct guard_input in = {
        .pairs = (int64_t)w->job->push->n_rows, .first_run = w->job->push->first, .policy = &w->job->link->policy};
    for (int s = 0; s < 2; s++) in.side[s].name = w->job->side[s].account->name;
    in.side[SIDE_A].total = a->total;
    in.side[SIDE_B] = (struct guard_side){.name = in.side[SIDE_B].name,
                                          .total = b->total,
                                          .creates = a->fresh,
                                          .updates = a->changed,
                                          .deletes = b->to_delete};
    const char *why = guard_check(&w->job->memory, &in);
    if (why) worry(w, "%s", why);
}

static enum fault_code look(struct job *job)
{
    struct push_plan *p = job->push;
    const struct push *push = push_of(job);
    struct worry w = {BUF_INIT, job};
    enum fault_code code = refuse_second(job);
    if (!code) code = refuse_twice(job);
    if (!code && push->fits) code = push->fits(job->side[SIDE_B].session, p->n_list, job->fault);
    if (!code) code = refuse_empty(job);
    if (!code && push->strict) {
        if (p->first) worry(&w, _("the first list for this key: look at it and approve it"));
        if (!p->first && !(job->options->allow_empty && !p->n_list)) count_losses(&w);
        look_at_names(&w);
    }
    if (!code && !push->strict && p->n_list) look_as_guard(&w);
    if (!code && w.text.len) job->held = arena_strdup(&job->memory, buf_str(&w.text));
    buf_free(&w.text);
    if (code) fault_about(job->fault, NULL, job->side[SIDE_B].account->name);
    return code;
}

/* -- the plan -- */

static bool is_new(const struct entry_of_list *e)
{
    return !e->before || !e->before->accepted;
}

static bool differs(const struct entry_of_list *e)
{
    return is_new(e) || !str_eq(e->before->body, e->made.body);
}

static void tell_lost(struct job *job)
{
    struct push_plan *p = job->push;
    for (size_t i = 0; i < p->n_list; i++) {
        const struct entry_of_list *e = &p->list[i];
        struct buf lost AUTO_BUF = BUF_INIT;
        if (e->before && push_of(job)->lost)
            push_of(job)->lost(job->side[SIDE_B].session, e->before->body, e->made.body, &lost);
        if (lost.len) warn(job, e, e->made.title, buf_cstr(&lost));
    }
}

static void count_all(struct job *job)
{
    struct push_plan *p = job->push;
    struct side_counts *a = &job->result->a, *b = &job->result->b;
    uint64_t sum = hash(job, str_of("list")) + p->n_list;
    for (size_t i = 0; i < p->n_list; i++) {
        const struct entry_of_list *e = &p->list[i];
        const uint64_t both[] = {hash(job, e->made.id), hash(job, e->made.body)};
        sum += hash_bytes(&job->key, both, sizeof both);
        if (is_new(e))
            a->fresh++;
        else if (differs(e))
            a->changed++;
        else
            a->unchanged++;
    }
    for (size_t i = 0; i < p->n_rows; i++) b->to_delete += !p->kept[i];
    a->filtered = p->filtered;
    a->total = p->filtered + (int64_t)p->n_list;
    b->total = (int64_t)p->n_rows;
    b->unchanged = b->total - b->to_delete;
    p->n_changes = (size_t)(a->fresh + a->changed + b->to_delete);
    snprintf(job->result->plan, sizeof job->result->plan, "%016" PRIx64, sum);
}

enum fault_code push_plan(struct job *job)
{
    if (job->policy != POLICY_ONE_WAY)
        return fault_set(job->fault, FAULT_CONFIG, _("set mode = one-way"),
                         _("\"%s\" only takes lists, nothing can be read from there"), job->side[SIDE_B].account->name);
    job->push = arena_zalloc(&job->memory, sizeof *job->push);
    enum fault_code code = read_source(job);
    if (code) return code;
    load_rows(job);
    code = make_list(job);
    if (code) return code;
    count_all(job);
    tell_lost(job);
    return look(job);
}

void push_tell(struct job *job)
{
    struct push_plan *p = job->push;
    for (size_t i = 0; i < p->n_list; i++)
        if (differs(&p->list[i]))
            tell_listed(job, is_new(&p->list[i]) ? WRITE_CREATE : WRITE_UPDATE, p->list[i].made.title,
                        p->list[i].made.id, p->list[i].source);
    for (size_t i = 0; i < p->n_rows; i++)
        if (!p->kept[i]) tell_listed(job, WRITE_DELETE, p->rows[i].title, p->rows[i].id, p->rows[i].source);
}

/* -- sending -- */

static struct pushed_row *rows_of(const struct push_plan *p)
{
    struct pushed_row *rows = mem_alloc((p->n_list + 1) * sizeof *rows);
    for (size_t i = 0; i < p->n_list; i++) {
        const struct entry_of_list *e = &p->list[i];
        rows[i] = (struct pushed_row){.id = e->made.id,
                                      .source = e->source,
                                      .uid = e->uid,
                                      .title = e->made.title,
                                      .body = e->made.body,
                                      .who = e->made.who,
                                      .vital = e->made.vital};
    }
    return rows;
}

/* The report, and that the list may be taken from now on, whether we learn of it or not. */
static enum fault_code begin_sending(struct job *job)
{
    struct push_plan *p = job->push;
    struct pushed_row *rows AUTO_FREE = rows_of(p);
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    code = p->n_changes && !job->result->run ? tell_start(job, job->fault) : FAULT_NONE;
    if (!code)
        code = pushed_try(job->db, job->link->name, buf_str(&job->side[SIDE_B].identity), rows, p->n_list, job->fault);
    if (code) db_rollback(job->db);
    return code ? code : db_commit(job->db, job->fault);
}

/* Answers that leave no doubt: nothing of the list was taken. */
static bool is_sure(enum fault_code code)
{
    return code == FAULT_AUTH || code == FAULT_QUOTA || code == FAULT_REFUSED || code == FAULT_RATE_LIMITED ||
           code == FAULT_UNSUPPORTED || code == FAULT_TOO_LARGE;
}

static void note_refusal(struct job *job)
{
    struct fault other AUTO_FAULT = FAULT_INIT; /* the answer is what is told; left unsure, the list is sent again */
    if (job->push->unsure || db_begin(job->db, &other)) return;
    if (pushed_refused(job->db, job->link->name, &other))
        db_rollback(job->db);
    else
        db_commit(job->db, &other);
}

static enum fault_code remember(struct job *job)
{
    struct push_plan *p = job->push;
    struct pushed_row *rows AUTO_FREE = rows_of(p);
    enum fault_code code = db_begin(job->db, job->fault);
    if (code) return code;
    code = pushed_replace(job->db, job->link->name, buf_str(&job->side[SIDE_B].identity), rows, p->n_list, job->fault);
    push_tell(job);
    job->result->b.created = job->result->a.fresh;
    job->result->b.updated = job->result->a.changed;
    job->result->b.deleted = job->result->b.to_delete;
    if (code) db_rollback(job->db);
    return code ? code : db_commit(job->db, job->fault);
}

enum fault_code push_send(struct job *job)
{
    struct push_plan *p = job->push;
    if (!p->n_changes && !p->first && !p->stale) return FAULT_NONE;
    enum fault_code code = push_stop_check(job);
    if (!code) code = begin_sending(job);
    if (code) return code;
    struct pushed *list AUTO_FREE = mem_alloc((p->n_list + 1) * sizeof *list);
    for (size_t i = 0; i < p->n_list; i++) list[i] = p->list[i].made;
    tell_progress(job, PHASE_WRITE, 0, p->n_list);
    code = push_of(job)->send(job->side[SIDE_B].session, list, p->n_list, job->fault);
    push_stop_note(job, code);
    if (!code) return remember(job);
    if (is_sure(code)) note_refusal(job);
    fault_about(job->fault, NULL, job->side[SIDE_B].account->name);
    return code;
}

void push_free(struct job *job)
{
    if (!job->push) return;
    free(job->push->sources);
    map64_free(&job->push->by_id);
    map64_free(&job->push->by_source);
    map64_free(&job->push->by_uid);
}
