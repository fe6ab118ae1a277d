"""abgleich within the limits Google sets: quotas of a minute, the size of an account, bad members of a batch, tokens of a week. In virtual
time, against the emulator of test_people.py."""

import sys

from harness import Site, card
from google_people import People, Refused, expired, rate_limited
from test_people import MINUTE, Case, edit_there, linked, paths, person, run_cases, script, writes

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE


def ten_thousand_within_the_quota(case):
    """Google never has to say "too many": the program keeps to 60 reads and 60 writes in any minute by itself, at 20 requests a second."""
    w = case.world
    w.latency, w.quota = 0.05, {"read": 60, "write": 60, "full": 6}
    for i in range(5000):
        w.add(person("G%d" % i, emailAddresses=[{"value": "g%d@example.org" % i}]))
    case.link()
    cards = "".join(card("u%d" % i, "Hier;H%d" % i, "TEL;TYPE=CELL:+49170%d" % i) for i in range(5000))
    case.site.run("contact", "import", "Kunden", "-", text=cards, expect=0)
    before = w.clock.now()
    case.site.sync(0)
    first, lasted = len(w.requests), w.clock.now() - before
    assert len(case.persons()) == 10000, len(case.persons())
    w.clock.advance(11 * MINUTE)
    case.quiet()  # it hears of its own 5 000
    w.requests = []
    case.quiet()
    assert len(w.requests) == 1, len(w.requests)
    assert not w.over_quota, w.over_quota
    print("     10 000 contacts: %d requests in %d s of virtual time at first, then 1" % (first, lasted))
    assert first < 250, first


def every_link_of_an_account_keeps_the_quota(case):
    """Three runs in three processes, one after the other within a minute: what the first spent counts for the others."""
    w = case.world
    w.page, w.latency, w.quota = 5, 0.05, {"read": 60, "full": 100}
    for i in range(220):
        w.add(person("G%d" % i))
    site = case.link(mode="import")
    site.run("account", "set", "srv", "people.per_minute=60", expect=0)
    for book in ("Zwei", "Drei"):
        site.run("book", "add", book, expect=0)
        site.run("link", "add", book.lower(), "contactbox:" + book, "srv:", "--mode", "import", expect=0)
    before = w.clock.now()
    for link in ("kunden", "zwei", "drei"):
        site.run("sync", link, expect=0)
    assert len(w.requests) > 130 and not w.over_quota, (len(w.requests), w.over_quota)
    assert w.clock.now() - before > 60, "it did not wait"


def a_rate_is_a_number(case):
    case.link()
    for word in ("viele", "0", "-3"):
        assert "requests a minute" in case.site.run("account", "set", "srv", "people.per_minute=" + word, expect=2).err


def the_quota_of_whole_listings(case):
    """The first page of a whole listing has a quota of its own: that takes minutes, not seconds."""
    linked(case, "Anna")
    tries = []

    def at(moment, _number, request):
        if moment != "arrived" or "/connections" not in request[1]:
            return None
        if "syncToken=" in request[1]:
            return expired()
        tries.append(case.world.clock.now())
        return rate_limited() if len(tries) < 4 else None

    case.world.at = at
    case.quiet()
    waits = [b - a for a, b in zip(tries, tries[1:])]
    assert len(waits) == 3 and all(w >= 29 for w in waits) and sum(waits) > 2 * MINUTE, waits
    del tries[:]
    case.world.at = lambda moment, n, r: (tries.append(1), rate_limited())[1] if moment == "arrived" and "syncToken=" not in r[1] else (
        expired() if moment == "arrived" else None)
    assert "Google wants fewer requests" in case.site.sync(6).out
    assert len(tries) == 5 and len(case.site.contacts()) == 1


def a_refused_batch_names_the_offenders(case):
    """Whoever is named is left out at once; without names the batch is halved."""
    for blames, most in ((True, 3), (False, 20)):
        one = Case(case.shim)
        linked(one, *["P%d" % i for i in range(45)])
        one.world.blames = blames
        for i in range(20):
            one.edit("P%d" % i, "NOTE:alt", "NOTE:alt\r\nNICKNAME:" + ("x" * 2000 if i in (3, 17) else "kurz"))
            one.site.add(card("n%d" % i, "Neu;N%d" % i, "ORG:" + ("y" * 2000 if i in (5, 6) else "kurz")))
        one.world.requests = []
        result = one.sync("partial", 1)
        assert len(result["quarantined"]) == 4 and "too long" in str(result["quarantined"]), result["quarantined"]
        assert len(one.persons()) == 63 and sum(1 for p in one.persons() if p.get("nicknames")) == 18
        sent = [p for p in writes(one.world) if "batchCreate" in p]
        assert len(sent) <= most, (blames, len(sent))
        one.world.requests = []
        one.site.sync(None)
        assert not writes(one.world), paths(one.world)
        one.close()


def an_account_that_is_full(case):
    """25,000 contacts is all Google keeps. What still fits gets in, what does not waits for room."""
    linked(case, "Anna", "Berta")
    case.world.most = 5
    for i in range(30):
        case.site.add(card("n%d" % i, "Neu;N%d" % i))
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    case.world.requests = []
    result = case.site.sync(1)
    assert "25,000" in result.out and len(case.persons()) == 5, result
    assert case.named("Anna")["biographies"][0]["value"] == "neu", "what is no create goes on"
    assert len(writes(case.world)) < 15, paths(case.world)
    case.world.requests = []
    case.site.sync(1)
    assert len(writes(case.world)) < 8, paths(case.world)
    case.world.most = 100
    case.site.sync(0)
    assert len(case.persons()) == 32
    case.world.clock.advance(11 * MINUTE)
    case.quiet()


def whole_listings_are_spread_over_accounts(case):
    """A token lives seven days; the fresh listing comes on the fifth or sixth, for each account at an hour of its own."""
    w = case.world
    w.add(person("Lale"))
    site = case.site = Site()
    site.environment = {"LD_PRELOAD": case.shim, "SHIM_CLOCK": w.clock.path}
    names = ["konto%d" % i for i in range(5)]
    for name in names:
        site.run("book", "add", name, expect=0)
        site.run("account", "add", name, "--connector", "people", "--url", w.url, "--user", name + "@example.org", "--password-file", "-",
                 text=w.password + "\n", expect=0)
        site.run("link", "add", name, "contactbox:" + name, name + ":", "--mode", "two-way", expect=0)
        site.run("sync", name, expect=0)
    started, whole = w.clock.now(), {}
    w.clock.advance(5 * DAY - HOUR)
    while w.clock.now() < started + 6 * DAY + 2 * HOUR:
        for name in [n for n in names if n not in whole]:
            w.requests = []
            site.run("sync", name, expect=0)
            if any("/connections" in r[1] and "syncToken=" not in r[1] for r in w.requests):
                whole[name] = (w.clock.now() - started) / DAY
        w.clock.advance(2 * HOUR)
    assert len(whole) == 5 and all(5 <= d <= 6.1 for d in whole.values()), whole
    assert len(set(round(d * 12) for d in whole.values())) > 1, "all at the same time: %s" % whole


def what_is_recent_is_read_by_name(case):
    """Within ten minutes of our write, what a list tells may be old even if nothing says so: it is asked for by name before anything is
    concluded."""
    linked(case, "Anna", authority="server")
    w = case.world
    case.edit("Anna", "NOTE:alt", "NOTE:neu")
    old = dict(case.named("Anna"))
    case.sync()
    resource = old["resourceName"]

    def at(moment, _n, request):
        if moment != "done" or "/connections" not in request[1]:
            return None
        shown = dict(old, etag="%Eanother", metadata=dict(old["metadata"], sources=[{k: v for k, v in old["metadata"]["sources"][0].items()
                                                                                        if k != "updateTime"}]))
        return 200, {}, {"connections": [shown], "nextSyncToken": "later"}

    w.at = at
    w.clock.advance(60)
    w.requests = []
    case.site.sync(0)
    assert any("batchGet" in p for p in paths(w)), paths(w)
    assert not writes(w) and "NOTE:neu" in case.card("Anna") and w.persons()[resource]["biographies"][0]["value"] == "neu"
    w.at = lambda *unused: None
    w.clock.advance(11 * MINUTE)
    case.site.sync(0)
    case.quiet()


def the_star_is_a_category_of_choice(case):
    w = case.world
    member = lambda *names: [{"contactGroupMembership": {"contactGroupResourceName": "contactGroups/" + n}} for n in names]
    w.add(person("Lale", memberships=member("myContacts", "starred")))
    w.add(person("Ohne", memberships=member("myContacts")))
    site = case.link(card("u1", "Meier;Anna", "CATEGORIES:Wichtig"))
    site.run("account", "set", "srv", "people.starred=Wichtig", expect=0)
    case.sync()
    assert "CATEGORIES:Wichtig" in case.card("Lale") and "CATEGORIES" not in case.card("Ohne")
    assert case.named("Anna")["memberships"] == member("myContacts", "starred"), case.named("Anna")
    assert not [g for g in w.groups.values() if g["name"] == "Wichtig"], "no group of that name is made"
    case.quiet()
    case.edit("Lale", "CATEGORIES:Wichtig", "NOTE:ohne Stern")
    edit_there(case, "Ohne", memberships=member("myContacts", "starred"))
    case.sync()
    assert case.named("Lale")["memberships"] == member("myContacts") and "CATEGORIES:Wichtig" in case.card("Ohne")
    case.quiet()


def the_uid_where_people_see_it(case):
    w = case.world
    w.add(person("Lale", externalIds=[{"value": "u-lale", "type": "vcard-uid"}, {"value": "4711", "type": "account"}]))
    w.add(person("Max", emailAddresses=[{"value": "max@example.org"}], externalIds=[{"value": "99", "type": "customer"}]))
    site = case.link(card("u1", "Meier;Anna"), card("u-lale", "Yilmaz;Lale"), card("u-max", "Meier;Max", "EMAIL:max@example.org", "NOTE:hier"))
    site.run("account", "set", "srv", "people.uid=visible", expect=0)
    case.sync()
    assert len(case.persons()) == 3, "known by its UID, whatever the name: %s" % case.persons()
    assert case.named("Anna")["externalIds"] == [{"value": "u1", "type": "vcard-uid"}]
    assert case.named("Max")["externalIds"] == [{"value": "99", "type": "customer"}], "what was there already keeps its ids"
    lale = [p for p in case.persons() if {"value": "u-lale", "type": "vcard-uid"} in p.get("externalIds", ())]
    assert len(lale) == 1 and {"value": "4711", "type": "account"} in lale[0]["externalIds"], lale
    case.quiet()
    assert site.run("account", "set", "srv", "people.uid=ja", expect=2)


def given_up(case, **settings):
    """A create that Google shows only after it was made again: Nora is there twice, and the answer of neither was wrong."""
    linked(case, "Anna", **settings)
    w = case.world
    case.site.add(card("u-n", "Neu;Nora", "NOTE:hier"))
    script(case, "done", "batchCreate", "cut")
    case.site.sync(1)
    w.at = lambda *unused: None
    first = case.named("Nora")["resourceName"]
    hidden = w.contacts.pop(first)
    w.clock.advance(11 * MINUTE)
    case.sync()
    case.named("Nora")
    w.clock.advance(11 * MINUTE)
    case.quiet()
    w.contacts[first] = hidden
    w.store(first, dict(hidden.now()))
    return first


def a_create_that_arrives_after_all(case):
    first = given_up(case)
    w = case.world
    assert len(case.persons()) == 3
    w.requests = []
    case.site.run("check", "kunden", expect=0)
    assert not writes(w) and len(case.persons()) == 3, "to look changes nothing"
    case.quiet()
    assert first not in w.persons() and len(case.persons()) == 2, case.persons()
    assert len(writes(w)) == 1, paths(w)
    case.edit("Nora", "NOTE:hier", "NOTE:neu")
    case.sync()
    w.clock.advance(11 * MINUTE)
    case.quiet()
    assert len(case.site.contacts()) == 2 and case.named("Nora")["biographies"][0]["value"] == "neu"


def a_create_that_arrives_after_all_and_is_edited(case):
    """What a person has written into it is no double."""
    first = given_up(case)
    case.world.edit(first, biographies=[{"value": "von Hand"}])
    case.site.sync(None)
    assert first in case.world.persons() and len(case.persons()) == 3
    texts = case.site.run("contact", "export", "Kunden", expect=0).out
    assert "NOTE:von Hand" in texts and "NOTE:hier" in texts, texts


def a_double_is_looked_at_again_before_it_goes(case):
    """Edited between the listing and the clean-up."""
    first = given_up(case)
    script(case, "arrived", "batchGet", lambda: case.world.edit(first, nicknames=[{"value": "Nori"}]))
    case.site.sync(None)
    assert first in case.world.persons()
    case.world.at = lambda *unused: None
    case.site.sync(None)
    assert first in case.world.persons() and "NICKNAME:Nori" in case.site.run("contact", "export", "Kunden", expect=0).out


CASES = (ten_thousand_within_the_quota, every_link_of_an_account_keeps_the_quota, a_rate_is_a_number, the_quota_of_whole_listings,
         a_refused_batch_names_the_offenders, an_account_that_is_full, whole_listings_are_spread_over_accounts, what_is_recent_is_read_by_name,
         the_star_is_a_category_of_choice, the_uid_where_people_see_it, a_create_that_arrives_after_all,
         a_create_that_arrives_after_all_and_is_edited, a_double_is_looked_at_again_before_it_goes)

if __name__ == "__main__":
    sys.exit(run_cases("people, limits", CASES))
