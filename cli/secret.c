#include "cli/secret.h"

#include <sodium.h>
#include <stdlib.h>

char *secret_of(struct str s)
{
    char *out = sodium_init() < 0 ? NULL : sodium_malloc(s.n + 1);
    if (!out) abort();
    if (s.n) memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return out;
}

struct str secret_first_line(struct str text)
{
    struct str line = str_split(&text, '\n');
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

void secret_wipe(struct buf *b)
{
    if (b->data) sodium_memzero(b->data, b->cap);
}
