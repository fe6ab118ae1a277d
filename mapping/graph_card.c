/* A contact of Microsoft Graph as a vCard 3.0, which every program reads. The same contact gives the same bytes. */
#include "mapping/graph_table.h"
#include "mapping/vcard_values.h"

#include <stdio.h>

struct writing {
    struct buf *out;
    struct arena arena;
    const json_t *contact;
    bool carry;
};

static struct str text_of(const struct writing *w, const char *member)
{
    return json_member(w->contact, member);
}

/* -- names -- */

static const char *const name_members[] = {"title", "givenName", "middleName", "surname", "generation"};

/* What Outlook shows; for want of that, what the parts or the company say. */
static void put_shown_name(struct writing *w)
{
    struct buf shown AUTO_BUF = BUF_INIT;
    buf_addstr(&shown, text_of(w, "displayName"));
    bool told = str_trim(buf_str(&shown)).n > 0;
    for (size_t i = 0; !told && i < sizeof name_members / sizeof *name_members; i++) {
        struct str part = text_of(w, name_members[i]);
        if (part.n && shown.len) buf_addc(&shown, ' ');
        buf_addstr(&shown, part);
    }
    if (!shown.len) buf_addstr(&shown, text_of(w, "companyName"));
    if (shown.len)
        card_text(&w->arena, w->out, "FN", buf_str(&shown));
    else
        buf_adds(w->out, "FN:\r\n");
}

static void put_name(struct writing *w)
{
    struct buf line AUTO_BUF = BUF_INIT;
    buf_adds(&line, "N:");
    for (size_t i = 0; i < 5; i++) { /* the first five rows are the parts of N in their order */
        if (i) buf_addc(&line, ';');
        vcard_escape(&line, text_of(w, graph_rows[i].member), VCARD_30);
    }
    card_line(&w->arena, w->out, buf_str(&line));
}

static bool ends_word(char c)
{
    return (unsigned char)c <= ' ' || strchr(",;()", c);
}

static struct str next_word(struct str *rest)
{
    while (rest->n && ends_word(rest->p[0])) rest->p++, rest->n--;
    struct str word = {rest->p, 0};
    while (word.n < rest->n && !ends_word(rest->p[word.n])) word.n++;
    if (word.n) rest->p += word.n, rest->n -= word.n;
    return word;
}

static bool holds_word(struct str text, struct str word)
{
    for (struct str w = next_word(&text); w.n; w = next_word(&text))
        if (str_eq_nocase(w, word)) return true;
    return false;
}

/* Outlook files a contact under its names or its company ("Meier, Anna", "Anna Meier (Feuerwehr)") unless somebody
 * chose otherwise. What it built itself is no value of the contact's. */
static bool is_built(const struct writing *w, struct str filed)
{
    static const char *const more[] = {"displayName", "companyName", "nickName"};
    for (struct str word = next_word(&filed); word.n; word = next_word(&filed)) {
        bool known = false;
        for (size_t i = 0; i < 5 && !known; i++) known = holds_word(text_of(w, name_members[i]), word);
        for (size_t i = 0; i < 3 && !known; i++) known = holds_word(text_of(w, more[i]), word);
        const json_t *mails = json_object_get(w->contact, "emailAddresses");
        for (size_t i = 0; i < json_array_size(mails) && !known; i++)
            known = str_eq_nocase(json_member(json_array_get(mails, i), "address"), word);
        if (!known) return false;
    }
    return true;
}

/* -- fields -- */

static void begin_typed(struct buf *line, const struct graph_row *row)
{
    buf_adds(line, row->property);
    if (row->words && *row->words) buf_addf(line, ";TYPE=%s", row->words);
}

static void put_typed(struct writing *w, const struct graph_row *row, struct str value)
{
    struct buf line AUTO_BUF = BUF_INIT;
    if (!value.n) return;
    begin_typed(&line, row);
    if (row->kind == GRAPH_PERSON) buf_adds(&line, ";VALUE=text");
    buf_addc(&line, ':');
    if (row->kind == GRAPH_URL)
        card_add_uri(&line, value);
    else
        vcard_escape(&line, value, VCARD_30);
    card_line(&w->arena, w->out, buf_str(&line));
}

static void put_address(struct writing *w, const struct graph_row *row)
{
    const json_t *place = json_object_get(w->contact, row->member);
    struct buf line AUTO_BUF = BUF_INIT;
    bool any = false;
    for (size_t i = 0; i < 5; i++) any |= json_member(place, graph_place_members[i]).n > 0;
    if (!any) return;
    begin_typed(&line, row);
    buf_adds(&line, ":;");
    for (size_t i = 0; i < 5; i++) {
        buf_addc(&line, ';');
        vcard_escape(&line, json_member(place, graph_place_members[i]), VCARD_30);
    }
    card_line(&w->arena, w->out, buf_str(&line));
}

static void put_company(struct writing *w, const struct graph_row *row)
{
    struct str name = text_of(w, row->member), department = text_of(w, "department");
    struct buf line AUTO_BUF = BUF_INIT;
    if (!name.n && !department.n) return;
    buf_addf(&line, "%s:", row->property);
    vcard_escape(&line, name, VCARD_30);
    if (department.n) buf_addc(&line, ';');
    vcard_escape(&line, department, VCARD_30);
    card_line(&w->arena, w->out, buf_str(&line));
}

/* A messenger's name: an address of SIP, else as Apple writes one of an unknown service ("live:anna" is a name of Skype's). */
static void put_handle(struct writing *w, const struct graph_row *row, struct str value)
{
    struct buf line AUTO_BUF = BUF_INIT;
    if (!value.n) return;
    char *clean = arena_strdup(&w->arena, value); /* as card_line would make it: what it begins with decides here */
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)clean[i] < ' ') clean[i] = ' ';
    value = str_trim((struct str){clean, value.n});
    if (!value.n) return;
    bool sip = str_starts_nocase(value, STR("sip:")) || str_starts_nocase(value, STR("sips:"));
    buf_addf(&line, "%s:%s", row->property, sip ? "" : "x-apple:");
    card_add_uri(&line, value);
    card_line(&w->arena, w->out, buf_str(&line));
}

static void put_day(struct writing *w, const struct graph_row *row)
{
    char day[GRAPH_DAY_BYTES] = "";
    struct str local = w->carry && row->field == FIELD_BDAY ? graph_tag(w->contact, GRAPH_LOCAL_BIRTHDAY) : STR_NONE;
    if (local.n >= 10) graph_day((struct str){local.p, 10}, day);
    if (!*day) graph_day(row->form == FORM_TAG ? graph_tag(w->contact, row->member) : text_of(w, row->member), day);
    if (!*day) return;
    struct buf line AUTO_BUF = BUF_INIT;
    bool no_year = strncmp(day, "1604-", 5) == 0; /* vcard 6 */
    buf_addf(&line, "%s%s:%s", row->property, no_year ? ";X-APPLE-OMIT-YEAR=1604" : "", day);
    card_line(&w->arena, w->out, buf_str(&line));
}

static void put_categories(struct writing *w, const json_t *list)
{
    struct buf line AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        struct str name = {json_string_value(entry), json_string_length(entry)};
        if (!name.n) continue;
        buf_adds(&line, line.len ? "," : "CATEGORIES:");
        vcard_escape(&line, name, VCARD_30);
    }
    if (line.len) card_line(&w->arena, w->out, buf_str(&line));
}

static void put_value(struct writing *w, const struct graph_row *row, struct str value)
{
    if (row->kind == GRAPH_HANDLE)
        put_handle(w, row, value);
    else if (row->words)
        put_typed(w, row, value);
    else
        card_text(&w->arena, w->out, row->property, value);
}

static void put_values(struct writing *w, const struct graph_row *row)
{
    const json_t *list = json_object_get(w->contact, row->member);
    if (row->form == FORM_ONE) put_value(w, row, text_of(w, row->member));
    if (row->form == FORM_TAG) put_value(w, row, graph_tag(w->contact, row->member));
    for (size_t i = 0; row->form == FORM_LIST && i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        put_value(w, row, (struct str){json_string_value(entry), json_string_length(entry)});
    }
    for (size_t i = 0; row->form == FORM_MAILS && i < json_array_size(list); i++) {
        struct str address = json_member(json_array_get(list, i), "address");
        if (graph_is_mail_address(address)) put_value(w, row, address);
    }
}

static void put_row(struct writing *w, const struct graph_row *row)
{
    if (row->form == FORM_TAG && !w->carry) return;
    switch ((enum graph_kind)row->kind) {
    case GRAPH_ADDRESS:
        put_address(w, row);
        break;
    case GRAPH_COMPANY:
        put_company(w, row);
        break;
    case GRAPH_DAY:
        put_day(w, row);
        break;
    case GRAPH_CATEGORY:
        put_categories(w, json_object_get(w->contact, row->member));
        break;
    case GRAPH_SORT:
        if (!is_built(w, text_of(w, row->member))) card_text(&w->arena, w->out, row->property, text_of(w, row->member));
        break;
    case GRAPH_TEXT:
    case GRAPH_OWN:
    case GRAPH_EMAIL:
    case GRAPH_PHONE:
    case GRAPH_HANDLE:
    case GRAPH_URL:
    case GRAPH_PERSON:
        put_values(w, row);
        break;
    case GRAPH_NAME:
    case GRAPH_FN:
    case GRAPH_PHOTO:
        break;
    }
}

void graph_card(const json_t *contact, bool carry, struct str photo, struct buf *out)
{
    struct writing w = {.out = out, .arena = ARENA_INIT, .contact = contact, .carry = carry};
    buf_adds(out, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    card_text(&w.arena, out, "UID", text_of(&w, "id"));
    put_shown_name(&w);
    put_name(&w);
    for (size_t i = 0; i < graph_rows_n; i++) put_row(&w, &graph_rows[i]);
    card_photo(&w.arena, out, photo);
    buf_adds(out, "END:VCARD\r\n");
    arena_free(&w.arena);
}
