"""TIFF without warnings: Pillow parses tags again while it loads, and says so when they are damaged."""

from __future__ import annotations

from PIL import ExifTags
from PIL.TiffImagePlugin import TiffImageFile

from striate.pictures.quiet import quiet

__all__ = ["QuietTiff"]


class QuietTiff(TiffImageFile):
    """A TIFF picture that raises or stays silent. Pillow turns it upright itself, after loading."""

    @property
    def tagged_orientation(self) -> int | None:
        """The orientation (1-8) in the TIFF's own tag: by it `size` is already that of the upright
        picture when only the header is read. An XMP packet may tell one as well; `size` ignores it."""
        found = self.tag_v2.get(ExifTags.Base.Orientation)
        return found if isinstance(found, int) and 1 <= found <= 8 else None

    def load_prepare(self) -> None:
        with quiet():
            super().load_prepare()

    def load_end(self) -> None:
        with quiet():
            super().load_end()
