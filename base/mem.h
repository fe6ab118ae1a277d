/* Allocation that cannot fail from the caller's view.
 *
 * abgleich is crash-only: a kill at any instant is safe (core/run.h), so running out of memory ends the process
 * with a message instead of a thousand untested error paths. Everybody may call this. */
#ifndef ABGLEICH_MEM_H
#define ABGLEICH_MEM_H

#include <stddef.h>

/* Each returns memory owned by the caller (free with free()); never NULL. mem_calloc zeroes. */
void *mem_alloc(size_t size_bytes);
void *mem_calloc(size_t count, size_t size_bytes);
void *mem_realloc(void *old, size_t size_bytes);
char *mem_strdup(const char *s);            /* NULL gives NULL */
char *mem_strndup(const char *s, size_t n); /* always terminated */

/* Gives what was freed back to the system, after a job that took much: the C library keeps it for the thread that had it,
 * and each of many threads may once have had such a job. */
void mem_trim(void);

/* For __attribute__((cleanup)): the one way of cleaning up in this tree. */
void mem_cleanup(void *pointer_to_pointer);
#define AUTO_FREE __attribute__((cleanup(mem_cleanup)))

#endif
