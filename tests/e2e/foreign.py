"""What nobody here wrote, run beside the program: the packages of tests/npm with the Node that comes with them (docs/TESTING.md).

    with Prism(schema, upstream) as proxy: ...   each request and answer against the maker's schema; proxy.violations()
    run_client(script, *args)                    a script of tests/npm with a maker's client; what it told, if all of it was good"""

import json
import os
import platform
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from harness import ROOT

SCRIPTS = os.path.join(ROOT, "tests", "npm")
PACKAGES = os.path.join(SCRIPTS, "node_modules")
SCHEMAS = os.path.join(ROOT, "tests", "fixtures", "schemas")
PATIENCE_S = 120


def node():
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return os.path.join(PACKAGES, "node-linux-" + machine, "bin", "node")


def are_there():
    """A case of its own in each suite: without the packages nothing here may look as if it had passed."""
    for path in (node(), *(os.path.join(PACKAGES, p) for p in ("@stoplight/prism-cli", "@microsoft/microsoft-graph-client", "emulate", "jose"))):
        assert os.path.exists(path), "%s is missing; make deps installs it" % path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A program that listens on one port; known to be ready when it takes a connection, ended by its process."""

    def __init__(self, port, *command):
        self.port, self.url = port, "http://127.0.0.1:%d" % port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([node(), *command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise

    def wait_ready(self):
        until = time.monotonic() + PATIENCE_S
        while True:
            assert self.process.poll() is None, "it ended: %s" % self.said()
            assert time.monotonic() < until, "it does not listen: %s" % self.said()
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)

    def said(self):
        self.log.seek(0)
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log.read().decode("utf-8", "replace"))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Prism(Server):
    """Between a client and an emulator: what does not fit the schema is answered with 422 (the client's fault) or 500 (the emulator's)."""

    def __init__(self, schema, upstream):
        self.marks, port = 0, free_port()
        super().__init__(port, os.path.join(PACKAGES, "@stoplight", "prism-cli", "dist", "index.js"), "proxy", "--errors", "-h", "127.0.0.1",
                         "-p", str(port), os.path.join(SCHEMAS, schema), upstream.rstrip("/"))

    def violations(self):
        """What it found until now. It tells asynchronously, but in order: a request that it must refuse marks the end. An error answer's shape
        stands in no schema of the makers: that it has none is a mere warning."""
        self.marks += 1
        mark = "get /mark-%d " % self.marks
        try:
            urllib.request.urlopen(self.url + mark[4:].strip())
            raise AssertionError("it took a path that no schema has")
        except urllib.error.HTTPError:
            pass
        until = time.monotonic() + PATIENCE_S
        while not any(mark in line and "terminated" in line for line in self.said().splitlines()):
            assert time.monotonic() < until, self.said()
            time.sleep(0.02)
        return [line for line in self.said().splitlines() if re.search(r"violation|terminated with error", line, re.I) and
                "get /mark-" not in line and "warning   Violation: response Unable to match the returned status code" not in line]


def run_client(script, *args, text=""):
    """Runs a script that prints "ok ..." or "FAIL ..." lines and "done" in the end; what else it prints is JSON and given back."""
    done = subprocess.run([node(), os.path.join(SCRIPTS, script), *args], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=PATIENCE_S, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines and lines[-1] == "done" and not any(line.startswith("FAIL") for line in lines), done.stdout
    return [json.loads(line) for line in lines if line.startswith(("{", "["))]
