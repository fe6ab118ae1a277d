"""The calls of Graph that concern contacts, one at a time, each of a request's own or a part of a batch: which exist, what they may ask, and
what they answer (microsoft_graph.py has the world, graph_http.py the wire)."""

import base64
import json
import re
import urllib.parse

import graph_rules as rules
from graph_rules import API, Refused, missing, wrong
from graph_store import FOLDERS
from openapi import Mismatch

FOLDER_LIST, CONTACT_LIST = "/me/contactFolders", "/me/contactFolders/{f}/contacts"
CONTACT, DELTA = "/me/contacts/{c}", "/me/contactFolders/{f}/contacts/delta"
METADATA = "https://graph.microsoft.com/v1.0/$metadata#"


def as_json(data):
    def once(pairs):
        names = [n for n, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError("a name twice")
        return dict(pairs)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except ValueError as why:
        raise wrong("Unable to read JSON request payload: %s" % why, "BadRequest") from None


class Call:
    """method, url (path and query below the version), headers (lower case names), body: bytes, or what a batch part holds."""

    def __init__(self, world, grant, method, url, headers, body, in_batch=False):
        self.world, self.grant, self.method, self.url, self.headers, self.body = world, grant, method, url, headers, body
        self.in_batch, self.prefer = in_batch, {}
        path, _, query = url.partition("?")
        self.path = re.sub(r"\('([^']*)'\)", r"/\1", urllib.parse.unquote(path))
        self.query = self.parse(query)

    def parse(self, query):
        found = {}
        for pair in query.split("&") if query else ():
            name, _, value = pair.partition("=")
            name, value = urllib.parse.unquote(name), urllib.parse.unquote(value)
            if name in found:
                raise wrong("Query option '%s' was specified more than once" % name, "BadRequest")
            found[name] = value
        return found

    # -- what a call may ask --
    def options(self, *allowed, template=None):
        allowed = set(allowed) if template is None else API.options(template)
        for name in self.query:
            if name not in allowed:
                raise wrong("The query parameter '%s' is not supported: %s" % (name, self.url[:120]), "BadRequest")

    def number(self, name, default, most=1000):
        text = self.query.get(name, str(default))
        if not text.isdigit() or not (0 if name == "$skip" else 1) <= int(text) <= (most if name == "$top" else 1 << 30):
            raise wrong("Invalid value '%s' for %s" % (text, name), "BadRequest")
        return int(text)

    def json_body(self):
        kind = self.headers.get("content-type", "").replace(" ", "").lower()
        if kind.split(";")[0] != "application/json":
            raise wrong("A body needs its Content-Type: %s %s has %r" % (self.method, self.path[-40:], kind), "RequestBodyRead", 415)
        return self.body if self.in_batch else as_json(self.body)

    def binary_body(self):
        kind = self.headers.get("content-type", "").lower()
        if kind != "image/jpeg":
            raise wrong("A photo needs Content-Type image/jpeg, not %r" % kind, "ErrorInvalidArgument")
        if not self.in_batch:
            return self.body
        try:
            return base64.b64decode(self.body or "", validate=True)
        except (TypeError, ValueError):
            raise wrong("The body of a batch part that is no JSON must be base64", "BadRequest") from None

    def immutable(self):
        return (self.prefer.get("idtype") or "").lower() == "immutableid"

    def if_match(self, contact):
        tag = self.headers.get("if-match")
        if tag is None:
            if self.world.need_if_match:
                self.world.violate("%s without If-Match: %s" % (self.method, self.path))
            return
        if tag != "*" and not re.fullmatch(r'W/"[^"]+"', tag):
            self.world.violate("If-Match is no etag of Graph: %s" % tag)
        if self.world.if_match == "honoured" and tag not in ("*", contact.etag()):
            raise Refused(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed "
                                                            "in the request does not match the current change key for the item.")

    def mailbox(self, who):
        w, grant = self.world, self.grant
        if who == "/me":
            if grant.mailbox is None:
                raise wrong("/me request is only valid with delegated authentication flow.", "BadRequest")
            box = w.mailboxes[grant.mailbox]
        else:
            name = who[len("/users/"):].lower()
            box = w.mailboxes.get(name) or next((b for b in w.mailboxes.values() if b.id == name), None)
            if box is None:
                raise Refused(404, "ErrorInvalidUser", "The requested user '%s' is invalid." % name)
            own = grant.mailbox == box.upn or (grant.mailbox is not None and "Contacts.ReadWrite.Shared" in grant.scopes)
            if not own and (grant.mailbox is not None or (w.scoped is not None and box.upn not in w.scoped)):
                raise denied()
        if not box.enabled:
            raise Refused(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
        return box

    def may(self, box):
        scopes, write = self.grant.scopes, self.method != "GET" and not self.path.endswith("/translateExchangeIds")
        if "Contacts.ReadWrite" not in scopes and (write or "Contacts.Read" not in scopes):
            raise denied()
        if write and not box.writable:
            raise denied()

    # -- how things are told --
    def shown(self, snapshot, select=None, fields=None, expand=(), extended=None):
        names = select or sorted(rules.SELECTABLE - set(rules.TYPED_MAILS))
        told = {"@odata.etag": snapshot["@odata.etag"], "id": snapshot["id"] if self.immutable() else snapshot["place_id"]}
        for name in names:
            if name in rules.TYPED_MAILS:
                number = rules.TYPED_MAILS.index(name)
                if len(snapshot["emailAddresses"]) > number:
                    told[name] = snapshot["emailAddresses"][number]
            elif name != "id" and (fields is None or name in fields or name == "lastModifiedDateTime"):
                told[name] = snapshot[name]
        found = [{"id": i, "value": extended[i]} for i in expand if extended and i in extended]
        return {**told, **({"singleValueExtendedProperties": found} if found else {})}

    def shown_contact(self, contact, select=None, expand=()):
        return self.shown(self.box.snapshot(contact), select, None, expand, contact.extended)

    def shown_folder(self, snapshot, select=None):
        return {n: snapshot[n] for n in snapshot if not select or n in select or n == "id"}

    def link(self, tail):
        return "%sv1.0%s" % (self.world.link_base or self.world.url, tail)

    def select(self, allowed=rules.SELECTABLE):
        return rules.chosen(self.query.get("$select"), allowed)

    # -- folders --
    def list_folders(self, parent=None):
        self.options(template=FOLDER_LIST)
        select, found = self.select(rules.FOLDER_FIELDS), self.box.below(self.resolve(parent) if parent else self.box.default)
        return self.listed([self.shown_folder(f.snapshot(), select) for f in found], FOLDER_LIST, 10)

    def listed(self, items, template, default, **more):
        """A page of a list, by $top and $skip."""
        skip, top = self.number("$skip", 0), self.number("$top", default)
        body = {"@odata.context": METADATA + "Collection", **more, "value": items[skip:skip + top]}
        if skip + top < len(items):
            query = "&".join("%s=%s" % (n, urllib.parse.quote(v, safe="$")) for n, v in {**self.query, "$skip": str(skip + top)}.items())
            body["@odata.nextLink"] = self.link(self.url.partition("?")[0] + "?" + query)
        return 200, body, (template, "get")

    def resolve(self, name):
        if name.lower() == "contacts" and self.world.well_known_name:
            return self.box.default
        if name.lower() == "contacts":  # nobody knows for sure, so it may be tried
            raise Refused(400, "ErrorInvalidIdMalformed", "Id is malformed.")
        if len(name) < 40:
            raise wrong("Id is malformed: %s" % name, "ErrorInvalidIdMalformed")
        return self.box.folder(name).id

    def get_folder(self, name):
        self.options("$select")
        return 200, self.shown_folder(self.box.folder(self.resolve(name)).snapshot(), self.select(rules.FOLDER_FIELDS)), "contactFolder"

    def create_folder(self, parent=None):
        self.options()
        body, parent = self.json_body(), self.resolve(parent) if parent else self.box.default
        if not isinstance(body, dict) or not isinstance(body.get("displayName"), str) or set(body) - {"displayName", "parentFolderId"}:
            raise wrong("A folder is made by its displayName: %s" % json.dumps(body)[:80])
        if any(f.name.lower() == body["displayName"].lower() for f in self.box.below(parent)):
            raise Refused(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        return 201, self.shown_folder(self.box.folders[self.box.make_folder(body["displayName"], parent)].snapshot()), "contactFolder"

    def folder_delta(self):
        return self.delta(FOLDERS, lambda item, select: self.shown_folder(item.snapshot, select), None, rules.FOLDER_FIELDS)

    # -- lists of contacts --
    def place(self, folder):
        found = self.resolve(folder) if folder else self.box.default
        return self.box.folder(found).id

    def list_contacts(self, folder=None):
        self.options(template=CONTACT_LIST)
        place, select = self.place(folder), self.select()
        expand = rules.expanded(self.query["$expand"]) if "$expand" in self.query else ()
        found = [c for c in self.box.in_folder(place) if not c.is_list]
        if "$filter" in self.query:
            found = self.box.found_by(place, *rules.filtered(self.query["$filter"]))
        if "$orderby" in self.query:
            if self.query["$orderby"] not in ("displayName", "givenName", "surname", "createdDateTime", "lastModifiedDateTime"):
                raise wrong("$orderby %s is not supported" % self.query["$orderby"], "BadRequest")
            found.sort(key=lambda c: self.box.snapshot(c)[self.query["$orderby"]] or "")
        more = {"@odata.count": len(self.box.in_folder(place))} if self.query.get("$count") == "true" else {}
        return self.listed([self.shown_contact(c, select, expand) for c in found], CONTACT_LIST, 10, **more)

    def count_contacts(self, folder=None):
        self.options()
        return 200, str(len(self.box.in_folder(self.place(folder)))).encode(), "text/plain"

    def contact_delta(self, folder=None):
        place = self.place(folder)
        return self.delta(place, lambda item, select: self.shown(item.snapshot, select, item.fields), CONTACT_LIST, rules.SELECTABLE)

    def delta(self, place, show, template, selectable):
        if "$expand" in self.query:
            raise Refused(500, "ErrorInternalServerError", "An internal server error occurred. The operation failed.", "$expand in delta")
        self.options(template=DELTA)
        select = self.select(selectable)
        if select and any("token=" in n and v for n, v in self.query.items()):
            raise wrong("a link of delta was altered: $select beside its token", "BadRequest")
        size = self.prefer.get("odata.maxpagesize") or "50"
        if not size.isdigit() or not int(size):
            raise wrong("odata.maxpagesize is no number: %s" % size, "BadRequest")
        items, link, select = self.world.delta.answer(self.box, place, self.url, self.url.partition("?")[0], select, int(size),
                                                      self.world.clock.now())
        value = [self.removed(i) if i.removed else show(i, select) for i in items]
        return 200, {"@odata.context": METADATA + "Collection(delta)", **{n: self.link(p) for n, p in link.items()},
                     "value": value}, template and (template, "get")

    def removed(self, item):
        return {"@removed": {"reason": item.removed},
                "id": item.key if self.immutable() or "place_id" not in item.snapshot else item.snapshot["place_id"]}

    # -- single contacts --
    def get_contact(self, contact):
        self.options(template=CONTACT)
        expand = rules.expanded(self.query["$expand"]) if "$expand" in self.query else ()
        return 200, self.shown_contact(self.box.find(contact), self.select(), expand), "contact"

    def create_contact(self, folder=None):
        self.options()
        place = self.place(folder)
        if not self.box.folders[place].can_write:
            raise denied()
        return 201, self.shown_contact(self.box.create(place, self.json_body())), "contact"

    def update_contact(self, contact):
        self.options()
        found = self.writable(contact)
        body = self.json_body()
        self.if_match(found)
        return 200, self.shown_contact(self.box.update(found, body)), "contact"

    def delete_contact(self, contact):
        self.options()
        if self.body:
            self.world.violate("DELETE with a body")
        found = self.writable(contact)
        self.if_match(found)
        self.box.remove(found)
        return 204, None, None

    def writable(self, contact):
        found = self.box.find(contact)
        if found.folder in self.box.folders and not self.box.folders[found.folder].can_write:
            raise denied()
        return found

    def no_such_method(self, *_):
        raise Refused(405, "ErrorInvalidRequest", "The OData request is not supported.", "%s on a collection: %s" % (self.method, self.path))

    # -- pictures --
    def photo_of(self, contact):
        found = self.box.find(contact)
        if found.photo is None:
            raise missing("The specified object was not found in the store., The photo wasn't found.")
        return found.photo

    def photo_facts(self, contact):
        self.options()
        photo = self.photo_of(contact)
        return 200, {"@odata.context": METADATA + "profilePhoto", "@odata.mediaContentType": "image/jpeg",
                     "@odata.mediaEtag": '"%08X"' % (hash(photo) & 0xFFFFFFFF), "id": "240X240", "width": 240, "height": 240}, None

    def photo(self, contact):
        self.options()
        return 200, self.photo_of(contact), "image/jpeg"

    def set_photo(self, contact):
        self.options()
        found, data = self.writable(contact), self.binary_body()
        if len(data) > 4 << 20:
            raise Refused(413, "ErrorMessageSizeExceeded", "The photo is too large.")
        if not data.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8")):
            raise Refused(400, "ErrorInvalidImage", "The data is no picture.")
        self.box.set_photo(found, data)
        return 200, None, None

    def delete_photo(self, contact):
        self.options()
        found = self.writable(contact)
        if not self.world.photo_delete:
            raise Refused(405, "ErrorMethodNotAllowed", "The OData request is not supported.")
        self.box.set_photo(found, None)
        return 204, None, None

    # -- the rest --
    def translate(self):
        self.options()
        body = self.json_body()
        ids = body.get("inputIds") if isinstance(body, dict) else None
        kinds = {"restId": "place_id", "restImmutableEntryId": "id"}
        if not isinstance(ids, list) or not 1 <= len(ids) <= 1000 or {body.get("sourceIdType"), body.get("targetIdType")} - set(kinds):
            raise wrong("translateExchangeIds takes inputIds (1 to 1,000), sourceIdType and targetIdType")
        found = [(i, self.box.find(i)) for i in ids]
        return 200, {"value": [{"sourceId": i, "targetId": getattr(c, kinds[body["targetIdType"]])} for i, c in found]}, None

    def whose(self):
        """The mailbox's owner: not a thing that Contacts.ReadWrite may read."""
        self.options("$select")
        if "User.Read" not in self.grant.scopes:
            raise Refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        all_of_it = {"id": self.box.id, "displayName": self.box.upn.split("@")[0], "mail": self.box.upn, "userPrincipalName": self.box.upn}
        select = self.select(set(all_of_it))
        return 200, {k: v for k, v in all_of_it.items() if not select or k in select}, None

    F, C = r"/contactFolders/([^/]+)", r"(?:/contactFolders/[^/]+)?/contacts/([^/]+)"
    IN = r"(?:/contactFolders/([^/]+))?/contacts"
    ROUTES = (
        ("GET", r"/contactFolders", list_folders), ("POST", r"/contactFolders", create_folder), ("GET", r"/contactFolders/delta", folder_delta),
        ("GET", F + r"/childFolders", list_folders), ("POST", F + r"/childFolders", create_folder), ("GET", F, get_folder),
        ("GET", IN, list_contacts), ("POST", IN, create_contact), ("GET", IN + r"/delta", contact_delta), ("GET", IN + r"/\$count", count_contacts),
        ("GET", C, get_contact), ("PATCH", C, update_contact), ("DELETE", C, delete_contact), ("PATCH|PUT|DELETE", IN, no_such_method),
        ("GET", C + r"/photo", photo_facts), ("GET", C + r"/photo/\$value", photo), ("PUT|PATCH", C + r"/photo/\$value", set_photo),
        ("DELETE", C + r"/photo(?:/\$value)?", delete_photo), ("POST", r"/translateExchangeIds", translate), ("GET", r"", whose),
    )

    # -- carrying one out --
    def run(self):
        """(status, headers, body)"""
        found = re.fullmatch(r"(/me|/users/[^/]+)(/.*)?", self.path)
        if not found:
            raise wrong("Resource not found for the segment '%s'." % self.path[:60], "BadRequest")
        self.prefer = rules.preferences(self.headers.get("prefer"))
        for method, pattern, function in self.ROUTES:
            match = re.fullmatch(pattern, found.group(2) or "")
            if match and re.fullmatch(method, self.method):
                self.box = self.mailbox(found.group(1))
                if function is not Call.whose:
                    self.may(self.box)
                    self.check_ids()
                with self.world.lock:
                    status, body, kind = function(self, *match.groups())
                return self.finish(status, body, kind)
        raise Refused(404, "BadRequest", "Resource not found.", "there is no call %s %s" % (self.method, self.path))

    def check_ids(self):
        if self.world.need_immutable and not self.immutable():
            self.world.violate("no Prefer: IdType=\"ImmutableId\" in %s %s" % (self.method, self.path[-80:]))

    def finish(self, status, body, kind):
        """kind: a schema's name, a path's and method's, a media type, or None."""
        headers = {}
        if self.prefer:
            known = [("IdType", "idtype", '"ImmutableId"'), ("odata.maxpagesize", "odata.maxpagesize", None)]
            headers["Preference-Applied"] = ", ".join("%s=%s" % (n, v or self.prefer[k]) for n, k, v in known if k in self.prefer)
        if isinstance(body, dict) and "@odata.etag" in body:
            headers["ETag"] = body["@odata.etag"]
        schema = API.answer(*kind, status) if isinstance(kind, tuple) else kind if isinstance(body, dict) else None
        if schema:
            try:
                API.check(body, schema, "answer")
            except Mismatch as why:
                self.world.violate("emulator: %s" % why)
        if isinstance(body, bytes):
            headers["Content-Type"] = kind
        return status, headers, body


def denied():
    return Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
