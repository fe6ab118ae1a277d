/* The two sides of a link. Everything in core/ that exists once per side is an array indexed by this. */
#ifndef ABGLEICH_SIDE_H
#define ABGLEICH_SIDE_H

enum side { SIDE_A, SIDE_B };

static inline enum side side_other(enum side s)
{
    return s == SIDE_A ? SIDE_B : SIDE_A;
}

#endif
