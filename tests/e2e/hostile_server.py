"""A CardDAV server that keeps the rules and breaks them on command: cards in memory, every request recorded, a script that can kill the
client, cut answers, lie about states and change cards behind its back. Strict: a client that breaks a rule is noted in `violations`."""

import copy
import hashlib
import os
import re
import signal
import threading
from http.server import BaseHTTPRequestHandler
from xml.sax.saxutils import escape

import harness  # noqa: F401 (it sets the path of the emulators)
from listener import CountingListener

BOOK = "/dav/anna/kunden/"
HOME = "/dav/anna/"
TOKEN = "data:,%d"
XML = '<?xml version="1.0" encoding="utf-8"?>\n'
ROOT = '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns:CS="http://calendarserver.org/ns/">'


class Card:
    def __init__(self, text, seq):
        self.text, self.seq, self.there = text, seq, True


class Hostile:
    """The world of one server. `at(moment, number, request)` is called at "arrived", "done" (effect there, no answer yet) and "half"
    (half of the answer sent); it may return an answer (status, headers, body) in place of the real one, or "cut"."""

    user, password, name = "anna", "geheim-7", "hostile"

    def __init__(self):
        self.cards, self.seq, self.requests, self.violations = {}, 0, [], []
        self.at = lambda moment, number, request: None
        self.etags, self.put_tells_etag, self.rewrites, self.has_sync, self.dead_tokens = "strong", True, False, True, False
        self.lock = threading.RLock()
        self.open, self.closed = 0, threading.Condition()
        handler = type("Handler", (Handler,), {"world": self})
        self.server = type("Listener", (CountingListener,), {"world": self})(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()

    def wait_idle(self):
        """Until each connection of clients that are gone has ended: nothing of theirs can take effect any more."""
        with self.closed:
            assert self.closed.wait_for(lambda: not self.open, 30), "a connection stays open"

    def keep(self):
        return copy.deepcopy((self.cards, self.seq))

    def restore(self, kept):
        (self.cards, self.seq), self.requests, self.violations = copy.deepcopy(kept), [], []

    # -- cards --
    def put(self, name, text):
        with self.lock:
            self.seq += 1
            if self.rewrites:
                lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
                text = "\r\n".join(lines[:2] + sorted(lines[2:-1]) + lines[-1:]) + "\r\n"
            self.cards[name] = Card(text, self.seq)

    def delete(self, name):
        with self.lock:
            self.seq += 1
            self.cards[name].there, self.cards[name].seq = False, self.seq

    def etag(self, card):
        tag = hashlib.sha256(card.text.encode("utf-8", "replace")).hexdigest()[:16] + "-%d" % card.seq
        if self.etags == "missing":
            return None
        if self.etags == "churning":
            tag += "-%d" % sum(1 for command, _path, _body in self.requests if command == "REPORT")
        return 'W/"%s"' % tag if self.etags == "weak" else '"%s"' % tag

    def texts(self):
        return {n: c.text for n, c in self.cards.items() if c.there}


def kill(pid):
    os.kill(pid, signal.SIGKILL)


class Handler(BaseHTTPRequestHandler):
    world = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    # -- answers --
    def prop(self, name, card, data):
        w = self.world
        etag = w.etag(card)
        inside = "<D:getcontenttype>text/vcard</D:getcontenttype><D:resourcetype/>"
        if etag:
            inside += "<D:getetag>%s</D:getetag>" % escape(etag)
        if data:
            inside += "<C:address-data>%s</C:address-data>" % escape(card.text)
        return ("<D:response><D:href>%s</D:href><D:propstat><D:prop>%s</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
                % (escape(BOOK + name), inside))

    def gone(self, name):
        return "<D:response><D:href>%s</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>" % escape(BOOK + name)

    def collection(self, path, book):
        w = self.world
        kind = "<D:collection/>" + ("<C:addressbook/>" if book else "")
        sync = "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>" if w.has_sync and book else ""
        token = "<D:sync-token>%s</D:sync-token>" % (TOKEN % w.seq) if w.has_sync and book else ""
        return ("<D:response><D:href>%s</D:href><D:propstat><D:prop><D:resourcetype>%s</D:resourcetype><D:displayname>kunden</D:displayname>"
                "<D:current-user-principal><D:href>%s</D:href></D:current-user-principal><C:addressbook-home-set><D:href>%s</D:href>"
                "</C:addressbook-home-set><D:supported-report-set>%s</D:supported-report-set><CS:getctag>c%d</CS:getctag>%s"
                "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>" % (path, kind, HOME, HOME, sync, w.seq, token))

    def multistatus(self, parts, token=None):
        tail = "<D:sync-token>%s</D:sync-token>" % (TOKEN % token) if token is not None else ""
        return 207, {"Content-Type": "application/xml; charset=utf-8"}, XML + ROOT + "".join(parts) + tail + "</D:multistatus>"

    def propfind(self, depth):
        w = self.world
        if self.path == BOOK:
            parts = [self.collection(BOOK, True)]
            if depth == "1":
                parts += [self.prop(n, c, False) for n, c in w.cards.items() if c.there]
        elif self.path == HOME and depth == "1":
            parts = [self.collection(HOME, False), self.collection(BOOK, True)]
        elif self.path in (HOME, "/", "/.well-known/carddav"):
            parts = [self.collection(self.path, False)]
        elif self.path.startswith(BOOK) and self.path[len(BOOK):] in w.texts():
            parts = [self.prop(self.path[len(BOOK):], w.cards[self.path[len(BOOK):]], False)]
        else:
            return 404, {}, ""
        return self.multistatus(parts)

    def report(self, body):
        w = self.world
        data = "address-data" in body
        if "sync-collection" in body:
            if not w.has_sync:
                return 501, {}, ""
            since = re.search(r"<D:sync-token>(?:data:,(\d+))?</D:sync-token>", body).group(1)
            if since and w.dead_tokens:
                return 403, {"Content-Type": "application/xml"}, '<D:error xmlns:D="DAV:"><D:valid-sync-token/></D:error>'
            parts = []
            for n, c in w.cards.items():
                if since and c.seq > int(since):
                    parts.append(self.prop(n, c, data) if c.there else self.gone(n))
                elif not since and c.there:
                    parts.append(self.prop(n, c, data))
            return self.multistatus(parts, w.seq)
        if "addressbook-multiget" in body:
            names = [h[len(BOOK):] for h in re.findall(r"<D:href>([^<]*)</D:href>", body)]
            return self.multistatus([self.prop(n, w.cards[n], True) if n in w.cards and w.cards[n].there else self.gone(n) for n in names])
        return self.multistatus([self.prop(n, c, True) for n, c in w.cards.items() if c.there])

    def write(self, method, name, body):
        w = self.world
        card = w.cards.get(name)
        there = card is not None and card.there
        match, none = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if match is None and none is None and w.etags in ("strong",):
            w.violations.append("%s %s without a condition" % (method, name))
        if none == "*" and there:
            return 412, {}, ""
        if match is not None and (not there or match.strip('W/') != (w.etag(card) or "").strip('W/')):
            return 412, {}, ""
        if method == "DELETE":
            if not there:
                return 404, {}, ""
            w.delete(name)
            return 204, {}, ""
        if not (body.startswith("BEGIN:VCARD\r\n") and body.endswith("END:VCARD\r\n") and "\r\nUID:" in body and "\r\nFN" in body):
            w.violations.append("PUT %s: no good card: %r" % (name, body[:200]))
        uid = re.search(r"\r\nUID:(.*)\r\n", body)
        for other, c in w.cards.items():
            if c.there and other != name and uid and ("\r\nUID:%s\r\n" % uid.group(1)) in c.text:
                return 409, {"Content-Type": "application/xml"}, ('<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">'
                                                                  "<C:no-uid-conflict><D:href>%s</D:href></C:no-uid-conflict></D:error>" % (BOOK + other))
        w.put(name, body)
        return (204 if there else 201), ({"ETag": w.etag(w.cards[name])} if w.put_tells_etag and w.etag(w.cards[name]) else {}), ""

    def act(self, body):
        w = self.world
        depth = self.headers.get("Depth")
        if self.command == "PROPFIND":
            return self.propfind(depth)
        if self.command == "REPORT":
            return self.report(body)
        name = self.path[len(BOOK):]
        if not self.path.startswith(BOOK):
            return 404, {}, ""
        if self.command == "GET":
            c = w.cards.get(name)
            return (200, {"Content-Type": "text/vcard", "ETag": w.etag(c) or '"x"'}, c.text) if c and c.there else (404, {}, "")
        return self.write(self.command, name, body)

    # -- one request --
    def handle_any(self):
        w = self.world
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:  # the client is gone in the middle of it: no server acts on that
            self.close_connection = True
            return
        body = raw.decode("utf-8", "replace")
        with w.lock:
            number = len(w.requests)
            w.requests.append((self.command, self.path, body))
            answer = w.at("arrived", number, self)
            if answer is None:
                answer = self.act(body)
                answer = w.at("done", number, self) or answer
        if answer == "cut":
            self.close_connection = True
            return
        status, headers, text = answer
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if data:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
        if w.at("half", number, self) == "cut":
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(data[len(data) // 2:])

    def guarded(self):
        try:
            self.handle_any()
        except (BrokenPipeError, ConnectionResetError, ValueError, OSError):
            self.close_connection = True

    do_PROPFIND = do_REPORT = do_GET = do_PUT = do_DELETE = do_OPTIONS = guarded
