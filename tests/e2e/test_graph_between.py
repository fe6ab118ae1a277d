"""Microsoft Graph and other remotes: live between a mailbox and a real CardDAV server, between two mailboxes, a mailbox into a Directory, and many
contacts within Graph's quotas in virtual time. GRAPH_MANY=2000 takes fewer."""

import glob
import os
import shutil
import sys
import tempfile

from harness import Suite, card, uid_of
from directory import Directory
from graph_case import MINUTE, Case, build_clock, given_of, person, run_all
from graph_login import APP
from microsoft_graph import Graph
import servers

MANY = int(os.environ.get("GRAPH_MANY", "10000"))
CANARY = "Kanarienvogel"


class Bert(Graph):
    user = "bert@fabrikam.example"


class Live(Case):
    """Accounts "wolke" (a mailbox) and "dav" (Radicale), nothing of either kept here."""

    def __init__(self, shim, mode="two-way", *settings):
        super().__init__(shim)
        self.folder = tempfile.mkdtemp(prefix="abgleich-e2e-")
        self.dav = servers.Radicale(os.path.join(self.folder, "dav"))
        self.dav.start()
        self.book = self.dav.make_book("kunden")
        site, w = self.plain_site(), self.world
        for name, s in (("wolke", w), ("dav", self.dav)):
            site.run("account", "add", name, "--connector", getattr(s, "connector", "carddav"), "--url", s.url, "--user", s.user, "--password-file",
                     "-", text=s.password + "\n", expect=0)
        site.run("link", "add", "kunden", "wolke:contacts", "dav:kunden", "--mode", mode, *settings, expect=0)

    def close(self, check=True):
        self.dav.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)
        super().close(check)

    def cards(self):
        found = {given_of(t): (p, t) for p, t in self.dav.cards(self.book).items()}
        assert len(found) == len(self.dav.hrefs(self.book)), "doubled there"
        return found

    def put(self, text):
        old = self.cards().get(given_of(text))
        self.dav.put(old[0] if old else self.book + uid_of(text) + ".vcf", text)


def live_with_carddav(_case, shim):
    case = Live(shim)
    w = case.world
    for i in range(4):
        w.add(person("Anna%d" % i, CANARY, mobilePhone="+49 171 %d" % (100000 + i), personalNotes="alt"))
    case.put(card("b1", CANARY + ";Bea", "TEL;TYPE=FAX:+4999", "X-EIGEN:bleibt", "NOTE:alt"))
    case.sync()
    assert sorted(case.cards()) == sorted(case.there()) == ["Anna0", "Anna1", "Anna2", "Anna3", "Bea"]
    case.quiet()
    case.edit_there("Anna0", personalNotes="neu " + CANARY)
    _, anna1 = case.cards()["Anna1"]
    case.put(anna1.replace("END:VCARD", "EMAIL:anna@%s.example\r\nEND:VCARD" % CANARY.lower()))
    case.remove_there("Anna2")
    case.dav.request("DELETE", case.cards()["Anna3"][0])
    case.edit_there("Bea", personalNotes="links")
    _, bea = case.cards()["Bea"]
    case.put(bea.replace("NOTE:alt", "NOTE:rechts"))
    done = case.sync()
    assert len(done["conflicts"]) == 1, done
    cards = {g: t for g, (_, t) in case.cards().items()}
    assert sorted(cards) == sorted(case.there()) == ["Anna0", "Anna1", "Bea"], (sorted(cards), sorted(case.there()))
    assert "neu " + CANARY in cards["Anna0"] and case.named("Anna1")["emailAddresses"][0]["address"].startswith("anna@")
    assert "NOTE:links" in cards["Bea"] and "X-EIGEN:bleibt" in cards["Bea"] and "+4999" in cards["Bea"], cards["Bea"]
    case.quiet()
    kept = b"".join(open(p, "rb").read() for p in glob.glob(os.path.join(case.site.folder, "state.db*")))
    assert CANARY.encode() not in kept and CANARY.lower().encode() not in kept, "nothing of a contact stays in the state"
    case.close()


def lost_creates_live(_case, shim):
    """Nothing is kept here, so what was created must be known by the number it got."""
    case = Live(shim)
    for i in range(3):
        case.put(card("b%d" % i, "Neu;N%d" % i))
    left = [2]

    def at(moment, _number, request):
        if moment == "arrived" and left[0] and (b'"POST"' in request.body or request.path.endswith("/contacts")) and request.method == "POST":
            left[0] -= 1
            case.world.fail("cut after", on="^POST ")
        return None

    case.world.at = at
    case.world.box.filter_delay = 3
    for _ in range(3):
        case.site.sync(None)
    case.calm()
    case.settle()
    assert sorted(case.there()) == sorted(case.cards()) == ["N0", "N1", "N2"]
    case.close()


def one_way_from_carddav(_case, shim):
    case = Live(shim, "one-way")
    w = case.world
    case.world.add(person("Lale"))
    case.sync()
    assert sorted(case.cards()) == ["Lale"]
    case.put(card("own", "Eigen;Otto"))
    w.forget()
    case.edit_there("Lale", personalNotes="neu")
    case.sync()
    assert sorted(case.cards()) == ["Lale", "Otto"] and "NOTE:neu" in case.cards()["Lale"][1] and not w.writes(), w.writes()
    case.remove_there("Lale")
    case.world.add(person("Mia"))
    case.sync()
    assert sorted(case.cards()) == ["Mia", "Otto"]
    case.close()


def two_mailboxes(case):
    other = Bert(clock=case.world.clock)
    site = case.plain_site()
    for name, w in (("eins", case.world), ("zwei", other)):
        site.run("account", "add", name, "--connector", "graph", "--url", w.url, "--user", w.user, "--password-file", "-", text=w.password + "\n",
                 expect=0)
    site.run("link", "add", "kunden", "eins:contacts", "zwei:contacts", "--mode", "two-way", expect=0)
    for i in range(5):
        case.world.add(person("A%d" % i, emailAddresses=[{"address": "a%d@example.org" % i}], imAddresses=["sip:%d@example.org" % i],
                              birthday="1980-03-04T23:00:00Z"))
        other.add(person("A%d" % i if i < 2 else "B%d" % i, emailAddresses=[{"address": "%s%d@example.org" % ("ab"[i > 1], i)}]))
    case.sync()
    there = case.there(other.box)
    assert sorted(there) == sorted(case.there()) == ["A0", "A1", "A2", "A3", "A4", "B2", "B3", "B4"]
    assert all(there["A%d" % i].fields["imAddresses"] for i in range(5)) and there["A3"].fields["birthday"].startswith("1980-03-05T1")
    case.quiet()
    other.edit(there["A2"].id, personalNotes="rechts")
    case.remove_there("A3")
    case.sync()
    assert case.named("A2")["personalNotes"] == "rechts" and "A3" not in case.there(other.box)
    case.quiet()
    assert not other.violations, other.violations
    other.__exit__()


def into_a_directory(case):
    """A mailbox into the phonebook of a Directory: one way, only what phones read, and again only when that changes."""
    w = case.world
    with Directory() as d:
        w.add(person("Anna", "Özdemir", businessPhones=["+49 40 31000-101", "+494031000102"], mobilePhone="0151 00000017", companyName="Nordlicht",
                     emailAddresses=[{"address": "anna@example.org"}], birthday="1988-02-29T11:59:00Z", personalNotes="geheim"))
        w.add(person("Bert", "Weidner", homePhones=["+4940555"]))
        site = case.plain_site()
        site.run("account", "add", "srv", "--connector", "graph", "--url", w.url, "--user", w.user, "--password-file", "-", text=w.password + "\n",
                 expect=0)
        site.run("account", "add", "tel", "--connector", "directory", "--url", d.url, "--password-file", "-", text=d.key + "\n", expect=0)
        site.run("link", "add", "tel", "srv:contacts", "tel:", "--mode", "one-way", expect=0)
        push = lambda: site.run("--json", "sync", "tel", expect=0).json()
        push()
        rows = {r["given_name"]: r for r in d.rows.values()}
        assert d.numbers(rows["Anna"], "work") == ["+494031000101", "+494031000102"] and rows["Anna"]["birthday"] == "1988-02-29", rows
        assert d.numbers(rows["Anna"], "mobile") == ["+4915100000017"] and d.numbers(rows["Bert"], "home") == ["+4940555"]
        assert b"geheim" not in d.pushes[-1][2]
        assert push()["status"] == "unchanged" and len(d.pushes) == 1
        case.edit_there("Bert", personalNotes="neu")
        push()
        assert len(d.pushes) == 1, "what differs is not in the list"
        case.edit_there("Bert", homePhones=["+4940556"])
        w.add(person("Cora", "Neu", mobilePhone="+4917112"))
        push()
        assert len(d.pushes) == 2 and len(d.rows) == 3, d.rows
        case.remove_there("Anna")
        push()
        assert sorted(r["given_name"] for r in d.rows.values()) == ["Bert", "Cora"]
        for name in ("cut before", "500", "410"):
            w.fail(name, times=None)
            site.run("sync", "tel")
            assert len(d.rows) == 2, "a reading that failed sends nothing"
            w.faults = []
            w.clock.advance(10 * MINUTE)
        w.delta.expire(w.box)
        push()
        assert len(d.rows) == 2 and not w.writes(), w.writes()
        assert not d.violations, d.violations


def many_within_the_quota(case):
    """Two-way, half from each side, 0.01 s for each call: 10,000 calls in ten minutes and 150 MB of upload in five are never passed, and a
    run that finds nothing to do is one request."""
    w = case.world
    w.latency = 0.01
    half = MANY // 2
    for i in range(half):
        w.add(person("G%d" % i, "Dort", emailAddresses=[{"address": "g%d@example.org" % i}]))
    case.link()
    cards = "".join(card("u%d" % i, "Hier;H%d" % i, "TEL;TYPE=CELL:+49170%d" % i) for i in range(half))
    case.site.run("contact", "import", "Kunden", "-", text=cards, expect=0)
    start = w.clock.now()
    case.site.sync(0)
    first, took = len(w.calls), w.clock.now() - start
    assert len(w.contacts()) == 2 * half, len(w.contacts())
    assert not w.limits.refused, w.limits.refused
    case.quiet()  # it hears of its own
    w.forget()
    case.quiet()
    assert len(w.requests) == 1, w.lines()
    print("     %d contacts: %d calls in %d s of virtual time at first, then 1" % (2 * half, first, took))


def quota_of_somebody_else(case):
    """Another program of the same application has used it up: it does as it is told, and goes on later, without a violation."""
    w = case.world
    for i in range(40):
        w.add(person("G%d" % i, "Dort"))
    case.link(*[card("u%d" % i, "Hier;H%d" % i) for i in range(40)])
    w.limits.burn((APP, w.user), 9950)
    result = case.site.sync(None)
    assert result.code == 6, result
    assert w.limits.refused["requests"], w.limits.refused
    w.clock.advance(11 * MINUTE)
    case.settle()
    assert len(w.contacts()) == 80
    case.same()


def with_live(function):
    def run(case):
        function(case, case.shim)
    run.__name__ = function.__name__
    return run


CASES = (with_live(live_with_carddav), with_live(lost_creates_live), with_live(one_way_from_carddav), two_mailboxes, into_a_directory,
         many_within_the_quota, quota_of_somebody_else)


def main():
    suite = Suite("graph and others")
    with tempfile.TemporaryDirectory() as folder:
        run_all(suite, CASES, build_clock(folder), sys.argv[1:])
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
