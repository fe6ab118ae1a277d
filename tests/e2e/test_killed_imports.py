"""kill -9 at every boundary of a one-time import. At no instant may an import have done what its mode does not allow: "ergaenzen" touches
nothing that is there, "aktualisieren" takes nothing away, "neu-anlegen" replaces the book as a whole or not at all. Importing once more
ends where an import that nobody killed ends, and the reports name each contact that was written."""

import sys

from harness import Site, Suite, card, meaning
from kills import Stage, sweep

MODES = ("ergaenzen", "aktualisieren", "neu-anlegen")
DELETED, DELETED_NAME = "u4", "Name4, Vor"  # by a person: no import brings it back
NAMES = {"u0": "Name0, Vor", "u1": "Name1, Vor", "s1": "Beide, Seiten", "n1": "Neu, Dort", "n2": "Neu, Auch", "u5": "Name5, Vor",
         "a1": "Eigen, Nur"}
CREATED, UPDATED, REMOVED = ("n1", "n2"), ("u0", "u1", "s1"), ("u5", "a1")
WRITTEN = {"ergaenzen": CREATED, "aktualisieren": CREATED + UPDATED, "neu-anlegen": CREATED + UPDATED + REMOVED}


def prepared(server):
    """A book of an earlier import, then changed on both sides; with contacts of its own, one of which the server has, too."""
    for i in range(6):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt %d" % i))
    site = Site(server, mode="import")
    site.run("import", "kunden", "--mode", "ergaenzen", expect=0)
    site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    site.run("contact", "followup", "add", site.id_of("u0"), "--due", "2030-01-31", "anrufen", expect=0)
    site.remove(site.id_of(DELETED))
    site.add(card("a1", "Eigen;Nur", "NOTE:bleibt"))
    site.add(card("s1", "Beide;Seiten", "NOTE:hier"))
    server.put("c0.vcf", server.cards["c0.vcf"].text.replace("NOTE:alt", "NOTE:dort"))
    server.put("c1.vcf", server.cards["c1.vcf"].text.replace("END:VCARD", "TITLE:dort\r\nEND:VCARD"))
    server.delete("c5.vcf")
    server.put("s1.vcf", card("s1", "Beide;Seiten", "NOTE:dort"))
    server.put("n1.vcf", card("n1", "Neu;Dort"))
    server.put("n2.vcf", card("n2", "Neu;Auch", "NOTE:neu"))
    site.ids = ids(site)
    return site


def said(site):
    """{uid: what the contact says}"""
    return {uid: meaning(text) for uid, text in site.contacts().items()}


def ids(site):
    return {c["name"]: c["id"] for c in site.run("--json", "contact", "list", "Kunden", expect=0).json()}


def command(mode):
    return ("import", "kunden", "--mode", mode) + (("--yes-recreate", "Kunden") if mode == "neu-anlegen" else ())


def import_once(site, mode):
    return site.run("--json", *command(mode), expect=0).json()["status"]


class Import:
    """What one mode may leave: the book before and after it, as an import tells that nobody killed."""

    def __init__(self, mode):
        self.mode = mode
        stage = Stage(prepared)
        self.before = said(stage.site)
        assert import_once(stage.site, mode) == "done"
        self.after = said(stage.site)
        self.check_rest(stage)
        stage.close()
        assert set(self.before) == {"u0", "u1", "u2", "u3", "u5", "a1", "s1"}, sorted(self.before)
        changed = {uid for uid in set(self.before) | set(self.after) if self.before.get(uid) != self.after.get(uid)}
        assert changed == set(WRITTEN[mode]), sorted(changed)

    def check_at_once(self, now):
        """Right after the kill: each contact as before or as after, and a replaced book all of it."""
        if self.mode == "neu-anlegen":
            assert now in (self.before, self.after), "half a book: %s" % sorted(now)
        for uid in set(now) | set(self.before):
            assert now.get(uid) in (self.before.get(uid), self.after.get(uid)), (uid, now.get(uid))

    def check_reports(self, site):
        named = set()
        for run in site.run("--json", "runs", "kunden", expect=0).json()[:-1]:  # the last is the earlier import
            assert run["status"] in ("done", "interrupted"), run
            counts = run["a"]["created"] + run["a"]["updated"] + run["a"]["deleted"]
            assert counts == run["operations"], "its counts are not what it did: %s" % run
            told = site.run("--json", "report", str(run["run"]), expect=0).json()
            named |= {o["contact"] for o in told["operations"]}
        assert named == {NAMES[uid] for uid in WRITTEN[self.mode]}, "the reports name %s" % sorted(named)

    def check(self, stage):
        site, server = stage.site, stage.server
        self.check_at_once(said(site))
        for _ in range(3):
            if import_once(site, self.mode) == "unchanged":
                break
        else:
            raise AssertionError("not quiet after 3 imports")
        assert said(site) == self.after, sorted(said(site))
        self.check_rest(stage)

    def check_rest(self, stage):
        """What holds after a whole import beside the contacts themselves."""
        site, server = stage.site, stage.server
        now, removed = ids(site), [NAMES[uid] for uid in REMOVED] if self.mode == "neu-anlegen" else []
        assert [n for n in site.ids if now.get(n) != site.ids[n]] == sorted(removed), "ids before %s, now %s" % (site.ids, now)
        followups = site.run("--json", "contact", "followup", "list", expect=0).json()
        assert [(f["name"], f["contact"], f["text"]) for f in followups] == [(NAMES["u0"], site.ids[NAMES["u0"]], "anrufen")], followups
        deleted = site.run("--json", "contact", "deleted", "Kunden", expect=0).json()
        assert sorted(d["name"] for d in deleted) == sorted(removed + [DELETED_NAME]), deleted
        self.check_reports(site)
        wrote = [r[:2] for r in server.requests if r[0] not in ("PROPFIND", "REPORT", "GET", "OPTIONS")]
        assert not wrote and not server.violations, (wrote, server.violations)


def main():
    suite = Suite("killed imports")
    for mode in MODES:
        sweep(suite, mode, prepared, command(mode), Import(mode).check)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
