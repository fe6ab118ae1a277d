"""The Directory from outside: curl pushes and reads, telephones page, a bad file changes nothing, and a wrong key learns nothing."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as xml

from harness import PROGRAM, Site, Suite, card
from test_daemon import Daemon

KEY = "K7QD2M9XW4RT8B"
C4 = """internal_id,display_name,family_name,given_name,company,department,position,phone_work,phone_home,phone_fax,phone_mobile,phone_pager,phone_other,email,birthday
17,"Özdemir, Lale",Özdemir,Lale,Nordlicht GmbH,Vertrieb,Leitung,"'+494031000101';'+494031000102'",,,+4915100000017,,,lale@example.org,1988-02-29
18,,,,Pforte & Co.,,,+494031000100,,,,,,,
"""


class House:
    """A site with one phonebook and a daemon."""

    def __init__(self, *options, settings="", listen="127.0.0.1:0", before=None):
        self.site = Site()
        with open(self.site.config, "a", encoding="utf-8") as f:
            f.write("listen = %s\n%s" % (listen, settings))
        if before:
            before(self.site)
        self.site.run("directory", "add", "telefon", "--key", KEY, *options, expect=0)
        self.start()

    def start(self):
        self.daemon = Daemon(self.site)
        self.url = self.daemon.address + "contacts/" + KEY

    def rest(self):
        if self.daemon:
            self.daemon.stop()
        self.daemon = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.rest()
        self.site.close()

    def curl(self, *args, path="", url=None):
        """(status, body)"""
        done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *args, (url or self.url) + path], stdout=subprocess.PIPE, timeout=60)
        body, status = done.stdout.rsplit(b"\n", 1)
        return int(status), body.decode()

    def push(self, text, *args, path=""):
        name = os.path.join(self.site.folder, "contacts.csv")
        with open(name, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return self.curl(*args, "-F", "file=@" + name, path=path)

    def get(self, path=""):
        status, body = self.curl(path=path)
        assert status == 200, (path, status, body)
        return body

    def xml(self, path):
        return xml.fromstring(self.get(path).encode())


def pushed_and_read():
    with House() as h:
        status, told = h.push(C4)
        assert status == 200 and json.loads(told)["stored"] == 2, told
        assert json.loads(h.push(C4)[1])["status"] == "unchanged"
        out = h.get()
        assert out.startswith(C4.split("\n")[0]) and '"\'+494031000101\';\'+494031000102\'"' in out, out
        assert json.loads(h.push(out)[1])["status"] == "unchanged" and h.get() == out, "round trip"
        names = [e.find("Name").text for e in h.xml("/yealink/v1")]
        assert names == ["Özdemir, Lale", "Pforte & Co."], names
        assert [e.get("surname") for e in h.xml("/gigaset/v1")] == ["Özdemir", "Pforte & Co."]
        assert h.site.run("--json", "directory", "list", expect=0).json()[0]["fetched_as"], "the last fetch is kept"


def known_is_not_sent_again():
    with House() as h:
        h.push(C4)
        for path in ("", "/yealink/v1", "/snom/v1", "/gigaset/v1"):
            head = h.curl("-I", path=path)[1]
            etag = re.search(r"(?i)^etag: (\S+)", head, re.M).group(1)
            assert h.curl("-H", "If-None-Match: " + etag, path=path) == (304, ""), path
            assert h.curl("-H", "If-None-Match: W/" + etag, path=path)[0] == 304
            assert h.curl("--compressed", path=path)[1] == h.get(path)
        etag = re.search(r"(?i)^etag: (\S+)", h.curl("-I")[1], re.M).group(1)
        h.push(C4.replace("Lale", "Leyla"))
        assert h.curl("-H", "If-None-Match: " + etag)[0] == 200, "what changed is sent"


def bad_files_change_nothing():
    rows = [
        ("internal_id,family_name\n1,X\n", 422, "line 1: the column given_name is missing"),
        ("family_name,given_name,family_name\nA,B,C\n", 422, "is there twice"),
        (C4.encode().replace("Ö".encode(), b"\xd6"), 422, "no UTF-8, from byte"),
        ("family_name,given_name\n" + "x" * 5000 + ",B\n", 422, "line 2: a cell is longer"),
        ("family_name,given_name\n", 422, "no rows"),
        ("", 422, "empty"),
        ("family_name,given_name,phone_work\n,,+4940\n", 422, "no row has a name"),
    ]
    with House() as h:
        h.push(C4)
        before = h.get()
        for text, status, words in rows:
            got = h.push(text)
            assert got[0] == status and words in got[1], (text[:60], got)
            assert h.get() == before, text[:60]
        assert h.curl("-d", "x=1")[0] == 415
        assert h.curl("-F", "other=@" + h.site.config)[0] == 400
        assert h.get() == before
        assert h.push("family_name,given_name\n", path="?allow_empty=1")[0] == 200 and len(h.get().splitlines()) == 1


def other_generations_and_spreadsheets():
    d1 = "internal_id;display_name;family_name;given_name;phone;email\n1;;Meier;Anna;WORK:+494012;a@example.org\n"
    c1 = "\ufeffsep=\t\nfamily_name\tgiven_name\tphone_mobile\nMeier\tAnna\t'+49151000'\n"
    for text, number in ((d1, "+494012"), (c1, "+49151000"), (c1.replace("\ufeff", "").encode("utf-16"), "+49151000")):
        with House() as h:
            status, told = h.push(text)
            assert status == 200, told
            assert number in h.get(), (text, h.get())
    with House() as h:
        h.push("family_name,given_name,company\n=cmd(),@x,\"-1\"\n")
        assert "'=cmd()" in h.get() and "'@x" in h.get()


def books_are_united():
    with House() as h:
        site = h.site
        site.run("book", "add", "Kunden", expect=0)
        site.add(card("u1", "Özdemir;Lale", "TEL;TYPE=CELL:0151 000017", "TEL;TYPE=FAX:040 9", "EMAIL:LALE@example.org", "ORG:Anders AG"))
        site.run("directory", "add", "alle", "--key", "Q2W8E4R6T1Z9U3", "--book", "Kunden", "--book", "telefon", expect=0)
        h.push(C4)
        url = h.url.replace(KEY, "Q2W8E4R6T1Z9U3")
        entries = list(xml.fromstring(h.curl(url=url, path="/yealink/v1")[1].encode()))
        assert len(entries) == 2, "the same mail address is one person"
        numbers = {t.text for t in entries[0].findall("Telephone")}
        assert "+494031000101" in numbers and "0409" not in numbers, "no fax"
        assert "Anders AG" in h.curl(url=url)[1], "the first book wins"


def what_changes_in_a_book_is_read_at_once():
    with House("--book", "Kunden", before=lambda site: site.run("book", "add", "Kunden", expect=0)) as h:
        assert "Meier" not in h.get("/yealink/v1")
        contact = h.site.add(card("anna", "Meier;Anna", "TEL:+494012"))
        assert "Meier" in h.get("/yealink/v1") and "+494012" in h.get()
        h.site.edit(contact, card("anna", "Meier;Anna", "TEL:+494013"))
        assert "+494013" in h.get("/yealink/v1") and "+494012<" not in h.get("/yealink/v1")
        assert h.push(C4)[0] == 200 and "+494013" in h.get("/yealink/v1"), "a push leaves it"
        h.site.remove(contact)
        assert "Meier" not in h.get("/yealink/v1") + h.get()


def pages_hold_each_once():
    people = "internal_id,family_name,given_name,phone_work,phone_mobile\n" + "".join(
        "%d,Familie%03d,Vor,+4940%06d,+49151%07d\n" % (i, i, i, i) for i in range(130))
    with House() as h:
        h.push(people)
        seen, path = [], "/snom/v1"
        while path:
            page = h.xml(path)
            seen += [e.find("Telephone").text for e in page.findall("DirectoryEntry")]
            more = [k.find("URL").text for k in page.findall("SoftKeyItem") if k.find("Name").text == "F4"]
            path = more[0].split(KEY)[1] if more else None
        assert len(seen) == 260 == len(set(seen)), (len(seen), len(set(seen)))
        seen, at = [], 1
        while True:
            body = h.get("/gigaset/v1?command=get%%5flist&type=pb&first=%d&count=16&limit=2048&ln=%%2a" % at)
            assert len(body.encode()) <= 2048, len(body.encode())
            page = xml.fromstring(body.encode())
            seen += [e.get("id") for e in page]
            at = int(page.get("last")) + 1
            if at > int(page.get("total")):
                break
        assert seen == sorted(seen, key=int) and len(seen) == 130, seen
        found = h.xml("/gigaset/v1?command=get_list&type=pb&hm=0%s&first=1&count=1&reqsrc=auto" % "40000007")
        assert [e.find("ln").text for e in found] == ["Familie007"]
        assert h.xml("/gigaset/v1?command=get_list&type=pb&ln=gibtesnicht*").get("notfound") == "ln"
        assert h.curl("-X", "POST", "-d", "", path="/snom/v1")[1] == h.get("/snom/v1"), "remote directories ask with POST"


def strangers_learn_nothing():
    with House() as h:
        h.push(C4)
        answers = {h.curl("--path-as-is", url=h.daemon.address + "contacts/" + key) for key in ("AAAAAAAAAAAAAA", "x", KEY.lower(), KEY + "1", "../etc/passwd", "%00")}
        assert answers == {(404, "not found\n")}, answers
        for _ in range(20):
            h.curl(url=h.daemon.address + "contacts/BBBBBBBBBBBBBB")
        assert h.curl(url=h.daemon.address + "contacts/BBBBBBBBBBBBBB")[0] == 429
        assert KEY not in "\n".join(h.daemon.lines), "keys are never logged"
        with open(h.site.folder + "/state.db", "rb") as f:
            assert KEY.encode() not in f.read(), "nor kept"
        assert h.curl("-X", "DELETE")[0] == 405


def many_at_once():
    """Pushes and reads side by side: each answer is one of the two books, whole."""
    two = [C4, C4.replace("Lale", "Leyla").replace("Pforte", "Tor")]
    with House() as h:
        h.push(two[0])
        stop, mixed = threading.Event(), []

        def read():
            while not stop.is_set():
                body = h.curl()[1]
                if ("Lale" in body) != ("Pforte" in body):
                    mixed.append(body)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for r in readers:
            r.start()
        pushers = [threading.Thread(target=lambda i=i: h.push(two[i % 2])) for i in range(6)]
        for p in pushers:
            p.start()
        for p in pushers:
            p.join()
        stop.set()
        for r in readers:
            r.join()
        assert not mixed, mixed[0]


def claimed_where_allowed():
    with House(settings="directory_claim = yes\n") as h:
        url = h.url.replace(KEY, "M4N8B2V6C1X9Y3")
        name = os.path.join(h.site.folder, "c.csv")
        with open(name, "w", encoding="utf-8") as f:
            f.write(C4)
        assert h.curl("-F", "file=@" + name, url=h.url.replace(KEY, "AAAAAAAAAAAAAA"))[0] == 404, "a key to be guessed is none"
        assert h.curl("-F", "file=@" + name, url=url)[0] == 200 and "Lale" in h.curl(url=url)[1]


def encrypted():
    with contextlib.closing(Site()) as scratch:
        pem, key = scratch.folder + "/cert.pem", scratch.folder + "/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", pem, "-keyout", key], check=True, stderr=subprocess.DEVNULL)
        site = Site()
        with open(site.config, "a", encoding="utf-8") as f:
            f.write("listen = 127.0.0.1:0\ntls_cert = %s\ntls_key = %s\n" % (pem, key))
        site.run("directory", "add", "telefon", "--key", KEY, expect=0)
        process = subprocess.Popen([PROGRAM, "-c", site.config, "--language", "en", "daemon"], stderr=subprocess.PIPE, text=True)
        try:
            address = process.stderr.readline().split()[-1]
            assert address.startswith("https://"), address
            fetch = lambda *more: subprocess.run(["curl", "-s", "--cacert", pem, *more, address + "contacts/" + KEY], stdout=subprocess.PIPE)
            done = fetch()
            assert done.returncode == 0 and done.stdout.startswith(b"internal_id"), done
            assert fetch("--tls-max", "1.1").returncode != 0, "nothing older than TLS 1.2"
        finally:
            process.terminate()
            assert process.wait(20) == 0
        site.close()


def main():
    suite = Suite("directory")
    for test in (pushed_and_read, known_is_not_sent_again, bad_files_change_nothing, other_generations_and_spreadsheets, books_are_united,
                 what_changes_in_a_book_is_read_at_once, pages_hold_each_once, strangers_learn_nothing, many_at_once, claimed_where_allowed, encrypted):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
