#include "cli/digest.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/out.h"
#include "state/secrets.h"
#include "state/settings.h"

#include <stdlib.h>
#include <unistd.h>

/* Lines: the time of the mail in ms, then the key of each matter told. */
#define SETTING "digest"

/* -- is one due? -- */

static bool was_told(struct str told, const char *key)
{
    for (struct str rest = told; rest.p;)
        if (str_eq(str_split(&rest, '\n'), str_of(key))) return true;
    return false;
}

bool digest_is_due(const struct config *c, struct db *db, int64_t now_ms, const struct attention *list, size_t n)
{
    if (!n) return false;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct str told = setting_get(db, SETTING, &arena), rest = told;
    long long sent_ms;
    if (!told.p || !str_to_int64(str_split(&rest, '\n'), &sent_ms)) return true;
    if (now_ms - sent_ms < c->report.gap_ms && now_ms >= sent_ms) return false;
    if (c->report.remind_ms && now_ms - sent_ms >= c->report.remind_ms) return true;
    for (size_t i = 0; i < n; i++)
        if (!was_told(rest, list[i].key)) return true;
    return false;
}

/* What is settled is forgotten, so that it is told again if it comes back. */
static enum fault_code remember(struct db *db, int64_t sent_ms, struct str told, bool sent,
                                const struct attention *list, size_t n, struct fault *f)
{
    struct buf value AUTO_BUF = BUF_INIT;
    buf_addf(&value, "%lld", (long long)sent_ms);
    for (size_t i = 0; i < n; i++)
        if (sent || was_told(told, list[i].key)) buf_addf(&value, "\n%s", list[i].key);
    return setting_set(db, SETTING, n ? buf_str(&value) : STR_NONE, f);
}

/* -- what it says -- */

static const char *const titles[ATTENTION_KINDS] = {
    [ATTENTION_SIGN_IN] = N_("Sign-in is refused; nothing is synced there until that is mended"),
    [ATTENTION_FAILING] = N_("Does not run"),
    [ATTENTION_SIGN_IN_ENDS] = N_("The sign-in ends soon; until then everything goes on"),
    [ATTENTION_HELD] = N_("Stopped by a guard; nothing was changed"),
    [ATTENTION_AMBIGUOUS] = N_("Maybe the same; nothing happens to them until somebody says so"),
    [ATTENTION_LEFT_ALONE] = N_("Left alone; everything else went on"),
    [ATTENTION_CONFLICTS] = N_("Changed on both sides"),
};

static void write_subject(const struct attention *list, size_t n, struct buf *out)
{
    buf_addf(out, n == 1 ? _("abgleich: %s: %zu matter needs you") : _("abgleich: %s: %zu matters need you"),
             list[0].link, n);
}

static void write_text(const struct attention *list, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || list[i].kind != list[i - 1].kind) buf_addf(out, "%s%s\n", i ? "\n" : "", _(titles[list[i].kind]));
        buf_addf(out, "  %s: %s\n    %s\n", list[i].link, list[i].text, list[i].command);
    }
}

static void tagged(struct buf *out, const char *tag, const char *text)
{
    buf_addf(out, "<%s>", tag);
    html_text(str_of(text), out);
    buf_addf(out, "</%s>", tag);
}

static void write_html(const struct attention *list, size_t n, struct buf *out)
{
    buf_addf(out, "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"></head><body>\n", _("en"));
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || list[i].kind != list[i - 1].kind) tagged(out, "h3", _(titles[list[i].kind]));
        buf_adds(out, "<p>");
        tagged(out, "b", list[i].link);
        buf_adds(out, ": ");
        html_text(str_of(list[i].text), out);
        buf_adds(out, "<br>");
        tagged(out, "code", list[i].command);
        buf_adds(out, "</p>\n");
    }
    buf_adds(out, "</body></html>\n");
}

void digest_write(const struct attention *list, size_t n, struct digest_mail *out)
{
    *out = (struct digest_mail){BUF_INIT, BUF_INIT, BUF_INIT};
    if (!n) return;
    write_subject(list, n, &out->subject);
    write_text(list, n, &out->text);
    write_html(list, n, &out->html);
}

void digest_mail_free(struct digest_mail *m)
{
    buf_free(&m->subject);
    buf_free(&m->text);
    buf_free(&m->html);
}

/* -- sending -- */

static size_t addresses(const char *list, struct arena *arena, const char ***out)
{
    size_t n = 0;
    *out = arena_zalloc(arena, (strlen(list) + 1) * sizeof **out);
    for (struct str rest = str_of(list); rest.p;) {
        struct str one = str_trim(str_split(&rest, ','));
        if (one.n) (*out)[n++] = arena_strdup(arena, one);
    }
    return n;
}

static const char *sender(const struct config *c, struct arena *arena)
{
    char host[256] = "localhost";
    if (c->report.mail_from) return c->report.mail_from;
    gethostname(host, sizeof host - 1);
    return arena_printf(arena, "abgleich@%s", host);
}

static enum fault_code send(const struct config *c, struct db *db, struct env *env, const struct digest_mail *m,
                            struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const char **to;
    struct mail mail = {sender(c, &arena), NULL, addresses(c->report.mail_to, &arena, &to), NULL, buf_str(&m->text),
                        buf_str(&m->html)};
    mail.to = to;
    mail.subject = m->subject.data;
    char *password = NULL;
    enum fault_code code = config_secret_read(c->report.secret, NULL, db, &password, f);
    const struct mail_server server = {c->report.smtp, c->report.user, password, c->report.ca_file};
    if (!code) code = mail_send(env, &server, &mail, f);
    secret_free(password);
    return code;
}

enum fault_code digest_run(const struct config *c, struct db *db, struct env *env, bool force, bool *sent,
                           struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct attention *list;
    int64_t now_ms = env->now_ms(env);
    if (sent) *sent = false;
    if (!c->report.mail_to) return FAULT_NONE;
    size_t n = attention_list(c, db, now_ms, &arena, &list);
    enum fault_code code = db_check(db, f);
    if (code) return code;
    bool due = n && (force || digest_is_due(c, db, now_ms, list, n));
    struct digest_mail m;
    digest_write(list, n, &m);
    if (due) code = send(c, db, env, &m, f);
    digest_mail_free(&m);
    if (code) return code;
    if (sent) *sent = due;
    struct str told = setting_get(db, SETTING, &arena), rest = told;
    long long before_ms = 0;
    if (told.p) str_to_int64(str_split(&rest, '\n'), &before_ms);
    if (!n && !told.p) return FAULT_NONE;
    return remember(db, due ? now_ms : before_ms, rest, due, list, n, f);
}
