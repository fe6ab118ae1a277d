"""The connector `directory` from outside: a book is pushed as contacts.csv to a strict server of somebody else (tests/emulators/directory.py)."""

import csv
import io
import sys

from harness import Site, Suite, card
from directory import Directory
from test_directory import KEY, House

ANNA = card("anna", "Özdemir;Anna", "ORG:Nordlicht GmbH;Vertrieb", "TITLE:Leitung", "TEL;TYPE=WORK,VOICE:+49 40 31000-101",
            "TEL;TYPE=WORK,VOICE:+494031000102", "TEL;TYPE=CELL:0151 00000017", "TEL;TYPE=FAX:+494031000109", "EMAIL:anna@example.org",
            "BDAY:1988-02-29")
BERT = card("bert", "Weidner;Bert", "TEL;TYPE=HOME:+4940555", "NOTE:secret note")


class World:
    """A Directory and a site whose book goes there."""

    def __init__(self, *cards, url=None, key=None, account=(), link=()):
        self.there, self.site = Directory(), Site()
        self.site.run("book", "add", "Kunden", expect=0)
        text = self.there.key if key is None else key
        args = ["account", "add", "tel", "--connector", "directory", "--url", url or self.there.url, *account]
        self.site.run(*args, *(["--password-file", "-"] if text else []), text=text + "\n" if text else None, expect=0)
        self.site.run("link", "add", "tel", "contactbox:Kunden", "tel:", "--mode", "one-way", *link,
                      *(["--no-test"] if "--no-test" in account else []), expect=0)
        self.ids = [self.site.add(c) for c in cards]

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        self.there.__exit__()
        self.site.close()
        if kind is None:
            assert not self.there.violations, self.there.violations

    def sync(self, expect=0, *args):
        r = self.site.run("--json", "sync", "tel", *args)
        assert self.there.key not in r.out + r.err, "the key is told: %r" % r
        assert r.code == expect, "expected exit %d: %r" % (expect, r)
        return r.json()


def pushes_what_a_book_says():
    with World(ANNA, BERT) as w:
        w.sync()
        anna, bert = (w.there.rows[i] for i in w.ids)
        assert (anna["family_name"], anna["given_name"], anna["company"], anna["department"], anna["position"]) == (
            "Özdemir", "Anna", "Nordlicht GmbH", "Vertrieb", "Leitung"), anna
        assert w.there.numbers(anna, "work") == ["+494031000101", "+494031000102"], anna
        assert w.there.numbers(anna, "mobile") == ["+4915100000017"] and w.there.numbers(anna, "fax") == ["+494031000109"], anna
        assert anna["email"] == "anna@example.org" and anna["birthday"] == "1988-02-29", anna
        assert w.there.numbers(bert, "home") == ["+4940555"], bert
        assert b"secret note" not in w.there.pushes[-1][2], "what no phone reads is not sent"


def sends_only_what_changed():
    with World(ANNA, BERT) as w:
        w.sync()
        assert w.sync()["status"] == "unchanged" and len(w.there.pushes) == 1
        w.site.edit(w.ids[1], BERT.replace("secret note", "another note"))
        w.sync()
        assert len(w.there.pushes) == 1, "what differs is not in the list"
        w.site.edit(w.ids[1], BERT.replace("40555", "40556"))
        r = w.sync()
        assert len(w.there.pushes) == 2 and r["b"]["updated"] == 1 and r["b"]["created"] == 0, r
        assert w.there.numbers(w.there.rows[w.ids[1]], "home") == ["+4940556"]
        w.site.remove(w.ids[1])
        r = w.sync()
        assert r["b"]["deleted"] == 1 and list(w.there.rows) == w.ids[:1], r


def checks_without_sending():
    with World(ANNA) as w:
        r = w.site.run("--json", "check", "tel", expect=10).json()
        assert r["b"]["total"] == 0 and not w.there.pushes, r


def hostile_text_stays_text():
    rows = (("=cmd|' /C calc'!A0", "a formula"), ('Quote" ;,Semi', "quotes and separators"), ("--abgleich-0000\\nBoundary", "a boundary"),
            ("@SUM(A1)", "another formula"), ("日本語 🚒 ‮x", "other scripts"))
    plain = card("u", "Family;X", "TEL:112")
    with World(*(plain.replace("UID:u", "UID:u%d" % i).replace("Family", text.replace(";", r"\;").replace(",", r"\,"))
                 for i, (text, _) in enumerate(rows))) as w:
        w.sync()
        assert len(w.there.rows) == len(rows)
        assert "Quote" in w.there.rows[w.ids[1]]["family_name"] and '"' in w.there.rows[w.ids[1]]["family_name"]
        assert w.there.rows[w.ids[0]]["family_name"].startswith("'="), w.there.rows[w.ids[0]]
        assert all(w.there.numbers(w.there.rows[i], "other") == ["112"] for i in w.ids)


def an_empty_list_waits():
    with World(ANNA) as w:
        w.sync()
        w.site.remove(w.ids[0])
        plan = w.sync(4)["plan"]
        assert len(w.there.pushes) == 1 and len(w.there.rows) == 1
        w.sync(0, "--allow-empty", "--plan", plan)
        assert w.there.rows == {} and w.there.pushes[-1][0].endswith("?allow_empty=1")


def a_list_that_shrinks_much_waits():
    with World(*(card("u%d" % i, "Meier;A%d" % i, "TEL:+49405%05d" % i) for i in range(40))) as w:
        w.sync()
        for i in w.ids[:15]:
            w.site.remove(i)
        r = w.sync(4)
        assert "15 of 40" in r["held"]["reason"] and len(w.there.rows) == 40, r
        w.site.run("approve", "tel", r["plan"], expect=0)
        w.sync()
        assert len(w.there.rows) == 25


ANSWERS = (
    # status, what it says, exit, what must be told
    (400, "line 7: no name", 1, "line 7: no name"), (401, "", 5, "does not know the key"), (403, "", 5, "may not be written"),
    (404, "no KEY here", 5, "no phonebook of this key"), (405, "", None, "no phonebook can be sent"), (413, "", 1, "too large"),
    (415, "", 1, "does not understand"), (422, "line 2: \x1b[31mbad", 1, "line 2:"), (429, "", 6, "too many requests"), (500, "", 6, ""),
    (502, "<html>", 6, ""), (503, "", 6, "busy"),
)


def answers_are_told_and_the_next_run_sends():
    for status, text, code, said in ANSWERS:
        with World(ANNA) as w:
            w.there.fail(status, text)
            r = w.site.run("sync", "tel")
            both = r.out + r.err
            assert r.code != 0 and (code is None or r.code == code), "%d: %r" % (status, r)
            assert said in both and w.there.key not in both and "\x1b[31m" not in both, "%d: %r" % (status, r)
            w.sync()
            assert len(w.there.pushes) == 2 and len(w.there.rows) == 1, status


def a_lost_answer_is_sent_again():
    for cut in ("before", "after"):
        with World(ANNA) as w:
            w.there.cut = cut
            w.sync(6)
            w.sync()
            assert len(w.there.rows) == 1 and list(w.there.rows) == w.ids


def the_key_may_stand_in_the_address():
    with Directory() as d:
        with World(ANNA, url=d.url + d.key, key="") as w:
            w.site.run("sync", "tel", expect=0)
            assert list(d.rows) == w.ids and not d.violations, d.violations


REFUSED = (
    # address, key, what is told
    ("http://directory.example.org/contacts", "7FQ2M9XK41ZBD0", "unencrypted"),
    ("https://127.0.0.1:1/contacts", "", "no key of the phonebook"),
    ("https://127.0.0.1:1/contacts", "../../admin", "no key has"),
    ("https://127.0.0.1:1/contacts?x=1", "7FQ2M9XK41ZBD0", "ends with its path"),
)


def wrong_settings_are_told_before_anything_is_sent():
    for url, key, said in REFUSED:
        with World(ANNA, url=url, key=key, account=("--no-test",)) as w:
            r = w.site.run("sync", "tel")
            assert r.code in (2, 5) and said in r.out + r.err and (not key or key not in r.out + r.err), "%s: %r" % (url, r)


def an_unreachable_server_does_not_tell_the_key():
    with Directory() as gone:
        url = gone.url
    with World(ANNA, url=url, account=("--no-test",)) as w:
        w.sync(6)


def it_only_goes_one_way():
    with World(ANNA) as w:
        r = w.site.run("link", "set", "tel", "mode=two-way", expect=2)
        assert w.there.key not in r.out + r.err
        assert "one-way" in r.out + r.err and not w.there.pushes, r


def the_test_of_an_account_reads():
    with World(ANNA) as w:
        w.site.run("account", "test", "tel", expect=0)
        w.sync()
        w.site.run("account", "test", "tel", expect=0)
        assert w.there.gets and len(w.there.pushes) == 1


def a_filter_narrows_the_list():
    with World(ANNA, BERT, link=("--filter-field", "email")) as w:
        w.sync()
        assert list(w.there.rows) == w.ids[:1]


def another_abgleich_takes_it():
    with House() as h, World(ANNA, BERT, url=h.daemon.address + "contacts", key=KEY) as w:
        w.sync()
        table = list(csv.DictReader(io.StringIO(h.get(), newline="")))
        assert [r["internal_id"] for r in table] == w.ids, table
        assert w.there.numbers(table[0], "work") == ["+494031000101", "+494031000102"] and table[0]["birthday"] == "1988-02-29", table
        assert "+4915100000017" in h.get("/yealink/v1")
        w.site.edit(w.ids[1], BERT.replace("40555", "40556"))
        w.sync()
        assert "+4940556" in h.get("/snom/v1") and "+4940555<" not in h.get("/snom/v1")
        for i in w.ids:
            w.site.remove(i)
        w.sync(0, "--allow-empty", "--plan", w.sync(4)["plan"])
        assert h.get().count("\r\n") == 1, "an empty phonebook"
        h.site.run("directory", "remove", "telefon", "--yes", expect=0)
        w.site.add(ANNA)
        r = w.site.run("sync", "tel", expect=5)
        assert "no phonebook of this key" in r.out + r.err and KEY not in r.out + r.err, r


CASES = (pushes_what_a_book_says, sends_only_what_changed, checks_without_sending, hostile_text_stays_text, an_empty_list_waits,
         a_list_that_shrinks_much_waits, answers_are_told_and_the_next_run_sends, a_lost_answer_is_sent_again,
         the_key_may_stand_in_the_address, wrong_settings_are_told_before_anything_is_sent, an_unreachable_server_does_not_tell_the_key,
         another_abgleich_takes_it,
         it_only_goes_one_way, the_test_of_an_account_reads, a_filter_narrows_the_list)


if __name__ == "__main__":
    suite = Suite("directory, pushed to")
    for case in CASES:
        if len(sys.argv) < 2 or any(word in case.__name__ for word in sys.argv[1:]):
            suite.run(case.__name__.replace("_", " "), case)
    sys.exit(suite.end())
