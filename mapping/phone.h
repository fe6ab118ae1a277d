/* Phone numbers by libphonenumber, behind one C interface (phone.cc is the only C++ of the tree). For matching and for
 * phonebook output only: stored text is never rewritten. Thread safe. */
#ifndef ABGLEICH_PHONE_H
#define ABGLEICH_PHONE_H

#include "base/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends the matching key: E.164 plus ";ext=N", or "raw:" + the text for what is no public number: short codes, anything with
 * *, # or letters. region: "DE". Slow (20 us): callers cache or avoid. */
void phone_key(struct str number, const char *region, struct buf *out);
/* Appends a region's country code ("49") and what stands before a number inside the country ("0" in DE, nothing in IT).
 * False: there is no such region. */
bool phone_country(const char *region, struct buf *code, struct buf *trunk);

#ifdef __cplusplus
}
#endif
#endif
