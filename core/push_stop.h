/* A list that its remote refused in a way trying again does not mend (fe2 5.1: the key is not known, the quota is too
 * small, a person is another organisation's, nothing answers to that address). Nothing is sent unasked any more until
 * what it was refused for changes: key, address or settings of the account, the link's filter, and, where the list
 * itself was at fault, the list. A person who runs the link is not held up.
 *
 * Called by core/push.c. */
#ifndef ABGLEICH_PUSH_STOP_H
#define ABGLEICH_PUSH_STOP_H

#include "core/job.h"

/* In a run nobody asked for: the fault it was refused with, once more, if nothing changed since. */
enum fault_code push_stop_check(struct job *job);
/* After sending: the job's fault lasts, or not. A failure to write it down only means another try. */
void push_stop_note(struct job *job, enum fault_code code);

#endif
