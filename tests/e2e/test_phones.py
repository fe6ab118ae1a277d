"""Phones from outside: every family's address with curl, each answer checked by xmllint against its schema; settings that change what they dial;
`directory lint` beside what is served."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

from harness import Suite
from test_directory import C4, House

SCHEMA = "tests/fixtures/phonebooks/phonebooks.rng"
ADDRESSES = [
    "/yealink/v1", "/yealink/v1?q=oez", "/yealink/v1?menu=letters", "/yealink/v1?format=book", "/snom/v1", "/snom/v1/menu", "/snom/v1/search",
    "/snom/v1/tbook.xml", "/snom/v1?format=tbook1", "/snom/v1/directory.xml", "/snom/v1/m100.xml", "/gigaset/v1", "/gigaset/v1/phonebook.xml",
    "/gigaset/v1?command=get%5flist&type=pb&first=1&count=16&limit=2048", "/gigaset/v1??command=get_list&ln=%2a", "/gigaset/v1?command=del_data",
    "/grandstream/v1/phonebook.xml", "/grandstream/v1?format=old", "/fritzbox/v1", "/cisco/v1", "/cisco/v1/search", "/cisco/v1/directory",
    "/fanvil/v1", "/fanvil/v1?format=phonebook",
]
HARD = C4 + """19,,Schwarzenbach-Hohenthal,Maximilian,"Ärger & Söhne <GmbH>",,,0800 PIZZA,+49 (0) 40 / 3333-0,040 9,"'0151 1234567';'1234567890123456789012345'",,**620,,
20,,Ohne,Nummer,,,,,,040 10,,,,,
21,😀,Жанна,,漢字 'x',,,+7 495 1234567,,,,,sip:shanna@example.org,,
"""


def checked(text, what):
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--relaxng", SCHEMA, "-"], input=text.encode(), stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, (what, done.stderr.decode(), text)


def every_family():
    with House() as h:
        h.push(HARD)
        for path in ADDRESSES:
            body = h.get(path)
            assert body.startswith('<?xml version="1.0" encoding="UTF-8"?>'), path
            checked(body, path)
            head = h.curl("-I", path=path)[1]
            assert re.search(r"(?im)^content-type: text/xml; charset=utf-8\r?$", head), head
            assert int(re.search(r"(?im)^content-length: (\d+)", head).group(1)) == len(body.encode()), path
            etag = re.search(r"(?im)^etag: (\S+)", head).group(1)
            assert h.curl("-H", "If-None-Match: " + etag, path=path) == (304, ""), path
            assert h.curl("--compressed", path=path)[1] == body
            posted = h.curl("-X", "POST", "-d", "x=1", path=path)
            assert posted == ((200, body) if path.startswith("/snom") else (405, posted[1])), (path, posted)
        assert h.get("/snom/v1//directory.xml") == h.get("/snom/v1/directory.xml"), "Server and Filename, each with its slash"
        text = h.get("/snom/v1/directory.txt")
        assert "Pforte & Co.,+494031000100\r\n" in text and all(line.count(",") == 1 for line in text.splitlines()), text
        for path in ("/aastra/v1", "/snom/v1/x.xml", "/yealink", "/cisco/v1/directory/x"):
            assert h.curl(path=path)[0] == 404, path


def links_lead_somewhere():
    people = "internal_id,family_name,given_name,phone_work\n" + "".join("%d,%s%03d,Vor,+4940%06d\n" % (i, "AÄB"[i % 3], i, i) for i in range(100))
    with House() as h:
        h.push(people)
        follow = lambda url: h.xml(url.split(h.url.rsplit("/", 1)[1])[1])
        menu = h.xml("/yealink/v1?menu=letters&num=idd")
        assert [m.find("Name").text for m in menu.findall("MenuItem")] == ["A", "B"]
        numbers = [t.text for m in menu.findall("MenuItem") for t in follow(m.find("URL").text).iter("Telephone")]
        assert len(numbers) == 100 == len(set(numbers)) and numbers[0].startswith("004940"), "the choice of numbers goes with the link"
        for start, key in (("/cisco/v1", "Next"), ("/snom/v1?format=menu&num=national", "F4")):
            page, seen = h.xml(start), []
            if start.startswith("/cisco"):
                page = follow(page.findall("MenuItem")[1].find("URL").text)
            while True:
                rows = [e.find("Telephone") if e.find("Telephone") is not None else e.find("ExtraText") for e in page if e.tag in ("DirectoryEntry", "MenuItem")]
                assert len(rows) <= 32, len(rows)
                seen += [r.text for r in rows]
                more = [k.find("URL").text for k in page.findall("SoftKeyItem") if k.find("Name").text == key]
                if not more:
                    break
                page = follow(more[0])
            assert len(seen) == 100 == len(set(seen)), (start, len(seen))
        where = h.xml("/snom/v1/search").find("URL").text
        found = follow(where.replace("__Q__", "b002")).findall("DirectoryEntry")
        assert len(found) == 1 and found[0].find("Name").text == "B002, Vor (Work)", found


def settings_of_a_phonebook():
    first = lambda h, path: h.xml(path).find(".//Telephone").text
    with House() as h:
        h.push(HARD)
        assert first(h, "/yealink/v1") == "+494031000101"
        rows = [(["number=idd"], "00494031000101"), (["number=national"], "04031000101"), (["number=stored"], "+494031000101"),
                (["number=national", "line=0"], "004031000101"), (["number="], "000494031000101"), (["line=9"], "900494031000101"),
                (["number=prefix", "line="], "000494031000101"), (["number=national", "country=AT"], "00494031000101")]
        for pairs, number in rows:
            etag = re.search(r"(?im)^etag: (\S+)", h.curl("-I", path="/yealink/v1")[1]).group(1)
            h.site.run("directory", "set", "telefon", *pairs, expect=0)
            assert first(h, "/yealink/v1") == number, (pairs, first(h, "/yealink/v1"))
            assert h.curl("-H", "If-None-Match: " + etag, path="/yealink/v1")[0] in (200, 304)
        assert first(h, "/yealink/v1?num=e164") == "+494031000101", "the address decides"
        h.site.run("directory", "set", "telefon", "number=", "country=", "names=ascii", "company=yes", "include_fax=yes", expect=0)
        names = [e.text for e in h.xml("/yealink/v1").iter("Name")]
        assert "Oezdemir, Lale (Nordlicht GmbH)" in names and "Zanna" in " ".join(names), names
        assert "fax_work" in h.get("/fritzbox/v1") and "<fx>" in h.get("/gigaset/v1?command=get_list"), "where there is a place for it"
        assert "004940" not in re.sub("0049403", "", h.get("/yealink/v1")), "and not where there is none"
        for wrong in ("number=rot13", "line=x", "area=four", "country=QQ", "names=greek", "company=perhaps"):
            assert h.site.run("directory", "set", "telefon", wrong).code == 2, wrong


def callers_are_found():
    lookup = "/gigaset/v1?command=get_list&type=pb&reqsrc=auto&ln=*&fn=*&mb=*&hm=%s&first=1&count=1"
    with House() as h:
        h.push(HARD)
        for number in ("04031000101", "00494031000101", "%2B494031000101", "+494031000101", "0049 40 31000101", "04031000102", "015112345 67",
                       "%2A%2A620", "sip:shanna@example.org"):
            got = h.xml(lookup % number.replace(" ", "%20"))
            assert len(got) == 1, (number, xml.tostring(got))
        assert h.xml(lookup % "31000101").get("notfound") == "hm", "local calls without area code"
        h.site.run("directory", "set", "telefon", "area=040", "line=0", expect=0)
        for number in ("31000101", "004031000101", "04031000101"):
            assert h.xml(lookup % number)[0].find("ln").text == "Özdemir", number
        for query, names in (("ln=oez*", ["Özdemir"]), ("ln=lale", ["Özdemir"]), ("ln=nordlicht*", ["Özdemir"]), ("hm=0403*", None), ("em=LALE@*", ["Özdemir"]),
                             ("id=18", ["Pforte & Co."]), ("set_first=P*&count=1", ["Pforte & Co."]), ("ct=Hamburg", [])):
            got = h.xml("/gigaset/v1?command=get_list&" + query)
            seen = [e.find("ln").text for e in got]
            assert sorted(set(seen)) == sorted(names) if names is not None else len(set(seen)) == 3, (query, seen)
        for query, error in (("first=1&last=2", "4"), ("count=x", "2"), ("count=0", "4"), ("first=0", "4"), ("type=xx", "4"), ("reqid=" + "9" * 65, "4")):
            got = h.xml("/gigaset/v1?command=get_list&" + query)
            assert got.tag == "error" and got.find("errorid").text == error, (query, xml.tostring(got))
        far = h.xml("/gigaset/v1?command=get_list&first=999&reqid=ab%22c")
        assert far.get("total") != "0" and len(far) == 0 and far.get("reqid") == 'ab"c', far.attrib


def links_need_no_password():
    """A telephone signs in for the address that was typed, and follows its links without."""
    with House() as h:
        h.push(HARD)
        h.site.run("directory", "set", "telefon", "user=telefon", "--password-file", "-", text="geheim\n", expect=0)
        assert h.curl(path="/yealink/v1?menu=letters")[0] == 401
        for path in ("/yealink/v1?menu=letters", "/snom/v1?limit=2&num=idd", "/cisco/v1", "/snom/v1/search"):
            status, body = h.curl("-u", "telefon:geheim", path=path)
            assert status == 200, (path, status)
            links = [e.text for e in xml.fromstring(body.encode()).iter("URL") if e.text.startswith("http")]
            assert links and all("pass=" in link for link in links), body
            assert h.curl(url=links[0])[0] == 200, links[0]
            last = links[0][-1]
            assert h.curl(url=links[0][:-1] + ("0" if last != "0" else "1"))[0] == 401
        secret = re.search("pass=[0-9a-f-]+", links[0]).group(0)
        assert h.curl(path="?" + secret)[0] == 401, "not for the CSV"
        assert h.push(C4, path="?" + secret)[0] == 401, "and not for pushing"
        h.site.run("directory", "set", "telefon", "user=telefon", "--password-file", "-", text="anders\n", expect=0)
        assert h.curl(url=links[0])[0] == 401, "it ends with the password"


def questions_do_not_fill_the_memory():
    people = "internal_id,family_name,given_name,phone_work\n" + "".join("%d,Familie%05d,%s,+4940%06d\n" % (i, i, "Vorname" * 100, i) for i in range(6000))
    rss = lambda h: int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % h.daemon.process.pid, encoding="ascii").read()).group(1)) / 1024
    with House() as h:
        h.push(people)
        whole = h.get("/yealink/v1")
        before = rss(h)
        for i in range(60):
            h.get("/yealink/v1?max=%d" % (5999 - i))
        assert rss(h) - before < 150, (before, rss(h), len(whole))
        assert h.get("/yealink/v1") == whole


FORMS = {"yealink": "Telephone", "snom-dect": None, "gigaset": None, "grandstream": "phonenumber", "fritzbox": "number"}


def lint_sees_what_phones_get():
    with House() as h:
        h.push(HARD)
        ran = h.site.run("--json", "directory", "lint", "telefon")
        assert ran.code == 1, "something is lost"
        told = ran.json()
        assert told["contacts"] == 5 and len(told["forms"]) == 14, told
        forms = {f["form"]: f for f in told["forms"]}
        dect = [(r["what"], r["number"], r["is"]) for r in forms["snom-dect"]["rows"] if r["contact"].startswith("Maximilian")]
        assert ("name-cut", None, "Schwarzenbach-Hohenthal") in dect, dect
        assert {w for w, n, _ in dect if n} == {"undialable", "fax", "characters", "number-too-long"}, dect
        for form, tag in FORMS.items():
            f = forms[form]
            doc = h.xml("/" + f["address"])
            served = [e.text for e in doc.iter(tag)] if tag else [e.text for e in doc.iter() if e.tag in ("Telephone", "Office", "Mobile", "hm", "mb", "bp")]
            served = [s for s in served if s]
            lost = [r for r in f["rows"] if r["number"] and r["what"] != "phone-full"]
            assert len(served) == f["numbers"], (form, served, f["numbers"])
            assert len(served) + len(lost) == 13, (form, served, lost)
        assert "Ohne, Nummer" not in h.get("/yealink/v1")
        assert any(r["what"] == "no-number" and "Ohne" in r["contact"] for r in forms["yealink"]["rows"])
        some = h.site.run("--json", "directory", "lint", "telefon", "--family", "snom").json()["forms"]
        assert {f["form"] for f in some} == {"snom", "snom-tbook", "snom-tbook1", "snom-dect", "snom-dect-text", "snom-m100"}
        text = h.site.run("directory", "lint", "telefon", "--family", "snom-dect").out
        assert 'name cut to 23 characters: "Schwarzenbach-Hohenthal"' in text, text
        h.site.language = "de"
        assert "nach 23 Zeichen" in h.site.run("directory", "lint", "telefon", "--family", "snom-dect").out
        h.site.language = "en"
        assert h.site.run("directory", "lint", "telefon", "--family", "nokia").code == 2 == h.site.run("directory", "lint", "nobody").code
        h.push("internal_id,family_name,given_name,phone_work\n1,A,B,+494031\n")
        assert h.site.run("directory", "lint", "telefon", "--family", "yealink").code == 0, "nothing is lost"


def main():
    suite = Suite("phones")
    for test in (every_family, links_lead_somewhere, settings_of_a_phonebook, callers_are_found, links_need_no_password, questions_do_not_fill_the_memory,
                 lint_sees_what_phones_get):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
