"""Why one picture got its answer: heat by each method, whether it is to be believed, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from striate.errors import PictureError
from striate.explain.attribution import Method, in_picture
from striate.explain.attribution_drawing import (
    Panel,
    crossed,
    overlaid,
    picture_panel,
    sheet_of,
    shown_size,
)
from striate.explain.faithfulness import Faith, Verdict
from striate.explain.whereabouts import NamedArea, area_words, region_words
from striate.pictures.palette import Tone
from striate.pictures.write import to_bytes
from striate.task import Aim, Result
from striate.types import Array, Picture, Prepared

__all__ = ["Attribution", "Explanation", "placed"]

_SHORT = 40
"""Letters up to which a path is shown whole on a sheet."""
_VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    "passes": ("passes its checks", "good"),
    "doubtful": ("doubtful", "bad"),
    "unreliable": ("UNRELIABLE: do not read it", "bad"),
    "unchecked": ("not checked", "plain"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What one method says of one answer.

    `input_heat`: float32 (h, w), 0 or more, in pixels of the network's input. `layer`: which it looked
    at. `sameness`: (what was drawn anew, rank correlation with that network's map); empty where the
    model has no weights to forget. `verdict` and `reasons`: whether to believe it. `where`: in words.
    `part`: the object's part that is hottest, where parts are known. `remark`: what is worth knowing.
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

    `attributions`: one an aim and method; empty where nothing was found that could be explained, which
    `remark` then says. `areas`: parts and objects of the picture, where they are known.
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
        if self.error is not None:
            return [str(self.error)]
        if self.remark:
            return [self.remark]
        several = len(self.aims) > 1
        return [
            f"{one.aim.name} {one.aim.shown}, {one.sentence()}" if several else one.sentence()
            for one in self.attributions
        ]

    @property
    def name(self) -> str:
        """The file name; of an embedded set the key."""
        return self.path if len(self.path) <= _SHORT else self.path.rpartition("/")[2]

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
            title = f"why {aim.name}? ({aim.shown})"
            found.append(picture_panel(self.picture, title, [self.name], box, side=side))
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
        panels = self.panels()
        aims = max(1, len(self.aims))
        each = len(panels) // aims
        return sheet_of(panels, columns=each if aims > 1 and each <= 5 else 0)

    def _repr_png_(self) -> bytes:
        return to_bytes(self.plot())


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
    size_hw = (max(1, round(prepared.size_hw[0] / most)), max(1, round(prepared.size_hw[1] / most)))
    field = in_picture(heat, prepared, size_hw)
    shrunk = [one.shrunk(most) for one in areas]
    return region_words(field), area_words(field, shrunk)
