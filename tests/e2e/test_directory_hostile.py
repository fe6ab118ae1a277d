"""The Directory among strangers: clients that drip, lie about lengths, break off, send too much, or ask for what is not theirs. Each case ends
with the same questions: is the phonebook as it was, is a good client served, has the daemon kept its size?"""

import re
import socket
import sys
import threading
import time
import urllib.parse

from harness import Suite
from test_directory import C4, KEY, House

HEADER_S, BODY_S = 10, 5 + 1  # server/http_server.h: HTTP_LIMITS_DEFAULT
BOUNDARY = "----hostile"
GROWTH_MAX_KB = 256 << 10


def form(content, name="file", boundary=BOUNDARY):
    return (b"--%b\r\nContent-Disposition: form-data; name=\"%b\"; filename=\"contacts.csv\"\r\nContent-Type: text/csv\r\n\r\n%b\r\n--%b--\r\n"
            % (boundary.encode(), name.encode(), content if isinstance(content, bytes) else content.encode(), boundary.encode()))


def rows(count, tag="a"):
    return "internal_id,family_name,given_name,phone_work\r\n" + "".join("%d,Familie%s%06d,Vorname,+4940%07d\r\n" % (i, tag, i, i) for i in range(count))


class Fort(House):
    """A phonebook with two entries in it that have to outlive everything."""

    def __enter__(self):
        super().__enter__()
        where = urllib.parse.urlsplit(self.daemon.address)
        self.host, self.port = where.hostname, where.port
        assert self.push(C4)[0] == 200
        self.before, self.began_kb = self.get(), self.memory("VmHWM")
        return self

    def memory(self, what):
        with open("/proc/%d/status" % self.daemon.process.pid) as f:
            return int(re.search(r"%s:\s+(\d+)" % what, f.read()).group(1))

    def connect(self, timeout=40):
        return socket.create_connection((self.host, self.port), timeout)

    def say(self, data, timeout=40, half_close=False):
        """What comes back to these very bytes, to the end; "" if the connection was cut without a word."""
        with self.connect(timeout) as s:
            heard = b""
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
                while True:
                    piece = s.recv(65536)
                    if not piece:
                        break
                    heard += piece
            except (ConnectionError, BrokenPipeError):
                pass
            return heard.decode("latin-1")

    def request(self, head, body=b""):
        return self.say(("%s\r\nHost: x\r\nConnection: close\r\n" % head).encode() + b"\r\n" + body)

    def upload(self, body, *headers, path="", boundary=BOUNDARY):
        lines = ["POST /contacts/%s%s HTTP/1.1" % (KEY, path), "Host: x", "Connection: close",
                 "Content-Type: multipart/form-data; boundary=" + boundary, *headers]
        if not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers):
            lines.append("Content-Length: %d" % len(body))
        return self.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def holds(self):
        """All is as it was."""
        assert self.get() == self.before, "the phonebook changed"
        assert self.daemon.process.poll() is None, "the daemon is gone"
        grown = self.memory("VmHWM") - self.began_kb
        assert grown < GROWTH_MAX_KB, "it grew by %d KiB" % grown


def status_of(heard):
    found = re.match(r"HTTP/1\.1 (\d{3}) ", heard)
    return int(found.group(1)) if found else None


def drip(f, first, ends):
    """Says `first`, then a byte again and again; notes when it was cut off."""
    began = time.monotonic()
    with f.connect() as s:
        s.settimeout(0.5)
        try:
            s.sendall(first)
            while time.monotonic() - began < 40:
                s.sendall(b"x")
                try:
                    if not s.recv(1000):
                        break
                except socket.timeout:
                    pass
        except OSError:
            pass
    ends.append(time.monotonic() - began)


def who_drips_is_cut_off():
    head = b"POST /contacts/%s HTTP/1.1\r\nHost: x\r\n" % KEY.encode()
    body = head + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
    chunks = head + b"Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"
    with Fort() as f:
        headers, bodies = [], []
        threads = [threading.Thread(target=drip, args=(f, head + b"X-Slow: ", headers)) for _ in range(20)]
        threads += [threading.Thread(target=drip, args=(f, first, bodies)) for first in (body, chunks) for _ in range(10)]
        for t in threads:
            t.start()
        slowest = 0
        while any(t.is_alive() for t in threads):
            began = time.monotonic()
            assert f.curl(url=f.url)[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            threads[0].join(0.3)
        for t in threads:
            t.join()
        assert len(headers) == 20 and max(headers) < HEADER_S + 8, headers
        assert len(bodies) == 20 and max(bodies) < BODY_S + 8, bodies
        assert slowest < 2, "a good client waited %.2f s" % slowest
        f.holds()


def one_address_gets_so_many_connections():
    """Half of what there is; who comes then takes the place of the one that idled longest."""
    with Fort() as f:
        held = []
        for _ in range(700):
            s = f.connect()
            s.sendall(b"GET / HTTP/1.1\r\n")
            s.setblocking(False)
            held.append(s)
        assert f.curl(url=f.url)[0] == 200, "another one from there"

        def is_cut(s):
            try:
                return s.recv(10) == b""
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
        cut = [is_cut(s) for s in held]
        assert 700 - 512 <= cut.count(True) < 700 - 400 and cut == sorted(cut, reverse=True), "%d were cut" % cut.count(True)
        for s in held:
            s.close()
        f.holds()


GET_KEY = b"GET /contacts/%s HTTP/1.1\r\nHost: x\r\n\r\n" % KEY.encode()
LENGTHS = (
    # headers, body: two readers would find different ends
    (("Content-Length: 5", "Transfer-Encoding: chunked"), b"0\r\n\r\n" + GET_KEY),
    (("Transfer-Encoding: chunked", "Content-Length: 5"), b"0\r\n\r\n" + GET_KEY),
    (("Content-Length: 0", "Content-Length: %d" % len(GET_KEY)), GET_KEY),
    (("Content-Length: 3", "content-length: 3"), b"abc"),
    (("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), b"0\r\n\r\n" + GET_KEY),
    (("Content-Length: -1",), b"abc"),
    (("Content-Length: +3",), b"abc"),
    (("Content-Length: 3, 3",), b"abc"),
    (("Content-Length: 0x3",), b"abc"),
    (("Content-Length: 99999999999999999999999",), b"abc"),
    (("Transfer-Encoding: chunked",), b"fffffffffffffffff\r\n" + b"x" * 100),
    (("Transfer-Encoding: chunked",), b"-5\r\nabcde\r\n0\r\n\r\n"),
    (("Transfer-Encoding: chunked",), b"zz\r\nabcde\r\n0\r\n\r\n"),
    (("Transfer-Encoding: chunked",), b"5;" + b"x" * 100000 + b"\r\nabcde\r\n0\r\n\r\n"),
    (("Transfer-Encoding: chunked",), b"1\r\na\r\n" * 10000 + b"0\r\n\r\n"),
)


def lengths_that_lie_are_refused():
    with Fort() as f:
        for headers, body in LENGTHS:
            heard = f.upload(body, *headers)
            assert status_of(heard) in (None, 400, 413, 415, 431), (headers, heard[:300])
            assert "internal_id" not in heard, "what was smuggled in was answered: %s %r" % (headers, heard[:300])
        f.holds()


def an_upload_that_breaks_off_changes_nothing():
    whole = form(C4.replace("Lale", "Leyla"))
    head = ("POST /contacts/%s HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n"
            % (KEY, BOUNDARY, len(whole))).encode()
    with Fort() as f:
        data = head + whole
        for at in sorted(set(range(0, len(data), 37)) | {len(data) - 1, len(data) - 2, len(head), len(head) + 1}):
            f.say(data[:at], half_close=True, timeout=20)
        chunked = head.replace(b"Content-Length: %d" % len(whole), b"Transfer-Encoding: chunked")
        f.say(chunked + b"%x\r\n%b\r\n" % (len(whole), whole), half_close=True, timeout=20)  # the last chunk is missing
        f.holds()
        assert status_of(f.upload(whole)) == 200 and "Leyla" in f.get(), "the whole one is taken"


CSV = C4.replace("Lale", "Leyla").encode()
FORMS = (
    # what is sent, boundary said in the header
    (b"", BOUNDARY),
    (form(CSV)[:-len(BOUNDARY) - 6], BOUNDARY),
    (form(CSV, name="upload"), BOUNDARY),
    (form(CSV), "another"),
    (form(CSV), ""),
    (form(CSV), "x" * 300),
    (form(CSV).replace(b"\r\n\r\n", b"\r\n", 1), BOUNDARY),
    (b"--%b--\r\n" % BOUNDARY.encode(), BOUNDARY),
    (b"\0" * 5000, BOUNDARY),
    (b"--" * 50000, BOUNDARY),
    (b"--%b\r\n" % BOUNDARY.encode() * 20000, BOUNDARY),
    (form(b"\0" * 1000), BOUNDARY),
    (form(b'"' * 100000), BOUNDARY),
    (form(b"\n" * 100000), BOUNDARY),
    (form(b"," * 100000), BOUNDARY),
    (form(b"family_name,given_name\n" + b"," * 1000000), BOUNDARY),
    (form(b'family_name,given_name\n"' + b"x" * 1000000), BOUNDARY),
    (form(b"\xff\xfe" + b"\0\xd8" * 5000), BOUNDARY),
)


def wrong_forms_change_nothing():
    with Fort() as f:
        for body, boundary in FORMS:
            heard = f.upload(body, boundary=boundary)
            assert status_of(heard) in (400, 413, 415, 422), (body[:80], boundary[:20], heard[:400])
            assert f.get() == f.before, (body[:80], boundary[:20])
        f.holds()


def what_is_too_large_is_not_read():
    big = 100 << 20
    head = "POST /contacts/%s HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n" % KEY

    def stream(f, first, pieces):
        """Sends until it is cut off; what it could send, what it heard."""
        sent, heard = 0, b""
        with f.connect() as s:
            try:
                s.sendall(first)
                for piece in pieces:
                    s.sendall(piece)
                    sent += len(piece)
            except OSError:
                pass
            try:
                heard = s.recv(65536)
            except OSError:
                pass
        return sent, heard.decode("latin-1")

    with Fort() as f:
        piece = b"x" * 65536
        sent, heard = stream(f, (head + "Content-Length: %d\r\n\r\n" % big).encode(), (piece for _ in range(big // 65536)))
        assert status_of(heard) in (None, 413) and sent < 32 << 20, (sent, heard)
        heard = f.say((head + "Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % big).encode())
        assert status_of(heard) == 413, heard
        chunk = b"10000\r\n" + piece + b"\r\n"
        sent, heard = stream(f, (head + "Transfer-Encoding: chunked\r\n\r\n").encode(), (chunk for _ in range(big // 65536)))
        assert status_of(heard) in (None, 413) and sent < 48 << 20, (sent, heard)
        f.holds()


def many_rows_cost_bounded_memory():
    with Fort() as f:
        began = time.monotonic()
        heard = f.upload(form(b"family_name,given_name\n" + b"".join(b"%x,b\n" % i for i in range(1000000))))
        assert status_of(heard) == 422 and "more than 250000 rows" in heard, heard[:400]
        f.holds()
        f.upload(form(b"family_name,given_name\n" + b"a,b\n" * 1000000))  # one person, a million times
        f.before = f.get()
        assert time.monotonic() - began < 60 and f.before.count("\r\n") <= 2, "%.1f s" % (time.monotonic() - began)
        f.holds()


PATHS = (
    "/contacts", "/contacts/", "/contacts//", "/contacts/../contacts/%(k)s", "/contacts/./%(k)s", "//contacts/%(k)s", "/contacts//%(k)s",
    "/contacts/%(k)s%%00", "/contacts/%(k)s%%00x", "/contacts/%(k)s%%0d%%0aX-Smuggled:%%201", "/contacts/%(k)s/..", "/contacts/%(k)s/../%(k)s",
    "/contacts/%(k)s/etc/passwd", "/contacts/..%%2f..%%2fetc%%2fpasswd", "/contacts/%(k)s/yealink", "/contacts/%(k)s/yealink/v1/../../..",
    "/contacts/%(k)s/yealink/v2", "/contacts/%(k)s;x=1", "/contacts/%(k)s.csv", "/contacts/%%ff%%fe", "/contacts/" + "A" * 20000,
    "/contacts/%(k)s/" + "a/" * 5000, "http://other.example.org/contacts/x", "*", "/CONTACTS/%(k)s", "/contacts\\%(k)s",
)
MAY_BE_THE_BOOK = ("%00",)  # libmicrohttpd ends a path at a NUL: what stands before it is the key, and whoever wrote it knew it


def paths_lead_nowhere():
    groups = [PATHS[at:at + 10] for at in range(0, len(PATHS), 10)]  # a daemon each: guesses are limited
    for group in groups:
        with Fort() as f:
            for path in group:
                path = path % {"k": KEY}
                heard = f.request("GET %s HTTP/1.1" % path)
                allowed = (404, 400, 414, 431) + ((200,) if any(m in path for m in MAY_BE_THE_BOOK) else ())
                assert status_of(heard) in allowed or (status_of(heard) is None and len(path) > 10000), (path[:80], heard[:300])
                assert "root:" not in heard and "X-Smuggled" not in heard.split("\r\n\r\n")[0], (path[:80], heard[:300])
            f.holds()


def headers_are_bounded():
    with Fort() as f:
        for line in ("X-Long: " + "a" * 100000, "\r\n".join("X-%d: y" % i for i in range(20000)), "If-None-Match: " + '"x",' * 5000,
                     "Accept-Encoding: " + "gzip;q=0," * 3000):
            heard = f.say(("GET /contacts/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n\r\n" % (KEY, line)).encode())
            assert status_of(heard) in (None, 200, 400, 431), heard[:200]
        for host in ("a\r\nX-Smuggled: 1", "<script>", "x" * 5000, '"><x', "a b"):
            heard = f.say(("GET /contacts/%s/yealink/v1?menu=letters HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (KEY, host)).encode())
            assert "<script>" not in heard and '"><x' not in heard, heard[:500]
        f.holds()


def a_right_key_is_no_oracle_for_who_guesses():
    with Fort() as f:
        answers = [status_of(f.request("GET /contacts/%014d HTTP/1.1" % i)) for i in range(60)]
        assert answers[:5] == [404] * 5 and answers[-1] == 429, answers
        assert status_of(f.request("GET /contacts/%s HTTP/1.1" % KEY)) == 429, "a hit would show among the misses"


def a_push_does_not_disturb_a_download():
    one, two = rows(60000, "a"), rows(3000, "b")  # the download must be more than sockets hold, the push sooner than a resting client is cut off
    with Fort() as f:
        assert f.push(one)[0] == 200
        old = f.get()
        with f.connect() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            s.sendall(b"GET /contacts/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % KEY.encode())
            heard = s.recv(4096)
            assert f.push(two)[0] == 200, "a slow reader holds up nobody"
            assert "Familieb" in f.get()
            while True:
                piece = s.recv(1 << 16)
                if not piece:
                    break
                heard += piece
        body = heard.partition(b"\r\n\r\n")[2].decode()
        assert body == old, "%d of %d bytes of the old book" % (len(body), len(old))
        f.before = f.get()
        f.holds()


def pushes_at_once_leave_one_whole_book():
    books = [rows(3000, tag) for tag in "abcdef"]
    with Fort() as f:
        answers = []
        threads = [threading.Thread(target=lambda b=b: answers.append(status_of(f.upload(form(b))))) for b in books]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert answers.count(200) >= 1 and set(answers) <= {200, 429, 503}, answers
        tags = set(re.findall(r"Familie(.)", f.get()))
        assert len(tags) == 1, "a mixture: %s" % tags
        assert f.get().count("\r\n") == 3001


def who_reads_meanwhile_goes_forward():
    """A reader gets whole books, none older than the one before; whoever was told that a push is stored reads it."""
    with Fort() as f:
        f.get(), f.get("/yealink/v1")
        seen, ended = {"": [], "/yealink/v1": []}, threading.Event()

        def read(path):
            while not ended.is_set():
                body = f.get(path)
                tags = set(re.findall("Familie(.)[0-9]", body))
                assert len(tags) <= 1 and body.count("Vorname") in (0, 4000, 8000), (path, tags, body.count("Vorname"))
                seen[path].append(max(tags, default=" "))

        readers = [threading.Thread(target=read, args=(path,)) for path in seen]
        for r in readers:
            r.start()
        try:
            for tag in "abcdefgh":
                assert f.push(rows(4000, tag))[0] == 200
                for path in seen:
                    assert set(re.findall("Familie(.)[0-9]", f.get(path))) == {tag}, (path, tag)
        finally:
            ended.set()
            for r in readers:
                r.join()
        for path, tags in seen.items():
            assert tags == sorted(tags) and len(tags) > 8, (path, "".join(tags))


CASES = (lengths_that_lie_are_refused, wrong_forms_change_nothing, an_upload_that_breaks_off_changes_nothing, what_is_too_large_is_not_read,
         many_rows_cost_bounded_memory, paths_lead_nowhere, headers_are_bounded, a_right_key_is_no_oracle_for_who_guesses,
         a_push_does_not_disturb_a_download, pushes_at_once_leave_one_whole_book,
         who_reads_meanwhile_goes_forward, one_address_gets_so_many_connections, who_drips_is_cut_off)


if __name__ == "__main__":
    suite = Suite("directory, hostile")
    for case in CASES:
        if len(sys.argv) < 2 or any(word in case.__name__ for word in sys.argv[1:]):
            suite.run(case.__name__.replace("_", " "), case)
    sys.exit(suite.end())
