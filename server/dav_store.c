/* Books of the store as collections. */
#include "server/dav_impl.h"

static bool find(struct dav *d, const struct dav_collection *c, struct str name, struct dav_card *out)
{
    return dav_card_find(d->db, c->book.no, c->book.book, name, &d->arena, out);
}

static void each(struct dav *d, const struct dav_collection *c, dav_card_fn *fn, void *ctx)
{
    dav_cards_each(d->db, c->book.no, fn, ctx);
}

static void changes(struct dav *d, const struct dav_collection *c, int64_t since, dav_card_fn *fn, void *ctx)
{
    dav_changes_each(d->db, c->book.no, since, fn, ctx);
}

static int64_t stamp(struct dav *d, const struct dav_collection *c, int64_t seq)
{
    return dav_stamp(d->db, c->book.no, seq);
}

const struct dav_source dav_store = {find, each, changes, stamp};

void dav_store_collections(struct dav *d)
{
    struct user_book *books;
    size_t n = user_books(d->db, d->user.no, &d->arena, &books);
    struct dav_collection *all = arena_zalloc(&d->arena, (d->n_collections + n + 1) * sizeof *all);
    if (d->n_collections) memcpy(all, d->collections, d->n_collections * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[d->n_collections++] = (struct dav_collection){.id = books[i].name.n ? books[i].name : books[i].book,
                                                          .key = books[i].book,
                                                          .title = books[i].title,
                                                          .description = books[i].description,
                                                          .read_only = books[i].read_only,
                                                          .seq = books[i].seq,
                                                          .source = &dav_store,
                                                          .book = books[i]};
    d->collections = all;
}
