"""A listener that knows how many connections are open, so that a test can wait until nothing of a killed client can take effect any more.
Its `world` has `open`, a number, and `closed`, a condition."""

from http.server import ThreadingHTTPServer


class CountingListener(ThreadingHTTPServer):
    """Counts the connections from their accept to their end."""

    world = None

    def count(self, n):
        with self.world.closed:
            self.world.open += n
            self.world.closed.notify_all()

    def process_request(self, request, client_address):
        self.count(1)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.count(-1)
