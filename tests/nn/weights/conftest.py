"""A model hub on this machine, as obedient or as broken as a test asks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Hosted:
    """One file, and what the hub does otherwise than it should with it."""

    content: bytes
    sha256: str = ""
    size: int | None = None
    status: int = 200
    location: str = ""
    send: bytes | None = None

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.content).hexdigest()


@dataclass
class Hub:
    """The hub's files by path, and what was asked of it."""

    files: dict[str, Hosted] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def put(self, repository: str, hosted: Hosted, file: str = "model.safetensors") -> str:
        path = f"/{repository}/resolve/main/{file}"
        self.files[path] = hosted
        return self.address + path


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            hub.requests.append((self.command, self.path))
            path = self.path.removeprefix("/store")
            hosted = hub.files.get(path)
            if hosted is None or hosted.status >= 400:
                self.send_error(404 if hosted is None else hosted.status)
                return
            stored = self.path.startswith("/store")
            self.send_response(200 if stored else 302)
            if not stored:
                self.send_header("Location", hosted.location or f"/store{path}")
                self.send_header("X-Linked-Etag", f'"{hosted.sha256}"')
                self.send_header("X-Linked-Size", str(hosted.size or len(hosted.content)))
                self.send_header("X-Repo-Commit", "c0ffee")
            sent = hosted.content if hosted.send is None else hosted.send
            self.send_header("Content-Length", str(len(sent) if stored else 0))
            self.end_headers()
            if body and stored:
                self.wfile.write(sent)

    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what some tests are about."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that striate is told to use, with the network allowed."""
    found = Hub()
    server = _Server(("127.0.0.1", 0), _handler(found))
    found.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", found.address)
    monkeypatch.delenv("STRIATE_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hosted() -> type[Hosted]:
    return Hosted
