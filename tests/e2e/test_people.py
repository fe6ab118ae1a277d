"""abgleich with the Google People API: an emulator that is strict about everything the pages say (tests/emulators/people.py), in virtual
time."""

import os
import subprocess
import sys
import tempfile

from harness import HERE, Site, Suite, card, meaning
import google_people
from google_people import People, Refused, expired, rate_limited

MINUTE = 60


def build_clock(folder):
    path = os.path.join(folder, "clock.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, os.path.join(HERE, "clock_shim.c"), "-ldl"], check=True)
    return path


class Case:
    """An account with contacts, and a site linked to it; time is the emulator's."""

    def __init__(self, shim):
        self.world, self.shim, self.site = People(), shim, None

    def link(self, *cards, **settings):
        self.site = Site()
        self.site.environment = {"LD_PRELOAD": self.shim, "SHIM_CLOCK": self.world.clock.path}
        self.site.run("book", "add", "Kunden", expect=0)
        for c in cards:
            self.site.add(c)
        self.site.server = self.world
        self.site.link(**settings)
        return self.site

    def sync(self, status="done", expect=0):
        result = self.site.sync(expect).json()
        assert result["status"] == status, result
        return result

    def quiet(self):
        self.sync("unchanged")

    def persons(self):
        return list(self.world.persons().values())

    def named(self, given):
        found = [p for p in self.persons() if p.get("names", [{}])[0].get("givenName") == given]
        assert len(found) == 1, "%s: %d of that name: %s" % (given, len(found), found)
        return found[0]

    def card(self, given):
        found = [c for c in self.site.contacts().values() if ";%s;" % given in c]
        assert len(found) == 1, "%s: %d of that name" % (given, len(found))
        return found[0]

    def edit(self, given, old, new):
        text = self.card(given)
        assert old in text, text
        uid = [line[4:] for line in text.splitlines() if line.startswith("UID:")][0]
        self.site.edit(self.site.id_of(uid), text.replace(old, new))

    def uid(self, given):
        return [line[4:] for line in self.card(given).splitlines() if line.startswith("UID:")][0]

    def close(self, check=True):
        self.world.__exit__()
        if self.site:
            self.site.close()
        os.unlink(self.world.clock.path)
        if check:
            assert not self.world.violations, self.world.violations[:5]


def person(given, family="Meier", **lists):
    return {"names": [{"givenName": given, "familyName": family}], **lists}


def paths(world):
    return ["%s %s" % (r[0], r[1].split("?")[0]) for r in world.requests]


def both_ways(case):
    w = case.world
    w.add(person("Lale", "Özdemir", emailAddresses=[{"value": "lale@example.org", "type": "work"}],
                 phoneNumbers=[{"value": "+49 171 1111111", "type": "mobile"}, {"value": "030 22", "type": "Zentrale"}]))
    site = case.link(card("u1", "Meier;Anna", "TEL;TYPE=WORK,FAX:+49301", "EMAIL;TYPE=HOME:a@example.org", "NOTE:zwei\\nZeilen",
                          "ORG:Feuerwehr;Wache 1", "TITLE:Leiterin", "BDAY:1980-03-05", "X-HUB-KUNDE:4711"))
    case.sync()
    anna = case.named("Anna")
    assert anna["phoneNumbers"] == [{"value": "+49301", "type": "workFax"}], anna
    assert anna["organizations"] == [{"name": "Feuerwehr", "department": "Wache 1", "title": "Leiterin"}], anna
    assert anna["birthdays"] == [{"date": {"year": 1980, "month": 3, "day": 5}}], anna
    assert anna["biographies"] == [{"value": "zwei\nZeilen"}] and anna["userDefined"] == [{"key": "KUNDE", "value": "4711"}], anna
    lale = case.card("Lale")
    assert "EMAIL;TYPE=WORK:lale@example.org" in lale and "TEL;TYPE=CELL:+49 171 1111111" in lale and "X-ABLabel:Zentrale" in lale, lale
    case.quiet()
    w.edit(lale_name(case), phoneNumbers=[{"value": "+49 171 2222222", "type": "mobile"}])
    case.edit("Anna", "TEL;TYPE=WORK,FAX:+49301", "TEL;TYPE=WORK,FAX:+49302")
    case.sync()
    assert "2222222" in case.card("Lale") and "Zentrale" not in case.card("Lale")
    assert case.named("Anna")["phoneNumbers"] == [{"value": "+49302", "type": "workFax"}]
    case.quiet()
    w.remove(lale_name(case))
    site.remove(site.id_of("u1"))
    case.sync()
    assert not case.persons() and not site.contacts()
    case.quiet()


def lale_name(case):
    return case.named("Lale")["resourceName"]


def no_op_is_one_request(case):
    case.world.add(person("Lale"))
    case.link(card("u1"))
    case.sync()
    case.quiet()
    case.world.requests = []
    case.quiet()
    assert paths(case.world) == ["GET /v1/people/me/connections"], case.world.requests
    assert "syncToken" in case.world.requests[0][1]


CASES = (both_ways, no_op_is_one_request)


def run_case(function, shim):
    case, good = Case(shim), False
    try:
        function(case)
        good = True
    finally:
        case.close(good)


def main():
    suite = Suite("people")
    with tempfile.TemporaryDirectory() as folder:
        shim = build_clock(folder)
        for function in CASES:
            if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
                suite.run(function.__name__.replace("_", " "), run_case, function, shim)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
