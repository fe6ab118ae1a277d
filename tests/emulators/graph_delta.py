"""Delta of the Graph emulator: rounds over the log of a mailbox (graph_store.py), their pages and the links that lead through them. Only the
last four states of a folder live; a link works verbatim or not at all."""

import collections
import hashlib
import re

from graph_rules import Refused, wrong

Item = collections.namedtuple("Item", "key removed fields snapshot")


class State:
    """What a link stands for. kind "delta": the next round starts after `seq` (and brings `held`: older changes that were not visible yet).
    kind "next": goes on in `items` at `at`; (seq, held) is where the round ends."""

    def __init__(self, kind, place, generation, path, select, seq, held, items=(), at=0, empty=False):
        self.kind, self.place, self.generation, self.path, self.select = kind, place, generation, path, select
        self.seq, self.held, self.items, self.at, self.empty = seq, held, items, at, empty


class Delta:
    """Switches of all mailboxes: page (most items of an answer), states (how many live), partial (changed items bring changed fields only),
    empty_pages, doubles (an item comes twice, the older form first), replays (so many of what was told before come again), lag (seconds
    until a change shows), removed_at_first (a first round tells removals as well), gone (status, code), gone_location, delta (False: there
    is none, as in China)."""

    def __init__(self):
        self.page, self.states, self.partial, self.empty_pages, self.doubles, self.replays = 1000, 4, True, False, False, 0
        self.lag, self.removed_at_first, self.gone, self.gone_location, self.exists = 0, True, (410, "SyncStateNotFound"), False, True
        self.late = {}  # contact id: the time before which its changes do not show

    # -- what a round brings --
    def visible(self, change, now):
        return change.time + self.lag <= now and self.late.get(change.key, 0) <= now

    def round(self, mailbox, place, seq, held, now):
        """(items, seq, held) of a round; seq None: the first."""
        mine = [c for c in mailbox.log if c.place == place]
        shown = [c for c in mine if self.visible(c, now)]
        end = max([c.seq for c in shown] or [seq or 0])
        untold = [c for c in mine if seq is None or c.seq > seq or c.seq in held]
        fresh = [c for c in untold if self.visible(c, now)]
        unseen = frozenset(c.seq for c in untold if c.seq <= end and not self.visible(c, now))
        latest = {c.key: c for c in shown}
        items = self.items_of(fresh, latest, seq is None)
        if self.replays and seq is not None:
            told = sorted((c for c in latest.values() if c.seq <= seq and c.kind == "set"), key=lambda c: c.seq)
            items = [Item(c.key, None, None, c.snapshot) for c in told[-self.replays:]] + items
        return items, max(end, seq or 0), unseen

    def items_of(self, fresh, latest, first):
        grouped = {}
        for c in fresh:
            grouped.setdefault(c.key, []).append(c)
        items, older = [], []
        for key, changes in sorted(grouped.items(), key=lambda g: g[1][-1].seq):
            last = latest[key]
            if last.kind == "removed":
                if not first or self.removed_at_first:
                    items.append(Item(key, last.reason or "deleted", None, last.snapshot))
                continue
            whole = first or not self.partial or any(c.fields is None or c.kind == "removed" for c in changes)
            fields = None if whole else frozenset().union(*(c.fields for c in changes))
            items.append(Item(key, None, fields, last.snapshot))
            if self.doubles:
                older.append(Item(key, None, None, changes[0].snapshot if changes[0].kind == "set" else last.snapshot))
        return older + items

    # -- links --
    def issue(self, mailbox, state):
        """The link's path and query: as long as real ones, and good only as it is."""
        number = len(mailbox.links) + 1
        token = "".join(hashlib.sha256(("%s %s %d %d" % (mailbox.upn, state.kind, number, n)).encode()).hexdigest() for n in range(24))
        link = "%s?$%s=%s" % (state.path, {"delta": "deltatoken", "next": "skiptoken"}[state.kind], token)
        mailbox.links[link] = state
        return link

    def follow(self, mailbox, link, path, select):
        state = mailbox.links.get(link)
        if not state:
            raise wrong("The delta or skip token is badly formed: this link was never given: ...%s" % link[-60:], "BadRequest")
        highest = mailbox.generations.get(state.place, 0)
        if highest - state.generation >= self.states:
            start = {"Location": path + "?" + ("$select=%s&" % ",".join(state.select) if state.select else "") + "$deltatoken="}
            raise Refused(*self.gone, "The sync state generation is not found; generation=%d;[highest=%d]" % (state.generation, highest),
                          headers=start if self.gone_location else {})
        return state

    def expire(self, mailbox):
        """Every link there is, at once."""
        for place in mailbox.generations:
            mailbox.generations[place] += self.states

    # -- one request --
    def answer(self, mailbox, place, raw, path, select, size, now):
        """(items, {"@odata.nextLink" or "@odata.deltaLink": its path}, select). raw: the path and query as they were sent."""
        if not self.exists:
            raise Refused(400, "BadRequest", "Resource not found for the segment 'delta'.")
        token = re.search(r"[?&](?:\$|%24)(?:delta|skip)token=[^&]", raw)
        state = self.follow(mailbox, raw, path, select) if token else None
        if state and state.kind == "next":
            return self.page_of(mailbox, state, size)
        seq, held = (state.seq, state.held) if state else (None, frozenset())
        select = state.select if state else select
        items, seq, held = self.round(mailbox, place, seq, held, now)
        generation = mailbox.generations.setdefault(place, 0)
        here = State("next", place, generation, self.odata_form(path), select, seq, held, items, 0, self.empty_pages and bool(items))
        return self.page_of(mailbox, here, size)

    def odata_form(self, path):
        """Links name what they lead to in the other spelling."""
        return re.sub(r"/contactFolders/([^/']+)/", r"/contactFolders('\1')/", path)

    def page_of(self, mailbox, s, size):
        size = min(size, self.page)
        end = s.at if s.empty else s.at + size
        out = s.items[s.at:end]
        if end < len(s.items):
            following = State("next", s.place, s.generation, s.path, s.select, s.seq, s.held, s.items, end)
            return out, {"@odata.nextLink": self.issue(mailbox, following)}, s.select
        highest = mailbox.generations[s.place] = mailbox.generations[s.place] + 1
        last = State("delta", s.place, highest, s.path, s.select, s.seq, s.held)
        return out, {"@odata.deltaLink": self.issue(mailbox, last)}, s.select
