"""Files that are whole or not there: temporary file, flush, fsync, rename, fsync of the folder.

A process killed at any moment, or a disk that fills up, leaves the old file untouched. What is left
behind at worst is a temporary file (`.tmp-…`), which `sweep` removes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from striate.errors import DiskError, RunError

__all__ = [
    "append_line",
    "disk_errors",
    "interrupted_swap",
    "read_jsonl",
    "recover_folder",
    "replace_folder",
    "require_space",
    "sha256_of",
    "shown_bytes",
    "sweep",
    "sync_file",
    "sync_folder",
    "truncate_lines",
    "write_bytes",
    "write_text",
    "write_with",
]

TEMPORARY = ".tmp-"

_FULL = "free some space, or choose another --out; what was saved before is intact"
_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("no space left on the disk", _FULL),
    errno.EDQUOT: ("your disk quota is used up", _FULL),
    errno.EFBIG: ("the file is larger than this file system or process may write", _FULL),
    errno.EROFS: ("the file system is read-only", "choose another --out"),
    errno.EACCES: ("permission denied", "choose a folder you may write to with --out"),
    errno.EPERM: ("the operation is not permitted", "choose a folder you may write to with --out"),
}
# How libraries that hide the errno say it: safetensors prints Rust's kind, torch its own sentence.
_HIDDEN = {
    "no space left": errno.ENOSPC,
    "storagefull": errno.ENOSPC,
    "unexpected pos": errno.ENOSPC,
    "quota": errno.EDQUOT,
    "file too large": errno.EFBIG,
    "filetoolarge": errno.EFBIG,
    "read-only file system": errno.EROFS,
    "permission denied": errno.EACCES,
}


def shown_bytes(count: float) -> str:
    """A size for people, in powers of 1000.

    >>> shown_bytes(1_250_000)
    '1.2 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"


def _free_bytes(path: Path) -> int:
    """Bytes free where `path` is, or would be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def _disk_error(path: Path, code: int, needed: int | None) -> DiskError:
    reason, remedy = _REASONS[code]
    room = f"{shown_bytes(_free_bytes(path))} free"
    if needed is not None:
        room = f"needs {shown_bytes(needed)}, {room}"
    return DiskError(f"cannot write {path}: {reason} ({room})", remedy=remedy)


@contextmanager
def disk_errors(path: Path, *, needed: int | None = None) -> Iterator[None]:
    """Turn "full", "quota", "too large", "read-only" and "denied" into a `DiskError` about `path`.

    Also where a library hides the errno in the words of its own exception. `needed`: bytes that were
    to be written, where known. Other errors pass unchanged.
    """
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        if error.errno in _REASONS:
            raise _disk_error(path, error.errno, needed) from error
        raise
    except Exception as error:
        words = str(error).lower()
        code = next((code for text, code in _HIDDEN.items() if text in words), None)
        if code is None:
            raise
        raise _disk_error(path, code, needed) from error


def require_space(folder: Path, needed: int, *, what: str) -> None:
    """Refuse before the work begins: `DiskError` where `folder` has less than `needed` bytes free."""
    free = _free_bytes(folder)
    if free < needed:
        raise DiskError(
            f"{what} needs about {shown_bytes(needed)} in {folder}, where {shown_bytes(free)} are free",
            remedy="free some space, or choose another --out",
        )


def sync_file(path: Path) -> None:
    """Force the content of `path` to the disk."""
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Force the names in `folder` to the disk; a rename is durable only after this."""
    if os.name == "posix":  # elsewhere a folder cannot be opened, and the rename is journalled
        sync_file(folder)


def write_with(path: Path, write: Callable[[Path], None], *, needed: int | None = None) -> None:
    """Let `write` make a temporary file beside `path` (same ending), then put it in place at once.

    `DiskError` if the disk refuses; `path` is then what it was before.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name}")
    with disk_errors(path, needed=needed):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temporary)
            sync_file(temporary)
            os.replace(temporary, path)  # noqa: PTH105 - the name that says "atomic" to a reader
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """`data` as the file `path`: all of it, or nothing and a `DiskError`."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_with(path, write, needed=len(data))


def write_text(path: Path, text: str) -> None:
    """`text` in UTF-8 as the file `path`, with lines ended as they are; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def append_line(path: Path, text: str, *, sync: bool = False) -> None:
    """Add `text` and a line end to `path`; a line that an earlier kill tore is cut off first.

    Without `sync` the line survives the death of the process, with it that of the machine. If the
    disk refuses, the file is cut back to its former length and a `DiskError` raised.
    """
    assert "\n" not in text, "one line at a time"
    data = text.encode("utf-8") + b"\n"
    with disk_errors(path, needed=len(data)):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            regular = stat.S_ISREG(os.fstat(handle).st_mode)
            before = _cut_torn_line(handle) if regular else 0
            try:
                left = data
                while left:
                    left = left[os.write(handle, left) :]
            except OSError:
                if regular:
                    os.ftruncate(handle, before)
                raise
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)


def _cut_torn_line(handle: int) -> int:
    """Cut what follows the last line end; the length of the file after it."""
    size = os.fstat(handle).st_size
    end = size
    while end > 0:
        start = max(0, end - 4096)
        os.lseek(handle, start, os.SEEK_SET)
        found = os.read(handle, end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(handle, end)
    return end


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file; none if it is missing. A last line without its end is dropped.

    `RunError` for a damaged line that is not the torn last one.
    """
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _damaged_line(path, number) from error
        if not isinstance(row, dict):
            raise _damaged_line(path, number)
        rows.append(row)
    return rows


def _damaged_line(path: Path, number: int) -> RunError:
    return RunError(
        f"line {number} of {path} is damaged",
        expected="one JSON object a line",
        remedy="restore the file, or remove that line",
    )


def truncate_lines(path: Path, count: int) -> None:
    """Keep the first `count` lines of `path`, all at once; a resumed run writes the others again."""
    if path.exists():
        lines = path.read_bytes().split(b"\n")[:-1]
        if len(lines) > count or not path.read_bytes().endswith(b"\n"):
            write_bytes(path, b"".join(line + b"\n" for line in lines[:count]))


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's content (344 MB: about 0.2 s)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed writer left in `folder` and below."""
    for path in folder.rglob(f"{TEMPORARY}*"):
        if path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def _aside(final: Path) -> Path:
    """Where the earlier folder waits while its successor takes its name."""
    return final.with_name(f".{final.name}.striate-replaced")


def replace_folder(new: Path, final: Path) -> None:
    """Put the folder `new` in the place of `final`, and delete what was there.

    The earlier folder exists, under its own or a waiting name, until the new one has its name; a kill
    in between is mended by `recover_folder`. Both must lie in one folder.
    """
    waiting = _aside(final)
    with disk_errors(final):
        if not final.exists():
            new.rename(final)
        else:
            final.rename(waiting)
            try:
                new.rename(final)
            except OSError:
                waiting.rename(final)
                raise
        sync_folder(final.parent)
        shutil.rmtree(waiting, ignore_errors=True)  # what is left of it, `recover_folder` removes


def recover_folder(new: Path, final: Path) -> None:
    """Finish what a kill within `replace_folder(new, final)` left undone; else nothing happens."""
    waiting = _aside(final)
    if not waiting.exists():
        return
    with disk_errors(final):
        if not final.exists():
            (new if new.exists() else waiting).rename(final)
            sync_folder(final.parent)
        shutil.rmtree(waiting, ignore_errors=True)  # what is left of it, `recover_folder` removes


def interrupted_swap(final: Path) -> Path | None:
    """The waiting earlier folder, if `final` is away in the middle of a swap."""
    waiting = _aside(final)
    return waiting if waiting.exists() and not final.exists() else None
