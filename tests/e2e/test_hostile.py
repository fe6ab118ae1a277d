"""A server that refuses, lies, garbles and changes its mind. One row of the table is one fault: a good first sync, changes on both sides,
one run with the fault, then good runs. Whatever the fault: the exit code says what happened, a sentence says why, nobody is deleted or
doubled, time and memory stay small, and the good runs bring both sides to the same contacts and then to rest."""

import json
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from harness import PROGRAM, Site, Suite, card, check_same, meaning, split_cards, uid_of
from hostile_server import BOOK, ROOT, XML, Hostile

MAX_SECONDS, MAX_KIB, GOOD_RUNS = 10, 200 * 1024, 4
THERE = {"u%d" % i for i in range(6)}
RAW = re.compile(r"<\?xml|<!DOCTYPE|<!ENTITY|</?[A-Za-z]+:|<html|<body|<h1|<x>|Server at backend", re.I)
# The size of a process counts from its parent's at the fork, and this one holds 50 MB answers: a small process in between measures.
MEASURE = """
import os, sys
pid = os.fork()
if not pid:
    os.execv(sys.argv[2], sys.argv[2:])
_, state, use = os.wait4(pid, 0)
open(sys.argv[1], "w").write("%d" % use.ru_maxrss)
code = os.waitstatus_to_exitcode(state)
sys.exit(code if code >= 0 else 128 - code)
"""

class Row:
    """codes: the exits allowed in the run with the fault. words: what stdout and stderr must say then. before(world): ahead of the first
    sync; fault(world): ahead of the run; after(world): ahead of the good runs. ends: the UIDs in the end. gone: UIDs that others deleted.
    doubled: UIDs that the server itself holds twice; the Contactbox may then mirror both, one for one. says(here): more about the
    contacts in the end. edited: u0 is changed here before the run. others: the fault is in one card and the rest must go on."""

    def __init__(self, title, codes, words="", fault=None, before=None, after=None, args=(), ends=THERE | {"n1", "n3"}, gone=(),
                 doubled=(), says=None, edited=True, others=False):
        self.title, self.codes, self.words, self.args = title, codes, words, args
        self.fault, self.before, self.after = fault or nothing, before or nothing, after or calm
        self.ends, self.gone, self.doubled, self.says, self.edited = set(ends), set(gone), set(doubled), says or nothing, edited
        self.others = others


def nothing(_):
    pass


def nothing_of(*_):
    pass


def calm(world):
    world.at = lambda *unused: None


# -- faults --
def is_listing(request, body):
    return request.command == "REPORT" and "sync-collection" in body


def is_put_of_u0(request, _body):
    return request.command == "PUT" and request.path == BOOK + "c0.vcf"


def is_report(request, _body):
    return request.command == "REPORT"


def is_any_listing(request, _body):
    return request.command in ("REPORT", "PROPFIND")


def is_get_of_u1(request, _body):
    return request.command == "GET" and request.path == BOOK + "c1.vcf"


def answering(where, status, headers=None, body=""):
    """Every request of the run for which where() holds gets this answer and has no effect."""

    def fault(world):
        def at(moment, number, request):
            return (status, headers or {}, body) if moment == "arrived" and where(request, world.requests[number][2]) else None

        world.at = at

    return fault


def changing(where, change, headers=None):
    """The true answer, as bytes, goes through change()."""

    def fault(world):
        def at(moment, number, request):
            if moment != "done" or not where(request, world.requests[number][2]):
                return None
            status, real, text = request.act(world.requests[number][2])
            if headers:
                request.close_connection = True
            return status, dict(real, **(headers or {})), change(text.encode("utf-8"))

        world.at = at

    return fault


def cutting(where, moment):
    def fault(world):
        world.at = lambda when, number, request: "cut" if when == moment and where(request, world.requests[number][2]) else None

    return fault


def once_done(where, act):
    """act(world) once, when the first such request has had its effect and before its answer leaves."""

    def fault(world):
        left = [act]

        def at(moment, number, request):
            if moment == "done" and left and where(request, world.requests[number][2]):
                left.pop()(world)

        world.at = at

    return fault


def setting(**values):
    def change(world):
        for name, value in values.items():
            setattr(world, name, value)

    return change


def both(*changes):
    return lambda world: [c(world) for c in changes]


def edit_there(name, old, new):
    return lambda world: world.put(name, world.cards[name].text.replace(old, new))


def bad_card(inside, doctype=b""):
    """The address-data of u1, in every REPORT and by GET, is these bytes instead."""

    def change(data):
        data = re.sub(rb"(c1\.vcf</D:href>.*?<C:address-data>).*?(</C:address-data>)", lambda m: m[1] + inside + m[2], data, count=1,
                      flags=re.S)
        return data.replace(b"<D:multistatus", doctype + b"<D:multistatus", 1)

    def fault(world):
        reports, single = changing(is_report, change), changing(is_get_of_u1, lambda _: inside)
        reports(world)
        in_report = world.at
        single(world)
        in_get = world.at
        world.at = lambda *event: in_report(*event) or in_get(*event)

    return fault


def good_bytes(extra=b"NOTE:dort 1"):
    return b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:Vor Name1\r\nN:Name1;Vor;;;\r\n" + extra + b"\r\nEND:VCARD\r\n"


def whole_answers():
    start = (XML + ROOT).encode()
    return (("an entity bomb in an href", XML.encode() + BOMB + ROOT.encode() + b"<D:response><D:href>&a11;</D:href></D:response></D:multistatus>"),
            ("100 000 elements without an end", start + b"<D:a>" * 100000),
            ("50 MB in one href", start + b"<D:response><D:href>" + b"x" * (50 << 20)),
            ("NUL and bad UTF-8 in the XML", start + b"<D:x>\x00\xff\xfe</D:x></D:multistatus>"))


LONG = good_bytes(b"NOTE:" + b"x" * (50 << 20))


def bad_cards():
    return (("50 MB in one line of a card", LONG, "Name1|measure"),
            ("100 000 elements inside each other", b"<x>" * 100000 + b"</x>" * 100000, "nested|vCard"),
            # by GET such bytes are taken for Windows-1252 and the card is used: no word needed
            ("invalid UTF-8 in a card", good_bytes(b"NOTE:M\xfcller \xc3\x28 \xed\xa0\x80"), ""),
            ("a NUL byte in a card", good_bytes(b"NOTE:a\0b"), "XML|NUL"),
            ("13 MB in one line of a card", good_bytes(b"NOTE:" + b"y" * 13000000), ""),
            ("two cards in one", card("x1").encode() + card("x2").encode(), ""),
            ("a card that is none", b"hello", "not a vCard"))


def mended(world):
    """The card is written anew, so that its etag is another."""
    calm(world)
    edit_there("c1.vcf", "NOTE:dort", "NOTE:dort wieder")(world)


def again(world):
    """More changes on both sides."""
    site = world.site
    site.edit(site.id_of("u2"), site.contacts()["u2"].replace("NOTE:alt", "NOTE:hier"))
    edit_there("c3.vcf", "NOTE:alt", "NOTE:dort")(world)


def remove_u4(world):
    world.site.remove(world.site.id_of("u4"))


def edited_anew(world):
    """What a server refused for its content is sent again only when that changed."""
    calm(world)
    before = len(world.requests)
    assert world.site.sync(None).code == 1
    assert not [r for r in world.requests[before:] if r[0] == "PUT"], "sent again unchanged"
    world.site.edit(world.site.id_of("u0"), world.site.contacts()["u0"].replace("NOTE:hier", "NOTE:hier kurz"))


def always(title, delete=True, **habits):
    """A server that is like that from the first day: everything must simply work."""
    return Row("always: " + title, {0}, "", before=setting(**habits), after=both(again, remove_u4) if delete else again,
               gone={"u4"} if delete else (), ends=(THERE - ({"u4"} if delete else set())) | {"n1", "n3"},
               says=lambda here: (has(here, "u2", "NOTE:hier"), has(here, "u3", "NOTE:dort")))


def put_twin(name, uid, *lines):
    return lambda world: world.put(name, card(uid, "Name%s;Vor" % uid[1:], *lines))


BOMB = (b"<!DOCTYPE D:multistatus [<!ENTITY a0 \"haha\">"
        + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12)) + b"]>")
HTML = "<html><head><title>Login</title></head><body><h1>Please sign in</h1>Server at backend-17</body></html>"
HOUR = {"Retry-After": "3600"}
EMPTY = re.compile(rb"<D:response>.*</D:response>", re.S)
A_CARD = re.compile(rb"</D:response><D:response>")

# status: (codes and words when the listing gets it, codes and words when one PUT gets it)
STATUSES = (
    (401, {}, {5}, "sign-in", {5}, "sign-in"),
    (403, {}, {0, 1, 5}, "", {1}, "403|not allowed"),
    (404, {}, {0, 1}, "", {0, 1}, ""),
    (409, {}, {0, 1}, "", {1}, "409|does not take|changed"),
    (410, {}, {0, 1, 2}, "", {0, 1}, ""),
    (412, {}, {0, 1}, "", {1}, "412|changed"),
    (423, {}, {1, 6}, "423|locked", {1}, "423|locked"),
    (429, HOUR, {6}, "429|fewer requests", {1, 6}, "429|fewer requests"),
    (500, {}, {0, 6}, "", {1, 6}, "500|server"),
    (502, {}, {6}, "502|server", {1, 6}, "502|server"),
    (503, HOUR, {6}, "503|busy", {1, 6}, "503|busy"),
    (507, {}, {1, 6}, "507|space|full|quota", {1, 6}, ""),
)


def rows():
    for status, headers, codes, words, put_codes, put_words in STATUSES:
        yield Row("%d on the listing" % status, codes, words, answering(is_listing, status, headers, HTML))
        yield Row("%d on a PUT" % status, put_codes, put_words, answering(is_put_of_u0, status, headers, HTML))
        yield Row("%d on every listing" % status, {5} if status == 401 else {1, 2, 6}, str(status) + "|not there",
                  answering(is_any_listing, status, headers, HTML))
    yield Row("413 on a PUT", {1}, "413|too large", answering(is_put_of_u0, 413), after=edited_anew)
    for title, answer in whole_answers():
        yield Row(title, {1, 6}, "answer", answering(is_report, 207, {"Content-Type": "application/xml"}, answer))
    yield Row("507 on a PUT says so", {1, 6}, "507|space|full|quota", answering(is_put_of_u0, 507))
    yield Row("HTML with 200 on the listing", {1, 6}, "answer", answering(is_listing, 200, {"Content-Type": "text/html"}, HTML))
    yield Row("HTML with 200 on every REPORT", {1, 6}, "answer", answering(is_report, 200, {"Content-Type": "text/html"}, HTML))
    yield Row("HTML with 207 on the listing", {1, 6}, "answer", answering(is_listing, 207, {"Content-Type": "text/html"}, HTML))
    yield Row("an empty 207 on the listing", {1, 6}, "answer", answering(is_listing, 207, {}, ""))
    yield Row("the listing cut in the middle", {1, 6}, "", cutting(is_listing, "half"))
    yield Row("the full listing cut in the middle", {1, 6}, "", cutting(is_listing, "half"), args=("--full",))
    yield Row("no answer at all to the listing", {1, 6}, "", cutting(is_listing, "arrived"))
    yield Row("a PUT without an answer, not done", {0, 1, 6}, "", cutting(is_put_of_u0, "arrived"))
    yield Row("a PUT without an answer, done", {0, 1, 6}, "", cutting(is_put_of_u0, "done"))
    yield Row("a Content-Length that is too long", {0, 1, 6}, "",
              changing(is_listing, lambda data: data, {"Content-Length": "999999"}), args=("--full",))
    yield Row("a dead token", {0}, "", setting(dead_tokens=True), after=setting(dead_tokens=False))
    yield Row("an empty full listing", {4}, "would vanish", changing(is_listing, lambda d: EMPTY.sub(b"", d)), args=("--full",))
    yield Row("a full listing without its closing tag", {1, 6}, "answer|ended|incomplete",
              changing(is_listing, lambda d: A_CARD.split(d)[0] + b"</D:response>"), args=("--full",))
    yield Row("a full listing that ends inside a card", {1, 6}, "answer|ended|incomplete", changing(is_listing, lambda d: d[:len(d) // 2]),
              args=("--full",))
    for kind in ("weak", "missing"):
        yield Row("etags %s, in one run" % kind, {0, 1}, "", setting(etags=kind), after=setting(etags="strong"))
    yield Row("etags churning, in one run", {0, 1}, "", setting(etags="churning"), after=setting(etags="strong"))
    yield Row("etags churning, always, nothing edited here", {0}, "", before=setting(etags="churning"), edited=False)
    for kind in ("weak", "missing"):
        yield always("etags " + kind, etags=kind)
    yield always("etags churning", etags="churning", delete=False)
    yield always("etags churning, a delete beside a write", etags="churning")
    yield always("a PUT tells no etag", put_tells_etag=False)
    yield always("cards rewritten", rewrites=True)
    yield always("cards rewritten, no etag told", rewrites=True, put_tells_etag=False)
    yield always("no sync-collection", has_sync=False)
    yield Row("two cards with one UID, alike", {0, 1, 3}, "", put_twin("twin.vcf", "u3", "NOTE:alt 3"), doubled={"u3"})
    yield Row("two cards with one UID, different", {0, 1, 3}, "", put_twin("twin.vcf", "u3", "NOTE:anders"), doubled={"u3"})
    yield Row("two cards with one UID, the new one taken away", {0, 1, 3}, "", put_twin("twin.vcf", "u3", "NOTE:alt 3"),
              after=lambda w: w.delete("twin.vcf"), doubled={"u3"})
    yield Row("two cards with one UID, the old one taken away", {0, 1, 3}, "", put_twin("twin.vcf", "u3", "NOTE:alt 3"),
              after=lambda w: w.delete("c3.vcf"), doubled={"u3"})
    yield Row("two new cards with one UID", {0, 1, 3}, "", both(put_twin("t1.vcf", "t9", "NOTE:t"), put_twin("t2.vcf", "t9", "NOTE:t")),
              doubled={"t9"}, ends=THERE | {"n1", "n3", "t9"})
    yield Row("changed between listing and fetch", {0}, "", once_done(is_listing, edit_there("c1.vcf", "dort", "dort und")),
              args=("--full",), says=lambda here: has(here, "u1", "dort und"))
    yield Row("changed between listing and write", {0}, "", once_done(is_listing, edit_there("c0.vcf", "END:", "TITLE:dort\r\nEND:")),
              says=lambda here: has(here, "u0", "TITLE:dort"))
    yield Row("deleted between listing and fetch", {0, 1}, "", once_done(is_listing, lambda w: w.delete("c1.vcf")), args=("--full",),
              gone={"u1"}, ends=(THERE - {"u1"}) | {"n1", "n3"})
    yield Row("deleted between listing and write", {0, 1}, "", once_done(is_listing, lambda w: w.delete("c0.vcf")), gone={"u0"})
    for args in ((), ("--full",)):
        where = ", full listing" if args else ""
        yield Row("an entity bomb in a card" + where, {1, 6}, "answer|XML|cannot", bad_card(b"&a11;", BOMB), args=args)
        for title, inside, words in bad_cards():
            yield Row(title + where, {0, 1, 6}, words, bad_card(inside), after=mended, args=args)
            yield Row(title + where + ": the others go on", {0, 1}, "", bad_card(inside), after=mended, args=args, others=True)
    yield Row("a card that is none ends as partly failed, by its name", {1}, "Name1", bad_card(b"hello"), after=mended)
    yield Row("50 MB in one line says so, full listing", {1}, "large|big|bytes", bad_card(LONG), after=mended, args=("--full",))
    yield Row("names with markup", {0}, "", edit_there("c1.vcf", "Vor", "<b>&amp\\;</b>]]>"),
              says=lambda here: (has(here, "u1", "FN:<b>&amp\\;</b>]]> Name1"), has(here, "u1", "N:Name1;<b>&amp\\;</b>]]>")))


# -- one row --
def has(here, uid, text):
    assert text in here[uid], "%r is not in %s" % (text, here[uid])


def prepared(row, world):
    row.before(world)
    for i in range(6):
        world.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "TEL;TYPE=CELL:+49171000%d" % i, "NOTE:alt %d" % i))
    site = world.site = Site(world)
    site.sync()
    if row.edited:
        site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    site.add(card("n1", "Neu;Hier"))
    edit_there("c1.vcf", "NOTE:alt", "NOTE:dort")(world)
    world.put("n3.vcf", card("n3", "Neu;Dort"))
    return site


def measured(site, args):
    """(exit code, stdout, stderr, seconds, KiB) of one sync."""
    with tempfile.NamedTemporaryFile("r") as size:
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-S", "-E", "-c", MEASURE, size.name, PROGRAM, "-c", site.config, "--language", "en", "--json",
                               "sync", "kunden", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        took = time.monotonic() - start
        return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"), took, int(size.read() or 0)


def sentences_of(result):
    """What it says for people: no keys, no numbers."""
    found = [q["contact"] + ": " + q["reason"] for q in result["quarantined"]]
    found += [result["fault"]["text"]] if result["fault"] else []
    found += [result["held"]["reason"]] if result["held"] else []
    return "\n".join(found)


def check_fault_run(row, code, out, err, took, kib):
    said = "exit %d in %.1f s, %d KiB\n%s\n%s" % (code, took, kib, out[-2500:], err[-1500:])
    assert code in row.codes, "expected one of %s: %s" % (sorted(row.codes), said)
    result = json.loads(out)
    if code:
        assert err.strip() or result["fault"] or result["quarantined"] or result["held"], "no word about it: " + said
    sentences = err + sentences_of(result)
    assert re.search(row.words, sentences, re.I), "says nothing of %s: %s" % (row.words, said)
    assert not RAW.search(out + err), "raw markup %r: %s" % (RAW.search(out + err)[0], said)
    assert took < MAX_SECONDS and kib < MAX_KIB, said


def exported(site):
    return split_cards(site.run("contact", "export", "Kunden", expect=0).out)


def check_nobody_lost(row, site, world, least_here, least_there):
    cards = exported(site)
    here = [uid_of(c) for c in cards]
    there = [uid_of(t) for t in world.texts().values()]
    assert set(here) >= least_here - row.gone, "lost in the Contactbox: %s" % sorted(least_here - row.gone - set(here))
    assert set(there) >= least_there - row.gone, "lost on the server: %s" % sorted(least_there - row.gone - set(there))
    for side, uids in (("in the Contactbox", here), ("on the server", there)):
        twice = {u for u in uids if uids.count(u) > (2 if u in row.doubled else 1)}
        assert not twice, "doubled %s: %s" % (side, sorted(twice))
    names = {re.search(r"^N:(.*?)\r?$", c, re.M)[1] for c in cards if uid_of(c) not in row.doubled}
    assert len(names) == len([u for u in here if u not in row.doubled]), "doubled in the Contactbox: %s" % sorted(here)
    assert not world.violations, world.violations


def settle(row, site):
    for _ in range(GOOD_RUNS):
        result = site.sync(None)
        assert result.code in ({0, 3} if row.doubled else {0}), "a good run failed: %r" % result
        if result.json()["status"] == "unchanged":
            return
    raise AssertionError("not quiet after %d runs: %r" % (GOOD_RUNS, result))


def check_end(row, site, world):
    cards, texts = exported(site), world.texts().values()
    here = {uid_of(c): c for c in cards}
    assert set(here) == row.ends, "expected %s, got %s" % (sorted(row.ends), sorted(here))
    check_same({u: c for u, c in here.items() if u not in row.doubled}, {uid_of(t): t for t in texts if uid_of(t) not in row.doubled})
    for uid in row.doubled:
        ours, theirs = ({meaning(c) for c in side if uid_of(c) == uid} for side in (cards, texts))
        assert ours == theirs, "%s: here %s, there %s" % (uid, ours, theirs)
    if row.edited:
        has(here, "u0", "NOTE:hier")
    if "u1" in row.ends:
        has(here, "u1", "NOTE:dort")
    row.says(here)


def check_others(site, world):
    """The fault is still there."""
    site.sync(None)
    assert "n3" in site.contacts(), "n3 did not come"
    there = {uid_of(t): t for t in world.texts().values()}
    assert "n1" in there, "n1 did not go"
    has(there, "u0", "NOTE:hier")


def run_row(row):
    with Hostile() as world:
        world.server.handle_error = nothing_of  # a client that hangs up early is no news here
        site = prepared(row, world)
        try:
            row.fault(world)
            code, out, err, took, kib = measured(site, row.args)
            if "-v" in sys.argv:
                fault = json.loads(out) if out.strip() else {}
                print("     %s: exit %d %.1fs %dK %s %s %s | %s" % (row.title, code, took, kib, fault.get("status"), fault.get("fault"),
                                                               [fault.get(k) for k in ("quarantined", "held", "ambiguous")], err.strip()), flush=True)
            check_fault_run(row, code, out, err, took, kib)
            check_nobody_lost(row, site, world, THERE | {"n1"}, THERE | {"n3"})
            if row.others:
                check_others(site, world)
            row.after(world)
            settle(row, site)
            check_nobody_lost(row, site, world, row.ends, row.ends)
            check_end(row, site, world)
        finally:
            site.close()


def main():
    suite, wanted = Suite("hostile"), [a for a in sys.argv[1:] if not a.startswith("-")]
    with ThreadPoolExecutor(2) as pool:
        for row in rows():
            if wanted and not any(w in row.title for w in wanted):
                continue
            pool.submit(suite.run, row.title, run_row, row)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
