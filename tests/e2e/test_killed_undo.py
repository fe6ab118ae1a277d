"""kill -9 at every boundary of taking a run back. Who was killed is asked again; then what the run wrote is gone from both sides, what
people wrote is there, and a sync finds nothing to do."""

import sys

from harness import Site, Suite, card, check_same, uid_of
from kills import sweep


def settle(site):
    for _ in range(4):
        result = site.sync(None)
        if result.code == 0 and result.json()["status"] == "unchanged":
            return
    raise AssertionError("not quiet after 4 runs: %r" % result)


def synced_twice(server):
    """Run 2 creates, edits and deletes on both sides; it is the one that is taken back."""
    for i in range(4):
        server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "NOTE:alt %d" % i))
    site = Site(server)
    site.sync()
    site.edit(site.id_of("u0"), site.contacts()["u0"].replace("NOTE:alt", "NOTE:hier"))
    server.put("c1.vcf", server.cards["c1.vcf"].text.replace("NOTE:alt", "NOTE:dort"))
    site.remove(site.id_of("u2"))
    site.add(card("n1", "Neu;Hier"))
    server.put("n2.vcf", card("n2", "Neu;Dort"))
    assert site.sync().json()["run"] == 2
    return site


def check_undone(stage):
    """Whoever was killed is asked again; then what the run wrote is gone, and a sync finds nothing to do."""
    site, server = stage.site, stage.server
    site.run("undo", "2", "--yes", expect=None)
    settle(site)
    here, there = site.contacts(), {uid_of(t): t for t in server.texts().values()}
    assert len(there) == len(server.texts()), "doubled on the server"
    assert set(here) == {"u0", "u1", "u3", "n1"} and set(there) == {"u0", "u1", "u2", "u3", "n2"}, (sorted(here), sorted(there))
    assert "NOTE:hier" in here["u0"] and "NOTE:alt" in there["u0"] and "NOTE:alt" in here["u1"] and "NOTE:dort" in there["u1"]
    check_same({"u3": here["u3"]}, {"u3": there["u3"]})
    assert not server.violations, server.violations


def main():
    suite = Suite("killed undo")
    sweep(suite, "undo", synced_twice, ("undo", "2", "--yes"), check_undone)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
