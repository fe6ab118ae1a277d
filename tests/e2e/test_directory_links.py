"""Links that feed a phonebook of our own ("directory:NAME"): several at once, merged without doubles, and none takes away what another brought."""

import sys
import tempfile

from harness import Suite, card
from servers import Radicale
from test_directory import C4, KEY, House

LALE = card("lale", "Özdemir;Lale", "ORG:Anders AG", "TEL;TYPE=CELL:0151 000017", "EMAIL:LALE@example.org")
BERT = card("bert", "Weidner;Bert", "TEL;TYPE=HOME:+49405551")
BERTS_OTHER = card("b2", "Weidner;Bert", "TEL;TYPE=WORK:+49405552")
NAMESAKE_1 = card("n1", "Meier;Anna", "TEL:+49401", "EMAIL:anna@one.example")
NAMESAKE_2 = card("n2", "Meier;Anna", "TEL:+49402", "EMAIL:anna@two.example")


class Fed(House):
    """A phonebook fed by links from books of the Contactbox. The daemon serves and rests while links run: they are run here, one by one."""

    def __init__(self, **books):
        super().__init__(settings="quiet = 1h\n")
        for name, cards in books.items():
            self.feed(name, *cards)

    def feed(self, name, *cards):
        self.rest()
        self.site.run("book", "add", name, expect=0)
        for c in cards:
            self.add(name, c)
        self.site.run("link", "add", name.lower(), "contactbox:" + name, "directory:telefon", "--mode", "one-way", expect=0)
        return self.sync(name)

    def add(self, book, text):
        return self.site.run("contact", "add", book, "--file", "-", text=text, expect=0).out.strip()

    def curl(self, *args, **more):
        if not self.daemon:
            self.start()
        return super().curl(*args, **more)

    def sync(self, name, expect=0, *args):
        self.rest()
        return self.site.run("--json", "sync", name.lower(), *args, expect=expect).json()

    def show(self):
        return self.site.run("--json", "directory", "show", "telefon", expect=0).json()

    def names(self):
        return sorted(line.split(",")[2] or line.split(",")[1] for line in self.get().splitlines()[1:])

    def rows(self):
        return self.get().splitlines()[1:]


def two_links_and_a_push_are_one_book():
    with Fed(Kunden=[LALE, BERT], Privat=[BERTS_OTHER]) as h:
        assert h.push(C4)[0] == 200
        rows = h.rows()
        assert len(rows) == 3, rows
        lale = [r for r in rows if "Özdemir" in r][0]
        assert "Anders AG" in lale and "+494031000101" in lale and "+49151000017" in lale, "the link wins, numbers are united: " + lale
        bert = [r for r in rows if "Weidner" in r][0]
        assert "+49405551" in bert and "+49405552" in bert, bert
        merged = {(m["contact"], m["part"], m["into_part"], m["by"]) for m in h.show()["merged"]}
        assert merged == {("Özdemir, Lale", "push", "kunden", "mail"), ("Bert Weidner", "privat", "kunden", "name")}, merged
        said = h.site.run("directory", "show", "telefon", expect=0).out
        assert "the same mail address" in said and "the same name" in said and "3 contacts in all" in said, said


def namesakes_stay_two():
    with Fed(Kunden=[NAMESAKE_1], Privat=[NAMESAKE_2]) as h:
        assert len(h.rows()) == 2, h.rows()


def within_one_part_nothing_is_merged():
    twice = "internal_id,family_name,given_name,phone_work,email\n1,Meier,Anna,+49401,info@example.org\n2,Meier,Bert,+49402,info@example.org\n3,Meier,Anna,+49403,\n"
    with Fed() as h:
        h.push(twice)
        assert len(h.rows()) == 3, h.rows()
        before = h.get()
        assert '"unchanged"' in h.push(before)[1] and h.get() == before, "push, get, push again"


def a_link_deletes_only_what_it_brought():
    with Fed(Kunden=[LALE, BERT], Privat=[BERTS_OTHER]) as h:
        h.push(C4)
        for c in h.site.run("--json", "contact", "list", "Kunden", expect=0).json():
            if "Weidner" in c["name"]:
                h.site.run("contact", "remove", c["id"], expect=0)
        assert h.sync("Kunden")["b"]["deleted"] == 1
        bert = [r for r in h.rows() if "Weidner" in r]
        assert len(bert) == 1 and "+49405552" in bert[0] and "+49405551" not in bert[0], bert
        assert len(h.rows()) == 3
        h.push("family_name,given_name\n", path="?allow_empty=1")
        assert len(h.rows()) == 2, "a push takes away only what was pushed"


def a_link_that_is_no_more_leaves_the_others():
    with Fed(Kunden=[LALE], Privat=[BERT]) as h:
        h.push(C4)
        whole = h.get()
        assert h.site.run("directory", "drop", "telefon", "privat", "--yes").code == 2, "it still feeds it"
        assert h.site.run("directory", "remove", "telefon", "--yes").code == 2
        assert h.site.run("book", "remove", "telefon/privat", "--yes").code == 2, "the book is the phonebook's"
        assert "directory drop telefon privat" in h.site.run("link", "remove", "privat", "--yes", expect=0).err
        assert h.get() == whole, "what it brought stays until somebody says so"
        h.site.run("directory", "drop", "telefon", "privat", "--yes", expect=0)
        rows = h.rows()
        assert len(rows) == 2 and not [r for r in rows if "Weidner" in r], rows
        assert {p["name"] for p in h.show()["parts"]} == {"kunden", "push"}


def whose_names_win_can_be_said():
    with Fed(Kunden=[LALE], Privat=[]) as h:
        h.push(C4)
        assert "Anders AG" in h.get() and "Nordlicht" not in h.get()
        h.site.run("directory", "order", "telefon", "push", expect=0)
        assert "Nordlicht" in h.get() and "Anders AG" not in h.get()
        h.site.run("directory", "order", "telefon", "kunden", "push", expect=0)
        assert "Anders AG" in h.get()
        assert h.site.run("directory", "order", "telefon", "nobody").code == 2


def a_check_makes_nothing():
    with House() as h:
        h.rest()
        h.site.run("book", "add", "Kunden", expect=0)
        h.site.run("contact", "add", "Kunden", "--file", "-", text=LALE, expect=0)
        h.site.run("link", "add", "kunden", "contactbox:Kunden", "directory:telefon", "--mode", "one-way", expect=0)
        books = h.site.run("--json", "book", "list", expect=0).out
        assert h.site.run("--json", "check", "kunden").json()["operations"][0]["op"] == "create"
        assert h.site.run("--json", "book", "list", expect=0).out == books
        plan = h.site.run("--json", "sync", "kunden", expect=0).json()
        assert plan["b"]["created"] == 1 and h.site.run("check", "kunden").code == 0, "and then nothing is left to do"
        assert h.site.run("--json", "sync", "kunden", expect=0).json()["status"] == "unchanged"


def an_emptied_source_is_held():
    people = [card("u%d" % i, "Familie%02d;Vor" % i, "TEL:+49401%02d" % i) for i in range(15)]
    with Fed(Kunden=people) as h:
        for c in h.site.run("--json", "contact", "list", "Kunden", expect=0).json():
            h.site.run("contact", "remove", c["id"], expect=0)
        held = h.sync("Kunden", 4)
        assert held["held"] and len(h.rows()) == 15, "telephones lose nobody unasked"
        h.rest()
        h.site.run("approve", "kunden", held["plan"], expect=0)
        h.sync("Kunden")
        assert not h.rows()


def what_a_run_did_is_undone():
    with Fed(Kunden=[LALE]) as h:
        before = h.get()
        c = h.site.run("--json", "contact", "list", "Kunden", expect=0).json()[0]["id"]
        h.site.edit(c, LALE.replace("Anders", "Neu"))
        run = h.sync("Kunden")["run"]
        assert "Neu AG" in h.get()
        h.rest()
        h.site.run("undo", str(run), "--yes", expect=0)
        assert h.get() == before


def from_a_server_and_two_way_back():
    with tempfile.TemporaryDirectory() as folder, Radicale(folder) as server, Fed() as h:
        path = server.make_book("kunden", {"a.vcf": LALE, "b.vcf": BERT})
        h.rest()
        h.site.run("account", "add", "srv", "--connector", "carddav", "--url", server.url, "--user", server.user, "--password-file", "-",
                   text=server.password + "\n", expect=0)
        h.site.run("link", "add", "direkt", "srv:kunden", "directory:telefon", "--mode", "one-way", expect=0)
        r = h.sync("direkt")
        assert r["b"]["created"] == 2 and len(h.rows()) == 2, r
        assert server.request("DELETE", path + "b.vcf")[0] in (200, 204)
        assert h.sync("direkt")["b"]["deleted"] == 1 and len(h.rows()) == 1
        part = h.site.run("--json", "contact", "list", "telefon/direkt", expect=0).json()
        h.site.run("contact", "remove", part[0]["id"], expect=0)
        h.sync("direkt")
        assert server.cards(path), "nothing is ever deleted at the source"


def a_phonebook_is_only_a_target():
    with Fed(Kunden=[LALE]) as h:
        h.site.run("book", "add", "Privat", expect=0)
        for a, b, mode, words in (("contactbox:Privat", "directory:telefon", "two-way", "only takes contacts in"),
                                  ("directory:telefon", "contactbox:Neu", "one-way", "is no source"),
                                  ("contactbox:Kunden", "directory:gibtesnicht", "one-way", "gibtesnicht")):
            r = h.site.run("link", "add", "x", a, b, "--mode", mode)
            assert r.code == 2 and words in r.err, r
        assert h.site.run("account", "add", "directory", "--connector", "carddav", "--url", "http://127.0.0.1:1/").code == 2
        assert h.site.run("account", "add", "x", "--connector", "phonebook").code == 2
        assert [c["name"] for c in h.site.run("--json", "discover", "directory", expect=0).json()] == ["telefon"]


CASES = (two_links_and_a_push_are_one_book, namesakes_stay_two, within_one_part_nothing_is_merged, a_link_deletes_only_what_it_brought,
         a_link_that_is_no_more_leaves_the_others, whose_names_win_can_be_said, a_check_makes_nothing, an_emptied_source_is_held,
         what_a_run_did_is_undone, from_a_server_and_two_way_back, a_phonebook_is_only_a_target)


if __name__ == "__main__":
    suite = Suite("directory, fed by links")
    for case in CASES:
        if len(sys.argv) < 2 or any(word in case.__name__.replace("_", " ") for word in sys.argv[1:]):
            suite.run(case.__name__.replace("_", " "), case)
    sys.exit(suite.end())
