"""The sign-in of Microsoft's cloud (login.microsoftonline.com) beside the Graph emulator: four flows, assertions checked by the openssl program,
refresh tokens that rotate, every refusal on order. Strict: what the pages forbid is a violation of the world's."""

import base64
import hashlib
import hmac
import html
import json
import os
import re
import subprocess
import tempfile
import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler

from graph_http import PAGE, PROXY, Listener

TENANT, TENANT_ID = "contoso.example", "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
SHARED = ("organizations", "consumers", "common")
APP, SECRET = "4f2b7a0e-5d0c-4b7b-9a2c-0c6f0d1e9a11", "canary~App.Secret-8Q"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
DELEGATED = {"Contacts.ReadWrite", "Contacts.Read", "Contacts.ReadWrite.Shared", "User.Read"}
AROUND = {"offline_access", "openid", "profile", "email"}
PROOF = {"client_secret", "client_assertion", "client_assertion_type"}
ALLOWED = {  # grant_type: (what must be there, what may)
    "client_credentials": ({"client_id", "scope"}, PROOF),
    "authorization_code": ({"client_id", "code", "redirect_uri", "code_verifier"}, PROOF | {"scope"}),
    "refresh_token": ({"client_id", "refresh_token"}, PROOF | {"scope"}),
    DEVICE: ({"client_id", "device_code"}, PROOF),
}


class Denied(Exception):
    def __init__(self, error, code, text, wrong=None, status=400, **more):
        super().__init__(text)
        self.status, self.wrong = status, wrong
        self.body = {"error": error, "error_description": "AADSTS%d: %s Trace ID: %s Timestamp: 2026-11-26 20:00:00Z" % (code, text, uuid.uuid4()),
                     "error_codes": [code], "timestamp": "2026-11-26 20:00:00Z", "trace_id": str(uuid.uuid4()),
                     "correlation_id": str(uuid.uuid4()), "error_uri": "https://login.microsoftonline.com/error?code=%d" % code, **more}


class App:
    """A registered application. public: it may sign in without proof of itself."""

    def __init__(self, public=True, secret=SECRET):
        self.public, self.secret, self.secret_expires, self.certificates = public, secret, float("inf"), []
        self.redirects, self.consented = {"http://localhost"}, set(DELEGATED) | {"application"}


class Grant:
    """What an access token stands for: mailbox None: the application itself."""

    def __init__(self, app, mailbox, scopes, expires):
        self.app, self.mailbox, self.scopes, self.expires, self.dead = app, mailbox, set(scopes), expires, False


class Refresh:
    def __init__(self, app, mailbox, scopes, used):
        self.app, self.mailbox, self.scopes, self.used, self.dead = app, mailbox, scopes, used, None


def b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Login:
    """Switches: life (of access tokens), rotation ("new": the old refresh token dies, "both": it lives on, "none": no new one), user (who
    signs in in the browser and at the device), interval, pending (so many polls until the person has confirmed the device),
    outcome (of the device: None or an error), consent (None or the error the browser comes back with)."""

    def __init__(self, world):
        self.world, self.apps = world, {APP: App()}
        self.life, self.rotation, self.user, self.interval, self.pending = 3599, "new", world.user, 5, 1
        self.outcome = self.consent = None
        self.requests, self.orders, self.n = [], [], 0
        self.refresh, self.codes, self.devices, self.seen_jti = {}, {}, {}, set()
        self.folder = tempfile.TemporaryDirectory(prefix="abgleich-login-")
        self.server = type("LoginListener", (Listener,), {"world": world})(("127.0.0.1", 0), type("LoginHandler", (Handler,), {"world": world}))
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    KEPT = ("refresh", "codes", "devices", "n", "seen_jti")

    def token_url(self, tenant=TENANT):
        return "%s%s/oauth2/v2.0/token" % (self.url, tenant)

    # -- what administrators and persons do --
    def register_certificate(self, pem_path, app=APP):
        def openssl(*args):
            return subprocess.run(["openssl", "x509", "-in", pem_path, *args], check=True, stdout=subprocess.PIPE).stdout
        key = os.path.join(self.folder.name, "key-%d.pem" % len(self.apps[app].certificates))
        with open(key, "wb") as f:
            f.write(openssl("-noout", "-pubkey"))
        self.apps[app].certificates.append((openssl("-outform", "DER"), key))

    def fail(self, error, code=0, times=1, after=False, on=None, status=400, **more):
        """The next `times` (None: all) calls meet this refusal; error "cut", "html" and "busy" are no refusals. after: the call has its effect."""
        self.orders.append([error, code, times, after, on, status, more])

    def revoke(self, mailbox, code=50173):
        for token in self.refresh.values():
            token.dead = token.dead or (code if token.mailbox == mailbox else None)
        self.world.revoke_tokens()

    # -- what is handed out: as long as the real ones --
    def long(self, kind):
        self.n += 1
        return "canary.%s.%d.%s" % (kind, self.n, "".join(hashlib.sha256(b"%d %d" % (self.n, i)).hexdigest() for i in range(20)))

    def give(self, app, mailbox, scopes, refresh):
        token = self.long("access")
        self.world.tokens[token] = Grant(app, mailbox, scopes, self.world.clock.now() + self.life)
        body = {"token_type": "Bearer", "scope": " ".join("https://graph.microsoft.com/" + s for s in sorted(scopes - AROUND)),
                "expires_in": self.life, "ext_expires_in": self.life, "access_token": token}
        if mailbox is None:
            del body["scope"]
        if refresh:
            body["refresh_token"] = self.long("refresh")
            self.refresh[body["refresh_token"]] = Refresh(app, mailbox, scopes, self.world.clock.now())
        return 200, body

    # -- proof of the application --
    def app_of(self, form):
        app = self.apps.get(form.get("client_id"))
        if app is None:
            raise Denied("unauthorized_client", 700016, "Application with identifier '%s' was not found." % form.get("client_id"))
        return app

    def check_proof(self, form, app, tenant, needed):
        if app.public and not needed:
            if PROOF & set(form):
                raise Denied("invalid_client", 700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
                             "a public client proves itself", 401)
            return
        if "client_secret" in form and "client_assertion" in form:
            raise Denied("invalid_request", 900144, "Both a secret and an assertion.", "secret and assertion at once")
        if "client_assertion" in form:
            return self.check_assertion(form, app, tenant)
        if "client_secret" not in form:
            raise Denied("invalid_client", 7000218, "The request body must contain 'client_assertion' or 'client_secret'.", "no proof", 401)
        if not hmac.compare_digest(form["client_secret"], app.secret):
            raise Denied("invalid_client", 7000215, "Invalid client secret provided.", None, 401)
        if self.world.clock.now() > app.secret_expires:
            raise Denied("invalid_client", 7000222, "The provided client secret keys are expired.", None, 401)

    def check_assertion(self, form, app, tenant):
        if form.get("client_assertion_type") != ASSERTION:
            raise Denied("invalid_request", 700021, "Client assertion type is wrong.", "client_assertion_type", 401)
        try:
            signed, _, signature = form["client_assertion"].rpartition(".")
            head, claims = (json.loads(b64url(p)) for p in signed.split("."))
        except ValueError:
            raise Denied("invalid_client", 50027, "JWT token is invalid or malformed.", "assertion is no JWT", 401) from None
        self.check_claims(form, tenant, claims)
        der, key = self.certificate_of(app, head)
        if not self.signed(signed, b64url(signature), key, head["alg"]):
            raise Denied("invalid_client", 700027, "Client assertion failed signature validation.", None, 401)
        return der

    def check_claims(self, form, tenant, claims):
        now = self.world.clock.now()
        wanted = {"aud": self.token_url(tenant), "iss": form["client_id"], "sub": form["client_id"]}
        for name, value in wanted.items():
            if claims.get(name) != value:
                raise Denied("invalid_client", 700021, "Claim %s is %r." % (name, claims.get(name)), "assertion's %s is %r, not %r" % (
                    name, claims.get(name), value), 401)
        if not all(isinstance(claims.get(n), int) for n in ("nbf", "iat", "exp")) or not 300 <= claims["exp"] - claims["iat"] <= 600:
            raise Denied("invalid_client", 700021, "Times of the assertion.", "assertion's nbf, iat, exp are wrong: %s" % claims, 401)
        if not claims["nbf"] - 300 <= now <= claims["exp"] + 300:
            raise Denied("invalid_client", 700024, "Client assertion is not within its valid time range.", None, 401)
        if not claims.get("jti") or claims["jti"] in self.seen_jti:
            raise Denied("invalid_client", 700021, "jti.", "assertion's jti is not fresh: %r" % claims.get("jti"), 401)
        self.seen_jti.add(claims["jti"])

    def certificate_of(self, app, head):
        names = {"PS256": ("x5t#S256", hashlib.sha256), "RS256": ("x5t", hashlib.sha1)}
        if head.get("typ") != "JWT" or head.get("alg") not in names:
            raise Denied("invalid_client", 700021, "Header.", "assertion's header is %s" % head, 401)
        name, digest = names[head["alg"]]
        for der, key in app.certificates:
            if head.get(name) == base64.urlsafe_b64encode(digest(der).digest()).rstrip(b"=").decode():
                return der, key
        raise Denied("invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered.",
                     None if name in head else "assertion without %s" % name, 401)

    def signed(self, text, signature, key, algorithm):
        path = os.path.join(self.folder.name, "signature")
        with open(path, "wb") as f:
            f.write(signature)
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if algorithm == "PS256" else []
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", key, *pss, "-signature", path], input=text.encode(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    # -- scopes --
    def scopes(self, text, app):
        """Those asked for, without the resource before them."""
        found = set()
        for scope in text.split():
            name = re.sub(r"^(https://graph\.microsoft\.com|%s)/" % re.escape(self.world.url.rstrip("/")), "", scope)
            if name not in DELEGATED | AROUND:
                raise Denied("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid: %s" % scope,
                             "unknown scope %s" % scope)
            found.add(name)
        if not found & DELEGATED:
            raise Denied("invalid_scope", 70011, "No scope of Graph.", "scopes without any of Graph: %s" % text)
        if found & DELEGATED - app.consented:
            raise Denied("invalid_grant", 65001, "The user or administrator has not consented to use the application.", None, 400,
                         suberror="consent_required")
        return found

    # -- the grants --
    def client_credentials(self, form, app, tenant):
        if tenant in SHARED:
            raise Denied("invalid_request", 50059, "No tenant-identifying information found.", "client_credentials at /%s" % tenant)
        self.check_proof(form, app, tenant, True)
        if form["scope"] not in ("https://graph.microsoft.com/.default", self.world.url + ".default"):
            raise Denied("invalid_scope", 1002012, "The provided value for scope %s is not valid." % form["scope"], "scope of client_credentials")
        if "application" not in app.consented:
            raise Denied("unauthorized_client", 700016, "No admin consent.")
        return self.give(form["client_id"], None, {"Contacts.ReadWrite"}, False)

    def authorization_code(self, form, app, tenant):
        self.check_proof(form, app, tenant, False)
        kept = self.codes.pop(form["code"], None)
        if not kept or kept["expires"] < self.world.clock.now() or kept["client_id"] != form["client_id"]:
            raise Denied("invalid_grant", 70008, "The provided authorization code is expired, redeemed or was never given.")
        if kept["redirect_uri"] != form["redirect_uri"]:
            raise Denied("invalid_grant", 500112, "The reply address does not match.", "redirect_uri differs from the authorize request's")
        if not re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", form["code_verifier"]):
            raise Denied("invalid_grant", 501481, "Code_Verifier malformed.", "code_verifier is malformed")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != kept["code_challenge"]:
            raise Denied("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge.", "PKCE")
        return self.give(form["client_id"], self.user, kept["scopes"], "offline_access" in kept["scopes"])

    def refresh_token(self, form, app, tenant):
        self.check_proof(form, app, tenant, False)
        kept, now = self.refresh.get(form["refresh_token"]), self.world.clock.now()
        if not kept or kept.app != form["client_id"]:
            raise Denied("invalid_grant", 70000, "The provided refresh token is not valid.", "a refresh token that nobody gave")
        if kept.dead or now - kept.used > 90 * 86400:
            raise Denied("invalid_grant", kept.dead or 700082, "The refresh token has expired or was revoked.")
        kept.used = now
        scopes = self.scopes(form["scope"], app) if "scope" in form else kept.scopes
        if not scopes <= kept.scopes | AROUND:
            raise Denied("invalid_grant", 65001, "Not consented.", "a refresh asks for more than was granted: %s" % sorted(scopes - kept.scopes))
        if self.rotation == "new":
            kept.dead = 70000
        return self.give(form["client_id"], kept.mailbox, kept.scopes, self.rotation != "none")

    def device_code(self, form, app, tenant):
        self.check_proof(form, app, tenant, False)
        kept, now = self.devices.get(form["device_code"]), self.world.clock.now()
        if not kept:
            raise Denied("bad_verification_code", 70018, "The verification code was not recognised.", "a device code that nobody gave")
        early, kept["asked"] = now < kept["asked"] + kept["interval"] - 0.1, now
        if early:
            kept["interval"] += 5
            raise Denied("slow_down", 70016, "Polling too often.", "polled for the device after less than its interval")
        if now > kept["expires"] or kept["done"]:
            raise Denied("expired_token", 70020, "The device code has expired.")
        if self.outcome:
            raise Denied(self.outcome, 70018, "by order")
        kept["polls"] += 1
        if kept["polls"] <= self.pending:
            raise Denied("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending.")
        kept["done"] = True
        return self.give(form["client_id"], self.user, kept["scopes"], "offline_access" in kept["scopes"])

    GRANTS = {"client_credentials": client_credentials, "authorization_code": authorization_code, "refresh_token": refresh_token,
              DEVICE: device_code}

    # -- the three addresses --
    def token(self, form, tenant):
        grant = form.pop("grant_type", None)
        if grant not in self.GRANTS:
            raise Denied("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'." % grant, "grant_type %s" % grant)
        must, may = ALLOWED[grant]
        if must - set(form):
            raise Denied("invalid_request", 900144, "The request body must contain: '%s'." % min(must - set(form)), "%s lacks %s" % (
                grant, sorted(must - set(form))))
        if set(form) - must - may:
            self.world.violate("%s has parameters that it does not take: %s" % (grant, sorted(set(form) - must - may)))
        return self.GRANTS[grant](self, form, self.app_of(form), tenant)

    def devicecode(self, form, _tenant):
        app = self.app_of(form)
        if set(form) != {"client_id", "scope"}:
            raise Denied("invalid_request", 900144, "client_id and scope.", "devicecode takes client_id and scope, not %s" % sorted(form))
        scopes, code = self.scopes(form["scope"], app), self.long("device")
        self.devices[code] = {"asked": self.world.clock.now(), "interval": self.interval, "expires": self.world.clock.now() + 900, "polls": 0,
                              "scopes": scopes, "done": False}
        return 200, {"device_code": code, "user_code": "K7QRT9XWB", "verification_uri": self.url + "device", "expires_in": 900,
                     "interval": self.interval, "message": "To sign in, use a web browser to open the page %sdevice and enter the code "
                                                           "K7QRT9XWB to authenticate." % self.url}

    def authorize(self, query):
        """The address the browser goes to: what a person does after having read the page."""
        app, needed = self.app_of(query), ("redirect_uri", "state", "code_challenge", "scope", "response_type")
        if any(n not in query for n in needed):
            raise Denied("invalid_request", 900144, "missing", "authorize lacks %s" % [n for n in needed if n not in query])
        if query["response_type"] != "code" or query.get("code_challenge_method") != "S256" or len(query["code_challenge"]) != 43:
            raise Denied("invalid_request", 900971, "response_type, code_challenge", "authorize without code and S256")
        if query.get("response_mode", "query") != "query":
            raise Denied("invalid_request", 70007, "response_mode", "response_mode %s" % query["response_mode"])
        if len(query["state"]) < 16:
            self.world.violate("a state that can be guessed: %s" % query["state"])
        if re.sub(r"(?<=^http://localhost):\d+/?$", "", query["redirect_uri"]) not in app.redirects:
            raise Denied("invalid_request", 50011, "The redirect URI '%s' does not match." % query["redirect_uri"],
                         "redirect_uri %s is not registered" % query["redirect_uri"])
        answer = {"state": query["state"]}
        try:
            scopes = self.scopes(query["scope"], app)
            if self.consent:
                raise Denied(self.consent, 65004, "The user declined.")
            code = answer["code"] = "1." + self.long("code")
            self.codes[code] = {**query, "scopes": scopes, "expires": self.world.clock.now() + 600}
        except Denied as why:
            if why.wrong:
                self.world.violate("sign-in: " + why.wrong)
            answer.update(error=why.body["error"], error_description=why.body["error_description"])
        return query["redirect_uri"] + ("" if "/" in query["redirect_uri"][8:] else "/") + "?" + urllib.parse.urlencode(answer)


class Handler(BaseHTTPRequestHandler):
    world = None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *unused):
        pass

    def target(self):
        """(tenant, what)"""
        found = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/(token|devicecode|authorize)", urllib.parse.urlsplit(self.path).path)
        if not found:
            raise Denied("invalid_request", 90002, "no such address", "there is nothing to sign in at %s" % self.path[:80], 404)
        if found.group(1) not in (TENANT, TENANT_ID) + SHARED:
            raise Denied("invalid_request", 90002, "Tenant '%s' not found." % found.group(1))
        return found.groups()

    def pairs(self, text):
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
        if len(dict(pairs)) != len(pairs):
            raise Denied("invalid_request", 90100, "A parameter is given twice.", "a parameter is given twice")
        return dict(pairs)

    def ordered(self, what):
        """(effect before the refusal, answer) of an order that fits, else None."""
        for order in self.world.login.orders:
            error, code, times, after, on, status, more = order
            if times != 0 and (on is None or on in what):
                order[2] = None if times is None else times - 1
                if error == "cut":
                    return after, "cut"
                if error in ("html", "busy"):
                    return after, (200 if error == "html" else 503, PAGE)
                return after, (status, Denied(error, code, "by order", **more).body)
        return None

    def decide(self):
        login, body = self.world.login, self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        tenant, what = self.target()
        if what == "authorize":
            return 302, login.authorize(self.pairs(urllib.parse.urlsplit(self.path).query))
        form = self.pairs(body)
        login.requests.append((self.path, dict(form)))
        if self.command != "POST" or (self.headers.get("Content-Type") or "").split(";")[0] != "application/x-www-form-urlencoded":
            raise Denied("invalid_request", 900144, "form", "sign-in is a POST of a form: %s %s" % (self.command, self.headers.get("Content-Type")))
        order = self.ordered(form.get("grant_type", what))
        if order and not order[0]:
            return order[1]
        real = login.token(form, tenant) if what == "token" else login.devicecode(form, tenant)
        return order[1] if order else real

    def run_request(self):
        try:
            with self.world.lock:
                answer = self.decide()
        except Denied as why:
            if why.wrong:
                self.world.violate("sign-in: " + why.wrong)
            answer = why.status, why.body
        except Exception as why:  # the emulator itself is wrong: no test may pass over that
            self.world.violate("emulator: %r" % why)
            answer = "cut"
        if answer == "cut":
            self.close_connection = True
            return
        status, body = answer
        headers = {"Location": body} if status == 302 else PROXY if isinstance(body, bytes) else {"Content-Type": "application/json; charset=utf-8"}
        if status == 302:
            body = ("<a href=\"%s\">go on</a>" % html.escape(body)).encode()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Cache-Control": "no-store", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = run_request
