/* The table of commands: what is typed, what it takes, what it does. Help, checking of arguments and suggestions come
 * from the rows. */
#ifndef ABGLEICH_COMMAND_H
#define ABGLEICH_COMMAND_H

#include "cli/cli.h"

#define ANY_NUMBER 255

struct command {
    const char *group;      /* first word */
    const char *verb;       /* what follows: one word or two ("followup add"); NULL = none */
    const char *usage;      /* what follows */
    const char *summary;    /* msgid */
    const char *options;    /* names, each with ':' for each value it takes: "yes password-file: same::" */
    unsigned char min, max; /* other arguments */
    int (*run)(struct cli *cli);
};

/* Rows up to one whose group is NULL. */
const struct command *command_table(void);

/* Finds the command and sorts argv into cli. FAULT_USAGE with advice. */
enum fault_code command_parse(struct cli *cli, int argc, char **argv);

/* All commands, or those of the group, or the one of cli->command. */
void command_help(const struct cli *cli, FILE *out);

/* In cmd_*.c */
int command_account_add(struct cli *);
int command_account_list(struct cli *);
int command_account_test(struct cli *);
int command_account_on(struct cli *);
int command_account_off(struct cli *);
int command_account_set(struct cli *);
int command_account_remove(struct cli *);
int command_login(struct cli *);
int command_discover(struct cli *);
int command_link_add(struct cli *);
int command_link_list(struct cli *);
int command_link_on(struct cli *);
int command_link_off(struct cli *);
int command_link_set(struct cli *);
int command_link_remove(struct cli *);
int command_check(struct cli *);
int command_sync(struct cli *);
int command_fe2_delete(struct cli *);
int command_fe2_show(struct cli *);
int command_user_add(struct cli *);
int command_user_list(struct cli *);
int command_user_set(struct cli *);
int command_user_remove(struct cli *);
int command_directory_add(struct cli *);
int command_directory_list(struct cli *);
int command_directory_remove(struct cli *);
int command_directory_lint(struct cli *);
int command_directory_show(struct cli *);
int command_directory_set(struct cli *);
int command_directory_order(struct cli *);
int command_directory_key(struct cli *);
int command_directory_undo(struct cli *);
int command_directory_drop(struct cli *);
int command_import(struct cli *);
int command_held(struct cli *);
int command_approve(struct cli *);
int command_reject(struct cli *);
int command_conflicts(struct cli *);
int command_runs(struct cli *);
int command_report(struct cli *);
int command_why(struct cli *);
int command_undo(struct cli *);
int command_conflicts_show(struct cli *);
int command_conflicts_take(struct cli *);
int command_conflicts_read(struct cli *);
int command_review(struct cli *);
int command_book_list(struct cli *);
int command_book_add(struct cli *);
int command_book_rename(struct cli *);
int command_book_remove(struct cli *);
int command_contact_list(struct cli *);
int command_contact_show(struct cli *);
int command_contact_add(struct cli *);
int command_contact_edit(struct cli *);
int command_contact_remove(struct cli *);
int command_contact_deleted(struct cli *);
int command_contact_restore(struct cli *);
int command_contact_import(struct cli *);
int command_contact_export(struct cli *);
int command_followup_add(struct cli *);
int command_followup_list(struct cli *);
int command_followup_done(struct cli *);
int command_followup_assign(struct cli *);
int command_attach(struct cli *);
int command_attachments(struct cli *);
int command_attachment_get(struct cli *);
int command_detach(struct cli *);
int command_relate(struct cli *);
int command_unrelate(struct cli *);
int command_secret_set(struct cli *);
int command_config_check(struct cli *);
int command_config_show(struct cli *);
int command_status(struct cli *);
int command_digest(struct cli *);
int command_doctor(struct cli *);
int command_subject_export(struct cli *);
int command_subject_erase(struct cli *);
int command_explain(struct cli *);
int command_daemon(struct cli *); /* daemon.c */
int command_version(struct cli *);
int command_help_row(struct cli *);

#endif
