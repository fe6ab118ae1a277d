"""abgleich with the Google People API: an emulator that is strict about everything the pages say (tests/emulators/people.py), in virtual
time."""

import os
import subprocess
import sys
import tempfile
import threading

from harness import HERE, Site, Suite, card, meaning
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


def writes(world):
    return [p for p in paths(world) if not p.startswith("GET")]


def linked(case, *given, **settings):
    """People of those names on both sides, synced once; nothing of that is recent any more."""
    case.link(*[card("u-" + g, "Meier;%s" % g, "NOTE:alt", "TEL;TYPE=CELL:+49171%d" % i) for i, g in enumerate(given)], **settings)
    case.sync()
    case.world.clock.advance(11 * MINUTE)
    case.quiet()
    case.world.requests = []


def script(case, moment, wanted, answer, times=1):
    """Answers the next `times` requests whose line holds `wanted`; the answer may be made by a function."""
    left = [times]

    def at(when, _number, request):
        if when == moment and wanted in "%s %s" % request[:2] and left[0]:
            left[0] -= 1
            return answer() if callable(answer) else answer
        return None

    case.world.at = at
    return left


def edit_there(case, given, **lists):
    case.world.edit(case.named(given)["resourceName"], **lists)


def a_dead_token_is_a_whole_listing(case):
    linked(case, "Anna", "Berta")
    for answer in (expired(), Refused(400, "INVALID_ARGUMENT", "Sync token is expired. Clear local cache and retry call without the sync token."),
                   Refused(410, "GONE", "Sync token is gone."), Refused(400, "INVALID_ARGUMENT", "Invalid sync token.")):
        case.world.requests = []
        left = script(case, "arrived", "syncToken=", answer)
        case.quiet()
        assert left == [0] and len(case.world.requests) == 2 and "syncToken=" not in case.world.requests[1][1], case.world.requests
    assert len(case.site.contacts()) == len(case.persons()) == 2


def a_token_that_died_amid_its_pages(case):
    linked(case, *["P%d" % i for i in range(7)])
    case.world.page = 3
    for i in range(7):
        edit_there(case, "P%d" % i, biographies=[{"value": "neu %d" % i}])
    script(case, "arrived", "pageToken=", expired())
    case.sync()
    assert all("NOTE:neu %d" % i in case.card("P%d" % i) for i in range(7))
    case.quiet()


def tokens_of_a_week(case):
    linked(case, "Anna")
    for _ in range(3):
        case.world.clock.advance(8 * 86400)
        case.quiet()
    assert len(case.persons()) == 1


def order_and_size_of_pages(case):
    w = case.world
    for i in range(25):
        w.add(person("P%d" % i))
    w.page, w.order, w.empty_pages, w.gzip = 4, "shuffled", True, True
    case.link()
    case.sync()
    assert len(case.site.contacts()) == 25
    for order in ("reversed", "as is"):
        w.order = order
        edit_there(case, "P3", biographies=[{"value": order}])
        edit_there(case, "P9", biographies=[{"value": order}])
        case.sync()
        assert "NOTE:" + order in case.card("P3")
        case.quiet()


def a_create_whose_answer_was_lost(case):
    for moment, wanted in (("done", "cut"), ("done", (500, {}, {})), ("done", (503, {}, b"<html>busy</html>")), ("done", (200, {}, b"<html>")),
                           ("half", "cut")):
        one = Case(case.shim)
        linked(one, "Anna")
        one.site.add(card("u-n", "Neu;Nora", "NOTE:hier"))
        left = script(one, moment, "batchCreate", wanted)
        one.site.sync(None)
        assert left == [0] and len(one.persons()) == 2
        one.world.at = lambda *unused: None
        one.world.requests = []
        one.site.sync(0)
        one.named("Nora")
        assert not writes(one.world), (moment, wanted, paths(one.world))
        one.quiet()
        assert len(one.site.contacts()) == 2
        one.close()


def a_create_that_shows_up_late(case):
    """The answer was lost, and Google's lists do not have it for five minutes: it waits, and is found."""
    linked(case, "Anna")
    case.world.list_lag = 5 * MINUTE
    case.site.add(card("u-n", "Neu;Nora"))
    script(case, "done", "batchCreate", "cut")
    case.site.sync(1)
    case.world.at = lambda *unused: None
    for _ in range(2):
        case.sync("partial", 1)
        case.world.clock.advance(MINUTE)
    case.world.clock.advance(4 * MINUTE)
    case.site.sync(0)
    case.named("Nora")
    case.quiet()
    assert len(case.site.contacts()) == 2


def a_create_that_never_arrived(case):
    linked(case, "Anna")
    case.site.add(card("u-n", "Neu;Nora"))
    script(case, "arrived", "batchCreate", "cut")
    case.site.sync(1)
    case.world.at = lambda *unused: None
    case.sync("partial", 1)
    assert len(case.persons()) == 1
    case.world.clock.advance(11 * MINUTE)
    case.sync()
    case.named("Nora")
    case.quiet()


def updates_and_deletes_whose_answer_was_lost(case):
    linked(case, "Anna", "Berta")
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    script(case, "done", "batchUpdate", "cut")
    case.site.sync(1)
    case.site.sync(0)
    assert case.named("Anna")["biographies"][0]["value"] == "neu"
    case.quiet()
    case.site.remove("u-Berta" and case.site.id_of("u-Berta"))
    script(case, "done", "batchDelete", "cut")
    case.site.sync(1)
    case.site.sync(0)
    case.quiet()
    assert len(case.persons()) == len(case.site.contacts()) == 1


def somebody_is_quicker(case):
    """The person changes there between our reading and our writing."""
    for member_status in (False, True):
        one = Case(case.shim)
        linked(one, "Anna", "Berta")
        one.world.member_status = member_status
        for given in ("Anna", "Berta"):
            one.edit(given, "NOTE:alt", "NOTE:hier")
        script(one, "arrived", "batchUpdate", lambda w=one: edit_there(w, "Anna", nicknames=[{"value": "Anni"}]))
        one.sync()
        anna = one.named("Anna")
        assert anna["biographies"][0]["value"] == "hier" and anna["nicknames"] == [{"value": "Anni"}], anna
        assert one.named("Berta")["biographies"][0]["value"] == "hier" and "NICKNAME:Anni" in one.card("Anna")
        one.quiet()
        one.close()


def deleted_there_while_edited_here(case):
    linked(case, "Anna", "Berta")
    case.edit("Anna", "NOTE:alt", "NOTE:hier")
    case.world.remove(case.named("Anna")["resourceName"])
    case.site.remove(case.site.id_of("u-Berta"))
    edit_there(case, "Berta", biographies=[{"value": "dort"}])
    case.sync()
    assert case.named("Anna")["biographies"][0]["value"] == "hier" and "NOTE:dort" in case.card("Berta")
    case.quiet()


def changed_there_before_it_is_written(case):
    """Between the reading that the plan was made from and the one right before the write: a delete has no precondition, and an update would
    take the other's value for one that was cleared here."""
    for number in (1, 2):
        one = Case(case.shim)
        linked(one, "Anna", "Berta")
        one.site.remove(one.site.id_of("u-Anna"))
        one.edit("Berta", "NOTE:alt", "NOTE:hier")
        seen = []

        def at(moment, _n, request):
            if moment == "arrived" and "batchGet" in request[1]:
                seen.append(request)
                if len(seen) == number:
                    edit_there(one, "Anna", biographies=[{"value": "dort"}])
                    edit_there(one, "Berta", nicknames=[{"value": "Bertl"}])

        one.world.at = at
        one.site.sync(None)
        one.site.sync(None)
        assert len(seen) >= 2 and "NOTE:dort" in one.card("Anna") and one.named("Anna"), len(seen)
        assert "NICKNAME:Bertl" in one.card("Berta") and one.named("Berta")["nicknames"], one.card("Berta")
        one.quiet()
        one.close()


def late_answers_are_no_changes(case):
    """An edit there, ours right after it: for minutes the lists tell the older one alone."""
    linked(case, "Anna")
    w = case.world
    w.list_lag = 5 * MINUTE
    edit_there(case, "Anna", nicknames=[{"value": "Anni"}])
    w.clock.advance(70)
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.sync()
    anna = case.named("Anna")
    assert anna["biographies"][0]["value"] == "neu" and anna["nicknames"] == [{"value": "Anni"}], anna
    w.clock.advance(40)
    case.edit("Anna", "NOTE:neu", "NOTE:ganz neu")
    case.sync()
    w.requests = []
    for _ in range(13):
        w.clock.advance(30)
        case.quiet()
    w.clock.advance(10 * MINUTE)
    case.quiet()
    assert not writes(w) and "NOTE:ganz neu" in case.card("Anna"), paths(w)


def late_reads_by_name_as_well(case):
    """Google wins conflicts, so an old answer taken for a change there would win over what is written here."""
    linked(case, "Anna", authority="server")
    w = case.world
    w.list_lag = w.get_lag = 3 * MINUTE
    case.edit("Anna", "NOTE:alt", "NOTE:eins")
    case.site.add(card("u-n", "Neu;Nora", "NOTE:eins"))
    case.sync()
    for word, before in (("zwei", "eins"), ("drei", "zwei")):
        w.clock.advance(30)
        for given in ("Anna", "Nora"):
            case.edit(given, "NOTE:" + before, "NOTE:" + word)
        case.site.sync(None)
    w.clock.advance(4 * MINUTE)
    case.site.sync(0)
    w.clock.advance(4 * MINUTE)
    case.quiet()
    for given in ("Anna", "Nora"):
        assert case.named(given)["biographies"][0]["value"] == "drei" and "NOTE:drei" in case.card(given), case.persons()
    assert case.site.run("--json", "conflicts", "kunden", expect=0).json() == []


def late_answers_in_a_whole_listing(case):
    """What was created is not listed yet, what was deleted still is."""
    linked(case, "Anna", "Berta")
    w = case.world
    w.list_lag = 5 * MINUTE
    case.site.add(card("u-n", "Neu;Nora"))
    case.site.remove(case.site.id_of("u-Berta"))
    case.sync()
    w.requests = []
    for _ in range(4):
        w.clock.advance(60)
        script(case, "arrived", "syncToken=", expired())
        case.quiet()
        assert sorted(case.site.contacts()) == ["u-Anna", "u-n"], sorted(case.site.contacts())
    w.clock.advance(20 * MINUTE)
    script(case, "arrived", "syncToken=", expired())
    case.quiet()
    assert not writes(w) and len(case.persons()) == 2


def late_answers_between_two_accounts(case):
    """No store that remembers what a person deleted: what is still listed there must not come back."""
    other = People(clock=case.world.clock)
    site = case.site = Site()
    site.environment = {"LD_PRELOAD": case.shim, "SHIM_CLOCK": case.world.clock.path}
    for name, w in (("eins", case.world), ("zwei", other)):
        site.run("account", "add", name, "--connector", "people", "--url", w.url, "--user", w.user, "--password-file", "-", text=w.password + "\n",
                 expect=0)
    site.run("link", "add", "kunden", "eins:", "zwei:", "--mode", "two-way", expect=0)
    for given in ("Anna", "Berta", "Cora"):
        case.world.add(person(given, emailAddresses=[{"value": given + "@example.org"}]))
    case.sync()
    case.world.clock.advance(11 * MINUTE)
    case.quiet()
    case.world.list_lag = other.list_lag = other.get_lag = 5 * MINUTE
    case.world.remove(case.named("Anna")["resourceName"])
    case.world.clock.advance(6 * MINUTE)
    case.sync()
    assert len(case.persons()) == len(other.persons()) == 2
    for w in (case.world, other):
        w.requests = []
        w.at = lambda moment, _n, request: expired() if moment == "arrived" and "syncToken=" in request[1] else None
    for _ in range(8):
        case.world.clock.advance(MINUTE)
        case.quiet()
    assert not writes(case.world) + writes(other) and len(case.persons()) == len(other.persons()) == 2
    case.world.clock.advance(11 * MINUTE)
    for w in (case.world, other):
        w.at = lambda *unused: None
    case.site.sync(0)
    case.world.list_lag, other.list_lag, other.get_lag = MINUTE, 5 * MINUTE, 0
    edit_there(case, "Berta", nicknames=[{"value": "Bertl"}])  # written there, and deleted there before that is told
    case.world.clock.advance(2 * MINUTE)
    case.sync()
    case.world.remove(case.named("Berta")["resourceName"])
    case.world.clock.advance(2 * MINUTE)
    case.sync()
    assert len(case.persons()) == len(other.persons()) == 1
    for _ in range(16):
        case.world.clock.advance(MINUTE // 2)
        case.quiet()
    assert len(case.persons()) == len(other.persons()) == 1
    other.__exit__()
    assert not other.violations, other.violations


def sign_in_dies_amid_paging(case):
    w = case.world
    linked(case, *["P%d" % i for i in range(6)])
    w.page = 2
    for i in range(6):
        edit_there(case, "P%d" % i, biographies=[{"value": "neu"}])
    script(case, "arrived", "pageToken=", Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."))
    result = case.site.sync(5)
    assert "abgleich login" in result.out + result.err, result
    case.sync()
    assert all("NOTE:neu" in c for c in case.site.contacts().values()) and len(case.persons()) == 6
    case.quiet()


def too_many_requests(case):
    linked(case, "Anna")
    before = case.world.clock.now()
    for answer in (rate_limited(), rate_limited(retry_after=20), rate_limited(403, "rateLimitExceeded"), rate_limited(403, "userRateLimitExceeded"),
                   rate_limited(403, "quotaExceeded")):
        script(case, "arrived", "/v1/", answer, 2)
        case.quiet()
        assert case.world.clock.now() - before > 3, "it did not wait"
        before = case.world.clock.now()
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    script(case, "arrived", "batchUpdate", rate_limited(), 3)
    case.sync()
    case.edit("Anna", "NOTE:neu", "NOTE:neuer")
    case.site.add(card("u-n", "Neu;Nora"))
    script(case, "arrived", "batch", rate_limited(403, "quotaExceeded"), 1000)
    case.site.sync(6)
    case.world.at = lambda *unused: None
    case.world.clock.advance(20 * MINUTE)
    case.site.sync(0)
    case.quiet()
    assert case.named("Anna")["biographies"][0]["value"] == "neuer" and case.named("Nora")


def what_the_administrator_has_to_do(case):
    linked(case, "Anna")
    for reason, word in (("SERVICE_DISABLED", "People API"), ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "abgleich login"), (None, "administrator")):
        script(case, "arrived", "/v1/", Refused(403, "PERMISSION_DENIED", "No.", reason))
        result = case.site.sync(5)
        assert word in result.out + result.err, result
    case.quiet()


def servers_that_fail(case):
    linked(case, "Anna")
    for answer in ((500, {}, {}), (502, {}, b"<html>"), (200, {}, b"<html>login</html>"), (200, {}, b""), (200, {}, b"[]"), "cut"):
        script(case, "arrived", "/v1/", answer, 5)
        result = case.site.sync(None)
        assert result.code in (1, 6), (answer, result)
        case.world.at = lambda *unused: None
        case.quiet()
    for answer in ((200, {}, {}), (200, {}, {"connections": []}), (200, {}, {"connections": [], "nextPageToken": ""})):
        script(case, "arrived", "/v1/", answer)
        assert case.site.sync(None).code == 1, answer
        assert len(case.site.contacts()) == 1
        asked = []

        def whole(moment, _n, request):
            if moment == "arrived" and "/connections" in request[1]:
                asked.append(request)
                return expired() if "syncToken=" in request[1] else answer
            return None

        case.world.at = whole
        assert case.site.sync(None).code == 1 and len(asked) == 2, (answer, asked)
        assert len(case.site.contacts()) == 1
        case.world.at = lambda *unused: None
    case.quiet()


def categories_are_groups(case):
    w = case.world
    group = w.add_group("Vorstand")
    w.add(person("Lale", memberships=[{"contactGroupMembership": {"contactGroupResourceName": g}} for g in
                                      ("contactGroups/myContacts", "contactGroups/starred", group)]))
    case.link(card("u1", "Meier;Anna", "CATEGORIES:Vorstand,Jugend"), card("u2", "Klein;Max", "CATEGORIES:jugend"))
    case.sync()
    assert "CATEGORIES:Vorstand" in case.card("Lale")
    names = {r: g["name"] for r, g in w.groups.items() if g["groupType"] == "USER_CONTACT_GROUP"}
    assert sorted(n.lower() for n in names.values()) == ["jugend", "vorstand"], names
    case.quiet()
    case.edit("Lale", "CATEGORIES:Vorstand", "CATEGORIES:Kasse")
    case.sync()
    inside = [m["contactGroupMembership"]["contactGroupResourceName"] for m in case.named("Lale")["memberships"]]
    assert inside[:2] == ["contactGroups/myContacts", "contactGroups/starred"] and len(inside) == 3 and group not in inside, inside
    case.edit("Lale", "CATEGORIES:Kasse", "NOTE:ohne")
    case.sync()
    inside = [m["contactGroupMembership"]["contactGroupResourceName"] for m in case.named("Lale")["memberships"]]
    assert inside == ["contactGroups/myContacts", "contactGroups/starred"], inside
    case.quiet()


JPEG, PNG = b"\xff\xd8\xff\xe0 eins", b"\x89PNG zwei"


def photo_line(data):
    import base64
    return "PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(data).decode()


def pictures(case):
    w = case.world
    w.add(person("Lale"), photo=JPEG)
    w.add(person("Ohne"))
    case.link(card("u1", "Meier;Anna", photo_line(PNG)))
    case.sync()
    photo = lambda given: w.contacts[case.named(given)["resourceName"]].photo
    assert photo("Anna") == PNG and photo_line(JPEG)[-8:] in case.card("Lale").replace("\r\n ", "") and "PHOTO" not in case.card("Ohne")
    case.quiet()
    w.requests = []
    case.edit("Anna", "FN:", "NICKNAME:A\r\nFN:")
    edit_there(case, "Lale", nicknames=[{"value": "L"}])
    case.sync()
    assert photo("Anna") == PNG and photo("Lale") == JPEG and "PHOTO" in case.card("Lale")
    assert not any("Photo" in p for p in paths(w)), paths(w)
    case.quiet()
    w.contacts[case.named("Lale")["resourceName"]].photo = None
    edit_there(case, "Lale", nicknames=[{"value": "LL"}])
    text = case.card("Anna")
    case.site.edit(case.site.id_of("u1"), "\r\n".join(l for l in text.replace("\r\n ", "").splitlines() if not l.startswith("PHOTO")) + "\r\n")
    case.sync()
    assert photo("Anna") is None and "PHOTO" not in case.card("Lale") and "NICKNAME:LL" in case.card("Lale")
    case.quiet()
    case.edit("Ohne", "FN:", photo_line(b"kein Bild") + "\r\nFN:")
    case.sync()
    assert photo("Ohne") is None and "PHOTO" in case.card("Ohne")
    case.quiet()


def renamed_by_an_address(case):
    """Google renames a contact whose address has a profile, by our own update as well."""
    linked(case, "Anna", "Berta")
    w = case.world
    w.linking = {"anna@profil.example": "people/c77", "berta@profil.example": "people/c78"}
    before = case.site.id_of("u-Anna"), case.site.id_of("u-Berta")
    case.edit("Anna", "NOTE:alt", "EMAIL:anna@profil.example\r\nNOTE:alt")
    case.world.edit(case.named("Berta")["resourceName"], emailAddresses=[{"value": "berta@profil.example"}])
    w.link_profile(case.named("Berta")["resourceName"])
    case.sync()
    assert sorted(w.persons()) == ["people/c77", "people/c78"], sorted(w.persons())
    w.clock.advance(11 * MINUTE)
    case.site.sync(0)
    case.quiet()
    assert (case.site.id_of("u-Anna"), case.site.id_of("u-Berta")) == before
    edit_there(case, "Anna", biographies=[{"value": "dort"}])
    case.edit("Berta", "NOTE:alt", "NOTE:hier")
    case.sync()
    assert "NOTE:dort" in case.card("Anna") and case.named("Berta")["biographies"][0]["value"] == "hier" and len(case.persons()) == 2
    case.quiet()


def one_bad_contact_does_not_stop_the_others(case):
    linked(case, "Anna", "Berta", "Cora")
    case.edit("Berta", "NOTE:alt", "NICKNAME:" + "x" * 2000)
    for given in ("Anna", "Cora"):
        case.edit(given, "NOTE:alt", "NICKNAME:kurz")
    for i in range(20):
        case.site.add(card("n%d" % i, "Neu;N%d" % i, "ORG:" + ("y" * 2000 if i == 13 else "kurz")))
    result = case.sync("partial", 1)
    assert len(result["quarantined"]) == 2, result["quarantined"]
    assert len(case.persons()) == 22 and case.named("Anna")["nicknames"] and case.named("Cora")["nicknames"]
    case.world.requests = []
    case.site.sync(None)
    assert not writes(case.world), paths(case.world)
    case.edit("Berta", "x" * 2000, "jetzt kurz")
    case.edit("N13", "y" * 2000, "Kurz")
    case.site.sync(0)
    assert case.named("N13")["organizations"] == [{"name": "Kurz"}] and len(case.persons()) == 23
    assert case.named("Berta")["nicknames"] == [{"value": "jetzt kurz"}]


def nothing_is_wiped(case):
    """An update here leaves all that no card can show."""
    w = case.world
    extra = {"genders": [{"value": "female"}], "occupations": [{"value": "Wehrführerin"}], "calendarUrls": [{"url": "https://c.example.org"}],
             "externalIds": [{"value": "4711", "type": "account"}], "interests": [{"value": "Modellbau"}]}
    w.add(person("Lale", organizations=[{"name": "Feuerwehr", "location": "Ulm", "costCenter": "7", "current": True}],
                 emailAddresses=[{"value": "l@example.org", "displayName": "Lale Ö."}], **extra))
    case.link()
    case.sync()
    case.edit("Lale", "END:VCARD", "TITLE:Leiterin\r\nEMAIL;TYPE=WORK:zwei@example.org\r\nEND:VCARD")
    case.sync()
    lale = case.named("Lale")
    assert {k: lale[k] for k in extra} == extra, lale
    assert lale["organizations"] == [{"name": "Feuerwehr", "location": "Ulm", "costCenter": "7", "current": True, "title": "Leiterin"}], lale
    assert lale["emailAddresses"][0] == {"value": "l@example.org", "displayName": "Lale Ö."} and len(lale["emailAddresses"]) == 2, lale
    case.quiet()
    w.requests = []
    case.edit("Lale", "END:VCARD", "X-ANDERES:nur hier\r\nTZ:+01:00\r\nEND:VCARD")
    case.site.sync(0)
    assert not writes(w) and "X-ANDERES" in case.card("Lale"), paths(w)
    case.quiet()
    edit_there(case, "Lale", nicknames=[{"value": "L"}])
    case.sync()
    assert "X-ANDERES" in case.card("Lale") and "TZ:+01:00" in case.card("Lale") and "NICKNAME:L" in case.card("Lale")
    case.quiet()


def first_sync_matches(case):
    w = case.world
    w.add(person("Anna", emailAddresses=[{"value": "a@example.org"}], phoneNumbers=[{"value": "0171 1234567", "type": "mobile"}]))
    w.add(person("Anna", "Schulze"))
    case.link(card("u1", "Meier;Anna", "EMAIL:a@example.org", "TEL;TYPE=CELL:+491711234567", "NOTE:hier"))
    case.sync()
    assert len(case.persons()) == 2 and len(case.site.contacts()) == 2
    mine = [p for p in case.persons() if p["names"][0]["familyName"] == "Meier"][0]
    assert mine["biographies"][0]["value"] == "hier" and len(mine["phoneNumbers"]) == 1, mine
    case.quiet()


def one_that_comes_back_is_not_doubled(case):
    """Deleted there and edited here, so it is created again; the answer is lost, and Google does not show it for minutes."""
    linked(case, "Anna", "Berta")
    case.world.list_lag = 2 * MINUTE
    case.edit("Anna", "NOTE:alt", "NOTE:hier")
    case.world.remove(case.named("Anna")["resourceName"])
    case.world.clock.advance(3 * MINUTE)
    script(case, "done", "batchCreate", "cut")
    case.site.sync(1)
    case.named("Anna")
    for _ in range(6):
        case.site.sync(None)
        case.world.clock.advance(MINUTE)
    case.quiet()
    case.named("Anna")
    assert len(case.persons()) == len(case.site.contacts()) == 2
    edit_there(case, "Anna", biographies=[{"value": "dort"}])
    case.world.clock.advance(10 * MINUTE)
    case.sync()
    assert "NOTE:dort" in case.card("Anna")


def joined_there(case):
    linked(case, "Anna", "Berta")
    edit_there(case, "Berta", nicknames=[{"value": "Bertl"}])
    case.sync()
    case.world.merge(case.named("Anna")["resourceName"], case.named("Berta")["resourceName"])
    told = case.sync()["conflicts"]
    assert len(told) == 1 and told[0]["contact"] == "Meier, Berta" and "Anna" in told[0]["b"] and told[0]["winner"] == "b", told
    assert "joined" in case.site.run("conflicts", "kunden").out and "joined" in case.site.run("digest").out + case.site.run("conflicts").out
    assert case.site.run("--json", "contact", "deleted", "Kunden", expect=0).json()[0]["name"], "and she can be brought back"
    assert list(case.site.contacts()) == ["u-Anna"] and "NICKNAME:Bertl" in case.card("Anna"), case.site.contacts()
    case.quiet()
    assert len(case.persons()) == 1


def a_run_taken_back(case):
    linked(case, "Anna", "Berta", "Cora")
    before = {p["names"][0]["givenName"]: p.get("biographies") for p in case.persons()}
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.site.remove(case.site.id_of("u-Berta"))
    case.site.add(card("u-n", "Neu;Nora"))
    edit_there(case, "Cora", biographies=[{"value": "dort"}])
    run = case.sync()["run"]
    case.site.run("undo", str(run), "--yes", expect=0)
    case.site.sync(0)
    case.quiet()
    assert case.named("Anna")["biographies"] == before["Anna"] and case.named("Berta")["biographies"] == before["Berta"], case.persons()
    assert not [p for p in case.persons() if p["names"][0]["givenName"] == "Nora"]


def two_links_one_account(case):
    """Two processes at once: Google gets one write of a user at a time."""
    linked(case, "Anna")
    site = case.site
    site.environment = {}  # they wait for each other, and that takes real time
    site.run("book", "add", "Zweites", expect=0)
    site.run("link", "add", "zwei", "contactbox:Zweites", "srv:", "--mode", "one-way", expect=0)
    results = []
    slow = case.world.at = lambda moment, n, r: __import__("time").sleep(0.05) if moment == "done" and r[0] == "POST" else None
    for i in range(5):
        site.run("contact", "add", "Zweites", "--file", "-", text=card("z%d" % i, "Zweit;Z%d" % i), expect=0)
        site.add(card("k%d" % i, "Kund;K%d" % i))
    both = [threading.Thread(target=lambda l: results.append(site.run("sync", l)), args=(link,)) for link in ("kunden", "zwei")]
    for b in both:
        b.start()
    for b in both:
        b.join()
    assert slow and len(case.persons()) == 11, results


def a_picture_whose_answer_was_lost(case):
    linked(case, "Anna")
    case.site.add(card("u-n", "Neu;Nora", photo_line(JPEG)))
    case.edit("Anna", "NOTE:alt", photo_line(PNG) + "\r\nNOTE:neu")
    for moment in ("arrived", "done"):
        script(case, moment, "Photo", "cut", 2)
        case.site.sync(1)
        case.world.at = lambda *unused: None
        case.site.sync(0)
        case.quiet()
        assert case.world.contacts[case.named("Nora")["resourceName"]].photo == JPEG and len(case.persons()) == 2
        assert case.world.contacts[case.named("Anna")["resourceName"]].photo == PNG and case.named("Anna")["biographies"][0]["value"] == "neu"
        case.site.edit(case.site.id_of("u-n"), card("u-n", "Neu;Nora"))
        case.sync()
        assert case.world.contacts[case.named("Nora")["resourceName"]].photo is None
        case.site.edit(case.site.id_of("u-n"), card("u-n", "Neu;Nora", photo_line(JPEG)))


def versions_that_change_by_themselves(case):
    linked(case, "Anna", "Berta")
    w = case.world
    for _ in range(3):
        for p in case.persons():
            w.store(p["resourceName"], dict(p))
        w.requests = []
        case.quiet()
        assert not writes(w), paths(w)
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    script(case, "arrived", "batchUpdate", lambda: w.store(case.named("Anna")["resourceName"], dict(case.named("Anna"))))
    case.sync()
    assert case.named("Anna")["biographies"][0]["value"] == "neu"
    case.quiet()


def long_lists_are_cut_by_listings(case):
    w = case.world
    w.add(person("Viel", emailAddresses=[{"value": "v%d@example.org" % i} for i in range(130)]))
    case.link()
    case.sync()
    assert case.card("Viel").count("EMAIL") == 130
    case.edit("Viel", "END:VCARD", "EMAIL:neu@example.org\r\nEND:VCARD")
    case.sync()
    assert len(case.named("Viel")["emailAddresses"]) == 131
    edit_there(case, "Viel", nicknames=[{"value": "V"}])
    case.sync()
    assert case.card("Viel").count("EMAIL") == 131 and len(case.named("Viel")["emailAddresses"]) == 131
    case.quiet()


CASES = (both_ways, no_op_is_one_request, a_dead_token_is_a_whole_listing, a_token_that_died_amid_its_pages, tokens_of_a_week,
         order_and_size_of_pages, a_create_whose_answer_was_lost, a_create_that_shows_up_late, a_create_that_never_arrived,
         updates_and_deletes_whose_answer_was_lost, somebody_is_quicker, deleted_there_while_edited_here,
         changed_there_before_it_is_written, late_answers_are_no_changes, late_reads_by_name_as_well,
         late_answers_in_a_whole_listing, late_answers_between_two_accounts, sign_in_dies_amid_paging, too_many_requests,
         what_the_administrator_has_to_do, servers_that_fail, categories_are_groups, pictures, renamed_by_an_address,
         one_bad_contact_does_not_stop_the_others, nothing_is_wiped, first_sync_matches, one_that_comes_back_is_not_doubled,
         joined_there, a_run_taken_back, two_links_one_account, a_picture_whose_answer_was_lost, versions_that_change_by_themselves,
         long_lists_are_cut_by_listings)


def run_case(function, shim):
    case, good = Case(shim), False
    try:
        function(case)
        good = True
    finally:
        case.close(good)


def run_cases(name, cases):
    suite = Suite(name)
    with tempfile.TemporaryDirectory() as folder:
        shim = build_clock(folder)
        for function in cases:
            if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
                suite.run(function.__name__.replace("_", " "), run_case, function, shim)
    return suite.end()


if __name__ == "__main__":
    sys.exit(run_cases("people", CASES))
