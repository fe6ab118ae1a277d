"""make mutants: plants each fault of table.py in a copy of the tree, one at a time, and runs the suite from its cheapest part on until
something is red. Prints a Markdown table of what caught it. A fault nobody catches is a test that is missing; a text that is not there
(any more) is an error of the table.

    mutants.py [--seeds N] [--quick] [--table] [NAME ...]"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from table import MUTANTS

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SIM = "build/tests/sim/abgleich-sim"

# What is asked first, by file; what is not named here goes to the simulator at once.
UNIT = {
    "core/match.c": ["property/test_match", "unit/test_match"],
    "core/merge.c": ["property/test_merge", "unit/test_merge"],
    "core/decision.c": ["unit/test_decision"],
    "core/guard.c": ["unit/test_guard"],
    "core/undo.c": ["unit/test_undo"],
    "mapping/people.c": ["unit/test_people_mapping"],
    "mapping/graph.c": ["unit/test_graph_mapping"],
    "mapping/graph_table.c": ["unit/test_graph_mapping"],
    "mapping/fingerprint.c": ["unit/test_fingerprint", "property/test_merge"],
    "state/lock.c": ["unit/test_lease", "unit/test_state"],
    "state/lease.c": ["unit/test_lease"],
    "state/journal.c": ["unit/test_state_journal"],
    "connectors/carddav_write.c": ["unit/test_carddav"],
    "connectors/carddav_changes.c": ["unit/test_carddav"],
    "connectors/oauth.c": ["unit/test_oauth"],
    "connectors/oauth_jwt.c": ["unit/test_oauth"],
    "connectors/http_status.c": ["unit/test_http", "unit/test_carddav"],
    "connectors/http_redirect.c": ["unit/test_http"],
}
OWN = [("/people", ["test_people"]), ("/oauth", ["test_oauth", "test_foreign_signin"]), ("/graph", ["test_graph", "test_graph_faults"])]
WIRE = ["test_hostile", "test_believed", "test_odd_servers", "test_real_servers"]  # the simulator has a connector of its own
E2E = ["test_hostile", "test_killed", "test_killed_imports", "test_believed", "test_odd_servers", "test_own", "test_modes", "test_undo", "test_real_servers", "test_people", "test_people_limits", "test_sign_in"]
FAILURE = re.compile(r"^(?:.*\[FAIL\]\S*\s+|FAIL |seed \d+: |\S+, \w+ on [ab]: )(.*)$")


def planted(name, path, old, new):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        sys.exit("mutant %s: its text occurs %d times in %s, not once; correct tests/mutants/table.py" % (name, text.count(old), path))
    return text.replace(old, new)


def copy_tree(folder):
    """What git knows and what was built, with the times, so that only what is touched is built."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.split("\n")
    for name in filter(None, listed):
        if os.path.isfile(os.path.join(ROOT, name)):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), os.path.join(folder, name))
    packages = os.path.join("tests", "npm", "node_modules")
    if os.path.isdir(os.path.join(ROOT, packages)):
        os.symlink(os.path.join(ROOT, packages), os.path.join(folder, packages))
    if os.path.isdir(os.path.join(ROOT, "build")):
        subprocess.run(["cp", "-a", os.path.join(ROOT, "build"), folder], check=True)


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def end_to_end(scripts):
    for script in scripts:
        yield script, "all", ["/usr/bin/python3", "tests/e2e/%s.py" % script], 900


class Copy:
    def __init__(self, folder, seeds, quick):
        self.folder, self.seeds, self.quick = folder, seeds, quick

    def do(self, command, limit):
        """(exit code, output); a program that does not end is ended with all it started, and counts as red."""
        p = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                             env=dict(os.environ, CCACHE_BASEDIR=self.folder))
        try:
            out = p.communicate(timeout=limit)[0]
            return p.returncode, out.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            return -1, "FAIL it did not end within %d s" % limit
        finally:
            if p.returncode is None:
                os.killpg(p.pid, signal.SIGKILL)
                p.communicate()

    def make(self, target):
        code, out = self.do(["make", "-s", "-j2", target], 600)
        if code:
            sys.exit("it does not build:\n" + out[-3000:])

    def parts(self, path):
        """(what, target, command, limit in seconds), the cheapest first."""
        for test in UNIT.get(path, []):
            yield test.split("/")[1], "build/tests/" + test, ["build/tests/" + test, "--jobs", "2"], 120
        if path.startswith("connectors/"):
            tls = ["test_tls"] if path.startswith("connectors/http") else []
            own = next((scripts for part, scripts in OWN if part in path), [])
            yield from [] if self.quick else end_to_end(own or tls + WIRE)
            return
        yield "mode table", SIM, [SIM, "--modes", "tests/modes/table.txt"], 120
        for first, n in ((1, 100), (101, self.seeds - 100)):
            yield "simulator", SIM, [SIM, "--first", str(first), "--seeds", str(n)], 900
        yield from [] if self.quick else end_to_end(E2E)

    def catcher(self, path):
        for what, target, command, limit in self.parts(path):
            self.make(target)
            code, out = self.do(command, limit)
            if code:
                lines = [m.group(0).strip() for m in map(FAILURE.match, out.split("\n")) if m]
                return "%s: %s" % (what, clean(lines[0]) if lines else "exit %d" % code)
        return None


def clean(line):
    line = re.sub(r"\x1b\[[0-9;]*m|\[FAIL\]|^FAIL ", "", line).strip().replace("|", "/")
    return re.sub(r"uid-\d+|v\d+x\w*", "…", re.sub(r": \(.*\)$", "", line))[:90]


def try_one(copy, mutant):
    name, path, old, new, _ = mutant
    target = os.path.join(copy.folder, path)
    with open(target, encoding="utf-8") as f:
        right = f.read()
    write(target, planted(name, path, old, new))
    try:
        return copy.catcher(path)
    finally:
        write(target, right)


def try_all(copy, mutants):
    survived = 0
    print("| fault | stands for | caught by | s |\n|---|---|---|---|", flush=True)
    for m in mutants:
        start = time.monotonic()
        by = try_one(copy, m)
        survived += by is None
        print("| %s | %s | %s | %d |" % (m[0], m[4], by or "**nobody**", time.monotonic() - start), flush=True)
    print("\n%d caught, %d survived" % (len(mutants) - survived, survived))
    return survived


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seeds", type=int, default=2000)
    args.add_argument("--quick", action="store_true", help="without the end-to-end scripts")
    args.add_argument("--table", action="store_true", help="only see that each text is there once")
    args.add_argument("names", nargs="*")
    args = args.parse_args()
    unknown = set(args.names) - {m[0] for m in MUTANTS}
    if unknown:
        sys.exit("no such mutant: " + ", ".join(sorted(unknown)))
    mutants = sorted((m for m in MUTANTS if m[0] in args.names), key=lambda m: args.names.index(m[0])) if args.names else MUTANTS
    for m in mutants:
        planted(*m[:4])
    if args.table:
        print("%d passed, 0 failed" % len(mutants))
        return 0
    with tempfile.TemporaryDirectory(prefix="abgleich-mutants-") as folder:
        copy_tree(folder)
        return 1 if try_all(Copy(folder, args.seeds, args.quick), mutants) else 0


if __name__ == "__main__":
    sys.exit(main())
