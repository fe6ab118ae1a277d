"""The People connector and its emulator before judges that nobody here wrote: Prism holds every request and answer of whole syncs against
Google's schema, Google's own client works with the emulator, and told to do what the connector does it sends the same."""

import json
import re
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import foreign
from google_people import People
from harness import Suite, card
from test_people import JPEG, MINUTE, PNG, build_clock, paths, person, photo_line, run_case, script

EVERYTHING_THERE = person(
    "Lale", "Özdemir", emailAddresses=[{"value": "lale@example.org", "type": "work"}, {"value": "l@example.org", "type": "Verein"}],
    phoneNumbers=[{"value": "+49 171 1111111", "type": "mobile"}, {"value": "030 22", "type": "Zentrale"}],
    addresses=[{"streetAddress": "Am Markt 1", "postalCode": "10115", "city": "Berlin", "country": "Deutschland", "type": "home"}],
    birthdays=[{"date": {"month": 2, "day": 29}}], events=[{"date": {"year": 2010, "month": 5, "day": 1}, "type": "anniversary"}],
    organizations=[{"name": "Feuerwehr", "department": "Wache 1", "title": "Leiterin"}], nicknames=[{"value": "Lali"}],
    urls=[{"value": "https://example.org/l", "type": "homePage"}], imClients=[{"username": "lale", "protocol": "jabber"}],
    relations=[{"person": "Ali", "type": "spouse"}], userDefined=[{"key": "Funk", "value": "1/11"}],
    biographies=[{"value": "zwei\nZeilen", "contentType": "TEXT_PLAIN"}])
EVERYTHING_HERE = ("TEL;TYPE=WORK,FAX:+49301", "TEL;TYPE=CELL:+49171", "EMAIL;TYPE=HOME:a@example.org", "NOTE:eins", "BDAY:--0305",
                   "ADR;TYPE=WORK:;;Weg 2;Köln;NRW;50667;Deutschland", "ORG:Bauhof;Lager", "TITLE:Meisterin", "NICKNAME:Anni", "CATEGORIES:Wache,Rat",
                   "URL:https://example.org/a", "IMPP:xmpp:anna@example.org", "X-HUB-KUNDE:4711", photo_line(JPEG))


def judged(case):
    return foreign.Prism("people-openapi.json", case.world.url)


def in_order(case, prism):
    assert not prism.violations(), prism.violations()
    assert not case.world.violations, case.world.violations


def ask(url, method, path, body=None):
    request = urllib.request.Request(url + path, method=method, data=json.dumps(body).encode() if body else None,
                                     headers={"Authorization": "Bearer " + People.password, "Content-Type": "application/json"})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def the_judge_bites(case):
    """What it must catch, on either side, so that its silence means something."""
    with judged(case) as prism:
        wrong = (("GET", "/v1/people/me/connections", None, 422), ("GET", "/v1/people/me/connections?personFields=names&sources=CONTACT", None, 422),
                 ("POST", "/v1/people:createContact", {"name": []}, 422), ("GET", "/v1/people/me/kontakte?personFields=names", None, 404),
                 ("POST", "/v1/people:createContact", {"birthdays": [{"date": {"year": "1980"}}]}, 422))
        for number, (method, path, body, status) in enumerate(wrong, 1):
            assert ask(prism.url, method, path, body) == status, path
            assert len(prism.violations()) == number, prism.said()
        assert not case.world.requests, "a wrong request was let through"
        script(case, "done", "connections", (200, {}, {"connections": [{"resourceName": 7}]}))
        assert ask(prism.url, "GET", "/v1/people/me/connections?personFields=names") == 500
        assert len(prism.violations()) > len(wrong), prism.said()


def a_whole_sync(case):
    """First import from both sides, nothing to do, changes and deletes on both sides, groups, pictures, a dead token, a refused write."""
    w = case.world
    friends = w.add_group("Freunde")
    member = [{"contactGroupMembership": {"contactGroupResourceName": g}} for g in ("contactGroups/myContacts", friends)]
    w.add(dict(EVERYTHING_THERE, memberships=member), PNG)
    w.add(person("Weg", "Dort"))
    for i in range(5):
        w.add(person("P%d" % i))
    w.page = 3
    with judged(case) as prism:
        case.link(card("u1", "Meier;Anna", *EVERYTHING_HERE), card("u2", "Weg;Hier"), url=prism.url + "/")
        case.sync()
        assert len(case.persons()) == len(case.site.contacts()) == 9
        assert "Freunde" in case.card("Lale") and "PHOTO" in case.card("Lale"), case.card("Lale")
        assert w.contacts[case.named("Anna")["resourceName"]].photo == JPEG
        case.quiet()
        w.clock.advance(11 * MINUTE)
        case.quiet()
        change_both_sides(case)
        w.clock.advance(8 * 86400)  # the token is too old by then
        case.quiet()
        quicker(case)
        case.quiet()
        in_order(case, prism)
        seen = {re.sub(r"/c\d+", "/ID", p) for p in paths(w)}
        wanted = {"GET /v1/people/me/connections", "GET /v1/people:batchGet", "POST /v1/people:batchCreateContacts",
                  "POST /v1/people:batchUpdateContacts", "POST /v1/people:batchDeleteContacts", "PATCH /v1/people/ID:updateContactPhoto",
                  "DELETE /v1/people/ID:deleteContactPhoto", "GET /v1/contactGroups", "POST /v1/contactGroups"}
        assert wanted <= seen, wanted - seen


def change_both_sides(case):
    w, site = case.world, case.site
    w.edit(case.named("Lale")["resourceName"], phoneNumbers=[{"value": "+49 171 2222222", "type": "mobile"}])
    w.remove(case.named("Weg")["resourceName"])
    w.add(person("Neu", "Dort"))
    case.edit("Anna", "TEL;TYPE=CELL:+49171", "TEL;TYPE=CELL:+49172")
    anna = case.card("Anna")
    site.edit(site.id_of(case.uid("Anna")), re.sub(r"PHOTO.*?\r\n(?! )", "", anna, flags=re.S).replace("CATEGORIES:Wache", "CATEGORIES:Ausschuss"))
    case.edit("P0", "END:VCARD", photo_line(PNG) + "\r\nEND:VCARD")
    site.remove(site.id_of("u2"))
    site.add(card("u3", "Neu;Nora", "CATEGORIES:Freunde"))
    case.sync()
    assert "2222222" in case.card("Lale") and case.named("Anna")["phoneNumbers"][1]["value"] == "+49172", case.named("Anna")
    assert w.contacts[case.named("Anna")["resourceName"]].photo is None and w.contacts[case.named("P0")["resourceName"]].photo == PNG
    assert len(case.persons()) == len(site.contacts()) == 9, (len(case.persons()), len(site.contacts()))
    w.clock.advance(11 * MINUTE)
    case.quiet()


def quicker(case):
    """A write that lost its precondition, and one single GET at least."""
    case.edit("P1", "END:VCARD", "NOTE:hier\r\nEND:VCARD")
    here = case.named("P1")["resourceName"]
    script(case, "arrived", "batchUpdate", lambda: case.world.edit(here, nicknames=[{"value": "Pe"}]))
    case.sync()
    assert case.named("P1")["biographies"][0]["value"] == "hier" and "NICKNAME:Pe" in case.card("P1")
    case.world.at = lambda *unused: None


def googles_own_client(case):
    w = case.world
    for i in range(5):
        w.add(person("P%d" % i))
    with judged(case) as prism:
        client = lambda *args: foreign.run_client("google_people.mjs", prism.url + "/", People.password, *args)
        [told] = client("work")
        w.violations = [v for v in w.violations if "drifted from its sync token" not in v]  # it was to be refused, and was
        w.clock.advance(8 * 86400)
        client("expired", told["syncToken"])
        in_order(case, prism)


def line_of(request):
    """A request as what it asks for: method, path, parameters in any order, body."""
    method, target, content = request
    path, _, query = target.partition("?")
    return method, path, sorted(urllib.parse.parse_qsl(query)), json.loads(content) if content else None


def as_call(request):
    method, path, parameters, body = line_of(request)
    query = {}
    for name, value in parameters:
        query.setdefault(name, []).append(value)
    return {"method": method, "path": path[len("/v1/"):], "query": {k: v if len(v) > 1 else v[0] for k, v in query.items()}, "body": body}


def the_same_requests(case):
    """The connector's requests of a day, each asked of Google's client as well: method, path, parameters and body must be the same."""
    w = case.world
    w.add(dict(EVERYTHING_THERE), PNG)
    w.add(person("Weg", "Dort"))
    w.add_group("Freunde")
    case.link(card("u1", "Meier;Anna", *EVERYTHING_HERE), card("u2", "Weg;Hier"), *[card("p%d" % i, "Meier;P%d" % i) for i in range(2)])
    case.sync()
    w.clock.advance(11 * MINUTE)
    case.edit("Anna", "NOTE:eins", "NOTE:zwei")
    case.edit("Anna", "CATEGORIES:Wache", "CATEGORIES:Ausschuss")
    case.site.edit(case.site.id_of("u1"), re.sub(r"PHOTO.*?\r\n(?! )", "", case.card("Anna"), flags=re.S))
    case.site.remove(case.site.id_of("u2"))
    case.sync()
    ours = [r for r in w.requests if not r[1].startswith("/photo/")]
    w.requests, w.at = [], lambda moment, n, request: (200, {}, {}) if moment == "arrived" else None
    foreign.run_client("google_people.mjs", w.url, People.password, "same", text=json.dumps([as_call(r) for r in ours]))
    assert len(w.requests) == len(ours) >= 10, (len(w.requests), len(ours))
    for own, theirs in zip(ours, w.requests):
        assert line_of(own) == line_of(theirs), "\n%s\n%s" % (own, theirs)


CASES = (the_judge_bites, a_whole_sync, googles_own_client, the_same_requests)


def main():
    suite = Suite("foreign people")
    suite.run("the packages are there", foreign.are_there)
    with tempfile.TemporaryDirectory() as folder:
        shim = build_clock(folder)
        for function in CASES:
            if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
                suite.run(function.__name__.replace("_", " "), run_case, function, shim)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
