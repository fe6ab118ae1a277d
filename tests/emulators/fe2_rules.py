"""What an FE2 request may say: the rules of the protocol page as tables, so that each broken one is told with its section.

    for sentence in broken_by_body(parsed, version): ...

Sections are those of the FE2 page of the protocol notes (fields 2, phones 2.2, versions 3, guards 4.1, calls 5, mapping 7)."""

import json
import re

UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
PHONE = re.compile(r"00[1-9][0-9]{6,13}")
MAIL = re.compile(r"[^@\s<>,;:]+@[^@\s<>,;:]+")
MODES = ("LEGACY", "TOKEN")
TOKENS_SINCE, DELETE_SINCE, BUSY_SINCE, SYNC_SINCE = (2, 29), (2, 36), (2, 39), (2, 24)


def phone(value):
    return PHONE.fullmatch(value) or not value


def mail(value):
    return MAIL.fullmatch(value) or not value


def pager(value):
    return MAIL.fullmatch(value) or phone(value)


def issi(value):
    return all(re.fullmatch(r"[0-9]{1,8}", part) for part in value.split(";")) or not value


def xmpp(value):
    return not value or (MAIL.fullmatch(value.partition("/")[0]) and not value.lower().startswith("xmpp:"))


def any_text(_value):
    return True


# name: (type of JSON, since, test of a string, section and what it must be)
FIELDS = {
    "externalDbId": (str, SYNC_SINCE, UUID.fullmatch, "2: must be our UUID, never a mail address, name, number or href"),
    "firstName": (str, SYNC_SINCE, any_text, ""),
    "lastName": (str, SYNC_SINCE, any_text, ""),
    "note": (str, SYNC_SINCE, any_text, ""),
    "osFunctions": (list, SYNC_SINCE, None, ""),
    "osGroups": (list, SYNC_SINCE, None, ""),
    "alarmGroups": (list, SYNC_SINCE, None, ""),
    "issi": (str, SYNC_SINCE, issi, "2: must be ISSI numbers joined by ';'"),
    "xmpp": (str, SYNC_SINCE, xmpp, "2: must be an XMPP address, not a URI"),
    "aPagerPro": (str, SYNC_SINCE, pager, "2: must be a mail address or a number as 0049..."),
    "email": (str, SYNC_SINCE, mail, "2: must be one mail address"),
    "mobil": (str, SYNC_SINCE, phone, "2.2: must match ^00[1-9][0-9]{6,13}$"),
    "aPagerProFieldMode": (str, TOKENS_SINCE, MODES.__contains__, "2: known values are LEGACY and TOKEN"),
}
LISTS = tuple(name for name, row in FIELDS.items() if row[0] is list)
SYNCED = tuple(name for name in FIELDS if name not in ("externalDbId", "aPagerProFieldMode"))


def known_fields(version):
    return {name: row for name, row in FIELDS.items() if row[1] <= version}


def kind_of(value):
    return {dict: "an object", list: "an array", str: "a string", type(None): "null", bool: "a boolean"}.get(type(value), "a number")


class NotJson(Exception):
    """The body is no JSON that two readers would understand alike; says why."""


def strict_json(data):
    def once(pairs):
        names = [name for name, _value in pairs]
        for name in names:
            if names.count(name) > 1:
                raise NotJson("the key %r twice in one object" % name)
        return dict(pairs)

    def no_constant(name):
        raise NotJson("%s is no JSON" % name)

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_constant)
    except (UnicodeDecodeError, json.JSONDecodeError) as why:
        raise NotJson(str(why)) from None


def shape_of_list(who, name, value):
    """Yields what is wrong with an array of strings."""
    for entry in value:
        if not isinstance(entry, str):
            yield "section 2: %s: %s holds %s, not strings only" % (who, name, kind_of(entry))
        elif not entry.strip():
            yield "section 2: %s: %s holds an empty name; no values are []" % (who, name)
    texts = [entry for entry in value if isinstance(entry, str)]
    if name == "osFunctions" and len(set(texts)) < len(texts):
        yield "section 2: %s: osFunctions has a name twice" % who


def shape_of_person(person, number, version):
    """(breaks the call, sentence) of each broken rule of one person's keys and types."""
    if not isinstance(person, dict):
        yield True, "section 2: person %d is %s, not an object" % (number, kind_of(person))
        return
    known = known_fields(version)
    who = "person %d" % number
    for name in person:
        if name in FIELDS and name not in known:
            yield False, "section 3: %s: %s is sent to an FE2 below %d.%d" % (who, name, *FIELDS[name][1])
        elif name not in FIELDS:
            yield False, "section 2: %s: there is no field %r" % (who, name)
    for name, (kind, _since, test, rule) in known.items():
        if name not in person:
            yield True, "section 2: %s: the key %s is left out" % (who, name)
            continue
        value = person[name]
        if not isinstance(value, kind):
            yield True, "section 2: %s: %s is %s, not %s" % (who, name, kind_of(value), kind_of(kind()))
        elif kind is list:
            for sentence in shape_of_list(who, name, value):
                yield "not strings only" in sentence, sentence
        elif not test(value):
            section, _, must = rule.partition(": ")
            yield False, "section %s: %s: %s is %r; %s" % (section, who, name, value, must)


def sense_of_person(person, number, version, notes):
    """Sentences about fields that do not go together; their types are known to be right."""
    who = "person %d" % number
    if not person["firstName"].strip() and not person["lastName"].strip():
        yield "section 7: %s has no name; companies are not sent" % who
    if person["note"] and not notes:
        yield "section 2: %s: private notes are not exported by default" % who
    if version >= TOKENS_SINCE and person["aPagerProFieldMode"] == "TOKEN" and person["aPagerPro"]:
        yield "section 2: %s: aPagerPro must be empty when tokens are used" % who


def broken_by_body(body, version, notes=False):
    """[(breaks the call, sentence)] of a parsed body."""
    if not isinstance(body, dict):
        return [(True, "section 2: the body is %s, not an object" % kind_of(body))]
    found = [(False, "section 2: there is no key %r beside personList" % name) for name in body if name not in ("source", "personList")]
    if not isinstance(body.get("source"), str) or not body["source"].strip():
        found.append((True, "section 2: source must be the readable name of the sender"))
    if not isinstance(body.get("personList"), list):
        return found + [(True, "section 2: personList is %s, not an array" % kind_of(body.get("personList")))]
    for number, person in enumerate(body["personList"]):
        shape = list(shape_of_person(person, number, version))
        if not any(hard for hard, _sentence in shape):
            shape += [(False, s) for s in sense_of_person(person, number, version, notes)]
        found += shape
    ids = [p.get("externalDbId") for p in body["personList"] if isinstance(p, dict)]
    ids = [i for i in ids if isinstance(i, str)]
    found += [(True, "section 4.1: externalDbId %s is used by two persons" % i) for i in sorted(set(ids)) if ids.count(i) > 1]
    return found


def too_many(lost, total):
    return lost > max(3, total * 5 / 100)


def broken_by_change(last, now):
    """Sentences about a list beside the last accepted one: {externalDbId: person} both."""
    gone, new = set(last) - set(now), set(now) - set(last)
    if not now:
        yield "section 4.1: the list is empty"
    elif too_many(len(gone), len(last)):
        yield "section 4.1: %d of %d persons vanish at once" % (len(gone), len(last))
    for what, name in (("all alarm groups", "alarmGroups"), ("their pager address", "aPagerPro")):
        lost = [i for i in last if i in now and last[i][name] and not now[i][name]]
        if too_many(len(lost), len(last)):
            yield "section 4.1: %d of %d persons lose %s at once" % (len(lost), len(last), what)
    for i in sorted(set(last) & set(now)):
        if all(last[i][n] and now[i][n] and last[i][n] != now[i][n] for n in ("lastName", "email")) and last[i]["firstName"] != now[i]["firstName"]:
            yield "section 4.1: externalDbId %s is reused for another person" % i
    same = {(p["firstName"], p["lastName"], p["email"]): i for i, p in last.items() if i in gone}
    for i in sorted(new):
        old = same.get((now[i]["firstName"], now[i]["lastName"], now[i]["email"]))
        if old:
            yield "section 2: the externalDbId of a person changed from %s to %s" % (old, i)
