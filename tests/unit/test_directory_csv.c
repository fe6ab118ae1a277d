/* contacts.csv and the form it comes in: one row each. */
#include "mapping/directory_csv.h"
#include "mapping/phone.h"
#include "server/multipart.h"

#include <criterion/criterion.h>
#include <stdio.h>

static enum fault_code read_file(struct str file, struct phonebook *book, struct buf *told)
{
    struct directory_report report = {.warnings = BUF_INIT};
    struct fault f AUTO_FAULT = FAULT_INIT;
    *book = (struct phonebook){.arena = ARENA_INIT, .region = "DE", .key = {{7}}};
    enum fault_code code = directory_csv_read(file, NULL, book, &report, &f);
    if (code) fault_text(&f, told);
    buf_addstr(told, buf_str(&report.warnings));
    buf_free(&report.warnings);
    return code;
}

#define HEAD "internal_id,family_name,given_name,company,phone_work,email,birthday\n"
#define MEIER "1,Meier,Anna,,+4940,a@b.de,"

Test(directory_csv, refuses_with_the_line)
{
    static const struct {
        const char *file, *told;
    } rows[] = {
        {"", "line 1: the file is empty"},
        {"\n\n", "the file is empty"},
        {"family_name\nx\n", "line 1: the column given_name is missing"},
        {"given_name\nx\n", "line 1: the column family_name is missing"},
        {"family_name,given_name,Family_Name\n", "the column family_name is there twice"},
        {"family_name,given_name,mail,email\n", "the column"},
        {"family_name,given_name\n,\n , \n,\"\"\nx\xd6,\n", "no UTF-8, from byte"},
        {"family_name,given_name,phone_work\n,,+49\n", "no row has a name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct phonebook book;
        struct buf told AUTO_BUF = BUF_INIT;
        cr_expect_eq(read_file(str_of(rows[i].file), &book, &told), FAULT_UNREADABLE, "row %zu", i);
        cr_expect(strstr(buf_cstr(&told), rows[i].told), "row %zu: %s", i, buf_cstr(&told));
        phonebook_free(&book);
    }
}

Test(directory_csv, takes_what_people_write)
{
    static const struct {
        const char *file, *row; /* of the first contact, as it is written; without its id */
    } rows[] = {
        {HEAD MEIER "1988-02-29\n", "Anna Meier,Meier,Anna,,,,+4940,,,,,,a@b.de,1988-02-29"},
        {HEAD MEIER "29.02.1988\n", "Anna Meier,Meier,Anna,,,,+4940,,,,,,a@b.de,1988-02-29"},
        {HEAD MEIER "soon\n", "Anna Meier,Meier,Anna,,,,+4940,,,,,,a@b.de,"},
        {"\xef\xbb\xbf" HEAD MEIER "\r\n", "Anna Meier,Meier,Anna,,,,+4940,,,,,,a@b.de,"},
        {"sep=;\r\nfamily_name;given_name;e-mail\r\nMeier;Anna;a@b.de\r\n", "Anna Meier,Meier,Anna,,,,,,,,,,a@b.de,"},
        {"FAMILY_NAME | Given_Name\nMeier|Anna\n", "Anna Meier,Meier,Anna,,,,,,,,,,,"},
        {"given_name\tfamily_name\nAnna\tMeier\n", "Anna Meier,Meier,Anna,,,,,,,,,,,"},
        {"family_name,given_name\nMeier\n", "Meier,Meier,,,,,,,,,,,,"},
        {"family_name,given_name\nMeier,Anna,more,and more\n", "Anna Meier,Meier,Anna,,,,,,,,,,,"},
        {"family_name,given_name,favourite\nMeier,Anna,blue\n", "Anna Meier,Meier,Anna,,,,,,,,,,,"},
        {"family_name,given_name,company\n,,Pforte & Co.\n", "Pforte & Co.,,,Pforte & Co.,,,,,,,,,,"},
        {"family_name,given_name\n\"Mei\"\"er\",\"An,na\"\n", "\"An,na Mei\"\"er\",\"Mei\"\"er\",\"An,na\",,,,,,,,,,,"},
        {"family_name,given_name,phone_cell\nM,A,'+491';'+492'\n", "A M,M,A,,,,,,,\"'+491';'+492'\",,,,"},
        {"family_name,given_name,phone_cell\nM,A,\"+491;;+492;\"\n", "A M,M,A,,,,,,,\"'+491';'+492'\",,,,"},
        {"family_name;given_name;phone\nM;A;\"home:+491;CELL:+492;fax: +493 ;x:1;+494\"\n",
         "A M,M,A,,,,,+491,+493,+492,,\"'1';'+494'\",,"},
        /* control characters are no text; a line break becomes a blank */
        {"family_name,given_name\n\"Mei\ner\",\"A\x01\x7f n\tna\"\n", "A n na Mei er,Mei er,A n na,,,,,,,,,,,"},
        /* what a spreadsheet would run, going out and coming back */
        {"family_name,given_name,phone_work\n=1+1,@x,=2\n", "@x =1+1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct phonebook book;
        struct buf told AUTO_BUF = BUF_INIT, out AUTO_BUF = BUF_INIT;
        cr_assert_eq(read_file(str_of(rows[i].file), &book, &told), FAULT_NONE, "row %zu: %s", i, buf_cstr(&told));
        cr_assert_eq(book.n, 1, "row %zu: %zu contacts", i, book.n);
        directory_csv_row(&book.entries[0], &out);
        cr_expect(strstr(buf_cstr(&out), rows[i].row), "row %zu: %s", i, buf_cstr(&out));
        phonebook_free(&book);
    }
}

/* A NUL must not end a cell for one and not for another. */
Test(directory_csv, what_is_written_is_read_as_the_same)
{
    static const struct str files[] = {
        STR("family_name,given_name,company,phone_work,email\n=1+1,@x,'quoted','=2;=3,\"'a\"\n"),
        STR("family_name,given_name,email\nM\0e,\0A,\0\0\0\n"),
        STR("family_name,given_name,email\n\0,x,\"a\0\"\"b\"\n"),
        STR("family_name,given_name\n\"\r\n\ta\", \"=x\"\n"),
        STR("family_name,given_name\n'=a,''=b\n"),
        STR("family_name,given_name,phone_work,phone_home\nA,b,+4900115000017,+39 06 1234567\n"),
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct phonebook one, two;
        struct buf told AUTO_BUF = BUF_INIT, first AUTO_BUF = BUF_INIT, second AUTO_BUF = BUF_INIT;
        cr_assert_eq(read_file(files[i], &one, &told), FAULT_NONE, "row %zu: %s", i, buf_cstr(&told));
        directory_csv_write(&one, &first);
        cr_assert_eq(read_file(buf_str(&first), &two, &told), FAULT_NONE, "row %zu: %s", i, buf_cstr(&told));
        directory_csv_write(&two, &second);
        cr_expect(str_eq(buf_str(&first), buf_str(&second)), "row %zu:\n%s\n%s", i, buf_cstr(&first),
                  buf_cstr(&second));
        cr_assert_eq(one.n, two.n);
        for (size_t k = 0; k < one.n; k++) {
            const struct phonebook_entry *a = &one.entries[k], *b = &two.entries[k];
            cr_expect(str_eq(a->id, b->id) && str_eq(a->display, b->display) && str_eq(a->family, b->family) &&
                          str_eq(a->given, b->given) && str_eq(a->company, b->company) && str_eq(a->email, b->email) &&
                          a->n_numbers == b->n_numbers,
                      "row %zu: stored otherwise\n%s", i, buf_cstr(&first));
        }
        phonebook_free(&one);
        phonebook_free(&two);
    }
}

Test(directory_csv, the_last_row_of_an_id_counts)
{
    struct phonebook book;
    struct buf told AUTO_BUF = BUF_INIT;
    read_file(STR("internal_id,family_name,given_name\n1,A,a\n2,B,b\n1,C,c\n"), &book, &told);
    cr_assert_eq(book.n, 2);
    cr_expect(str_eq(book.entries[0].family, STR("C")) && str_eq(book.entries[1].family, STR("B")));
    cr_expect(strstr(buf_cstr(&told), "line 4: "), "%s", buf_cstr(&told));
    phonebook_free(&book);
}

#define PART "Content-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"
#define OTHER "Content-Disposition: form-data; name=\"other\"\r\n\r\n"
Test(multipart, finds_the_part)
{
    static const struct {
        const char *type, *body;
        enum multipart found;
        const char *content;
    } rows[] = {
        {"multipart/form-data; boundary=B", "--B\r\n" PART "abc\r\n--B--\r\n", MULTIPART_FOUND, "abc"},
        {"Multipart/Form-Data; charset=x; boundary=\"B\"", "--B\r\n" PART "abc\r\n--B--", MULTIPART_FOUND, "abc"},
        {"multipart/form-data; boundary=B", "--B\r\n" OTHER "1\r\n--B\r\n" PART "2\r\n--B--\r\n", MULTIPART_FOUND, "2"},
        {"multipart/form-data; boundary=B", "--B\r\n" PART "1\r\n--B\r\n" PART "2\r\n--B--\r\n", MULTIPART_FOUND, "1"},
        {"multipart/form-data; boundary=B", "preamble\r\n--B\r\n" PART "\r\n--B--\r\n", MULTIPART_FOUND, ""},
        {"multipart/form-data; boundary=B", "--B\r\n" PART "a\r\n-B\r\n--\r\n--B--\r\n", MULTIPART_FOUND,
         "a\r\n-B\r\n--"},
        {"multipart/form-data; boundary=B", "--B\r\n" OTHER "1\r\n--B--\r\n", MULTIPART_NOT_THERE, NULL},
        {"multipart/form-data; boundary=B", "--B--\r\n", MULTIPART_NOT_THERE, NULL},
        {"multipart/form-data; boundary=B", "--B\r\n" PART "abc\r\n--", MULTIPART_BROKEN, NULL},
        {"multipart/form-data; boundary=B", "--B\r\n" PART "abc", MULTIPART_BROKEN, NULL},
        {"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data", MULTIPART_BROKEN, NULL},
        {"multipart/form-data; boundary=B", "", MULTIPART_BROKEN, NULL},
        {"multipart/form-data; boundary=B", "--C\r\n" PART "abc\r\n--C--\r\n", MULTIPART_BROKEN, NULL},
        {"multipart/form-data", "--B\r\n", MULTIPART_NONE, NULL},
        {"multipart/form-data; boundary=", "--\r\n", MULTIPART_NONE, NULL},
        {"multipart/mixed; boundary=B", "--B\r\n" PART "abc\r\n--B--\r\n", MULTIPART_NONE, NULL},
        {"text/csv", "abc", MULTIPART_NONE, NULL},
        {NULL, "abc", MULTIPART_NONE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str out;
        enum multipart found = multipart_part(rows[i].type, str_of(rows[i].body), "file", &out);
        cr_expect_eq(found, rows[i].found, "row %zu: %d", i, (int)found);
        cr_expect(str_eq(out, str_of(rows[i].content)) && !out.p == !rows[i].content, "row %zu: %.*s", i, STR_ARG(out));
    }
}

/* -- names of columns in other languages -- */

Test(directory_csv, takes_columns_by_the_names_people_gave_them)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct directory_csv_options options = {0};
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct phonebook book = {.arena = ARENA_INIT, .region = "DE", .key = {{7}}};
    struct directory_report report = {.warnings = BUF_INIT};
    struct str names = STR("# ours\n\nNachname = family_name\r\n Vor Name=given_name \nHandy = phone_mobile\nMobil = phone_mobile\n");
    cr_assert_eq(directory_csv_aliases(names, &arena, &options, &f), FAULT_NONE);
    cr_assert_eq(options.n_aliases, 4);
    struct str file = STR("NACHNAME;vor name;Handy;Mobil\nMeier;Anna;+49151;+49152\n");
    cr_assert_eq(directory_csv_read(file, &options, &book, &report, &f), FAULT_NONE, "%s", f.what);
    cr_expect_eq(book.n, 1);
    cr_expect(str_eq(book.entries[0].family, STR("Meier")) && str_eq(book.entries[0].given, STR("Anna")));
    cr_expect_eq(book.entries[0].n_numbers, 2, "both columns are mobile numbers");
    phonebook_free(&book);
    cr_expect_eq(directory_csv_aliases(STR("Nachname = family_name\nX = colour\n"), &arena, &options, &f), FAULT_CONFIG);
    cr_expect(strstr(f.what, "line 2") != NULL, "%s", f.what);
    buf_free(&report.warnings);
}

Test(directory_csv, the_german_names_that_come_along_are_columns)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct directory_csv_options options = {0};
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct buf text AUTO_BUF = BUF_INIT;
    FILE *file = fopen("columns.german.ini", "r");
    cr_assert(file != NULL, "run from the top of the tree");
    char piece[512];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) buf_add(&text, piece, n);
    fclose(file);
    cr_expect_eq(directory_csv_aliases(buf_str(&text), &arena, &options, &f), FAULT_NONE, "%s", f.what);
    cr_expect(options.n_aliases > 20);
}

/* The short way of phone_key is the library's: a blank in the number makes it go the long one. */
Test(phone, the_short_way_leads_to_the_same)
{
    static const char *const countries[] = {"+49", "+43", "+41", "+33"};
    unsigned seed = 20261126;
    for (int i = 0; i < 4000; i++) {
        struct buf plain AUTO_BUF = BUF_INIT, spaced AUTO_BUF = BUF_INIT, a AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
        const char *country = countries[i % 4];
        buf_adds(&plain, country);
        buf_addf(&spaced, "%s ", country);
        for (int digits = 3 + i % 13; digits > 0; digits--) {
            seed = seed * 1103515245 + 12345;
            char c = (char)('0' + (seed >> 16) % 10);
            buf_addc(&plain, c);
            buf_addc(&spaced, c);
        }
        phone_key(buf_str(&plain), "DE", &a);
        phone_key(buf_str(&spaced), "DE", &b);
        if (str_starts(buf_str(&a), STR("raw:")) && str_starts(buf_str(&b), STR("raw:"))) continue;
        cr_expect_str_eq(buf_cstr(&a), buf_cstr(&b), "%s", buf_cstr(&plain));
    }
}
