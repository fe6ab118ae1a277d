"""abgleich signing in at services that nobody here wrote: `emulate` as Microsoft and as Google, oauth2-mock-server, and what it signs before
the library jose. Contacts come from the emulators, which take only tokens that those services handed out, and each for its time."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading

import foreign
from harness import PROGRAM, Suite, card
from sign_in_services import CONTACTS, HOUR, SECRET, USER, Google, Microsoft, Mock, fetch
from test_people import build_clock


# -- emulate --

def a_person(world):
    """Code and PKCE; the sign-in lasts, and a fresh token is not refreshed."""
    with world as w:
        said = w.login()
        assert "signed in" in said, said
        [(form, status, answer)] = w.heard
        assert status == 200 and answer["token_type"] == "Bearer" and answer["id_token"], answer
        assert 43 <= len(form["code_verifier"]) <= 128 and form["client_secret"] == SECRET, form
        w.site.add(card("u1"))
        w.sync()
        w.sync()
        assert len(w.heard) == 1 and len(w.people.persons()) == 1
        assert w.site.run("--json", "account", "list").json()[0]["sign_in"] == "fine"


def microsoft_comes_back_to_localhost(world):
    """Microsoft's portal registers http://localhost for any port, and no other loopback address."""
    with world as w:
        addresses = []
        w.start = lambda redirect, start=w.start: (addresses.append(redirect), start(redirect))
        w.login()
        assert re.fullmatch(r"http://localhost:\d+", addresses[0]), addresses


def each_refresh_token_once(world):
    """Microsoft: each refresh brings a new refresh token, and the old one is dead."""
    with world.signed_in() as w:
        for _ in range(3):
            w.later()
            w.sync()
        used = w.refreshes()
        assert len(used) == 3 and all(used[i][1] == used[i + 1][0] for i in range(2)) and len(set(used)) == 3, used
        status, body, _ = fetch(w.upstream + "/oauth2/v2.0/token", {"grant_type": "refresh_token", "refresh_token": used[0][0], "client_id": "app",
                                                                    "client_secret": SECRET})
        assert status == 400 and b"invalid_grant" in body, body


def the_same_refresh_token(world):
    """Google: no new one comes, so the old one goes on."""
    with world.signed_in() as w:
        first = w.heard[0][2]["refresh_token"]
        for _ in range(3):
            w.later()
            w.sync()
        assert w.refreshes() == [(first, None)] * 3, w.refreshes()


def killed_after_a_refresh(world):
    """kill -9 at the first request that carries the new access token: the new refresh token was kept before."""
    with world.signed_in() as w:
        w.later()
        started, process = threading.Event(), []

        def at(moment, _number, _request):
            assert started.wait(30)
            process[0].kill()
            return "cut"

        w.people.at = at
        process.append(subprocess.Popen([PROGRAM, "-c", w.site.config, "sync", "kunden"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, **w.site.environment)))
        started.set()
        assert process[0].wait() == -9
        assert len(w.refreshes()) == 1
        w.people.at = lambda *unused: None
        w.later()
        w.sync()
        assert w.refreshes()[1][0] == w.refreshes()[0][1], w.refreshes()


def a_refresh_whose_answer_was_lost(world):
    """Where the old token died with it the sign-in is dead: said, without loss, and a new login mends it."""
    with world.signed_in() as w:
        w.later()
        w.lose = 1
        w.sync(6)
        if w.name == "google":
            return w.sync()
        r = w.sync(5)
        assert "abgleich login srv" in r.out + r.err and "invalid_grant" in r.out + r.err, r
        heard = len(w.heard)
        w.sync(5)
        assert len(w.heard) == heard, "a dead sign-in was asked again"
        assert w.site.run("--json", "account", "list").json()[0]["sign_in"] == "dead"
        assert len(w.site.contacts()) == len(w.people.persons()) == 1
        w.login()
        w.sync()


def taken_back(world):
    """The person takes the sign-in back at Google's."""
    with world.signed_in() as w:
        fetch(w.upstream + "/oauth2/revoke", {"token": w.heard[0][2]["refresh_token"]})
        w.later()
        r = w.sync(5)
        assert "abgleich login srv" in r.out + r.err, r
        w.login()
        w.sync()


def a_verifier_that_does_not_fit(world):
    with world as w:
        w.alter = lambda form: form.update(code_verifier="x" * 43)
        said = w.login(5)
        assert w.heard[0][1] == 400 and w.heard[0][2]["error"] == "invalid_grant" and "invalid_grant" in said, (said, w.heard)


def a_wrong_secret(world):
    """Refused once and not asked again for an hour, but at once when it was replaced."""
    with world as w:
        w.give_secret("of another application")
        said = w.login(5) if w.keys["oauth.flow"] == "code" else w.start() or w.login(5)
        assert w.heard[0][1] == 401 and "invalid_client" in said and "secret" in said, (said, w.heard)
        if w.keys["oauth.flow"] == "code":
            return
        w.sync(5)
        heard = len(w.heard)
        w.sync(5)
        assert len(w.heard) == heard, "a refused secret was sent again at once"
        w.later(HOUR + 60)
        w.sync(5)
        assert len(w.heard) == heard + 1
        w.give_secret(SECRET)
        w.sync()


def the_application_itself(world):
    with world as w:
        w.start()
        w.site.add(card("u1"))
        w.sync()
        form, status, answer = w.heard[0]
        assert status == 200 and form["scope"] == "https://graph.microsoft.com/.default" and "refresh_token" not in answer, w.heard
        w.sync()
        assert len(w.heard) == 1
        w.later()
        w.sync()
        assert [f["grant_type"] for f, _, _ in w.heard] == ["client_credentials"] * 2


def a_tick_taken_out(world):
    """Google lets people untick a scope and signs them in all the same: without contacts that is no sign-in."""
    with world as w:
        said = w.login(5, scope="openid email")
        assert w.heard[0][1] == 200 and "contacts" in said and "abgleich login srv" in said, said
        assert w.site.run("--json", "account", "list").json()[0]["sign_in"] == "none"
        w.login()
        w.sync()


def kinds_it_does_not_know(shim):
    """What a service does not offer is said, as what it is."""
    with Microsoft(shim, "device") as w:
        w.start()
        assert "404" in w.login(6)
    with Microsoft(shim, "service") as w:
        w.start()
        google_file(w)
        said = w.login(5)
        assert w.heard[0][2]["error"] == "unsupported_grant_type" and "oauth.flow" in said, said
    with Google(shim, "service") as w:
        w.start()
        google_file(w)
        assert "invalid_client" in w.login(5)
        assert w.heard[0][1] == 401, w.heard


# -- oauth2-mock-server, and jose --

def make_key(folder):
    path = folder + "/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out", path + ".crt", "-days", "30",
                    "-subj", "/CN=abgleich"], check=True, stderr=subprocess.DEVNULL)
    return path


def google_file(w):
    path = make_key(w.site.folder)
    with open(path, encoding="utf-8") as key, open(w.site.folder + "/google.json", "w", encoding="utf-8") as f:
        json.dump({"type": "service_account", "client_email": "robot@project.iam.gserviceaccount.com", "private_key_id": "k1",
                   "private_key": key.read()}, f)
    w.configure(**{"oauth.key_file": w.site.folder + "/google.json", "secret": None})
    return path


def judged(w, path, algorithm, assertion):
    [told] = foreign.run_client("judge.mjs", path, algorithm, w.keys["oauth.token_url"], text=assertion)
    return told["header"], told["claims"]


def a_certificate(shim):
    """PS256, and RS256 where it is set: fresh ids, five to ten minutes, the certificate's thumbprint, no secret beside it."""
    with Mock(shim, "client") as w:
        path = make_key(w.site.folder)
        with open(path, "a", encoding="utf-8") as key, open(path + ".crt", encoding="utf-8") as certificate:
            key.write(certificate.read())
        ids = set()
        for algorithm in ("PS256", "RS256"):
            w.configure(**{"oauth.key_file": path, "oauth.algorithm": None if algorithm == "PS256" else algorithm})
            w.start().login()
            form, status, _ = w.heard[-1]
            assert status == 200 and "client_secret" not in form and form["client_assertion_type"].endswith(":jwt-bearer"), form
            header, claims = judged(w, path, algorithm, form["client_assertion"])
            assert header["typ"] == "JWT" and claims["iss"] == claims["sub"] == "app", (header, claims)
            assert 300 <= claims["exp"] - claims["nbf"] <= 600 and claims["nbf"] <= claims["iat"], claims
            ids.add(claims["jti"])
        assert len(ids) == 2
        w.sync()
        the_judge_bites(w, path, form["client_assertion"])


def the_judge_bites(w, path, assertion):
    """Another algorithm, another audience, a changed text and another key are refused."""
    head, claims, signature = assertion.split(".")
    other = make_key(tempfile.mkdtemp(dir=w.site.folder))
    for file, algorithm, audience, text in ((path, "PS256", w.keys["oauth.token_url"], assertion), (path, "RS256", "https://else", assertion),
                                            (path, "RS256", w.keys["oauth.token_url"], ".".join((head, claims[:-4] + "AAAA", signature))),
                                            (other, "RS256", w.keys["oauth.token_url"], assertion)):
        try:
            foreign.run_client("judge.mjs", file, algorithm, audience, text=text)
        except AssertionError:
            continue
        raise AssertionError("the judge took it: %s %s" % (algorithm, audience))


def a_service_account(shim):
    """Google's robot with delegation: RS256, the person as subject, the scope inside; the token it gets is for that person."""
    with Mock(shim, "service") as w:
        path = google_file(w)
        w.start()
        w.site.add(card("u1"))
        w.sync()
        form, status, answer = w.heard[0]
        header, claims = judged(w, path, "RS256", form["assertion"])
        assert header["kid"] == "k1" and header["typ"] == "JWT", header
        assert claims["iss"] == "robot@project.iam.gserviceaccount.com" and claims["sub"] == USER and claims["scope"] == CONTACTS, claims
        assert claims["exp"] - claims["iat"] <= HOUR and set(form) == {"grant_type", "assertion"}, (claims, form)
        assert status == 200 and len(w.people.persons()) == 1
        w.later()
        w.sync()
        assert len(w.heard) == 2 and w.heard[1][0]["assertion"] != form["assertion"], "signed again, there is no refresh token"


def a_person_at_the_mock(shim):
    """Its PKCE looks at the verifier's form, too; a token refreshed by it lives."""
    with Mock(shim) as w:
        w.alter = lambda form: form.update(scope=CONTACTS)  # it tells back what the token request says, and "dummy" otherwise
        w.login()
        w.sync()
        for _ in range(2):
            w.later()
            w.sync()
        used = w.refreshes()
        assert len(used) == 2 and used[1][0] == used[0][1], used


def a_problem_document(shim):
    """Errors that are none of RFC 6749: nothing is taken for dead, and the next run tries again."""
    with Mock(shim, "service") as w:
        google_file(w)
        w.start()
        for wrong in ({"assertion": "no JWT"}, {"grant_type": "urn:example:odd"}):
            w.alter = lambda form, wrong=wrong: form.update(wrong)
            r = w.sync(6)
            assert w.heard[-1][1] == 400 and "title" in w.heard[-1][2] and "error" not in w.heard[-1][2], w.heard[-1]
            assert "400" in r.out + r.err, r
        w.alter = lambda form: None
        w.sync()


ANSWERS = (  # what the service answers to a refresh, and with which exit code the run ends; 0: the sign-in goes on
    ("life as a text", {"body": {"expires_in": "3600"}}, 0),
    ("no life told", {"body": {"expires_in": None}}, 0),
    ("a negative life", {"body": {"expires_in": -1}}, 0),
    ("no new refresh token", {"body": {"refresh_token": None}}, 0),
    ("an empty refresh token", {"body": {"refresh_token": ""}}, 0),
    ("a refresh token that is no text", {"body": {"refresh_token": 7}}, 0),
    ("kind in other letters", {"body": {"token_type": "bearer"}}, 0),
    ("no kind", {"body": {"token_type": None}}, 0),
    ("another kind", {"body": {"token_type": "mac"}}, 6),
    ("no token", {"body": {"access_token": None}}, 6),
    ("an error with 200", {"body": {"error": "server_error"}}, 6),
    ("temporarily unavailable", {"status": 400, "body": {"error": "temporarily_unavailable"}}, 6),
    ("busy", {"status": 503, "body": {}}, 6),
    ("too many", {"status": 429, "body": {"error": "invalid_grant"}}, 0),  # waits, and asks again
)


def odd_answers(shim):
    """The service breaks single answers; afterwards the sign-in still works, whatever came."""
    with Mock(shim) as w:
        w.alter = lambda form: form.update(scope=CONTACTS)
        w.login()
        kept = w.heard[-1][2]["refresh_token"]
        for title, answer, expect in ANSWERS:
            w.later()
            w.order(answer)
            heard = len(w.heard)
            result = w.site.sync(None)
            assert result.code == expect and len(w.heard) == heard + (2 if answer.get("status") == 429 else 1), (title, result, w.heard[heard:])
            told = w.heard[-1][2].get("refresh_token")
            kept = told if expect == 0 and told and isinstance(told, str) else kept
            w.later()
            assert w.site.sync(None).code == 0, (title, "the sign-in did not go on")
            assert w.heard[-1][0]["refresh_token"] == kept, (title, w.heard[-2:], kept)
            kept = w.heard[-1][2]["refresh_token"]


SCOPES = (  # what the service says it granted, and whether that is enough
    (None, 0), ("contacts openid", 0), ("HTTPS://WWW.GOOGLEAPIS.COM/AUTH/CONTACTS", 0), ("openid " + CONTACTS, 0), (CONTACTS + ".readonly", 5),
    ("openid", 5), ("dummy", 5))


def scopes_told_back(shim):
    with Mock(shim) as w:
        for scope, expect in SCOPES:
            w.start().order({"body": {"scope": scope}})
            w.login(expect)


def cases(shim):
    yield "microsoft: a person", a_person, Microsoft(shim)
    yield "google: a person", a_person, Google(shim)
    yield "microsoft: back to localhost", microsoft_comes_back_to_localhost, Microsoft(shim)
    yield "microsoft: each refresh token once", each_refresh_token_once, Microsoft(shim)
    yield "google: the same refresh token", the_same_refresh_token, Google(shim)
    yield "microsoft: killed after a refresh", killed_after_a_refresh, Microsoft(shim)
    yield "microsoft: a refresh whose answer was lost", a_refresh_whose_answer_was_lost, Microsoft(shim)
    yield "google: a refresh whose answer was lost", a_refresh_whose_answer_was_lost, Google(shim)
    yield "google: taken back", taken_back, Google(shim)
    yield "microsoft: a verifier that does not fit", a_verifier_that_does_not_fit, Microsoft(shim)
    yield "google: a verifier that does not fit", a_verifier_that_does_not_fit, Google(shim)
    yield "microsoft: a wrong secret at a login", a_wrong_secret, Microsoft(shim)
    yield "google: a wrong secret at a login", a_wrong_secret, Google(shim)
    yield "microsoft: a wrong secret of the application", a_wrong_secret, Microsoft(shim, "client")
    yield "microsoft: the application itself", the_application_itself, Microsoft(shim, "client")
    yield "google: a tick taken out", a_tick_taken_out, Google(shim)
    yield "kinds of sign-in that a service does not know", kinds_it_does_not_know, shim
    yield "a certificate, before jose", a_certificate, shim
    yield "a service account, before jose", a_service_account, shim
    yield "mock: a person", a_person_at_the_mock, shim
    yield "mock: a problem document", a_problem_document, shim
    yield "mock: odd answers", odd_answers, shim
    yield "mock: scopes told back", scopes_told_back, shim


def main():
    suite = Suite("foreign sign-in")
    suite.run("the packages are there", foreign.are_there)
    with tempfile.TemporaryDirectory() as folder:
        for title, function, world in cases(build_clock(folder)):
            if len(sys.argv) < 2 or any(word in title for word in sys.argv[1:]):
                suite.run(title, function, world)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
