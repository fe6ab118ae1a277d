"""Rules of the tree that a compiler does not know: who may call what (docs/ARCHITECTURE.md, "Layers")."""

import glob
import os
import re
import sys

from harness import ROOT, Suite

DIRS = ("base", "mapping", "connectors", "state", "core", "server", "cli")


def sources(*folders):
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(ROOT, folder, "*.[ch]*"))):
            with open(path, encoding="utf-8") as f:
                yield os.path.relpath(path, ROOT), re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)


def nobody_but(allowed, pattern, *folders):
    found = ["%s: %s" % (path, m.group(0)) for path, text in sources(*folders) for m in re.finditer(pattern, text) if path not in allowed]
    assert not found, "\n".join(found)


def clock_and_chance_come_from_env():
    nobody_but((), r"(?<![\w>.*])(time|rand|random|srand|getrandom|arc4random|sleep|usleep|nanosleep|clock_gettime|gettimeofday)\(",
               "core", "connectors", "state", "mapping", "server")


def only_http_knows_curl():
    nobody_but(("connectors/http.c", "connectors/http_transfer.h", "connectors/mail.c"), r"curl/curl\.h", *DIRS)


def only_the_listener_knows_libmicrohttpd():
    nobody_but(("server/http_impl.h",), r"microhttpd\.h", *DIRS)
    nobody_but(("server/http_server.c", "server/http_call.c", "server/http_answer.c"), r"server/http_impl\.h", *DIRS)


def only_state_knows_sql():
    nobody_but(("state/db_sqlite.h",), r"sqlite3\.h", *DIRS)
    nobody_but((), r"\bquery_begin\(", "base", "mapping", "connectors", "core", "server", "cli")


def dependencies_point_one_way():
    below = {"base": (), "mapping": ("base",), "state": ("base", "mapping"), "connectors": ("base", "mapping", "state"),
             "core": ("base", "mapping", "connectors", "state"), "server": ("base", "mapping", "connectors", "state", "core"),
             "cli": ("base", "mapping", "connectors", "state", "core", "server")}
    found = []
    for folder, allowed in below.items():
        for path, text in sources(folder):
            for used in re.findall(r'#include "(\w+)/', text):
                if used != folder and used not in allowed:
                    found.append("%s includes %s/" % (path, used))
                if folder == "connectors" and used == "state" and not path.startswith("connectors/contactbox"):
                    found.append("%s includes state/" % path)
    assert not found, "\n".join(found)


def no_unsafe_parsing():
    nobody_but((), r"\b(strtok|gets|strcpy|strcat|sprintf)\(", *DIRS)


def main():
    suite = Suite("rules")
    for test in (clock_and_chance_come_from_env, only_http_knows_curl, only_the_listener_knows_libmicrohttpd, only_state_knows_sql, dependencies_point_one_way, no_unsafe_parsing):
        suite.run(test.__name__.replace("_", " "), test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
