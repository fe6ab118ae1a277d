"""The sign-in beside the Graph emulator: the four flows as a right client does them, and each wrong request that it must tell."""

import base64
import hashlib
import http.client
import json
import subprocess
import sys
import tempfile
import urllib.parse
import uuid

from harness import Suite
from graph_login import APP, ASSERTION, DEVICE, SECRET, TENANT, App
from microsoft_graph import Graph
from test_graph_emulator import call, told

SCOPES = "offline_access Contacts.ReadWrite User.Read"
REDIRECT = "http://localhost:48123"
VERIFIER = "v" * 43


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def request(w, method, path, data=None, kind="application/x-www-form-urlencoded"):
    """(status, body or Location)"""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(w.login.url).netloc, timeout=20)
    try:
        connection.request(method, path, data, {"Content-Type": kind} if data is not None else {})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 302:
            return 302, answer.headers["Location"]
        return answer.status, json.loads(text) if answer.headers["Content-Type"].startswith("application/json") else text
    except (OSError, http.client.HTTPException) as why:
        return type(why).__name__, None
    finally:
        connection.close()


def post(w, what="token", tenant=TENANT, **form):
    return request(w, "POST", "/%s/oauth2/v2.0/%s" % (tenant, what), urllib.parse.urlencode(form))


def refused(w, got, error, code, sentence=None, status=400):
    assert got[0] == status and got[1]["error"] == error and got[1]["error_codes"] == [code], (got, w.violations)
    assert ("AADSTS%d" % code) in got[1]["error_description"]
    if sentence:
        told(w, sentence)
    assert not w.violations, w.violations


# -- an application --
def application(w, **changed):
    form = {"grant_type": "client_credentials", "client_id": APP, "scope": "https://graph.microsoft.com/.default", "client_secret": SECRET}
    form.update(changed)
    return post(w, tenant=form.pop("tenant", TENANT), **{k: v for k, v in form.items() if v is not None})


def secrets(w):
    status, body = application(w)
    assert status == 200 and "refresh_token" not in body and body["expires_in"] == 3599 and len(body["access_token"]) > 1000, body
    w.password = body["access_token"]
    assert call(w, "GET", "/users/%s/contacts" % w.user).status == 200
    refused(w, application(w, client_secret="falsch"), "invalid_client", 7000215, status=401)
    refused(w, application(w, client_secret=None), "invalid_client", 7000218, "no proof", 401)
    refused(w, application(w, client_id="x"), "unauthorized_client", 700016)
    refused(w, application(w, scope="Contacts.ReadWrite"), "invalid_scope", 1002012, "scope of client_credentials")
    refused(w, application(w, tenant="common"), "invalid_request", 50059, "client_credentials at /common")
    refused(w, application(w, tenant="nobody.example"), "invalid_request", 90002)
    refused(w, application(w, grant_type="password"), "unsupported_grant_type", 70003, "grant_type password")
    refused(w, application(w, scope=None), "invalid_request", 900144, "client_credentials lacks ['scope']")
    application(w, redirect_uri="x")
    told(w, "does not take")
    w.login.apps[APP].secret_expires = w.clock.now() - 1
    refused(w, application(w), "invalid_client", 7000222, status=401)
    answer = request(w, "POST", "/%s/oauth2/v2.0/token" % TENANT, "{}", "application/json")
    refused(w, answer, "invalid_request", 900144, "a POST of a form")
    refused(w, request(w, "POST", "/oauth2/token", "a=b"), "invalid_request", 90002, "nothing to sign in at", 404)


class Key:
    def __init__(self, folder, name):
        self.key, self.certificate = "%s/%s.key" % (folder, name), "%s/%s.pem" % (folder, name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", "30",
                        "-subj", "/CN=abgleich"], check=True, stderr=subprocess.DEVNULL)
        self.der = subprocess.run(["openssl", "x509", "-in", self.certificate, "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout

    def assertion(self, w, algorithm="PS256", pss=32, head=(), **claims):
        thumb = {"x5t#S256": b64(hashlib.sha256(self.der).digest())} if algorithm == "PS256" else {"x5t": b64(hashlib.sha1(self.der).digest())}
        now = int(w.clock.now())
        said = {"aud": w.login.token_url(), "iss": APP, "sub": APP, "jti": str(uuid.uuid4()), "nbf": now, "iat": now, "exp": now + 600, **claims}
        text = "%s.%s" % tuple(b64(json.dumps(p).encode()) for p in ({"alg": algorithm, "typ": "JWT", **thumb, **dict(head)}, said))
        more = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:%d" % pss] if algorithm == "PS256" else []
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key, *more], input=text.encode(), check=True,
                                   stdout=subprocess.PIPE).stdout
        return text + "." + b64(signature)


def certificates(w):
    with tempfile.TemporaryDirectory() as folder:
        key, other = Key(folder, "a"), Key(folder, "b")
        w.login.register_certificate(key.certificate)
        sign_in = lambda text, **more: application(
            w, **{"client_secret": None, "client_assertion": text, "client_assertion_type": ASSERTION, **more})
        assert sign_in(key.assertion(w))[0] == 200 and sign_in(key.assertion(w, "RS256"))[0] == 200, w.violations
        text, now = key.assertion(w), int(w.clock.now())
        assert sign_in(text)[0] == 200
        refused(w, sign_in(text), "invalid_client", 700021, "jti is not fresh", 401)
        refused(w, sign_in(other.assertion(w)), "invalid_client", 700027, status=401)
        refused(w, sign_in(key.assertion(w, pss=20)), "invalid_client", 700027, status=401)
        forged = key.assertion(w).split(".")
        refused(w, sign_in(".".join(forged[:2] + [key.assertion(w).split(".")[2]])), "invalid_client", 700027, status=401)
        refused(w, sign_in(key.assertion(w, head={"x5t#S256": None})), "invalid_client", 700027, status=401)
        refused(w, sign_in(key.assertion(w, head={"alg": "none"})), "invalid_client", 700021, "header is", 401)
        refused(w, sign_in(key.assertion(w, aud=w.login.url)), "invalid_client", 700021, "aud is", 401)
        refused(w, sign_in(key.assertion(w, sub="x")), "invalid_client", 700021, "sub is", 401)
        refused(w, sign_in(key.assertion(w, iat=now - 7200, nbf=now - 7200, exp=now - 6600)), "invalid_client", 700024, status=401)
        refused(w, sign_in(key.assertion(w, exp=now + 86400)), "invalid_client", 700021, "nbf, iat, exp", 401)
        refused(w, sign_in("kein.JWT"), "invalid_client", 50027, "no JWT", 401)
        refused(w, sign_in(key.assertion(w), client_secret=SECRET), "invalid_request", 900144, "secret and assertion")


# -- a person in the browser --
def authorize(w, **changed):
    query = {"client_id": APP, "response_type": "code", "redirect_uri": REDIRECT, "scope": SCOPES, "state": "s" * 22,
             "code_challenge": b64(hashlib.sha256(VERIFIER.encode()).digest()), "code_challenge_method": "S256", "response_mode": "query"}
    query.update(changed)
    query = {k: v for k, v in query.items() if v is not None}
    return request(w, "GET", "/%s/oauth2/v2.0/authorize?%s" % (TENANT, urllib.parse.urlencode(query)))


def came_back(got):
    assert got[0] == 302 and got[1].startswith(REDIRECT), got
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(got[1]).query))


def redeem(w, code, **changed):
    form = {"grant_type": "authorization_code", "client_id": APP, "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    form.update(changed)
    return post(w, **{k: v for k, v in form.items() if v is not None})


def browser(w):
    back = came_back(authorize(w))
    assert back["state"] == "s" * 22
    status, body = redeem(w, back["code"])
    assert status == 200 and body["refresh_token"], body
    w.password = body["access_token"]
    assert call(w, "GET", "/me").status == 200 and call(w, "GET", "/me/contacts").status == 200
    refused(w, redeem(w, back["code"]), "invalid_grant", 70008)
    refused(w, redeem(w, came_back(authorize(w))["code"], code_verifier="x" * 43), "invalid_grant", 501481, "PKCE")
    refused(w, redeem(w, came_back(authorize(w))["code"], code_verifier="kurz"), "invalid_grant", 501481, "malformed")
    refused(w, redeem(w, came_back(authorize(w))["code"], redirect_uri="http://localhost:1"), "invalid_grant", 500112, "differs")
    refused(w, redeem(w, came_back(authorize(w))["code"], client_secret=SECRET), "invalid_client", 700025, "public client", 401)
    late = came_back(authorize(w))["code"]
    w.clock.advance(601)
    refused(w, redeem(w, late), "invalid_grant", 70008)
    assert "refresh_token" not in redeem(w, came_back(authorize(w, scope="Contacts.ReadWrite"))["code"])[1]
    w.login.consent = "access_denied"
    assert came_back(authorize(w))["error"] == "access_denied"
    w.login.consent, w.login.apps[APP].consented = None, set()
    assert "AADSTS65001" in came_back(authorize(w))["error_description"]


BAD_PAGES = (({"redirect_uri": "http://127.0.0.1:48123"}, 50011, "not registered"), ({"redirect_uri": "https://evil.example/"}, 50011, "not registered"),
             ({"state": None}, 900144, "authorize lacks"), ({"code_challenge": None}, 900144, "authorize lacks"),
             ({"code_challenge_method": "plain"}, 900971, "S256"), ({"response_type": "token"}, 900971, "without code"),
             ({"response_mode": "form_post"}, 70007, "response_mode"))


def bad_pages(w):
    for changed, code, sentence in BAD_PAGES:
        refused(w, authorize(w, **changed), "invalid_request", code, sentence)
    came_back(authorize(w, scope="Contacts.Write"))
    told(w, "unknown scope")
    came_back(authorize(w, state="kurz"))
    told(w, "guessed")


def proof_of_web_applications(w):
    w.login.apps["web"] = App(public=False)
    code = lambda: came_back(authorize(w, client_id="web"))["code"]
    refused(w, redeem(w, code(), client_id="web"), "invalid_client", 7000218, "no proof", 401)
    assert redeem(w, code(), client_id="web", client_secret=SECRET)[0] == 200


# -- refreshing --
def signed_in(w):
    return redeem(w, came_back(authorize(w))["code"])[1]["refresh_token"]


def refresh(w, token, **changed):
    return post(w, **{"grant_type": "refresh_token", "client_id": APP, "refresh_token": token, "scope": SCOPES, **changed})


def rotation(w):
    first = signed_in(w)
    second = refresh(w, first)[1]["refresh_token"]
    assert second != first
    refused(w, refresh(w, first), "invalid_grant", 70000)
    w.login.rotation = "both"
    third = refresh(w, second)[1]["refresh_token"]
    assert refresh(w, second)[0] == refresh(w, third)[0] == 200
    w.login.rotation = "none"
    assert "refresh_token" not in refresh(w, third)[1] and refresh(w, third)[0] == 200
    refused(w, refresh(w, "erfunden"), "invalid_grant", 70000, "nobody gave")
    refused(w, refresh(w, third, scope=SCOPES + " Contacts.ReadWrite.Shared"), "invalid_grant", 65001, "asks for more")
    w.clock.advance(91 * 86400)
    refused(w, refresh(w, third), "invalid_grant", 700082)
    fresh = signed_in(w)
    w.login.revoke(w.user)
    refused(w, refresh(w, fresh), "invalid_grant", 50173)


def refusals_on_order(w):
    token = signed_in(w)
    for error, code in (("invalid_grant", 50173), ("interaction_required", 50076), ("consent_required", 65001), ("login_required", 50058),
                        ("invalid_client", 7000222), ("unauthorized_client", 700016), ("temporarily_unavailable", 90033), ("invalid_grant", 53003)):
        w.login.fail(error, code, suberror="basic_action")
        status, body = refresh(w, token)
        assert status == 400 and body["error"] == error and body["error_codes"] == [code] and body["suberror"] == "basic_action", body
    w.login.fail("invalid_grant", 50173, times=None)
    assert [refresh(w, token)[0] for _ in range(3)] == [400] * 3
    w.login.orders.clear()
    w.login.fail("busy", on="refresh_token")
    assert came_back(authorize(w)) and refresh(w, token)[0] == 503
    w.login.fail("html")
    assert b"<html>" in refresh(w, token)[1]
    w.login.fail("cut", after=True)
    assert refresh(w, token)[0] == "RemoteDisconnected"
    refused(w, refresh(w, token), "invalid_grant", 70000)


# -- a device --
def device(w):
    status, started = post(w, "devicecode", client_id=APP, scope=SCOPES)
    assert status == 200 and started["interval"] == 5 and started["verification_uri"] == w.login.url + "device", started
    poll = lambda: post(w, grant_type=DEVICE, client_id=APP, device_code=started["device_code"])
    refused(w, poll(), "slow_down", 70016, "less than its interval")
    w.clock.advance(5)
    refused(w, poll(), "slow_down", 70016, "less than its interval")
    w.clock.advance(16)
    refused(w, poll(), "authorization_pending", 70016)
    w.clock.advance(16)
    status, body = poll()
    assert status == 200 and body["refresh_token"], body
    w.clock.advance(16)
    refused(w, poll(), "expired_token", 70020)
    refused(w, post(w, grant_type=DEVICE, client_id=APP, device_code="x"), "bad_verification_code", 70018, "nobody gave")
    for outcome in ("authorization_declined", "expired_token"):
        started = post(w, "devicecode", client_id=APP, scope=SCOPES)[1]
        w.login.outcome = outcome
        w.clock.advance(6)
        refused(w, poll(), outcome, 70018)
    w.login.outcome, started = None, post(w, "devicecode", client_id=APP, scope=SCOPES)[1]
    w.clock.advance(901)
    refused(w, poll(), "expired_token", 70020)
    refused(w, post(w, "devicecode", client_id=APP), "invalid_request", 900144, "devicecode takes")


CASES = (secrets, certificates, browser, bad_pages, proof_of_web_applications, rotation, refusals_on_order, device)


def run_case(function):
    with Graph() as w:
        function(w)
        assert not w.violations, w.violations


def main():
    suite, only = Suite("sign-in beside the Graph emulator"), sys.argv[1:]
    for function in CASES:
        title = function.__name__.replace("_", " ")
        if not only or title in only:
            suite.run(title, run_case, function)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
