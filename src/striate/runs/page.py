"""A page of figures in the look of the run report: one HTML file, no network, no script."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from striate.errors import UsageError
from striate.figures import Section
from striate.runs.atomic import write_text
from striate.runs.drawing import draw_figures
from striate.runs.markup import anchor, escape

__all__ = [
    "Tiles",
    "contents",
    "document",
    "masthead",
    "render_page",
    "report_style",
    "script_policy",
    "scripted_document",
    "section_body",
    "tiles",
    "write_page",
]

Tiles: TypeAlias = Sequence[tuple[str, str]]
"""(name, value): the few numbers that are set large. What stands in brackets at the end of a value,
its interval, is set small."""

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
_MARK = (
    '<svg class="logo" viewBox="0 0 24 24" aria-hidden="true">'
    '<path d="M4 20 9 4M10 20 15 4M16 20 21 4"/></svg>'
)


def write_page(
    path: str | os.PathLike[str],
    title: str,
    intro: str,
    sections: Sequence[Section],
    *,
    kind: str = "striate",
    facts: str = "",
    numbers: Tiles = (),
    overwrite: bool = False,
) -> Path:
    """Write `render_page` to the file `path`, whole or not at all; the path.

    A `UsageError` where it exists and `overwrite` is not set, or is a folder; a `DiskError` where the
    disk refuses.
    """
    target = Path(path)
    if target.is_dir():
        raise UsageError(f"{target} is a folder", expected="the name of a file to write")
    if os.path.lexists(target) and not overwrite:
        raise UsageError(f"{target} exists already", remedy="choose another name, or add --overwrite")
    write_text(target, render_page(title, intro, sections, kind=kind, facts=facts, numbers=numbers))
    return target


def render_page(
    title: str,
    intro: str,
    sections: Sequence[Section],
    *,
    kind: str = "striate",
    facts: str = "",
    numbers: Tiles = (),
) -> str:
    """The page as text.

    `kind`: small, above the title: the command that wrote it. `facts`: one line beneath it. `intro`:
    what the page shows, in one paragraph. `numbers`: set large below. With two sections or more there
    is a table of contents. All text is escaped here.
    """
    opening = f'<p class="intro" style="margin-bottom:18px">{escape(intro)}</p>' if intro else ""
    body = masthead(title, kind=kind, facts=facts) + opening + tiles(numbers)
    parts = [(section.title, section_body(section)) for section in sections]
    return document(f"{title} · striate", body + contents(parts))


def report_style() -> str:
    """The style sheet of every page that striate writes, as text."""
    return (files("striate.runs") / "report.css").read_text("utf-8")


def document(title: str, body: str, *, version: str = "") -> str:
    """A whole HTML document around `body`, with its style; `title` is plain text, `body` HTML."""
    written = f"striate {escape(version)}" if version else "striate"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{report_style()}</style></head><body>"
        f"<main>{body}</main><footer>Written by {written}. This page is "
        "one file: it loads nothing and sends nothing.</footer></body></html>\n"
    )


def scripted_document(
    title: str, body: str, *, style: str, script: str, told: tuple[str, str], pictures: bool = True
) -> str:
    """`document` with a script of its own, which reads JSON that lies in the page.

    `style`: beside that of every page. `told`: the id of the element, and the JSON. `pictures`: whether
    the page shows some.
    """
    name, data = told
    policy = script_policy(script, pictures=pictures)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{report_style()}{style}</style></head><body>"
        f"<main>{body}</main><footer>Written by striate. This page is one file: it loads nothing and "
        "sends nothing.</footer>"
        f'<script type="application/json" id="{name}">{data.replace("<", chr(92) + "u003c")}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def script_policy(script: str, *, pictures: bool = True) -> str:
    """Only this very script may run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    shown = "img-src data:; " if pictures else ""
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; {shown}"
        "base-uri 'none'; form-action 'none'"
    )


def masthead(title: str, *, kind: str, facts: str = "") -> str:
    """The mark, what kind of page it is, its title, and a line of facts."""
    line = f'<p class="facts">{escape(facts)}</p>' if facts else ""
    return (
        f'<header>{_MARK}<p class="kind">{escape(kind)}</p><h1><bdi>{escape(title)}</bdi></h1>'
        f"{line}</header>"
    )


def tiles(pairs: Tiles, kind: str = "tiles") -> str:
    """Tiles in rows without holes: up to four in one row, else three a row, the first made wider."""
    if not pairs:
        return ""
    count = len(pairs)
    columns = count if count in (1, 2, 4) else 3
    first = columns - (count - 1) % columns
    style = f"--columns:{columns};--first:{first}"
    return f'<dl class="{kind}" style="{style}">{"".join(_tile(*pair) for pair in pairs)}</dl>'


def _tile(name: str, value: str) -> str:
    """A big number; what stands in brackets after it, its interval, is set small."""
    big, bracket, rest = value.partition(" (")
    if not rest.endswith(")"):
        big, bracket = value, ""
    small = f"<small>{escape(rest[:-1])}</small>" if bracket else ""
    size = ' class="long"' if len(big) > 12 else ""
    return f"<div><dt>{escape(name)}</dt><dd{size}>{escape(big)}{small}</dd></div>"


def contents(parts: Sequence[tuple[str, str]]) -> str:
    """(title, HTML): a list of links where there are several, then the parts, each with its own id."""
    seen: dict[str, int] = {}
    links, bodies = [], []
    for title, body in parts:
        name = anchor(title)
        seen[name] = seen.get(name, 0) + 1
        name += f"-{seen[name]}" if seen[name] > 1 else ""
        links.append(f'<li><a href="#{name}">{escape(title)}</a></li>')
        bodies.append(f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>')
    listed = f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>' if len(links) > 1 else ""
    return listed + "".join(bodies)


def section_body(section: Section) -> str:
    """What stands beneath the title of a section: its words, then its figures in two columns."""
    intro = f'<p class="intro">{escape(section.intro)}</p>' if section.intro else ""
    return f'{intro}<div class="figures">{draw_figures(section.figures)}</div>'
