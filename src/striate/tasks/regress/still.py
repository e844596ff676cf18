"""Which pictures are moved while their numbers stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from striate.nn.augment.presets import AUTO_TINY
from striate.nn.augment.settings import AugmentSettings
from striate.pictures.lettering import listed

__all__ = ["still_numbers"]

_NAMED = 4
"""More numbers than this are counted, not named."""

_MOVES = (
    ("rotate_deg", "turned", 0.0),
    ("scale", "zoomed", 0.0),
    ("crop", "cropped", 0.0),
    ("translate", "shifted", AUTO_TINY["translate"]),  # as much as is done unasked
    ("shear_deg", "slanted", 0.0),
    ("perspective", "tilted", 0.0),
    ("elastic", "distorted", 0.0),
)
"""Settings, in words, and from where on they are told."""


def still_numbers(settings: AugmentSettings, names: Sequence[str]) -> list[str]:
    """A remark, if resolved `settings` move pictures in ways that may change the numbers `names`.

    >>> still_numbers(AugmentSettings(flip="horizontal"), ["yaw"])[0][:53]
    'yaw stays as labelled, although pictures are mirrored'
    """
    found = list(_moves(settings))
    if not found:
        return []
    told = f"all {len(names)} numbers" if len(names) > _NAMED else listed(names)
    stay = "stays" if len(names) == 1 else "stay"
    moved, flags = listed([words for words, _ in found]), " ".join(flag for _, flag in found)
    return [
        f"{told} {stay} as labelled, although pictures are {moved}. Where that makes a number wrong (a "
        f"mirrored head has the opposite yaw), train with {flags}"
    ]


def _moves(settings: AugmentSettings) -> Iterator[tuple[str, str]]:
    """What is done, and the flag that would leave it out."""
    if settings.flip not in ("auto", "none"):
        yield "mirrored", "--flip none"
    for name, words, free in _MOVES:
        if (getattr(settings, name) or 0.0) > free:
            yield words, f"--{name.replace('_', '-')} 0"
    if settings.policy not in (None, "none"):
        yield f"moved by {settings.policy}", "--policy none"
