#include "connectors/url.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_unreserved(unsigned char c)
{
    return is_alpha((char)c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* pchar of RFC 3986 3.3 beside the unreserved; '+' is left out because some servers take it for a blank. */
static bool is_plain_in_path(unsigned char c)
{
    return is_unreserved(c) || (c && strchr("!$&'()*,;=:@/", c) != NULL);
}

/* Cuts at the first character of `stops`; *rest begins with it. */
static struct str until(struct str *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->n && !(rest->p[n] && strchr(stops, rest->p[n]))) n++;
    struct str head = {rest->p, n};
    *rest = (struct str){rest->p + n, rest->n - n};
    return head;
}

static void parse_authority(struct str authority, struct url *out)
{
    for (size_t i = authority.n; i > 0; i--) {
        if (authority.p[i - 1] != '@') continue;
        out->userinfo = (struct str){authority.p, i - 1};
        authority = (struct str){authority.p + i, authority.n - i};
        break;
    }
    size_t colon = authority.n;
    while (colon > 0 && authority.p[colon - 1] != ':' && authority.p[colon - 1] != ']') colon--;
    bool has_port = colon > 0 && authority.p[colon - 1] == ':';
    out->host = (struct str){authority.p, has_port ? colon - 1 : authority.n};
    out->port = has_port && colon < authority.n ? (struct str){authority.p + colon, authority.n - colon} : STR_NONE;
}

bool url_parse(struct str text, struct url *out)
{
    memset(out, 0, sizeof *out);
    struct str rest = text;
    out->scheme = until(&rest, ":/?#");
    if (!str_eq_nocase(out->scheme, STR("http")) && !str_eq_nocase(out->scheme, STR("https"))) return false;
    if (!str_starts(rest, STR("://"))) return false;
    rest = (struct str){rest.p + 3, rest.n - 3};
    parse_authority(until(&rest, "/?#"), out);
    out->path = until(&rest, "?#");
    if (rest.n && rest.p[0] == '?') {
        rest = (struct str){rest.p + 1, rest.n - 1};
        out->query = until(&rest, "#");
    }
    return out->host.n > 0;
}

static struct str port_of(const struct url *u)
{
    if (u->port.n) return u->port;
    return str_eq_nocase(u->scheme, STR("https")) ? STR("443") : STR("80");
}

bool url_same_origin(struct str a, struct str b)
{
    struct url x, y;
    return url_parse(a, &x) && url_parse(b, &y) && str_eq_nocase(x.scheme, y.scheme) && str_eq_nocase(x.host, y.host) &&
           str_eq(port_of(&x), port_of(&y));
}

static void add_lower(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) buf_addc(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

static void add_origin(const struct url *u, struct buf *out)
{
    bool https = str_eq_nocase(u->scheme, STR("https"));
    add_lower(out, u->scheme);
    buf_adds(out, "://");
    add_lower(out, u->host);
    if (u->port.n && !str_eq(u->port, https ? STR("443") : STR("80"))) {
        buf_addc(out, ':');
        buf_addstr(out, u->port);
    }
}

bool url_origin(struct str url, struct buf *out)
{
    struct url u;
    if (!url_parse(url, &u)) return false;
    add_origin(&u, out);
    return true;
}

bool url_is_loopback(struct str url)
{
    struct url u;
    if (!url_parse(url, &u)) return false;
    bool dotted = u.host.n <= 15;
    for (size_t i = 0; i < u.host.n; i++) dotted &= u.host.p[i] == '.' || (u.host.p[i] >= '0' && u.host.p[i] <= '9');
    return (dotted && str_starts(u.host, STR("127."))) || str_eq_nocase(u.host, STR("localhost")) ||
           str_eq(u.host, STR("[::1]"));
}

/* RFC 3986 5.2.4, on a path that begins with '/'. Appended to out, whose length before is the root. */
static void add_without_dots(struct buf *out, struct str path)
{
    size_t root = out->len;
    while (path.n) {
        size_t n = 1;
        while (n < path.n && path.p[n] != '/') n++;
        struct str segment = {path.p, n};
        path = (struct str){path.p + n, path.n - n};
        bool up = str_eq(segment, STR("/..")), here = str_eq(segment, STR("/."));
        if (up) {
            size_t cut = out->len;
            while (cut > root && out->data[--cut] != '/') {
            }
            buf_truncate(out, cut);
        }
        if (!up && !here)
            buf_addstr(out, segment);
        else if (!path.n)
            buf_addc(out, '/');
    }
    if (out->len == root) buf_addc(out, '/');
}

static struct str path_of_reference(struct str reference, struct str *query)
{
    struct str rest = reference, path = until(&rest, "?#");
    *query = STR_NONE;
    if (rest.n && rest.p[0] == '?') {
        rest = (struct str){rest.p + 1, rest.n - 1};
        *query = until(&rest, "#");
    }
    return path;
}

static void add_merged(struct buf *out, const struct url *base, struct str path)
{
    struct buf merged AUTO_BUF = BUF_INIT;
    size_t folder = base->path.n;
    while (folder > 0 && base->path.p[folder - 1] != '/') folder--;
    if (!path.n)
        buf_addstr(&merged, base->path);
    else {
        buf_add(&merged, base->path.p, folder);
        if (!folder) buf_addc(&merged, '/');
        buf_addstr(&merged, path);
    }
    add_without_dots(out, buf_str(&merged));
}

/* "ftp://host/": no path of ours, and nothing we could ask. */
static bool is_other_scheme(struct str reference)
{
    struct str rest = reference;
    return until(&rest, ":/?#").n > 0 && str_starts(rest, STR("://"));
}

bool url_resolve(struct str base_text, struct str reference, struct buf *out)
{
    struct url base, whole;
    if (!url_parse(base_text, &base)) return false;
    if (url_parse(reference, &whole))
        base = whole;
    else if (str_starts(reference, STR("//"))) {
        struct buf text AUTO_BUF = BUF_INIT;
        buf_addstr(&text, base.scheme);
        buf_addc(&text, ':');
        buf_addstr(&text, reference);
        return url_resolve(buf_str(&text), buf_str(&text), out);
    }
    bool is_whole = whole.host.n > 0, foreign = !is_whole && is_other_scheme(reference);
    if (foreign) return false;
    struct str query, path = is_whole ? base.path : path_of_reference(reference, &query);
    if (is_whole) query = base.query;
    add_origin(&base, out);
    if (is_whole || (path.n && path.p[0] == '/'))
        add_without_dots(out, path.n ? path : STR("/"));
    else {
        if (!path.n && !query.p) query = base.query;
        add_merged(out, &base, path);
    }
    if (query.p) {
        buf_addc(out, '?');
        buf_addstr(out, query);
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void url_encode(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) buf_addf(out, is_unreserved((unsigned char)s.p[i]) ? "%c" : "%%%02X", (unsigned char)s.p[i]);
}

void url_canonical_path(struct str path, struct buf *out)
{
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        bool encoded = c == '%' && i + 2 < path.n && hex_digit(path.p[i + 1]) >= 0 && hex_digit(path.p[i + 2]) >= 0;
        if (encoded) {
            c = (unsigned char)(hex_digit(path.p[i + 1]) * 16 + hex_digit(path.p[i + 2]));
            i += 2;
        }
        if (is_plain_in_path(c) && !(encoded && c == '/'))
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

/* An absolute path that is canonical as it stands, as nearly all are. */
static bool is_canonical(struct str href)
{
    static const char plain[256] = {
        ['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, ['0' ... '9'] = 1, ['-'] = 1, ['_'] = 1, ['~'] = 1, ['!'] = 1, ['$'] = 1, ['&'] = 1,
        ['\''] = 1,       ['('] = 1,         [')'] = 1,         ['*'] = 1, [','] = 1, ['='] = 1, [':'] = 1, ['@'] = 1, ['/'] = 1, ['.'] = 1,
    };
    if (!href.n || href.p[0] != '/') return false;
    for (size_t i = 0; i < href.n; i++) {
        if (!plain[(unsigned char)href.p[i]]) return false;
        bool after_slash = i && href.p[i - 1] == '/';
        if (after_slash && (href.p[i] == '.' || href.p[i] == '/')) return false;
    }
    return true;
}

bool url_href_path(struct str request_url, struct str href, struct buf *out)
{
    if (is_canonical(href)) {
        buf_addstr(out, href);
        return true;
    }
    struct buf full AUTO_BUF = BUF_INIT;
    struct url u;
    if (!url_resolve(request_url, href, &full) || !url_parse(buf_str(&full), &u)) return false;
    bool same = url_same_origin(request_url, buf_str(&full));
    if (!same) add_origin(&u, out);
    url_canonical_path(u.path.n ? u.path : STR("/"), out);
    return same;
}
