"""Explanations of many pictures as files: a sheet each, one JSON, one page; no picture is kept."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from striate.errors import DataError, Interrupted
from striate.explain.attribution import METHODS
from striate.explain.explanation import Attribution, Explanation, short_names
from striate.explain.faithfulness import COPIES, DOUBTFUL, GAIN, STAYS
from striate.figures import Figure, Gallery, GalleryItem, Section, Table
from striate.pictures.lettering import spaced
from striate.pictures.write import write
from striate.runs.atomic import disk_errors, write_with
from striate.runs.page import Tiles, write_page
from striate.runs.plain import json_ready
from striate.verbs.explain.why_sources import check_apart, no_pictures
from striate.verbs.model import FilePath
from striate.verbs.outputs import writable
from striate.verbs.predict.outputs import FreeNames, own_folder

__all__ = ["FILES", "Tally", "WrittenWhy", "first_names", "free_folder", "write_explanations"]

FILES = ("explain.html", "explain.json")
_SIDE = 560
"""Pixels of a picture on the page: it is shown at half of that."""
_MOST_PANELS = 96
"""What the page may hold: each is a picture in memory until it is written."""
_MOST_DOUBTFUL = round(DOUBTFUL * (1 + COPIES)) - 1


@dataclass(slots=True)
class Tally:
    """What became of one method over many pictures: sums, no pictures."""

    method: str
    count: int = 0
    scores: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)

    def add(self, one: Attribution) -> None:
        """Count one picture in."""
        self.count += 1
        self.verdicts[one.verdict] = self.verdicts.get(one.verdict, 0) + 1
        if one.layer is not None:
            self.layers[one.layer] = self.layers.get(one.layer, 0) + 1
        if one.faith is not None:
            faith = one.faith
            alike = one.sameness[-1][1] if one.sameness else float("nan")
            self.scores.append(
                (faith.deletion, faith.random_deletion, faith.insertion, faith.random_insertion, alike)
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready means; None where nothing was measured."""
        return {
            "method": self.method,
            "pictures": self.count,
            **dict(zip(_SCORES, self.means(), strict=True)),
            "verdicts": dict(self.verdicts),
            "layers": dict(self.layers),
        }

    def means(self) -> tuple[float, ...]:
        """Deletion, the same at random, insertion, the same at random, likeness; NaN if unmeasured."""
        if not self.scores:
            return (float("nan"),) * len(_SCORES)
        table = np.asarray(self.scores)
        known = np.isfinite(table)
        sums, counts = np.where(known, table, 0).sum(axis=0), known.sum(axis=0)
        return tuple(float(a / b) if b else float("nan") for a, b in zip(sums, counts, strict=True))

    def sentence(self) -> str:
        """For a terminal: how it did on all pictures."""
        passed = self.verdicts.get("passes", 0)
        if not self.scores:
            return f"{self.method}: {self.count} pictures, not checked"
        deletion, deletion_random, insertion, insertion_random, alike = self.means()
        untrained = f", map of an untrained network alike {alike:.2f}" if alike == alike else ""  # noqa: PLR0124
        return (
            f"{self.method}: passes its checks on {passed} of {self.count}; deletion {deletion:.2f} "
            f"(random {deletion_random:.2f}), insertion {insertion:.2f} (random {insertion_random:.2f})"
            f"{untrained}"
        )


_SCORES = ("deletion", "deletion_random", "insertion", "insertion_random", "sameness")


@dataclass(frozen=True, slots=True)
class WrittenWhy:
    """What was written: the page, and how each method did. `failed`: pictures that cannot be read."""

    run: str
    page: Path
    pictures: int
    failed: int
    tallies: tuple[Tally, ...]

    @property
    def statements(self) -> list[str]:
        """How each method did, in sentences."""
        return [one.sentence() for one in self.tallies]

    def to_dict(self) -> dict[str, Any]:
        """The head of explain.json."""
        return {
            "run": self.run,
            "count": self.pictures,
            "failed": self.failed,
            "methods": [one.to_dict() for one in self.tallies],
        }


def write_explanations(
    found: Iterable[Explanation],
    out: FilePath,
    *,
    run: str,
    given: str,
    shown: int = 24,
    overwrite: bool = False,
    tell: Callable[[Explanation, Path | None], None] | None = None,
) -> WrittenWhy:
    """Write OUT/NAME.png a picture as they come, OUT/explain.json and OUT/explain.html.

    `shown`: so many pictures stand on the page. `tell` hears each one, with its file. explain.json is
    put in place when all is done: {"pictures": [one object a picture], …}. Nothing is written before
    the first one is there. Errors: `UsageError` where `out` is neither new nor empty, without
    `overwrite`, and for a sheet that would replace its own picture; `DataError` for no pictures, or none
    that can be read: nothing is written then. Ctrl-C ends it: what is done is written, page and all, and
    `Interrupted` says so.
    """
    folder, page, data = free_folder(out, overwrite=overwrite)
    rows = iter(found)
    first = next(rows, None)
    if first is None:
        raise no_pictures(given)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    names, tallies, figures = FreeNames(), dict[str, Tally](), list[tuple[str, Gallery]]()
    counts = [0, 0]
    stopped = False

    def each(one: Explanation, file: TextIO) -> None:
        path = None
        if one.error is None:
            path = folder / names.free(one.path, ".png")
            check_apart([one.path] if path.exists() else [], folder)
            write(one.plot(), path, overwrite=overwrite)
            if len(figures) < shown and len(figures) * (1 + len(one.attributions)) < _MOST_PANELS:
                figures.append((one.path, _figure(one)))
        for attribution in one.attributions:
            name = attribution.method.name
            tallies.setdefault(name, Tally(name)).add(attribution)
        row = json_ready({**one.to_dict(), "file": None if path is None else path.name})
        file.write((",\n  " if counts[0] else "  ") + json.dumps(row, allow_nan=False))
        counts[0] += 1
        counts[1] += one.error is not None
        if tell is not None:
            tell(one, path)

    def whole(temporary: Path) -> None:
        nonlocal stopped
        with temporary.open("w", encoding="utf-8") as file:
            file.write('{"pictures": [\n')
            try:
                for one in chain([first], rows):
                    each(one, file)
            except KeyboardInterrupt:
                stopped = True
            _check_any(counts, stopped=stopped)
            file.write("\n ],\n")
            head = json_ready(_written(run, page, counts, tallies).to_dict())
            file.write(json.dumps(head, allow_nan=False)[1:] + "\n")

    try:
        write_with(data, whole)
    except (DataError, Interrupted):
        with suppress(OSError):  # it is not empty where there was something before
            folder.rmdir()
        raise
    written = _written(run, page, counts, tallies)
    write_page(
        page,
        f"Why {run} says so",
        _INTRO
        + (_TESTED if any(set(one.verdicts) - {"unchecked"} for one in tallies.values()) else "."),
        _sections(written, _titled(figures)),
        kind="striate explain",
        facts=given,
        numbers=_tiles(written),
        overwrite=overwrite,
    )
    if stopped:
        raise Interrupted(
            f"stopped after {written.pictures} {'picture' if written.pictures == 1 else 'pictures'}: "
            f"{page} holds what was done",
            remedy="name the others, and another --out",
        )
    return written


def _check_any(counts: Sequence[int], *, stopped: bool) -> None:
    """That one picture could be explained."""
    if counts[0] > counts[1]:
        return
    if stopped:
        raise Interrupted("stopped before anything was explained")
    raise DataError(
        f"nothing to explain: of {counts[0]} pictures none could be read",
        remedy="look at what is told of each",
    )


def free_folder(out: FilePath, *, overwrite: bool = False) -> tuple[Path, Path, Path]:
    """The folder `out`, its page and its JSON, if they may be written; else a `UsageError`."""
    folder = Path(out)
    page, data = (writable(folder / name, overwrite=overwrite) for name in FILES)
    return own_folder(folder, "--out", overwrite=overwrite), page, data


def _written(run: str, page: Path, counts: Sequence[int], tallies: dict[str, Tally]) -> WrittenWhy:
    return WrittenWhy(run, page, counts[0], counts[1], tuple(tallies.values()))


_INTRO = (
    "What in a picture an answer rests on, by one or several methods. Such maps persuade even where "
    "they are wrong"
)
_TESTED = (
    ", so each is tested on its own picture: does the answer go when what is marked is "
    "greyed, does it come back when only that is shown, both more than with the same map at random "
    "places, and does a network that learnt nothing get another map? "
    "A map that fails is crossed out and should not be read."
)


_COLOURS = (
    "From grey, which says little, over violet and orange to pale yellow, which says most; hatched is "
    "what the model does not see."
)


def _tiles(written: WrittenWhy) -> Tiles:
    tiles = [("pictures", spaced(written.pictures))]
    if written.pictures == 1:
        passed = sum(one.verdicts.get("passes", 0) for one in written.tallies)
        maps = sum(one.count for one in written.tallies)
        checked = any(one.scores for one in written.tallies)
        return [("maps that pass their checks", f"{passed} of {maps}")] if checked else []
    for one in written.tallies[:3]:
        if one.scores:
            share = 100 * one.verdicts.get("passes", 0) / one.count
            tiles.append((f"{one.method} passes its checks", f"{share:.0f} %"))
    return tiles


def _sections(written: WrittenWhy, figures: Sequence[Figure]) -> list[Section]:
    left = written.pictures - written.failed - len(figures)
    words = _COLOURS
    words += f" The first {len(figures)}; {spaced(left)} more are in the folder." if left > 0 else ""
    words += f" {spaced(written.failed)} could not be read." if written.failed else ""
    found = [Section("The pictures", words, figures)]
    tables = [_scores(written), _what_they_do(written)]
    found += [Section("The methods", "", tables)] if written.tallies else []
    return [*found, _method_section(written)]


def _figure(one: Explanation) -> Gallery:
    panels = one.panels(_SIDE)
    above = {one.name, one.remark} if one.attributions else set[str]()  # what the figure is headed by
    items = [
        GalleryItem(
            panel.picture,
            panel.title,
            _sentences([words for words, _ in panel.lines if words not in above]),
            tone=panel.lines[0][1] if panel.lines else "plain",
        )
        for panel in panels
    ]
    known = [one.remark] if one.attributions else []  # without any, the picture says it
    remarks = dict.fromkeys(
        words for words in (*known, *(each.remark for each in one.attributions)) if words
    )
    return Gallery(one.name, _sentences([*remarks, ""]), items, large=True)


def _titled(figures: Sequence[tuple[str, Gallery]]) -> list[Figure]:
    """Those of one file name in several folders under their paths."""
    titles = short_names([path for path, _ in figures])
    return [replace(one, title=title) for title, (_, one) in zip(titles, figures, strict=True)]


def _sentences(words: Sequence[str]) -> str:
    """Several lines as sentences; a single one, such as a name, as it is."""
    if len(words) == 1:
        return words[0]
    return " ".join(f"{one[:1].upper()}{one[1:]}." for one in words if one)


def _scores(written: WrittenWhy) -> Table:
    """Four columns: a phone has room for no more."""
    rows = []
    for one in written.tallies:
        deletion, random_deletion, insertion, random_insertion, _ = one.means()
        rows.append(
            (
                one.method,
                f"{one.verdicts.get('passes', 0)} of {one.count}" if one.scores else "–",
                _beside(deletion, random_deletion),
                _beside(insertion, random_insertion),
            )
        )
    caption = (
        "Means over all pictures, in brackets those at random places: a good map has a deletion below "
        "them, and an insertion above them."
    )
    return Table("How each method did", caption, ("method", "passes", "deletion", "insertion"), rows)


def _what_they_do(written: WrittenWhy) -> Table:
    rows = [
        (one.method, _figures(one.means()[-1]), METHODS[one.method].sentence) for one in written.tallies
    ]
    columns = ("method", "untrained alike", "what it does")
    caption = "Untrained alike: near 0 where the map comes from what was learnt."
    return Table("What each method does", caption, columns, rows)


def _beside(value: float, at_random: float) -> str:
    return "–" if math.isnan(value) else f"{_figures(value)} ({_figures(at_random)})"


def _figures(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _method_section(written: WrittenWhy) -> Section:
    layers = sorted({layer for one in written.tallies for layer in one.layers})
    rows = [
        (
            "deletion",
            "area under what is left of the answer while an eighth, a quarter, half and all of the "
            "places are greyed (127), the most important first; low is good (Petsiuk et al. 2018)",
        ),
        (
            "insertion",
            "area under what is back of the answer while places are put into the blurred picture, the "
            "most important first; high is good",
        ),
        (
            "at random",
            f"the same for {COPIES} copies of the map, mirrored and shifted to random places. A map "
            "passes if none of them has insertion less deletion as high: by chance one in twenty does. "
            f"It is doubtful up to {_MOST_DOUBTFUL} of them, unreliable with more, and where it beats "
            f"their mean by {GAIN} or less: then the answer hardly depends on places at all",
        ),
        (
            "untrained alike",
            "rank correlation with the map of the same network with random weights (Adebayo et al. "
            f"2018). From {STAYS} on the map tells of the picture, not of what was learnt",
        ),
        (
            "the answer",
            "of classes the probability; of numbers how near they stay, exp(−change / spread in "
            "training); of objects the best overlap × score (Petsiuk et al. 2021)",
        ),
        ("layer", ", ".join(layers) if layers else "none was looked at"),
    ]
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), rows)])


def first_names(given: Sequence[object]) -> str:
    """What was given, in a few words for a page: file names, or paths where they clash."""
    paths = ["a picture" if not isinstance(one, str | Path) else _folder_name(one) for one in given]
    names = short_names(paths)
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _folder_name(given: str | Path) -> str:
    """The last part of the path of a folder; whatever else is given as it is."""
    path = Path(given)
    return (path.resolve().name or str(path)) if path.is_dir() else str(given)
