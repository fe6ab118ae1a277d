"""What the tests of the connector `graph` share: a mailbox of the emulator, a site linked to it, and one clock for both."""

import base64
import re

from harness import Site, card, meaning
from graph_cards import card_of, said
from microsoft_graph import Graph
from test_people import build_clock  # noqa: F401: for those who import from here

MINUTE = 60
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF eins"
JPEG2 = b"\xff\xd8\xff\xe0\x00\x10JFIF zwei"


def photo_line(data=JPEG):
    return "PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(data).decode()


def given_of(text):
    return re.search(r"^N:[^;]*;([^;\r]*)", text, re.M).group(1)


def person(given, family="Meier", **fields):
    return {"givenName": given, "surname": family, **fields}


class Case:
    """world, site, and what both hold by given name, which is unique in these tests."""

    def __init__(self, shim, world=None):
        self.world, self.shim, self.site = world or Graph(), shim, None

    def plain_site(self):
        self.site = Site()
        self.site.environment = {"LD_PRELOAD": self.shim, "SHIM_CLOCK": self.world.clock.path}
        return self.site

    def link(self, *cards, **settings):
        site = self.plain_site()
        site.run("book", "add", "Kunden", expect=0)
        for c in cards:
            site.add(c)
        site.server = self.world
        site.link(**settings)
        return site

    def linked(self, *given, **settings):
        """People of those names on both sides, synced once, at rest."""
        self.link(*[card("u-" + g, "Meier;" + g, "NOTE:alt", "TEL;TYPE=CELL:+4917100%d" % i) for i, g in enumerate(given)], **settings)
        self.sync()
        self.quiet()
        self.world.forget()

    def sync(self, status="done", expect=0):
        result = self.site.sync(expect).json()
        assert result["status"] == status, result
        return result

    def quiet(self):
        """Nothing is left to do, and nothing is written."""
        before = len(self.world.writes())
        self.sync("unchanged")
        assert len(self.world.writes()) == before, self.world.writes()[before:]

    def settle(self, runs=8):
        """Until nothing is left to do, whatever the first runs say."""
        for _ in range(runs):
            result = self.site.sync(None)
            if result.code == 0 and result.json()["status"] == "unchanged":
                return
            self.world.clock.advance(11 * MINUTE)
        raise AssertionError("not quiet after %d runs: %r" % (runs, result))

    # -- there --
    def there(self, box=None):
        """{given name: contact}; a doubled one fails."""
        box = box or self.world.box
        contacts = [c for c in box.contacts.values() if not c.is_list]
        found = {c.fields.get("givenName"): c for c in contacts}
        assert len(found) == len(contacts), "doubled there: %s" % sorted(str(c.fields.get("givenName")) for c in contacts)
        return found

    def named(self, given):
        return self.there()[given].fields

    def id_there(self, given):
        return self.there()[given].id

    def edit_there(self, given, **fields):
        self.world.edit(self.id_there(given), **fields)

    def remove_there(self, given):
        self.world.remove(self.id_there(given))

    # -- here --
    def here(self):
        cards = list(self.site.contacts().values())
        found = {given_of(c): c for c in cards}
        assert len(found) == len(cards), "doubled here: %s" % sorted(given_of(c) for c in cards)
        return found

    def card(self, given):
        return self.here()[given]

    def ids(self):
        """{given name: id of the Contactbox}, by one look."""
        return {c["name"].rpartition(", ")[2]: c["id"] for c in self.site.run("--json", "contact", "list", "Kunden", expect=0).json()}

    def id_of(self, given):
        return self.ids()[given]

    def edit(self, given, old, new):
        self.edit_all((given,), old, new)

    def edit_all(self, given, old, new):
        here, ids = self.here(), self.ids()
        for g in given:
            text = here[g].replace("\r\n ", "")
            assert old in text, text
            self.site.edit(ids[g], text.replace(old, new))

    def remove(self, given):
        self.site.remove(self.id_of(given))

    def same(self):
        """Both sides say the same of the same people, as far as Graph can say it."""
        here, there = self.here(), self.there()
        assert set(here) == set(there), "only here %s, only there %s" % (set(here) - set(there), set(there) - set(here))
        for given, contact in there.items():
            a, b = said(meaning(here[given])), said(meaning(card_of(contact.fields, "x")))
            assert a == b, "%s differs: only here %s, only there %s" % (given, a - b, b - a)

    # -- the world --
    def script(self, moment, wanted, answer, times=1):
        """Answers the next `times` requests whose line holds `wanted`; the answer may be made by a function."""
        left = [times]

        def at(when, _number, request):
            if when == moment and wanted in "%s %s" % request[:2] and left[0]:
                left[0] -= 1
                return answer() if callable(answer) else answer
            return None

        self.world.at = at
        return left

    def calm(self):
        self.world.at, self.world.faults = lambda *unused: None, []

    def close(self, check=True):
        self.world.__exit__()
        if self.site:
            self.site.close()
        if check:
            assert not self.world.violations, self.world.violations[:5]


def run_case(function, shim, *args):
    case, good = Case(shim), False
    try:
        function(case, *args)
        good = True
    finally:
        case.close(good)


def run_all(suite, cases, shim, only):
    for function in cases:
        if not only or function.__name__ in only or function.__name__.replace("_", " ") in only:
            suite.run(function.__name__.replace("_", " "), run_case, function, shim)
