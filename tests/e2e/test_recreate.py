"""Neu anlegen (contactbox 7): asked for by name, all of it or nothing, and what hangs on a contact that is on both sides stays with it.
Also what a deletion here means afterwards (contactbox 5), the switches of one-way, and a link in another mode than before."""

import os
import subprocess
import sys
import tempfile

from harness import HERE, PROGRAM, Site, Suite, card, check_same, meaning, uid_of
from hostile_server import Hostile

YES = ("--yes-recreate", "Kunden")


def put(server, *cards):
    for c in cards:
        server.put(uid_of(c) + ".vcf", c)


def linked(server, *cards, **settings):
    """A site whose book holds the cards, linked and not yet synced."""
    site = Site()
    site.run("book", "add", "Kunden", expect=0)
    for c in cards:
        site.add(c)
    site.server = server
    site.link(**settings)
    return site


def recreate(site, *more, expect=0):
    return site.run("--json", "import", "kunden", "--mode", "neu-anlegen", *more, expect=expect)


def must_be_named():
    with Hostile() as server:
        put(server, card("u1"))
        site = linked(server, card("u2", "Klein;Max"))
        before = site.contacts()
        for words in ((), ("--yes-recreate", "Andere")):
            refused = recreate(site, *words, expect=2)
            assert "--yes-recreate" in refused.err and "Kunden" in refused.err, refused
        assert site.contacts() == before
        look = site.run("--json", "check", "kunden", "--mode", "neu-anlegen", expect=10).json()
        assert look["a"]["to_delete"] == 1 and look["b"]["new"] == 1 and "uid" in look["matched"], look
        recreate(site, "--plan", look["plan"])  # who names the plan has seen it
        assert set(site.contacts()) == {"u1"}
        site.close()


def keeps_ids_and_what_hangs_on_them():
    with Hostile() as server:
        put(server, card("u1", "Meier;Anna", "NOTE:dort"), card("s2", "Klein;Max", "EMAIL:max@example.org", "NOTE:dort"), card("s3", "Neu;Nina"))
        site = linked(server, card("u1", "Meier;Anna", "NOTE:hier", "X-HUB-KUNDENNUMMER:4711"),
                      card("h2", "Klein;Max", "EMAIL:max@example.org"), card("h4", "Weg;Willi"))
        ids = {u: site.id_of(u) for u in ("u1", "h2", "h4")}
        for u in ids:
            site.run("contact", "followup", "add", ids[u], "--due", "2030-01-02", "anrufen " + u, expect=0)
        look = site.run("--json", "check", "kunden", "--mode", "neu-anlegen", expect=10).json()
        assert look["matched"]["uid"] == 1 and look["matched"]["name_email"] == 1, look["matched"]
        done = recreate(site, *YES).json()
        assert done["a"]["deleted"] == 1 and done["a"]["created"] == 1, done
        here = site.contacts()
        listed = {c["name"]: c["id"] for c in site.run("--json", "contact", "list", "Kunden", expect=0).json()}
        assert ids["u1"] in listed.values() and ids["h2"] in listed.values() and ids["h4"] not in listed.values(), (ids, listed)
        assert len(here) == 3 and "NOTE:dort" in here["u1"] and "X-HUB-KUNDENNUMMER:4711" in here["u1"], here
        kept = site.run("contact", "followup", "list", ids["h2"], expect=0).out
        assert "anrufen h2" in kept, kept
        assert not server.violations, server.violations
        assert not recreate(site, *YES).json()["operations"]
        assert site.run("--json", "contact", "deleted", expect=0).json() is not None
        site.close()


def bad_listings_wipe_nothing():
    everybody = [card("u%d" % i, "Name%d;Vor" % i) for i in range(10)]
    for left in (0, 4):
        with Hostile() as server:
            put(server, *everybody)
            site = linked(server, card("h1", "Nur;Hier"))
            site.sync()
            before = site.contacts()
            for i in range(left, 10):
                server.delete("u%d.vcf" % i)
            if not left:
                server.delete(next(n for n, c in server.cards.items() if "UID:h1" in c.text))
            held = recreate(site, *YES, expect=4).json()
            assert held["status"] == "held" and held["held"]["reason"], held
            assert site.contacts() == before, left
            site.run("approve", "kunden", held["plan"], expect=0)
            recreate(site, *YES)
            assert len(site.contacts()) == len(server.texts()), (left, sorted(site.contacts()))
            site.close()


def tombstones_hold():
    with Hostile() as server:
        put(server, card("u1", "Meier;Anna", "EMAIL:anna@example.org"), card("u2", "Klein;Max"), card("u3", "Groß;Ida"))
        site = linked(server, mode="import", authority="contactbox")
        site.sync()
        site.remove(site.id_of("u1"))
        for mode in ("ergaenzen", "aktualisieren", "neu-anlegen"):
            done = site.run("--json", "import", "kunden", "--mode", mode, *(YES if mode == "neu-anlegen" else ()), expect=0).json()
            assert done["b"]["skipped_deleted"] == 1 and len(site.contacts()) == 2, (mode, done)
        # it changes there: still not created, but said once
        server.put("u1.vcf", card("u1", "Meier;Anna", "EMAIL:anna@example.org", "NOTE:neu"))
        done = site.run("--json", "import", "kunden", "--mode", "ergaenzen", expect=None).json()
        assert len(site.contacts()) == 2 and "changed on the server" in str(done["quarantined"]), done
        again = site.run("--json", "import", "kunden", "--mode", "ergaenzen", expect=0).json()
        assert not again["quarantined"], again
        # another name and another UID there: known by name and mail
        server.delete("u1.vcf")
        server.put("other.vcf", card("u1-new", "Meier;Anna", "EMAIL:anna@example.org"))
        done = site.run("--json", "import", "kunden", "--mode", "ergaenzen", expect=0).json()
        assert done["b"]["skipped_deleted"] == 1 and len(site.contacts()) == 2, done
        # the link goes and comes back: deletions are remembered
        site.run("link", "remove", "kunden", "--yes", expect=0)
        site.run("link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--mode", "import", expect=0)
        assert site.sync().json()["b"]["skipped_deleted"] == 1 and len(site.contacts()) == 2
        # unless somebody says otherwise
        recreate(site, "--ignore-tombstones", *YES)
        assert len(site.contacts()) == 3, sorted(site.contacts())
        site.close()


def deleted_on_the_server_is_no_tombstone():
    with Hostile() as server:
        put(server, card("u1"), card("u2", "Klein;Max"))
        site = linked(server)
        site.sync()
        server.delete("u1.vcf")
        site.sync()
        assert set(site.contacts()) == {"u2"}
        trash = site.run("--json", "contact", "deleted", expect=0).json()
        assert len(trash) == 1, trash
        put(server, card("u1"))
        site.sync()
        assert set(site.contacts()) == {"u1", "u2"}
        site.close()


def an_import_in_between_hides_nothing():
    with Hostile() as server:
        put(server, card("u1", "Meier;Anna", "NOTE:alt"), card("u2", "Klein;Max"))
        site = linked(server)
        site.sync()
        server.put("u1.vcf", card("u1", "Meier;Anna", "NOTE:dort"))
        site.run("import", "kunden", "--mode", "ergaenzen", expect=0)
        assert "NOTE:alt" in site.contacts()["u1"]
        site.sync()
        assert "NOTE:dort" in site.contacts()["u1"], site.contacts()["u1"]
        site.close()


def one_folder_is_joined_once():
    with Hostile() as server:
        site = linked(server, card("u1"))
        site.run("account", "add", "zweit", "--connector", "carddav", "--url", server.url, "--user", server.user, "--password-file", "-",
                 text=server.password + "\n", expect=0)
        path = site.run("--json", "discover", "srv", expect=0).json()[0]["path"]
        for side in ("srv:" + path, "zweit:kunden", "zweit:" + path):
            refused = site.run("link", "add", "nochmal", "contactbox:Kunden", side, "--mode", "two-way", expect=2)
            assert "kunden" in refused.err, refused
        site.close()


def one_way_switches():
    for key, want in (("delete=never", "deleted"), ("oneway_enforce=yes", "changed")):
        with Hostile() as server:
            site = linked(server, card("u1", "Meier;Anna", "NOTE:hier"), card("u2", "Klein;Max"), mode="one-way")
            site.run("link", "set", "kunden", key, expect=0)
            site.sync()
            name = next(n for n, c in server.cards.items() if "UID:u1" in c.text)
            if want == "deleted":
                site.remove(site.id_of("u1"))
                site.sync()
                assert len(server.texts()) == 2, server.texts()
            else:
                server.put(name, server.cards[name].text.replace("NOTE:hier", "NOTE:dort"))
                site.sync()
                assert "NOTE:hier" in server.cards[name].text, server.cards[name].text
            assert not site.sync().json()["operations"]
            site.close()


def another_mode_deletes_nothing_at_first():
    with Hostile() as server:
        put(server, card("u1"), card("u2", "Klein;Max"), card("u3", "Groß;Ida"))
        site = linked(server, mode="import", authority="contactbox")
        site.sync()
        server.delete("u1.vcf")
        site.remove(site.id_of("u2"))
        site.run("link", "set", "kunden", "mode=two-way", expect=0)
        site.sync()
        assert set(site.contacts()) == {"u1", "u3"}, sorted(site.contacts())
        assert {uid_of(t) for t in server.texts().values()} == {"u1", "u2", "u3"}
        site.remove(site.id_of("u3"))
        site.sync()
        assert {uid_of(t) for t in server.texts().values()} == {"u1", "u2"}
        site.close()


def killed_in_the_middle():
    """kill -9 at each write to the database: the book is the old one or the new one, and the next run ends with the new one."""
    with tempfile.TemporaryDirectory() as folder:
        shim = os.path.join(folder, "shim.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, os.path.join(HERE, "commit_shim.c"), "-ldl"], check=True)
        number, seen, ended = 1, set(), False
        while not ended:
            with Hostile() as server:
                put(server, *[card("u%d" % i, "Name%d;Vor" % i, "NOTE:dort") for i in range(3, 303)])
                site = linked(server, *[card("u%d" % i, "Name%d;Vor" % i, "NOTE:hier") for i in range(6)])
                before = site.contacts()
                done = subprocess.run([PROGRAM, "-c", site.config, "-q", "import", "kunden", "--mode", "neu-anlegen", *YES],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      env=dict(os.environ, LD_PRELOAD=shim, SHIM_KILL_AT=str(number)))
                ended = done.returncode == 0
                now = site.contacts()
                whole = len(now) == 300 and all("NOTE:dort" in c for c in now.values())
                assert now == before or whole, "neither old nor new after a kill at write %d: %d contacts" % (number, len(now))
                seen.add(whole)
                recreate(site, *YES)
                assert len(site.contacts()) == 300
                site.close()
            number = number * 3 // 2 + 1
        assert seen == {True, False}, seen


TESTS = [must_be_named, keeps_ids_and_what_hangs_on_them, bad_listings_wipe_nothing, tombstones_hold, deleted_on_the_server_is_no_tombstone,
         an_import_in_between_hides_nothing, one_folder_is_joined_once, one_way_switches, another_mode_deletes_nothing_at_first, killed_in_the_middle]


def main():
    suite = Suite("neu anlegen")
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for test in TESTS:
        title = test.__name__.replace("_", " ")
        if only in title:
            suite.run(title, test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
