"""Servers that say one thing and do another, and cards nobody can read: what an administrator is told, once and again."""

import sys

from harness import Site, Suite, card, split_cards, uid_of
from hostile_server import BOOK, Hostile


def unreadable_is_news_once():
    with Hostile() as server:
        site = Site(server)
        server.put("good.vcf", card("u1"))
        server.put("bad.vcf", "FN:Özdemir Lale\r\nno card at all\r\n")
        first = site.sync(1).json()
        assert first["status"] == "partial" and [q["contact"] for q in first["quarantined"]] == ["Özdemir Lale"], first
        assert set(site.contacts()) == {"u1"}, "everything else goes on"
        for _ in range(2):
            again = site.sync(0).json()
            assert again["status"] == "unchanged" and [q["contact"] for q in again["quarantined"]] == ["Özdemir Lale"], again
        assert len(site.run("--json", "runs", expect=0).json()) == 1, "what was said is not said again"
        assert site.run("--json", "status", expect=0).json()["links"][0]["quarantined"] == 1
        server.put("bad.vcf", "FN:Özdemir Lale\r\nstill no card\r\n")
        assert site.sync(1).json()["status"] == "partial", "other bytes are news"
        server.put("bad.vcf", card("u2", "Özdemir;Lale"))
        assert site.sync(0).json()["quarantined"] == [] and set(site.contacts()) == {"u1", "u2"}
        site.close()


def unreadable_here_is_named_and_left():
    with Hostile() as server:
        site = Site(server)
        server.put("a.vcf", card("u1", "Name1;Vor"))
        site.sync()
        server.put("a.vcf", "garbage of a server")
        got = site.sync(1).json()
        assert got["quarantined"][0]["contact"] == "Name1, Vor", got
        assert set(site.contacts()) == {"u1"} and server.texts()["a.vcf"] == "garbage of a server", "left as it is on both sides"
        site.remove(site.id_of("u1"))
        got = site.sync().json()
        assert server.texts()["a.vcf"] == "garbage of a server", "what cannot be read is never deleted"
        site.close()


def a_delete_that_is_not_carried_out():
    with Hostile() as server:
        site = Site(server)
        server.put("a.vcf", card("u1", "Name1;Vor"))
        server.put("b.vcf", card("u2", "Name2;Vor"))
        site.sync()
        server.at = lambda moment, number, request: (204, {}, "") if moment == "arrived" and request.command == "DELETE" else None
        site.remove(site.id_of("u1"))
        got = site.sync(1).json()
        assert got["status"] == "partial" and got["b"]["deleted"] == 0, got
        assert got["quarantined"][0]["contact"] == "Name1, Vor" and "still has it" in got["quarantined"][0]["reason"], got
        assert set(site.contacts()) == {"u2"}, "it does not come back"
        server.at = lambda *unused: None
        assert site.sync(0).json()["b"]["deleted"] == 1 and set(server.texts()) == {"b.vcf"}
        assert site.sync(0).json()["status"] == "unchanged"
        site.close()


def an_export_can_be_read_apart():
    with Hostile() as server:
        site = Site(server)
        site.add(card("u1", "Eins;A"))
        server.put("cut.vcf", card("u2", "Zwei;B").replace("END:VCARD\r\n", ""))
        server.put("c.vcf", card("u3", "Drei;C"))
        site.run("--json", "sync", "kunden")
        text = site.run("contact", "export", "Kunden", expect=0).out
        assert {uid_of(c) for c in split_cards(text)} == {"u1", "u2", "u3"} and text.count("BEGIN:VCARD") == text.count("END:VCARD"), text
        assert "END:VCARD" not in server.texts()["cut.vcf"], "the server's own card stays as it is"
        site.close()


def twins_are_told():
    with Hostile() as server:
        site = Site(server)
        server.put("a.vcf", card("u1", "Name1;Vor"))
        site.sync()
        server.put("twin.vcf", card("u1", "Name1;Vor", "NOTE:anders"))
        got = site.sync().json()
        said = got["quarantined"]
        assert len(said) == 1 and said[0]["contact"] == "Name1, Vor" and "same UID" in said[0]["reason"], got
        assert len(site.run("--json", "contact", "list", "Kunden", expect=0).json()) == 2, "neither is lost"
        assert site.sync(0).json()["status"] == "unchanged"
        site.close()


def renamed_between_two_answers():
    """What a first answer calls new, and the whole listing after it has under another name, is one contact."""
    with Hostile() as server:
        site = Site(server)
        for i in range(24):
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i))
        site.sync()
        for i in range(16):  # more than half: the answer is checked by a whole listing
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "NOTE:neu"))
        server.put("new.vcf", card("u99", "Neu;Da"))
        answers = []

        def rename(moment, number, request):
            if moment == "done" and request.command == "REPORT" and server.cards["new.vcf"].there:
                answers.append(number)
                if len(answers) == 1:
                    server.put("renamed.vcf", server.cards["new.vcf"].text)
                    server.delete("new.vcf")

        server.at = rename
        got = site.sync(0).json()
        assert answers and "renamed.vcf" in server.texts(), "the test itself: nothing was renamed"
        assert got["a"]["created"] == 1 and not got["quarantined"], got
        assert site.sync(0).json()["status"] == "unchanged"
        assert sorted(site.contacts()) == sorted(["u%d" % i for i in range(24)] + ["u99"])
        assert len(site.run("--json", "contact", "list", "Kunden", expect=0).json()) == 25
        site.close()


def edited_here_while_a_write_there_is_looked_at_again():
    """The server's card changes right after our write; while that is looked at again, somebody edits the card here."""
    with Hostile() as server:
        site = Site(server)
        server.put("a.vcf", card("u1", "Meier;Anna"))
        site.sync()
        ours = site.id_of("u1")
        site.edit(ours, card("u1", "Meier;Anna", "NOTE:hier"))
        moments = []

        def meanwhile(moment, number, request):
            if moment == "done" and request.command == "PUT" and not moments:
                moments.append("put")
                server.put("a.vcf", server.texts()["a.vcf"].replace("END:VCARD", "TITLE:dort\r\nEND:VCARD"))
            elif moment == "arrived" and moments and request.command in ("REPORT", "GET"):
                moments.append("read")
                if len(moments) == 3:
                    site.edit(ours, card("u1", "Meier;Anna", "NOTE:hier", "ORG:zuletzt"))

        server.at = meanwhile
        site.sync(None)
        assert len(moments) >= 3, "the test itself: %s" % moments
        server.at = lambda *unused: None
        site.sync(0)
        for text in (site.contacts()["u1"], server.texts()["a.vcf"]):
            assert "NOTE:hier" in text and "TITLE:dort" in text and "ORG:zuletzt" in text, text
        assert site.sync(0).json()["status"] == "unchanged"
        site.close()


def deletes_found_out_late_wait_for_the_guard():
    """While a run writes, everything it writes is deleted here, and the server's versions change without its cards: what the second look
    finds to be deletes has been seen by no guard."""
    with Hostile() as server:
        site = Site(server)
        for i in range(24):
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i))
        site.sync()
        ours = {c["name"]: c["id"] for c in site.run("--json", "contact", "list", "Kunden", expect=0).json()}
        for i in range(24):
            site.edit(ours["Name%d, Vor" % i], card("u%d" % i, "Name%d;Vor" % i, "NOTE:neu"))
        begun = []

        def all_gone(moment, number, request):
            if moment == "arrived" and request.command == "PUT":
                with server.lock:
                    if begun:
                        return
                    begun.append(number)
                    for name, text in server.texts().items():
                        server.put(name, text)
                    for contact in ours.values():
                        site.remove(contact)

        server.at = all_gone
        site.sync(None)
        assert begun and len(server.texts()) == 24, "deleted without a guard: %d left" % len(server.texts())
        server.at = lambda *unused: None
        held = site.sync(4).json()
        assert "would vanish" in held["held"]["reason"], held
        assert len(server.texts()) == 24
        site.close()


def a_token_nobody_knows_any_more():
    """A server that answers an unknown token with all it has (DAViCal, SOGo) names no deletions: its answer is checked by a listing."""
    with Hostile() as server:
        site = Site(server)
        for i in range(24):
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i))
        site.sync()
        with server.lock:
            del server.cards["c7.vcf"]  # and no trace of it
            for name, text in server.texts().items():
                server.put(name, text)
        assert site.sync(0).json()["a"]["deleted"] == 1
        assert set(site.contacts()) == {"u%d" % i for i in range(24) if i != 7}
        assert site.sync(0).json()["status"] == "unchanged"
        site.close()


def odd_words():
    """412 and 410 to a listing are about no record."""
    for status, code, words in ((412, 6, "412"), (410, 0, "")):
        with Hostile() as server:
            site = Site(server)
            server.put("a.vcf", card("u1"))
            site.sync()
            server.put("b.vcf", card("u2", "Zwei;B"))
            server.at = lambda moment, number, request: (status, {}, "") if moment == "arrived" and request.command == "REPORT" else None
            got = site.run("--json", "sync", "kunden")
            assert "changed there meanwhile" not in got.err and words in got.err, got
            if status == 410:
                assert got.code == 0 and set(site.contacts()) == {"u1", "u2"}, got
            else:
                assert got.code in (1, 2, 6), got
            assert "u1" in site.contacts()
            site.close()


def main():
    suite = Suite("odd servers")
    for test in (unreadable_is_news_once, unreadable_here_is_named_and_left, a_delete_that_is_not_carried_out, twins_are_told, renamed_between_two_answers,
                 edited_here_while_a_write_there_is_looked_at_again, deletes_found_out_late_wait_for_the_guard,
                 a_token_nobody_knows_any_more, odd_words,
                 an_export_can_be_read_apart):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
