/* Who asks for keys or passwords that are not right is kept waiting: nothing is found by trying. Bounded: the table
 * forgets who asked first. Used by server/ from any thread. */
#ifndef ABGLEICH_GUESS_H
#define ABGLEICH_GUESS_H

#include <stdbool.h>
#include <stdint.h>

struct guesses;
struct guesses *guesses_new(void);
void guesses_free(struct guesses *g);                                       /* NULL is fine */
bool guesses_are_many(struct guesses *g, const char *peer, int64_t now_ms); /* more than 20 within a minute */
void guesses_add(struct guesses *g, const char *peer, int64_t now_ms);

#endif
