/* From an account as configured to one that can sign in: reads its secret where it is kept. */
#include "cli/config.h"

#include "base/i18n.h"
#include "cli/file.h"
#include "cli/secret.h"
#include "core/token_store.h"
#include "mapping/directory_csv.h"
#include "state/secrets.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SECRET_MAX_BYTES 65536

/* The first line; the buffer is wiped. */
static enum fault_code first_line(struct buf *text, char **out)
{
    *out = secret_of(secret_first_line(buf_str(text)));
    secret_wipe(text);
    return FAULT_NONE;
}

static enum fault_code from_file(const char *path, char **out, struct fault *f)
{
    struct buf text AUTO_BUF = BUF_LIMIT(SECRET_MAX_BYTES);
    buf_reserve(&text, SECRET_MAX_BYTES / 2); /* grown later, it would leave copies behind */
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (!file_read(path, &text, &why)) return first_line(&text, out);
    return fault_set(f, FAULT_AUTH, _("see secret = file:PATH in the configuration"),
                     _("the password cannot be read: %s"), why.what);
}

static enum fault_code from_credential(const char *name, char **out, struct fault *f)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder || !*folder)
        return fault_set(f, FAULT_AUTH, _("start it by systemd with LoadCredential="),
                         _("there is no credential \"%s\" here"), name);
    struct buf path AUTO_BUF = BUF_INIT;
    buf_addf(&path, "%s/%s", folder, name);
    return from_file(buf_cstr(&path), out, f);
}

static enum fault_code from_command(const char *command, char **out, struct fault *f)
{
    FILE *pipe = popen(command, "re");
    if (!pipe) return fault_set(f, FAULT_AUTH, NULL, _("the password command cannot be started: %s"), command);
    struct buf text AUTO_BUF = BUF_LIMIT(SECRET_MAX_BYTES);
    buf_reserve(&text, SECRET_MAX_BYTES / 2);
    char chunk[512];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, pipe)) > 0) buf_add(&text, chunk, n);
    sodium_memzero(chunk, sizeof chunk);
    int status = pclose(pipe);
    if (status == 0) return first_line(&text, out);
    secret_wipe(&text);
    return fault_set(f, FAULT_AUTH, _("try it in a shell"), _("the password command failed (%d): %s"),
                     WIFEXITED(status) ? WEXITSTATUS(status) : -1, command);
}

static enum fault_code from_state(const char *account, struct db *db, char **out, struct fault *f)
{
    enum fault_code code = secret_get(db, account, "password", out, f);
    if (code || *out) return code;
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("give one: abgleich secret set %s"), account);
    return fault_set(f, FAULT_AUTH, buf_cstr(&advice), _("no password is stored"));
}

enum fault_code config_secret_read(const char *secret, const char *account, struct db *db, char **out, struct fault *f)
{
    *out = NULL;
    if (!secret) return FAULT_NONE;
    if (str_starts(str_of(secret), STR("file:"))) return from_file(secret + 5, out, f);
    if (str_starts(str_of(secret), STR("command:"))) return from_command(secret + 8, out, f);
    if (str_starts(str_of(secret), STR("credential:"))) return from_credential(secret + 11, out, f);
    return from_state(account, db, out, f);
}

enum fault_code config_account_open(const struct config_account *a, struct db *db, struct account *out, struct fault *f)
{
    *out = (struct account){.name = a->name,
                            .connector = a->connector,
                            .url = a->url,
                            .user = a->user,
                            .ca_file = a->ca_file,
                            .region = a->region,
                            .allow_plain_http = a->plain_http,
                            .settings = a->settings,
                            .n_settings = a->n_settings,
                            .state = config_is_built_in(a) ? db : NULL};
    if (oauth_is_used(out)) out->tokens = token_store_new(db, a->name);
    char *password;
    enum fault_code code = config_secret_read(a->secret, a->name, db, &password, f);
    out->password = password;
    if (code) fault_about(f, NULL, a->name);
    return code;
}

void config_account_wipe(struct account *a)
{
    char *password;
    memcpy(&password, &a->password, sizeof password); /* ours, const for everybody else */
    secret_free(password);
    a->password = NULL;
    token_store_free(a->tokens);
    a->tokens = NULL;
}

enum fault_code config_link_open(const struct config_link *l, struct db *db, struct link *out, struct fault *f)
{
    *out = (struct link){.name = l->name,
                         .collection_a = l->collection_a,
                         .collection_b = l->collection_b,
                         .policy = l->policy,
                         .filter = l->filter,
                         .settings_hash = l->settings_hash,
                         .history_ms = l->history_ms};
    enum fault_code code = config_account_open(l->account_a, db, &out->a, f);
    if (!code) code = config_account_open(l->account_b, db, &out->b, f);
    out->a.link = out->b.link = l->name;
    return code;
}

void config_link_wipe(struct link *l)
{
    config_account_wipe(&l->a);
    config_account_wipe(&l->b);
}

#define COLUMNS_MAX_BYTES 65536

enum fault_code config_directory_columns(const struct config *c, struct arena *arena, struct directory_csv_options *out,
                                         struct fault *f)
{
    struct buf text AUTO_BUF = BUF_LIMIT(COLUMNS_MAX_BYTES);
    struct fault why AUTO_FAULT = FAULT_INIT;
    *out = (struct directory_csv_options){0};
    if (!c->directory_columns) return FAULT_NONE;
    if (file_read(c->directory_columns, &text, &why) || directory_csv_aliases(buf_str(&text), arena, out, &why))
        return fault_set(f, FAULT_CONFIG, why.advice, "directory_columns = %s: %s", c->directory_columns, why.what);
    return FAULT_NONE;
}
