/* Any bytes as what is posted to a Directory: a form, in it a file. A file that is taken is written as C4 and read
 * again as the same contacts, each cell of the CSV in its row; nothing of it is a formula. */
#include "base/csv.h"
#include "mapping/directory_csv.h"
#include "server/multipart.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool holds, const char *what, struct str first, struct str second)
{
    if (holds) return;
    fprintf(stderr, "broken: %s\n--\n%.*s\n--\n%.*s\n", what, STR_ARG(first), STR_ARG(second));
    abort();
}

static bool reads(struct str file, struct phonebook *book)
{
    struct directory_report report = {.warnings = BUF_INIT};
    struct fault f AUTO_FAULT = FAULT_INIT;
    *book = (struct phonebook){.arena = ARENA_INIT, .region = "DE", .key = {{7}}};
    enum fault_code code = directory_csv_read(file, NULL, book, &report, &f);
    must(!code == !f.code, "a refusal without a sentence, or a sentence without one", file, STR(""));
    must(report.stored == book->n && book->n <= report.rows, "the counts", file, STR(""));
    buf_free(&report.warnings);
    return !code;
}

/* As many cells as columns in each row, and none that a spreadsheet would run. */
static void check_cells(struct str written)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct csv csv;
    struct str *cells;
    size_t n, columns = 0;
    csv_begin(&csv, written);
    while (csv_next(&csv, &arena, &cells, &n)) {
        must(!columns || n == columns, "a row of another width", written, STR(""));
        columns = n;
        for (size_t i = 0; i < n; i++)
            must(!cells[i].n || !strchr("=@\t\r", cells[i].p[0]), "a formula", written, cells[i]);
    }
}

static void check_file(struct str file)
{
    struct phonebook one, two;
    struct buf first AUTO_BUF = BUF_INIT, second AUTO_BUF = BUF_INIT;
    bool taken = reads(file, &one);
    if (taken && one.n) {
        directory_csv_write(&one, &first);
        check_cells(buf_str(&first));
        must(reads(buf_str(&first), &two), "what was written cannot be read", file, buf_str(&first));
        must(two.n == one.n, "a contact more or less", file, buf_str(&first));
        directory_csv_write(&two, &second);
        must(str_eq(buf_str(&first), buf_str(&second)), "push, get, push again differs", buf_str(&first),
             buf_str(&second));
        phonebook_free(&two);
    }
    phonebook_free(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is the content type; without one that fits, all is the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, line = str_split(&rest, '\n'), file;
    struct buf type AUTO_BUF = BUF_INIT;
    buf_addstr(&type, line);
    struct str body = rest.p ? rest : STR("");
    enum multipart found = multipart_part(buf_cstr(&type), body, "file", &file);
    must((found == MULTIPART_FOUND) == (file.p != NULL), "a part that is none", body, file);
    must(!file.p || (file.p >= body.p && file.p + file.n <= body.p + body.n), "beyond the body", body, file);
    check_file(file.p ? file : (struct str){(const char *)data, size});
    return 0;
}
