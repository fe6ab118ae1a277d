"""make bench: what a sync costs against a server that answers at once (tests/bench/stub.c), beside vdirsyncer on the same work and the
floor. Prints Markdown. bench.py [--quick] [--all]"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
PROGRAM = os.environ.get("ABGLEICH", os.path.join(ROOT, "build", "abgleich"))


class Stub:
    def __init__(self, binary, cards, *options):
        self.process = subprocess.Popen([binary, "0", str(cards), *options], stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:%s/" % self.process.stdout.readline().strip()

    def ask(self, path):
        return urllib.request.urlopen(self.url + path, data=b"").read()

    def stats(self):
        import json
        return json.loads(self.ask("_stats"))

    def end(self):
        self.process.kill()
        self.process.wait()


def measured(command, stdin=None, env=None):
    """wall s, CPU s, peak MiB of one command."""
    start = time.monotonic()
    p = subprocess.Popen(command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    if stdin:
        p.stdin.write(stdin)
        p.stdin.close()
    error = p.stderr.read()
    _, status, used = os.wait4(p.pid, 0)
    if status:
        raise SystemExit("%s: status %x: %s" % (command, status, error[-600:].decode()))
    return time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class Ours:
    def __init__(self, folder, stub, size):
        self.size = size
        self.config = os.path.join(folder, "abgleich.ini")
        with open(self.config, "w") as f:
            f.write("[abgleich]\nstate = %s/state.db\n" % folder)
        measured([PROGRAM, "-q", "-c", self.config, "account", "add", "srv", "--connector", "carddav", "--url", stub.url, "--user", "anna",
                  "--password-file", "-"], b"x\n")
        measured([PROGRAM, "-q", "-c", self.config, "link", "add", "kunden", "contactbox:Kunden", "srv:kunden", "--mode", "two-way"])

    def sync(self, *options):
        return measured([PROGRAM, "-q", "-c", self.config, "sync", "kunden", *options])

    def change_here(self, n, folder):
        # Card by card: a process is charged with what its parent held when it was started.
        every, path, number = max(1, self.size // n), os.path.join(folder, "changed.vcf"), -1
        export = subprocess.Popen([PROGRAM, "-c", self.config, "contact", "export", "Kunden"], stdout=subprocess.PIPE)
        with open(path, "wb") as f:
            for line in export.stdout:
                number += line.startswith(b"BEGIN:VCARD")
                if number % every == 0 and number // every < n:
                    f.write(line.replace(b"NOTE:Stand", b"NOTE:Hier"))
        assert export.wait() == 0
        measured([PROGRAM, "-q", "-c", self.config, "contact", "import", "Kunden", path])


def row(size, what, stub, result):
    s = stub.stats()
    print("| %d | %s | %.3f | %.4f | %.0f | %d | %.2f |" % (size, what, result[0], result[1], result[2], s["requests"], (s["in"] + s["out"]) / 1e6),
          flush=True)


def one(size, binary):
    folder = tempfile.mkdtemp(prefix="abgleich-bench-")
    stub = Stub(binary, size)
    ours = Ours(folder, stub, size)

    def run(what, *options, times=1):
        best = None
        for _ in range(times):
            stub.ask("_reset")
            got = ours.sync(*options)
            best = got if best is None or got[1] < best[1] else best
        row(size, what, stub, best)

    run("first import")
    run("no-op with token", times=7)
    run("no-op by listing", "--full", times=3)
    stub.ask("_change?%d" % (size // 100))
    run("1 % changed there")
    ours.change_here(size // 100, folder)
    run("1 % changed here")
    run("no-op with token", times=7)
    stub.end()
    shutil.rmtree(folder)


def vdirsyncer(size, binary):
    folder = tempfile.mkdtemp(prefix="abgleich-bench-")
    stub = Stub(binary, size)
    os.makedirs(folder + "/cards")
    config = folder + "/config"
    with open(config, "w") as f:
        f.write('[general]\nstatus_path = "%s/status/"\n[pair w]\na = "l"\nb = "r"\ncollections = null\n[storage l]\ntype = "filesystem"\n'
                'path = "%s/cards/"\nfileext = ".vcf"\n[storage r]\ntype = "carddav"\nurl = "%sdav/anna/kunden/"\nusername = "anna"\npassword = "x"\n'
                % (folder, folder, stub.url))
    measured(["vdirsyncer", "-c", config, "discover"], b"y\ny\n")
    for what in ("vdirsyncer first", "vdirsyncer no-op"):
        stub.ask("_reset")
        row(size, what, stub, measured(["vdirsyncer", "-c", config, "sync"]))
    stub.ask("_change?%d" % (size // 100))
    stub.ask("_reset")
    row(size, "vdirsyncer 1 % there", stub, measured(["vdirsyncer", "-c", config, "sync"]))
    stub.end()
    shutil.rmtree(folder)


def floor(size, binary):
    """The same bytes fetched by curl, parsed by xmllint, and as many rows inserted by sqlite3."""
    folder = tempfile.mkdtemp(prefix="abgleich-bench-")
    stub = Stub(binary, size)
    answer = folder + "/answer.xml"
    stub.ask("_reset")
    row(size, "floor: curl", stub, measured(["curl", "-s", "-X", "REPORT", "-H", "Depth: 1", "-H", "Content-Type: application/xml", "-d",
                                             "<addressbook-query/>", "-o", answer, stub.url + "dav/anna/kunden/"]))
    if shutil.which("xmllint"):
        row(size, "floor: xmllint --stream", stub, measured(["xmllint", "--stream", "--huge", answer]))
    sql = "create table t(id integer primary key, uid text, body blob);begin;with recursive n(i) as (select 1 union all select i+1 from n " \
          "where i<%d) insert into t select i, 'uid-'||i, zeroblob(1200) from n;commit;" % size
    row(size, "floor: sqlite3", stub, measured(["sqlite3", folder + "/t.db", sql]))
    stub.end()
    shutil.rmtree(folder)


def main():
    sizes = [1000, 10000] if "--quick" in sys.argv else [1000, 10000, 100000]
    with tempfile.TemporaryDirectory() as folder:
        binary = folder + "/stub"
        subprocess.run(["cc", "-O2", "-o", binary, os.path.join(HERE, "stub.c")], check=True)
        print("| contacts | what | wall s | CPU s | peak MiB | requests | MB |\n|---|---|---|---|---|---|---|", flush=True)
        for size in sizes:
            one(size, binary)
            floor(size, binary)
            if "--quick" not in sys.argv and (size < 100000 or "--all" in sys.argv):
                vdirsyncer(size, binary)


if __name__ == "__main__":
    main()
