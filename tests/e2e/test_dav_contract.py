"""What clients of our CardDAV server rely on, row by row (RFC 4918, 5689, 6352, 6578, and what their programs were seen to need): discovery,
properties, tokens, tombstones, filters, conditions, refusals with their reason, books that clients make, and who sees what."""

import concurrent.futures
import gzip
import os
import subprocess
import sys
import time

from dav_client import C, CS, D, MULTIGET, NOT_FOUND, OK, PROPFIND, QUERY, SYNC, Dav
from harness import Suite, card, split_cards

WRITES = {"write", "write-content", "bind", "unbind"}


def found_before_signing_in():
    with Dav(0) as s:
        stranger = s.connect(signs_in=False)
        for path in ("/.well-known/carddav", "/dav", "/"):
            for method in ("OPTIONS", "PROPFIND", "REPORT", "PROPPATCH") + (("GET", "HEAD", "PUT", "MKCOL") if path != "/" else ()):
                got = stranger.ask(method, path, PROPFIND % "<d:resourcetype/>" if method in ("PROPFIND", "REPORT") else None)
                assert got.status == 301 and got.headers["location"] == "/dav/", (method, path, got.status)
        for path in ("/dav/", "/dav/books/nobody/", s.book, s.book + "x.vcf"):
            got = stranger.ask("OPTIONS", path)
            assert got.status == 200 and {"1", "3", "addressbook", "extended-mkcol"} <= {c.strip() for c in got.headers["dav"].split(",")}
            assert {"REPORT", "MOVE", "MKCOL"} <= {m.strip() for m in got.headers["allow"].split(",")}
        for _ in range(40):  # Apple's programs try without a password all the time: that is no guess
            got = stranger.ask("PROPFIND", "/dav/", PROPFIND % "<d:resourcetype/>", 0)
            assert got.status == 401 and 'realm="' in got.headers["www-authenticate"]
        assert s.me.ask("PROPFIND", "/dav/", PROPFIND % "<d:resourcetype/>", 0).status == 207
        big = stranger.ask("PUT", s.book + "x.vcf", "x" * 100000)
        assert big.status == 401, "a large body of a stranger is not read, but it is asked for the password"


def each_resource_has_its_properties():
    asked = ("<d:resourcetype/><d:displayname/><d:current-user-principal/><d:principal-URL/><d:owner/><d:current-user-privilege-set/><d:supported-report-set/>"
             "<c:addressbook-home-set/><d:getetag/><cs:getetag/><cs:getctag/><d:sync-token/><c:supported-address-data/><c:max-resource-size/><d:getcontenttype/>"
             "<d:getlastmodified/><c:directory-gateway/><cs:email-address-set/><d:resource-id/><x:nothing xmlns:x='urn:x'/><nothing xmlns=''/>")
    with Dav(1) as s:
        href = [h for h in s.sync()[1]][0]
        names = {"/dav/": "root", "/dav/principals/anna/": "principal", "/dav/books/anna/": "home", s.book: "book", href: "card"}
        for path, kind in names.items():
            for way in {path, path.rstrip("/") or path}:
                got = s.me.ask("PROPFIND", way if kind != "card" else path, PROPFIND % asked, 0)
                if way == "/dav":
                    assert got.status == 301
                    continue
                (r,) = got.responses()
                assert [p[0] for p in r.propstats] == [OK, NOT_FOUND], (kind, [p[0] for p in r.propstats])
                assert r.href == path, "with a slash where it is a collection"
                assert r.href_in(D + "current-user-principal") == r.href_in(D + "principal-URL") == r.href_in(D + "owner") == "/dav/principals/anna/"
                assert r.text(D + "displayname") and {"{urn:x}nothing", "nothing", C + "directory-gateway"} <= {e.tag for e in r.propstats[1][1]}
                if kind != "card":
                    assert r.href_in(C + "addressbook-home-set") == "/dav/books/anna/"
                if kind == "book":
                    assert r.text(CS + "getctag") == r.text(D + "sync-token") and ":" in r.text(D + "sync-token")
                    assert WRITES <= {e.tag[len(D):] for p in r.get(D + "current-user-privilege-set") for e in p}
                if kind == "card":
                    assert r.text(D + "getetag") == r.text(CS + "getetag") and r.get(D + "resourcetype") is not None and len(r.get(D + "resourcetype")) == 0
                    assert r.text(D + "getcontenttype") == "text/vcard; charset=utf-8" and r.text(D + "getlastmodified").endswith(" GMT")
        for headers in ({"Brief": "t"}, {"Prefer": "return=minimal"}):
            (r,) = s.me.ask("PROPFIND", s.book, PROPFIND % asked, 0, **headers).responses()
            assert [p[0] for p in r.propstats] == [OK], "what is missing is left out"
        for depth in ("infinity", None):
            got = s.me.ask("PROPFIND", s.book, PROPFIND % asked, depth)
            assert got.status == 403 and got.condition() == D + "propfind-finite-depth"
        assert len(s.me.ask("PROPFIND", s.book, "<propfind xmlns='DAV:'><propname/></propfind>", 0).responses()[0].propstats[0][1]) > 8
        everything = s.me.ask("PROPFIND", href, None, 0).responses()[0]
        assert everything.text(D + "getetag") and everything.get(C + "address-data") is None
        for body, status in (("expand-property", 207), ("principal-property-search", 207), ("principal-search-property-set", 200)):
            got = s.me.ask("REPORT", "/dav/principals/anna/", "<d:%s xmlns:d='DAV:'/>" % body, 0)
            assert got.status == status and len(got.xml()) == 0, body


def one_book_under_a_principal_of_its_own():
    with Dav(1) as s:
        s.site.run("book", "add", "Zweites", expect=0)
        s.site.run("user", "set", "anna", "--book", "Zweites", expect=0)
        ident = s.book.split("/")[4]
        (anna,) = s.site.run("--json", "user", "list", expect=0).json()
        principal = [b["principal"] for b in anna["books"] if b["book"] == "Kunden"][0]
        assert principal == "/dav/principals/anna/%s/" % ident
        (r,) = s.me.ask("PROPFIND", principal, PROPFIND % "<d:current-user-principal/><c:addressbook-home-set/><d:resourcetype/>", 0).responses()
        home = r.href_in(C + "addressbook-home-set")
        assert r.href_in(D + "current-user-principal") == principal and home != "/dav/books/anna/"
        books = [h for h in s.me.ask("PROPFIND", home, PROPFIND % "<d:displayname/>", 1).by_href() if h != home]
        assert books == [home + ident + "/"], books
        cards = s.me.ask("PROPFIND", books[0], PROPFIND % "<d:getetag/>", 1).by_href()
        assert len(cards) == 2 and all(h.startswith(books[0]) for h in cards)
        (href,) = [h for h in cards if h != books[0]]
        got = s.me.ask("REPORT", books[0], MULTIGET % ("<d:getetag/>", "<d:href>%s</d:href>" % href)).responses()
        assert got[0].href == href and got[0].first == OK
        assert s.me.ask("PUT", books[0] + "neu.vcf", card("neu"), Content_Type="text/vcard").status == 201
        assert s.me.ask("GET", s.book + "neu.vcf").status == 200, "it is the same book"
        assert s.me.ask("PROPFIND", "/dav/principals/anna/nothing/", None, 0).status == 404
        assert s.me.ask("MKCOL", home + "noch/", None).status == 403


def tokens_and_tombstones():
    with Dav(3) as s:
        for depth in (0, 1, None):
            token, found, _ = s.sync(depth=depth, props="<d:getetag/><c:address-data/>")
            assert len(found) == 3 and all("UID:" in r.text(C + "address-data") for r in found.values())
        gone = sorted(found)[0]
        assert s.me.ask("DELETE", gone).status == 204
        later, found, _ = s.sync(token)
        assert list(found) == [gone] and found[gone].status == NOT_FOUND
        with open(s.site.config, "a", encoding="utf-8") as f:  # everything that can be forgotten is
            f.write("tombstone_keep = 1s\n")
        time_is_up = lambda: s.site.run("--json", "contact", "deleted", "Kunden", expect=0).json() == []
        s.daemon.stop()
        purge(s)
        assert time_is_up()
        s.daemon = type(s.daemon)(s.site)
        s.url, s.me = s.daemon.address, None
        s.me = s.connect()
        _, found, _ = s.sync(token)
        assert list(found) == [gone] and found[gone].status == NOT_FOUND, "a client that comes late is told all the same"
        assert s.put(gone.rsplit("/", 1)[1], card("wieder")).status == 201
        _, found, _ = s.sync(token)
        assert list(found) == [gone] and found[gone].first == OK, "and once there is something again, only of that"
        stem, last, _ = s.sync()[0].rsplit("-", 2)
        for wrong in ("data:,x", stem + "-99999-1", stem + "-%s-1" % last, stem + "--1-99999999999999", stem, "http://a/b", stem + "-1-99999999999999999999"):
            for agent, status in (("DAVx5/4", 403), ("Mozilla/5.0 Thunderbird/128.0", 400)):
                got = s.connect(agent=agent).ask("REPORT", s.book, SYNC % (wrong, "", "<d:getetag/>"), 0)
                assert (got.status, got.condition()) == (status, D + "valid-sync-token"), (wrong, got.status)


def purge(s):
    """The daily upkeep, at a time when all tombstones are old: a run of a link does it."""
    time.sleep(1.1)  # tombstone_keep is a second
    subprocess.run(["sqlite3", s.site.folder + "/state.db", "DELETE FROM setting WHERE key = 'upkeep'"], check=True)
    folder = s.site.folder + "/empty"
    os.makedirs(folder, exist_ok=True)
    daemon = type(s.daemon)(s.site)
    end = time.monotonic() + 20
    while s.site.run("--json", "contact", "deleted", "Kunden", expect=0).json() and time.monotonic() < end:
        time.sleep(0.05)
    daemon.stop()


def a_restored_backup_ends_tokens():
    with Dav(2) as s:
        s.daemon.stop()
        backup = s.site.folder + "/backup.db"
        subprocess.run(["sqlite3", s.site.folder + "/state.db", ".backup " + backup], check=True)
        s.daemon = type(s.daemon)(s.site)
        s.url, s.me = s.daemon.address, None
        s.me = s.connect()
        s.put("weg.vcf", card("weg"))
        token, _, _ = s.sync()
        s.daemon.stop()
        for end in ("-wal", "-shm"):
            if os.path.exists(s.site.folder + "/state.db" + end):
                os.remove(s.site.folder + "/state.db" + end)
        os.replace(backup, s.site.folder + "/state.db")
        s.daemon = type(s.daemon)(s.site)
        s.url, s.me = s.daemon.address, None
        s.me = s.connect()
        s.put("anders.vcf", card("anders"))  # the same number again, of another change
        got = s.me.ask("REPORT", s.book, SYNC % (token, "", "<d:getetag/>"), 0)
        assert got.status == 403 and got.condition() == D + "valid-sync-token", (got.status, got.body[:500])


def long_answers_are_cut():
    with Dav(10050) as s:
        seen, token, pages, cut = {}, "", 0, True
        while cut:
            token, found, cut = s.sync(token)
            pages += 1
            assert len(found) <= 10000 and not set(found) & set(seen)
            seen.update(found)
            if pages == 1:
                assert cut
                s.put("neu.vcf", card("neu"))  # between the pages
        assert pages == 2 and len(seen) == 10051, (pages, len(seen))
        assert s.sync(token)[1] == {}
        small, token = {}, ""
        for _ in range(3):
            token, found, cut = s.sync(token, more="<d:limit><d:nresults>7</d:nresults></d:limit>")
            assert cut and len(found) == 7
            small.update(found)
        assert len(small) == 21
        hrefs = list(seen) * 5  # 50 000 in one request, each five times, some encoded otherwise
        hrefs[7] = s.url.rstrip("/") + hrefs[7]
        hrefs[8] = hrefs[8].replace("v", "%76")
        body = MULTIGET % ("<d:getetag/>", "".join("<d:href>%s</d:href>" % h for h in hrefs))
        got = s.me.ask("REPORT", s.book, body).responses()
        assert len(got) == len(hrefs) and all(r.first == OK for r in got)
        assert [r.href for r in got[:7]] == hrefs[:7] and got[8].href == list(seen)[8]
        zipped = s.me.ask("PROPFIND", s.book, PROPFIND % "<d:getetag/>", 1, Accept_Encoding="gzip")
        assert zipped.headers["content-encoding"] == "gzip" and gzip.decompress(zipped.body).count(b"getetag>\"") == 0
        assert len(zipped.body) < 2000000 and gzip.decompress(zipped.body).rstrip().endswith(b"</d:multistatus>")


def filters():
    cards = [
        card("a", "Müller;Änne", "TEL;TYPE=HOME,VOICE:+49 30 1", "item1.EMAIL;TYPE=WORK:Anne@Example.org", "item1.X-ABLabel:Büro"),
        card("b", "Meier;Bert", "TEL;TYPE=CELL:+49 170 2", "EMAIL;TYPE=HOME:bert@example.com", "NOTE:a\\, b"),
        card("c", "Huber;Cäcilie", "X-KIND:1"),
    ]
    match = '<c:text-match%s>%s</c:text-match>'
    prop = '<c:prop-filter name="%s"%s>%s</c:prop-filter>'
    param = '<c:param-filter name="TYPE">%s</c:param-filter>'
    rows = [
        ("", "abc"), ("<c:filter/>", "abc"), ("<c:filter test='allof'/>", "abc"),
        (prop % ("FN", "", match % ("", "MÜLLER")), "a"), (prop % ("FN", "", match % (' collation="i;ascii-casemap"', "MÜLLER")), ""),
        (prop % ("FN", "", match % (' collation="i;ascii-casemap"', "meIER")), "b"), (prop % ("FN", "", match % (' collation="i;octet"', "meier")), ""),
        (prop % ("FN", "", match % (' collation="i;octet"', "Meier")), "b"), (prop % ("fn", "", match % (' match-type="starts-with"', "änne")), "a"),
        (prop % ("FN", "", match % (' match-type="ends-with"', "müller")), "a"), (prop % ("FN", "", match % (' match-type="equals"', "bert meier")), "b"),
        (prop % ("FN", "", match % (' match-type="equals"', "bert")), ""), (prop % ("EMAIL", "", match % ("", "@example")), "ab"),
        (prop % ("FN", "", match % (' negate-condition="yes"', "e")), ""), (prop % ("FN", "", match % (' negate-condition="yes"', "ert")), "ac"),
        (prop % ("EMAIL", "", "<c:is-not-defined/>"), "c"), (prop % ("EMAIL", "", ""), "ab"), (prop % ("X-KIND", "", ""), "c"),
        (prop % ("EMAIL", "", param % (match % ("", "work"))), "a"), (prop % ("TEL", "", param % (match % (' match-type="equals"', "voice"))), "a"),
        (prop % ("TEL", "", '<c:param-filter name="PREF"><c:is-not-defined/></c:param-filter>'), "ab"), (prop % ("TEL", "", '<c:param-filter name="TYPE"/>'), "ab"),
        (prop % ("EMAIL", ' test="allof"', match % ("", "example") + param % (match % ("", "home"))), "b"),
        (prop % ("EMAIL", ' test="anyof"', match % ("", ".org") + param % (match % ("", "home"))), "ab"),
        (prop % ("EMAIL", ' test="allof"', match % ("", ".org") + param % (match % ("", "home"))), ""),
        (prop % ("item1.EMAIL", "", ""), "a"), (prop % ("ITEM1.EMAIL", "", ""), "a"), (prop % ("item2.EMAIL", "", ""), ""),
        (prop % ("NOTE", "", match % (' match-type="equals"', "a, b")), "b"), (prop % ("X-NOTHING", "", match % (' negate-condition="yes"', "x")), ""),
    ]
    with Dav(0) as s:
        for text in cards:
            assert s.put(text.split("UID:")[1][0] + ".vcf", text).status == 201
        two = prop % ("FN", "", match % ("", "huber")) + prop % ("TEL", "", match % ("", "170"))
        rows += [(two, "bc"), ("<c:filter test='allof'>%s</c:filter>" % two, ""), ("<c:filter test='anyof'>%s</c:filter>" % two, "bc")]
        for text, wanted in rows:
            whole = text if text.startswith("<c:filter") or not text else "<c:filter>%s</c:filter>" % text
            for depth in (0, 1, None):
                got = "".join(sorted(h[-5] for h in s.me.ask("REPORT", s.book, QUERY % whole, depth).by_href()))
                assert got == wanted, (text, depth, got, wanted)
        got = s.me.ask("REPORT", s.book, QUERY % "<c:filter/><c:limit><c:nresults>2</c:nresults></c:limit>", 1).responses()
        assert [r.href[-5:-4] for r in got[:2]] == ["a", "b"] and got[2].href == s.book and "507" in got[2].status and len(got) == 3
        got = s.me.ask("REPORT", s.book, QUERY % ("<c:filter>%s</c:filter>" % (prop % ("FN", "", match % (' collation="i;klingon"', "x")))), 1)
        assert got.status == 403 and got.condition() == C + "supported-collation"
        got = s.me.ask("REPORT", s.book, (QUERY % "").replace("<d:getetag/>", '<c:address-data><c:prop name="FN"/></c:address-data>'), 1).responses()
        assert all("UID:" in r.text(C + "address-data") for r in got), "the whole card: a part written back would be a loss"
        got = s.me.ask("REPORT", s.book, (QUERY % "").replace("<d:getetag/>", '<c:address-data content-type="text/calendar"/>'), 1)
        assert got.status == 403 and got.condition() == C + "supported-address-data"


def cards_are_refused_with_a_reason():
    with Dav(1, "max_upload = 20k\n") as s:
        old = s.put("a.vcf", card("a")).headers["etag"]
        rows = [
            ("a.vcf", card("b"), 403, C + "no-uid-conflict"),  # another UID over an existing one
            ("b.vcf", card("a"), 403, C + "no-uid-conflict"),
            ("b.vcf", card("A" * 2).replace("UID:AA", "UID:urn:uuid:7D444840-9DC0-11D1-B245-5FFDCE74FAD2"), 201, None),
            ("c.vcf", card("x").replace("UID:x", "UID:7d444840-9dc0-11d1-b245-5ffdce74fad2"), 403, C + "no-uid-conflict"),
            ("c.vcf", "", 403, C + "valid-address-data"), ("c.vcf", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", 403, C + "valid-address-data"),
            ("c.vcf", card("x") + card("y"), 403, C + "valid-address-data"), ("c.vcf", card("x")[:-12], 403, C + "valid-address-data"),
            ("c.vcf", card("x").replace("UID:x\r\n", ""), 403, C + "valid-address-data"), ("c.vcf", card("x", version="2.1"), 403, C + "supported-address-data"),
            ("c.vcf", card("x", "A;B", "NOTE:" + "x" * 30000), 413, C + "max-resource-size"),
        ]
        for name, text, status, condition in rows:
            got = s.put(name, text)
            assert (got.status, got.condition()) == (status, condition), (name, text[:80], got.status, got.body[:200])
        got = s.put("b2.vcf", card("a"))
        assert got.xml()[0].find(D + "href").text == s.book + "a.vcf"
        assert s.me.ask("PUT", s.book + "d.vcf", card("d"), Content_Type="text/calendar").status == 415
        big = card("x", "A;B", "NOTE:" + "x" * 30000).encode()
        assert s.me.ask("PUT", s.book + "e.vcf", big, chunked=True, Content_Type="text/vcard").status == 413
        s.me = s.connect()  # that one was ended
        text = card("chunked", "A;B", "NOTE:" + "x" * 5000)
        made = s.me.ask("PUT", s.book + "f.vcf", text.encode(), chunked=True, Content_Type="text/vcard", If_None_Match="*")
        assert made.status == 201 and s.me.ask("GET", s.book + "f.vcf").body == text.encode() and made.headers["etag"]
        for path in ("/dav/books/anna/nobook/x.vcf", "/dav/books/anna/x.vcf", "/dav/books/bert/x.vcf", s.book + "a/b.vcf", s.book + "a%2Fb.vcf", s.book + "%2E%2E",
                     s.book + "x" * 300 + ".vcf", s.book + "a%0Ab.vcf", s.book, "/dav/", "/dav/principals/anna/"):
            got = s.me.ask("PUT", path, card("q"), Content_Type="text/vcard")
            assert got.status == 409, (path, got.status)
        for tag, status in (('W/' + old, 412), (old.strip('"'), 204), (old, 412)):  # weak ones are not strong; some programs drop the quotes
            got = s.put("a.vcf", card("a", "Neu;Neu") if status == 204 else card("a", "Alt;Alt"), If_Match=tag)
            assert got.status == status, (tag, got.status)
        assert s.me.ask("MKCOL", s.book, None).status == 405 and s.me.ask("MKCOL", "/dav/books/anna/", None).status == 405
        assert s.me.ask("MKCOL", s.book + "unter/", None).status == 409 and s.me.ask("MKCOL", "/dav/books/bert/x/", None).status == 409
        assert s.me.ask("DELETE", s.book).status == 403 and s.me.ask("DELETE", "/dav/books/anna/").status == 403


def bytes_come_back():
    texts = {
        "group3": "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//AddressBook 6.1//EN\r\nN:Familie\r\nFN:Familie\r\nX-ADDRESSBOOKSERVER-KIND:group\r\n"
                  "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:aa\r\nREV:2020-01-01T00:00:00Z\r\nUID:group3\r\nEND:VCARD\r\n",
        "odd": "begin:vcard\nversion:3.0\nuid:odd\nitem9.X-Foo;x=\"1,2\";y=^n:a\\;b\\,c\\nd\nFN:odd \nN:;odd;;;\nPHOTO;ENCODING=b:AAAA\n BBBB\n  CC==\nTEL;type=CELL;type=pref:1\nend:vcard\n",
        "long": card("long", "A;B", "NOTE:" + "ä" * 3000), "lf": card("lf", "A;B").replace("\r\n", "\n"),
    }
    four = "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nUID:group4\r\nFN:Vier\r\nMEMBER:urn:uuid:aa\r\nEND:VCARD\r\n"
    with Dav(0) as s:
        for name, text in texts.items():
            made = s.put(name + ".vcf", text, If_None_Match="*")
            assert made.status == 201, (name, made.status, made.body)
            got = s.me.ask("GET", s.book + name + ".vcf")
            assert got.body == text.encode() and got.headers["etag"] == made.headers["etag"] and "last-modified" in got.headers
            head = s.me.ask("HEAD", s.book + name + ".vcf")
            assert head.body == b"" and head.headers["etag"] == made.headers["etag"] and int(head.headers["content-length"]) == len(text.encode())
            data = s.me.ask("REPORT", s.book, MULTIGET % ("<c:address-data/>", "<d:href>%s%s.vcf</d:href>" % (s.book, name))).responses()[0].text(C + "address-data")
            assert data == text, "also inside XML, with its line ends"
            for condition in ("", "W/"):
                assert s.me.ask("GET", s.book + name + ".vcf", If_None_Match=condition + made.headers["etag"]).status == 304
        s.put("group4.vcf", four)
        assert s.me.ask("GET", s.book + "group4.vcf", Accept="text/vcard;version=4.0").body == four.encode()
        as3 = s.me.ask("GET", s.book + "group4.vcf").body.decode()
        assert "VERSION:3.0" in as3 and "group4" in as3
        data = s.me.ask("REPORT", s.book, MULTIGET % ('<c:address-data content-type="text/vcard" version="4.0"/>', "<d:href>%sgroup4.vcf</d:href>" % s.book))
        assert data.responses()[0].text(C + "address-data") == four
        assert s.put("group3.vcf", texts["group3"]).status == 204, "the same again"
        s.put("eigen.vcf", card("eigen", "A;B", "X-HUB-KUNDENNUMMER:4711"))
        kept = s.put("eigen.vcf", card("eigen", "A;Neu"))  # a field of the Contactbox that the program does not know stays
        got = s.me.ask("GET", s.book + "eigen.vcf")
        assert kept.status == 204 and "etag" not in kept.headers and b"X-HUB-KUNDENNUMMER:4711" in got.body and b"Neu" in got.body, "other bytes, so no ETag"
        exported = "".join(split_cards(s.site.run("contact", "export", "Kunden", expect=0).out))
        assert "X-ADDRESSBOOKSERVER-MEMBER" in exported and "MEMBER:urn:uuid:aa" in exported


def cards_move():
    with Dav(2) as s:
        s.site.run("book", "add", "Privat", expect=0)
        s.site.run("book", "add", "Lesen", expect=0)
        s.site.run("user", "set", "anna", "--book", "Privat", "--book", "Lesen:ro", expect=0)
        s.add_user("bert", "Kunden:ro")
        s.books = {r.text(D + "displayname"): r.href for r in s.me.ask("PROPFIND", "/dav/books/anna/", PROPFIND % "<d:displayname/>", 1).responses()}
        private, token = s.books["Privat"], s.sync()[0]
        text = card("zieht", "Um;Zieht", "X-A:b")
        etag = s.put("alt.vcf", text).headers["etag"]
        token = s.sync(token)[0]
        record = s.site.id_of("zieht")
        s.site.run("followup", "add", record, "2031-01-01", "anrufen")
        move = lambda to, by=None, what="alt.vcf", **h: (by or s.me).ask("MOVE", s.book + what, Destination=to, **h)
        for to, status in (("/dav/books/bert/x/y.vcf", 409), ("/etc/passwd", 409), (s.book + "../x.vcf", 409), (s.books["Lesen"] + "a.vcf", 403), ("", 400),
                           (private.replace("anna", "bert") + "a.vcf", 409), (private + "a%2Fb.vcf", 409), (private, 409), (s.book + "alt.vcf", 403)):
            assert move(to).status == status, to
        assert move(private + "neu.vcf", If_Match='"falsch"').status == 412
        assert s.connect("bert").ask("MOVE", s.book.replace("anna", "bert") + "alt.vcf", Destination=s.book.replace("anna", "bert") + "z.vcf").status == 403
        got = move(s.url.rstrip("/") + private + "neu.vcf", If_Match=etag)
        assert got.status == 201 and got.headers["location"] == private + "neu.vcf", got.status
        assert s.me.ask("GET", private + "neu.vcf").body == text.encode() and s.me.ask("GET", s.book + "alt.vcf").status == 404
        token, found, _ = s.sync(token)
        assert list(found) == [s.book + "alt.vcf"] and found[s.book + "alt.vcf"].status == NOT_FOUND
        assert "zieht" in s.site.run("contact", "export", "Privat", expect=0).out
        back = s.me.ask("MOVE", private + "neu.vcf", Destination=s.book + "wieder.vcf")
        assert back.status == 201
        token = s.sync(token)[0]
        assert move(s.book + "anders.vcf", what="wieder.vcf").status == 201, "in the same book: another name"
        token, found, _ = s.sync(token)
        assert {h: r.first for h, r in found.items()} == {s.book + "wieder.vcf": NOT_FOUND, s.book + "anders.vcf": OK}
        other = sorted(h for h in s.sync()[1] if "anders" not in h)[0]
        assert move(other, what="anders.vcf", Overwrite="F").status == 412
        assert move(other, what="anders.vcf", Overwrite="T").status == 204 and s.me.ask("GET", other).body == text.encode()
        s.me.ask("PUT", private + "p.vcf", text, Content_Type="text/vcard")
        got = s.me.ask("MOVE", private + "p.vcf", Destination=s.book + "noch.vcf")
        assert got.status == 403 and got.condition() == C + "no-uid-conflict"


def books_of_clients():
    extended = ('<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>'
                "%s</d:prop></d:set></d:mkcol>")
    patch = '<d:propertyupdate xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">%s</d:propertyupdate>'
    called = lambda s, path: s.me.ask("PROPFIND", path, PROPFIND % "<d:displayname/><c:addressbook-description/>", 0).responses()[0]
    names = lambda s: {b["name"] for b in s.site.run("--json", "book", "list", expect=0).json()}
    with Dav(0, "dav_delete_books = yes\n") as s:
        s.site.run("book", "add", "Geheim", expect=0)
        s.add_user("bert", "Kunden:ro")
        home = "/dav/books/anna/"
        assert s.me.ask("MKCOL", home + "plain/", None).status == 201 and called(s, home + "plain/").text(D + "displayname") == "plain"
        made = s.me.ask("MKCOL", home + "4fae%20x/", extended % "<d:displayname>Privat</d:displayname><c:addressbook-description>Meine</c:addressbook-description>")
        assert made.status == 201 and made.headers["location"] == home + "4fae%20x/", "where the client put it"
        r = called(s, home + "4fae%20x/")
        assert r.href == home + "4fae%20x/" and r.text(D + "displayname") == "Privat" and r.text(C + "addressbook-description") == "Meine"
        assert s.me.ask("MKCOL", home + "4fae%20x/", None).status == 405
        assert s.me.ask("MKCOL", home + "geheim/", extended % "<d:displayname>Geheim</d:displayname>").status == 201, "whatever others have"
        assert called(s, home + "geheim/").text(D + "displayname") == "Geheim" and "Geheim (anna)" in names(s)
        assert s.me.ask("MKCOL", home + "y/", extended.replace("<c:addressbook/>", "") % "").condition() == D + "valid-resourcetype"
        got = s.me.ask("MKCOL", home + "y/", extended % "<x:color xmlns:x='urn:x'>red</x:color>")
        assert got.status == 403 and got.xml().tag == D + "mkcol-response" and s.me.ask("PROPFIND", home + "y/", None, 0).status == 404, "all or nothing"
        name = "<d:set><d:prop><d:displayname>%s</d:displayname></d:prop></d:set>"
        assert s.me.ask("PROPPATCH", home + "plain/", patch % (name % "Familie")).responses()[0].first == OK
        assert called(s, home + "plain/").text(D + "displayname") == "Familie" and "Familie" in names(s), "made here: the book follows"
        assert s.me.ask("PROPPATCH", s.book, patch % (name % "Meine Kunden")).responses()[0].first == OK
        assert called(s, s.book).text(D + "displayname") == "Meine Kunden" and "Kunden" in names(s), "links name it"
        s.bert = s.connect("bert")
        assert s.bert.ask("PROPFIND", s.book.replace("anna", "bert"), PROPFIND % "<d:displayname/>", 0).responses()[0].text(D + "displayname") == "Kunden"
        r = s.me.ask("PROPPATCH", s.book, patch % (name % "Neu" + "<d:set><d:prop><d:getetag>x</d:getetag></d:prop></d:set>")).responses()[0]
        assert [p[0][9:12] for p in r.propstats] == ["403", "424"] and called(s, s.book).text(D + "displayname") == "Meine Kunden"
        assert s.me.ask("PROPPATCH", s.book, patch % "<d:remove><d:prop><d:displayname/></d:prop></d:remove>").responses()[0].first == OK
        assert called(s, s.book).text(D + "displayname") == "Kunden"
        assert s.bert.ask("PROPPATCH", s.book.replace("anna", "bert"), patch % (name % "X")).condition() == D + "need-privileges"
        assert s.me.ask("PUT", home + "plain/a.vcf", card("a"), Content_Type="text/vcard").status == 201
        assert s.bert.ask("DELETE", s.book.replace("anna", "bert")).status == 403
        assert s.me.ask("DELETE", home + "plain/").status == 204 and "Familie" not in names(s) and s.me.ask("PROPFIND", home + "plain/", None, 0).status == 404


def nobody_sees_what_is_not_theirs():
    with Dav(1) as s:
        s.site.run("book", "add", "Geheim", expect=0)
        s.add_user("bert", "Geheim")
        bert = s.connect("bert")
        secret = [r.href for r in bert.ask("PROPFIND", "/dav/books/bert/", PROPFIND % "<d:displayname/>", 1).responses() if r.text(D + "displayname") == "Geheim"][0]
        assert bert.ask("PUT", secret + "s.vcf", card("s", "Geheim;Sehr"), Content_Type="text/vcard").status == 201
        hidden = s.site.run("contact", "add", "Geheim", "--file", "-", text=card("t", "Geheim;Sehr"), expect=0).out.strip() + ".vcf"
        for name in ("s.vcf", hidden):  # by its name, or its id, in a book of one's own
            assert bert.ask("GET", secret + name).status == 200
            got = s.me.ask("REPORT", s.book, MULTIGET % ("<c:address-data/>", "<d:href>%s</d:href>" % (s.book + name)))
            states = [s.me.ask(m, s.book + name, Destination=s.book + "geklaut.vcf").status for m in ("GET", "HEAD", "DELETE", "MOVE")]
            assert states == [404] * 4 and b"Sehr" not in got.body, (name, states)
            assert s.put(name, card("mein"), If_Match="*").status == 412
        ident, mine = secret.split("/")[4], s.book.split("/")[4]
        disguises = [secret, secret.replace("bert", "anna"), "/dav/books/anna/%s/../%s/" % (mine, ident), "/dav/books/anna/%s%%2F..%%2F%s/" % (mine, ident),
                     "/dav/books/anna/../bert/%s/" % ident, "/dav/books/anna/%%2e%%2e/bert/%s/" % ident, "//dav/books/bert/%s/" % ident, "/dav//books/bert/%s/" % ident,
                     "/dav/book/bert/%s/%s/" % (ident, ident), "/dav/book/anna/%s/%s/" % (ident, ident), "/dav/book/anna/%s/%s/" % (mine, ident),
                     "/dav/books/Bert/%s/" % ident, "/dav/books/bert%%00/%s/" % ident, "/dav/books/bert/%s/?x=/dav/books/anna/" % ident, secret[:-1] + "%2F"]
        for path in disguises:
            for method, body in (() if path.startswith("/dav/book/anna") or path == "/dav/books/anna/%s/" % ident else (("MKCOL", None),)) + (("PROPFIND", PROPFIND % "<d:displayname/>"), ("REPORT", SYNC % ("", "", "<d:getetag/><c:address-data/>")), ("DELETE", None)):
                got = s.me.ask(method, path, body, 0)
                assert got.status in (400, 404, 405, 409) and b"Geheim" not in got.body, (method, path, got.status)
            for method in ("GET", "PUT", "MOVE"):
                got = s.me.ask(method, path + "s.vcf", card("s") if method == "PUT" else None, Destination=s.book + "geklaut.vcf")
                assert got.status in (400, 404, 405, 409) and b"Sehr" not in got.body, (method, path, got.status)
        hrefs = [p + "s.vcf" for p in disguises] + [s.book + "../%s/s.vcf" % ident, s.book + "%%2E%%2E%%2F%s%%2Fs.vcf" % ident, s.url + secret[1:] + "s.vcf",
                                                   "http://other" + secret + "s.vcf", "s.vcf", ident + ".vcf", "", "x", "://", "%", "%0", "%zz", s.book + "s.vcf%00.vcf"]
        got = s.me.ask("REPORT", s.book, MULTIGET % ("<d:getetag/><c:address-data/>", "".join("<d:href>%s</d:href>" % h for h in hrefs)))
        assert b"Sehr" not in got.body and all(r.status == NOT_FOUND for r in got.responses())
        record = bert.ask("PROPFIND", secret, PROPFIND % "<d:getetag/>", 1).responses()[1].href
        s.put("m.vcf", card("m"))
        for to in (secret + "m.vcf", record, s.url.rstrip("/") + secret + "m.vcf"):
            assert s.me.ask("MOVE", s.book + "m.vcf", Destination=to).status == 409
        theirs, nothing = s.me.ask("PROPFIND", "/dav/principals/bert/", None, 0), s.me.ask("PROPFIND", "/dav/principals/nobody/", None, 0)
        assert (theirs.status, theirs.body) == (nothing.status, nothing.body) == (404, theirs.body), "nobody learns which users there are"
        assert bert.ask("GET", secret + "s.vcf").status == 200
        s.site.run("user", "set", "bert", "--book", "Geheim:off", expect=0)
        assert bert.ask("GET", secret + "s.vcf").status == 404, "at once"


def passwords_are_not_guessed():
    with Dav(0) as s:
        s.add_user("bert", "Kunden")
        old = type(s.me)(s.url, "anna", "altes-passwort")
        for _ in range(60):  # a device with an old password: one guess, however often
            assert old.ask("PROPFIND", "/dav/", None, 0).status == 401
        states = [type(s.me)(s.url, "anna", "falsch-%d" % i).ask("PROPFIND", "/dav/", None, 0) for i in range(24)]
        assert [a.status for a in states[:18]] == [401] * 18 and states[-1].status == 429 and int(states[-1].headers["retry-after"]) > 0, [a.status for a in states]
        assert s.me.ask("PROPFIND", "/dav/", None, 0).status == 207, "who has signed in is not locked out"
        assert s.connect("bert").ask("PROPFIND", "/dav/", None, 0).status == 207, "nor another one behind the same address"
        s.site.run("user", "set", "bert", "--password-file", "-", text="neues\n", expect=0)
        assert s.connect("bert").ask("PROPFIND", "/dav/", None, 0).status == 401, "the old one ends at once"
    with Dav(0, "dav_rate = 1\n") as s:
        got = [s.me.ask("PROPFIND", "/dav/", None, 0) for _ in range(70)]
        assert got[-1].status == 429 and int(got[-1].headers["retry-after"]) > 0 and got[50].status == 207
        s.add_user("bert", "Kunden")
        assert s.connect("bert").ask("PROPFIND", "/dav/", None, 0).status == 207, "each has a measure of their own"


def hostile_bodies():
    bomb = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>" + "".join("<!ENTITY a%d '&a%s;&a%s;&a%s;&a%s;'>" % (i, i - 1 or "", i - 1 or "", i - 1 or "", i - 1 or "") for i in range(1, 30)) + "]>"
    rows = [
        bomb + "<propfind xmlns='DAV:'><prop><displayname a='&a29;'/>&a29;</prop></propfind>",
        "<!DOCTYPE propfind SYSTEM 'file:///etc/passwd'><propfind xmlns='DAV:'/>", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><propfind xmlns='DAV:'>&x;</propfind>",
        "<!doctype propfind><propfind xmlns='DAV:'/>", (bomb + "<propfind xmlns='DAV:'/>").encode("utf-16"), "<propfind xmlns='DAV:'>", "\0", "<", "x", "{}", "<a/><b/>",
        "<propfind xmlns='DAV:'><prop>" + "<a>" * 100 + "</a>" * 100 + "</prop></propfind>", "<a>" * 200000, "<a b='" + "x" * 11000000 + "'", "<propfind xmlns='DAV:'>\x01</propfind>",
        b"<propfind xmlns='DAV:'><prop><d\xff\xfe/></prop></propfind>",
    ]
    with Dav(1) as s:
        for body in rows:
            began = time.monotonic()
            got = s.me.ask("PROPFIND", s.book, body, 0, Content_Type="application/xml")
            assert got.status == 400, (body[:60], got.status)
            assert time.monotonic() - began < 5
            assert b"root:" not in got.body
        wide = "<propfind xmlns='DAV:'><prop>" + "".join("<x%d xmlns='urn:%d'/>" % (i, i) for i in range(20000)) + "</prop></propfind>"
        (r,) = s.me.ask("PROPFIND", s.book, wide, 0).responses()
        assert r.first == NOT_FOUND and len(r.propstats[-1][1]) == 20000
        head = "PROPFIND %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n" % (s.book, s.me.token, 17 << 20)
        assert " 413 " in s.raw(head.encode())
        assert s.me.ask("REPORT", s.book, "<x xmlns='urn:x'/>").condition() == D + "supported-report"
        assert s.me.ask("REPORT", "/dav/books/anna/", SYNC % ("", "", "<d:getetag/>")).condition() == D + "supported-report"
        names = ["&lt;&amp;\"'.vcf", "ü%20&.vcf", "a'b;c=d.vcf", "100%25.vcf", "a+b@c.vcf"]
        for i, name in enumerate(names):
            path = s.book + name.replace("&lt;", "%3C").replace("&amp;", "&").replace('"', "%22").replace("ü", "%C3%BC")
            assert s.me.ask("PUT", path, card("n%d" % i, "<A & B>;]]>", "NOTE:<x>&amp;]]>\t"), Content_Type="text/vcard").status == 201, path
        found = s.sync(props="<d:getetag/><d:displayname/><c:address-data/>")[1]
        assert len(found) == 6 and any(h.endswith("/a%2Bb@c.vcf") for h in found)
        for href in found:  # what is told can be asked for, as it was told
            assert s.me.ask("GET", href).status == 200 and all(ch in "%/.-_~@" or ch.isalnum() for ch in href), href
        control = s.put("c.vcf", card("c", "A;B", "NOTE:a\x0bb\x02c\ufffed"))
        assert control.status in (201, 403)
        s.sync(props="<d:getetag/><c:address-data/>")  # is XML
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # eight at one card: each write is whole, one at a time
            texts = [card("par", "Par;P%d" % i, "NOTE:" + "x" * 1000) for i in range(40)]
            list(pool.map(lambda t: s.put("par.vcf", t, by=s.connect()), texts))
        assert s.me.ask("GET", s.book + "par.vcf").body.decode() in texts


FAILING_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int is_broken(int fd)
{
    char link[64], path[4096];
    if (access(getenv("BROKEN_DISK"), F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return strstr(path, "/state.db") != NULL;
}
ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    ssize_t (*next)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    if (is_broken(fd)) return errno = EIO, -1;
    return next(fd, p, n, at);
}
ssize_t pread(int fd, void *p, size_t n, off_t at) { return pread64(fd, p, n, at); }
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    if (is_broken(fd)) return errno = EIO, -1;
    return next(fd, p, n, at);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return pwrite64(fd, p, n, at); }
"""


def a_failing_disk_empties_nothing():
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/shim.c", "w") as f:
            f.write(FAILING_DISK)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", folder + "/shim.so", folder + "/shim.c", "-ldl"], check=True)
        with Dav(4000, LD_PRELOAD=folder + "/shim.so", BROKEN_DISK=folder + "/broken") as s:
            before = s.me.ask("PROPFIND", s.book, PROPFIND % "<d:getetag/>", 1)
            assert len(before.responses()) == 4001
            open(folder + "/broken", "w").close()
            requests = [("PROPFIND", PROPFIND % "<d:getetag/>"), ("REPORT", SYNC % ("", "", "<d:getetag/><c:address-data/>")), ("REPORT", QUERY % "<c:filter/>")] * 3
            for i, (method, body) in enumerate(requests):
                got = s.me.ask(method, s.book, body, 1)
                whole = got.status == 207 and got.body.count(b"<d:response>") >= 4000  # all of it was in memory
                assert got.status == 503 or whole, (i, method, got.status, len(got.body))
            assert s.put("x.vcf", card("x")).status == 503
            os.remove(folder + "/broken")
            assert len(s.me.ask("PROPFIND", s.book, PROPFIND % "<d:getetag/>", 1).responses()) == 4001 and s.me.ask("GET", s.book + "x.vcf").status == 404
            assert s.put("x.vcf", card("x")).status == 201


def what_is_written_over_unseen_is_told():
    with Dav(1) as s:
        blind, other = s.connect(agent="Mozilla/5.0 Thunderbird/128.0"), s.connect(agent="DAVx5/4")
        href = list(s.sync(by=blind, props="<d:getetag/><c:address-data/>", depth=1)[1])[0]
        name = href.rsplit("/", 1)[1]
        conflicts = lambda: s.site.run("--json", "conflicts", expect=0).json()
        etag = s.me.ask("GET", href).headers["etag"]
        assert s.put(name, card("u0", "Özdemir0;Lale", "NOTE:eins"), by=blind).status == 204 and conflicts() == [], "it had seen what it replaced"
        assert s.put(name, card("u0", "Özdemir0;Lale", "NOTE:zwei"), by=blind).status == 204 and conflicts() == [], "its own"
        etag = s.me.ask("GET", href).headers["etag"]
        assert s.put(name, card("u0", "Özdemir0;Lale", "NOTE:zwei", "TEL:+49 30 55"), by=other, If_Match=etag).status == 204 and conflicts() == []
        assert s.put(name, card("u0", "Özdemir0;Lale", "NOTE:drei"), by=blind).status == 204, "as Thunderbird does; a refusal would leave it unsent for ever"
        told = conflicts()
        assert any(c["a"].endswith("55") and c["winner"] == "b" for c in told), told
        assert all("without having seen" in c["rule"] for c in told)
        report = s.site.run("--json", "report", str(told[0]["run"]), expect=0).json()
        assert "dav:anna" in str(report)
        assert "zwei" in s.site.run("why", s.site.id_of("u0"), expect=0).out
        s.site.run("undo", str(told[0]["run"]), expect=2)
        n = len(told)
        s.sync(by=blind, props="<d:getetag/><c:address-data/>", depth=1)
        assert s.put(name, card("u0", "Özdemir0;Lale", "NOTE:vier"), by=blind).status == 204 and len(conflicts()) == n


def main():
    suite = Suite("dav contract")
    for test in (found_before_signing_in, each_resource_has_its_properties, one_book_under_a_principal_of_its_own, tokens_and_tombstones,
                 a_restored_backup_ends_tokens, long_answers_are_cut, filters, cards_are_refused_with_a_reason, bytes_come_back, cards_move, books_of_clients,
                 nobody_sees_what_is_not_theirs, passwords_are_not_guessed, hostile_bodies, a_failing_disk_empties_nothing, what_is_written_over_unseen_is_told):
        if len(sys.argv) < 2 or test.__name__.replace("_", " ") in sys.argv[1:]:
            suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
