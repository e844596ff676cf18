"""What commands that measure have in common: a free place to write to, sentences, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.cli.output import Output
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import Problem

__all__ = ["check_free", "tell_page", "tell_problems", "tell_report"]

_SHOWN = 5


def check_free(out: Path | None, names: Sequence[str], *, overwrite: bool) -> None:
    """Refuse a folder that cannot be, and to overwrite, before the work and not after it."""
    from striate.verbs.outputs import writable

    if out is None:
        return
    there = next((one for one in (out, *out.parents) if one.exists()), None)
    if there is not None and not there.is_dir():
        raise UsageError(f"{there} is a file", expected="a folder to write to, new or there already")
    for name in names:
        writable(out / name, overwrite=overwrite)


def tell_report(
    output: Output,
    title: str,
    statements: Sequence[str],
    found: Mapping[str, Any],
    page: Path | None,
    warnings: Sequence[str] = (),
) -> None:
    """The sentences, and where the page is; or everything as JSON."""
    if output.json:
        output.line({**found, "report": None if page is None else str(page)})
        return
    output.listing(title, [(one, "") for one in statements], style="bold")
    for one in warnings:
        output.say(one, style="yellow")
    tell_page(output, page)


def tell_page(output: Output, page: Path | None) -> None:
    """Where to look, if a page was written."""
    if page is not None:
        output.facts("Next", [("look", str(page))], talk=True)


def tell_problems(output: Output, problems: Sequence[Problem]) -> None:
    """Pictures that had to be left out, the first few by name."""
    serious = [one for one in problems if one.severity == "error"]
    for one in serious[:_SHOWN]:
        output.say(f"left out: {one.key}: {one.reason}", style="yellow")
    if len(serious) > _SHOWN:
        output.say(f"… and {len(serious) - _SHOWN} more; --json lists all", style="yellow")
