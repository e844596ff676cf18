"""Which units of one map a unit of the next one sees, on one axis.

Unit i sees the units from ⌊(i·step + low)/per⌋ to ⌊(i·step + high)/per⌋: convolutions, pooling,
transposed convolutions, resizing, cropping and "everything" are all of this form, and all of them
move forwards with i. Indices beyond the map lie in the padding.
"""

from __future__ import annotations

from dataclasses import dataclass

from striate.arithmetic.sizes import Slide

__all__ = [
    "ITSELF",
    "ONLY",
    "Reach",
    "adaptive_reach",
    "conv_reach",
    "crop_reach",
    "everything",
    "resize_reach",
    "transposed_reach",
]


@dataclass(frozen=True, slots=True)
class Reach:
    """See the module. `per` is 1 unless the map grows; only every `gap`-th of the units is seen."""

    step: int = 1
    low: int = 0
    high: int = 0
    per: int = 1
    gap: int = 1

    def of(self, first: int, last: int) -> tuple[int, int]:
        """The units that the units from `first` to `last` see; empty (first > last) for none."""
        return (
            (first * self.step + self.low) // self.per,
            (last * self.step + self.high) // self.per,
        )

    def within(self, unit: int, count: int) -> range:
        """The units that a unit sees of a map of `count`; empty for none."""
        first, last = self.of(unit, unit)
        if first < 0:
            first += -(first // self.gap) * self.gap
        return range(first, min(last, count - 1) + 1, self.gap)

    @property
    def is_even(self) -> bool:
        """Whether all units see equally many."""
        return self.per == 1


ITSELF = Reach()
"""Unit i sees unit i."""

ONLY = Reach(step=0)
"""Every unit sees unit 0: of a map of one unit."""


def conv_reach(slide: Slide) -> Reach:
    """Of a convolution or a pool: from i·S − P to i·S − P + (F − 1)·D."""
    low = -slide.before
    return Reach(slide.stride, low, low + slide.span - 1, gap=slide.dilation)


def transposed_reach(slide: Slide) -> Reach:
    """Of a transposed convolution: the inputs j whose j·S − P + t·D, t < F, can be i.

    With dilation not all in between are seen; the ends may then lie further out than what is.
    """
    last = slide.stride - 1
    return Reach(1, slide.before - slide.span + 1 + last, slide.before, slide.stride)


def adaptive_reach(size: int, output: int) -> Reach:
    """Of a pool that yields `output` values whatever the `size`: from ⌊i·N/O⌋ to ⌈(i+1)·N/O⌉ − 1."""
    if size % output == 0:
        share = size // output
        return conv_reach(Slide(share, share))
    return Reach(size, 0, size - 1, output)


def resize_reach(size: int, output: int, *, taps: int, corners: bool = False) -> Reach:
    """Of a resized map. `taps`: source pixels that an output is made of: 1 nearest, 2 linear, 4 cubic.

    `corners`: the centres of the corner pixels stay in place (torch's `align_corners`).
    """
    if taps == 1:
        return _reduced(Reach(size, 0, 0, output))
    extra = taps // 2 - 1
    if corners:
        step, shift, per = size - 1, 0, max(output - 1, 1)
    else:  # a centre at (i + 1/2)·N/O − 1/2
        step, shift, per = 2 * size, size - output, 2 * output
    return Reach(step, shift - extra * per, shift + per - 1 + extra * per, per)


def crop_reach(offset: int, step: int = 1) -> Reach:
    """Of a part cut out from `offset` on, every `step`-th; a negative offset is padding in front."""
    return Reach(step, offset, offset)


def everything(size: int) -> Reach:
    """Every unit sees the whole axis."""
    return Reach(0, 0, size - 1)


def _reduced(reach: Reach) -> Reach:
    if reach.step % reach.per == 0:
        return Reach(reach.step // reach.per)
    return reach
