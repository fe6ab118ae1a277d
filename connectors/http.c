#include "connectors/http.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/url.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define CONNECT_TIMEOUT_MS 15000L
#define STALL_SECONDS 60L
#define REDIRECTS_MAX 5
#define REPEATS_MAX 2
#define WAIT_MAX_MS 30000
#define ERROR_TEXT_MAX_BYTES 65536
#define POLL_MS 200

struct transfer { /* one exchange under way */
    struct http *http;
    struct http_exchange *x;
    CURL *easy;
    char *digest_origin; /* of the handle */
    struct curl_slist *headers;
    char *url;
    unsigned redirects, repeats, waits;
    size_t sent;                   /* of the body */
    bool digest, changed_scheme;   /* how it signs in now; whether that was changed after a 401 */
    bool anonymous;                /* redirected to where the password must not go */
    bool moved_for_good, answered; /* a byte of a good body came */
};

/* A curl handle with what it has learned: a Digest nonce can be used again on the same origin, so that one request is
 * enough. */
struct handle {
    CURL *easy;
    char *digest_origin;
};

struct http {
    struct http_settings settings;
    CURLM *multi;
    struct handle *idle;
    size_t n_idle, cap_idle;
    bool digest;
    int64_t requests, bytes_in, bytes_out;
    void (*done)(void *ctx, struct http_exchange *x);
    void *ctx;
    size_t in_flight;
    enum fault_code wide;
    struct fault wide_fault;
};

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

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

static struct handle take_handle(struct http *h)
{
    if (h->n_idle) return h->idle[--h->n_idle];
    struct handle fresh = {curl_easy_init(), NULL};
    if (!fresh.easy) abort();
    return fresh;
}

static void give_handle(struct http *h, struct handle handle)
{
    if (h->n_idle == h->cap_idle) {
        h->cap_idle = h->cap_idle ? h->cap_idle * 2 : 8;
        h->idle = mem_realloc(h->idle, h->cap_idle * sizeof *h->idle);
    }
    h->idle[h->n_idle++] = handle;
}

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

/* Basic in the clear only where nobody can listen, or where the administrator said so. */
static bool basic_is_safe(const struct http *h, const char *url)
{
    return str_starts_nocase(str_of(url), STR("https:")) || url_is_loopback(str_of(url)) ||
           h->settings.allow_plain_http;
}

/* With DIGEST alone curl sends an empty body to learn the nonce, which sabre answers to a REPORT with 500 (protocols:
 * carddav 6). A second bit, which no server offers, makes it send the whole request; once the nonce is known DIGEST
 * alone saves the refused request. */
static long digest_bits(const struct transfer *t)
{
    bool known = t->digest_origin && url_same_origin(str_of(t->digest_origin), str_of(t->url));
    return (long)(known ? CURLAUTH_DIGEST : CURLAUTH_DIGEST | CURLAUTH_AWS_SIGV4);
}

static void set_credentials(struct transfer *t)
{
    const struct http_settings *s = &t->http->settings;
    bool basic = !t->digest && basic_is_safe(t->http, t->url);
    if (!s->user || !*s->user || t->anonymous) return;
    curl_easy_setopt(t->easy, CURLOPT_USERNAME, s->user);
    curl_easy_setopt(t->easy, CURLOPT_PASSWORD, s->password ? s->password : "");
    curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, basic ? (long)CURLAUTH_BASIC : digest_bits(t));
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
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_limits(struct transfer *t)
{
    CURL *e = t->easy;
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
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
static void prepare(struct transfer *t)
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
    set_credentials(t);
}

static void send_now(struct transfer *t)
{
    struct http *h = t->http;
    http_clear(t->x);
    t->answered = false;
    prepare(t);
    h->requests++;
    h->settings.env->boundary(h->settings.env, "request");
    curl_multi_add_handle(h->multi, t->easy);
}

static void start(struct http *h, struct http_exchange *x)
{
    struct transfer *t = mem_calloc(1, sizeof *t);
    struct handle handle = take_handle(h);
    *t = (struct transfer){.http = h,
                           .x = x,
                           .easy = handle.easy,
                           .digest_origin = handle.digest_origin,
                           .url = mem_strdup(x->url),
                           .digest = h->digest};
    h->in_flight++;
    send_now(t);
}

static void finish(struct transfer *t)
{
    struct http *h = t->http;
    t->x->final_url = t->url;
    t->x->moved_for_good = t->moved_for_good;
    curl_slist_free_all(t->headers);
    give_handle(h, (struct handle){t->easy, t->digest_origin});
    h->in_flight--;
    struct http_exchange *x = t->x;
    free(t);
    if (h->done) h->done(h->ctx, x);
}

/* -- what an ended transfer means -- */

static bool was_sent(const struct transfer *t)
{
    curl_off_t ready_us = 0; /* when the connection, TLS included, was ready; 0 = never */
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return ready_us > 0;
}

static enum fault_code unreachable(struct transfer *t, CURLcode result)
{
    struct http_exchange *x = t->x;
    const char *why = curl_easy_strerror(result), *advice = _("the next run tries again");
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
        advice = _("the certificate is not to be trusted; a certificate of your own goes into ca_file");
    if (result == CURLE_ABORTED_BY_CALLBACK && !was_sent(t))
        return fault_set(&x->fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
    if (!was_sent(t)) return fault_set(&x->fault, FAULT_UNREACHABLE, advice, _("not reachable (%s)"), why);
    if (!x->repeatable)
        return fault_set(&x->fault, FAULT_UNKNOWN, _("looked at before anything else is done"), _("no answer (%s)"),
                         why);
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return fault_set(&x->fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
    if (t->answered || (x->status >= 200 && x->status < 300))
        return fault_set(&x->fault, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the answer ended early (%s)"), why);
    return fault_set(&x->fault, FAULT_UNREACHABLE, advice, _("not reachable (%s)"), why);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The password goes only to the scheme, host and port it was entered for, or from http to https on the same host. */
static bool may_have_password(const char *from, const char *to)
{
    struct url a, b;
    if (url_same_origin(str_of(from), str_of(to))) return true;
    return url_parse(str_of(from), &a) && url_parse(str_of(to), &b) && str_eq_nocase(a.host, b.host) &&
           str_eq_nocase(a.scheme, STR("http")) && str_eq_nocase(b.scheme, STR("https"));
}

/* The sentence of a redirect that is not followed. */
static void refuse_redirect(struct transfer *t, const char *target, bool downgrade)
{
    const char *advice = downgrade ? _("an encrypted address must not lead to an open one")
                                   : _("give the account that address if it is right");
    t->x->code = fault_set(&t->x->fault, FAULT_PROTOCOL, advice, _("redirected to %s"), target);
}

/* True if the request was sent again to where it moved. */
static bool follow(struct transfer *t)
{
    struct http_exchange *x = t->x;
    struct buf target AUTO_BUF = BUF_INIT;
    if (!x->location || !x->repeatable || !url_resolve(str_of(t->url), str_of(x->location), &target)) return false;
    bool downgrade =
        str_starts_nocase(str_of(t->url), STR("https:")) && str_starts_nocase(buf_str(&target), STR("http:"));
    if (++t->redirects > REDIRECTS_MAX || downgrade) {
        refuse_redirect(t, buf_cstr(&target), downgrade);
        return false;
    }
    if (!may_have_password(t->url, buf_cstr(&target))) t->anonymous = true;
    t->moved_for_good = (x->status == 301 || x->status == 308) && (t->redirects == 1 || t->moved_for_good);
    free(t->url);
    t->url = buf_detach(&target);
    send_now(t);
    return true;
}

static bool offers(const char *authenticate, const char *scheme)
{
    struct str rest = str_of(authenticate), name = str_of(scheme);
    for (; rest.n >= name.n; rest.p++, rest.n--)
        if (str_starts_nocase(rest, name)) return true;
    return false;
}

static bool has_user(const struct http *h)
{
    return h->settings.user && *h->settings.user;
}

/* After a 401: the other scheme, if the server offers that one only (or Basic must not be used here). What it is stays
 * known. */
static bool change_scheme(struct transfer *t)
{
    struct http *h = t->http;
    bool basic = offers(t->x->authenticate, "Basic") && basic_is_safe(h, t->url),
         digest = offers(t->x->authenticate, "Digest");
    bool useful = t->digest ? basic && !digest : digest && !basic && basic_is_safe(h, t->url);
    if (t->changed_scheme || t->anonymous || !has_user(h) || !useful) return false;
    t->changed_scheme = true;
    t->digest = h->digest = !t->digest;
    if (h->settings.traits) h->settings.traits->set(h->settings.traits, "auth", t->digest ? "digest" : "basic");
    send_now(t);
    return true;
}

/* Why a 401 came although there is a password. */
static void explain_refusal(struct transfer *t)
{
    struct http_exchange *x = t->x;
    if (x->status != 401 || x->code || !has_user(t->http)) return;
    if (t->anonymous)
        x->code = fault_set(&x->fault, FAULT_AUTH, _("give the account that address if it is right"),
                            _("redirected to %s, which gets no password"), t->url);
    else if (!basic_is_safe(t->http, t->url) && !offers(x->authenticate, "Digest"))
        x->code = fault_set(&x->fault, FAULT_AUTH, _("use an https address; in a network you trust: plain_http = yes"),
                            _("a password is not sent unencrypted"));
}

/* Waits as the server says, if that is not long; true if the request was sent again. */
static bool wait_and_repeat(struct transfer *t)
{
    struct http *h = t->http;
    int64_t wait_ms = t->x->retry_after_ms ? t->x->retry_after_ms : 1000 << t->waits;
    if (!t->x->repeatable || wait_ms > WAIT_MAX_MS || t->waits++ >= REPEATS_MAX) return false;
    if (h->settings.env->sleep_ms(h->settings.env, wait_ms)) {
        t->x->code = fault_set(&t->x->fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
        return false;
    }
    send_now(t);
    return true;
}

static bool repeat(struct transfer *t, CURLcode result)
{
    if (!t->x->repeatable || t->answered || t->x->code || result == CURLE_ABORTED_BY_CALLBACK ||
        result == CURLE_PEER_FAILED_VERIFICATION)
        return false;
    /* A kept connection that the server closed meanwhile looks like this; a host that is down does not need more tries.
     */
    bool dropped = result == CURLE_GOT_NOTHING || result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR ||
                   result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM;
    if (!dropped || t->x->status || t->repeats++ >= REPEATS_MAX) return false;
    send_now(t);
    return true;
}

/* True if it goes on with another request. */
static bool goes_on(struct transfer *t, CURLcode result)
{
    struct http_exchange *x = t->x;
    if (result) return repeat(t, result);
    if (is_redirect(x->status)) return follow(t);
    if (x->status == 401) return change_scheme(t);
    return (x->status == 429 || x->status == 503) && wait_and_repeat(t);
}

static void note_wide(struct http *h, const struct http_exchange *x)
{
    bool wide = x->code == FAULT_CANCELLED || x->code == FAULT_UNREACHABLE || x->status == 401 || x->status == 429 ||
                x->status == 503;
    if (!wide || h->wide) return;
    h->wide = x->code ? x->code : http_status_fault(x, &h->wide_fault);
    if (x->code) fault_copy(&h->wide_fault, &x->fault);
}

/* The handle has signed in by Digest: its nonce serves again. */
static void note_nonce(struct transfer *t)
{
    bool in_digest = has_user(t->http) && !t->anonymous && (t->digest || !basic_is_safe(t->http, t->url));
    struct buf origin AUTO_BUF = BUF_INIT;
    free(t->digest_origin);
    t->digest_origin = NULL;
    if (in_digest && t->x->status && t->x->status != 401 && url_origin(str_of(t->url), &origin))
        t->digest_origin = buf_detach(&origin);
}

static void ended(struct http *h, CURL *easy, CURLcode result)
{
    struct transfer *t;
    long status = 0;
    curl_off_t in = 0, out = 0;
    long header_bytes = 0, request_bytes = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &in);
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &out);
    curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &header_bytes);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    h->bytes_in += in + header_bytes;
    h->bytes_out += out + request_bytes;
    t->x->status = (int)status;
    curl_multi_remove_handle(h->multi, easy);
    h->settings.env->boundary(h->settings.env, "answered");
    note_nonce(t);
    if (goes_on(t, result)) return;
    if (result && !t->x->code) t->x->code = unreachable(t, result);
    explain_refusal(t);
    note_wide(h, t->x);
    finish(t);
}

static void read_ended(struct http *h)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
        if (m->msg == CURLMSG_DONE) ended(h, m->easy_handle, m->data.result);
}

/* -- the interface -- */

struct http *http_open(const struct http_settings *settings)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    struct http *h = mem_calloc(1, sizeof *h);
    h->settings = *settings;
    h->multi = curl_multi_init();
    if (!h->multi) abort();
    char *auth AUTO_FREE = settings->traits ? settings->traits->get(settings->traits, "auth") : NULL;
    h->digest = auth && strcmp(auth, "digest") == 0;
    return h;
}

void http_close(struct http *h)
{
    if (!h) return;
    for (size_t i = 0; i < h->n_idle; i++) {
        curl_easy_cleanup(h->idle[i].easy);
        free(h->idle[i].digest_origin);
    }
    curl_multi_cleanup(h->multi);
    free(h->idle);
    fault_clear(&h->wide_fault);
    free(h);
}

enum fault_code http_batch(struct http *h, struct http_exchange *list, size_t n, size_t width,
                           void (*done)(void *ctx, struct http_exchange *x), void *ctx, struct fault *f)
{
    size_t next = 0;
    h->done = done;
    h->ctx = ctx;
    h->wide = FAULT_NONE;
    fault_clear(&h->wide_fault);
    for (size_t i = 0; i < n; i++) list[i].code = FAULT_CANCELLED;
    while (next < n || h->in_flight) {
        if (!h->wide && h->settings.env->cancelled(h->settings.env))
            h->wide = fault_set(&h->wide_fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
        while (next < n && h->in_flight < width && !h->wide) start(h, &list[next++]);
        if (!h->in_flight) break;
        int running;
        curl_multi_perform(h->multi, &running);
        read_ended(h);
        if (h->in_flight) curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
    }
    if (h->wide && f && !f->code) fault_copy(f, &h->wide_fault);
    return h->wide;
}

enum fault_code http_do(struct http *h, struct http_exchange *x, struct fault *f)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (http_batch(h, x, 1, 1, NULL, NULL, &ignored) && x->code == FAULT_CANCELLED && !x->fault.code)
        fault_copy(&x->fault, &ignored);
    if (x->code && f) fault_copy(f, &x->fault);
    return x->code;
}

void http_traffic(const struct http *h, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out)
{
    *requests = h->requests;
    *bytes_in = h->bytes_in;
    *bytes_out = h->bytes_out;
}
