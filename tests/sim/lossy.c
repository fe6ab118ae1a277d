/* A server as lossy as the clouds: three e-mails, two telephones, one note, no property of its own invention (protocols
 * microsoft-graph 4, google-people 5). Whatever is beyond that is gone as soon as it is written. */
#include "tests/sim/sim.h"

#include <stdio.h>

#define EMAILS 3
#define PHONES 2

struct keeping {
    struct buf *out;
    struct buf note; /* all notes in one */
    size_t emails, phones;
};

/* Lines without their folding. */
static void unfold(const char *body, struct buf *out)
{
    for (const char *p = body; *p; p++) {
        if (*p == '\r') continue;
        if (p[0] == '\n' && (p[1] == ' ' || p[1] == '\t'))
            p++;
        else
            buf_addc(out, *p);
    }
}

static bool is_kept(struct keeping *k, struct str line)
{
    struct str colon = line;
    if (str_starts(line, STR("X-"))) return false;
    if (str_starts(line, STR("EMAIL"))) return k->emails++ < EMAILS;
    if (str_starts(line, STR("TEL"))) return k->phones++ < PHONES;
    if (!str_starts(line, STR("NOTE"))) return true;
    str_split(&colon, ':');
    if (k->note.len) buf_adds(&k->note, "\\n");
    buf_addstr(&k->note, colon);
    return false;
}

void lossy_rewrite(const char *body, char out[CARD_BYTES])
{
    struct buf text AUTO_BUF = BUF_INIT, kept AUTO_BUF = BUF_INIT;
    struct keeping k = {.out = &kept};
    unfold(body, &text);
    struct str rest = buf_str(&text);
    while (rest.n) {
        struct str line = str_split(&rest, '\n');
        if (str_starts(line, STR("END:VCARD")) && k.note.len) buf_addf(&kept, "NOTE:%s\r\n", buf_cstr(&k.note));
        if (is_kept(&k, line)) buf_addf(&kept, "%.*s\r\n", STR_ARG(line));
    }
    snprintf(out, CARD_BYTES, "%s", buf_cstr(&kept));
    buf_free(&k.note);
}

/* What the server did not take of a user's own words is nobody's to carry over. */
void lossy_note(struct world *w, const char *written, const char *kept)
{
    for (size_t i = 0; i < w->n_tokens; i++) {
        struct token *t = &w->tokens[i];
        if (!t->untaken && body_has(written, t->text) && !body_has(kept, t->text)) t->untaken = true;
    }
}

/* Eight worlds in sixty-four, drawn by no number, so that no other seed changes. */
void lossy_choose(struct world *w)
{
    struct habits *h = &w->habits;
    if (w->seed % 8 != 1) return;
    h->rewriting = REWRITE_CLOUD;
    h->late = w->seed / 8 % 2;
    h->renames = w->seed / 16 % 2;
    h->unconditional = w->seed / 32 % 2;
    if (!h->unconditional) return;
    h->users_in_runs = h->rivals = false; /* who writes between its look and its write is lost, and nobody can know */
}
