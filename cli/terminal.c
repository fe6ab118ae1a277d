/* Questions on the terminal: a password without echo, yes or no. Never asked without a terminal. */
#include "cli/cli.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/file.h"
#include "cli/secret.h"

#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_MAX_BYTES 4096

/* The first line; NULL if it is empty. */
static char *take_line(struct str text)
{
    struct str line = secret_first_line(text);
    return line.n ? secret_of(line) : NULL;
}

static char *password_from_file(struct cli *cli, const char *path)
{
    struct buf text AUTO_BUF = BUF_LIMIT(PASSWORD_MAX_BYTES);
    buf_reserve(&text, PASSWORD_MAX_BYTES - 2);
    if (file_read(path, &text, &cli->fault)) {
        cli->fault.code = FAULT_USAGE;
        return NULL;
    }
    char *out = take_line(buf_str(&text));
    secret_wipe(&text);
    if (!out) cli_usage(cli, NULL, _("%s: there is no password in this file"), path);
    return out;
}

/* Echo off, one line, echo as it was. Ctrl-C while echo is off would leave it off, so the signal comes after. */
static char *password_from_terminal(const char *whom)
{
    FILE *tty = fopen("/dev/tty", "r+e");
    struct termios old, quiet;
    if (!tty || tcgetattr(fileno(tty), &old) != 0) {
        if (tty) fclose(tty);
        return NULL;
    }
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    fprintf(tty, _("Password for %s: "), whom);
    fflush(tty);
    tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
    char line[PASSWORD_MAX_BYTES];
    setvbuf(tty, NULL, _IONBF, 0); /* stdio keeps no copy */
    char *out = fgets(line, sizeof line, tty) && !strchr(line, '\003') ? take_line(str_of(line)) : NULL;
    tcsetattr(fileno(tty), TCSAFLUSH, &old);
    sodium_memzero(line, sizeof line);
    fputc('\n', tty);
    fclose(tty);
    return out;
}

char *cli_password(struct cli *cli, const char *whom)
{
    const char *file = cli_option(cli, "password-file");
    if (file) return password_from_file(cli, file);
    char *out = isatty(STDIN_FILENO) ? password_from_terminal(whom) : NULL;
    if (!out)
        cli_usage(cli, _("give one with --password-file FILE (- = standard input)"), _("no password for %s"), whom);
    return out;
}

bool cli_phrase(struct cli *cli, const char *phrase)
{
    (void)cli;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) return false;
    fprintf(stderr, _("Type \"%s\" to go on: "), phrase);
    char *line AUTO_FREE = NULL;
    size_t size = 0;
    ssize_t n = getline(&line, &size, stdin);
    return n > 0 && str_eq(str_trim((struct str){line, (size_t)n}), str_of(phrase));
}

bool cli_confirm(struct cli *cli, const char *fmt, ...)
{
    if (cli_flag(cli, "yes")) return true;
    struct buf question AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&question, fmt, ap);
    va_end(ap);
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        cli_say(cli, "%s\n", buf_cstr(&question));
        cli_usage(cli, _("say so with --yes"), _("nothing was changed"));
        return false;
    }
    fprintf(stderr, "%s %s ", buf_cstr(&question), _("[y/N]"));
    char answer[16];
    bool yes = fgets(answer, sizeof answer, stdin) && strchr("yYjJ", answer[0]) && answer[0];
    if (!yes) cli_usage(cli, NULL, _("nothing was changed"));
    return yes;
}
