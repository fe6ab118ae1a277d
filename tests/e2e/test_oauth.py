"""abgleich signing in by OAuth: the flows, refreshing and rotation, dead sign-ins, and token endpoints that answer nonsense. Contacts come
from the People emulator, which takes only the tokens handed out here."""

import base64
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import PROGRAM, Site, Suite, card
from google_people import People

SECRET = "canary-client-secret"


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        w = self.server.provider
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        with w.mutex:
            w.requests.append((self.path, form))
            answer = w.order.pop(0) if w.order else None
            status, body, headers = answer if answer else w.answer(self.path, form)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) + w.missing))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class World:
    """A sign-in service that rotates refresh tokens and takes each only once, the emulator behind it, and a site."""

    def __init__(self, flow="code", life=3600, **more):
        self.people, self.mutex, self.requests, self.order, self.missing = People(), threading.Lock(), [], [], 0
        self.people.tokens.clear()
        self.life, self.n, self.refresh, self.pending, self.rotates, self.code = life, 0, None, 1, True, {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        self.server.provider = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.site = Site()
        keys = {"connector": "people", "url": self.people.url, "user": self.people.user, "secret": "file:" + self.site.folder + "/secret",
                "oauth.flow": flow, "oauth.client_id": "app", "oauth.authorize_url": self.url + "/authorize",
                "oauth.token_url": self.url + "/token", "oauth.device_url": self.url + "/device"}
        keys.update(more)
        with open(self.site.folder + "/secret", "w") as f:
            f.write(SECRET + "\n")
        with open(self.site.config, "a") as f:
            f.write("[account srv]\n" + "".join("%s = %s\n" % p for p in keys.items()))
            f.write("[link kunden]\na = contactbox:Kunden\nb = srv:\nmode = two-way\nauthority = contactbox\n")
        self.site.run("book", "add", "Kunden", expect=0)

    def grant(self, refresh=True):
        self.n += 1
        token = "canary-access-%d" % self.n
        self.people.tokens[token] = float("inf")
        body = {"token_type": "Bearer", "access_token": token, "expires_in": self.life}
        if refresh and (self.rotates or not self.refresh):
            self.refresh = body["refresh_token"] = "canary-refresh-%d" % self.n
        return 200, body, {}

    def answer(self, path, form):
        kind = form.get("grant_type", "")
        if path == "/device":
            return 200, {"device_code": "canary-device", "user_code": "ABCD-EFGH", "verification_uri": self.url + "/go", "interval": 1,
                         "expires_in": 60}, {}
        if kind == "authorization_code":
            verifier = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
            good = verifier == self.code.get("code_challenge") and form["redirect_uri"] == self.code["redirect_uri"]
            return self.grant() if good and form.get("client_secret") == SECRET else (400, {"error": "invalid_grant"}, {})
        if kind.endswith("device_code"):
            self.pending -= 1
            return (400, {"error": "authorization_pending"}, {}) if self.pending >= 0 else self.grant()
        if kind == "refresh_token":
            return self.grant() if form["refresh_token"] == self.refresh else (400, {"error": "invalid_grant"}, {})
        if kind == "client_credentials":
            return self.grant(False) if form.get("client_secret") == SECRET or self.proved(form, "client_assertion", "PS256") else (
                401, {"error": "invalid_client"}, {})
        if kind.endswith("jwt-bearer"):
            return self.grant(False) if self.proved(form, "assertion", "RS256") else (400, {"error": "invalid_grant"}, {})
        return 400, {"error": "unsupported_grant_type"}, {}

    def proved(self, form, name, algorithm):
        """The assertion's signature, checked by the openssl program."""
        text, _, signature = form[name].rpartition(".")
        head, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in text.split("."))
        assert head["alg"] == algorithm and claims["aud"] == self.url + "/token" and claims["exp"] - claims["iat"] <= 3600, (head, claims)
        folder = self.site.folder
        with open(folder + "/sig", "wb") as f:
            f.write(base64.urlsafe_b64decode(signature + "=="))
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if algorithm == "PS256" else []
        return subprocess.run(["openssl", "dgst", "-sha256", "-prverify", folder + "/key.pem", *pss, "-signature", folder + "/sig"],
                              input=text.encode(), stdout=subprocess.DEVNULL).returncode == 0

    def login(self, visit=None):
        """Runs the command; visit gets the address it shows. Returns exit code and everything it said."""
        p = subprocess.Popen([PROGRAM, "-c", self.site.config, "--language", "en", "login", "srv"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        said = ""
        for line in p.stdout:
            said += line
            found = re.search(r"(http://\S+/authorize\S+)", line)
            if found and visit:
                visit(found.group(1))
        return p.wait(), said

    def visit(self, address):
        q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        assert q["code_challenge_method"] == "S256" and q["redirect_uri"].startswith("http://127.0.0.1:"), q
        self.code = q
        try:
            urllib.request.urlopen(q["redirect_uri"] + "/?code=stolen&state=guessed")
            raise AssertionError("a foreign state was taken")
        except urllib.error.HTTPError as e:
            assert e.code == 404
        page = urllib.request.urlopen(q["redirect_uri"] + "/?" + urllib.parse.urlencode({"code": "c+1", "state": q["state"]})).read()
        assert b"close this window" in page

    def signed_in(self):
        code, said = self.login(self.visit)
        assert code == 0, said
        self.no_canary(said)
        return self

    def no_canary(self, text):
        assert "canary" not in text, text

    def sync(self, expect=0):
        r = self.site.sync(expect)
        self.no_canary(r.out + r.err)
        return r


def browser():
    w = World().signed_in()
    w.site.add(card("u1"))
    w.sync()
    assert len(w.people.persons()) == 1
    assert w.requests[0][1]["code"] == "c+1"
    for name in os.listdir(w.site.folder):
        if name != "secret":
            assert b"canary" not in open(os.path.join(w.site.folder, name), "rb").read(), name
    w.sync()
    assert len(w.requests) == 1, "a fresh token is not refreshed"


def device():
    w = World("device")
    w.order = [(200, w.answer("/device", {})[1], {}), (400, {"error": "authorization_pending"}, {}), (503, b"busy", {})]
    w.pending = 0
    code, said = w.login()
    assert code == 0 and "ABCD-EFGH" in said, said
    w.no_canary(said)
    w.sync()


def client():
    w = World("client")
    w.sync()
    assert w.requests[0][1]["grant_type"] == "client_credentials"


def key(site):
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", site.folder + "/key.pem"], check=True, stderr=subprocess.DEVNULL)
    return open(site.folder + "/key.pem").read()


def certificate():
    w = World("client")
    key(w.site)
    text = open(w.site.config).read().replace("oauth.flow", "oauth.key_file = %s/key.pem\noauth.flow" % w.site.folder)
    open(w.site.config, "w").write(text)
    w.sync()
    assert "client_assertion" in w.requests[0][1], w.requests


def service():
    w = World("service", **{"oauth.key_file": "/dev/null"})
    with open(w.site.folder + "/google.json", "w") as f:
        json.dump({"client_email": "robot@project", "private_key_id": "k1", "private_key": key(w.site)}, f)
    text = open(w.site.config).read().replace("/dev/null", w.site.folder + "/google.json")
    open(w.site.config, "w").write(text)
    w.sync()


def rotation():
    w = World(life=60).signed_in()  # within the five minutes: each session refreshes
    for _ in range(3):
        w.sync()
    used = [f["refresh_token"] for _, f in w.requests if f["grant_type"] == "refresh_token"]
    assert len(used) >= 3 and len(set(used)) == len(used), used


def no_rotation():
    w = World(life=60).signed_in()
    w.rotates = False
    w.sync()
    w.sync()


def refused_once():
    w = World().signed_in()
    w.people.tokens.clear()
    w.sync()
    assert [f["grant_type"] for _, f in w.requests] == ["authorization_code", "refresh_token"]


def refused_for_good():
    w = World().signed_in()
    w.grant = lambda refresh=True: (200, {"access_token": "canary-useless", "expires_in": 3600, "refresh_token": w.refresh}, {})
    w.people.tokens.clear()
    r = w.sync(5)
    assert "abgleich login srv" in r.out + r.err, r
    assert len(w.requests) == 2, w.requests


def dead():
    w = World(life=60).signed_in()
    w.site.add(card("u1"))
    w.refresh = None
    r = w.sync(5)
    assert "abgleich login srv" in r.out + r.err, r
    asked = len(w.requests)
    w.sync(5)
    assert len(w.requests) == asked, "a dead sign-in was asked again"
    assert "sign-in" in w.site.run("account", "list").out
    digest = w.site.run("digest")
    assert "abgleich login srv" in digest.out, digest
    assert len(w.site.contacts()) == 1
    w.signed_in()
    w.sync()
    assert len(w.people.persons()) == 1


def nobody():
    w = World()
    r = w.sync(5)
    assert "abgleich login srv" in r.out + r.err, r
    assert w.site.run("--json", "account", "list").json()[0]["sign_in"] == "none"


def at_once():
    """Several processes, one refresh token that works once."""
    w = World(life=60).signed_in()
    w.life = 3600
    runs = [subprocess.Popen([PROGRAM, "-c", w.site.config, "account", "test", "srv"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(4)]
    said = [(p.communicate()[0], p.returncode) for p in runs]
    assert all(code == 0 for _, code in said), said
    assert len([1 for _, f in w.requests if f["grant_type"] == "refresh_token"]) == 1, w.requests


HOSTILE = [
    ("HTML", (200, b"<html>canary", {}), 0), ("nothing", (200, b"", {}), 0), ("a number as token", (200, {"access_token": 7}, {}), 0),
    ("a list", (200, [1], {}), 0), ("a huge answer", (200, b"[" * 3000000, {}), 0), ("deep", (200, b"[" * 200000, {}), 0),
    ("header in token", (200, {"access_token": "canary\r\nX: y"}, {}), 0), ("500", (500, {"error": "invalid_grant"}, {}), 0),
    ("problem document", (400, {"title": "canary"}, {}), 0), ("redirect", (307, b"", {"Location": "/elsewhere"}), 0),
    ("cut", (200, b'{"access_token":', {}), 1000),
]


def hostile(order, missing):
    """No harm: a fault that is tried again, the refresh token is as it was."""
    w = World(life=60).signed_in()
    w.order, w.missing = [order], missing
    r = w.sync(6)
    assert len(w.requests) == 2 and not any(p == "/elsewhere" for p, _ in w.requests), w.requests
    w.missing = 0
    w.sync()


def main():
    s = Suite("oauth")
    for title, f in [("browser with PKCE", browser), ("device code", device), ("client secret", client), ("certificate", certificate),
                     ("service account", service), ("rotation", rotation), ("no rotation", no_rotation), ("401 once", refused_once),
                     ("401 for good", refused_for_good), ("dead sign-in", dead), ("nobody signed in", nobody), ("four at once", at_once)]:
        s.run(title, f)
    for title, order, missing in HOSTILE:
        s.run("hostile: " + title, hostile, order, missing)
    return s.end()


sys.exit(main())
