"""The live view as a page: one file, its own script, nothing from elsewhere.

The same page shows a run that is served now (it asks for the next moment again and again) and one that
was written (all moments are inside it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from striate.runs.markup import escape
from striate.runs.page import masthead, report_style, script_policy
from striate.runs.plain import json_ready

__all__ = ["page_policy", "render_live_page"]


def render_live_page(data: Mapping[str, Any]) -> str:
    """The page as text.

    `data`: "run", "source", "layers" (name, kind, channels, places), "layer", "total" (frames, or None),
    "camera" and "moments": those of a written page, None for one that is served. Numbers that are not
    finite become null.
    """
    script = _own("live_page.js")
    style = report_style() + _own("live_page.css")
    told = json.dumps(json_ready(data), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    layers = "".join(
        f'<option value="{escape(one["name"])}"{" selected" if one["name"] == data["layer"] else ""}>'
        f"{escape(one['name'])} · {escape(one['kind'])} · {escape(_shape(one))}</option>"
        for one in data["layers"]
    )
    served = data["moments"] is None
    policy = page_policy() if served else page_policy().replace("; connect-src 'self'", "")
    body = _own("live_page.html").replace("{{layers}}", layers)
    head = masthead(str(data["run"]), kind="striate explain --live", facts=str(data["source"]))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(str(data['run']))} · live · striate</title><style>{style}</style></head><body>"
        f"<main>{head}{body}</main>"
        f'<script type="application/json" id="told">{told}</script><script>{script}</script>'
        "</body></html>\n"
    )


def page_policy() -> str:
    """Only this very script may run, and it may ask only the server that it came from."""
    return script_policy(_own("live_page.js")) + "; connect-src 'self'"


def _own(name: str) -> str:
    return (files("striate.explain") / name).read_text("utf-8")


def _shape(layer: Mapping[str, Any]) -> str:
    rows, columns = layer["places"]
    channels = f"{layer['channels']} channels"
    return channels if rows * columns == 1 else f"{channels} of {rows} × {columns}"
