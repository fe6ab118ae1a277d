/* Which language the program speaks. The environment's, unless --language or the configuration says otherwise. Called
 * by main and cli.c; sets process-wide locale, as gettext wants it. */
#ifndef ABGLEICH_LANGUAGE_H
#define ABGLEICH_LANGUAGE_H

/* Finds the catalogues beside the binary (build folder) or where they are installed (PREFIX/share/locale). */
void language_init(void);
void language_use(const char *language); /* "de", "en" */

#endif
