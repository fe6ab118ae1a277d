/* Sends one mail by SMTP (RFC 5321) or SMTPS. Called by cli/ for the digest; blocks its thread until the server has
 * taken or refused the mail, a minute at most. TLS as for HTTP: verification is always on, and without TLS nothing
 * leaves this machine. */
#ifndef ABGLEICH_MAIL_H
#define ABGLEICH_MAIL_H

#include "base/env.h"

struct mail_server {
    const char *url;      /* smtp://host[:port] (STARTTLS) or smtps://host[:port] */
    const char *user;     /* NULL = no sign-in */
    const char *password; /* wiped by the caller */
    const char *ca_file;  /* NULL = the system's */
};
struct mail {
    const char *from;      /* an address alone: "abgleich@example.org" */
    const char *const *to; /* addresses */
    size_t n_to;
    const char *subject;
    struct str text, html; /* UTF-8; both are sent, as alternatives */
};
/* FAULT_UNREACHABLE, FAULT_AUTH, FAULT_REFUSED (the server took none of it), FAULT_CANCELLED. */
enum fault_code mail_send(struct env *env, const struct mail_server *server, const struct mail *mail, struct fault *f);

/* Is this one address as it may stand in an envelope? No names, no comments, no line breaks. */
bool mail_address_ok(struct str address);
/* A header's text as RFC 2047 encoded words where it is not plain ASCII; what could end the line is dropped. */
void mail_header_text(struct str text, struct buf *out);

#endif
