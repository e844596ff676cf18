"""What `striate layers --out` writes: a picture, or a page on which units can be clicked."""

from __future__ import annotations

import os
from pathlib import Path

from striate.arithmetic.painting import paint_network
from striate.errors import UnknownNameError
from striate.pictures.read import read
from striate.pictures.write import WRITABLE_SUFFIXES, write
from striate.verbs.layers.page import write_layers_page
from striate.verbs.layers.table import LayersReading
from striate.verbs.outputs import writable

__all__ = ["write_layers"]

_PAGES = (".html", ".htm")


def write_layers(
    found: LayersReading,
    out: str | os.PathLike[str],
    *,
    picture: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the drawing of a network to `out`, in the form that its ending names; the path.

    `picture`: what the patch of `found.patch` is shown on. Errors: `UnknownNameError` for another
    ending, `UsageError` where the file exists and `overwrite` is not set, `PictureError`.
    """
    target = Path(out)
    ending = target.suffix.lower()
    if ending not in (*_PAGES, *WRITABLE_SUFFIXES):
        raise UnknownNameError("drawing", target.suffix, (*_PAGES, *WRITABLE_SUFFIXES))
    writable(target, overwrite=overwrite)
    shown = None if picture is None else read(picture)
    if ending in _PAGES:
        return write_layers_page(found, target, picture=shown, overwrite=overwrite)
    return write(paint_network(found.network, found.patch, shown), target, overwrite=overwrite)
