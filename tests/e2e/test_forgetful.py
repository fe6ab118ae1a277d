"""A server that does not know a token and answers as if it were the first question (DAViCal, SOGo): everything is there but the deletions."""

import re

from harness import Site, Suite, card
from hostile_server import Hostile


def forget_tokens(server):
    handler = server.server.RequestHandlerClass
    real = handler.report
    handler.report = lambda self, body: real(self, re.sub(r"data:,\d+", "", body))


def deletions_are_found_all_the_same():
    with Hostile() as server:
        for i in range(30):
            server.put("c%d.vcf" % i, card("u%d" % i, "Name%d;Vor" % i))
        site = Site(server)
        site.sync()
        assert len(site.contacts()) == 30
        server.delete("c7.vcf")
        forget_tokens(server)
        site.sync()
        assert set(site.contacts()) == {"u%d" % i for i in range(30)} - {"u7"}
        assert len(server.texts()) == 29, "made again what was deleted"
        site.close()


def main():
    suite = Suite("forgetful")
    suite.run("deletions are found all the same", deletions_are_found_all_the_same)
    return suite.end()


if __name__ == "__main__":
    raise SystemExit(main())
