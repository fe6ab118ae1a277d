/* What was written lately (2): Google answers reads with what was there minutes ago, and what is older than our own
 * write is no change. It is kept with the account, a slot a batch, so that the next run and a run after a kill know it,
 * too. */
#include "base/mem.h"
#include "connectors/people_session.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOTS 512u
#define HEAD "wrote"

static void add(struct session *s, struct people_recent r)
{
    s->recent = mem_realloc(s->recent, (s->n_recent + 1) * sizeof *s->recent);
    s->recent[s->n_recent++] = r;
}

static bool is_recent(struct session *s, int64_t at_ms)
{
    int64_t age_ms = s->env->now_ms(s->env) - at_ms;
    return age_ms >= 0 && age_ms <= PEOPLE_LAG_MS;
}

/* "1700000000000 w people/c1 %Eabc 2026-11-24T01:00:00Z", '-' for what was not told. */
static void read_line(struct session *s, struct str line)
{
    struct str at = str_split(&line, ' '), kind = str_split(&line, ' '), name = str_split(&line, ' ');
    struct str etag = str_split(&line, ' '), time = str_split(&line, ' ');
    long long ms;
    if (!str_to_int64(at, &ms) || kind.n != 1 || !name.n || !is_recent(s, ms)) return; /* slots are used again */
    struct people_recent r = {.kind = kind.p[0], .at_ms = ms, .name = mem_strndup(name.p, name.n)};
    r.etag = etag.n > 1 ? mem_strndup(etag.p, etag.n) : mem_strdup("");
    r.time = time.n > 1 ? mem_strndup(time.p, time.n) : mem_strdup("");
    add(s, r);
}

static void slot_key(unsigned slot, struct buf *out)
{
    buf_reset(out);
    buf_addf(out, HEAD ":%u", slot);
}

static void read_slots(struct session *s, unsigned used)
{
    struct buf key AUTO_BUF = BUF_INIT;
    for (unsigned i = 0; i < SLOTS && i < used; i++) {
        slot_key(i, &key);
        char *text AUTO_FREE = s->traits->get(s->traits, buf_cstr(&key));
        struct str rest = str_of(text);
        while (rest.n) read_line(s, str_split(&rest, '\n'));
    }
}

/* The head says when something was written last: usually nothing else needs to be read. */
static void load(struct session *s)
{
    long long last_ms = 0;
    unsigned next = 0, used = 0;
    if (s->recent_known) return;
    s->recent_known = true;
    char *head AUTO_FREE = s->traits->get(s->traits, HEAD);
    if (!head || sscanf(head, "%lld %u %u", &last_ms, &next, &used) != 3) return;
    bool old = s->env->now_ms(s->env) - last_ms > PEOPLE_LAG_MS;
    s->recent_slot = old ? 0 : next;
    if (!old) read_slots(s, used);
}

/* The newest of that name. */
struct people_recent *people_recent_find(struct session *s, char kind, const char *name)
{
    struct people_recent *found = NULL;
    load(s);
    for (size_t i = 0; i < s->n_recent; i++) {
        struct people_recent *r = &s->recent[i];
        bool newer = !found || r->at_ms >= found->at_ms;
        if (r->kind == kind && newer && strcmp(r->name, name) == 0) found = r;
    }
    return found && is_recent(s, found->at_ms) ? found : NULL;
}

void people_recent_add(struct session *s, char kind, const char *name, const json_t *person)
{
    const char *etag = json_string_value(json_object_get(person, "etag"));
    const char *time = json_string_value(json_object_get(people_source(person), "updateTime"));
    load(s);
    add(s, (struct people_recent){.kind = kind,
                                  .at_ms = s->env->now_ms(s->env),
                                  .name = mem_strdup(name),
                                  .etag = mem_strdup(etag ? etag : ""),
                                  .time = mem_strdup(time ? time : "")});
}

void people_recent_keep(struct session *s, size_t first)
{
    struct buf key AUTO_BUF = BUF_INIT;
    struct buf text AUTO_BUF = BUF_INIT;
    if (first >= s->n_recent) return;
    for (size_t i = first; i < s->n_recent; i++) {
        const struct people_recent *r = &s->recent[i];
        buf_addf(&text, "%lld %c %s %s %s\n", (long long)r->at_ms, r->kind, r->name, *r->etag ? r->etag : "-",
                 *r->time ? r->time : "-");
    }
    slot_key(s->recent_slot, &key);
    s->traits->set(s->traits, buf_cstr(&key), buf_cstr(&text));
    s->recent_slot = (s->recent_slot + 1) % SLOTS;
    buf_reset(&text);
    buf_addf(&text, "%lld %u %u", (long long)s->env->now_ms(s->env), s->recent_slot, SLOTS);
    s->traits->set(s->traits, HEAD, buf_cstr(&text));
}

/* RFC 3339 in UTC, with any number of decimals: "…:03Z" is before "…:03.5Z". */
static int time_order(struct str a, struct str b)
{
    for (size_t i = 0; i < a.n || i < b.n; i++) {
        char x = i < a.n && a.p[i] != 'Z' && a.p[i] != '.' ? a.p[i] : '0',
             y = i < b.n && b.p[i] != 'Z' && b.p[i] != '.' ? b.p[i] : '0';
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

bool people_is_stale(const struct people_recent *r, const json_t *person)
{
    const char *etag = json_string_value(json_object_get(person, "etag"));
    const char *time = json_string_value(json_object_get(people_source(person), "updateTime"));
    if (!etag || strcmp(etag, r->etag) == 0 || !time || !*r->time) return false;
    return time_order(str_of(time), str_of(r->time)) < 0;
}

void people_recent_free(struct session *s)
{
    for (size_t i = 0; i < s->n_recent; i++) {
        free(s->recent[i].name);
        free(s->recent[i].etag);
        free(s->recent[i].time);
    }
    free(s->recent);
}
