/* Random books with hostile names and numbers: every document of every family parses strictly and is what its page says; each number of each
 * contact is in a form's document or told by its losses, never neither; Gigaset's pages are the whole list once, in order, for any count and
 * limit, in both directions. */
#include "tests/phonebook_ask.h"

#include "base/mem.h"

#include <criterion/criterion.h>

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t n)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(d->state >> 33) % n;
}

/* -- hostile books -- */

static const struct str pieces[] = {
    STR("Özdemir"),  STR("<b>&amp;\"'"), STR("]]>"),         STR("&#0;&lt;"),          STR("<!-- "),         STR("\0"),
    STR("\x01\x1b"), STR("\x7f"),        STR("\xc2\x85"),    STR("\xe2\x80\xae"),      STR("עברית"),         STR("\xed\xa0\x80"),
    STR("\xff\xfe"), STR("\xc3"),        STR("\xf0\x9f\x98"), STR("\xef\xbf\xbf"),     STR("\xef\xbb\xbf"),  STR("\r\n"),
    STR("\t"),       STR("  "),          STR("\xe2\x80\xa8"), STR("e\xcc\x81\xcc\x82"), STR("😀"),            STR("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"),
    STR("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"), STR(","), STR("%s%n"), STR("Жанна"), STR("漢字"), STR("\xcc\x81"), STR("A"), STR("-"),
};

static struct str hostile(struct dice *d, struct arena *arena)
{
    struct buf out AUTO_BUF = BUF_INIT;
    uint32_t n = roll(d, 40) ? roll(d, 6) : 10000 / 4;
    for (uint32_t i = 0; i < n; i++) buf_addstr(&out, pieces[roll(d, sizeof pieces / sizeof *pieces)]);
    return arena_str(arena, buf_str(&out));
}

static const char *number_of(struct dice *d, struct arena *arena, uint32_t unique)
{
    switch (roll(d, 12)) {
    case 0: return arena_printf(arena, "0800 PIZZA%u", unique);
    case 1: return arena_printf(arena, "**6%04u", unique);
    case 2: return arena_printf(arena, "sip:a%u@b.example", unique);
    case 3: return arena_printf(arena, "1234567890123456789012%04u", unique);
    case 4: return arena_printf(arena, "123456789012345678901234567890%04u", unique);
    case 5: return arena_printf(arena, "7%04u", unique);
    case 6: return "";
    case 7: return arena_printf(arena, "+33 1 2345%04u", unique);
    case 8: return arena_printf(arena, "040 (0) <%u>", unique);
    default: return arena_printf(arena, "+49 (0) 40 / 3%04u-0", unique);
    }
}

static struct phonebook hostile_book(struct dice *d, uint32_t contacts)
{
    struct phonebook p = ask_book();
    struct arena arena AUTO_ARENA = ARENA_INIT;
    uint32_t unique = 0;
    for (uint32_t i = 0; i < contacts; i++) {
        struct phonebook_number list[16];
        struct phonebook_entry e = {.id = str_of(arena_printf(&arena, "%u", i + 1)), .numbers = list};
        if (roll(d, 3)) e.family = hostile(d, &arena);
        if (roll(d, 3)) e.given = hostile(d, &arena);
        if (roll(d, 2)) e.company = hostile(d, &arena);
        if (!roll(d, 3)) e.email = hostile(d, &arena);
        e.display = e.family.n ? e.family : STR("?");
        for (uint32_t k = roll(d, 14); e.n_numbers < k; e.n_numbers++) {
            bool again = e.n_numbers && !roll(d, 6);
            const char *text = again ? list[e.n_numbers - 1].text.p : number_of(d, &arena, unique++);
            list[e.n_numbers] = (struct phonebook_number){.text = str_of(text), .kind = (uint8_t)roll(d, PHONE_KINDS)};
        }
        phonebook_add_entry(&p, &e);
    }
    phonebook_sort(&p);
    return p;
}

static struct form_settings some_settings(struct dice *d)
{
    struct form_settings s = {.title = "Firma <&> \x01", .region = "DE"};
    s.form_is_set = roll(d, 2);
    s.form = (enum number_form)roll(d, NUMBER_PREFIX + 1);
    s.line = roll(d, 4) ? NULL : "0";
    s.fax = roll(d, 2);
    s.company = roll(d, 2);
    s.letters = (enum name_letters)roll(d, 3);
    s.max = roll(d, 4) ? 0 : 1 + roll(d, 20);
    return s;
}

#define SEED 20261126
#define ROUNDS 20

Test(phonebook_property, every_document_is_right)
{
    struct dice d = {SEED};
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = d.state;
        struct phonebook p = hostile_book(&d, 1 + roll(&d, 30));
        struct form_settings s = some_settings(&d);
        for (size_t i = 0; i < ASK_ADDRESSES; i++) {
            struct buf out AUTO_BUF = BUF_INIT;
            char root[40] = "";
            cr_assert(ask_for(&p, &s, ask_addresses[i], &out), "%s", ask_addresses[i]);
            const char *fault = ask_fault(ask_addresses[i], buf_str(&out), root);
            cr_assert(!fault, "seed %llu, %s: %s\n%.3000s", (unsigned long long)seed, ask_addresses[i], fault, buf_cstr(&out));
        }
        phonebook_free(&p);
    }
}

/* -- each number is there, or told -- */

struct told {
    const struct phonebook_number *list[4096];
    enum loss_kind why[4096];
    size_t n;
};

static void tell(void *ctx, const struct loss *l)
{
    struct told *t = ctx;
    if (!l->number) return;
    cr_assert_lt(t->n, 4096);
    t->list[t->n] = l->number;
    t->why[t->n++] = l->kind;
}

static const enum loss_kind *told_of(const struct told *t, const struct phonebook_number *n)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->list[i] == n) return &t->why[i];
    return NULL;
}

/* The whole document, pages one after the other. */
static void whole(const struct phonebook *p, const struct form_settings *s, enum phone_form_id form, struct buf *out)
{
    const char *address = form == FORM_CISCO ? "cisco/v1/directory" : phone_form_of(form)->address;
    bool paged = form == FORM_CISCO || form == FORM_SNOM;
    for (unsigned offset = 0; !offset || paged; offset += 32) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        size_t before = out->len;
        const char *page = paged ? arena_printf(&arena, "%s?limit=32&offset=%u", address, offset) : address;
        cr_assert(ask_for(p, s, page, out), "%s", page);
        struct str added = {out->data + before, out->len - before};
        if (paged && str_find(added, STR("<DirectoryEntry>")) == (size_t)-1) break;
    }
}

static bool stands(const struct buf *document, struct str text)
{
    static const char *const around[][2] = {{">", "<"}, {"\"", "\""}, {",", "\r"}};
    for (size_t i = 0; i < 3; i++) {
        struct buf needle AUTO_BUF = BUF_INIT;
        buf_addf(&needle, "%s%.*s%s", around[i][0], STR_ARG(text), around[i][1]);
        if (str_find(buf_str(document), buf_str(&needle)) != (size_t)-1) return true;
    }
    return false;
}

/* How it must be dialled, worked out without the sheet. */
static void expected(const struct phonebook_number *n, const struct form_settings *s, const struct phone_form *form, struct buf *out)
{
    struct buf made AUTO_BUF = BUF_INIT;
    enum number_form as = s->form_is_set ? s->form : s->line ? NUMBER_PREFIX : form->number;
    number_dial(n, as, s->line, s->region, &made);
    bool plus = made.len && made.data[0] == '+' && strcmp(form->name, "snom-dect") == 0;
    buf_addf(out, "%s%s", plus ? "00" : "", buf_cstr(&made) + plus);
}

Test(phonebook_property, each_number_is_there_or_told)
{
    struct dice d = {SEED + 1};
    size_t there = 0, left_out = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = d.state;
        struct phonebook p = hostile_book(&d, 1 + roll(&d, 60));
        struct form_settings s = some_settings(&d);
        for (int form = 0; form < PHONE_FORMS; form++) {
            struct told *told = mem_calloc(1, sizeof *told);
            struct buf document AUTO_BUF = BUF_INIT;
            struct sheet sheet AUTO_SHEET = sheet_of(&p, (enum phone_form_id)form, &s, NULL, NULL, tell, told);
            whole(&p, &s, (enum phone_form_id)form, &document);
            for (size_t i = 0; i < p.n; i++)
                for (size_t k = 0; k < p.entries[i].n_numbers; k++) {
                    const struct phonebook_number *n = &p.entries[i].numbers[k];
                    struct buf text AUTO_BUF = BUF_INIT;
                    expected(n, &s, phone_form_of((enum phone_form_id)form), &text);
                    const enum loss_kind *why = told_of(told, n);
                    bool stays = !why || *why == LOSS_PHONE_FULL;
                    there += stays;
                    left_out += !stays;
                    cr_assert(!stays || (text.len && stands(&document, buf_str(&text))), "seed %llu, %s: \"%.*s\" (%s) is neither there nor told",
                              (unsigned long long)seed, phone_form_of((enum phone_form_id)form)->name, STR_ARG(n->text), buf_cstr(&text));
                    cr_assert(!why || *why != LOSS_DOUBLE || s.max || stands(&document, buf_str(&text)), "a double without the first");
                }
            free(told);
        }
        phonebook_free(&p);
    }
    cr_assert(there > 1000 && left_out > 1000, "%zu there, %zu left out: the books are too tame", there, left_out);
}

/* The limits of a family hold, and what is beyond them is named number by number. */
Test(phonebook_property, limits_of_entries)
{
    static const struct {
        enum phone_form_id form;
        size_t contacts, entries, over;
        enum loss_kind kind;
    } rows[] = {{FORM_GIGASET_BOOK, 2100, 2000, 100, LOSS_OVER_LIMIT}, {FORM_SNOM_M100, 1100, 1000, 100, LOSS_OVER_LIMIT},
                {FORM_GRANDSTREAM, 1100, 1100, 100, LOSS_PHONE_FULL},  {FORM_SNOM_TBOOK, 2001, 2001, 1, LOSS_PHONE_FULL},
                {FORM_YEALINK, 2100, 2100, 0, LOSS_OVER_LIMIT},        {FORM_GIGASET, 2100, 2100, 0, LOSS_OVER_LIMIT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct phonebook p = ask_book();
        struct told *told = mem_calloc(1, sizeof *told);
        const struct form_settings s = {.title = "x", .region = "DE"};
        for (size_t k = 0; k < rows[i].contacts; k++) {
            char number[32];
            snprintf(number, sizeof number, "work 0403%05zu", k);
            ask_add(&p, "Zu", "Viele", "", number);
        }
        struct sheet sheet AUTO_SHEET = sheet_of(&p, rows[i].form, &s, NULL, NULL, tell, told);
        cr_expect_eq(sheet.n, rows[i].entries, "row %zu: %zu", i, sheet.n);
        cr_expect_eq(told->n, rows[i].over, "row %zu: %zu", i, told->n);
        for (size_t k = 0; k < told->n; k++) cr_expect_eq(told->why[k], rows[i].kind);
        free(told);
        phonebook_free(&p);
    }
}

/* -- Gigaset's pages -- */

static size_t attribute(const struct buf *page, const char *name)
{
    struct buf needle AUTO_BUF = BUF_INIT;
    buf_addf(&needle, " %s=\"", name);
    size_t at = str_find(buf_str(page), buf_str(&needle));
    return at == (size_t)-1 ? 0 : strtoul(page->data + at + needle.len, NULL, 10);
}

static struct str entries_of(const struct buf *page)
{
    size_t at = str_find(buf_str(page), STR("<entry")), end = str_find(buf_str(page), STR("</list>"));
    return at == (size_t)-1 ? STR("") : (struct str){page->data + at, end - at};
}

/* A page that cannot hold one whole line has it in short, so pages are compared without what may be left out. */
static void without_extras(struct str entries, struct buf *out)
{
    while (entries.n) {
        struct str line = str_split(&entries, '\n'), rest = line;
        if (!line.n) continue;
        size_t open = str_find(rest, STR(">")), company = str_find(rest, STR("<cpn>"));
        if (company != (size_t)-1) rest.n = company;
        buf_add(out, rest.p + open, rest.n - open);
        buf_addc(out, '\n');
    }
}

static void walk(const struct phonebook *p, const struct form_settings *s, unsigned count, unsigned limit, bool back, struct buf *all)
{
    size_t at = 0;
    for (int turns = 0; turns < 5000; turns++) {
        struct buf page AUTO_BUF = BUF_INIT, part AUTO_BUF = BUF_INIT;
        struct arena arena AUTO_ARENA = ARENA_INIT;
        const char *position = back ? at ? arena_printf(&arena, "last=%zu", at) : "last=-1" : arena_printf(&arena, "first=%zu", at + 1);
        ask_for(p, s, arena_printf(&arena, "gigaset/v1?command=get%%5flist&type=pb&%s&count=%u&limit=%u&hm=%%2a", position, count, limit), &page);
        size_t first = attribute(&page, "first"), last = attribute(&page, "last"), total = attribute(&page, "total");
        if (!last) return;
        cr_assert(page.len <= (limit < 1024 ? 1024 : limit), "%zu bytes of %u", page.len, limit);
        cr_assert(last - first + 1 <= count && (back || first == at + 1), "%zu-%zu", first, last);
        without_extras(entries_of(&page), &part);
        if (back) {
            struct buf joined AUTO_BUF = BUF_INIT;
            buf_addf(&joined, "%s%s", buf_cstr(&part), buf_cstr(all));
            buf_reset(all);
            buf_addstr(all, buf_str(&joined));
            if (first == 1) return;
            at = first - 1;
        } else {
            buf_addstr(all, buf_str(&part));
            if (last == total) return;
            at = last;
        }
    }
    cr_assert_fail("it never ends");
}

Test(phonebook_property, gigaset_pages_are_the_whole_list_once)
{
    struct dice d = {SEED + 2};
    for (int round = 0; round < 12; round++) {
        uint64_t seed = d.state;
        struct phonebook p = hostile_book(&d, 1 + roll(&d, 40));
        const struct form_settings s = {.title = "x", .region = "DE", .fax = roll(&d, 2)};
        struct buf page AUTO_BUF = BUF_INIT, list AUTO_BUF = BUF_INIT;
        ask_for(&p, &s, "gigaset/v1?command=get_list", &page);
        without_extras(entries_of(&page), &list);
        for (int k = 0; k < 4; k++) {
            unsigned count = 1 + roll(&d, 20), limit = roll(&d, 2) ? 1 + roll(&d, 1500) : 1024 + roll(&d, 8000);
            for (int back = 0; back < 2; back++) {
                struct buf all AUTO_BUF = BUF_INIT;
                walk(&p, &s, count, limit, back, &all);
                cr_assert(str_eq(buf_str(&all), buf_str(&list)), "seed %llu, count %u, limit %u, %s:\n%s\n--\n%s", (unsigned long long)seed, count,
                          limit, back ? "back" : "forth", buf_cstr(&all), buf_cstr(&list));
            }
        }
        phonebook_free(&p);
    }
}
