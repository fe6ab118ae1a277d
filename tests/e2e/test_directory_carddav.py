"""A phonebook over CardDAV: merged, read-only, and what changes there comes by sync-collection; FRITZ!Box and iOS subscribe so."""

import base64
import http.client
import re
import sys
import urllib.parse

from harness import Site, Suite
from test_directory import C4, House
from test_directory_links import BERT, BERTS_OTHER, LALE, Fed

USER, PASSWORD = "fritz", "geheim-11"


class Dav:
    """What a client does, with nobody's cleverness in it."""

    def __init__(self, house):
        self.where = urllib.parse.urlsplit(house.daemon.address)
        token = base64.b64encode(("%s:%s" % (USER, PASSWORD)).encode()).decode()
        self.headers = {"Authorization": "Basic " + token, "Content-Type": "application/xml; charset=utf-8"}
        found = [h for h in self.hrefs("PROPFIND", "/dav/books/%s/" % USER, "<d:propfind xmlns:d='DAV:'><d:prop><d:resourcetype/></d:prop></d:propfind>", "1")]
        self.book = max(found, key=len)

    def ask(self, method, path, body="", **headers):
        c = http.client.HTTPConnection(self.where.netloc, timeout=30)
        c.request(method, path, body.encode(), {**self.headers, **headers})
        answer = c.getresponse()
        text = answer.read().decode()
        c.close()
        return answer.status, text

    def hrefs(self, method, path, body, depth):
        status, text = self.ask(method, path, body, Depth=depth)
        assert status == 207, (status, text)
        return re.findall(r"<d:href>([^<]+)</d:href>", text)

    def changes(self, token=""):
        """(token, hrefs that are there, hrefs that are gone)"""
        status, text = self.ask("REPORT", self.book, "<d:sync-collection xmlns:d='DAV:'><d:sync-token>%s</d:sync-token><d:sync-level>1</d:sync-level>"
                                "<d:prop><d:getetag/></d:prop></d:sync-collection>" % token)
        assert status == 207, (status, text)
        there, gone = [], []
        for r in re.findall(r"<d:response>(.*?)</d:response>", text, re.S):
            (gone if "<d:propstat>" not in r and "<d:status>HTTP/1.1 404" in r else there).append(re.search(r"<d:href>([^<]+)<", r).group(1))
        return re.search(r"<d:sync-token>([^<]+)<", text).group(1), there, gone

    def cards(self):
        return {h: self.ask("GET", h)[1] for h in self.changes()[1]}


def shared(house):
    if not house.daemon:
        house.start()
    house.site.run("user", "add", USER, "--directory", "telefon", "--password-file", "-", text=PASSWORD + "\n", expect=0)
    return Dav(house)


def what_all_parts_say_is_one_collection():
    with Fed(Kunden=[LALE, BERT], Privat=[BERTS_OTHER]) as h:
        h.push(C4)
        dav = shared(h)
        cards = dav.cards()
        assert len(cards) == 3, cards
        lale = [c for c in cards.values() if "Lale" in c]
        assert len(lale) == 1 and "+494031000101" in lale[0] and "+49151000017" in lale[0].replace(" ", "").replace("0151", "+49151"), lale
        assert "Pforte & Co." in "".join(cards.values())


def only_what_changed_comes_again():
    with House() as h:
        h.push(C4)
        dav = shared(h)
        token, there, gone = dav.changes()
        assert len(there) == 2 and not gone
        assert dav.changes(token)[1:] == ([], [])
        h.push(C4.replace("Vertrieb", "Einkauf"))
        token, there, gone = dav.changes(token)
        assert len(there) == 1 and not gone and "Einkauf" in dav.ask("GET", there[0])[1]
        h.push("".join(line for line in C4.replace("Vertrieb", "Einkauf").splitlines(True) if "Pforte" not in line))
        token, there, gone = dav.changes(token)
        assert not there and len(gone) == 1, (there, gone)
        h.push(C4.replace("Vertrieb", "Einkauf"))
        assert len(dav.changes(token)[1]) == 1, "and back"


def nobody_writes_there():
    with House() as h:
        h.push(C4)
        dav = shared(h)
        before = dav.cards()
        one = sorted(before)[0]
        assert dav.ask("PUT", one, before[one].replace("Lale", "Leyla"), **{"Content-Type": "text/vcard"})[0] == 403
        assert dav.ask("PUT", dav.book + "neu.vcf", BERT, **{"Content-Type": "text/vcard"})[0] == 403
        assert dav.ask("DELETE", one)[0] == 403
        assert dav.ask("DELETE", dav.book)[0] == 403
        assert dav.cards() == before
        h.site.run("user", "set", USER, "--book", "telefon (CardDAV)", expect=0)
        assert dav.ask("DELETE", one)[0] == 403, "not even where somebody forgot :ro"


def another_abgleich_subscribes():
    with House() as h, Other(h) as other:
        h.push(C4)
        shared(h)
        other.link()
        other.sync()
        assert other.names() == ["Lale", "Pforte & Co."], other.names()
        h.push(C4.replace("Lale", "Leyla"))
        other.sync()
        assert other.names() == ["Leyla", "Pforte & Co."], other.names()


class Other:
    """A second installation."""

    def __init__(self, house):
        self.house, self.site = house, Site()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.site.close()

    def link(self):
        self.site.run("account", "add", "haus", "--connector", "carddav", "--url", self.house.daemon.address + "dav/", "--user", USER,
                      "--password-file", "-", text=PASSWORD + "\n", expect=0)
        self.site.run("link", "add", "buch", "contactbox:Buch", "haus:telefon (CardDAV)", "--mode", "import", "--import", "aktualisieren", expect=0)

    def sync(self):
        self.site.run("sync", "buch", expect=0)

    def names(self):
        return sorted(c["name"].split(", ")[-1] for c in self.site.run("--json", "contact", "list", "Buch", expect=0).json())


CASES = (what_all_parts_say_is_one_collection, only_what_changed_comes_again, nobody_writes_there, another_abgleich_subscribes)


if __name__ == "__main__":
    suite = Suite("directory over CardDAV")
    for case in CASES:
        if len(sys.argv) < 2 or any(word in case.__name__.replace("_", " ") for word in sys.argv[1:]):
            suite.run(case.__name__.replace("_", " "), case)
    sys.exit(suite.end())
