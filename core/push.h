/* The run of a link whose side B takes its list as a whole and cannot be read (connector.h, `push`): FE2, a Directory
 * elsewhere.
 *
 * Nothing is merged: side A is read completely, each record is put into B's form, the list is compared with the last
 * one B accepted (state/pushed.h), the guards look at the difference, and the list is sent in one request or not at
 * all. Whatever makes the list doubtful (a listing that broke off, a card that cannot be read, a record under two
 * names) refuses the run: for B, who is not in the list is to be deleted. Sending a list again does no harm, so what
 * became of a lost answer need not be known.
 *
 * Called by core/run.c, in place of the steps from gather to confirm. */
#ifndef ABGLEICH_PUSH_H
#define ABGLEICH_PUSH_H

#include "core/job.h"

/* A list is sent anew after so long, though nothing changed: somebody may have deleted there what is to be there. */
#define PUSH_AGAIN_MS (24 * 3600 * 1000LL)
/* Held: more than the larger of both vanish, or lose what is vital (fe2 4.1). */
#define PUSH_FEW 3
#define PUSH_PERCENT 5

/* Reads, renders, compares; fills plan, counts and held. Faults refuse the run: FAULT_INCOMPLETE, _UNREADABLE, _QUOTA,
 * _REFUSED, _HELD. */
enum fault_code push_plan(struct job *job);
/* Tells what would be done. */
void push_tell(struct job *job);
/* Sends the list where there is a reason to, and remembers it as accepted together with the report. */
enum fault_code push_send(struct job *job);
/* Deletes one record by its name there, which no list may name any more: never while a list is sent. Under the link's
 * lease; FAULT_BUSY if it runs now. Afterwards the name is not in the accepted list. */
enum fault_code push_remove(struct db *db, const struct link *link, struct str id, struct fault *f);
void push_free(struct job *job); /* what is not in the job's arena */

#endif
