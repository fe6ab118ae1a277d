#include "server/directory_book.h"

#include "base/mem.h"
#include "state/settings.h"
#include "state/store.h"

#include <stdlib.h>

struct filling {
    struct phonebook *book;
    struct map64 by_id;
    struct str *records; /* by entry: the record's id, which is nobody else's */
    size_t cap;
    bool pushed;
};

static bool fill(void *ctx, const struct store_record *r)
{
    struct filling *f = ctx;
    struct phonebook *p = f->book;
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct fault unreadable AUTO_FAULT = FAULT_INIT;
    struct record *record = record_parse(&scratch, RECORD_CONTACT, r->body, &p->key, &unreadable);
    size_t before = p->n;
    uint32_t at;
    if (record) phonebook_add(p, record, r->uid.n ? r->uid : r->id);
    if (p->n == before) return true;
    struct phonebook_entry *e = &p->entries[before];
    if (before >= f->cap)
        f->records = mem_realloc(f->records, (f->cap = f->cap ? f->cap * 2 : 256) * sizeof *f->records);
    f->records[before] = arena_str(&p->arena, r->id);
    uint64_t id = hash_str(&p->key, e->id);
    if (!map64_get(&f->by_id, id, &at)) {
        map64_put(&f->by_id, id, (uint32_t)before);
        return true;
    }
    /* Two parts use one id: it stays with what was pushed, so that this comes out under the id it went in with. */
    struct phonebook_entry *other = f->pushed ? &p->entries[at] : e;
    other->id = f->records[f->pushed ? at : before];
    if (f->pushed) map64_put(&f->by_id, id, (uint32_t)before);
    return true;
}

enum fault_code directory_read_book(struct db *db, const struct directory_part *parts, size_t n,
                                    const struct directory_reading *how, struct phonebook *out, size_t *merged,
                                    struct fault *f)
{
    struct filling filling = {.book = out};
    *out = (struct phonebook){.arena = ARENA_INIT, .region = how->region};
    enum fault_code code = settings_hash_key(db, &out->key, f);
    map64_init(&filling.by_id, 1024);
    for (size_t i = 0; !code && i < n; i++) {
        out->source = (unsigned)i;
        filling.pushed = parts[i].kind == PART_PUSH;
        code = store_each(db, parts[i].book, fill, &filling, f);
    }
    map64_free(&filling.by_id);
    free(filling.records);
    if (code) return code;
    size_t doubles = phonebook_merge(out, how->fn, how->ctx);
    if (merged) *merged = doubles;
    phonebook_sort(out);
    return FAULT_NONE;
}

void directory_version(const struct directory *d, const struct directory_part *parts, size_t n,
                       char out[DIGEST_HEX_BYTES])
{
    struct digest digest;
    digest_init(&digest);
    digest_str(&digest, d->name);
    const struct str settings[] = {d->number_form, d->line, d->area, d->country, d->include_fax, d->names, d->company};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) digest_str(&digest, settings[i]);
    for (size_t i = 0; i < n; i++) {
        digest_str(&digest, parts[i].book);
        digest_add(&digest, &parts[i].seq, sizeof parts[i].seq);
    }
    digest_hex(&digest, out);
}
