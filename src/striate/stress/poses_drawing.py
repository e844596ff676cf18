"""Maps of pose space as SVG: cells in the colour of the answer, small pictures along the edges."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Callable, Sequence

from striate.data.meshes.rotation import angles_to_matrix, matrix_to_angles
from striate.runs.markup import escape
from striate.stress.poses import Poses
from striate.stress.poses_findings import Findings
from striate.stress.poses_map import PoseMap
from striate.types import Picture

__all__ = ["draw_map"]

_HUES = ("hue2", "hue1", "hue4", "hue6", "hue5")
"""Of wrong answers, most frequent first; further ones share a grey. The right one is green."""
_WIDTH, _LEFT, _TOP = 930, 128, 8
_THUMB = 58
_ACROSS, _DOWN = 9, 5


def draw_map(found: Findings, one: PoseMap, draw: Callable[[Poses, int], Picture]) -> str:
    """The map with its axes and legend, as HTML."""
    columns, rows = len(one.x_deg), len(one.y_deg)
    cell = (_WIDTH - _LEFT - 8) / columns
    tall = min(cell, 480 / rows)
    height = _TOP + tall * rows
    style = _styles(found)
    parts = []
    for at, word in enumerate(one.answers.said):
        row, column = divmod(at, columns)
        x, y = _LEFT + column * cell, _TOP + (rows - 1 - row) * tall
        shade, strength = _cell(found, one, at, style)
        told = f"{one.x_name} {one.x_deg[column]:g}°, {one.y_name} {one.y_deg[row]:g}°: "
        told += found.words(word, float(one.answers.sure[at]))
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" height="{tall - 1:.1f}" rx="2" '
            f'style="fill:{shade};fill-opacity:{strength:.2f}"><title>{escape(told)}</title></rect>'
        )
    parts.append(_usual(found, one, cell, tall))
    parts += _x_axis(found, one, cell, height, draw) + _y_axis(found, one, tall, draw)
    label = escape(f"{one.title}: answers by colour")
    svg = (
        f'<svg viewBox="0 0 {_WIDTH} {height + 100:.0f}" role="img" aria-label="{label}" '
        f'style="display:block;width:100%;min-width:600px">{"".join(parts)}</svg>'
    )
    scrolled = f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{svg}</div>'
    return scrolled + _legend(found, one, style)


def _styles(found: Findings) -> dict[str, str]:
    """Wrong answers of all maps and their colours."""
    said = Counter(
        word
        for one in found.maps
        for word, wrong in zip(one.answers.said, one.answers.wrong.tolist(), strict=True)
        if wrong
    )
    names = [word for word, _ in sorted(said.items(), key=lambda pair: (-pair[1], pair[0]))]
    hues = {name: f"var(--{hue})" for name, hue in zip(names, _HUES, strict=False)}
    return {name: hues.get(name, "var(--soft)") for name in names}


def _cell(found: Findings, one: PoseMap, at: int, style: dict[str, str]) -> tuple[str, float]:
    sure = float(one.answers.sure[at])
    if found.numbers:
        return "var(--hue2)", 0.06 + 0.94 * min(1.0, sure / 90.0)
    if not one.answers.wrong[at]:
        return "var(--good)", 0.12 + 0.2 * sure
    return style[one.answers.said[at]], 0.35 + 0.6 * sure


def _usual(found: Findings, one: PoseMap, cell: float, tall: float) -> str:
    """A ring where the usual pose lies."""
    yaw, pitch, roll = matrix_to_angles(found.space.canonical.turns[0]).tolist()
    other, rest = (pitch, roll) if one.y_name == "pitch" else (roll, pitch)
    if abs(rest) > 1:
        return ""
    step_x, step_y = one.x_deg[1] - one.x_deg[0], one.y_deg[1] - one.y_deg[0]
    x = _LEFT + ((yaw - one.x_deg[0]) / step_x + 0.5) * cell
    y = _TOP + (len(one.y_deg) - 0.5 - (other - one.y_deg[0]) / step_y) * tall
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" style="fill:none;stroke:var(--ink);stroke-width:2.5">'
        "<title>the usual pose</title></circle>"
    )


def _x_axis(
    found: Findings, one: PoseMap, cell: float, base: float, draw: Callable[[Poses, int], Picture]
) -> list[str]:
    parts = []
    for column in _marked(one.x_deg, _ACROSS):
        x, yaw = _LEFT + (column + 0.5) * cell, one.x_deg[column]
        picture = draw(found.space.turned(angles_to_matrix(yaw, 0, 0)[None]), 96)
        parts.append(_image(picture, x - _THUMB / 2, base + 6))
        parts.append(f'<text x="{x:.1f}" y="{base + 80:.1f}" class="mid">{_degrees(yaw)}</text>')
    middle = _LEFT + (_WIDTH - _LEFT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{base + 97:.0f}" class="mid name">{one.x_name}</text>')
    return parts


def _y_axis(
    found: Findings, one: PoseMap, tall: float, draw: Callable[[Poses, int], Picture]
) -> list[str]:
    parts = []
    yaw = float(matrix_to_angles(found.space.canonical.turns[0])[0])
    for row in _marked(one.y_deg, _DOWN):
        y, angle = _TOP + (len(one.y_deg) - 0.5 - row) * tall, one.y_deg[row]
        pitch, roll = (angle, 0.0) if one.y_name == "pitch" else (0.0, angle)
        picture = draw(found.space.turned(angles_to_matrix(yaw, pitch, roll)[None]), 96)
        top = min(max(y - _THUMB / 2, 0), _TOP + tall * len(one.y_deg) - _THUMB)
        parts.append(_image(picture, 0, top))
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">{_degrees(angle)}</text>')
    middle = _TOP + tall * len(one.y_deg) / 2
    parts.append(
        f'<text x="76" y="{middle:.0f}" class="mid name" transform="rotate(-90 76 {middle:.0f})">'
        f"{one.y_name}</text>"
    )
    return parts


def _marked(degrees: Sequence[float], most: int) -> list[int]:
    """Places of round angles, 0 among them where it is there, so far apart that `most` suffice."""
    places = [
        [at for at, angle in enumerate(degrees) if angle % apart == 0] for apart in (15, 30, 45, 90, 180)
    ]
    return next(one for one in places if len(one) <= most)


def _degrees(value: float) -> str:
    return f"{value:.0f}°".replace("-", "−")


def _image(picture: Picture, x: float, y: float) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<image href="data:image/png;base64,{data}" x="{x:.1f}" y="{y:.1f}" width="{_THUMB}" '
        f'height="{_THUMB}"/>'
    )


def _legend(found: Findings, one: PoseMap, style: dict[str, str]) -> str:
    if found.numbers:
        return (
            '<p class="note">Blank is right; full colour is 90° off or more. The ring is the usual '
            "pose.</p>"
        )
    here = [word for word in style if word in set(one.answers.said)]
    named = [(word, style[word]) for word in here if style[word] != "var(--soft)"]
    entries = [(f"{found.truth} (right)", "var(--good)"), *named]
    if len(named) < len(here):
        entries.append((f"{len(here) - len(named)} others", "var(--soft)"))
    rows = "".join(_entry(word, colour) for word, colour in entries)
    return f'<ul class="legend">{rows}<li>○ the usual pose</li></ul>'


def _entry(word: str, colour: str) -> str:
    strength = 0.3 if colour == "var(--good)" else 0.95
    return (
        '<li><svg viewBox="0 0 26 14" aria-hidden="true" style="height:14px">'
        f'<rect width="26" height="14" rx="3" style="fill:{colour};fill-opacity:{strength}"/></svg>'
        f"<bdi>{escape(word)}</bdi></li>"
    )
