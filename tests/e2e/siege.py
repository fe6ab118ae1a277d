"""What a siege of the daemon is made of: attackers, each a process of its own, and a good client that notes how long it waits. Used by
test_siege.py, which asks whether the good client is served, and tests/bench/siege.py, which asks how fast."""

import heapq
import http.client
import multiprocessing
import select
import signal
import socket
import time

PATIENCE_S = 40
FORK = multiprocessing.get_context("fork")


class Swarm:
    """Many connections that say `first`, then `drip` every so many seconds, and read as `sip` bytes at that beat (None: all that comes).
    Whoever is cut off comes back, `rate` a second at most. `sources`: addresses they come from, in turn."""

    def __init__(self, where, count, first=b"", drip=b"", every=1.0, sip=None, rate=2000, sources=("127.0.0.1",)):
        self.where, self.count, self.first, self.drip, self.every, self.sip = where, count, first, drip, every, sip
        self.rate, self.sources = rate, sources
        self.opened = self.cut = 0
        self.beats, self.poll, self.by_fd = [], None, {}

    def open(self):
        s = socket.socket()
        s.setblocking(False)
        if self.sip:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: the port is chosen with the connection
        s.bind((self.sources[self.opened % len(self.sources)], 0))
        s.connect_ex(self.where)
        self.opened += 1
        self.by_fd[s.fileno()] = [s, self.first]
        self.poll.register(s.fileno(), select.EPOLLOUT | select.EPOLLRDHUP)

    def close(self, fd):
        self.poll.unregister(fd)
        self.by_fd.pop(fd)[0].close()
        self.cut += 1

    def write(self, fd):
        one = self.by_fd[fd]
        try:
            one[1] = one[1][one[0].send(one[1]):] if one[1] else b""
        except BlockingIOError:
            return
        if one[1]:
            return
        self.poll.modify(fd, (0 if self.sip else select.EPOLLIN) | select.EPOLLRDHUP)
        if self.drip or self.sip:
            heapq.heappush(self.beats, (time.monotonic() + self.every, fd, id(one)))

    def beat(self, now):
        while self.beats and self.beats[0][0] <= now:
            _, fd, which = heapq.heappop(self.beats)
            one = self.by_fd.get(fd)
            if not one or id(one) != which:
                continue
            try:
                if self.sip:
                    one[0].recv(self.sip)
                if self.drip:
                    one[0].send(self.drip)
            except BlockingIOError:
                pass
            except OSError:
                self.close(fd)
                continue
            heapq.heappush(self.beats, (now + self.every, fd, which))

    def hear(self, fd, events):
        try:
            if events & select.EPOLLOUT:
                self.write(fd)
            if events & select.EPOLLIN and not self.by_fd[fd][0].recv(65536):
                self.close(fd)
            elif events & (select.EPOLLHUP | select.EPOLLERR) or (events & select.EPOLLRDHUP and not self.sip):
                self.close(fd)
        except BlockingIOError:
            pass
        except OSError:
            self.close(fd)

    def run(self, over, ready):
        self.poll, allowed, last = select.epoll(), 100.0, time.monotonic()
        while not over.is_set():
            now = time.monotonic()
            allowed, last = min(allowed + (now - last) * self.rate, self.rate / 5), now
            while len(self.by_fd) < self.count and allowed >= 1:
                allowed -= 1
                try:
                    self.open()
                except OSError:
                    break
            if self.opened >= self.count:
                ready.set()
            self.beat(now)
            for fd, events in self.poll.poll(0.01):
                if fd in self.by_fd:
                    self.hear(fd, events)


class Caller:
    """Requests one after the other, each on a connection of its own, whose answers nobody looks at."""

    def __init__(self, where, make, source="127.0.0.1"):
        self.where, self.make, self.source = where, make, source

    def run(self, over, ready):
        at = 0
        ready.set()
        while not over.is_set():
            at += 1
            try:
                with socket.create_connection(self.where, 20, (self.source, 0)) as s:
                    s.sendall(self.make(at))
                    while s.recv(65536):
                        pass
            except OSError:
                time.sleep(0.001)


class Attack:
    """Runs attackers while the block runs; entered when all of them are there."""

    def __init__(self, *attackers):
        self.over = FORK.Event()
        self.ready = [FORK.Event() for _ in attackers]
        self.processes = [FORK.Process(target=self.run, args=(a, r), daemon=True) for a, r in zip(attackers, self.ready)]

    def run(self, attacker, ready):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        attacker.run(self.over, ready)

    def __enter__(self):
        for p in self.processes:
            p.start()
        for r in self.ready:
            assert r.wait(60), "an attacker did not come to attack"
        return self

    def __exit__(self, *unused):
        self.over.set()
        for p in self.processes:
            p.join(10)
            p.kill()
            p.join()


class Good:
    """A client that means well: one request a connection, as telephones do. expect: the body; None = any."""

    def __init__(self, where, path, expect, pause=0.0, headers=None):
        self.where, self.path, self.expect, self.pause, self.headers = where, path, expect, pause, headers or {}
        self.waits, self.failures = [], []

    def ask(self):
        began = time.monotonic()
        connection = http.client.HTTPConnection(*self.where, timeout=30)
        try:
            connection.request("GET", self.path, headers={"Connection": "close", **self.headers})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200 and self.expect in (None, body), "answered %d, %d bytes" % (answer.status, len(body))
            self.waits.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException, AssertionError) as why:
            self.failures.append("%s: %s" % (type(why).__name__, why))
        finally:
            connection.close()

    def ask_for(self, seconds, at_least=0):
        """So long; longer, where the machine is busy, until there are so many answers or it is clear that there will be none."""
        began = time.monotonic()
        while time.monotonic() < began + seconds or (len(self.waits) < at_least and time.monotonic() < began + PATIENCE_S):
            self.ask()
            time.sleep(self.pause)
        return self

    def percentile(self, p):
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]
