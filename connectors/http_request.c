/* An exchange as a request to curl, and the answer as it comes in. */
#include "base/mem.h"
#include "connectors/http_transfer.h"
#include "connectors/url.h"

#include "base/i18n.h"

#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#define CONNECT_TIMEOUT_MS 15000L
#define STALL_SECONDS 60L
#define ERROR_TEXT_MAX_BYTES 65536

/* -- answers -- */

void http_clear(struct http_exchange *x)
{
    char **strings[] = {&x->etag, &x->location, &x->type, &x->dav, &x->authenticate, &x->final_url};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        free(*strings[i]);
        *strings[i] = NULL;
    }
    buf_free(&x->text);
    fault_clear(&x->fault);
    x->status = 0;
    x->retry_after_ms = 0;
    x->moved_for_good = false;
    x->code = FAULT_NONE;
}

static int64_t parse_retry_after(struct http *h, struct str value)
{
    long long seconds;
    if (str_to_int64(value, &seconds)) return seconds > 0 && seconds < 7 * 86400 ? seconds * 1000 : 0;
    char *text AUTO_FREE = mem_strndup(value.p, value.n);
    time_t when = curl_getdate(text, NULL);
    int64_t wait_ms = (int64_t)when * 1000 - h->settings.env->now_ms(h->settings.env);
    return when > 0 && wait_ms > 0 ? wait_ms : 0;
}

static void keep(char **where, struct str value)
{
    free(*where);
    *where = mem_strndup(value.p, value.n);
}

/* Several WWW-Authenticate and DAV headers may come; they are joined. */
static void join(char **where, struct str value)
{
    struct buf all AUTO_BUF = BUF_INIT;
    if (*where) buf_addf(&all, "%s, ", *where);
    buf_addstr(&all, value);
    free(*where);
    *where = buf_detach(&all);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct http_exchange *x = t->x;
    struct str rest = {p, size * n}, name = str_split(&rest, ':'), value = rest.p ? str_trim(rest) : STR_NONE;
    if (str_starts(name, STR("HTTP/"))) { /* a new answer: after 100, or digest's second one */
        char **strings[] = {&x->etag, &x->location, &x->type, &x->dav, &x->authenticate};
        for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
            free(*strings[i]);
            *strings[i] = NULL;
        }
        x->retry_after_ms = 0;
    } else if (str_eq_nocase(name, STR("etag")))
        keep(&x->etag, value);
    else if (str_eq_nocase(name, STR("location")))
        keep(&x->location, value);
    else if (str_eq_nocase(name, STR("content-type")))
        keep(&x->type, value);
    else if (str_eq_nocase(name, STR("dav")))
        join(&x->dav, value);
    else if (str_eq_nocase(name, STR("www-authenticate")))
        join(&x->authenticate, value);
    else if (str_eq_nocase(name, STR("retry-after")))
        x->retry_after_ms = parse_retry_after(t->http, value);
    return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct http_exchange *x = t->x;
    struct str bytes = {p, size * n};
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    bool good = status >= 200 && status < 300;
    if (good && x->on_body) {
        t->answered = true;
        x->code = x->on_body(x->ctx, bytes, &x->fault);
        return x->code ? 0 : bytes.n;
    }
    size_t limit = good ? x->limit_bytes : ERROR_TEXT_MAX_BYTES;
    if (limit && x->text.len + bytes.n > limit) {
        if (!good) { /* the beginning of an error page is enough */
            buf_add(&x->text, bytes.p, limit - x->text.len);
            return bytes.n;
        }
        x->code = fault_set(&x->fault, FAULT_TOO_LARGE, NULL, _("the answer is larger than %zu bytes"), limit);
        return 0;
    }
    t->answered |= good;
    buf_addstr(&x->text, bytes);
    return bytes.n;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    struct http *h = ctx;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    return h->settings.env->cancelled(h->settings.env);
}

/* -- requests -- */

/* curl asks for the body piece by piece, so that sending it a second time can be refused. */
static size_t on_send(char *out, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t left = t->x->body.n - t->sent, take = size * n < left ? size * n : left;
    memcpy(out, t->x->body.p + t->sent, take);
    t->sent += take;
    return take;
}

/* curl silently repeats a request whose kept connection broke. What may not be repeated is only sent again where the
 * server has refused it (Digest). */
static int on_rewind(void *ctx, curl_off_t offset, int origin)
{
    struct transfer *t = ctx;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (origin != SEEK_SET || (t->sent && !t->x->repeatable && status != 401)) return CURL_SEEKFUNC_FAIL;
    t->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}
static void add_header(struct transfer *t, const char *line)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (!more) abort();
    t->headers = more;
}

static void set_headers(struct transfer *t)
{
    const struct http_exchange *x = t->x;
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    add_header(t, "Expect:"); /* old proxies stall on it */
    add_header(t, "Accept: */*");
    for (size_t i = 0; i < HTTP_HEADERS_MAX && x->headers[i]; i++) add_header(t, x->headers[i]);
    if (x->body.p) {
        struct buf line AUTO_BUF = BUF_INIT;
        buf_addf(&line, "Content-Type: %s", x->content_type);
        add_header(t, buf_cstr(&line));
    }
    if (transfer_may_authorize(t)) {
        struct buf line AUTO_BUF = BUF_INIT;
        buf_addf(&line, "Authorization: %s", t->http->settings.authorization);
        add_header(t, buf_cstr(&line));
        sodium_memzero(line.data, line.len);
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_limits(struct transfer *t)
{
    CURL *e = t->easy;
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, t->x->patience_s ? (long)t->x->patience_s : STALL_SECONDS);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, t->http);
}

static void set_body(struct transfer *t)
{
    const struct http_exchange *x = t->x;
    bool head = strcmp(x->method, "HEAD") == 0;
    t->sent = 0;
    curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L); /* forgets the body of the request before */
    if (x->body.p) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
    } else if (head)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, x->method);
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
}

static void set_tls(struct transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 1L); /* rather one connection with many streams than many connections */
    if (t->http->settings.ca_file) curl_easy_setopt(t->easy, CURLOPT_CAINFO, t->http->settings.ca_file);
}

static void set_answer(struct transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
}

/* A handle that knows a nonce of this origin keeps it: only curl_easy_reset forgets it. All options are set again
 * either way. */
void transfer_prepare(struct transfer *t)
{
    bool keeps_nonce = t->digest_origin && url_same_origin(str_of(t->digest_origin), str_of(t->url));
    if (!keeps_nonce) {
        curl_easy_reset(t->easy);
        free(t->digest_origin);
        t->digest_origin = NULL;
    }
    set_limits(t);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "abgleich/1.0");
    set_body(t);
    set_answer(t);
    if (str_starts_nocase(str_of(t->url), STR("https:"))) set_tls(t);
    set_headers(t);
    transfer_set_credentials(t);
}
