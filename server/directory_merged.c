#include "server/directory_merged.h"

#include "mapping/directory_csv.h"
#include "mapping/phonebook_form.h"
#include "server/directory_book.h"
#include "state/store_mirror.h"

struct copying {
    struct phonebook book;
    size_t next;
    struct buf card, title;
};

static bool next_card(void *ctx, struct mirror_record *out)
{
    struct copying *c = ctx;
    if (c->next == c->book.n) return false;
    const struct phonebook_entry *e = &c->book.entries[c->next++];
    buf_reset(&c->card);
    buf_reset(&c->title);
    directory_card(e, &c->card);
    entry_name(e, &c->title);
    *out = (struct mirror_record){e->id, buf_str(&c->title), buf_str(&c->card)};
    return true;
}

/* In a transaction: what it is made of does not change meanwhile, and nobody else copies it. */
static enum fault_code copy(struct db *db, const struct directory *d, const struct directory_part *parts, size_t n,
                            const char *region, const char *version, struct fault *f)
{
    struct copying c = {.card = BUF_INIT, .title = BUF_INIT};
    struct mirror_counts counts;
    const struct directory_reading how = {.region = region};
    enum fault_code code = directory_read_book(db, parts, n, &how, &c.book, NULL, f);
    if (!code) code = store_mirror(db, d->merged_book, STR("directory"), &c.book.key, next_card, &c, &counts, f);
    buf_free(&c.card);
    buf_free(&c.title);
    phonebook_free(&c.book);
    return code ? code : directory_merged_note(db, d->no, version, f);
}

static bool is_fresh(struct db *db, const struct directory *d, struct arena *arena, struct directory_part **parts,
                     size_t *n, char version[DIGEST_HEX_BYTES])
{
    *n = directory_parts(db, d->no, arena, parts);
    directory_version(d, *parts, *n, version);
    return d->merged_book.n && str_eq(d->merged_version, str_of(version));
}

enum fault_code directory_merged_refresh(struct db *db, struct directory *d, const char *region, struct arena *arena,
                                         struct fault *f)
{
    struct directory_part *parts;
    char version[DIGEST_HEX_BYTES];
    size_t n;
    if (is_fresh(db, d, arena, &parts, &n, version)) return db_check(db, f);
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    bool done = directory_by_name(db, d->name, arena, d) && is_fresh(db, d, arena, &parts, &n, version);
    if (!done) code = directory_merged_make(db, d, arena, f);
    if (!done && !code) code = copy(db, d, parts, n, region, version, f);
    if (!code) return db_commit(db, f);
    db_rollback(db);
    return code;
}

bool directory_merged_is_stale(struct db *db, int64_t user)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct directory *all;
    struct directory_part *parts;
    char version[DIGEST_HEX_BYTES];
    bool stale = false;
    size_t n = directory_list_of_user(db, user, &scratch, &all), n_parts;
    for (size_t i = 0; i < n && !stale; i++) stale = !is_fresh(db, &all[i], &scratch, &parts, &n_parts, version);
    return stale;
}

enum fault_code directory_merged_refresh_for(struct db *db, int64_t user, const char *region, struct fault *f)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct directory *all;
    size_t n = directory_list_of_user(db, user, &scratch, &all);
    enum fault_code code = db_check(db, f);
    for (size_t i = 0; i < n && !code; i++) code = directory_merged_refresh(db, &all[i], region, &scratch, f);
    return code;
}
