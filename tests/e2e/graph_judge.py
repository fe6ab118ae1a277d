"""Prism before the Graph emulator: Microsoft's schema (tests/fixtures/schemas/graph-contacts.json) on every path that Graph has for it, and
the parts of batches, which Prism does not see, each sent by itself afterwards, with the answer it had."""

import base64
import copy
import http.client
import http.server
import json
import os
import tempfile
import threading
import urllib.error
import urllib.request

import foreign

LIST, CONTACTS, DELTA, CONTACT = "/me/contactFolders", "/me/contactFolders/{f}/contacts", "/me/contactFolders/{f}/contacts/delta", "/me/contacts/{c}"
TEXT, OBJECT = {"type": "string"}, {"type": "object"}


def answers(status, schema=None, kind="application/json"):
    return {str(status): {"description": "ok", **({"content": {kind: {"schema": schema}}} if schema else {})}}


def parameters(*names):
    return [{"name": n, "in": "path", "required": True, "schema": TEXT} for n in names]


def operation(like, responses, body=None, names=()):
    """An operation beside those of the schema's file: with its security and error answers."""
    return {"security": like["security"], "parameters": parameters(*names), "responses": {**responses, "4XX": like["responses"]["4XX"]},
            **({"requestBody": {"required": True, "content": body}} if body else {})}


def batch(like):
    part = {"type": "object", "additionalProperties": False, "required": ["id", "method", "url"], "properties": {
        "id": {"type": "string", "minLength": 1}, "method": {"type": "string", "enum": ["GET", "POST", "PATCH", "PUT", "DELETE"]},
        "url": {"type": "string", "pattern": "^/(?!v1\\.0|beta)"}, "headers": {"type": "object", "additionalProperties": TEXT},
        "body": {}, "dependsOn": {"type": "array", "items": TEXT}}}
    answer = {"type": "object", "required": ["id", "status"], "properties": {"id": TEXT, "status": {"type": "integer"}, "headers": OBJECT, "body": {}}}
    asked = {"type": "object", "additionalProperties": False, "required": ["requests"],
             "properties": {"requests": {"type": "array", "minItems": 1, "maxItems": 20, "items": part}}}
    told = {"type": "object", "required": ["responses"], "properties": {"responses": {"type": "array", "items": answer}}}
    return {"post": operation(like, answers(200, told), {"application/json": {"schema": asked}})}


def without(operation_, name):
    out = copy.deepcopy(operation_)
    out["parameters"] = [p for p in out["parameters"] if p["name"] != name]
    return out


def document():
    """The schema's file with the rest of Graph's paths for contacts: the default folder's, folders', pictures' and batches', for /me and users."""
    with open(os.path.join(foreign.SCHEMAS, "graph-contacts.json"), encoding="utf-8") as f:
        doc = json.load(f)
    own, get = doc["paths"], doc["paths"][CONTACT]["get"]
    folder = {"$ref": "#/components/schemas/contactFolder"}
    picture = {"type": "string", "format": "binary"}
    more = {
        "/me/contacts": {"get": without(own[CONTACTS]["get"], "f"), "post": without(own[CONTACTS]["post"], "f")},
        "/me/contactFolders('{f}')/contacts/delta": own[DELTA],  # as links of Graph spell it
        "/me/contactFolders/delta": {"get": without(own[LIST]["get"], "$top")},
        "/me/contactFolders/{f}": {"get": operation(get, answers(200, folder), names="f")},
        "/me/contactFolders/{f}/childFolders": {"get": {**own[LIST]["get"], "parameters": own[LIST]["get"]["parameters"] + parameters("f")}},
        "/me/contacts/{c}/photo": {"get": operation(get, answers(200, OBJECT), names="c")},
        "/me/contacts/{c}/photo/$value": {"get": operation(get, answers(200, picture, "image/jpeg"), names="c"),
                                          "put": operation(get, answers(200), {"image/jpeg": {"schema": picture}}, "c")},
    }
    paths = {"/v1.0/$batch": batch(get)}
    for path, operations in {**own, **more}.items():
        paths["/v1.0" + path] = operations
        paths["/v1.0" + path.replace("/me/", "/users/{u}/")] = {m: {**o, "parameters": o.get("parameters", []) + parameters("u")} for m, o in operations.items()}
    return {**doc, "servers": [], "paths": paths}


def as_it_came(target):
    """Prism spells what it forwards in its own way: %24 for $, %27 for ', + for a blank."""
    path, mark, query = target.partition("?")
    return path.replace("%27", "'").replace("%24", "$") + mark + query.replace("+", "%20").replace("%24", "$").replace("%27", "'")


class Switch(http.server.BaseHTTPRequestHandler):
    """What is no JSON goes past Prism, which takes it for text and spoils it."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.server.emulator if self.path.split("?")[0].endswith("/photo/$value") else self.server.prism
        upstream = http.client.HTTPConnection(target, timeout=foreign.PATIENCE_S)
        upstream.request(self.command, self.path, body or None, {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")})
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = forward


class Judge(foreign.Prism):
    """Stands before a Graph emulator, at `address`, where it lets the emulator's links lead, too; hears the parts of batches, and their
    answers."""

    def __init__(self, world):
        self.world, self.parts = world, []
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "graph.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(document(), f)
        super().__init__(path, world.url)
        self.switch = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Switch)
        self.switch.emulator, self.switch.prism = world.url.split("/")[2], self.url.split("/")[2]
        threading.Thread(target=self.switch.serve_forever, args=(0.02,), daemon=True).start()
        self.address = "http://127.0.0.1:%d/" % self.switch.server_address[1]
        world.link_base = self.address
        handler = world.server.RequestHandlerClass
        run_batch, handle_request = handler.run_batch, handler.handle_request

        def heard(this, grant, who, parts, granted):
            told = run_batch(this, grant, who, parts, granted)
            by_id = {a["id"]: a for a in told}
            self.parts += [(p, by_id[p["id"]], this.headers.get("Authorization")) for p in parts]
            return told

        def spelled_back(this):
            method, target, version = this.requestline.split()
            this.requestline = "%s %s %s" % (method, as_it_came(target), version)
            handle_request(this)
        handler.run_batch, handler.handle_request = heard, spelled_back

    def __exit__(self, *unused):
        if hasattr(self, "switch"):
            self.switch.shutdown()
            self.switch.server_close()
        super().__exit__(*unused)
        self.folder.cleanup()

    def replay(self):
        """Each part of each batch as a request of its own, answered as it was."""
        w, self.answer = self.world, None
        w.at = lambda moment, number, request: self.answer if moment == "arrived" else None
        for part, answer, authorization in self.parts:
            body = answer.get("body")
            self.answer = (answer["status"], answer["headers"], base64.b64decode(body) if isinstance(body, str) else body)
            self.send(part, authorization)
        w.at = lambda moment, number, request: None
        return len(self.parts)

    def send(self, part, authorization):
        headers = {"Authorization": authorization, **part.get("headers", {})}
        body = part.get("body")
        data = None if body is None else base64.b64decode(body) if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/v1.0" + part["url"], data=data, method=part["method"], headers=headers)
        try:
            urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as refusal:
            refusal.read()
