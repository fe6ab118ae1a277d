/* Lists of networks, and days as HTTP writes them: one row each. */
#include "base/date.h"
#include "base/network.h"

#include <criterion/criterion.h>

Test(network, lists_are_read_strictly)
{
    static const struct {
        const char *list;
        bool ok;
    } rows[] = {{"10.0.0.0/8", true},
                {"10.0.0.1", true},
                {"fd00::/8, ::1", true},
                {" 10.0.0.0/8 ,192.168.1.1", true},
                {"0.0.0.0/0", true},
                {"10.0.0.0/33", false},
                {"10.0.0/8", false},
                {"10.0.0.0/-1", false},
                {"fd00::/129", false},
                {"", false},
                {"10.0.0.0/8,", false},
                {"10.0.0.0/8 fd00::/8", false},
                {"host", false},
                {"10.0.0.0/", false},
                {"::ffff:1.2.3.4/120", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(network_list_ok(str_of(rows[i].list)), rows[i].ok, "%s", rows[i].list);
}

Test(network, knows_who_is_in)
{
    static const struct {
        const char *list, *address;
        bool in;
    } rows[] = {{"10.0.0.0/8", "10.255.0.1", true},
                {"10.0.0.0/8", "11.0.0.1", false},
                {"192.168.1.128/25", "192.168.1.127", false},
                {"192.168.1.128/25", "192.168.1.200", true},
                {"10.0.0.1", "10.0.0.1", true},
                {"10.0.0.1", "10.0.0.2", false},
                {"fd00::/8", "fd12::1", true},
                {"fd00::/8", "fe80::1", false},
                {"10.0.0.0/8", "::ffff:10.1.1.1", true},
                {"0.0.0.0/0", "::1", false},
                {"203.0.113.0/24, ::1", "::1", true},
                {"10.0.0.0/8", "nonsense", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(network_list_has(str_of(rows[i].list), rows[i].address), rows[i].in, "%s in %s", rows[i].address,
                     rows[i].list);
}

Test(date, http_there_and_back)
{
    char text[DATE_HTTP_BYTES];
    int64_t seconds = 0;
    date_to_http(784111777, text);
    cr_expect_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    cr_expect(date_of_http(str_of(text), &seconds));
    cr_expect_eq(seconds, 784111777);
    static const char *const none[] = {"",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994",
                                       "Sun, 06 Nov 1994 08:49:37 CET",
                                       "Sun, 36 Nov 1994 08:49:37 GMT",
                                       "Sun, 06 Nov 1994 08:49:3x GMT",
                                       "Sun, 06 nov 1994 08:49:37 GMT"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_expect_not(date_of_http(str_of(none[i]), &seconds), "%s", none[i]);
}
