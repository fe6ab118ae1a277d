"""The CardDAV server from outside: vdirsyncer and another abgleich use it two-way, each answer is what the specifications say, users do not see
each other, and what a client wrote comes back byte for byte."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

from harness import Site, Suite, card, check_same
from test_daemon import Daemon

D, C, CS = "{DAV:}", "{urn:ietf:params:xml:ns:carddav}", "{http://calendarserver.org/ns/}"
PROPFIND = '<d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" xmlns:cs="http://calendarserver.org/ns/"><d:prop>%s</d:prop></d:propfind>'
SYNC = '<d:sync-collection xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:sync-token>%s</d:sync-token><d:sync-level>1</d:sync-level>%s<d:prop><d:getetag/>%s</d:prop></d:sync-collection>'


class Answer:
    def __init__(self, raw):
        head, self.body = raw.split(b"\r\n\r\n", 1)
        while re.match(rb"HTTP/1.1 100", head):
            head, self.body = self.body.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)}

    def xml(self):
        return xml.fromstring(self.body)

    def responses(self):
        return {r.find(D + "href").text: r for r in self.xml().findall(D + "response")}


class Server:
    """A site with the book Kunden, the user anna who may write it, and a daemon."""

    user, password, name = "anna", "geheim-7", "dav"

    def __init__(self, contacts=3, settings=""):
        self.site = Site()
        with open(self.site.config, "a", encoding="utf-8") as f:
            f.write("listen = 127.0.0.1:0\n" + settings)
        self.site.run("book", "add", "Kunden", expect=0)
        for i in range(contacts):
            self.site.add(card("u%d" % i, "Özdemir%d;Lale" % i, "X-EIGEN;P=1:bleibt"))
        self.add_user("anna", "Kunden")
        self.daemon = Daemon(self.site)
        self.url = self.daemon.address
        home = self.ask("PROPFIND", "dav/books/anna/", depth=1).responses()
        self.book = [href for href in home if href.count("/") == 5][0].lstrip("/")

    def add_user(self, name, *books):
        options = [o for b in books for o in ("--book", b)]
        self.site.run("user", "add", name, *options, "--password-file", "-", text=self.password + "\n", expect=0)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.daemon.stop()
        self.site.close()

    def ask(self, method, path, body=None, depth=None, user="anna", **headers):
        args = ["curl", "-s", "-i", "-X", method, "--path-as-is"] if method != "HEAD" else ["curl", "-s", "-I"]
        if user:
            args += ["-u", user + ":" + self.password]
        if depth is not None:
            args += ["-H", "Depth: %s" % depth]
        for k, v in headers.items():
            args += ["-H", "%s: %s" % (k.replace("_", "-"), v)]
        if body is not None:
            args += ["--data-binary", "@-"]
        done = subprocess.run(args + [self.url + path], input=body.encode() if isinstance(body, str) else body, stdout=subprocess.PIPE, timeout=60)
        return Answer(done.stdout)

    def put(self, name, text, **conditions):
        return self.ask("PUT", self.book + name, text, Content_Type="text/vcard", **conditions)

    def token(self, since="", more="", props=""):
        answer = self.ask("REPORT", self.book, SYNC % (since, more, props))
        return answer.xml().find(D + "sync-token").text, answer


def found_from_any_address():
    with Server() as s:
        for path in (".well-known/carddav", "dav"):
            for method in ("GET", "PROPFIND"):
                got = s.ask(method, path, user=None)
                assert got.status == 301 and got.headers["location"] == "/dav/", (path, method, got.status)
        options = s.ask("OPTIONS", s.book, user=None)
        assert options.status == 200 and "addressbook" in options.headers["dav"] and "REPORT" in options.headers["allow"]
        refused = s.ask("PROPFIND", "dav/", user=None)
        assert refused.status == 401 and 'Basic realm=' in refused.headers["www-authenticate"]
        root = s.ask("PROPFIND", "dav/", PROPFIND % "<d:current-user-principal/><c:addressbook-home-set/><x:unknown xmlns:x='urn:x'/>", 0).responses()["/dav/"]
        assert root.find(".//%scurrent-user-principal/%shref" % (D, D)).text == "/dav/principals/anna/"
        stats = [p.find(D + "status").text for p in root.findall(D + "propstat")]
        assert stats == ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"], stats
        book = s.ask("PROPFIND", s.book, PROPFIND % "<d:resourcetype/><d:displayname/><cs:getctag/><d:sync-token/><c:supported-address-data/><c:max-resource-size/>"
                     "<d:current-user-privilege-set/><d:supported-report-set/>", 0).responses()["/" + s.book]
        assert book.find(".//" + C + "addressbook") is not None and book.find(".//" + D + "displayname").text == "Kunden"
        assert {e.get("version") for e in book.iter(C + "address-data-type")} == {"3.0", "4.0"}
        assert {"write", "bind", "unbind", "write-content"} <= {p[0].tag[len(D):] for p in book.iter(D + "privilege")}
        assert s.ask("PROPFIND", s.book, depth="infinity").status == 403


def listed_read_and_written():
    with Server() as s:
        cards = s.ask("PROPFIND", s.book, PROPFIND % "<d:resourcetype/><d:getetag/><d:getcontenttype/>", 1).responses()
        cards.pop("/" + s.book)
        assert len(cards) == 3
        for href, r in cards.items():
            got = s.ask("GET", href[1:])
            assert got.status == 200 and got.headers["etag"] == r.find(".//" + D + "getetag").text and b"X-EIGEN;P=1:bleibt" in got.body
            assert s.ask("HEAD", href[1:]).headers["etag"] == got.headers["etag"]
            assert s.ask("GET", href[1:], If_None_Match=got.headers["etag"]).status == 304
        text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:neu\r\nitem1.X-Abc;q=\"a,b\":c\\,d\r\nN:Neu;;;;\r\nFN:Neu\r\n  folded\r\nEND:VCARD\r\n"
        made = s.put("Neu 1.vcf".replace(" ", "%20"), text, If_None_Match="*")
        assert made.status == 201, made.status
        got = s.ask("GET", s.book + "Neu%201.vcf")
        assert got.body == text.encode() and got.headers["etag"] == made.headers["etag"], "byte for byte"
        assert s.ask("DELETE", s.book + "Neu%201.vcf", If_Match='"other"').status == 412
        assert s.ask("DELETE", s.book + "Neu%201.vcf", If_Match=made.headers["etag"]).status == 204
        assert s.ask("GET", s.book + "Neu%201.vcf").status == 404
        assert any(c["name"].startswith("Neu") for c in s.site.run("--json", "contact", "deleted", "Kunden", expect=0).json()), "a person deleted it"
        again = s.put("Neu%201.vcf", text, If_None_Match="*")
        assert again.status == 201 and s.ask("GET", s.book + "Neu%201.vcf").body == text.encode(), "the name is free again"


def preconditions():
    with Server(0) as s:
        text, other = card("a", "A;B"), card("a", "A;C")
        rows = [  # there, If-Match, If-None-Match, status
            (False, None, None, 201), (False, None, "*", 201), (False, '"x"', None, 412), (False, "*", None, 412),
            (True, None, None, 204), (True, None, "*", 412), (True, '"x"', None, 412), (True, "*", None, 204), (True, "ETAG", None, 204),
            (True, '"x", ETAG', None, 204),
        ]
        for there, match, none, status in rows:
            s.ask("DELETE", s.book + "a.vcf")
            etag = s.put("a.vcf", text).headers["etag"] if there else ""
            conditions = {}
            if match:
                conditions["If_Match"] = match.replace("ETAG", etag)
            if none:
                conditions["If_None_Match"] = none
            got = s.put("a.vcf", other, **conditions)
            assert got.status == status, (there, match, none, got.status)
            if status == 412 and there:
                assert s.ask("GET", s.book + "a.vcf").body == text.encode(), "left as it was"


def what_is_refused_says_why():
    with Server(1) as s:
        s.put("a.vcf", card("a", "A;B"))
        rows = [
            ("b.vcf", card("a", "A;B"), 403, C + "no-uid-conflict"),
            ("c.vcf", "no card", 403, C + "valid-address-data"),
            ("d.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nN:x;;;;\r\nEND:VCARD\r\n", 403, C + "valid-address-data"),
            ("e.vcf", "BEGIN:VCARD\r\nVERSION:2.1\r\nUID:e\r\nN:x;y\r\nEND:VCARD\r\n", 403, C + "supported-address-data"),
        ]
        for name, text, status, element in rows:
            got = s.put(name, text)
            assert got.status == status and got.xml().find(element) is not None, (name, got.status, got.body)
        conflict = s.put("b.vcf", card("a", "A;B")).xml().find(C + "no-uid-conflict/" + D + "href").text
        assert conflict == "/" + s.book + "a.vcf"
        assert s.ask("PUT", "dav/books/anna/nobook/x.vcf", card("x"), Content_Type="text/vcard").status == 409
        for body in ("<!DOCTYPE a [<!ENTITY b 'c'>]><propfind xmlns='DAV:'/>", "<propfind xmlns='DAV:'>", "\0", "<a>" * 3000):
            assert s.ask("PROPFIND", s.book, body, 0).status == 400, body[:30]
        assert s.ask("REPORT", s.book, "<x xmlns='urn:x'/>").status == 403


def tokens():
    with Server(3) as s:
        first, answer = s.token()
        assert first.startswith("data:,") and len(answer.responses()) == 3
        assert s.token(first)[1].responses() == {}, "nothing changed"
        s.put("neu.vcf", card("neu", "Neu;A"))
        second, answer = s.token(first, props="<c:address-data/>")
        assert list(answer.responses()) == ["/" + s.book + "neu.vcf"] and "UID:neu" in answer.xml().find(".//" + C + "address-data").text
        s.ask("DELETE", s.book + "neu.vcf")
        answer = s.token(second)[1]
        assert answer.responses()["/" + s.book + "neu.vcf"].find(D + "status").text == "HTTP/1.1 404 Not Found"
        for wrong in ("data:,x", "data:,%s-999999" % s.book.split("/")[3], "http://a/b"):
            for agent, status in (("DAVx5", 403), ("Mozilla/5.0 Thunderbird/115.0", 400)):
                got = s.ask("REPORT", s.book, SYNC % (wrong, "", ""), User_Agent=agent)
                assert got.status == status and got.xml().find(D + "valid-sync-token") is not None, (wrong, agent, got.status)
        seen, token = set(), ""
        for _ in range(10):  # a cut answer is gone on with by its token
            token, answer = s.token(token, "<d:limit><d:nresults>2</d:nresults></d:limit>")
            responses = answer.responses()
            cut = responses.pop("/" + s.book, None)
            seen |= {h for h, r in responses.items() if r.find(D + "propstat") is not None}
            if cut is None:
                break
            assert "507" in cut.find(D + "status").text
        assert len(seen) == 3, seen


def multiget_and_query():
    with Server(3) as s:
        hrefs = [h for h in s.ask("PROPFIND", s.book, depth=1).responses() if h.endswith(".vcf")]
        body = '<c:addressbook-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><d:getetag/><c:address-data/></d:prop>%s</c:addressbook-multiget>'
        asked = hrefs + [hrefs[0], "/" + s.book + "nothing.vcf", "/dav/books/bert/x/y.vcf"]
        root = s.ask("REPORT", s.book, body % "".join("<d:href>%s</d:href>" % h for h in asked)).xml()
        states = [r.find(".//" + D + "status").text[9:12] for r in root.findall(D + "response")]
        assert states == ["200"] * 4 + ["404"] * 2, states
        query = '<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><d:getetag/></d:prop>%s</c:addressbook-query>'
        one = '<c:filter><c:prop-filter name="%s">%s</c:prop-filter></c:filter>'
        rows = [("", 3), ("<c:filter/>", 3), (one % ("FN", '<c:text-match match-type="contains">öZDEMIR1</c:text-match>'), 1),
                (one % ("fn", '<c:text-match negate-condition="yes">zdemir1</c:text-match>'), 2), (one % ("TEL", "<c:is-not-defined/>"), 3),
                (one % ("X-EIGEN", ""), 3), (one % ("UID", '<c:text-match match-type="equals">u2</c:text-match>'), 1),
                ("<c:limit><c:nresults>2</c:nresults></c:limit>", 2)]
        for text, n in rows:
            got = s.ask("REPORT", s.book, query % text, 0).responses()
            assert len([h for h in got if h.endswith(".vcf")]) == n, (text, list(got))


def users_see_only_their_own():
    with Server(1) as s:
        s.site.run("book", "add", "Geheim", expect=0)
        s.add_user("bert", "Geheim", "Kunden:ro")
        secret = [h for h in s.ask("PROPFIND", "dav/books/bert/", depth=1, user="bert").responses() if h.count("/") == 5 and h.split("/")[4] not in s.book]
        assert len(secret) == 1
        assert s.ask("PROPFIND", secret[0][1:], depth=0).status == 404 and s.ask("PROPFIND", "dav/books/bert/", depth=0).status == 404
        assert s.ask("PROPFIND", secret[0][1:].replace("bert", "anna"), depth=0).status == 404, "nor under her own name"
        mine = s.book.replace("anna", "bert")
        assert s.ask("PROPFIND", mine, depth=0, user="bert").status == 207
        got = s.ask("PUT", mine + "x.vcf", card("x"), user="bert", Content_Type="text/vcard")
        assert got.status == 403 and got.xml().find(D + "need-privileges") is not None
        for name in ("anna", "nobody"):
            done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", name + ":falsch", s.url + "dav/"], stdout=subprocess.PIPE)
            assert done.stdout == b"401"
        with open(s.site.folder + "/state.db", "rb") as f:
            assert s.password.encode() not in f.read()


def versions():
    with Server(0) as s:
        four = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:v4\r\nFN:Vier\r\nN:Vier;;;;\r\nTEL;VALUE=uri;TYPE=cell:tel:+49-151-1\r\nEND:VCARD\r\n"
        etag = s.put("v4.vcf", four).headers["etag"]
        got = s.ask("GET", s.book + "v4.vcf")
        assert b"VERSION:3.0" in got.body and got.headers["etag"] == etag, got.body
        assert s.ask("GET", s.book + "v4.vcf", Accept="text/vcard; version=4.0").body == four.encode()


def books_are_made_and_renamed():
    with Server(0) as s:
        body = ('<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>'
                "<d:displayname>Privat</d:displayname></d:prop></d:set></d:mkcol>")
        made = s.ask("MKCOL", "dav/books/anna/privat/", body)
        assert made.status == 201, made.status
        where = made.headers["location"][1:]
        patch = '<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:displayname>Familie</d:displayname></d:prop></d:set></d:propertyupdate>'
        assert "200 OK" in s.ask("PROPPATCH", where, patch).xml().find(".//" + D + "status").text
        assert {b["name"] for b in s.site.run("--json", "book", "list", expect=0).json()} == {"Kunden", "Familie"}


def vdirsyncer_two_way():
    with Server(3) as s:
        folder = s.site.folder
        os.makedirs(folder + "/cards")
        config = folder + "/vdirsyncer"
        with open(config, "w", encoding="utf-8") as f:
            f.write('[general]\nstatus_path = "%s/status/"\n[pair w]\na = "l"\nb = "r"\ncollections = null\n[storage l]\ntype = "filesystem"\npath = "%s/cards/"\n'
                    'fileext = ".vcf"\n[storage r]\ntype = "carddav"\nurl = "%s%s"\nusername = "anna"\npassword = "%s"\n' % (folder, folder, s.url, s.book, s.password))
        run = lambda *args: subprocess.run(["vdirsyncer", "-c", config, *args], input=b"y\ny\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
        run("discover")
        run("sync")
        assert len(os.listdir(folder + "/cards")) == 3
        with open(folder + "/cards/neu.vcf", "w", encoding="utf-8", newline="") as f:
            f.write(card("neu", "Neu;A"))
        run("sync")
        assert "neu" in s.site.contacts()
        s.site.remove(s.site.id_of("u0"))
        s.site.edit(s.site.id_of("u1"), card("u1", "Özdemir1;Leyla"))
        os.remove(folder + "/cards/neu.vcf")
        run("sync")
        texts = [open(folder + "/cards/" + n, encoding="utf-8").read() for n in os.listdir(folder + "/cards")]
        assert len(texts) == 2 and any("Leyla" in t for t in texts) and set(s.site.contacts()) == {"u1", "u2"}
        assert b"Copying" not in run("sync").stdout


def abgleich_two_way():
    with Server(3) as s:
        other = Site(s, book="Kunden")
        assert other.sync(0).json()["a"]["created"] == 3
        assert other.sync(0).json()["status"] == "unchanged"
        other.edit(other.id_of("u1"), card("u1", "Özdemir1;Leyla", "X-EIGEN;P=1:bleibt"))
        other.add(card("u9", "Neun;N"))
        s.site.remove(s.site.id_of("u2"))
        s.site.edit(s.site.id_of("u0"), card("u0", "Özdemir0;Lale", "NOTE:dort"))
        other.sync(0)
        check_same(other.contacts(), s.site.contacts())
        assert set(other.contacts()) == {"u0", "u1", "u9"} and "Leyla" in s.site.contacts()["u1"]
        assert other.sync(0).json()["status"] == "unchanged" and other.sync(0, "--full").json()["status"] == "unchanged"
        other.close()


def main():
    suite = Suite("dav")
    for test in (found_from_any_address, listed_read_and_written, preconditions, what_is_refused_says_why, tokens, multiget_and_query,
                 users_see_only_their_own, versions, books_are_made_and_renamed, vdirsyncer_two_way, abgleich_two_way):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
