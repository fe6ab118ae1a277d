/* Batches of exchanges: what is sent when, and what an ended transfer means for the rest. */
#include "connectors/http.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/http_transfer.h"
#include "connectors/url.h"

#include <pthread.h>
#include <stdlib.h>

#define REPEATS_MAX 2
#define WAIT_MAX_MS 30000
#define POLL_MS 200

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* -- sending -- */

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

void transfer_send(struct transfer *t)
{
    struct http *h = t->http;
    http_clear(t->x);
    t->answered = false;
    transfer_prepare(t);
    h->requests++;
    h->running++;
    h->settings.env->boundary(h->settings.env, "request");
    curl_multi_add_handle(h->multi, t->easy);
}

/* A place in the gate, taken for the host that is asked first: a redirect keeps it. */
static bool enter(struct http *h, const char *url, char **host)
{
    struct buf origin AUTO_BUF = BUF_INIT;
    *host = NULL;
    if (!h->settings.gate || !url_origin(str_of(url), &origin)) return true;
    if (!gate_enter(h->settings.gate, buf_str(&origin), &h->visitor)) return false;
    *host = buf_detach(&origin);
    return true;
}

static void leave(struct transfer *t)
{
    if (t->host) gate_leave(t->http->settings.gate, str_of(t->host));
    free(t->host);
    t->host = NULL;
}

/* False: there is no place for it yet. */
static bool start(struct http *h, struct http_exchange *x)
{
    char *host;
    if (!enter(h, x->url, &host)) return false;
    struct transfer *t = mem_calloc(1, sizeof *t);
    struct handle handle = take_handle(h);
    *t = (struct transfer){.http = h,
                           .x = x,
                           .easy = handle.easy,
                           .digest_origin = handle.digest_origin,
                           .url = mem_strdup(x->url),
                           .host = host,
                           .digest = h->digest};
    h->in_flight++;
    transfer_send(t);
    return true;
}

static void finish(struct transfer *t)
{
    struct http *h = t->http;
    leave(t);
    t->x->final_url = t->url;
    t->x->moved_for_good = t->moved_for_good;
    curl_slist_free_all(t->headers);
    give_handle(h, (struct handle){t->easy, t->digest_origin});
    h->in_flight--;
    struct http_exchange *x = t->x;
    free(t);
    if (h->done) h->done(h->ctx, x);
}

/* -- waiting as the server says: the whole account, but what is under way goes on -- */

static bool wait_and_repeat(struct transfer *t)
{
    struct http *h = t->http;
    int64_t wait_ms = t->x->retry_after_ms ? t->x->retry_after_ms : 1000 << t->waits;
    if (!t->x->repeatable || t->x->waits_itself || h->wide || wait_ms > WAIT_MAX_MS || t->waits++ >= REPEATS_MAX) return false;
    int64_t until_ms = h->settings.env->monotonic_ms(h->settings.env) + wait_ms;
    if (until_ms > h->resume_ms) h->resume_ms = until_ms;
    struct transfer **end = &h->waiting;
    while (*end) end = &(*end)->next;
    *end = t;
    leave(t);
    return true;
}

static struct transfer *take_waiting(struct http *h)
{
    struct transfer *t = h->waiting;
    h->waiting = t->next;
    t->next = NULL;
    return t;
}

static int64_t left_to_wait(const struct http *h)
{
    int64_t left_ms = h->resume_ms ? h->resume_ms - h->settings.env->monotonic_ms(h->settings.env) : 0;
    return left_ms > 0 ? left_ms : 0;
}

/* What waited is not sent again once something concerns all: its last answer stands. */
static void end_waiting(struct http *h)
{
    while (h->waiting) {
        struct transfer *t = take_waiting(h);
        if (h->wide == FAULT_CANCELLED) {
            t->x->code = h->wide;
            fault_copy(&t->x->fault, &h->wide_fault);
        }
        finish(t);
    }
}

/* -- what an ended transfer means -- */

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
    transfer_send(t);
    return true;
}

/* True if it goes on with another request. */
/* True if it goes on with another request. */
static bool goes_on(struct transfer *t, CURLcode result)
{
    struct http_exchange *x = t->x;
    if (result) return repeat(t, result);
    if (x->status == 401) return transfer_change_scheme(t) || transfer_change_user(t);
    if (x->status == 429 || x->status == 503) return wait_and_repeat(t);
    return transfer_follow(t);
}

static void note_wide(struct http *h, const struct http_exchange *x)
{
    bool wide = x->code == FAULT_CANCELLED || x->code == FAULT_UNREACHABLE || x->status == 401 || x->status == 429 ||
                x->status == 503;
    if (!wide || h->wide) return;
    h->wide = x->code ? x->code : http_status_fault(x, &h->wide_fault);
    if (x->code) fault_copy(&h->wide_fault, &x->fault);
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
    h->running--;
    h->settings.env->boundary(h->settings.env, "answered");
    transfer_note_nonce(t);
    transfer_note_user(t);
    if (goes_on(t, result)) return;
    if (result && !t->x->code) t->x->code = transfer_unreachable(t, result);
    transfer_explain_refusal(t);
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

static void wake(void *ctx)
{
    curl_multi_wakeup(((struct http *)ctx)->multi);
}

struct http *http_open(const struct http_settings *settings)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    struct http *h = mem_calloc(1, sizeof *h);
    h->settings = *settings;
    h->multi = curl_multi_init();
    if (!h->multi) abort();
    h->visitor = (struct gate_visitor){.wake = wake, .ctx = h};
    char *auth AUTO_FREE = settings->traits ? settings->traits->get(settings->traits, "auth") : NULL;
    h->digest = auth && strcmp(auth, "digest") == 0;
    http_recall_user(h);
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

static void note_cancelled(struct http *h)
{
    if (!h->wide && h->settings.env->cancelled(h->settings.env))
        h->wide = fault_set(&h->wide_fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
}

/* What waited comes before what is new. */
static void send_some(struct http *h, struct http_exchange *list, size_t n, size_t width, size_t *next)
{
    while (h->waiting && enter(h, h->waiting->url, &h->waiting->host)) transfer_send(take_waiting(h));
    if (h->waiting) return;
    while (*next < n && h->in_flight < width && start(h, &list[*next])) ++*next;
}

/* Nothing is under way and the server wants a pause. The environment owns the time: in a simulation it passes at once.
 */
static void pause_all(struct http *h)
{
    int64_t left_ms = left_to_wait(h);
    if (left_ms && h->settings.env->sleep_ms(h->settings.env, left_ms) && !h->wide)
        h->wide = fault_set(&h->wide_fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
    h->resume_ms = 0;
}

static void poll_transfers(struct http *h)
{
    int running;
    curl_multi_perform(h->multi, &running);
    read_ended(h);
    int64_t left_ms = left_to_wait(h);
    if (h->running || (h->visitor.host && !left_ms))
        curl_multi_poll(h->multi, NULL, 0, left_ms && left_ms < POLL_MS ? (int)left_ms : POLL_MS, NULL);
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
    while ((next < n && !h->wide) || h->in_flight) {
        note_cancelled(h);
        if (h->wide)
            end_waiting(h);
        else if (!left_to_wait(h)) {
            h->resume_ms = 0;
            send_some(h, list, n, width, &next);
        }
        if (h->settings.gate && (h->wide || h->resume_ms)) gate_forget(h->settings.gate, &h->visitor);
        if (h->waiting && !h->running && h->resume_ms)
            pause_all(h);
        else
            poll_transfers(h);
    }
    if (h->settings.gate) gate_forget(h->settings.gate, &h->visitor);
    h->resume_ms = 0;
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
