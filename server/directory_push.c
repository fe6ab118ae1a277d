#include "base/i18n.h"
#include "server/directory_impl.h"
#include "server/directory_take.h"
#include "server/multipart.h"

#include <jansson.h>
#include <stdlib.h>

static void refuse(struct http_answer *answer, unsigned status, const struct fault *f)
{
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(f, &text);
    json_t *object = json_pack("{s:s, s:s}", "status", "refused", "error", buf_cstr(&text));
    char *json = json_dumps(object, JSON_COMPACT);
    answer->status = status;
    answer->type = "application/json";
    buf_addf(&answer->body, "%s\n", json);
    free(json);
    json_decref(object);
}

static void refuse_form(struct http_answer *answer, enum multipart found)
{
    static const struct {
        unsigned status;
        const char *what;
    } rows[] = {[MULTIPART_NONE] = {415, N_("send the file as multipart/form-data")},
                [MULTIPART_BROKEN] = {400, N_("the form ends early")},
                [MULTIPART_NOT_THERE] = {400, N_("there is no part named \"file\"")}};
    struct fault f AUTO_FAULT = FAULT_INIT;
    fault_set(&f, FAULT_USAGE, "curl -F 'file=@contacts.csv' URL", "%s", _(rows[found].what));
    refuse(answer, rows[found].status, &f);
}

static bool says_yes(const struct http_call *c, const char *name)
{
    const char *value = http_call_query(c, name);
    return value && strcmp(value, "1") == 0;
}

static unsigned status_of(enum fault_code code)
{
    return code == FAULT_UNREADABLE ? 422 : code == FAULT_HELD ? 409 : 503;
}

/* -- how often -- */

/* A phonebook that is pushed all the time is never read from memory: whoever does that has a script that runs wild. */
static bool is_too_often(struct directory_service *s, int64_t no, int64_t now_ms)
{
    struct pushing *one = &s->pushing[no % PUSHING_MAX];
    pthread_mutex_lock(&s->mutex);
    if (one->directory != no || now_ms - one->since_ms > PUSHING_WINDOW_MS || now_ms < one->since_ms)
        *one = (struct pushing){no, now_ms, 0};
    bool many = ++one->n > PUSHES_MAX;
    pthread_mutex_unlock(&s->mutex);
    return many;
}

void directory_push(struct directory_service *s, struct desk *desk, const struct directory *d, struct arena *arena,
                    struct http_call *c)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct http_answer *answer = http_call_answer(c);
    struct directory_take take = {.csv = &s->settings.csv,
                                  .allow_empty = says_yes(c, "allow_empty"),
                                  .allow_shrink = says_yes(c, "allow_shrink")};
    struct str file;
    if (is_too_often(s, d->no, desk->system.env.monotonic_ms(&desk->system.env))) {
        http_answer_header(answer, "Retry-After", "60");
        fault_set(&f, FAULT_RATE_LIMITED, _("wait a minute"),
                  _("this phonebook was pushed more than %d times in a minute"), PUSHES_MAX);
        refuse(answer, 429, &f);
        return;
    }
    enum multipart found = multipart_part(http_call_header(c, "Content-Type"), http_call_body(c), "file", &file);
    if (found != MULTIPART_FOUND) {
        refuse_form(answer, found);
        return;
    }
    snapshot_changes(s, d->no);
    enum fault_code code = directory_take(desk->db, d, file, arena, &take, &f);
    if (!code && !take.unchanged) snapshot_renew(s, desk->db, d);
    snapshot_changed(s, d->no);
    if (code) {
        refuse(answer, status_of(f.code), &f);
        return;
    }
    answer->status = 200;
    answer->type = "application/json";
    buf_addf(&answer->body, "%.*s\n", STR_ARG(take.told));
}
