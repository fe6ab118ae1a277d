"""What CardDAV costs: looks for changes that find none, and a first sync by vdirsyncer, beside Radicale and Xandikos with the same cards.

  /usr/bin/python3 tests/bench/dav.py [CARDS]

The clients are on the same machine and take a good part of it; the server's own CPU is told beside each figure."""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from dav_client import D, PROPFIND, SYNC, Dav  # noqa: E402
from servers import Radicale, Xandikos  # noqa: E402

USERS, CONNECTIONS, SECONDS = 8, 16, 5
LUA = """
local bodies, headers = {}, {}
%s
local i = 0
request = function()
  i = i %% #bodies + 1
  return wrk.format("REPORT", paths[i], headers[i], bodies[i])
end
response = function(status) if status ~= 207 then io.stderr:write("status ", status, "\\n") end end
"""


def cpu_s(pids):
    """User and system of these processes and all that have descended from them."""
    total, tick = 0, os.sysconf("SC_CLK_TCK")
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
        total += sum(int(n) for n in fields[11:15]) / tick
    return total


def peak_mib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmHWM:\s*(\d+)", f.read()).group(1)) >> 10


def card(i):
    return ("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:uid-%d\r\nFN:Vorname%d Nachname%d\r\nN:Nachname%d;Vorname%d;;;\r\nORG:Firma %d GmbH;Einkauf\r\nTEL;TYPE=WORK:+49 30 %07d\r\n"
            "TEL;TYPE=CELL:+49 170 %07d\r\nEMAIL;TYPE=WORK:person%d@example.com\r\nADR;TYPE=WORK:;;Straße %d;Berlin;;10115;Deutschland\r\nNOTE:%s\r\nEND:VCARD\r\n"
            % (i, i, i, i, i, i % 500, i, i, i, i % 200, "Größe und Maß, " * 20))


def noop(s):
    """As many devices look for changes as the machine can serve, each of eight users with a token of their own."""
    rows = []
    for i in range(USERS):
        name = "geraet%d" % i
        s.add_user(name, "Kunden")
        path = s.book.replace("anna", name)
        token = s.connect(name).ask("REPORT", path, SYNC % ("", "", "<d:getetag/>"), 0).xml().find(D + "sync-token").text
        login = base64.b64encode((name + ":" + s.password).encode()).decode()
        rows.append((path, SYNC % (token, "", "<d:getetag/>"), login))
    text = "paths = {%s}\n" % ", ".join('"%s"' % r[0] for r in rows)
    for n, (_, body, login) in enumerate(rows, 1):
        text += "bodies[%d] = [[%s]]\nheaders[%d] = {Authorization = 'Basic %s', ['Content-Type'] = 'application/xml', Depth = '0'}\n" % (n, body, n, login)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as f:
        f.write(LUA % text)
        f.flush()
        before = cpu_s([s.daemon.process.pid])
        done = subprocess.run(["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", "%ds" % SECONDS, "--latency", "-s", f.name, s.url], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=True)
    used = cpu_s([s.daemon.process.pid]) - before
    assert not done.stderr, done.stderr[:300]
    requests = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    print("| sync-collection that finds nothing | %.0f/s | p99 %s | %.0f us | %d |"
          % (float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout).group(1)), re.search(r"99%\s+(\S+)", done.stdout).group(1), 1e6 * used / requests,
             peak_mib(s.daemon.process.pid)), flush=True)


def vdirsyncer(url, user, password, count):
    """Wall s of a first sync, and whether it succeeded: vdirsyncer waits five minutes for an answer."""
    folder = tempfile.mkdtemp(prefix="abgleich-bench-")
    os.makedirs(folder + "/cards")
    with open(folder + "/config", "w") as f:
        f.write('[general]\nstatus_path = "%s/status/"\n[pair w]\na = "l"\nb = "r"\ncollections = null\n[storage l]\ntype = "filesystem"\n'
                'path = "%s/cards/"\nfileext = ".vcf"\n[storage r]\ntype = "carddav"\nurl = "%s"\nusername = "%s"\npassword = "%s"\n'
                % (folder, folder, url, user, password))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    subprocess.run(["vdirsyncer", "-c", folder + "/config", "discover"], input=b"y\ny\n", **quiet)
    began = time.monotonic()
    quiet["check"] = False
    code = subprocess.run(["vdirsyncer", "-c", folder + "/config", "sync"], **quiet).returncode
    took, found = time.monotonic() - began, len(os.listdir(folder + "/cards"))
    shutil.rmtree(folder)
    assert code or found == count, found
    return took, code == 0


def first_sync(what, pid, url, user, password, count):
    before = cpu_s([pid])
    took, good = vdirsyncer(url, user, password, count)
    used = cpu_s([pid]) - before
    print("| first sync of %d by vdirsyncer, %s | %.2f s%s | | %.2f s | %d |" % (count, what, took, "" if good else ", then it gave up", used, peak_mib(pid)), flush=True)
    return used


def others(kind, count):
    folder = tempfile.mkdtemp(prefix="abgleich-bench-")
    with kind(folder) as server:
        server.patience = 3600
        path = server.make_book("kunden", {"c0.vcf": card(0)})
        fill(server, folder, path, count)
        used = first_sync(server.name, server.process.pid, urllib.parse.urljoin(server.url, path), server.user, server.password, count)
    shutil.rmtree(folder)
    return used


def fill(server, folder, path, count):
    """As the server keeps them: a folder of files, with Xandikos a git repository. The first listing makes its caches, and is not counted."""
    where = os.path.join(folder, "collections", "collection-root") if server.name == "radicale" else os.path.join(folder, "dav")
    where = os.path.join(where, path.strip("/"))
    for i in range(1, count):
        with open(os.path.join(where, "c%d.vcf" % i), "w", newline="", encoding="utf-8") as f:
            f.write(card(i))
    if server.name == "xandikos":
        git = ["git", "-C", where, "-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(git + ["add", "-A"], check=True)
        subprocess.run(git + ["commit", "-q", "-m", "cards"], check=True)
    status, _, _ = server.request("PROPFIND", path, PROPFIND % "<d:getetag/>", {"Depth": "1", "Content-Type": "application/xml"})
    assert status == 207, status


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    print("| what | answers, time | | server's CPU | peak MiB |\n|---|---|---|---|---|")
    with Dav(0) as s:
        s.site.run("contact", "import", "Kunden", "/dev/stdin", text="".join(card(i) for i in range(count)), expect=0)
        noop(s)
        ours = first_sync("abgleich", s.daemon.process.pid, s.url.rstrip("/") + s.book, "anna", s.password, count)
    for kind in (Radicale, Xandikos):
        used = others(kind, count)
        print("| the server's CPU in times of ours, %s | %.0f | | | |" % (kind.name, used / ours), flush=True)


if __name__ == "__main__":
    main()
