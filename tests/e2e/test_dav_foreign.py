"""CardDAV programs that others wrote, two-way against our server: SyncEvolution (Debian) and tsdav (npm). vdirsyncer and another abgleich are in
test_dav.py."""

import json
import os
import subprocess
import sys
from collections import Counter

from dav_client import Dav
from harness import ROOT, Suite, card, check_same, meaning, uid_of

NPM = os.path.join(ROOT, "tests", "npm")


# -- SyncEvolution --

class SyncEvolution:
    """A folder of cards, synced with a book by the program's command line."""

    def __init__(self, server):
        self.folder = server.site.folder + "/syncevolution"
        self.cards = self.folder + "/cards"
        os.makedirs(self.cards)
        home = self.folder + "/home"
        os.makedirs(home)
        self.environment = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home + "/config", XDG_DATA_HOME=home + "/data", XDG_CACHE_HOME=home + "/cache", LC_ALL="C.UTF-8")
        self.run("--configure", "--template", "webdav", "syncURL=%sdav/" % server.url, "username=anna", "password=" + server.password, "target-config@dav")
        self.run("--configure", "backend=carddav", "database=%s" % server.url.rstrip("/") + server.book, "target-config@dav", "addressbook")
        self.run("--configure", "--template", "SyncEvolution_Client", "syncURL=local://@dav", "username=", "password=", "peerIsClient=1", "dav@local")
        self.run("--configure", "sync=two-way", "backend=file", "database=file://" + self.cards, "databaseFormat=text/vcard", "dav@local", "addressbook")

    def run(self, *args):
        done = subprocess.run(["dbus-run-session", "--", "syncevolution", "--daemon=no", "--keyring=no", *args], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120)
        text = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, "%s: %d\n%s" % (args, done.returncode, text[-3000:])
        return text

    def databases(self):
        return self.run("--print-databases", "backend=carddav", "target-config@dav", "addressbook")

    def sync(self, *options):
        return self.run(*options, "dav@local", "addressbook")

    def files(self):
        return {name: open(os.path.join(self.cards, name), encoding="utf-8").read() for name in os.listdir(self.cards)}

    def find(self, text):
        (name,) = [n for n, c in self.files().items() if text in c]
        return os.path.join(self.cards, name)


def told(text):
    """What the program holds of a card, which writes out every field it knows and leaves UID to itself: the properties that say something."""
    return frozenset(p for p in meaning(text) if p[2].strip(";") and p[0] not in ("UID", "X-EVOLUTION-FILE-AS"))


def same(ours, theirs):
    here, there = Counter(map(told, ours.values())), Counter(map(told, theirs.values()))
    assert here == there, "only here: %s\nonly there: %s" % (here - there, there - here)


def syncevolution_two_way():
    with Dav(3) as s:
        mate = SyncEvolution(s)
        assert "Kunden (" in mate.databases(), "it finds the book"
        mate.sync("--sync", "slow")
        before = s.site.contacts()
        assert len(before) == 3
        same(before, mate.files())
        with open(mate.cards + "/neu.vcf", "w", encoding="utf-8", newline="") as f:
            f.write(card("neu", "Neu;Hier", "TEL;TYPE=CELL:+49 170 1"))
        s.put("dort.vcf", card("dort", "Neu;Dort", "EMAIL:a@example.org"))
        mate.sync()
        ours = s.site.contacts()
        assert len(ours) == 5 and any("+49 170 1" in c for c in ours.values()) and "a@example.org" in open(mate.find("Dort"), encoding="utf-8").read()
        assert {u: ours[u] for u in before} == before and ours["dort"] == card("dort", "Neu;Dort", "EMAIL:a@example.org"), "byte for byte what it did not change"
        path = mate.find("Özdemir1")  # changed on both sides, another card each
        with open(path, encoding="utf-8", newline="") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text.replace("NOTE:", "NOTE:von dort", 1))
        s.site.edit(s.site.id_of("u2"), card("u2", "Özdemir2;Leyla", "X-EIGEN;P=1:bleibt"))
        mate.sync()
        ours = s.site.contacts()
        assert "von dort" in ours["u1"] and "X-EIGEN" in ours["u1"] and "Leyla" in open(mate.find("Özdemir2"), encoding="utf-8").read()
        os.remove(mate.find("Özdemir0"))
        s.site.remove(s.site.id_of("dort"))
        mate.sync()
        ours, theirs = s.site.contacts(), mate.files()
        assert len(ours) == len(theirs) == 3 and "u0" not in ours and "dort" not in ours
        same(ours, theirs)
        mate.sync()
        assert s.site.contacts() == ours and mate.files() == theirs, "and then there is rest"


# -- tsdav --

class Tsdav:
    def __init__(self, server):
        node = os.path.join(NPM, "node_modules", "node-linux-%s" % {"x86_64": "x64", "aarch64": "arm64"}[os.uname().machine], "bin", "node")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsdav_client.mjs")
        self.process = subprocess.Popen([node, script, NPM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.found = self("login", url=server.url, user="anna", password=server.password)

    def __call__(self, call, **given):
        self.process.stdin.write(json.dumps(dict(given, call=call)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "tsdav ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


def tsdav_two_way():
    with Dav(3) as s:
        mate = Tsdav(s)
        at = s.url.rstrip("/")
        assert mate.found == {"root": at + "/dav/", "principal": at + "/dav/principals/anna/", "home": at + "/dav/books/anna/"}, mate.found
        (book,) = mate("books")
        assert book["url"] == at + s.book and book["name"] == "Kunden" and book["token"] == book["ctag"] and "syncCollection" in book["reports"]
        cards = mate("open", url=book["url"])
        assert {uid_of(c["data"]): c["data"] + "\r\n" for c in cards} == s.site.contacts(), "byte for byte, but for the end that its XML reader trims"
        text = card("neu", "Neu;Ä&<>", "X-A;b=\"c,d\":e\\,f")
        made = mate("create", filename="neu.vcf", card=text)
        assert made["status"] == 201 and made["etag"]
        assert mate("create", filename="neu.vcf", card=text)["status"] == 412
        url = book["url"] + "neu.vcf"
        changed = mate("update", url=url, etag=made["etag"], card=text.replace("Neu;", "Neuer;"))
        assert changed["status"] == 204 and mate("update", url=url, etag=made["etag"], card=text)["status"] == 412
        after = mate("changes", token=book["token"])
        assert [(c["href"], c["etag"]) for c in after] == [(s.book + "neu.vcf", changed["etag"])], after
        got = mate("multiget", hrefs=[s.book + "neu.vcf"])  # with one that is gone it throws, whatever else there is
        assert len(got) == 1 and got[0]["data"] + "\r\n" == text.replace("Neu;", "Neuer;"), got
        assert mate("remove", url=url, etag=made["etag"])["status"] == 412 and mate("remove", url=url, etag=changed["etag"])["status"] == 204
        gone = mate("changes", token=after[0]["token"])
        assert [(c["href"], c["status"]) for c in gone] == [(s.book + "neu.vcf", 404)]

        mate("sync")
        s.site.edit(s.site.id_of("u1"), card("u1", "Özdemir1;Leyla", "X-EIGEN;P=1:bleibt"))
        s.site.remove(s.site.id_of("u0"))
        s.site.add(card("u9", "Neun;N"))
        mate("create", filename="u8.vcf", card=card("u8", "Acht;A"))
        seen = mate("sync")
        assert len(seen["deleted"]) == 1 and len(seen["updated"]) == 1 and len(seen["created"]) == 2, seen
        check_same({uid_of(o["data"]): o["data"] for o in seen["all"]}, s.site.contacts())
        rest = mate("sync")
        assert not (rest["created"] or rest["updated"] or rest["deleted"])
        mate.end()


def main():
    suite = Suite("dav foreign")
    for test in (tsdav_two_way, syncevolution_two_way):
        if len(sys.argv) < 2 or test.__name__.replace("_", " ") in sys.argv[1:]:
            suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
