#include "base/i18n.h"
#include "base/mem.h"
#include "server/directory_impl.h"
#include "server/directory_phones.h"
#include "server/gzip.h"

#include <stdlib.h>

#define SNAPSHOTS_MAX 32
/* Of each size, small and large, so many answers and so many bytes are kept. */
#define RENDERED_MAX 32
#define RENDERED_BYTES ((size_t)32 << 20)
#define RENDERED_SMALL ((size_t)32 << 10)

/* -- blobs -- */

struct blob *blob_new(struct buf *bytes)
{
    struct blob *b = mem_calloc(1, sizeof *b);
    b->users = 1;
    b->bytes = *bytes;
    *bytes = (struct buf)BUF_INIT;
    return b;
}

struct blob *blob_keep(struct blob *b)
{
    __atomic_add_fetch(&b->users, 1, __ATOMIC_RELAXED);
    return b;
}

void blob_drop(void *blob)
{
    struct blob *b = blob;
    if (!b || __atomic_sub_fetch(&b->users, 1, __ATOMIC_ACQ_REL)) return;
    buf_free(&b->bytes);
    free(b);
}

static struct snapshot *make(struct directory_service *s, struct db *db, const struct directory *d,
                             const struct directory_part *parts, size_t n, const char *version, struct fault *f)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct snapshot *snap = mem_calloc(1, sizeof *snap);
    const struct form_settings settings = directory_form_settings(d, s->settings.region, &scratch);
    const struct directory_reading how = {.region = settings.region};
    snap->users = 1;
    snap->directory = d->no;
    snap->made_s = db_env(db)->now_ms(db_env(db)) / 1000;
    memcpy(snap->version, version, sizeof snap->version);
    enum fault_code code = directory_read_book(db, parts, n, &how, &snap->book, NULL, f);
    snap->book.region = s->settings.region; /* the phonebook's own does not live as long */
    if (!code) return snap;
    phonebook_free(&snap->book);
    free(snap);
    return NULL;
}

/* -- keeping -- */

static void rendered_drop(struct rendered *r)
{
    free(r->as);
    blob_drop(r->plain);
    blob_drop(r->gzip);
}

static void snapshot_free(struct snapshot *snap)
{
    for (size_t i = 0; i < snap->n_rendered; i++) rendered_drop(&snap->rendered[i]);
    free(snap->rendered);
    phonebook_free(&snap->book);
    free(snap);
}

static void drop_locked(struct snapshot *snap)
{
    if (--snap->users == 0) snapshot_free(snap);
}

void snapshot_drop(struct directory_service *s, struct snapshot *snap)
{
    if (!snap) return;
    pthread_mutex_lock(&s->mutex);
    drop_locked(snap);
    pthread_mutex_unlock(&s->mutex);
}

void snapshots_free(struct directory_service *s)
{
    while (s->snapshots) {
        struct snapshot *snap = s->snapshots;
        s->snapshots = snap->next;
        drop_locked(snap);
    }
}

static struct snapshot *kept_locked(struct directory_service *s, int64_t directory, const char *version)
{
    for (struct snapshot *snap = s->snapshots; snap; snap = snap->next)
        if (snap->directory == directory && strcmp(snap->version, version) == 0) {
            snap->used = ++s->turn;
            snap->users++;
            return snap;
        }
    return NULL;
}

/* An older one of the same phonebook goes, and the one used longest ago where there are too many. */
static void keep_locked(struct directory_service *s, struct snapshot *snap)
{
    struct snapshot **at = &s->snapshots, **oldest = NULL;
    size_t n = 0;
    while (*at) {
        struct snapshot *one = *at;
        if (one->directory == snap->directory) {
            if (one->made_s >= snap->made_s) snap->made_s = one->made_s + 1;
            *at = one->next;
            drop_locked(one);
            continue;
        }
        if (!oldest || one->used < (*oldest)->used) oldest = at;
        n++;
        at = &one->next;
    }
    if (n >= SNAPSHOTS_MAX) {
        struct snapshot *one = *oldest;
        *oldest = one->next;
        drop_locked(one);
    }
    snap->users++;
    snap->used = ++s->turn;
    snap->next = s->snapshots;
    s->snapshots = snap;
}

struct snapshot *snapshot_of(struct directory_service *s, struct db *db, const struct directory *d, struct fault *f)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct directory_part *parts;
    char version[DIGEST_HEX_BYTES];
    size_t n = directory_parts(db, d->no, &scratch, &parts);
    directory_version(d, parts, n, version);
    pthread_mutex_lock(&s->mutex);
    struct snapshot *snap = kept_locked(s, d->no, version);
    pthread_mutex_unlock(&s->mutex);
    if (!snap) {
        snap = make(s, db, d, parts, n, version, f);
        pthread_mutex_lock(&s->mutex);
        if (snap) keep_locked(s, snap);
        pthread_mutex_unlock(&s->mutex);
    }
    return snap;
}

/* -- rendering -- */

static struct blob *zipped(const struct buf *plain)
{
    struct buf out = BUF_INIT;
    return gzip_make(buf_str(plain), 6, &out) ? blob_new(&out) : NULL;
}

static struct rendered *find_rendered(struct snapshot *snap, const char *as)
{
    for (size_t i = 0; i < snap->n_rendered; i++)
        if (strcmp(snap->rendered[i].as, as) == 0) return &snap->rendered[i];
    return NULL;
}

static struct rendered *copy_of(const struct rendered *r)
{
    struct rendered *copy = mem_calloc(1, sizeof *copy);
    *copy = *r;
    copy->as = NULL;
    blob_keep(copy->plain);
    if (copy->gzip) blob_keep(copy->gzip);
    return copy;
}

static size_t bytes_of(const struct rendered *r)
{
    return r->plain->bytes.len + (r->gzip ? r->gzip->bytes.len : 0);
}

/* For one more. What was asked for longest ago goes, of those of its size: callers that are looked up one by one, or
 * pages that are turned, must not push out the books that all phones load. */
static void make_room_locked(struct snapshot *snap, const struct rendered *fresh)
{
    for (;;) {
        size_t n = 0, bytes = bytes_of(fresh), oldest = 0;
        bool small = bytes < RENDERED_SMALL;
        for (size_t i = 0; i < snap->n_rendered; i++) {
            struct rendered *r = &snap->rendered[i];
            if ((bytes_of(r) < RENDERED_SMALL) != small) continue;
            if (!n || r->used < snap->rendered[oldest].used) oldest = i;
            n++;
            bytes += bytes_of(r);
        }
        if (!n || (n < RENDERED_MAX && bytes <= RENDERED_BYTES)) return;
        rendered_drop(&snap->rendered[oldest]);
        snap->rendered[oldest] = snap->rendered[--snap->n_rendered];
    }
}

static void keep_rendered_locked(struct directory_service *s, struct snapshot *snap, struct rendered *fresh,
                                 const char *as)
{
    make_room_locked(snap, fresh);
    snap->rendered = mem_realloc(snap->rendered, (snap->n_rendered + 1) * sizeof *snap->rendered);
    fresh->as = mem_strdup(as);
    fresh->used = ++s->turn;
    snap->rendered[snap->n_rendered++] = *fresh;
}

struct rendered *
snapshot_render(struct directory_service *s, struct snapshot *snap, const char *as,
                bool (*make_it)(void *ctx, const struct snapshot *snap, struct buf *out, const char **type), void *ctx)
{
    struct rendered fresh = {.as = NULL};
    struct buf bytes = BUF_INIT;
    struct digest d;
    char hex[DIGEST_HEX_BYTES];
    pthread_mutex_lock(&s->mutex);
    struct rendered *known = find_rendered(snap, as), *out = known ? copy_of(known) : NULL;
    if (known) known->used = ++s->turn;
    pthread_mutex_unlock(&s->mutex);
    if (out) return out;
    if (!make_it(ctx, snap, &bytes, &fresh.type)) {
        buf_free(&bytes);
        return NULL;
    }
    digest_init(&d);
    digest_str(&d, buf_str(&bytes));
    digest_hex(&d, hex);
    snprintf(fresh.etag, sizeof fresh.etag, "\"%.32s\"", hex);
    fresh.gzip = zipped(&bytes);
    fresh.plain = blob_new(&bytes);
    out = copy_of(&fresh);
    pthread_mutex_lock(&s->mutex);
    bool keep = !find_rendered(snap, as); /* two may have made it at once */
    if (keep) keep_rendered_locked(s, snap, &fresh, as);
    pthread_mutex_unlock(&s->mutex);
    if (!keep) rendered_drop(&fresh);
    return out;
}
