/* CSV as programs and people write it. */
#include "base/csv.h"

#include "base/buf.h"

#include <criterion/criterion.h>

Test(csv, rows_and_cells)
{
    static const struct {
        const char *what, *text, *wanted; /* cells in [], rows end with the line they began on */
    } rows[] = {
        {"nothing", "", ""},
        {"plain", "a,b\n1,2\n", "[a][b]1 [1][2]2 "},
        {"no last line end", "a,b\r\n1,2", "[a][b]1 [1][2]2 "},
        {"lone CR", "a\rb\r", "[a]1 [b]1 "},
        {"semicolons", "a;b,c;d\n1;2,3;4\n", "[a][b,c][d]1 [1][2,3][4]2 "},
        {"tabs", "a\tb\n1,2\t3\n", "[a][b]1 [1,2][3]2 "},
        {"a quoted delimiter does not count", "\"x;y;z\",b\n1,2\n", "[x;y;z][b]1 [1][2]2 "},
        {"quotes, line breaks", "a,b\n\"1\"\"x\n2\",3\n4,5\n", "[a][b]1 [1\"x\n2][3]2 [4][5]4 "},
        {"a quote in the middle is one", "a,b\n1\"2,3\n", "[a][b]1 [1\"2][3]2 "},
        {"a quote that never ends", "a,b\n\"1,2\n3", "[a][b]1 [1,2\n3]2 "},
        {"empty rows and cells", "a,b,\n\n,,\n , \n1,\n", "[a][b][]1 [1][]5 "},
        {"byte order mark", "\xef\xbb\xbf" "a,b\n", "[a][b]1 "},
        {"one column", "a\n1\n", "[a]1 [1]2 "},
        {"many columns", "1,2,3,4,5,6,7,8,9\n", "[1][2][3][4][5][6][7][8][9]1 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct buf got AUTO_BUF = BUF_INIT;
        struct csv c;
        struct str *cells;
        size_t n;
        csv_begin(&c, str_of(rows[i].text));
        while (csv_next(&c, &arena, &cells, &n)) {
            for (size_t k = 0; k < n; k++) buf_addf(&got, "[%.*s]", STR_ARG(cells[k]));
            buf_addf(&got, "%zu ", c.line);
        }
        cr_expect_str_eq(buf_cstr(&got), rows[i].wanted, "%s: %s", rows[i].what, buf_cstr(&got));
    }
}
