"""kill -9 at every boundary of a sync with Google contacts, which names its records itself and has no precondition on creates and
deletes. The next runs, which nobody watches, must leave both sides the same: nobody doubled, no change lost. What Google may still have
to show is waited for, in virtual time."""

import os
import sys
import tempfile

from harness import Site, Suite, card, check_same, uid_of
import google_cards
from kills import KINDS, MOMENTS, sweep
from test_people import build_clock

SHIM = None
PHOTO = "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ"


def site_of(server, **settings):
    site = Site()
    site.environment = {"LD_PRELOAD": SHIM, "SHIM_CLOCK": server.clock.path}
    site.run("book", "add", "Kunden", expect=0)
    site.server = server
    site.link(**settings)
    return site


def there(server):
    texts = list(server.cards("").values())
    found = {uid_of(t): t for t in texts}
    assert len(found) == len(texts), "doubled at Google: %s" % sorted(uid_of(t) for t in texts)
    return found


def edit_there(server, uid, old, new):
    for resource, text in server.cards("").items():
        if uid_of(text) == uid:
            server.put(resource, text.replace(old, new))


def remove_there(server, uid):
    for resource, text in server.cards("").items():
        if uid_of(text) == uid:
            server.remove(resource)


def settle(stage):
    for _ in range(6):
        result = stage.site.sync(None)
        if result.code == 0 and result.json()["status"] == "unchanged":
            return
        if result.code == 1:
            stage.server.clock.advance(11 * 60)
    raise AssertionError("not quiet after 6 runs: %r" % result)


def both_full(server):
    site = site_of(server)
    for i in range(4):
        server.put("", card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i))
        site.add(card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:hier %d" % i))
    site.add(card("here", "Nur;Hier", "CATEGORIES:Wehr", PHOTO))
    server.put("", card("there", "Nur;Dort"))
    return site


def check_first(stage):
    settle(stage)
    here = stage.site.contacts()
    check_same(here, there(stage.server))
    assert set(here) == {"u0", "u1", "u2", "u3", "here", "there"}, sorted(here)
    assert all("NOTE:hier" in here["u%d" % i] for i in range(4)), here
    assert not stage.server.violations, stage.server.violations


def prepared(server):
    """Changed on both sides since a first sync: creates, updates, a conflict, deletes, a delete against an edit."""
    site = site_of(server)
    for i in range(8):
        server.put("", card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt %d" % i))
    site.sync()
    server.clock.advance(11 * 60)
    for i in (0, 1, 2):
        site.edit(site.id_of("u%d" % i), site.contacts()["u%d" % i].replace("NOTE:alt", "EMAIL:e%d@example.org\r\nNOTE:hier" % i))
    site.edit(site.id_of("u7"), site.contacts()["u7"].replace("NOTE:", PHOTO + "\r\nNOTE:"))
    edit_there(server, "u1", "END:VCARD", "TITLE:dort\r\nEND:VCARD")
    edit_there(server, "u2", "NOTE:alt", "NOTE:dort")
    edit_there(server, "u3", "NOTE:alt", "NOTE:dort")
    site.remove(site.id_of("u4"))
    remove_there(server, "u5")
    site.remove(site.id_of("u6"))
    edit_there(server, "u6", "NOTE:alt", "NOTE:doch")
    site.add(card("n1", "Neu;Hier", PHOTO))
    site.add(card("n2", "Neu;Auch", "NOTE:neu"))
    server.put("", card("n3", "Neu;Dort"))
    return site


def check(stage):
    settle(stage)
    site, server = stage.site, stage.server
    here = site.contacts()
    check_same(here, there(server))
    assert set(here) == {"u0", "u1", "u2", "u3", "u6", "u7", "n1", "n2", "n3"}, sorted(here)
    assert "e0@example.org" in here["u0"] and "e1@example.org" in here["u1"] and "TITLE:dort" in here["u1"], here
    assert "NOTE:hier" in here["u2"] and "NOTE:dort" in here["u3"] and "NOTE:doch" in here["u6"], (here["u2"], here["u6"])
    assert "dort" in site.run("--json", "conflicts", "kunden", expect=None).out, "the losing note is in no report"
    assert not server.violations, server.violations


def prepared_to_go_on(server):
    """The server wins conflicts here, so what the killed run sent must be known again: else it would win over what is written now."""
    site = site_of(server, authority="server")
    for i in range(3):
        server.put("", card("u%d" % i, "Name%d;Vor" % i, "NOTE:alt %d" % i))
    site.sync()
    server.clock.advance(11 * 60)
    site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    site.remove(site.id_of("u2"))
    site.add(card("n1", "Neu;Hier", "NOTE:hier"))
    site.add(card("n2", "Neu;Auch", "NOTE:hier"))
    site.ids = {uid: site.id_of(uid) for uid in ("u0", "n1", "n2")}
    return site


def check_gone_on(stage):
    """Edited here again before anybody runs again: each edit has one author, so it arrives and nothing is a conflict."""
    site, server = stage.site, stage.server
    here = site.contacts()
    for uid, contact in site.ids.items():
        site.edit(contact, here[uid].replace("NOTE:hier", "NOTE:spaeter"))
    settle(stage)
    here = site.contacts()
    check_same(here, there(server))
    assert set(here) == {"u0", "u1", "n1", "n2"}, sorted(here)
    assert all("NOTE:spaeter" in here[uid] for uid in ("u0", "n1", "n2")), here
    conflicts = site.run("--json", "conflicts", "kunden", expect=0).json()
    assert not conflicts, conflicts
    assert not server.violations, server.violations


def late(server):
    """As changes on both sides, and Google's lists are two minutes behind."""
    site = prepared(server)
    server.clock.advance(3 * 60)
    server.list_lag = 2 * 60
    return site


def main():
    global SHIM
    suite = Suite("killed, people")
    with tempfile.TemporaryDirectory() as folder:
        SHIM = build_clock(folder)
        sweeps = (("the first sync", both_full, check_first, MOMENTS), ("changes on both sides", prepared, check, KINDS),
                  ("edited again before the next run", prepared_to_go_on, check_gone_on, MOMENTS),
                  ("lists that are late", late, check, MOMENTS))
        for title, prepare, look, kinds in sweeps:
            if len(sys.argv) < 2 or title in sys.argv[1:]:
                sweep(suite, title, prepare, ("sync", "kunden"), look, kinds, google_cards.Google)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
