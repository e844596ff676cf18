"""The page of an attack: the score against its strength, and pictures that it turned."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from striate.figures import Curve, Gallery, GalleryItem, Lines, Section, Table
from striate.pictures.lettering import spaced
from striate.runs.drawing import draw_figures
from striate.runs.markup import escape
from striate.runs.page import Tiles, contents, document, masthead, section_body, tiles
from striate.types import Picture

if TYPE_CHECKING:
    from striate.stress.attacked import Attacked, AttackExample, AttackLevel
    from striate.stress.curves import Estimate

__all__ = ["render_attacked"]

_SIDE, _GAP = 160, 4
"""Pixels of a panel in the page, at least, and between two."""
_STRETCHED = (
    "Each picture as it was, what the attack made of it, and the change alone, stretched so far that "
    "its largest number is black or white; grey is no change."
)


def render_attacked(found: Attacked) -> str:
    """The page as text; everything from outside is escaped."""
    style = (files("striate.stress") / "card.css").read_text("utf-8")
    title = f"{found.run} under attack"
    steps = f", {found.steps} steps" if found.steps > 1 else ""
    facts = (
        f"{spaced(found.pictures)} of {spaced(found.available)} pictures of {found.source} "
        f"({found.split}), {found.name}{steps}"
    )
    intro = (
        f"{found.kind.words} Pictures are attacked as the network sees them, rounded to whole grey "
        "levels, and asked along the path of use."
    )
    opening = f'<p class="intro" style="margin-bottom:18px">{escape(intro)}</p>'
    warnings = "".join(f'<p class="note warned">{escape(one)}</p>' for one in found.warnings)
    head = masthead(title, kind="striate stress --attack", facts=facts)
    body = f"<style>{style}</style>{head}{opening}{tiles(_tiles(found))}{warnings}"
    return document(f"{title} · striate", body + contents(_parts(found)))


def _tiles(found: Attacked) -> Tiles:
    few = [(f"at {found.kind.shown(one.strength)}", one.score.words) for one in _few(found.levels)]
    return [(f"{found.score_name}, clean", found.clean.words), *few]


def _few(levels: Sequence[AttackLevel]) -> list[AttackLevel]:
    """Three of them, the last among them."""
    rows = np.unique(np.linspace(0, len(levels) - 1, min(3, len(levels))).round())
    return [levels[int(row)] for row in rows]


def _parts(found: Attacked) -> list[tuple[str, str]]:
    said = "".join(f"<li>{escape(one)}</li>" for one in found.statements)
    drawn = draw_figures([_lines(found), _table(found)])
    parts = [
        ("Score against strength", f'<ul class="said">{said}</ul><div class="figures">{drawn}</div>')
    ]
    if found.examples:
        shown = Section("", _STRETCHED, [_gallery(found)])
        parts.append(("What it looks like", section_body(shown)))
    if found.patches:
        learnt = [
            GalleryItem(picture, found.kind.shown(strength)) for strength, picture in found.patches
        ]
        parts.append(("The patches", section_body(Section("", "", [Gallery("Learnt", "", learnt)]))))
    if found.problems:
        rows = [(one.key, one.reason) for one in found.problems]
        problems = Table("Left out, or to look at", "", ("picture", "what"), rows)
        parts.append(("Pictures with problems", section_body(Section("", "", [problems]))))
    return parts


def _lines(found: Attacked) -> Lines:
    strengths = [0.0, *(one.strength for one in found.levels)]
    under = [found.clean, *(one.score for one in found.levels)]
    chance = [found.clean, *(one.control for one in found.levels)]
    return Lines(
        f"{found.score_name[0].upper()}{found.score_name[1:]} under {found.name}",
        f"{found.score_note} Bands: 95 %. By chance: {found.kind.control}.",
        [_curve("attacked", strengths, under), _curve("as much by chance", strengths, chance)],
        f"strength, {found.kind.unit}",
        found.score_name,
        y_range=(0.0, 1.0) if found.more_is_better else None,
    )


def _curve(name: str, strengths: Sequence[float], many: Sequence[Estimate]) -> Curve:
    return Curve(
        name,
        strengths,
        [one.value for one in many],
        [one.low for one in many],
        [one.high for one in many],
    )


def _table(found: Attacked) -> Table:
    turned = found.target is not None
    rows = []
    for one in found.levels:
        row = (
            f"{one.strength:g}",
            f"{one.score.value:.3f}",
            f"{one.score.low:.3f}–{one.score.high:.3f}",
            f"{one.control.value:.3f}",
            f"{100 * one.fooled:.0f}\N{NO-BREAK SPACE}%",
        )
        rows.append((*row, f"{100 * (one.turned or 0):.0f}\N{NO-BREAK SPACE}%") if turned else row)
    columns = (found.kind.unit, found.score_name, "95 %", "by chance", "lost")
    return Table(
        "In numbers",
        f"Lost: of the {spaced(found.right)} {found.good} on the pictures as they are.",
        (*columns, f"turned to {found.target}") if turned else columns,
        rows,
    )


def _gallery(found: Attacked) -> Gallery:
    items = [
        GalleryItem(
            _triptych(one),
            f"{one.before} → {one.after}",
            f"truth: {one.truth}; at {found.kind.shown(one.strength)}",
            "bad",
        )
        for one in found.examples
    ]
    return Gallery("Turned by the least change", "", items, large=True)


def _triptych(example: AttackExample) -> Picture:
    """Side by side: as it was, attacked, the change; enlarged in whole steps where it is small."""
    panels = [example.clean, example.changed, _change(example)]
    times = max(1, _SIDE // max(example.clean.shape[:2]))
    large = [one.repeat(times, axis=0).repeat(times, axis=1) for one in panels]
    gap = np.full((len(large[0]), _GAP, 3), 255, np.uint8)
    return np.concatenate([large[0], gap, large[1], gap, large[2]], axis=1)


def _change(example: AttackExample) -> Picture:
    """The change, so stretched that its largest number reaches the end of the range; grey is none."""
    change = example.changed.astype(np.float32) - example.clean
    most = max(float(np.abs(change).max()), 1.0)
    found: Picture = np.rint(127.5 + 127.5 * change / most).astype(np.uint8)
    return found
