"""The Google People API as its pages describe it, on loopback and in memory, strict and with a script of faults.

Everything a client may get wrong is a violation, and a test that leaves one fails: unknown query parameters and body fields, a wrong
type, a missing etag or source, parameters that drift between pages or away from their sync token, two writes of one user at once, a
token sent to where pictures lie. Time is virtual: `now()` is the machine's clock plus what the clock file says, which the program under
test reads too (tests/e2e/clock_shim.c), so that delays of minutes and tokens of days cost nothing.

    with People() as world:
        world.add({"names": [{"givenName": "Anna"}]})
        world.at = lambda moment, number, request: ...   # "arrived", "done", "half": an answer in place of the real one, or "cut" """

import base64
import copy
import json
import os
import random
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

from clock import Clock
from listener import CountingListener

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, "..", "fixtures", "schemas", "people-openapi.json")
DAY = 86400
SINGLE = ("names", "birthdays", "biographies", "genders")
UPDATABLE = ("addresses biographies birthdays calendarUrls clientData emailAddresses events externalIds genders imClients interests "
             "locales locations memberships miscKeywords names nicknames occupations organizations phoneNumbers relations sipAddresses "
             "urls userDefined").split()
READABLE = UPDATABLE + "ageRanges coverPhotos metadata photos skills".split()
OUTPUT_ONLY = {"metadata", "formattedType", "formattedProtocol", "canonicalForm", "displayNameLastFirst"}
PARTS = ("honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix")


class Refused(Exception):
    def __init__(self, code, status, message, reason=None, retry_after=None, **metadata):
        self.code, self.retry_after = code, retry_after
        self.body = {"error": {"code": code, "message": message, "status": status}}
        if reason:
            self.body["error"]["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
                                              "domain": "people.googleapis.com", "metadata": metadata}]


def bad(message, *args):
    return Refused(400, "INVALID_ARGUMENT", message % args if args else message)


def expired():
    return Refused(400, "FAILED_PRECONDITION", "Sync token is expired. Clear local cache and retry call without the sync token.",
                   "EXPIRED_SYNC_TOKEN")


def rate_limited(code=429, reason="RATE_LIMIT_EXCEEDED", retry_after=None):
    return Refused(code, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Critical read requests (Contact and Profile Reads)'", reason,
                   retry_after, quota_limit="FBSV1CriticalReadsPerMinutePerProjectPerUser")


class Schemas:
    """Just enough of a validator for the converted discovery document: closed objects, types, enums."""

    def __init__(self):
        with open(SCHEMA, encoding="utf-8") as f:
            self.all = json.load(f)["components"]["schemas"]

    def check(self, value, schema, path):
        if "$ref" in schema:
            schema = self.all[schema["$ref"].rsplit("/", 1)[1]]
        kind = schema.get("type")
        types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
        if kind and (not isinstance(value, types[kind]) or (kind == "integer" and isinstance(value, bool))):
            raise bad("Invalid value at '%s' (%s): %s", path, kind, json.dumps(value)[:60])
        if "enum" in schema and value not in schema["enum"]:
            raise bad("Invalid value at '%s': %s", path, value)
        if kind == "array":
            for i, item in enumerate(value):
                self.check(item, schema.get("items", {}), "%s[%d]" % (path, i))
        if kind == "object":
            known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
            for name, item in value.items():
                if name in known:
                    self.check(item, known[name], path + "." + name)
                elif isinstance(others, dict):
                    self.check(item, others, path + "." + name)
                else:
                    raise bad("Invalid JSON payload received. Unknown name \"%s\" at '%s': Cannot find field.", name, path)


class Contact:
    """All its versions, each as (time, seq, person or None where it is deleted)."""

    def __init__(self, source_id):
        self.source_id, self.versions, self.photo, self.previous = source_id, [], None, []

    def now(self):
        return self.versions[-1][2] if self.versions else None

    def as_of(self, when):
        found = None
        for version in self.versions:
            if version[0] <= when:
                found = version
        return found


class People:
    """One account. Switches: list_lag and get_lag (seconds until reads show a write), order ("as is", "reversed", "shuffled"), page (at
    most so many an answer), empty_pages, quota ({"read": n, "write": n, "full": n} a minute), quota_code, latency (virtual seconds a
    request), member_status (a stale etag in a batch is told by member), blames (a refused batch names the offenders), most (contacts an
    account holds), linking ({e-mail: resource}), gzip. over_quota: how often a quota was used up."""

    user, password, name, connector = "anna@example.org", "ya29.token-1", "people", "people"
    book_name, patience = "", 60

    def __init__(self, folder=None, clock=None):
        self.clock, self.schemas, self.folder = clock or Clock(), Schemas(), folder
        self.contacts, self.groups, self.seq, self.requests, self.violations = {}, {}, 0, [], []
        for name in ("myContacts", "starred", "friends", "family", "coworkers", "blocked"):
            self.groups["contactGroups/" + name] = {"name": name, "groupType": "SYSTEM_CONTACT_GROUP"}
        self.at = lambda moment, number, request: None
        self.list_lag = self.get_lag = self.latency = 0
        self.order, self.page, self.empty_pages, self.quota, self.quota_code = "as is", 1000, False, {}, 429
        self.member_status, self.linking, self.gzip, self.writing, self.spent, self.photo_reads = False, {}, False, 0, {}, 0
        self.blames, self.most, self.over_quota = True, 25000, 0
        self.tokens = {self.password: float("inf")}
        self.lock, self.open, self.closed = threading.RLock(), 0, threading.Condition()
        handler = type("Handler", (Handler,), {"world": self})
        self.server = type("Listener", (CountingListener,), {"world": self})(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()

    def wait_idle(self):
        with self.closed:
            assert self.closed.wait_for(lambda: not self.open, 30), "a connection stays open"

    KEPT = ("contacts", "groups", "seq")

    def keep(self):
        return copy.deepcopy({"offset": self.clock.offset(), **{k: getattr(self, k) for k in self.KEPT}})

    def put_back(self, kept):
        for key in self.KEPT:
            setattr(self, key, kept[key])

    def restore(self, kept):
        self.put_back(copy.deepcopy(kept))
        self.clock.advance(kept["offset"] - self.clock.offset())
        self.requests, self.violations, self.spent, self.writing = [], [], {}, 0

    # -- what persons do there --
    def add(self, person, photo=None):
        with self.lock:
            return self.create(copy.deepcopy(person), photo)["resourceName"]

    def edit(self, resource, **lists):
        with self.lock:
            person = copy.deepcopy(self.contacts[resource].now())
            for name, value in lists.items():
                person[name] = self.stored(name, copy.deepcopy(value))
            self.store(resource, person)

    def remove(self, resource):
        with self.lock:
            self.store(resource, None)

    def add_group(self, name):
        resource = "contactGroups/%x" % (len(self.groups) + 4096)
        self.groups[resource] = {"name": name, "groupType": "USER_CONTACT_GROUP"}
        return resource

    def persons(self):
        return {r: c.now() for r, c in self.contacts.items() if c.now()}

    # -- storing --
    def stamp(self, seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%06dZ" % (self.seq % 1000000)

    def store(self, resource, person):
        self.seq += 1
        contact = self.contacts[resource]
        if person is not None:
            person["resourceName"], person["etag"] = resource, "%EgUBAi43" + base64.b64encode(b"%08d" % self.seq).decode()
            person["metadata"] = {"objectType": "PERSON", "sources": [{"type": "CONTACT", "id": contact.source_id,
                                                                      "etag": "#%08d" % self.seq, "updateTime": self.stamp(self.clock.now())}]}
        contact.versions.append((self.clock.now(), self.seq, person))

    def stored(self, name, entries):
        """A list as it is kept: without what only the server says, and a whole name taken apart."""
        kept = []
        for entry in entries:
            out = {k: v for k, v in entry.items() if k not in OUTPUT_ONLY and not (k == "displayName" and name == "names")}
            if name == "names":
                whole = out.pop("unstructuredName", None)
                if whole and not any(out.get(p) for p in PARTS):
                    given, _, family = whole.rpartition(" ")
                    out.update({k: v for k, v in (("givenName", given), ("familyName", family)) if v})
            if name == "memberships":
                out = {"contactGroupMembership": {"contactGroupResourceName": out["contactGroupMembership"]["contactGroupResourceName"]}}
            if out:
                kept.append(out)
        return kept

    def check_person(self, person, fields):
        for name in SINGLE:
            if len(person.get(name, ())) > 1:
                raise bad("Cannot have more than one person.%s per source", name)
        for entry in person.get("memberships", ()):
            group = entry.get("contactGroupMembership", {}).get("contactGroupResourceName")
            if group not in self.groups:
                raise bad("Contact group %s does not exist", group)
        if "memberships" in fields and not person.get("memberships"):
            raise bad("Contact person must have at least one membership")
        for birthday in person.get("birthdays", ()) + person.get("events", []) if person.get("birthdays") else person.get("events", ()):
            date = birthday.get("date")
            if date is not None and not (date.get("month") or date.get("year")):
                raise bad("Invalid date: %s", date)
        for name in UPDATABLE:
            if len(person.get(name, ())) > 500:
                raise bad("Too many %s", name)
            for entry in person.get(name, ()):
                for text in entry.values():
                    if isinstance(text, str) and len(text) > (500000 if name == "biographies" else 1024):
                        raise bad("A field of %s is too long", name)

    def check_room(self, more):
        if len(self.contacts) + more > self.most and sum(1 for c in self.contacts.values() if c.now()) + more > self.most:
            raise Refused(429, "RESOURCE_EXHAUSTED", "MY_CONTACTS_OVERFLOW_COUNT")

    def create(self, person, photo=None):
        self.check_room(1)
        self.check_person(person, ())
        number = 4000000 + self.seq + 1
        resource = "people/c%d" % number
        contact = self.contacts[resource] = Contact("%x" % number)
        contact.photo = photo
        kept = {name: self.stored(name, entries) for name, entries in person.items() if name in UPDATABLE}
        kept.setdefault("memberships", [{"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}}])
        self.store(resource, {k: v for k, v in kept.items() if v})
        return self.contacts[resource].now()

    def update(self, resource, body, mask):
        contact = self.contacts.get(resource)
        if not contact or not contact.now():
            raise Refused(404, "NOT_FOUND", "Requested entity was not found.")
        now = contact.now()
        sources = [s for s in body.get("metadata", {}).get("sources", ()) if s.get("type") == "CONTACT"]
        if not body.get("etag") or not sources or not sources[0].get("etag"):
            self.violations.append("update without etag or source: %s" % resource)
            raise bad("Request must set person.etag or person.metadata.sources.etag for the source that is being updated.")
        if body["etag"] != now["etag"] or sources[0]["etag"] != now["metadata"]["sources"][0]["etag"]:
            raise Refused(400, "FAILED_PRECONDITION", "Request person.etag is different than the current person.etag. Clear local cache and "
                                                      "get the latest person.")
        self.check_person(body, mask)
        person = copy.deepcopy(now)
        for name in mask:
            person[name] = self.stored(name, copy.deepcopy(body.get(name, [])))
        self.store(resource, {k: v for k, v in person.items() if v})
        return self.link_profile(resource)

    def link_profile(self, resource):
        """An e-mail of somebody with a profile renames the contact."""
        person = self.contacts[resource].now()
        for mail in person.get("emailAddresses", ()):
            new = self.linking.get(mail.get("value"))
            if new and new != resource:
                contact = self.contacts.pop(resource)
                contact.previous.append(resource)
                self.contacts[new] = contact
                self.store(new, copy.deepcopy(person))
                return contact.now()
        return person

    def merge(self, into, gone):
        """A person joins two contacts in Google's own page: one name is left, and both names' clientData with it."""
        person, other = copy.deepcopy(self.contacts[into].now()), self.contacts[gone].now()
        for name in UPDATABLE:
            if name not in SINGLE and other.get(name):
                person[name] = person.get(name, []) + [e for e in other[name] if e not in person.get(name, [])]
        del self.contacts[gone]
        self.contacts[into].previous.append(gone)
        self.store(into, person)

    # -- reading --
    def shown(self, person, fields, contact, profile=False):
        """As an answer tells it: metadata on every entry, what the server builds, one URL a read."""
        out = {"resourceName": person["resourceName"], "etag": person["etag"]}
        for name in fields:
            if name == "metadata":
                out["metadata"] = copy.deepcopy(person["metadata"])
                if contact.previous:
                    out["metadata"]["previousResourceNames"] = list(contact.previous)
            elif name == "photos":
                self.photo_reads += 1
                url = "%sphoto/%s?v=%d" % (self.url, contact.source_id, self.photo_reads)
                out["photos"] = [{"url": url, "metadata": self.about(contact, True), **({} if contact.photo else {"default": True})}]
            elif person.get(name):
                out[name] = [self.built(name, dict(e, metadata=self.about(contact, i == 0))) for i, e in enumerate(person[name])]
        if profile and "names" in fields:
            out.setdefault("names", []).append({"displayName": "Profil", "givenName": "Profil",
                                                "metadata": {"source": {"type": "PROFILE", "id": "9"}}})
        return out

    def about(self, contact, first):
        return {"source": {"type": "CONTACT", "id": contact.source_id}, **({"primary": True, "sourcePrimary": True} if first else {})}

    def built(self, name, entry):
        if name == "names":
            entry["displayName"] = " ".join(entry[p] for p in PARTS if entry.get(p))
            entry["displayNameLastFirst"] = ", ".join(entry[p] for p in ("familyName", "givenName") if entry.get(p))
            entry["unstructuredName"] = entry["displayName"]
        if name == "phoneNumbers" and entry.get("value", "").startswith("+"):
            entry["canonicalForm"] = re.sub(r"[^+0-9]", "", entry["value"])
        if name == "addresses" and "formattedValue" not in entry:
            entry["formattedValue"] = "\n".join(v for k, v in entry.items() if k in ("streetAddress", "postalCode", "city", "country"))
        if name == "biographies":
            entry.setdefault("contentType", "TEXT_PLAIN")
        if name == "memberships":
            group = entry["contactGroupMembership"]
            entry["contactGroupMembership"] = dict(group, contactGroupId=group["contactGroupResourceName"].rsplit("/", 1)[1])
        if entry.get("type"):
            entry["formattedType"] = entry["type"].capitalize()
        return entry

    def visible_seq(self, when):
        return max([v[1] for c in self.contacts.values() for v in c.versions if v[0] <= when] or [0])


def kill(pid):
    os.kill(pid, 9)


def masked(text, allowed, what):
    fields = [f for f in (text or "").split(",") if f]
    for f in fields:
        if f not in allowed:
            raise bad("Invalid %s mask path: \"%s\"", what, f)
    return fields


class Handler(BaseHTTPRequestHandler):
    world = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    # -- what may be asked --
    def query(self, allowed):
        found = {}
        for name, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query, keep_blank_values=True):
            if name not in allowed:
                self.world.violations.append("unknown query parameter %s of %s" % (name, self.path[:80]))
                raise bad("Invalid JSON payload received. Unknown name \"%s\": Cannot bind query parameter.", name)
            found.setdefault(name, []).append(value)
        for name, values in found.items():
            if name not in ("resourceNames", "sources") and len(values) > 1:
                raise bad("%s is given twice", name)
        return found

    def body_of(self, schema):
        try:
            body = json.loads(self.content or b"{}")
            self.world.schemas.check(body, {"$ref": "#/components/schemas/" + schema}, schema)
            return body
        except ValueError as why:
            self.world.violations.append("no JSON: %s" % why)
            raise bad("Invalid JSON payload received.")
        except Refused as why:
            self.world.violations.append(why.body["error"]["message"])
            raise

    def fields(self, query, name="personFields"):
        fields = masked(query.get(name, [""])[0], READABLE, name)
        if not fields:
            raise bad("%s mask is required. Please specify one or more valid paths.", name)
        return fields

    def sources(self, query):
        for s in query.get("sources", ()):
            if s not in ("READ_SOURCE_TYPE_CONTACT", "READ_SOURCE_TYPE_PROFILE", "READ_SOURCE_TYPE_DOMAIN_CONTACT"):
                raise bad("Invalid value at 'sources': %s", s)
        return "READ_SOURCE_TYPE_PROFILE" in query.get("sources", ("READ_SOURCE_TYPE_PROFILE",))

    def spend(self, *metrics):
        w = self.world
        minute = int(w.clock.now() // 60)
        for metric in metrics:
            w.spent[metric, minute] = w.spent.get((metric, minute), 0) + 1
            if metric in w.quota and w.spent[metric, minute] > w.quota[metric]:
                w.over_quota += 1
                raise rate_limited(w.quota_code, "rateLimitExceeded" if w.quota_code == 403 else "RATE_LIMIT_EXCEEDED")

    # -- reading --
    def connections(self):
        w = self.world
        q = self.query({"personFields", "pageSize", "pageToken", "syncToken", "requestSyncToken", "sources", "sortOrder"})
        fields, profile, size = self.fields(q), self.sources(q), int(q.get("pageSize", ["100"])[0])
        if not 1 <= size <= 1000:
            raise bad("Page size must be between 1 and 1000")
        shape = json.dumps({k: v for k, v in q.items() if k not in ("pageToken", "syncToken")}, sort_keys=True)
        sync = self.read_token(q.get("syncToken", [None])[0], shape, "sync")
        page = self.read_token(q.get("pageToken", [None])[0], shape, "page")
        if page and page["sync"] != q.get("syncToken", [None])[0]:
            raise bad("Page token does not go with this sync token")
        if sync and w.clock.now() - sync["started"] > 7 * DAY:
            raise expired()
        self.spend("read")
        if not sync and not page:
            self.spend("full")
        when = page["when"] if page else w.clock.now() - w.list_lag
        return self.page_of(q, shape, sync, page, fields, profile, min(size, w.page), when)

    def read_token(self, token, shape, kind):
        if not token:
            return None
        try:
            found = json.loads(base64.urlsafe_b64decode(token))
            assert found["kind"] == kind
        except Exception:
            raise bad("Invalid %s token.", kind)
        if found["shape"] != shape:
            self.world.violations.append("the request drifted from its %s token: %s, not %s" % (kind, shape, found["shape"]))
            raise bad("Request parameters must match those of the call that made the %s token.", kind)
        return found

    def make_token(self, **values):
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()

    def page_of(self, q, shape, sync, page, fields, profile, size, when):
        w = self.world
        chosen = []
        for resource, contact in w.contacts.items():
            version = contact.as_of(when)
            if not version or (sync and version[1] <= sync["seq"]) or (not sync and version[2] is None):
                continue
            chosen.append((version[1], resource, contact, version[2]))
        chosen.sort(key=lambda c: c[0], reverse=w.order == "reversed")
        if w.order == "shuffled":
            random.Random(len(chosen)).shuffle(chosen)
        start = page["at"] if page else 0
        if w.empty_pages and not page and chosen:
            return {"nextPageToken": self.next_page(q, shape, 0, when)}
        out = [self.listed(resource, contact, person, fields, profile) for _, resource, contact, person in chosen[start:start + size]]
        answer = {"connections": out} if out else {}
        if not sync:
            answer["totalItems"] = answer["totalPeople"] = len(chosen)
        if start + size < len(chosen):
            answer["nextPageToken"] = self.next_page(q, shape, start + size, when)
        elif q.get("requestSyncToken") == ["true"]:
            answer["nextSyncToken"] = self.make_token(kind="sync", shape=shape, seq=w.visible_seq(when), nonce=len(w.requests),
                                                      started=sync["started"] if sync else w.clock.now())
        return answer

    def next_page(self, q, shape, at, when):
        return self.make_token(kind="page", shape=shape, at=at, when=when, sync=q.get("syncToken", [None])[0])

    def listed(self, resource, contact, person, fields, profile):
        if person is None:
            return {"resourceName": resource, "etag": "%EgQBAgkL", "metadata": {"objectType": "PERSON", "deleted": True, "sources": [
                {"type": "CONTACT", "id": contact.source_id}]}} if "metadata" in fields else {"resourceName": resource}
        shown = self.world.shown(person, fields, contact, profile)
        for name in ("emailAddresses", "phoneNumbers"):
            shown[name] = shown[name][:100] if name in shown else None
            if shown[name] is None:
                del shown[name]
        return shown

    def found(self, resource):
        """As a GET sees it: by its name now or an old one, as old as get_lag says."""
        w = self.world
        contact = w.contacts.get(resource) or next((c for c in w.contacts.values() if resource in c.previous), None)
        version = contact.as_of(w.clock.now() - w.get_lag) if contact else None
        return (contact, version[2]) if version and version[2] else (None, None)

    def batch_get(self):
        q = self.query({"personFields", "resourceNames", "sources"})
        fields, profile, names = self.fields(q), self.sources(q), q.get("resourceNames", [])
        if not 1 <= len(names) <= 200 or len(set(names)) != len(names):
            raise bad("Must request between 1 and 200 different resource names")
        if len(self.path) > 16384:
            raise Refused(414, "INVALID_ARGUMENT", "The requested URL is too large")
        self.spend("read")
        responses = []
        for name in names:
            contact, person = self.found(name)
            if person:
                responses.append({"httpStatusCode": 200, "status": {}, "requestedResourceName": name,
                                  "person": self.world.shown(person, fields, contact, profile)})
            else:
                responses.append({"httpStatusCode": 404, "status": {"code": 5, "message": "Not found"}, "requestedResourceName": name})
        return {"responses": responses}

    def get_person(self, number):
        q = self.query({"personFields", "sources"})
        fields, profile = self.fields(q), self.sources(q)
        contact, person = self.found("people/" + number)
        self.spend("read")
        if not person:
            raise Refused(404, "NOT_FOUND", "Person not found.")
        return self.world.shown(person, fields, contact, profile)

    # -- writing --
    def check_all(self, details, persons):
        """A bad member is an error for all, which names every one of them."""
        bad_ones = {}
        for key, person, mask in persons:
            try:
                self.world.check_person(person, mask)
            except Refused as why:
                bad_ones[key] = why.body["error"]["message"]
        if bad_ones:
            refused = bad("Request contains invalid arguments: %s", next(iter(bad_ones.values())))
            if self.world.blames:
                refused.body["error"]["details"] = [{"@type": "type.googleapis.com/google.people.v1." + details, "contacts": {
                    key: {"status": {"code": 3, "message": message}} for key, message in bad_ones.items()}}]
            raise refused

    def answered(self, resource, person, fields):
        return {"httpStatusCode": 200, "status": {}, "requestedResourceName": resource,
                **({"person": self.world.shown(person, fields, self.world.contacts[person["resourceName"]])} if fields else {})}

    def create_contact(self):
        q = self.query({"personFields", "sources"})
        body, fields = self.body_of("Person"), masked(q.get("personFields", ["metadata"])[0], READABLE, "personFields")
        self.spend("write", "read")
        person = self.world.create(body)
        return self.world.shown(person, fields, self.world.contacts[person["resourceName"]])

    def batch_create(self):
        self.query(())
        body = self.body_of("BatchCreateContactsRequest")
        fields, contacts = masked(body.get("readMask"), READABLE, "readMask"), [c.get("contactPerson", {}) for c in body.get("contacts", ())]
        if not 1 <= len(contacts) <= 200:
            raise bad("Must create between 1 and 200 contacts")
        self.check_all("BatchCreateContactsErrorDetails", ((str(i), p, ()) for i, p in enumerate(contacts)))
        self.world.check_room(len(contacts))
        self.spend("write", *(["read"] if fields else []))
        made = [self.world.create(person) for person in contacts]
        return {"createdPeople": [self.answered(p["resourceName"], p, fields) for p in made]}

    def update_contact(self, number):
        q = self.query({"updatePersonFields", "personFields", "sources"})
        body, mask = self.body_of("Person"), masked(q.get("updatePersonFields", [""])[0], UPDATABLE, "updatePersonFields")
        fields = masked(q.get("personFields", ["metadata"])[0], READABLE, "personFields")
        if not mask:
            raise bad("updatePersonFields mask is required. Please specify one or more valid paths.")
        self.spend("write", "read")
        person = self.world.update("people/" + number, body, mask)
        return self.world.shown(person, fields, self.world.contacts[person["resourceName"]])

    def batch_update(self):
        self.query(())
        w, body = self.world, self.body_of("BatchUpdateContactsRequest")
        fields, mask = masked(body.get("readMask"), READABLE, "readMask"), masked(body.get("updateMask"), UPDATABLE, "updateMask")
        contacts = body.get("contacts", {})
        if not mask or not 1 <= len(contacts) <= 200:
            raise bad("updateMask and between 1 and 200 contacts are required")
        self.check_all("BatchUpdateContactsErrorDetails", ((r, p, mask) for r, p in contacts.items()))
        self.spend("write", *(["read"] if fields else []))
        results, kept = {}, w.keep()
        for resource, person in contacts.items():
            try:
                results[resource] = self.answered(resource, w.update(resource, person, mask), fields)
            except Refused as why:
                if not w.member_status:
                    w.put_back(kept)
                    raise
                error = why.body["error"]
                results[resource] = {"requestedResourceName": resource, "status": {
                    "code": {"FAILED_PRECONDITION": 9, "NOT_FOUND": 5}.get(error["status"], 3), "message": error["message"]}}
        return {"updateResult": results}

    def delete_contact(self, number):
        self.query(())
        resource = "people/" + number
        self.spend("write")
        if resource not in self.world.persons():
            raise Refused(404, "NOT_FOUND", "Requested entity was not found.")
        self.world.remove(resource)
        return {}

    def batch_delete(self):
        self.query(())
        names = self.body_of("BatchDeleteContactsRequest").get("resourceNames", [])
        if not 1 <= len(names) <= 500 or len(set(names)) != len(names):
            raise bad("Must delete between 1 and 500 different contacts")
        self.spend("write")
        there = self.world.persons()
        for name in names:
            if name not in there:
                raise Refused(404, "NOT_FOUND", "Requested entity was not found: %s" % name)
        for name in names:
            self.world.remove(name)
        return {}

    def update_photo(self, number):
        self.query(())
        body = self.body_of("UpdateContactPhotoRequest")
        return self.set_photo(number, base64.b64decode(body.get("photoBytes", ""), validate=True), masked(body.get("personFields"), READABLE, ""),
                              "person")

    def delete_photo(self, number):
        q = self.query({"personFields", "sources"})
        return self.set_photo(number, None, masked(q.get("personFields", [""])[0], READABLE, "personFields"), "person")

    def set_photo(self, number, photo, fields, key):
        w, resource = self.world, "people/" + number
        self.spend("write", *(["read"] if fields else []))
        if resource not in w.persons():
            raise Refused(404, "NOT_FOUND", "Requested entity was not found.")
        if photo is not None and not photo.startswith((b"\xff\xd8", b"\x89PNG", b"GIF8")):
            raise bad("Photo is not an image")
        w.contacts[resource].photo = photo
        w.store(resource, copy.deepcopy(w.contacts[resource].now()))
        return {key: w.shown(w.contacts[resource].now(), fields, w.contacts[resource])} if fields else {}

    # -- groups --
    def shown_group(self, resource):
        return {"resourceName": resource, "etag": "g" + resource[-4:], "formattedName": self.world.groups[resource]["name"],
                **self.world.groups[resource]}

    def list_groups(self):
        self.query({"pageSize", "pageToken", "syncToken", "groupFields"})
        self.spend("read")
        return {"contactGroups": [self.shown_group(r) for r in self.world.groups], "totalItems": len(self.world.groups),
                "nextSyncToken": "groups-1"}

    def create_group(self):
        self.query(())
        name = self.body_of("CreateContactGroupRequest").get("contactGroup", {}).get("name", "")
        self.spend("write")
        if not name.strip():
            raise bad("Contact group name is required")
        if any(g["name"].lower() == name.lower() for g in self.world.groups.values()):
            raise Refused(409, "ALREADY_EXISTS", "Contact group name already exists.")
        return self.shown_group(self.world.add_group(name))

    ROUTES = (
        ("GET", r"/v1/people/me/connections", connections, "ListConnectionsResponse"),
        ("GET", r"/v1/people:batchGet", batch_get, "GetPeopleResponse"),
        ("GET", r"/v1/people/(c?\d+)", get_person, "Person"),
        ("POST", r"/v1/people:createContact", create_contact, "Person"),
        ("POST", r"/v1/people:batchCreateContacts", batch_create, "BatchCreateContactsResponse"),
        ("PATCH", r"/v1/people/(c?\d+):updateContact", update_contact, "Person"),
        ("POST", r"/v1/people:batchUpdateContacts", batch_update, "BatchUpdateContactsResponse"),
        ("DELETE", r"/v1/people/(c?\d+):deleteContact", delete_contact, "Empty"),
        ("POST", r"/v1/people:batchDeleteContacts", batch_delete, "Empty"),
        ("PATCH", r"/v1/people/(c?\d+):updateContactPhoto", update_photo, "UpdateContactPhotoResponse"),
        ("DELETE", r"/v1/people/(c?\d+):deleteContactPhoto", delete_photo, "DeleteContactPhotoResponse"),
        ("GET", r"/v1/contactGroups", list_groups, "ListContactGroupsResponse"),
        ("POST", r"/v1/contactGroups", create_group, "ContactGroup"),
    )

    # -- one request --
    def photo(self, path):
        w = self.world
        if self.headers.get("Authorization"):
            w.violations.append("the token was sent to where pictures lie")
        contact = next((c for c in w.contacts.values() if c.source_id == path.rsplit("/", 1)[1]), None)
        if not contact or not contact.photo:
            return self.send(404, {"Content-Type": "text/plain"}, b"no picture")
        return self.send(200, {"Content-Type": "image/jpeg"}, contact.photo)

    def check_sign_in(self):
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if kind != "Bearer":
            self.world.violations.append("no bearer token: %s" % self.path[:80])
        if kind != "Bearer" or self.world.tokens.get(token, 0) < self.world.clock.now():
            raise Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def carry_out(self, path):
        for method, pattern, function, schema in self.ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                if self.content and not (self.headers.get("Content-Type") or "").startswith("application/json"):
                    self.world.violations.append("body without its type: %s" % self.path[:80])
                with self.world.lock:
                    answer = function(self, *match.groups())
                self.world.schemas.check(answer, {"$ref": "#/components/schemas/" + schema}, schema)
                return 200, answer
        self.world.violations.append("no such method: %s %s" % (self.command, path))
        raise Refused(404, "NOT_FOUND", "Method not found.")

    def enter(self):
        w = self.world
        with w.lock:
            if self.command != "GET":
                w.writing += 1
                if w.writing > 1:
                    w.violations.append("two writes of one user at once")
            w.clock.advance(w.latency)

    def leave(self):
        if self.command != "GET":
            with self.world.lock:
                self.world.writing -= 1

    def handle_request(self):
        w, path = self.world, urllib.parse.urlsplit(self.path).path
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path.startswith("/photo/"):
            return self.photo(path)
        request = (self.command, self.path, self.content)
        with w.lock:
            number = len(w.requests)
            w.requests.append(request)
        self.enter()
        try:
            answer = w.at("arrived", number, request)
            if answer is None:
                try:
                    self.check_sign_in()
                    status, body = self.carry_out(path)
                    answer = status, {}, body
                except Refused as why:
                    answer = why.code, {"Retry-After": str(why.retry_after)} if why.retry_after is not None else {}, why.body
                answer = w.at("done", number, request) or answer
        finally:
            self.leave()
        return self.answer(answer, number, request)

    def answer(self, answer, number, request):
        if answer == "cut":
            self.close_connection = True
            return None
        if isinstance(answer, Refused):
            answer = answer.code, {"Retry-After": str(answer.retry_after)} if answer.retry_after is not None else {}, answer.body
        status, headers, body = answer
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=UTF-8", **headers}
        if self.world.gzip and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            import gzip
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        return self.send(status, headers, data, number, request)

    def send(self, status, headers, data, number=None, request=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        half = len(data) // 2
        self.wfile.write(data[:half])
        self.wfile.flush()
        if request and self.world.at("half", number, request) == "cut":
            self.close_connection = True
            return
        self.wfile.write(data[half:])

    def run_one(self):
        try:
            self.handle_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as why:  # the emulator itself is wrong: no test may pass over that
            self.world.violations.append("emulator: %r" % why)
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = run_one


if __name__ == "__main__":
    world = People()
    print("%s token %s" % (world.url, world.password), flush=True)
    sys.stdin.read()
