#include "connectors/site.h"

#include <criterion/criterion.h>

static const struct {
    const char *entered, *other;
    bool may;
} rows[] = {
    {"https://cloud.example.org/", "https://cloud.example.org/dav/", true},
    {"https://CLOUD.example.org/", "https://cloud.example.org:8443/", true},
    {"https://contacts.icloud.com/", "https://p123-contacts.icloud.com:443/", true},
    {"https://example.org/", "https://dav.example.org/", true},
    {"https://a.co.uk/", "https://evil.co.uk/", false},
    {"https://anna.github.io/", "https://evil.github.io/", false},
    {"https://example.org/", "https://example.org.evil.example/", false},
    {"https://example.org/", "http://example.org/", false},
    {"http://example.org/", "https://example.org/", true},
    {"http://127.0.0.1:5232/", "http://127.0.0.1:80/", true},
    {"http://127.0.0.1/", "http://10.0.0.1/", false},
    {"http://[::1]/", "http://[::2]/", false},
    {"http://localhost/", "http://evil/", false},
};

Test(site, who_may_be_given_a_password)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(site_may_know(str_of(rows[i].entered), str_of(rows[i].other)), rows[i].may, "%s -> %s", rows[i].entered, rows[i].other);
}
