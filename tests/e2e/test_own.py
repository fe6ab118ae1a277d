"""What belongs to the Contactbox alone, beside a real server: custom fields and clients that drop them, what hangs on contacts, and the
memory of deletions (contactbox 3.1, 5, 7, 9)."""

import os
import sys
import tempfile

from harness import Site, Suite, card, check_same, uid_of
from servers import Radicale

FIELDS = """
[field kundennummer]
label = Kundennummer
type = number
[field klasse]
type = choice
choices = Gold, Silber
"""


class Pair:
    """A site and Radicale; `there` is {uid: (path, card)}."""

    def __init__(self, **settings):
        self.folder = tempfile.TemporaryDirectory(prefix="abgleich-own-")
        self.server = Radicale(self.folder.name)
        self.server.__enter__()
        self.book = self.server.make_book("kunden")
        self.site = Site(self.server, **settings)
        with open(self.site.config, "a", encoding="utf-8") as f:
            f.write(FIELDS)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.site.close()
        self.server.__exit__(None, None, None)
        self.folder.cleanup()

    def there(self):
        return {uid_of(text): (path, text) for path, text in self.server.cards(self.book).items()}

    def write_there(self, uid, change):
        path, text = self.there()[uid]
        self.server.put(path, change(text))

    def check_same(self):
        check_same(self.site.contacts(), {uid: text for uid, (_path, text) in self.there().items()})

    def custom(self, handle):
        return self.site.run("--json", "contact", "show", handle, expect=0).json()["custom"]


def without(text, *names):
    return "".join(line + "\r\n" for line in text.splitlines() if not any(name in line for name in names))


def anna(pair, *more):
    """A contact with a customer number, on both sides."""
    contact = pair.site.add(card("u1", "Meier;Anna", "TEL:1", *more))
    pair.site.run("contact", "edit", contact, "kundennummer=4711", "klasse=gold", expect=0)
    pair.site.sync()
    return contact


def custom_fields_travel_with_their_label():
    with Pair() as p:
        anna(p)
        text = p.there()["u1"][1]
        group = next(line for line in text.splitlines() if "X-HUB-KUNDENNUMMER:4711" in line).split(".")[0]
        assert any(line.upper() == (group + ".X-ABLABEL:Kundennummer").upper() for line in text.splitlines()), text
        p.check_same()
        assert p.site.sync().json()["status"] == "unchanged"


def a_client_that_drops_them():
    with Pair(authority="server") as p:
        contact = anna(p)
        p.write_there("u1", lambda text: without(text, "X-HUB-", "ABLABEL", "X-ABLabel").replace("TEL:1", "TEL:2"))
        done = p.site.sync().json()
        assert p.custom(contact) == {"kundennummer": "4711", "klasse": "Gold"}, p.custom(contact)
        assert "TEL:2" in p.site.contacts()["u1"] and not done["conflicts"], done
        assert "X-HUB-KUNDENNUMMER:4711" in p.there()["u1"][1], "what the client dropped is back"
        p.check_same()
        assert p.site.sync().json()["status"] == "unchanged"


def a_client_that_edits_them():
    with Pair(authority="server") as p:
        contact = anna(p)
        p.write_there("u1", lambda text: text.replace("4711", "9999").replace("TEL:1", "TEL:2"))
        told = p.site.sync().json()["conflicts"]
        assert [(c["a"], c["b"], c["winner"]) for c in told] == [("4711", "9999", "a")] and "only there" in told[0]["rule"], told
        assert p.custom(contact)["kundennummer"] == "4711" and "X-HUB-KUNDENNUMMER:4711" in p.there()["u1"][1]
        assert "TEL:2" in p.site.contacts()["u1"]
        p.check_same()
        assert p.site.sync().json()["status"] == "unchanged"


def the_same_where_the_store_is_side_b():
    with Pair() as p:
        p.site.run("link", "remove", "kunden", "--yes", expect=0)
        p.site.run("link", "add", "kunden", "srv:kunden", "contactbox:Kunden", "--mode", "two-way", expect=0)
        contact = anna(p)
        p.write_there("u1", lambda text: text.replace("4711", "9999").replace("TEL:1", "TEL:2"))
        told = p.site.sync().json()["conflicts"]
        assert [(c["a"], c["b"], c["winner"]) for c in told] == [("9999", "4711", "b")], told
        assert p.custom(contact)["kundennummer"] == "4711" and "TEL:2" in p.site.contacts()["u1"]
        p.write_there("u1", lambda text: without(text, "X-HUB-", "ABLABEL", "X-ABLabel"))
        p.site.sync()
        p.site.run("contact", "edit", contact, "kundennummer=4712", expect=0)
        p.site.sync()
        assert p.custom(contact) == {"kundennummer": "4712", "klasse": "Gold"} and "X-HUB-KUNDENNUMMER:4712" in p.there()["u1"][1]
        p.check_same()


def changes_and_removals_here_are_sent():
    with Pair(authority="server") as p:
        contact = anna(p)
        p.site.run("contact", "edit", contact, "kundennummer=4712", "klasse=", expect=0)
        p.site.sync()
        text = p.there()["u1"][1]
        assert "X-HUB-KUNDENNUMMER:4712" in text and "KLASSE" not in text.upper(), text
        p.check_same()
        p.site.run("contact", "edit", contact, "kundennummer=viel", expect=2)


def imports_keep_custom_fields():
    with Pair(mode="import") as p:
        p.site.run("link", "set", "kunden", "import=aktualisieren", expect=0)
        contact = p.site.add(card("u1", "Meier;Anna", "TEL:1"))
        p.site.run("contact", "edit", contact, "kundennummer=4711", expect=0)
        p.server.put(p.book + "a.vcf", card("u1", "Meier;Anna", "TEL:2"))
        p.site.sync()
        here = p.site.contacts()["u1"]
        assert "TEL:2" in here and "TEL:1" not in here and p.custom(contact) == {"kundennummer": "4711"}, here
        path = os.path.join(p.site.folder, "new.vcf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(card("u1", "Meier;Anna", "TEL:3"))
        p.site.run("contact", "import", "Kunden", path, expect=0)
        assert "TEL:3" in p.site.contacts()["u1"] and p.custom(contact) == {"kundennummer": "4711"}


def what_hangs_on_a_contact_stays_here():
    with Pair() as p:
        contact = anna(p)
        firm = p.site.add(card("u2", "Firma;X"))
        before = p.site.sync().json()
        number = p.site.run("contact", "followup", "add", contact, "--due", "2026-12-01", "ganz geheim", expect=0).out.strip()
        content = bytes(range(256)) * 2000
        path = os.path.join(p.site.folder, "vertrag.pdf")
        with open(path, "wb") as f:
            f.write(content)
        file = p.site.run("contact", "attach", contact, path, expect=0).out.strip()
        p.site.run("contact", "relate", contact, "employer", firm, expect=0)
        assert p.site.sync().json()["status"] == "unchanged", before
        assert not any("geheim" in text or "vertrag" in text for _path, text in p.there().values())
        p.write_there("u1", lambda text: text.replace("TEL:1", "TEL:2"))
        p.site.sync()
        shown = p.site.run("--json", "contact", "show", contact, expect=0).json()
        assert [f["id"] for f in shown["followups"]] == [int(number)] and shown["followups"][0]["due"] == "2026-12-01", shown
        assert [(a["name"], a["type"], a["size"]) for a in shown["attachments"]] == [("vertrag.pdf", "application/pdf", len(content))]
        assert [(r["kind"], r["contact"]) for r in shown["relations"]] == [("employer", firm)]
        other = p.site.run("--json", "contact", "show", firm, expect=0).json()
        assert [(r["kind"], r["contact"]) for r in other["relations"]] == [("employee", contact)]
        got = os.path.join(p.site.folder, "got")
        assert os.system("%s -c %s contact attachment get %s > %s" % (os.environ.get("ABGLEICH", "build/abgleich"), p.site.config, file, got)) == 0
        with open(got, "rb") as f:
            assert f.read() == content


def restored_as_it_was():
    with Pair() as p:
        contact = anna(p)
        p.site.run("contact", "followup", "add", contact, "--due", "1.12.2026", "anrufen", expect=0)
        p.site.remove(contact)
        p.site.sync()
        assert not p.there() and not p.site.contacts()
        deleted = p.site.run("--json", "contact", "deleted", "Kunden", expect=0).json()
        assert [(d["id"], d["by_person"]) for d in deleted] == [(contact, True)], deleted
        waiting = p.site.run("--json", "contact", "followup", "list", expect=0).json()
        assert [f["place"] for f in waiting] == ["deleted"], waiting
        p.site.run("contact", "restore", contact, expect=0)
        p.site.sync()
        shown = p.site.run("--json", "contact", "show", contact, expect=0).json()
        assert shown["uid"] == "u1" and [f["text"] for f in shown["followups"]] == ["anrufen"] and shown["custom"]["kundennummer"] == "4711"
        assert set(p.there()) == {"u1"}
        p.check_same()
        assert p.site.sync().json()["status"] == "unchanged"


def restored_beside_a_copy_on_the_server():
    with Pair() as p:
        contact = anna(p)
        p.site.remove(contact)
        p.site.run("contact", "restore", contact, expect=0)
        p.write_there("u1", lambda text: text.replace("TEL:1", "TEL:2"))
        p.site.sync()
        assert p.site.id_of("u1") == contact and "TEL:2" in p.site.contacts()["u1"]
        p.check_same()
        p.site.remove(contact)
        p.write_there("u1", lambda text: text.replace("TEL:2", "TEL:3"))
        p.site.sync()
        assert p.site.id_of("u1") == contact and "TEL:3" in p.site.contacts()["u1"], "an edit there beats the deletion here, under the same id"
        p.check_same()


def an_import_does_not_bring_back_what_was_deleted():
    with Pair(mode="import") as p:
        p.server.put(p.book + "a.vcf", card("u1", "Meier;Anna", "TEL:1"))
        p.site.sync()
        contact = p.site.id_of("u1")
        p.site.remove(contact)
        done = p.site.sync().json()
        assert not p.site.contacts() and done["b"]["skipped_deleted"] == 1, done
        p.site.run("contact", "restore", contact, expect=0)
        p.site.sync()
        assert set(p.site.contacts()) == {"u1"} and p.site.id_of("u1") == contact


class Desk:
    """A site without any server, its book "Kunden", and files for it."""

    def __enter__(self):
        self.site = Site()
        with open(self.site.config, "a", encoding="utf-8") as f:
            f.write(FIELDS)
        self.site.run("book", "add", "Kunden", expect=0)
        return self

    def __exit__(self, *unused):
        self.site.close()

    def take(self, text, book="Kunden", expect=0):
        path = os.path.join(self.site.folder, "file")
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        r = self.site.run("--json", "contact", "import", book, path, expect=expect)
        return tuple(r.json()[k] for k in ("created", "updated", "unchanged", "skipped_deleted", "invalid")) if r.out else r.err

    def give(self, form, book="Kunden"):
        return self.site.run("contact", "export", book, "--format", form, expect=0).out


def full_card():
    return card("u1", "Meier;Anna", "TEL;TYPE=CELL:0171 1", "TEL;TYPE=CELL:0171 2", "ADR;TYPE=HOME:;;Weg 1\\, hinten;Kiel;;24103;D",
                "item1.URL:http://x.de/?a;b", "item1.X-ABLabel:Verein", "ORG:Firma;Abteilung", "CATEGORIES:rot,blau", "BDAY:1980-02-03",
                "NOTE:eins\\nzwei; \"drei\"\\, vier", "X-FOO:bleibt", "item2.X-HUB-KUNDENNUMMER:4711", "item2.X-ABLabel:Kundennummer")


def what_is_exported_can_be_imported():
    with Desk() as d:
        d.take(full_card() + card("u2", "Özdemir;Lale", "EMAIL:l@x.de"))
        d.site.run("book", "add", "Kopie", expect=0)
        for form in ("vcard", "csv", "json"):
            text = d.give(form)
            assert d.take(text) == (0, 0, 2, 0, 0), form
            assert d.take(text.replace("\r\n", "\n").replace("\n", "\r\n") if form == "csv" else text) == (0, 0, 2, 0, 0), form
            d.take(text, "Kopie")
        assert d.take(d.give("csv"), "Kopie") == (0, 0, 2, 0, 0), "the copy says the same, cell by cell"


def cards_of_another_character_set_survive_json():
    with Desk() as d:
        body = card("u1", "Müller;Jürgen").encode("windows-1252")
        d.take(body)
        d.site.run("book", "add", "Kopie", expect=0)
        assert d.take(d.give("json")) == (0, 0, 1, 0, 0)
        assert d.take(d.give("json"), "Kopie") == (1, 0, 0, 0, 0) and d.take(body, "Kopie") == (0, 0, 1, 0, 0), "byte for byte"
        assert d.take('[{"body":1}, {"body_base64":"%"}, 5]', expect=1) == (0, 0, 0, 0, 3)
        assert d.take(d.give("csv")) == (0, 0, 1, 0, 0)


def a_table_changes_what_was_changed_in_it():
    with Desk() as d:
        d.take(full_card() + card("u2", "Özdemir;Lale", "EMAIL:l@x.de"))
        table = d.give("csv")
        changed = table.replace("0171 2", "0171 3").replace("4711", "4712").replace("Kiel", "Bonn").replace("Lale", "Leyla")
        assert changed != table and d.take(changed) == (0, 2, 0, 0, 0)
        here = d.site.contacts()["u1"]
        for line in ("TEL;TYPE=CELL:0171 1", "TEL;TYPE=CELL:0171 3", "X-FOO:bleibt", "item2.X-HUB-KUNDENNUMMER:4712", ";;Weg 1\\, hinten;Bonn;;24103;D"):
            assert line in here, (line, here)
        assert "Leyla" in d.site.contacts()["u2"] and "FN:Leyla" in d.site.contacts()["u2"]
        assert d.take(changed.replace("4712", "47x"), expect=1) == (0, 0, 1, 0, 1), "a value that does not fit spoils its row alone"
        assert d.take(changed.replace("http://x.de/?a;b", "")) == (0, 1, 1, 0, 0)
        assert "URL" not in d.site.contacts()["u1"] and "Verein" not in d.site.contacts()["u1"]
        contact = d.site.id_of("u2")
        d.site.remove(contact)
        assert d.take(changed)[3] == 1 and set(d.site.contacts()) == {"u1"}, "what a person deleted does not come back"


def a_table_from_elsewhere():
    with Desk() as d:
        d.site.language = "de"
        rows = 'Vorname;Nachname;tel;"tel;CELL";kundennummer;klasse\r\n'
        text = rows + "Lale;Özdemir;040 1;0171 1;12;gold\r\nJo;Alt;;;abc;\r\n;;;;;\r\n"
        assert d.take(text.encode("windows-1252"), expect=1) == (1, 0, 0, 0, 1)
        (uid, here), = d.site.contacts().items()
        assert "N:Özdemir;Lale" in here and "TEL;TYPE=CELL:0171 1" in here and "X-HUB-KLASSE:Gold" in here, here
        d.site.run("contact", "edit", d.site.id_of(uid), "tel;CELL=0171 2", expect=0)
        assert d.take(text.encode("windows-1252"), expect=1) == (0, 0, 1, 0, 1), "the same row again is nobody new, and undoes nothing"
        assert "0171 2" in d.site.contacts()[uid]
        assert "Hutgröße" in d.take("Vorname,Hutgröße\nx,y\n", expect=2)
        assert len(d.site.contacts()) == 1


def main():
    suite = Suite("own")
    for test in (custom_fields_travel_with_their_label, a_client_that_drops_them, a_client_that_edits_them,
                 the_same_where_the_store_is_side_b, changes_and_removals_here_are_sent,
                 imports_keep_custom_fields, what_hangs_on_a_contact_stays_here, restored_as_it_was, restored_beside_a_copy_on_the_server,
                 an_import_does_not_bring_back_what_was_deleted, what_is_exported_can_be_imported,
                 cards_of_another_character_set_survive_json, a_table_changes_what_was_changed_in_it,
                 a_table_from_elsewhere):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
