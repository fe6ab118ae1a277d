#include "base/i18n.h"
#include "base/mem.h"
#include "server/directory_impl.h"
#include "server/directory_phones.h"

#include <stdlib.h>

#define SNAPSHOTS_MAX 32
#define READ_MS 250 /* so lately must it have been read to be made anew unasked: it is being read just now */

/* -- making -- */

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

static struct snapshot *use_locked(struct directory_service *s, struct snapshot *snap, int64_t now_ms)
{
    snap->used = ++s->turn;
    snap->used_ms = now_ms;
    snap->users++;
    return snap;
}

static struct snapshot *find_locked(const struct directory_service *s, int64_t directory)
{
    struct snapshot *snap = s->snapshots;
    while (snap && snap->directory != directory) snap = snap->next;
    return snap;
}

/* Takes the one of this phonebook off, and the one used longest ago where there are too many. */
static void make_room_locked(struct directory_service *s, int64_t directory)
{
    struct snapshot **at = &s->snapshots, **oldest = NULL;
    size_t n = 0;
    while (*at) {
        struct snapshot *one = *at;
        if (one->directory == directory) {
            *at = one->next;
            drop_locked(one);
            continue;
        }
        if (!oldest || one->used < (*oldest)->used) oldest = at;
        n++;
        at = &one->next;
    }
    if (n < SNAPSHOTS_MAX) return;
    struct snapshot *one = *oldest;
    *oldest = one->next;
    drop_locked(one);
}

/* Unless a newer one is there already: who made this one was slow. */
static void keep_locked(struct directory_service *s, struct snapshot *snap, int64_t now_ms)
{
    const struct snapshot *old = find_locked(s, snap->directory);
    if (old && old->ticket > snap->ticket) return;
    if (old && old->made_s >= snap->made_s) snap->made_s = old->made_s + 1;
    make_room_locked(s, snap->directory);
    use_locked(s, snap, now_ms);
    snap->next = s->snapshots;
    s->snapshots = snap;
}

/* -- who is changing what -- */

struct changing {
    int64_t directory;
    unsigned n;
    struct changing *next;
};

static struct changing **changing_locked(struct directory_service *s, int64_t directory)
{
    struct changing **at = &s->changing;
    while (*at && (*at)->directory != directory) at = &(*at)->next;
    return at;
}

static void change_locked(struct directory_service *s, int64_t directory)
{
    struct changing **at = changing_locked(s, directory);
    if (!*at) {
        *at = mem_calloc(1, sizeof **at);
        (*at)->directory = directory;
    }
    (*at)->n++;
}

void snapshot_changes(struct directory_service *s, int64_t directory)
{
    pthread_mutex_lock(&s->mutex);
    change_locked(s, directory);
    pthread_mutex_unlock(&s->mutex);
}

void snapshot_changed(struct directory_service *s, int64_t directory)
{
    pthread_mutex_lock(&s->mutex);
    struct changing **at = changing_locked(s, directory), *one = *at;
    if (--one->n == 0) {
        *at = one->next;
        free(one);
    }
    pthread_mutex_unlock(&s->mutex);
}

/* -- the one of now -- */

struct wanted {
    const struct directory *d;
    uint64_t ticket;
    struct directory_part *parts;
    size_t n;
    char version[DIGEST_HEX_BYTES];
    int64_t now_ms;
};

uint64_t snapshot_ticket(struct directory_service *s)
{
    pthread_mutex_lock(&s->mutex);
    uint64_t ticket = ++s->turn;
    pthread_mutex_unlock(&s->mutex);
    return ticket;
}

static void want(struct wanted *w, struct db *db, const struct directory *d, uint64_t ticket, struct arena *arena)
{
    w->d = d;
    w->ticket = ticket;
    w->n = directory_parts(db, d->no, arena, &w->parts);
    w->now_ms = db_env(db)->monotonic_ms(db_env(db));
    directory_version(d, w->parts, w->n, w->version);
}

/* The one there is: as it is now, or any. */
static struct snapshot *kept_locked(struct directory_service *s, const struct wanted *w, bool any)
{
    struct snapshot *snap = find_locked(s, w->d->no);
    bool same = snap && strcmp(snap->version, w->version) == 0;
    if (!same && !(snap && any)) return NULL;
    if (same && snap->ticket < w->ticket) snap->ticket = w->ticket;
    return use_locked(s, snap, w->now_ms);
}

static struct snapshot *kept(struct directory_service *s, const struct wanted *w, bool any)
{
    pthread_mutex_lock(&s->mutex);
    struct snapshot *snap = kept_locked(s, w, any);
    pthread_mutex_unlock(&s->mutex);
    return snap;
}

/* With what is being asked for, so that nobody waits for that either; then it takes the place of the old one. */
static struct snapshot *make_and_keep(struct directory_service *s, struct db *db, const struct wanted *w,
                                      struct fault *f)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct snapshot *old = kept(s, w, true), *snap = make(s, db, w->d, w->parts, w->n, w->version, f);
    if (snap && old) {
        const struct form_settings settings = directory_form_settings(w->d, s->settings.region, &scratch);
        snapshot_render_again(s, snap, old, &settings);
    }
    if (snap) snap->ticket = w->ticket;
    pthread_mutex_lock(&s->mutex);
    if (snap) keep_locked(s, snap, w->now_ms);
    pthread_mutex_unlock(&s->mutex);
    snapshot_drop(s, old);
    return snap;
}

static struct snapshot *made_now(struct directory_service *s, struct db *db, const struct wanted *w, struct fault *f)
{
    pthread_mutex_lock(&s->making);
    struct snapshot *snap = kept(s, w, false); /* somebody made it meanwhile */
    if (!snap) snap = make_and_keep(s, db, w, f);
    pthread_mutex_unlock(&s->making);
    return snap;
}

struct snapshot *snapshot_of(struct directory_service *s, struct db *db, const struct directory *d, uint64_t ticket,
                             struct fault *f)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct wanted w;
    want(&w, db, d, ticket, &scratch);
    pthread_mutex_lock(&s->mutex);
    struct snapshot *snap = kept_locked(s, &w, *changing_locked(s, d->no) != NULL);
    if (!snap) change_locked(s, d->no);
    pthread_mutex_unlock(&s->mutex);
    if (snap) return snap;
    snap = made_now(s, db, &w, f);
    snapshot_changed(s, d->no);
    return snap;
}

static bool is_read(struct directory_service *s, int64_t directory, int64_t now_ms)
{
    pthread_mutex_lock(&s->mutex);
    const struct snapshot *snap = find_locked(s, directory);
    bool read = snap && now_ms - snap->used_ms < READ_MS;
    pthread_mutex_unlock(&s->mutex);
    return read;
}

void snapshot_renew(struct directory_service *s, struct db *db, const struct directory *d)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct fault unread AUTO_FAULT = FAULT_INIT;
    struct wanted w;
    uint64_t ticket = snapshot_ticket(s);
    if (!is_read(s, d->no, db_env(db)->monotonic_ms(db_env(db))) || db_begin_reading(db, &unread)) return;
    want(&w, db, d, ticket, &scratch);
    snapshot_drop(s, made_now(s, db, &w, &unread));
    db_rollback(db);
}
