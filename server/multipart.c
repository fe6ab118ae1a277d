#include "server/multipart.h"

#include "base/buf.h"

/* Finds `needle` in bytes, quickly: most of a file is not the first byte of a boundary. */
static size_t find(struct str bytes, struct str needle)
{
    for (size_t at = 0; at + needle.n <= bytes.n;) {
        const char *p = memchr(bytes.p + at, needle.p[0], bytes.n - at - needle.n + 1);
        if (!p) break;
        at = (size_t)(p - bytes.p);
        if (memcmp(p, needle.p, needle.n) == 0) return at;
        at++;
    }
    return (size_t)-1;
}

/* The value of a parameter: "; name=\"file\"; filename=..." -> file. {NULL,0} = not there. */
static struct str parameter(struct str header, const char *name)
{
    str_split(&header, ';');
    while (header.p) {
        struct str value, key;
        size_t n = 0;
        bool quoted = false;
        while (n < header.n && (quoted || header.p[n] != ';')) {
            if (header.p[n] == '\\' && quoted && n + 1 < header.n)
                n++;
            else if (header.p[n] == '"')
                quoted = !quoted;
            n++;
        }
        value = (struct str){header.p, n};
        header = n < header.n ? (struct str){header.p + n + 1, header.n - n - 1} : STR_NONE;
        key = str_split(&value, '=');
        if (!str_eq_nocase(str_trim(key), str_of(name))) continue;
        value = str_trim(value);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = (struct str){value.p + 1, value.n - 2};
        return value;
    }
    return STR_NONE;
}

/* The name in a part's header lines. */
static struct str name_of(struct str head)
{
    while (head.p) {
        struct str line = str_split(&head, '\n'), key = line;
        struct str word = str_split(&key, ':');
        if (key.p && str_eq_nocase(str_trim(word), STR("Content-Disposition"))) return parameter(str_trim(key), "name");
    }
    return STR_NONE;
}

enum multipart multipart_part(const char *type, struct str body, const char *name, struct str *out)
{
    struct buf line AUTO_BUF = BUF_INIT;
    struct str boundary = type && str_starts_nocase(str_of(type), STR("multipart/form-data"))
                              ? parameter(str_of(type), "boundary")
                              : STR_NONE;
    *out = STR_NONE;
    if (!boundary.n || boundary.n > 70) return MULTIPART_NONE; /* RFC 2046 section 5.1.1 */
    buf_addf(&line, "\r\n--%.*s", STR_ARG(boundary));
    struct str mark = buf_str(&line), first = {mark.p + 2, mark.n - 2};
    size_t at = str_starts(body, first) ? first.n : find(body, mark);
    if (at == (size_t)-1) return MULTIPART_BROKEN;
    if (!str_starts(body, first)) at += mark.n;
    struct str rest = {body.p + at, body.n - at};
    while (!str_starts(rest, STR("--"))) {
        size_t head = find(rest, STR("\r\n\r\n")), end;
        if (head == (size_t)-1) return MULTIPART_BROKEN;
        struct str content = {rest.p + head + 4, rest.n - head - 4};
        end = str_starts(content, first)
                  ? 0
                  : find(content, mark); /* (an empty part, by those who leave its line break out) */
        if (end == (size_t)-1) return MULTIPART_BROKEN;
        if (str_eq(name_of((struct str){rest.p, head}), str_of(name))) {
            *out = (struct str){content.p, end};
            return MULTIPART_FOUND;
        }
        rest = (struct str){content.p + end + (end || !str_starts(content, first) ? mark.n : first.n), 0};
        rest.n = (size_t)(body.p + body.n - rest.p);
    }
    return MULTIPART_NOT_THERE;
}
