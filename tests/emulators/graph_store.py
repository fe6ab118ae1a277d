"""A mailbox of the Graph emulator (microsoft_graph.py): folders, contacts with their two kinds of ids, pictures, extended properties, and the
log of changes that delta reads from (graph_delta.py)."""

import base64
import collections
import copy
import hashlib
import time

import graph_rules as rules
from graph_rules import NAMES, Refused, missing

RESCALED = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00rescaled:"
FOLDERS = "folders"  # the log's place for changes of folders themselves

# One change of one thing in one place. kind: "set" or "removed" (then reason). fields: what changed, None: all. snapshot: how it was then.
Change = collections.namedtuple("Change", "seq time place key kind reason fields snapshot")


class Folder:
    def __init__(self, folder_id, name, parent):
        self.id, self.name, self.parent, self.can_write = folder_id, name, parent, True

    def snapshot(self):
        return {"id": self.id, "displayName": self.name, "parentFolderId": self.parent}


class Contact:
    """`id` is the immutable one, `place_id` the one that a move changes."""

    def __init__(self, immutable, place_id, folder, is_list=False):
        self.id, self.place_id, self.folder, self.is_list = immutable, place_id, folder, is_list
        self.fields, self.extended, self.photo, self.change_key = {}, {}, None, None
        self.created = self.modified = 0

    def etag(self):
        return 'W/"%s"' % self.change_key


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def rescaled(photo):
    return photo if photo.startswith(RESCALED) else RESCALED + photo


class Mailbox:
    """Switches: limits, text_limit, given_name_required, recalculate (displayName and fileAs follow the names), merge_addresses (an address in
    a PATCH changes its members only), birthday_time ("11:59:00": how a birthday's time comes back; None: as sent), keeps_birthday (null
    does not clear it), photo_changes_etag, removed_reason ("deleted", "changed", "mixed"), filter_delay (seconds until $filter finds a new
    contact), banned (a text that is refused for reasons of its own), deleted_readable (True, or "with its etag": a deleted contact is still
    had by its id, in a folder that no list shows), writable, enabled."""

    def __init__(self, clock, upn):
        self.clock, self.upn = clock, upn
        digest = hashlib.sha256(upn.encode()).hexdigest()
        self.id = "%s-%s-%s-%s-%s" % (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
        self.seq, self.born, self.log, self.contacts, self.deleted = 0, collections.Counter(), [], {}, {}
        self.links, self.generations = {}, {}
        self.limits, self.text_limit, self.given_name_required, self.recalculate = dict(rules.LIMITS), 255, False, True
        self.merge_addresses, self.birthday_time, self.keeps_birthday, self.photo_changes_etag = True, None, False, True
        self.removed_reason, self.filter_delay, self.writable, self.enabled = "mixed", 0, True, True
        self.banned, self.deleted_readable, self.trash = None, False, "AQMkADAwATM0trash" + digest[:40] + "AAAAIBCgAAAA=="
        self.root = "AQMkADAwATM0root" + digest[:40] + "AAAAIBCAAAAA=="
        self.folders = {}
        self.default = self.make_folder("Kontakte", self.root, logged=False)

    KEPT = ("seq", "born", "log", "contacts", "deleted", "links", "generations", "folders")

    def keep(self):
        return copy.deepcopy({k: getattr(self, k) for k in self.KEPT})

    def restore(self, kept):
        for key, value in copy.deepcopy(kept).items():
            setattr(self, key, value)

    # -- ids, as long as the real ones, and two of them differ by case only --
    def new_id(self, kind):
        self.born[kind] += 1
        digest = hashlib.sha512(("%s %s %d" % (self.upn, kind, self.born[kind] // 2)).encode()).digest()
        body = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return {"folder": "AAMk", "immutable": "AAkA", "place": "AQMk"}[kind] + body + ("Aa" if self.born[kind] % 2 else "AA") + "="

    def next_key(self):
        self.seq += 1
        return "EQAAABYAAAC" + base64.b64encode(hashlib.md5(b"%s %d" % (self.upn.encode(), self.seq)).digest() + b"%06d" % self.seq).decode()

    # -- folders --
    def make_folder(self, name, parent, logged=True):
        folder = Folder(self.new_id("folder"), name, parent)
        self.folders[folder.id] = folder
        self.seq += 1
        if logged:
            self.note(FOLDERS, folder.id, "set", None, folder.snapshot())
        return folder.id

    def below(self, parent):
        return [f for f in self.folders.values() if f.parent == parent]

    def folder(self, folder_id):
        if folder_id not in self.folders:
            raise missing("The specified folder could not be found in the store.")
        return self.folders[folder_id]

    def rename_folder(self, folder_id, name):
        self.folders[folder_id].name = name
        self.seq += 1
        self.note(FOLDERS, folder_id, "set", {"displayName"}, self.folders[folder_id].snapshot())

    def remove_folder(self, folder_id):
        for child in self.below(folder_id):
            self.remove_folder(child.id)
        for contact in [c for c in self.contacts.values() if c.folder == folder_id]:
            self.remove(contact)
        del self.folders[folder_id]
        self.seq += 1
        self.note(FOLDERS, folder_id, "removed", None, {"id": folder_id})

    # -- the log --
    def note(self, place, key, kind, fields, snapshot, reason=None):
        self.log.append(Change(self.seq, self.clock.now(), place, key, kind, reason, fields, snapshot))

    def snapshot(self, contact):
        """Everything an answer may tell of it; not changed any more, for the log keeps it."""
        return {**{n: contact.fields.get(n, rules.empty(n)) for n in rules.FIELDS}, "id": contact.id, "place_id": contact.place_id,
                "@odata.etag": contact.etag(), "changeKey": contact.change_key, "createdDateTime": stamp(contact.created),
                "lastModifiedDateTime": stamp(contact.modified), "parentFolderId": contact.folder}

    def written(self, contact, fields):
        contact.change_key, contact.modified = self.next_key(), self.clock.now()
        (self.deleted if contact.folder == self.trash else self.contacts)[contact.id] = contact
        self.note(contact.folder, contact.id, "set", fields, self.snapshot(contact))

    def reason(self):
        return self.removed_reason if self.removed_reason != "mixed" else ("deleted", "changed")[self.born["removal"] % 2]

    def left(self, contact):
        self.seq += 1
        self.born["removal"] += 1
        self.note(contact.folder, contact.id, "removed", None, self.snapshot(contact), self.reason())

    # -- contacts --
    def in_folder(self, folder_id):
        self.folder(folder_id)
        return [c for c in self.contacts.values() if c.folder == folder_id]

    def find(self, contact_id):
        """By either kind of id, whose case counts."""
        for held in (self.contacts, self.deleted if self.deleted_readable else {}):
            found = held.get(contact_id) or next((c for c in held.values() if c.place_id == contact_id), None)
            if found:
                return found
        raise missing()

    def create(self, folder_id, body):
        rules.check_body(body, self.limits, self.text_limit)
        if self.given_name_required and not body.get("givenName"):
            raise Refused(400, "ErrorInvalidProperty", "The property 'GivenName' is required when creating the entity.")
        contact = Contact(self.new_id("immutable"), self.new_id("place"), self.folder(folder_id).id)
        contact.created = self.clock.now()
        self.apply(contact, body)
        self.written(contact, None)
        return contact

    def apply(self, contact, body):
        """The names of the fields that changed."""
        if self.banned and self.banned in " ".join(rules.texts_of(body)):
            raise Refused(400, "ErrorInvalidProperty", "The value is not valid.")
        before = contact.fields
        fields = dict(before)
        for name, value in body.items():
            if name in rules.FIELDS:
                fields[name] = self.stored(name, value, before.get(name))
        if self.recalculate or not before:
            self.derive(fields, before, body)
        contact.fields = fields
        contact.extended = {k: v for k, v in {**contact.extended, **rules.extended_of(body)}.items() if v is not None}
        return {n for n in rules.FIELDS if fields.get(n, rules.empty(n)) != before.get(n, rules.empty(n))}

    def stored(self, name, value, before):
        if name == "birthday":
            if value is None and self.keeps_birthday:
                return before
            value = rules.stored_value(name, value)
            return value[:11] + self.birthday_time + "Z" if value and self.birthday_time else value
        if name in rules.ADDRESSES and self.merge_addresses:
            value = {**(before or {}), **value}
        return rules.stored_value(name, value)

    def derive(self, fields, before, body):
        shown, filed = rules.derived(fields)
        named = any(fields.get(n) != before.get(n) for n in NAMES)
        for name, value in (("displayName", shown), ("fileAs", filed)):
            if name not in body and (named or not fields.get(name)):
                fields[name] = value

    def update(self, contact, body):
        rules.check_body(body, self.limits, self.text_limit)
        changed = self.apply(contact, body)
        self.written(contact, changed)
        return contact

    def remove(self, contact):
        """Into Deleted Items, or out of them for good."""
        if self.contacts.pop(contact.id, None) is None:
            del self.deleted[contact.id]
            return
        self.left(contact)
        contact.was_in, contact.folder = contact.folder, self.trash
        if self.deleted_readable != "with its etag":
            contact.change_key = self.next_key()
        self.deleted[contact.id] = contact

    def move(self, contact, folder_id):
        self.left(contact)
        contact.folder, contact.place_id = self.folder(folder_id).id, self.new_id("place")
        self.written(contact, None)

    def put_back(self, contact):
        """A person takes it out of Deleted Items."""
        del self.deleted[contact.id]
        contact.folder, contact.place_id = contact.was_in, self.new_id("place")
        self.written(contact, None)

    def set_photo(self, contact, photo):
        """A picture's change alone is not announced."""
        contact.photo = rescaled(photo) if photo else None
        if self.photo_changes_etag:
            contact.change_key = self.next_key()

    def found_by(self, folder_id, prop, value):
        """By an extended property: its value compares without case, and new ones may take their time."""
        ripe = self.clock.now() - self.filter_delay
        return [c for c in self.in_folder(folder_id)
                if prop in c.extended and c.extended[prop].lower() == value.lower() and c.created <= ripe]
