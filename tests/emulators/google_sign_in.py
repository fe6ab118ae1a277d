"""Google's sign-in as protocols google-people 1 has it, in the emulator's virtual time: authorization code with PKCE, refresh tokens that
Google does not replace, and service accounts that sign for themselves. Access tokens are taken by the People emulator until they expire.

    with People() as world, SignIn(world) as google:
        google.testing = True      # refresh tokens live for seven days, as of a project in the state Testing

Switches: testing, tells_end (the answer says how long a refresh token lives), granted (scopes a person left the tick at), accounts (people a
service account may sign for), delegated (the organisation lets it), skew (seconds the service's clock is ahead). A client that does what the
pages forbid leaves a violation."""

import base64
import hashlib
import json
import os
import subprocess
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DAY = 86400
SCOPE = "https://www.googleapis.com/auth/contacts"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class SignIn:
    LIFE, TESTING, IDLE, CODE = 3600, 7 * DAY, 182 * DAY, 600

    def __init__(self, world, client=("app.apps.googleusercontent.com", "canary-secret")):
        self.world, self.client, self.mutex = world, client, threading.Lock()
        self.testing, self.tells_end, self.granted = False, True, SCOPE
        self.accounts, self.delegated, self.skew, self.keys = {world.user}, True, 0, {}
        self.codes, self.refreshing, self.requests, self.violations, self.n = {}, {}, [], [], 0
        self.after_effect = lambda form: None  # a test may do something before the answer leaves
        world.tokens.clear()
        handler = type("Handler", (Handler,), {"google": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()

    def now(self):
        return self.world.clock.now() + self.skew

    # -- what persons and administrators do --
    def agree(self, address):
        """A person follows the address and agrees. Returns where the browser is sent back to."""
        q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        for name, value in (("response_type", "code"), ("client_id", self.client[0]), ("code_challenge_method", "S256"),
                            ("access_type", "offline"), ("prompt", "consent")):
            if q.get(name) != value:
                self.violations.append("authorize: %s is %r" % (name, q.get(name)))
        if SCOPE not in q.get("scope", "").split(" ") or len(q.get("state", "")) < 16 or not q.get("redirect_uri", "").startswith("http://127.0.0.1:"):
            self.violations.append("authorize: %s" % q)
        self.n += 1
        code = "4/canary-%d" % self.n
        self.codes[code] = (q["code_challenge"], q["redirect_uri"], self.now())
        return q["redirect_uri"] + "/?" + urllib.parse.urlencode({"state": q["state"], "code": code, "scope": self.granted})

    def revoke(self):
        self.refreshing.clear()
        self.world.tokens.clear()

    # -- answers --
    def access(self, refresh=None, scope=SCOPE):
        self.n += 1
        token = "ya29.canary-%d" % self.n
        self.world.tokens[token] = self.world.clock.now() + self.LIFE
        answer = {"access_token": token, "expires_in": self.LIFE, "token_type": "Bearer", "scope": scope}
        if refresh:
            answer["refresh_token"] = refresh
            if self.testing and self.tells_end:
                answer["refresh_token_expires_in"] = self.TESTING
        return 200, answer

    def refuse(self, error, text, status=400):
        return status, {"error": error, "error_description": text}

    def check_client(self, form):
        if form.get("client_id") != self.client[0] or form.get("client_secret") != self.client[1]:
            return self.refuse("invalid_client", "The OAuth client was not found.", 401)
        return None

    def by_code(self, form):
        challenge, back, since = self.codes.pop(form.get("code"), (None, None, 0))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if challenge != base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() or form.get("redirect_uri") != back or self.now() - since > self.CODE:
            return self.refuse("invalid_grant", "Bad Request")
        refresh = "1//canary-%d" % self.n
        self.refreshing[refresh] = {"since": self.now(), "used": self.now(), "scope": self.granted}
        return self.access(refresh, self.granted)

    def by_refresh(self, form):
        token = self.refreshing.get(form.get("refresh_token"))
        if not token or (self.testing and self.now() - token["since"] > self.TESTING) or self.now() - token["used"] > self.IDLE:
            return self.refuse("invalid_grant", "Token has been expired or revoked.")
        token["used"] = self.now()
        return self.access(None, token["scope"])

    def by_assertion(self, form):
        try:
            signed, _, signature = form["assertion"].rpartition(".")
            head, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in signed.split("."))
        except (KeyError, ValueError):
            return self.refuse("invalid_grant", "Invalid JWT")
        if head.get("alg") != "RS256" or not self.proved(signed, signature, self.keys.get(head.get("kid"))):
            return self.refuse("invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") != self.url + "/token":
            self.violations.append("audience: %s" % claims.get("aud"))
        life = claims.get("exp", 0) - claims.get("iat", 0)
        if not 0 < life <= 3600 or not claims["iat"] - 300 <= self.now() <= claims["exp"]:
            return self.refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
        if claims.get("sub") not in self.accounts:
            return self.refuse("invalid_grant", "Invalid email or User ID")
        if not self.delegated or claims.get("scope") != SCOPE:
            return self.refuse("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.", 401)
        return self.access()

    def proved(self, text, signature, key):
        """By the openssl program."""
        if not key:
            return False
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sig")
            with open(path, "wb") as f:
                f.write(base64.urlsafe_b64decode(signature + "=="))
            return subprocess.run(["openssl", "dgst", "-sha256", "-prverify", key, "-signature", path], input=text.encode(),
                                  stdout=subprocess.DEVNULL).returncode == 0

    def answer(self, form):
        kind = form.get("grant_type")
        if kind == JWT_BEARER:
            return self.by_assertion(form)
        wrong = self.check_client(form)
        if wrong:
            return wrong
        if kind == "authorization_code":
            return self.by_code(form)
        if kind == "refresh_token":
            return self.by_refresh(form)
        return self.refuse("unsupported_grant_type", "Invalid grant_type: %s" % kind)


class Handler(BaseHTTPRequestHandler):
    google = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def do_POST(self):
        g = self.google
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(text, strict_parsing=True))
        if self.path != "/token" or self.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            g.violations.append("%s %s" % (self.path, self.headers.get("Content-Type")))
        with g.mutex:
            g.requests.append((g.now(), form))
            status, body = g.answer(form)
        g.after_effect(form)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
