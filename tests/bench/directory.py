"""What the Directory costs: answers a second that nothing changed (304), bytes a second of a whole phonebook, a push.

  /usr/bin/python3 tests/bench/directory.py [ENTRIES [ROWS PUSHED]]

The clients are processes of their own on the same machine and take a good part of it; the daemon's own CPU a request is told beside it."""

import http.client
import multiprocessing
import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import Site  # noqa: E402, F401 (it sets the path of the others)
from test_directory_hostile import Fort, rows  # noqa: E402

CLIENTS, SECONDS = 4, 4


def ask(where, path, headers, out):
    connection = http.client.HTTPConnection(where, timeout=60)
    end, answers, taken = time.monotonic() + SECONDS, 0, 0
    while time.monotonic() < end:
        connection.request("GET", path, headers=headers)
        taken += len(connection.getresponse().read())
        answers += 1
    out.put((answers, taken))


def cpu_s(f):
    with open("/proc/%d/stat" % f.daemon.process.pid) as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(f, what, headers):
    url, out, before = urllib.parse.urlsplit(f.url), multiprocessing.Queue(), cpu_s(f)
    clients = [multiprocessing.Process(target=ask, args=(url.netloc, url.path, headers, out)) for _ in range(CLIENTS)]
    for c in clients:
        c.start()
    got = [out.get() for _ in clients]
    for c in clients:
        c.join()
    answers, taken = sum(g[0] for g in got), sum(g[1] for g in got)
    print("| %s | %.0f | %.1f | %.0f | %d |" % (what, answers / SECONDS, taken / 1e6 / SECONDS, 1e6 * (cpu_s(f) - before) / answers,
                                               f.memory("VmHWM") >> 10), flush=True)


def push(f, what, count, tag):
    text, before, began = rows(count, tag), cpu_s(f), time.monotonic()
    status, told = f.push(text)
    assert status == 200, told
    print("| %s of %d | %.2f s | %.1f MB | %.2f s CPU | %d |" % (what, count, time.monotonic() - began, len(text) / 1e6, cpu_s(f) - before,
                                                             f.memory("VmHWM") >> 10), flush=True)


def main():
    entries, pushed = (int(a) for a in (sys.argv[1:] + ["10000", "100000"][len(sys.argv) - 1:]))
    print("| what | answers/s | MB/s | CPU us an answer | peak MiB |\n|---|---|---|---|---|")
    with Fort() as f:
        assert f.push(rows(entries))[0] == 200
        began = time.monotonic()
        f.get()
        first = time.monotonic() - began
        etag = [line.split(": ")[1] for line in f.curl("-I")[1].split("\r\n") if line.lower().startswith("etag")][0]
        load(f, "304, %d entries" % entries, {"If-None-Match": etag})
        load(f, "200, %d entries" % entries, {})
        load(f, "200, gzip", {"Accept-Encoding": "gzip"})
        print("| first reading after a change | %.3f s | | | |" % first)
        push(f, "push", pushed, "a")
        push(f, "the same again", pushed, "a")
        push(f, "every row changed", pushed, "b")


if __name__ == "__main__":
    main()
