#include "core/job.h"

#include "base/i18n.h"
#include "core/execute.h"
#include "state/archive.h"
#include "state/provenance.h"
#include "state/runs.h"
#include "state/store.h"

static bool wrote(const struct effect *e, enum side s)
{
    return e->writes[s] && e->write[s].code == FAULT_NONE;
}

static struct str name_now(const struct effect *e, enum side s)
{
    return e->write[s].new_id ? str_of(e->write[s].new_id) : e->write[s].id;
}

/* A version other than the write was answered with, and other content than was sent: somebody wrote in between, or the server
 * changes what it is given late. The first must be looked at again; the second shows as the same content twice. */
static bool is_ours(struct job *job, struct effect *e, enum side s)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const char *told = e->write[s].new_version;
    if (!told || str_eq(str_of(told), e->version[s])) return true;
    struct fingerprint sent = fingerprint_of(&arena, e->sent[s]), now = fingerprint_of(&arena, e->after[s]);
    uint64_t hash = fingerprint_hash(&now);
    if (hash == fingerprint_hash(&sent)) return true;
    struct item_past *past = items_past(&job->items, e->item);
    bool again = past->read_back[s] == hash;
    past->read_back[s] = hash;
    return again;
}

/* -- the report and the archive -- */

void keep_loser(struct job *job, struct effect *e, enum side s)
{
    if (!job->link->history_ms || !e->before[s] || e->write[s].kind == WRITE_CREATE || e->archived[s]) return;
    struct archived a = {.run = job->result->run, .link = str_of(job->link->name), .side = s, .id = e->item->side[s].id,
                         .title = e->title, .body = record_bytes(e->before[s]), .after = e->version[s],
                         .reason = e->write[s].kind == WRITE_DELETE ? ARCHIVE_DELETED : ARCHIVE_OVERWRITTEN};
    archive_put(job->db, &a, job->fault);
    e->archived[s] = a.no;
}

static void count_write(struct job *job, enum write_kind kind, enum side s)
{
    struct side_counts *c = job->side[s].counts;
    if (kind == WRITE_CREATE) c->created++;
    else if (kind == WRITE_UPDATE)
        c->updated++;
    else
        c->deleted++;
}

/* Two cards with one UID on a server come over as two: to choose between them is not ours, to say so is. */
static void tell_twin(struct job *job, const struct effect *e, enum side s)
{
    const struct write *w = &e->write[s];
    if (w->kind != WRITE_CREATE || !w->uid.n || !job_can(job, s, HUB)) return;
    if (store_count_uid(job->db, str_of(job->side[s].collection->path), w->uid) < 2) return;
    tell_problem(job, PROBLEM_QUARANTINED, e->item, side_other(s), e->title, STR_NONE, FAULT_EXISTS,
                 _("another card there has the same UID; both are kept, as two contacts. Delete one of them"));
}

static bool has_element(const struct record *r, const struct element *e)
{
    size_t n;
    const struct element *all = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].key == e->key && all[i].value == e->value) return true;
    return false;
}

/* What an update brought; what a create brought is told by its operation. */
static void note_provenance(struct job *job, const struct effect *e, enum side s)
{
    size_t n;
    if (e->write[s].kind != WRITE_UPDATE || !e->before[s] || !e->after[s]) return;
    const struct element *all = record_elements(e->after[s], &n);
    for (size_t i = 0; i < n; i++)
        if (!has_element(e->before[s], &all[i]))
            provenance_put(job->db, job->link->name, s, name_now(e, s), all[i].key, all[i].value, job->result->run, job->fault);
}

/* Said when the write is confirmed, and not again when the item needs another round. */
static void note_done(struct job *job, struct effect *e, enum side s)
{
    const struct write *w = &e->write[s];
    if (e->archived[s]) archive_set_after(job->db, e->archived[s], e->version[s], job->fault);
    else
        keep_loser(job, e, s);
    count_write(job, w->kind, s);
    job->side[s].own_writes++;
    tell_twin(job, e, s);
    tell_operation(job, e, s);
    note_provenance(job, e, s);
}

/* -- the journal -- */

static unsigned flags_after(const struct effect *e)
{
    unsigned flags = e->item->flags & ~(unsigned)(JOURNAL_DELETED_HERE | JOURNAL_APART);
    if (wrote(e, SIDE_A) && e->write[SIDE_A].kind == WRITE_CREATE) flags |= JOURNAL_CREATED_A;
    if (wrote(e, SIDE_B) && e->write[SIDE_B].kind == WRITE_CREATE) flags |= JOURNAL_CREATED_B;
    if (e->item->adopted) flags |= JOURNAL_ADOPTED;
    return flags;
}

static void fill_row(const struct effect *e, struct journal_row *row)
{
    row->row = e->item->row;
    row->flags = flags_after(e);
    for (int s = 0; s < 2; s++) {
        bool here = wrote(e, (enum side)s);
        const struct item_side *at = &e->item->side[s];
        row->id[s] = here ? name_now(e, (enum side)s) : at->id;
        row->version[s] = here ? e->version[s] : at->listed || at->body.there ? at->version : at->base_version;
    }
}

static bool is_proven(const struct effect *e, enum side s)
{
    return e->after[s] == e->sent[s] || (e->write[s].new_version && str_eq(str_of(e->write[s].new_version), e->version[s]));
}

static bool holds(const struct record *r, const struct print *p)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].key == p->key && e[i].value == p->value) return true;
    return false;
}

/* Where the side did not say which version our write became, what was read back may hold what somebody added in between. What we
 * did not send is therefore not taken as agreed, and goes to the other side in the next run. (A value rewritten in that moment
 * cannot be told from the server's own rewriting; a server that returns no ETag says that it rewrites, RFC 6352 6.3.2.3.) */
static void leave_out_additions(struct arena *arena, const struct effect *e, enum side s, struct fingerprint *base)
{
    struct print *kept = arena_alloc(arena, (base->n + 1) * sizeof *kept);
    uint32_t n = 0;
    for (uint32_t i = 0; i < base->n; i++) {
        const struct print *p = &base->prints[i];
        if (p->pair != PRINT_UNPAIRED || holds(e->sent[s], p)) kept[n++] = *p;
    }
    base->prints = kept;
    base->n = n;
}

/* Two spellings of one phone number must be paired as one; asking costs, so only where the sides differ at all. */
static void recognise_spellings(struct job *job, struct record *now[2])
{
    size_t n[2];
    const struct element *e[2] = {record_elements(now[0], &n[0]), record_elements(now[1], &n[1])};
    bool equal = n[0] == n[1];
    for (size_t i = 0; equal && i < n[0]; i++) equal = e[0][i].key == e[1][i].key && e[0][i].value == e[1][i].value;
    for (int s = 0; !equal && s < 2; s++) record_equivalents(now[s], job->region);
}

/* What both sides hold now becomes the base of the next run. */
static void journal_agreed(struct job *job, struct effect *e)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row = {0};
    struct record *now[2];
    fill_row(e, &row);
    for (int s = 0; s < 2; s++) now[s] = wrote(e, (enum side)s) ? e->after[s] : e->before[s];
    if (!now[0] || !now[1]) return;
    recognise_spellings(job, now);
    fingerprint_both(&arena, now[0], now[1], &row.base[0], &row.base[1]);
    for (int s = 0; s < 2; s++) {
        if (!wrote(e, (enum side)s) || is_proven(e, (enum side)s)) continue;
        leave_out_additions(&arena, e, (enum side)s, &row.base[s]);
    }
    journal_put(job->db, job->link->name, &row, job->fault);
}

static void journal_versions(struct job *job, struct effect *e)
{
    for (int s = 0; s < 2; s++) {
        const struct item_side *at = &e->item->side[s];
        if (at->listed && at->version.p && !str_eq(at->version, at->base_version))
            journal_set_version(job->db, job->link->name, e->item->row, (unsigned)s, at->version, job->fault);
    }
}

static void journal_adopted(struct job *job, struct effect *e)
{
    struct journal_row row = {0};
    fill_row(e, &row);
    row.flags |= JOURNAL_ADOPTED;
    journal_put(job->db, job->link->name, &row, job->fault);
}

/* The other side's record is remembered as it is, so that it is quiet until it changes. */
static void journal_deleted_here(struct job *job, struct effect *e)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row = {0};
    if (e->item->has_base && !e->before[SIDE_B]) { /* as it was there: nobody looked at it, and its fingerprint stays */
        journal_set_flags(job->db, job->link->name, e->item->row, e->item->flags | JOURNAL_DELETED_HERE, job->fault);
        journal_versions(job, e);
        return;
    }
    fill_row(e, &row);
    row.flags |= JOURNAL_DELETED_HERE;
    if (e->before[SIDE_B]) fingerprint_both(&arena, e->before[SIDE_B], e->before[SIDE_B], &row.base[0], &row.base[1]);
    journal_put(job->db, job->link->name, &row, job->fault);
}

static void quarantine(struct job *job, struct effect *e)
{
    for (int s = 0; s < 2; s++) {
        if (e->item->side[s].seen != SEEN_UNREADABLE) continue;
        struct pending p = {.side = (unsigned)s, .id = e->item->side[s].id, .title = job_kept(job, e->title), .reason = FAULT_UNREADABLE,
                            .text = str_of(_("cannot be read"))};
        if (e->item->side[s].body.there) p.content = (struct str){(const char *)&e->item->side[s].content, sizeof(uint64_t)};
        pending_put(job->db, job->link->name, &p, job->fault);
    }
}

static void journal_by_action(struct job *job, struct effect *e)
{
    switch ((enum action)e->item->rule->action) {
    case ACTION_NOTHING:
        if (job->refingerprint || e->item->moved) journal_agreed(job, e);
        else
            journal_versions(job, e);
        break;
    case ACTION_DELETE_A:
    case ACTION_DELETE_B:
    case ACTION_FORGET:
        if (e->item->row) journal_delete(job->db, job->link->name, e->item->row, job->fault);
        break;
    case ACTION_ADOPT: journal_adopted(job, e); break;
    case ACTION_SKIP_TOMBSTONE: journal_deleted_here(job, e); break;
    case ACTION_QUARANTINE: quarantine(job, e); break;
    case ACTION_KEEP: break;
    case ACTION_PUT_BACK:
        if (!undo_journal(job, e, false)) journal_agreed(job, e);
        break;
    default: journal_agreed(job, e); break;
    }
}

static void forget_pending(struct job *job, const struct item *item)
{
    for (int s = 0; item->past && s < 2; s++)
        if (item->side[s].id.p) pending_remove(job->db, job->link->name, (unsigned)s, item->side[s].id, job->fault);
}

static void settle(struct job *job, struct effect *e)
{
    if (e->item->rule->action != ACTION_QUARANTINE) forget_pending(job, e->item);
    journal_by_action(job, e);
    tell_conflicts(job, e);
    e->item->settled = true;
}

/* -- what did not work -- */

/* A move is remembered though the rest has to wait: the next run hears of the new name only. */
static void journal_moved(struct job *job, const struct item *item)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row;
    if (!item->moved || !item->row || !journal_get(job->db, job->link->name, item->row, &arena, &row)) return;
    for (int s = 0; s < 2; s++) {
        if (str_eq(row.id[s], item->side[s].id)) continue;
        row.id[s] = item->side[s].id;
        row.version[s] = STR_NONE;
    }
    journal_put(job->db, job->link->name, &row, job->fault);
}

void leave_pending(struct job *job, const struct item *item, struct str title, const struct fault *why, enum side s,
                   const uint64_t *refused)
{
    struct buf text AUTO_BUF = BUF_INIT;
    buf_adds(&text, why->what ? why->what : fault_name(why->code));
    journal_moved(job, item);
    for (int i = 0; i < 2; i++) {
        if (!item->side[i].id.p) continue;
        struct pending p = {.side = (unsigned)i, .id = item->side[i].id, .title = job_kept(job, title), .reason = why->code, .text = buf_str(&text)};
        if (item->side[i].gone) p.reason = FAULT_GONE; /* the next run need not wait for a listing that says so */
        bool told_here = i == (int)s || !item->side[s].id.p; /* what was to be created there has no name there yet */
        if (refused && told_here) p.content = (struct str){(const char *)refused, sizeof *refused};
        pending_put(job->db, job->link->name, &p, job->fault);
    }
}

/* The store or server says that the record's UID lives under another name: if nobody else of this link is that, it is ours. */
static bool adopt_holder(struct job *job, struct effect *e, enum side s)
{
    struct str holder = str_of(e->write[s].new_id);
    if (!holder.p || str_eq(holder, e->write[s].id)) return true;
    if (items_find(&job->items, s, holder) || journal_find(job->db, job->link->name, (unsigned)s, holder)) return false;
    items_name(&job->items, e->item, s, holder);
    return true;
}

static bool may_try_again(struct job *job, struct effect *e, enum side s)
{
    enum fault_code code = e->write[s].code;
    if (code == FAULT_EXISTS) {
        if (!adopt_holder(job, e, s)) return false;
        if (!e->item->side[s].id.p) items_name(&job->items, e->item, s, e->write[s].id);
        return true;
    }
    return code == FAULT_CHANGED || code == FAULT_GONE;
}

static void report_failure(struct job *job, struct effect *e, enum side s)
{
    struct write *w = &e->write[s];
    if (!w->fault.code) fault_set(&w->fault, w->code, NULL, "%s", fault_name(w->code));
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(&w->fault, &text);
    tell_problem(job, PROBLEM_FAILED, e->item, s, e->title, STR_NONE, w->code, buf_cstr(&text));
    uint64_t hash = w->body.p ? hash_str(&job->key, w->body) : 0;
    /* What the content is to blame for; a right that is missing may be given any time. */
    bool refused = (w->code == FAULT_REFUSED || w->code == FAULT_TOO_LARGE) && w->fault.http_status != 403;
    leave_pending(job, e->item, e->title, &w->fault, s, refused ? &hash : NULL);
    e->item->settled = e->item->failed = true;
}

static void fail(struct job *job, struct effect *e, enum side s)
{
    e->failed = true;
    bool ends_run = e->write[s].code > FAULT_COLLECTION_LAST && e->write[s].code != FAULT_QUOTA;
    if (e->write[s].code == FAULT_CANCELLED || ends_run) return;
    if (job->round < ROUNDS_MAX && may_try_again(job, e, s)) {
        items_past(&job->items, e->item)->lost[s] = e->write[s].code == FAULT_CHANGED;
        e->item->retry = true;
    } else
        report_failure(job, e, s);
}

static void report_skipped(struct job *job, struct effect *e, enum side s)
{
    const struct item_past *past = e->item->past;
    e->failed = e->item->settled = e->item->failed = true;
    tell_problem(job, PROBLEM_FAILED, e->item, s, e->title, STR_NONE, past->code, past->reason.p ? past->reason.p : "");
}

/* Written, but what became of it could not be read: the journal learns that the two belong together, and what only the other side
 * looks like. So a deletion there is seen as one, and no field counts as removed there (classify.c). */
static void journal_half(struct job *job, struct effect *e, enum side s)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct journal_row row = {0};
    struct fault why AUTO_FAULT = FAULT_INIT;
    enum side from = side_other(s);
    fill_row(e, &row);
    row.version[s] = STR_NONE;
    row.base[from] = fingerprint_of(&arena, wrote(e, from) ? e->after[from] : e->before[from]);
    if (!journal_put(job->db, job->link->name, &row, job->fault)) e->item->row = row.row;
    fault_set(&why, FAULT_UNKNOWN, NULL, "%s", _("written, but it could not be read back; the next run looks"));
    leave_pending(job, e->item, e->title, &why, s, NULL);
    e->item->settled = e->item->failed = true;
    count_write(job, e->write[s].kind, s);
    tell_operation(job, e, s);
}

/* Does that side have everything the other was sent? Then only what became of it there is unknown. */
static bool has_all(const struct effect *e, enum side s)
{
    if (wrote(e, s)) return e->after[s] != NULL;
    return !e->writes[s] && !e->merged.n_edits[s] && e->before[s];
}

/* The side said yes and holds the old record under the old version: nothing was stored (a proxy answered, or the write was dropped). A
 * server that merely cannot hold the change gives the record another version. */
static bool was_ignored(const struct effect *e, enum side s)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const struct item_side *at = &e->item->side[s];
    if (e->write[s].kind != WRITE_UPDATE || e->write[s].nothing_sent || !e->before[s] || !at->version.p || !str_eq(at->version, e->version[s])) return false;
    struct fingerprint before = fingerprint_of(&arena, e->before[s]), after = fingerprint_of(&arena, e->after[s]);
    struct fingerprint sent = fingerprint_of(&arena, e->sent[s]);
    return fingerprint_hash(&after) == fingerprint_hash(&before) && fingerprint_hash(&after) != fingerprint_hash(&sent);
}

static void refuse_undeleted(struct write *w)
{
    w->code = fault_set(&w->fault, FAULT_REFUSED, _("it is tried again; or delete it there by hand"),
                        _("the server said it was deleted and still has it"));
}

static void refuse_ignored(struct job *job, struct effect *e, enum side s)
{
    e->write[s].code = fault_set(&e->write[s].fault, FAULT_REFUSED, _("it is sent again when it changes"),
                                 _("the server said yes and kept the old record"));
    fail(job, e, s);
}

/* True where what was written is confirmed: by reading it back, or because this side keeps bytes. */
static bool is_confirmed(struct job *job, struct effect *e, enum side s)
{
    if (!wrote(e, s) || e->write[s].kind == WRITE_DELETE) return true;
    if (e->write[s].kind == WRITE_CREATE) items_name(&job->items, e->item, s, name_now(e, s)); /* it is there, whatever follows */
    if (!e->after[s] && has_all(e, side_other(s))) journal_half(job, e, s);
    else if (!e->after[s])
        e->write[s].code = FAULT_UNKNOWN; /* the intent stays open: the next run looks */
    else if (was_ignored(e, s))
        refuse_ignored(job, e, s);
    else if (is_ours(job, e, s))
        return true;
    else
        e->item->retry = job->round < ROUNDS_MAX;
    return false;
}

static void close_intents(struct job *job, struct effect *e)
{
    for (int s = 0; s < 2; s++)
        if (e->intent[s] && e->write[s].code != FAULT_UNKNOWN) intent_close(job->db, e->intent[s], job->fault);
}

static bool may_have_happened(const struct effect *e, enum side s)
{
    return e->writes[s] && (e->write[s].code == FAULT_NONE || e->write[s].code == FAULT_UNKNOWN);
}

/* What was kept and reported before sending is taken back where the remote said no. */
static void take_back(struct job *job, struct effect *e)
{
    if (!may_have_happened(e, SIDE_A) && !may_have_happened(e, SIDE_B)) undo_take_back(job, e);
    for (int s = 0; s < 2; s++) {
        if (!e->archived[s] || may_have_happened(e, (enum side)s)) continue;
        archive_remove(job->db, e->archived[s], job->fault);
        e->archived[s] = 0;
    }
    if (!may_have_happened(e, SIDE_A) && !may_have_happened(e, SIDE_B)) tell_conflicts_off(job, e);
}

void confirm(struct job *job, struct effect *e)
{
    if (e->failed) {
        report_failure(job, e, SIDE_A);
        return;
    }
    for (int s = 0; s < 2; s++) {
        if (e->skipped[s]) report_skipped(job, e, (enum side)s);
        if (!e->writes[s]) continue;
        struct write *w = &e->write[s];
        if (w->kind == WRITE_DELETE && w->code == FAULT_GONE) w->code = FAULT_NONE; /* what was wanted */
        if (e->undeleted[s]) refuse_undeleted(w);
        if (w->code) fail(job, e, (enum side)s);
        else if (is_confirmed(job, e, (enum side)s))
            note_done(job, e, (enum side)s);
        else
            e->failed = true;
    }
    close_intents(job, e);
    if (e->failed) take_back(job, e);
    else
        settle(job, e);
}
