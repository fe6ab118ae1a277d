"""What the CardDAV tests share: a server of ours on loopback, and requests sent as a program sends them: exactly the bytes, one connection."""

import base64
import http.client
import select
import socket
import urllib.parse
import xml.etree.ElementTree as xml

from harness import Site, card
from test_daemon import Daemon

D, C, CS = "{DAV:}", "{urn:ietf:params:xml:ns:carddav}", "{http://calendarserver.org/ns/}"
NAMESPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" xmlns:cs="http://calendarserver.org/ns/"'
PROPFIND = "<d:propfind " + NAMESPACES + "><d:prop>%s</d:prop></d:propfind>"
SYNC = "<d:sync-collection " + NAMESPACES + "><d:sync-token>%s</d:sync-token><d:sync-level>1</d:sync-level>%s<d:prop>%s</d:prop></d:sync-collection>"
MULTIGET = "<c:addressbook-multiget " + NAMESPACES + "><d:prop>%s</d:prop>%s</c:addressbook-multiget>"
QUERY = "<c:addressbook-query " + NAMESPACES + "><d:prop><d:getetag/></d:prop>%s</c:addressbook-query>"
OK, NOT_FOUND = "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"


class Response:
    """One response of a multistatus."""

    def __init__(self, element):
        self.href = element.find(D + "href").text
        status = element.find(D + "status")
        self.status = status.text if status is not None else None  # of the resource as a whole
        self.propstats = [(p.find(D + "status").text, p.find(D + "prop")) for p in element.findall(D + "propstat")]
        self.first = self.status or (self.propstats[0][0] if self.propstats else None)

    def get(self, name):
        """A property's element, where it was found."""
        for status, prop in self.propstats:
            if status == OK and prop.find(name) is not None:
                return prop.find(name)
        return None

    def text(self, name):
        found = self.get(name)
        return None if found is None else found.text or ""

    def href_in(self, name):
        found = self.get(name)
        return None if found is None else found.find(D + "href").text


class Answer:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body

    def xml(self):
        return xml.fromstring(self.body)

    def responses(self):
        assert self.status == 207, (self.status, self.body[:300])
        return [Response(r) for r in self.xml().findall(D + "response")]

    def by_href(self):
        return {r.href: r for r in self.responses()}

    def condition(self):
        """The name of the precondition an error tells, with its namespace."""
        try:
            return self.xml()[0].tag if self.xml().tag == D + "error" else None
        except (xml.ParseError, IndexError):
            return None


class Connection:
    """A program: its User-Agent, its user, one connection that is kept."""

    def __init__(self, url, user="anna", password="geheim-7", agent="test/1", signs_in=True):
        self.where = urllib.parse.urlsplit(url)
        self.http = http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=60)
        self.agent, self.signs_in = agent, signs_in
        self.token = "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
        self.log = []

    def ask(self, method, path, body=None, depth=None, sign_in=None, chunked=False, **headers):
        """Header names with _ for -. chunked: no length is told."""
        send = {"User-Agent": self.agent}
        if self.signs_in if sign_in is None else sign_in:
            send["Authorization"] = self.token
        if depth is not None:
            send["Depth"] = str(depth)
        send.update({k.replace("_", "-"): v for k, v in headers.items()})
        body = body.encode() if isinstance(body, str) else body
        if self.http.sock and select.select([self.http.sock], [], [], 0)[0]:
            self.http.close()  # it was closed for being idle: programs connect again
        if body is not None and body.startswith(b"<") and "Content-Type" not in send:
            send["Content-Type"] = "application/xml; charset=utf-8"
        if chunked:
            self.http.request(method, path, iter([body[i:i + 700] for i in range(0, len(body), 700)]), send, encode_chunked=True)
        else:
            self.http.request(method, path, body, send)
        got = self.http.getresponse()
        data = got.read()
        self.log.append((method, path, got.status))
        return Answer(got.status, got.reason, {k.lower(): v for k, v in got.getheaders()}, data)

    def close(self):
        self.http.close()


class Dav:
    """A site with the book Kunden, the user anna who may write it, and a daemon."""

    user, password, name = "anna", "geheim-7", "dav"

    def __init__(self, contacts=3, settings="", **environment):
        self.site = Site()
        with open(self.site.config, "a", encoding="utf-8") as f:
            f.write("listen = 127.0.0.1:0\n" + settings)
        self.site.run("book", "add", "Kunden", expect=0)
        if contacts:
            text = "".join(card("u%d" % i, "Özdemir%d;Lale" % i, "X-EIGEN;P=1:bleibt") for i in range(contacts))
            self.site.run("contact", "import", "Kunden", "/dev/stdin", text=text, expect=0)
        self.add_user("anna", "Kunden")
        self.daemon = Daemon(self.site, **environment)
        self.url = self.daemon.address
        self.me = self.connect()
        home = self.me.ask("PROPFIND", "/dav/books/anna/", PROPFIND % "<d:resourcetype/><d:displayname/>", 1).responses()
        self.books = {r.text(D + "displayname"): r.href for r in home if r.get(D + "resourcetype").find(C + "addressbook") is not None}
        self.book = self.books["Kunden"]

    def connect(self, user="anna", agent="test/1", **more):
        return Connection(self.url, user, self.password, agent, **more)

    def add_user(self, name, *books):
        options = [o for b in books for o in ("--book", b)]
        self.site.run("user", "add", name, *options, "--password-file", "-", text=self.password + "\n", expect=0)

    def put(self, name, text, by=None, **conditions):
        return (by or self.me).ask("PUT", self.book + name, text, Content_Type="text/vcard; charset=utf-8", **conditions)

    def sync(self, token="", props="<d:getetag/>", more="", by=None, depth=0):
        """(next token, {href: Response}, whether it was cut)"""
        answer = (by or self.me).ask("REPORT", self.book, SYNC % (token, more, props), depth)
        found = answer.by_href()
        cut = found.pop(self.book, None)
        assert cut is None or "507" in cut.status
        return answer.xml().find(D + "sync-token").text, found, cut is not None

    def raw(self, data):
        """Bytes as they are; the first line of the answer."""
        with socket.create_connection((self.me.where.hostname, self.me.where.port), 20) as s:
            s.sendall(data)
            return s.recv(65536).split(b"\r\n")[0].decode()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.me.close()
        self.daemon.stop()
        self.site.close()
