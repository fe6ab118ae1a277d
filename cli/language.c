#include "cli/language.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/file.h"

#include <locale.h>
#include <stdlib.h>
#include <stdlib.h>
#include <unistd.h>

#define CATALOGUE "de/LC_MESSAGES/" I18N_DOMAIN ".mo"

static bool holds_catalogue(const struct buf *folder)
{
    struct buf file AUTO_BUF = BUF_INIT;
    buf_addf(&file, "%.*s/%s", STR_ARG(buf_str(folder)), CATALOGUE);
    return access(buf_cstr(&file), R_OK) == 0;
}

static void find_catalogues(struct buf *folder)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        char *beside AUTO_FREE = file_folder(self);
        static const char *const places[] = {"po", "../share/locale"};
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            buf_reset(folder);
            buf_addf(folder, "%s/%s", beside, places[i]);
            if (holds_catalogue(folder)) return;
        }
    }
    buf_reset(folder);
    buf_adds(folder, "/usr/share/locale");
}

/* The environment names a locale that is not installed (small systems have C.UTF-8 alone): its language will do. */
static void use_uninstalled(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (!value || !*value) continue;
        if (str_starts(str_of(value), STR("de"))) language_use("de");
        return;
    }
}

void language_init(void)
{
    setlocale(LC_CTYPE, "");
    if (!setlocale(LC_MESSAGES, "")) use_uninstalled();
    struct buf folder AUTO_BUF = BUF_INIT;
    find_catalogues(&folder);
    bindtextdomain(I18N_DOMAIN, buf_cstr(&folder));
    bind_textdomain_codeset(I18N_DOMAIN, "UTF-8");
}

/* gettext looks at LANGUAGE only where the locale is not "C"; C.UTF-8 is always there and is not "C" in that sense. */
void language_use(const char *language)
{
    const char *now = setlocale(LC_MESSAGES, NULL);
    if (!now || strcmp(now, "C") == 0 || strcmp(now, "POSIX") == 0) setlocale(LC_MESSAGES, "C.UTF-8");
    setenv("LANGUAGE", language, 1);
}
