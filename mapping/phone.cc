extern "C" {
#include "base/buf.h"
}
#include "mapping/phone.h"

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

/* What the library would rewrite into something else: "**620" becomes +49620, "112" becomes +49112, letters become
 * digits. */
bool is_public(struct str number)
{
    size_t digits = 0;
    for (size_t i = 0; i < number.n; i++) {
        unsigned char c = static_cast<unsigned char>(number.p[i]);
        if (c == '*' || c == '#') return false;
        if (c >= '0' && c <= '9') digits++;
        if (((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0x80) {
            if (c != 0xc2 && c != 0xa0) return false; /* a no-break space is punctuation */
        }
    }
    return digits > 6 && digits < 18;
}

/* ";ext=5" is taken off before parsing, for E.164 drops it. */
struct str without_extension(struct str number, struct str *extension)
{
    static const char mark[] = ";ext=";
    size_t at = str_find(number, STR(mark));
    if (at == static_cast<size_t>(-1)) return number;
    *extension = {number.p + at, number.n - at};
    return {number.p, at};
}

/* Nothing but + and digits, of a country whose trunk prefix is 0, and none in the number: the library would give back the
 * very same after a dozen regular expressions, and a book of a house here is full of these. */
bool is_e164_already(struct str number)
{
    static const char *const countries[] = {"+49", "+43", "+41"};
    if (number.n < 9 || number.n > 16 || number.p[3] == '0') return false;
    for (size_t i = 1; i < number.n; i++)
        if (number.p[i] < '0' || number.p[i] > '9') return false;
    for (const char *country : countries)
        if (memcmp(number.p, country, 3) == 0) return true;
    return false;
}

} // namespace

void phone_key(struct str number, const char *region, struct buf *out)
{
    struct str extension = {nullptr, 0};
    struct str main_part = without_extension(number, &extension);
    if (is_e164_already(number)) {
        buf_addstr(out, number);
        return;
    }
    PhoneNumber parsed;
    std::string e164;
    if (is_public(main_part)) {
        const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
        if (util->Parse(std::string(main_part.p, main_part.n), region ? region : "ZZ", &parsed) ==
            PhoneNumberUtil::NO_PARSING_ERROR)
            util->Format(parsed, PhoneNumberUtil::E164, &e164);
    }
    if (e164.empty()) {
        buf_adds(out, "raw:");
        buf_addstr(out, number);
        return;
    }
    buf_add(out, e164.data(), e164.size());
    buf_addstr(out, extension);
}

bool phone_country(const char *region, struct buf *code, struct buf *trunk)
{
    const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
    int country = util->GetCountryCodeForRegion(region);
    std::string before;
    if (!country) return false;
    util->GetNddPrefixForRegion(region, true, &before);
    buf_addf(code, "%d", country);
    buf_add(trunk, before.data(), before.size());
    return true;
}
