/* A phonebook as commands show it. Used by cli/cmd_directory*.c and `status`. */
#ifndef ABGLEICH_DIRECTORY_OUT_H
#define ABGLEICH_DIRECTORY_OUT_H

#include "cli/cli.h"
#include "cli/out.h"
#include "state/directory.h"

/* By the name that is the command's first argument; false with cli->fault. */
bool directory_find(struct cli *cli, struct directory *out);
json_t *directory_json(struct cli *cli, const struct directory *d);
/* "push", the link's or the book's name. */
struct str directory_part_name(const struct directory_part *part);
/* All of them as a table; false: there are none. */
bool directory_table_print(struct cli *cli);

#endif
