"""kill -9 at every boundary of a sync with Microsoft Graph, which names its records itself: every request before and after its effect and in
half of its answer, every write of the database. The next runs, which nobody watches, must leave both sides the same: nobody doubled, no change
lost."""

import sys
import tempfile

from harness import Suite, card
from graph_case import MINUTE, Case, build_clock, person, photo_line
from kills import KINDS, MOMENTS, sweep
from microsoft_graph import Graph

SHIM = None


def case_of(server):
    return Case(SHIM, server)


def view(stage):
    """The case of a stage whose site was put back."""
    case = Case(SHIM, stage.server)
    case.site = stage.site
    return case


def both_full(server):
    case = case_of(server)
    for i in range(4):
        server.add(person("Vor%d" % i, "Name%d" % i, mobilePhone="+49171000%d" % i))
    server.add(person("Dort", "Nur"))
    return case.link(*[card("u%d" % i, "Name%d;Vor%d" % (i, i), "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:hier %d" % i) for i in range(4)],
                     card("here", "Nur;Hier", "CATEGORIES:Wehr", photo_line()))


def check_first(stage):
    case = view(stage)
    case.settle()
    case.same()
    assert sorted(case.here()) == ["Dort", "Hier", "Vor0", "Vor1", "Vor2", "Vor3"], sorted(case.here())
    assert all("NOTE:hier" in case.card("Vor%d" % i) for i in range(4)) and case.there()["Hier"].photo
    assert not stage.server.violations, stage.server.violations


def prepared(server):
    """Changed on both sides since a first sync: creates, updates, a conflict, deletes, a delete against an edit, a picture."""
    case = case_of(server)
    for i in range(8):
        server.add(person("V%d" % i, "Name%d" % i, mobilePhone="+49171000%d" % i, personalNotes="alt"))
    site = case.link()
    case.sync()
    server.clock.advance(11 * MINUTE)
    for i in (0, 1, 2):
        case.edit("V%d" % i, "NOTE:alt", "EMAIL:e%d@example.org\r\nNOTE:hier" % i)
    case.edit("V7", "NOTE:", photo_line() + "\r\nNOTE:")
    case.edit_there("V1", jobTitle="dort")
    case.edit_there("V2", personalNotes="dort")
    case.edit_there("V3", personalNotes="dort")
    case.remove("V4")
    case.remove_there("V5")
    case.remove("V6")
    case.edit_there("V6", personalNotes="doch")
    site.add(card("n1", "Neu;N1", photo_line()))
    site.add(card("n2", "Neu;N2", "NOTE:neu"))
    server.add(person("N3", "Neu"))
    return site


def check(stage):
    case = view(stage)
    case.settle()
    case.same()
    here = case.here()
    assert sorted(here) == ["N1", "N2", "N3", "V0", "V1", "V2", "V3", "V6", "V7"], sorted(here)
    assert "e0@example.org" in here["V0"] and "e1@example.org" in here["V1"] and "TITLE:dort" in here["V1"], here
    assert "NOTE:hier" in here["V2"] and "NOTE:dort" in here["V3"] and "NOTE:doch" in here["V6"], (here["V2"], here["V6"])
    assert case.there()["N1"].photo and case.there()["V7"].photo
    assert "dort" in case.site.run("--json", "conflicts", "kunden", expect=None).out, "the losing note is in no report"
    assert not stage.server.violations, stage.server.violations


def prepared_to_go_on(server):
    """The server wins conflicts here, so what the killed run sent must be known again: else it would win over what is written now."""
    case = case_of(server)
    for i in range(3):
        server.add(person("V%d" % i, "Name%d" % i, personalNotes="alt"))
    site = case.link(authority="server")
    case.sync()
    server.clock.advance(11 * MINUTE)
    case.edit("V0", "NOTE:alt", "NOTE:hier")
    case.remove("V2")
    site.add(card("n1", "Neu;N1", "NOTE:hier"))
    site.add(card("n2", "Neu;N2", "NOTE:hier"))
    return site


def check_gone_on(stage):
    """Edited here again before anybody runs again: each edit has one author, so it arrives and nothing is a conflict."""
    case = view(stage)
    for given in ("V0", "N1", "N2"):
        case.edit(given, "NOTE:hier", "NOTE:spaeter")
    case.settle()
    case.same()
    here = case.here()
    assert sorted(here) == ["N1", "N2", "V0", "V1"], sorted(here)
    assert all("NOTE:spaeter" in here[given] for given in ("V0", "N1", "N2")), here
    conflicts = case.site.run("--json", "conflicts", "kunden", expect=0).json()
    assert not conflicts, conflicts
    assert not stage.server.violations, stage.server.violations


def late(server):
    """As changes on both sides, and what was created is found and told only after minutes."""
    site = prepared(server)
    server.box.filter_delay = server.delta.lag = 2 * MINUTE
    return site


def main():
    global SHIM
    suite = Suite("killed, graph")
    with tempfile.TemporaryDirectory() as folder:
        SHIM = build_clock(folder)
        sweeps = (("the first sync", both_full, check_first, MOMENTS), ("changes on both sides", prepared, check, KINDS),
                  ("edited again before the next run", prepared_to_go_on, check_gone_on, MOMENTS), ("what is found late", late, check, MOMENTS))
        for title, prepare, look, kinds in sweeps:
            if len(sys.argv) < 2 or title in sys.argv[1:]:
                sweep(suite, title, prepare, ("sync", "kunden"), look, kinds, Graph)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
