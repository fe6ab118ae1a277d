"""The schemas in tests/fixtures/schemas against what the makers publish by npm, the typings of their own clients: name for name, and type for
type. What differs on purpose stands in a table here; a new version of a package that brings a field makes this red."""

import json
import os
import re
import sys

import foreign
from harness import Suite

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
FIELD = re.compile(r"(\w+)\??:\s*([^;]+);")
BASIC = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "object": "object"}

# Google: maps (any key) are written otherwise in typings.
MAPS = {("BatchUpdateContactsRequest", "contacts"), ("BatchUpdateContactsResponse", "updateResult"), ("Status", "details")}

# Microsoft: by type, what only its typings have, which no call here asks for, and what only its newer metadata has.
GRAPH = {
    "contact": ("Contact", {"extensions", "multiValueExtendedProperties", "photo"},
                {"primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"}),
    "contactFolder": ("ContactFolder", {"multiValueExtendedProperties", "childFolders", "contacts"}, set()),
    "physicalAddress": ("PhysicalAddress", set(), set()),
    "emailAddress": ("EmailAddress", set(), set()),
    "singleValueLegacyExtendedProperty": ("SingleValueLegacyExtendedProperty", set(), set()),
}


def package(*path):
    with open(os.path.join(foreign.PACKAGES, *path), encoding="utf-8") as f:
        return f.read()


def schemas(name):
    with open(os.path.join(foreign.SCHEMAS, name), encoding="utf-8") as f:
        return json.load(f)["components"]["schemas"]


def kind(schema):
    """A schema's type as one word: "string", "emailAddress", "string[]"."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    if schema.get("type") == "array":
        return kind(schema["items"]) + "[]"
    return BASIC.get(schema.get("type"), "any")


def google():
    """{type: {field: type}} of the client's typings."""
    text, found = COMMENT.sub("", package("@googleapis", "people", "build", "v1.d.ts")), {}
    for name, body in re.findall(r"export interface Schema\$(\w+) \{(.*?)\n    \}", text, re.S):
        found[name] = {f: t.replace(" | null", "").replace("Schema$", "").strip() for f, t in FIELD.findall(body) if "[key:" not in body or f != "key"}
    return found


def people():
    theirs, ours = google(), schemas("people-openapi.json")
    assert set(theirs) == set(ours) and len(ours) > 60, set(theirs) ^ set(ours)
    for name, schema in ours.items():
        fields = {f: kind(p) for f, p in schema.get("properties", {}).items()}
        for field in set(fields) | set(theirs[name]):
            if (name, field) not in MAPS:
                assert fields.get(field) == theirs[name].get(field), (name, field, fields.get(field), theirs[name].get(field))


def microsoft(text, name):
    """{field: type} of an interface and those it extends."""
    found = re.search(r"^export interface %s(?: extends (\w+))? \{(.*?)\}" % name, text, re.S | re.M)
    inherited = microsoft(text, found.group(1)) if found.group(1) else {}
    own = {f: re.sub(r"^NullableOption<(.*)>$", r"\1", t.strip()) for f, t in FIELD.findall(found.group(2))}
    return {**inherited, **own}


def graph():
    text = COMMENT.sub("", package("@microsoft", "microsoft-graph-types", "microsoft-graph.d.ts"))
    ours = schemas("graph-contacts.json")
    assert set(ours) == set(GRAPH), set(ours) ^ set(GRAPH)
    for name, (interface, unasked, newer) in GRAPH.items():
        theirs = {f: t[0].lower() + t[1:] for f, t in microsoft(text, interface).items()}
        fields = {f: kind(p) for f, p in ours[name]["properties"].items() if not f.startswith("@")}
        assert set(theirs) - set(fields) == unasked and set(fields) - set(theirs) == newer, (name, set(theirs) ^ set(fields))
        for field in set(theirs) & set(fields):
            assert theirs[field] == fields[field], (name, field, theirs[field], fields[field])


def main():
    suite = Suite("foreign schemas")
    suite.run("Google's people", people)
    suite.run("Microsoft's contacts", graph)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
