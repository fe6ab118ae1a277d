/* The mail that says what needs a person ([report] mail_to), and nothing else: sent when a matter is new, again after
 * `remind` while it stays, never when all is well. Called by the daemon after runs and by `abgleich digest`. */
#ifndef ABGLEICH_DIGEST_H
#define ABGLEICH_DIGEST_H

#include "cli/attention.h"
#include "connectors/mail.h"

/* Is one due? Compares with what was last sent (state database). */
bool digest_is_due(const struct config *c, struct db *db, int64_t now_ms, const struct attention *list, size_t n);
/* Subject, text and page; all owned by the caller. */
struct digest_mail {
    struct buf subject, text, html;
};
void digest_write(const struct attention *list, size_t n, struct digest_mail *out);
void digest_mail_free(struct digest_mail *m);

/* Gathers, and sends if one is due, or always where there is something to say and `force`. *sent (may be NULL) says
 * whether. Nothing happens without mail_to. Faults of mail_send, FAULT_CONFIG, FAULT_STATE. */
enum fault_code digest_run(const struct config *c, struct db *db, struct env *env, bool force, bool *sent,
                           struct fault *f);

#endif
