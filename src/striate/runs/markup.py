"""Text for HTML and Markdown: everything from outside is escaped here, numbers are written one way."""

from __future__ import annotations

import html
import math
import re

from striate.runs.plain import legible

__all__ = ["anchor", "escape", "escape_markdown", "number", "span", "text_of"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")
_DIGITS = 4


def escape(text: object) -> str:
    """`text` as HTML text or attribute value; what HTML cannot hold becomes visible.

    >>> escape('<img onerror="x">')
    '&lt;img onerror=&quot;x&quot;&gt;'
    """
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", legible(str(text))), quote=True)


def escape_markdown(text: object) -> str:
    r"""`text` as plain words on one line of Markdown, in a table too; HTML in it shows as written.

    >>> escape_markdown("a|b <i>")
    'a\\|b &lt;i&gt;'
    """
    flat = " ".join(_CONTROL.sub(" ", legible(str(text))).split())
    return _MARKDOWN.sub(r"\\\1", html.escape(flat, quote=False))


def number(value: float, digits: int = _DIGITS) -> str:
    """A number for people: so many significant digits, thin spaces in thousands, "n/a" for NaN.

    >>> number(0.93125), number(12345), number(-1e-7), number(float("nan"))
    ('0.9313', '12\u202f345', '−1e-7', 'n/a')
    """
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size < 1e15 and (size >= 10 ** (digits - 1) or size == int(size)):
        text = f"{size:,.0f}" if size >= 10_000 else f"{size:.0f}"
    else:
        text = re.sub(r"e[+]?(-?)0*", r"e\1", f"{size:.{digits}g}")
    return ("−" if value < 0 else "") + text.replace(",", "\u202f")


def span(low: float, high: float, digits: int = 3) -> str:
    """An interval: "0.85–0.94"; with negative ends "−0.1 to 0.3"."""
    between = " to " if low < 0 or high < 0 else "–"
    return f"{number(low, digits)}{between}{number(high, digits)}"


def text_of(value: object) -> str:
    """A setting's value for people, not yet escaped: yes and no, lists with commas, tables inline."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple):
        shown = ", ".join(text_of(one) for one in value[:12])
        return f"{shown} … ({len(value)} in all)" if len(value) > 12 else shown or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {text_of(one)}" for key, one in value.items()) or "none"
    return str(value)


def anchor(title: str) -> str:
    """A title as the id of its section: lower-case words and hyphens.

    >>> anchor("What it mixes up!")
    'what-it-mixes-up'
    """
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())) or "section"
