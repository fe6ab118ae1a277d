"""Sign-in services that nobody here wrote, each with an account and the contacts that its tokens open (test_foreign_signin.py).

    with Microsoft(shim) as w: w.login(); w.sync()       emulate, as Microsoft or as Google
    with Mock(shim, "client") as w: w.start(); ...       oauth2-mock-server; w.order({...}) breaks its next answers
    w.heard has what was asked of the token endpoint and answered: (form, status, answer)"""

import html.parser
import http.server
import json
import os
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import foreign
from google_people import People
from harness import PROGRAM, Site, card
from microsoft_graph import Graph

SECRET = "canary-client-secret"
USER = Graph.user
CONTACTS = "https://www.googleapis.com/auth/contacts"
HOUR = 3600


class GoogleContacts(People):
    connector, book = "people", ""

    def give(self, token, of_person):
        self.tokens[token] = self.clock.now() + HOUR


class MicrosoftContacts(Graph):
    connector, book = "graph", "contacts"

    def give(self, token, of_person):
        self.add_token(token, USER if of_person else None, life=HOUR)

    def persons(self):
        return self.contacts()


class Ear(http.server.BaseHTTPRequestHandler):
    """Stands before the token endpoint and hears what is asked and answered; alters a form or loses an answer where a test says so."""

    def do_POST(self):
        w = self.server.world
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        status, body = w.forward(self.path, form)
        if w.lose > 0:
            w.lose -= 1
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and its hidden fields."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.ended = None, {}, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = a["action"]
        if tag == "input" and a.get("type") == "hidden" and not self.ended:
            self.fields[a["name"]] = a.get("value") or ""

    def handle_endtag(self, tag):
        self.ended = self.ended or tag == "form"


class Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *unused):
        return None


def fetch(url, form=None):
    """Status, body and Location, whatever the status."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    try:
        answer = urllib.request.build_opener(Unfollowed).open(url, data)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    return answer.status, answer.read(), answer.headers.get("Location")


class World:
    """One account of one service, and a site linked to it; time is the emulator's."""

    contacts = GoogleContacts

    def __init__(self, shim, flow="code", **settings):
        self.people, self.service, self.heard, self.lose, self.alter = self.contacts(), None, [], 0, lambda form: None
        self.people.tokens.clear()
        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
        self.listener.world = self
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()
        self.ear, self.port = "http://127.0.0.1:%d" % self.listener.server_address[1], foreign.free_port()
        self.upstream = "http://127.0.0.1:%d" % self.port
        self.site = Site()
        self.site.environment = {"LD_PRELOAD": shim, "SHIM_CLOCK": self.people.clock.path}
        self.keys = {"connector": self.people.connector, "url": self.people.url, "user": USER, "secret": "file:%s/secret" % self.site.folder,
                     "oauth.flow": flow, "oauth.client_id": "app", **self.addresses(), **settings}
        self.give_secret(SECRET)
        self.configure()
        self.site.run("book", "add", "Kunden", expect=0)

    def configure(self, **settings):
        self.keys.update(settings)
        with open(self.site.config, "w", encoding="utf-8") as f:
            f.write("[abgleich]\nstate = %s/state.db\n[account srv]\n" % self.site.folder)
            f.write("".join("%s = %s\n" % pair for pair in self.keys.items() if pair[1] is not None))
            f.write("[link kunden]\na = contactbox:Kunden\nb = srv:%s\nmode = two-way\nauthority = contactbox\n" % self.people.book)

    def give_secret(self, text):
        with open(self.site.folder + "/secret", "w", encoding="utf-8") as f:
            f.write(text + "\n")

    def __enter__(self):
        return self

    def __exit__(self, failed, *unused):
        self.stop()
        self.listener.shutdown()
        self.listener.server_close()
        self.people.__exit__()
        if os.path.exists(self.people.clock.path):
            os.unlink(self.people.clock.path)
        self.site.close()
        assert failed or not self.people.violations, self.people.violations

    def stop(self):
        if self.service:
            self.service.__exit__()
        self.service = None

    def forward(self, path, form):
        sent = dict(form)
        self.alter(sent)
        status, body, _ = fetch(self.upstream + path, sent)
        answer = json.loads(body or b"null")
        self.heard.append((form, status, answer))
        if status == 200 and "access_token" in answer:
            self.people.give(answer["access_token"], form["grant_type"] != "client_credentials")
        return status, body

    def refreshes(self):
        return [(form["refresh_token"], answer.get("refresh_token")) for form, status, answer in self.heard
                if form["grant_type"] == "refresh_token" and status == 200]

    def login(self, expect=0, **form):
        """`abgleich login` with a person that clicks; what it said. form: hidden fields that the person's browser sends otherwise."""
        p = subprocess.Popen([PROGRAM, "-c", self.site.config, "--language", "en", "login", "srv"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, env=dict(os.environ, **self.site.environment))
        said = ""
        for line in p.stdout:
            said += line
            address = re.search(r"(http://127\.0\.0\.1:%d/\S+)" % self.port, line)
            if address:
                self.click(address.group(1), form)
        assert p.wait() == expect, (p.returncode, said, self.heard)
        self.tells_no_secret(said)
        return said

    def click(self, address, more):
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43 and len(asked["state"]) >= 32, asked
        self.start(asked["redirect_uri"])
        status, page, location = fetch(address)
        if status == 200:
            form = Form(page.decode())
            assert form.action, page
            status, page, location = fetch(urllib.parse.urljoin(address, form.action), {**form.fields, **more})
        assert status == 302 and location.startswith(asked["redirect_uri"]), (status, page, location)
        status, page, _ = fetch(location)
        assert status == 200 and b"close this window" in page, page

    def tells_no_secret(self, text):
        secrets = [SECRET] + [a[k] for _, _, a in self.heard if isinstance(a, dict) for k in ("access_token", "refresh_token", "id_token") if k in a]
        assert not any(s in text for s in secrets), text

    def sync(self, expect=0):
        result = self.site.sync(expect)
        self.tells_no_secret(result.out + result.err)
        return result

    def later(self, seconds=HOUR):
        self.people.clock.advance(seconds)


class Emulate(World):
    """`emulate` has its applications' addresses by heart, port and all, so it starts when the login has told its own."""

    def start(self, redirect="http://127.0.0.1"):
        self.stop()
        seed = {self.name: {"users": [{"email": USER, "name": "Anna Meier"}], "oauth_clients": [
            {"client_id": "app", "client_secret": SECRET, "name": "abgleich", "redirect_uris": [redirect]}]}}
        path = self.site.folder + "/seed.json"
        with open(path, "w", encoding="utf-8") as f:
            json.dump(seed, f)
        self.service = foreign.Server(self.port, os.path.join(foreign.PACKAGES, "emulate", "dist", "index.js"), "start", "--service", self.name,
                                      "--port", str(self.port), "--seed", path)

    def signed_in(self):
        self.login()
        self.site.add(card("u1"))
        self.sync()
        assert len(self.people.persons()) == 1
        return self


class Microsoft(Emulate):
    name, contacts = "microsoft", MicrosoftContacts

    def addresses(self):
        return {"oauth.provider": "microsoft", "oauth.authorize_url": self.upstream + "/oauth2/v2.0/authorize",
                "oauth.token_url": self.ear + "/oauth2/v2.0/token", "oauth.device_url": self.ear + "/oauth2/v2.0/devicecode"}


class Google(Emulate):
    name = "google"

    def addresses(self):
        return {"oauth.provider": "google", "oauth.authorize_url": self.upstream + "/o/oauth2/v2/auth", "oauth.token_url": self.ear + "/oauth2/token"}


class Mock(World):
    def addresses(self):
        return {"oauth.authorize_url": self.upstream + "/authorize", "oauth.token_url": self.ear + "/token"}

    def start(self, *_):
        if not self.service:
            self.order()
            self.service = foreign.Server(self.port, os.path.join(foreign.SCRIPTS, "mock_sign_in.mjs"), str(self.port), self.site.folder + "/order")
        return self

    def order(self, *answers):
        with open(self.site.folder + "/order", "w", encoding="utf-8") as f:
            json.dump(answers, f)
