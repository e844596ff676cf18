"""Colour profiles: from the space a picture was stored in to sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageCms

__all__ = ["to_srgb"]

SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
"""Pillow's mode to the colour space that a profile for it must declare."""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """`image` (RGB, L, CMYK or LAB) as sRGB by its ICC profile, perceptual intent.

    None where the profile is broken, belongs to another kind of picture, or is sRGB itself
    (moves no colour by more than one level): the plain conversion is right then.
    """
    transform = _transform(profile, image.mode)
    return None if transform is None else transform.apply(image)


# A transform takes 2 ms to build, more than a small picture takes to decode, and a camera writes
# the same profile into every picture. The memo is keyed by content, so it cannot change an answer.
@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != SPACES.get(mode):
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return None if _changes_nothing(transform, mode) else transform
    except Exception:  # lcms and its binding raise OSError, ValueError, TypeError, PyCMSError …
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in ("RGB", "L"):
        return False
    steps = bytes(range(0, 256, 17))
    levels = (
        bytes(value for r in steps for g in steps for b in steps for value in (r, g, b))
        if mode == "RGB"
        else steps
    )
    probe = Image.frombytes(mode, (len(levels) // len(mode), 1), levels)
    seen = transform.apply(probe).tobytes()
    plain = probe.convert("RGB").tobytes()
    return all(abs(a - b) <= 1 for a, b in zip(seen, plain, strict=True))
