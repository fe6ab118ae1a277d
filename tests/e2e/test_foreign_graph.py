"""The Graph connector and its emulator before judges that nobody here wrote: Prism holds every request and answer, parts of batches too,
against Microsoft's schema, and Microsoft's own client works with the emulator."""

import json
import re
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import foreign
import test_people
from graph_judge import Judge
from graph_login import APP, SECRET, TENANT
from harness import Site, Suite, card
from microsoft_graph import Graph
from test_people import build_clock, photo_line, script


def in_order(world, judge):
    assert not judge.violations(), judge.violations()
    assert not world.violations, world.violations


def ask(url, method, path, body=None, **headers):
    request = urllib.request.Request(url + path, method=method, data=json.dumps(body).encode() if body is not None else None, headers={
        "Authorization": "Bearer " + Graph.password, "Content-Type": "application/json", "client-request-id": "1", **headers})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def the_judge_bites(world):
    """What it must catch, on either side and in parts of batches, so that its silence means something."""
    folder = "/v1.0/me/contactFolders/%s/contacts" % world.box.default
    with Judge(world) as judge:
        wrong = (("POST", folder, {"businessPhones": "1"}, 422), ("POST", folder, {"faxNumber": "1"}, 422),
                 ("POST", "/v1.0/users/anna@contoso.example/contacts", {"birthday": "1980-03-05"}, 422), ("GET", "/v1.0/me/kontakte", None, 404),
                 ("POST", "/v1.0/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/v1.0/me/contacts"}]}, 422),
                 ("POST", "/v1.0/$batch", {"requests": []}, 422))
        for number, (method, path, body, status) in enumerate(wrong, 1):
            assert ask(judge.address[:-1], method, path, body) == status, (path, body)
            assert len(judge.violations()) == number, judge.said()
        assert not world.requests, "a wrong request was let through"
        world.at = lambda moment, n, request: (200, {}, {"value": [{"homePhones": "x"}]}) if moment == "done" else None
        assert ask(judge.address[:-1], "GET", folder) == 500
        found = len(judge.violations())
        assert found > len(wrong), judge.said()
        judge.parts = [({"id": "1", "method": "PATCH", "url": "/me/contacts/x", "headers": {"Content-Type": "application/json"}, "body": {"title": 7}},
                        {"id": "1", "status": 200, "headers": {}, "body": {"id": "x"}}, "Bearer x"),
                       ({"id": "2", "method": "GET", "url": "/me/contacts/x"}, {"id": "2", "status": 200, "headers": {}, "body": {"id": 7}}, "Bearer x")]
        assert judge.replay() == 2
        said = "\n".join(judge.violations()[found:])
        assert "patch /v1.0/me/contacts/x" in said and "UNPROCESSABLE" in said and "get /v1.0/me/contacts/x" in said and "VIOLATIONS" in said, said
        world.violations.clear()


def microsofts_own_client(world):
    for i in range(5):
        world.add({"givenName": "P%d" % i})
    with Judge(world) as judge:
        world.link_base = judge.address.replace("http:", "https:")
        client = lambda *args: foreign.run_client("microsoft_graph.mjs", world.link_base, Graph.password, *args)
        [told] = client("work")
        world.fail("429", on="POST", retry_after=1)
        client("throttled")
        assert [line for line in world.lines() if line.startswith("POST")][-1].endswith("/contacts")
        in_order(world, judge)
        assert judge.replay() >= 7
        in_order(world, judge)
        world.delta.expire(world.box)
        client("resync", told["link"])
        world.violations = [v for v in world.violations if "a token that nobody gave" not in v]
        in_order(world, judge)


# -- the connector --

JPEG, JPEG2 = b"\xff\xd8\xff\xe0\x00\x10JFIF eins", b"\xff\xd8\xff\xe0\x00\x10JFIF zwei"


class Case(test_people.Case):
    """A mailbox with contacts, and a site linked to it; both by given name, which is unique here."""

    def __init__(self, shim):
        self.world, self.shim, self.site = Graph(), shim, None

    def close(self, check=True):
        self.world.__exit__()
        if self.site:
            self.site.close()
        assert not check or not self.world.violations, self.world.violations

    def there(self):
        contacts = list(self.world.box.contacts.values())
        found = {c.fields["givenName"]: c for c in contacts}
        assert len(found) == len(contacts), "doubled there: %s" % sorted(c.fields["givenName"] for c in contacts)
        return found

    def here(self):
        cards = list(self.site.contacts().values())
        found = {re.search(r"^N:[^;]*;([^;\r]*)", c, re.M).group(1) for c in cards}
        assert len(found) == len(cards), "doubled here"
        return found

    def named(self, given):
        return self.there()[given].fields

    def edit_there(self, given, **fields):
        self.world.edit(self.there()[given].id, **fields)


def person(given, family="Meier", **fields):
    return {"givenName": given, "surname": family, **fields}


EVERYTHING_THERE = person(
    "Lale", "Özdemir", middleName="Ayla", title="Dr.", generation="II", nickName="Lali", displayName="Dr. Lale Özdemir", fileAs="Özdemir, Lale",
    emailAddresses=[{"name": "Lale", "address": "lale@example.org"}, {"name": "L", "address": "l@example.org"}], mobilePhone="+49 171 1111111",
    businessPhones=["+49 30 1", "+49 30 2"], homePhones=["+49 40 1"], companyName="Feuerwehr", department="Wache 1", jobTitle="Leiterin",
    businessAddress={"street": "Am Markt 1", "city": "Berlin", "postalCode": "10115", "countryOrRegion": "Deutschland"},
    birthday="1980-03-05T12:00:00Z", personalNotes="zwei\r\nZeilen", categories=["Wache"], businessHomePage="https://example.org/l",
    imAddresses=["xmpp:lale@example.org"], spouseName="Ali", children=["Can"], manager="Chefin", yomiGivenName="Rare", profession="Feuerwehrfrau")
EVERYTHING_HERE = (
    "TEL;TYPE=WORK:+49301", "TEL;TYPE=CELL:+49171", "TEL;TYPE=HOME:+49401", "EMAIL;TYPE=HOME:a@example.org", "NOTE:eins\\nzwei", "BDAY:1975-12-31",
    "ADR;TYPE=WORK:;;Weg 2;Köln;NRW;50667;Deutschland", "ADR;TYPE=HOME:;;Gasse 3;Bonn;;53111;Deutschland", "ORG:Bauhof;Lager", "TITLE:Meisterin",
    "NICKNAME:Anni", "CATEGORIES:Rat,Wache", "URL:https://example.org/a", "IMPP:xmpp:anna@example.org", "X-HUB-KUNDE:4711", photo_line(JPEG))


def people_on_both_sides(case, judge):
    w = case.world
    w.add(EVERYTHING_THERE, photo=JPEG2)
    w.add(person("Weg", "Dort"))
    for i in range(6):
        w.add(person("P%d" % i))
    case.link(card("u1", "Meier;Anna", *EVERYTHING_HERE), card("u2", "Weg;Hier"), *[card("q%d" % i, "Meier;Q%d" % i) for i in range(5)],
              url=judge.address)
    case.sync()
    assert set(case.there()) == case.here() and len(case.here()) == 15, sorted(case.here())


def change_both_sides(case):
    case.edit_there("Lale", mobilePhone="+49 171 2222222", birthday=None, categories=[])
    case.edit_there("P1", homeAddress={"street": "Neu 1", "city": "Ulm"})
    case.world.remove(case.there()["Weg"].id)
    case.world.add(person("Neu", "Dort"))
    case.edit("Anna", "TEL;TYPE=CELL:+49171", "TEL;TYPE=CELL:+49172")
    case.edit("Q1", "END:VCARD", photo_line(JPEG2) + "\r\nEND:VCARD")
    case.edit("Q2", "END:VCARD", "NOTE:hier\r\nADR;TYPE=HOME:;;Feld 1;Jena;;07743;Deutschland\r\nEND:VCARD")
    case.site.remove(case.site.id_of("u2"))
    case.site.add(card("u3", "Neu;Nora", "CATEGORIES:Rat"))
    case.sync()
    assert "2222222" in case.card("Lale") and "BDAY" not in case.card("Lale") and "Ulm" in case.card("P1")
    assert case.named("Anna")["mobilePhone"] == "+49172" and case.named("Q2")["homeAddress"]["city"] == "Jena"
    assert set(case.there()) == case.here() and len(case.here()) == 15, sorted(case.here())


def clear_what_was_there(case):
    """Values that go away: texts, lists, an address."""
    case.edit("Q2", "ADR;TYPE=HOME:;;Feld 1;Jena;;07743;Deutschland\r\n", "")
    case.edit("Anna", "NICKNAME:Anni\r\n", "")
    case.edit("Anna", "EMAIL;TYPE=HOME:a@example.org\r\n", "")
    case.sync()
    assert not case.named("Anna").get("nickName") and not case.named("Anna").get("emailAddresses"), case.named("Anna")
    assert not any((case.named("Q2").get("homeAddress") or {}).values()), case.named("Q2")


def a_whole_sync(shim):
    """First import from both sides, nothing to do, changes and deletes on both sides, categories, pictures, a write that lost, an old link."""
    case, good = Case(shim), False
    try:
        with Judge(case.world) as judge:
            people_on_both_sides(case, judge)
            case.quiet()
            change_both_sides(case)
            case.quiet()
            clear_what_was_there(case)
            case.edit("P3", "END:VCARD", "NOTE:hier\r\nEND:VCARD")
            script(case, "arrived", "$batch", lambda: case.edit_there("P3", nickName="Drei"))
            case.sync()
            case.world.at = lambda *unused: None
            assert case.named("P3")["personalNotes"] == "hier" and "NICKNAME:Drei" in case.card("P3"), (case.named("P3"), case.card("P3"))
            case.world.delta.expire(case.world.box)
            case.quiet()
            in_order(case.world, judge)
            assert {line.split(" ")[0] for line in case.world.lines()} >= {"GET", "POST", "PATCH", "DELETE", "PUT"}, case.world.counted()
            assert judge.replay() >= 15, len(judge.parts)
            in_order(case.world, judge)
        good = True
    finally:
        case.close(good)


def an_application(shim):
    """The application itself, which has no "me": the same under /users/ADDRESS."""
    case, good = Case(shim), False
    try:
        w, site = case.world, Site()
        case.site = site
        site.environment = {"LD_PRELOAD": shim, "SHIM_CLOCK": w.clock.path}
        with Judge(w) as judge:
            with open(site.folder + "/secret", "w", encoding="utf-8") as f:
                f.write(SECRET + "\n")
            with open(site.config, "a", encoding="utf-8") as f:
                f.write("[account srv]\nconnector = graph\nurl = %s\nuser = %s\nsecret = file:%s/secret\noauth.flow = client\noauth.client_id = %s\n"
                        "oauth.token_url = %s%s/oauth2/v2.0/token\n[link kunden]\na = contactbox:Kunden\nb = srv:%s\nmode = two-way\n"
                        "authority = contactbox\n" % (judge.address, w.user, site.folder, APP, w.login.url, TENANT, w.book_name))
            site.run("book", "add", "Kunden", expect=0)
            site.add(card("u1", "Meier;Anna", *EVERYTHING_HERE))
            w.add(EVERYTHING_THERE, photo=JPEG2)
            case.sync()
            case.quiet()
            case.edit("Anna", "NICKNAME:Anni", "NICKNAME:Anna")
            w.remove(case.there()["Lale"].id)
            case.sync()
            assert set(case.there()) == case.here() == {"Anna"} and case.named("Anna")["nickName"] == "Anna"
            in_order(w, judge)
            assert judge.replay() >= 2
            in_order(w, judge)
            assert w.calls and all(url.startswith("/users/") for _, url in w.calls), w.calls
        good = True
    finally:
        case.close(good)


def called(url):
    path, _, query = url.partition("?")
    return path, sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))


TOLD = ("prefer", "if-match", "content-type")


def line_of(request):
    """A call as what it asks for; of a batch each part. Names of headers have no case, neither on the wire nor in a part."""
    body = json.loads(request.body) if request.body and "json" in request.headers.get("content-type", "") else request.body
    if request.path.endswith("/$batch"):
        body = [{**part, "url": called(part["url"]), "headers": {k.lower(): v for k, v in part.get("headers", {}).items()}} for part in body["requests"]]
    return request.method, called(request.path), {k: request.headers[k].split(";")[0] for k in TOLD if k in request.headers}, body


def the_same_requests(shim):
    """The connector's requests, each asked of Microsoft's client as well, which puts the batches together itself."""
    case = Case(shim)
    try:
        w = case.world
        w.add(EVERYTHING_THERE)
        case.link(card("u1", "Meier;Anna", *EVERYTHING_HERE[:-1]), card("u2", "Weg;Hier"))
        case.sync()
        case.edit("Anna", "TEL;TYPE=CELL:+49171", "TEL;TYPE=CELL:+49172")
        case.site.remove(case.site.id_of("u2"))
        case.sync()
        ours = list(w.requests)
        w.requests, w.at = [], lambda moment, number, request: (200, {}, {"value": [], "responses": []}) if moment == "arrived" else None
        asked = [{"method": r.method, "url": r.path[len("/v1.0"):], "body": json.loads(r.body) if r.body else None,
                  "headers": {k: r.headers[k] for k in TOLD if k in r.headers}} for r in ours]
        foreign.run_client("microsoft_graph.mjs", w.url.replace("http:", "https:"), Graph.password, "same", text=json.dumps(asked))
        assert len(w.requests) == len(ours) >= 6, (len(w.requests), len(ours))
        for own, theirs in zip(ours, w.requests):
            assert line_of(own) == line_of(theirs), "\n%s\n%s" % (line_of(own), line_of(theirs))
    finally:
        case.close(False)


EMULATOR, CONNECTOR = (the_judge_bites, microsofts_own_client), (a_whole_sync, an_application, the_same_requests)


def run_case(function):
    with Graph() as world:
        function(world)
        assert not world.violations, world.violations


def main():
    suite = Suite("foreign graph")
    suite.run("the packages are there", foreign.are_there)
    wanted = lambda function: len(sys.argv) < 2 or function.__name__ in sys.argv[1:]
    for function in filter(wanted, EMULATOR):
        suite.run(function.__name__.replace("_", " "), run_case, function)
    with tempfile.TemporaryDirectory() as folder:
        shim = build_clock(folder)
        for function in filter(wanted, CONNECTOR):
            suite.run(function.__name__.replace("_", " "), function, shim)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
