"""A Google account beside what else there is: a phonebook that telephones read, a CardDAV server, reports, why and undo. (What CardDAV is
tried with runs for Google in test_real_servers.py and test_between.py.)"""

import subprocess
import sys
import tempfile
import urllib.request
import xml.etree.ElementTree as xml

from harness import Site, card
import servers
from test_daemon import Daemon, wait_until
from test_people import MINUTE, edit_there, linked, person, run_cases, script, writes

KEY = "K7QD2M9XW4RT8B"


def into_a_phonebook(case):
    """Google's contacts, by way of a book, on the display of a telephone; taken away there, they are gone here."""
    w = case.world
    w.add(person("Lale", "Özdemir", phoneNumbers=[{"value": "+49 171 1111111", "type": "mobile"}, {"value": "+49 30 222", "type": "work"}]))
    w.add(person("Ohne", "Nummer"))
    site = case.link(mode="import")
    with open(site.config, "a", encoding="utf-8") as f:
        f.write("listen = 127.0.0.1:0\nquiet = 1h\n")
    site.run("directory", "add", "telefon", "--key", KEY, "--book", "Kunden", expect=0)
    site.run("link", "remove", "kunden", "--yes", expect=None)
    site.run("link", "add", "kunden", "contactbox:Kunden", "srv:", "--mode", "two-way", expect=0)
    case.sync()
    shim, site.environment = site.environment, {}
    daemon = Daemon(site)
    try:
        def entries():
            with urllib.request.urlopen(daemon.address + "contacts/" + KEY + "/yealink/v1", timeout=10) as answer:
                return {e.find("Name").text: [t.text for t in e.findall("Telephone")] for e in xml.fromstring(answer.read())}

        wait_until(lambda: "Özdemir, Lale" in entries())
        assert any("1711111111" in n for n in entries()["Özdemir, Lale"]), entries()
        edit_there(case, "Lale", phoneNumbers=[{"value": "+49 171 2222222", "type": "mobile"}])
        site.run("sync", "kunden", expect=0)
        wait_until(lambda: any("1712222222" in n for n in entries()["Özdemir, Lale"]))
        w.remove(case.named("Lale")["resourceName"])
        site.run("sync", "kunden", expect=0)
        wait_until(lambda: "Özdemir, Lale" not in entries())
    finally:
        daemon.stop()
        site.environment = shim


def why_report_and_undo(case):
    """With Google on one side: where a value came from, what a run did, and taking it back on both sides."""
    linked(case, "Anna", "Berta", "Cora")
    site = case.site
    edit_there(case, "Anna", biographies=[{"value": "von Google"}])
    case.edit("Berta", "NOTE:alt", "NOTE:von hier")
    case.edit("Cora", "NOTE:alt", "NOTE:hier")
    edit_there(case, "Cora", biographies=[{"value": "dort"}])
    done = case.sync()
    why = site.run("--json", "why", site.id_of("u-Anna"), "note", expect=0).json()
    assert "srv" in str(why) and "von Google" in str(why), why
    text = site.run("report", str(done["run"]), expect=0).out
    assert "Anna" in text and "Berta" in text and "dort" in text, text
    html = site.run("report", str(done["run"]), "--format", "html", expect=0).out
    assert "<html" in html and "dort" in html
    site.run("undo", str(done["run"]), "--yes", expect=0)
    assert "NOTE:alt" in case.card("Anna") and case.named("Berta")["biographies"][0]["value"] == "alt", case.persons()
    case.world.clock.advance(11 * MINUTE)
    case.site.sync(0)
    case.quiet()
    assert "NOTE:alt" in case.card("Anna") and case.named("Anna")["biographies"][0]["value"] == "von Google", "an undo writes to the other side only"


def what_google_cannot_hold_stays_on_the_server(case):
    """Between Google and a real CardDAV server: unknown properties, a second note, a type Google has no word for."""
    with tempfile.TemporaryDirectory() as folder, servers.Radicale(folder + "/radicale") as dav:
        book = dav.make_book("kunden")
        site = case.site = Site()
        site.environment = {"LD_PRELOAD": case.shim, "SHIM_CLOCK": case.world.clock.path}
        for name, s in (("google", case.world), ("dav", dav)):
            site.run("account", "add", name, "--connector", getattr(s, "connector", "carddav"), "--url", s.url, "--user", s.user, "--password-file", "-",
                     text=s.password + "\n", expect=0)
        site.run("link", "add", "kunden", "google:", "dav:kunden", "--mode", "two-way", expect=0)
        odd = ("TEL;TYPE=CELL:+491711", "X-ANDERES:bleibt", "GEO:48.4;10.0", "TZ:+01:00", "KEY;VALUE=uri:https://example.org/key", "NOTE:eins")
        dav.put(book + "a.vcf", card("u1", "Meier;Anna", *odd))
        case.sync()
        anna = case.named("Anna")
        case.world.clock.advance(11 * MINUTE)
        case.quiet()
        edit_there(case, "Anna", nicknames=[{"value": "Anni"}], phoneNumbers=anna["phoneNumbers"] + [{"value": "+49302", "type": "work"}])
        case.sync()
        there = list(dav.cards(book).values())[0]
        assert all(line.split(":")[-1] in there.replace("\\", "") for line in odd) and "NICKNAME:Anni" in there and "+49302" in there, there
        case.world.requests = []
        for _ in range(2):
            case.quiet()
        assert not writes(case.world)


def revived_and_killed(case):
    """Deleted there and edited here, so it is created again, and the answer is lost. The next run, at once, hears of the deletion once more and
    not yet of the create: it looks for it instead of making another one."""
    linked(case, "Anna", "Berta")
    case.world.list_lag = 2 * MINUTE
    case.edit("Anna", "NOTE:alt", "NOTE:hier")
    case.world.remove(case.named("Anna")["resourceName"])
    case.world.clock.advance(3 * MINUTE)
    script(case, "done", "batchCreate", "cut")
    p = case.site
    killed = case.world.at

    def die(moment, number, request):
        answer = killed(moment, number, request)
        if answer == "cut":
            process[0].kill()
            process[0].wait()
        return answer

    import os
    from harness import PROGRAM
    process = []
    with case.world.lock:
        case.world.at = die
        process.append(subprocess.Popen([PROGRAM, "-q", "-c", p.config, "sync", "kunden"], env=dict(os.environ, **p.environment),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    process[0].wait()
    case.world.at = lambda *unused: None
    case.named("Anna")
    for _ in range(8):
        case.site.sync(None)
        case.named("Anna")
        case.world.clock.advance(2 * MINUTE)
    case.quiet()
    assert len(case.persons()) == len(case.site.contacts()) == 2


CASES = (into_a_phonebook, why_report_and_undo, what_google_cannot_hold_stays_on_the_server, revived_and_killed)

if __name__ == "__main__":
    sys.exit(run_cases("people, live", CASES))
