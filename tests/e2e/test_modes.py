"""The mode table (tests/modes/table.txt) against a real Radicale, from outside: what each side holds after the run, what was counted, that
the counts add up, and that a further run writes nothing."""

import contextlib
import os
import re
import sqlite3
import sys
import tempfile

from harness import ROOT, Site, Suite, card, uid_of
import servers

TABLE = os.path.join(ROOT, "tests", "modes", "table.txt")
SUBJECT, BYSTANDERS = "m-1", ["stander-%d" % i for i in range(4)]
ROWS = ("unchanged", "new", "changed", "conflict", "skipped_deleted", "invalid", "to_delete")


def cells():
    for line in open(TABLE, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            words = line.split()
            yield words[:5] + [words[5] if len(words) > 5 else ""]


def text_of(uid, note):
    note, plus, _ = note.partition("+")
    return card(uid, uid + ";Anna", "NOTE:" + note, *(["TEL;TYPE=CELL:+491711234567"] if plus else []))


def describe(text):
    if text is None:
        return "-"
    if "kaputt" in text:
        return "kaputt"
    return re.search(r"NOTE:(\w+)", text).group(1) + ("+tel" if "TEL" in text else "")


class Trial:
    def __init__(self, server, number, policy):
        self.server, self.policy = server, policy
        self.name = "book%d" % number
        self.path = server.make_book(self.name)
        self.site, self.broken = Site(), False
        self.site.run("book", "add", "Kunden", expect=0)

    def close(self):
        self.site.close()

    # -- the two sides, by UID

    def database(self):
        return contextlib.closing(sqlite3.connect(os.path.join(self.site.folder, "state.db"), isolation_level=None))

    def here(self):
        with self.database() as db:
            rows = db.execute("SELECT id, uid, body FROM record WHERE deleted = 0").fetchall()
        return {uid: (contact, bytes(body).decode()) for contact, uid, body in rows}

    def there(self):
        return {uid_of(t): (p, t) for p, t in self.server.cards(self.path).items()}

    def put(self, side, note, uid=SUBJECT):
        old = (self.here() if side == "a" else self.there()).get(uid)
        if side == "b":
            self.server.put(old[0] if old else self.path + uid + ".vcf", text_of(uid, note))
        elif old:
            self.site.edit(old[0], text_of(uid, note))
        else:
            self.site.add(text_of(uid, note))

    def remove(self, side):
        old = (self.here() if side == "a" else self.there())[SUBJECT]
        if side == "a":
            self.site.remove(old[0])
        else:
            self.server.request("DELETE", old[0])

    def spoil(self, side):
        """Bytes that no client writes through the front door: a disk that failed; more properties than a contact has."""
        self.broken = True
        if side == "a":
            with self.database() as db:
                db.execute("UPDATE book SET seq = seq + 1")
                db.execute("UPDATE record SET body = ?, seq = (SELECT seq FROM book) WHERE uid = ?", (b"kaputt: no vCard", SUBJECT))
        else:
            self.server.put(self.there()[SUBJECT][0], card(SUBJECT, "kaputt;Anna", *["NOTE:%d" % i for i in range(5100)]))

    # -- runs

    def settings(self, policy):
        mode, _, word = policy.rstrip("+").partition("/")
        return mode, "import" if mode == "import" else "authority", word

    def link(self, policy):
        s = self.server
        mode, key, word = self.settings(policy)
        self.site.run("account", "add", "srv", "--connector", "carddav", "--url", s.url, "--user", s.user, "--password-file", "-",
                      text=s.password + "\n", expect=0)
        self.site.run("link", "add", "kunden", "contactbox:Kunden", "srv:" + self.name, "--mode", mode, *(["--" + key, word] if word else []),
                      expect=0)

    def run(self):
        result = self.site.sync(None).json()
        assert result["status"] in ("done", "unchanged", *(["partial"] if self.broken else [])), result
        for side in "ab":
            c = result[side]
            assert c["total"] == sum(c[r] for r in ROWS), (side, c)
        return result

    def prepare(self, event):
        starts_on = "b" if self.policy.startswith("import") or self.policy.endswith("+") else "a"
        for uid in BYSTANDERS:
            self.site.add(text_of(uid, "steht"))
            self.server.put(self.path + uid + ".vcf", text_of(uid, "steht"))
        if event != "new":
            self.put(starts_on, "alt")
        self.link("two-way/server" if self.policy == "two-way/neu-anlegen" else self.policy)
        self.run()
        self.run()

    def happen(self, event, side):
        other = "b" if side == "a" else "a"
        edit = {"a": "hier", "b": "dort"}
        if event == "new":
            self.put(side, "neu")
        elif event == "changed":
            self.put(side, edit[side])
        elif event == "deleted":
            self.remove(side)
        elif event == "both":
            self.put("a", "hier")
            self.put("b", "dort" if side == "a" else "alt+tel")
        elif event == "crossed":
            self.remove(side)
            self.put(other, edit[other])
        elif event == "tombstoned":
            self.remove(side)
            self.run()
            self.put("b", "dort")
        else:
            self.spoil(side)



def try_cell(server, number, policy, event, side, want_a, want_b, counted):
    t = Trial(server, number, policy)
    try:
        t.prepare(event)
        t.happen(event, side)
        if policy == "two-way/neu-anlegen":
            t.site.run("link", "set", "kunden", "authority=neu-anlegen", expect=0)
        result = t.run()
        if counted:
            who, _, rest = counted.partition(".")
            key, _, n = rest.partition("=")
            assert result[who][key] == int(n), (counted, result[who])
        here, there = t.here(), t.there()
        got = [describe(s.get(SUBJECT, (None, None))[1]) for s in (here, there)]
        assert got == [want_a, want_b], (got, [want_a, want_b], result)
        assert set(BYSTANDERS) <= set(here) and set(BYSTANDERS) <= set(there), (sorted(here), sorted(there))
        again = t.run()
        assert not again["operations"], again
    finally:
        t.close()


def main():
    suite = Suite("modes")
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with servers.Radicale(os.path.join(folder, "server")) as server:
            for number, cell in enumerate(cells()):
                title = "%s: %s on %s" % tuple(cell[:3])
                if only in title:
                    suite.run(title, try_cell, server, number, *cell)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
