"""What an administrator reads after a run, from outside: the same facts as text, page, CSV and JSON, in German too, whatever names hold."""

import csv
import html.parser
import io
import sys

from harness import Site, Suite, card
from hostile_server import Hostile

BAD = "<script>alert(1)</script>"


class Page(html.parser.HTMLParser):
    """A strict enough reader: every tag is closed in order; keeps headings, rows and what could fetch something."""

    def __init__(self, text):
        super().__init__()
        self.open, self.heads, self.rows, self.foreign, self.current = [], [], [], [], None
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag in ("meta", "br"):
            return
        self.open.append(tag)
        self.foreign += [v for k, v in attributes if k in ("src", "href")] + ([tag] if tag in ("script", "link", "img") else [])
        if tag == "tr":
            self.rows.append([])
        if tag in ("h1", "h2", "td", "th"):
            self.current = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        if tag in ("h1", "h2"):
            self.heads.append(self.current)
        if tag in ("td", "th"):
            self.rows[-1].append(self.current)

    def handle_data(self, data):
        if self.current is not None:
            self.current += data


def eventful():
    """One run with a conflict, a card that cannot be read, two that may be the same, a name full of markup, and some writes."""
    server = Hostile()
    server.__enter__()
    site = Site(server)
    for i in range(3):
        server.put("c%d.vcf" % i, card("u%d" % i, "Özdemir%d;Lale" % i, "TEL;TYPE=WORK:+49 30 100%d" % i, "NOTE:alt"))
    site.sync()
    site.edit(site.id_of("u0"), card("u0", "Özdemir0;Lale", "TEL;TYPE=WORK:+49 30 1000", "NOTE:hier"))
    server.put("c0.vcf", card("u0", "Özdemir0;Lale", "TEL;TYPE=WORK:+49 30 1000", "NOTE:dort"))
    site.add(card("m1", BAD + ";X", "ORG:Müller & Söhne"))
    site.add(card("t1", "Twin;Anna", "EMAIL:anna@example.org"))
    server.put("t2.vcf", card("t2", "Twin;Anna", "EMAIL:other@example.org"))
    server.put("bad.vcf", "no card at all")
    result = site.run("--json", "sync", "kunden")
    return server, site, result.json()


def the_page():
    server, site, done = eventful()
    text = site.run("report", str(done["run"]), "--format", "html", expect=0).out
    page = Page(text)
    assert not page.foreign and BAD not in text and "@media print" in text
    wanted = ("Changed on both sides", "Left alone", "Maybe the same", "What was done")
    order = [h for h in page.heads if h.startswith(wanted)]
    assert [h.split(" (")[0].split(";")[0] for h in order] == list(wanted), page.heads
    conflict = next(r for r in page.rows if "hier" in r)
    assert conflict[:4] == ["Lale Özdemir0", "Note", "hier", "dort"] or "Özdemir0" in conflict[0], conflict
    number = done["conflicts"][0]["id"]
    assert conflict[5] == "abgleich conflicts take %d b" % number, conflict
    assert any("contactbox:Kunden" in c for r in page.rows for c in r) and any("srv:kunden" in c for r in page.rows for c in r)
    assert any(BAD in c for r in page.rows for c in r), "names are shown as they are"
    site.run("link", "remove", "kunden", "--yes", expect=0)
    assert "srv:kunden" in site.run("report", str(done["run"]), expect=0).out, "a report can be read when its link is gone"
    server.__exit__()


def the_text_and_the_table():
    server, site, done = eventful()
    text = site.run("report", str(done["run"]), expect=0).out
    places = [text.index(w) for w in ("contactbox:Kunden", "Changed on both sides", "Left alone", "Maybe the same", "What was done")]
    assert places == sorted(places), text
    assert "abgleich conflicts take" in text
    rows = list(csv.DictReader(io.StringIO(site.run("report", str(done["run"]), "--format", "csv", expect=0).out)))
    kinds = [r["what"] for r in rows]
    assert kinds.count("conflict") == 1 and kinds.count("quarantined") == 1 and kinds.count("ambiguous") >= 1, kinds
    assert kinds.count("create") + kinds.count("update") == len(done["operations"]) and all(r["note"] for r in rows), rows
    stored = site.run("--json", "report", str(done["run"]), expect=0).json()
    for key in ("conflicts", "ambiguous", "quarantined", "a", "b", "plan", "status", "link", "run"):
        told = [{k: v for k, v in c.items() if k != "record"} for c in stored[key]] if key == "conflicts" else stored[key]
        assert told == done[key], (key, told, done[key])
    assert stored["sides"] == {"a": "contactbox:Kunden", "b": "srv:kunden"}
    server.__exit__()


def in_german():
    server, site, done = eventful()
    for form in ("text", "html"):
        site.language = "de"
        out = site.run("report", str(done["run"]), "--format", form, expect=0).out
        for word in ("Auf beiden Seiten geändert", "Ausgelassen", "Vielleicht dieselben"):
            assert word in out, (form, word, out)
    assert 'lang="de"' in out
    server.__exit__()


def held_has_its_place():
    with Hostile() as server:
        site = Site(server)
        for i in range(30):
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i))
        site.sync()
        for i in range(20):
            server.delete("c%d.vcf" % i)
        held = site.sync(4).json()
        assert len(held["operations"]) == 20 and site.sync(4).json()["run"] == held["run"], "what was said is not said again"
        page = Page(site.run("report", str(held["run"]), "--format", "html", expect=0).out)
        at = next(i for i, h in enumerate(page.heads) if h.startswith("Stopped by a guard"))
        assert page.heads[at + 1].startswith("What would be done"), page.heads
        site.close()


def wrong_asks():
    with Hostile() as server:
        site = Site(server)
        assert "no run 77" in site.run("report", "77", expect=2).err
        server.put("a.vcf", card("u1"))
        run = site.sync().json()["run"]
        assert "text, html, json and csv" in site.run("report", str(run), "--format", "pdf", expect=2).err
        site.close()


def main():
    suite = Suite("reports")
    for test in (the_page, the_text_and_the_table, in_german, held_has_its_place, wrong_asks):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
