"""The FE2 emulator catches each wrong request: raw requests, one row each. An emulator that overlooks a fault proves nothing."""

import copy
import http.client
import json
import socket
import sys
import threading
import urllib.parse

from harness import Suite
from clock import Clock
from fe2 import FE2
from fe2_http import SYNC

ANNA, BERT, CARL = ("3f1c2a5e-0a44-4c1e-9b0a-7d4be1f2a90%d" % n for n in (1, 2, 3))
PATH = "/rest/addressbook/external/persons/"


def person(uuid=ANNA, **changed):
    number = uuid[-1]
    values = {"externalDbId": uuid, "firstName": "Anna" + number, "lastName": "Weidner", "note": "", "osFunctions": ["AGT", "GF"],
              "osGroups": ["Löschzug 2"], "alarmGroups": ["Vollalarm"], "issi": "", "xmpp": "", "aPagerPro": "",
              "email": "anna%s@example.org" % number, "mobil": "0049151000004" + number, "aPagerProFieldMode": "TOKEN"}
    values.update(changed)
    return {k: v for k, v in values.items() if v is not Ellipsis}


def many(count, **changed):
    return [person("3f1c2a5e-0a44-4c1e-9b0a-%012d" % n, firstName="P%d" % n, email="", **changed) for n in range(count)]


def listing(*persons, **changed):
    return {"source": "Musterstadt", "personList": list(persons), **changed}


def call(fe2, body=None, method="POST", path=SYNC, drop=(), patience=5, **headers):
    """(status, text), or the name of what went wrong."""
    sent = {"Authorization": fe2.key, "Content-Type": "application/json"}
    sent.update({k.replace("_", "-"): v for k, v in headers.items()})
    data = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(fe2.url).netloc, timeout=patience)
    try:
        connection.request(method, path, data, {k: v for k, v in sent.items() if k not in drop})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as why:
        return type(why).__name__, ""
    finally:
        connection.close()


def quiet(version="2.39"):
    fe2 = FE2(version)
    fe2.pauses = {}
    return fe2


def check(fe2, got, status, sentence):
    assert got[0] == status, "answer %r, not %r; %s" % (got, status, fe2.violations)
    if sentence is None:
        assert not fe2.violations, fe2.violations
    else:
        assert any(sentence in v for v in fe2.violations), "%r is not told: %s" % (sentence, fe2.violations)


# title, what the body of one person becomes, status, what is told (None: nothing)
PERSONS = (
    ("a right person", {}, 200, None),
    ("no functions", {"osFunctions": []}, 200, None),
    ("functions as an object", {"osFunctions": {"0": "AGT", "2": "GF"}}, 400, "section 2: person 0: osFunctions is an object, not an array"),
    ("groups are null", {"osGroups": None}, 400, "osGroups is null, not an array"),
    ("alarm groups as a string", {"alarmGroups": "Vollalarm"}, 400, "alarmGroups is a string"),
    ("a number among functions", {"osFunctions": ["AGT", 4]}, 400, "osFunctions holds a number"),
    ("an empty name among groups", {"alarmGroups": [""]}, 200, "alarmGroups holds an empty name"),
    ("a function twice", {"osFunctions": ["AGT", "AGT"]}, 200, "a name twice"),
    ("functions that differ by case", {"osFunctions": ["AGT", "agt"]}, 200, None),
    ("first name is a number", {"firstName": 7}, 400, "firstName is a number"),
    ("note is null", {"note": None}, 400, "note is null"),
    ("issi is a boolean", {"issi": True}, 400, "issi is a boolean"),
    ("a private note", {"note": "trinkt"}, 200, "section 2: person 0: private notes"),
    ("no name at all", {"firstName": "", "lastName": " "}, 200, "section 7"),
    ("no first name", {"firstName": ""}, 200, None),
    ("an unknown field", {"phone": "1"}, 200, "there is no field 'phone'"),
    ("plus form of a number", {"mobil": "+491510000042"}, 200, "section 2.2: person 0: mobil"),
    ("a number with spaces", {"mobil": "0049 1510 000042"}, 200, "section 2.2"),
    ("a national number", {"mobil": "01510000042"}, 200, "section 2.2"),
    ("a trunk zero left in", {"mobil": "00490"}, 200, "section 2.2"),
    ("a country code with zero", {"mobil": "000151000042"}, 200, "section 2.2"),
    ("a number with a line end", {"mobil": "00491510000042\n"}, 200, "section 2.2"),
    ("too long a number", {"mobil": "0049151000004212345"}, 200, "section 2.2"),
    ("an Austrian number", {"mobil": "00436641234567"}, 200, None),
    ("no number", {"mobil": ""}, 200, None),
    ("two ISSI", {"issi": "6543210;6543211"}, 200, None),
    ("two ISSI by a comma", {"issi": "6543210,6543211"}, 200, "joined by ';'"),
    ("an ISSI behind an empty one", {"issi": ";6543211"}, 200, "joined by ';'"),
    ("an XMPP address", {"xmpp": "anna@xmpp.example.org"}, 200, None),
    ("an XMPP URI", {"xmpp": "xmpp:anna@xmpp.example.org"}, 200, "not a URI"),
    ("a mail URI", {"email": "mailto:anna@example.org"}, 200, "one mail address"),
    ("two mail addresses", {"email": "a@example.org, b@example.org"}, 200, "one mail address"),
    ("address in token mode", {"aPagerPro": "anna@example.org"}, 200, "must be empty when tokens"),
    ("a registered mail address", {"aPagerPro": "anna@example.org", "aPagerProFieldMode": "LEGACY"}, 200, None),
    ("a registered number", {"aPagerPro": "00491510000042", "aPagerProFieldMode": "LEGACY"}, 200, None),
    ("a registered number with plus", {"aPagerPro": "+491510000042", "aPagerProFieldMode": "LEGACY"}, 200, "section 2: person 0"),
    ("legacy without an address", {"aPagerProFieldMode": "LEGACY"}, 200, "LEGACY for the new person"),
    ("an unknown mode", {"aPagerProFieldMode": "token"}, 200, "known values"),
    ("no mode where it is known", {"aPagerProFieldMode": ...}, 400, "the key aPagerProFieldMode is left out"),
    ("a mail address as id", {"externalDbId": "anna@example.org"}, 200, "must be our UUID"),
    ("a row number as id", {"externalDbId": 17}, 400, "externalDbId is a number"),
    ("an empty id", {"externalDbId": ""}, 200, "must be our UUID"),
)


def one_person(changed, status, sentence):
    with quiet() as fe2:
        check(fe2, call(fe2, listing(person(**changed))), status, sentence)
        assert len(fe2.persons) == (1 if status == 200 else 0)


def each_key_left_out():
    for name in person():
        with quiet() as fe2:
            check(fe2, call(fe2, listing(person(**{name: ...}))), 400, "the key %s is left out" % name)


# title, the call, status, what is told
CALLS = (
    ("the key with Bearer", {"Authorization": "Bearer k3y-7f41a2"}, 401, "bare key"),
    ("the key with basic", {"Authorization": "basic azN5"}, 401, "bare key"),
    ("no key", {"drop": ("Authorization",)}, 401, "no Authorization"),
    ("another key", {"Authorization": "k3y-old"}, 401, None),
    ("a form", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "section 1: Content-Type"),
    ("no type", {"drop": ("Content-Type",)}, 415, "section 1: Content-Type"),
    ("type with its charset", {"Content_Type": "application/json; charset=UTF-8"}, 200, None),
    ("a query", {"path": SYNC + "?x=1"}, 404, "there is no call"),
    ("a slash too many", {"path": "/" + SYNC}, 404, "there is no call"),
    ("put", {"method": "PUT"}, 405, "no method of the sync call"),
    ("reading the list", {"method": "GET", "body": None}, 405, "no method of the sync call"),
    ("reading a person", {"method": "GET", "path": PATH + ANNA, "body": None}, 405, "no method of a person"),
    ("paging a person", {"path": "/rest/addressbook/external/person/%s/alarm" % ANNA}, 404, "PAGES A REAL PERSON"),
    ("a person in the singular", {"method": "DELETE", "path": PATH.replace("persons", "person") + ANNA, "body": None}, 404, "there is no call"),
    ("a look at the root", {"method": "HEAD", "path": "/", "body": None}, 404, "there is no call"),
    ("cut JSON", {"body": b'{"source": "x", "personList": ['}, 400, "no JSON"),
    ("not UTF-8", {"body": json.dumps(listing(person(lastName="Wei\u00dfner")), ensure_ascii=False).encode("latin-1")}, 400, "no JSON"),
    ("a byte order mark", {"body": b"\xef\xbb\xbf" + json.dumps(listing(person())).encode()}, 400, "no JSON"),
    ("a key twice", {"body": b'{"source": "x", "source": "y", "personList": []}'}, 400, "twice in one object"),
    ("no number", {"body": b'{"source": NaN, "personList": []}'}, 400, "NaN is no JSON"),
    ("the list alone", {"body": [person()]}, 400, "the body is an array"),
    ("no source", {"body": {"personList": [person()]}}, 400, "source must be"),
    ("an empty source", {"body": listing(person(), source=" ")}, 400, "source must be"),
    ("no list", {"body": {"source": "x"}}, 400, "personList is null"),
    ("the list as an object", {"body": {"source": "x", "personList": {"0": person()}}}, 400, "personList is an object"),
    ("a person that is a string", {"body": listing("Anna")}, 400, "person 0 is a string"),
    ("a key beside", {"body": listing(person(), complete=True)}, 200, "no key 'complete'"),
    ("one id for two", {"body": listing(person(), person(lastName="B"))}, 400, "section 4.1: externalDbId %s is used by two" % ANNA),
    ("an empty list", {"body": listing()}, 200, "section 4.1: the list is empty"),
)


def one_call(how, status, sentence):
    with quiet() as fe2:
        got = call(fe2, **{"body": listing(person()), **how})
        check(fe2, got, status, sentence)
        assert len(fe2.persons) == (status == 200 and "empty" not in (sentence or ""))


# title, version, the call, status, what is told
VERSIONS = (
    ("sync before it existed", "2.23", {}, 404, "section 3"),
    ("the first version", "2.24", {"body": listing(person(aPagerProFieldMode=...))}, 200, None),
    ("a mode before tokens", "2.28", {}, 200, "section 3: person 0: aPagerProFieldMode is sent to an FE2 below 2.29"),
    ("tokens", "2.29", {}, 200, None),
    ("delete before it existed", "2.35", {"method": "DELETE", "path": PATH + ANNA, "body": None}, 404, "section 3"),
    ("delete", "2.36", {"method": "DELETE", "path": PATH + ANNA, "body": None}, 404, None),
)


def one_version(version, how, status, sentence):
    with quiet(version) as fe2:
        check(fe2, call(fe2, **{"body": listing(person()), **how}), status, sentence)


# title, the two lists, what is told of the second
CHANGES = (
    ("the same again", [person()], [person()], None),
    ("a new number", [person()], [person(mobil="")], None),
    ("a new name", [person()], [person(lastName="Meier")], None),
    ("a mode flipped", [person()], [person(aPagerPro="a@example.org", aPagerProFieldMode="LEGACY")], "can never change it"),
    ("an id that changed", [person(), person(BERT)], [person(), person(CARL, firstName="Anna2", email="anna2@example.org")],
     "changed from %s to %s" % (BERT, CARL)),
    ("an id for somebody else", [person()], [person(firstName="Otto", lastName="Krug", email="otto@example.org")], "reused for another"),
    ("three of ten vanish", many(10), many(7), None),
    ("four of ten vanish", many(10), many(6), "4 of 10 persons vanish"),
    ("five of a hundred vanish", many(100), many(95), None),
    ("six of a hundred vanish", many(100), many(94), "6 of 100 persons vanish"),
    ("all vanish", many(2), [], "the list is empty"),
    ("four lose all groups", many(4), many(4, alarmGroups=[]), "4 of 4 persons lose all alarm groups"),
    ("four lose their address", many(4, aPagerPro="a@example.org", aPagerProFieldMode="LEGACY"), many(4, aPagerProFieldMode="LEGACY"),
     "lose their pager address"),
)


def one_change(before, after, sentence):
    with quiet() as fe2:
        assert call(fe2, listing(*before))[0] == 200 and not fe2.violations, fe2.violations
        check(fe2, call(fe2, listing(*after)), 200, sentence)
        fe2.violations.clear()
        fe2.confirmed = True  # what an operator confirmed is no violation
        assert call(fe2, listing(*before))[0] == 200 and not fe2.violations, fe2.violations


def source_changes():
    with quiet() as fe2:
        call(fe2, listing(person()))
        check(fe2, call(fe2, listing(person(), source="Other")), 200, "section 2: source changed")


def quota():
    with quiet() as fe2:
        fe2.quota = 3
        fe2.add_manual("Wache")
        check(fe2, call(fe2, listing(*many(3))), 403, None)
        assert not fe2.persons
        check(fe2, call(fe2, listing(*many(2))), 200, None)
    with quiet("2.28") as fe2:
        fe2.quota = 1
        check(fe2, call(fe2, listing(*many(2, aPagerProFieldMode=...))), 200, None)
        assert len(fe2.persons) == 1  # nobody is told: why a configured quota is a guard


def ownership():
    with quiet() as fe2:
        other = fe2.add_organisation("other-key")
        assert call(fe2, listing(person()), Authorization="other-key")[0] == 200
        got = call(fe2, listing(person(), person(BERT)))
        check(fe2, got, 412, None)
        assert ANNA in got[1] and not fe2.persons and set(other.persons) == {ANNA}
        check(fe2, call(fe2, None, "DELETE", PATH + ANNA), 412, None)
        assert set(other.persons) == {ANNA}


def switched_off():
    with quiet() as fe2:
        fe2.active = False
        check(fe2, call(fe2, listing(person())), 503, None)
        check(fe2, call(fe2, listing(person()), Authorization="wrong"), 401, None)
        assert not fe2.persons


def manual_persons():
    with quiet() as fe2:
        fe2.add_manual("Wache", alarmGroups=["Vollalarm"])
        call(fe2, listing(person()))
        assert fe2.alarmed("Vollalarm") == ["Wache", "Weidner"]
        call(fe2, listing())
        assert fe2.alarmed("Vollalarm") == ["Wache"] and not fe2.persons


def deletion_option():
    for version, allowed, marked in (("2.39", True, 0), ("2.39", False, 1), ("2.35", True, 1)):
        with quiet(version) as fe2:
            fe2.allow_delete = allowed
            call(fe2, listing(person(), person(BERT)))
            call(fe2, listing(person()))
            assert set(fe2.persons) == {ANNA} and len(fe2.marked) == marked, (version, fe2.marked)
            assert fe2.alarmed("Vollalarm") == ["Weidner"]


def tokens():
    with quiet() as fe2:
        call(fe2, listing(person(), person(BERT, aPagerPro="b@example.org", aPagerProFieldMode="LEGACY")))
        first = fe2.persons[ANNA].token
        assert first and not fe2.persons[BERT].token and fe2.persons[BERT].aPagerPro == "b@example.org"
        call(fe2, listing(person(aPagerPro="a@example.org", aPagerProFieldMode="LEGACY"), person(BERT)))
        assert (fe2.persons[ANNA].mode, fe2.persons[ANNA].token, fe2.persons[ANNA].aPagerPro) == ("TOKEN", first, "")
        assert fe2.persons[BERT].mode == "LEGACY" and len(fe2.violations) == 2, fe2.violations
        call(fe2, listing(person(BERT)))
        call(fe2, listing(person(), person(BERT)))
        assert fe2.persons[ANNA].token not in (None, first)  # whoever vanished must be handed a new token


def field_modes():
    with quiet() as fe2:
        fe2.modes = {"mobil": "once", "email": "none", "alarmGroups": "always"}
        call(fe2, listing(person()))
        call(fe2, listing(person(mobil="00491510000999", email="x@example.org", alarmGroups=[])))
        anna = fe2.persons[ANNA]
        assert (anna.mobil, anna.email, anna.alarmGroups) == ("00491510000041", "", []) and not fe2.violations


def busy():
    with quiet() as fe2:
        fe2.busy = 2
        assert [call(fe2, listing(person()))[0] for _ in range(3)] == [423, 423, 200] and len(fe2.persons) == 1
    with quiet("2.38") as fe2:
        fe2.busy = 1
        assert call(fe2, listing(person()))[0] == 200


def during_a_sync(act):
    """What `act` answers while a sync is under way."""
    with quiet() as fe2:
        started, go_on, first = threading.Event(), threading.Event(), []
        call(fe2, listing(person()))

        def during():
            started.set()
            assert go_on.wait(5)

        fe2.during = during
        sync = threading.Thread(target=lambda: first.append(call(fe2, listing(person()))))
        sync.start()
        assert started.wait(5)
        got = act(fe2)
        go_on.set()
        sync.join()
        assert first[0][0] == 200
        return fe2, got


def two_syncs():
    fe2, got = during_a_sync(lambda fe2: call(fe2, listing(person())))
    check(fe2, got, 423, "section 5.3: two calls at the same time")


def delete_beside_a_sync():
    fe2, got = during_a_sync(lambda fe2: call(fe2, None, "DELETE", PATH + ANNA))
    check(fe2, got, 200, "section 5.2: DELETE and sync at the same time")


def delete_while_a_lost_sync_goes_on():
    with quiet() as fe2:
        fe2.clock = Clock()
        fe2.goes_on = 80
        call(fe2, listing(person()))
        fe2.fail("cut after")
        call(fe2, listing(person()))
        assert call(fe2, listing(person()))[0] == 423 and not fe2.violations  # 60 s pass in it
        check(fe2, call(fe2, None, "DELETE", PATH + ANNA), 200, "section 5.2: DELETE and sync at the same time")
        fe2.violations.clear()
        fe2.clock.advance(30)
        check(fe2, call(fe2, listing(person(BERT))), 200, None)


def parallel_connections():
    with quiet() as fe2:
        one = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(fe2.url).port))
        assert call(fe2, listing(person()))[0] == 200 and any("parallel connections" in v for v in fe2.violations), fe2.violations
        one.close()
        fe2.wait_idle()
        fe2.violations.clear()
        for _ in range(20):
            call(fe2, listing(person()))
        assert not fe2.violations, fe2.violations


# title, what the first call meets, seconds until the second, what is told
PAUSES = (
    ("at once after 200", None, 0, "5.3: wait 1 s"), ("a second after 200", None, 1, None),
    ("soon after 423", "busy", 59, "5.1: wait 60 s"), ("a minute after 423", "busy", 60, None),
    ("soon after a proxy's 503", "503 proxy", 200, "5.1: wait 300 s"), ("five minutes after 503", "503 proxy", 300, None),
    ("soon after a reset", "reset after", 80, "5.1: wait 90 s"), ("90 s after a reset", "reset after", 90, None),
    ("soon after silence", "silence after", 50, "5.1: wait 90 s"),
)


def one_pause(what, seconds, sentence):
    with FE2(clock=Clock()) as fe2:
        if what == "busy":
            fe2.busy = 1
        elif what:
            fe2.fail(what)
        call(fe2, listing(person()), patience=0.2)
        fe2.clock.advance(seconds)
        check(fe2, call(fe2, listing(person())), 200, sentence)


# fault, answer, whether the list was taken
FAULTS = (
    ("401", 401, False), ("413", 413, False), ("429", 429, False), ("500", 500, False), ("502", 502, False), ("502 after", 502, True),
    ("503 proxy", 503, False), ("504 after", 504, True), ("cut before", "RemoteDisconnected", False), ("cut after", "RemoteDisconnected", True),
    ("cut header", "BadStatusLine", True), ("cut half", "IncompleteRead", True), ("reset before", "ConnectionResetError", False),
    ("reset after", "ConnectionResetError", True), ("silence before", "TimeoutError", False), ("silence after", "TimeoutError", True),
)


def one_fault(fault, answer, taken):
    with quiet() as fe2:
        fe2.bodies[200] = "x" * 40
        fe2.fail(fault, on="POST")
        got = call(fe2, listing(person()), patience=0.2)[0]
        fe2.wait_idle()
        assert got == answer and len(fe2.persons) == taken, (got, fe2.persons)
        check(fe2, call(fe2, listing(person())), 200, None)


def deletes():
    with quiet() as fe2:
        call(fe2, listing(person(), person(BERT)))
        check(fe2, call(fe2, None, "DELETE", PATH + ANNA), 200, None)
        check(fe2, call(fe2, None, "DELETE", PATH + ANNA), 404, None)
        check(fe2, call(fe2, listing(person(BERT))), 200, None)
        fe2.allow_delete = False
        check(fe2, call(fe2, None, "DELETE", PATH + BERT), 403, None)
        assert set(fe2.persons) == {BERT}
        check(fe2, call(fe2, None, "DELETE", PATH + "a b".replace(" ", "%20")), 403, None)
        check(fe2, call(fe2, None, "DELETE", PATH + "a;b"), 404, "not percent-encoded")


def deleted_and_sent_again():
    with quiet() as fe2:
        call(fe2, listing(person(), person(BERT)))
        call(fe2, None, "DELETE", PATH + ANNA)
        check(fe2, call(fe2, listing(person(), person(BERT))), 200, "created again by the next list")


def delete_with_a_body():
    with quiet() as fe2:
        call(fe2, listing(person()))
        check(fe2, call(fe2, {}, "DELETE", PATH + ANNA), 200, "DELETE with a body")


def script_and_restore():
    with quiet() as fe2:
        kept = fe2.keep()
        seen = []

        def at(moment, number, request):
            seen.append((moment, number, request.method))
            return (418, {}, "tea") if moment == "done" else None

        fe2.at = at
        assert call(fe2, listing(person())) == (418, "tea") and len(fe2.persons) == 1
        assert [s[0] for s in seen] == ["arrived", "done", "half"] and fe2.requests[0].method == "POST"
        fe2.restore(kept)
        assert not fe2.persons and not fe2.requests


def main():
    suite = Suite("FE2 emulator")
    for function, table in ((one_person, PERSONS), (one_call, CALLS), (one_version, VERSIONS), (one_change, CHANGES), (one_pause, PAUSES)):
        for title, *row in copy.deepcopy(table):
            suite.run(title, function, *row)
    for row in FAULTS:
        suite.run("fault " + row[0], one_fault, *row)
    for function in (each_key_left_out, source_changes, quota, ownership, switched_off, manual_persons, deletion_option, tokens, field_modes,
                     busy, two_syncs, delete_beside_a_sync, delete_while_a_lost_sync_goes_on, parallel_connections, deletes,
                     deleted_and_sent_again, delete_with_a_body, script_and_restore):
        suite.run(function.__name__.replace("_", " "), function)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
