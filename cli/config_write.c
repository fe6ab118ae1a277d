#include "cli/config_write.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/file.h"
#include "cli/ini_file.h"

static char *drop_in_path(const struct config *c, enum config_kind kind, const char *name)
{
    char *folder AUTO_FREE = file_folder(c->path);
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/conf.d/%s-%s.ini", folder, config_kind_word(kind), name);
    return buf_detach(&path);
}

/* A drop-in being put together: its own keys in their order, then the new ones. */
struct draft {
    struct buf text;
    const struct config_pair *pairs;
    size_t n;
};

static void put(struct draft *d, struct str key, struct str value)
{
    buf_addf(&d->text, "%.*s = %.*s\n", STR_ARG(key), STR_ARG(value));
}

static enum fault_code skip_section(void *ctx, struct str name, unsigned line, struct fault *f)
{
    (void)ctx, (void)name, (void)line, (void)f;
    return FAULT_NONE;
}

static enum fault_code keep_value(void *ctx, struct str key, struct str value, unsigned line, struct fault *f)
{
    (void)line, (void)f;
    struct draft *d = ctx;
    for (size_t i = 0; i < d->n; i++)
        if (str_eq(key, str_of(d->pairs[i].key))) return FAULT_NONE;
    put(d, key, value);
    return FAULT_NONE;
}

static enum fault_code check_pairs(enum config_kind kind, const struct config_pair *pairs, size_t n, struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; i < n && !code; i++) {
        struct str value = str_of(pairs[i].value);
        bool known = config_key(kind, str_of(pairs[i].key)) || (kind == CONFIG_ACCOUNT && config_setting(str_of(pairs[i].key), false));
        if (!value.p && known) continue;
        code = config_key_check(kind, str_of(pairs[i].key), value, NULL, f);
        /* What the reader would take for the end of the value cannot be in it. */
        bool broken = value.n && (memchr(value.p, '\n', value.n) || str_find(value, STR(" ;")) != (size_t)-1);
        if (!code && broken)
            code = fault_set(f, FAULT_CONFIG, NULL, _("%s: line breaks and \" ;\" cannot be written"), pairs[i].key);
    }
    return code;
}

/* Writes, reads everything back, and puts the old file back if that fails. */
static enum fault_code replace(const struct config *c, const char *path, struct str text, struct fault *f)
{
    struct buf old AUTO_BUF = BUF_INIT;
    bool had = file_read(path, &old, NULL) == FAULT_NONE;
    enum fault_code code = text.p ? file_write(path, text, f) : file_remove(path, f);
    if (code) return code;
    struct config *now = NULL;
    code = config_load(c->path, false, &now, f);
    config_free(now);
    if (!code) return FAULT_NONE;
    if (had)
        file_write(path, buf_str(&old), NULL);
    else
        file_remove(path, NULL);
    return code;
}

enum fault_code config_write(const struct config *c, enum config_kind kind, const char *name,
                             const struct config_pair *pairs, size_t n, bool fresh, struct fault *f)
{
    enum fault_code code = check_pairs(kind, pairs, n, f);
    if (code) return code;
    char *path AUTO_FREE = drop_in_path(c, kind, name);
    struct draft d = {.text = BUF_INIT, .pairs = pairs, .n = n};
    struct ini_sink sink = {&d, skip_section, keep_value};
    buf_addf(&d.text, _("; written by abgleich, which keeps no comments here\n"));
    buf_addf(&d.text, "[%s %s]\n", config_kind_word(kind), name);
    if (!fresh) code = ini_file_read(path, &sink, f);
    if (code == FAULT_GONE) {
        fault_clear(f);
        code = FAULT_NONE;
    }
    for (size_t i = 0; i < n; i++)
        if (pairs[i].value) put(&d, str_of(pairs[i].key), str_of(pairs[i].value));
    if (!code) code = replace(c, path, buf_str(&d.text), f);
    buf_free(&d.text);
    return code;
}

bool config_is_drop_in(const struct config *c, enum config_kind kind, const char *name, struct config_place place)
{
    char *path AUTO_FREE = drop_in_path(c, kind, name);
    return place.file && strcmp(place.file, path) == 0;
}

enum fault_code config_remove(const struct config *c, enum config_kind kind, const char *name,
                              struct config_place place, struct fault *f)
{
    if (!config_is_drop_in(c, kind, name, place))
        return fault_set(f, FAULT_CONFIG, _("take the section out there"), _("[%s %s] is written in %s, line %u"),
                         config_kind_word(kind), name, place.file, place.line);
    char *path AUTO_FREE = drop_in_path(c, kind, name);
    return replace(c, path, STR_NONE, f);
}
