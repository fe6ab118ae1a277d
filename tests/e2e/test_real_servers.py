"""abgleich against real CardDAV servers on loopback, from outside, as a person uses it. vdirsyncer reads the server afterwards as an
independent witness."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness import Site, Suite, card, check_same, meaning, split_cards, uid_of
import people
import servers


class Case:
    """A server with an empty book, and a site linked to it once the test has filled both sides."""

    def __init__(self, kind):
        self.folder = tempfile.mkdtemp(prefix="abgleich-e2e-")
        os.chmod(self.folder, 0o755)
        self.server = kind(os.path.join(self.folder, "server"))
        self.site = None

    def __enter__(self):
        self.server.__enter__()
        try:
            self.book = self.server.make_book("kunden")
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.server.__exit__(None, None, None)
        if self.site:
            self.site.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, *cards):
        for c in cards:
            self.server.put(self.book + uid_of(c) + ".vcf", c)

    def link(self, *cards, **settings):
        self.site = Site()
        self.site.run("book", "add", "Kunden", expect=0)
        for c in cards:
            self.site.add(c)
        self.site.server = self.server
        self.site.link(**settings)
        return self.site

    def there(self):
        cards = list(self.server.cards(self.book).values())
        found = {uid_of(c): c for c in cards}
        assert len(found) == len(cards), "doubled on the server"
        return found

    def same(self):
        check_same(self.site.contacts(), self.there())

    def path_of(self, uid):
        for path, text in self.server.cards(self.book).items():
            if uid_of(text) == uid:
                return path
        raise AssertionError("not on the server: " + uid)

    def edit_there(self, uid, change):
        path = self.path_of(uid)
        self.server.put(path, change(self.server.cards(self.book)[path]))

    def delete_there(self, uid):
        self.server.request("DELETE", self.path_of(uid))


def first_sync_with_matches_and_conflicts(case):
    same = card("u-same", "Meier;Anna", "TEL;TYPE=CELL:+491711111111")
    case.put(same, card("u-there", "Özdemir;Lale", "EMAIL:lale@example.org"),
             card("u-other", "Weiß;Jürgen", "EMAIL:jw@example.org", "TEL;TYPE=WORK:+4930222"),
             card("u-conflict", "Klein;Max", "NOTE:dort"))
    site = case.link(same, card("u-here", "Álvarez;José", "NOTE:mit\\nzwei Zeilen"),
                     card("u-mine", "Weiß;Jürgen", "EMAIL:jw@example.org", "TITLE:Chef"), card("u-conflict", "Klein;Max", "NOTE:hier"))
    result = site.sync().json()
    assert result["status"] == "done", result
    assert len(result["conflicts"]) == 1 and result["conflicts"][0]["winner"] == "a", result["conflicts"]
    here, there = site.contacts(), case.there()
    assert len(here) == len(there) == 5, (sorted(here), sorted(there))
    merged = meaning(here["u-mine"])
    assert any(p[0] == "TEL" for p in merged) and any(p[0] == "TITLE" for p in merged), merged
    assert "hier" in there["u-conflict"] and "dort" not in there["u-conflict"]
    assert site.sync().json()["status"] == "unchanged"


def no_op_is_one_request(case):
    case.put(card("u1"), card("u2", "Klein;Max"))
    site = case.link()
    site.sync()
    site.sync()
    before = len(open(os.path.join(site.folder, "state.db"), "rb").read())
    result = site.run("-v", "--json", "sync", "kunden", expect=0).json()
    assert result["status"] == "unchanged" and not result["operations"], result
    assert result.get("requests", 1) == 1, result["requests"]
    assert before == len(open(os.path.join(site.folder, "state.db"), "rb").read())


def changes_on_both_sides(case):
    case.put(card("u1", "Meier;Anna", "TEL;TYPE=CELL:+491711111111"), card("u2", "Klein;Max"), card("u3", "Lang;Eva", "NOTE:alt"))
    site = case.link()
    site.sync()
    site.edit(site.id_of("u1"), site.contacts()["u1"].replace("END:VCARD", "EMAIL:anna@example.org\r\nEND:VCARD"))
    case.edit_there("u1", lambda t: t.replace("END:VCARD", "TITLE:Ärztin\r\nEND:VCARD"))
    case.edit_there("u3", lambda t: t.replace("NOTE:alt", "NOTE:neu"))
    site.add(card("u4", "Neu;Hier"))
    case.put(card("u5", "Neu;Dort"))
    assert site.sync().json()["status"] == "done"
    case.same()
    one = meaning(case.there()["u1"])
    assert any(p[0] == "EMAIL" for p in one) and any(p[0] == "TITLE" for p in one), one
    assert "NOTE:neu" in site.contacts()["u3"] and len(site.contacts()) == 5
    assert site.sync().json()["status"] == "unchanged"


def deletes_both_ways(case):
    case.put(*[card("u%d" % i, "Name%d;Vor" % i) for i in range(8)])
    site = case.link()
    site.sync()
    site.remove(site.id_of("u1"))
    case.delete_there("u2")
    site.remove(site.id_of("u3"))
    case.edit_there("u3", lambda t: t.replace("END:VCARD", "NOTE:doch noch gebraucht\r\nEND:VCARD"))
    assert site.sync().json()["status"] == "done"
    case.same()
    assert set(site.contacts()) == {"u0", "u3", "u4", "u5", "u6", "u7"}, sorted(site.contacts())
    assert "doch noch gebraucht" in site.contacts()["u3"]
    assert site.sync().json()["status"] == "unchanged"


def restart_of_the_server(case):
    case.put(card("u1"))
    site = case.link()
    site.sync()
    case.server.stop()
    refused = site.sync(6)
    assert "srv" in refused.out + refused.err
    case.server.start()
    site.add(card("u2", "Klein;Max"))
    site.sync()
    case.same()


def wrong_password(case):
    case.put(card("u1"))
    site = case.link()
    site.sync()
    site.run("secret", "set", "srv", "--password-file", "-", text="falsch\n", expect=0)
    site.add(card("u2", "Klein;Max"))
    refused = site.run("sync", "kunden", expect=5)
    assert "falsch" not in refused.out + refused.err
    assert len(site.contacts()) == 2 and len(case.there()) == 1
    site.run("secret", "set", "srv", "--password-file", "-", text=case.server.password + "\n", expect=0)
    site.sync()
    case.same()


def emptied_server_is_held(case):
    case.put(*[card("u%d" % i, "Name%d;Vor" % i) for i in range(15)])
    site = case.link()
    site.sync()
    for i in range(15):
        case.delete_there("u%d" % i)
    held = site.sync(4).json()
    assert held["held"]["reason"] and len(site.contacts()) == 15, held
    listed = site.run("--json", "held", expect=4 if False else None).json()
    site.run("approve", "kunden", listed[0]["plan"], expect=0)
    site.sync()
    assert len(site.contacts()) == 0


def unreadable_card_is_left_alone(case):
    case.put(card("u1"))
    site = case.link()
    site.sync()
    bad = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-bad\r\nFN:Zwei\r\nN:Zwei;;;;\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-bad2\r\nFN:Karten\r\nN:Karten;;;;\r\nEND:VCARD\r\n"
    status = case.server.request("PUT", case.book + "bad.vcf", bad.encode(), (("Content-Type", "text/vcard"),))
    if status[0] not in (201, 204):
        return  # this server takes no such card
    result = site.sync(None)
    assert len(site.contacts()) == 1, site.contacts()
    assert any(bad.strip()[:30] in c or "Karten" in c for c in case.server.cards(case.book).values())


def ambiguous_waits_for_a_person(case):
    case.put(card("u-there", "Müller;Hans", "TEL:+4930111"))
    site = case.link(card("u-here", "Müller;Hans", "EMAIL:hans@example.org"))
    result = site.sync(3).json()
    assert len(result["ambiguous"]) == 1, result
    assert len(site.contacts()) == 1 and len(case.there()) == 1
    listed = site.run("--json", "review", "kunden", expect=3).json()
    site.run("review", "kunden", "--same", listed[0]["a"]["id"] if isinstance(listed[0].get("a"), dict) else listed[0]["id_a"],
             listed[0]["b"]["id"] if isinstance(listed[0].get("b"), dict) else listed[0]["id_b"], expect=0)
    site.sync()
    one = meaning(list(site.contacts().values())[0])
    assert len(site.contacts()) == len(case.there()) == 1
    assert any(p[0] == "TEL" for p in one) and any(p[0] == "EMAIL" for p in one), one


def realistic_contacts(case):
    everybody = people.people(7, 120)
    case.put(*[people.vcard(p, "server") for p in everybody[:80]])
    site = case.link(*[people.vcard(p) for p in everybody[60:]])
    result = site.sync(None)
    assert result.code in (0, 3), result
    for pair in result.json()["ambiguous"]:  # two people of one name
        site.run("review", "kunden", "--different", pair["id_a"], pair["id_b"], expect=0)
    site.sync()
    assert site.sync().json()["status"] == "unchanged"
    assert len(site.contacts()) == 120
    case.same()


def vdirsyncer_reads_the_same(case):
    case.put(card("u1", "Meier;Anna"), card("u2", "Özdemir;Lale", "NOTE:äöü"))
    site = case.link(card("u3", "Klein;Max"))
    site.sync()
    folder = os.path.join(case.folder, "witness")
    os.makedirs(folder)
    config = os.path.join(case.folder, "vdirsyncer.conf")
    with open(config, "w") as f:
        f.write('[general]\nstatus_path = "%s/status/"\n[pair w]\na = "l"\nb = "r"\ncollections = null\n[storage l]\ntype = "filesystem"\n'
                'path = "%s/"\nfileext = ".vcf"\n[storage r]\ntype = "carddav"\nurl = "%s"\nusername = "%s"\npassword = "%s"\n'
                % (case.folder, folder, case.server.url.rstrip("/") + case.book, case.server.user, case.server.password))
    for command in ("discover", "sync"):
        subprocess.run(["vdirsyncer", "-c", config, command], input=b"y\ny\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    seen = {}
    for name in os.listdir(folder):
        text = open(os.path.join(folder, name), newline="", encoding="utf-8").read()
        seen[uid_of(text)] = text
    check_same(site.contacts(), seen)


TESTS = [first_sync_with_matches_and_conflicts, no_op_is_one_request, changes_on_both_sides, deletes_both_ways, restart_of_the_server,
         wrong_password, emptied_server_is_held, unreadable_card_is_left_alone, ambiguous_waits_for_a_person, realistic_contacts,
         vdirsyncer_reads_the_same]


def one(kind, test):
    with Case(kind) as case:
        test(case)


def why_not(kind):
    """Why this server cannot be tried here; None if it can."""
    reason = kind.why_not() if hasattr(kind, "why_not") else None
    if reason:
        return reason
    try:
        case = Case(kind)
        case.server.patience = 5
        with case:
            return None
    except Exception as problem:
        return "it does not start: %s" % str(problem).splitlines()[0][:150]


def main():
    suite = Suite("end to end")
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for kind in servers.ALL:
        missing = why_not(kind)
        if missing:
            print("NOT RUN: %s: %s" % (kind.name, missing))
            continue
        for test in TESTS:
            if test is wrong_password and kind is servers.Xandikos:
                continue  # it has no passwords of its own
            if test is vdirsyncer_reads_the_same and getattr(kind, "connector", "carddav") != "carddav":
                continue  # vdirsyncer speaks CardDAV alone
            title = "%s: %s" % (kind.name, test.__name__.replace("_", " "))
            if only in title:
                suite.run(title, one, kind, test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
