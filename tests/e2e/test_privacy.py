"""One person can be handed out and erased, everywhere; secrets and names stay out of what others can read."""

import glob
import json
import os
import subprocess
import sys

from harness import PROGRAM, Site, Suite, card
from hostile_server import Hostile
from test_daemon import Daemon, wait_until

CANARY = "Kanarienvogel"
OTHER = "Bleibtdoch"


def bytes_of(site):
    found = {}
    for path in glob.glob(os.path.join(site.folder, "**", "*"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[os.path.basename(path)] = f.read()
    return found


def lived():
    """A site where the person has been edited, in conflict, deleted on a server, in question and in a refused write."""
    server = Hostile()
    server.__enter__()
    site = Site(server)
    server.put("k.vcf", card("k1", CANARY + ";Karla", "EMAIL:karla@%s.example" % CANARY.lower(), "NOTE:alt", "TEL:+49 30 4711"))
    server.put("o.vcf", card("o1", OTHER + ";Otto", "NOTE:alt"))
    site.sync()
    for note_here, note_there in (("hier", "dort"), ("da", "drueben")):
        site.edit(site.id_of("k1"), card("k1", CANARY + ";Karla", "EMAIL:karla@%s.example" % CANARY.lower(), "NOTE:" + note_here + CANARY))
        server.put("k.vcf", card("k1", CANARY + ";Karla", "EMAIL:karla@%s.example" % CANARY.lower(), "NOTE:" + note_there + CANARY))
        site.sync()
    server.put("twin.vcf", card("k2", CANARY + ";Karla", "EMAIL:other@example.org"))
    twin = site.add(card("k3", CANARY + ";Karla", "EMAIL:third@example.org"))
    for contact in (twin, site.id_of("k1"), site.id_of("o1")):
        whose = OTHER if contact == site.id_of("o1") else CANARY
        site.run("contact", "followup", "add", contact, "--due", "2026-12-01", whose, "anrufen", expect=0)
        site.run("contact", "attach", contact, "-", "--name", whose + ".txt", text="Vertrag mit " + whose, expect=0)
    site.run("contact", "relate", twin, "colleague", site.id_of("o1"), expect=0)
    site.run("--json", "sync", "kunden")
    return server, site


def export_finds_all():
    server, site = lived()
    traces = site.run("subject", "export", "karla KANARIENVOGEL", expect=0).out
    traces = json.loads(traces)
    places = {t["place"] for t in traces}
    assert {"contact", "earlier_version", "operation", "conflict", "problem", "journal", "followup", "attachment", "linked_contact"} <= places, places
    contact = next(t for t in traces if t["place"] == "contact")
    assert contact["where"] == "Kunden" and "BEGIN:VCARD" in contact["data"]
    by_mail = json.loads(site.run("subject", "export", "karla@kanarienvogel.example", expect=0).out)
    assert {t["place"] for t in by_mail} >= {"contact", "earlier_version"}
    assert OTHER not in json.dumps(traces)
    assert "nothing is kept" in site.run("subject", "export", "Niemand", expect=2).err
    server.__exit__()


def erase_leaves_nothing():
    server, site = lived()
    several = site.run("subject", "erase", "Karla " + CANARY, "--yes", expect=2)
    assert "--all" in several.err, several
    receipt = site.run("--json", "subject", "erase", "Karla " + CANARY, "--yes", "--all", expect=0).json()
    assert receipt["contact"] >= 2 and receipt["earlier_version"] >= 2 and receipt["conflict"] >= 2 and receipt["erased_at"], receipt
    assert (receipt["followup"], receipt["attachment"], receipt["linked_contact"]) == (2, 2, 1), receipt
    otto = site.run("--json", "contact", "show", site.id_of("o1"), expect=0).json()
    assert len(otto["followups"]) == 1 and len(otto["attachments"]) == 1 and not otto["relations"], otto
    for name, data in bytes_of(site).items():
        assert CANARY.encode() not in data and CANARY.lower().encode() not in data, name
    assert any(OTHER.encode() in data for data in bytes_of(site).values()), "only the one named goes"
    assert site.run("--json", "contact", "deleted", expect=0).json() == []
    site.run("subject", "export", "Karla " + CANARY, expect=2)
    done = site.run("--json", "sync", "kunden")
    assert done.code in (0, 3), done
    assert "k.vcf" not in server.texts() and "o.vcf" in server.texts(), "the deletion is carried on"
    server.put("again.vcf", card("k1", CANARY + ";Karla"))
    site.run("--json", "sync", "kunden")
    assert "k1" not in site.contacts(), "it is not imported again"
    path = os.path.join(site.folder, "k.vcf")
    with open(path, "w") as f:
        f.write(card("k1", CANARY + ";Karla"))
    done = site.run("--json", "contact", "import", "Kunden", path, expect=0).json()
    assert done["created"] == 0 and done["skipped_deleted"] == 1, done
    assert "o1" in site.contacts()
    server.__exit__()


def without_a_terminal_it_asks_for_yes():
    server, site = lived()
    assert "--yes" in site.run("subject", "erase", "Otto " + OTHER, expect=2).err
    assert "o1" in site.contacts()
    server.__exit__()


def the_password_is_nowhere():
    secret = "Geheimvogel-4711"
    with Hostile() as server:
        server.password = secret
        site = Site(server)
        server.put("a.vcf", card("u1"))
        said = [site.run("-v", "-v", "sync", "kunden", expect=0)]
        server.at = lambda moment, *unused: (401, {"WWW-Authenticate": 'Basic realm="x"'}, "") if moment == "arrived" else None
        said += [site.run("-v", "-v", "sync", "kunden"), site.run("-v", "account", "test", "srv"), site.run("config", "show"),
                 site.run("--json", "config", "show"), site.run("status"), site.run("runs")]
        server.at = lambda *unused: None
        for r in said:
            assert secret not in r.out + r.err, r
        for name, data in bytes_of(site).items():
            assert secret.encode() not in data, name
        site.close()


def the_daemon_names_nobody():
    secret = "Geheimvogel-4712"
    with Hostile() as server:
        server.password = secret
        site = Site(server)
        site.run("account", "set", "srv", "interval=1s", expect=0)
        with open(site.config, "a") as f:
            f.write("listen = 127.0.0.1:0\n")
        server.put("a.vcf", card("u1", CANARY + ";Karla"))
        server.put("bad.vcf", "FN:" + CANARY)
        daemon = Daemon(site)
        wait_until(lambda: any("event=run" in line for line in daemon.lines))
        pid = daemon.process.pid
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            assert secret.encode() not in f.read()
        with open("/proc/%d/environ" % pid, "rb") as f:
            assert secret.encode() not in f.read()
        core = subprocess.run(["ls", "-l", "/proc/%d/mem" % pid], capture_output=True, text=True).stdout
        assert core.split()[2] == "root", "not dumpable: the kernel gives its memory to root alone"
        daemon.stop()
        log = "\n".join(daemon.lines)
        assert CANARY not in log and secret not in log, log
        site.close()


def main():
    suite = Suite("privacy")
    for test in (export_finds_all, erase_leaves_nothing, without_a_terminal_it_asks_for_yes, the_password_is_nowhere, the_daemon_names_nobody):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
