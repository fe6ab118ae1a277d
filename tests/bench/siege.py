"""How long a good client waits while the daemon is besieged (the attacks of tests/e2e/test_siege.py), and what it costs in memory.

  /usr/bin/python3 tests/bench/siege.py [SECONDS [ATTACK ...]]

The client makes a connection for each of its requests, a telephone's phonebook, and rests 5 ms between them. Attackers are processes on the
same machine: where they take more than a core, part of the wait is for the processor."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from siege import Attack, Good  # noqa: E402
from test_siege import ATTACKS, BOOK, Fort  # noqa: E402


def measure(name, attackers, seconds):
    with Fort() as f:
        where = (f.host, f.port)
        good = Good(where, BOOK + "/yealink/v1", None, pause=0.005)
        with Attack(*attackers(where)):
            good.ask_for(seconds)
        print("| %s | %d | %.1f | %.1f | %.0f | %d | %d |" % (name, len(good.waits), 1000 * good.percentile(50), 1000 * good.percentile(99),
                                                          1000 * max(good.waits), len(good.failures), f.memory("VmHWM") >> 10), flush=True)


def main():
    seconds = float((sys.argv[1:] + ["10"])[0])
    print("| attack | answers | median ms | p99 ms | longest ms | failed | peak MiB |\n|---|---|---|---|---|---|---|")
    for name, attackers in [("none", lambda where: []), *ATTACKS.items()]:
        if not sys.argv[2:] or any(word in name for word in sys.argv[2:]):
            measure(name, attackers, seconds)


if __name__ == "__main__":
    main()
