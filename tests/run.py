"""Runs the test programs given (scripts, too), then, without --only, the simulator, all end-to-end scripts and the fuzz targets, a few at a
time; shows what failed, and closes with one line of totals. What takes longest starts first; lines come in the order of the list.

    run.py [--only] PROGRAM...

JOBS=N sets how many run at once (one more than there are cores: many wait for disk or a server). Each part's log is in build/logs/."""

import contextlib
import glob
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

PYTHON = "/usr/bin/python3"
SIM = "build/tests/sim/abgleich-sim"
LOGS = "build/logs"
JOBS = int(os.environ.get("JOBS", "0")) or (os.cpu_count() or 1) + 1
PATIENCE_S = 900  # for one part; one that hangs must not hang all
SLOWEST = 12  # that are told with their seconds

# Started first, longest first, so that none of them runs alone at the end.
LONG = ("test_killed", "test_killed_graph", "test_killed_between", "test_hostile", "test_graph_faults", "test_killed_people", "test_killed_fe2", "test_killed_imports",
        "test_directory_hostile", "test_fe2", "test_people", "test_real_servers", "test_recreate", "test_modes", "test_fe2_daemon")

CRITERION = re.compile(rb"Synthesis: Tested: \D*?(?:\x1b\[[0-9;]*m)?(\d+).*?Passing: \D*?(?:\x1b\[[0-9;]*m)?(\d+)")
OURS = re.compile(rb"(\d+) passed, (\d+) failed")


class Part:
    """One command; `passed` and `failed` are read from its last line of totals."""

    def __init__(self, title, log, *command):
        self.title, self.command = title, command
        self.log = os.path.join(LOGS, log + ".log")
        self.passed = self.failed = 0
        self.seconds = 0.0
        self.process = None
        self.done = threading.Event()

    def run(self):
        begun = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            try:
                code = self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()
                code = self.process.wait()
                log.write(b"\nended after %d s\n" % PATIENCE_S)
        self.end_all()
        self.seconds = time.monotonic() - begun
        self.count(code)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.end_all()

    def end_all(self):
        """With what it started: a failed test may leave a daemon behind, which would go on taking processor and memory."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def count(self, code):
        with open(self.log, "rb") as f:
            self.said = f.read()
        criterion, ours = CRITERION.findall(self.said), OURS.findall(self.said)
        if criterion:
            self.passed = int(criterion[-1][1])
            self.failed = int(criterion[-1][0]) - self.passed
        elif ours:
            self.passed, self.failed = map(int, ours[-1])
        if code != 0 and not self.failed:
            self.failed = 1

    def tell(self):
        for line in re.findall(rb"^NOT RUN.*$", self.said, re.M):
            print(line.decode("utf-8", "replace"))
        if not self.failed:
            print("ok   %s (%d)" % (self.title, self.passed), flush=True)
            return
        print("FAIL %s (%d passed, %d failed)" % (self.title, self.passed, self.failed))
        print("\n".join(self.said.decode("utf-8", "replace").splitlines()[-60:]), flush=True)


def named(program):
    if program.endswith(".py"):
        return Part(program, os.path.basename(program)[:-3], PYTHON, program)
    return Part(program, "-".join(program.split("/")[-2:]), program, "--jobs", "1")


def worlds():
    for first in range(1, 2001, 500):
        yield Part("simulator, seeds %d-%d" % (first, first + 499), "sim%d" % first, SIM, "--first", str(first), "--seeds", "500")
    yield Part("the mode table in the simulator", "modes", SIM, "--modes", "tests/modes/table.txt")
    yield Part("an hour of virtual time, 50 accounts", "soak", SIM, "--soak", "50")
    yield Part("the table of planted faults", "mutants", PYTHON, "tests/mutants/mutants.py", "--table")


def scripts():
    return [named(s) for s in sorted(glob.glob("tests/e2e/test_*.py"))]


def fuzzers():
    names = [os.path.basename(s)[:-2] for s in sorted(glob.glob("tests/fuzz/fuzz_*.c"))]
    return [Part("fuzzing, some seconds: " + n, n, "tests/fuzz.sh", "6", "build-fuzz/" + n) for n in names]


def rank(part):
    name = os.path.basename(part.log)[:-4]
    return LONG.index(name) if name in LONG else len(LONG)


def work(waiting):
    while True:
        try:
            part = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            part.run()
        except Exception as why:  # a program that is not there
            part.failed, part.said = 1, str(why).encode()
        part.done.set()


def run(parts):
    waiting = queue.SimpleQueue()
    for part in sorted(parts, key=rank):
        waiting.put(part)
    for _ in range(JOBS):
        threading.Thread(target=work, args=(waiting,), daemon=True).start()
    try:
        for part in parts:
            part.done.wait()
            part.tell()
    finally:
        for part in parts:
            part.kill()


def main(arguments):
    only = arguments[:1] == ["--only"]
    parts = [named(p) for p in arguments[only:]]
    if not only:
        parts += [*worlds(), *scripts(), *fuzzers()]
    os.makedirs(LOGS, exist_ok=True)
    begun = time.monotonic()
    run(parts)
    slow = sorted(parts, key=lambda p: -p.seconds)[:SLOWEST]
    print("slowest: " + ", ".join("%s %.0f s" % (os.path.basename(p.log)[:-4], p.seconds) for p in slow))
    print("%.0f s in all, %d at a time" % (time.monotonic() - begun, JOBS))
    passed, failed = sum(p.passed for p in parts), sum(p.failed for p in parts)
    print("%d passed, %d failed" % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
