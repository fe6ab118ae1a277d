"""The Graph emulator catches each wrong request and behaves as the pages say: raw requests, one row or one case each. An emulator that
overlooks a fault proves nothing."""

import gzip
import http.client
import json
import sys
import threading
import urllib.parse

from harness import Suite
from microsoft_graph import Graph

ID = {"Prefer": 'IdType="ImmutableId"'}
GUID = "{7b1d3b0e-6c0f-4f0e-9a55-2f6f3a0c1e77}"
PROP = "String %s Name abgleich" % GUID
ANNA = {"givenName": "Anna", "surname": "Meier", "emailAddresses": [{"address": "anna@example.org", "name": "Anna"}]}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, key):
        return self.body[key]

    def code(self):
        return self.body["error"]["code"] if isinstance(self.body, dict) and "error" in self.body else None

    def __repr__(self):
        return "%s %r" % (self.status, self.body)


def call(w, method, path, body=None, drop=(), **headers):
    """Of a well-behaved client, but for what the test changes."""
    sent = {"Authorization": "Bearer " + w.password, "client-request-id": "4f0a", **ID}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    if data is not None:
        sent["Content-Type"] = "application/json"
    sent.update({k.replace("_", "-"): v for k, v in headers.items()})
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(w.url).netloc, timeout=20)
    connection._validate_path = lambda url: None
    try:
        connection.request(method, path if path.startswith("http") else "/v1.0" + path, data, {k: v for k, v in sent.items() if k not in drop})
        answer = connection.getresponse()
        text = answer.read()
        text = gzip.decompress(text) if answer.headers.get("Content-Encoding") == "gzip" else text
    except (OSError, http.client.HTTPException) as why:
        return Answer(type(why).__name__, {}, None)
    finally:
        connection.close()
    kind = answer.headers.get("Content-Type", "")
    return Answer(answer.status, answer.headers, json.loads(text) if text and kind.startswith("application/json") else text)


def get(w, path, **headers):
    return call(w, "GET", path, **headers)


def follow(w, link, **headers):
    return get(w, link[link.index("/v1.0") + 5:], **headers)


def told(w, sentence):
    assert any(sentence in v for v in w.violations), "%r is not told: %s" % (sentence, w.violations)
    w.violations.clear()


def quoted(text):
    return urllib.parse.quote(text, safe="")


def etag(w, contact):
    return w.box.contacts[contact].etag()


# -- wrong requests: (title, method, path, body, changed headers, status, code, what is told or None) --
# {a}: a contact, {f}: a folder, {d}: the default folder
ROWS = (
    ("a right list", "GET", "/me/contacts?$select=givenName", None, {}, 200, None, None),
    ("a right create", "POST", "/me/contacts", ANNA, {}, 201, None, None),
    ("a create in a folder", "POST", "/me/contactFolders/{f}/contacts", ANNA, {}, 201, None, None),
    ("no sign-in", "GET", "/me/contacts", None, {"Authorization": ""}, 401, "InvalidAuthenticationToken", "no bearer token"),
    ("a wrong token", "GET", "/me/contacts", None, {"Authorization": "Bearer nonsense"}, 401, "InvalidAuthenticationToken", "nobody gave"),
    ("an unknown scheme", "GET", "/me/contacts", None, {"Authorization": "Basic YTpi"}, 401, "InvalidAuthenticationToken", "no bearer token"),
    ("another version", "GET", "../beta/me/contacts", None, {}, 404, "BadRequest", "there is nothing at"),
    ("no request id", "GET", "/me/contacts", None, {"client-request-id": ""}, 200, None, "no client-request-id"),
    ("ids that change", "GET", "/me/contacts", None, {"Prefer": "odata.maxpagesize=5"}, 200, None, "ImmutableId"),
    ("an unknown call", "GET", "/me/people", None, {}, 404, "BadRequest", "there is no call"),
    ("an unknown option", "GET", "/me/contacts?$filtr=x", None, {}, 400, "BadRequest", "'$filtr' is not supported"),
    ("an option twice", "GET", "/me/contacts?$top=1&$top=2", None, {}, 400, "BadRequest", "more than once"),
    ("$search", "GET", "/me/contacts?$search=anna", None, {}, 400, "BadRequest", "not supported"),
    ("$select of nothing known", "GET", "/me/contacts?$select=givenName,faxNumber", None, {}, 400, "BadRequest", "faxNumber"),
    ("$select of the etag", "GET", "/me/contacts?$select=@odata.etag", None, {}, 400, "BadRequest", "@odata.etag"),
    ("$top too high", "GET", "/me/contacts?$top=5000", None, {}, 400, "BadRequest", "$top"),
    ("$filter in delta", "GET", "/me/contactFolders/{f}/contacts/delta?$filter=x", None, {}, 400, "BadRequest", "'$filter' is not supported"),
    ("$top in delta", "GET", "/me/contactFolders/{f}/contacts/delta?$top=5", None, {}, 400, "BadRequest", "'$top' is not supported"),
    ("$expand in delta", "GET", "/me/contactFolders/{f}/contacts/delta?$expand=singleValueExtendedProperties", None, {}, 500,
     "ErrorInternalServerError", "$expand in delta"),
    ("a $filter of another kind", "GET", "/me/contacts?$filter=givenName%20eq%20'A'", None, {}, 400, "BadRequest", "Invalid filter clause"),
    ("braces in the URL", "GET", "/me/contacts?$filter={{x}}", None, {}, 400, "BadRequest", "not encoded"),
    ("an id in lower case", "GET", "/me/contacts/{A}", None, {}, 404, "ErrorItemNotFound", None),
    ("a folder by its name", "GET", "/me/contactFolders/contacts", None, {}, 400, "ErrorInvalidIdMalformed", None),
    ("a folder by another name", "GET", "/me/contactFolders/Kunden", None, {}, 400, "ErrorInvalidIdMalformed", "malformed"),
    ("a folder that is not there", "GET", "/me/contactFolders/AAMkAGI2TG93AAA0123456789012345678901234567890", None, {}, 404, "ErrorItemNotFound", None),
    ("four addresses", "POST", "/me/contacts", {"emailAddresses": [{"address": "a%d@example.org" % i} for i in range(4)]}, {}, 400,
     "ErrorInvalidProperty", "4 entries, that exceeds the max allowed value of 3"),
    ("three business phones", "POST", "/me/contacts", {"businessPhones": ["1", "2", "3"]}, {}, 400, "ErrorInvalidProperty", "businessPhones has 3"),
    ("three home phones", "POST", "/me/contacts", {"homePhones": ["1", "2", "3"]}, {}, 400, "ErrorInvalidProperty", "homePhones has 3"),
    ("four messengers", "POST", "/me/contacts", {"imAddresses": ["1", "2", "3", "4"]}, {}, 400, "ErrorInvalidProperty", "imAddresses has 4"),
    ("phones as a text", "POST", "/me/contacts", {"businessPhones": "1"}, {}, 400, "RequestBodyRead", "businessPhones must be array"),
    ("a number as a name", "POST", "/me/contacts", {"givenName": 7}, {}, 400, "RequestBodyRead", "givenName must be string"),
    ("no list at all", "PATCH", "/me/contacts/{a}", {"businessPhones": None}, {}, 400, "RequestBodyRead", "businessPhones must be array"),
    ("an unknown property", "POST", "/me/contacts", {"faxNumber": "1"}, {}, 400, "RequestBodyRead", "unknown property faxNumber"),
    ("an unknown part of an address", "POST", "/me/contacts", {"homeAddress": {"box": "1"}}, {}, 400, "RequestBodyRead", "unknown property box"),
    ("a birthday without its time", "POST", "/me/contacts", {"birthday": "1980-03-05"}, {}, 400, "RequestBodyRead", "birthday must be a date-time"),
    ("a read-only property", "PATCH", "/me/contacts/{a}", {"id": "x"}, {}, 400, "ErrorInvalidPropertySet", "read-only"),
    ("a move by PATCH", "PATCH", "/me/contacts/{a}", {"parentFolderId": "{f}"}, {}, 400, "ErrorInvalidPropertySet", "read-only"),
    ("a primary address", "POST", "/me/contacts", {"primaryEmailAddress": {"address": "a@example.org"}}, {}, 400, "ErrorInvalidPropertySet",
     "never written"),
    ("a long text", "POST", "/me/contacts", {"jobTitle": "x" * 256}, {}, 400, "ErrorPropertyValidationFailure", None),
    ("a comma in a category", "POST", "/me/contacts", {"categories": ["a,b"]}, {}, 400, "ErrorInvalidProperty", None),
    ("a malformed extended property", "POST", "/me/contacts", {"singleValueExtendedProperties": [{"id": "abgleich", "value": "x"}]}, {}, 400,
     "ErrorInvalidArgument", "extended property id"),
    ("no JSON", "POST", "/me/contacts", b"givenName=Anna", {}, 400, "BadRequest", "Unable to read JSON"),
    ("a name twice", "POST", "/me/contacts", b'{"givenName":"A","givenName":"B"}', {}, 400, "BadRequest", "a name twice"),
    ("a body without its type", "POST", "/me/contacts", ANNA, {"Content-Type": ""}, 415, "RequestBodyRead", "needs its Content-Type"),
    ("PATCH without If-Match", "PATCH", "/me/contacts/{a}", {"givenName": "B"}, {}, 200, None, "PATCH without If-Match"),
    ("DELETE without If-Match", "DELETE", "/me/contacts/{a}", None, {}, 204, None, "DELETE without If-Match"),
    ("an old etag", "PATCH", "/me/contacts/{a}", {"givenName": "B"}, {"If-Match": 'W/"alt"'}, 412, "ErrorIrresolvableConflict", None),
    ("an old etag, deleting", "DELETE", "/me/contacts/{a}", None, {"If-Match": 'W/"alt"'}, 412, "ErrorIrresolvableConflict", None),
    ("an etag without its form", "PATCH", "/me/contacts/{a}", {"givenName": "B"}, {"If-Match": '"alt"'}, 412, "ErrorIrresolvableConflict",
     "no etag of Graph"),
    ("PATCH of a collection", "PATCH", "/me/contacts", {"givenName": "B"}, {}, 405, "ErrorInvalidRequest", "on a collection"),
    ("a photo that is text", "PUT", "/me/contacts/{a}/photo/$value", b"kein Bild", {"Content-Type": "image/jpeg"}, 400, "ErrorInvalidImage", None),
    ("a photo without its type", "PUT", "/me/contacts/{a}/photo/$value", b"\xff\xd8\xff\xe0", {}, 400, "ErrorInvalidArgument", "image/jpeg"),
    ("no photo", "GET", "/me/contacts/{a}/photo/$value", None, {}, 404, "ErrorItemNotFound", None),
    ("a photo deleted", "DELETE", "/me/contacts/{a}/photo/$value", None, {}, 405, "ErrorMethodNotAllowed", None),
    ("somebody else", "GET", "/users/bert@contoso.example/contacts", None, {}, 403, "ErrorAccessDenied", None),
    ("nobody", "GET", "/users/nobody@contoso.example/contacts", None, {}, 404, "ErrorInvalidUser", None),
    ("by the principal name", "GET", "/users/anna%40contoso.example/contacts", None, {}, 200, None, None),
    ("a link that nobody gave", "GET", "/me/contactFolders/{f}/contacts/delta?$deltatoken=abc", None, {}, 400, "BadRequest", "never given"),
    ("the default folder by its id", "GET", "/me/contactFolders/{d}/contacts", None, {}, 200, None, None),
    ("a page size that is none", "GET", "/me/contactFolders/{d}/contacts/delta", None, {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=x'}, 400,
     "BadRequest", "odata.maxpagesize"),
)


def row(method, path, body, changed, status, code, sentence):
    with Graph() as w:
        w.add_mailbox("bert@contoso.example")
        folder, anna = w.add_folder("Kunden"), w.add(ANNA)
        fill = {"{a}": anna, "{A}": anna.lower(), "{f}": folder, "{d}": w.box.default, "{{": "{", "}}": "}"}
        for name, value in fill.items():
            path = path.replace(name, value)
        path = path.replace("../", "") if not path.startswith("../") else "http://x/" + path[3:]
        drop = [k for k, v in changed.items() if not v]
        if path.startswith("http://x"):
            path = path[len("http://x"):]
            got = call_raw(w, method, path)
        else:
            got = call(w, method, path, body, drop, **changed)
        assert got.status == status and got.code() == code, "%r, not %s %s; %s" % (got, status, code, w.violations)
        if sentence is None:
            assert not w.violations, w.violations
        else:
            told(w, sentence)


def call_raw(w, method, path):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(w.url).netloc, timeout=20)
    connection.request(method, path, None, {"Authorization": "Bearer " + w.password, "client-request-id": "1", **ID})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return Answer(answer.status, answer.headers, json.loads(text))


# -- what is held --
def fields_as_stored(w):
    long = "zwei\nZeilen\r\nund mehr"
    made = call(w, "POST", "/me/contacts", {"givenName": "Anna", "middleName": "M.", "surname": "Meier", "personalNotes": long,
                                            "emailAddresses": [{"address": "a@example.org"}, {"address": "kaputt, weg", "name": "K"}],
                                            "businessAddress": {"street": "A\nB", "city": "Ulm"}, "categories": ["Unbekannt"],
                                            "birthday": "1980-03-05T00:00:00+01:00"})
    assert made.status == 201 and made["displayName"] == "Anna M. Meier" and made["fileAs"] == "Meier, Anna M.", made
    assert made["personalNotes"] == "zwei\r\nZeilen\r\nund mehr" and made["businessAddress"] == {"street": "A\r\nB", "city": "Ulm"}, made
    assert made["emailAddresses"] == [{"address": "a@example.org", "name": "a@example.org"}, {"name": "K"}], made
    assert made["birthday"] == "1980-03-04T23:00:00Z" and made["categories"] == ["Unbekannt"] and made["homeAddress"] == {}, made
    got = get(w, "/me/contacts/%s?$select=givenName" % made["id"])
    assert set(got.body) == {"givenName", "id", "@odata.etag"} and got["@odata.etag"] == made["@odata.etag"] == 'W/"%s"' % made["changeKey"], got
    assert got.headers["Preference-Applied"] == 'IdType="ImmutableId"'
    changed = call(w, "PATCH", "/me/contacts/" + made["id"], {"surname": "Schulz", "businessAddress": {"city": "Bonn"}, "birthday": None},
                   If_Match=made["@odata.etag"])
    assert changed.status == 200 and changed["displayName"] == "Anna M. Schulz" and changed["@odata.etag"] != made["@odata.etag"], changed
    assert changed["businessAddress"] == {"street": "A\r\nB", "city": "Bonn"} and changed["birthday"] is None, changed
    assert call(w, "PATCH", "/me/contacts/" + made["id"], {"surname": "X"}, If_Match=made["@odata.etag"]).status == 412


def other_answers(w):
    """What the pages leave open, the other way round."""
    w.if_match, w.box.merge_addresses, w.box.recalculate, w.well_known_name, w.photo_delete = "ignored", False, False, True, True
    w.box.birthday_time, w.box.keeps_birthday, w.box.given_name_required = "11:59:00", True, True
    refused = call(w, "POST", "/me/contacts", {"surname": "Meier"})
    assert refused.status == 400 and refused.code() == "ErrorInvalidProperty"
    made = call(w, "POST", "/me/contacts", {"givenName": "A", "homeAddress": {"street": "S", "city": "C"}, "birthday": "1980-03-05T12:00:00Z"})
    assert made["birthday"] == "1980-03-05T11:59:00Z"
    changed = call(w, "PATCH", "/me/contacts/" + made["id"], {"givenName": "B", "homeAddress": {"city": "D"}, "birthday": None}, If_Match='W/"alt"')
    assert changed.status == 200 and changed["displayName"] == "A" and changed["homeAddress"] == {"city": "D"} and changed["birthday"], changed
    assert get(w, "/me/contactFolders/contacts")["id"] == made["parentFolderId"]
    w.box.photo_changes_etag = False
    put = call(w, "PUT", "/me/contacts/%s/photo/$value" % made["id"], b"\xff\xd8\xff\xe0x", Content_Type="image/jpeg")
    assert put.status == 200 and etag(w, made["id"]) == changed["@odata.etag"]
    assert call(w, "DELETE", "/me/contacts/%s/photo/$value" % made["id"]).status == 204
    assert get(w, "/me/contacts/%s/photo" % made["id"]).status == 404


def folders(w):
    assert get(w, "/me/contactFolders")["value"] == []
    kunden = w.add_folder("Kunden")
    tief = w.add_folder("Tief", kunden)
    listed = get(w, "/me/contactFolders")["value"]
    assert [f["displayName"] for f in listed] == ["Kunden"] and listed[0]["parentFolderId"] == w.box.default, listed
    assert get(w, "/me/contactFolders/%s" % w.box.default)["displayName"] == "Kontakte"
    assert [f["id"] for f in get(w, "/me/contactFolders/%s/childFolders" % kunden)["value"]] == [tief]
    assert get(w, "/me/contactFolders/%s" % tief)["parentFolderId"] == kunden
    made = call(w, "POST", "/me/contactFolders", {"displayName": "Neu"})
    assert made.status == 201 and call(w, "POST", "/me/contactFolders", {"displayName": "NEU"}).status == 409
    first = get(w, "/me/contactFolders/delta")
    assert [f["displayName"] for f in first["value"]] == ["Kunden", "Tief", "Neu"], first
    w.box.rename_folder(kunden, "Kundschaft")
    w.box.remove_folder(made["id"])
    second = follow(w, first["@odata.deltaLink"])
    assert [f.get("displayName", f.get("@removed")) for f in second["value"]] == ["Kundschaft", {"reason": "deleted"}], second
    assert get(w, "/me/contactFolders/%s/contacts" % made["id"]).status == 404


def counts_prove_nothing(w):
    w.add(ANNA)
    w.add_list("Verteiler")
    assert get(w, "/me/contacts/$count").body == b"2"
    listed = get(w, "/me/contacts?$count=true&$top=5")
    assert listed["@odata.count"] == 2 and len(listed["value"]) == 1
    assert len(get(w, "/me/contactFolders/%s/contacts/delta" % w.box.default)["value"]) == 1


def pages_of_a_list(w):
    for i in range(23):
        w.add({"givenName": "P%d" % i})
    seen, link = [], "/me/contacts?$select=givenName&$top=10"
    while link:
        page = get(w, link) if link.startswith("/me") else follow(w, link)
        seen += [c["givenName"] for c in page["value"]]
        link = page.body.get("@odata.nextLink")
    assert seen == ["P%d" % i for i in range(23)], seen


def ids_of_both_kinds(w):
    folder = w.add_folder("Kunden")
    ids = [w.add({"givenName": "P%d" % i}) for i in range(6)]
    assert len({i.lower() for i in ids}) < 6, "ids that differ by case only"
    w.need_immutable = False
    plain = lambda: {c["givenName"]: c["id"] for f in (folder, w.box.default)
                     for c in get(w, "/me/contactFolders/%s/contacts?$select=givenName" % f, Prefer="x=1")["value"]}
    before = plain()
    w.move(ids[0], folder)
    after = plain()
    assert before["P0"] != after["P0"] and before["P1"] == after["P1"] and after["P0"] not in ids
    assert get(w, "/me/contacts/" + before["P0"]).status == 404 and get(w, "/me/contacts/" + ids[0])["id"] == ids[0]
    done = call(w, "POST", "/me/translateExchangeIds", {"inputIds": [after["P0"]], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"})
    assert done["value"] == [{"sourceId": after["P0"], "targetId": ids[0]}], done


def extended_properties(w):
    uuid = "3f1c2a5e-0a44-4c1e-9b0a-7d4be1f2a901"
    made = call(w, "POST", "/me/contacts", {**ANNA, "singleValueExtendedProperties": [{"id": PROP, "value": uuid}]})
    assert "singleValueExtendedProperties" not in made.body
    ask = "/me/contactFolders/%s/contacts?$select=id&$filter=" % w.box.default
    any_of = "singleValueExtendedProperties/Any(ep: ep/id eq '%s' and ep/value eq '%s')"
    assert [c["id"] for c in get(w, ask + quoted(any_of % (PROP, uuid)))["value"]] == [made["id"]]
    assert [c["id"] for c in get(w, ask + quoted(any_of % (PROP.replace(GUID, GUID.upper()), uuid.upper())))["value"]] == [made["id"]]
    assert get(w, ask + quoted(any_of % (PROP.replace("abgleich", "Abgleich"), uuid)))["value"] == []
    assert "singleValueExtendedProperties" not in get(w, ask + quoted(any_of % (PROP, uuid)))["value"][0]
    got = get(w, "/me/contacts/%s?$expand=%s" % (made["id"], quoted("singleValueExtendedProperties($filter=id eq '%s')" % PROP)))
    assert got["singleValueExtendedProperties"][0]["value"] == uuid, got
    w.box.filter_delay = 60
    late = call(w, "POST", "/me/contacts", {"singleValueExtendedProperties": [{"id": PROP, "value": "spaet"}]})
    assert get(w, ask + quoted(any_of % (PROP, "spaet")))["value"] == []
    w.clock.advance(61)
    assert [c["id"] for c in get(w, ask + quoted(any_of % (PROP, "spaet")))["value"]] == [late["id"]]


def photos(w):
    anna = w.add(ANNA)
    before = etag(w, anna)
    first = get(w, "/me/contacts/delta?$select=givenName")
    assert get(w, "/me/contacts/%s/photo/$value" % anna).status == 404
    data = b"\xff\xd8\xff\xe0 eins"
    assert call(w, "PUT", "/me/contacts/%s/photo/$value" % anna, data, Content_Type="image/jpeg").status == 200
    back = get(w, "/me/contacts/%s/photo/$value" % anna)
    assert back.status == 200 and back.headers["Content-Type"] == "image/jpeg" and back.body != data and data in back.body, back
    assert get(w, "/me/contacts/%s/photo" % anna)["@odata.mediaContentType"] == "image/jpeg"
    assert etag(w, anna) != before and follow(w, first["@odata.deltaLink"])["value"] == [], "a picture's change is not announced"
    call(w, "PUT", "/me/contacts/%s/photo/$value" % anna, back.body, Content_Type="image/jpeg")
    assert get(w, "/me/contacts/%s/photo/$value" % anna).body == back.body
    assert call(w, "PUT", "/me/contacts/%s/photo/$value" % anna, data + b"x" * (4 << 20), Content_Type="image/jpeg").status == 413


# -- delta --
def whole_round(w, path, **headers):
    """(items of all pages, the deltaLink, pages)"""
    page, items, pages = get(w, path, **headers) if path.startswith("/me") else follow(w, path, **headers), [], 1
    while True:
        assert page.status == 200, page
        items += page["value"]
        if "@odata.deltaLink" in page.body:
            return items, page["@odata.deltaLink"], pages
        page, pages = follow(w, page["@odata.nextLink"], **headers), pages + 1


def delta_of(w, folder=None):
    return "/me/contactFolders/%s/contacts/delta?$select=givenName,surname,mobilePhone" % (folder or w.box.default)


SMALL = {"Prefer": 'odata.maxpagesize=3, IdType="ImmutableId"'}


def rounds(w):
    ids = [w.add({"givenName": "P%d" % i, "mobilePhone": "0"}) for i in range(7)]
    items, link, pages = whole_round(w, delta_of(w), **SMALL)
    assert pages == 3 and [i["id"] for i in items] == ids and len(link) > 1500, (pages, len(link))
    assert set(items[0]) == {"id", "@odata.etag", "givenName", "surname", "mobilePhone"}, items[0]
    items, link, pages = whole_round(w, link)
    assert items == [] and pages == 1
    w.edit(ids[2], mobilePhone="1")
    w.remove(ids[3])
    w.remove(ids[4])
    new = call(w, "POST", "/me/contacts", {"givenName": "Neu"})["id"]
    w.touch(ids[6])
    items, _, _ = whole_round(w, link)
    assert items[0] == {"id": ids[2], "@odata.etag": etag(w, ids[2]), "mobilePhone": "1"}, items[0]
    assert [i["id"] for i in items] == [ids[2], ids[3], ids[4], new, ids[6]], items
    assert sorted(i["@removed"]["reason"] for i in items[1:3]) == ["changed", "deleted"], items
    assert set(items[4]) == {"id", "@odata.etag"}, "nothing changed but its etag: %s" % items[4]
    first, _, _ = whole_round(w, delta_of(w))
    assert [i["id"] for i in first if "@removed" in i] == ids[3:5], "removals in a first round"
    w.delta.removed_at_first = False
    assert not [i for i in whole_round(w, delta_of(w))[0] if "@removed" in i]


def odd_rounds(w):
    ids = [w.add({"givenName": "P%d" % i}) for i in range(4)]
    w.delta.empty_pages = True
    items, link, pages = whole_round(w, delta_of(w))
    assert pages == 2 and len(items) == 4
    w.delta.doubles = True
    w.edit(ids[0], mobilePhone="1")
    w.edit(ids[0], mobilePhone="2")
    items, link, _ = whole_round(w, link)
    assert [(i["id"], i["mobilePhone"]) for i in items] == [(ids[0], "1"), (ids[0], "2")], items
    w.delta.replays = 2
    items, link, _ = whole_round(w, link)
    assert len(items) == 2 and ids[0] in [i["id"] for i in items], items
    w.delta.replays, w.delta.doubles, w.delta.lag = 0, False, 30
    w.edit(ids[1], mobilePhone="3")
    items, link, _ = whole_round(w, link)
    assert items == []
    w.clock.advance(31)
    items, link, _ = whole_round(w, link)
    assert [i["id"] for i in items] == [ids[1]], items
    w.delta.lag, w.delta.late = 0, {ids[1]: w.clock.now() + 60}
    w.edit(ids[1], mobilePhone="4")
    w.edit(ids[2], mobilePhone="5")
    items, link, _ = whole_round(w, link)
    assert [i["id"] for i in items] == [ids[2]], "what comes late waits: %s" % items
    w.clock.advance(61)
    items, link, _ = whole_round(w, link)
    assert [(i["id"], i["mobilePhone"]) for i in items] == [(ids[1], "4")], items
    w.delta.partial = False
    w.edit(ids[1], mobilePhone="5")
    assert whole_round(w, link)[0][0]["givenName"] == "P1"


def moves(w):
    folder, anna = w.add_folder("Kunden"), w.add(ANNA)
    _, here, _ = whole_round(w, delta_of(w))
    _, there, _ = whole_round(w, delta_of(w, folder))
    w.move(anna, folder)
    items, here, _ = whole_round(w, here)
    assert [(i["id"], "@removed" in i) for i in items] == [(anna, True)], items
    items, there, _ = whole_round(w, there)
    assert items[0]["id"] == anna and items[0]["givenName"] == "Anna", items
    w.remove(anna)
    w.put_back(anna)
    items, there, _ = whole_round(w, there)
    assert items[0]["id"] == anna and "@removed" not in items[0], items
    w.remove(anna)
    assert get(w, "/me/contacts/" + anna).status == 404
    w.box.deleted_readable = True
    assert get(w, "/me/contacts/%s?$select=parentFolderId" % anna)["parentFolderId"] == w.box.trash and not w.contacts()
    w.put_back(anna)
    assert get(w, "/me/contacts/%s?$select=parentFolderId" % anna)["parentFolderId"] == folder
    w.need_immutable = False
    w.move(anna, w.box.default)
    items, _, _ = whole_round(w, there, Prefer="odata.maxpagesize=9")
    assert items[0]["id"] != anna and "@removed" in items[0], "each kind of id answers in its own form"


def old_states(w):
    w.add(ANNA)
    _, link, _ = whole_round(w, delta_of(w))
    links = [link]
    for _ in range(4):
        links.append(whole_round(w, links[-1])[1])
    assert all(follow(w, link).status == 200 for link in links[-3:])
    gone = follow(w, links[0])
    assert gone.status == 410 and gone.code() == "SyncStateNotFound" and not gone.headers["Location"], gone
    w.delta.gone_location, w.delta.gone = True, (410, "resyncRequired")
    gone = follow(w, links[0])
    assert gone.code() == "resyncRequired" and len(get(w, gone.headers["Location"][len("/v1.0"):] if "/v1.0" in gone.headers["Location"]
                                                       else gone.headers["Location"])["value"]) == 1, gone.headers
    w.delta.expire(w.box)
    assert follow(w, links[-1]).status == 410


def altered_links(w):
    for i in range(5):
        w.add({"givenName": "P%d" % i})
    first = get(w, delta_of(w), **SMALL)
    following = first["@odata.nextLink"]
    assert "contactFolders('" in following, "links spell it another way"
    for changed in (following + "&$select=givenName", following[:-1], following.replace("skiptoken", "deltatoken"),
                    following.replace("contactFolders('", "contactFolders/").replace("')/contacts", "/contacts"), following.replace("$", "%24")):
        answer = follow(w, changed)
        assert answer.status == 400, answer
        assert w.violations, changed
        w.violations.clear()
    assert follow(w, following).status == 200


def no_delta_in_china(w):
    w.delta.exists = False
    assert get(w, delta_of(w)).status == 400


# -- limits --
def five_at_a_time(w):
    w.limits.dwell = 0.3
    for key, per in (((w.login_app, w.user), "mailbox"), (w.login_app, "app")):
        w.limits.per = per
        answers = []
        crowd = [threading.Thread(target=lambda: answers.append(get(w, "/me/contacts"))) for _ in range(6)]
        for t in crowd:
            t.start()
        for t in crowd:
            t.join()
        assert sorted(a.status for a in answers) == [200] * 4 + [429] * 2, answers
        assert {a.code() for a in answers if a.status == 429} == {"ApplicationThrottled"}
        told(w, "6 requests in flight" if any("6" in v for v in w.violations) else "5 requests in flight")
        w.clock.advance(5)


def two_mailboxes(w):
    w.add_mailbox("bert@contoso.example")
    w.password = w.add_token("canary.app")
    w.limits.dwell = 0.2
    for per, wanted in (("mailbox", [200] * 6), ("app", [200] * 4 + [429] * 2)):
        w.limits.per, answers = per, []
        crowd = [threading.Thread(target=lambda u=u: answers.append(get(w, "/users/%s@contoso.example/contacts" % u))) for u in ("anna", "bert") * 3]
        for t in crowd:
            t.start()
        for t in crowd:
            t.join()
        assert sorted(a.status for a in answers) == wanted, (per, answers)
        w.violations.clear()


def quota(w):
    w.limits.requests = 5
    assert [get(w, "/me/contacts").status for _ in range(6)] == [200] * 5 + [429]
    assert w.limits.refused["requests"] == 1
    w.clock.advance(599)
    w.limits.waits.clear()
    assert get(w, "/me/contacts").status == 429
    w.clock.advance(2)
    w.limits.waits.clear()
    assert get(w, "/me/contacts").status == 200
    w.limits.requests, w.limits.upload = 10000, 1000
    assert call(w, "POST", "/me/contacts", {"personalNotes": "x" * 900}).status == 201
    assert call(w, "POST", "/me/contacts", {"personalNotes": "x" * 900}).status == 429
    w.clock.advance(301)
    assert call(w, "POST", "/me/contacts", {"personalNotes": "x" * 900}).status == 201


def patience(w):
    w.fail("429", retry_after=30)
    answer = get(w, "/me/contacts")
    assert answer.status == 429 and answer.headers["Retry-After"] == "30"
    for _ in range(5):
        get(w, "/me/contacts")
    told(w, "did not wait as Retry-After told")
    w.clock.advance(31)
    get(w, "/me/contacts")
    assert not w.violations
    w.fail("429", part=True, retry_after=30)
    for _ in range(2):
        batch(w, part(1), part(2))
    told(w, "did not wait")
    w.clock.advance(31)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(w.url).netloc, timeout=20)
    w.fail("429", retry_after=30)
    for _ in range(2):
        connection.request("GET", "/v1.0/me/contacts", None, {"Authorization": "Bearer " + w.password, "client-request-id": "1", **ID})
        connection.getresponse().read()
    connection.close()
    told(w, "did not wait")


# -- batches --
def part(number, method="GET", url="/me/contacts", **more):
    return {"id": str(number), "method": method, "url": url, "headers": {**ID, **more.pop("headers", {})}, **more}


def batch(w, *parts):
    answer = call(w, "POST", "/$batch", {"requests": list(parts)})
    return {p["id"]: p for p in answer["responses"]} if answer.status == 200 else answer


JSON = {"Content-Type": "application/json"}
BAD_BATCHES = (
    ("21 parts", [part(i) for i in range(21)], "1 to 20 parts"),
    ("no parts", [], "1 to 20 parts"),
    ("double ids", [part("a"), part("A")], "has to be unique"),
    ("an absolute URL", [part(1, url="http://127.0.0.1/v1.0/me/contacts")], "without host and version"),
    ("a version", [part(1, url="/v1.0/me/contacts")], "without host and version"),
    ("a body without its type", [part(1, "POST", body=ANNA)], "Content-Type"),
    ("an unknown member", [part(1, verb="x")], "Invalid batch part"),
    ("no id", [{"method": "GET", "url": "/me/contacts"}], "Invalid batch part"),
    ("an unknown method", [part(1, "MOVE")], "no method"),
    ("its own token", [part(1, headers={"Authorization": "Bearer x"})], "authorization"),
    ("depends on nobody", [part(1, dependsOn=["7"])], "dependsOn"),
)


def bad_batch(w, parts, sentence):
    got = batch(w, *parts)
    assert isinstance(got, Answer) and got.status == 400, got
    told(w, sentence)


def batches(w):
    anna, bert = w.add(ANNA), w.add({"givenName": "Bert"})
    got = batch(w, part("a", "POST", body={"givenName": "Cora"}, headers=JSON), part("b", "PATCH", "/me/contacts/" + anna, body={"title": "Dr."},
                headers={**JSON, "If-Match": etag(w, anna)}), part("c", "DELETE", "/me/contacts/" + bert, headers={"If-Match": 'W/"alt"'}),
                part("d", "GET", "/me/contacts/%s?$select=title" % anna), part("e", "POST", body={"faxNumber": "1"}, headers=JSON),
                part("f", "PUT", "/me/contacts/%s/photo/$value" % anna, body="/9j/4AAQ", headers={"Content-Type": "image/jpeg"}),
                part("g", "GET", "/me/contacts/%s/photo/$value" % anna))
    assert {i: p["status"] for i, p in got.items()} == {"a": 201, "b": 200, "c": 412, "d": 200, "e": 400, "f": 200, "g": 200}, got
    assert got["d"]["body"]["title"] == "Dr." and isinstance(got["g"]["body"], str) and got["c"]["body"]["error"]["code"] == "ErrorIrresolvableConflict"
    told(w, "unknown property faxNumber")
    batch(w, {"id": "1", "method": "GET", "url": "/me/contacts"})
    told(w, "ImmutableId")
    assert w.counted()["GET"] == 3


def order_of_batches(w):
    orders = [[p["id"] for p in call(w, "POST", "/$batch", {"requests": [part(i) for i in range(20)]})["responses"]] for _ in range(2)]
    assert orders[0] != orders[1] and sorted(orders[0], key=int) == [str(i) for i in range(20)], orders


def faults_in_batches(w):
    w.fail("429", on="POST", part=True, retry_after=3, times=2)
    got = batch(w, *[part(i, "POST", body={"givenName": "P%d" % i}, headers=JSON) for i in range(4)])
    assert [got[str(i)]["status"] for i in range(4)] == [429, 429, 201, 201] and got["0"]["headers"]["Retry-After"] == "3", got
    w.fail("500 after", on="POST", part=True)
    got = batch(w, part(1, "POST", body={"givenName": "Effekt"}, headers=JSON), part(2, dependsOn=["1"]), part(3))
    assert [got[i]["status"] for i in "123"] == [500, 424, 200], got
    assert len(w.contacts()) == 3
    w.limits.batch = "each"
    got = batch(w, *[part(i) for i in range(20)])
    assert sum(p["status"] == 429 for p in got.values()) == 16, got
    assert not w.violations, w.violations


def parts_count(w):
    w.limits.requests = 30
    assert [sum(p["status"] == 429 for p in batch(w, *[part(i) for i in range(20)]).values()) for _ in range(2)] == [0, 10]


# -- who may --
def applications(w):
    w.add_mailbox("bert@contoso.example")
    w.password = w.add_token("canary.app")
    answer = get(w, "/me/contacts")
    assert answer.status == 400 and answer.code() == "BadRequest"
    told(w, "/me request is only valid with delegated")
    assert get(w, "/users/bert@contoso.example/contacts").status == 200 and get(w, "/users/%s/contacts" % w.box.id).status == 200
    w.scoped = {"anna@contoso.example"}
    assert get(w, "/users/bert@contoso.example/contacts").status == 403 and get(w, "/users/anna@contoso.example").status == 403
    w.box.enabled = False
    assert get(w, "/users/anna@contoso.example/contacts").code() == "MailboxNotEnabledForRESTAPI"


def tokens(w):
    anna = w.add(ANNA)
    w.password = w.add_token("canary.short", w.user, life=60)
    assert get(w, "/me/contacts").status == 200 and get(w, "/me").status == 403
    w.clock.advance(61)
    assert get(w, "/me/contacts").status == 401
    w.password = w.add_token("canary.read", w.user, ("Contacts.Read", "User.Read"))
    assert get(w, "/me/contacts").status == 200 and get(w, "/me?$select=userPrincipalName")["userPrincipalName"] == w.user
    assert call(w, "POST", "/me/contacts", ANNA).code() == "ErrorAccessDenied"
    assert call(w, "DELETE", "/me/contacts/" + anna, If_Match="*").status == 403
    w.password = w.add_token("canary.write", w.user)
    w.box.folders[w.box.default].can_write = False
    assert call(w, "POST", "/me/contacts", ANNA).status == 403 and len(w.contacts()) == 1
    w.revoke_tokens()
    assert get(w, "/me/contacts").status == 401
    assert not w.violations, w.violations


# -- faults on order --
def faults(w):
    anna = w.add(ANNA)
    for name, status, effect in (("cut before", "RemoteDisconnected", 0), ("cut after", "RemoteDisconnected", 1), ("cut half", "IncompleteRead", 1),
                                 ("401", 401, 0), ("412", 412, 0), ("409", 409, 0), ("429", 429, 0), ("500", 500, 0), ("500 after", 500, 1),
                                 ("503", 503, 0), ("504 after", 504, 1), ("200 html", 200, 0), ("200 html after", 200, 1), ("502 html", 502, 0)):
        before = len(w.contacts())
        w.fail(name, on="POST")
        assert get(w, "/me/contacts/" + anna).status == 200
        answer = call(w, "POST", "/me/contacts", {"givenName": "Neu"})
        assert answer.status == status and len(w.contacts()) == before + effect, (name, answer, len(w.contacts()) - before)
        assert "html" not in name or answer.headers["Content-Type"] == "text/html"
        assert call(w, "POST", "/me/contacts", {"givenName": "Neu"}).status == 201
    w.fail("401 claims")
    assert "claims=" in get(w, "/me/contacts").headers["WWW-Authenticate"]
    w.fail("429", times=None, retry_after=1)
    assert [get(w, "/me/contacts").headers["Retry-After"] for _ in range(3)] == ["1"] * 3
    w.forget()
    w.gzip = True
    assert get(w, "/me/contacts", Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
    assert not w.violations, w.violations


def other_hosts_in_links(w):
    w.link_base = "http://127.0.0.1:1/"
    assert get(w, delta_of(w))["@odata.deltaLink"].startswith("http://127.0.0.1:1/v1.0/me")


CASES = (fields_as_stored, other_answers, folders, counts_prove_nothing, pages_of_a_list, ids_of_both_kinds, extended_properties, photos, rounds,
         odd_rounds, moves, old_states, altered_links, no_delta_in_china, five_at_a_time, two_mailboxes, quota, patience, batches,
         order_of_batches, faults_in_batches, parts_count, applications, tokens, faults, other_hosts_in_links)


def run_case(function, *args):
    with Graph() as w:
        w.login_app = next(iter(w.login.apps))
        function(w, *args)
        assert not [v for v in w.violations if v.startswith("emulator")], w.violations


def main():
    suite, only = Suite("the Graph emulator"), sys.argv[1:]
    for title, *rest in ROWS:
        if not only or title in only:
            suite.run(title, row, *rest)
    for title, parts, sentence in BAD_BATCHES:
        if not only or title in only:
            suite.run("a batch with " + title, run_case, bad_batch, parts, sentence)
    for function in CASES:
        title = function.__name__.replace("_", " ")
        if not only or title in only:
            suite.run(title, run_case, function)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
