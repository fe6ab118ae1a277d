/* A contact as a person of FE2's list (protocols: fe2 2, 7): one JSON object, always with the same keys in the same
 * order, so that the same contact gives the same bytes. Pure; used by connectors/fe2.c. */
#ifndef ABGLEICH_FE2_H
#define ABGLEICH_FE2_H

#include "mapping/record.h"

/* Versions of FE2 as numbers: 2.29 is 229. */
#define FE2_VERSION(major, minor) ((major)*100 + (minor))
#define FE2_SYNC_SINCE FE2_VERSION(2, 24)
#define FE2_MODES_SINCE FE2_VERSION(2, 29)
#define FE2_DELETE_SINCE FE2_VERSION(2, 36)

enum fe2_table { FE2_FUNCTIONS, FE2_GROUPS, FE2_ALARM, FE2_TABLES };
struct fe2_rule { /* who has the category gets the names (with commas) in that list */
    enum fe2_table table;
    const char *category, *names;
};
struct fe2_rules {
    const char *region; /* for phone numbers */
    int version;
    bool pager_from_email, send_note;
    const struct fe2_rule *rules;
    size_t n_rules;
};

struct fe2_person {
    struct str title, body; /* body: the object */
    struct str who;         /* folded name, line break, mail address */
    bool in_groups, has_pager;
    char *warning; /* sentences, or NULL; owned by the caller */
    bool stops;    /* it would be paged by nothing */
};
/* FAULT_REFUSED: a contact without any name. before: the object in the last accepted list, {NULL,0} = none; it decides
 * the pager mode, which nobody can change later. Strings in the arena. */
enum fault_code fe2_person(const struct fe2_rules *rules, const struct record *r, struct str id, struct str before,
                           struct arena *arena, struct fe2_person *out, struct fault *f);
/* What `now` lacks of `before`: alarm groups, the pager address; a sentence for people, or nothing. */
void fe2_lost(struct str before, struct str now, struct buf *out);
/* "00" and the digits of E.164; false for what is no number FE2 takes (fe2 2.2). */
bool fe2_phone(struct str number, const char *region, struct buf *out);
/* "2.29" -> 229; false for anything else. */
bool fe2_version_parse(struct str text, int *out);
/* The table, row by row, for the manual and its test; NULL at the end. *from: msgid. */
const char *fe2_field_at(size_t i, const char **from);

#endif
