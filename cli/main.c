/* The program: signals, language, and the command line. */
#include "cli/cli.h"
#include "cli/language.h"

#include <signal.h>
#include <sys/prctl.h>

/* The one variable of the process: a signal handler can reach nothing else. Jobs see it through env->cancelled. */
static volatile int cancel;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    cancel = 1;
}

/* The first one asks the run to finish the writes under way; with SA_RESETHAND the second one ends the process. */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_interrupt, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&stop.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    prctl(PR_SET_DUMPABLE, 0); /* passwords are in memory: no core dump, whoever collects them */
    catch_signals();
    language_init();
    struct cli cli = {.system.cancel = &cancel};
    int code = cli_main(&cli, argc, argv);
    cli_close(&cli);
    return code;
}
