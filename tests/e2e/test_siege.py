"""The daemon besieged: while each attack runs, a good client is served, nothing is lost, and memory stays below 256 MiB. How fast it is served
is measured by tests/bench/siege.py, not tested."""

import base64
import sys

from harness import Suite
from siege import Attack, Caller, Good, Swarm
from test_directory_hostile import BOUNDARY, KEY, Fort, form, rows

SECONDS, ANSWERS = 3, 20
MEMORY_MAX_KB = 256 << 10
BOOK = "/contacts/" + KEY
UPLOAD = ("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=%s\r\n" % (BOOK, BOUNDARY)).encode()


def request(method, path, *headers, body=b""):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: x", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def upload(body):
    return UPLOAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def wrong_password(at):
    return request("PROPFIND", "/dav/", "Authorization: Basic " + base64.b64encode(b"anna:wrong-%d" % at).decode(), "Content-Length: 0")


BIG = rows(30000)
FLOOD = b"x" * 65536

# name -> attackers at (host, port)
ATTACKS = {
    "10 000 idle connections": lambda w: [Swarm(w, 5000, rate=1000), Swarm(w, 5000, first=b"GET / HTTP/1.1\r\n", rate=1000)],
    "2 000 headers that drip": lambda w: [Swarm(w, 2000, first=b"GET / HTTP/1.1\r\nX-Slow: ", drip=b"x")],
    "2 000 bodies that drip": lambda w: [Swarm(w, 2000, first=UPLOAD + b"Content-Length: 1000000\r\n\r\n", drip=b"x")],
    "bodies that fill what all may hold": lambda w: [Swarm(w, 100, first=UPLOAD + b"Content-Length: 16000000\r\n\r\n" + b"x" * 8000000, drip=b"x" * 5000)],
    "2 000 slow readers": lambda w: [Swarm(w, 2000, first=request("GET", BOOK), sip=10)],
    "uploads of 100 MB": lambda w: [Swarm(w, 50, first=UPLOAD + b"Content-Length: 104857600\r\n\r\n", drip=FLOOD, every=0.005)],
    "chunk bombs": lambda w: [Swarm(w, 200, first=UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n", drip=b"1\r\nx\r\n" * 2000, every=0.01)],
    "pushes of 30 000 rows by six": lambda w: [Caller(w, lambda at, n=n: upload(form(BIG.replace("Familie", "F%d-%d" % (n, at))))) for n in range(6)],
    "keys guessed": lambda w: [Caller(w, lambda at, n=n: request("GET", "/contacts/%07d%07d" % (n, at)), "127.0.0.2") for n in range(3)],
    "passwords guessed": lambda w: [Caller(w, wrong_password) for _ in range(30)],
}
CHANGES = ("pushes of 30 000 rows by six",)


def besieged(name):
    with Fort() as f:
        where, path = (f.host, f.port), BOOK + "/yealink/v1"
        good = Good(where, path, f.get("/yealink/v1").encode(), pause=0.005)
        if name in CHANGES:
            good.expect = None
        with Attack(*ATTACKS[name](where)):
            good.ask_for(SECONDS, at_least=ANSWERS)
        print("     %s: %d answers, p99 %.0f ms, longest %.0f ms, %d failed, peak %d MiB"
              % (name, len(good.waits), 1000 * good.percentile(99) if good.waits else 0, 1000 * max(good.waits, default=0), len(good.failures),
                 f.memory("VmHWM") >> 10))
        assert len(good.waits) >= ANSWERS and len(good.failures) <= len(good.waits) / 100, (len(good.waits), good.failures[:3])
        assert f.memory("VmHWM") < MEMORY_MAX_KB, "peak %d KiB" % f.memory("VmHWM")
        if name not in CHANGES:
            f.holds()


if __name__ == "__main__":
    suite = Suite("siege")
    for attack in ATTACKS:
        if len(sys.argv) < 2 or any(word in attack for word in sys.argv[1:]):
            suite.run(attack, besieged, attack)
    sys.exit(suite.end())
