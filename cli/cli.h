/* What every command works with: its options, and the configuration and the database, both opened when first asked for
 * (a command that finds nothing to do has 10 ms). One file per group of commands (cmd_*.c); the table is in command.c.
 *
 * A command returns the exit code of design.md 4. What went wrong stands in cli->fault and is printed once, by main. */
#ifndef ABGLEICH_CLI_H
#define ABGLEICH_CLI_H

#include "cli/config.h"
#include "state/db.h"

#include <jansson.h>
#include <stdio.h>

#ifndef ABGLEICH_VERSION
#define ABGLEICH_VERSION "0.1.0"
#endif

#define EXIT_DONE 0
#define EXIT_PARTLY 1
#define EXIT_WAITING 3
#define EXIT_HELD 4
#define EXIT_PENDING 10

struct given { /* an option as given */
    struct str name;
    const char *value[2]; /* NULL where it takes none */
};

struct cli {
    const struct command *command;
    char **args; /* what is no option; n_args of them, within what the table allows */
    size_t n_args;
    struct given *given;
    size_t n_given;
    const char *config_path; /* NULL = the default one */
    const char *language;
    bool json, quiet, help, version;
    unsigned verbose;
    struct env_system system;
    struct env *env;       /* = &system.env */
    struct config *config; /* by cli_config */
    struct db *db;         /* by cli_db */
    struct hash_key key;   /* by cli_hash_key */
    bool has_key;
    struct arena arena; /* for the life of the command */
    struct fault fault;
};

/* Each returns false with cli->fault set if it cannot be had. */
bool cli_config(struct cli *cli);
bool cli_db(struct cli *cli);
/* Is there a daemon on this state? After cli_db. */
bool cli_daemon_runs(struct cli *cli);
bool cli_hash_key(struct cli *cli); /* opens the database too */

/* Exit code of cli->fault; what a command returns after a failure. */
int cli_fail(const struct cli *cli);
/* Sets a usage fault and returns 2. */
int cli_usage(struct cli *cli, const char *advice, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Options of the command. The i-th of that name, NULL = not given. */
const char *cli_option(const struct cli *cli, const char *name);
const char *cli_option_at(const struct cli *cli, const char *name, size_t i);
const struct given *cli_given(const struct cli *cli, const char *name, size_t i);
bool cli_flag(const struct cli *cli, const char *name);

/* Talk, on stderr; nothing with -q. */
void cli_say(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Asks on the terminal; false without one (then --yes is needed, and cli->fault says so). */
/* Asks for the phrase on the terminal; false without one, or for anything else. */
bool cli_phrase(struct cli *cli, const char *phrase);
bool cli_confirm(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* --password-file, else asked for without echo. Terminated, in sodium memory (secret_free). NULL with fault. */
char *cli_password(struct cli *cli, const char *whom);

/* The whole of main, without the process: fills *cli from argv, runs the command, prints the fault. For tests as well.
 */
int cli_main(struct cli *cli, int argc, char **argv);
void cli_close(struct cli *cli);

#endif
