"""What a command says when it ends badly, and with which exit code."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence

from striate.cli.output import Output
from striate.errors import DiskError, Interrupted, MemoryLimitError, StriateError

__all__ = ["report"]

_BUG = 1


def report(error: BaseException, words: Sequence[str], *, json: bool, debug: bool) -> int:
    """Tell `error` to the user or the machine; the exit code that belongs to it."""
    if debug:
        traceback.print_exception(error)
    known = _as_known(error)
    output = Output(json=json)
    if known is None:
        known = _bug(error, words)
    output.fail(known)
    return known.exit_code


def _as_known(error: BaseException) -> StriateError | None:
    """An error raised on purpose, or what the machine did to us in these terms; None for a bug."""
    if isinstance(error, StriateError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("stopped")
    if isinstance(error, MemoryError):
        return MemoryLimitError(
            "memory ran out", remedy="close other programs, or give smaller pictures"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        where = error.filename or "the output"
        return DiskError(f"cannot write {where}: {error.strerror}", remedy="free some space there")
    if isinstance(error, PermissionError):
        return DiskError(
            f"{error.filename or 'a file'}: permission denied",
            remedy="choose files and folders that you may read and write",
        )
    return None


def _bug(error: BaseException, words: Sequence[str]) -> StriateError:
    from striate import __version__

    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append(f"{step.tb_frame.f_globals.get('__name__', '?')}:{step.tb_lineno}")
        step = step.tb_next
    own = [frame for frame in frames if frame.startswith("striate")]
    place = own[-1] if own else (frames[-1] if frames else "?")
    python = ".".join(map(str, sys.version_info[:3]))
    return StriateError(
        f"this is a bug in striate {__version__} (Python {python}): "
        f"{type(error).__name__}: {error} (at {place})",
        remedy="your files are unchanged; report it with the output of `striate doctor` "
        f"and of the same command with --debug: striate {words[0] if words else ''} … --debug",
    )
