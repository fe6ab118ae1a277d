#include "cli/command.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/file.h"
#include "cli/language.h"
#include "state/lock.h"
#include "state/settings.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool cli_config(struct cli *cli)
{
    if (cli->config) return true;
    char *path AUTO_FREE = cli->config_path ? mem_strdup(cli->config_path) : config_default_path();
    if (config_load(path, cli->config_path != NULL, &cli->config, &cli->fault)) return false;
    if (!cli->language && cli->config->language) language_use(cli->config->language);
    return true;
}

/* The folder of a new state, with those above it: the first command on a new machine must not fail for want of it. Only where nobody
 * named the place: a folder that was named and is missing may be a disk that is not there. What cannot be made shows when the database
 * is opened, with a better message. */
static void make_folder_of(const char *path)
{
    char *folder AUTO_FREE = file_folder(path);
    for (char *p = folder + 1; *folder && *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        mkdir(folder, 0700);
        *p = '/';
    }
    mkdir(folder, 0700);
}

bool cli_db(struct cli *cli)
{
    if (cli->db) return true;
    if (!cli_config(cli)) return false;
    if (cli->config->state_is_default && access(cli->config->state, F_OK)) make_folder_of(cli->config->state);
    return db_open(cli->config->state, DB_MAY_CREATE, cli->env, &cli->db, &cli->fault) == FAULT_NONE;
}

/* Whoever holds the daemon's lock is one. */
bool cli_daemon_runs(struct cli *cli)
{
    struct lock *lock AUTO_LOCK = NULL;
    return lock_daemon(cli->db, &lock, NULL) == FAULT_BUSY;
}

bool cli_hash_key(struct cli *cli)
{
    if (cli->has_key) return true;
    if (!cli_db(cli)) return false;
    cli->has_key = settings_hash_key(cli->db, &cli->key, &cli->fault) == FAULT_NONE;
    return cli->has_key;
}

int cli_fail(const struct cli *cli)
{
    return fault_exit_code(cli->fault.code);
}

int cli_usage(struct cli *cli, const char *advice, const char *fmt, ...)
{
    struct buf what AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&what, fmt, ap);
    va_end(ap);
    fault_set(&cli->fault, FAULT_USAGE, advice, "%s", buf_cstr(&what));
    return cli_fail(cli);
}

const struct given *cli_given(const struct cli *cli, const char *name, size_t i)
{
    for (size_t g = 0; g < cli->n_given; g++)
        if (str_eq(cli->given[g].name, str_of(name)) && i-- == 0) return &cli->given[g];
    return NULL;
}

const char *cli_option_at(const struct cli *cli, const char *name, size_t i)
{
    const struct given *g = cli_given(cli, name, i);
    return g ? g->value[0] : NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    return cli_option_at(cli, name, 0);
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return cli_given(cli, name, 0) != NULL;
}

void cli_say(const struct cli *cli, const char *fmt, ...)
{
    if (cli->quiet) return;
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

static void print_fault(const struct cli *cli)
{
    if (!cli->fault.code) return;
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(&cli->fault, &text);
    fprintf(stderr, "abgleich: %s\n", buf_cstr(&text));
}

static int run(struct cli *cli)
{
    if (cli->version) return command_version(cli);
    if (cli->help || !cli->command) {
        command_help(cli, cli->help ? stdout : stderr);
        return cli->help ? EXIT_DONE : fault_exit_code(FAULT_USAGE);
    }
    return cli->command->run(cli);
}

/* A report that was cut because the disk is full must not end as done. */
static int check_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    perror("abgleich");
    return code ? code : EXIT_PARTLY;
}

/* Help and complaints about the command line come before any command has read the configuration, which may name the
 * language. */
static enum fault_code parse_in_language(struct cli *cli, int argc, char **argv)
{
    enum fault_code code = command_parse(cli, argc, argv);
    bool talks = code || cli->help || !cli->command || cli->command->run == command_help_row;
    if (cli->language || !talks) return code;
    struct fault parsed = cli->fault;
    cli->fault = (struct fault)FAULT_INIT;
    bool again = cli_config(cli) && cli->config->language && code;
    fault_clear(&cli->fault);
    cli->fault = parsed;
    if (!again) return code;
    fault_clear(&cli->fault);
    cli->command = NULL;
    cli->n_args = cli->n_given = cli->verbose = 0;
    return command_parse(cli, argc, argv);
}

int cli_main(struct cli *cli, int argc, char **argv)
{
    enum fault_code fault = parse_in_language(cli, argc, argv);
    enum log_level level = cli->verbose > 1 ? LOG_DEBUG
                           : cli->verbose   ? LOG_INFO
                           : cli->quiet     ? LOG_ERROR
                                            : LOG_WARNING;
    env_system_init(&cli->system, level, cli->system.cancel);
    cli->env = &cli->system.env;
    if (cli->language) language_use(cli->language);
    if (!fault && cli->language && strcmp(cli->language, "de") != 0 && strcmp(cli->language, "en") != 0)
        fault =
            fault_set(&cli->fault, FAULT_USAGE, _("there are de and en"), _("unknown language \"%s\""), cli->language);
    int code = fault ? cli_fail(cli) : run(cli);
    code = check_output(code);
    print_fault(cli);
    return code;
}

void cli_close(struct cli *cli)
{
    db_close(cli->db);
    config_free(cli->config);
    arena_free(&cli->arena);
    fault_clear(&cli->fault);
}
