"""kill -9 at every boundary of a link between two remotes: a mailbox of Microsoft Graph live with a CardDAV server, and a mailbox into a Directory.
The requests to both are numbered in one row, so the program dies between any two of them; the next runs must leave both sides the same."""

import functools
import sys
import tempfile
import threading

from harness import Suite, card
from directory import Directory
from graph_case import MINUTE, Case, build_clock, given_of, person
from hostile_server import Hostile
from kills import KINDS, MOMENTS, sweep
from microsoft_graph import Graph

SHIM = None


class Locks:
    def __init__(self, *locks):
        self.locks = locks

    def __enter__(self):
        for lock in self.locks:
            lock.acquire()

    def __exit__(self, *unused):
        for lock in reversed(self.locks):
            lock.release()


class Between:
    """A mailbox and another remote; what kills.Stage needs of one server."""

    other_kind = Hostile

    def __init__(self):
        self.graph, self.other = Graph(), self.other_kind()
        self.both = (self.graph, self.other)
        self.lock, self.counting, self.numbers = Locks(*(s.lock for s in self.both)), threading.Lock(), {}
        self.at = lambda *unused: None
        for s in self.both:
            s.at = functools.partial(self.meet, id(s))

    def meet(self, server, moment, number, request):
        with self.counting:
            n = self.numbers.setdefault((server, number), len(self.numbers))
        return self.at(moment, n, request)

    @property
    def violations(self):
        return self.graph.violations + self.other.violations

    def wait_idle(self):
        for s in self.both:
            s.wait_idle()

    def keep(self):
        return [s.keep() for s in self.both]

    def restore(self, kept):
        self.numbers = {}
        for s, one in zip(self.both, kept):
            s.restore(one)

    def __exit__(self, *unused):
        for s in self.both:
            s.__exit__()


class IntoDirectory(Between):
    other_kind = Directory


def case_of(between, *link):
    case = Case(SHIM, between.graph)
    site = case.plain_site()
    for name, s in (("wolke", between.graph), ("dort", between.other)):
        site.run("account", "add", name, "--connector", getattr(s, "connector", "carddav"), "--url", s.url, *(["--user", s.user] if s.user else []),
                 "--password-file", "-", text=s.password + "\n", expect=0)
    site.run("link", "add", "kunden", "wolke:contacts", *link, expect=0)
    return case


def view(stage):
    case = Case(SHIM, stage.server.graph)
    case.site = stage.site
    return case


def numbered(n, **fields):
    return person("V%d" % n, "Name%d" % n, mobilePhone="+49171000%d" % n, personalNotes="alt", **fields)


# -- live with a CardDAV server --

def cards(dav):
    """{given name: (member, card)}; a doubled one fails."""
    texts = dav.texts()
    found = {given_of(t): (n, t) for n, t in texts.items()}
    assert len(found) == len(texts), "doubled there: %s" % sorted(given_of(t) for t in texts.values())
    return found


def both_full(between):
    for n in range(3):
        between.graph.add(numbered(n))
        between.other.put("c%d.vcf" % n, card("u%d" % n, "Name%d;V%d" % (n, n), "TEL;TYPE=CELL:+49171000%d" % n, "X-EIGEN:bleibt"))
    between.graph.add(numbered(3))
    between.other.put("c4.vcf", card("u4", "Name4;V4", "NOTE:dort"))
    return case_of(between, "dort:kunden", "--mode", "two-way").site


def check_first(stage):
    case, dav = view(stage), stage.server.other
    case.settle()
    there = cards(dav)
    assert sorted(there) == sorted(case.there()) == ["V0", "V1", "V2", "V3", "V4"], (sorted(there), sorted(case.there()))
    assert all("X-EIGEN:bleibt" in there["V%d" % n][1] and "NOTE:alt" in there["V%d" % n][1] for n in range(3)), there
    assert not stage.server.violations, stage.server.violations


def changed_on_both(between):
    """Since a first sync: creates, edits, a conflict and deletes on both sides, and a delete against an edit."""
    for n in range(7):
        between.graph.add(numbered(n))
    case, dav = case_of(between, "dort:kunden", "--mode", "two-way"), between.other
    case.sync()
    between.graph.clock.advance(11 * MINUTE)
    there = cards(dav)

    def edit(n, old, new):
        name, text = there["V%d" % n]
        assert old in text, text
        dav.put(name, text.replace(old, new))

    edit(0, "END:VCARD", "EMAIL:e0@example.org\r\nEND:VCARD")
    edit(2, "NOTE:alt", "NOTE:dort")
    case.edit_there("V1", jobTitle="hier")
    case.edit_there("V2", personalNotes="hier")
    case.remove_there("V3")
    dav.delete(there["V4"][0])
    dav.delete(there["V5"][0])
    case.edit_there("V5", personalNotes="doch")
    between.graph.add(person("Neu", "Hier"))
    dav.put("neu.vcf", card("neu", "Dort;Neuer", "TEL:+4940"))
    return case.site


def check_changed(stage):
    case, dav = view(stage), stage.server.other
    case.settle()
    there = {given: text for given, (_, text) in cards(dav).items()}
    assert sorted(there) == sorted(case.there()) == ["Neu", "Neuer", "V0", "V1", "V2", "V5", "V6"], (sorted(there), sorted(case.there()))
    assert case.named("V0")["emailAddresses"][0]["address"] == "e0@example.org" and "TITLE:hier" in there["V1"]
    assert "NOTE:hier" in there["V2"] and "NOTE:doch" in there["V5"], (there["V2"], there["V5"])
    conflicts = case.site.run("--json", "conflicts", "kunden", expect=None).json()
    assert any(c["field"] == "Note" for c in conflicts), "that a note lost is in no report (what it said is not kept between two remotes)"
    assert not stage.server.violations, stage.server.violations


# -- into a Directory --

def changed_since_pushed(between):
    for n in range(6):
        between.graph.add(numbered(n))
    case = case_of(between, "dort:", "--mode", "one-way")
    case.sync()
    between.graph.clock.advance(11 * MINUTE)
    case.edit_there("V0", mobilePhone="+491719999")
    case.remove_there("V1")
    between.graph.add(numbered(6))
    return case.site


def check_pushed(stage):
    case, there = view(stage), stage.server.other
    case.settle()
    found = {r["given_name"]: r["phone_mobile"].strip("'") for r in there.rows.values()}
    assert found == {"V0": "+491719999", **{"V%d" % n: "+49171000%d" % n for n in range(2, 7)}}, found
    assert not stage.server.violations, stage.server.violations


def main():
    global SHIM
    suite = Suite("killed, between remotes")
    with tempfile.TemporaryDirectory() as folder:
        SHIM = build_clock(folder)
        sweeps = (("the first sync with CardDAV", both_full, check_first, MOMENTS, Between),
                  ("changes on both sides with CardDAV", changed_on_both, check_changed, MOMENTS, Between),
                  ("into a Directory", changed_since_pushed, check_pushed, KINDS, IntoDirectory))
        for title, prepare, look, kinds, world in sweeps:
            if len(sys.argv) < 2 or title in sys.argv[1:]:
                sweep(suite, title, prepare, ("sync", "kunden"), look, kinds, world)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
