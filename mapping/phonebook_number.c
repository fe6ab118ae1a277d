#include "mapping/phone.h"
#include "mapping/phonebook.h"

static const char *const form_names[] = {"stored", "e164", "idd", "national", "prefix"};

bool number_form_parse(struct str word, enum number_form *out)
{
    for (size_t i = 0; i < sizeof form_names / sizeof *form_names; i++)
        if (str_eq(word, str_of(form_names[i]))) {
            *out = (enum number_form)i;
            return true;
        }
    return false;
}

const char *number_form_name(enum number_form form)
{
    return form_names[form];
}

/* Length of what people put between digits, at the front of s; 0 = nothing of the kind. */
static size_t separator(struct str s)
{
    static const char *const marks[] = {"\xc2\xa0",     "\xe2\x80\xaf", "\xe2\x80\x8b", "\xe2\x80\x90",
                                        "\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93", "\xc2\xad"};
    if (s.p[0] && strchr(" ()/.-\t[]_~", s.p[0])) return 1;
    for (size_t i = 0; (s.p[0] & 0x80) && i < sizeof marks / sizeof *marks; i++)
        if (str_starts(s, str_of(marks[i]))) return strlen(marks[i]);
    return 0;
}

/* "x12", "ext. 12", ";ext=12", "#12" is none: a code. */
static bool is_extension(struct str s)
{
    static const char *const marks[] = {"x", "ext", ";ext="};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!str_starts_nocase(s, str_of(marks[i]))) continue;
        size_t at = strlen(marks[i]);
        while (at < s.n && s.p[at] && strchr(" .:", s.p[at])) at++;
        if (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') return true;
    }
    return false;
}

static struct str after(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

bool number_clean(struct str text, struct buf *out)
{
    size_t before = out->len;
    bool dialable = false, abroad = false;
    if (str_starts_nocase(text, STR("tel:"))) text = after(text, 4);
    while (text.n) {
        char c = text.p[0];
        bool digit = (c >= '0' && c <= '9') || c == '*' || c == '#' || (c == '+' && out->len == before);
        size_t skip = digit ? 1 : separator(text);
        if (digit) {
            buf_addc(out, c);
            dialable |= c != '+';
            abroad |= c == '+';
        } else if (abroad && str_starts(text, STR("(0)"))) /* "+49 (0) 40": dialled inside the country only */
            skip = 3;
        else if (!skip && out->len > before && is_extension(text))
            break;
        if (!skip) {
            buf_truncate(out, before);
            return false;
        }
        text = after(text, skip);
    }
    if (!dialable) buf_truncate(out, before);
    return dialable;
}

/* "sip:lale@example.org" or without the scheme: one name, one host, nothing that ends the address early. */
static bool sip_address(struct str text, struct buf *out)
{
    if (str_starts_nocase(text, STR("sip:"))) text = after(text, 4);
    size_t at = str_find(text, STR("@"));
    if (at == (size_t)-1 || !at || at + 1 == text.n) return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool letter = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
        if (!letter && !(i == at && c == '@') && (!c || !strchr("-._+", c))) return false;
    }
    buf_adds(out, "sip:");
    buf_addstr(out, text);
    return true;
}

static void abroad(struct str e164, struct buf *out)
{
    buf_adds(out, "00");
    buf_addstr(out, after(e164, 1));
}

/* From inside the country as people there dial; everything else as from there to abroad. */
static void national(struct str e164, const char *region, struct buf *out)
{
    struct buf code AUTO_BUF = BUF_INIT, trunk AUTO_BUF = BUF_INIT;
    bool known = phone_country(region ? region : "DE", &code, &trunk);
    if (!known || !str_starts(after(e164, 1), buf_str(&code))) {
        abroad(e164, out);
        return;
    }
    buf_addstr(out, buf_str(&trunk));
    buf_addstr(out, after(e164, 1 + code.len));
}

bool number_dial(const struct phonebook_number *n, enum number_form form, const char *line, const char *region,
                 struct buf *out)
{
    struct buf made AUTO_BUF = BUF_INIT;
    bool outward = n->e164.n != 0; /* an inner number needs no line */
    if (form == NUMBER_PREFIX && !line) line = "0";
    if (!outward || form == NUMBER_STORED) {
        if (sip_address(n->text, out)) return true;
        if (!number_clean(n->text, &made)) return false;
    } else if (form == NUMBER_E164)
        buf_addstr(&made, n->e164);
    else if (form == NUMBER_NATIONAL)
        national(n->e164, region, &made);
    else
        abroad(n->e164, &made);
    struct str number = buf_str(&made);
    if (line && *line && outward && form != NUMBER_E164) {
        buf_adds(out, line);
        if (number.p[0] == '+') {
            abroad(number, out);
            return true;
        }
    }
    buf_addstr(out, number);
    return true;
}
