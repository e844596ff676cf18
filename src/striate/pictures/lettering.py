"""Words on pictures: a font that has the letters, text that can be printed, and lines that fit."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from PIL import ImageFont

__all__ = ["Font", "font_for", "line_height", "listed", "printable", "shortened", "spaced", "wrapped"]

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial.ttf",
    "Arial Unicode.ttf",
    "segoeui.ttf",
    "NotoSansCJK-Regular.ttc",
    "PingFang.ttc",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
)
"""Where to look for letters that the font bundled with Pillow lacks: nearly all beyond ASCII."""

NO_GLYPH = "\U0010fffd"
"""A private character that no font draws, so what is drawn for it is the "missing" box."""

LOOKALIKES = {
    "×": "x",
    "→": "->",
    "–": "-",
    "—": "-",
    "ß": "ss",
    "æ": "ae",
    "ø": "o",
    "ł": "l",
    "€": "EUR",
}


def printable(text: str) -> str:
    r"""`text` in one line without anything that cannot be drawn or would reorder the line.

    >>> printable("caf\udce9\nau lait")
    'caf\\xe9 au lait'
    """
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c for c in " ".join(plain.split()) if c.isprintable())


def font_for(text: str, size: int) -> tuple[str, Font]:
    """`text` made printable, and a font of `size` pixels that has its letters.

    Pillow's bundled font for ASCII; beyond it the font of the system that has most of the letters.
    What it lacks is spelt: accents dropped, other letters as their code (<U+732B>).
    """
    text = printable(text)
    best: Font = ImageFont.load_default(size)
    lacking = _lacking(best, text)
    for name in SYSTEM_FONTS if lacking else ():
        font = _system_font(name, size)
        if font is not None and len(missing := _lacking(font, text)) < len(lacking):
            best, lacking = font, missing
        if not lacking:
            break
    return (_spelt_out(text, best, lacking) if lacking else text), best


@lru_cache(maxsize=32)  # a search through the font folders of the machine, which do not change
def _system_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return None


def _lacking(font: Font, text: str) -> set[str]:
    """The characters of `text` for which `font` draws nothing but its "missing" box."""
    if text.isascii():
        return set()
    missing = _drawn(font, NO_GLYPH)
    return {c for c in set(text) if not c.isspace() and _drawn(font, c) == missing}


def _drawn(font: Font, character: str) -> bytes:
    return bytes(font.getmask(character))


def _spelt_out(text: str, font: Font, lacking: set[str]) -> str:
    """`text` with every lacking character as a look-alike, its letter without accents, or its code."""
    spelt = {}
    for c in lacking:
        plain = unicodedata.normalize("NFKD", LOOKALIKES.get(c, c))
        plain = "".join(part for part in plain if not unicodedata.combining(part))
        spelt[c] = plain if plain and not _lacking(font, plain) else f"<U+{ord(c):04X}>"
    return "".join(spelt.get(c, c) for c in text)


def spaced(number: int) -> str:
    """Thousands apart, as in 786 432.

    >>> spaced(786432)
    '786 432'
    """
    return f"{number:,}".replace(",", " ")


def listed(words: Sequence[str]) -> str:
    """One or more words as a person lists them.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def line_height(size: int) -> int:
    """The distance between two lines of text of `size` pixels."""
    return round(size * 1.3)


def shortened(text: str, font: Font, width: float) -> str:
    """`text`, cut with "..." where it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    keep = _fitting(text, font, width, end="...")
    return text[:keep].rstrip() + "..." if keep else ""


def _fitting(text: str, font: Font, width: float, *, end: str = "") -> int:
    """How many characters of `text`, and then `end`, fit into `width` pixels."""
    return max(
        0, bisect_right(range(len(text) + 1), width, key=lambda n: font.getlength(text[:n] + end)) - 1
    )


def wrapped(text: str, font: Font, width: float, most_lines: int) -> list[str]:
    """`text` in at most `most_lines` lines of `width` pixels, broken between words; the last is cut."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most_lines - 1:
        line = words.pop(0)
        while words and font.getlength(f"{line} {words[0]}") <= width:
            line = f"{line} {words.pop(0)}"
        if font.getlength(line) > width:  # one word, too long: break it where it must be
            fits = max(1, _fitting(line, font, width))
            words.insert(0, line[fits:])
            line = line[:fits]
        lines.append(line)
    if words:
        lines.append(shortened(" ".join(words), font, width))
    return lines
