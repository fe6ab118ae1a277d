/* Any bytes as a phonebook, and as the address it is asked for: whatever a writer makes of it parses strictly and is what the family's page
 * says (tests/fixtures/phonebooks/phonebooks.rng); what its sheet leaves out is told; the same question has the same answer.
 *
 * First byte: the address, or 255 for the first line as one. Second: the settings. Then lines: family, given, company, mail, numbers. */
#include "tests/phonebook_ask.h"

#include <stdint.h>

static void must(bool holds, const char *what, const char *address, struct str document)
{
    if (holds) return;
    fprintf(stderr, "broken: %s\n%s\n%.*s\n", what, address, STR_ARG(document));
    abort();
}

static struct phonebook book_of(struct str rest)
{
    struct phonebook p = ask_book();
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    while (rest.n && p.n < 60) {
        struct phonebook_number list[16];
        struct str id = str_of(arena_printf(&scratch, "%zu", p.n + 1));
        struct phonebook_entry e = {.id = id, .numbers = list};
        struct str *const parts[] = {&e.family, &e.given, &e.company, &e.email};
        for (size_t i = 0; i < 4; i++) *parts[i] = str_split(&rest, '\n');
        struct str numbers = str_split(&rest, '\n');
        for (size_t i = 0; numbers.n && i < 16; i++)
            list[e.n_numbers++] = (struct phonebook_number){.text = str_split(&numbers, ';'), .kind = (uint8_t)(i % PHONE_KINDS)};
        e.display = e.family.n ? e.family : e.company.n ? e.company : STR("?");
        phonebook_add_entry(&p, &e);
    }
    phonebook_sort(&p);
    return p;
}

struct count {
    size_t told, numbers;
};

static void tell(void *ctx, const struct loss *l)
{
    struct count *c = ctx;
    must(loss_word(l->kind) != NULL && l->entry != NULL, "a loss of nothing", l->form->name, STR(""));
    c->told += l->number != NULL && l->kind != LOSS_PHONE_FULL;
}

/* Every number is in the sheet or told. */
static void check_sheet(const struct phonebook *p, const struct form_settings *s, enum phone_form_id form)
{
    struct count c = {0, 0};
    for (size_t i = 0; i < p->n; i++) c.numbers += p->entries[i].n_numbers;
    struct sheet sheet AUTO_SHEET = sheet_of(p, form, s, NULL, NULL, tell, &c);
    must(sheet.numbers + c.told == c.numbers, "a number lost without a word", sheet.form->name, STR(""));
    for (size_t i = 0; i < sheet.n; i++)
        must(sheet.lines[i].name.n || sheet.lines[i].family.n || sheet.lines[i].given.n, "a line without a name", sheet.form->name, STR(""));
}

static void check_document(const struct phonebook *p, const struct form_settings *s, const char *address)
{
    struct buf one AUTO_BUF = BUF_INIT, two AUTO_BUF = BUF_INIT;
    char root[40] = "";
    if (!ask_for(p, s, address, &one)) return;
    const char *fault = ask_fault(address, buf_str(&one), root);
    must(!fault, fault, address, buf_str(&one));
    ask_for(p, s, address, &two);
    must(str_eq(buf_str(&one), buf_str(&two)), "two answers to one question", address, buf_str(&one));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct str rest = {(const char *)data + 2, size - 2};
    struct buf address AUTO_BUF = BUF_INIT;
    uint8_t bits = data[1];
    struct form_settings s = {.title = "Firma <&>", .region = "DE", .fax = bits & 1, .company = bits & 2, .line = bits & 4 ? "0" : NULL};
    /* Seldom: opening ICU's rules takes longer than all the rest. */
    s.letters = (bits & 28) == 28 ? LETTERS_ASCII : (bits & 28) == 12 ? LETTERS_LATIN1 : LETTERS_ALL;
    s.form_is_set = bits & 32;
    s.form = (enum number_form)((bits >> 6) + 1);
    if (data[0] == 255)
        buf_addstr(&address, str_split(&rest, '\n'));
    else
        buf_adds(&address, ask_addresses[data[0] % ASK_ADDRESSES]);
    struct phonebook p = book_of(rest);
    check_sheet(&p, &s, (enum phone_form_id)((data[0] + bits) % PHONE_FORMS));
    check_document(&p, &s, buf_cstr(&address));
    phonebook_free(&p);
    return 0;
}
