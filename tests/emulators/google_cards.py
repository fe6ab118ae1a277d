"""The emulated Google account behind the face of a CardDAV server of tests/e2e/servers.py: cards go in and come out, so that the cases
written for CardDAV run against it. Its reading of cards is no part of the program, and not made from it."""

import base64
import re
import threading

from google_people import Handler, People
from listener import CountingListener

PHONES = {("CELL",): "mobile", ("WORK",): "work", ("HOME",): "home", ("FAX", "WORK"): "workFax", ("FAX", "HOME"): "homeFax", (): None}
PLACES = {("WORK",): "work", ("HOME",): "home", (): None}
ADDRESS = ("poBox", "extendedAddress", "streetAddress", "city", "region", "postalCode", "country")
NAME = ("familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")


def plain(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m.group(1) in "nN" else m.group(1), text)


def escaped(text):
    return re.sub(r"([\\,;])", r"\\\1", text).replace("\n", "\\n")


def parts(text, sep):
    return [plain(p) for p in re.split(r"(?<!\\)" + sep, text)]


def typed(entry, kind):
    return dict(entry, type=kind) if kind else entry


class Google(People):
    def make_book(self, name, cards=None):
        for path, text in (cards or {}).items():
            self.put(path, text)
        return ""

    def person_of(self, text):
        lines = [re.match(r"(?:(\w+)\.)?([^;:]+)((?:;[^:]*)?):(.*)$", l) for l in re.sub(r"\r?\n[ \t]", "", text).splitlines()]
        labels = {m.group(1): m.group(4) for m in lines if m and m.group(2).upper() == "X-ABLABEL"}
        person, uid = {}, None
        for m in filter(None, lines):
            name, value = m.group(2).upper(), m.group(4)
            types = tuple(sorted(t for p in re.findall(r"TYPE=([^;:]*)", m.group(3).upper()) for t in p.split(",")
                                 if t not in ("VOICE", "INTERNET", "PREF")))
            add = lambda field, entry: person.setdefault(field, []).append(entry)
            if name == "UID":
                uid = value
            elif name == "N":
                entry = {k: v for k, v in zip(NAME, parts(value, ";")) if v}
                person.update(names=[entry] if entry else [])
            elif name in ("TEL", "EMAIL", "URL"):
                field, kinds = {"TEL": ("phoneNumbers", PHONES), "EMAIL": ("emailAddresses", PLACES), "URL": ("urls", PLACES)}[name]
                add(field, typed({"value": plain(value)}, labels.get(m.group(1)) or kinds[types]))
            elif name == "ADR":
                add("addresses", typed({k: v for k, v in zip(ADDRESS, parts(value, ";")) if v}, PLACES[types]))
            elif name in ("ORG", "TITLE", "ROLE"):
                one = person.setdefault("organizations", [{}])[0]
                keys = {"ORG": ("name", "department"), "TITLE": ("title",), "ROLE": ("jobDescription",)}[name]
                one.update({k: v for k, v in zip(keys, parts(value, ";") if name == "ORG" else [plain(value)]) if v})
            elif name == "BDAY":
                person["birthdays"] = [{"date": dict(zip(("year", "month", "day"), map(int, value.split("-"))))}]
            elif name == "NOTE":
                person["biographies"] = [{"value": plain(value)}]
            elif name == "NICKNAME":
                person["nicknames"] = [{"value": v} for v in parts(value, ",")]
            elif name == "CATEGORIES":
                person["memberships"] = [self.member("contactGroups/myContacts")] + [self.member(self.group(c)) for c in parts(value, ",")]
        return person, uid

    def member(self, resource):
        return {"contactGroupMembership": {"contactGroupResourceName": resource}}

    def group(self, name):
        found = [r for r, g in self.groups.items() if g["name"] == name and g["groupType"] == "USER_CONTACT_GROUP"]
        return found[0] if found else self.add_group(name)

    def put(self, path, text, **_headers):
        person, uid = self.person_of(text)
        if path in self.contacts:
            old = self.contacts[path].now()
            gone = [f for f in old if isinstance(old[f], list) and f not in person and f not in ("clientData", "memberships")]
            self.edit(path, **person, **{f: [] for f in gone})
        else:
            self.add(dict(person, clientData=[{"key": "abgleich-uid", "value": uid}]))

    def request(self, method, path, body=None, headers=()):
        if method != "DELETE":
            return 405, {}, b""
        self.remove(path)
        return 204, {}, b""

    def cards(self, _book):
        return {resource: self.card_of(person, self.contacts[resource].photo) for resource, person in self.persons().items()}

    def card_of(self, p, photo=None):
        uid = [d["value"] for d in p.get("clientData", ()) if d["key"] == "abgleich-uid"]
        lines, name = ["BEGIN:VCARD", "VERSION:3.0", "UID:" + (uid or [p["metadata"]["sources"][0]["id"]])[0]], p.get("names", [{}])[0]
        lines.append("N:" + ";".join(escaped(name.get(k, "")) for k in NAME))
        lines.append("FN:" + escaped(" ".join(name[k] for k in ("honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix")
                                              if k in name)))
        number = 0
        for field, prop, kinds in (("phoneNumbers", "TEL", PHONES), ("emailAddresses", "EMAIL", PLACES), ("urls", "URL", PLACES)):
            for e in p.get(field, ()):
                words = [k for k, v in kinds.items() if v == e.get("type")]
                if words:
                    lines.append(prop + (";TYPE=" + ",".join(words[0]) if words[0] else "") + ":" + e["value"])
                else:
                    number += 1
                    lines += ["item%d.%s:%s" % (number, prop, e["value"]), "item%d.X-ABLabel:%s" % (number, e["type"])]
        for e in p.get("addresses", ()):
            lines.append("ADR%s:" % (";TYPE=" + e["type"].upper() if "type" in e else "") + ";".join(escaped(e.get(k, "")) for k in ADDRESS))
        for e in p.get("organizations", ()):
            if e.get("name"):
                lines.append("ORG:" + ";".join(escaped(e[k]) for k in ("name", "department") if k in e))
            lines += [prop + ":" + escaped(e[k]) for k, prop in (("title", "TITLE"), ("jobDescription", "ROLE")) if k in e]
        for e in p.get("birthdays", ()):
            lines.append("BDAY:%04d-%02d-%02d" % tuple(e["date"][k] for k in ("year", "month", "day")))
        lines += ["NOTE:" + escaped(e["value"]) for e in p.get("biographies", ())]
        lines += ["NICKNAME:" + escaped(e["value"]) for e in p.get("nicknames", ())]
        groups = [self.groups[m["contactGroupMembership"]["contactGroupResourceName"]] for m in p.get("memberships", ())]
        mine = [escaped(g["name"]) for g in groups if g["groupType"] == "USER_CONTACT_GROUP"]
        lines += ["PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(photo).decode()] if photo else []
        return "\r\n".join(lines + (["CATEGORIES:" + ",".join(mine)] if mine else []) + ["END:VCARD", ""])

    # -- a server that can be ended and started again --
    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def start(self):
        handler = type("Handler", (Handler,), {"world": self})
        address = self.server.server_address
        self.server = type("Listener", (CountingListener,), {"world": self})(address, handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *unused):
        super().__exit__()
        assert not self.violations, self.violations[:5]
