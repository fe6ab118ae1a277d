"""The wire of the FE2 emulator (fe2.py): which calls exist, who may call, how a body is read, and the faults between client and FE2."""

import collections
import re
import socket
import struct
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fe2_rules import DELETE_SINCE, SYNC_SINCE, NotJson, broken_by_body, strict_json

SYNC = "/rest/addressbook/sync"
DELETE = r"/rest/addressbook/external/persons/([^/?#]*)"
ALARM = r"/rest/addressbook/external/person/[^/]*/alarm"
PROXY = {"Content-Type": "text/html", "Server": "nginx"}
ESTABLISHED = 1  # tcpi_state of a connection whose client has not closed it

# name: (whether the call takes effect, the answer: as `at` returns it, or how the connection ends)
FAULTS = {
    "401": (False, (401, {}, "")),
    "413": (False, (413, PROXY, "<html>413 Request Entity Too Large</html>")),
    "429": (False, (429, {"Retry-After": "7"}, "")),
    "500": (False, (500, {}, "internal error")),
    "502": (False, (502, PROXY, "<html>502 Bad Gateway</html>")),
    "502 after": (True, (502, PROXY, "<html>502 Bad Gateway</html>")),
    "503 proxy": (False, (503, PROXY, "<html>503 Service Unavailable</html>")),
    "504 after": (True, (504, PROXY, "<html>504 Gateway Time-out</html>")),
    "cut before": (False, "cut"), "cut after": (True, "cut"),
    "cut header": (True, "header"), "cut half": (True, "half"),
    "reset before": (False, "reset"), "reset after": (True, "reset"),
    "silence before": (False, "silence"), "silence after": (True, "silence"),
}
LOST = ("cut", "header", "half", "reset", "silence")

Request = collections.namedtuple("Request", "method path body time")


def wrap_tls(listener, certificate):
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key, chain = certificate
    context.load_cert_chain(chain, key)
    return context.wrap_socket(listener, server_side=True)


def still_open(connection):
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED
    except OSError:
        return False


class Listener(ThreadingHTTPServer):
    """Knows each connection from its accept to its end."""

    world = None

    def process_request(self, request, client_address):
        self.world.connected(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.world.disconnected(request)

    def handle_error(self, request, client_address):
        why = sys.exc_info()[1]
        if not isinstance(why, OSError):
            self.world.violate("emulator: %r" % why)


class Handler(BaseHTTPRequestHandler):
    world = None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *unused):
        pass

    # -- who calls what --
    def organisation(self):
        """Of the key; None: refused."""
        w, key = self.world, self.headers.get("Authorization")
        if key is None:
            w.violate("section 1: no Authorization")
        elif re.match(r"(?i)(bearer|basic|token|apikey|digest)\s", key):
            w.violate("section 1: Authorization must be the bare key, without a scheme word")
        return next((o for o in w.organisations if o.key == key), None)

    def kind(self):
        """("sync" | "delete", id), or the status of a call that does not exist, which is told."""
        w = self.world
        found = re.fullmatch(DELETE, self.path)
        if self.path == SYNC and w.since(SYNC_SINCE):
            return ("sync", None) if self.command == "POST" else (405, "section 1: %s is no method of the sync call" % self.command)
        if found and w.since(DELETE_SINCE):
            return ("delete", found.group(1)) if self.command == "DELETE" else (405, "section 1: %s is no method of a person" % self.command)
        if re.fullmatch(ALARM, self.path):
            return 404, "section 1: THIS PAGES A REAL PERSON: %s %s" % (self.command, self.path)
        if self.path == SYNC or found:
            return 404, "section 3: %s %s does not exist below its version" % (self.command, self.path)
        return 404, "section 1: there is no call %s %s" % (self.command, self.path)

    def act_on_sync(self, organisation):
        w = self.world
        kind = (self.headers.get("Content-Type") or "").replace(" ", "").lower()
        if kind not in ("application/json", "application/json;charset=utf-8"):
            w.violate("section 1: Content-Type is %r, not application/json" % kind)
            return 415, ""
        try:
            body = strict_json(self.content)
        except NotJson as why:
            w.violate("section 2: the body is no JSON in UTF-8: %s" % why)
            return 400, ""
        broken = broken_by_body(body, w.version, w.notes)
        for _hard, sentence in broken:
            w.violate(sentence)
        return (400, "") if any(hard for hard, _sentence in broken) else w.sync(organisation, body)

    def act_on_delete(self, organisation, raw):
        w = self.world
        if re.search(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9%._~-]", raw) or not raw:
            w.violate("section 5.2: the id in the path is not percent-encoded: %r" % raw)
            return 404, ""
        if self.content:
            w.violate("section 5.2: DELETE with a body")
        return w.delete(organisation, urllib.parse.unquote(raw))

    def act(self):
        kind, detail = self.kind()
        if kind not in ("sync", "delete"):
            self.world.violate(detail)
            return kind, {}, ""
        organisation = self.organisation()
        if organisation is None:
            return 401, {}, ""
        if not organisation.active:
            return 503, {}, "sync is not active"
        status, text = self.act_on_sync(organisation) if kind == "sync" else self.act_on_delete(organisation, detail)
        return status, {"Content-Type": "application/json"} if text else {}, self.world.bodies.get(status, text)

    # -- one request --
    def fault(self):
        w = self.world
        with w.lock:
            for n, (fault, on) in enumerate(w.faults):
                if on in (None, self.command):
                    del w.faults[n]
                    return FAULTS[fault]
        return True, None

    def decide(self, number, request):
        """The answer, after its effect."""
        w = self.world
        answer = w.at("arrived", number, request)
        if answer is not None:
            return answer
        applies, fault = self.fault()
        real = self.act() if applies else None
        if fault in LOST and w.goes_on:
            w.busy_until = w.now() + w.goes_on
        scripted = w.at("done", number, request)
        if scripted is not None:
            return scripted
        if fault in ("half", "header"):
            return (*real, fault)
        return fault or real

    def handle_request(self):
        w = self.world
        self.path = self.requestline.split()[1]  # the class makes one slash of two
        if self.headers.get("Transfer-Encoding") or (self.command == "POST" and self.headers.get("Content-Length") is None):
            w.violate("emulator: a body without its length; proxies in front of FE2 may refuse it")
            self.close_connection = True
            return self.send(411, {}, b"")
        length = int(self.headers.get("Content-Length") or 0)
        self.content = self.rfile.read(length)
        if len(self.content) < length:  # the client is gone in the middle of it: no server acts on that
            self.close_connection = True
            return None
        request = Request(self.command, self.path, self.content, w.now())
        with w.lock:
            number = len(w.requests)
            w.requests.append(request)
        kind = "delete" if self.command == "DELETE" else "sync"
        w.enter(kind)
        outcome = "lost"
        try:
            real = self.decide(number, request)
            outcome = self.outcome(real)
        finally:
            w.leave(kind, outcome)
        return self.answer(real, number, request)

    def outcome(self, answer):
        if isinstance(answer, str) or len(answer) > 3:
            return "lost"
        return {200: "done", 204: "done", 423: "busy", 503: "off"}.get(answer[0], "other")

    def answer(self, answer, number, request):
        w = self.world
        if isinstance(answer, str):
            self.close_connection = True
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            if answer == "silence":
                self.be_silent()
            return None
        status, headers, text = answer[:3]
        data = text if isinstance(text, bytes) else text.encode()
        return self.send(status, headers, data, lambda: w.at("half", number, request), *answer[3:])

    def be_silent(self):
        """Until the client gives up; where time is shared, it passes in leaps, for a client may wait 180 s: section 5.1."""
        w, leap = self.world, time.monotonic() + 0.3
        while still_open(self.connection) and not w.stopped.is_set():
            time.sleep(0.01)
            if w.clock and time.monotonic() > leap:
                leap += 0.3
                w.clock.advance(30)
                w.pause_after("lost")

    def send(self, status, headers, data, half=lambda: None, fault=None):
        if fault == "header":
            self.wfile.write(b"HTTP/1.1 2")
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        if half() == "cut" or fault == "half":
            self.close_connection = True
            return
        self.wfile.write(data[len(data) // 2:])

    def run_one(self):
        try:
            self.handle_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PROPFIND = run_one
