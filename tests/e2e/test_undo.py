"""Taking a run back on both sides, deciding conflicts otherwise, and telling why: beside a real server, and killed at every boundary."""

import subprocess
import sys
import tempfile

from harness import PROGRAM, Site, Suite, card, check_same, meaning, uid_of
from hostile_server import Hostile, kill
from servers import Radicale


class Pair:
    """A site and Radicale."""

    def __init__(self, **settings):
        self.folder = tempfile.TemporaryDirectory(prefix="abgleich-undo-")
        self.server = Radicale(self.folder.name)
        self.server.__enter__()
        self.book = self.server.make_book("kunden")
        self.site = Site(self.server, **settings)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.site.close()
        self.server.__exit__(None, None, None)
        self.folder.cleanup()

    def paths(self):
        return {uid_of(text): (path, text) for path, text in self.server.cards(self.book).items()}

    def put(self, name, text):
        self.server.put(self.book + name, text)

    def edit_there(self, uid, old, new):
        path, text = self.paths()[uid]
        assert old in text, text
        self.server.put(path, text.replace(old, new))

    def look(self):
        """Both sides, as meanings."""
        return ({u: meaning(t) for u, t in self.site.contacts().items()}, {u: meaning(t) for u, (_p, t) in self.paths().items()})

    def ids(self):
        return {c["id"] for c in self.site.run("--json", "contact", "list", "Kunden", expect=0).json()}


def quiet(site):
    for more in ((), ("--full",)):
        done = site.sync(0, *more).json()
        assert done["status"] == "unchanged" and not done["operations"], done


def populated(pair):
    for i in range(4):
        pair.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt"))
    pair.site.sync()
    site = pair.site
    site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    pair.edit_there("u0", "NOTE:alt", "NOTE:dort")
    site.remove(site.id_of("u1"))
    pair.server.request("DELETE", pair.paths()["u2"][0])
    pair.edit_there("u3", "NOTE:alt", "NOTE:neu")
    site.add(card("n1", "Neu;Hier"))
    pair.put("n2.vcf", card("n2", "Neu;Dort"))


def whole_run_and_back():
    with Pair() as pair:
        populated(pair)
        site = pair.site
        before, ids = pair.look(), pair.ids()
        run = str(site.sync().json()["run"])
        after = pair.look()
        assert after != before and after[0] == after[1]
        shown = site.run("--json", "undo", run, "--check", expect=10).json()
        assert len(shown["operations"]) == 6 and pair.look() == after, shown
        site.run("undo", run, expect=2)
        assert pair.look() == after, "without a terminal it needs --yes"
        done = site.run("--json", "undo", run, "--yes", expect=0).json()
        assert pair.look() == before, (pair.look(), before)
        assert pair.ids() == ids, "what comes back has the id it had"
        listed = next(r for r in site.run("--json", "runs", expect=0).json() if r["run"] == done["run"])
        assert listed["trigger"] == "undo of run " + run, listed
        quiet(site)
        assert pair.look() == before
        site.run("undo", str(done["run"]), "--yes", expect=0)
        assert pair.look() == after, "an undo can be undone"
        quiet(site)


def what_changed_since_stays():
    with Pair() as pair:
        populated(pair)
        site = pair.site
        run = str(site.sync().json()["run"])
        pair.edit_there("n1", "END:VCARD", "NOTE:meins\r\nEND:VCARD")
        site.edit(site.id_of("u3"), site.contacts()["u3"].replace("NOTE:neu", "NOTE:neuer"))
        site.run("--json", "undo", run, "--yes", expect=1)
        text = site.run("report", str(site.run("--json", "runs", expect=0).json()[0]["run"]), expect=0).out
        assert "Hier Neu" in text or "Neu" in text and "changed since" in text, text
        assert "NOTE:meins" in pair.paths()["n1"][1] and "n1" in site.contacts()
        site.sync()
        assert "NOTE:meins" in site.contacts()["n1"] and "NOTE:neuer" in pair.paths()["u3"][1]
        quiet(site)


def apart_until_it_changes():
    with Pair() as pair:
        site = pair.site
        pair.put("a.vcf", card("a", "Nur;Dort"))
        run = str(site.sync().json()["run"])
        site.run("undo", run, "--yes", expect=0)
        assert not site.contacts() and "a" in pair.paths()
        quiet(site)
        pair.edit_there("a", "END:VCARD", "NOTE:doch\r\nEND:VCARD")
        site.sync()
        check_same(site.contacts(), {u: t for u, (_p, t) in pair.paths().items()})
        assert "NOTE:doch" in site.contacts()["a"]
        quiet(site)


def import_replacing():
    with Pair(mode="import") as pair:
        site = pair.site
        mine = site.add(card("mine", "Alt;Hier", "NOTE:meine"))
        both = site.add(card("both", "Beide;Da", "NOTE:hier"))
        pair.put("b.vcf", card("both", "Beide;Da", "NOTE:dort"))
        pair.put("c.vcf", card("new", "Neu;Dort"))
        before = pair.look()
        done = site.run("--json", "import", "kunden", "--mode", "neu-anlegen", "--yes-recreate", "Kunden", expect=None)
        if done.json()["status"] == "held":
            site.run("approve", "kunden", done.json()["plan"], expect=0)
            done = site.run("--json", "import", "kunden", "--mode", "neu-anlegen", "--yes-recreate", "Kunden", expect=0)
        assert set(site.contacts()) == {"both", "new"}
        site.run("undo", str(done.json()["run"]), "--yes", expect=0)
        assert pair.look() == before and pair.ids() == {mine, both}
        for again in (["ergaenzen"], ["neu-anlegen", "--yes-recreate", "Kunden"]):
            assert site.run("--json", "import", "kunden", "--mode", *again, expect=0).json()["status"] == "unchanged"
            assert pair.look() == before


def expired_is_said():
    with Pair() as pair:
        site = pair.site
        with open(site.config, "a", encoding="utf-8") as f:
            f.write("history = 0\n")
        populated(pair)
        run = str(site.sync().json()["run"])
        told = site.run("--json", "undo", run, "--check", expect=10).json()
        reasons = {q["reason"] for q in told["quarantined"]}
        assert reasons == {"what it was before is not kept any more"}, told
        assert {o["op"] for o in told["operations"]} == {"delete"}


def inbox():
    with Pair() as pair:
        site = pair.site
        populated(pair)
        site.sync()
        entry = site.run("--json", "conflicts", "kunden", expect=0).json()
        assert len(entry) == 1 and entry[0]["winner"] == "a" and not entry[0]["read"], entry
        number = str(entry[0]["id"])
        assert "dort" in site.run("conflicts", "show", number, expect=0).out
        site.run("conflicts", "take", number, "x", expect=2)
        pair.edit_there("u0", "END:VCARD", "TITLE:unsynced\r\nEND:VCARD")
        assert "no run has seen it" in site.run("conflicts", "take", number, "b").err
        assert "NOTE:hier" in site.contacts()["u0"]
        site.sync()
        done = site.run("--json", "conflicts", "take", number, "b", expect=0).json()
        assert "NOTE:dort" in site.contacts()["u0"] and "NOTE:dort" in pair.paths()["u0"][1]
        assert "TITLE:unsynced" in site.contacts()["u0"] and site.run("--json", "conflicts", expect=0).json() == []
        quiet(site)
        assert "changed since" in site.run("conflicts", "take", number, "b").err
        site.run("undo", str(done["run"]), "--yes", expect=0)
        assert "NOTE:hier" in site.contacts()["u0"] and "NOTE:hier" in pair.paths()["u0"][1]
        quiet(site)
        assert len(site.run("--json", "conflicts", "--all", expect=0).json()) == 1
        site.run("conflicts", "read", "--all", expect=0)


def why():
    with Pair() as pair:
        site = pair.site
        populated(pair)
        run = site.sync().json()["run"]

        def told(uid, field):
            return site.run("--json", "why", site.id_of(uid), field, expect=0).json()[0]

        note = told("u3", "note")
        assert (note["came"], note["from"], note["run"], note["replaced"]) == ("synced", "srv:kunden", run, "alt"), note
        phone = told("u3", "tel")
        assert phone["came"] == "synced" and phone["run"] < run and phone["replaced"] is None, phone
        won = told("u0", "note")
        assert won["came"] == "here" and won["run"] == run and won["replaced"] == "dort" and won["rule"], won
        assert told("n1", "name")["came"] == "here" and told("n2", "name")["from"] == "srv:kunden"
        site.run("contact", "edit", site.id_of("u3"), "title=Chefin", expect=0)
        new = told("u3", "title")
        assert new["came"] == "here_not_synced" and new["from"] == "command", new
        site.sync()
        assert told("u3", "title")["came"] == "here"
        text = site.run("why", site.id_of("u3"), expect=0).out
        assert "srv:kunden" in text and "It replaced: alt" in text, text
        site.run("why", site.id_of("u3"), "nosuch", expect=2)


def hostile_prepared(server):
    for i in range(4):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt"))
    site = Site(server)
    site.sync()
    site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    server.put("c0.vcf", server.cards["c0.vcf"].text.replace("NOTE:alt", "NOTE:dort"))
    site.remove(site.id_of("u1"))
    server.delete("c2.vcf")
    server.put("c3.vcf", server.cards["c3.vcf"].text.replace("NOTE:alt", "NOTE:neu"))
    site.add(card("n1", "Neu;Hier"))
    server.put("n2.vcf", card("n2", "Neu;Dort"))
    return site


def both_of(site, server):
    texts = list(server.texts().values())
    there = {uid_of(t): meaning(t) for t in texts}
    assert len(there) == len(texts), "doubled"
    return {u: meaning(t) for u, t in site.contacts().items()}, there


def killed_anywhere():
    """Then undone again it is whole; and a sync in between loses and doubles nobody."""
    with Hostile() as server:
        site = hostile_prepared(server)
        run = str(site.sync().json()["run"])
        first = len(server.requests)
        site.run("undo", run, "--yes", expect=0)
        n = len(server.requests) - first
        site.close()
    for between in (False, True):
        for at in range(1, n + 1):
            for moment in ("arrived", "done"):
                kill_one(at, moment, between)


def kill_one(at, moment, between):
    with Hostile() as server:
        site = hostile_prepared(server)
        before = both_of(site, server)
        run = str(site.sync().json()["run"])
        after = both_of(site, server)
        base = len(server.requests)
        process = []

        def stop(when, number, _request):
            if when == moment and number == base + at and process:
                kill(process[0].pid)
                process[0].wait()
                return "cut"
            return None

        with server.lock:  # no request is looked at before the process is known
            server.at = stop
            process.append(subprocess.Popen([PROGRAM, "-c", site.config, "undo", run, "--yes"], stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL))
        process[0].wait()
        server.at = lambda *unused: None
        if between:
            site.sync(None)
            here, there = both_of(site, server)
            whole = set(after[0]) | set(before[0]) | set(before[1])
            assert set(here) | set(there) <= whole and {"u0", "u3", "n1", "n2"} <= set(here) | set(there), (at, moment, here, there)
            assert "n1" in here and "n2" in there, "what a person made stays where it was made"
            quiet(site)
        else:
            site.run("undo", run, "--yes", expect=None)
            assert both_of(site, server) == before, (at, moment, both_of(site, server), before)
            site.sync()
            assert both_of(site, server) == before, (at, moment)
        site.close()


def main():
    suite = Suite("undo")
    for test in (whole_run_and_back, what_changed_since_stays, apart_until_it_changes, import_replacing, expired_is_said, inbox,
                 why, killed_anywhere):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
