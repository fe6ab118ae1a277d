#include "base/arena.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t cap, used;
    max_align_t data[];
};

#if defined(__SANITIZE_ADDRESS__)
#define PIECE_PER_BLOCK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PIECE_PER_BLOCK 1
#endif
#endif
#ifndef PIECE_PER_BLOCK
#define PIECE_PER_BLOCK 0
#endif

enum { FIRST_BLOCK_BYTES = 8192, LARGEST_STEP_BYTES = 1 << 20 };

static struct arena_block *block_new(size_t cap, struct arena_block *next)
{
    struct arena_block *b = mem_alloc(sizeof *b + cap);
    *b = (struct arena_block){.next = next, .cap = cap, .used = 0};
    return b;
}

static size_t next_cap(const struct arena *a, size_t need)
{
    if (PIECE_PER_BLOCK) return need;
    size_t cap = a->head ? a->head->cap * 2 : FIRST_BLOCK_BYTES;
    if (cap > LARGEST_STEP_BYTES) cap = LARGEST_STEP_BYTES;
    return cap < need ? need : cap;
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    size_t align = _Alignof(max_align_t);
    size_t need = (size_bytes + align - 1) / align * align;
    if (need < size_bytes) abort(); /* size overflow: a caller's bug */
    if (!need) need = align;
    if (!a->head || PIECE_PER_BLOCK || a->head->cap - a->head->used < need) a->head = block_new(next_cap(a, need), a->head);
    char *p = (char *)a->head->data + a->head->used;
    a->head->used += need;
    a->used_bytes += need;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size_bytes)
{
    return memset(arena_alloc(a, size_bytes), 0, size_bytes);
}

char *arena_strdup(struct arena *a, struct str s)
{
    if (!s.p) return NULL;
    char *copy = arena_alloc(a, s.n + 1);
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

struct str arena_str(struct arena *a, struct str s)
{
    return (struct str){arena_strdup(a, s), s.n};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    struct buf text AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    return arena_strdup(a, buf_str(&text));
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = PIECE_PER_BLOCK ? NULL : a->head;
    struct arena_block *b = keep ? keep->next : a->head;
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    a->head = keep;
    a->used_bytes = 0;
}

void arena_free(struct arena *a)
{
    arena_reset(a);
    free(a->head);
    a->head = NULL;
}
