"""What the daemon costs with many accounts: idle, and when all are due at once.

  /usr/bin/python3 tests/bench/daemon.py [ACCOUNTS]

Idle: every link ran just now, its interval is a day; resident memory and CPU over a minute. Due at once: nothing ran ever, and no server
answers (a closed port), so that what is measured is the daemon's own work: opening the state, a lease, a refused connection, a report."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROGRAM = os.environ.get("ABGLEICH", os.path.join(ROOT, "build", "abgleich"))


def write_config(folder, n):
    with open(os.path.join(folder, "abgleich.ini"), "w") as f:
        f.write("[abgleich]\nstate = %s/state.db\nlisten = 127.0.0.1:0\nlanguage = en\n" % folder)
        for i in range(n):
            f.write("[account a%05d]\nconnector = carddav\nurl = http://127.0.0.1:9/%d/\nplain_http = yes\nuser = u\ninterval = 1d\n" % (i, i))
            f.write("[link l%05d]\na = contactbox:Kunden\nb = a%05d:x\nmode = two-way\n" % (i, i))


def pretend_all_ran(folder, n):
    db = sqlite3.connect(os.path.join(folder, "state.db"))
    now = int(time.time() * 1000)
    with db:
        for i in range(n):
            no = db.execute("INSERT INTO name(name, next_row) VALUES (?, 1) RETURNING no", ("l%05d" % i,)).fetchone()[0]
            db.execute("INSERT INTO link_state(link, normaliser, first_run_done, last_full_a_ms, last_full_b_ms, last_run_ms, records_a, records_b)"
                       " VALUES (?, 1, 1, ?, ?, ?, 0, 0)", (no, now, now, now))
    db.close()


class Daemon:
    def __init__(self, folder):
        start = time.monotonic()
        self.log = open(os.path.join(folder, "log"), "w+")
        self.process = subprocess.Popen([PROGRAM, "-c", os.path.join(folder, "abgleich.ini"), "daemon"], stderr=self.log)
        self.address = None
        while not self.address:
            time.sleep(0.02)
            with open(os.path.join(folder, "log")) as f:
                self.address = next((line.split()[-1] for line in f if "http://" in line), None)
        self.start_s = time.monotonic() - start

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self, what="VmRSS"):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith(what))

    def links(self):
        with urllib.request.urlopen(self.address, timeout=60) as answer:
            return json.load(answer)["links"]

    def stop(self):
        self.process.terminate()
        self.process.wait(100)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    seconds = int(os.environ.get("SECONDS_IDLE", "60"))
    with tempfile.TemporaryDirectory() as folder:
        write_config(folder, n)
        subprocess.run([PROGRAM, "-c", os.path.join(folder, "abgleich.ini"), "-q", "book", "add", "Kunden"], check=True)
        daemon = Daemon(folder)
        begun, cpu = time.monotonic(), daemon.cpu_s()
        while sum(link["runs"] == 0 for link in daemon.links()):
            time.sleep(0.5)
        took, cpu = time.monotonic() - begun, daemon.cpu_s() - cpu
        print("%d due at once: all served in %.1f s, %.1f s CPU (%.2f ms each), peak %.0f MiB" %
              (n, took, cpu, 1000 * cpu / n, daemon.memory_mib("VmHWM")), flush=True)
        daemon.stop()
    with tempfile.TemporaryDirectory() as folder:
        write_config(folder, n)
        subprocess.run([PROGRAM, "-c", os.path.join(folder, "abgleich.ini"), "-q", "book", "add", "Kunden"], check=True)
        pretend_all_ran(folder, n)
        daemon = Daemon(folder)
        time.sleep(5)
        cpu = daemon.cpu_s()
        time.sleep(seconds)
        print("%d idle: started in %.1f s, %.0f MiB, %.2f %% of a core over %d s" %
              (n, daemon.start_s, daemon.memory_mib(), 100 * (daemon.cpu_s() - cpu) / seconds, seconds), flush=True)
        daemon.stop()


if __name__ == "__main__":
    main()
