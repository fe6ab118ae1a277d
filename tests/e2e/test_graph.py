"""abgleich with Microsoft Graph, in peace: first sync, changes, deletes, folders, what Graph cannot hold, what it makes of what it is sent,
pictures, who may write. The emulator (tests/emulators/microsoft_graph.py) is strict; time is virtual. What goes wrong is in test_graph_faults.py."""

import shutil
import sys
import tempfile

from harness import Suite, card, meaning
from graph_case import JPEG, JPEG2, build_clock, person, photo_line, run_all
from graph_store import rescaled


def both_ways(case):
    w = case.world
    w.add(person("Lale", "Özdemir", emailAddresses=[{"address": "lale@example.org", "name": "Lale (lale@example.org)"}],
                 mobilePhone="+49 171 1111111", businessPhones=["030 22", "030 23"], homePhones=["030 44"], title="Dr.", nickName="Lala",
                 businessAddress={"street": "Am Markt 1\nHinterhaus", "city": "Ulm", "postalCode": "89073", "countryOrRegion": "Deutschland"},
                 companyName="Feuerwehr", department="Wache 1", jobTitle="Leiterin", profession="Ärztin", birthday="1980-03-05T00:00:00Z",
                 personalNotes="zwei\nZeilen", categories=["Vorstand", "Kasse"], businessHomePage="https://example.org/"))
    case.link(card("u1", "Meier;Anna", "EMAIL;TYPE=HOME:a@example.org", "TEL;TYPE=HOME:+49301", "TEL;TYPE=WORK:+49302",
                   "NOTE:zwei\\nZeilen\\, mit Komma", "ORG:Feuerwehr;Wache 1", "TITLE:Leiterin", "BDAY:1980-03-05", "CATEGORIES:Jugend",
                   "ADR;TYPE=HOME:;;Weg 2;Bonn;;53111;Deutschland"))
    case.sync()
    anna, lale = case.named("Anna"), case.card("Lale")
    assert anna["emailAddresses"][0]["address"] == "a@example.org" and anna["homePhones"] == ["+49301"] and anna["businessPhones"] == ["+49302"], anna
    assert anna["personalNotes"] == "zwei\r\nZeilen, mit Komma" and anna["birthday"] == "1980-03-05T12:00:00Z", anna
    assert anna["homeAddress"] == {"street": "Weg 2", "city": "Bonn", "postalCode": "53111", "countryOrRegion": "Deutschland"}, anna
    assert anna["companyName"] == "Feuerwehr" and anna["department"] == "Wache 1" and anna["categories"] == ["Jugend"], anna
    assert "BDAY" in lale and "1980-03-05" in lale.replace("19800305", "1980-03-05"), lale
    case.same()
    case.quiet()
    case.edit_there("Lale", mobilePhone="+49 171 2222222")
    case.edit("Anna", "TEL;TYPE=HOME:+49301", "TEL;TYPE=HOME:+49303")
    case.sync()
    assert "2222222" in case.card("Lale") and case.named("Anna")["homePhones"] == ["+49303"]
    case.same()
    case.quiet()
    assert w.box.contacts[case.id_there("Lale")].fields["emailAddresses"][0]["name"] == "Lale (lale@example.org)"


def no_op_is_one_request(case):
    case.world.add(person("Lale"))
    case.link(card("u1"))
    case.sync()
    case.quiet()
    case.world.forget()
    case.quiet()
    assert len(case.world.requests) == 1 and "deltatoken" in case.world.requests[0].path, case.world.lines()
    case.world.forget()
    for _ in range(6):
        case.quiet()  # more rounds than states live: each link is stored
    assert len(case.world.requests) == 6, case.world.lines()


def first_sync_with_matches_and_conflicts(case):
    w = case.world
    w.add(person("Anna", emailAddresses=[{"address": "a@example.org"}], mobilePhone="0171 1234567"))
    w.add(person("Max", "Klein", emailAddresses=[{"address": "max@example.org"}], personalNotes="dort", jobTitle="Chef"))
    w.add(person("Dora", "Dort"))
    case.link(card("u1", "Meier;Anna", "EMAIL:a@example.org", "TEL;TYPE=CELL:+491711234567", "NOTE:hier"),
              card("u2", "Klein;Max", "EMAIL:max@example.org", "NOTE:hier"), card("u3", "Hier;Hans"))
    result = case.sync()
    assert len(result["conflicts"]) == 1 and result["conflicts"][0]["winner"] == "a", result["conflicts"]
    assert sorted(case.here()) == sorted(case.there()) == ["Anna", "Dora", "Hans", "Max"]
    assert case.named("Max")["personalNotes"] == "hier" and "TITLE:Chef" in case.card("Max") and case.named("Anna")["personalNotes"] == "hier"
    assert case.named("Anna")["mobilePhone"], case.named("Anna")
    case.quiet()


def the_server_wins_where_it_is_the_authority(case):
    case.linked("Anna", authority="server")
    case.edit("Anna", "NOTE:alt", "NOTE:hier")
    case.edit_there("Anna", personalNotes="dort")
    result = case.sync()
    assert [c["winner"] for c in result["conflicts"]] == ["b"] and "NOTE:dort" in case.card("Anna"), result
    case.quiet()


def changes_and_deletes_both_ways(case):
    case.linked(*["P%d" % i for i in range(8)])
    case.edit("P0", "NOTE:alt", "NOTE:alt\r\nEMAIL:p0@example.org")
    case.edit_there("P0", jobTitle="Ärztin")
    case.edit_there("P1", personalNotes="neu")
    case.remove("P2")
    case.remove_there("P3")
    case.remove("P4")
    case.edit_there("P4", personalNotes="doch noch gebraucht")
    case.edit("P5", "NOTE:alt", "NOTE:doch hier gebraucht")
    case.remove_there("P5")
    case.site.add(card("u-n", "Neu;Hier", photo_line()))
    case.world.add(person("Dort", "Neu"))
    case.sync()
    assert sorted(case.here()) == ["Dort", "Hier", "P0", "P1", "P4", "P5", "P6", "P7"], sorted(case.here())
    case.same()
    assert case.named("P0")["jobTitle"] == "Ärztin" and "p0@example.org" in case.card("P0") and "doch noch" in case.card("P4")
    assert case.named("P5")["personalNotes"] == "doch hier gebraucht"
    case.quiet()


def deleted_ones_are_had_by_id(case):
    """Deleted Items still answer by id: a deletion all the same, and nothing is written there."""
    case.world.box.deleted_readable = True
    case.linked("Anna", "Berta", "Cora")
    case.remove_there("Anna")
    case.remove_there("Berta")
    case.edit("Berta", "NOTE:alt", "NOTE:hier gebraucht")
    case.settle()
    assert sorted(case.here()) == sorted(case.there()) == ["Berta", "Cora"], (sorted(case.here()), sorted(case.there()))
    assert case.named("Berta")["personalNotes"] == "hier gebraucht"
    case.quiet()


def put_back_there(case):
    """Out of Deleted Items, by a person: the id is the old one."""
    case.linked("Anna", "Berta")
    anna = case.id_there("Anna")
    case.remove_there("Anna")
    case.sync()
    assert list(case.here()) == ["Berta"]
    case.world.put_back(anna)
    case.settle()
    assert sorted(case.here()) == sorted(case.there()) == ["Anna", "Berta"]


def last_seen(case):
    """A restart of everything between two runs, and of the server in the middle of one."""
    case.linked("Anna")
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.world.fail("cut before", times=None)
    case.site.sync(6)
    case.calm()
    case.sync()
    assert case.named("Anna")["personalNotes"] == "neu"
    case.quiet()


# -- folders --
def books_and_folders(case):
    w = case.world
    team = w.add_folder("Team")
    deep = w.add_folder("Tief", team)
    w.add(person("Lale"), folder=team)
    w.add(person("Tina"), folder=deep)
    w.add_list("Verteiler")
    case.link(card("u1"))
    for book, folder in (("Team", "Team"), ("Tief", "Tief")):
        case.site.run("book", "add", book, expect=0)
        case.site.run("link", "add", folder.lower(), "contactbox:" + book, "srv:" + folder, "--mode", "two-way", expect=0)
    found = case.site.run("--json", "discover", "srv", expect=0).json()
    assert {c["name"] for c in found} == {"Kontakte", "Team", "Tief"}, found
    case.site.run("sync", expect=0)
    assert {c.fields["givenName"]: c.folder for c in w.box.contacts.values() if not c.is_list} == {
        "Lale": team, "Tina": deep, "Anna": w.box.default}
    for book, given in (("Team", "Lale"), ("Tief", "Tina")):
        assert given in case.site.run("contact", "export", book, expect=0).out
    w.forget()
    case.site.run("sync", expect=0)
    assert not w.writes() and len(w.requests) == 3, w.lines()


def moved_there(case):
    """From one folder to another, each with a book of its own: nobody is lost or doubled, and nothing is written there."""
    w = case.world
    team = w.add_folder("Team")
    w.add(person("Tom"), folder=team)
    case.linked("Anna", "Berta", "Cora")
    case.site.run("book", "add", "Team", expect=0)
    case.site.run("link", "add", "team", "contactbox:Team", "srv:Team", "--mode", "two-way", expect=0)
    case.site.run("sync", expect=0)
    w.forget()
    w.move(case.id_there("Anna"), team)
    for _ in range(3):
        case.site.run("sync", expect=None)
    exported = {b: case.site.run("contact", "export", b, expect=0).out for b in ("Kunden", "Team")}
    assert exported["Team"].count("Anna") and not exported["Kunden"].count("Anna"), exported
    assert w.box.contacts[case.id_there("Anna")].folder == team and len(case.there()) == 4 and not w.writes(), w.writes()
    w.edit(case.id_there("Anna"), personalNotes="nach dem Umzug")
    case.site.run("sync", expect=0)
    assert "nach dem Umzug" in case.site.run("contact", "export", "Team", expect=0).out
    w.forget()
    case.site.run("sync", expect=0)
    assert not w.writes() and len(w.requests) == 2, w.lines()


def moved_there_and_edited_here(case):
    """Both at once: the edit is not lost, and whoever is there twice for it is there once here."""
    w = case.world
    team = w.add_folder("Team")
    case.linked("Anna", "Berta", "Cora")
    case.site.run("book", "add", "Team", expect=0)
    case.site.run("link", "add", "team", "contactbox:Team", "srv:Team", "--mode", "two-way", expect=0)
    case.site.run("sync", expect=0)
    w.move(case.id_there("Anna"), team)
    case.edit("Anna", "NOTE:alt", "NOTE:hier")
    for _ in range(4):
        case.site.run("sync", expect=None)
    found = [c for c in w.box.contacts.values() if c.fields["givenName"] == "Anna"]
    assert "hier" in [c.fields["personalNotes"] for c in found] and len(found) <= 2, [c.fields for c in found]
    exported = [case.site.run("contact", "export", b, expect=0).out for b in ("Kunden", "Team")]
    assert any("NOTE:hier" in e for e in exported) and all(e.count(";Anna;") <= 1 for e in exported), exported
    w.forget()
    case.site.run("sync", expect=0)
    assert not w.writes(), w.writes()


def a_folder_that_is_gone(case):
    """Deleted there, or renamed: nothing here is deleted for it."""
    w = case.world
    team = w.add_folder("Team")
    for i in range(3):
        w.add(person("T%d" % i), folder=team)
    case.plain_site().server = w
    w.book_name = "Team"
    case.site.run("book", "add", "Kunden", expect=0)
    case.site.link()
    case.sync()
    w.box.rename_folder(team, "Mannschaft")
    case.quiet()
    w.edit(case.id_there("T1"), personalNotes="neu")
    case.sync()
    assert "NOTE:neu" in case.card("T1")
    w.box.remove_folder(team)
    result = case.site.sync(None)
    assert result.code != 0 and len(case.here()) == 3, result
    w.forget()


# -- what Graph makes of what it is sent --
def what_graph_cannot_hold_stays(case):
    w = case.world
    mails = ["EMAIL:m%d@example.org" % i for i in range(5)]
    phones = ["TEL;TYPE=WORK:+49301%d" % i for i in range(4)] + ["TEL;TYPE=CELL:+4917%d" % i for i in range(3)] + ["TEL;TYPE=FAX,WORK:+4999"]
    rest = ["X-HUB-KUNDE:4711", "GEO:48.4;9.9", "TZ:+01:00", "NICKNAME:Eins,Zwei", "URL:https://a.example/", "URL:https://b.example/"]
    case.link(card("u1", "Meier;Anna", *mails, *phones, *rest))
    case.sync()
    anna = case.named("Anna")
    assert len(anna["emailAddresses"]) == 3 and len(anna["businessPhones"]) == 2 and anna["mobilePhone"], anna
    before = case.card("Anna")
    case.quiet()
    assert case.card("Anna") == before
    case.edit_there("Anna", jobTitle="Leiterin")
    case.sync()
    after = case.card("Anna")
    assert "TITLE:Leiterin" in after and meaning(before) <= meaning(after), meaning(before) - meaning(after)
    case.quiet()
    w.forget()
    case.edit("Anna", "X-HUB-KUNDE:4711", "X-HUB-KUNDE:4712")
    case.site.sync(0)
    assert not w.writes() and "4712" in case.card("Anna"), w.writes()
    case.quiet()
    case.edit_there("Anna", emailAddresses=[m for m in case.named("Anna")["emailAddresses"] if m["address"] != "m1@example.org"])
    case.sync()
    assert "m1@example.org" not in case.card("Anna") and all("m%d@example.org" % i in case.card("Anna") for i in (0, 2, 3, 4)), case.card("Anna")
    case.settle()
    case.quiet()


def slots_are_not_reshuffled(case):
    case.link(card("u1", "Meier;Anna", "TEL;TYPE=WORK:+49301", "TEL;TYPE=WORK:+49302", "TEL;TYPE=WORK:+49303"))
    case.sync()
    held = case.named("Anna")["businessPhones"]
    case.edit("Anna", "TEL;TYPE=WORK:+49301", "TEL;TYPE=WORK:+49304\r\nTEL;TYPE=WORK:+49301")
    case.settle()
    assert case.named("Anna")["businessPhones"] == held, case.named("Anna")
    assert all("+4930%d" % i in case.card("Anna") for i in (1, 2, 3, 4))


def nothing_there_is_wiped(case):
    """What no card shows stays there when something else changes."""
    w = case.world
    extra = {"initials": "L.Ö.", "officeLocation": "Zimmer 4", "yomiGivenName": "らる", "imAddresses": ["xmpp:l@example.org"],
             "manager": "Chefin", "assistantName": "Otto", "spouseName": "Can", "children": ["Ela"], "fileAs": "Die Lale"}
    lale = w.add(person("Lale", emailAddresses=[{"address": "/o=ExchangeLabs/cn=lale", "name": "Lale Ö."}], **extra), photo=JPEG)
    w.box.contacts[lale].extended["String 0x3a24"] = "+4930555"
    case.link()
    case.sync()
    case.edit("Lale", "END:VCARD", "TITLE:Leiterin\r\nEND:VCARD")
    case.sync()
    there = case.named("Lale")
    assert {k: there[k] for k in extra} == extra and there["jobTitle"] == "Leiterin", there
    assert there["emailAddresses"] == [{"address": "/o=ExchangeLabs/cn=lale", "name": "Lale Ö."}] and case.there()["Lale"].photo == rescaled(JPEG)
    assert case.there()["Lale"].extended == {"String 0x3a24": "+4930555"}
    case.quiet()


def a_name_that_differs_from_its_parts(case):
    """displayName is recalculated when a part changes: whatever becomes of it, both sides come to rest, and no name is wiped."""
    case.link("\r\n".join(card("u1", "Meier;Anna").splitlines()).replace("FN:Anna Meier", "FN:Leitstelle (Anna)") + "\r\n")
    case.sync()
    assert case.named("Anna")["displayName"] == "Leitstelle (Anna)", case.named("Anna")
    case.edit("Anna", "N:Meier;", "N:Schulz;")
    case.sync()
    case.settle()
    assert case.named("Anna")["surname"] == "Schulz" and case.named("Anna")["displayName"] == "Leitstelle (Anna)", case.named("Anna")
    case.edit_there("Anna", surname="Meier")
    case.settle()
    assert "N:Meier;Anna" in case.card("Anna")
    case.quiet()


def odd_values_come_to_rest(case):
    """Line ends, an address Graph swallows, birthdays at other times, pictures that are rescaled: written once, then quiet."""
    w = case.world
    w.box.birthday_time = "11:59:00"
    case.link(card("u1", "Meier;Anna", "NOTE:eins\\nzwei\\n\\ndrei", "EMAIL:kaputt\\, weg", "EMAIL:a@example.org", "BDAY:1980-03-05", photo_line(),
                   "ADR;TYPE=WORK:;;Weg 1\\nHaus 2;Ulm;;;"))
    for i, time in enumerate(("22:00:00", "23:00:00")):
        w.add(person("B%d" % i, birthday="1979-12-31T%sZ" % time))
    case.sync()
    assert "1980-01-01" in case.card("B0").replace("19800101", "1980-01-01") or w.box.birthday_time, case.card("B0")
    for _ in range(2):
        case.quiet()
    assert "kaputt" in case.card("Anna") and "a@example.org" in case.card("Anna"), case.card("Anna")
    case.edit_there("Anna", jobTitle="neu")
    case.sync()
    assert "kaputt" in case.card("Anna") and "1980" in case.card("Anna") and "PHOTO" in case.card("Anna")
    case.quiet()


def birthdays(case):
    """The day that was meant, whatever program wrote it, and no rewriting of one that did not change."""
    w = case.world
    for given, stored in (("Wien", "1980-03-04T23:00:00Z"), ("Sommer", "1980-07-04T22:00:00Z"), ("Null", "1980-03-05T00:00:00Z"),
                          ("Mittag", "1980-03-05T12:00:00Z"), ("Elf", "1980-03-05T11:59:00Z"), ("Indien", "1980-03-04T18:30:00Z")):
        w.add(person(given, birthday=stored))
    before = {g: c.fields["birthday"] for g, c in case.there().items()}
    case.link()
    case.sync()
    for given in before:
        day = "0705" if given == "Sommer" else "0305"
        assert "1980" + day in case.card(given).replace("-", ""), case.card(given)
        case.edit(given, "END:VCARD", "TITLE:neu\r\nEND:VCARD")
    case.sync()
    assert {g: c.fields["birthday"] for g, c in case.there().items()} == before
    case.edit("Wien", "1980", "1981")
    case.sync()
    assert case.named("Wien")["birthday"].startswith("1981-03-05T1"), case.named("Wien")
    w.box.keeps_birthday = True
    case.edit("Null", "BDAY", "X-WAS-BDAY")
    case.settle()
    case.quiet()


def addresses_member_by_member(case):
    for merge in (True, False):
        case.world.box.merge_addresses = merge
        given = "Anna" if merge else "Berta"
        if case.site is None:
            case.link()
        case.site.add(card("u-" + given, "Meier;" + given, "ADR;TYPE=HOME:;;Weg 1;Bonn;NRW;53111;Deutschland"))
        case.sync()
        case.edit(given, ";;Weg 1;Bonn;NRW;53111;Deutschland", ";;;Bonn;;53112;Deutschland")
        case.sync()
        assert case.named(given)["homeAddress"] == {"city": "Bonn", "postalCode": "53112", "countryOrRegion": "Deutschland"}, case.named(given)
        case.quiet()
        case.edit(given, "ADR;TYPE=HOME:", "X-ALT:")
        case.sync()
        assert not case.named(given).get("homeAddress"), case.named(given)
        case.quiet()


def categories(case):
    w = case.world
    w.add(person("Lale", categories=["Vorstand"]))
    case.link(card("u1", "Meier;Anna", "CATEGORIES:Vorstand,Jugend"))
    case.sync()
    assert "CATEGORIES:Vorstand" in case.card("Lale") and sorted(case.named("Anna")["categories"]) == ["Jugend", "Vorstand"]
    case.edit("Anna", "CATEGORIES:Vorstand,Jugend", "CATEGORIES:Jugend")
    case.edit_there("Lale", categories=["Vorstand", "Kasse"])
    case.sync()
    assert case.named("Anna")["categories"] == ["Jugend"] and "Kasse" in case.card("Lale")
    case.edit("Lale", "END:VCARD", "NOTE:neu\r\nEND:VCARD")
    case.sync()
    case.edit("Anna", "CATEGORIES:Jugend", "CATEGORIES:mit\\, Komma,Jugend")
    case.site.sync(None)
    case.settle()
    assert "Jugend" in case.named("Anna")["categories"] and "Komma" in case.card("Anna"), case.named("Anna")


def only_a_name_is_needed_by_some(case):
    """Mailboxes that refuse a create without givenName; contacts without any name are legal where they are read."""
    w = case.world
    w.box.given_name_required = True
    w.box.given_name_required = False
    w.add({"emailAddresses": [{"address": "nur@example.org"}]})
    w.add({"companyName": "Firma"})
    w.box.given_name_required = True
    case.link()
    result = case.site.sync(None)
    assert result.code == 0 and len(case.site.contacts()) == 2, result
    case.site.add(card("u9", "Nachname;"))
    case.site.add(card("u8", "Weiß;Jo"))
    case.site.sync(None)
    assert "Jo" in [c.fields.get("givenName") for c in w.box.contacts.values()]
    w.box.given_name_required = False
    for _ in range(3):
        case.site.sync(None)


def carried_in_properties(case):
    """carry = yes: what v1.0 hides travels in extended properties, fetched after delta, which does not tell them."""
    w = case.world
    lale = w.add(person("Lale", "Özdemir"))
    w.box.contacts[lale].extended.update({"String 0x3a24": "+4930555", "String 0x3a21": "+4930777", "String 0x3a23": "+4930888"})
    case.link(card("u1", "Meier;Anna", "TEL;TYPE=WORK,FAX:+49301", "TEL;TYPE=HOME,FAX:+49302", "TEL;TYPE=PAGER:+49303", "ANNIVERSARY:2010-05-06",
                   version="3.0"))
    case.site.run("account", "set", "srv", "carry=yes", expect=0)
    case.sync()
    anna = case.there()["Anna"].extended
    assert anna["String 0x3a24"] == "+49301" and anna["String 0x3a25"] == "+49302" and anna["String 0x3a21"] == "+49303", anna
    assert "+4930555" in case.card("Lale") and "+4930777" in case.card("Lale") and "+4930888" in case.card("Lale"), case.card("Lale")
    case.quiet()
    case.edit("Anna", "+49301", "+49309")
    w.box.contacts[lale].extended["String 0x3a24"] = "+4930666"
    w.touch(lale)
    case.sync()
    assert case.there()["Anna"].extended["String 0x3a24"] == "+49309" and "+4930666" in case.card("Lale") and "+4930555" not in case.card("Lale")
    case.quiet()
    case.edit("Lale", "+4930777", "+4930778")
    case.site.edit(case.id_of("Anna"), "\r\n".join(l for l in case.card("Anna").splitlines() if "PAGER" not in l) + "\r\n")
    case.sync()
    assert w.box.contacts[lale].extended["String 0x3a21"] == "+4930778" and "String 0x3a21" not in case.there()["Anna"].extended
    case.quiet()
    case.site.run("account", "set", "srv", "carry=no", expect=0)
    case.site.sync(None)
    case.settle()
    assert "+4930666" in case.card("Lale") and "+49309" in case.card("Anna"), "what is carried no longer is not deleted"
    assert case.there()["Anna"].extended["String 0x3a24"] == "+49309"


# -- pictures --
def pictures(case):
    w = case.world
    w.add(person("Lale"), photo=JPEG)
    w.add(person("Ohne"))
    case.link(card("u1", "Meier;Anna", photo_line(JPEG2)))
    case.sync()
    photo = lambda given: case.there()[given].photo
    assert photo("Anna") == rescaled(JPEG2) and "PHOTO" in case.card("Lale") and "PHOTO" not in case.card("Ohne"), case.card("Lale")
    case.quiet()
    w.forget()
    case.edit("Anna", "FN:", "NICKNAME:A\r\nFN:")
    case.edit_there("Lale", nickName="L")
    case.sync()
    assert photo("Anna") == rescaled(JPEG2) and photo("Lale") == rescaled(JPEG) and "PHOTO" in case.card("Lale")
    assert not [l for l in w.writes() if "photo" in l], w.writes()
    case.quiet()
    case.edit("Ohne", "END:VCARD", photo_line(JPEG) + "\r\nEND:VCARD")
    case.sync()
    assert photo("Ohne") == rescaled(JPEG)
    case.quiet()
    w.box.set_photo(case.there()["Lale"], JPEG2)
    case.edit_there("Lale", nickName="LL")
    case.sync()
    assert photo_line(rescaled(JPEG2)) in case.card("Lale").replace("\r\n ", ""), case.card("Lale")
    case.quiet()


def pictures_that_do_not_go(case):
    """One Graph refuses stays here and stops nobody; one that is removed here cannot be removed there."""
    case.link(card("u1", "Meier;Anna", photo_line(b"kein Bild")), card("u2", "Meier;Berta", photo_line()), card("u3", "Meier;Cora"))
    case.site.sync(None)
    assert sorted(case.there()) == ["Anna", "Berta", "Cora"] and case.there()["Anna"].photo is None and "PHOTO" in case.card("Anna")
    case.settle()
    text = case.card("Berta")
    case.site.edit(case.id_of("Berta"), "\r\n".join(l for l in text.replace("\r\n ", "").splitlines() if not l.startswith("PHOTO")) + "\r\n")
    case.site.sync(None)
    case.settle()
    case.quiet()
    case.edit("Berta", "END:VCARD", "NICKNAME:B\r\nEND:VCARD")
    case.site.sync(None)
    assert case.named("Berta")["nickName"] == "B"
    case.settle()


# -- who may --
def a_folder_that_may_only_be_read(case):
    """403 for writes: what changed here stays here, what changed there arrives, and it says so."""
    w = case.world
    case.linked("Anna", "Berta")
    w.box.folders[w.box.default].can_write = False
    case.edit("Anna", "NOTE:alt", "NOTE:hier")
    case.site.add(card("u-n", "Neu;Nora"))
    case.edit_there("Berta", jobTitle="dort")
    result = case.site.sync(None)
    assert result.code in (1, 5), result
    assert "NOTE:hier" in case.card("Anna") and "Nora" in case.here() and "TITLE:dort" in case.card("Berta")
    assert sorted(case.there()) == ["Anna", "Berta"]
    w.box.folders[w.box.default].can_write = True
    case.settle()
    case.same()
    assert case.named("Anna")["personalNotes"] == "hier" and "Nora" in case.there()


def a_sign_in_that_may_only_read(case):
    w = case.world
    w.tokens[w.password].scopes = {"Contacts.Read"}
    w.add(person("Lale"))
    case.link(mode="import")
    case.site.run("import", "kunden", "--mode", "ergaenzen", expect=0)
    assert list(case.here()) == ["Lale"] and not w.writes()


def somebody_elses_mailbox(case):
    w = case.world
    w.add_mailbox("bert@contoso.example")
    case.plain_site()
    result = case.site.run("account", "add", "srv", "--connector", "graph", "--url", w.url, "--user", w.user, "--password-file", "-",
                           text="canary.falsch\n")
    assert result.code == 5 and "canary" not in result.out + result.err, result
    w.violations.clear()


def a_mailbox_that_is_shared(case):
    """graph.mailbox: another person's, with the right to it, and without."""
    w = case.world
    bert = w.add_mailbox("bert@contoso.example")
    w.add(person("Berta"), box=bert)
    site = case.plain_site()
    site.server = w
    site.run("book", "add", "Kunden", expect=0)
    site.run("account", "add", "srv", "--connector", "graph", "--url", w.url, "--user", w.user, "--password-file", "-", "--no-test",
             text=w.password + "\n", expect=0)
    site.run("account", "set", "srv", "graph.mailbox=bert@contoso.example", expect=None)
    site.run("link", "add", "kunden", "contactbox:Kunden", "srv:contacts", "--mode", "two-way", "--no-test", expect=0)
    assert site.sync(None).code not in (0, 3) and not case.here()
    w.tokens[w.password].scopes |= {"Contacts.ReadWrite.Shared"}
    site.add(card("u1"))
    w.clock.advance(61 * 60)
    case.settle()
    assert sorted(case.there(bert)) == ["Anna", "Berta"] and not case.there()


# -- other kinds of links --
def one_way_into_a_mailbox(case):
    """What is there already stays, changes there are overwritten only where we change something, and only our own are deleted."""
    w = case.world
    w.add(person("Eigen", "Dort"))
    case.link(card("u1", "Meier;Anna", "NOTE:alt"), card("u2", "Klein;Max"), card("u3", "Rest;Rita"), mode="one-way")
    case.sync()
    assert sorted(case.there()) == ["Anna", "Eigen", "Max", "Rita"] and sorted(case.here()) == ["Anna", "Max", "Rita"]
    case.quiet()
    case.edit_there("Eigen", personalNotes="dort")
    case.edit_there("Max", jobTitle="dort")
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.sync()
    assert case.named("Anna")["personalNotes"] == "neu" and "dort" not in case.card("Max") and case.named("Eigen")["personalNotes"] == "dort"
    case.remove("Anna")
    case.remove("Max")
    case.sync()
    assert sorted(case.there()) == ["Eigen", "Max", "Rita"], "what somebody changed there is not deleted"
    case.quiet()


def a_book_made_anew(case):
    w = case.world
    w.add(person("Lale", emailAddresses=[{"address": "l@example.org"}]), photo=JPEG)
    case.link(card("u1", "Meier;Anna"), card("u2", "Meier;Lale", "EMAIL:l@example.org", "NOTE:hier"), mode="import")
    before = case.id_of("Lale")
    case.site.run("import", "kunden", "--mode", "neu-anlegen", "--yes-recreate", "Kunden", expect=0)
    assert not w.writes() and list(case.here()) == ["Lale"] and case.id_of("Lale") == before
    assert "NOTE:hier" not in case.card("Lale") and "PHOTO" in case.card("Lale")


def a_check_writes_nothing(case):
    case.linked("Anna", "Berta")
    w = case.world
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.site.add(card("u-n", "Neu;Nora", photo_line()))
    case.edit_there("Berta", jobTitle="dort")
    w.forget()
    for _ in range(2):
        case.site.run("--json", "check", "kunden", expect=10)
    assert not w.writes() and not [r for r in w.requests if r.method not in ("GET", "POST")], w.lines()
    assert "dort" not in case.card("Berta")
    case.sync()
    case.same()


# -- time passing --
def a_restored_backup(case):
    """The state is one of last week: its link is dead, its journal old, its book as it was. What happened there since arrives, what it made
    itself and forgot is known again, and nothing there is deleted or doubled."""
    w = case.world
    case.linked("Anna", "Berta", "Cora", "Dora")
    kept = case.site.folder + ".kept"
    shutil.copytree(case.site.folder, kept)
    try:
        for day in range(6):
            case.edit("Anna", "NOTE:", "NOTE:%d" % day)
            case.edit_there("Berta", jobTitle="Tag %d" % day)
            case.site.add(card("n%d" % day, "Neu;N%d" % day, "EMAIL:n%d@example.org" % day))
            w.add(person("M%d" % day, "Neu", emailAddresses=[{"address": "m%d@example.org" % day}]))
            w.clock.advance(86400)
            case.sync()
        case.remove_there("Cora")
        case.sync()
        shutil.rmtree(case.site.folder)
        shutil.copytree(kept, case.site.folder)
    finally:
        shutil.rmtree(kept)
    before = {g: dict(c.fields) for g, c in case.there().items()}
    w.forget()
    case.settle()
    assert sorted(case.there()) == sorted(before) == sorted(case.here()), (sorted(case.there()), sorted(case.here()))
    assert case.named("Anna")["personalNotes"] == before["Anna"]["personalNotes"] and "TITLE:Tag 5" in case.card("Berta")
    case.same()
    case.quiet()


def a_picture_that_only_changed(case):
    """Nothing announces it, so contacts are looked at anew from time to time."""
    w = case.world
    for i in range(4):
        w.add(person("P%d" % i), photo=JPEG)
    case.link()
    case.sync()
    for i in range(4):
        w.box.set_photo(case.there()["P%d" % i], JPEG2)
    for _ in range(30):
        w.clock.advance(86400)
        case.site.sync(0)
    assert all(photo_line(rescaled(JPEG2)) in case.card("P%d" % i).replace("\r\n ", "") for i in range(4))
    assert not w.writes(), w.writes()


# -- taking back --
def a_run_taken_back(case):
    case.linked("Anna", "Berta", "Cora")
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.remove("Berta")
    case.site.add(card("u-n", "Neu;Nora"))
    case.edit_there("Cora", personalNotes="dort")
    run = case.sync()["run"]
    case.site.run("undo", str(run), "--yes", expect=0)
    case.settle()
    assert sorted(case.there()) == ["Anna", "Berta", "Cora"], sorted(case.there())
    assert case.named("Anna")["personalNotes"] == "alt" and case.named("Berta")["personalNotes"] == "alt"
    case.quiet()


def an_empty_mailbox_empties_nothing(case):
    """Everything vanishes there at once: held, not done."""
    case.linked(*["P%02d" % i for i in range(20)])
    for i in range(20):
        case.remove_there("P%02d" % i)
    result = case.site.sync(None)
    assert result.code == 4 and len(case.here()) == 20, result


def unchanged_but_touched(case):
    """New etags without any change: no writes, and later ones find their way."""
    case.linked("Anna", "Berta")
    for _ in range(3):
        for given in ("Anna", "Berta"):
            case.world.touch(case.id_there(given))
        case.quiet()
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.sync()
    assert case.named("Anna")["personalNotes"] == "neu"
    case.quiet()


CASES = (both_ways, no_op_is_one_request, first_sync_with_matches_and_conflicts, the_server_wins_where_it_is_the_authority,
         changes_and_deletes_both_ways, deleted_ones_are_had_by_id, put_back_there, last_seen, books_and_folders, moved_there,
         moved_there_and_edited_here, a_folder_that_is_gone, what_graph_cannot_hold_stays, slots_are_not_reshuffled,
         nothing_there_is_wiped, a_name_that_differs_from_its_parts, odd_values_come_to_rest, birthdays, addresses_member_by_member,
         categories, only_a_name_is_needed_by_some, carried_in_properties, pictures, pictures_that_do_not_go,
         a_folder_that_may_only_be_read, a_sign_in_that_may_only_read, somebody_elses_mailbox, a_mailbox_that_is_shared,
         one_way_into_a_mailbox, a_book_made_anew, a_check_writes_nothing, a_restored_backup, a_picture_that_only_changed,
         a_run_taken_back, an_empty_mailbox_empties_nothing, unchanged_but_touched)


def main():
    suite = Suite("graph")
    with tempfile.TemporaryDirectory() as folder:
        run_all(suite, CASES, build_clock(folder), sys.argv[1:])
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
