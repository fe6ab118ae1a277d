#include "tests/sim/sim.h"

#include "state/settings.h"
#include "state/store.h"

#include <stdio.h>
#include <stdlib.h>

/* -- tokens -- */

enum slot { SLOT_TEL, SLOT_EMAIL, SLOT_X, SLOT_NOTE, SLOT_FAMILY, SLOT_ORG, SLOTS };

/* Writes a new token into out (phones: digits). */
static const char *new_token(struct world *w, int person, enum slot slot)
{
    if (w->n_tokens == TOKENS_MAX) abort();
    struct token *t = &w->tokens[w->n_tokens];
    if (slot == SLOT_TEL) snprintf(t->text, sizeof t->text, "+49171%07zu", w->n_tokens + 1000000);
    else
        snprintf(t->text, sizeof t->text, "tk%zuz", w->n_tokens);
    t->record = person;
    t->fate = TOKEN_LIVE;
    bool scarce = slot == SLOT_TEL || slot == SLOT_EMAIL;
    t->droppable = slot == SLOT_X || (w->habits.rewriting == REWRITE_CLOUD && scarce);
    w->n_tokens++;
    w->persons[person].deleted = false;
    note(w, "      writes %s to %s", t->text, w->persons[person].uid);
    return t->text;
}

/* A property nobody knows, or one of three custom fields of the store. */
static void other_line(const struct world *w, const char *t, struct buf *out)
{
    if (w->n_tokens % 2) buf_addf(out, "X-SIM:%s\r\n", t);
    else
        buf_addf(out, "X-HUB-SIM%zu:%s\r\n", w->n_tokens / 2 % 3, t);
}

static void line_of(struct world *w, int person, enum slot slot, struct buf *out)
{
    const char *t = new_token(w, person, slot);
    switch (slot) {
    case SLOT_TEL: buf_addf(out, "TEL;TYPE=CELL:%s\r\n", t); break;
    case SLOT_EMAIL: buf_addf(out, "EMAIL;TYPE=INTERNET:%s@example.org\r\n", t); break;
    case SLOT_X: other_line(w, t, out); break;
    case SLOT_NOTE: buf_addf(out, "NOTE:about %s\r\n", t); break;
    case SLOT_ORG: buf_addf(out, "ORG:%s GmbH\r\n", t); break;
    default: buf_addf(out, "FN:Anna %s\r\nN:%s;Anna;;;\r\n", t, t); break;
    }
}

static const char *const prefixes[SLOTS] = {"TEL", "EMAIL", "X-", "NOTE", "FN:", "ORG"};

/* -- cards as users see them: text -- */

static void new_card(struct world *w, int person, struct buf *out)
{
    buf_addf(out, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\n", w->persons[person].uid);
    line_of(w, person, SLOT_FAMILY, out);
    for (uint32_t i = pick(w, 3); i > 0; i--) line_of(w, person, SLOT_TEL, out);
    for (uint32_t i = pick(w, w->habits.rewriting == REWRITE_CLOUD ? 6 : 3); i > 0; i--)
        line_of(w, person, SLOT_EMAIL, out);
    if (chance(w, 400)) line_of(w, person, SLOT_NOTE, out);
    if (chance(w, 300)) line_of(w, person, SLOT_X, out);
    if (chance(w, 300)) line_of(w, person, SLOT_ORG, out);
    buf_adds(out, "END:VCARD\r\n");
}

/* Copies body; the first line(s) of the slot after a random start are replaced or left out, or a line is added. */
enum change { CHANGE_ADD, CHANGE_REPLACE, CHANGE_REMOVE };

static bool is_of_slot(const char *line, enum slot slot)
{
    if (slot == SLOT_FAMILY) return strncmp(line, "FN:", 3) == 0 || strncmp(line, "N:", 2) == 0;
    return strncmp(line, prefixes[slot], strlen(prefixes[slot])) == 0;
}

static size_t count_lines(const char *body, enum slot slot)
{
    size_t n = 0;
    for (const char *p = body; p; p = (p = strchr(p, '\n')) ? p + 1 : NULL) n += is_of_slot(p, slot);
    return n;
}

static void edit_card(struct world *w, int person, const char *body, enum slot slot, enum change change, struct buf *out)
{
    size_t lines = count_lines(body, slot), victim = lines ? pick(w, (uint32_t)lines) : 0, seen = 0;
    bool whole = slot == SLOT_FAMILY, done = false;
    if (!lines) change = CHANGE_ADD;
    for (const char *p = body, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        if (!end) break;
        bool mine = is_of_slot(p, slot) && (whole || seen++ == victim) && change != CHANGE_ADD;
        bool last = strncmp(p, "END:VCARD", 9) == 0;
        if (mine) {
            char *old AUTO_FREE = mem_strndup(p, (size_t)(end - p));
            text_tokens_superseded(w, old, person);
        }
        /* Every edit writes something new, so that "deleted there, edited here" can be told from "deleted". */
        if (!done && ((mine && change == CHANGE_REPLACE) || (last && change != CHANGE_REPLACE))) {
            line_of(w, person, change == CHANGE_REMOVE ? SLOT_EMAIL : slot, out);
            done = true;
        }
        if (!mine) buf_add(out, p, (size_t)(end - p) + 1);
    }
}

static void random_edit(struct world *w, int person, const char *body, struct buf *out)
{
    enum slot slot = (enum slot)pick(w, SLOTS);
    bool single = slot == SLOT_NOTE || slot == SLOT_FAMILY || slot == SLOT_ORG;
    enum change change = single ? CHANGE_REPLACE : (enum change)pick(w, 3);
    if (w->habits.rewriting == REWRITE_DROPS_X && slot == SLOT_X) change = CHANGE_ADD;
    edit_card(w, person, body, slot, change, out);
}

/* -- both sides -- */


static void store_save(struct world *w, const char *id, const char *body)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct hash_key key;
    settings_hash_key(w->db, &key, &f);
    struct record *r = record_parse(&arena, RECORD_CONTACT, str_of(body), &key, &f);
    if (!r) abort();
    struct store_write s = {.id = str_of(id), .book = str_of(w->book), .uid = record_uid(r), .title = record_title(r),
                            .body = str_of(body), .origin = STR("user"), .kind = RECORD_CONTACT};
    char made[UUID_TEXT_BYTES];
    if (id ? store_update(w->db, &s, NULL, &f) : store_create(w->db, &s, made, NULL, &f)) abort();
}

struct listing {
    char *ids[CARDS_MAX], *bodies[CARDS_MAX];
    size_t n;
};

static bool list_one(void *ctx, const struct store_record *r)
{
    struct listing *l = ctx;
    l->ids[l->n] = mem_strndup(r->id.p, r->id.n);
    l->bodies[l->n++] = mem_strndup(r->body.p, r->body.n);
    return true;
}

static void listing_of(struct world *w, bool store, struct listing *l)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    l->n = 0;
    if (store) store_each(w->db, str_of(w->book), list_one, l, &f);
    for (size_t i = 0; !store && i < w->n_cards; i++) {
        if (!w->cards[i].there) continue;
        l->ids[l->n] = mem_strdup(w->cards[i].id);
        l->bodies[l->n++] = mem_strdup(w->cards[i].body);
    }
}

static void listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->ids[i]);
        free(l->bodies[i]);
    }
}

static void save(struct world *w, bool store, const char *id, const char *body)
{
    char made[64];
    if (store) store_save(w, id, body);
    else {
        if (!id) snprintf(made, sizeof made, "user-%llu.vcf", (unsigned long long)w->seq);
        server_put(w, id ? id : made, body);
        lossy_note(w, body, server_find(w, id ? id : made)->body);
    }
}

static void erase(struct world *w, bool store, const char *id, const char *body)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    int person = person_of(w, body);
    text_tokens_superseded(w, body, person);
    const struct store_write s = {.id = str_of(id), .origin = STR("user")};
    if (store) store_delete(w->db, &s, true, NULL, &f);
    else
        server_delete(w, server_find(w, id));
    bool live = false;
    for (size_t i = 0; i < w->n_tokens; i++) live |= w->tokens[i].record == person && w->tokens[i].fate == TOKEN_LIVE;
    if (person >= 0 && !live) w->persons[person].deleted = true;
    if (person >= 0 && store) w->persons[person].erased_here = true;
}

static int new_person(struct world *w)
{
    if (w->n_persons == RECORDS_MAX) abort();
    struct person *p = &w->persons[w->n_persons];
    snprintf(p->uid, sizeof p->uid, "uid-%zu", w->n_persons);
    return (int)w->n_persons++;
}

static void create(struct world *w, bool store, int person)
{
    struct buf body AUTO_BUF = BUF_INIT;
    new_card(w, person, &body);
    note(w, "user: creates %s on %s", w->persons[person].uid, store ? "A" : "B");
    save(w, store, NULL, buf_cstr(&body));
}

void user_creates_there(struct world *w)
{
    if (w->n_persons < RECORDS_MAX) create(w, false, new_person(w));
}

void users_populate(struct world *w)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    db_begin(w->db, &f);
    for (uint32_t i = pick(w, 25); i > 0; i--) {
        int person = new_person(w);
        uint32_t where = pick(w, 3);
        if (where != 1) create(w, true, person);
        if (where != 0) create(w, false, person);
    }
    db_commit(w->db, &f);
}

static bool is_card_unsure(struct world *w, int person)
{
    for (size_t i = 0; i < w->n_cards; i++)
        if (w->cards[i].unsure && person_of(w, w->cards[i].body) == person) return true;
    return false;
}

/* Of the record on that side. What was made from a record that is deleted then is known by its intent, unless the server rewrote it. */
static bool is_unsure(struct world *w, bool store, int person)
{
    if (!store) return is_card_unsure(w, person) || w->persons[person].unsure;
    return w->persons[person].unsure || (w->habits.rewriting != REWRITE_NONE && is_card_unsure(w, person));
}

static void act_on(struct world *w, bool store, const char *id, const char *body)
{
    int person = person_of(w, body);
    struct buf text AUTO_BUF = BUF_INIT;
    uint32_t what = pick(w, 100);
    if (what < 70) {
        random_edit(w, person, body, &text);
        note(w, "user: edits %s on %s", w->persons[person].uid, store ? "A" : "B");
        save(w, store, id, buf_cstr(&text));
    } else if (is_unsure(w, store, person)) {
        /* No program could tell this deletion from a create that never arrived, or its own write from another edit. */
    } else if (store && !w->synced) {
        /* Deleted in the store before it was ever linked means "never again" (contactbox 5), which is not what is tested here. */
    } else if (what < 92 || store || w->habits.late) { /* (told late, a move is told in two halves: no program could join them) */
        note(w, "user: deletes %s on %s", w->persons[person].uid, store ? "A" : "B");
        erase(w, store, id, body);
    } else if (w->lied_in_run && w->lied_in_run == w->runs) {
        /* The server has just denied that the card is there, and an edit here has put it back: nobody could know of another name. */
    } else { /* the same card under another name */
        note(w, "user: moves %s on B", w->persons[person].uid);
        w->persons[person].moved = w->move_untold = true;
        server_delete(w, server_find(w, id));
        save(w, false, NULL, body);
    }
}

void user_acts(struct world *w, bool on_store)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    static struct listing l; /* large */
    int crash_in = w->crash_in;
    w->crash_in = 0; /* it is the run that dies, not the user's own command */
    if (on_store) db_begin(w->db, &f);
    listing_of(w, on_store, &l);
    if (w->n_persons < RECORDS_MAX - 1 && (!l.n || chance(w, 150))) create(w, on_store, new_person(w));
    else if (l.n) {
        uint32_t i = pick(w, (uint32_t)l.n);
        act_on(w, on_store, l.ids[i], l.bodies[i]);
    }
    listing_free(&l);
    if (on_store) db_commit(w->db, &f);
    w->crash_in = crash_in;
}
