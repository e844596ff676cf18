from __future__ import annotations

import hashlib
import itertools
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from striate.errors import DataError, DiskError, OfflineError, SettingError, UsageError
from striate.nn.weights import hub as module
from striate.nn.weights.hub import HubFile, download, endpoint, file_url, look_up, offline

CONTENT = bytes(range(256)) * 5000
WAY_ON = "or train with --weights none"


def _look_up(url: str) -> HubFile:
    return look_up(url, remedy=WAY_ON)


def _fetch(url: str, target: Path) -> None:
    download(_look_up(url), target, remedy=WAY_ON)


def test_a_file_comes_whole_through_the_redirect_of_large_files(
    hub: Any, hosted: Any, tmp_path: Path
) -> None:
    url = hub.put("someone/net", hosted(CONTENT))
    found = _look_up(url)
    assert found == HubFile(url, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "c0ffee")
    assert [method for method, _ in hub.requests] == ["HEAD"]
    target = tmp_path / "deep" / "weights.safetensors"
    download(found, target, remedy=WAY_ON)
    assert target.read_bytes() == CONTENT
    assert [entry.name for entry in target.parent.iterdir()] == ["weights.safetensors"]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sha256": "0" * 64}, DataError, "has sha256"),
        ({"send": CONTENT[:-7]}, OfflineError, "broke off after"),
        ({"send": CONTENT + b"more"}, DataError, "sends more than"),
        ({"send": CONTENT[:-1] + b"x"}, DataError, "has sha256"),
        ({"status": 404}, UsageError, "has no file"),
        ({"status": 403}, UsageError, "not open to the public"),
        ({"status": 503}, OfflineError, "HTTP 503"),
        ({"sha256": "abc"}, DataError, "without a sha256"),
        ({"size": 9 << 40}, DataError, "at most"),
        ({"location": "https://evil.example/file"}, DataError, "redirects to https://evil.example"),
        ({"location": "http://huggingface.co/file"}, DataError, "redirects to http://huggingface.co"),
        ({"location": "https://huggingface.co.evil.example/f"}, DataError, "redirects to"),
        ({"location": "file:///etc/passwd"}, DataError, "redirects to file://"),
    ],
)
def test_a_broken_hub_leaves_nothing_behind(
    changes: dict[str, Any], error: type[Exception], message: str, hub: Any, hosted: Any, tmp_path: Path
) -> None:
    url = hub.put("someone/net", hosted(CONTENT, **changes))
    target = tmp_path / "weights.safetensors"
    with pytest.raises(error, match=message) as caught:
        _fetch(url, target)
    assert WAY_ON in str(caught.value)
    assert list(tmp_path.rglob("*.safetensors")) == []
    assert list(tmp_path.rglob(".tmp-*")) == []


def test_endless_redirects_end(hub: Any, hosted: Any, tmp_path: Path) -> None:
    one = hosted(CONTENT)
    url = hub.put("someone/net", one)
    found = _look_up(url)
    one.location = "/someone/net/resolve/main/model.safetensors"
    with pytest.raises(OfflineError, match="without end"):
        download(found, tmp_path / "weights.safetensors", remedy=WAY_ON)


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(OfflineError, match=r"127\.0\.0\.1 cannot be reached.*--weights none"):
        _look_up(file_url("someone/net", "model.safetensors"))


def test_a_silent_server_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(OfflineError, match="timed out"):
            _look_up(file_url("someone/net", "model.safetensors"))


def test_a_trickling_server_is_given_up_on(hub: Any, hosted: Any, tmp_path: Path) -> None:
    """The clock of this test runs an hour with every look at it."""
    found = _look_up(hub.put("someone/net", hosted(CONTENT)))
    hours = itertools.count(step=3600)
    with pytest.raises(OfflineError, match="too slowly"):
        download(found, tmp_path / "w.safetensors", remedy=WAY_ON, clock=lambda: float(next(hours)))


def test_a_connection_cut_in_the_middle_is_an_offline_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)

        def cut() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")

        thread = threading.Thread(target=cut)
        thread.start()
        file = HubFile(f"{address}/f", "0" * 64, 1000, "")
        with pytest.raises(OfflineError, match=r"broke off|cannot be reached"):
            download(file, tmp_path / "w.safetensors", remedy=WAY_ON)
        thread.join()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_a_disk_error(
    hub: Any, hosted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _look_up(hub.put("someone/net", hosted(CONTENT)))
    monkeypatch.setattr(Path, "open", lambda *_, **__: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
    with pytest.raises(DiskError, match="cannot be written"):
        download(found, tmp_path / "w.safetensors", remedy=WAY_ON)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_is_a_disk_error(hub: Any, hosted: Any, tmp_path: Path) -> None:
    found = _look_up(hub.put("someone/net", hosted(CONTENT)))
    tmp_path.chmod(0o500)
    with pytest.raises(DiskError, match="STRIATE_HOME"):
        download(found, tmp_path / "weights" / "w.safetensors", remedy=WAY_ON)


@pytest.mark.parametrize(
    "address", ["http://mirror.example", "ftp://huggingface.co", "file:///tmp", "nonsense"]
)
def test_only_https_mirrors_are_used(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(SettingError, match="https://"):
        endpoint()


def test_addresses_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert (
        file_url("timm/a b", "m.safetensors")
        == "https://huggingface.co/timm/a%20b/resolve/main/m.safetensors"
    )
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/")
    assert file_url("timm/x", "m") == "https://mirror.example/hf/timm/x/resolve/main/m"


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("", False), ("0", False), ("yes", True)])
def test_offline_is_said_by_the_environment(
    value: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIATE_OFFLINE", value)
    assert offline() is expected
