"""FE2 unattended: what a daemon tries again, how soon, and what it does not try again. Time is the emulator's."""

import sys
import tempfile
import time

import test_fe2
from harness import Suite
from test_daemon import Daemon, wait_until
from test_people import build_clock


def leap(b, daemon, seconds):
    """Time passes, and the loop is woken to see it."""
    b.fe2.clock.advance(seconds)
    return daemon.status()["links"][0]


def next_request(b, daemon, count, patience=1800):
    """Lets time pass by half minutes until FE2 is called again; how long it took."""
    start = b.fe2.clock.now()
    while len(b.fe2.requests) < count:
        assert b.fe2.clock.now() - start < patience, "FE2 is not called any more: %s" % leap(b, daemon, 0)
        leap(b, daemon, 15)
        time.sleep(0.05)
    wait_until(lambda: not b.fe2.in_service and not leap(b, daemon, 0)["running"])
    return b.fe2.requests[-1].time - start


def daemon_in_a_storm(fault, least):
    """Whatever is to be tried again is tried no sooner than the page says, and in the end FE2 has the book."""
    with test_fe2.Brigade(3) as b:
        b.approve()
        b.fe2.clock.advance(3600)
        b.add(8, test_fe2.person(8))
        if fault == "423":
            b.fe2.busy = len(least)
        else:
            b.fe2.fail(*[fault] * len(least))
        count = len(b.fe2.requests) + 1
        daemon = Daemon(b.site, **b.site.environment)
        next_request(b, daemon, count)
        for seconds in least:
            count += 1
            waited = next_request(b, daemon, count)
            assert waited >= seconds, "called again after %d s, not %d" % (waited, seconds)
        wait_until(lambda: set(b.fe2.persons) == set(b.ids.values()))
        daemon.stop()
        b.check_there()


def hours_pass(b, daemon, runs):
    """Until the link ran so often; how many calls FE2 got meanwhile."""
    before, ran = len(b.fe2.requests), daemon.status()["links"][0]["runs"]
    for _ in range(200):
        if leap(b, daemon, 600)["runs"] >= ran + runs:
            break
        wait_until(lambda: not leap(b, daemon, 1)["running"])
        time.sleep(0.02)
    else:
        raise AssertionError("the link is not run any more: %s" % leap(b, daemon, 0))
    return len(b.fe2.requests) - before


# what FE2 answers, how often before it is believed, what ends it
LASTING = (
    ("the key is not known", 401, 1, lambda b: b.configure("fe2.version = 2.39", "fe2.version = 2.40")),
    ("the quota is too small", 403, 1, lambda b: b.add(9, test_fe2.person(9))),
    ("a foreign person", 412, 1, lambda b: b.add(9, test_fe2.person(9))),
    ("a wrong address", 404, 1, lambda b: b.configure("fe2.version = 2.39", "fe2.version = 2.40")),
    ("a sync that is switched off", 503, 3, lambda b: b.add(9, test_fe2.person(9))),
    ("whatever it was, and a person who tries", 401, 1, lambda b: b.site.run("sync", "fe2")),
)


def refused_for_good(status, tries, mend):
    """A daemon does not ask again what was refused for good, until something changes or somebody asks."""
    with test_fe2.Brigade(3) as b:
        b.approve()
        b.fe2.clock.advance(3600)
        b.add(8, test_fe2.person(8))
        b.fe2.at = lambda moment, *unused: (status, {"Content-Type": "text/plain"}, "why") if moment == "arrived" else None
        count = len(b.fe2.requests)
        daemon = Daemon(b.site, **b.site.environment)
        try:
            for n in range(tries):
                next_request(b, daemon, count + n + 1, patience=7200)
            assert hours_pass(b, daemon, 4) == 0, "asked again: %s" % b.fe2.requests[-1].body[:200]
            said = b.site.run("--json", "runs", expect=0).json()[0]
            b.fe2.at = lambda *unused: None
            mend(b)
            next_request(b, daemon, count + tries + 1, patience=7200)
            wait_until(lambda: set(b.fe2.persons) == set(b.ids.values()))
        finally:
            daemon.stop()
        b.check_there()
        assert said["status"] == "failed", said


STORMS = (("423", (60, 120, 300, 600)), ("502", (60, 120, 300)), ("429", (60, 120)), ("503 proxy", (300, 900)), ("reset after", (90, 90)))


def main():
    suite = Suite("FE2 unattended")
    with tempfile.TemporaryDirectory() as folder:
        test_fe2.SHIM = build_clock(folder)
        for fault, least in STORMS:
            suite.run("a daemon in a storm of " + fault, daemon_in_a_storm, fault, least)
        for title, *row in LASTING:
            suite.run("refused for good: " + title, refused_for_good, *row)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
