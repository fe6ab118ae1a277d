"""Microsoft Graph's contacts and their sign-in as the pages describe them, on loopback and in memory, strict and with faults on order.

Where the pages leave an answer open, a switch says which one is given, and the default is the one that is harder to live with. Everything a
client may get wrong is a violation, and a test that leaves one fails. Every body, query option and answer is checked against Microsoft's own
schema. Time is virtual where the program under test shares the clock (tests/e2e/clock_shim.c).

    with Graph() as world:
        anna = world.add({"givenName": "Anna"})                        # what persons do there; also edit, remove, move, put_back
        world.fail("429", on="PATCH", retry_after=7, times=3)          # FAULTS of graph_http.py; part=True: for parts of a batch
        world.at = lambda moment, number, request: ...                 # "arrived", "done", "half": an answer in place of the real one, or "cut"

graph_rules.py has the fields, graph_store.py the mailbox, graph_delta.py delta, graph_calls.py the calls, graph_limits.py the limits,
graph_http.py the wire, graph_login.py the sign-in. Their classes name their switches."""

import collections
import copy
import os
import re
import sys
import threading

from clock import Clock
from graph_delta import Delta
from graph_http import FAULTS, Fault, Handler, Listener
from graph_limits import Limits
from graph_login import APP, Grant, Login
from graph_store import Mailbox


class Graph:
    """One organisation with mailboxes by user principal name. Switches: if_match ("honoured" or "ignored"), need_if_match, need_immutable,
    need_request_id (what is a violation when it is absent), well_known_name (/contactFolders/contacts is known), photo_delete, scoped (the
    mailboxes an application may see, None: all), link_base (another host in nextLink and deltaLink), latency (virtual seconds a call),
    gzip; and those of delta, limits, login and each mailbox."""

    user, password, name, connector = "anna@contoso.example", "canary.static.token", "graph", "graph"
    book_name, patience = "contacts", 60

    def __init__(self, clock=None):
        self.own_clock, self.clock = clock is None, clock or Clock()
        self.lock, self.closed, self.open = threading.RLock(), threading.Condition(), 0
        self.violations, self.requests, self.calls, self.faults = [], [], [], []
        self.at, self.part = lambda moment, number, request: None, lambda method, url, body: None
        self.if_match, self.need_if_match, self.need_immutable, self.need_request_id = "honoured", True, True, True
        self.well_known_name, self.photo_delete, self.scoped, self.link_base, self.latency, self.gzip = False, False, None, None, 0, False
        self.delta, self.limits, self.mailboxes = Delta(), Limits(self.clock, self.violate), {}
        self.box = self.add_mailbox(self.user)
        self.server = type("GraphListener", (Listener,), {"world": self})(("127.0.0.1", 0), type("GraphHandler", (Handler,), {"world": self}))
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.login = Login(self)
        self.tokens = {self.password: Grant(APP, self.user, {"Contacts.ReadWrite", "User.Read"}, float("inf"))}

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
        self.login.close()
        if self.own_clock:
            os.unlink(self.clock.path)

    def wait_idle(self):
        """Until nothing of clients that are gone can take effect any more."""
        with self.closed:
            assert self.closed.wait_for(lambda: not self.open, 30), "a connection stays open"

    def keep(self):
        return {"offset": self.clock.offset(), "boxes": {n: b.keep() for n, b in self.mailboxes.items()},
                "login": copy.deepcopy({k: getattr(self.login, k) for k in self.login.KEPT}), "tokens": copy.deepcopy(self.tokens)}

    def restore(self, kept):
        """As it was at keep(), with nothing seen and nothing ordered."""
        self.clock.advance(kept["offset"] - self.clock.offset())
        for name, box in kept["boxes"].items():
            self.mailboxes[name].restore(box)
        for key, value in copy.deepcopy(kept["login"]).items():
            setattr(self.login, key, value)
        self.tokens = copy.deepcopy(kept["tokens"])
        self.violations = []
        self.forget()

    def forget(self):
        """Nothing was seen, nothing is ordered; what was wrong stays wrong."""
        self.requests, self.calls, self.faults = [], [], []
        self.login.requests, self.login.orders = [], []
        self.limits.reset()

    def violate(self, sentence):
        self.violations.append(sentence)

    # -- what persons and administrators do --
    def add_mailbox(self, upn):
        self.mailboxes[upn] = Mailbox(self.clock, upn)
        return self.mailboxes[upn]

    def add_folder(self, name, parent=None, box=None):
        with self.lock:
            box = box or self.box
            return box.make_folder(name, parent or box.default)

    def add(self, contact, folder=None, photo=None, box=None):
        """Its immutable id."""
        with self.lock:
            box = box or self.box
            made = box.create(folder or box.default, contact)
            if photo:
                box.set_photo(made, photo)
            return made.id

    def add_list(self, name, folder=None):
        """A distribution group: counted, never returned."""
        with self.lock:
            box = self.box
            made = box.create(folder or box.default, {"displayName": name})
            made.is_list = True
            box.log.pop()

    def edit(self, contact, **fields):
        with self.lock:
            self.box.update(self.box.contacts[contact], fields)

    def remove(self, contact):
        with self.lock:
            self.box.remove(self.box.contacts[contact])

    def move(self, contact, folder):
        with self.lock:
            self.box.move(self.box.contacts[contact], folder)

    def put_back(self, contact):
        with self.lock:
            self.box.put_back(self.box.deleted[contact])

    def touch(self, contact):
        """A new etag, and nothing that changed."""
        with self.lock:
            self.box.written(self.box.contacts[contact], frozenset())

    def contacts(self, folder=None, box=None):
        """{immutable id: fields} of a folder, or of all."""
        with self.lock:
            return {c.id: {k: v for k, v in c.fields.items() if v} for c in (box or self.box).contacts.values()
                    if not c.is_list and folder in (None, c.folder)}

    def add_token(self, token, mailbox=None, scopes=("Contacts.ReadWrite",), app=APP, life=float("inf")):
        """mailbox None: the application itself."""
        self.tokens[token] = Grant(app, mailbox, scopes, self.clock.now() + life)
        return token

    def revoke_tokens(self):
        for grant in self.tokens.values():
            grant.dead = True

    def fail(self, name, on=".", times=1, retry_after=None, part=False):
        """The next `times` (None: all) calls whose "METHOD path" holds the pattern meet this fault."""
        assert name in FAULTS, name
        self.faults.append([Fault(name, on, retry_after, part, None), times])

    def take_fault(self, line, part):
        with self.lock:
            for order in self.faults:
                if order[1] != 0 and order[0].part == part and re.search(order[0].on, line):
                    order[1] = None if order[1] is None else order[1] - 1
                    return order[0]
        return None

    # -- watching --
    def lines(self):
        """The calls, parts of batches among them: "PATCH /me/contacts/..." without their queries."""
        return ["%s %s" % (method, url.split("?")[0]) for method, url in self.calls]

    def writes(self):
        return [line for line in self.lines() if not line.startswith("GET")]

    def counted(self):
        return collections.Counter(line.split(" ")[0] for line in self.lines())


if __name__ == "__main__":
    graph = Graph()
    print("%s user %s token %s, sign-in %s app %s" % (graph.url, graph.user, graph.password, graph.login.url, APP), flush=True)
    sys.stdin.read()
