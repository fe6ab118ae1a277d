/* How long a sign-in lives: what can be foreseen, and why it may have died (protocols microsoft-graph 1, google-people
 * 1). */
#include "connectors/oauth_impl.h"

#include "base/date.h"
#include "base/i18n.h"
#include "base/mem.h"

#include <stdlib.h>

#define DAY_MS (24 * 60 * 60 * 1000LL)
#define IDLE_MICROSOFT_MS (90 * DAY_MS) /* so long a refresh token may lie unused */
#define IDLE_GOOGLE_MS (182 * DAY_MS)
#define TOLD_AHEAD_MS (30 * DAY_MS)
#define TESTING_LEAST_MS (6 * DAY_MS) /* a sign-in of a Google project in the state Testing lives for seven days */
#define TESTING_MOST_MS (8 * DAY_MS)

static int64_t now_of(const struct oauth *o)
{
    return o->env->now_ms(o->env);
}

int64_t oauth_told_end_ms(const struct oauth *o, const struct oauth_answer *a)
{
    const json_t *life = json_object_get(a->body, "refresh_token_expires_in");
    long long seconds = json_integer_value(life);
    if (json_is_string(life)) str_to_int64(str_of(json_string_value(life)), &seconds);
    return seconds > 0 && seconds < 1000000000 ? now_of(o) + 1000 * seconds : 0;
}

/* -- why it may have died -- */

static bool lived_a_week(const struct oauth *o)
{
    int64_t ended_ms = o->now.dead_ms ? o->now.dead_ms : now_of(o), life_ms = ended_ms - o->now.since_ms;
    if (o->now.ends_ms && o->now.ends_ms - o->now.since_ms <= TESTING_MOST_MS) return true;
    return o->now.since_ms && life_ms >= TESTING_LEAST_MS && life_ms <= TESTING_MOST_MS;
}

void oauth_add_cause(const struct oauth *o, const struct oauth_answer *a, struct fault *f)
{
    const char *text = NULL;
    if (!f || !f->code || !a->error || strcmp(a->error, "invalid_grant") != 0 || oauth_is_of_microsoft(o)) return;
    if (o->flow == FLOW_SERVICE)
        text = _("for a service account: is this computer's clock right, and is there a person of that address in the "
                 "organisation?");
    else if (lived_a_week(o))
        text =
            _("it lived for seven days, as all do of a Google project in the state \"Testing\": publish the project");
    if (!text) return;
    struct buf all AUTO_BUF = BUF_INIT;
    buf_addf(&all, "%s%s%s", f->advice ? f->advice : "", f->advice ? "; " : "", text);
    free(f->advice);
    f->advice = buf_detach(&all);
}

/* -- when it ends -- */

static void earliest(int64_t *end_ms, int64_t *life_ms, int64_t from_ms, int64_t until_ms)
{
    if (*end_ms && *end_ms <= until_ms) return;
    *end_ms = until_ms;
    *life_ms = until_ms - from_ms;
}

/* life_ms: how long it lives from its beginning, or from its last use, to that end. */
static int64_t end_of(const struct oauth *o, int64_t *life_ms)
{
    int64_t end_ms = 0;
    *life_ms = 0;
    if (oauth_needs_person(o) && o->now.refresh) {
        int64_t idle_ms = oauth_is_of_microsoft(o) ? IDLE_MICROSOFT_MS : IDLE_GOOGLE_MS;
        earliest(&end_ms, life_ms, o->now.used_ms, o->now.used_ms + idle_ms);
        if (o->now.ends_ms) earliest(&end_ms, life_ms, o->now.since_ms, o->now.ends_ms);
    }
    if (o->flow != FLOW_SERVICE && account_setting(o->account, "oauth.key_file")) {
        struct buf pem AUTO_KEY_BUF = BUF_INIT;
        struct fault ignored AUTO_FAULT = FAULT_INIT;
        int64_t end_s = oauth_read_key(o, &pem, &ignored) ? 0 : jwt_certificate_end_s(buf_str(&pem));
        if (end_s) earliest(&end_ms, life_ms, 0, end_s * 1000);
    }
    const char *told = account_setting(o->account, "oauth.secret_expires");
    char day[DATE_BYTES];
    if (told && date_parse(str_of(told), day)) earliest(&end_ms, life_ms, 0, date_ms(day));
    return end_ms;
}

enum fault_code oauth_look(struct oauth *o, struct oauth_report *out, struct fault *f)
{
    int64_t life_ms;
    enum fault_code code = oauth_load(o, f);
    out->ends_ms = code ? 0 : end_of(o, &life_ms);
    int64_t ahead_ms = out->ends_ms && life_ms / 3 < TOLD_AHEAD_MS ? life_ms / 3 : TOLD_AHEAD_MS;
    out->state = o->now.dead                                           ? OAUTH_DEAD
                 : oauth_needs_person(o) && !o->now.refresh            ? OAUTH_NONE
                 : out->ends_ms && now_of(o) > out->ends_ms - ahead_ms ? OAUTH_ENDS_SOON
                                                                       : OAUTH_FINE;
    return code;
}
