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
from striate.types import SizeHW

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


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def setting_words(settings: SceneSettings) -> tuple[str, str]:
    """(adjective of the weather, time of day): ("rainy", "evening")."""
    light = settings.illumination
    time = "night" if light < 0.25 else "evening" if light < 0.6 else "day"
    adjective = {
        "clear": "clear",
        "cloudy": "cloudy",
        "rainy": "rainy",
        "foggy": "foggy",
        "snowy": "snowy",
    }
    if settings.weather == "clear":
        return ("sunny" if time == "day" else "clear"), time
    return adjective[settings.weather], time


def place_words(seen: Seen, width: int) -> str:
    """Where in the picture: on the left, in the middle, on the right."""
    share = seen.middle / width
    return "on the left" if share < 0.38 else "on the right" if share > 0.62 else "in the middle"


def phrase_of(seen: Seen, size_hw: SizeHW) -> str:
    """The words of a region: "a red bus on the left, partly hidden"."""
    hidden = ", partly hidden" if seen.visible_fraction < 0.7 else ""
    return f"{_article(noun_phrase(seen))} {place_words(seen, size_hw[1])}{hidden}"


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
    order = sorted(set(names), key=lambda name: (-names.count(name), OBJECT_NAMES.index(name)))  # type: ignore[arg-type]
    return [_counted(name, names.count(name)) for name in order]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def captions_of(
    seen: Sequence[Seen], main: int | None, settings: SceneSettings, size_hw: SizeHW, rng: random.Random
) -> tuple[str, ...]:
    """Five sentences: a relation, the list, the light, the number of vehicles, the places."""
    adjective, time = setting_words(settings)
    when = f"on a {adjective} {time}"
    if not seen:
        return _empty(adjective, time)
    first = main if main is not None else 0
    lead = seen[first]
    rest = [item for index, item in enumerate(seen) if index != first]
    lead_words = _article(noun_phrase(lead))
    if rest:
        other = max(rest, key=_size)
        twin = noun_phrase(other) == noun_phrase(lead)
        other_words = f"another {noun_phrase(other)}" if twin else _article(noun_phrase(other))
        relation = f"{_capital(lead_words)} {_relation(lead, other)} {other_words} {when}."
    else:
        relation = f"{_capital(lead_words)} {place_words(lead, size_hw[1])} of the picture {when}."
    totals = _totals(seen)
    opening = rng.choice(("A street with", "A street scene with", "A view of a street with"))
    vehicles = sum(item.name in VEHICLE_NAMES for item in seen)
    people = sum(item.name == "pedestrian" for item in seen)
    number = "one vehicle" if vehicles == 1 else f"{NUMBER_WORDS[vehicles]} vehicles"
    crowd = "one person" if people == 1 else f"{NUMBER_WORDS[people]} people"
    verb = "is" if vehicles == 1 else "are"
    places = [
        f"{_article(noun_phrase(item))} {place_words(item, size_hw[1])}" for item in (lead, *rest[:1])
    ]
    if len(places) == 2 and noun_phrase(lead) == noun_phrase(rest[0]):
        places[1] = f"another {place_words(rest[0], size_hw[1])}"
    return (
        relation,
        f"{opening} {_listed(totals)} {when}.",
        f"{_capital(lead_words)} on a street {_light_words(adjective, time)}.",
        f"There {verb} {number} and {crowd} on this {adjective} {time} street.",
        f"{_capital(_listed(places))}.",
    )


def _size(item: Seen) -> float:
    x0, y0, x1, y1 = item.box_xyxy
    return (x1 - x0) * (y1 - y0)


def _light_words(adjective: str, time: str) -> str:
    if time == "night":
        return f"under street lamps on a {adjective} night"
    if time == "evening":
        return f"at dusk on a {adjective} evening"
    return f"in daylight on a {adjective} day"
