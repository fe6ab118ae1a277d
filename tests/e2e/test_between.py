"""Links between two remotes, several links into one target, what a one-way link may delete, filters, and circles: from outside, on real
servers where a server matters."""

import glob
import os
import subprocess
import sys
import tempfile
import threading

from harness import PROGRAM, Site, Suite, card, meaning, uid_of
from hostile_server import Hostile
import servers
from test_daemon import wait_until

CANARY = "Kanarienvogel"


class Two:
    """Two real servers with an empty book each, accounts "eins" and "zwei"."""

    def __init__(self, one, two, mode, *settings):
        self.folder = tempfile.mkdtemp(prefix="abgleich-e2e-")
        os.chmod(self.folder, 0o755)
        self.servers = [kind(os.path.join(self.folder, str(i))) for i, kind in enumerate((one, two))]
        self.settings = (mode, *settings)

    def __enter__(self):
        self.books = []
        for s in self.servers:
            s.__enter__()
            self.books.append(s.make_book("kunden"))
        self.site = Site()
        for name, s in zip(("eins", "zwei"), self.servers):
            self.site.run("account", "add", name, "--connector", getattr(s, "connector", "carddav"), "--url", s.url, "--user", s.user, "--password-file", "-",
                          text=s.password + "\n", expect=0)
        mode, *rest = self.settings
        ends = ["%s:%s" % (name, getattr(s, "book_name", "kunden")) for name, s in zip(("eins", "zwei"), self.servers)]
        self.site.run("link", "add", "kunden", *ends, "--mode", mode, *rest, expect=0)
        return self

    def __exit__(self, *unused):
        for s in self.servers:
            s.__exit__(None, None, None)
        self.site.close()

    def put(self, side, text, **headers):
        for href, old in self.servers[side].cards(self.books[side]).items():
            if uid_of(old) == uid_of(text):
                return self.servers[side].put(href, text)
        return self.servers[side].put(self.books[side] + uid_of(text) + ".vcf", text)

    def drop(self, side, uid):
        for href, old in self.servers[side].cards(self.books[side]).items():
            if uid_of(old) == uid:
                self.servers[side].request("DELETE", href)

    def cards(self, side):
        found = {}
        for text in self.servers[side].cards(self.books[side]).values():
            assert uid_of(text) not in found, "doubled: " + uid_of(text)
            found[uid_of(text)] = text
        return found

    def bytes(self):
        return b"".join(open(p, "rb").read() for p in glob.glob(os.path.join(self.site.folder, "state.db*")))


def live_two_way(one, two):
    with Two(one, two, "two-way") as w:
        for i in range(4):
            w.put(0, card("a%d" % i, CANARY + "%d;Anna" % i, "TEL;TYPE=CELL:+49 171 %d" % (100000 + i), "NOTE:alt"))
        w.put(1, card("b1", CANARY + "B;Bea"))
        w.site.sync()
        assert set(w.cards(0)) == set(w.cards(1)) == {"a0", "a1", "a2", "a3", "b1"}
        assert w.site.sync().json()["status"] == "unchanged"
        w.put(0, card("a0", CANARY + "0;Anna", "TEL;TYPE=CELL:+49 171 100000", "NOTE:neu " + CANARY))
        w.put(1, card("a1", CANARY + "1;Anna", "TEL;TYPE=CELL:+49 171 100001", "NOTE:alt", "EMAIL:anna@%s.example" % CANARY.lower()))
        w.drop(0, "a2")
        w.drop(1, "a3")
        w.put(0, card("b1", CANARY + "B;Bea", "NOTE:links " + CANARY))
        w.put(1, card("b1", CANARY + "B;Bea", "NOTE:rechts " + CANARY))
        done = w.site.sync().json()
        assert len(done["conflicts"]) == 1 and CANARY in done["conflicts"][0]["contact"], done
        for side in (0, 1):
            cards = w.cards(side)
            assert set(cards) == {"a0", "a1", "b1"}, (side, set(cards))
            assert "neu " + CANARY in cards["a0"] and "anna@" in cards["a1"] and "links" in cards["b1"], cards
        assert w.site.sync().json()["status"] == "unchanged"
        stored = w.site.run("report", str(done["run"]), expect=0).out
        assert CANARY not in stored and "Note" in stored, "what happened is kept, about whom is not: " + stored
        kept = w.bytes()
        assert CANARY.encode() not in kept and CANARY.lower().encode() not in kept, "nothing of a contact stays in the state"


def live_one_way(one, two):
    with Two(one, two, "one-way") as w:
        for i in range(3):
            w.put(0, card("a%d" % i, "Name%d;Anna" % i))
        w.put(1, card("own", "Eigen;Otto"))
        w.site.sync()
        assert set(w.cards(1)) == {"a0", "a1", "a2", "own"} and set(w.cards(0)) == {"a0", "a1", "a2"}
        w.put(1, card("a0", "Name0;Anna", "NOTE:dort"))
        w.drop(0, "a1")
        w.put(0, card("a2", "Name2;Anna", "NOTE:hier"))
        w.site.sync()
        assert set(w.cards(0)) == {"a0", "a2"} and "dort" not in w.cards(0)["a0"], "the source is never written to"
        assert set(w.cards(1)) == {"a0", "a2", "own"} and "hier" in w.cards(1)["a2"]
        assert w.site.sync().json()["status"] == "unchanged"


# -- hostile_server is quicker where only the decisions matter --
STRATEGIES = {  # what the target holds in the end: u0 came and left the source, u1 was changed on the target, own is the target's
    "never": {"u0", "u1", "u2", "own"},
    "tracked": {"u1", "u2", "own"},
    "mirror": {"u1", "u2"},
    "wipe": {"u1", "u2"},
}


def strategy(word):
    with Hostile() as server:
        site = Site()
        site.run("account", "add", "srv", "--connector", "carddav", "--url", server.url, "--user", server.user, "--password-file", "-",
                 text=server.password + "\n", expect=0)
        site.run("book", "add", "Kunden", expect=0)
        ids = [site.add(card("u%d" % i, "Name%d;Vor" % i)) for i in range(3)]
        server.put("own.vcf", card("own", "Eigen;Otto"))
        site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--mode", "one-way", "--delete", word, expect=0)
        site.sync()
        site.remove(ids[0])
        name = next(n for n, t in server.texts().items() if uid_of(t) == "u1")
        server.put(name, card("u1", "Name1;Vor", "NOTE:dort"))
        site.sync()
        there = {uid_of(t): t for t in server.texts().values()}
        assert set(there) == STRATEGIES[word], (word, set(there))
        assert ("dort" in there["u1"]) == (word != "wipe"), "wipe makes the target as the source"
        assert site.sync().json()["status"] == "unchanged" and set(site.contacts()) == {"u1", "u2"}
        gone = next(n for n, t in server.texts().items() if uid_of(t) == "u2")
        server.delete(gone)
        site.sync()
        assert ("u2" in {uid_of(t) for t in server.texts().values()}) == (word == "wipe"), word
        site.close()


def mass_deletion_is_held():
    with Hostile() as server:
        site = Site(server, mode="one-way")
        for i in range(30):
            server.put("own%d.vcf" % i, card("own%d" % i, "Eigen%d;Otto" % i))
        site.add(card("u1", "Name1;Vor"))
        site.sync()
        assert len(server.texts()) == 31
        site.run("link", "set", "kunden", "delete=mirror", expect=0)
        held = site.sync(4).json()
        assert len(server.texts()) == 31 and held["held"], held
        site.run("approve", "kunden", held["plan"], expect=0)
        site.sync(0)
        assert {uid_of(t) for t in server.texts().values()} == {"u1"}
        site.close()


def two_sources_one_target():
    with Hostile() as one, Hostile() as two, Hostile() as target:
        site = Site()
        for name, s in (("eins", one), ("zwei", two), ("ziel", target)):
            site.run("account", "add", name, "--connector", "carddav", "--url", s.url, "--user", s.user, "--password-file", "-",
                     text=s.password + "\n", expect=0)
        one.put("p.vcf", card("p1", "Gemeinsam;Petra", "EMAIL:petra@example.org"))
        two.put("q.vcf", card("p2", "Gemeinsam;Petra", "EMAIL:petra@example.org"))
        one.put("a.vcf", card("a1", "Nur;Eins"))
        for source in (one, two):
            source.put("z.vcf", card("z1", "Zuletzt;Beide"))
        two.put("b.vcf", card("b1", "Nur;Zwei"))
        for link, source in (("l1", "eins"), ("l2", "zwei")):
            site.run("link", "add", link, source + ":kunden", "ziel:kunden", "--mode", "one-way", expect=0)
        site.run("sync", expect=0)
        names = sorted(t.split("\nN:")[1].split("\r")[0] for t in target.texts().values())
        assert names == ["Gemeinsam;Petra;;;", "Nur;Eins;;;", "Nur;Zwei;;;", "Zuletzt;Beide;;;"], names
        for _ in range(2):
            assert [r["status"] for r in site.run("--json", "sync", expect=0).json()] == ["unchanged", "unchanged"], "no ping-pong"
        one.delete("p.vcf")
        one.delete("a.vcf")
        site.run("sync", expect=0)
        names = sorted(t.split("\nN:")[1].split("\r")[0] for t in target.texts().values())
        assert names == ["Gemeinsam;Petra;;;", "Nur;Zwei;;;", "Zuletzt;Beide;;;"], "what the other still brings stays: %s" % names
        two.delete("q.vcf")
        site.run("sync", expect=0)
        names = sorted(t.split("\nN:")[1].split("\r")[0] for t in target.texts().values())
        assert names == ["Nur;Zwei;;;", "Zuletzt;Beide;;;"], names
        site.close()


def two_at_once_into_one_target():
    """The second waits for its turn: it must see what the first one is just creating."""
    with Hostile() as one, Hostile() as two, Hostile() as target:
        site = Site()
        for name, s in (("eins", one), ("zwei", two), ("ziel", target)):
            site.run("account", "add", name, "--connector", "carddav", "--url", s.url, "--user", s.user, "--password-file", "-",
                     text=s.password + "\n", expect=0)
        one.put("p.vcf", card("p1", "Gemeinsam;Petra", "EMAIL:petra@example.org"))
        two.put("q.vcf", card("p2", "Gemeinsam;Petra", "EMAIL:petra@example.org"))
        for link, source in (("l1", "eins"), ("l2", "zwei")):
            site.run("link", "add", link, source + ":kunden", "ziel:kunden", "--mode", "one-way", expect=0)
        writing, go_on = threading.Event(), threading.Event()

        def hold(moment, number, request):
            if moment == "arrived" and request.command == "PUT" and not writing.is_set():
                writing.set()
                go_on.wait(20)

        target.at = hold
        two.requests.clear()
        processes = []
        for link in ("l1", "l2"):
            processes.append(subprocess.Popen([PROGRAM, "-q", "-c", site.config, "sync", link]))
            assert writing.wait(20)
        wait_until(lambda: two.requests)
        listed = len(target.requests)
        try:
            wait_until(lambda: any(command == "REPORT" for command, _path, _body in target.requests[listed:]), 1)
            early = True
        except AssertionError:
            early = False
        go_on.set()
        assert [p.wait(30) for p in processes] == [0, 0]
        assert not early and len(target.texts()) == 1, "doubled: %s" % list(target.texts().values())
        assert [r["status"] for r in site.run("--json", "sync", expect=0).json()] == ["unchanged", "unchanged"]
        site.close()


def filters():
    with Hostile() as server:
        site = Site()
        site.run("account", "add", "srv", "--connector", "carddav", "--url", server.url, "--user", server.user, "--password-file", "-",
                 text=server.password + "\n", expect=0)
        site.run("book", "add", "Kunden", expect=0)
        kunde = site.add(card("k", "Kunde;Karl", "CATEGORIES:Kunden,Presse", "TEL:+49301"))
        site.add(card("n", "Nicht;Nora", "CATEGORIES:Privat", "TEL:+49302"))
        site.add(card("o", "Ohne;Olga", "CATEGORIES:KUNDEN"))
        site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--mode", "one-way", "--filter-category", "Kunden, Lieferanten",
                 "--filter-phone", expect=0)
        done = site.sync().json()
        assert {uid_of(t) for t in server.texts().values()} == {"k"} and done["a"]["filtered"] == 2, done
        assert site.sync().json()["status"] == "unchanged"
        site.edit(kunde, card("k", "Kunde;Karl", "CATEGORIES:Presse", "TEL:+49301"))
        site.sync()
        assert server.texts() == {}, "what leaves the filter of a one-way link has vanished for it"
        site.edit(kunde, card("k", "Kunde;Karl", "CATEGORIES:Lieferanten", "TEL:+49301"))
        site.sync()
        assert {uid_of(t) for t in server.texts().values()} == {"k"}
        site.run("link", "set", "kunden", "filter_category=Privat", expect=0)
        held = site.sync(4).json()
        assert "filter" in held["held"]["reason"], held
        site.run("approve", "kunden", held["plan"], expect=0)
        site.sync()
        assert {uid_of(t) for t in server.texts().values()} == {"n"}
        assert len(site.contacts()) == 3
        assert "filter_field" in site.run("link", "set", "kunden", "filter_field=telefon", expect=2).err
        site.close()


def two_way_filter_does_not_double():
    with Hostile() as server:
        site = Site()
        site.run("account", "add", "srv", "--connector", "carddav", "--url", server.url, "--user", server.user, "--password-file", "-",
                 text=server.password + "\n", expect=0)
        server.put("p.vcf", card("p", "Person;Paula", "EMAIL:paula@example.org"))
        server.put("x.vcf", card("x", "Fremd;Xaver"))
        site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--mode", "two-way", "--filter-category", "Kunden", expect=0)
        site.sync()
        assert site.contacts() == {}
        site.add(card("p9", "Person;Paula", "EMAIL:paula@example.org", "CATEGORIES:Kunden"))
        site.sync()
        there = [t for t in server.texts().values() if "Paula" in t]
        assert len(there) == 1 and "Kunden" in there[0], "the same person, though it was left out before: %s" % there
        assert len(server.texts()) == 2 and len(site.contacts()) == 1
        assert site.sync().json()["status"] == "unchanged"
        site.close()


def circles_are_refused():
    with Hostile() as one, Hostile() as two:
        site = Site()
        for name, s in (("eins", one), ("zwei", two), ("nochmal", one)):
            site.run("account", "add", name, "--connector", "carddav", "--url", s.url, "--user", s.user, "--password-file", "-",
                     text=s.password + "\n", expect=0)
        add = lambda link, a, b, code, mode="two-way": site.run("link", "add", link, a, b, "--mode", mode, "--no-test", expect=code)
        add("l1", "contactbox:Kunden", "eins:kunden", 0)
        add("l2", "eins:kunden", "zwei:kunden", 0)
        r = add("l3", "zwei:kunden", "contactbox:Kunden", 2)
        assert "leads back" in r.err and "l1" in r.err and "l2" in r.err, r
        r = add("l4", "eins:kunden", "contactbox:Kunden", 2)
        assert "linked already" in r.err, r
        r = add("l5", "contactbox:Kunden", "nochmal:kunden", 2)
        assert "already" in r.err, "the same address under another name: %r" % r
        add("l6", "contactbox:Andere", "zwei:kunden", 0, "one-way")
        assert site.run("config", "check", expect=0)
        site.close()


def main():
    suite = Suite("between")
    for one, two in ((servers.Radicale, servers.Xandikos), (servers.Radicale, servers.Radicale),
                     (servers.google_cards.Google, servers.Radicale), (servers.google_cards.Google, servers.google_cards.Google)):
        pair = "%s and %s" % (one.__name__, two.__name__)
        suite.run("live two-way between " + pair, live_two_way, one, two)
        suite.run("live one-way between " + pair, live_one_way, one, two)
    for word in STRATEGIES:
        suite.run("one-way, delete = " + word, strategy, word)
    for test in (mass_deletion_is_held, two_sources_one_target, two_at_once_into_one_target, filters, two_way_filter_does_not_double, circles_are_refused):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
