/* A card from somebody who does not know the custom fields of the one it replaces. */
#include "mapping/record.h"

static bool has_key(const struct record *r, const struct element *wanted)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].key == wanted->key) return true;
    return false;
}

enum fault_code record_write_keeping(const struct record *r, const struct record *old, struct buf *out, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    size_t n, kept = 0;
    const struct element *e = record_elements(old, &n);
    struct edit *edits = arena_alloc(&arena, (n + 1) * sizeof *edits);
    for (size_t i = 0; i < n; i++)
        if (e[i].field->flags & FIELD_HUB_ONLY && !has_key(r, &e[i]))
            edits[kept++] = (struct edit){EDIT_ADD, NULL, &e[i], old};
    const struct write_form as_it_is = {0};
    return record_write_edited(r, edits, kept, &as_it_is, out, f);
}
