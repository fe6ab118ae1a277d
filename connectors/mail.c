#include "connectors/mail.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#define CONNECT_TIMEOUT_MS 15000L
#define TIMEOUT_MS 60000L
#define WORD_BYTES 45 /* of text in one encoded word: 60 characters of base64, 75 with its frame (RFC 2047 2) */

/* -- headers -- */

bool mail_address_ok(struct str a)
{
    size_t at = str_find(a, STR("@"));
    if (at == (size_t)-1 || at == 0 || at + 1 == a.n || a.n > 254) return false;
    for (size_t i = 0; i < a.n; i++) {
        unsigned char c = (unsigned char)a.p[i];
        if (c <= ' ' || c == 0x7f || strchr("<>(),;:\\\"[]", c) || (c == '@' && i != at)) return false;
    }
    return true;
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] >= 0x80 || (unsigned char)text.p[i] < ' ' || text.p[i] == '=') return false;
    return text.n < 60;
}

static void encoded_word(struct str part, struct buf *out)
{
    char base64[WORD_BYTES * 2];
    sodium_bin2base64(base64, sizeof base64, (const unsigned char *)part.p, part.n, sodium_base64_VARIANT_ORIGINAL);
    buf_addf(out, "%s=?UTF-8?B?%s?=", out->len ? "\r\n " : "", base64);
}

void mail_header_text(struct str text, struct buf *out)
{
    struct buf clean AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < text.n; i++) buf_addc(&clean, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
    if (is_plain(buf_str(&clean))) {
        buf_addstr(out, buf_str(&clean));
        return;
    }
    struct buf words AUTO_BUF = BUF_INIT;
    for (struct str rest = buf_str(&clean); rest.n;) {
        size_t n = rest.n < WORD_BYTES ? rest.n : WORD_BYTES;
        while (n < rest.n && n > 1 && ((unsigned char)rest.p[n] & 0xc0) == 0x80) n--; /* never within a character */
        encoded_word((struct str){rest.p, n}, &words);
        rest = (struct str){rest.p + n, rest.n - n};
    }
    buf_addstr(out, buf_str(&words));
}

static struct curl_slist *header(struct curl_slist *list, const char *name, struct str value)
{
    struct buf line AUTO_BUF = BUF_INIT, text AUTO_BUF = BUF_INIT;
    mail_header_text(value, &text);
    buf_addf(&line, "%s: %s", name, buf_cstr(&text));
    return curl_slist_append(list, buf_cstr(&line));
}

/* RFC 5322 3.3, always in UTC and in English, whatever the locale. */
static void date_text(int64_t now_ms, struct buf *out)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm t;
    gmtime_r(&seconds, &t);
    buf_addf(out, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
             t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static struct curl_slist *headers_of(struct env *env, const struct mail *mail)
{
    struct buf to AUTO_BUF = BUF_INIT, date AUTO_BUF = BUF_INIT, id AUTO_BUF = BUF_INIT;
    char uuid[UUID_TEXT_BYTES];
    for (size_t i = 0; i < mail->n_to; i++) buf_addf(&to, "%s%s", i ? ",\r\n " : "To: ", mail->to[i]);
    date_text(env->now_ms(env), &date);
    env_uuid4(env, uuid);
    buf_addf(&id, "Message-ID: <%s%s>", uuid, strchr(mail->from, '@'));
    struct curl_slist *list = curl_slist_append(NULL, buf_cstr(&to));
    list = header(list, "From", str_of(mail->from));
    list = header(list, "Subject", str_of(mail->subject));
    list = header(list, "Date", buf_str(&date));
    list = curl_slist_append(list, buf_cstr(&id));
    /* RFC 3834 5: nobody's absence note is to answer a program. */
    return curl_slist_append(list, "Auto-Submitted: auto-generated");
}

/* -- the exchange -- */

static void add_part(curl_mime *mime, struct str content, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_data(part, content.p, content.n);
    curl_mime_type(part, type);
    curl_mime_encoder(part, "base64"); /* no line of ours is too long for RFC 5321 4.5.3.1.6 */
}

static curl_mime *body_of(CURL *easy, const struct mail *mail)
{
    curl_mime *mime = curl_mime_init(easy), *alternatives = curl_mime_init(easy);
    add_part(alternatives, mail->text, "text/plain; charset=utf-8");
    add_part(alternatives, mail->html, "text/html; charset=utf-8");
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_subparts(part, alternatives);
    curl_mime_type(part, "multipart/alternative");
    return mime;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct env *env = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return env->cancelled(env);
}

/* Only a mail to this very machine may go without TLS. */
static bool is_local(const char *url)
{
    struct str rest = str_of(url);
    size_t slashes = str_find(rest, STR("://"));
    if (slashes != (size_t)-1) rest = (struct str){rest.p + slashes + 3, rest.n - slashes - 3};
    if (str_starts(rest, STR("[::1]"))) return true;
    struct str host = str_split(&rest, ':');
    host = str_split(&host, '/');
    return str_eq_nocase(host, STR("localhost")) || str_starts(host, STR("127."));
}

static void set_server(CURL *easy, const struct mail_server *server)
{
    curl_easy_setopt(easy, CURLOPT_URL, server->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    bool needs_tls = !is_local(server->url) || server->user;
    curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(needs_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (server->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, server->ca_file);
    if (server->user) curl_easy_setopt(easy, CURLOPT_USERNAME, server->user);
    if (server->user && server->password) curl_easy_setopt(easy, CURLOPT_PASSWORD, server->password);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static enum fault_code outcome(CURL *easy, CURLcode code, const char *url, struct fault *f)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    switch (code) {
    case CURLE_OK:
        return FAULT_NONE;
    case CURLE_ABORTED_BY_CALLBACK:
        return fault_set(f, FAULT_CANCELLED, NULL, "%s", _("cancelled"));
    case CURLE_LOGIN_DENIED:
        return fault_set(f, FAULT_AUTH, _("see [report] user and secret"), _("%s refuses the sign-in (%ld)"), url,
                         status);
    case CURLE_USE_SSL_FAILED:
        return fault_set(f, FAULT_UNREACHABLE, _("use smtps://, or a mail server on this machine"),
                         _("%s offers no TLS, and a mail must not leave this machine in the open"), url);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
        if (status >= 500)
            return fault_set(f, FAULT_REFUSED, _("see [report] mail_from and mail_to"),
                             _("%s does not take the mail (%ld)"), url, status);
        break;
    default:
        break;
    }
    return fault_set(f, FAULT_UNREACHABLE, _("tried again later"), "%s: %s", url, curl_easy_strerror(code));
}

enum fault_code mail_send(struct env *env, const struct mail_server *server, const struct mail *mail, struct fault *f)
{
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counted, and safe in threads since 7.84 */
    CURL *easy = curl_easy_init();
    struct curl_slist *to = NULL, *headers = headers_of(env, mail);
    for (size_t i = 0; i < mail->n_to; i++) to = curl_slist_append(to, mail->to[i]);
    curl_mime *body = body_of(easy, mail);
    set_server(easy, server);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, body);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, env);
    env->boundary(env, "mail");
    enum fault_code code = outcome(easy, curl_easy_perform(easy), server->url, f);
    curl_mime_free(body);
    curl_slist_free_all(headers);
    curl_slist_free_all(to);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return code;
}
