"""What the Directory costs: answers a second that nothing changed (304), bytes a second of a whole phonebook, a push.

  /usr/bin/python3 tests/bench/directory.py [ENTRIES [ROWS PUSHED]]

The load is wrk's, one thread, 16 connections, on the same machine; the daemon's own CPU a request is told beside it. What the loopback carries
between two processes that do nothing else is measured in the same run."""

import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import Site  # noqa: E402, F401 (it sets the path of the others)
from test_directory_hostile import Fort, rows  # noqa: E402

SECONDS = 4


def loopback_mb_s():
    """One sender, one receiver that throws away."""
    code = "import socket,sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\nb = bytearray(1 << 18)\nwhile s.recv_into(b): pass\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        reader = subprocess.Popen([sys.executable, "-c", code, str(server.getsockname()[1])])
        taken, piece = 0, b"x" * (1 << 18)
        with server.accept()[0] as s:
            began = time.monotonic()
            while time.monotonic() - began < SECONDS / 2:
                s.sendall(piece)
                taken += len(piece)
            lasted = time.monotonic() - began
        reader.wait()
    return taken / 1e6 / lasted


def cpu_s(f):
    with open("/proc/%d/stat" % f.daemon.process.pid) as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(f, what, *headers):
    before = cpu_s(f)
    options = [word for header in headers for word in ("-H", header)]
    said = subprocess.run(["wrk", "-t1", "-c16", "-d%ds" % SECONDS, *options, f.url], stdout=subprocess.PIPE, text=True, check=True).stdout
    answers = int(re.search(r"(\d+) requests in", said).group(1))
    number, unit = re.search(r"Transfer/sec:\s+([\d.]+)(\w+)", said).groups()
    mb_s = float(number) * {"B": 1e-6, "KB": 1.024e-3, "MB": 1.048576, "GB": 1073.741824}[unit]
    print("| %s | %.0f | %.1f | %.0f | %d |" % (what, answers / SECONDS, mb_s, 1e6 * (cpu_s(f) - before) / answers, f.memory("VmHWM") >> 10), flush=True)


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
        load(f, "304, %d entries" % entries, "If-None-Match: " + etag)
        load(f, "200, %d entries" % entries)
        load(f, "200, gzip", "Accept-Encoding: gzip")
        print("| the loopback alone | | %.0f | | |" % loopback_mb_s(), flush=True)
        print("| first reading after a change | %.3f s | | | |" % first)
        push(f, "push", pushed, "a")
        push(f, "the same again", pushed, "a")
        push(f, "every row changed", pushed, "b")


if __name__ == "__main__":
    main()
