"""`abgleich doctor` from outside: sound, with what was learned; orphans named; damage ends with exit 7 and no word of an empty state."""

import glob
import os
import sys

from harness import Site, Suite, card
from hostile_server import Hostile


def sound():
    with Hostile() as server:
        site = Site(server)
        server.put("a.vcf", card("u1"))
        server.put("bad.vcf", "no card")
        site.sync(1)
        got = site.run("--json", "doctor", expect=0).json()
        assert got["sound"] and [f["kind"] for f in got["findings"]] == ["left_alone"], got
        assert {t["account"] for t in got["learned"]} == {"srv"}, got
        for path in glob.glob(os.path.join(site.folder, "conf.d", "link-*.ini")):
            os.remove(path)
        got = site.run("--json", "doctor", expect=0).json()
        assert [f["kind"] for f in got["findings"]] == ["orphan"] and "kunden" in got["findings"][0]["text"], got
        assert "kunden" in site.run("doctor", expect=0).out
        site.close()


def damaged():
    with Hostile() as server:
        site = Site(server)
        for i in range(300):
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i, "NOTE:" + "x" * 500))
        site.sync()
        path = os.path.join(site.folder, "state.db")
        with open(path, "r+b") as f:
            for at in range(40, 60):
                f.seek(at * 4096 + 100)
                f.write(os.urandom(900))
        r = site.run("doctor", expect=7)
        assert "damaged" in r.out + r.err and "backup" in r.out + r.err, r
        site.close()


def main():
    suite = Suite("doctor")
    for test in (sound, damaged):
        suite.run(test.__name__, test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
