"""A server (or a proxy before it) that says yes and stores nothing: nothing is lost here, and it is said."""

import sys

from harness import Site, Suite, card
from hostile_server import Hostile


def yes_and_nothing(status):
    return lambda moment, _number, request: (status, {}, "") if moment == "arrived" and request.command == "PUT" else None


def an_update_that_is_ignored():
    with Hostile() as server:
        server.put("c0.vcf", card("u0", "Name;Vor", "NOTE:alt"))
        site = Site(server)
        site.sync()
        site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:neu"))
        server.at = yes_and_nothing(204)
        said = site.sync(1).json()["quarantined"]
        assert "kept the old record" in said[0]["reason"], said
        server.at = lambda *unused: None
        site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:neu", "NOTE:neuer"))
        site.sync()
        assert "NOTE:neuer" in server.texts()["c0.vcf"] and "NOTE:neuer" in site.contacts()["u0"]
        site.close()


def a_create_that_is_ignored():
    with Hostile() as server:
        site = Site(server)
        site.sync()
        site.add(card("u1", "Neu;Hier"))
        server.at = yes_and_nothing(201)
        for _ in range(3):
            site.sync(None)
            assert set(site.contacts()) == {"u1"}, "the contact is gone"
        server.at = lambda *unused: None
        for _ in range(2):
            site.sync(None)
        assert len(server.texts()) == 1 and set(site.contacts()) == {"u1"}
        assert site.sync().json()["status"] == "unchanged"
        site.close()


def main():
    suite = Suite("believed")
    for test in (an_update_that_is_ignored, a_create_that_is_ignored):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
