"""What Microsoft Graph makes of a contact (microsoft_graph.py): which fields there are, what is refused, what is stored in place of what
was sent, what is derived, and the small languages of its URLs. Pure: values in, values out."""

import re

from openapi import Mismatch, OpenApi

API = OpenApi("graph-contacts.json")
READ_ONLY = ("id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId")
NAMES = ("title", "givenName", "middleName", "surname", "generation")
ADDRESSES = ("businessAddress", "homeAddress", "otherAddress")
LISTS = ("emailAddresses", "businessPhones", "homePhones", "imAddresses", "categories", "children")
TYPED_MAILS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
LONG = ("personalNotes",)
SELECTABLE = {n for n in API.properties("contact") if not n.startswith("@")} - {"singleValueExtendedProperties"}
FIELDS = sorted(SELECTABLE - set(READ_ONLY) - set(TYPED_MAILS))
FOLDER_FIELDS = {"id", "displayName", "parentFolderId"}
LIMITS = {"emailAddresses": 3, "businessPhones": 2, "homePhones": 2, "imAddresses": 3}
GUID = r"\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?"
KINDS = ("String", "SystemTime", "Integer", "Boolean", "Double", "Short", "Long", "Binary", "CLSID")


class Refused(Exception):
    """An answer other than success. `wrong`: what the client has no excuse for, a violation."""

    def __init__(self, status, code, message, wrong=None, retry_after=None, headers=()):
        super().__init__(message)
        self.status, self.code, self.message, self.wrong = status, code, message, wrong
        self.headers = {**dict(headers), **({} if retry_after is None else {"Retry-After": str(retry_after)})}


def wrong(message, code="RequestBodyRead", status=400):
    return Refused(status, code, message, message)


def missing(message="The specified object was not found in the store."):
    return Refused(404, "ErrorItemNotFound", message)


# -- the small languages --
def chosen(text, allowed=SELECTABLE):
    """The names of a $select, None where there is none."""
    if text is None:
        return None
    names = text.split(",")
    for name in names:
        if name.strip() not in allowed:
            raise wrong("Could not find a property named '%s' on type 'microsoft.graph.contact'." % name, "BadRequest")
    return [n.strip() for n in names]


def property_id(text):
    """The one form of an extended property's id: GUIDs differ by no case, names do."""
    match = re.fullmatch(r"(%s) (?:(%s) (?:(Name) (\S.*)|(Id) (0x[0-9A-Fa-f]{1,4}))|(0x[0-9A-Fa-f]{1,4}))" % ("|".join(KINDS), GUID), text)
    if not match:
        raise wrong("The extended property id '%s' is malformed." % text, "ErrorInvalidArgument")
    kind, guid, by_name, name, _by_id, number, tag = match.groups()
    if tag:
        return "%s 0x%x" % (kind, int(tag, 16))
    return "%s {%s} %s" % (kind, guid.strip("{}").lower(), "Name " + name if by_name else "Id 0x%x" % int(number, 16))


def unquoted(text):
    return text.replace("''", "'")


def filtered(text):
    """(property id, value) of the one $filter that finds a contact by an extended property."""
    match = re.fullmatch(r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id eq '((?:[^']|'')*)' and \1/value eq '((?:[^']|'')*)'\s*\)",
                         text, re.I)
    if not match:
        raise wrong("Invalid filter clause: %s" % text, "BadRequest")
    return property_id(unquoted(match.group(2))), unquoted(match.group(3))


def expanded(text):
    """The property ids of a $expand."""
    match = re.fullmatch(r"singleValueExtendedProperties\(\$filter=(.*)\)", text)
    parts = re.split(r" or ", match.group(1)) if match else []
    ids = [re.fullmatch(r"\s*id eq '((?:[^']|'')*)'\s*", p) for p in parts]
    if not parts or not all(ids):
        raise wrong("Parsing OData Select and Expand failed: %s" % text, "BadRequest")
    return [property_id(unquoted(i.group(1))) for i in ids]


def preferences(text):
    """{name: value} of Prefer."""
    found = {}
    for part in re.findall(r'[^",]+(?:"[^"]*")?[^",]*', text or ""):
        match = re.fullmatch(r'\s*([\w.-]+)\s*(?:=\s*"?([^"]*?)"?)?\s*', part)
        if not match:
            raise wrong("Prefer is malformed: %s" % text, "BadRequest")
        found[match.group(1).lower()] = match.group(2)
    return found


# -- what may be written --
def check_body(body, limits, text_limit):
    """A contact as a client sends it."""
    try:
        API.check(body, "contact", "contact")
    except Mismatch as why:
        raise wrong(str(why)) from None
    for name in body:
        if name in READ_ONLY or name == "@removed":
            raise wrong("Property '%s' is read-only and can't be set." % name, "ErrorInvalidPropertySet")
        if name in TYPED_MAILS:
            raise wrong("%s is never written beside emailAddresses" % name, "ErrorInvalidPropertySet")
    for name, most in limits.items():
        if len(body.get(name, ())) > most:
            raise wrong("The collection %s has %d entries, that exceeds the max allowed value of %d." % (name, len(body[name]), most),
                        "ErrorInvalidProperty")
    for name, value in body.items():
        for text in texts_of(value) if name not in LONG and text_limit else ():
            if len(text) > text_limit:
                raise Refused(400, "ErrorPropertyValidationFailure", "%s is longer than %d characters" % (name, text_limit))
    for name in body.get("categories", ()):
        if name is None or not name.strip() or "," in name or ";" in name:
            raise Refused(400, "ErrorInvalidProperty", "Invalid category name: %r" % name)


def texts_of(value):
    if isinstance(value, str):
        return [value]
    inside = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return [t for v in inside for t in texts_of(v)]


def extended_of(body):
    """{id: value} of the extended properties in a body."""
    found = {}
    for entry in body.get("singleValueExtendedProperties", ()):
        if "id" not in entry or "value" not in entry:
            raise wrong("An extended property needs id and value", "ErrorInvalidArgument")
        found[property_id(entry["id"])] = entry["value"]
    return found


# -- what is stored --
def odd(address):
    """An address that the store swallows; X.500 names of colleagues are none."""
    return not address.startswith("/o=") and not re.fullmatch(r"[^\s,;<>\"@]+@[^\s,;<>\"@]+", address)


def stored_mail(entry):
    out = {k: v for k, v in entry.items() if v and not k.startswith("@")}
    if odd(out.get("address", "")):
        out.pop("address", None)
    elif "name" not in out:
        out["name"] = out["address"]
    return out


def stored_value(name, value):
    if name in ADDRESSES:
        return {k: crlf(v) for k, v in (value or {}).items() if v and not k.startswith("@")}
    if name == "emailAddresses":
        return [m for m in map(stored_mail, value) if m]
    if name in LISTS:
        return [v for v in value if v]
    if name == "birthday" and value:
        return utc(value)
    if name == "personalNotes" and value:
        return crlf(value)
    return value or None


def crlf(text):
    return re.sub(r"\r?\n|\r", "\r\n", text)


def utc(text):
    import datetime
    moment = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def derived(fields):
    """(displayName, fileAs) as Exchange makes them."""
    shown = " ".join(fields[n] for n in ("givenName", "middleName", "surname", "generation") if fields.get(n))
    given = " ".join(fields[n] for n in ("givenName", "middleName") if fields.get(n))
    filed = ", ".join(p for p in (fields.get("surname"), given) if p)
    other = fields.get("companyName") or next((m["name"] for m in fields.get("emailAddresses") or () if m.get("name")), None)
    return shown or other, filed or other


def empty(name):
    return {} if name in ADDRESSES else [] if name in LISTS else None
