"""The socket: HTTP/1.1 by Python's own server, a thread for each connection."""

import logging
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from billing.simulated.exchange import Answer, Request
from billing.simulated.pages.frame import page
from billing.simulated.site import Site

log = logging.getLogger(__name__)
MOST = 1 << 20  # bytes of a body


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    site: Site


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    server: Server
    server_version = "simulated-billing"
    sys_version = ""

    def handle(self) -> None:
        with suppress(ConnectionError):  # who leaves early misses the answer, and no more
            super().handle()

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_DELETE(self) -> None:
        self.respond()

    def respond(self) -> None:
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal() or int(length) > MOST:
            self.close_connection = True  # for what follows is no request
            return self.write(Answer(413))
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(length))
        request = Request(self.command, url.path, url.query, headers, body)
        try:
            return self.write(self.server.site.answer(request))
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return self.write(failure(request))

    def write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing of what went well."""


def failure(request: Request) -> Answer:
    """Ours to mend. Nothing has been changed."""
    if request.path.startswith("/v1/"):
        error = {"type": "api_error", "message": "The simulation has a fault; see its log."}
        return Answer.json({"error": error}, 500)
    return page("The simulation has a fault", status=500)
