"""kill -9 at every boundary of a list for FE2. The next runs, which nobody watches, must leave FE2 with exactly the book: nobody missing,
nobody made again with another token, whoever was entered by hand untouched."""

import sys
import tempfile

from harness import Suite
from clock import Clock
from fe2 import FE2
from kills import sweep
from test_fe2 import Brigade, person, source
from test_people import build_clock

SHIM = None


def world():
    return FE2(clock=Clock())


def there(fe2):
    return {i: (p.token, p.mode) for i, p in fe2.persons.items()}


def prepare(fe2, make):
    """The site of a brigade whose list is to be sent."""
    b = make(fe2)
    fe2.clock.advance(3600)
    b.site.brigade, b.site.before = b, there(fe2)
    return b.site


def changed_book(fe2):
    b = Brigade(6, fe2=fe2, shim=SHIM)
    b.approve()
    b.remove(1)
    b.edit(2, person(2, "CATEGORIES:Aktive,F:ZF", "EMAIL:jonas2@example.org"))
    b.add(8, person(8))
    b.add(9, person(9, "CATEGORIES:Aktive", "X-APAGER:jonas9@example.org"))
    return b


def first_list(fe2):
    b = Brigade(4, fe2=fe2, shim=SHIM)
    b.site.run("approve", "fe2", b.sync(4)["plan"], expect=0)
    return b


def list_of_a_server(fe2):
    b = Brigade(source=source(5), fe2=fe2, shim=SHIM)
    b.approve()
    for n in (11, 12):
        b.site.server.put("p%d.vcf" % n, person(n))
    return b


def settle(stage):
    b, fe2 = stage.site.brigade, stage.server
    fe2.wait_idle()  # what is lost counts from then on
    seen = there(fe2)
    for _ in range(4):
        result = b.sync(None)
        if result["status"] == "unchanged":
            break
        if result["status"] == "held":
            b.approve()
        seen.update({i: made for i, made in there(fe2).items() if i not in seen})
    assert result["status"] == "unchanged", result
    assert not fe2.violations, fe2.violations
    assert fe2.alarmed("Vollalarm").count("Wache") == 1
    last = there(fe2)
    for i, made in {**seen, **stage.site.before}.items():
        assert i not in last or last[i] == made, "%s was made again: %s, now %s" % (i, made, last[i])
    if b.ids:
        assert set(last) == set(b.ids.values()), "not the book's: %s" % (set(last) ^ set(b.ids.values()))
    else:
        assert len(last) == len(b.site.server.texts()) and set(seen) <= set(last), (seen, last)


def main():
    global SHIM
    suite = Suite("killed with FE2")
    with tempfile.TemporaryDirectory() as folder:
        SHIM = build_clock(folder)
        for title, make in (("a changed book", changed_book), ("the first list", first_list), ("a list of a server", list_of_a_server)):
            sweep(suite, title, lambda fe2, make=make: prepare(fe2, make), ["sync", "fe2"], settle, world=world)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
