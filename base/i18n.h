/* Translation of what people read (gettext, domain "abgleich", catalogues in po/). English is the source language.
 * Used everywhere; bound to a language once in main. */
#ifndef ABGLEICH_I18N_H
#define ABGLEICH_I18N_H

#include <libintl.h>

#define I18N_DOMAIN "abgleich"
#define _(msgid) dgettext(I18N_DOMAIN, msgid)
#define N_(msgid) (msgid) /* marks a table row for extraction; the reader calls _() */

#endif
