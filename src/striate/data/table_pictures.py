"""From a cell of a table to the picture that it means."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from itertools import product
from urllib.parse import unquote_to_bytes, urlsplit

from striate.pictures.sources import shown_name

__all__ = ["PictureFinder"]

# Text paths throughout, not `Path`: names may hold bytes that are not UTF-8, and 60 000 are looked up.
# ruff: noqa: PTH116, PTH117, PTH118

ENDINGS = ("", ".jpg", ".jpeg", ".png", ".JPG", ".webp", ".tif", ".bmp")
SAMPLE_ROWS = 50
MOST_FOLDERS = 50


class PictureFinder:
    """Finds the files that the cells of one table mean, relative to the table's folder `root`.

    A cell may be a relative or absolute path, with / or backslashes, or a file:// address. Where not one
    of the first cells names a file, the folders beside the table and the usual endings are tried
    (`folder`, `ending` tell which fitted best). A table is explicit: it may name files anywhere, also
    by `..` and through links; they must be regular files. `finds_any`: whether one of the first did.
    """

    def __init__(self, root: str, cells: Sequence[str], encoding: str) -> None:
        self.root, self._encoding = root, encoding
        self.folder, self.ending = "", ""
        sample = [cell for cell in cells[:SAMPLE_ROWS] if cell.strip()]
        self.finds_any = self._hits(sample) > 0 or self._look_around(sample)

    def find(self, cell: str) -> tuple[str, str]:
        """Key and path of the picture; a `ValueError` says why there is none."""
        if not cell.strip():
            raise ValueError("the path is blank")
        reason = "there is no such file"
        for form in self._forms(cell):
            path = self._path(form)
            try:
                mode = os.stat(path).st_mode
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(mode):
                return self._key(path), path
            reason = "it is a folder" if stat.S_ISDIR(mode) else "it is a pipe, socket or device"
        raise ValueError(f"{shown_name(cell)!r}: {reason}")

    def words(self) -> str:
        """What was tried beside the plain path, for the layout's description."""
        folder = f", pictures in {shown_name(self.folder)}/" if self.folder else ""
        return folder + (f", {self.ending} added" if self.ending else "")

    def _forms(self, cell: str) -> list[str]:
        """Ways to read the cell, the literal one first."""
        forms = [cell, cell.strip()]
        if cell.startswith("file:"):
            forms.append(os.fsdecode(unquote_to_bytes(urlsplit(cell).path)))
        if "\\" in cell:
            forms.append(cell.strip().replace("\\", "/"))
        if self._encoding == "cp1252":  # the table holds the bytes of the name, whatever they mean
            forms.append(os.fsdecode(cell.encode("cp1252", "surrogateescape")))
        return list(dict.fromkeys(forms))

    def _path(self, form: str) -> str:
        if os.path.isabs(form):
            return form + self.ending
        return os.path.join(self.root, self.folder, form + self.ending)

    def _key(self, path: str) -> str:
        whole = os.path.normpath(path)
        inside = self.root.rstrip(os.sep) + os.sep
        return (whole[len(inside) :] if whole.startswith(inside) else whole).replace(os.sep, "/")

    def _hits(self, cells: Sequence[str]) -> int:
        hits = 0
        for cell in cells:
            try:
                self.find(cell)
                hits += 1
            except ValueError:
                continue
        return hits

    def _look_around(self, sample: Sequence[str]) -> bool:
        with os.scandir(self.root) as entries:
            folders = sorted(entry.name for entry in entries if entry.is_dir())
        most, best = 0, ("", "")
        for self.folder, self.ending in product(["", *folders[:MOST_FOLDERS]], ENDINGS):
            if (hits := self._hits(sample)) > most:
                most, best = hits, (self.folder, self.ending)
        self.folder, self.ending = best
        return most > 0
