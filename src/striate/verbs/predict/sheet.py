"""A ranked sheet of detections: crops of what was found, best first, class by class."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from striate.ops.rotated import upright_xyxy
from striate.pictures.draw import LEGIBLE, enlarge
from striate.pictures.panels import contact_sheet
from striate.pictures.resize import resize
from striate.pictures.write import to_data_uri, write
from striate.runs.atomic import write_text
from striate.runs.markup import escape, number
from striate.runs.page import contents, document, masthead, tiles
from striate.tasks.detect.render import render_detections
from striate.tasks.detect.types import Detections
from striate.types import Picture
from striate.verbs.predict.choice import Choice, detections_of
from striate.verbs.predict.files import picture_of
from striate.verbs.predict.outputs import shown_path

if TYPE_CHECKING:
    from striate.verbs.model import Answer

__all__ = ["Crop", "RankedSheet", "crop_of"]

_LIKELY = 200
_UNLIKELY = 24
"""Crops a class: of answers that are shown, and of the best ones that are not."""
_PNG_CROPS = 120
_SIDE = 288
"""Longest side of a crop that is kept, pixels: twice what the page shows it at."""
_CONTEXT = 0.3
"""What is shown around a box, as a share of its longer side; `_LEAST_CONTEXT` pixels at least."""
_LEAST_CONTEXT = 8


@dataclass(frozen=True, slots=True, order=True)
class Crop:
    """A detection cut out. Ordered by score, the earlier of two equals first."""

    score: float
    order: int
    label: str
    path: str
    box_xyxy: tuple[float, float, float, float]
    picture: Picture


class RankedSheet:
    """Writes the page, or for a name that ends as a picture's a contact sheet, when it is closed."""

    def __init__(
        self, path: Path, title: str, names: Sequence[str], choice: Choice, *, overwrite: bool = False
    ) -> None:
        self._path, self._title, self._choice, self._overwrite = path, title, choice, overwrite
        self._names = names
        self._crops: dict[tuple[str, bool], list[Crop]] = {}
        self._counts: Counter[tuple[str, bool]] = Counter()
        self._orders = count(0, -1)
        self._pictures = self._empty = 0

    def add(self, answer: Answer) -> None:
        found = detections_of(answer)
        if found is None:
            return
        self._pictures += 1
        self._empty += not len(self._choice.shown(found))
        picture: Picture | None = None
        for row, (label, score) in enumerate(
            zip(found.label_names(), found.scores.tolist(), strict=True)
        ):
            key = label, score >= self._choice.shown_from
            self._counts[key] += 1
            heap = self._crops.setdefault(key, [])
            full = len(heap) >= (_LIKELY if key[1] else _UNLIKELY)
            if full and heap[0].score >= score:
                continue
            picture = picture_of(answer) if picture is None else picture
            crop = crop_of(picture, found, row, shown_path(answer.path), next(self._orders))
            (heapq.heappushpop if full else heapq.heappush)(heap, crop)

    def close(self) -> None:
        if self._path.suffix.lower() not in (".html", ".htm"):
            write(self._contact_sheet(), self._path, overwrite=self._overwrite)
            return
        write_text(self._path, self._page())

    def _ranked(self, label: str, *, likely: bool) -> list[Crop]:
        return sorted(self._crops.get((label, likely), []), reverse=True)

    def _contact_sheet(self) -> Picture:
        every = [crop for name in self._names for crop in self._ranked(name, likely=True)]
        every = sorted(every, reverse=True)[:_PNG_CROPS]
        if not every:
            return contact_sheet([np.full((160, 160, 3), 238, np.uint8)], ["nothing was found"])
        return contact_sheet(
            [crop.picture for crop in every],
            [f"{crop.label} {crop.score:.2f}" for crop in every],
            cell=LEGIBLE,
        )

    # -- the page -----------------------------------------------------------------------------

    def _page(self) -> str:
        likely = sum(number for (_, good), number in self._counts.items() if good)
        opening = masthead(
            self._title,
            kind="striate predict --sheet",
            facts=f"Everything found, best first; shown from a score of {self._choice.shown_from:.2f}",
        )
        numbers = tiles(
            [
                ("Found", number(likely)),
                ("Pictures", number(self._pictures)),
                ("Pictures with nothing", number(self._empty)),
            ]
        )
        names = [name for name in self._names if any(self._counts[name, good] for good in (True, False))]
        names.sort(key=lambda name: -self._counts[name, True])
        body = contents([(name, self._section(name)) for name in names])
        nothing = '<p class="none">Nothing was found in any picture.</p>'
        return document(f"{self._title} · striate", opening + numbers + (body or nothing))

    def _section(self, label: str) -> str:
        parts = []
        for likely in (True, False):
            crops, total = self._ranked(label, likely=likely), self._counts[label, likely]
            if crops:
                parts.append(self._gallery(crops, total, likely=likely))
        return f'<div class="figures">{"".join(parts)}</div>'

    def _gallery(self, crops: Sequence[Crop], total: int, *, likely: bool) -> str:
        limit = f"{self._choice.shown_from:.2f}"
        title = f"{number(total)} found" if likely else f"Below {limit}"
        words = "" if likely else "These are not drawn or listed: the run holds them for too unlikely. "
        if len(crops) < total:
            words += f"The best {len(crops)} of {number(total)}. "
        caption = f"<p>{escape(words)}</p>" if words else ""
        items = "".join(self._item(crop) for crop in crops)
        return (
            f'<figure class="gallery wide"><figcaption><h3>{escape(title)}</h3>{caption}</figcaption>'
            f"<div><ul>{items}</ul></div></figure>"
        )

    def _item(self, crop: Crop) -> str:
        left, top, right, bottom = crop.box_xyxy
        place = f"{right - left:.0f} × {bottom - top:.0f} px at {left:.0f}, {top:.0f}"
        high, wide = crop.picture.shape[:2]
        source = to_data_uri(crop.picture, "jpeg", quality=90)
        scale = (_SIDE / 2) / max(high, wide)
        name = os.path.basename(crop.path)  # noqa: PTH119 - text, not a path of this machine
        return (
            f'<li><a class="frame" href="{escape(self._link(crop))}" title="{escape(crop.path)}">'
            f'<img src="{source}" alt="{escape(f"{crop.label} in {name}")}" loading="lazy" '
            f'style="width:{max(1, round(wide * scale))}px"></a>'
            f"<strong>{crop.score:.2f}</strong>"
            f"<small><bdi>{escape(name)}</bdi><br>{escape(place)}</small></li>"
        )

    def _link(self, crop: Crop) -> str:
        """From the page to the picture, so that both can be moved together; a viewer that knows media
        fragments shows the very place."""
        try:
            path = os.path.relpath(crop.path, self._path.parent)
        except ValueError:  # another drive
            path = os.path.abspath(crop.path)  # noqa: PTH100
        left, top, right, bottom = (round(end) for end in crop.box_xyxy)
        return f"{quote(path.replace(os.sep, '/'))}#xywh={left},{top},{right - left},{bottom - top}"


def crop_of(picture: Picture, found: Detections, row: int, path: str, order: int) -> Crop:
    """Detection `row` of `picture` with what is around it, framed; its longer side at most `_SIDE`."""
    one = found.take(np.array([row]))
    hull = one.boxes_xyxy
    if one.angles_deg is not None:
        hull = upright_xyxy(hull, one.angles_deg)
    left, top, right, bottom = hull[0].tolist()
    around = max(_LEAST_CONTEXT, _CONTEXT * max(right - left, bottom - top))
    height, width = picture.shape[:2]
    x0, y0 = max(0, int(left - around)), max(0, int(top - around))
    x1, y1 = min(width, int(right + around) + 1), min(height, int(bottom + around) + 1)
    x0, y0 = min(x0, x1 - 1), min(y0, y1 - 1)
    cut, boxes = picture[y0:y1, x0:x1], one.boxes_xyxy - np.array([x0, y0, x0, y0], np.float32)
    scale = min(1.0, _SIDE / max(cut.shape[:2]))
    size_hw = max(1, round(cut.shape[0] * scale)), max(1, round(cut.shape[1] * scale))
    small = enlarge(resize(np.ascontiguousarray(cut), size_hw), LEGIBLE)
    times = small.shape[0] / cut.shape[0]
    placed = Detections(
        one.names, (boxes * times).astype(np.float32), one.scores, one.labels, one.angles_deg
    )
    drawn = render_detections(small, placed, plates=False)
    edges = tuple(round(edge, 1) for edge in one.boxes_xyxy[0].tolist())
    assert len(edges) == 4
    return Crop(float(one.scores[0]), order, one.label_names()[0], path, edges, drawn)
