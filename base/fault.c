#include "base/fault.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdlib.h>

/* One row a code: its stable name and the exit code of design.md section 4. */
static const struct {
    const char *name;
    int exit_code;
} codes[] = {
    [FAULT_NONE] = {"none", 0},
    [FAULT_CHANGED] = {"changed", 1},
    [FAULT_GONE] = {"gone", 1},
    [FAULT_EXISTS] = {"exists", 1},
    [FAULT_REFUSED] = {"refused", 1},
    [FAULT_TOO_LARGE] = {"too_large", 1},
    [FAULT_LOCKED] = {"locked", 1},
    [FAULT_UNKNOWN] = {"unknown_outcome", 1},
    [FAULT_UNREADABLE] = {"unreadable", 1},
    [FAULT_TOKEN_DEAD] = {"token_dead", 1},
    [FAULT_INCOMPLETE] = {"incomplete", 1},
    [FAULT_PROTOCOL] = {"protocol", 6},
    [FAULT_NO_COLLECTION] = {"no_collection", 2},
    [FAULT_READ_ONLY] = {"read_only", 1},
    [FAULT_UNSUPPORTED] = {"unsupported", 1},
    [FAULT_HELD] = {"held", 4},
    [FAULT_BUSY] = {"busy", 8},
    [FAULT_AUTH] = {"sign_in", 5},
    [FAULT_UNREACHABLE] = {"unreachable", 6},
    [FAULT_RATE_LIMITED] = {"rate_limited", 6},
    [FAULT_QUOTA] = {"quota", 1},
    [FAULT_USAGE] = {"usage", 2},
    [FAULT_CONFIG] = {"config", 2},
    [FAULT_STATE] = {"state", 7},
    [FAULT_CANCELLED] = {"cancelled", 1},
    [FAULT_INTERNAL] = {"internal", 1},
};

enum fault_code fault_set(struct fault *f, enum fault_code code, const char *advice, const char *fmt, ...)
{
    if (!f || f->code) return code;
    struct buf what = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&what, fmt, ap);
    va_end(ap);
    f->code = code;
    f->what = buf_detach(&what);
    f->advice = mem_strdup(advice);
    return code;
}

void fault_about(struct fault *f, const char *who, const char *side)
{
    if (!f) return;
    if (who && !f->who) f->who = mem_strdup(who);
    if (side && !f->side) f->side = mem_strdup(side);
}

void fault_text(const struct fault *f, struct buf *out)
{
    if (f->who) buf_addf(out, "\"%s\"", f->who);
    if (f->side) buf_addf(out, "%son %s", f->who ? " " : "", f->side);
    if (f->who || f->side) buf_adds(out, ": ");
    buf_adds(out, f->what ? f->what : fault_name(f->code));
    if (f->advice) buf_addf(out, ", %s", f->advice);
}

void fault_copy(struct fault *to, const struct fault *from)
{
    if (!to) return;
    fault_clear(to);
    *to = *from;
    to->what = mem_strdup(from->what);
    to->who = mem_strdup(from->who);
    to->side = mem_strdup(from->side);
    to->advice = mem_strdup(from->advice);
}

void fault_clear(struct fault *f)
{
    if (!f) return;
    free(f->what);
    free(f->who);
    free(f->side);
    free(f->advice);
    *f = (struct fault)FAULT_INIT;
}

int fault_exit_code(enum fault_code code)
{
    return codes[code].exit_code;
}

const char *fault_name(enum fault_code code)
{
    return codes[code].name;
}
