/* What somebody asked of a phonebook, apart from the request it came in: so that it can be answered again from a newer
 * snapshot before anybody asks. Private to server/directory*.c. */
#ifndef ABGLEICH_DIRECTORY_QUESTION_H
#define ABGLEICH_DIRECTORY_QUESTION_H

#include "mapping/phonebook_form.h"

struct question;
/* A copy of all of it; family NULL = CSV, and no query. Freed with question_free. */
struct question *question_new(const struct phone_family *family, const struct form_query *query);
void question_free(struct question *q); /* NULL is fine */
const struct phone_family *question_family(const struct question *q);
/* Borrowed from q. */
struct form_query question_query(struct question *q);
/* Under what its answers are kept. */
void question_key(const struct phone_family *family, const struct form_query *query, struct buf *out);
/* The answer. False: there is no such thing. */
bool question_write(const struct phone_family *family, const struct form_query *query,
                    const struct form_settings *settings, const struct phonebook *book, struct buf *out,
                    const char **type);

#endif
