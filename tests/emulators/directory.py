"""A Directory on loopback and in memory, as its page describes it (sync.blue's, or any that is compatible): one POST replaces the list.
Strict: whatever a request gets wrong is a violation, and a test that leaves one fails. Its own reader of multipart and of CSV, so that a
fault is not on both sides.

    with Directory() as d:
        d.rows                 what was pushed last: {internal_id: {column: value}}; None = never
        d.fail(422, "text")    the next push is answered so, and changes nothing
        d.cut = "before" | "after"   the next push loses its answer, without or with effect
        d.at = f(moment, number, request)   as in tests/e2e/hostile_server.py
"""

import csv
import io
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler

from listener import CountingListener

COLUMNS = ("internal_id display_name family_name given_name company department position phone_work phone_home phone_fax phone_mobile"
           " phone_pager phone_other email birthday").split()
PHONES = [c for c in COLUMNS if c.startswith("phone_")]


def parts_of(body, boundary):
    """[(headers, bytes)] of a multipart body (RFC 2046 5.1.1), or the sentence what is wrong."""
    delimiter = b"--" + boundary
    if not body.startswith(delimiter + b"\r\n") or not body.endswith(b"\r\n" + delimiter + b"--\r\n"):
        return "the body does not begin and end with its boundary"
    inner = body[len(delimiter) + 2:-(len(delimiter) + 6)]
    parts = []
    for piece in inner.split(b"\r\n" + delimiter + b"\r\n"):
        head, blank, content = piece.partition(b"\r\n\r\n")
        if not blank:
            return "a part without an end of its header"
        parts.append((dict(line.split(": ", 1) for line in head.decode("ascii").split("\r\n")), content))
    return parts


class Handler(BaseHTTPRequestHandler):
    world = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def answer(self, status, text, kind="application/json", half=lambda: False):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in self.world.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        if half():
            self.close_connection = True
        else:
            self.wfile.write(data[len(data) // 2:])

    def do_GET(self):
        w = self.world
        w.gets.append(self.path)
        if self.path.partition("?")[0] != "/contacts/" + w.key or w.text is None:
            return self.answer(404, "not found", "text/plain")
        return self.answer(200, w.text.decode(), "text/csv; charset=utf-8")

    def do_POST(self):
        w = self.world
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        w.pushes.append((self.path, dict(self.headers), body))
        if w.status:
            (status, text, kind), w.status = w.status, None
            return self.answer(status, text.replace("KEY", w.key), kind)
        with w.lock:
            number = len(w.pushes) + len(w.gets) - 1
            if w.is_cut("before") or w.at("arrived", number, self) == "cut":
                self.close_connection = True
                return None
            status, text = w.take(self.path, self.headers, body)
            if w.is_cut("after") or w.at("done", number, self) == "cut":
                self.close_connection = True
                return None
        return self.answer(status, text, half=lambda: w.at("half", number, self) == "cut")


class Listener(CountingListener):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # that is a client that went away
            self.world.violations.append("emulator: %r" % sys.exc_info()[1])


class Directory:
    connector, user, book_name = "directory", "", ""
    password = property(lambda self: self.key)

    def __init__(self, key="7FQ2M9XK41ZBD0"):
        self.key, self.rows, self.text, self.pushes, self.gets = key, None, None, [], []
        self.violations, self.status, self.cut, self.headers = [], None, None, {}
        self.at, self.lock = lambda moment, number, request: None, threading.RLock()
        self.open, self.closed = 0, threading.Condition()
        handler = type("Handler", (Handler,), {"world": self})
        self.server = type("Listener", (Listener,), {"world": self})(("127.0.0.1", 0), handler)
        self.url = "http://127.0.0.1:%d/contacts/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()

    def is_cut(self, when):
        found = self.cut == when
        self.cut = None if found else self.cut
        return found

    def wait_idle(self):
        with self.closed:
            assert self.closed.wait_for(lambda: not self.open, 30), "a connection stays open"

    def keep(self):
        return self.rows, self.text

    def restore(self, kept):
        (self.rows, self.text), self.pushes, self.gets, self.violations = kept, [], [], []

    def fail(self, status, text="", kind="text/plain; charset=utf-8"):
        self.status = (status, text, kind)

    def wrong(self, what):
        self.violations.append(what)
        return 422, '{"error":"%s"}' % what

    def take(self, path, headers, body):
        where, _, query = path.partition("?")
        if where != "/contacts/" + self.key:
            return 404, "{}"
        kind = re.fullmatch(r'multipart/form-data; boundary=([0-9A-Za-z\'()+_,./:=? -]{1,70})', headers.get("Content-Type", ""))
        if not kind:
            return self.wrong("content type %r" % headers.get("Content-Type"))
        parts = parts_of(body, kind.group(1).encode())
        if isinstance(parts, str):
            return self.wrong(parts)
        files = [c for h, c in parts if re.match(r'form-data; name="file"; filename="[^"]+"$', h.get("Content-Disposition", ""))]
        if len(files) != 1 or len(parts) != 1:
            return self.wrong("%d parts, %d named file" % (len(parts), len(files)))
        return self.take_file(files[0], "allow_empty=1" in query)

    def take_file(self, data, empty):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as why:
            return self.wrong("no UTF-8: %s" % why)
        if text.startswith("\ufeff") or re.search(r"[^\r]\n", re.sub(r'"[^"]*"', "", text)):
            return self.wrong("a byte order mark, or a line that ends without CR")
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        if not table or table[0] != COLUMNS:
            return self.wrong("columns %r" % table[:1])
        rows = {}
        for cells in table[1:]:
            if len(cells) != len(COLUMNS):
                return self.wrong("%d cells in %r" % (len(cells), cells))
            row = dict(zip(COLUMNS, cells))
            if not row["internal_id"] or row["internal_id"] in rows:
                return self.wrong("internal_id %r is missing or there twice" % row["internal_id"])
            if not (row["display_name"] or row["family_name"] or row["given_name"] or row["company"]):
                return self.wrong("a row without a name: %r" % row)
            if row["birthday"] and not re.fullmatch(r"\d{4}-\d\d-\d\d", row["birthday"]):
                return self.wrong("birthday %r" % row["birthday"])
            if any(v[:1] in ("=", "@", "\t", "\r") for v in cells):
                return self.wrong("a formula: %r" % row)
            rows[row["internal_id"]] = row
        if not rows and not empty:
            return 400, '{"error":"no rows"}'
        self.rows, self.text = rows, data
        return 200, '{"rows":%d,"stored":%d}' % (len(rows), len(rows))

    def numbers(self, row, kind):
        """The numbers of one cell, whether several or one."""
        return [n.strip("'") for n in row["phone_" + kind].split(";") if n]
