"""What the end-to-end tests share: a scratch installation of abgleich beside a server, and contacts compared by what they say."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
PROGRAM = os.environ.get("ABGLEICH", os.path.join(ROOT, "build", "abgleich"))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "demo"), os.path.join(HERE, "..", "emulators")]


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "exit %d\n%s\n%s" % (self.code, self.out[-3000:], self.err[-3000:])


def card(uid, name="Meier;Anna", *lines, version="3.0"):
    """A vCard by its UID, "Family;Given" and further lines."""
    family, given = name.split(";")
    head = ["BEGIN:VCARD", "VERSION:" + version, "UID:" + uid, "FN:%s %s" % (given, family), "N:%s;%s;;;" % (family, given)]
    return "\r\n".join(head + list(lines) + ["END:VCARD", ""])


def meaning(text):
    """What a card says: the set of its properties, whatever their order, folding and spelling of parameters."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    said = set()
    for line in unfolded.splitlines():
        head, colon, value = line.partition(":")
        parts = head.split(";")
        name = parts[0].upper()
        if not colon or name in ("BEGIN", "END", "VERSION", "REV", "PRODID", "X-RADICALE-NAME"):
            continue
        types = set()
        for p in parts[1:]:
            key, equals, values = p.partition("=")
            if key.upper() == "TYPE":
                types |= {t.upper().strip('"') for t in values.split(",")}
        types -= {"VOICE", "INTERNET", "PREF"}
        value = value.rstrip(";") if name in ("N", "ADR", "ORG") else value
        said.add((name, tuple(sorted(types)), value.replace("\\,", ",").replace("\\;", ";")))
    return frozenset(said)


def uid_of(text):
    return re.search(r"^UID:(.*?)\r?$", text, re.M).group(1)


def split_cards(text):
    return re.findall(r"BEGIN:VCARD.*?END:VCARD\r?\n?", text, re.S)


class Site:
    """One installation: configuration, state, account "srv", link "kunden"."""

    def __init__(self, server=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="abgleich-e2e-")
        self.config = os.path.join(self.folder, "abgleich.ini")
        self.server = server
        self.environment = {}
        self.language = "en"
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("[abgleich]\nstate = %s/state.db\n" % self.folder)
        if server:
            self.link(**settings)

    def link(self, url=None, mode="two-way", authority="contactbox", book="kunden"):
        s = self.server
        book = getattr(s, "book_name", book)
        self.run("account", "add", "srv", "--connector", getattr(s, "connector", "carddav"), "--url", url or s.url, "--user", s.user, "--password-file", "-",
                 text=s.password + "\n", expect=0)
        self.run("link", "add", "kunden", "contactbox:Kunden", "srv:" + book, "--mode", mode, "--authority", authority, expect=0)

    def run(self, *args, text=None, expect=None, bytes_in=None):
        done = subprocess.run([PROGRAM, "-c", self.config, "--language", self.language, *args], input=text.encode() if text else bytes_in,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **self.environment), timeout=120)
        r = Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
        if expect is not None and r.code != expect:
            raise AssertionError("abgleich %s: expected exit %d, got %r" % (" ".join(args), expect, r))
        return r

    def sync(self, expect=0, *args):
        return self.run("--json", "sync", "kunden", *args, expect=expect)

    def add(self, text):
        return self.run("contact", "add", "Kunden", "--file", "-", text=text, expect=0).out.strip()

    def edit(self, contact, text):
        self.run("contact", "edit", contact, "--file", "-", text=text, expect=0)

    def remove(self, contact):
        self.run("contact", "remove", contact, expect=0)

    def contacts(self):
        """Of the Contactbox: {uid: card}. A doubled UID fails."""
        cards = split_cards(self.run("contact", "export", "Kunden", expect=0).out)
        found = {uid_of(c): c for c in cards}
        assert len(found) == len(cards), "doubled in the Contactbox: %s" % sorted(uid_of(c) for c in cards)
        return found

    def id_of(self, uid):
        for c in self.run("--json", "contact", "list", "Kunden", expect=0).json():
            shown = self.run("contact", "show", c["id"], "--format", "vcard", expect=0).out
            if uid_of(shown) == uid:
                return c["id"]
        raise AssertionError("no contact " + uid)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def check_same(here, there):
    """{uid: card} of both sides say the same."""
    assert set(here) == set(there), "only here %s, only there %s" % (set(here) - set(there), set(there) - set(here))
    for uid in here:
        a, b = meaning(here[uid]), meaning(there[uid])
        assert a == b, "%s differs: only here %s, only there %s" % (uid, set(a - b), set(b - a))


class Suite:
    """Runs functions, prints one line each and the totals in the last."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def run(self, title, function, *args):
        try:
            function(*args)
            self.passed += 1
            print("ok   %s" % title, flush=True)
        except Exception:
            self.failed += 1
            print("FAIL %s\n%s" % (title, traceback.format_exc()), flush=True)

    def end(self):
        print("%s: %d passed, %d failed" % (self.name, self.passed, self.failed))
        return 1 if self.failed else 0
