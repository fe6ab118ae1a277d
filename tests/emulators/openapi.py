"""Just enough of a validator for the closed OpenAPI documents in tests/fixtures/schemas: types, null, enums, unknown names, date-times, and
the query options of a path."""

import json
import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "schemas")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
DATE_TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")


class Mismatch(Exception):
    pass


class OpenApi:
    def __init__(self, name):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            document = json.load(f)
        self.schemas, self.paths = document["components"]["schemas"], document["paths"]

    def properties(self, name):
        return self.schemas[name]["properties"]

    def options(self, path, method="get"):
        """Names of the query options that a path takes."""
        return {p["name"] for p in self.paths[path][method].get("parameters", ()) if p["in"] == "query"}

    def answer(self, path, method, status):
        """The schema of an answer's body, None where it has none."""
        responses = self.paths[path][method]["responses"]
        found = responses.get(str(status)) or responses.get("%dXX" % (status // 100)) or {}
        return found.get("content", {}).get("application/json", {}).get("schema")

    def check(self, value, schema, path="body"):
        """Raises Mismatch, which names the place."""
        if isinstance(schema, str):
            schema = self.schemas[schema]
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        if value is None and schema.get("nullable"):
            return
        kind = schema.get("type")
        if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number"))):
            raise Mismatch("%s must be %s, not %s" % (path, kind, json.dumps(value)[:60]))
        if "enum" in schema and value not in schema["enum"]:
            raise Mismatch("%s must be one of %s, not %r" % (path, schema["enum"], value))
        if schema.get("format") == "date-time" and not DATE_TIME.fullmatch(value):
            raise Mismatch("%s must be a date-time with its offset, not %r" % (path, value))
        if kind == "array":
            for i, item in enumerate(value):
                self.check(item, schema.get("items", {}), "%s[%d]" % (path, i))
        if kind == "object":
            self.check_object(value, schema, path)

    def check_object(self, value, schema, path):
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                raise Mismatch("%s lacks %s" % (path, name))
        for name, item in value.items():
            if name in known:
                self.check(item, known[name], "%s.%s" % (path, name))
            elif schema.get("additionalProperties", True) is False:
                raise Mismatch("%s has an unknown property %s" % (path, name))
