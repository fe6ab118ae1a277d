"""Who may read and push a phonebook, and what a push may do: keys that rotate, second factors, limits, files of other makes, taking one back."""

import json
import os
import re
import socket
import sys
import time
import urllib.request

from harness import Suite
from test_directory import C4, KEY, House

OTHER = "Q2W8E4R6T1Z9U3"


def told(answer):
    return json.loads(answer[1])


def rows(n, tag="a"):
    return "internal_id,family_name,given_name,phone_work\n" + "".join("%d,Familie%s%d,Vor,+4940%06d\n" % (i, tag, i, i) for i in range(n))


def address_of_this_machine():
    """An address that is no loopback; None where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # nothing is sent
            return s.getsockname()[0]
        except OSError:
            return None


def a_new_key_and_the_old_one_for_a_while():
    with House() as h:
        h.push(C4)
        made = h.site.run("directory", "key", "telefon", "--new", expect=0).out.strip()
        assert re.fullmatch("[0-9A-Z]{14}", made) and made != KEY
        for key in (KEY, made):
            assert h.curl(url=h.url.replace(KEY, key))[0] == 200, key
        keys = h.site.run("--json", "directory", "key", "telefon", expect=0).json()
        assert [bool(k["until"]) for k in keys] == [True, False], keys
        last = h.site.run("directory", "key", "telefon", "--new", "--overlap", "0", expect=0).out.strip()
        assert h.curl(url=h.url.replace(KEY, last))[0] == 200
        assert h.curl(url=h.url.replace(KEY, made)) == (404, "not found\n"), "an ended key is like none"
        assert h.curl() == (404, "not found\n")
        assert h.site.run("directory", "key", "telefon", "--new", "--key", last).code != 0, "taken"
        h.site.run("directory", "key", "telefon", "--new", "--overlap", "3s", expect=0)
        end, seen = time.monotonic() + 30, [h.curl(url=h.url.replace(KEY, last))[0]]
        while seen[-1] == 200 and time.monotonic() < end:
            seen.append(h.curl(url=h.url.replace(KEY, last))[0])
        assert seen[-1] == 404, "it ends by itself: %s" % seen


def telephones_cannot_push_where_there_is_a_key_for_it():
    with House() as h:
        h.push(C4)
        write = h.site.run("directory", "key", "telefon", "--new", "--write", expect=0).out.strip()
        before = h.get()
        assert h.push(C4.replace("Lale", "Leyla"))[0] == 403 and h.get() == before, "who reads no longer pushes"
        h.url = h.url.replace(KEY, write)
        assert h.push(C4.replace("Lale", "Leyla"))[0] == 200
        assert h.curl()[0] == 403, "and who pushes does not read"
        h.url = h.url.replace(write, KEY)
        assert "Leyla" in h.get()
        h.site.run("directory", "key", "telefon", "--one", expect=0)
        assert h.push(C4)[0] == 200


def user_and_password_beside_the_key():
    with House() as h:
        h.push(C4)
        h.site.run("directory", "set", "telefon", "user=telefone", "--password-file", "-", text="geheim-9\n", expect=0)
        head = h.curl("-i")[1]
        assert " 401 " in head.split("\n")[0] and "WWW-Authenticate: Basic realm=" in head and "telefon" not in head.split("realm=")[1].split("\n")[0], head
        assert h.curl("-u", "telefone:falsch")[0] == 401 and h.curl("-u", "andere:geheim-9")[0] == 401
        for _ in range(3):
            assert h.curl("-u", "telefone:geheim-9")[0] == 200
        assert h.push(C4)[0] == 401 and h.push(C4, "-u", "telefone:geheim-9")[0] == 200
        assert h.curl("-u", "telefone:geheim-9", url=h.url.replace(KEY, OTHER)) == (404, "not found\n")
        with open(h.site.folder + "/state.db", "rb") as f:
            assert b"geheim-9" not in f.read()
        h.site.run("directory", "set", "telefon", "user=", expect=0)
        assert h.curl()[0] == 200


def settings_are_checked():
    with House() as h:
        for bad in ("number=wild", "line=abc", "plain_http=maybe", "networks=10.0.0.0/99", "charset=ebcdic", "max_shrink=0", "user=a:b", "colour=red"):
            assert h.site.run("directory", "set", "telefon", bad).code == 2, bad
        h.site.run("directory", "set", "telefon", "number=idd", "line=0", "networks=10.0.0.0/8, fd00::/8", "max_shrink=50", expect=0)
        d = h.site.run("--json", "directory", "list", expect=0).json()[0]
        assert (d["number"], d["line"], d["networks"], d["max_shrink"]) == ("idd", "0", "10.0.0.0/8, fd00::/8", 50), d
        h.push(C4)
        assert "000494031000101" in h.get("/yealink/v1"), "an outside line, and 00"
        h.site.run("directory", "set", "telefon", "number=", "line=", expect=0)
        assert "+494031000101" in h.get("/yealink/v1")


def without_encryption_only_who_is_listed_and_only_reading():
    here = address_of_this_machine()
    if not here:
        return
    with House(listen="0.0.0.0:0") as h:
        h.push(C4)
        port = re.search(r":(\d+)/", h.daemon.address).group(1)
        url = "http://%s:%s/contacts/%s" % (here, port, KEY)
        assert h.curl(url=url)[0] == 403 and h.curl(url=url.replace(KEY, OTHER))[0] == 403, "right and wrong keys alike"
        h.site.run("directory", "set", "telefon", "plain_http=yes", expect=0)
        assert h.curl(url=url, path="/gigaset/v1")[0] == 200
        assert h.curl("-F", "file=@" + h.site.config, url=url)[0] == 403, "never a push"
        h.daemon.wait_for("read without encryption")
        h.site.run("directory", "set", "telefon", "networks=203.0.113.0/24", expect=0)
        assert h.curl(url=url)[0] == 403
        h.site.run("directory", "set", "telefon", "networks=203.0.113.0/24, %s" % here, expect=0)
        assert h.curl(url=url)[0] == 200
        assert KEY not in "\n".join(h.daemon.lines)


def claims_from_listed_networks_only():
    for networks, status in (("203.0.113.0/24", 404), ("127.0.0.0/8, ::1", 200)):
        with House(settings="directory_claim = yes\ndirectory_claim_networks = %s\n" % networks) as h:
            h.url = h.url.replace(KEY, OTHER)
            assert h.push(C4)[0] == status, networks


def five_wrong_keys_are_one_answer():
    with House() as h:
        h.push(C4)
        h.site.run("directory", "key", "telefon", "--new", "--key", OTHER, "--overlap", "0", expect=0)
        keys = ("AAAAAAAAAAAAAA", "x", KEY, OTHER.lower(), OTHER + "1")  # unknown, malformed, ended, of another case, too long
        answers = {re.sub(r"Date: .*", "", h.curl("-i", url=h.daemon.address + "contacts/" + key)[1]) for key in keys}
        assert len(answers) == 1 and "404" in answers.pop(), answers
        assert len({h.curl("-F", "file=@" + h.site.config, url=h.daemon.address + "contacts/" + key) for key in keys}) == 1


def what_an_answer_says_about_itself():
    with House() as h:
        h.push(C4)
        head = h.curl("-I")[1]
        for line in ("Cache-Control: private", "Referrer-Policy: no-referrer", "Vary: Accept-Encoding"):
            assert line in head, head
        h.site.run("status", expect=0)
        end = time.monotonic() + 10
        while "Last-Modified" not in head:  # never a time to come
            assert time.monotonic() < end
            head = h.curl("-I")[1]
        modified = re.search(r"Last-Modified: (.*?)\r", head).group(1)
        assert h.curl("-H", "If-Modified-Since: " + modified)[0] == 304
        assert h.curl("-H", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT")[0] == 200
        assert h.curl("-H", "If-Modified-Since: " + modified, "-H", 'If-None-Match: "other"')[0] == 200, "the tag decides"
        h.push(C4.replace("Lale", "Leyla"))
        assert h.curl("-H", "If-Modified-Since: " + modified)[0] == 200, "changed within the same second"


def a_script_that_runs_wild_is_slowed_down():
    with House() as h:
        answers = [h.push(C4)[0] for _ in range(62)]
        assert answers[:60] == [200] * 60 and answers[-1] == 429, answers
        assert h.curl()[0] == 200, "telephones are not concerned"


def a_short_file_is_held_where_somebody_said_so():
    with House("--number", "e164") as h:
        h.push(rows(100))
        h.site.run("directory", "set", "telefon", "max_shrink=20", expect=0)
        status, text = h.push(rows(50))
        assert status == 409 and "50" in text and "100" in text and "max_shrink" in text, text
        assert len(h.get().splitlines()) == 101, "nothing was changed"
        assert h.push(rows(80))[0] == 200
        assert h.push(rows(10), path="?allow_shrink=1")[0] == 200 and len(h.get().splitlines()) == 11


def the_push_before_comes_back():
    with House() as h:
        assert h.site.run("directory", "undo", "telefon", "--yes").code == 2, "there was none"
        h.push(C4)
        first = h.get()
        h.push(rows(30))
        second = h.get()
        h.site.run("directory", "undo", "telefon", "--yes", expect=0)
        assert h.get() == first
        h.site.run("directory", "undo", "telefon", "--yes", expect=0)
        assert h.get() == second
        h.push("family_name,given_name\n=,\n")
        h.push(rows(3))
        assert told(h.push(rows(3)))["status"] == "unchanged"
        h.site.run("directory", "undo", "telefon", "--yes", expect=0)
        assert len(h.get().splitlines()) == 2, "the same file twice is one push"


def the_same_file_is_known_only_while_it_is_what_is_there():
    with House() as h:
        h.push(C4)
        contact = [c["id"] for c in h.site.run("--json", "contact", "list", "telefon", expect=0).json() if "Lale" in c["name"]][0]
        h.site.edit(contact, h.site.run("contact", "show", contact, "--format", "vcard", expect=0).out.replace("Leitung", "Chefin"))
        again = told(h.push(C4))
        assert again["status"] == "stored" and again["changed"] == 1 and "Chefin" not in h.get(), again
        same = told(h.push(C4))
        assert same["status"] == "unchanged" and same["rows"] == 2 and same["stored"] == 2 and same["changed"] == 0, same


def files_of_other_makes():
    german = "Nachname;Vorname;Firma;Handy;E-Mail-Adresse\nMüller;Jörg;Nordlicht;0151 0001;j@example.org\n"
    with House() as h:
        assert h.push(german.encode("windows-1252"))[0] == 422
        h.site.run("directory", "set", "telefon", "charset=windows-1252", expect=0)
        assert h.push("family_name,given_name\nMüller,Jörg\n".encode("windows-1252"))[0] == 200 and "Müller,Jörg" in h.get()
        assert h.push(german.encode("windows-1252"))[0] == 422, "nobody said what the columns are"
    with House(settings="directory_columns = columns.ini\n", before=lambda site: open(os.path.join(site.folder, "columns.ini"), "w").write(
            "# of our database\nNachname = family_name\nVorname = given_name\nFirma = company\nHandy = phone_mobile\nE-Mail-Adresse = email\n")) as h:
        assert h.push(german)[0] == 200
        assert "Müller,Jörg,Nordlicht" in h.get() and "j@example.org" in h.get(), h.get()


def sent_in_pieces():
    with House() as h:
        text = rows(3000)
        for options in (("-H", "Expect: 100-continue"), ("-H", "Transfer-Encoding: chunked")):
            assert h.push(text, *options)[0] == 200, options
        assert told(h.push(text))["status"] == "unchanged"


def status_and_metrics_tell_of_it():
    with House() as h:
        h.push(C4)
        h.get("/yealink/v1")
        book = h.site.run("--json", "status", expect=0).json()["phonebooks"][0]
        assert book["name"] == "telefon" and book["pushed"] and book["fetched"] and book["fetched_as"] == "yealink/v1", book
        said = h.site.run("status", expect=0).out
        assert "telefon" in said and "yealink/v1" in said, said
        with urllib.request.urlopen(h.daemon.address + "metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        assert 'abgleich_directory_requests_total{format="yealink/v1"} 1' in metrics and 'format="push"} 1' in metrics, metrics


def keys_are_nowhere():
    """A canary: neither in what is logged, reported or kept."""
    with House() as h:
        h.push(C4)
        h.push("nonsense")
        made = h.site.run("directory", "key", "telefon", "--new", expect=0).out.strip()
        h.curl(url=h.url.replace(KEY, made))
        h.curl(url=h.url.replace(KEY, OTHER))
        seen = [h.site.run(*c).out for c in (("status",), ("--json", "status"), ("directory", "list"), ("--json", "directory", "show", "telefon"),
                                             ("directory", "key", "telefon"), ("doctor",), ("config", "show"))]
        seen += h.daemon.lines
        for name in os.listdir(h.site.folder):
            if name.startswith("state"):
                with open(os.path.join(h.site.folder, name), "rb") as f:
                    seen.append(f.read().decode("latin-1"))
        for key in (KEY, made, OTHER):
            assert not [s for s in seen if key in s], key


CASES = (a_new_key_and_the_old_one_for_a_while, telephones_cannot_push_where_there_is_a_key_for_it, user_and_password_beside_the_key,
         settings_are_checked, without_encryption_only_who_is_listed_and_only_reading, claims_from_listed_networks_only,
         five_wrong_keys_are_one_answer, what_an_answer_says_about_itself, a_script_that_runs_wild_is_slowed_down,
         a_short_file_is_held_where_somebody_said_so, the_push_before_comes_back, the_same_file_is_known_only_while_it_is_what_is_there,
         files_of_other_makes, sent_in_pieces, status_and_metrics_tell_of_it, keys_are_nowhere)


if __name__ == "__main__":
    suite = Suite("directory, keys and pushes")
    for case in CASES:
        if len(sys.argv) < 2 or any(word in case.__name__.replace("_", " ") for word in sys.argv[1:]):
            suite.run(case.__name__.replace("_", " "), case)
    sys.exit(suite.end())
