"""What `striate explain RUN PICTURE…` says while it works and of each picture, and what else to try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli.bars import Count, counting
from striate.cli.explain_words import Words
from striate.cli.output import Output

if TYPE_CHECKING:
    from striate.explain.explanation import Explanation
    from striate.verbs.explain.why_report import WrittenWhy

__all__ = ["Progress", "other_methods", "tell_one"]

_LINES = 12
"""Pictures whose sentences are written out; more are counted."""
_SURER = ("rise", "occlusion")
"""The methods whose maps pass most often: docs/explain-attribution.md."""


class Progress:
    """A bar on a terminal while pictures are worked on; it is gone when something is told of them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._count: Count = lambda done, of: None

    def __call__(self, done: int, of: int) -> None:
        self._count(done, of)

    def each(self, found: Iterator[Explanation]) -> Iterator[Explanation]:
        if not self._output.watched:
            yield from found
            return
        while True:
            with counting(self._output, "explaining", unit="maps") as self._count:
                one = next(found, None)
            if one is None:
                return
            yield one


def other_methods(words: Words, written: WrittenWhy) -> list[tuple[str, str]]:
    """Where the method that was taken by itself fails on most pictures: those that pass more often."""
    (only,) = written.tallies if len(written.tallies) == 1 else (None,)
    if only is None or words.methods or not words.check:
        return []
    if 2 * only.verdicts.get("passes", 0) >= only.count:
        return []
    better = " ".join(f"--method {name}" for name in _SURER if name != only.method)
    return [("try", f"{better}: slower, passes more often")]


def tell_one(output: Output, told: list[Explanation], one: Explanation, file: Path | None) -> None:
    """A JSON line, or sentences for the first few."""
    if output.json:
        output.line({**one.to_dict(), "file": None if file is None else str(file)})
        return
    from striate.explain.explanation import short_names

    if one.error is not None:
        output.say(f"left out: {one.error}", style="yellow")
        return
    if len(told) == _LINES:
        output.say("… and so on; --json tells all")
    if len(told) <= _LINES:
        told.append(one)
    if len(told) <= _LINES:
        said = ", ".join(f"{aim.name} {aim.shown}" for aim in one.aims)
        lines = [(words, "yellow" if tone == "bad" else "") for words, tone in one.told()]
        name = short_names([each.path for each in told])[-1]
        output.listing(f"{name}: why {said}?" if said else name, lines, style="bold")
