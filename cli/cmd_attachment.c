/* contact attach, attachments, attachment get, detach: files kept with a contact. */
#include "cli/command.h"
#include "cli/contact.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file is, by its ending; anything else is bytes. */
static const char *const media_types[][2] = {
    {".pdf", "application/pdf"},
    {".txt", "text/plain"},
    {".csv", "text/csv"},
    {".html", "text/html"},
    {".vcf", "text/vcard"},
    {".ics", "text/calendar"},
    {".eml", "message/rfc822"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".png", "image/png"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".tif", "image/tiff"},
    {".tiff", "image/tiff"},
    {".svg", "image/svg+xml"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".doc", "application/msword"},
    {".xls", "application/vnd.ms-excel"},
    {".zip", "application/zip"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
};

static struct str type_of(struct str name)
{
    for (size_t i = 0; i < sizeof media_types / sizeof *media_types; i++) {
        struct str ending = str_of(media_types[i][0]);
        if (name.n > ending.n && str_eq_nocase((struct str){name.p + name.n - ending.n, ending.n}, ending))
            return str_of(media_types[i][1]);
    }
    return STR("application/octet-stream");
}

/* -- attach -- */

struct input { /* a file, or what a pipe held: nobody may keep the database waiting while it is written to */
    int fd;
    const char *path;
    struct str rest;
};

static enum fault_code read_input(void *ctx, char *out, size_t cap, size_t *n, struct fault *f)
{
    struct input *in = ctx;
    if (in->fd < 0) {
        *n = in->rest.n < cap ? in->rest.n : cap;
        memcpy(out, in->rest.p, *n);
        in->rest.p += *n, in->rest.n -= *n;
        return FAULT_NONE;
    }
    ssize_t got;
    do got = read(in->fd, out, cap);
    while (got < 0 && errno == EINTR);
    if (got < 0) return fault_set(f, FAULT_USAGE, NULL, "%s: %s", in->path, strerror(errno));
    *n = (size_t)got;
    return FAULT_NONE;
}

static bool open_input(struct cli *cli, const char *path, struct buf *whole, struct input *out)
{
    *out = (struct input){.fd = -1, .path = path};
    struct stat st;
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (file_read(path, whole, &cli->fault)) {
            if (cli->fault.code != FAULT_TOO_LARGE) cli->fault.code = FAULT_USAGE;
            return false;
        }
        out->rest = buf_str(whole);
        return true;
    }
    out->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (out->fd < 0) cli_usage(cli, NULL, "%s: %s", path, strerror(errno));
    return out->fd >= 0;
}

static struct str name_for(struct cli *cli, const char *path)
{
    const char *name = cli_option(cli, "name");
    if (name) return str_of(name);
    const char *slash = strrchr(path, '/');
    return str_of(slash ? slash + 1 : path);
}

static int attach(struct cli *cli, const struct attachment *about, struct input *in)
{
    int64_t no = 0;
    struct attachment a;
    if (attachment_add(cli->db, about, cli->config->max_attachment_bytes, read_input, in, &no, &cli->fault)) {
        fault_about(&cli->fault, arena_strdup(&cli->arena, about->name), NULL);
        return cli_fail(cli);
    }
    if (!cli->json)
        printf("%lld\n", (long long)no);
    else if (attachment_get(cli->db, no, &cli->arena, &a))
        json_print(attachment_json(&a), stdout);
    return EXIT_DONE;
}

int command_attach(struct cli *cli)
{
    struct store_record r;
    struct input in;
    const char *path = cli->args[1], *type = cli_option(cli, "type");
    if (strcmp(path, "-") == 0 && !cli_option(cli, "name"))
        return cli_usage(cli, _("give --name NAME"), _("what comes from standard input has no name"));
    if (!contact_find(cli, cli->args[0], false, &r)) return cli_fail(cli);
    struct buf whole AUTO_BUF = BUF_LIMIT((size_t)cli->config->max_attachment_bytes + 1);
    if (!open_input(cli, path, &whole, &in)) return cli_fail(cli);
    struct str name = name_for(cli, path);
    const struct attachment about = {.record = r.id, .name = name, .media_type = type ? str_of(type) : type_of(name)};
    int code = attach(cli, &about, &in);
    if (in.fd >= 0) close(in.fd);
    return code;
}

/* -- attachments -- */

int command_attachments(struct cli *cli)
{
    struct store_record r;
    if (!contact_find(cli, cli->args[0], false, &r)) return cli_fail(cli);
    struct attachment *list;
    size_t n = attachment_list(cli->db, r.id, cli_flag(cli, "all"), &cli->arena, &list);
    if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
    if (cli->json) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(all, attachment_json(&list[i]));
        json_print(all, stdout);
        return EXIT_DONE;
    }
    if (!n) cli_say(cli, _("No attachments.\n"));
    struct table t AUTO_TABLE = table_of(5, 1 | 1 << 3);
    for (size_t i = 0; i < n; i++) {
        table_number(&t, list[i].no);
        table_text(&t, list[i].name);
        table_text(&t, list[i].media_type);
        table_cell(&t, attachment_size(list[i].size_bytes, &cli->arena));
        table_cell(&t, list[i].detached_ms ? _("detached") : "");
    }
    table_print(&t, "", stdout);
    return EXIT_DONE;
}

/* -- attachment get, detach -- */

static bool find_one(struct cli *cli, const char *text, struct attachment *out)
{
    const char *advice = _("\"abgleich contact attachments CONTACT\" shows the numbers");
    int64_t no;
    if (!cli_db(cli) || !contact_number(cli, text, advice, &no)) return false;
    if (attachment_get(cli->db, no, &cli->arena, out)) return true;
    if (!db_check(cli->db, &cli->fault)) cli_usage(cli, advice, _("there is no attachment %s"), text);
    return false;
}

static bool write_out(void *ctx, struct str bytes)
{
    (void)ctx;
    return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n;
}

int command_attachment_get(struct cli *cli)
{
    struct attachment a;
    if (!find_one(cli, cli->args[0], &a) || attachment_read(cli->db, a.no, write_out, NULL, &cli->fault))
        return cli_fail(cli);
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_DONE;
    fault_set(&cli->fault, FAULT_INTERNAL, NULL, _("the file could not be written: %s"), strerror(errno));
    return cli_fail(cli);
}

int command_detach(struct cli *cli)
{
    bool undo = cli_flag(cli, "undo");
    struct attachment a;
    if (!cli_db(cli) || db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    for (size_t i = 0; i < cli->n_args && !cli->fault.code; i++)
        if (find_one(cli, cli->args[i], &a)) attachment_detach(cli->db, a.no, !undo, &cli->fault);
    if (cli->fault.code) {
        db_rollback(cli->db);
        return cli_fail(cli);
    }
    return db_commit(cli->db, &cli->fault) ? cli_fail(cli) : EXIT_DONE;
}
