#include "base/mem.h"
#include "mapping/phonebook.h"
#include "mapping/text.h"

#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

/* DIN 5007 variant 2 (ä = ae), digits after letters (directory 7.1). NULL without the data for it. */
static UCollator *collator_open(void)
{
    static const int32_t letters_first[] = {USCRIPT_UNKNOWN, UCOL_REORDER_CODE_DIGIT}; /* unknown = all others */
    UErrorCode error = U_ZERO_ERROR;
    UCollator *collator = ucol_open("de@collation=phonebook", &error);
    if (U_SUCCESS(error)) ucol_setReorderCodes(collator, letters_first, 2, &error);
    if (U_SUCCESS(error)) return collator;
    if (collator) ucol_close(collator);
    return NULL;
}

static struct str key_of(struct arena *arena, UCollator *collator, struct str text)
{
    UErrorCode error = U_ZERO_ERROR;
    int32_t n = 0, cap = (int32_t)text.n + 1;
    UChar *wide = arena_alloc(arena, (size_t)cap * sizeof *wide);
    u_strFromUTF8Lenient(wide, cap, &n, text.p, (int32_t)text.n, &error);
    int32_t size = ucol_getSortKey(collator, wide, n, NULL, 0);
    uint8_t *key = arena_alloc(arena, (size_t)size + 1);
    ucol_getSortKey(collator, wide, n, key, size);
    return (struct str){(const char *)key, (size_t)size};
}

static struct str sorted_as(struct arena *arena, const struct phonebook_entry *e)
{
    bool person = e->family.n || e->given.n;
    return person ? str_of(arena_printf(arena, "%.*s\x1f%.*s", STR_ARG(e->family.n ? e->family : e->given),
                                        STR_ARG(e->given)))
                  : e->display;
}

struct placed {
    struct phonebook_entry entry;
    struct str key;
};

static int by_key(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : str_cmp(x->entry.id, y->entry.id);
}

void phonebook_sort(struct phonebook *p)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    UCollator *collator = collator_open();
    if (!collator) return;
    struct placed *list AUTO_FREE = mem_alloc((p->n + 1) * sizeof *list);
    for (size_t i = 0; i < p->n; i++)
        list[i] = (struct placed){p->entries[i], key_of(&scratch, collator, sorted_as(&scratch, &p->entries[i]))};
    if (p->n) qsort(list, p->n, sizeof *list, by_key);
    for (size_t i = 0; i < p->n; i++) p->entries[i] = list[i].entry;
    ucol_close(collator);
}

/* The order of the book, but for what primary differences do not tell: typed text has no accents. */
size_t phonebook_first_from(const struct phonebook *p, struct str text)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    UCollator *collator = collator_open();
    if (!collator) return 0;
    ucol_setStrength(collator, UCOL_PRIMARY);
    struct str wanted = key_of(&scratch, collator, text);
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct str key = key_of(&scratch, collator, sorted_as(&scratch, &p->entries[middle]));
        if (str_cmp(key, wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    ucol_close(collator);
    return low;
}
