"""The wire of the Graph emulator (microsoft_graph.py): who may call, how many at a time, batches, and the faults between client and Graph."""

import base64
import collections
import gzip
import json
import os
import random
import re
import socket
import sys
import uuid
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

from graph_calls import Call, as_json
from graph_rules import API, Refused, wrong
from listener import CountingListener

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
PROXY = {"Content-Type": "text/html", "Server": "proxy"}
PAGE = b"<html><head><title>Sign in to the network</title></head><body>502 or not, this is no JSON</body></html>"

# name: (whether the call takes effect, the answer: status and code, (status, headers, bytes), or how the connection ends)
FAULTS = {
    "cut before": (False, "cut"), "cut after": (True, "cut"), "cut half": (True, "half"), "reset after": (True, "reset"),
    "400": (False, (400, "BadRequest")), "401": (False, (401, "InvalidAuthenticationToken")),
    "401 claims": (False, (401, "InvalidAuthenticationToken")),
    "403": (False, (403, "ErrorAccessDenied")), "404": (False, (404, "ErrorItemNotFound")), "405": (False, (405, "ErrorInvalidRequest")),
    "409": (False, (409, "ErrorItemSaveConflict")), "410": (False, (410, "SyncStateNotFound")), "410 resync": (False, (410, "resyncRequired")),
    "400 state": (False, (400, "SyncStateInvalid")), "412": (False, (412, "ErrorIrresolvableConflict")),
    "424": (False, (424, "FailedDependency")), "429": (False, (429, "ApplicationThrottled")),
    "429 objects": (False, (429, "ErrorTooManyObjectsOpened")),
    "500": (False, (500, "ErrorInternalServerError")), "500 after": (True, (500, "ErrorInternalServerError")),
    "503": (False, (503, "ServiceUnavailable")), "504": (False, (504, "GatewayTimeout")), "504 after": (True, (504, "GatewayTimeout")),
    "200 html": (False, (200, PROXY, PAGE)), "200 html after": (True, (200, PROXY, PAGE)), "502 html": (False, (502, PROXY, PAGE)),
}

Request = collections.namedtuple("Request", "method path body headers time")
Fault = collections.namedtuple("Fault", "name on retry_after part left")


def kill(pid):
    os.kill(pid, 9)


class Listener(CountingListener):
    request_queue_size, daemon_threads = 64, True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            self.world.violate("emulator: %r" % sys.exc_info()[1])


class Handler(BaseHTTPRequestHandler):
    world = None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *unused):
        pass

    # -- answers --
    def refusal(self, why, client_id=None):
        """(status, headers, body)"""
        if why.wrong:
            self.world.violate(why.wrong)
        inner = {"date": formatdate(self.world.clock.now()), "request-id": str(uuid.uuid4()), "client-request-id": client_id or ""}
        return why.status, why.headers, {"error": {"code": why.code, "message": why.message, "innerError": inner}}

    def unauthorized(self, code, message, claims=""):
        more = ', claims="%s"' % claims if claims else ""
        return Refused(401, code, message, headers={"WWW-Authenticate": 'Bearer realm="", authorization_uri="%s/common/oauth2/authorize", '
                                                                        'client_id="00000003-0000-0000-c000-000000000000"%s'
                                                                        % (self.world.login.url.rstrip("/"), more)})

    def ordered(self, fault):
        """The answer of a fault: (status, headers, body), or how the connection ends."""
        _, answer = FAULTS[fault.name]
        if isinstance(answer, str) or len(answer) == 3:
            return answer
        status, code = answer
        why = Refused(status, code, "by order", retry_after=fault.retry_after)
        if status == 401:
            why = self.unauthorized(code, "Access token has expired or is not yet valid.", "eyJhY2Nlc3MiOnt9fQ==" if "claims" in fault.name else "")
        return self.refusal(why, self.headers.get("client-request-id"))

    # -- who calls --
    def grant(self):
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if kind != "Bearer" or not token:
            self.world.violate("no bearer token: %s %s" % (self.command, self.path[:80]))
            raise self.unauthorized("InvalidAuthenticationToken", "Access token is empty.")
        grant = self.world.tokens.get(token)
        if grant is None:
            self.world.violate("a token that nobody gave: %s..." % token[:12])
        if grant is None or grant.dead or grant.expires < self.world.clock.now():
            raise self.unauthorized("InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        return grant

    def whom(self, grant, urls):
        """(app, mailbox) that the limits count for."""
        named = re.match(r"/users/([^/?]+)", urls[0] if urls else "")
        name = named.group(1).replace("%40", "@").lower() if named else grant.mailbox
        found = next((b.upn for b in self.world.mailboxes.values() if name in (b.upn, b.id)), name)
        return grant.app, found

    def check_line(self, url):
        if re.search(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]|%(?![0-9A-Fa-f]{2})", url):
            raise wrong("the URL is not encoded: %s" % url[:160], "BadRequest")

    # -- one call or a batch of them --
    def carry_out(self):
        w = self.world
        grant = self.grant()
        if not self.path.startswith("/v1.0/"):
            raise Refused(404, "BadRequest", "Invalid version", "there is nothing at %s" % self.path[:60])
        url = self.path[len("/v1.0"):]
        if w.need_request_id and not self.headers.get("client-request-id"):
            w.violate("no client-request-id: %s %s" % (self.command, self.path[:80]))
        self.check_line(url)
        batch = url.partition("?")[0] == "/$batch"
        parts = self.parts_of(url) if batch else None
        who = self.whom(grant, [p["url"] for p in parts] if batch else [url])
        w.limits.check_patience(who, id(self))
        weight, granted = w.limits.enter(who, len(parts) if batch else 1)
        try:
            if batch:
                return 200, {}, {"responses": self.run_batch(grant, who, parts, granted)}
            return self.run_one_call(grant, who, url, granted)
        finally:
            w.limits.leave(who, weight)

    def run_one_call(self, grant, who, url, granted):
        w = self.world
        w.calls.append((self.command, url))
        if not granted:
            raise w.limits.too_many()
        w.limits.spend(who, len(self.content))
        w.clock.advance(w.latency)
        headers = {k.lower(): v for k, v in self.headers.items()}
        return Call(w, grant, self.command, url, headers, self.content).run()

    def parts_of(self, url):
        if url != "/$batch" or self.command != "POST":
            raise wrong("a batch is a POST to /$batch: %s %s" % (self.command, url), "BadRequest")
        if not (self.headers.get("Content-Type") or "").startswith("application/json"):
            raise wrong("a batch is application/json", "BadRequest", 415)
        body = as_json(self.content)
        parts = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(parts, list) or set(body) != {"requests"}:
            raise wrong("Invalid batch payload format.", "BadRequest")
        if not 1 <= len(parts) <= 20:
            raise wrong("A batch has 1 to 20 parts, not %d" % len(parts), "MaxLimitExceeded")
        for part in parts:
            self.check_part(part)
        ids = [p["id"].lower() for p in parts]
        if len(set(ids)) != len(ids):
            raise wrong("Request Id %s has to be unique in a batch." % max(ids, key=ids.count), "BadRequest")
        for part in parts:
            if set(part.get("dependsOn", ())) - {p["id"] for p in parts} - {part["id"]}:
                raise wrong("dependsOn names a part that is not there", "BadRequest")
        return parts

    def check_part(self, part):
        kinds = {"id": str, "method": str, "url": str, "headers": dict, "body": (dict, str, list), "dependsOn": list}
        if not isinstance(part, dict) or set(part) - set(kinds) or not {"id", "method", "url"} <= set(part) or not all(
                isinstance(v, kinds[k]) for k, v in part.items()) or not part["id"]:
            raise wrong("Invalid batch part: %s" % json.dumps(part)[:120], "BadRequest")
        if part["method"] not in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            raise wrong("%s is no method of a batch part" % part["method"], "BadRequest")
        if not part["url"].startswith("/") or re.match(r"/(v1\.0|beta)/|//", part["url"]):
            raise wrong("URLs of batch parts are without host and version: %s" % part["url"][:80], "BadRequest")
        self.check_line(part["url"])
        headers = {k.lower(): v for k, v in part.get("headers", {}).items()}
        if not all(isinstance(v, str) for v in headers.values()) or len(headers) != len(part.get("headers", {})):
            raise wrong("Headers of a batch part are texts, each once", "BadRequest")
        if "body" in part and "content-type" not in headers:
            raise wrong("Write request id : %s does not contain Content-Type header or body." % part["id"], "BadRequest")
        if ("authorization" in headers) or "host" in headers:
            raise wrong("a batch part with its own %s" % ("authorization" if "authorization" in headers else "host"), "BadRequest")

    def run_batch(self, grant, who, parts, granted):
        """Each part's own answer, in any order."""
        w, answers, failed = self.world, [], set()
        names = [json.dumps([p["method"], p["url"], p.get("body")]) for p in parts]
        for itself in names:
            w.limits.check_patience(itself)
        for number, part in enumerate(parts):
            after, itself = part.get("dependsOn", ()), names[number]
            try:
                if set(after) & failed:
                    raise Refused(424, "FailedDependency", "A dependency of this request failed.")
                if number >= granted:
                    raise w.limits.too_many()
                status, headers, body = self.run_part(grant, who, part)
            except Refused as why:
                status, headers, body = self.refusal(why)
            w.limits.told(itself, headers)
            if status >= 400:
                failed.add(part["id"])
            if isinstance(body, bytes):
                body = base64.b64encode(body).decode()
            headers = {"Cache-Control": "private", **({"Content-Type": "application/json"} if isinstance(body, dict) else {}), **headers}
            answers.append({"id": part["id"], "status": status, "headers": headers, **({"body": body} if body is not None else {})})
        random.Random(len(w.requests)).shuffle(answers)
        return answers

    def run_part(self, grant, who, part):
        w = self.world
        line = (part["method"], part["url"])
        w.calls.append(line)
        fault = w.take_fault("%s %s" % line, True)
        applies = FAULTS[fault.name][0] if fault else True
        scripted = w.part(*line, part.get("body"))
        if scripted is not None:
            return scripted
        real = None
        if applies:
            w.limits.spend(who, len(json.dumps(part.get("body", ""))))
            w.clock.advance(w.latency)
            headers = {k.lower(): v for k, v in part.get("headers", {}).items()}
            real = Call(w, grant, *line, headers, part.get("body"), True).run()
        return self.ordered(fault) if fault else real

    # -- one request --
    def decide(self, number, request):
        w = self.world
        answer = w.at("arrived", number, request)
        if answer is not None:
            return answer
        fault = w.take_fault("%s %s" % request[:2], False)
        applies = FAULTS[fault.name][0] if fault else True
        real = self.real_answer() if applies else None
        if fault:
            real = (*real, "half") if fault.name == "cut half" else self.ordered(fault)
        scripted = w.at("done", number, request)
        return real if scripted is None else scripted

    def real_answer(self):
        try:
            status, headers, body = self.carry_out()
        except Refused as why:
            status, headers, body = self.refusal(why, self.headers.get("client-request-id"))
        if status >= 400:
            API.check(body, API.answer("/me/contacts/{c}", "get", 404))
        return status, headers, body

    def read_body(self):
        """False: there is none to act on."""
        w, length = self.world, self.headers.get("Content-Length")
        if self.headers.get("Transfer-Encoding") or (self.command in ("POST", "PATCH", "PUT") and length is None):
            w.violate("a body without its length")
            self.close_connection = True
            self.send(411, {}, b"")
            return False
        self.content = self.rfile.read(int(length or 0))
        if len(self.content) < int(length or 0):  # the client is gone in the middle of it
            self.close_connection = True
            return False
        return True

    def handle_request(self):
        w = self.world
        self.path = self.requestline.split()[1]  # the class makes one slash of two
        if not self.read_body():
            return
        request = Request(self.command, self.path, self.content, {k.lower(): v for k, v in self.headers.items()}, w.clock.now())
        with w.lock:
            number = len(w.requests)
            w.requests.append(request)
        self.answer(self.decide(number, request), number, request)

    def answer(self, answer, number, request):
        if isinstance(answer, Refused):
            answer = self.refusal(answer)
        if isinstance(answer, str):
            self.close_connection = True
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.connection.close()
            return
        w, (status, headers, body) = self.world, answer[:3]
        if status in (429, 503) and "Retry-After" in headers:
            self.remember_wait(headers)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        ids = {"request-id": str(uuid.uuid4()), "client-request-id": self.headers.get("client-request-id") or ""}
        headers = {**({"Content-Type": JSON} if data else {}), **ids, **headers}
        if w.gzip and data and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        self.send(status, headers, data, lambda: w.at("half", number, request), "half" in answer[3:])

    def remember_wait(self, headers):
        try:
            grant = self.grant()
        except Refused:
            return
        if self.path.startswith("/v1.0/$batch"):
            self.world.limits.told(self.whom(grant, [p["url"] for p in self.parts_of("/$batch")]), headers, id(self))
        else:
            self.world.limits.told(self.whom(grant, [self.path[len("/v1.0"):]]), headers, id(self))

    def send(self, status, headers, data, half=lambda: None, cut=False):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        if half() == "cut" or cut:
            self.close_connection = True
            return
        self.wfile.write(data[len(data) // 2:])

    def run_request(self):
        try:
            self.handle_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as why:  # the emulator itself is wrong: no test may pass over that
            self.world.violate("emulator: %r" % why)
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = run_request
