"""The pages of `striate --help` and `striate data --help`: plain text, nothing imported."""

from __future__ import annotations

import os
import sys
import textwrap

from striate.cli.commands import COMMANDS, FAMILIES

__all__ = ["overview"]

_FIRST_STEPS = (
    "striate train digits --out runs/digits",
    "striate predict runs/digits photo.png",
    "striate data check my-photos",
)


def overview(family: str = "", *, width: int = 0, colour: bool | None = None) -> str:
    """The list of commands, of all or of one family, to fit a terminal of `width` columns."""
    width = width or _terminal_width()
    bold, dim, plain = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if _wants_colour(colour) else ("", "", "")
    command = f"striate {family} COMMAND" if family else "striate COMMAND"
    title = FAMILIES[family] if family else "a folder of pictures becomes a model that you can trust"
    lines = [f"{bold}striate{f' {family}' if family else ''}{plain}: {title}", ""]
    lines = [part for line in lines for part in (textwrap.wrap(line, width + len(bold + plain)) or [""])]
    lines += [f"{bold}Usage{plain}  {command} …", "", f"{bold}Commands{plain}"]
    rows = _rows(family)
    left = max(len(name) for name, _ in rows) + 4
    for name, summary in rows:
        wrapped = textwrap.wrap(summary, max(20, width - left))
        lines.append(f"  {bold}{name}{plain}{' ' * (left - 2 - len(name))}{wrapped[0]}")
        lines += [" " * left + rest for rest in wrapped[1:]]
    if not family:
        lines += ["", f"{bold}First steps{plain}", *(f"  {step}" for step in _FIRST_STEPS)]
    lines += ["", *(f"{dim}{line}{plain}" for line in textwrap.wrap(_closing(command), width))]
    return "\n".join(lines) + "\n"


def _rows(family: str) -> list[tuple[str, str]]:
    """Name and summary of each line; a family is one line where all commands are listed."""
    if family:
        return [
            (name.removeprefix(family).strip() or "RUN …", command.summary)
            for name, command in COMMANDS.items()
            if f"{name} ".startswith(f"{family} ")
        ]
    rows: dict[str, str] = {}
    for name, command in COMMANDS.items():
        first = name.split()[0]
        rows.setdefault(first, FAMILIES.get(first, command.summary))
    return list(rows.items())


def _closing(command: str) -> str:
    return f"{command} --help tells more. Add --json for machines, --debug for tracebacks."


def _terminal_width() -> int:
    if os.environ.get("COLUMNS", "").isdigit():
        return max(40, int(os.environ["COLUMNS"]))
    try:
        return max(40, min(100, os.get_terminal_size(sys.stdout.fileno()).columns))
    except (OSError, ValueError):
        return 80


def _wants_colour(asked: bool | None) -> bool:
    if asked is not None:
        return asked
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
