/* The dialogues of `abgleich login`: a browser that comes back to a loopback address (RFC 8252 7.3, PKCE S256), or a
 * code typed at another screen (RFC 8628). */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/oauth_impl.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DIALOGUE_MS (10 * 60 * 1000LL)
#define LOOK_MS 200 /* between looks at whether the person has given up */
#define REQUEST_MAX_BYTES 8192
#define VERIFIER_BYTES 32    /* RFC 7636 4.1: 43 characters */
#define INTERVAL_DEFAULT_S 5 /* RFC 8628 3.2 */
#define INTERVAL_MAX_S 60
#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

static void random_word(struct oauth *o, struct buf *out)
{
    unsigned char bytes[VERIFIER_BYTES];
    o->env->random(o->env, bytes, sizeof bytes);
    base64url_add(out, bytes, sizeof bytes);
}

static enum fault_code ask_token(struct oauth *o, struct str form, struct oauth_answer *answer, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    return oauth_post(o, oauth_address(o, "oauth.token_url", &url), form, answer, f);
}

/* The last part of a scope's address: services tell it back with or without the rest. */
static struct str right_of(struct str scope)
{
    for (size_t i = scope.n; i; i--)
        if (scope.p[i - 1] == '/') return (struct str){scope.p + i, scope.n - i};
    return scope;
}

static bool is_among(struct str right, struct str scopes)
{
    while (scopes.n)
        if (str_eq_nocase(right_of(str_split(&scopes, ' ')), right)) return true;
    return false;
}

/* A person can take out the tick at a scope and is signed in all the same (google-people 1); then the answer tells what
 * is left (RFC 6749 5.1). Scopes that are no rights at contacts are not told back by everybody. */
static bool is_granted(const struct oauth *o, const struct oauth_answer *a)
{
    static const struct str about_the_person = STR("offline_access openid profile email User.Read .default");
    struct str granted = str_of(json_string_value(json_object_get(a->body, "scope"))), asked = str_of(oauth_scope(o));
    while (granted.n && asked.n) {
        struct str right = right_of(str_split(&asked, ' '));
        if (right.n && !is_among(right, about_the_person) && !is_among(right, granted)) return false;
    }
    return true;
}

static enum fault_code not_granted(const struct oauth *o, struct fault *f)
{
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("sign in again and leave the tick at contacts: abgleich login %s"), o->account->name);
    return fault_set(f, FAULT_AUTH, buf_cstr(&advice), _("the sign-in does not allow contacts"));
}

static enum fault_code conclude(struct oauth *o, const struct oauth_answer *a, bool lasting, struct fault *f)
{
    if (a->error) return oauth_error_fault(o, a, f);
    if (lasting && !json_is_string(json_object_get(a->body, "refresh_token")))
        return fault_set(f, FAULT_AUTH,
                         _("Microsoft: the scope needs offline_access; Google: take the application out of your "
                           "account's list and sign in again"),
                         _("the service gave a sign-in that ends within the hour"));
    if (lasting && !is_granted(o, a)) return not_granted(o, f);
    struct token_store *store = o->account->tokens;
    enum fault_code code = store->lock(store, f);
    if (code) return code;
    code = oauth_accept(o, a, f);
    store->unlock(store);
    return code;
}

/* -- the browser comes back -- */

static int listen_here(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, n) == 0 && listen(fd, 4) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &n) == 0) {
        *port = ntohs(address.sin_port);
        return fd;
    }
    if (fd >= 0) close(fd);
    return -1;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    char small = (char)(c | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* A parameter of the request line "GET /?code=...&state=... HTTP/1.1", decoded. */
static bool parameter(struct str query, const char *name, struct buf *out)
{
    while (query.n) {
        struct str value = str_split(&query, '&'), key = str_split(&value, '=');
        if (!str_eq(key, str_of(name))) continue;
        for (size_t i = 0; i < value.n; i++) {
            bool coded = value.p[i] == '%' && i + 2 < value.n && hex(value.p[i + 1]) >= 0 && hex(value.p[i + 2]) >= 0;
            buf_addc(out, coded               ? (char)(hex(value.p[i + 1]) * 16 + hex(value.p[i + 2]))
                          : value.p[i] == '+' ? ' '
                                              : value.p[i]);
            if (coded) i += 2;
        }
        return true;
    }
    return false;
}

static void answer_page(int fd, bool ours)
{
    struct buf page AUTO_BUF = BUF_INIT;
    const char *text =
        ours ? _("You can close this window and go back to abgleich.") : _("This address is not meant for you.");
    buf_addf(&page,
             "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: "
             "close\r\nContent-Length: %zu\r\n\r\n%s",
             ours ? "200 OK" : "404 Not Found", strlen(text), text);
    send(fd, page.data, page.len, MSG_NOSIGNAL);
}

/* One connection: true with the query if it carries our state. Whoever does not know it cannot end the dialogue. */
static bool serve(int fd, const char *state, struct buf *query)
{
    char request[REQUEST_MAX_BYTES];
    size_t n = 0;
    struct timeval patience = {2, 0};
    struct buf told AUTO_BUF = BUF_INIT;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (ssize_t got; n < sizeof request && (got = recv(fd, request + n, sizeof request - n, 0)) > 0;) {
        n += (size_t)got;
        if (memmem(request, n, "\r\n\r\n", 4)) break;
    }
    struct str rest = {request, n}, line = str_split(&rest, '\n'), method = str_split(&line, ' '),
               target = str_split(&line, ' ');
    str_split(&target, '?');
    bool ours = rest.p && str_eq(method, STR("GET")) && parameter(target, "state", &told) &&
                str_eq(buf_str(&told), str_of(state));
    if (ours) buf_addstr(query, target);
    answer_page(fd, ours);
    return ours;
}

/* -- or a person brings back the address it was sent to -- */

struct pasting {
    int fd; /* -1 = nobody can, or has ended */
    char text[REQUEST_MAX_BYTES];
    size_t n;
};

static bool is_answer(struct str line, const char *state, struct buf *query)
{
    struct buf told AUTO_BUF = BUF_INIT;
    struct str rest = str_trim(line);
    str_split(&rest, '?');
    bool ours = parameter(rest, "state", &told) && str_eq(buf_str(&told), str_of(state));
    if (ours) buf_addstr(query, rest);
    return ours;
}

/* Reads what there is, line by line: true with the query if one of them carries our state. */
static bool take_pasted(struct pasting *p, const struct oauth_guide *guide, const char *state, struct buf *query)
{
    ssize_t got = read(p->fd, p->text + p->n, sizeof p->text - p->n);
    if (got <= 0) {
        p->fd = -1;
        return false;
    }
    struct str rest = {p->text, p->n += (size_t)got};
    while (memchr(rest.p, '\n', rest.n)) {
        struct str line = str_split(&rest, '\n');
        if (is_answer(line, state, query)) return true;
        if (str_trim(line).n) guide->pasted_wrong(guide->ctx);
        if (!rest.p) break;
    }
    if (rest.p) memmove(p->text, rest.p, rest.n);
    p->n = rest.p && rest.n < sizeof p->text ? rest.n : 0; /* a line that long is none */
    return false;
}

static bool take_browser(int listener, const char *state, struct buf *query)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    bool ours = fd >= 0 && serve(fd, state, query);
    if (fd >= 0) close(fd);
    return ours;
}

static enum fault_code await(struct oauth *o, int listener, const struct oauth_guide *guide, const char *state,
                             struct buf *query, struct fault *f)
{
    int64_t until = o->env->monotonic_ms(o->env) + DIALOGUE_MS;
    struct pasting pasting = {.fd = guide->input};
    while (o->env->monotonic_ms(o->env) < until) {
        struct pollfd ready[2] = {{listener, POLLIN, 0}, {pasting.fd, POLLIN, 0}}; /* poll leaves out -1 */
        if (o->env->cancelled(o->env)) return fault_set(f, FAULT_CANCELLED, NULL, _("stopped"));
        if (poll(ready, 2, LOOK_MS) < 1) continue;
        if (ready[0].revents && take_browser(listener, state, query)) return FAULT_NONE;
        if (ready[1].revents && take_pasted(&pasting, guide, state, query)) return FAULT_NONE;
    }
    return fault_set(f, FAULT_AUTH, _("try again"), _("nobody signed in within ten minutes"));
}

static enum fault_code redeem(struct oauth *o, struct str query, const char *verifier, const char *here,
                              struct fault *f)
{
    struct buf code AUTO_BUF = BUF_INIT, form AUTO_BUF = BUF_INIT, error AUTO_BUF = BUF_INIT;
    struct oauth_answer answer AUTO_ANSWER = {.body = NULL};
    if (parameter(query, "error", &error)) answer.error = mem_strdup(buf_cstr(&error));
    if (answer.error || !parameter(query, "code", &code)) {
        if (!answer.error) answer.error = mem_strdup("invalid_request");
        return oauth_error_fault(o, &answer, f);
    }
    form_add(&form, "grant_type", STR("authorization_code"));
    form_add(&form, "code", buf_str(&code));
    form_add(&form, "redirect_uri", str_of(here));
    form_add(&form, "code_verifier", str_of(verifier));
    enum fault_code bad = oauth_add_client(o, &form, f);
    if (!bad) bad = ask_token(o, buf_str(&form), &answer, f);
    return bad ? bad : conclude(o, &answer, true, f);
}

static void address_to_open(struct oauth *o, const char *verifier, const char *state, const char *here, struct buf *out)
{
    struct buf base AUTO_BUF = BUF_INIT, query AUTO_BUF = BUF_INIT, challenge AUTO_BUF = BUF_INIT;
    const char *address = oauth_address(o, "oauth.authorize_url", &base);
    bool microsoft = oauth_is_of_microsoft(o);
    pkce_challenge(str_of(verifier), &challenge);
    const struct {
        const char *name, *value;
    } rows[] = {
        {"response_type", "code"},
        {"client_id", account_setting(o->account, "oauth.client_id")},
        {"redirect_uri", here},
        {"scope", oauth_scope(o)},
        {"state", state},
        {"code_challenge", buf_cstr(&challenge)},
        {"code_challenge_method", "S256"},
        {"login_hint", o->account->user},
        {"prompt", microsoft ? "select_account" : "consent"},
        {"access_type", microsoft ? NULL : "offline"}}; /* google-people 1 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value) form_add(&query, rows[i].name, str_of(rows[i].value));
    buf_addf(out, "%s%s%s", address ? address : "", address && strchr(address, '?') ? "&" : "?", buf_cstr(&query));
}

static enum fault_code by_browser(struct oauth *o, const struct oauth_guide *guide, struct fault *f)
{
    struct buf verifier AUTO_BUF = BUF_INIT, state AUTO_BUF = BUF_INIT, here AUTO_BUF = BUF_INIT,
                        address AUTO_BUF = BUF_INIT, query AUTO_BUF = BUF_INIT;
    unsigned port = 0;
    int listener = listen_here(&port);
    if (listener < 0)
        return fault_set(f, FAULT_INTERNAL, _("try again"), _("no port is free for the browser to come back to"));
    random_word(o, &verifier);
    random_word(o, &state);
    /* Microsoft takes any port of http://localhost where that is registered (microsoft-graph 1); Google either name. */
    buf_addf(&here, "http://%s:%u", oauth_is_of_microsoft(o) ? "localhost" : "127.0.0.1", port);
    address_to_open(o, buf_cstr(&verifier), buf_cstr(&state), buf_cstr(&here), &address);
    guide->show(guide->ctx, buf_cstr(&address), NULL);
    enum fault_code code = await(o, listener, guide, buf_cstr(&state), &query, f);
    close(listener);
    return code ? code : redeem(o, buf_str(&query), buf_cstr(&verifier), buf_cstr(&here), f);
}

/* -- a code typed elsewhere -- */

static enum fault_code begin_device(struct oauth *o, struct oauth_answer *answer, struct fault *f)
{
    struct buf form AUTO_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT;
    const char *id = account_setting(o->account, "oauth.client_id");
    form_add(&form, "client_id", str_of(id));
    form_add(&form, "scope", str_of(oauth_scope(o)));
    enum fault_code code = oauth_post(o, oauth_address(o, "oauth.device_url", &url), buf_str(&form), answer, f);
    if (code) return code;
    return answer->error ? oauth_error_fault(o, answer, f) : FAULT_NONE;
}

static bool is_waiting(const struct oauth_answer *a, int64_t *interval_s)
{
    if (!a->error) return false;
    if (strcmp(a->error, "slow_down") == 0) *interval_s += 5; /* RFC 8628 3.5 */
    return strcmp(a->error, "slow_down") == 0 || strcmp(a->error, "authorization_pending") == 0;
}

static enum fault_code poll_device(struct oauth *o, const char *device, int64_t interval_s, int64_t life_s,
                                   struct fault *f)
{
    int64_t until = o->env->monotonic_ms(o->env) + 1000 * life_s;
    struct buf form AUTO_BUF = BUF_INIT;
    form_add(&form, "grant_type", STR(DEVICE_GRANT));
    form_add(&form, "device_code", str_of(device));
    enum fault_code code = oauth_add_client(o, &form, f);
    while (!code && o->env->monotonic_ms(o->env) < until) {
        struct oauth_answer answer AUTO_ANSWER = {.body = NULL};
        struct fault why AUTO_FAULT = FAULT_INIT;
        if (o->env->sleep_ms(o->env, 1000 * interval_s)) return fault_set(f, FAULT_CANCELLED, NULL, _("stopped"));
        code = ask_token(o, buf_str(&form), &answer, &why);
        if (code == FAULT_UNREACHABLE || code == FAULT_RATE_LIMITED) { /* RFC 8628 3.5: a time-out only slows down */
            code = FAULT_NONE;
            interval_s = interval_s * 2 > INTERVAL_MAX_S ? INTERVAL_MAX_S : interval_s * 2;
            continue;
        }
        if (code && f) fault_copy(f, &why);
        if (!code && !is_waiting(&answer, &interval_s)) return conclude(o, &answer, true, f);
    }
    return code ? code : fault_set(f, FAULT_AUTH, _("try again"), _("the code was not typed in time"));
}

static int64_t between(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static enum fault_code by_device(struct oauth *o, const struct oauth_guide *guide, struct fault *f)
{
    struct oauth_answer answer AUTO_ANSWER = {.body = NULL};
    enum fault_code bad = begin_device(o, &answer, f);
    if (bad) return bad;
    const char *device = json_string_value(json_object_get(answer.body, "device_code")),
               *code = json_string_value(json_object_get(answer.body, "user_code")),
               *address = json_string_value(json_object_get(answer.body, "verification_uri"));
    const json_t *interval = json_object_get(answer.body, "interval"),
                 *life = json_object_get(answer.body, "expires_in");
    if (!device || !code || !address)
        return fault_set(f, FAULT_UNREACHABLE, _("see oauth.device_url in the configuration"),
                         _("the sign-in service gave no code"));
    guide->show(guide->ctx, address, code);
    return poll_device(o, device,
                       json_is_integer(interval) ? between(json_integer_value(interval), 1, INTERVAL_MAX_S)
                                                 : INTERVAL_DEFAULT_S,
                       json_is_integer(life) ? between(json_integer_value(life), 1, 1800) : 900, f);
}

/* -- nobody needed -- */

static enum fault_code by_key(struct oauth *o, struct fault *f)
{
    struct buf form AUTO_BUF = BUF_INIT;
    struct oauth_answer answer AUTO_ANSWER = {.body = NULL};
    enum fault_code code = oauth_add_grant(o, &form, f);
    if (!code) code = ask_token(o, buf_str(&form), &answer, f);
    return code ? code : conclude(o, &answer, false, f);
}

enum fault_code oauth_login(struct oauth *o, const struct oauth_guide *guide, struct fault *f)
{
    enum fault_code code = o->flow == FLOW_CODE     ? by_browser(o, guide, f)
                           : o->flow == FLOW_DEVICE ? by_device(o, guide, f)
                                                    : by_key(o, f);
    if (code) fault_about(f, NULL, o->account->name);
    return code;
}
