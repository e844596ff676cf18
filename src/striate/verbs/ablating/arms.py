"""What is trained: each augmentation added to plain training, and taken out of the preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from striate.randomness import hash64
from striate.verbs.ablating.effects import Direction

__all__ = [
    "CANDIDATES",
    "FULL",
    "NOT_FOR",
    "PLAIN",
    "Arm",
    "arms_added",
    "arms_left_out",
    "file_name",
]

PLAIN, FULL = "plain", "preset"
"""The arms that others are compared with."""

CANDIDATES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "flip": {"flip": "horizontal"},
        "crop": {"crop": 0.25},
        "translate": {"translate": 0.0625},
        "rotate": {"rotate_deg": 10.0},
        "scale": {"scale": 0.15},
        "shear": {"shear_deg": 10.0},
        "perspective": {"perspective": 0.3},
        "elastic": {"elastic": 0.02},
        "colour": {"colour": 0.2},
        "light": {"exposure": 0.7, "gamma": 0.4, "shade": 0.5},
        "greyscale": {"greyscale": 0.2},
        "blur": {"blur": 1.0},
        "noise": {"noise": 0.1},
        "jpeg": {"jpeg": 0.7},
        "erase": {"erase": 0.25},
        "mixup": {"mixup": 0.2},
        "cutmix": {"cutmix": 1.0},
        "randaugment": {"policy": "randaugment"},
        "trivialaugment": {"policy": "trivialaugment"},
        "augmix": {"policy": "augmix"},
        "adversarial": {"adversarial": 4.0},
    }
)
"""What is tried where nobody says otherwise: name → the settings that switch it on."""

NOT_FOR: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "detect": frozenset({"mixup", "cutmix", "erase", "augmix"}),
        "regress": frozenset({"flip", "crop", "scale", "rotate", "shear", "perspective", "elastic"})
        | {"randaugment", "trivialaugment", "augmix", "cutmix"},
    }
)
"""What would make a task's labels lie: left out unless asked for by name."""

_PARTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "flip": {"flip": "none"},
        **{
            name: {field: 0.0}
            for name, field in {
                "crop": "crop",
                "translate": "translate",
                "rotate": "rotate_deg",
                "scale": "scale",
                "shear": "shear_deg",
                "perspective": "perspective",
                "elastic": "elastic",
                "colour": "colour",
                "noise": "noise",
                "erase": "erase",
                "mixup": "mixup",
                "cutmix": "cutmix",
            }.items()
        },
    }
)
"""Parts of presets: name → the settings that switch it off."""

_LONGEST = 80
"""Letters of a file's name; of a longer one the end is a hash of it all."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One kind of training. `settings`: what it is trained with; `change`: what of them makes it differ
    from `against`, the arm it is compared with."""

    key: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    against: str = ""
    direction: Direction = "added"
    change: Mapping[str, Any] = field(default_factory=dict)

    def file_name(self, seed: int) -> str:
        """Of the run trained with `seed`, and of its scores."""
        return f"{file_name(self.key)}-s{seed}"


def arms_added(candidates: Mapping[str, Mapping[str, Any]], plain: Mapping[str, Any]) -> list[Arm]:
    """The plain training, and each candidate on top of it."""
    added = [
        Arm(f"with-{name}", name, _laid_over(plain, settings), PLAIN, change=settings)
        for name, settings in candidates.items()
    ]
    return [Arm(PLAIN, "plain", plain), *added]


def arms_left_out(preset: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[Arm]:
    """The preset, and the preset without each part that is on in its `resolved` settings."""
    found = [Arm(FULL, "preset", preset)]
    for name, off in _PARTS.items():
        ((setting, nothing),) = off.items()
        if resolved.get(setting, nothing) != nothing:
            found.append(Arm(f"without-{name}", name, {**preset, **off}, FULL, "left out", off))
    return found


def file_name(text: str) -> str:
    """`text` as the name of a file: small letters, digits, "+", "." and "-".

    >>> file_name("with-Blur 1")
    'with-blur-1'
    """
    kept = "".join(one if one.isalnum() or one in "+.-" else "-" for one in text.lower())
    name = "-".join(part for part in kept.split("-") if part)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}-{hash64(text):016x}"[:_LONGEST]


def _laid_over(plain: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """`plain` with `settings` on top; how strong another policy was says nothing of a new one."""
    old = ("policy_ops", "policy_magnitude") if "policy" in settings else ()
    return {**{name: value for name, value in plain.items() if name not in old}, **settings}
