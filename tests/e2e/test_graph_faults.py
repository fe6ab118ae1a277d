"""abgleich with Microsoft Graph when things go wrong: answers lost, links that died, storms of refusals in and out of batches, sign-ins that end
amid paging, odd rounds of delta, somebody who is quicker. Nothing is lost, doubled or repeated; time is virtual."""

import sys
import tempfile

from harness import Site, Suite, card
from graph_case import JPEG, MINUTE, Case, build_clock, person, photo_line, run_all, run_case  # noqa: F401
from microsoft_graph import Graph
from test_daemon import Daemon, wait_until

LOST = ("cut after", "cut half", "reset after", "500 after", "504 after", "200 html after")


def lose_creates(case, name, times=1):
    """The answer to the next request that makes a contact is lost, whether it is a batch or not."""
    left, w = [times], case.world

    def at(moment, _number, request):
        if moment == "arrived" and left[0] and request.method == "POST" and (b'"POST"' in request.body or "/contacts" in request.path):
            left[0] -= 1
            w.fail(name, on="^POST ")
        return None

    w.at = at
    return left


# -- creates --
def a_create_whose_answer_was_lost(case):
    for name in LOST:
        for delay in (0, 3):
            one = Case(case.shim)
            one.linked("Anna")
            one.world.box.filter_delay = delay
            one.site.add(card("u-n", "Neu;Nora", "NOTE:hier"))
            left = lose_creates(one, name)
            one.site.sync(None)
            assert left == [0] and len(one.there()) == 2, (name, delay, left, one.world.lines())
            one.calm()
            one.settle()
            assert sorted(one.there()) == sorted(one.here()) == ["Anna", "Nora"], (name, sorted(one.there()))
            assert one.named("Nora")["personalNotes"] == "hier"
            one.quiet()
            one.close()


def a_create_that_is_found_late(case):
    """$filter finds it after most of a minute, and delta does not show it for ten: it is waited for, and not repeated."""
    case.linked("Anna")
    w = case.world
    w.box.filter_delay, w.delta.lag = 50, 10 * MINUTE
    case.site.add(card("u-n", "Neu;Nora"))
    lose_creates(case, "cut after")
    for _ in range(4):
        case.site.sync(None)
        case.calm()
        w.clock.advance(2 * MINUTE)
        assert sorted(case.there()) == ["Anna", "Nora"]
    w.clock.advance(11 * MINUTE)
    case.settle()
    assert sorted(case.there()) == sorted(case.here()) == ["Anna", "Nora"]
    case.quiet()


def a_create_that_a_search_does_not_find(case):
    """$filter finds it after more than three minutes, but a look at all shows it; it has nothing but a name, so nobody else could tell who it is."""
    case.linked("Anna")
    case.world.box.filter_delay = 200
    case.site.add(card("u-n", "Neu;Nora"))
    left = lose_creates(case, "cut after")
    case.site.sync(None)
    case.calm()
    assert left == [0] and sorted(case.there()) == ["Anna", "Nora"]
    for _ in range(4):
        case.site.sync(None)
        case.world.clock.advance(MINUTE)
        assert sorted(case.there()) == ["Anna", "Nora"]
    case.settle()
    assert sorted(case.there()) == sorted(case.here()) == ["Anna", "Nora"]
    case.quiet()


def a_create_that_is_found_too_late(case):
    """After ten minutes: longer than anybody waits. It may be there twice then, and the younger is taken away as soon as both are found."""
    case.linked("Anna")
    w = case.world
    w.box.filter_delay, w.delta.lag = 10 * MINUTE, 10 * MINUTE
    case.site.add(card("u-n", "Neu;Nora"))
    lose_creates(case, "cut after")
    for _ in range(4):
        case.site.sync(None)
        case.calm()
        w.clock.advance(2 * MINUTE)
    w.clock.advance(11 * MINUTE)
    case.settle()
    w.box.filter_delay = w.delta.lag = 0
    case.settle()
    assert sorted(case.there()) == sorted(case.here()) == ["Anna", "Nora"]
    case.quiet()


def a_create_that_never_arrived(case):
    case.linked("Anna")
    case.site.add(card("u-n", "Neu;Nora"))
    lose_creates(case, "cut before")
    case.site.sync(None)
    case.calm()
    case.settle()
    assert sorted(case.there()) == ["Anna", "Nora"]
    case.quiet()


def many_creates_whose_answers_were_lost(case):
    """Half of 30 creates are lost in a row; another mailbox's contacts of the same names do not mislead."""
    case.linked("Anna")
    for i in range(30):
        case.site.add(card("n%d" % i, "Neu;N%d" % i, "EMAIL:n%d@example.org" % i))
    count = [0]

    def at(moment, _number, request):
        if moment == "done" and request.method == "POST" and (b'"POST"' in request.body or request.path.endswith("/contacts")):
            count[0] += 1
            return "cut" if count[0] % 2 else None
        return None

    case.world.at = at
    for _ in range(4):
        case.site.sync(None)
    case.calm()
    case.settle()
    assert len(case.there()) == len(case.here()) == 31
    case.quiet()


def two_found(case):
    """A create came twice (its answer was slow, and something on the way sent it again): the older is kept, nobody stays doubled."""
    case.linked("Anna")
    w = case.world
    case.site.add(card("u-n", "Neu;Nora", "NOTE:hier"))

    def at(moment, _number, _request):
        nora = [c for c in w.box.contacts.values() if c.fields.get("givenName") == "Nora"]
        if moment != "done" or len(nora) != 1 or case.first:
            return None
        assert nora[0].extended, "no operation id is kept with it"
        w.clock.advance(2)
        twin = w.box.create(nora[0].folder, {k: v for k, v in nora[0].fields.items() if v})
        twin.extended = dict(nora[0].extended)
        case.first = nora[0].id
        return "cut"

    case.first, w.at = None, at
    case.site.sync(None)
    case.calm()
    case.settle()
    found = [c.id for c in w.box.contacts.values() if c.fields.get("givenName") == "Nora"]
    assert found == [case.first] and sorted(case.here()) == ["Anna", "Nora"], (found, case.first)


def updates_and_deletes_whose_answer_was_lost(case):
    case.linked("Anna", "Berta", "Cora")
    for name in ("cut after", "504 after", "500 after"):
        case.edit("Anna", "NOTE:", "NOTE:x")
        case.remove_there("Cora")
        case.site.add(card("c-" + name, "Meier;Cora"))
        left = [1]

        def at(moment, _number, request, left=left, name=name):
            if moment == "arrived" and left[0] and (request.method in ("PATCH", "DELETE") or b'"PATCH"' in request.body):
                left[0] = 0
                case.world.fail(name, on=".")
            return None

        case.world.at = at
        case.site.sync(None)
        assert left == [0], case.world.lines()
        case.calm()
        case.settle()
        case.same()
    assert case.named("Anna")["personalNotes"].startswith("xxx")
    case.remove("Berta")
    case.world.fail("cut after", on="DELETE")
    case.site.sync(None)
    case.calm()
    case.settle()
    assert sorted(case.there()) == sorted(case.here()) == ["Anna", "Cora"]


# -- links of delta --
def a_dead_link_is_a_whole_round(case):
    case.linked("Anna", "Berta", "Cora")
    w = case.world
    for gone, location in (((410, "SyncStateNotFound"), False), ((410, "resyncRequired"), True), ((410, "SyncStateInvalid"), True),
                           ((400, "SyncStateInvalid"), False), ((400, "BadRequest"), False), ((404, "SyncStateNotFound"), False)):
        w.delta.gone, w.delta.gone_location = gone, location
        case.remove_there("Cora")
        case.edit_there("Anna", jobTitle="%s %s" % gone)
        w.delta.expire(w.box)
        case.site.add(card("n-%s-%s" % gone, "Meier;Cora", "NOTE:%s %s" % gone))
        case.site.sync(None)
        case.settle()
        case.same()
        assert "%s %s" % gone in case.card("Anna").replace("\r\n ", "") and sorted(case.there()) == ["Anna", "Berta", "Cora"]
        case.quiet()


def a_link_that_died_amid_its_pages(case):
    case.linked(*["P%d" % i for i in range(7)])
    w = case.world
    w.delta.page = 3
    for i in range(7):
        case.edit_there("P%d" % i, jobTitle="neu %d" % i)
    w.fail("410", on="skiptoken")
    case.site.sync(None)
    case.calm()
    case.settle()
    assert all("TITLE:neu %d" % i in case.card("P%d" % i) for i in range(7))
    case.quiet()


def a_first_round_that_breaks_off(case):
    """Half a first listing is none: nobody is deleted, and the next run begins again."""
    w = case.world
    for i in range(9):
        w.add(person("P%d" % i, emailAddresses=[{"address": "p%d@example.org" % i}]))
    w.delta.page = 2
    case.link(card("u1"))
    for name in ("cut before", "cut half", "500", "200 html", "502 html", "401"):
        w.forget()
        w.fail(name, on="skiptoken", times=None)
        result = case.site.sync(None)
        assert result.code != 0, (name, result)
        assert list(case.there()) and len(case.there()) == 9, name
        case.calm()
        w.clock.advance(61 * MINUTE)
    case.settle()
    assert len(case.there()) == len(case.here()) == 10
    w.delta.expire(w.box)
    w.fail("500", on="skiptoken", times=None)
    assert case.site.sync(None).code != 0 and len(case.here()) == 10
    case.calm()
    case.settle()
    case.same()


def odd_rounds(case):
    """Empty pages, items twice, replays, late ones, removals at first, gzip, short pages: everything at once."""
    w = case.world
    d = w.delta
    d.page, d.empty_pages, d.doubles, d.replays, w.gzip = 2, True, True, 3, True
    gone = w.add(person("Weg"))
    w.remove(gone)
    for i in range(9):
        w.add(person("P%d" % i, personalNotes="alt"))
    case.link(card("u1", "Meier;Anna", "NOTE:alt"))
    case.sync()
    for run in range(3):
        case.edit_there("P1", personalNotes="dort %d" % run)
        case.edit_there("P1", jobTitle="T%d" % run)
        case.edit("P2", "NOTE:", "NOTE:%d" % run)
        case.remove_there("P%d" % (3 + run))
        case.site.add(card("n%d" % run, "Neu;N%d" % run))
        case.site.sync(None)
        case.site.sync(None)
        case.same()
        assert "NOTE:dort %d" % run in case.card("P1") and "TITLE:T%d" % run in case.card("P1"), case.card("P1")
    assert "Weg" not in case.here()
    w.forget()
    for _ in range(3):
        case.site.sync(0)
    assert not w.writes(), w.writes()


def late_items(case):
    """For minutes delta does not tell what was written, here or there."""
    case.linked("Anna", "Berta")
    w = case.world
    w.delta.lag = 5 * MINUTE
    case.edit_there("Anna", nickName="Anni")
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.remove("Berta")
    case.site.add(card("u-n", "Neu;Nora"))
    for _ in range(3):
        case.site.sync(None)
        w.clock.advance(MINUTE)
    w.clock.advance(6 * MINUTE)
    case.settle()
    assert sorted(case.there()) == sorted(case.here()) == ["Anna", "Nora"]
    assert case.named("Anna")["personalNotes"] == "neu" and case.named("Anna")["nickName"] == "Anni" and "NICKNAME:Anni" in case.card("Anna")
    case.same()
    case.quiet()


def one_late_item(case):
    """A change that is told two rounds after a younger one."""
    case.linked("Anna", "Berta")
    w = case.world
    w.delta.late = {case.id_there("Anna"): w.clock.now() + 10 * MINUTE}
    case.edit_there("Anna", personalNotes="spaet")
    case.edit_there("Berta", personalNotes="frueh")
    case.sync()
    assert "NOTE:frueh" in case.card("Berta")
    case.site.sync(0)
    w.clock.advance(11 * MINUTE)
    case.site.sync(0)
    assert "NOTE:spaet" in case.card("Anna")
    case.quiet()


def no_delta_at_all(case):
    """As in China: lists tell what changed."""
    w = case.world
    w.delta.exists = False
    for i in range(25):
        w.add(person("P%d" % i))
    case.link(card("u1"))
    case.sync()
    assert len(case.there()) == len(case.here()) == 26
    case.quiet()
    case.edit_there("P3", jobTitle="neu")
    case.remove_there("P4")
    case.remove("P5")
    case.sync()
    case.same()
    assert "TITLE:neu" in case.card("P3") and len(case.there()) == 24
    case.quiet()


def a_link_to_somewhere_else(case):
    """nextLink and deltaLink of another host never get the token."""
    other = Graph(clock=case.world.clock)
    for i in range(5):
        case.world.add(person("P%d" % i))
    case.world.delta.page = 2
    case.world.link_base = other.url
    case.link()
    result = case.site.sync(None)
    assert not other.requests and result.code != 0, (result, other.lines())
    case.world.link_base = None
    case.settle()
    assert len(case.here()) == 5
    other.__exit__()


# -- storms --
def too_many_requests(case):
    case.linked("Anna", "Berta")
    w = case.world
    for name, wait in (("429", None), ("429", 7), ("429", 1), ("429 objects", 40), ("503", 9), ("503", None), ("504", None)):
        case.edit("Anna", "NOTE:", "NOTE:x")
        w.fail(name, times=2, retry_after=wait)
        case.site.sync(0)
        assert w.faults[0][1] == 0, (name, wait)
        assert case.named("Anna")["personalNotes"].startswith("x"), name
        case.quiet()
        w.forget()


def a_storm_that_does_not_end(case):
    """429 with Retry-After: 1 for ever: it gives up with exit 6, having asked less and less often, and nothing is lost."""
    case.linked("Anna")
    w = case.world
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    w.fail("429", times=None, retry_after=1)
    start, asked = w.clock.now(), len(w.requests)
    result = case.site.sync(None)
    assert result.code == 6, result
    took, asked = w.clock.now() - start, len(w.requests) - asked
    assert asked <= 12 and took / asked > 1.5, "%d requests in %d s" % (asked, took)
    case.calm()
    w.clock.advance(10 * MINUTE)
    case.settle()
    assert case.named("Anna")["personalNotes"] == "neu"


def refused_parts(case):
    """Single parts of batches: these are sent again, after their Retry-After, and no other."""
    case.linked(*["P%d" % i for i in range(25)])
    w = case.world
    for name, wait in (("429", 11), ("429", None), ("503", 5), ("504", None), ("500", None)):
        case.edit_all(["P%d" % i for i in range(25)], "NOTE:", "NOTE:y")
        for i in range(3):
            case.site.add(card("n%s%s%d" % (name, wait, i), "Neu;N%s%s%d" % (name, wait, i)))
        w.fail(name, on="^(PATCH|POST) ", part=True, times=6, retry_after=wait)
        case.site.sync(None)
        case.settle()
        case.same()
        assert all(case.named("P%d" % i)["personalNotes"].startswith("y") for i in range(25))
        creates = [l for l in w.lines() if l.startswith("POST")]
        w.forget()
        assert len(creates) <= 3 + 6 or name in ("500", "504"), creates
    assert len(case.there()) == 25 + 15


def every_part_counts(case):
    """A server that runs no more than four parts of a batch: the rest comes back with 429."""
    w = case.world
    w.limits.batch = "each"
    for i in range(30):
        w.add(person("D%d" % i), photo=JPEG if i % 3 else None)
    case.link(*[card("u%d" % i, "Hier;H%d" % i) for i in range(30)])
    case.site.sync(None)
    case.settle()
    assert len(case.there()) == len(case.here()) == 60
    case.same()


def a_part_whose_effect_was_lost(case):
    """500 after the effect, in one part of a batch, for each kind of write."""
    case.linked("Anna", "Berta")
    w = case.world
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.remove("Berta")
    case.site.add(card("u-n", "Neu;Nora"))
    case.site.add(card("u-m", "Neu;Mia"))
    for method in ("POST", "PATCH", "DELETE"):
        w.fail("500 after", on="^%s " % method, part=True)
        w.fail("500 after", on="^%s /v1.0/me/contact" % method)
    case.site.sync(None)
    case.calm()
    case.settle()
    assert sorted(case.there()) == sorted(case.here()) == ["Anna", "Mia", "Nora"], sorted(case.there())
    case.same()


def four_at_a_time(case):
    """With requests that take their time, the limit is met and not passed: not by a job, and not by two of one account."""
    w = case.world
    for i in range(45):
        w.add(person("D%d" % i), photo=JPEG)
    case.link(*[card("u%d" % i, "Hier;H%d" % i, photo_line()) for i in range(25)])
    w.limits.dwell = 0.02
    case.site.sync(None)
    case.settle()
    assert len(case.there()) == 70 and w.limits.most_in_flight <= 4 and not w.limits.refused["flight"], w.limits.refused


def jobs_share_the_four_places(case):
    """A daemon with three links of one account, due at once: still no fifth request, whatever each of them does."""
    w = case.world
    w.limits.dwell = 0.03
    folders = ["Eins", "Zwei", "Drei"]
    for name in folders:
        folder = w.add_folder(name)
        for i in range(25):
            w.add(person("%s%d" % (name, i)), folder=folder, photo=JPEG)
    site = Site()  # jobs that wait for each other take real time
    site.run("account", "add", "srv", "--connector", "graph", "--url", w.url, "--user", w.user, "--password-file", "-", text=w.password + "\n",
             expect=0)
    site.run("account", "set", "srv", "interval=1s", expect=0)
    for name in folders:
        site.run("book", "add", name, expect=0)
        site.run("link", "add", name.lower(), "contactbox:" + name, "srv:" + name, "--mode", "two-way", expect=0)
        for i in range(10):
            site.run("contact", "add", name, "--file", "-", text=card("u%s%d" % (name, i), "Hier;H%s%d" % (name, i)), expect=0)
    with open(site.config, "a", encoding="utf-8") as f:
        f.write("listen = 127.0.0.1:0\n")
    daemon = Daemon(site)
    wait_until(lambda: len(w.contacts()) == 105, 60)
    daemon.stop()
    assert 2 <= w.limits.most_in_flight <= 4 and not w.limits.refused["flight"], (w.limits.most_in_flight, w.limits.refused)
    for name in folders:
        site.run("sync", name.lower())
    assert len(w.contacts()) == 105
    site.close()


# -- sign-ins --
def refused_amid_paging(case):
    """A bare token that dies: exit 5, nothing lost, and nothing deleted; with a new one it goes on."""
    w = case.world
    case.linked(*["P%d" % i for i in range(7)])
    w.delta.page = 2
    for i in range(7):
        case.edit_there("P%d" % i, jobTitle="neu")
    case.edit("P0", "NOTE:alt", "NOTE:hier")
    w.fail("401", on="skiptoken", times=None)
    result = case.site.sync(None)
    assert result.code == 5 and len(case.here()) == 7, result
    case.calm()
    w.clock.advance(61 * MINUTE)
    case.settle()
    case.same()
    assert case.named("P0")["personalNotes"] == "hier"


def refused_amid_writing(case):
    case.linked("Anna", "Berta")
    w = case.world
    for given in ("Anna", "Berta"):
        case.edit(given, "NOTE:alt", "NOTE:hier")
    w.fail("401 claims", on=r"PATCH|\$batch", times=None)
    result = case.site.sync(None)
    assert result.code == 5, result
    case.calm()
    w.clock.advance(61 * MINUTE)
    case.settle()
    assert case.named("Anna")["personalNotes"] == case.named("Berta")["personalNotes"] == "hier"


# -- somebody is quicker --
def quicker_than_we(case):
    """The contact changes there between our reading and our writing; If-Match is honoured, or ignored."""
    for honoured in ("honoured", "ignored"):
        one = Case(case.shim)
        one.linked("Anna", "Berta", "Cora")
        one.world.if_match = honoured
        for given in ("Anna", "Berta"):
            one.edit(given, "NOTE:alt", "NOTE:hier")
        one.remove("Cora")
        done = []

        def at(moment, _number, request, one=one, done=done):
            if moment == "done" and "delta" in request.path and not done:
                done.append(1)
                one.edit_there("Anna", nickName="Anni")
                one.edit_there("Cora", nickName="Cori")
            return None

        one.world.at = at
        one.site.sync(None)
        one.calm()
        one.settle()
        assert one.named("Anna")["personalNotes"] == "hier" and one.named("Anna")["nickName"] == "Anni", (honoured, one.named("Anna"))
        assert "NICKNAME:Anni" in one.card("Anna") and one.named("Cora")["nickName"] == "Cori" and "Cora" in one.here(), honoured
        one.same()
        one.quiet()
        one.close()


def quicker_in_the_same_field(case):
    """At each request between reading and writing somebody there writes the very field that we write: who loses is in the report, or it came
    after ours and is on both sides. A server that ignores If-Match can be told by a look alone."""
    for honoured in ("honoured", "ignored"):
        for number in range(4 if honoured == "honoured" else 1):
            one = Case(case.shim)
            one.linked("Anna", "Berta")
            one.world.if_match = honoured
            one.edit("Anna", "NOTE:alt", "NOTE:hier")
            one.remove("Berta")
            seen = []

            def at(moment, _number, request, one=one, seen=seen, number=number):
                if moment == "arrived" and "delta" not in request.path and len(seen) <= number:
                    seen.append(1)
                    if len(seen) == number + 1:
                        one.edit_there("Anna", personalNotes="dort")
                        if "Berta" in one.there():
                            one.edit_there("Berta", personalNotes="dort")
                return None

            one.world.at = at
            one.site.sync(None)
            one.calm()
            one.settle()
            one.same()
            told = one.site.run("--json", "conflicts", "kunden", expect=None).out
            assert len(seen) == number + 1 and ("dort" in told or "NOTE:dort" in one.card("Anna")), (honoured, number, seen, one.card("Anna"), told)
            assert number or ("NOTE:hier" in one.card("Anna") and "NOTE:dort" in one.card("Berta")), (honoured, one.here())
            one.close()


def removals_that_are_none(case):
    """Delta says that contacts are gone, and they are there: out and in again, told late; for both reasons nothing is deleted here."""
    case.linked("Anna", "Berta", "Cora")
    w = case.world
    for reason in ("deleted", "changed"):
        w.box.removed_reason = reason
        for given in ("Anna", "Berta"):
            w.box.left(case.there()[given])
        w.forget()
        case.site.sync(0)
        assert sorted(case.here()) == ["Anna", "Berta", "Cora"] and not w.writes(), (reason, sorted(case.here()))
        w.delta.expire(w.box)
        case.site.sync(0)
        assert sorted(case.here()) == ["Anna", "Berta", "Cora"], reason
    case.edit_there("Anna", personalNotes="neu")
    case.edit("Berta", "NOTE:alt", "NOTE:hier")
    case.sync()
    case.same()
    assert "NOTE:neu" in case.card("Anna") and case.named("Berta")["personalNotes"] == "hier"


def refusals_of_the_precondition(case):
    """412, 409 and 404 unasked: looked at again, written in the end."""
    case.linked("Anna", "Berta")
    for n, name in enumerate(("412", "409", "404", "405")):
        case.edit("Anna", "NOTE:", "NOTE:%d" % n)
        case.world.fail(name, on="^(PATCH|POST|PUT) ", part=True)
        case.world.fail(name, on=r"^PATCH ")
        case.site.sync(None)
        case.calm()
        case.site.run("sync", "kunden")
        case.settle()
        case.same()
        assert len(case.there()) == 2, name


def gone_before_it_is_written(case):
    """Deleted there between our reading and our writing; what lies in Deleted Items is not written to, though it can be had by its id."""
    for readable, number in ((False, 0), ("with its etag", 1), (True, 0), (True, 1), (True, 2)):
        one = Case(case.shim)
        one.linked("Anna", "Berta", "Cora")
        one.world.box.deleted_readable = readable
        one.edit("Anna", "NOTE:alt", "NOTE:hier")
        one.remove("Berta")
        done = []

        def at(moment, _number, request, one=one, done=done, number=number):
            if moment == "arrived" and "delta" not in request.path:
                done.append(1)
                if len(done) == number + 1:
                    for given in set(one.there()) & {"Anna", "Berta"}:
                        one.remove_there(given)
            return None

        one.world.at = at
        one.site.sync(None)
        one.calm()
        one.settle()
        assert sorted(one.there()) == sorted(one.here()) == ["Anna", "Cora"], (readable, number, sorted(one.here()), sorted(one.there()))
        assert one.named("Anna")["personalNotes"] == "hier", (readable, number)
        one.close()


# -- records --
def one_bad_contact_does_not_stop_the_others(case):
    """One that is refused for a reason nobody could know waits with its name in the report, the others go on; when it is mended, it goes, too."""
    case.linked("Anna", "Berta", "Cora")
    case.world.box.banned = "verboten"
    case.edit("Berta", "NOTE:alt", "NOTE:neu\r\nTITLE:verboten")
    for given in ("Anna", "Cora"):
        case.edit(given, "NOTE:alt", "NOTE:neu")
    for i in range(20):
        case.site.add(card("n%d" % i, "Neu;N%d" % i, "ORG:" + ("verboten" if i == 13 else "kurz")))
    result = case.sync("partial", 1)
    assert len(result["quarantined"]) == 2, result["quarantined"]
    assert len(case.there()) == 22 and case.named("Anna")["personalNotes"] == case.named("Cora")["personalNotes"] == "neu"
    case.world.forget()
    case.site.sync(None)
    assert not case.world.writes(), case.world.writes()
    case.edit("Berta", "verboten", "erlaubt")
    case.edit("N13", "verboten", "Erlaubt")
    case.settle()
    assert case.named("N13")["companyName"] == "Erlaubt" and len(case.there()) == 23 and case.named("Berta")["jobTitle"] == "erlaubt"


def long_texts_stay(case):
    """What is too long for Graph stays here and stops nobody."""
    case.linked("Anna", "Berta")
    case.edit("Berta", "NOTE:alt", "NOTE:" + "lang " * 2000 + "\r\nTITLE:" + "x" * 300)
    case.edit("Anna", "NOTE:alt", "NOTE:neu\r\nTITLE:" + "ö" * 255)
    case.site.sync(None)
    case.settle()
    assert len(case.named("Berta")["personalNotes"]) == 9999 or len(case.named("Berta")["personalNotes"]) == 10000, case.named("Berta")
    assert "x" * 300 in case.card("Berta").replace("\r\n ", "") and case.named("Anna")["jobTitle"] == "ö" * 255
    case.quiet()


def a_picture_whose_answer_was_lost(case):
    case.linked("Anna")
    case.site.add(card("u-n", "Neu;Nora", photo_line()))
    case.edit("Anna", "NOTE:alt", photo_line() + "\r\nNOTE:neu")
    case.world.fail("cut after", on="photo", times=2)
    case.site.sync(None)
    case.calm()
    case.settle()
    assert all(JPEG in case.there()[g].photo for g in ("Anna", "Nora")) and case.named("Anna")["personalNotes"] == "neu"
    case.quiet()


CASES = (a_create_whose_answer_was_lost, a_create_that_is_found_late, a_create_that_a_search_does_not_find,
         a_create_that_is_found_too_late, a_create_that_never_arrived, many_creates_whose_answers_were_lost, two_found,
         updates_and_deletes_whose_answer_was_lost, a_dead_link_is_a_whole_round, a_link_that_died_amid_its_pages,
         a_first_round_that_breaks_off, odd_rounds, late_items, one_late_item, no_delta_at_all, a_link_to_somewhere_else,
         too_many_requests, a_storm_that_does_not_end, refused_parts, every_part_counts, a_part_whose_effect_was_lost, four_at_a_time,
         jobs_share_the_four_places, refused_amid_paging, refused_amid_writing, quicker_than_we, quicker_in_the_same_field,
         removals_that_are_none, refusals_of_the_precondition, gone_before_it_is_written, one_bad_contact_does_not_stop_the_others,
         long_texts_stay, a_picture_whose_answer_was_lost)


def main():
    suite = Suite("graph, faults")
    with tempfile.TemporaryDirectory() as folder:
        run_all(suite, CASES, build_clock(folder), sys.argv[1:])
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
