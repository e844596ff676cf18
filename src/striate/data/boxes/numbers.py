"""Numbers in annotation files: read exactly as they are written, written so that they read the same.

Sums and differences are those of the decimals in the file: 0.1 + 0.2 is 0.3. So left + width is the
right edge that a person would write, and what is written again is what was read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import TypeAlias

__all__ = [
    "EXACT",
    "Box4",
    "decimal_of",
    "float_sum",
    "places_of",
    "plain",
    "read_number",
    "snap",
    "turn_of",
]

Box4: TypeAlias = tuple[float, float, float, float]

EXACT = Context(prec=120)
"""More digits than the sum of any two floats of a sensible size needs."""

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
LARGEST = Decimal(10) ** 9
LONGEST = 120
SMALLEST_PLACE = -60
MOST_PLACES = 80
UNITS = tuple(Decimal(1).scaleb(-places) for places in range(MOST_PLACES + 1))


def read_number(text: str) -> Decimal:
    """The number that `text` is; a `ValueError` says why it is none, or none that a picture can have."""
    word = text.strip()
    if len(word) > LONGEST or not NUMBER.fullmatch(word):
        shown = repr(word[:40]) if word else "an empty place"
        raise ValueError(f"{shown} stands where a number should be")
    value = Decimal(word)
    if abs(value) >= LARGEST:
        raise ValueError(f"{word[:40]} is too large for a place in a picture")
    if value and value.adjusted() < SMALLEST_PLACE:
        return Decimal(0)
    return value


def decimal_of(value: object) -> Decimal:
    """A JSON number as the shortest decimal that stands for it; a `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{str(value)[:40]!r} stands where a number should be")
    return read_number(value if isinstance(value, str) else repr(value))


def float_sum(a: Decimal, b: Decimal) -> float:
    """`a` + `b`, rounded once."""
    return float(EXACT.add(a, b))


def turn_of(angle_deg: Decimal) -> float:
    """`angle_deg` above -180 and up to 180.

    >>> turn_of(Decimal(350)), turn_of(Decimal("-180"))
    (-10.0, 180.0)
    """
    turned = EXACT.remainder(angle_deg, Decimal(360))
    if turned > 180:
        turned = EXACT.subtract(turned, Decimal(360))
    elif turned <= -180:
        turned = EXACT.add(turned, Decimal(360))
    return float(turned)


def places_of(numbers: Sequence[Decimal]) -> int:
    """The most decimal places among `numbers` as they are written."""
    return max((-int(one.as_tuple().exponent) for one in numbers), default=0)


def snap(value: Decimal, within: Decimal) -> float:
    """The number with the fewest decimal places that is not farther than `within` from `value`.

    What was written with few digits comes out as it was before: 0.512500 of 640 pixels is 328, not
    327.99984.

    >>> snap(Decimal("327.99984"), Decimal("0.0005"))
    328.0
    """
    low, high = 0, MOST_PLACES  # more places never round farther away, so the fewest can be bisected
    while low < high:
        middle = (low + high) // 2
        rounded = value.quantize(UNITS[middle], context=EXACT)
        if abs(EXACT.subtract(rounded, value)) <= within:
            high = middle
        else:
            low = middle + 1
    return float(value.quantize(UNITS[low], context=EXACT))


def plain(value: float | Decimal) -> str:
    """`value` without exponent or needless zeros, so that it reads the same.

    >>> plain(12.0), plain(0.1), plain(1e-7)
    ('12', '0.1', '0.0000001')
    """
    decimal = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    text = format(decimal, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
