"""How much Graph lets a client do (microsoft_graph.py): four requests in flight, 10,000 in ten minutes and 150 MB of upload in five, in virtual
time, and what it told to wait for."""

import collections
import re
import threading
import time

from graph_rules import Refused

STRAGGLERS = 3  # requests that may have been on their way when the answer told to wait


def throttled(message, retry_after):
    return Refused(429, "ApplicationThrottled", message, retry_after=retry_after)


class Limits:
    """Switches: concurrency, per ("mailbox" or "app": whose requests in flight are counted together), batch ("four": the server works on
    four parts of a batch at a time; "each": every part counts, and those beyond four come back with 429), requests and upload (most in
    their windows), retry_after (seconds told, None: not told), dwell (real seconds that each request stays in flight, so that those
    sent together meet)."""

    def __init__(self, clock, violate):
        self.clock, self.violate, self.lock = clock, violate, threading.Lock()
        self.concurrency, self.per, self.batch, self.dwell, self.retry_after = 4, "mailbox", "four", 0, 1
        self.requests, self.window, self.upload, self.upload_window = 10000, 600, 150 << 20, 300
        self.reset()

    def reset(self):
        self.flight, self.ledgers, self.waits = collections.Counter(), {}, {}
        self.most_in_flight, self.refused = 0, collections.Counter()

    # -- in flight --
    def key(self, who):
        return who[0] if self.per == "app" else who

    def enter(self, who, parts):
        """(weight to give back with leave(), how many of the parts may run)"""
        with self.lock:
            key = self.key(who)
            free, wants = self.concurrency - self.flight[key], min(parts, self.concurrency)
            if wants > free:
                self.violate("%d requests in flight for %s" % (self.flight[key] + wants, key))
            granted = parts if self.batch == "four" and wants <= free else min(parts, max(free, 0))
            weight = min(max(granted, 1), self.concurrency)
            self.flight[key] += weight
            self.most_in_flight = max(self.most_in_flight, self.flight[key])
        if self.dwell:
            time.sleep(self.dwell)
        return weight, granted

    def leave(self, who, weight):
        with self.lock:
            self.flight[self.key(who)] -= weight

    def too_many(self):
        self.refused["flight"] += 1
        return throttled("Application is over its MailboxConcurrency limit.", self.retry_after)

    # -- in their windows --
    def spend(self, who, size):
        """One request, of so many bytes. Raises Refused when a window is full."""
        with self.lock:
            now = self.clock.now()
            for what, amount, most, window in (("requests", 1, self.requests, self.window), ("upload", size, self.upload, self.upload_window)):
                seen = self.ledgers.setdefault((who, what), [0, collections.deque()])  # their sum, and each with its time
                ledger = seen[1]
                while ledger and ledger[0][0] <= now - window:
                    seen[0] -= ledger.popleft()[1]
                if amount and seen[0] + amount > most:
                    self.refused[what] += 1
                    raise throttled("Application is over its %s limit." % what, int(ledger[0][0] + window - now) + 1 if ledger else window)
                seen[0] += amount
                ledger.append((now, amount))

    def burn(self, who, requests):
        """Another program of the same application was busy just now."""
        with self.lock:
            seen = self.ledgers.setdefault((who, "requests"), [0, collections.deque()])
            seen[0] += requests
            seen[1].append((self.clock.now(), requests))

    # -- what it told to wait for --
    def told(self, what, headers, connection=None):
        """what: (app, mailbox), or a part of a batch."""
        seconds = headers.get("Retry-After", "")
        if re.fullmatch(r"\d+", seconds):
            with self.lock:
                self.waits[what] = [self.clock.now() + int(seconds), 0, connection]

    def check_patience(self, what, connection=None):
        """Whoever comes by the connection that the answer went out on has read it; others may have been on their way."""
        with self.lock:
            wait = self.waits.get(what)
            if wait and self.clock.now() < wait[0] - 0.05:
                wait[1] += 1
                if wait[1] > STRAGGLERS or wait[2] == connection:
                    self.violate("it did not wait as Retry-After told: %s, %.1f s too early" % (what, wait[0] - self.clock.now()))
