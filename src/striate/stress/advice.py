"""What to try against what breaks: from the worst axes to settings of augmentation, and a command.

Advice is a guess until it is tried. The table below says what each axis is answered with in training;
whether that helps here is measured by `striate stress RUN DATA --fix`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.metrics.plain import plain
from striate.nn.augment.settings import AugmentSettings
from striate.stress.curves import StressCurve

__all__ = ["ANSWERS", "INSTEAD", "Advice", "Answer", "Gain", "advise", "answer_to", "flags_of"]

_MOST = 4
_HAND_MADE = "This run is hand-made and trained without augmentation: these commands train a network."
_ALREADY = 0.8
"""A run that was trained with this share of a value has had the advice."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What axes are answered with. `settings` of `AugmentSettings`; empty where only pictures help.

    `in_pixels`: those of the settings that are lengths in pixels, given for an input of 32.
    """

    name: str
    axes: tuple[str, ...]
    settings: Mapping[str, Any]
    words: str
    in_pixels: tuple[str, ...] = ()


ANSWERS: tuple[Answer, ...] = (
    Answer(
        "turns",
        ("rotation",),
        {"rotate_deg": 45.0},
        "Turn pictures while training. Only where a turned picture keeps its label: a 6 becomes a 9.",
    ),
    Answer(
        "tilts",
        ("viewpoint",),
        {"perspective": 0.5, "rotate_deg": 10.0},
        "Tilt pictures as if seen from the side while training.",
    ),
    Answer(
        "sides",
        ("pose", "camera-round", "camera-above"),
        {},
        "Take pictures of the same things from more sides: no setting of training turns a thing in "
        "space.",
    ),
    Answer("slants", ("shear",), {"shear_deg": 25.0}, "Shear pictures while training."),
    Answer(
        "sizes",
        ("nearer", "farther", "camera-far"),
        {"scale": 0.6, "crop": 0.3},
        "Show things nearer and farther while training.",
    ),
    Answer(
        "shifts",
        ("shift", "truncation"),
        {"translate": 0.3},
        "Shift pictures, over the edge too, while training.",
    ),
    Answer(
        "hiding",
        ("rectangle", "blobs", "bars", "lattice", "hedge", "hoarding", "hide-hottest", "hide-coldest"),
        {"erase": 0.7},
        "Hide a part of each picture while training (random erasing).",
    ),
    Answer(
        "shapes",
        ("elastic", "bend", "twist", "elastic_transform", "deformation"),
        {"elastic": 0.04, "shear_deg": 10.0},
        "Stretch pictures like rubber while training.",
    ),
    Answer(
        "postures",
        ("articulation",),
        {},
        "Take pictures of more postures: no setting of training moves limbs.",
    ),
    Answer(
        "light",
        ("underexposure", "overexposure", "gamma-dark", "gamma-light", "brightness", "contrast"),
        {"exposure": 2.0, "gamma": 1.0},
        "Vary exposure and gamma while training.",
    ),
    Answer(
        "night",
        ("night", "nightfall"),
        {"exposure": 3.0, "noise": 0.1},
        "Darken pictures and add noise while training.",
    ),
    Answer("shade", ("shade",), {"shade": 0.8}, "Let shade fall across pictures while training."),
    Answer(
        "colour",
        ("warm-light", "cold-light", "saturate"),
        {"cast": 0.4, "greyscale": 0.3},
        "Vary the colour of the light, and drop colour, while training.",
    ),
    Answer(
        "noise",
        ("noise", "gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
        {"noise": 0.2},
        "Add noise while training.",
    ),
    Answer(
        "blur",
        (
            "blur",
            "resolution",
            "defocus_blur",
            "glass_blur",
            "motion_blur",
            "zoom_blur",
            "gaussian_blur",
            "pixelate",
        ),
        {"blur": 1.5},
        "Blur pictures while training.",
        in_pixels=("blur",),
    ),
    Answer(
        "compression", ("jpeg", "jpeg_compression"), {"jpeg": 0.95}, "Compress pictures while training."
    ),
    Answer(
        "weather",
        ("snow", "frost", "fog", "spatter"),
        {"policy": "augmix", "exposure": 1.0},
        "Mix chains of random operations (AugMix, made for these corruptions) while training.",
    ),
    Answer(
        "backgrounds",
        ("background-other", "background-plain", "background-noise", "clutter", "litter"),
        {},
        "Take pictures of the same things before other backgrounds. Each class before the same ones: no "
        "setting of training replaces them.",
    ),
)
"""By what they vary. An axis that is in none is answered with a random policy."""

_ELSE = Answer(
    "anything",
    (),
    {"policy": "trivialaugment"},
    "Apply a random operation of random strength while training.",
)

INSTEAD: Mapping[str, tuple[Answer, ...]] = {
    "detect": (
        Answer(
            "hiding",
            (
                "rectangle",
                "blobs",
                "bars",
                "lattice",
                "hedge",
                "hoarding",
                "hide-hottest",
                "hide-coldest",
            ),
            {},
            "Take pictures of things that are partly hidden, each box around all of it. No setting of "
            "training hides parts of objects that are to be found.",
        ),
        Answer(
            "weather",
            ("snow", "frost", "fog", "spatter"),
            {"policy": "trivialaugment", "exposure": 1.0},
            "Apply a random operation of random strength (TrivialAugment) while training; boxes follow.",
        ),
    ),
    "regress": (
        Answer(
            "shapes",
            ("elastic", "bend", "twist", "elastic_transform", "deformation"),
            {},
            "Take pictures of things in more shapes: what stretches pictures may change their numbers.",
        ),
        Answer(
            "weather",
            ("snow", "frost", "fog", "spatter"),
            {"colour": 0.4, "exposure": 1.0, "noise": 0.1},
            "Vary colour and light, and add noise, while training: what moves pictures may change "
            "their numbers.",
        ),
        Answer(
            "anything",
            (),
            {"colour": 0.4, "exposure": 1.0, "noise": 0.1},
            "Vary colour and light, and add noise, while training.",
        ),
    ),
}
"""By task: in place of the answers of the same name, which would make its labels lie."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What the advice was worth where it was tried: the mean mark of the worst axis, with and without.

    `low`, `high`: 95 % interval over seeds. `statement`: in words.
    """

    gain: float
    low: float
    high: float
    seeds: int
    measured: str
    statement: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "gain": plain(self.gain),
            "interval": [plain(self.low), plain(self.high)],
            "seeds": self.seeds,
            "measured": self.measured,
            "statement": self.statement,
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """What to try, against which axes (the worst first), as settings and as a command.

    `had`: the run was trained with it already. `gain`: None while it is not measured.
    """

    name: str
    axes: tuple[str, ...]
    why: str
    words: str
    settings: Mapping[str, Any]
    command: str
    had: bool = False
    gain: Gain | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "axes": list(self.axes),
            "why": self.why,
            "words": self.words,
            "settings": dict(self.settings),
            "command": self.command,
            "had_already": self.had,
            "measured": None if self.gain is None else self.gain.to_dict(),
        }


def advise(
    curves: Sequence[StressCurve],
    *,
    task: str,
    augment: Mapping[str, Any],
    side: float,
    start: Sequence[str],
    names: Mapping[str, Any],
    hand_made: bool = False,
) -> list[Advice]:
    """For the axes that bend or break, those that lose most first; at most four pieces of advice.

    `task`: of the run, which does not bear every answer. `augment`: what it was trained with. `side`: of
    its input, pixels. `start`, `names`: of the command that trains it, and the settings that name its
    model. `hand_made`: it is trained without augmentation, so that the command trains a network instead.
    """
    bad = [one for one in curves if one.verdict in ("bends", "breaks")]
    bad.sort(key=lambda one: -one.mean_loss)
    grouped: dict[str, tuple[Answer, list[StressCurve]]] = {}
    for curve in bad:
        answer = answer_to(curve.axis.name, task)
        grouped.setdefault(answer.name, (answer, []))[1].append(curve)
    found: list[Advice] = []
    for answer, mine in list(grouped.values())[:_MOST]:
        settings = _scaled(answer, side)
        words = [*start, *flags_of({**names, **settings}), "--out", f"runs/{answer.name}"]
        found.append(
            Advice(
                answer.name,
                tuple(one.axis.name for one in mine),
                _why(mine),
                f"{answer.words} {_HAND_MADE}" if hand_made and not found else answer.words,
                settings,
                shlex.join(words) if settings else "",
                had=bool(settings) and _had(settings, augment),
            )
        )
    return found


def answer_to(axis: str, task: str) -> Answer:
    """What an axis is answered with where the task is `task`."""
    found = next((one for one in ANSWERS if axis in one.axes), _ELSE)
    return next((one for one in INSTEAD.get(task, ()) if one.name == found.name), found)


def flags_of(settings: Mapping[str, Any]) -> list[str]:
    """As `striate train` takes them."""
    words = []
    for name, value in settings.items():
        words += [
            f"--{name.replace('_', '-')}",
            f"{value:g}" if isinstance(value, float) else str(value),
        ]
    return words


def _scaled(answer: Answer, side: float) -> dict[str, Any]:
    """Its settings, lengths in pixels as they suit the input; what the schema allows."""
    found = dict(answer.settings)
    for name in answer.in_pixels:
        found[name] = round(min(found[name] * side / 32, 16.0), 2)
    return {
        name: AugmentSettings.parse({name: value}).model_dump()[name] for name, value in found.items()
    }


def _why(curves: Sequence[StressCurve]) -> str:
    parts = [
        f"{one.axis.title} {one.verdict}: {100 * one.mean_loss:.0f} % lost on average" for one in curves
    ]
    more = f" (and {len(parts) - 3} more)" if len(parts) > 3 else ""
    return "; ".join(parts[:3]) + more


def _had(settings: Mapping[str, Any], augment: Mapping[str, Any]) -> bool:
    """Whether each of the settings was there already, about as strong."""

    def one(name: str, value: Any) -> bool:
        before = augment.get(name)
        if isinstance(value, float) and isinstance(before, int | float):
            return bool(before >= _ALREADY * value)
        return bool(before == value)

    return all(one(name, value) for name, value in settings.items())
