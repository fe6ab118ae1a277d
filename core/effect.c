#include "core/job.h"

#include "base/i18n.h"
#include "base/mem.h"

/* -- creating -- */

/* A record that comes back takes the name it had, so that in the store what hangs on it stays attached; a create that may have
 * arrived keeps the name it was given, so that it cannot arrive twice. */
static struct str created_name(struct job *job, const struct item *item, enum side s, struct arena *arena)
{
    if (item->side[s].id.p) return item->side[s].id;
    char *made AUTO_FREE = job->side[s].connector->new_id(job->side[s].session);
    return arena_str(arena, str_of(made));
}

static void make_create(struct job *job, struct item *item, enum side s, struct arena *arena, struct effect *out, struct fault *f)
{
    enum side from = side_other(s);
    struct record *source = out->before[from];
    if (!source) {
        fault_set(f, FAULT_UNKNOWN, _("looked at again in the next run"), _("it could not be read when it was needed"));
        return;
    }
    struct write_form form = job->side[s].form;
    char uid[UUID_TEXT_BYTES];
    if (form.strict && !record_uid(source).n) {
        env_uuid4(job->env, uid);
        form.uid = str_of(uid);
    }
    struct buf body AUTO_BUF = BUF_INIT;
    if (record_write_new(source, &form, &body, f)) return;
    bool same = str_eq(buf_str(&body), record_bytes(source));
    struct str bytes = same ? record_bytes(source) : arena_str(arena, buf_str(&body));
    out->sent[s] = same ? source : record_parse(arena, job->kind, bytes, &job->key, f);
    if (!out->sent[s]) return;
    out->writes[s] = true;
    out->write[s] = (struct write){.kind = WRITE_CREATE, .id = created_name(job, item, s, arena), .body = bytes,
                                   .uid = record_uid(out->sent[s]), .title = out->title};
}

/* -- merging -- */

/* After a write whose answer was lost, what that side has now is what both agreed on, if it is what we sent. */
static bool base_from_lost_write(const struct item *item, struct effect *out, struct arena *arena, struct fingerprint base[2])
{
    for (int s = 0; item->past && s < 2; s++) {
        if (!item->past->wrote[s] || !out->before[s]) continue;
        struct fingerprint fp = fingerprint_of(arena, out->before[s]);
        if (fingerprint_hash(&fp) != item->past->wrote[s]) continue;
        fingerprint_both(arena, out->before[s], out->before[s], &base[0], &base[1]);
        return true;
    }
    return false;
}

static bool load_base(struct job *job, const struct item *item, struct effect *out, struct arena *arena, struct fingerprint base[2])
{
    if (base_from_lost_write(item, out, arena, base)) return true;
    struct journal_row row;
    if (!item->has_base || !journal_get(job->db, job->link->name, item->row, arena, &row)) return false;
    if (row.base[0].version != NORMALISER_VERSION || row.base[1].version != NORMALISER_VERSION) return false;
    base[0] = row.base[0];
    base[1] = row.base[1];
    return true;
}

static void merge_sides(struct job *job, const struct item *item, enum merge_kind kind, struct arena *arena, struct effect *out)
{
    struct fingerprint *base = arena_alloc(arena, 2 * sizeof *base);
    bool known = load_base(job, item, out, arena, base);
    bool both_changed = item->side[SIDE_A].seen != SEEN_SAME && item->side[SIDE_B].seen != SEEN_SAME;
    for (int s = 0; s < 2; s++) {
        struct merge_side *m = &out->input.side[s];
        if (!known || both_changed) record_equivalents(out->before[s], job->region);
        m->base = known ? &base[s] : NULL;
        m->elements = record_elements(out->before[s], &m->n);
        m->record = out->before[s];
    }
    out->input.kind = kind;
    out->input.winner = policy_winner(job->policy);
    out->input.hub = job_can(job, SIDE_B, HUB) && !job_can(job, SIDE_A, HUB) ? SIDE_B : SIDE_A;
    out->input.enforce = (job->switches & SWITCH_ENFORCE) != 0;
    merge_records(arena, &out->input, &out->merged);
}

static struct str precondition(const struct item *item, enum side s)
{
    const struct item_side *at = &item->side[s];
    if (item->past && item->past->noisy[s]) return STR_NONE;
    return at->version.p || at->body.there ? at->version : at->base_version;
}

static void make_update(struct job *job, struct item *item, enum side s, struct arena *arena, struct effect *out, struct fault *f)
{
    struct buf body AUTO_BUF = BUF_INIT;
    struct write_form form = job->side[s].form;
    if (record_write_edited(out->before[s], out->merged.edits[s], out->merged.n_edits[s], &form, &body, f)) return;
    struct str bytes = arena_str(arena, buf_str(&body));
    if (str_eq(bytes, record_bytes(out->before[s]))) return;
    out->sent[s] = record_parse(arena, job->kind, bytes, &job->key, f);
    if (!out->sent[s]) return;
    out->writes[s] = true;
    out->write[s] = (struct write){.kind = WRITE_UPDATE, .id = item->side[s].id, .version = precondition(item, s), .body = bytes,
                                   .uid = record_uid(out->sent[s]), .title = record_title(out->sent[s])};
}

static void make_merge(struct job *job, struct item *item, enum merge_kind kind, struct arena *arena, struct effect *out,
                       struct fault *f)
{
    if (!out->before[SIDE_A] || !out->before[SIDE_B]) {
        fault_set(f, FAULT_UNKNOWN, _("looked at again in the next run"), _("it could not be read when it was needed"));
        return;
    }
    merge_sides(job, item, kind, arena, out);
    for (int s = 0; s < 2 && !f->code; s++)
        if (out->merged.n_edits[s] && policy_writes(job->policy, (enum side)s)) make_update(job, item, (enum side)s, arena, out, f);
}

static void make_delete(const struct item *item, enum side s, struct effect *out)
{
    out->writes[s] = true;
    out->write[s] = (struct write){.kind = WRITE_DELETE, .id = item->side[s].id, .version = precondition(item, s),
                                   .title = out->title};
}

/* -- */

static void make_by_action(struct job *job, struct item *item, struct arena *arena, struct effect *out, struct fault *f)
{
    switch ((enum action)item->rule->action) {
    case ACTION_CREATE_A:
    case ACTION_REVIVE_A: make_create(job, item, SIDE_A, arena, out, f); break;
    case ACTION_CREATE_B:
    case ACTION_REVIVE_B: make_create(job, item, SIDE_B, arena, out, f); break;
    case ACTION_MERGE: make_merge(job, item, MERGE_TWO_WAY, arena, out, f); break;
    case ACTION_UPDATE_A_FROM_B: make_merge(job, item, MERGE_REPLACE, arena, out, f); break;
    case ACTION_UPDATE_B_FROM_A: make_merge(job, item, job->switches & SWITCH_WIPE ? MERGE_EXACT : MERGE_PUSH, arena, out, f); break;
    case ACTION_DELETE_A: make_delete(item, SIDE_A, out); break;
    case ACTION_DELETE_B: make_delete(item, SIDE_B, out); break;
    case ACTION_PUT_BACK: job->amend->make(job, item, arena, out, f); break;
    default: break;
    }
}

/* What a side refused is not sent again before it changes. */
static void skip_refused(struct job *job, const struct item *item, struct effect *out)
{
    for (int s = 0; item->past && s < 2; s++) {
        const struct write *w = &out->write[s];
        uint64_t refused = w->kind == WRITE_CREATE && !item->past->refused[s] ? item->past->refused[side_other((enum side)s)]
                                                                             : item->past->refused[s];
        if (!out->writes[s] || !refused || refused != hash_str(&job->key, w->body)) continue;
        out->writes[s] = false;
        out->skipped[s] = true;
    }
}

void effect_make(struct job *job, struct item *item, struct arena *arena, struct effect *out, struct fault *f)
{
    memset(out, 0, sizeof *out);
    out->item = item;
    for (int s = 0; s < 2; s++) out->before[s] = job_record(job, item, (enum side)s, arena);
    for (int s = 1; s >= 0; s--)
        if (out->before[s]) out->title = record_title(out->before[s]);
    if (!out->title.n) out->title = job_title(job, item, arena);
    make_by_action(job, item, arena, out, f);
    out->failed = f->code != FAULT_NONE;
    if (out->failed) out->writes[SIDE_A] = out->writes[SIDE_B] = false;
    else
        skip_refused(job, item, out);
}

static uint64_t content_of(struct job *job, const struct effect *e, enum side s, struct arena *arena)
{
    if (e->write[s].kind == WRITE_DELETE) return 0;
    if (e->write[s].kind == WRITE_CREATE) return hash_str(&job->key, record_bytes(e->before[side_other(s)] ? e->before[side_other(s)] : e->sent[s]));
    struct fingerprint fp = fingerprint_of(arena, e->sent[s]);
    return fingerprint_hash(&fp);
}

uint64_t effect_hash(struct job *job, const struct effect *e)
{
    uint64_t sum = 0;
    for (int s = 0; s < 2; s++) {
        if (!e->writes[s]) continue;
        struct arena arena AUTO_ARENA = ARENA_INIT;
        bool create = e->write[s].kind == WRITE_CREATE;
        struct str id = e->item->side[create ? side_other((enum side)s) : (enum side)s].id;
        struct buf text AUTO_BUF = BUF_INIT;
        buf_addf(&text, "%d %d %016llx ", s, (int)e->write[s].kind, (unsigned long long)content_of(job, e, (enum side)s, &arena));
        buf_addstr(&text, id);
        sum += hash_str(&job->key, buf_str(&text));
    }
    return sum;
}
