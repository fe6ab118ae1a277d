"""The real program against a strict FE2 (tests/emulators/fe2.py): what is sent is exactly who shall be alarmed, or nothing is sent."""

import json
import sys
import tempfile
import threading

from harness import Site, Suite, card
from clock import Clock
from fe2 import FE2
from hostile_server import BOOK, Hostile
from test_people import build_clock
from test_tls import Authority

SHIM = None
TABLES = """
[fe2.functions fw]
Atemschutz = AGT
Maschinist = MA

[fe2.alarm fw]
Aktive = Vollalarm
"""


def person(number, *lines, name=None):
    """A contact of the brigade: alarmed, with a mobile number."""
    return card("p%d" % number, name or "Weidner;Jonas%d" % number, *(lines or (
        "CATEGORIES:Aktive,F:GF", "TEL;TYPE=CELL:01510 000%03d" % number, "EMAIL:jonas%d@example.org" % number)))


class Brigade:
    """An FE2, and a site whose book goes there."""

    def __init__(self, count=0, version="2.39", settings="", tables=TABLES, source=None, fe2=None, shim=None):
        self.fe2, self.ids = fe2 or FE2(version, Clock()), {}
        self.fe2.add_manual("Wache", alarmGroups=["Vollalarm"])
        self.site = Site()
        self.site.environment = {"LD_PRELOAD": shim or SHIM, "SHIM_CLOCK": self.fe2.clock.path}
        self.site.run("account", "add", "fw", "--connector", "fe2", "--url", self.fe2.url, "--password-file", "-", text=self.fe2.key + "\n", expect=0)
        with open(self.site.config, "a", encoding="utf-8") as f:
            f.write("listen = 127.0.0.1:0\nquiet = 1h\n[account fw]\ninterval = 1m\nfe2.version = %s\n%s%s" % (version, settings, tables))
        if source:
            self.site.server = source
            self.site.run("account", "add", "srv", "--connector", "carddav", "--url", source.url, "--user", source.user, "--password-file", "-",
                          text=source.password + "\n", expect=0)
        else:
            self.site.run("book", "add", "Wehr", expect=0)
        self.link(source="srv:kunden" if source else "contactbox:Wehr")
        for number in range(count):
            self.add(number, person(number))

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        self.fe2.__exit__()
        self.site.close()
        if kind is None:
            self.check()

    def link(self, name="fe2", *args, source="contactbox:Wehr"):
        self.site.run("link", "add", name, source, "fw:", "--mode", "one-way", *args, expect=0)

    def configure(self, old, new):
        with open(self.site.config, encoding="utf-8") as f:
            text = f.read()
        assert old in text, (old, text)
        with open(self.site.config, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new, 1))

    def add(self, number, text):
        self.ids[number] = self.site.run("contact", "add", "Wehr", "--file", "-", text=text, expect=0).out.strip()
        return self.ids[number]

    def remove(self, *numbers):
        for number in numbers:
            self.site.remove(self.ids.pop(number))

    def edit(self, number, text):
        self.site.edit(self.ids[number], text)

    def sync(self, expect=0, *args):
        """The answer of one run, in which at most one list was sent. Time enough passes before it."""
        self.fe2.clock.advance(3600)
        before = len(self.fe2.requests)
        result = self.site.run("--json", "sync", "fe2", *args)
        assert expect is None or result.code == expect, "expected exit %s: %r" % (expect, result)
        assert len(self.fe2.requests) - before <= 1, "sent %d times in a run" % (len(self.fe2.requests) - before)
        return result.json()

    def approve(self):
        """A person looks at the list and lets it through."""
        plan = self.sync(4)["plan"]
        self.site.run("approve", "fe2", plan, expect=0)
        self.fe2.confirmed = True
        result = self.sync()
        self.fe2.confirmed = False
        assert result["status"] == "done", result
        return result

    def refused(self, expect, reason, *args):
        """Nothing was sent, and it is said why."""
        before = len(self.fe2.requests)
        result = self.sync(expect, *args)
        said = json.dumps(result, ensure_ascii=False)
        assert reason in said, "%r is not said: %s" % (reason, said)
        assert len(self.fe2.requests) == before, "sent all the same: %s" % self.fe2.requests[-1].body[:500]
        return result

    def sent(self, number):
        """As FE2 has the person."""
        return self.fe2.persons[self.ids[number]]

    def check(self):
        """What must hold always: no rule broken, who was entered by hand is there, whom FE2 has are those of the book."""
        assert not self.fe2.violations, self.fe2.violations
        assert "Wache" in self.fe2.alarmed("Vollalarm")

    def check_there(self):
        assert set(self.fe2.persons) == set(self.ids.values()), "not the book's: %s" % (set(self.fe2.persons) ^ set(self.ids.values()))


# -- the list --

def first_list_waits():
    with Brigade(3) as b:
        b.refused(4, "first list")
        b.refused(4, "first list")
        b.approve()
        b.check_there()
        b.sync()["status"] == "unchanged"
        assert len(b.fe2.requests) == 1 and b.fe2.alarmed("Vollalarm") == ["Wache"] + ["Weidner"] * 3


def another_list_than_approved():
    with Brigade(3) as b:
        plan = b.refused(4, "first list")["plan"]
        b.site.run("approve", "fe2", plan, expect=0)
        b.add(9, person(9))
        b.refused(4, "first list")


def exactly_the_filter():
    with Brigade() as b:
        b.site.run("link", "remove", "fe2", "--yes", expect=0)
        b.link("fe2", "--filter-category", "Aktive")
        b.add(1, person(1))
        passive = b.add(2, person(2, "CATEGORIES:Passive", "TEL;TYPE=CELL:01510 000002"))
        b.approve()
        assert set(b.fe2.persons) == {b.ids[1]}
        b.site.edit(passive, person(2))
        b.sync()
        b.check_there()
        b.edit(1, person(1, "CATEGORIES:Passive"))
        b.sync()
        assert set(b.fe2.persons) == {passive}
        b.edit(2, person(2, "CATEGORIES:Passive"))
        b.refused(4, "the list is empty")
        assert set(b.fe2.persons) == {passive}


# lines of a card, version and settings, what FE2 is to have
FIELDS = (
    ("a national number", ["TEL;TYPE=CELL:0151 0000-042"], {"mobil": "00491510000042"}),
    ("a number with a bracketed zero", ["TEL;TYPE=CELL:+49 (0) 1510 000042"], {"mobil": "00491510000042"}),
    ("an Austrian number", ["TEL;TYPE=CELL:+43 664 1234567"], {"mobil": "00436641234567"}),
    ("a number with 00", ["TEL;TYPE=CELL:0049 1510 000042"], {"mobil": "00491510000042"}),
    ("a number that is a URI", ["TEL;TYPE=CELL;VALUE=uri:tel:+49-1510-000042"], {"mobil": "00491510000042"}),
    ("no number", ["TEL;TYPE=CELL:wird nachgereicht"], {"mobil": ""}),
    ("a landline only", ["TEL;TYPE=HOME:+49 30 123456"], {"mobil": ""}),
    ("a number with an extension", ["TEL;TYPE=CELL:+49 1510 000042 ext. 5"], {"mobil": ""}),
    ("a broken mobile number before a good one", ["TEL;TYPE=CELL:unbekannt", "TEL;TYPE=CELL:01510 000042"], {"mobil": "00491510000042"}),
    ("two ISSI lines", ["X-ISSI:6543210", "X-ISSI:6543211"], {"issi": "6543210;6543211"}),
    ("ISSI with blanks and commas", ["X-ISSI:6543210\\, 6543211"], {"issi": "6543210;6543211"}),
    ("an XMPP address", ["IMPP:xmpp:anna@xmpp.example.org"], {"xmpp": "anna@xmpp.example.org"}),
    ("an XMPP address with a query", ["IMPP:xmpp:anna@xmpp.example.org?message"], {"xmpp": "anna@xmpp.example.org"}),
    ("a mail URI", ["EMAIL:mailto:anna@example.org"], {"email": "anna@example.org"}),
    ("no mail address", ["EMAIL:keine"], {"email": ""}),
    ("a name for a mail address", ["EMAIL:Anna Meier <anna@example.org>"], {"email": ""}),
    ("a second mail address is preferred", ["EMAIL:a@example.org", "EMAIL;TYPE=PREF:b@example.org"], {"email": "b@example.org"}),
    ("functions by prefix and table", ["CATEGORIES:Atemschutz,F:AGT,F:GF,Maschinist"], {"osFunctions": ["AGT", "GF", "MA"]}),
    ("functions of two cases", ["CATEGORIES:F:AGT,F:agt"], {"osFunctions": ["AGT", "agt"]}),
    ("an empty function", ["CATEGORIES:F:,F: ,A:Vollalarm"], {"osFunctions": [], "alarmGroups": ["Vollalarm"]}),
    ("groups", ["CATEGORIES:G:Löschzug 2,A:Vollalarm,Aktive"], {"osGroups": ["Löschzug 2"], "alarmGroups": ["Vollalarm"]}),
    ("no categories", ["NOTE:geheim"], {"osFunctions": [], "osGroups": [], "alarmGroups": [], "note": ""}),
    ("a registered mail address", ["X-APAGER:anna@example.org"], {"aPagerPro": "anna@example.org", "mode": "LEGACY"}),
    ("a registered number", ["X-APAGER:01510 000042"], {"aPagerPro": "00491510000042", "mode": "LEGACY"}),
    ("no registered address", ["EMAIL:anna@example.org"], {"aPagerPro": "", "mode": "TOKEN"}),
    ("quotes, breaks and a bell in a name", ["NICKNAME:x", "CATEGORIES:A:Voll\"alarm \\\\ 1"], {"alarmGroups": ["Voll\"alarm \\ 1"]}),
)


def fields(suite):
    """All of them in one list."""
    with Brigade() as b:
        for number, (_title, lines, _wanted) in enumerate(FIELDS):
            b.add(number, person(number, *lines))
        b.approve()
        for number, (title, _lines, wanted) in enumerate(FIELDS):
            suite.run("a person with " + title, one_field, b.sent(number), wanted)


def one_field(sent, wanted):
    found = {name: getattr(sent, name) for name in wanted}
    assert found == wanted, "%s, not %s" % (found, wanted)


def names():
    with Brigade() as b:
        b.add(1, person(1, name="Weidner;"))
        b.add(2, person(2, name=";Jonas"))
        b.add(3, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:p3\r\nFN:Otto \\\"Bär\\\" Krüger\r\nN:;;;;\r\nEND:VCARD\r\n")
        b.approve()
        assert [(b.sent(n).firstName, b.sent(n).lastName) for n in (1, 2)] == [("", "Weidner"), ("Jonas", "")]
        assert "Krüger" in b.sent(3).lastName


# -- what FE2 answers (5.1) --

# fault, exit code, what is said, whether the list was taken
ANSWERS = (
    ("401", 5, "access key", False), ("413", 1, "too large", False), ("429", 6, "too many", False), ("500", 6, "FE2 failed", False),
    ("502", 6, "proxy", False), ("502 after", 6, "proxy", True), ("503 proxy", 6, "switched off", False), ("504 after", 6, "proxy", True),
    ("cut before", 6, "no answer came", False), ("cut after", 6, "no answer came", True), ("cut header", 6, "no answer came", True),
    ("reset before", 6, "no answer came", False), ("reset after", 6, "no answer came", True), ("silence before", 6, "no answer came", False),
    ("silence after", 6, "no answer came", True),
)


def one_answer(fault, code, said, taken):
    """One call, told what it was; the next run ends with the right list, with the persons FE2 has made already."""
    with Brigade(4) as b:
        b.approve()
        b.add(8, person(8))
        b.edit(1, person(1, "CATEGORIES:Aktive", "TEL;TYPE=CELL:01510 000099"))
        b.fe2.fail(fault)
        result = b.sync(code)
        assert said in json.dumps(result), "%r is not said: %s" % (said, result["fault"])
        tokens = {i: p.token for i, p in b.fe2.persons.items()}
        assert len(tokens) == (5 if taken else 4)
        result = b.sync()
        assert result["status"] == "done" and b.sent(1).mobil == "00491510000099"
        b.check_there()
        assert all(b.fe2.persons[i].token == t for i, t in tokens.items())
        assert b.sync()["status"] == "unchanged"


# status, exit code, what is said
UNDOCUMENTED = ((400, 6, "understand"), (404, 1, "no address book"), (405, 1, "no address book"), (414, 1, "too large"), (415, 6, "understand"),
                (418, 6, "not known"), (422, 6, "understand"), (201, 6, "not known"), (204, 6, "not known"), (304, 6, "not known"))


def undocumented_answer(status, code, said):
    with Brigade(2) as b:
        b.approve()
        b.remove(1)
        b.fe2.at = lambda moment, *unused: (status, {"Content-Type": "text/plain"}, "" if status in (204, 304) else "why") if moment == "arrived" else None
        result = b.sync(code)
        assert said in json.dumps(result), "%r is not said: %s" % (said, result["fault"])
        assert len(b.fe2.persons) == 2
        b.fe2.at = lambda *unused: None
        b.sync()
        b.check_there()


def web_page():
    """A sign-in page says 200 to everything: nobody is alarmed by that."""
    with Brigade(2) as b:
        b.approve()
        b.add(8, person(8))
        b.fe2.at = lambda moment, *unused: (200, {"Content-Type": "text/html"}, "\n<!DOCTYPE html><html>Anmelden</html>") if moment == "arrived" else None
        assert "a web page answered" in b.sync(6)["fault"]["text"]
        b.fe2.at = lambda *unused: None
        b.sync()
        b.check_there()


def refused_sign_in(wanted):
    """The key is never tried in another form."""
    with Brigade(2) as b:
        b.approve()
        b.add(8, person(8))
        b.fe2.at = lambda moment, *unused: (401, {"WWW-Authenticate": wanted}, "") if moment == "arrived" else None
        b.sync(5)
        assert len(b.fe2.requests) == 2


def quota_of_fe2():
    with Brigade(3) as b:
        b.approve()
        b.fe2.quota = 4  # one is entered by hand
        b.add(8, person(8))
        result = b.sync(None)
        assert "403" in result["fault"]["text"] and "4 in the list" in result["fault"]["text"], result["fault"]
        assert len(b.fe2.persons) == 3
        assert all(len(json.loads(r.body)["personList"]) == n for r, n in zip(b.fe2.requests, (3, 4))), "the list was shortened"


def foreign_person():
    with Brigade(3) as b:
        b.approve()
        other = b.fe2.add_organisation("other")
        other.book[b.add(8, person(8))] = b.fe2.persons[b.ids[0]]
        result = b.sync(1)
        assert "412" in result["fault"]["text"] and b.ids[8] in result["fault"]["text"], result["fault"]
        assert len(b.fe2.persons) == 3 and len(b.fe2.requests) == 2


def switched_off():
    with Brigade(3) as b:
        b.approve()
        b.fe2.active = False
        b.add(8, person(8))
        result = b.sync(6)
        assert "switched off" in json.dumps(result)
        b.fe2.active = True
        b.sync()
        b.check_there()


def key_reset():
    """401, and no list with the new key before a person has looked: it may be another organisation's."""
    with Brigade(3) as b:
        b.approve()
        b.fe2.key = "n3w-key"
        b.add(8, person(8))
        b.sync(5)
        assert len(b.fe2.persons) == 3
        b.site.run("secret", "set", "fw", "--password-file", "-", text="n3w-key\n")
        tokens = {i: p.token for i, p in b.fe2.persons.items()}
        b.refused(4, "first list")
        b.approve()
        b.check_there()
        assert all(b.fe2.persons[i].token == t for i, t in tokens.items())


def busy_storm():
    """Each wait is at least as long as the page says, and the list goes out in the end."""
    with Brigade(3) as b:
        b.approve()
        b.add(8, person(8))
        b.fe2.busy = 5
        for _ in range(5):
            assert "423" in b.sync(6)["fault"]["text"] and len(b.fe2.persons) == 3
        b.sync()
        b.check_there()


# -- guards (4.1) --

def many_vanish():
    with Brigade(10) as b:
        b.approve()
        b.remove(0, 1, 2)
        b.sync()
        b.remove(3, 4, 5, 6)
        b.refused(4, "4 of 7 would vanish")
        b.refused(4, "4 of 7 would vanish")
        assert len(b.fe2.persons) == 7
        b.approve()
        b.check_there()


def another_loss_than_approved():
    with Brigade(12) as b:
        b.approve()
        b.remove(0, 1, 2, 3)
        plan = b.refused(4, "4 of 12 would vanish")["plan"]
        b.site.run("approve", "fe2", plan, expect=0)
        b.remove(4)
        b.refused(4, "5 of 12 would vanish")


def empty_list():
    with Brigade(2) as b:
        b.approve()
        b.remove(0, 1)
        plan = b.refused(4, "the list is empty")["plan"]
        b.refused(None, "", "--allow-empty", "--plan", "0123456789abcdef")
        b.fe2.confirmed = True
        b.sync(0, "--allow-empty", "--plan", plan)
        assert not b.fe2.persons and b.fe2.alarmed("Vollalarm") == ["Wache"]


def empty_first_list():
    with Brigade() as b:
        b.refused(4, "the list is empty")


def groups_are_lost():
    with Brigade(8) as b:
        b.approve()
        for n in range(4):
            b.edit(n, person(n, "CATEGORIES:F:GF", "TEL;TYPE=CELL:01510 000%03d" % n, "EMAIL:jonas%d@example.org" % n))
        b.refused(4, "4 would lose all alarm groups")
        assert len(b.fe2.alarmed("Vollalarm")) == 9
        b.approve()
        assert len(b.fe2.alarmed("Vollalarm")) == 5


def pagers_are_lost():
    with Brigade() as b:
        for n in range(8):
            b.add(n, person(n, "CATEGORIES:Aktive", "X-APAGER:jonas%d@example.org" % n))
        b.approve()
        for n in range(4):
            b.edit(n, person(n, "CATEGORIES:Aktive"))
        b.refused(4, "4 would lose their pager address")
        b.approve()
        assert [b.sent(n).aPagerPro for n in (3, 4)] == ["", "jonas4@example.org"]


def pager_that_is_no_number():
    with Brigade(2) as b:
        b.approve()
        b.add(3, person(3, "CATEGORIES:Aktive", "X-APAGER:beim Wirt fragen"))
        b.refused(1, "beim Wirt fragen")
        b.fe2.legacy_without = True  # it has an address, if none that can be sent, and may get a better one
        b.sync(0, "--accept-missing-pager")
        assert b.sent(3).aPagerPro == ""


def somebody_else():
    """A contact that becomes another person keeps its id: whoever had the pager would be paged for somebody else."""
    with Brigade(3) as b:
        b.approve()
        b.edit(1, person(1, "CATEGORIES:Aktive", "EMAIL:otto@example.org", name="Krug;Otto"))
        b.refused(4, "would become")
        b.approve()
        assert b.sent(1).lastName == "Krug"


def made_again():
    with Brigade(3) as b:
        b.approve()
        b.remove(1)
        b.add(1, person(1).replace("UID:p1", "UID:other"))
        b.refused(4, "deleted and made again")
        b.fe2.confirmed = True
        b.approve()
        b.check_there()


def configured_quota():
    with Brigade(3, settings="fe2.quota = 3\n") as b:
        b.approve()
        b.add(8, person(8))
        b.refused(1, "4 persons")


def second_list():
    with Brigade(3) as b:
        b.approve()
        b.site.run("book", "add", "Andere", expect=0)
        result = b.site.run("link", "add", "zwei", "contactbox:Andere", "fw:", "--mode", "one-way")
        assert result.code == 2 and "each would delete" in result.err, result


def linked_anew():
    """Who is there keeps id and token when the link is removed and added again."""
    with Brigade(3) as b:
        b.approve()
        tokens = {i: p.token for i, p in b.fe2.persons.items()}
        b.site.run("link", "remove", "fe2", "--yes", expect=0)
        b.link()
        b.approve()
        assert {i: p.token for i, p in b.fe2.persons.items()} == tokens


def a_test_stays_at_home():
    with Brigade(3) as b:
        b.configure("fe2.version", "fe2.test_hosts = fe2-test.example.org\nfe2.version")
        b.refused(2, "may not send")
        b.configure("fe2.test_hosts = fe2-test.example.org", "fe2.test = yes")
        b.refused(2, "may not send")
        b.configure("fe2.test = yes", "fe2.test = yes\nfe2.test_hosts = fe2-test.example.org, 127.0.0.1")
        b.approve()


def what_was_sent():
    """The list that was accepted last can be looked at; reports claim no more than that it was sent."""
    with Brigade(3) as b:
        assert "no list was accepted yet" in b.site.run("fe2", "show", "fe2", expect=2).err
        run = b.approve()["run"]
        shown = b.site.run("fe2", "show", "fe2", expect=0).json()
        assert shown["personList"] == json.loads(b.fe2.requests[-1].body)["personList"] and shown["accepted"] and not shown["unsure"], shown
        b.add(8, person(8))
        b.fe2.fail("401")
        b.sync(5)
        assert b.site.run("fe2", "show", "fe2", expect=0).json()["personList"] == shown["personList"], "what was refused is not the last one"
        for form in ("text", "html"):
            text = b.site.run("report", str(run), "--format", form, expect=0).out
            assert "sent as new" in text and "added" not in text, text
        assert "to be added" in b.site.run("check", "fe2", expect=10).out


def encrypted():
    """A certificate nobody vouches for gets nothing, one of a known authority gets the list."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        with Brigade(2, fe2=FE2(clock=Clock(), certificate=authority.issue("fe2", "IP:127.0.0.1", days=30))) as b:
            b.site.run("approve", "fe2", b.sync(4)["plan"], expect=0)
            before = len(b.fe2.requests)
            assert "certificate" in b.sync(None)["fault"]["text"] and len(b.fe2.requests) == before
            b.configure("fe2.version", "ca_file = %s\nfe2.version" % authority.file)
            b.sync()
            b.check_there()


def thousands():
    """A list of some megabytes is one request like any other."""
    with Brigade() as b:
        cards = "".join(person(n, name="Weidner;Jonas%d" % n).replace("UID:p", "UID:many") for n in range(5000))
        b.site.run("contact", "import", "Wehr", "-", text=cards, expect=0)
        b.approve()
        assert len(b.fe2.persons) == 5000 and len(b.fe2.requests) == 1


def redirect():
    with Brigade(3) as b, FE2() as other:
        b.approve()
        b.add(8, person(8))
        b.fe2.at = lambda moment, *unused: (307, {"Location": other.url + "rest/addressbook/sync"}, "") if moment == "arrived" else None
        result = b.sync(None)
        assert result["status"] == "failed" and not other.requests and not other.violations, result


# -- who is paged, and how (2, 3) --

def mode_never_changes():
    with Brigade(2) as b:
        b.add(2, person(2, "CATEGORIES:Aktive", "X-APAGER:jonas2@example.org"))
        b.approve()
        b.edit(0, person(0, "CATEGORIES:Aktive", "X-APAGER:jonas0@example.org"))
        b.edit(2, person(2, "CATEGORIES:Aktive"))
        result = b.sync()
        assert "delete the person in FE2 first" in json.dumps(result), result["quarantined"]
        assert (b.sent(0).mode, b.sent(2).mode) == ("TOKEN", "LEGACY")


def mode_after_a_lost_answer(fault):
    """FE2 has made the person, though nobody here was told: what it was made with is its mode for good."""
    with Brigade(2) as b:
        b.approve()
        b.add(8, person(8))
        b.fe2.fail(fault)
        b.sync(6)
        assert b.sent(8).mode == "TOKEN"
        b.edit(8, person(8, "CATEGORIES:Aktive", "X-APAGER:jonas8@example.org"))
        b.sync()
        assert "delete the person in FE2 first" in b.site.run("--json", "check", "fe2").out
        b.check_there()


def vanishing_after_a_lost_answer():
    """Who came with a list whose answer was lost counts as there: to drop them all is a loss like any other."""
    with Brigade(3) as b:
        b.approve()
        for n in range(10, 20):
            b.add(n, person(n))
        b.fe2.fail("cut after")
        b.sync(6)
        assert len(b.fe2.persons) == 13
        b.remove(*range(10, 20))
        b.refused(4, "would vanish")


def fe2_is_updated(old, new):
    """Persons made before tokens existed are paged by their address for good."""
    with Brigade(3, version=old) as b:
        b.add(3, person(3, "CATEGORIES:Aktive", "X-APAGER:jonas3@example.org"))
        b.approve()
        b.fe2.version = new
        b.configure("fe2.version = " + old, "fe2.version = %d.%d" % new)
        b.sync()
        b.add(8, person(8))
        b.sync()
        assert [b.sent(n).mode for n in (0, 3, 8)] == ["LEGACY", "LEGACY", "TOKEN"]
        b.check_there()


def versions(version):
    with Brigade(3, version=version) as b:
        b.add(3, person(3, "CATEGORIES:Aktive", "X-APAGER:01510 000042"))
        b.approve()
        b.remove(1)
        b.sync()
        b.check_there()
        assert len(b.fe2.marked) == (0 if b.fe2.version >= (2, 36) else 1)


# -- the tables --

def table_changes():
    with Brigade(5) as b:
        b.approve()
        b.configure("Aktive = Vollalarm", "Aktive = Vollalarm, Drehleiter")
        assert b.sync()["b"]["updated"] == 5
        assert len(b.fe2.alarmed("Drehleiter")) == 5
        b.configure("Aktive = Vollalarm, Drehleiter", "Aktve = Vollalarm")
        b.refused(4, "5 would lose all alarm groups")
        b.configure("Aktve = Vollalarm", "aktive = Vollalarm")
        b.sync()
        assert b.fe2.alarmed("Drehleiter") == [] and len(b.fe2.alarmed("Vollalarm")) == 6
        b.configure("Atemschutz = AGT", "Aktive = ZF")
        b.sync()
        assert b.sent(1).osFunctions == ["GF", "ZF"]


def lost_groups_are_told():
    with Brigade(5) as b:
        b.approve()
        b.edit(1, person(1, "CATEGORIES:Passive"))
        result = b.site.run("--json", "check", "fe2").json()
        assert "Vollalarm" in json.dumps(result), result
        b.sync()


# -- a source that fails --

def source(count):
    server = Hostile()
    for n in range(count):
        server.put("p%d.vcf" % n, person(n))
    return server


# title, what the server does when it is asked, exit code
SOURCES = (
    ("is empty", lambda s: s.cards.clear(), 4),
    ("has lost half", lambda s: [s.delete("p%d.vcf" % n) for n in range(4)], 4),
    ("fails", lambda s: (500, {}, "x"), 6),
    ("is overloaded", lambda s: (503, {}, "x"), 6),
    ("refuses", lambda s: (401, {}, ""), 5),
    ("forbids", lambda s: (403, {}, ""), None),
    ("has no such book", lambda s: (404, {}, ""), None),
    ("breaks off", lambda s: "cut", 6),
    ("sends a page in place of a list", lambda s: (200, {"Content-Type": "text/html"}, "<html>Anmelden</html>"), None),
    ("sends a list without an end", lambda s: (207, {"Content-Type": "application/xml"}, "<?xml version='1.0'?><D:multistatus xmlns:D='DAV:'>"), None),
    ("says that the list is short", lambda s: (207, {"Content-Type": "application/xml"}, (
        "<?xml version='1.0'?><D:multistatus xmlns:D='DAV:'><D:response><D:href>%s</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>"
        "</D:response></D:multistatus>" % BOOK)), None),
    ("has a card nobody can read", lambda s: s.put("p2.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:p2\r\nN:Weid"), None),
    ("has a card without a name", lambda s: s.put("p2.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:p2\r\nFN:\r\nN:;;;;\r\nEND:VCARD\r\n"), None),
)


def failing_source(act, code):
    """Whatever a server does that is not a whole list: nothing is sent, and nobody vanishes."""
    with source(8) as server, Brigade(source=server) as b:
        b.approve()
        assert b.sync()["status"] == "unchanged"
        before = dict(b.fe2.persons)

        def at(moment, number, request):
            if moment != "arrived" or request.command not in ("PROPFIND", "REPORT"):
                return None
            answer = act(server)
            return answer if isinstance(answer, (tuple, str)) else None

        server.at = at
        b.refused(code, "")
        assert set(b.fe2.persons) == set(before) and len(b.fe2.alarmed("Vollalarm")) == 9


def ids_of_a_server(fault):
    """Records of a server get an id of ours: once, whatever becomes of the answer."""
    with source(8) as server, Brigade(source=server) as b:
        b.refused(4, "first list")
        plan = b.refused(4, "first list")["plan"]
        b.site.run("approve", "fe2", plan, expect=0)
        if fault:
            b.fe2.fail(fault)
        b.sync(6 if fault else 0)
        ids = set(b.fe2.persons)
        assert len(ids) == 8
        result = b.sync(None)
        if result["status"] == "held":
            result = b.approve()
        assert result["status"] == ("done" if fault else "unchanged") and set(b.fe2.persons) == ids
        server.put("neu.vcf", server.cards["p1.vcf"].text)  # moved to another name
        server.delete("p1.vcf")
        b.sync()
        assert set(b.fe2.persons) == ids


# -- deleting one person (5.2) --

def delete_one():
    with Brigade(5) as b:
        b.approve()
        gone = b.ids[1]
        result = b.site.run("fe2", "delete", "fe2", gone)
        assert result.code and "list" in result.err and len(b.fe2.requests) == 1, result
        b.fe2.allow_delete = False  # so that the person stays, marked
        b.remove(1)
        b.sync()
        b.fe2.clock.advance(5)
        assert b.site.run("fe2", "delete", "fe2", gone).code  # the option is off
        assert gone in b.fe2.marked
        b.fe2.allow_delete = True
        b.fe2.clock.advance(5)
        b.site.run("fe2", "delete", "fe2", gone, expect=0)
        assert not b.fe2.marked
        b.fe2.clock.advance(5)
        b.site.run("fe2", "delete", "fe2", gone, expect=0)  # gone already
        b.add(7, person(7))
        b.sync()
        b.check_there()


def delete_below_its_version():
    with Brigade(2, version="2.35") as b:
        b.approve()
        result = b.site.run("fe2", "delete", "fe2", "3f1c2a5e-0a44-4c1e-9b0a-7d4be1f2a901")
        assert result.code and "2.36" in result.err and len(b.fe2.requests) == 1


def delete_of_odd_ids():
    with Brigade(2) as b:
        b.approve()
        for odd in ("a/b", "a b", "ä?x#y", "%2e"):
            b.fe2.clock.advance(5)
            b.site.run("fe2", "delete", "fe2", odd, expect=0)  # none of them is there
        assert len(b.fe2.requests) == 5 and len(b.fe2.persons) == 2


def one_after_the_other():
    """A person is not deleted while a list is on its way, and no second list goes out beside it."""
    with Brigade(3) as b:
        b.approve()
        b.add(8, person(8))
        on_its_way, go_on, answered = threading.Event(), threading.Event(), []

        def during():
            on_its_way.set()
            assert go_on.wait(20)

        b.fe2.during = during
        sync = threading.Thread(target=lambda: answered.append(b.sync(None)))
        sync.start()
        assert on_its_way.wait(20)
        delete = b.site.run("fe2", "delete", "fe2", "3f1c2a5e-0a44-4c1e-9b0a-7d4be1f2a901")
        second = b.site.run("sync", "fe2")
        go_on.set()
        sync.join()
        assert (delete.code, second.code, answered[0]["status"]) == (8, 8, "done"), (delete, second, answered)
        assert len(b.fe2.requests) == 2


def other_commands():
    """What cannot be done with a list is refused in words."""
    with Brigade(3) as b:
        b.approve()
        b.add(8, person(8))
        run = b.sync()["run"]
        before = len(b.fe2.requests)
        result = b.site.run("undo", str(run))
        assert result.code > 0 and "takes lists only" in result.err, result
        assert b.site.run("--json", "status", expect=0).json()["links"][0]["records"] == 4
        assert "the configuration does not" not in b.site.run("doctor").out
        assert b.site.run("check", "fe2", expect=0) and len(b.fe2.requests) == before


def in_a_row():
    """Commands that follow each other at once keep the second FE2 wants after a list."""
    with Brigade(3) as b:
        b.approve()
        b.remove(1)
        for _ in range(2):
            b.site.run("sync", "fe2", expect=0)
            b.add(20 + _, person(20 + _))
        b.site.run("fe2", "delete", "fe2", "3f1c2a5e-0a44-4c1e-9b0a-7d4be1f2a901", expect=0)


def main():
    global SHIM
    suite = Suite("FE2")
    with tempfile.TemporaryDirectory() as folder:
        SHIM = build_clock(folder)
        for function in (first_list_waits, another_list_than_approved, exactly_the_filter, names):
            suite.run(function.__name__.replace("_", " "), function)
        suite.run("each field", fields, suite)
        for row in ANSWERS:
            suite.run("answer " + row[0], one_answer, *row)
        for row in UNDOCUMENTED:
            suite.run("answer %d" % row[0], undocumented_answer, *row)
        for wanted in ('Basic realm="FE2"', 'Digest realm="FE2", nonce="1", qop="auth"', "Negotiate", "Bearer"):
            suite.run("a refusal that wants " + wanted.split()[0], refused_sign_in, wanted)
        for row in SOURCES:
            suite.run("a source that " + row[0], failing_source, *row[1:])
        for fault in (None, "cut after", "reset after", "502 after"):
            suite.run("ids of a server, %s" % (fault or "answered"), ids_of_a_server, fault)
        for fault in ("cut after", "504 after"):
            suite.run("the mode after a lost answer, " + fault, mode_after_a_lost_answer, fault)
        for version in ("2.24", "2.28", "2.29", "2.35", "2.36", "2.39", "3.0"):
            suite.run("version " + version, versions, version)
        suite.run("FE2 is updated from 2.28 to 2.39", fe2_is_updated, "2.28", (2, 39))
        for function in (quota_of_fe2, foreign_person, switched_off, key_reset, busy_storm, many_vanish, another_loss_than_approved, empty_list,
                         empty_first_list, groups_are_lost, pagers_are_lost, pager_that_is_no_number, somebody_else, made_again,
                         configured_quota, second_list, linked_anew, a_test_stays_at_home, what_was_sent, redirect, mode_never_changes,
                         vanishing_after_a_lost_answer, table_changes, lost_groups_are_told, delete_one, delete_below_its_version,
                         delete_of_odd_ids, encrypted, thousands, one_after_the_other, other_commands, web_page, in_a_row):
            suite.run(function.__name__.replace("_", " "), function)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
