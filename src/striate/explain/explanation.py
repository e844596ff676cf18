"""Why one picture got its answer: heat by each method, whether it is to be believed, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from striate.errors import PictureError
from striate.explain.attribution import Method, in_picture
from striate.explain.attribution_drawing import (
    Panel,
    crossed,
    overlaid,
    picture_panel,
    sheet_layout,
    sheet_of,
    shown_size,
)
from striate.explain.faithfulness import Faith, Verdict
from striate.explain.parts_used import PartUse, used_words
from striate.explain.whereabouts import NamedArea, area_words, region_words
from striate.pictures.palette import Tone
from striate.pictures.write import to_bytes
from striate.task import Aim, Result
from striate.types import Array, Picture, Prepared

__all__ = ["Attribution", "Explanation", "file_name", "placed", "short_names"]

_VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    "passes": ("passes its checks", "good"),
    "doubtful": ("doubtful", "plain"),  # neither shown to be right nor refused
    "unreliable": ("UNRELIABLE: do not read it", "bad"),
    "unchecked": ("not checked", "plain"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What one method says of one answer.

    `input_heat`: float32 (h, w), 0 or more, in pixels of the network's input. `layer`: which it looked
    at. `sameness`: (what was drawn anew, rank correlation with that network's map); empty where the
    model has no weights to forget. `verdict` and `reasons`: whether to believe it. `where`: in words.
    `part`: the object's part that is hottest, where parts are known. `used`: what is left of the answer
    without each part, whatever the method says. `remark`: what is worth knowing.
    """

    method: Method
    aim: Aim
    prepared: Prepared
    input_heat: Array
    layer: str | None
    faith: Faith | None
    sameness: tuple[tuple[str, float], ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    where: str
    part: str = ""
    used: tuple[PartUse, ...] = ()
    remark: str = ""

    @property
    def heat(self) -> Array:
        """float32 (H, W) in pixels of the picture, 0 or more; NaN where the model sees nothing of it."""
        return in_picture(self.input_heat, self.prepared)

    @property
    def reliable(self) -> bool:
        """Whether nothing speaks against it."""
        return self.verdict == "passes"

    @property
    def place(self) -> str:
        """The part where it is known, else the region."""
        return self.part or self.where

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "method": self.method.name,
            "explains": self.aim.name,
            "value": self.aim.value,
            "layer": self.layer,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            **({} if self.faith is None else self.faith.to_dict()),
            "sameness": {words: round(value, 4) for words, value in self.sameness},
            "where": self.where,
            "part": self.part or None,
            **({"parts_covered": [one.to_dict() for one in self.used]} if self.used else {}),
            "remark": self.remark,
        }

    def score_lines(self) -> list[tuple[str, Tone]]:
        """Beneath its picture: verdict, what speaks against it, scores, layer."""
        words, tone = _VERDICTS[self.verdict]
        lines: list[tuple[str, Tone]] = [(words, tone), *((why, tone) for why in self.reasons)]
        lines.append((self.place, "plain"))
        if self.faith is not None:
            faith = self.faith
            lines.append(
                (f"deletion {faith.deletion:.2f} (random {faith.random_deletion:.2f})", "plain")
            )
            lines.append(
                (f"insertion {faith.insertion:.2f} (random {faith.random_insertion:.2f})", "plain")
            )
        if self.sameness:
            lines.append((f"untrained network's map alike: {self.sameness[-1][1]:.2f}", "plain"))
        if self.layer is not None:
            lines.append((f"layer {self.layer}".replace("×", "x"), "plain"))
        return lines

    def sentence(self) -> str:
        """One line for a terminal."""
        words, _ = _VERDICTS[self.verdict]
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{self.method.name}: {self.place}. {words}{why}"


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why a run answered as it did for one picture, or the `error` why there is none.

    `attributions`: one an aim and method; empty where nothing was found that could be explained.
    `remark`: says so then, or what to know of the answer, such as that it is but a guess. `areas`: parts
    and objects of the picture, where they are known.
    """

    path: str
    picture: Picture | None
    answer: Result | None
    attributions: tuple[Attribution, ...] = ()
    error: PictureError | None = None
    remark: str = ""
    areas: tuple[NamedArea, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A line of `striate explain --json`."""
        if self.error is not None:
            return {"path": self.path, "error": str(self.error)}
        assert self.answer is not None
        return {
            "path": self.path,
            "answer": self.answer.to_dict(),
            "explanations": [one.to_dict() for one in self.attributions],
            **({"remark": self.remark} if self.remark else {}),
        }

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        return [words for words, _ in self.told()]

    def told(self) -> list[tuple[str, Tone]]:
        """The same, with how each is meant: "bad" where a map is not to be believed."""
        if self.error is not None:
            return [(str(self.error), "bad")]
        found: list[tuple[str, Tone]] = [(self.remark, "bad")] if self.remark else []
        several = len(self.aims) > 1
        for one in self.attributions:
            words = f"{one.aim.name} {one.aim.shown}, {one.sentence()}" if several else one.sentence()
            found.append((words, _VERDICTS[one.verdict][1]))
        for aim in self.aims:
            if words := self._parts(aim):
                found.append((f"{aim.name} {aim.shown}: {words}" if several else words, "plain"))
        return found

    def _parts(self, aim: Aim) -> str:
        """Which part the answer rests on, where parts are known."""
        return next((used_words(one.used) for one in self.attributions if one.aim == aim), "")

    @property
    def name(self) -> str:
        """The file name; of an embedded set the key."""
        return file_name(self.path)

    @property
    def aims(self) -> list[Aim]:
        """What was explained, each once."""
        return list(dict.fromkeys(one.aim for one in self.attributions))

    def panels(self, side: int = 320) -> list[Panel]:
        """The picture, then what each method says."""
        assert self.picture is not None
        found: list[Panel] = []
        if not self.attributions:
            return [picture_panel(self.picture, self.name, [self.remark], side=side)]
        size_hw = shown_size((self.picture.shape[0], self.picture.shape[1]), side)
        for aim in self.aims:
            own = [one for one in self.attributions if one.aim is aim or one.aim == aim]
            box = _in_original(aim.box_xyxy, own[0].prepared)
            title = f"why {aim.name}? {aim.shown}"
            whole = picture_panel(self.picture, title, [self.name], box, side=side)
            told: list[tuple[str, Tone]] = [(self.remark, "bad")] if self.remark else []
            told += [(words, "plain") for words in [self._parts(aim)] if words]
            found.append(Panel(whole.picture, title, [*whole.lines, *told]))
            found += [
                Panel(
                    crossed(shown) if one.verdict == "unreliable" else shown,
                    one.method.name,
                    one.score_lines(),
                )
                for one in own
                for shown in [overlaid(self.picture, one.input_heat, one.prepared, size_hw, box)]
            ]
        return found

    def plot(self) -> Picture:
        """The sheet of panels, uint8 (H', W', 3)."""
        assert self.picture is not None
        side, columns = sheet_layout(self.picture.shape)
        panels = self.panels(side)
        aims = max(1, len(self.aims))
        each = len(panels) // aims
        return sheet_of(panels, columns=columns or (each if aims > 1 and each <= 5 else 0))

    def _repr_png_(self) -> bytes:
        return to_bytes(self.plot())


def file_name(path: str) -> str:
    """The last part of a path to a file or a pattern; what has no ending, such as `scenes/00012`, whole.

    >>> file_name("/home/me/photos/cat.jpg"), file_name("scenes/00012")
    ('cat.jpg', 'scenes/00012')
    """
    name = PurePath(path).name
    return name if PurePath(name).suffix else path


def short_names(paths: Sequence[str]) -> list[str]:
    """The file name of each, or its path where two different ones have that name.

    >>> short_names(["a/1.jpg", "b/1.jpg", "b/2.jpg"])
    ['a/1.jpg', 'b/1.jpg', '2.jpg']
    """
    owners: dict[str, set[str]] = {}
    for path in paths:
        owners.setdefault(file_name(path), set()).add(path)
    return [path if len(owners[file_name(path)]) > 1 else file_name(path) for path in paths]


def _in_original(box_xyxy: Sequence[float] | None, prepared: Prepared) -> list[float] | None:
    """A box of the input in pixels of the picture."""
    if box_xyxy is None:
        return None
    (scale_y, scale_x), (offset_y, offset_x) = prepared.scale_yx, prepared.offset_yx
    shift, scale = (offset_x, offset_y) * 2, (scale_x, scale_y) * 2
    return [(edge - at) / by for edge, at, by in zip(box_xyxy, shift, scale, strict=True)]


def placed(heat: Array, prepared: Prepared, areas: Sequence[NamedArea]) -> tuple[str, str]:
    """Where the heat lies in the picture: the region, and the part where parts are known, else ""."""
    most = max(1.0, max(prepared.size_hw) / 512)
    size_hw = (max(3, round(prepared.size_hw[0] / most)), max(3, round(prepared.size_hw[1] / most)))
    field = in_picture(heat, prepared, size_hw)
    shrunk = [one.shrunk(most) for one in areas]
    return region_words(field), area_words(field, shrunk)
