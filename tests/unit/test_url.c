#include "connectors/url.h"

#include <criterion/criterion.h>

/* RFC 3986 5.4, against http://a/b/c/d;p?q; then what DAV servers do. */
Test(url, references_resolve_as_the_rfc_says)
{
    static const struct {
        const char *reference, *expected;
    } rows[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"HTTPS://Host:443/x", "https://host/x"},
        {"https://p12-contacts.icloud.com:443/1/c/", "https://p12-contacts.icloud.com/1/c/"},
        {"http://u:p@h:8080", "http://h:8080/"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out AUTO_BUF = BUF_INIT;
        cr_expect(url_resolve(STR("http://a/b/c/d;p?q"), str_of(rows[i].reference), &out), "row \"%s\"",
                  rows[i].reference);
        cr_expect_str_eq(buf_cstr(&out), rows[i].expected, "row \"%s\": %s", rows[i].reference, buf_cstr(&out));
    }
}

Test(url, what_is_no_web_address_is_refused)
{
    static const char *const rows[] = {"",      "/path",   "ftp://a/",   "mailto:a@b",
                                       "http:", "http://", "https:///x", "http//a"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url u;
        struct buf out AUTO_BUF = BUF_INIT;
        cr_expect_not(url_parse(str_of(rows[i]), &u), "row \"%s\"", rows[i]);
        cr_expect_not(url_resolve(str_of(rows[i]), STR("/x"), &out), "row \"%s\"", rows[i]);
    }
    struct buf out AUTO_BUF = BUF_INIT;
    cr_expect_not(url_resolve(STR("https://a/"), STR("ftp://b/x"), &out));
    cr_expect_eq(out.len, 0u);
}

Test(url, two_spellings_of_one_href_are_equal)
{
    static const struct {
        const char *path, *expected;
    } rows[] = {
        {"/a%40b%20c+d.vcf", "/a@b%20c%2Bd.vcf"}, /* Radicale and Cyrus of the same card (protocols: carddav 5) */
        {"/a@b%20c%2Bd.vcf", "/a@b%20c%2Bd.vcf"},
        {"/%7euser/%41%2d%5f%2E", "/~user/A-_."},
        {"/M\xc3\xbcller.vcf", "/M%C3%BCller.vcf"},
        {"/M%c3%bcller.vcf", "/M%C3%BCller.vcf"},
        {"/a%2fb/c", "/a%2Fb/c"},
        {"/100%/x%4", "/100%25/x%254"},
        {"/a b", "/a%20b"},
        {"/%3f%23", "/%3F%23"},
        {"/%2540", "/%2540"}, /* encoded twice is another name */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf once AUTO_BUF = BUF_INIT;
        struct buf twice AUTO_BUF = BUF_INIT;
        url_canonical_path(str_of(rows[i].path), &once);
        url_canonical_path(buf_str(&once), &twice);
        cr_expect_str_eq(buf_cstr(&once), rows[i].expected, "row \"%s\": %s", rows[i].path, buf_cstr(&once));
        cr_expect_str_eq(buf_cstr(&twice), buf_cstr(&once), "row \"%s\" twice", rows[i].path);
    }
}

Test(url, origins)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"https://a/x", "https://A:443/y", true},
        {"http://a", "http://a:80/", true},
        {"https://a", "http://a", false},
        {"https://a:8443/", "https://a/", false},
        {"https://a.b/", "https://b/", false},
        {"https://a@b/", "https://b/", true},
        {"https://b@a/", "https://b/", false},
        {"https://[::1]:443/", "https://[::1]/", true},
        {"x", "x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(url_same_origin(str_of(rows[i].a), str_of(rows[i].b)), rows[i].same, "row %s %s", rows[i].a,
                     rows[i].b);
    struct buf out AUTO_BUF = BUF_INIT;
    cr_expect(url_origin(STR("HTTPS://me@Cloud.Example.org:8443/dav?x"), &out));
    cr_expect_str_eq(buf_cstr(&out), "https://cloud.example.org:8443");
}

Test(url, loopback_is_a_number_or_localhost)
{
    static const struct {
        const char *url;
        bool loopback;
    } rows[] = {{"http://127.0.0.1:80/", true},      {"http://127.9.9.9/", true},
                {"http://localhost/", true},         {"http://[::1]:8/", true},
                {"http://127.evil.example/", false}, {"http://127.0.0.1.evil.example/", false},
                {"http://localhost.evil/", false},   {"http://127.0.0.1@evil/", false},
                {"http://10.0.0.1/", false},         {"nothing", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(url_is_loopback(str_of(rows[i].url)), rows[i].loopback, "row %s", rows[i].url);
}

Test(url, href_of_another_origin_stays_whole)
{
    struct buf here AUTO_BUF = BUF_INIT;
    struct buf there AUTO_BUF = BUF_INIT;
    cr_expect(url_href_path(STR("https://a/dav/book/"), STR("https://A:443/dav/book/%41.vcf"), &here));
    cr_expect_str_eq(buf_cstr(&here), "/dav/book/A.vcf");
    cr_expect_not(url_href_path(STR("https://a/dav/book/"), STR("http://internal/dav/book/a.vcf"), &there));
    cr_expect_str_eq(buf_cstr(&there), "http://internal/dav/book/a.vcf");
}
