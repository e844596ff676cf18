"""The command `striate`: find the command, run it, turn its outcome into an exit code.

Everything up to the choice of a command works on plain strings, so that `striate --help` answers
before any package is imported.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

from striate.cli.commands import COMMANDS, FAMILIES, Command

__all__ = ["main"]

_OK, _BUG, _INTERRUPTED = 0, 1, 5
_HELP = ("--help", "-h", "help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `striate` with `argv` (by default the process's arguments); the exit code.

    0 ok, 1 a bug in striate, 2 usage, 3 data, 4 machine, 5 interrupted and resumable.
    """
    if argv is None:
        _own_process()
    words = list(sys.argv[1:] if argv is None else argv)
    own = words[: words.index("--")] if "--" in words else words
    debug = "--debug" in own
    if debug:
        words.remove("--debug")
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except (BrokenPipeError, SystemExit):  # rich turns the one into the other
        # whoever read us has seen enough; what is still buffered must not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OK
    except (Exception, KeyboardInterrupt) as error:
        from striate.cli.failure import report

        return report(error, words, json="--json" in own, debug=debug)


def _own_process() -> None:
    """What only a process that is nothing but this command may do."""
    gc.set_threshold(100_000)  # imports make many objects and no garbage: an eighth of the start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 gets escapes, not a crash
            stream.reconfigure(errors="backslashreplace")


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["help"] and len(words) > 1:
        words = [*words[1:], "--help"]
    if not words or words[0] in _HELP:
        from striate.cli.overview import overview

        sys.stdout.write(overview())
        return _OK
    if words[0] in ("--version", "-V"):
        from striate import __version__

        sys.stdout.write(f"striate {__version__}\n")
        return _OK
    name, command = _find(words)
    if command is None:
        from striate.cli.overview import overview

        sys.stdout.write(overview(name))
        return _OK
    from striate.cli.app import run

    return run(name, command, words[len(name.split()) :])


def _find(words: list[str]) -> tuple[str, Command | None]:
    """The name of the command and the command; None where only its family was named."""
    first, both = words[0], " ".join(words[:2])
    if first in FAMILIES and len(words) == 1:
        return first, None
    for name in (both, first):  # `layers step` is not the layer list "step"
        if name in COMMANDS:
            return name, COMMANDS[name]
    if first in FAMILIES and words[1] in _HELP:
        return first, None
    from striate.errors import UnknownNameError

    if first in FAMILIES:
        choices = [name.split()[1] for name in COMMANDS if name.startswith(f"{first} ")]
        raise UnknownNameError(f"command of striate {first}", words[1], choices)
    raise UnknownNameError("command", first, {name.split()[0] for name in COMMANDS})
