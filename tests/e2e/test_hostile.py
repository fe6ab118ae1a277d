"""Bad answers, one row each: a good first sync, changes on both sides, one run with the fault, then quiet runs. Whatever happened, nothing is
lost or doubled, the message is a sentence, and both sides end up the same."""

import json
import resource
import sys
import time

from harness import Site, Suite, card, check_same, uid_of
from hostile_server import BOOK, Hostile, ROOT, XML

XML_TYPE = {"Content-Type": "application/xml; charset=utf-8"}


def changed(server):
    """Both sides after a first sync, then changed on both."""
    for i in range(6):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "NOTE:alt %d" % i))
    site = Site(server)
    site.sync()
    change(site, server, "0", "1")
    return site


def change(site, server, here, there):
    uid = "u" + here
    site.edit(site.id_of(uid), site.contacts()[uid].replace("END:VCARD", "EMAIL:hier%s@example.org\r\nEND:VCARD" % here))
    name = "c%s.vcf" % there
    server.put(name, server.cards[name].text.replace("END:VCARD", "TITLE:dort%s\r\nEND:VCARD" % there))


def once(server, commands, answer, moment="arrived", count=1):
    """The next `count` requests of these commands get that answer (a function of the request gives it)."""
    left = [count]

    def at(when, _number, request):
        if when != moment or request.command not in commands or not left[0]:
            return None
        left[0] -= 1
        return answer(request) if callable(answer) else answer

    server.at = at


def check_told(result, expected):
    said = result.out + result.err
    assert result.code in expected, result
    assert "<D:" not in said and "Traceback" not in said and "multistatus" not in said, said
    if result.code:
        told = json.loads(result.out) if result.out.strip().startswith("{") else {}
        assert told.get("fault") or told.get("held") or told.get("quarantined") or result.err.strip(), result


def settle(site, server, uids):
    server.at = lambda *unused: None
    for _ in range(4):
        result = site.sync(None)
        if result.code == 0 and result.json()["status"] == "unchanged":
            break
    else:
        raise AssertionError("not quiet: %r" % result)
    here = site.contacts()
    texts = [t for t in server.texts().values()]
    there = {uid_of(t): t for t in texts}
    assert len(there) == len(texts), "doubled on the server"
    check_same(here, there)
    assert set(here) == uids, sorted(here)
    assert not server.violations, server.violations


ALL = {"u%d" % i for i in range(6)}


def fault(commands, answer, expected, moment="arrived", count=1, options=(), before=None):
    with Hostile() as server:
        site = changed(server)
        if before:
            before(server)
        once(server, commands, answer, moment, count)
        start = time.monotonic()
        result = site.run("--json", "sync", "kunden", *options)
        assert time.monotonic() - start < 20, "too slow"
        check_told(result, expected)
        assert len(site.contacts()) == 6 and len(server.texts()) == 6, (len(site.contacts()), len(server.texts()))
        if answer == (413, {}, ""):  # not sent again before it changes
            server.at = lambda *unused: None
            check_told(site.run("--json", "sync", "kunden"), (1,))
            site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:neu"))
        settle(site, server, ALL)
        site.close()


def habit(**habits):
    """A server that is like that always."""
    with Hostile() as server:
        for key, value in habits.items():
            setattr(server, key, value)
        site = changed(server)
        site.sync()
        change(site, server, "2", "3")
        site.remove(site.id_of("u4"))
        settle(site, server, ALL - {"u4"})
        assert "dort3" in site.contacts()["u3"] and "hier2" in server.cards["c2.vcf"].text
        site.close()


def bad_card(text):
    """One card that is an attack, or cannot be read: it is left alone, the rest goes on."""
    def data(request):
        name = "c1.vcf"
        request.world.at = lambda *unused: None
        status, headers, body = request.act(request_body(request))
        raw = body.encode("utf-8", "surrogateescape")
        inside = request.world.cards[name].text
        return status, headers, raw.replace(inside.encode(), text)
    with Hostile() as server:
        site = changed(server)
        once(server, ("REPORT",), data)
        start = time.monotonic()
        result = site.run("--json", "sync", "kunden")
        assert time.monotonic() - start < 20
        check_told(result, (0, 1, 6))
        assert len(site.contacts()) == 6 and len(server.texts()) == 6
        settle(site, server, ALL)
        site.close()


def request_body(request):
    return request.world.requests[-1][2]


def card_changes_under_way():
    with Hostile() as server:
        site = changed(server)

        def at(when, _number, request):
            if when == "done" and request.command == "REPORT" and "sync-collection" in request_body(request):
                server.at = lambda *unused: None
                server.put("c0.vcf", server.cards["c0.vcf"].text.replace("END:VCARD", "TITLE:eben\r\nEND:VCARD"))
            return None

        server.at = at
        check_told(site.run("--json", "sync", "kunden"), (0,))
        settle(site, server, ALL)
        assert "eben" in site.contacts()["u0"] and "hier0" in server.cards["c0.vcf"].text
        site.close()


def duplicate_uids():
    with Hostile() as server:
        site = changed(server)
        server.put("twin.vcf", server.cards["c2.vcf"].text.replace("NOTE:alt", "NOTE:Zwilling"))
        result = site.run("--json", "sync", "kunden")
        check_told(result, (0, 1, 3))
        assert len(server.texts()) == 7
        site.run("--json", "sync", "kunden")
        assert len(server.texts()) == 7, "the twin must not be touched"
        site.close()


def empty_listing_is_held():
    with Hostile() as server:
        site = changed(server)
        once(server, ("REPORT",), (207, XML_TYPE, XML + ROOT + "<D:sync-token>data:,999</D:sync-token></D:multistatus>"))
        result = site.run("--json", "sync", "kunden", "--full", expect=4)
        check_told(result, (4,))
        assert len(site.contacts()) == 6
        settle(site, server, ALL)
        site.close()


NEST = (XML + ROOT + "<D:a>" * 100000).encode()
BOMB = ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "%s"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
        % ("x" * 10000)) + ROOT + "<D:response><D:href>&c;</D:href></D:response></D:multistatus>"


def cut(request):
    status, headers, text = request.act(request_body(request))
    return status, headers, text[: len(text) // 2]


ROWS = [("%d on the listing" % s, fault, ("REPORT", "PROPFIND"), (s, {"Retry-After": "3600"} if s in (429, 503) else {}, ""), e, "arrived", 9)
        for s, e in ((401, (5,)), (403, (1, 2, 6)), (404, (1, 2, 6)), (409, (0, 1, 2, 6)), (410, (0, 1, 2, 6)), (412, (0, 1, 2, 6)),
                     (423, (1, 6)), (429, (6,)), (500, (6,)), (502, (6,)), (503, (6,)), (507, (1, 6)))]
ROWS += [("%d on a write" % s, fault, ("PUT",), (s, {"Retry-After": "3600"} if s in (429, 503) else {}, ""), e)
         for s, e in ((401, (5,)), (403, (1,)), (404, (0, 1)), (409, (0, 1)), (410, (0, 1)), (412, (0, 1)), (413, (1,)), (423, (1,)),
                      (429, (6,)), (500, (0, 1)), (502, (0, 1)), (503, (6,)), (507, (1, 6)))]
ROWS += [
    ("HTML instead of XML", fault, ("REPORT",), (200, {"Content-Type": "text/html"}, "<html><body>Login</body></html>"), (1, 6)),
    ("HTML with status 207", fault, ("REPORT",), (207, {"Content-Type": "text/html"}, "<!DOCTYPE html><html><p>Login</html>"), (1, 6)),
    ("an answer cut in the middle", fault, ("REPORT",), cut, (1, 6)),
    ("a connection cut in the middle", fault, ("REPORT",), "cut", (1, 6), "half"),
    ("no answer to a write, effect there", fault, ("PUT",), "cut", (0, 1), "done"),
    ("no answer to a write, no effect", fault, ("PUT",), "cut", (0, 1), "arrived"),
    ("an entity bomb", fault, ("REPORT",), (207, XML_TYPE, BOMB), (1, 6)),
    ("deep nesting", fault, ("REPORT",), (207, XML_TYPE, NEST), (1, 6)),
    ("50 MB in one line", fault, ("REPORT",), (207, XML_TYPE, (XML + ROOT + "<D:response><D:href>" + "x" * 50000000).encode()), (1, 6)),
    ("NUL and bad UTF-8 in the XML", fault, ("REPORT",), (207, XML_TYPE, (XML + ROOT).encode() + b"<D:x>\x00\xff\xfe</D:x></D:multistatus>"), (0, 1, 6)),
]


def dead_token():
    with Hostile() as server:
        site = changed(server)
        server.dead_tokens = True
        check_told(site.run("--json", "sync", "kunden"), (0,))
        settle(site, server, ALL)
        site.close()


def main():
    suite = Suite("hostile")
    for title, function, *args in ROWS:
        suite.run(title, function, *args)
    suite.run("a token that died", dead_token)
    suite.run("an emptied listing is held", empty_listing_is_held)
    suite.run("a card that changes between listing and write", card_changes_under_way)
    suite.run("one UID on two cards", duplicate_uids)
    for title, habits in (("weak etags", {"etags": "weak"}), ("no etags", {"etags": "missing"}), ("etags that change by themselves", {"etags": "churning"}),
                          ("no etag after PUT", {"put_tells_etag": False}), ("a server that rewrites cards", {"rewrites": True}),
                          ("rewrites and tells no etag", {"rewrites": True, "put_tells_etag": False}), ("no sync-collection", {"has_sync": False})):
        suite.run("always: " + title, lambda h=habits: habit(**h))
    for title, text in (("two cards in one", card("x1").encode() + card("x2").encode()), ("no card at all", b"hello &lt;b&gt;"),
                        ("a line of 13 MB", b"BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:" + b"y" * 13000000 + b"\r\nEND:VCARD\r\n")):
        suite.run("a card that is " + title, bad_card, text)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    suite.run("memory stays below 200 MiB (%d)" % peak, lambda: (_ for _ in ()).throw(AssertionError(peak)) if peak > 200 else None)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
