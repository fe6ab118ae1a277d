"""TLS from outside: certificates made here, a real Radicale behind them, and nginx in front for HTTP/2."""

import base64
import http.client
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Site, Suite, card, check_same
from hostile_server import Hostile
from servers import Radicale, Server


class Authority:
    """A certificate authority in a folder; `issue` makes a key and a certificate."""

    def __init__(self, folder, name="Test CA"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.file = os.path.join(folder, "ca.pem")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=" + name,
                     "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def issue(self, name, alternative, days=1):
        """days < 0: it ended yesterday. (key, certificate)"""
        with open(os.path.join(self.folder, name + ".ext"), "w") as f:
            f.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n" % alternative)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name, "-keyout",
                     name + ".key", "-out", name + ".csr")
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-extfile",
                     name + ".ext", "-out", name + ".pem")
        return os.path.join(self.folder, name + ".key"), os.path.join(self.folder, name + ".pem")


class TlsRadicale(Radicale):
    """Radicale that speaks TLS itself."""

    def __init__(self, folder, key, certificate):
        super().__init__(folder)
        self.key, self.certificate = key, certificate

    @property
    def url(self):
        return "https://127.0.0.1:%d/" % self.port

    def command(self):
        command = super().command()
        with open(command[-1]) as f:
            text = f.read()
        with open(command[-1], "w") as f:
            f.write(text.replace("[server]\n", "[server]\nssl = True\ncertificate = %s\nkey = %s\n" % (self.certificate, self.key)))
        return command

    def request(self, method, path, body=None, headers=()):
        conn = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=self.patience, context=ssl._create_unverified_context())
        token = base64.b64encode(("%s:%s" % (self.user, self.password)).encode()).decode()
        conn.request(method, path, body.encode() if isinstance(body, str) else body, {"Authorization": "Basic " + token, **dict(headers)})
        answer = conn.getresponse()
        data = answer.read()
        conn.close()
        return answer.status, dict(answer.getheaders()), data


NGINX = """daemon off; pid %(folder)s/nginx.pid; worker_processes 1; error_log %(folder)s/error.log;
events { worker_connections 256; }
http {
  log_format wire '$connection $server_protocol $request_method $status';
  access_log %(folder)s/access.log wire;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/f; uwsgi_temp_path %(folder)s/u;
  scgi_temp_path %(folder)s/s;
  server {
    listen 127.0.0.1:%(port)d ssl %(h2)s;
    ssl_certificate %(certificate)s; ssl_certificate_key %(key)s; ssl_protocols %(protocols)s; ssl_ciphers ALL:@SECLEVEL=0;
    location / { proxy_pass http://127.0.0.1:%(behind)d; proxy_set_header Host $http_host; }
  }
}
"""


class Nginx(Server):
    """TLS, and HTTP/2 if wanted, in front of another server."""

    name = "nginx"

    def __init__(self, folder, behind, key, certificate, protocols="TLSv1.2 TLSv1.3", h2="http2"):
        super().__init__(folder)
        self.values = {"folder": folder, "port": self.port, "behind": behind.port, "key": key, "certificate": certificate, "protocols": protocols,
                       "h2": h2}
        self.password = behind.password

    @property
    def url(self):
        return "https://127.0.0.1:%d/" % self.port

    def command(self):
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(NGINX % self.values)
        return ["/usr/sbin/nginx", "-c", config, "-p", self.folder]

    def requests(self):
        """(connection, protocol, method, status) of each."""
        with open(os.path.join(self.folder, "access.log")) as f:
            return [tuple(line.split()) for line in f]


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="abgleich-e2e-")
        self.ca = Authority(os.path.join(self.folder, "ca"))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)


def add_account(site, server, ca=None, expect=0, url=None):
    options = ["--ca-file", ca] if ca else []
    return site.run("account", "add", "srv", "--connector", "carddav", "--url", url or server.url, "--user", server.user, "--password-file", "-",
                    "--no-test", *options, text=server.password + "\n", expect=expect)


def good_certificate():
    with World() as w, TlsRadicale(w.path("r"), *w.ca.issue("good", "IP:127.0.0.1")) as server:
        book = server.make_book("kunden", {"u1.vcf": card("u1")})
        site = Site()
        add_account(site, server, w.ca.file)
        site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--authority", "contactbox", expect=0)
        site.sync()
        site.add(card("u2", "Özdemir;Lale"))
        site.sync()
        check_same(site.contacts(), {c.split("UID:")[1].split()[0]: c for c in server.cards(book).values()})
        site.close()


def refused(alternative, days, trust, *words, issuer=None):
    """The account test fails with 6, nothing is sent, and the words say why and what to do."""
    with World() as w:
        other = Authority(w.path("other"), "Other CA") if issuer else w.ca
        with TlsRadicale(w.path("r"), *other.issue("bad", alternative, days)) as server:
            site = Site()
            add_account(site, server, w.ca.file if trust else None)
            r = site.run("account", "test", "srv", expect=6)
            said = (r.out + r.err).lower()
            for word in words:
                assert word in said, "%r is not said: %r" % (word, r)
            site.close()
        with open(w.path("r/server.log")) as log:
            assert "PROPFIND" not in log.read()


def unknown_authority():
    refused("IP:127.0.0.1", 1, False, "certificate", "ca_file")


def another_authority():
    refused("IP:127.0.0.1", 1, True, "certificate", "ca_file", issuer="other")


def wrong_host():
    refused("DNS:other.example", 1, True, "certificate", "another name", "127.0.0.1")


def expired():
    refused("IP:127.0.0.1", -1, True, "certificate", "expired", "renew")


def missing_ca_file():
    with World() as w, TlsRadicale(w.path("r"), *w.ca.issue("good", "IP:127.0.0.1")) as server:
        site = Site()
        add_account(site, server, w.path("nothing.pem"), expect=None)
        r = site.run("account", "test", "srv", expect=2)
        assert "nothing.pem" in r.out + r.err, r
        site.close()


def old_tls():
    """A server that speaks nothing newer than TLS 1.1."""
    with World() as w, Radicale(w.path("r")) as behind:
        key, certificate = w.ca.issue("good", "IP:127.0.0.1")
        with Nginx(w.path("n"), behind, key, certificate, protocols="TLSv1.1", h2="") as server:
            site = Site()
            add_account(site, server, w.ca.file)
            r = site.run("account", "test", "srv", expect=6)
            assert "TLS 1.2" in r.out + r.err, r
            assert server.requests() == []
            site.close()


def no_switch():
    """Whatever the environment or the configuration says, there is no way round."""
    with World() as w, TlsRadicale(w.path("r"), *w.ca.issue("good", "IP:127.0.0.1")) as server:
        site = Site()
        add_account(site, server)
        site.environment = {"CURL_SSL_BACKEND": "openssl", "CURLOPT_SSL_VERIFYPEER": "0", "SSL_VERIFY": "0", "GIT_SSL_NO_VERIFY": "1",
                            "CURL_INSECURE": "1", "HOME": site.folder}
        with open(os.path.join(site.folder, ".curlrc"), "w") as f:
            f.write("insecure\n")
        site.run("account", "test", "srv", expect=6)
        for option in ("insecure = yes", "verify = no", "tls_verify = no"):
            with open(site.config) as f:
                text = f.read()
            with open(site.config, "w") as f:
                f.write(re.sub(r"(?m)^(\[account srv\].*)$", r"\1\n" + option, text))
            r = site.run("account", "test", "srv")
            assert r.code != 0, r
            with open(site.config, "w") as f:
                f.write(text)
        site.close()


class Lead(BaseHTTPRequestHandler):
    """Leads everything to `target` and notes whether a password came along."""

    protocol_version = "HTTP/1.1"
    target, seen = "", []

    def lead(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.headers.get("Authorization")))
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PROPFIND = do_REPORT = do_GET = lead

    def log_message(self, *unused):
        pass


class Leading:
    def __init__(self, key=None, certificate=None):
        self.handler = type("Handler", (Lead,), {"seen": []})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.port = self.server.server_address[1]
        self.user, self.password = "anna", "geheim-7"
        self.url = "%s://127.0.0.1:%d/" % ("https" if key else "http", self.port)
        if key:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def lead_to(self, target):
        self.handler.target = target

    @property
    def seen(self):
        return self.handler.seen

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()


def no_downgrade():
    with World() as w, Leading() as plain, Leading(*w.ca.issue("good", "IP:127.0.0.1")) as secure:
        secure.lead_to(plain.url + "dav/")
        site = Site()
        add_account(site, secure, w.ca.file)
        r = site.run("account", "test", "srv", expect=6)
        assert "http://127.0.0.1" in r.out + r.err and "encrypted" in r.out + r.err, r
        assert plain.seen == [] and secure.seen, (plain.seen, secure.seen)
        site.close()


def no_password_elsewhere():
    """To another host, and to another port of the same one."""
    for host in ("localhost", "127.0.0.1"):
        with World() as w, Leading(*w.ca.issue("b", "IP:127.0.0.1,DNS:localhost")) as other, Leading(*w.ca.issue("a", "IP:127.0.0.1")) as first:
            first.lead_to("https://%s:%d/dav/" % (host, other.port))
            other.lead_to("/loop")
            site = Site()
            add_account(site, first, w.ca.file)
            site.run("account", "test", "srv")
            assert first.seen and all(password for _, password in first.seen), first.seen
            assert not any(password for _, password in other.seen), other.seen
            site.close()


def http2():
    """Several requests over one connection at the same time: 40 new cards are 40 PUTs, and nginx sees one connection a run."""
    with World() as w, Radicale(w.path("r")) as behind:
        book = behind.make_book("kunden", {"u1.vcf": card("u1")})
        with Nginx(w.path("n"), behind, *w.ca.issue("good", "IP:127.0.0.1")) as server:
            site = Site()
            add_account(site, server, w.ca.file)
            site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--authority", "contactbox", expect=0)
            site.sync()
            before = len(server.requests())
            for i in range(40):
                site.add(card("n%d" % i, "Name%d;Vor" % i))
            site.sync()
            seen = server.requests()[before:]
            assert {r[1] for r in seen} == {"HTTP/2.0"}, seen
            assert len({r[0] for r in seen}) == 1, "connections: %s" % {r[0] for r in seen}
            assert sum(r[2] == "PUT" for r in seen) == 40 and len(behind.cards(book)) == 41
            site.close()


def http2_in_parallel():
    """The server answers no request before four are there: only several streams at a time get through."""
    meet = threading.Barrier(4)

    with World() as w, Hostile() as hostile:
        base = hostile.server.RequestHandlerClass
        put = base.do_PUT

        def waiting(self):
            meet.wait(10)
            return put(self)

        site = Site()
        hostile.port = hostile.server.server_address[1]
        with Nginx(w.path("n"), hostile, *w.ca.issue("good", "IP:127.0.0.1")) as server:
            add_account(site, server, w.ca.file)
            site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--authority", "contactbox", expect=0)
            site.sync()
            base.do_PUT = waiting
            for i in range(8):
                site.add(card("n%d" % i, "Name%d;Vor" % i))
            before = len(server.requests())
            site.sync()
            seen = server.requests()[before:]
            assert len({r[0] for r in seen}) == 1 and {r[1] for r in seen} == {"HTTP/2.0"}, seen
            assert len(hostile.texts()) == 8
        site.close()


def main():
    suite = Suite("tls")
    suite.run("a certificate of one's own authority is good with ca_file", good_certificate)
    suite.run("without ca_file it is refused", unknown_authority)
    suite.run("a certificate of another authority is refused", another_authority)
    suite.run("a certificate for another host is refused", wrong_host)
    suite.run("an expired certificate is refused", expired)
    suite.run("a ca_file that is not there is an error of the configuration", missing_ca_file)
    suite.run("TLS 1.1 is refused", old_tls)
    suite.run("verification cannot be switched off", no_switch)
    suite.run("no redirect leads from https to http", no_downgrade)
    suite.run("no redirect takes the password elsewhere", no_password_elsewhere)
    suite.run("HTTP/2: one connection", http2)
    suite.run("HTTP/2: several requests at a time", http2_in_parallel)
    return suite.end()


if __name__ == "__main__":
    raise SystemExit(main())
