/* "Did you mean ...?": the closest of some words to one that is not among them. */
#ifndef ABGLEICH_SUGGEST_H
#define ABGLEICH_SUGGEST_H

#include "base/str.h"

/* Letters to add, drop, change or swap with their neighbour; ASCII case off. */
size_t edit_distance(struct str a, struct str b);

/* Goes through words; best is NULL if none is close enough. */
struct suggestion {
    struct str wanted;
    const char *best;
    size_t distance;
};
void suggest_word(struct suggestion *s, const char *word);

#endif
