"""The digest mail from outside, taken by a real SMTP server: sent when something needs a person, once, and never when all is well."""

import email
import email.policy
import os
import ssl
import subprocess
import sys
import tempfile

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from harness import Site, Suite, card
from hostile_server import Hostile
from servers import free_port
from test_daemon import Daemon, wait_until


class Mailbox:
    """A real mail server on loopback; `mails` are (envelope, parsed message)."""

    def __init__(self, **options):
        self.mails, self.refuse = [], None
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), **options)

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse
        self.mails.append((envelope, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *unused):
        self.controller.stop()

    @property
    def url(self):
        return "smtp://127.0.0.1:%d" % self.controller.port


def site_with(server, smtp, *lines):
    site = Site(server)
    with open(site.config, "a") as f:
        f.write("[report]\nmail_to = chef@example.org, it@example.org\nmail_from = abgleich@example.org\nsmtp = %s\ngap = 0s\n" % smtp)
        f.write("".join(line + "\n" for line in lines))
    return site


def fill(server, site, n=30):
    for i in range(n):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i))
    site.sync()


def lock_out(server, site=None):
    """From now on the server refuses the password; with a site, that has met it."""
    server.at = lambda moment, *unused: (401, {"WWW-Authenticate": 'Basic realm="x"'}, "") if moment == "arrived" else None
    if site:
        site.sync(5)


def let_in(server):
    server.at = lambda *unused: None


def nothing_to_say():
    with Hostile() as server, Mailbox() as box:
        site = site_with(server, box.url)
        fill(server, site)
        r = site.run("digest", "--send", expect=0)
        assert "Nothing needs you" in r.err and not box.mails, r
        assert site.run("--json", "digest", expect=0).json() == []
        site.close()


def told_once_and_again_when_it_comes_back():
    with Hostile() as server, Mailbox() as box:
        site = site_with(server, box.url)
        site.sync()
        lock_out(server, site)
        listed = site.run("--json", "digest", expect=0).json()
        assert [a["kind"] for a in listed] == ["sign_in"] and listed[0]["command"] == "abgleich account test srv", listed
        site.run("digest", "--send", expect=0)
        assert len(box.mails) == 1
        envelope, mail = box.mails[0]
        assert envelope.rcpt_tos == ["chef@example.org", "it@example.org"] and envelope.mail_from == "abgleich@example.org"
        assert mail["Auto-Submitted"] == "auto-generated" and mail["Message-ID"] and mail["Date"] and "kunden" in mail["Subject"]
        text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "Sign-in is refused" in text and "abgleich account test srv" in text and "<code>" in page, text
        assert "Nothing new" in site.run("digest", "--send", expect=0).err and len(box.mails) == 1
        let_in(server)
        site.sync()
        site.run("digest", "--send", expect=0)
        lock_out(server, site)
        site.run("digest", "--send", expect=0)
        assert len(box.mails) == 2, len(box.mails)
        site.close()


def in_german_with_umlauts():
    with Hostile() as server, Mailbox() as box:
        site = site_with(server, box.url)
        lock_out(server, site)
        site.language = "de"
        site.run("digest", "--test", expect=0)
        raw = box.mails[0][0].content
        assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 998
        site.close()


def mail_server_gone_or_refusing():
    with Hostile() as server:
        site = site_with(server, "smtp://127.0.0.1:%d" % free_port())
        lock_out(server, site)
        r = site.run("digest", "--send", expect=6)
        assert "smtp://127.0.0.1" in r.err, r
        site.close()
        with Mailbox() as box:
            box.refuse = "550 not you"
            let_in(server)
            site = site_with(server, box.url)
            lock_out(server, site)
            r = site.run("digest", "--send")
            assert r.code == 1 and "550" in r.err, r
            box.refuse = None
            site.run("digest", "--send", expect=0)
            assert len(box.mails) == 1, "it is sent as soon as it can be"
            site.close()


def certificate(folder, name):
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return key, cert


def signs_in_by_tls_only():
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append(data)
        good = isinstance(data, LoginPassword) and data == LoginPassword(b"anna", b"geheim-kanarie")
        return AuthResult(success=good, handled=False)

    with tempfile.TemporaryDirectory() as folder, Hostile() as server:
        key, cert = certificate(folder, "127.0.0.1")
        secret = os.path.join(folder, "secret")
        with open(secret, "w") as f:
            f.write("geheim-kanarie\n")
        signed = ["user = anna", "secret = file:" + secret]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with Mailbox(tls_context=context, require_starttls=True, authenticator=check, auth_required=True) as box:
            good = site_with(server, box.url, "ca_file = " + cert, *signed)
            stranger = site_with(server, box.url, *signed)
            wrong = site_with(server, box.url, "ca_file = " + cert, "user = anna", "secret = command:echo falsch")
            for site in (good, stranger, wrong):
                lock_out(server, site)
            good.run("digest", "--send", expect=0)
            assert len(box.mails) == 1 and len(seen) == 1
            stranger.run("digest", "--send", expect=6)
            assert len(seen) == 1, "no password goes to a server that cannot prove its name"
            wrong.run("digest", "--send", expect=5)
            assert len(box.mails) == 1
        with Mailbox(authenticator=check, auth_require_tls=False) as box:
            let_in(server)
            plain = site_with(server, box.url, *signed)
            lock_out(server, plain)
            before = len(seen)
            assert "TLS" in plain.run("digest", "--send", expect=6).err and len(seen) == before, "no password goes in the open"


def the_daemon_sends_it():
    with Hostile() as server, Mailbox() as box:
        site = site_with(server, box.url)
        site.run("account", "set", "srv", "interval=1h", expect=0)
        lock_out(server, site)
        with open(site.config) as f:
            text = f.read()
        with open(site.config, "w") as f:
            f.write(text.replace("[abgleich]\n", "[abgleich]\nlisten = 127.0.0.1:0\n"))
        daemon = Daemon(site)
        wait_until(lambda: box.mails)
        daemon.stop()
        assert len(box.mails) == 1
        site.close()


def wrong_settings_are_named():
    for line, word in (("mail_to = Anna <anna@example.org>", "mail_to"), ("smtp = mail.example.org", "smtp"), ("secret = stored", "secret"),
                       ("retain = bald", "retain"), ("mailto = anna@example.org", "mail_to")):
        site = Site()
        with open(site.config, "a") as f:
            f.write("[report]\n%s\n" % line)
        r = site.run("config", "check", expect=2)
        assert word in r.err and ":4:" in r.err, r
        site.close()


def main():
    suite = Suite("digest")
    for test in (nothing_to_say, told_once_and_again_when_it_comes_back, in_german_with_umlauts, mail_server_gone_or_refusing,
                 signs_in_by_tls_only, the_daemon_sends_it, wrong_settings_are_named):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
