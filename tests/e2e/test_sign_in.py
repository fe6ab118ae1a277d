"""How a sign-in lives and dies, from outside and in virtual time, with Google's rules (tests/emulators/google_sign_in.py): its end is
foreseen, a dead one is a state everybody can see, nothing is lost meanwhile, and `login` lets all go on."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from harness import PROGRAM, Site, Suite, card
from google_people import People
from google_sign_in import DAY, SignIn
from hostile_server import Hostile
from kills import build_shim
from test_daemon import Daemon, wait_until
from test_people import build_clock

HOUR = 3600


class Case:
    def __init__(self, shim, flow="code", virtual=True):
        self.people = People()
        self.google = SignIn(self.people)
        self.site = Site()
        if virtual:
            self.site.environment = {"LD_PRELOAD": shim, "SHIM_CLOCK": self.people.clock.path}
        keys = {"connector": "people", "url": self.people.url, "user": self.people.user, "secret": "file:" + self.site.folder + "/secret",
                "oauth.flow": flow, "oauth.client_id": self.google.client[0], "oauth.authorize_url": self.google.url + "/auth",
                "oauth.token_url": self.google.url + "/token"}
        if flow == "service":
            del keys["secret"], keys["oauth.client_id"]
            keys["oauth.key_file"] = self.service_key()
        with open(self.site.folder + "/secret", "w") as f:
            f.write(self.google.client[1] + "\n")
        with open(self.site.config, "a") as f:
            f.write("listen = 127.0.0.1:0\nquiet = 1h\n[account srv]\n" + "".join("%s = %s\n" % p for p in keys.items()))
            f.write("[link kunden]\na = contactbox:Kunden\nb = srv:\nmode = two-way\nauthority = contactbox\n")
        self.site.run("book", "add", "Kunden", expect=0)

    def service_key(self):
        key, path = self.site.folder + "/key.pem", self.site.folder + "/service.json"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", key], check=True, stderr=subprocess.DEVNULL)
        self.google.keys["k1"] = key
        with open(path, "w") as f:
            json.dump({"type": "service_account", "client_email": "robot@project.iam.gserviceaccount.com", "private_key_id": "k1",
                       "private_key": open(key).read()}, f)
        return path

    def close(self):
        self.people.__exit__()
        self.google.__exit__()
        self.site.close()
        os.unlink(self.people.clock.path)
        assert not self.google.violations + self.people.violations, self.google.violations + self.people.violations

    def advance(self, seconds):
        self.people.clock.advance(seconds)

    def start_login(self, **more):
        p = subprocess.Popen([PROGRAM, "-c", self.site.config, "--language", "en", "login", "srv"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, env=dict(os.environ, **self.site.environment), **more)
        said = ""
        for line in p.stdout:
            said += line
            found = re.search(r"(http://\S+/auth\?\S+)", line)
            if found:
                return p, self.google.agree(found.group(1)), said
        raise AssertionError("no address: %s" % said)

    def login(self, expect=0):
        p, back, said = self.start_login(stdin=subprocess.DEVNULL)
        urllib.request.urlopen(back).read()
        said += p.communicate(timeout=30)[0]
        assert p.returncode == expect and "canary" not in said, (p.returncode, said)
        return said

    def sync(self, expect=0):
        r = self.site.sync(expect)
        assert "canary" not in r.out + r.err
        return r

    def account(self):
        return self.site.run("--json", "account", "list", expect=0).json()[0]

    def shown(self):
        """What every place says of the account: (account list, status, digest, doctor)."""
        run = lambda *args: self.site.run("--json", *args, expect=None).json()
        return {"list": self.account()["sign_in"], "status": [s["state"] for s in run("status")["sign_ins"]],
                "link": run("status")["links"][0]["state"], "digest": [a["kind"] for a in run("digest") if a["command"] == "abgleich login srv"],
                "doctor": [f["text"] for f in run("doctor")["findings"] if f["kind"] == "sign_in"]}


def seven_days_of_a_project_in_testing(case):
    google = case.google
    google.testing = True
    assert case.shown() == {"list": "none", "status": ["none"], "link": "new", "digest": ["sign_in"],
                            "doctor": ['nobody has signed in to account "srv" yet']}, case.shown()
    case.login()
    case.site.add(card("u1"))
    case.sync()
    assert case.shown() == {"list": "fine", "status": [], "link": "ok", "digest": [], "doctor": []}, case.shown()
    case.advance(5 * DAY)
    case.sync()
    seen = case.shown()
    assert seen["list"] == "ends-soon" and seen["status"] == ["ends-soon"] and seen["link"] == "ok" and seen["digest"] == ["sign_in_ends"], seen
    assert "ends on 20" in seen["doctor"][0], seen
    assert "ends soon" in case.site.run("account", "list").out and "login srv" in case.site.run("status").err + case.site.run("status").out
    assert "ends on" in case.site.run("account", "test", "srv", expect=0).err
    assert "ends soon" in case.site.run("digest").out
    case.site.add(card("u2", "Klein;Max"))
    case.people.add({"names": [{"givenName": "Lale"}]})
    case.advance(2 * DAY + HOUR)
    r = case.sync(5)
    assert "Testing" in r.out and "login srv" in r.out, r
    seen = case.shown()
    assert seen["list"] == "dead" and seen["status"] == ["dead"] and seen["link"] == "sign_in" and seen["digest"] == ["sign_in"], seen
    assert "refused" in case.site.run("account", "list").out and "Testing" in case.site.run("account", "test", "srv", expect=5).err
    assert len(case.people.persons()) == 2 and len(case.site.contacts()) == 2, "nothing is changed, nothing lost"
    case.login()
    case.sync()
    assert len(case.people.persons()) == len(case.site.contacts()) == 3
    assert case.shown() == {"list": "fine", "status": [], "link": "ok", "digest": [], "doctor": []}, case.shown()


def seven_days_that_nobody_told_of(case):
    case.google.testing, case.google.tells_end = True, False
    case.login()
    case.sync()
    case.advance(6 * DAY)
    case.sync()
    case.advance(DAY + HOUR)
    assert "Testing" in case.sync(5).out


def taken_back_is_not_testing(case):
    case.login()
    case.sync()
    case.advance(3 * DAY)
    case.google.revoke()
    r = case.sync(5)
    assert "Testing" not in r.out and "login srv" in r.out, r


def unused_for_half_a_year(case):
    case.login()
    case.sync()
    ends = case.account()["sign_in_ends"]
    assert ends, "its end is foreseen"
    case.advance(155 * DAY)
    assert case.shown()["list"] == "ends-soon"
    case.sync()
    assert case.shown()["list"] == "fine", "it was used"
    case.advance(190 * DAY)
    assert "login srv" in case.sync(5).out


def a_dead_one_is_asked_once_an_hour(case):
    case.login()
    case.sync()
    case.advance(DAY)
    case.google.revoke()
    asked = len(case.google.requests)
    for _ in range(40):
        case.sync(5)
        case.advance(5 * 60)
    times = [t for t, _ in case.google.requests[asked:]]
    assert 2 <= len(times) <= 4 and all(b - a >= HOUR for a, b in zip(times, times[1:])), times


def the_browser_elsewhere(case):
    """The address it was sent back to is pasted; a wrong one is told and does no harm."""
    p, back, _said = case.start_login(stdin=subprocess.PIPE)
    p.stdin.write("irgendwas\nhttp://127.0.0.1:1/?code=gestohlen&state=geraten\n\n" + back + "\n")
    p.stdin.flush()
    said = p.communicate(timeout=30)[0]
    assert p.returncode == 0 and said.count("That is not the address") == 2, said
    case.sync()


def contacts_unticked(case):
    case.google.granted = "openid"
    said = case.login(5)
    assert "tick" in said, said
    assert case.account()["sign_in"] == "none"


def service_account(case):
    case.site.add(card("u1"))
    case.sync()
    assert len(case.people.persons()) == 1 and case.account()["sign_in"] == "fine"
    case.advance(2 * HOUR)
    case.sync()
    assert all("refresh_token" not in form for _, form in case.google.requests) and len(case.google.requests) == 2


def service_accounts_that_are_refused(case):
    g = case.google
    case.sync()
    for change, word in (({"skew": 2 * HOUR}, "clock"), ({"accounts": set()}, "person of that address"), ({"delegated": False}, "administrator"),
                         ({"keys": {}}, "login")):
        before = {k: getattr(g, k) for k in change}
        for k, v in change.items():
            setattr(g, k, v)
        case.advance(2 * HOUR)
        r = case.sync(5)
        assert word in r.out, (change, r.out)
        for k, v in before.items():
            setattr(g, k, v)
    case.advance(2 * HOUR)
    case.sync()


def metrics(daemon):
    with urllib.request.urlopen(daemon.address.rstrip("/") + "/metrics", timeout=10) as answer:
        return answer.read().decode()


def the_others_go_on(case):
    """One account's sign-in dies under the daemon. Its link waits, the other account's goes on; after `login` both run."""
    with Hostile() as server:
        case.login()
        with open(case.site.config, "a") as f:
            f.write("[account zwei]\nconnector = carddav\nurl = %s\nuser = %s\nsecret = file:%s\ninterval = 1s\n"
                    "[link zwei]\na = contactbox:Zwei\nb = zwei:kunden\nmode = two-way\n" % (server.url, server.user, case.site.folder + "/pw"))
        with open(case.site.folder + "/pw", "w") as f:
            f.write(server.password + "\n")
        case.site.run("book", "add", "Zwei", expect=0)
        text = open(case.site.config).read().replace("[account srv]\n", "[account srv]\ninterval = 1s\n")
        open(case.site.config, "w").write(text)
        case.people.add({"names": [{"givenName": "Lale"}]})
        daemon = Daemon(case.site)
        wait_until(lambda: case.site.contacts())
        found = re.search(r'abgleich_auth_expiry_timestamp_seconds\{account="srv"\} (\d+)', metrics(daemon))
        assert found and int(found.group(1)) > time.time() + 100 * DAY and 'abgleich_auth_state{account="srv",state="fine"} 1' in metrics(daemon)
        case.google.revoke()
        wait_until(lambda: 'state="dead"' in metrics(daemon))
        assert 'abgleich_auth_expiry_timestamp_seconds{account="srv"} 0' in metrics(daemon)
        wait_until(lambda: 'abgleich_job_state{job="kunden",state="auth"}' in metrics(daemon))
        asked = len(case.google.requests)
        case.people.add({"names": [{"givenName": "Spaeter"}]})
        for i in range(2):
            server.put("c%d.vcf" % i, card("z%d" % i, "Name%d;Vor" % i))
            wait_until(lambda: case.site.run("contact", "export", "Zwei", expect=0).out.count("BEGIN:VCARD") == i + 1)
        assert len(case.google.requests) == asked and len(case.site.contacts()) == 1
        case.login()
        wait_until(lambda: len(case.site.contacts()) == 2, 5)
        daemon.stop()
        case.site.environment = {}


def killed_while_it_refreshes(case):
    """Google gives a new refresh token now and then, and takes the old one no more. Killed at any write: the sign-in lives, or somebody has
    to sign in again, once; it never asks again and again."""
    google = case.google
    again, number = 0, 1

    def rotate(form):
        token = google.refreshing.pop(form["refresh_token"], None)
        if not token:
            return google.refuse("invalid_grant", "Token has been expired or revoked.")
        google.n += 1
        google.refreshing["1//canary-new-%d" % google.n] = token
        return google.access("1//canary-new-%d" % google.n)

    google.by_refresh = rotate
    with tempfile.TemporaryDirectory() as folder:
        killer = build_shim(folder)
        case.login()
        while True:
            case.advance(2 * HOUR)
            p = subprocess.run([PROGRAM, "-q", "-c", case.site.config, "account", "test", "srv"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, **case.site.environment, SHIM_KILL_AT=str(number)) | {
                                   "LD_PRELOAD": killer + ":" + case.site.environment["LD_PRELOAD"]})
            asked = len(google.requests)
            r = case.sync(None)
            assert r.code in (0, 5) and len(google.requests) <= asked + 1, (number, r)
            if r.code == 5:
                again += 1
                assert "login srv" in r.out
                case.sync(5)
                assert len(google.requests) <= asked + 1, "asked again and again"
                case.login()
                case.sync()
            if p.returncode != -signal.SIGKILL:
                break
            number += 1
    assert number > 2 and again < number, (number, again)
    print("     killed at %d writes; %d times somebody had to sign in again" % (number - 1, again))


CASES = (seven_days_of_a_project_in_testing, seven_days_that_nobody_told_of, taken_back_is_not_testing, unused_for_half_a_year,
         a_dead_one_is_asked_once_an_hour, the_browser_elsewhere, contacts_unticked, service_account, service_accounts_that_are_refused,
         the_others_go_on, killed_while_it_refreshes)


def run_case(function, shim):
    case = Case(shim, "service" if "service" in function.__name__ else "code", function is not the_others_go_on)
    try:
        function(case)
    finally:
        case.close()


def main():
    suite = Suite("sign-in")
    with tempfile.TemporaryDirectory() as folder:
        shim = build_clock(folder)
        for function in CASES:
            if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
                suite.run(function.__name__.replace("_", " "), run_case, function, shim)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
