"""The daemon from outside: runs what is due, keeps the old configuration where the new one is wrong, takes over a right one, ends cleanly;
and nobody else runs a link that is running."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from harness import PROGRAM, Site, Suite, card
from hostile_server import Hostile


class Daemon:
    def __init__(self, site, **environment):
        self.process = subprocess.Popen([PROGRAM, "-c", site.config, "-v", "--language", "en", "daemon"], stderr=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **environment))
        self.lines, self.told = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.address = self.wait_for("http://").split()[-1]

    def read(self):
        for line in self.process.stderr:
            with self.told:
                self.lines.append(line.rstrip())
                self.told.notify_all()

    def wait_for(self, text, seconds=20):
        """The first line holding text, from the beginning or as it comes."""
        end = time.monotonic() + seconds
        with self.told:
            while True:
                for line in self.lines:
                    if text in line:
                        return line
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError("%r was never said; said was: %s" % (text, self.lines))
                self.told.wait(left)

    def status(self):
        with urllib.request.urlopen(self.address, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.process.returncode


def site_of(server, interval="1s", quiet="1h"):
    site = Site(server)
    site.run("account", "set", "srv", "interval=" + interval, expect=0)
    with open(site.config, "a") as f:
        f.write("listen = 127.0.0.1:0\nquiet = %s\n" % quiet)
    return site


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in %d s" % seconds
        time.sleep(0.02)


def runs_what_is_due():
    with Hostile() as server:
        server.put("a.vcf", card("u1"))
        site = site_of(server)
        daemon = Daemon(site)
        daemon.wait_for("run=1 status=done")
        server.put("b.vcf", card("u2", "Zwei;Nummer"))
        daemon.wait_for("run=2 status=done")
        assert daemon.status()["links"][0]["link"] == "kunden"
        assert site.run("--json", "status", expect=0).json()["daemon"] is True
        daemon.stop()
        assert site.run("--json", "status", expect=0).json()["daemon"] is False
        assert set(site.contacts()) == {"u1", "u2"}
        site.close()


def keeps_the_old_configuration_where_the_new_is_wrong():
    with Hostile() as server:
        site = site_of(server)
        daemon = Daemon(site)
        with open(site.config, "a") as f:
            f.write("foo = bar\n")
        daemon.process.send_signal(signal.SIGHUP)
        assert "foo" in daemon.wait_for("event=reload_refused")
        server.put("a.vcf", card("u1"))
        wait_until(lambda: any("status=done" in line for line in daemon.lines))
        daemon.stop()
        site.close()


def takes_over_a_changed_configuration():
    with Hostile() as server:
        site = site_of(server)
        daemon = Daemon(site)
        assert len(daemon.status()["links"]) == 1
        site.run("link", "off", "kunden", expect=0)  # writes a drop-in; nobody tells the daemon
        wait_until(lambda: len(daemon.status()["links"]) == 0)
        daemon.stop()
        site.close()


def finishes_the_writes_under_way():
    with Hostile() as server:
        site = site_of(server)
        for i in range(30):
            site.add(card("u%d" % i, "Name%d;Vor" % i))
        first_put = threading.Event()
        server.at = lambda moment, n, request: first_put.set() if request.command == "PUT" else None
        daemon = Daemon(site)
        assert first_put.wait(20)
        daemon.stop()
        site.sync()
        assert len(server.texts()) == 30 and len(site.contacts()) == 30 and not server.violations
        assert site.sync().json()["status"] == "unchanged"
        site.close()


def a_running_link_is_not_run_twice():
    with Hostile() as server:
        server.put("a.vcf", card("u1"))
        site = Site(server)
        asked, go_on = threading.Event(), threading.Event()

        def hold(moment, _n, request):
            if moment == "half" and request.command == "REPORT":
                asked.set()
                go_on.wait(20)

        server.at = hold
        first = subprocess.Popen([PROGRAM, "-c", site.config, "-q", "sync", "kunden"])
        assert asked.wait(20)
        refused = site.run("sync", "kunden")
        go_on.set()
        assert first.wait(20) == 0
        assert refused.code == 8, refused
        site.close()


def a_change_in_the_store_is_synced_after_a_quiet_time():
    with Hostile() as server:
        site = site_of(server, interval="1h", quiet="1s")
        daemon = Daemon(site)
        daemon.wait_for("event=scheduled links=1")
        wait_until(lambda: daemon.status()["links"][0]["due_in_ms"] > 0)  # the first run is over
        site.add(card("u1"))
        wait_until(lambda: len(server.texts()) == 1)
        wait_until(lambda: not daemon.status()["links"][0]["running"])
        runs = daemon.status()["links"][0]["runs"]
        server.put("b.vcf", card("u2", "Zwei;Nummer"))
        asked = site.run("--json", "sync", "--background", "kunden", expect=0).json()
        wait_until(lambda: site.run("--json", "report", str(asked["run"])).json()["status"] == "done")
        assert set(site.contacts()) == {"u1", "u2"}
        assert daemon.status()["links"][0]["runs"] == runs + 1, "what the sync wrote started it again"
        daemon.stop()
        site.close()


def what_was_asked_for_waits_for_the_daemon():
    """Nobody runs when it is asked for; asking twice is one run; its number stays, also where nothing was to be done."""
    with Hostile() as server:
        server.put("a.vcf", card("u1"))
        site = site_of(server, interval="1h")
        site.sync()
        first = site.run("sync", "--background", "kunden", expect=0)
        assert "no daemon" in first.err, first
        asked = site.run("--json", "sync", "--background", "kunden", expect=0).json()
        assert "run %d" % asked["run"] in first.out, first
        assert site.run("--json", "report", str(asked["run"])).json()["status"] == "queued"
        daemon = Daemon(site)
        wait_until(lambda: site.run("--json", "report", str(asked["run"])).json()["status"] == "unchanged")
        assert site.run("daemon").code == 8, "one daemon a state"
        daemon.stop()
        site.close()


def tells_systemd_how_it_is():
    with Hostile() as server, tempfile.TemporaryDirectory() as folder:
        site = site_of(server, interval="1h")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(os.path.join(folder, "notify"))
        listener.settimeout(20)
        daemon = Daemon(site, NOTIFY_SOCKET=os.path.join(folder, "notify"), WATCHDOG_USEC="300000")
        heard = []

        def hear(what):
            while not any(what in text for text in heard):
                heard.append(listener.recv(4096).decode())

        hear("READY=1")
        hear("WATCHDOG=1")
        hear("STATUS=1 links, 0 running, 0 failing")
        daemon.process.send_signal(signal.SIGHUP)
        hear("RELOADING=1\nMONOTONIC_USEC=")
        heard.clear()
        hear("READY=1")
        daemon.process.send_signal(signal.SIGTERM)
        hear("STOPPING=1\nEXTEND_TIMEOUT_USEC=")
        assert daemon.process.wait(20) == 0
        site.close()


def a_credential_of_systemd_is_a_password():
    with Hostile() as server, tempfile.TemporaryDirectory() as folder:
        server.put("a.vcf", card("u1"))
        site = site_of(server, interval="1h")
        with open(os.path.join(folder, "nextcloud"), "w") as f:
            f.write("pw\n")
        site.run("account", "set", "srv", "secret=credential:nextcloud", expect=0)
        assert site.run("sync", "kunden").code == 5, "there are no credentials here"
        daemon = Daemon(site, CREDENTIALS_DIRECTORY=folder)
        daemon.wait_for("status=done")
        daemon.stop()
        assert set(site.contacts()) == {"u1"}
        site.close()


def metrics_of(daemon):
    """Read as strictly as Prometheus does: each series below the one TYPE of its name, no series twice, a line end at the end."""
    with urllib.request.urlopen(daemon.address + "metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
        text = answer.read().decode()
    assert text.endswith("\n")
    types, values, current = {}, {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            word, name, rest = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line).groups()
            if word == "TYPE":
                assert name not in types and rest in ("gauge", "counter", "histogram"), line
                types[name], current = rest, name
            continue
        series, name, value = re.fullmatch(
            r'(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (-?[0-9.]+(?:e[+-]?[0-9]+)?)', line).groups()
        assert name == current or (types[current] == "histogram" and re.fullmatch(current + "_(bucket|sum|count)", name)), line
        assert types[current] != "counter" or name.endswith("_total"), line
        assert series not in values, line
        values[series] = float(value)
    return values


def shows_metrics_and_health():
    with Hostile() as server:
        server.put("a.vcf", card("u1", "Geheim;Anna"))
        site = site_of(server, interval="1h")
        daemon = Daemon(site)
        daemon.wait_for("status=done")
        wait_until(lambda: metrics_of(daemon)['abgleich_runs_total{result="done"}'] == 1)
        wait_until(lambda: metrics_of(daemon).get('abgleich_job_state{job="kunden",state="idle"}') == 1)
        m = metrics_of(daemon)
        assert m['abgleich_operations_total{side="a",op="create"}'] == 1, m
        assert m['abgleich_job_last_success_timestamp_seconds{job="kunden"}'] > 1.6e9, m
        assert m['abgleich_run_duration_seconds_bucket{le="+Inf"}'] == m["abgleich_run_duration_seconds_count"] >= 1, m
        assert m["abgleich_held_plans"] == m["abgleich_intents_unconfirmed"] == 0 and m["abgleich_journal_bytes"] > 0, m
        for path in ("livez", "readyz"):
            with urllib.request.urlopen(daemon.address + path, timeout=10) as answer:
                assert answer.read() == b"ok\n"
        daemon.stop()
        site.close()


def a_second_signal_ends_it_at_once():
    with Hostile() as server:
        site = site_of(server, interval="1h")
        go_on, asked = threading.Event(), threading.Event()

        def hold(moment, _n, request):
            if moment == "half" and request.command == "REPORT":
                asked.set()
                go_on.wait(20)

        server.at = hold
        daemon = Daemon(site)
        assert asked.wait(20)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_for("stopping")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(20)
        go_on.set()
        site.sync()
        site.close()


def a_process_that_stood_still_too_long_writes_nothing_any_more():
    """It is suspended while the server answers; its lease runs out (said so in the database: nobody waits two minutes here), another run
    does the work; then it goes on."""
    with Hostile() as server:
        site = Site(server)
        for i in range(20):
            site.add(card("u%d" % i, "Name%d;Vor" % i))
        asked, go_on, puts = threading.Event(), threading.Event(), []

        def hold(moment, _n, request):
            if request.command == "PUT":
                puts.append(request.path)
            if moment == "half" and request.command == "REPORT" and not asked.is_set():
                asked.set()
                go_on.wait(20)

        server.at = hold
        first = subprocess.Popen([PROGRAM, "-c", site.config, "--language", "en", "-q", "sync", "kunden"], stderr=subprocess.PIPE, text=True)
        assert asked.wait(20)
        first.send_signal(signal.SIGSTOP)
        assert site.run("sync", "kunden").code == 8, "its lease is good"
        with sqlite3.connect(os.path.join(site.folder, "state.db")) as db:
            db.execute("UPDATE lease SET until_ms = 0")
        db.close()
        assert site.sync().json()["status"] == "done"
        assert len(server.texts()) == 20
        sent = len(puts)
        first.send_signal(signal.SIGCONT)
        go_on.set()
        said = first.communicate(timeout=20)[1]
        assert first.returncode == 8 and "stood still" in said, (first.returncode, said)
        assert len(puts) == sent and not server.violations
        assert site.sync().json()["status"] == "unchanged" and len(server.texts()) == 20 and len(site.contacts()) == 20
        site.close()


def main():
    suite = Suite("daemon")
    for test in (runs_what_is_due, keeps_the_old_configuration_where_the_new_is_wrong, takes_over_a_changed_configuration,
                 finishes_the_writes_under_way, a_running_link_is_not_run_twice,
                 a_change_in_the_store_is_synced_after_a_quiet_time, what_was_asked_for_waits_for_the_daemon, tells_systemd_how_it_is,
                 a_credential_of_systemd_is_a_password, shows_metrics_and_health, a_second_signal_ends_it_at_once,
                 a_process_that_stood_still_too_long_writes_nothing_any_more):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
