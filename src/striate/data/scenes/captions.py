"""Sentences about a scene. Every number and colour in them is true, and says all there is:

"two cars" means that exactly two cars can be seen, "a red bus" that a red bus is there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from striate.data.scenes.names import OBJECT_NAMES, VEHICLE_NAMES
from striate.data.scenes.settings import SceneSettings
from striate.pictures.lettering import listed

__all__ = ["NUMBER_WORDS", "Seen", "captions_of", "phrase_of", "setting_words"]

NUMBER_WORDS: tuple[str, ...] = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty", "twenty-one", "twenty-two", "twenty-three", "twenty-four", "twenty-five",
    "twenty-six", "twenty-seven", "twenty-eight", "twenty-nine", "thirty",
)  # fmt: skip
_NOUNS: MappingProxyType[str, tuple[str, str]] = MappingProxyType(
    {
        "car": ("car", "cars"),
        "bus": ("bus", "buses"),
        "truck": ("lorry", "lorries"),
        "bicycle": ("bicycle", "bicycles"),
        "pedestrian": ("person", "people"),
        "traffic-light": ("traffic light", "traffic lights"),
        "stop-sign": ("stop sign", "stop signs"),
        "tree": ("tree", "trees"),
        "house": ("house", "houses"),
        "dog": ("dog", "dogs"),
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a caption may use of one object: class, colour word, visible box, depth in metres."""

    name: str
    colour: str
    box_xyxy: tuple[float, float, float, float]
    depth_m: float
    visible_fraction: float

    @property
    def middle(self) -> float:
        """x of the box's middle, pixels."""
        return (self.box_xyxy[0] + self.box_xyxy[2]) / 2


def _article(phrase: str) -> str:
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"


def noun_phrase(seen: Seen) -> str:
    """One object without article: "red bus", "person in blue", "traffic light showing green"."""
    noun = _NOUNS[seen.name][0]
    if seen.name == "pedestrian":
        return f"{noun} in {seen.colour}"
    if seen.name == "traffic-light":
        return f"{noun} showing {seen.colour}"
    return noun if seen.name == "stop-sign" else f"{seen.colour} {noun}"


def _counted(name: str, count: int) -> str:
    one, many = _NOUNS[name]
    return _article(one) if count == 1 else f"{NUMBER_WORDS[count]} {many}"


def setting_words(settings: SceneSettings) -> tuple[str, str]:
    """(adjective of the weather, time of day): ("rainy", "evening")."""
    light = settings.illumination
    time = "night" if light < 0.25 else "evening" if light < 0.6 else "day"
    if settings.weather == "clear":
        return ("sunny" if time == "day" else "clear"), time
    return settings.weather, time


def place_words(seen: Seen, width: int) -> str:
    """Where in the picture: on the left, in the middle, on the right."""
    share = seen.middle / width
    return "on the left" if share < 0.38 else "on the right" if share > 0.62 else "in the middle"


def phrase_of(seen: Seen, width: int) -> str:
    """The words of a region: "a red bus on the left, partly hidden"."""
    hidden = ", partly hidden" if seen.visible_fraction < 0.7 else ""
    return f"{_article(noun_phrase(seen))} {place_words(seen, width)}{hidden}"


def _relation(one: Seen, other: Seen) -> str:
    """How `one` stands to `other`, in the picture."""
    (a0, _, a1, _), (b0, _, b1, _) = one.box_xyxy, other.box_xyxy
    shared = min(a1, b1) - max(a0, b0)
    if shared > 0.3 * min(a1 - a0, b1 - b0) and abs(one.depth_m - other.depth_m) > 0.6:
        return "behind" if one.depth_m > other.depth_m else "in front of"
    if one.middle < min(b0 + 0.25 * (b1 - b0), other.middle):
        return "to the left of"
    if one.middle > max(b1 - 0.25 * (b1 - b0), other.middle):
        return "to the right of"
    return "near"


def _empty(adjective: str, time: str) -> tuple[str, ...]:
    return (
        f"An empty street on a {adjective} {time}.",
        f"A {adjective} {time} street with nobody in it.",
        f"The street is empty on this {adjective} {time}.",
        f"Buildings along a quiet street on a {adjective} {time}.",
        f"A street scene on a {adjective} {time} with no traffic and no people.",
    )


def _totals(seen: Sequence[Seen]) -> list[str]:
    """Every class with its exact number, most frequent first."""
    names = [item.name for item in seen]
    order = sorted(set(names), key=lambda name: (-names.count(name), OBJECT_NAMES.index(name)))
    return [_counted(name, names.count(name)) for name in order]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def captions_of(
    seen: Sequence[Seen], main: int | None, settings: SceneSettings, width: int, rng: random.Random
) -> tuple[str, ...]:
    """Five sentences: a relation, the whole list, the light, numbers, places.

    `seen`: what can be seen; `main`: the index of what the sentences are about; `width`: pixels.
    """
    adjective, time = setting_words(settings)
    if not seen:
        return _empty(adjective, time)
    lead = seen[main or 0]
    rest = sorted((item for item in seen if item is not lead), key=_size, reverse=True)
    opening = rng.choice(("A street with", "A street scene with", "A view of a street with"))
    return (
        _related(lead, rest, width, f"on a {adjective} {time}"),
        f"{opening} {listed(_totals(seen))} on a {adjective} {time}.",
        f"{_capital(_article(noun_phrase(lead)))} {_light_words(adjective, time)}.",
        _numbers(seen),
        _places(lead, rest, width),
    )


def _related(lead: Seen, rest: Sequence[Seen], width: int, when: str) -> str:
    """How the main object stands to the largest other, or where it is when it is alone."""
    words = _capital(_article(noun_phrase(lead)))
    if not rest:
        return f"{words} {place_words(lead, width)} of the picture {when}."
    return f"{words} {_relation(lead, rest[0])} {_other(rest[0], lead)} {when}."


def _other(item: Seen, first: Seen) -> str:
    """`item` with its article, "another" if the words would be those of `first`."""
    words = noun_phrase(item)
    return f"another {words}" if words == noun_phrase(first) else _article(words)


def _numbers(seen: Sequence[Seen]) -> str:
    vehicles = sum(item.name in VEHICLE_NAMES for item in seen)
    people = sum(item.name == "pedestrian" for item in seen)
    cars = f"{NUMBER_WORDS[vehicles]} {'vehicle' if vehicles == 1 else 'vehicles'}"
    crowd = f"{NUMBER_WORDS[people]} {'person' if people == 1 else 'people'}"
    return f"There {'is' if vehicles == 1 else 'are'} {cars} and {crowd} in the street."


def _places(lead: Seen, rest: Sequence[Seen], width: int) -> str:
    """Where the main object is, and the largest other."""
    first = f"{_article(noun_phrase(lead))} {place_words(lead, width)}"
    if not rest:
        return f"{_capital(first)}, alone in the street."
    return f"{_capital(first)} and {_other(rest[0], lead)} {place_words(rest[0], width)}."


def _size(item: Seen) -> float:
    x0, y0, x1, y1 = item.box_xyxy
    return (x1 - x0) * (y1 - y0)


def _light_words(adjective: str, time: str) -> str:
    """The street's light: "on a rainy street at dusk"."""
    street = "street" if adjective == "clear" else f"{adjective} street"
    if time == "night":
        return f"on a {street} at night, under the lamps"
    return f"on a {street} at dusk" if time == "evening" else f"on a {street} in daylight"
