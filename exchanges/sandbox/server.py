"""The three exchanges on loopback sockets, one thread a request, until somebody says stop."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from exchanges.sandbox.btse import Btse
from exchanges.sandbox.faults import Reset
from exchanges.sandbox.keys import keys
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.web import Exchange
from exchanges.sandbox.world import World

LOOPBACK = "127.0.0.1"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    application: WSGIApplication

    def server_bind(self) -> None:
        """Without asking any name server what loopback is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Handler(WSGIRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: headers and paths are nobody's business."""

    def handle(self) -> None:
        """One request; where the application would not answer, close hard, as a reset does."""
        self.raw_requestline = self.rfile.readline(65_537)
        if len(self.raw_requestline) > 65_536 or not self.parse_request():
            return
        lost: list[Reset] = []

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                return self.server.application(environ, start_response)
            except Reset as reset:
                lost.append(reset)
                raise  # Taken by the reply as a client that hung up: nothing is sent.

        reply = ServerHandler(self.rfile, self.wfile, self.get_stderr(), self.get_environ())  # type: ignore[arg-type]
        reply.request_handler = self  # type: ignore[attr-defined]
        reply.run(application)
        if lost:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def exchanges(world: World, **switches: Mapping[str, Any]) -> dict[str, Exchange]:
    """The three applications with the keys of the world's seed; `switches` by exchange name are their arguments."""
    made: dict[str, Exchange] = {}
    for kind in (Btse, Tether, TokensNet):
        key, secret = keys(world.seed)[kind.name]
        made[kind.name] = kind(world, key=key, secret=secret, **switches.get(kind.name, {}))
    return made


class Serving:
    """Applications served on loopback: `with Serving({"btse": app}) as urls: …`."""

    def __init__(self, apps: Mapping[str, WSGIApplication], *, port_base: int = 0) -> None:
        """`port_base`: the first port, the others follow; 0 takes any free ones."""
        self._servers: dict[str, _Server] = {}
        for place, (name, app) in enumerate(apps.items()):
            server = _Server((LOOPBACK, port_base + place if port_base else 0), _Handler)
            server.set_app(app)
            self._servers[name] = server
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
            for server in self._servers.values()
        ]
        self.urls = {
            name: f"http://{LOOPBACK}:{server.server_port}" for name, server in self._servers.items()
        }

    def __enter__(self) -> dict[str, str]:
        """Begin to serve; gives the address of each."""
        for thread in self._threads:
            thread.start()
        return self.urls

    def __exit__(self, *_: object) -> None:
        """Stop serving and free the ports."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
