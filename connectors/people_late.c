/* Creates that were given up and arrived after all (4). A create whose answer was lost is looked for; found nowhere
 * when Google's delay was over, it counts as never arrived, and its contact is created again. Should it show up later,
 * there are two. The one the journal does not know is kept from the engine as long as it says the same as the other,
 * and taken away by the next run that may write; one that a person has edited meanwhile is a contact of its own. */
#include "base/mem.h"
#include "connectors/people_session.h"

#include <stdlib.h>

#define GIVEN_UP "given-up" /* trait: operation ids, newest last */
#define DOUBLES "doubles"   /* trait: "people/c1=people/c2 ...": the first says the same as the second */
#define GIVEN_UP_MAX 100

/* -- traits that are lists of words -- */

static bool has_word(struct str list, struct str word)
{
    while (list.n)
        if (str_eq(str_split(&list, ' '), word)) return true;
    return false;
}

static void add_word(struct session *s, const char *trait, struct str word, size_t most)
{
    char *text AUTO_FREE = s->traits->get(s->traits, trait);
    struct str list = str_of(text);
    struct buf out AUTO_BUF = BUF_INIT;
    size_t n = 1;
    if (has_word(list, word)) return;
    for (struct str rest = list; rest.n; n++) str_split(&rest, ' ');
    for (; n > most && list.n; n--) str_split(&list, ' ');
    buf_addf(&out, "%.*s%s%.*s", STR_ARG(list), list.n ? " " : "", STR_ARG(word));
    s->traits->set(s->traits, trait, buf_cstr(&out));
}

void people_give_up(struct session *s, struct str operation)
{
    add_word(s, GIVEN_UP, operation, GIVEN_UP_MAX);
    free(s->given_up);
    s->given_up = s->traits->get(s->traits, GIVEN_UP);
    s->given_up_known = true;
}

/* -- noticing -- */

bool people_is_late(struct session *s, const json_t *person)
{
    const char *operation = people_client_data(person, PEOPLE_KEY_OPERATION);
    if (!operation) return false;
    if (!s->given_up_known) s->given_up = s->traits->get(s->traits, GIVEN_UP);
    s->given_up_known = true;
    if (!has_word(str_of(s->given_up), str_of(operation))) return false;
    s->late = mem_realloc(s->late, (s->n_late + 1) * sizeof *s->late);
    s->late[s->n_late++] = (struct people_late){json_incref((json_t *)person), NULL};
    return true;
}

static const char *name_of(const json_t *person)
{
    return json_string_value(json_object_get(person, "resourceName"));
}

void people_look_for_twin(struct session *s, const json_t *person)
{
    struct str uid = people_uid(person);
    for (size_t i = 0; uid.n && i < s->n_late; i++) {
        struct people_late *l = &s->late[i];
        if (l->twin || !str_eq(people_uid(l->person), uid) || strcmp(name_of(l->person), name_of(person)) == 0)
            continue;
        l->twin = json_incref((json_t *)person);
    }
}

/* -- the same? -- */

static enum fault_code card_of(struct session *s, const json_t *person, struct buf *out, struct fault *f)
{
    struct buf picture AUTO_BUF = BUF_INIT;
    enum fault_code code = people_know_groups(s, person, f);
    if (!code) code = people_picture(s, person, &picture, f);
    if (!code) people_card(person, &s->groups, buf_str(&picture), out);
    return code;
}

static enum fault_code are_same(struct session *s, const json_t *a, const json_t *b, bool *same, struct fault *f)
{
    struct buf card_a AUTO_BUF = BUF_INIT, card_b AUTO_BUF = BUF_INIT;
    enum fault_code code = card_of(s, a, &card_a, f);
    if (!code) code = card_of(s, b, &card_b, f);
    *same = !code && str_eq(buf_str(&card_a), buf_str(&card_b));
    return code;
}

/* -- after a listing: told to the engine, or kept from it -- */

static enum fault_code settle(struct session *s, const struct people_late *l, const struct people_reader *tell,
                              struct fault *f)
{
    struct buf pair AUTO_BUF = BUF_INIT;
    bool same = false;
    enum fault_code code = l->twin ? are_same(s, l->person, l->twin, &same, f) : FAULT_NONE;
    if (code) return code;
    if (!same) return tell->fn(tell->ctx, str_of(name_of(l->person)), l->person, f);
    buf_addf(&pair, "%s=%s", name_of(l->person), name_of(l->twin));
    add_word(s, DOUBLES, buf_str(&pair), SIZE_MAX);
    return FAULT_NONE;
}

void people_late_free(struct session *s)
{
    for (size_t i = 0; i < s->n_late; i++) {
        json_decref(s->late[i].person);
        json_decref(s->late[i].twin);
    }
    free(s->late);
    s->late = NULL;
    s->n_late = 0;
}

enum fault_code people_late_settle(struct session *s, const struct people_reader *tell, struct fault *f)
{
    enum fault_code code = s->n_late ? people_look_at_all(s, f) : FAULT_NONE;
    for (size_t i = 0; !code && i < s->n_late; i++) code = settle(s, &s->late[i], tell, f);
    people_late_free(s);
    return code;
}

/* -- taking them away -- */

struct pair {
    struct str names[2];
    json_t *persons[2];
};

static enum fault_code note(void *ctx, struct str asked, const json_t *person, struct fault *f)
{
    struct pair *p = ctx;
    (void)f;
    for (int i = 0; i < 2; i++)
        if (str_eq(p->names[i], asked) && !p->persons[i]) p->persons[i] = json_incref((json_t *)person);
    return FAULT_NONE;
}

static enum fault_code take_away(struct session *s, const char *name, struct fault *f)
{
    struct buf path AUTO_BUF = BUF_INIT;
    size_t first = s->n_recent;
    buf_addf(&path, "%s:deleteContact", name);
    struct people_call c AUTO_CALL = {.method = "DELETE", .path = buf_cstr(&path), .write = true};
    enum fault_code code = people_do(s, &c, f);
    if (code == FAULT_GONE) fault_clear(f);
    if (code && code != FAULT_GONE) return code;
    people_recent_add(s, RECENT_DELETED, name, NULL);
    people_recent_keep(s, first);
    return FAULT_NONE;
}

/* As they are now: who edited one of them, or took one away, has made up his mind. */
static enum fault_code tidy_pair(struct session *s, struct str word, struct fault *f)
{
    struct pair p = {.names = {str_split(&word, '='), word}};
    const struct people_reader reader = {&p, note};
    bool same = false;
    enum fault_code code = people_read(s, p.names, 2, &reader, f);
    if (!code && p.persons[0] && p.persons[1]) code = are_same(s, p.persons[0], p.persons[1], &same, f);
    if (!code && same) code = take_away(s, name_of(p.persons[0]), f);
    json_decref(p.persons[0]);
    json_decref(p.persons[1]);
    return code;
}

enum fault_code people_tidy(struct session *s, struct fault *f)
{
    char *text AUTO_FREE = s->traits->get(s->traits, DOUBLES);
    struct str rest = str_of(text);
    enum fault_code code = FAULT_NONE;
    if (!rest.n) return FAULT_NONE;
    while (!code && rest.n) code = tidy_pair(s, str_split(&rest, ' '), f);
    if (!code) s->traits->set(s->traits, DOUBLES, NULL);
    return code;
}
