"""Real CardDAV servers on loopback, each in a scratch folder, started and ended by whoever uses them.

    with Radicale(folder) as server:
        server.url, server.user, server.password, server.book("kunden", {"a.vcf": card, ...})

Nothing here sleeps a fixed time: a server is ready when its port answers, or it has ended and its output says why."""

import base64
import fcntl
import http.client
import imaplib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emulators"))
import google_cards  # noqa: E402

SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's servers are installed for Debian's Python


reserved = []  # lock files, held until this process ends


def free_port():
    """A port for a server that cannot be told to take any. It stays ours: no other script's, because it is locked, and no outgoing
    connection's, because it is below the range of those."""
    for port in random.sample(range(10000, 32768), 1000):
        try:
            lock = open(os.path.join(tempfile.gettempdir(), "abgleich-port-%d" % port), "ab")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            continue
        reserved.append(lock)
        return port
    raise RuntimeError("no port is free")


def wait_for_port(port, process, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("server ended with %s" % process.returncode)
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("server on port %d did not answer" % port)


class Server:
    """One server process. Subclasses say how to start it and where books live."""

    name, user, password = "server", "anna", "geheim-7"
    patience = 60  # seconds for one answer

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.port = free_port()
        self.process = None
        self.log = open(os.path.join(folder, "server.log"), "ab")

    @property
    def url(self):
        return "http://127.0.0.1:%d/" % self.port

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, start_new_session=True)
        wait_for_port(self.port, self.process)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()
        self.log.close()

    def request(self, method, path, body=None, headers=()):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.patience)
        token = base64.b64encode(("%s:%s" % (self.user, self.password)).encode()).decode()
        send = {"Authorization": "Basic " + token, **dict(headers)}
        conn.request(method, path, body.encode() if isinstance(body, str) else body, send)
        answer = conn.getresponse()
        data = answer.read()
        conn.close()
        return answer.status, dict(answer.getheaders()), data

    def book_path(self, name):
        raise NotImplementedError

    def make_book(self, name, cards=None):
        path = self.book_path(name)
        body = ('<?xml version="1.0"?><D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>'
                '<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype><D:displayname>%s</D:displayname>'
                '</D:prop></D:set></D:mkcol>' % name)
        status, _, data = self.request("MKCOL", path, body, {"Content-Type": "application/xml; charset=utf-8"})
        if status not in (200, 201, 207):
            raise RuntimeError("%s: MKCOL %s: %d %s" % (self.name, path, status, data[:300]))
        for file_name, card in (cards or {}).items():
            self.put(path + file_name, card)
        return path

    def put(self, path, card, **headers):
        status, _, data = self.request("PUT", path, card, {"Content-Type": "text/vcard; charset=utf-8", **headers})
        if status not in (200, 201, 204):
            raise RuntimeError("%s: PUT %s: %d %s" % (self.name, path, status, data[:300]))

    def hrefs(self, path):
        import re
        status, _, data = self.request("PROPFIND", path, '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
                                       {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"})
        if status != 207:
            raise RuntimeError("%s: PROPFIND %s: %d" % (self.name, path, status))
        found = re.findall(r"<(?:\w+:)?href>([^<]+)</", data.decode())
        return sorted(h for h in found if urllib.parse.urlsplit(h).path.rstrip("/") != path.rstrip("/"))

    def cards(self, path):
        """href -> text of every card, read one by one: slow, but nobody's cleverness is in it."""
        return {h: self.request("GET", urllib.parse.urlsplit(h).path)[2].decode() for h in self.hrefs(path)}


class Radicale(Server):
    name = "radicale"

    def command(self):
        users = os.path.join(self.folder, "users")
        with open(users, "w") as f:
            f.write("%s:%s\n" % (self.user, self.password))
        config = os.path.join(self.folder, "config")
        with open(config, "w") as f:
            f.write("[server]\nhosts = 127.0.0.1:%d\n[auth]\ntype = htpasswd\nhtpasswd_filename = %s\n"
                    "htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = %s\n[logging]\nlevel = warning\n"
                    % (self.port, users, os.path.join(self.folder, "collections")))
        return [SYSTEM_PYTHON, "/usr/bin/radicale", "--config", config]

    def book_path(self, name):
        return "/%s/%s/" % (self.user, name)


class Xandikos(Server):
    name = "xandikos"

    def command(self):
        return [SYSTEM_PYTHON, "/usr/bin/xandikos", "--directory", os.path.join(self.folder, "dav"), "--listen-address", "127.0.0.1",
                "--port", str(self.port), "--current-user-principal", "/%s/" % self.user, "--defaults"]

    def book_path(self, name):
        return "/%s/contacts/%s/" % (self.user, name)


CYRUS_CONF = """START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C %(folder)s/imapd.conf -r"
}
SERVICES {
  http cmd="/usr/lib/cyrus/bin/httpd -C %(folder)s/imapd.conf" listen="127.0.0.1:%(port)d" prefork=1
  imap cmd="/usr/lib/cyrus/bin/imapd -C %(folder)s/imapd.conf" listen="127.0.0.1:%(imap)d" prefork=0
}
EVENTS {
}
"""
IMAPD_CONF = """configdirectory: %(folder)s/conf
defaultpartition: default
partition-default: %(folder)s/spool
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: %(folder)s/sasldb2
sasl_mech_list: PLAIN
allowplaintext: yes
httpmodules: carddav
autocreate_quota: 0
autocreate_post: yes
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
servername: localhost
sievedir: %(folder)s/sieve
lmtpsocket: %(folder)s/lmtp
idlesocket: %(folder)s/idle
"""


class Cyrus(Server):
    """Needs root, because its master changes to the user cyrus."""

    name = "cyrus"

    @staticmethod
    def why_not():
        if os.geteuid() != 0:
            return "Cyrus needs root to start its master"
        if not os.path.exists("/usr/lib/cyrus/bin/httpd"):
            return "Cyrus is not installed (packages cyrus-caldav, cyrus-imapd, sasl2-bin)"
        return None

    def start(self):
        """A first sign-in by IMAP makes the user's mailbox; address books are born below it."""
        super().start()
        wait_for_port(self.imap, self.process)
        mail = imaplib.IMAP4("127.0.0.1", self.imap)
        mail.login(self.user, self.password)
        mail.logout()

    def command(self):
        self.imap = free_port()
        values = {"folder": self.folder, "port": self.port, "imap": self.imap}
        for sub in ("conf", "conf/db", "conf/proc", "conf/socket", "conf/log", "spool", "sieve"):
            os.makedirs(os.path.join(self.folder, sub), exist_ok=True)
        self.imapd_conf = os.path.join(self.folder, "imapd.conf")
        with open(self.imapd_conf, "w") as f:
            f.write(IMAPD_CONF % values)
        conf = os.path.join(self.folder, "cyrus.conf")
        with open(conf, "w") as f:
            f.write(CYRUS_CONF % values)
        for realm in {"localhost", socket.gethostname(), socket.getfqdn()}:  # SASL looks under the host's name
            subprocess.run(["saslpasswd2", "-c", "-p", "-u", realm, "-f", os.path.join(self.folder, "sasldb2"), self.user],
                           input=self.password.encode(), check=True)
        os.chmod(self.folder, 0o755)
        subprocess.run(["chown", "-R", "cyrus:mail", self.folder], check=True)
        return ["/usr/sbin/cyrmaster", "-C", self.imapd_conf, "-M", conf, "-p", os.path.join(self.folder, "master.pid"), "-D"]

    def book_path(self, name):
        return "/dav/addressbooks/user/%s/%s/" % (self.user, name)


ALL = (Radicale, Xandikos, Cyrus, google_cards.Google)
