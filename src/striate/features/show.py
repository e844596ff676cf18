"""Show: draw what a hand-made feature finds in a picture, and say it in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from striate.errors import UnknownNameError, UsageError
from striate.features import depict
from striate.features.cascades import CASCADES
from striate.features.depict import Drawn
from striate.features.kernels import KERNELS
from striate.features.ridges import RIDGE_FILTERS
from striate.pictures.write import to_bytes
from striate.types import Array, Picture, check_picture

__all__ = ["KINDS", "Kind", "Shown", "show"]

Draw = Callable[[Picture, str, int | None], Drawn]
"""From a picture, a variant and a limit."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of feature. `about`: one line. `variants`: what may stand after a colon, the first is the
    default; `own`: something else may stand there too, which `draw` judges."""

    about: str
    draw: Draw
    variants: Sequence[str] = ()
    own: bool = False


def _hog(picture: Picture, variant: str, limit: int | None) -> Drawn:
    from striate.features.hog import hog, hog_picture

    return _vector(hog_picture(picture), hog(picture), "HOG")


def _lbp(picture: Picture, variant: str, limit: int | None) -> Drawn:
    from striate.features.lbp import lbp, lbp_picture

    return _vector(lbp_picture(picture), lbp(picture), "LBP")


def _colour(picture: Picture, variant: str, limit: int | None) -> Drawn:
    from striate.features.colour import colour_histogram, histogram_picture

    return _vector(histogram_picture(picture), colour_histogram(picture), "colour")


def _vector(drawn: Picture, values: Array, name: str) -> Drawn:
    flat = [float(f"{value:.5g}") for value in np.ravel(values).tolist()]
    words = f"{len(flat)} {name} features" if flat else f"No {name} features: the picture is too small"
    return Drawn(drawn, words, {"length": len(flat), "vector": flat})


def _points(draw: Callable[[Picture, str, int | None], Drawn], kind: str) -> Draw:
    return lambda picture, _, limit: draw(picture, kind, limit)


KINDS: Mapping[str, Kind] = {
    "canny": Kind("edges, one pixel wide", lambda picture, _, __: depict.draw_canny(picture)),
    "harris": Kind("corners (Harris)", _points(depict.draw_corners, "harris")),
    "shi-tomasi": Kind("corners (Shi-Tomasi)", _points(depict.draw_corners, "shi-tomasi")),
    "fast": Kind("corners (FAST)", _points(depict.draw_corners, "fast")),
    "log": Kind("spots of all sizes (Laplacian of Gaussian)", _points(depict.draw_points, "log")),
    "dog": Kind("spots of all sizes (difference of Gaussians)", _points(depict.draw_points, "dog")),
    "mser": Kind("stable light and dark regions", _points(depict.draw_regions, "mser")),
    "affine": Kind(
        "regions that follow a change of viewpoint",
        depict.draw_regions,
        ("hessian-affine", "harris-affine", "mser"),
    ),
    "ridges": Kind(
        "lines lighter or darker than their sides",
        lambda picture, variant, _: depict.draw_ridges(picture, variant),
        tuple(RIDGE_FILTERS),
    ),
    "sift": Kind("SIFT points with size and direction", _points(depict.draw_points, "sift")),
    "orb": Kind("ORB points with size and direction", _points(depict.draw_points, "orb")),
    "akaze": Kind("AKAZE points with size and direction", _points(depict.draw_points, "akaze")),
    "kaze": Kind("KAZE points with size", _points(depict.draw_points, "kaze")),
    "brisk": Kind("BRISK points with size", _points(depict.draw_points, "brisk")),
    "haar": Kind("boxes of a Viola-Jones cascade", depict.draw_objects, tuple(CASCADES)),
    "kernel": Kind(
        "the picture under a kernel, exact per pixel",
        lambda picture, variant, _: depict.draw_kernel(picture, variant),
        ("sharpen", *(name for name in KERNELS if name != "sharpen")),
        own=True,
    ),
    "hog": Kind("histograms of oriented gradients", _hog),
    "lbp": Kind("local binary patterns", _lbp),
    "colour": Kind("colour histogram", _colour),
}
"""Name → what it draws. `kernel:laplacian`, `haar:eye`, `affine:mser`: a variant after a colon."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A feature made visible. `kind`, `variant`: what was asked for, without a variant "". `statement`:
    what is seen, in a sentence. `picture`: the figure, uint8 (h, w, 3). `facts`: what was found, in the
    original picture's pixels, for JSON."""

    kind: str
    variant: str
    statement: str
    picture: Picture = field(repr=False)
    facts: Mapping[str, object] = field(repr=False)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        named = {"kind": self.kind, "variant": self.variant or None}
        return named | dict(self.facts) | named | {"statement": self.statement}

    def plot(self) -> Picture:
        """The figure, uint8 (h, w, 3)."""
        return self.picture

    def _repr_png_(self) -> bytes:
        return to_bytes(self.picture)


def show(picture: Picture, kind: str, *, limit: int | None = None) -> Shown:
    """Draw what a feature of `kind` finds in `picture`, uint8 (H, W, 3).

    `kind`: one of `KINDS`, with a variant after a colon where it has some: "haar:eye",
    "kernel:laplacian", "kernel:0 -1 0; -1 5 -1; 0 -1 0". `limit`: only the strongest of what is found.
    The figure leaves out marks that nearly cover a stronger one, or are too many to be told apart; the
    facts list them all. Pictures under 480 pixels are enlarged, except under a kernel.
    """
    name, _, variant = kind.partition(":")
    if name not in KINDS:
        raise UnknownNameError("kind of feature", name, KINDS)
    chosen = KINDS[name]
    if variant and not chosen.own and variant not in chosen.variants:
        if not chosen.variants:
            raise UsageError(f"{name} has no variants, and was given {variant!r}", remedy=f"say {name}")
        raise UnknownNameError(f"variant of {name}", variant, chosen.variants)
    if limit is not None and limit < 1:
        raise UsageError(f"the limit is {limit}", expected="a number from 1")
    used = variant or (chosen.variants[0] if chosen.variants else "")
    drawn = chosen.draw(check_picture(picture), used, limit)
    return Shown(name, used, drawn.statement, drawn.picture, drawn.facts)
