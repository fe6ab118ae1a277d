/* KEY=VALUE on the command line and settings in JSON, shared by the account and link commands. */
#ifndef ABGLEICH_PAIRS_H
#define ABGLEICH_PAIRS_H

#include "cli/cli.h"
#include "cli/config_write.h"

/* The arguments from `first` on as pairs, in cli->arena; "KEY=" takes a key out. False with cli->fault. */
bool pairs_of_args(struct cli *cli, size_t first, struct config_pair **pairs, size_t *n);
/* The store is no account of the configuration: false with cli->fault. */
bool pairs_may_change(struct cli *cli, const struct config_account *a);
/* Adds every key of a section to o: text as text, yes/no as booleans, numbers as numbers, times as written. */
void pairs_json(json_t *o, enum config_kind kind, const void *section);

#endif
