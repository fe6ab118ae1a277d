#include "base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
    if (!p) {
        fputs("<2>abgleich: out of memory, ending; nothing is lost, the next run continues\n", stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size_bytes)
{
    return checked(malloc(size_bytes ? size_bytes : 1));
}

void *mem_calloc(size_t count, size_t size_bytes)
{
    return checked(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *mem_realloc(void *old, size_t size_bytes)
{
    return checked(realloc(old, size_bytes ? size_bytes : 1));
}

char *mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
    char *copy = mem_alloc(n + 1);
    if (n) memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

void mem_cleanup(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void mem_trim(void)
{
    malloc_trim(0);
}
