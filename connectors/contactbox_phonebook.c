/* The phonebooks of this program as a target of links: "directory:NAME" (state/directory.h). What a link brings lies in
 * a book of the store that is that link's part of the phonebook, so the store's own connector does the work, and no
 * link sees or deletes what another one brought. The part is made by the first write: a `check` makes nothing. */
#include "connectors/registry.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/directory.h"
#include "state/store.h"

#include <stdlib.h>

#define THE_STORE (&connector_contactbox)

struct session {
    const struct account *account;
    struct db *db;
    struct session *store; /* of connector_contactbox */
    struct arena arena;
    struct directory d;      /* the one selected */
    struct str part;         /* its book; {NULL,0} = there is none yet */
    struct collection about; /* strings owned */
};

static void about_clear(struct session *s)
{
    free(s->about.name);
    free(s->about.path);
    memset(&s->about, 0, sizeof s->about);
}

static void phonebook_close(struct session *s)
{
    if (!s) return;
    about_clear(s);
    THE_STORE->close(s->store);
    arena_free(&s->arena);
    free(s);
}

static enum fault_code phonebook_open(const struct account *account, struct traits *traits, struct env *env,
                                      struct session **out, struct fault *f)
{
    struct session *s = mem_calloc(1, sizeof *s);
    s->account = account;
    s->db = account->state;
    enum fault_code code = THE_STORE->open(account, traits, env, &s->store, f);
    if (code) phonebook_close(s);
    *out = code ? NULL : s;
    return code;
}

/* -- which -- */

static struct collection collection_of(const struct directory *d, int64_t records)
{
    return (struct collection){.name = mem_strndup(d->name.p, d->name.n),
                               .path = mem_strndup(d->name.p, d->name.n),
                               .kind = RECORD_CONTACT,
                               .records = records};
}

/* What links brought in all. */
static int64_t count(struct session *s, int64_t no)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct directory_part *parts;
    int64_t records = 0;
    size_t n = directory_parts(s->db, no, &scratch, &parts);
    for (size_t i = 0; i < n; i++) records += parts[i].kind == PART_LINK ? parts[i].records : 0;
    return records;
}

static enum fault_code phonebook_discover(struct session *s, struct collections *out, struct fault *f)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct directory *all;
    *out = (struct collections){NULL, 0};
    size_t n = directory_list(s->db, &scratch, &all);
    enum fault_code code = db_check(s->db, f);
    if (code) return code;
    out->items = mem_calloc(n + 1, sizeof *out->items);
    for (out->n = 0; out->n < n; out->n++) out->items[out->n] = collection_of(&all[out->n], count(s, all[out->n].no));
    return db_check(s->db, f);
}

static enum fault_code select_part(struct session *s, struct fault *f)
{
    const struct collection *about;
    return THE_STORE->select(s->store, arena_strdup(&s->arena, s->part), &about, NULL, f);
}

static enum fault_code phonebook_select(struct session *s, const char *path, const struct collection **about,
                                        struct buf *identity, struct fault *f)
{
    const char *link = s->account->link;
    bool there = directory_by_name(s->db, str_of(path), &s->arena, &s->d);
    s->part = there && link ? directory_part_of_link(s->db, s->d.no, str_of(link), &s->arena) : STR_NONE;
    enum fault_code code = db_check(s->db, f);
    if (code) return code;
    if (!there)
        return fault_set(f, FAULT_NO_COLLECTION, _("\"abgleich directory list\" shows those there are"),
                         _("there is no phonebook \"%s\""), path);
    about_clear(s);
    s->about = collection_of(&s->d, s->part.n ? store_count(s->db, s->part) : 0);
    *about = &s->about;
    if (identity) buf_addf(identity, "phonebook:%lld", (long long)s->d.no);
    return s->part.n ? select_part(s, f) : db_check(s->db, f);
}

/* -- the part -- */

static enum fault_code phonebook_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                                         struct changes *out, struct fault *f)
{
    if (s->part.n) return THE_STORE->changes(s->store, token, list, sink, out, f);
    enum fault_code code = sink->begin ? sink->begin(sink->ctx, true) : FAULT_NONE;
    *out = (struct changes){true, !code, code ? NULL : mem_strdup("0")}; /* where the part's book will begin */
    return code;
}

static enum fault_code phonebook_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                                       struct fault *f)
{
    if (s->part.n) return THE_STORE->fetch(s->store, ids, n, sink, f);
    for (size_t i = 0; i < n; i++) {
        const struct entry gone = {.id = ids[i], .gone = true};
        enum fault_code code = sink->entry(sink->ctx, &gone);
        if (code) return code;
    }
    return FAULT_NONE;
}

static char *phonebook_new_id(struct session *s)
{
    return THE_STORE->new_id(s->store);
}

/* Looked at each time: what was made in a transaction that was rolled back is not there. */
static enum fault_code make_part(struct session *s, struct fault *f)
{
    struct str link = str_of(s->account->link), there = directory_part_of_link(s->db, s->d.no, link, &s->arena);
    enum fault_code code = db_check(s->db, f);
    if (code || (there.n && str_eq(there, s->part))) return code;
    s->part = there;
    if (!there.n) code = directory_part_make(s->db, &s->d, link, &s->arena, &s->part, f);
    return code ? code : select_part(s, f);
}

static enum fault_code phonebook_write(struct session *s, struct write *writes, size_t n,
                                       void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f)
{
    for (size_t i = 0; i < n; i++) writes[i].code = FAULT_CANCELLED;
    if (!s->account->link)
        return fault_set(f, FAULT_INTERNAL, _("please report this"), "a phonebook is written without a link");
    enum fault_code code = db_begin(s->db, f);
    if (code) return code;
    code = make_part(s, f);
    if (!code) code = THE_STORE->write(s->store, writes, n, done, ctx, f);
    if (code) {
        db_rollback(s->db);
        s->part = STR_NONE;
        return code;
    }
    return db_commit(s->db, f);
}

static char *phonebook_token_after(struct session *s, const char *token, size_t own)
{
    return s->part.n ? THE_STORE->token_after(s->store, token, own) : NULL;
}

const struct connector connector_phonebook = {
    .name = "phonebook",
    .capabilities = CAN_TOKEN | CAN_CONDITION | KEEPS_BYTES | IN_STATE | TARGET_ONLY,
    .open = phonebook_open,
    .close = phonebook_close,
    .discover = phonebook_discover,
    .select = phonebook_select,
    .changes = phonebook_changes,
    .fetch = phonebook_fetch,
    .new_id = phonebook_new_id,
    .write = phonebook_write,
    .token_after = phonebook_token_after,
};
