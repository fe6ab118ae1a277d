/* Answers of a phonebook, made from its snapshot once and kept with it. */
#include "base/mem.h"
#include "server/directory_impl.h"
#include "server/gzip.h"

#include <stdlib.h>

/* Of each size, small and large, so many answers and so many bytes are kept. */
#define RENDERED_MAX 32
#define RENDERED_BYTES ((size_t)32 << 20)
#define RENDERED_SMALL ((size_t)32 << 10)
#define AGAIN_MAX 4 /* of the large ones are made anew before anybody asks */
#define ZIP_LEVEL 6

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

/* -- one answer -- */

void rendered_drop(struct rendered *r)
{
    free(r->as);
    blob_drop(r->plain);
    blob_drop(r->gzip);
    question_free(r->question);
}

static struct blob *zipped(const struct blob *plain)
{
    struct buf out = BUF_INIT;
    return gzip_make(buf_str(&plain->bytes), ZIP_LEVEL, &out) ? blob_new(&out) : NULL;
}

static bool make(const struct snapshot *snap, const struct phone_family *family, const struct form_query *query,
                 const struct form_settings *settings, struct rendered *out)
{
    struct buf bytes = BUF_INIT, as = BUF_INIT;
    struct digest d;
    char hex[DIGEST_HEX_BYTES];
    *out = (struct rendered){.as = NULL};
    if (!question_write(family, query, settings, &snap->book, &bytes, &out->type)) {
        buf_free(&bytes);
        return false;
    }
    question_key(family, query, &as);
    digest_init(&d);
    digest_str(&d, buf_str(&bytes));
    digest_hex(&d, hex);
    snprintf(out->etag, sizeof out->etag, "\"%.32s\"", hex);
    out->as = buf_detach(&as);
    out->plain = blob_new(&bytes);
    out->question = question_new(family, query);
    return true;
}

static struct rendered *copy_of(const struct rendered *r)
{
    struct rendered *copy = mem_calloc(1, sizeof *copy);
    *copy = *r;
    copy->as = NULL;
    copy->question = NULL;
    blob_keep(copy->plain);
    if (copy->gzip) blob_keep(copy->gzip);
    return copy;
}

/* -- those that are kept -- */

static struct rendered *find_rendered(struct snapshot *snap, const char *as)
{
    for (size_t i = 0; i < snap->n_rendered; i++)
        if (strcmp(snap->rendered[i].as, as) == 0) return &snap->rendered[i];
    return NULL;
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

static void keep_locked(struct directory_service *s, struct snapshot *snap, struct rendered *fresh)
{
    make_room_locked(snap, fresh);
    snap->rendered = mem_realloc(snap->rendered, (snap->n_rendered + 1) * sizeof *snap->rendered);
    fresh->used = ++s->turn;
    snap->rendered[snap->n_rendered++] = *fresh;
}

static struct rendered *taken(struct directory_service *s, struct snapshot *snap, const char *as)
{
    pthread_mutex_lock(&s->mutex);
    struct rendered *known = find_rendered(snap, as), *out = known ? copy_of(known) : NULL;
    if (known) known->used = ++s->turn;
    pthread_mutex_unlock(&s->mutex);
    return out;
}

static void keep(struct directory_service *s, struct snapshot *snap, struct rendered *fresh)
{
    pthread_mutex_lock(&s->mutex);
    bool new = !find_rendered(snap, fresh->as); /* two may have made it at once */
    if (new) keep_locked(s, snap, fresh);
    pthread_mutex_unlock(&s->mutex);
    if (!new) rendered_drop(fresh);
}

/* Telephones do not ask for it, and it takes longer than all the rest: only for who does. */
static void zip(struct directory_service *s, struct snapshot *snap, const char *as, struct rendered *r)
{
    r->gzip = zipped(r->plain);
    r->zipped = true;
    pthread_mutex_lock(&s->mutex);
    struct rendered *known = find_rendered(snap, as);
    if (known && !known->zipped) {
        known->gzip = r->gzip ? blob_keep(r->gzip) : NULL;
        known->zipped = true;
    }
    pthread_mutex_unlock(&s->mutex);
}

struct rendered *snapshot_render(struct directory_service *s, struct snapshot *snap, const struct phone_family *family,
                                 const struct form_query *query, const struct form_settings *settings, bool zip_it)
{
    struct buf as AUTO_BUF = BUF_INIT;
    struct rendered fresh;
    question_key(family, query, &as);
    struct rendered *out = taken(s, snap, buf_cstr(&as));
    if (!out) {
        if (!make(snap, family, query, settings, &fresh)) return NULL;
        out = copy_of(&fresh);
        keep(s, snap, &fresh);
    }
    if (zip_it && !out->zipped) zip(s, snap, buf_cstr(&as), out);
    return out;
}

/* -- before anybody asks -- */

static int by_use(const void *a, const void *b)
{
    const struct rendered *x = a, *y = b;
    return x->used < y->used ? 1 : x->used > y->used ? -1 : 0;
}

/* Copies with their questions, which the old snapshot keeps: the caller holds on to it. */
static size_t asked_lately(struct directory_service *s, const struct snapshot *old, struct rendered **out)
{
    size_t n = 0;
    pthread_mutex_lock(&s->mutex);
    *out = mem_alloc((old->n_rendered + 1) * sizeof **out);
    for (size_t i = 0; i < old->n_rendered; i++)
        if (bytes_of(&old->rendered[i]) >= RENDERED_SMALL) {
            const struct rendered *r = &old->rendered[i];
            const struct form_query query = question_query(r->question);
            (*out)[n++] = (struct rendered){.question = question_new(question_family(r->question), &query),
                                            .used = r->used,
                                            .zipped = r->gzip != NULL};
        }
    pthread_mutex_unlock(&s->mutex);
    qsort(*out, n, sizeof **out, by_use);
    return n;
}

void snapshot_render_again(struct directory_service *s, struct snapshot *fresh, struct snapshot *old,
                           const struct form_settings *settings)
{
    struct rendered *list AUTO_FREE = NULL;
    size_t n = asked_lately(s, old, &list);
    for (size_t i = n; i-- > 0;) { /* the last one asked for comes last, and so goes last */
        const struct form_query query = question_query(list[i].question);
        struct rendered *made = i < AGAIN_MAX ? snapshot_render(s, fresh, question_family(list[i].question), &query,
                                                                settings, list[i].zipped)
                                              : NULL;
        if (made) rendered_drop(made);
        free(made);
        question_free(list[i].question);
    }
}
