"""An FE2 on loopback and in memory, as the protocol page describes it: strict, stateful and hostile. Its address book decides who is paged,
so whatever a request gets wrong is a violation that names the section, and a test that leaves one fails.

    with FE2() as fe2:
        fe2.persons            what the sync put there: {externalDbId: Person}; fe2.manual: entered by hand
        fe2.fail("502")        the next call meets that fault (FAULTS)
        fe2.at = lambda moment, number, request: ...   # "arrived", "done", "half": an answer in place of the real one, or "cut"

Where the page leaves an answer open, an attribute says which one is given (`refusal_of_delete`, `bodies`, `old_quota`), so that a test can
try each. Time is virtual where a clock is shared with the program under test; without one nothing waits but a silent call."""

import argparse
import copy
import json
import threading
import time

from clock import Clock
from fe2_http import FAULTS, Handler, Listener, still_open, wrap_tls
from fe2_rules import BUSY_SINCE, DELETE_SINCE, LISTS, SYNCED, TOKENS_SINCE, broken_by_change, known_fields

PAUSES = {"done": 1, "busy": 60, "off": 300, "lost": 90}  # seconds until the next call may come: sections 5.1 and 5.3


class Person:
    """What FE2 keeps of a person. `mode` and `token` are fixed when it is created; `marked`: as deleted, no longer paged."""

    def __init__(self, values, mode, token):
        self.values, self.mode, self.token, self.marked = values, mode, token, False

    def __getattr__(self, name):
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        return "Person(%r, %s, %s%s)" % (self.values, self.mode, self.token, ", marked" if self.marked else "")


class Organisation:
    """One key and the persons behind it. modes: {field: "none" | "once" | "always"}, "always" where nothing is said."""

    def __init__(self, key):
        self.key, self.active, self.allow_delete, self.quota, self.modes = key, True, True, None, {}
        self.book, self.manual, self.last, self.accepted, self.source = {}, [], {}, [], None

    @property
    def persons(self):
        return {i: p for i, p in self.book.items() if not p.marked}

    @property
    def marked(self):
        return {i: p for i, p in self.book.items() if p.marked}

    def add_manual(self, name, **values):
        self.manual.append({"lastName": name, **values})

    def alarmed(self, group):
        """Who is paged by an alarm group: the last names."""
        return sorted([p.lastName for p in self.persons.values() if group in p.alarmGroups]
                      + [p["lastName"] for p in self.manual if group in p.get("alarmGroups", ())])


class FE2:
    """A server with one organisation (more by `add_organisation`), whose attributes are at hand here too."""

    password = property(lambda self: self.key)
    connector, user, name = "fe2", "", "fe2"

    def __init__(self, version="2.39", clock=None, port=0, certificate=None):
        self.version, self.clock = tuple(int(n) for n in version.split(".")), clock
        self.requests, self.violations, self.created = [], [], 0
        self.organisations, self.faults, self.at, self.during = [], [], lambda moment, number, request: None, lambda: None
        self.pauses, self.notes, self.confirmed, self.lone, self.legacy_without = dict(PAUSES), False, False, True, False
        self.busy, self.busy_wait, self.goes_on = 0, 0.0, 0
        self.refusal_of_delete, self.delete_answer, self.old_quota, self.bodies = 403, 200, "cut", {200: "{}"}
        self.earliest, self.busy_until, self.in_service, self.deleted = (0, ""), 0, [], set()
        self.lock, self.syncing, self.stopped = threading.RLock(), threading.Lock(), threading.Event()
        self.connections, self.closed = [], threading.Condition()
        self.organisation = self.add_organisation("k3y-7f41a2")
        handler = type("Handler", (Handler,), {"world": self})
        self.server = type("Listener", (Listener,), {"world": self})(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        if certificate:
            self.server.socket = wrap_tls(self.server.socket, certificate)
        self.url = "http%s://127.0.0.1:%d/" % ("s" if certificate else "", self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.004,), daemon=True).start()

    OF_ORGANISATION = ("key", "active", "allow_delete", "quota", "modes", "persons", "marked", "manual", "last", "accepted")

    def __getattr__(self, name):
        if name in self.OF_ORGANISATION:
            return getattr(self.__dict__["organisation"], name)
        raise AttributeError(name)

    def __setattr__(self, name, value):
        target = self.organisation if name in self.OF_ORGANISATION else self
        object.__setattr__(target, name, value)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()

    def wait_idle(self):
        """Until each connection of clients that are gone has ended: nothing of theirs can take effect any more."""
        with self.closed:
            assert self.closed.wait_for(lambda: not self.connections, 30), "a connection stays open"

    def keep(self):
        return copy.deepcopy((self.organisations, self.created, self.deleted))

    def restore(self, kept):
        """As it was at keep(), with nothing seen and nothing planned."""
        which = self.organisations.index(self.organisation)
        self.organisations, self.created, self.deleted = copy.deepcopy(kept)
        self.organisation = self.organisations[which]
        self.requests, self.violations, self.faults, self.busy, self.busy_until = [], [], [], 0, 0
        self.earliest, self.in_service = (0, ""), []

    # -- what administrators and the world do --
    def add_organisation(self, key):
        self.organisations.append(Organisation(key))
        return self.organisations[-1]

    def add_manual(self, name, **values):
        self.organisation.add_manual(name, **values)

    def alarmed(self, group):
        return self.organisation.alarmed(group)

    def fail(self, *faults, on=None):
        """The next calls meet these, one each; on: "POST" or "DELETE" only."""
        for fault in faults:
            assert fault in FAULTS, fault
            self.faults.append((fault, on))

    def now(self):
        return self.clock.now() if self.clock else time.time()

    def since(self, version):
        return self.version >= version

    def violate(self, sentence):
        self.violations.append(sentence)

    # -- watching --
    def connected(self, connection):
        """A second connection while the client still holds the first."""
        with self.closed:
            for other in self.connections if self.lone else ():
                if still_open(other):
                    self.violate("section 5.3: parallel connections to one FE2")
            self.connections.append(connection)

    def disconnected(self, connection):
        with self.closed:
            if connection in self.connections:
                self.connections.remove(connection)
            self.closed.notify_all()

    def enter(self, kind):
        """Two calls at a time, or one that comes sooner than the last answer allows."""
        with self.lock:
            now, others = self.now(), set(self.in_service)
            if now < self.busy_until:
                others.add("sync")
            if others and {kind} | others == {"sync", "delete"}:
                self.violate("section 5.2: DELETE and sync at the same time")
            elif self.in_service and self.lone:
                self.violate("section 5.3: two calls at the same time")
            when, why = self.earliest
            if now < when - 0.05:
                self.violate("section %s, but the next call comes %.1f s too early" % (why, when - now))
            self.in_service.append(kind)

    def leave(self, kind, outcome):
        with self.lock:
            self.in_service.remove(kind)
            self.pause_after(outcome)

    def pause_after(self, outcome):
        sentence = {"done": "5.3: wait 1 s after 200", "busy": "5.1: wait 60 s after 423", "off": "5.1: wait 300 s after 503",
                    "lost": "5.1: wait 90 s after a lost answer"}
        self.earliest = (self.now() + self.pauses.get(outcome, 0), sentence.get(outcome, ""))

    # -- the sync call --
    def sync(self, organisation, body):
        """(status, text)"""
        with self.lock:
            if self.busy or self.now() < self.busy_until:
                self.busy = max(0, self.busy - 1)
                taken = True
            else:
                taken = False
        if taken and self.since(BUSY_SINCE):
            return self.refuse_as_busy()
        if not self.syncing.acquire(timeout=self.busy_wait or 0.001 if self.since(BUSY_SINCE) else 60):
            return self.refuse_as_busy()
        try:
            self.during()
            with self.lock:
                return self.accept(organisation, body)
        finally:
            self.syncing.release()

    def refuse_as_busy(self):
        if self.clock:
            self.clock.advance(60)
        return 423, "another synchronisation is running"

    def accept(self, organisation, body):
        persons = {p["externalDbId"]: {n: p[n] for n in p if n in known_fields(self.version)} for p in body["personList"]}
        self.look_at(organisation, body["source"], persons)
        foreign = [i for o in self.organisations if o is not organisation for i in o.book if i in persons]
        if foreign and self.since(TOKENS_SINCE):
            return 412, json.dumps({"externalDbId": foreign[0]})
        room = None if organisation.quota is None else organisation.quota - len(organisation.manual)
        if room is not None and len(persons) > room:
            if self.since(TOKENS_SINCE):
                return 403, "quota"
            if self.old_quota == "cut":
                persons = dict(list(persons.items())[: max(room, 0)])
        self.apply(organisation, {i: p for i, p in persons.items() if i not in foreign})
        organisation.source = body["source"]
        organisation.last = persons
        organisation.accepted.append(persons)
        return 200, self.bodies.get(200, "")

    def look_at(self, organisation, source, persons):
        if organisation.source not in (None, source):
            self.violate("section 2: source changed from %r to %r" % (organisation.source, source))
        for i in persons:
            if i in self.deleted:
                self.deleted.discard(i)
                self.violate("section 5.2: %s was deleted by a call and is created again by the next list" % i)
        if not self.confirmed:
            for sentence in broken_by_change(organisation.last, persons):
                self.violate(sentence)
        for i in persons:
            there = organisation.persons.get(i)
            if there and persons[i].get("aPagerProFieldMode", there.mode) != there.mode:
                self.violate("section 2: the mode of %s is flipped; the sync can never change it" % i)
        for i in set(persons) - set(organisation.book) if self.since(TOKENS_SINCE) and not self.legacy_without else ():
            if persons[i]["aPagerProFieldMode"] == "LEGACY" and not persons[i]["aPagerPro"]:
                self.violate("section 2: LEGACY for the new person %s who has no registered address" % i)

    def apply(self, organisation, persons):
        for i, sent in persons.items():
            there = organisation.book.get(i)
            if there is None:
                organisation.book[i] = self.create(organisation, sent)
                continue
            there.marked = False
            for name in SYNCED:
                if organisation.modes.get(name, "always") == "always":
                    there.values[name] = sent[name]
            if there.mode == "TOKEN":
                there.values["aPagerPro"] = ""
        for i in [i for i in organisation.persons if i not in persons]:
            self.take_away(organisation, i)

    def create(self, organisation, sent):
        mode = sent.get("aPagerProFieldMode", "LEGACY")
        self.created += 1
        token = "T%07X" % (self.created * 2654435761 % 0xFFFFFFF) if mode == "TOKEN" else None
        empty = {name: [] if name in LISTS else "" for name in SYNCED}
        taken = {name: sent[name] for name in SYNCED if organisation.modes.get(name, "always") != "none"}
        return Person({**empty, **taken, "externalDbId": sent["externalDbId"]}, mode, token)

    def take_away(self, organisation, i):
        if self.since(DELETE_SINCE) and organisation.allow_delete:
            del organisation.book[i]
        else:
            organisation.book[i].marked = True

    # -- the delete call --
    def delete(self, organisation, i):
        with self.lock:
            if not organisation.allow_delete:
                return self.refusal_of_delete, ""
            if i not in organisation.book:
                foreign = any(i in o.book for o in self.organisations)
                return (412 if foreign else 404), ""
            del organisation.book[i]
            organisation.last.pop(i, None)
            self.deleted.add(i)
            return self.delete_answer, ""


def main():
    parser = argparse.ArgumentParser(description="An FE2 to try by hand: prints what is wrong with each request.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--version", default="2.39")
    parser.add_argument("--quota", type=int)
    parser.add_argument("--manual", action="append", default=[], metavar="NAME", help="a person entered by hand")
    options = parser.parse_args()
    world = FE2(options.version, port=options.port)
    world.pauses, world.quota = {}, options.quota
    for name in options.manual:
        world.add_manual(name)
    shown = []

    def show(moment, number, request):
        if moment == "done":
            print("%d %s %s: %d persons, %d by hand, %d marked" % (number, request.method, request.path, len(world.persons), len(world.manual),
                                                                  len(world.marked)), flush=True)
            for sentence in world.violations[len(shown):]:
                print("  VIOLATION " + sentence, flush=True)
            shown[:] = world.violations

    world.at = show
    print("%s key %s" % (world.url, world.key), flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        world.__exit__()


if __name__ == "__main__":
    main()
