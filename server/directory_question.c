#include "server/directory_question.h"

#include "base/mem.h"
#include "mapping/directory_csv.h"

#include <stdlib.h>

struct parameter {
    const char *name, *value;
    struct parameter *next;
};

struct question {
    struct arena arena;
    const struct phone_family *family;
    const char *file, *url, *pass;
    struct parameter *parameters;
};

static const char *copy(struct question *q, const char *text)
{
    return text ? arena_strdup(&q->arena, str_of(text)) : NULL;
}

static void add_parameter(void *ctx, const char *name, const char *value)
{
    struct question *q = ctx;
    struct parameter *p = arena_zalloc(&q->arena, sizeof *p);
    *p = (struct parameter){copy(q, name), copy(q, value), q->parameters};
    q->parameters = p;
}

struct question *question_new(const struct phone_family *family, const struct form_query *query)
{
    struct question *q = mem_calloc(1, sizeof *q);
    q->arena = (struct arena)ARENA_INIT;
    q->family = family;
    if (!family) return q;
    q->file = copy(q, query->file);
    q->url = copy(q, query->url);
    q->pass = copy(q, query->pass);
    phone_family_each_parameter(family, query, add_parameter, q);
    return q;
}

void question_free(struct question *q)
{
    if (q) arena_free(&q->arena);
    free(q);
}

const struct phone_family *question_family(const struct question *q)
{
    return q->family;
}

static const char *value_of(void *ctx, const char *name)
{
    const struct question *q = ctx;
    for (const struct parameter *p = q->parameters; p; p = p->next)
        if (strcmp(p->name, name) == 0) return p->value;
    return NULL;
}

struct form_query question_query(struct question *q)
{
    return (struct form_query){value_of, q, q->file, q->url, q->pass};
}

void question_key(const struct phone_family *family, const struct form_query *query, struct buf *out)
{
    if (family) phone_family_key(family, query, out);
}

bool question_write(const struct phone_family *family, const struct form_query *query,
                    const struct form_settings *settings, const struct phonebook *book, struct buf *out,
                    const char **type)
{
    *type = "text/csv; charset=utf-8";
    if (family) return phone_family_write(family, book, settings, query, out, type);
    directory_csv_write(book, out);
    return true;
}
