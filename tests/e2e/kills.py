"""What the kill sweeps share: a world that can be put back as it was, and a program that dies at each write to its database or at each
request it sends, one number after the other until it lives to its end. Two workers share the numbers; each has its own server."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

from harness import HERE, PROGRAM
from hostile_server import Hostile, kill

WORKERS = 2
ENOUGH = 5  # failures of one kind: the rest would say the same
MOMENTS = ("arrived", "done", "half")


def build_shim(folder):
    path = os.path.join(folder, "shim.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, os.path.join(HERE, "commit_shim.c"), "-ldl"], check=True)
    return path


class Stage:
    """A server and a site, prepared once; reset() puts both back as they were."""

    def __init__(self, prepare, world=Hostile):
        self.server = world()
        self.site = prepare(self.server)
        self.kept = self.site.folder + ".kept"
        shutil.copytree(self.site.folder, self.kept)
        self.there = self.server.keep()

    def reset(self):
        s = self.server
        s.wait_idle()
        with s.lock:
            s.at = lambda *unused: None
            s.restore(self.there)
        shutil.rmtree(self.site.folder)
        shutil.copytree(self.kept, self.site.folder)

    def close(self):
        self.site.close()
        shutil.rmtree(self.kept, ignore_errors=True)
        self.server.__exit__()

    def start(self, command, **environment):
        loaded = ":".join(filter(None, (environment.get("LD_PRELOAD"), self.site.environment.get("LD_PRELOAD"))))
        return subprocess.Popen([PROGRAM, "-c", self.site.config, "-q", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, **self.site.environment, **environment, "LD_PRELOAD": loaded})

    def kill_at_write(self, command, shim, number):
        """True: it was killed. False: it never came to that number."""
        code = self.start(command, LD_PRELOAD=shim, SHIM_KILL_AT=str(number)).wait()
        assert code in (0, -signal.SIGKILL), "it neither died nor did its work: exit %d" % code
        return code == -signal.SIGKILL

    def kill_at_request(self, command, moment, number):
        """True: it sent that many. Where half of an answer is all of it (204), the kill hits a little later, wherever that is."""
        s, process, met = self.server, [], []

        def at(when, n, _request):
            if when == moment and n == number - 1:
                met.append(n)
                kill(process[0].pid)
                process[0].wait()
                return "cut"
            return None

        with s.lock:  # no request is looked at before the process is known
            s.at = at
            process.append(self.start(command))
        code = process[0].wait()
        assert code in ((0, -signal.SIGKILL) if met else (0,)), "it neither died nor did its work: exit %d" % code
        s.at = lambda *unused: None
        return bool(met)


KINDS = ("write",) + MOMENTS


def kill_one(stage, command, kind, number, shim):
    stage.reset()
    if kind == "write":
        return stage.kill_at_write(command, shim, number)
    return stage.kill_at_request(command, kind, number)


def work_on(kind, worker, title, stage, command, check, shim):
    """[passed, failed, highest number that was met] of the worker's share of one kind of boundary."""
    passed, failed, number = 0, 0, worker + 1
    while failed < ENOUGH:
        try:
            if not kill_one(stage, command, kind, number, shim):
                return passed, failed, number - WORKERS
            check(stage)
            passed += 1
            print("ok   %s, killed at %s %d" % (title, kind, number), flush=True)
        except Exception:
            failed += 1
            print("FAIL %s, killed at %s %d\n%s" % (title, kind, number, traceback.format_exc()), flush=True)
        number += WORKERS
    return passed, failed, number - WORKERS


def work(worker, title, prepare, command, check, kinds, world, shim, out):
    stage = Stage(prepare, world)
    for kind in kinds:
        out.put((kind, work_on(kind, worker, title, stage, command, check, shim)))
    stage.close()


def add_up(suite, title, kinds, out):
    highest = dict.fromkeys(kinds, 0)
    while not out.empty():
        kind, (passed, failed, number) = out.get()
        suite.passed, suite.failed = suite.passed + passed, suite.failed + failed
        highest[kind] = max(highest[kind], number)
    print("     %s: %s" % (title, ", ".join("%s: %d" % k for k in highest.items())))
    assert all(highest.values()), "a kind of boundary was never met"


def sweep(suite, title, prepare, command, check, kinds=KINDS, world=Hostile):
    """Kills `command` at every boundary of the world that prepare(server) makes of a world() (it returns the site), and lets check(stage) look at
    what is left each time."""
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        shim, out = build_shim(folder), fork.SimpleQueue()
        workers = [fork.Process(target=work, args=(n, title, prepare, command, check, kinds, world, shim, out)) for n in range(WORKERS)]
        sys.stdout.flush()
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        suite.run("%s: both workers came to their end" % title, lambda: ended([w.exitcode for w in workers]))
        suite.run("%s: every kind of boundary" % title, add_up, suite, title, kinds, out)


def ended(codes):
    assert codes == [0] * WORKERS, codes
