"""The time of an emulator: the machine's clock plus what the clock file says, which the program under test reads too
(tests/e2e/clock_shim.c), so that waiting costs nothing."""

import mmap
import os
import struct
import tempfile
import time


class Clock:
    """Milliseconds to add to the machine's clock, in a file that the program under test maps as well."""

    def __init__(self):
        handle, self.path = tempfile.mkstemp(prefix="abgleich-clock-")
        os.write(handle, b"\0" * 8)
        self.map = mmap.mmap(handle, 8)
        os.close(handle)

    def offset(self):
        return struct.unpack("q", self.map[:8])[0] / 1000

    def advance(self, seconds):
        self.map[:8] = struct.pack("q", int((self.offset() + seconds) * 1000))

    def now(self):
        return time.time() + self.offset()
