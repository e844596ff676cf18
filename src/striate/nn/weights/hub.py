"""Fetching one file from a model hub: announced hash first, then the bytes, never anything else.

Only https (plain http to this machine, for mirrors and tests), redirects only to the hub's own
hosts, a timeout on every socket, a cap on size and on time. Nothing is left behind unless the hash
is right.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from striate.errors import DataError, DiskError, OfflineError, SettingError, UsageError

__all__ = ["HubFile", "disk_error", "download", "endpoint", "file_url", "look_up", "offline"]

_TIMEOUT_S = 10.0
_LARGEST_BYTES = 8 << 30
_SLOWEST_BYTES_PER_S = 50_000
_GRACE_S = 60.0
_CHUNK = 1 << 20
_REDIRECTS = 5
_HUB_DOMAINS = ("huggingface.co", "hf.co")
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub describes it. `commit`: the revision, "" if the hub names none."""

    url: str
    sha256: str
    bytes: int
    commit: str


def offline() -> bool:
    """Whether the user forbids the network (`STRIATE_OFFLINE=1`)."""
    return os.environ.get("STRIATE_OFFLINE", "") not in ("", "0")


def endpoint() -> str:
    """Address of the hub: `HF_ENDPOINT`, or huggingface.co. A `SettingError` unless it is https."""
    address = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    parts = urlsplit(address)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    ):
        return address
    raise SettingError(
        f"HF_ENDPOINT is {address!r}", expected="an https:// address (http:// only for this machine)"
    )


def file_url(repository: str, file: str) -> str:
    """Where the hub keeps `file` of `repository`."""
    return f"{endpoint()}/{quote(repository)}/resolve/main/{quote(file)}"


def look_up(url: str, *, remedy: str) -> HubFile:
    """What the hub says of the file at `url`, without fetching it.

    Errors: `OfflineError` if the hub cannot be reached, `UsageError` if it has no such file or hides
    it, `DataError` if it publishes no sha256.
    """
    headers, commit = _describe(url, remedy)
    sha256 = headers.get("X-Linked-Etag", headers.get("ETag", "")).removeprefix("W/").strip('"').lower()
    size = headers.get("X-Linked-Size", headers.get("Content-Length", ""))
    if not re.fullmatch("[0-9a-f]{64}", sha256) or not size.isdigit():
        raise DataError(
            f"{url} is published without a sha256 or a size, so it could not be checked", remedy=remedy
        )
    if int(size) > _LARGEST_BYTES:
        raise DataError(
            f"{url} has {int(size) / 1e9:.1f} GB",
            expected=f"at most {_LARGEST_BYTES / 1e9:.1f} GB",
            remedy=remedy,
        )
    return HubFile(url, sha256, int(size), commit)


def download(
    file: HubFile, target: Path, *, remedy: str, clock: Callable[[], float] = time.monotonic
) -> None:
    """Bring `file` to `target`, whole and with the announced hash, or leave nothing.

    Errors: `OfflineError` if the transfer breaks off or crawls, `DataError` if the bytes are others
    than announced, `DiskError` if they cannot be written.
    """
    partial = target.with_name(f".tmp-{target.stem[:16]}-{secrets.token_hex(4)}")
    deadline = clock() + _GRACE_S + file.bytes / _SLOWEST_BYTES_PER_S
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(_open(file.url, "GET", remedy)) as answer, partial.open("xb") as out:
            digest = _copy(answer, out, file, remedy, lambda: clock() > deadline)
            out.flush()
            os.fsync(out.fileno())
        if digest != file.sha256:
            raise DataError(
                f"what came from {file.url} has sha256 {digest[:12]}…",
                expected=f"{file.sha256[:12]}…, as the hub announced",
                remedy=f"try again; if it stays so, do not trust this source. {remedy}",
            )
        partial.replace(target)
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(answer: Any, out: Any, file: HubFile, remedy: str, late: Callable[[], bool]) -> str:
    """Copy and hash; the sha256."""
    digest, done = hashlib.sha256(), 0
    while chunk := _read(answer, file.url, remedy):
        done += len(chunk)
        if done > file.bytes:
            raise DataError(
                f"{file.url} sends more than the {file.bytes} bytes it announced", remedy=remedy
            )
        if late():
            raise OfflineError(
                f"{file.url} comes too slowly: {done} of {file.bytes} bytes", remedy=remedy
            )
        digest.update(chunk)
        out.write(chunk)
    if done < file.bytes:
        raise OfflineError(f"the transfer broke off after {done} of {file.bytes} bytes", remedy=remedy)
    return digest.hexdigest()


def _read(answer: Any, url: str, remedy: str) -> bytes:
    try:
        chunk: bytes = answer.read1(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error, remedy) from error
    return chunk


def _describe(url: str, remedy: str) -> tuple[Message, str]:
    """Headers of the answer that carries the hash: large files answer with a redirect that has it."""
    commit = ""
    for _ in range(_REDIRECTS + 1):
        with closing(_request(url, "HEAD", remedy)) as answer:
            headers: Message = answer.headers
            commit = headers.get("X-Repo-Commit", commit)
            if "X-Linked-Etag" in headers or answer.status < 300:
                return headers, commit
            url = _redirected(url, headers, remedy)
    raise OfflineError(f"{url} redirects without end", remedy=remedy)


def _open(url: str, method: str, remedy: str) -> Any:
    """The answer with the content, over redirects."""
    for _ in range(_REDIRECTS + 1):
        answer = _request(url, method, remedy)
        if answer.status < 300:
            return answer
        with closing(answer):
            url = _redirected(url, answer.headers, remedy)
    raise OfflineError(f"{url} redirects without end", remedy=remedy)


def _redirected(url: str, headers: Message, remedy: str) -> str:
    """Where an answer points; a `DataError` if that is no host of the hub."""
    target = urljoin(url, headers.get("Location", ""))
    parts, home = urlsplit(target), urlsplit(endpoint())
    host = parts.hostname or ""
    same = (parts.scheme, parts.netloc) == (home.scheme, home.netloc)
    of_hub = any(host == domain or host.endswith(f".{domain}") for domain in _HUB_DOMAINS)
    if same or (parts.scheme == "https" and of_hub):
        return target
    raise DataError(
        f"{url} redirects to {parts.scheme}://{host}",
        expected=f"{home.hostname}, or https to {' or '.join(_HUB_DOMAINS)}",
        remedy=remedy,
    )


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Redirects are judged by us, not followed by urllib."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _request(url: str, method: str, remedy: str) -> Any:
    """The answer to one request, redirects included; errors as ours."""
    request = urllib.request.Request(  # `endpoint` and `_redirected` admit https only
        url, method=method, headers={"User-Agent": "striate", "Accept-Encoding": "identity"}
    )
    try:
        return urllib.request.build_opener(_StayHere).open(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if 300 <= error.code < 400:
            return error
        with closing(error):
            raise _refused(url, error.code, remedy) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error, remedy) from error


def _refused(url: str, status: int, remedy: str) -> UsageError | OfflineError:
    if status in (401, 403):
        return UsageError(f"{url} is not open to the public (HTTP {status})", remedy=remedy)
    if status in (404, 410):
        return UsageError(f"the hub has no file {url} (HTTP {status})", remedy=remedy)
    return OfflineError(
        f"the hub answers HTTP {status} for {url}", remedy=f"try again later, or: {remedy}"
    )


def _unreachable(url: str, error: Exception, remedy: str) -> OfflineError:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return OfflineError(
        f"{urlsplit(url).hostname} cannot be reached: {str(reason) or type(error).__name__}",
        remedy=remedy,
    )


def disk_error(error: OSError, target: Path) -> DiskError:
    """`error`, met while writing `target`, in words that help."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return DiskError(
        f"{target.parent} cannot be written: {error.strerror or error}",
        remedy="free some space there" if full else "set STRIATE_HOME to a folder you may write to",
    )
