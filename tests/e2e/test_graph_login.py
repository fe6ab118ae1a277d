"""`abgleich login` and tokens for Microsoft Graph, against the sign-in of the emulator (tests/emulators/graph_login.py): a person in the browser, a
person at another device, an application with a secret or with a certificate; rotation, kills, and each way a sign-in can die."""

import datetime
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from harness import PROGRAM, Suite, card
from graph_case import MINUTE, Case, build_clock, person
from graph_login import APP, SECRET, TENANT, App




class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *unused):
        return None


class World(Case):
    """A mailbox with its sign-in, and a site whose account signs in there."""

    def __init__(self, shim, flow, tenant=TENANT, **more):
        super().__init__(shim)
        self.login, site = self.world.login, self.plain_site()
        self.world.tokens.clear()
        base = "%s%s/oauth2/v2.0/" % (self.login.url, tenant)
        keys = {"connector": "graph", "url": self.world.url, "user": self.world.user, "oauth.flow": flow, "oauth.client_id": APP,
                "oauth.token_url": base + "token", "oauth.device_url": base + "devicecode", "oauth.authorize_url": base + "authorize"}
        keys.update({k.replace("__", "."): v for k, v in more.items()})
        with open(site.config, "a", encoding="utf-8") as f:
            f.write("[account srv]\n" + "".join("%s = %s\n" % p for p in keys.items() if p[1] is not None))
            f.write("[link kunden]\na = contactbox:Kunden\nb = srv:contacts\nmode = two-way\nauthority = contactbox\n")
        site.run("book", "add", "Kunden", expect=0)

    def secret(self, text=SECRET):
        path = self.site.folder + "/secret"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        return path

    def start(self, *command):
        return subprocess.Popen([PROGRAM, "-c", self.site.config, "--language", "en", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, env={**os.environ, **self.site.environment})

    def log_in(self, visit=None):
        """(exit code, everything it said); visit gets the address it shows."""
        p, said = self.start("login", "srv"), ""
        for line in p.stdout:
            said += line
            found = re.search(r"(http://\S+/authorize\S+)", line)
            if found and visit:
                visit(found.group(1))
        assert "canary" not in said, said
        return p.wait(), said

    def browse(self, address):
        """What a browser does: it asks, and goes where it is sent."""
        try:
            urllib.request.build_opener(NoRedirect).open(address)
            raise AssertionError("no redirect")
        except urllib.error.HTTPError as answer:
            assert answer.code == 302, "%d %s; %s" % (answer.code, answer.read(), self.world.violations)
            where = answer.headers["Location"]
        assert where.startswith("http://localhost:"), where
        try:
            urllib.request.urlopen(where.partition("?")[0] + "?code=gestohlen&state=geraten")
            raise AssertionError("a foreign state was taken")
        except urllib.error.HTTPError as answer:
            assert answer.code == 404
        page = urllib.request.urlopen(where).read()
        assert page

    def signed_in(self):
        code, said = self.log_in(self.browse)
        assert code == 0, "%s; %s" % (said, self.world.violations)
        return self

    def run_sync(self, expect=0):
        r = self.site.sync(expect)
        assert "canary" not in r.out + r.err, r
        return r

    def grants(self):
        return [form.get("grant_type") for _, form in self.login.requests]

    def nothing_leaked(self):
        for name in os.listdir(self.site.folder):
            if name != "secret":
                with open(os.path.join(self.site.folder, name), "rb") as f:
                    assert b"canary" not in f.read(), name


def browser(shim):
    w = World(shim, "code").signed_in()
    w.site.add(card("u1"))
    w.run_sync()
    assert list(w.there()) == ["Anna"] and w.grants() == ["authorization_code"], w.grants()
    w.nothing_leaked()
    w.run_sync()
    assert len(w.login.requests) == 1, "a fresh token is not refreshed"
    return w


def browser_says_no(shim):
    w = World(shim, "code")
    w.login.consent = "access_denied"
    code, said = w.log_in(w.browse)
    assert code == 5 and not w.grants(), said
    assert w.run_sync(5)
    w.login.consent = None
    w.signed_in()
    w.run_sync()
    return w


def web_application(shim):
    """A confidential client: the secret goes along with the code and with each refresh."""
    w = World(shim, "code")
    w.login.apps[APP] = App(public=False)
    text = open(w.site.config, encoding="utf-8").read().replace("[account srv]\n", "[account srv]\nsecret = file:%s\n" % w.secret())
    open(w.site.config, "w", encoding="utf-8").write(text)
    w.signed_in()
    w.world.revoke_tokens()
    w.run_sync()
    assert w.grants() == ["authorization_code", "refresh_token"]
    return w


def device(shim):
    w = World(shim, "device")
    w.login.pending = 3
    code, said = w.log_in()
    assert code == 0 and "K7QRT9XWB" in said and w.login.url + "device" in said, "%s; %s" % (said, w.world.violations)
    assert len([g for g in w.grants() if g]) == 4
    w.site.add(card("u1"))
    w.run_sync()
    assert list(w.there()) == ["Anna"]
    w.nothing_leaked()
    return w


def device_declined(shim):
    for outcome in ("authorization_declined", "expired_token", "bad_verification_code"):
        w = World(shim, "device")
        w.login.outcome = outcome
        code, said = w.log_in()
        assert code == 5 and len([g for g in w.grants() if g]) == 1, (outcome, code, said)
        if outcome != "bad_verification_code":
            w.close()
    return w


def application(shim):
    w = World(shim, "client")
    text = open(w.site.config, encoding="utf-8").read().replace("[account srv]\n", "[account srv]\nsecret = file:%s\n" % w.secret())
    open(w.site.config, "w", encoding="utf-8").write(text)
    w.world.add(person("Lale"))
    w.site.add(card("u1"))
    w.run_sync()
    assert sorted(w.there()) == ["Anna", "Lale"] and w.grants() == ["client_credentials"]
    assert all(r.path.startswith(("/v1.0/users/", "/v1.0/$batch")) for r in w.world.requests), w.world.lines()
    w.nothing_leaked()
    w.login.apps[APP].secret_expires = w.world.clock.now() - 1
    w.world.clock.advance(2 * 3600)
    r = w.run_sync(5)
    assert "secret" in (r.out + r.err).lower(), r
    assert len(w.there()) == len(w.here()) == 2
    w.login.apps[APP].secret_expires = float("inf")
    w.world.clock.advance(2 * 3600)
    w.run_sync()
    return w


def application_with_a_certificate(shim):
    w = World(shim, "client")
    key, certificate = (os.path.join(w.site.folder, n) for n in ("key.pem", "cert.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "30", "-subj",
                    "/CN=abgleich"], check=True, stderr=subprocess.DEVNULL)
    w.login.register_certificate(certificate)
    both = os.path.join(w.site.folder, "both.pem")
    with open(both, "w", encoding="utf-8") as f:
        f.write(open(key, encoding="utf-8").read() + open(certificate, encoding="utf-8").read())
    settings = CERTIFICATE % {"key": key, "certificate": certificate, "both": both}
    text = open(w.site.config, encoding="utf-8").read().replace("[account srv]\n", "[account srv]\n" + settings)
    open(w.site.config, "w", encoding="utf-8").write(text)
    w.site.add(card("u1"))
    w.run_sync()
    assert list(w.there()) == ["Anna"] and "client_assertion" in w.login.requests[0][1] and "client_secret" not in w.login.requests[0][1]
    w.world.clock.advance(2 * 3600)
    w.run_sync()
    assert len(w.login.requests) == 2
    w.login.apps[APP].certificates.clear()
    w.world.clock.advance(2 * 3600)
    w.run_sync(5)
    return w


CERTIFICATE = "oauth.key_file = %(both)s\n"


def mailboxes_an_application_may_not_see(shim):
    w = World(shim, "client")
    text = open(w.site.config, encoding="utf-8").read().replace("[account srv]\n", "[account srv]\nsecret = file:%s\n" % w.secret())
    open(w.site.config, "w", encoding="utf-8").write(text)
    w.world.add(person("Lale"))
    w.run_sync()
    w.site.add(card("u1"))
    w.world.scoped = set()
    r = w.site.sync(None)
    assert r.code in (1, 5) and len(w.here()) == 2 and len(w.there()) == 1, r
    w.world.scoped = None
    w.world.clock.advance(61 * MINUTE)
    w.settle()
    assert len(w.there()) == 2
    return w


# -- the life of a sign-in --
def rotation(shim):
    """Every refresh token works once: each new one is kept before its access token is used."""
    w = World(shim, "code")
    w.login.life = 60  # within the time it renews early
    w.signed_in()
    for _ in range(3):
        w.run_sync()
    used = [form["refresh_token"] for _, form in w.login.requests if form.get("grant_type") == "refresh_token"]
    assert len(used) >= 3 and len(set(used)) == len(used), used
    for kind in ("both", "none"):
        w.login.rotation = kind
        w.run_sync()
        w.run_sync()
    return w


def a_lost_refresh(shim):
    """The answer to a refresh is lost, and the old refresh token lives on, or not: then a person is needed, and nothing is lost."""
    for kind, expect in (("both", 0), ("new", 5)):
        w = World(shim, "code").signed_in()
        w.login.rotation = kind
        w.world.revoke_tokens()
        w.site.add(card("u1"))
        w.login.fail("cut", after=True)
        w.site.sync(None)
        w.world.clock.advance(61 * MINUTE)
        w.run_sync(expect)
        if expect == 5:
            w.signed_in()
            w.run_sync()
            return w
        w.close()
    return None


def renewed_amid_paging(shim):
    """Tokens of a minute, and an hour of pages: 401 amid paging is renewed once, and the round goes on."""
    w = World(shim, "code").signed_in()
    for i in range(9):
        w.world.add(person("P%d" % i))
    w.world.delta.page = 2
    met = []

    def at(moment, _number, request):
        if moment == "arrived" and "skiptoken" in request.path:
            met.append(1)
            if len(met) in (1, 4):
                w.world.revoke_tokens()
        return None

    w.world.at = at
    w.run_sync()
    assert len(w.here()) == 9 and w.grants().count("refresh_token") == 2, w.grants()
    w.calm()
    w.quiet()
    return w


def refused_for_good(shim):
    """Graph refuses every token, however fresh: one renewal, then exit 5."""
    w = World(shim, "code").signed_in()
    w.world.fail("401", times=None)
    r = w.run_sync(5)
    assert "abgleich login srv" in r.out + r.err and w.grants() == ["authorization_code", "refresh_token"], (w.grants(), r)
    w.calm()
    w.world.clock.advance(61 * MINUTE)
    w.signed_in()
    w.run_sync()
    return w


def a_person_is_needed(shim):
    """401 with claims: exit 5 and what to do, without renewing again and again."""
    w = World(shim, "code").signed_in()
    w.world.fail("401 claims", times=None)
    r = w.run_sync(5)
    assert "abgleich login srv" in r.out + r.err and w.grants() == ["authorization_code"], (w.grants(), r)
    w.calm()
    w.signed_in()
    w.run_sync()
    return w


DEATHS = (("invalid_grant", 700082, None), ("invalid_grant", 50173, None), ("interaction_required", 50076, None),
          ("interaction_required", 50079, None), ("consent_required", 65001, "the administrator agrees"), ("login_required", 50058, None), ("invalid_grant", 53003, "Conditional Access"),
          ("invalid_client", 7000222, "secret"), ("unauthorized_client", 700016, "oauth.client_id"))


def ways_to_die(shim):
    """Exit 5, what to do, nothing lost, and not asked again within the hour; then a login mends it."""
    for error, code, word in DEATHS:
        w = World(shim, "code").signed_in()
        w.site.add(card("u1"))
        w.world.revoke_tokens()
        w.login.fail(error, code, times=None)
        r = w.run_sync(5)
        assert (word or "abgleich login srv") in r.out + r.err, (error, code, r)
        asked = len(w.login.requests)
        for _ in range(3):
            w.world.clock.advance(10 * MINUTE)
            w.run_sync(5)
        assert len(w.login.requests) == asked, "a dead sign-in was asked again: %s" % w.grants()
        assert "sign-in" in w.site.run("account", "list").out and len(w.here()) == 1 and not w.there()
        w.login.orders.clear()
        w.signed_in()
        w.run_sync()
        assert len(w.there()) == 1
        if error != "unauthorized_client":
            w.close()
    return w


def trouble_that_passes(shim):
    """temporarily_unavailable, 5xx, a web page: no death."""
    for error in ("temporarily_unavailable", "busy", "html", "cut"):
        w = World(shim, "code").signed_in()
        w.site.add(card("u1"))
        w.world.revoke_tokens()
        w.login.fail(error, 90033, times=None, status=503 if error == "temporarily_unavailable" else 400)
        r = w.site.sync(None)
        assert r.code in (1, 6), (error, r)
        w.login.orders.clear()
        w.run_sync()
        assert len(w.there()) == 1
        if error != "cut":
            w.close()
    return w


def nobody_signed_in(shim):
    w = World(shim, "device")
    r = w.run_sync(5)
    assert "abgleich login srv" in r.out + r.err, r
    assert not w.login.requests and not w.world.requests
    return w


def a_secret_that_ends_soon(shim):
    """The day a secret expires is known from the configuration: it is told a month ahead, to whoever looks."""
    w = World(shim, "client")
    day = (datetime.date.today() + datetime.timedelta(days=20)).isoformat()
    text = open(w.site.config, encoding="utf-8").read().replace("[account srv]\n", "[account srv]\nsecret = file:%s\noauth.secret_expires = %s\n" % (
        w.secret(), day))
    open(w.site.config, "w", encoding="utf-8").write(text)
    w.run_sync()
    listed = w.site.run("account", "list", expect=0).out
    assert "ends" in listed or "expires" in listed, listed
    return w


def killed_at_each_renewal(shim):
    """kill -9 when the sign-in was asked, and when it has answered: at most a person is asked to sign in again; never a loop, never a loss."""
    for after in (False, True):
        for rotation_kind in ("new", "both"):
            w = World(shim, "code").signed_in()
            w.login.rotation = rotation_kind
            w.world.revoke_tokens()
            w.site.add(card("u1"))
            process, real = [], w.login.refresh_token

            def dies(form, app, tenant, process=process, real=real, after=after):
                answer = real(form, app, tenant) if after else None
                process[0].kill()
                process[0].wait()
                return answer or (503, {"error": "temporarily_unavailable", "error_codes": [0]})

            w.login.GRANTS = {**w.login.GRANTS, "refresh_token": lambda _self, form, app, tenant, dies=dies: dies(form, app, tenant)}
            with w.world.lock:
                process.append(w.start("-q", "sync", "kunden"))
            process[0].wait()
            del w.login.GRANTS
            r = w.site.sync(None)
            assert r.code == (5 if after and rotation_kind == "new" else 0), (after, rotation_kind, r)
            if r.code == 5:
                w.signed_in()
                w.run_sync()
            assert len(w.there()) == 1
            if not (after and rotation_kind == "both"):
                w.close()
    return w


CASES = (browser, browser_says_no, web_application, device, device_declined, application, application_with_a_certificate,
         mailboxes_an_application_may_not_see, rotation, a_lost_refresh, renewed_amid_paging, refused_for_good, a_person_is_needed, ways_to_die,
         trouble_that_passes, nobody_signed_in, a_secret_that_ends_soon, killed_at_each_renewal)


def run_case(function, shim):
    function(shim).close()


def main():
    suite, only = Suite("login for graph"), sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        shim = build_clock(folder)
        for function in CASES:
            title = function.__name__.replace("_", " ")
            if not only or title in only:
                suite.run(title, run_case, function, shim)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
