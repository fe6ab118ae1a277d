"""kill -9 at every boundary: before a request arrives, after its effect but before the answer, in half of the answer, and before each
write and flush of the database, from the first command of all on. The next runs, which nobody watches, must leave both sides the same:
nobody doubled, no change lost."""

import os
import re
import sys

from harness import Site, Suite, card, check_same, split_cards, uid_of
from kills import sweep


def prepared(server):
    """Both sides after a first sync, then changed on both: creates, updates, a conflict, deletes, a delete against an edit."""
    for i in range(8):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt %d" % i))
    site = Site(server)
    site.sync()
    for i in (0, 1, 2):
        site.edit(site.id_of("u%d" % i), site.contacts()["u%d" % i].replace("NOTE:alt", "EMAIL:e%d@example.org\r\nNOTE:hier" % i))
    server.put("c1.vcf", server.cards["c1.vcf"].text.replace("END:VCARD", "TITLE:dort\r\nEND:VCARD"))
    server.put("c2.vcf", server.cards["c2.vcf"].text.replace("NOTE:alt", "NOTE:dort"))
    server.put("c3.vcf", server.cards["c3.vcf"].text.replace("NOTE:alt", "NOTE:dort"))
    site.remove(site.id_of("u4"))
    server.delete("c5.vcf")
    site.remove(site.id_of("u6"))
    server.put("c6.vcf", server.cards["c6.vcf"].text.replace("NOTE:alt", "NOTE:doch"))
    site.add(card("n1", "Neu;Hier"))
    site.add(card("n2", "Neu;Auch", "NOTE:neu"))
    server.put("n3.vcf", card("n3", "Neu;Dort"))
    return site


def check_end(site, server):
    here = site.contacts()
    texts = list(server.texts().values())
    there = {uid_of(t): t for t in texts}
    assert len(there) == len(texts), "doubled on the server: %s" % sorted(uid_of(t) for t in texts)
    check_same(here, there)
    assert set(here) == {"u0", "u1", "u2", "u3", "u6", "u7", "n1", "n2", "n3"}, sorted(here)
    assert "e0@example.org" in here["u0"] and "e1@example.org" in here["u1"] and "TITLE:dort" in here["u1"]
    assert "NOTE:hier" in here["u2"] and "NOTE:dort" in here["u3"] and "NOTE:doch" in here["u6"], (here["u2"], here["u6"])
    reported = site.run("--json", "conflicts", "kunden", expect=None).out
    assert "dort" in reported, "the losing note is in no report: " + reported[-800:]
    runs = [r["status"] for r in site.run("--json", "runs", "kunden", expect=0).json()]
    assert set(runs) <= {"done", "unchanged", "interrupted"}, "a run that nobody runs: %s" % runs
    assert not server.violations, server.violations


def settle(site):
    for _ in range(4):
        result = site.sync(None)
        if result.code == 0 and result.json()["status"] == "unchanged":
            return
    raise AssertionError("not quiet after 4 runs: %r" % result)


def check(stage):
    settle(stage.site)
    check_end(stage.site, stage.server)


def prepared_to_go_on(server):
    """The server wins conflicts here, so what the killed run sent must be known again: else it would win over what is written now."""
    for i in range(4):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt %d" % i))
    site = Site(server, authority="server")
    site.sync()
    site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    site.edit(site.id_of("u1"), site.contacts()["u1"].replace("NOTE:alt", "EMAIL:e1@example.org\r\nNOTE:alt"))
    server.put("c1.vcf", server.cards["c1.vcf"].text.replace("END:VCARD", "TITLE:dort\r\nEND:VCARD"))
    server.put("c2.vcf", server.cards["c2.vcf"].text.replace("NOTE:alt", "NOTE:dort"))
    site.remove(site.id_of("u3"))
    site.add(card("n1", "Neu;Hier", "NOTE:hier"))
    server.put("n2.vcf", card("n2", "Neu;Dort", "NOTE:dort"))
    site.ids = {uid: site.id_of(uid) for uid in ("u0", "n1")}
    return site


def check_gone_on(stage):
    """Both sides are edited again before anybody runs again: each edit has one author, so it arrives and nothing is a conflict."""
    site, server = stage.site, stage.server
    here = site.contacts()
    for uid, contact in site.ids.items():
        site.edit(contact, here[uid].replace("NOTE:hier", "NOTE:spaeter"))
    for name in ("c1.vcf", "c2.vcf", "n2.vcf"):
        server.put(name, server.cards[name].text.replace(":dort", ":danach"))
    settle(site)
    here = site.contacts()
    check_same(here, {uid_of(t): t for t in server.texts().values()})
    assert set(here) == {"u0", "u1", "u2", "n1", "n2"} and len(server.texts()) == 5, sorted(server.texts())
    for uid, said in (("u0", "NOTE:spaeter"), ("u1", "e1@example.org"), ("u1", "TITLE:danach"), ("u2", "NOTE:danach"),
                      ("n1", "NOTE:spaeter"), ("n2", "NOTE:danach")):
        assert said in here[uid], here[uid]
    conflicts = site.run("--json", "conflicts", "kunden", expect=0).json()
    assert not conflicts, conflicts
    assert not server.violations, server.violations


def without_state(_server):
    return Site()


def check_made(stage):
    """The first command of all was killed while it made the database: it just works when it is given again."""
    assert stage.site.run("book", "add", "Kunden").code in (0, 2)
    books = stage.site.run("--json", "book", "list", expect=0).json()
    assert [b["name"] for b in books] == ["Kunden"], books
    left = [name for name in os.listdir(stage.site.folder) if not name.startswith("state.db.new-")]  # half a database nobody will read
    assert sorted(left) == ["abgleich.ini", "state.db"], left


def both_full(server):
    """Before the first sync: the same people, people of one side, one who stands on both with other numbers and no common UID."""
    site = Site(server)
    for i in range(4):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i))
        site.add(card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:hier %d" % i))
    site.add(card("here", "Nur;Hier"))
    server.put("there.vcf", card("there", "Nur;Dort"))
    site.add(card("twin-a", "Zwilling;Zoe", "EMAIL:zoe@example.org", "TEL;TYPE=CELL:+491720001"))
    server.put("twin.vcf", card("twin-b", "Zwilling;Zoe", "EMAIL:zoe@example.org", "TEL;TYPE=CELL:+491720002"))
    return site


def check_first(stage):
    settle(stage.site)
    here, there = split_cards(stage.site.run("contact", "export", "Kunden", expect=0).out), list(stage.server.texts().values())
    for side in (here, there):
        assert sorted(re.search(r"^FN:(.*?)\r?$", c, re.M).group(1) for c in side) == sorted(
            ["Vor Name%d" % i for i in range(4)] + ["Hier Nur", "Dort Nur", "Zoe Zwilling"]), side
        zoe = [c for c in side if "FN:Zoe" in c][0]
        assert "+491720001" in zoe and "+491720002" in zoe, zoe
    assert sum("NOTE:hier" in c for c in there) == 4, there
    assert not stage.server.violations, stage.server.violations


def main():
    suite = Suite("killed")
    sweep(suite, "the first command", without_state, ("book", "add", "Kunden"), check_made, ("write",))
    sweep(suite, "the first sync", both_full, ("sync", "kunden"), check_first)
    sweep(suite, "changes on both sides", prepared, ("sync", "kunden"), check)
    sweep(suite, "edited again before the next run", prepared_to_go_on, ("sync", "kunden"), check_gone_on)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
