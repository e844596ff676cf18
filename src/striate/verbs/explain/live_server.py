"""The page's server: this machine only, a secret in the address, only the page and its moments."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from striate.errors import MachineError, UsageError
from striate.explain.live_page import page_policy
from striate.runs.plain import json_ready

__all__ = ["LiveServer"]

HOST = "127.0.0.1"
_WAIT_S = 8.0
_MOST_BODY = 4096
_IDLE_S = 30.0
_HTTP_PORT, _LAST_PORT = 80, 65535


class LiveServer(ThreadingHTTPServer):
    """Serves `page` and answers with moments on 127.0.0.1.

    `wait`: (number, seconds) → the latest moment. `control`: takes what the page wishes, `ValueError`
    for what it cannot. Only requests with the token, and addressed to this machine, are answered. A
    `MachineError` for a port that is taken.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        port: int,
        page: str,
        wait: Callable[[int, float], dict[str, Any]],
        control: Callable[[Mapping[str, Any]], None],
    ) -> None:
        if not 0 <= port <= _LAST_PORT:
            raise UsageError(
                f"port was given {port}", expected=f"1 to {_LAST_PORT}, or 0 for any free one"
            )
        self.page, self.wait, self.control = page.encode("utf-8"), wait, control
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise MachineError(
                f"port {port} cannot be listened to: {(error.strerror or str(error)).lower()}",
                remedy="choose another --port, or leave it out",
            ) from error

    @property
    def port(self) -> int:
        """The port it listens to."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """The address of the page, with its secret."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that was closed while it was answered is nobody's error."""


def _own_names(port: int) -> list[str]:
    """What a browser calls this server in `Host`: of HTTP's own port the number is left out."""
    names = (HOST, "localhost")
    return [f"{name}:{port}" for name in names] + (list(names) if port == _HTTP_PORT else [])


class _Handler(BaseHTTPRequestHandler):
    server: LiveServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "striate", ""
    timeout = _IDLE_S

    def do_GET(self) -> None:
        """The page, or the next moment."""
        path = self._path()
        if path is None:
            return
        if path == "":
            self._send(200, self.server.page, "text/html; charset=utf-8", policy=page_policy())
        elif path == "next":
            after = parse_qs(urlsplit(self.path).query).get("after", ["-1"])[0]
            if not after.removeprefix("-").isdecimal() or len(after) > 18:
                self._refuse(400, "after is a whole number")
                return
            found = self.server.wait(int(after), _WAIT_S)
            data = json.dumps(json_ready(found), allow_nan=False, ensure_ascii=False)
            self._send(200, data.encode("utf-8"), "application/json")
        else:
            self._refuse(404, "there is nothing here")

    def do_POST(self) -> None:
        """A wish of the page."""
        path = self._path()
        if path is None:
            return
        if path != "control":
            self._refuse(404, "there is nothing here")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST_BODY:
            self._refuse(413, f"at most {_MOST_BODY} bytes")
            return
        if self.headers.get_content_type() != "application/json":
            self._refuse(415, "application/json is expected")
            return
        try:
            told = json.loads(self.rfile.read(int(length)))
            if not isinstance(told, dict):
                raise ValueError("an object is expected")
            self.server.control(told)
        except ValueError as error:
            self._refuse(400, str(error))
            return
        self._send(200, b"{}", "application/json")

    def _path(self) -> str | None:
        """What is asked for below the secret; None, and a refusal, for who may not ask."""
        hosts = _own_names(self.server.port)
        origin = self.headers.get("Origin")
        if self.headers.get("Host", "") not in hosts:
            self._refuse(403, "this server answers only to this machine's own name")
            return None
        if origin is not None and origin not in [f"http://{host}" for host in hosts]:
            self._refuse(403, "another page may not ask")
            return None
        token, slash, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        if not slash or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(403, "the address lacks its secret: use the whole address that was printed")
            return None
        return rest

    def _refuse(self, status: int, reason: str) -> None:
        self.close_connection = True
        self._send(status, reason.encode("utf-8"), "text/plain; charset=utf-8")

    def _send(self, status: int, data: bytes, kind: str, *, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(data))),
            ("Content-Security-Policy", f"{policy}; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
        """Say nothing: the terminal belongs to the user, and addresses hold the secret."""
