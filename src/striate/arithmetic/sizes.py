"""How large the output of a window is: (N − F + 2P)/S + 1, on one axis, exactly.

A window that does not take a whole number of steps is refused with what would fit; `floored` does
what frameworks do instead, and `lost_pixels` says what that leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from striate.errors import UsageError

__all__ = [
    "Fits",
    "Slide",
    "ceiled",
    "check_slide",
    "exact_size",
    "fitted",
    "floored",
    "formula",
    "lost_pixels",
    "nearest_fits",
    "plain",
    "transposed",
]


@dataclass(frozen=True, slots=True)
class Slide:
    """What slides along one axis: `kernel` values `dilation` apart, moved by `stride`.

    `before`, `after`: padding at the two ends. All in pixels of the map that it slides on.
    """

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def span(self) -> int:
        """Pixels from the first to the last value of the kernel: (F − 1)·D + 1."""
        return (self.kernel - 1) * self.dilation + 1


def check_slide(slide: Slide) -> None:
    """A `UsageError` for numbers that no window can have."""
    for name, value, least in (
        ("kernel", slide.kernel, 1),
        ("stride", slide.stride, 1),
        ("dilation", slide.dilation, 1),
        ("padding", min(slide.before, slide.after), 0),
    ):
        if value < least:
            raise UsageError(f"{name} is {value}", expected=f"a {name} of {least} or more")


def exact_size(size: int, slide: Slide) -> Fraction:
    """(N − F + 2P)/S + 1 as the fraction that it is.

    >>> exact_size(7, Slide(3)), exact_size(7, Slide(3, 2)), exact_size(7, Slide(3, 3))
    (Fraction(5, 1), Fraction(3, 1), Fraction(7, 3))
    """
    return Fraction(size - slide.span + slide.before + slide.after, slide.stride) + 1


def fitted(size: int, slide: Slide, *, axis: str = "") -> int:
    """The output size; a `UsageError` where the window does not fit, which names what would.

    `axis` ("height" or "width") is named in the message where only one of them does not fit.
    """
    check_size(size, slide, axis=axis)
    found = exact_size(size, slide)
    if found.denominator == 1:
        return int(found)
    on = f" the {axis} of {size}" if axis else ""
    raise UsageError(
        f"does not fit{on}: {formula(size, slide)} = {plain(found)}",
        expected=f"a whole number of steps; {nearest_fits(size, slide)}",
        remedy="or round down, as frameworks do, with --floor",
    )


def floored(size: int, slide: Slide, *, axis: str = "") -> int:
    """The output size rounded down, as frameworks do; a `UsageError` where nothing is left."""
    check_size(size, slide, axis=axis)
    return int(exact_size(size, slide).__floor__())


def ceiled(size: int, slide: Slide) -> int:
    """The output size rounded up, without a window that would lie in the padding alone.

    This is torch's `ceil_mode`; the last window may reach beyond the padding.
    """
    up = int(exact_size(size, slide).__ceil__())
    return up - 1 if (up - 1) * slide.stride >= size + slide.before else up


def transposed(size: int, slide: Slide, output_padding: int = 0) -> int:
    """Output size of a transposed convolution: (N − 1)·S − 2P + span + output padding.

    It undoes the size of a convolution with the same window:

    >>> transposed(112, Slide(2, 2))
    224
    """
    check_slide(slide)
    if not 0 <= output_padding < max(slide.stride, slide.dilation):
        raise UsageError(
            f"output padding is {output_padding}",
            expected="0 or more, and less than the stride or the dilation",
        )
    found = (size - 1) * slide.stride - slide.before - slide.after + slide.span + output_padding
    if found < 1:
        raise UsageError(
            f"nothing is left: ({size}−1)·{slide.stride}−{slide.before}−{slide.after}+{slide.span}"
            f" = {found}",
            expected="less padding",
        )
    return found


def lost_pixels(size: int, slide: Slide, output: int) -> int:
    """Pixels at the end of the axis that no window of `output` ever covers; padding does not count.

    >>> lost_pixels(11, Slide(2, 2), 5), lost_pixels(224, Slide(7, 2, 3, 3), 112)
    (1, 0)
    """
    reached = (output - 1) * slide.stride + slide.span - slide.before
    return max(0, size - reached)


def check_size(size: int, slide: Slide, *, axis: str = "") -> None:
    """A `UsageError` for a window that is larger than the padded picture, or is none."""
    check_slide(slide)
    padded = size + slide.before + slide.after
    if slide.span > padded:
        of = f" {axis}" if axis else ""
        dilated = f" (spread over {slide.span} by dilation {slide.dilation})"
        pads = f" with its padding ({size}+{slide.before}+{slide.after})"
        raise UsageError(
            f"kernel {slide.kernel}{dilated if slide.dilation > 1 else ''} is larger than the"
            f"{of or ' picture'} of {padded}{pads if padded > size else ''}",
            expected=f"a kernel of at most {(padded - 1) // slide.dilation + 1}, or more padding",
        )


def formula(size: int, slide: Slide) -> str:
    """The division in figures, as it is written by hand.

    >>> formula(7, Slide(3, 3)), formula(32, Slide(5, 1, 2, 2))
    ('(7−3)/3+1', '(32−5+2·2)/1+1')
    """
    pads = ""
    if slide.before == slide.after:
        pads = f"+2·{slide.before}" if slide.before else ""
    else:
        pads = f"+{slide.before}+{slide.after}"
    return f"({size}−{slide.span}{pads})/{slide.stride}+1"


def plain(value: Fraction) -> str:
    """A fraction with two decimals where it is not whole.

    >>> plain(Fraction(7, 3)), plain(Fraction(5)), plain(Fraction(11, 2))
    ('2.33', '5', '5.5')
    """
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0")


@dataclass(frozen=True, slots=True)
class Fits:
    """The nearest values that fit, each alone with the others kept: value → output size."""

    strides: dict[int, int]
    paddings: dict[int, int]
    sizes: dict[int, int]
    kernels: dict[int, int]

    def __str__(self) -> str:
        parts = [
            f"{name} {_listed(found)}"
            for name, found in (
                ("stride", self.strides),
                ("padding", self.paddings),
                ("picture side", self.sizes),
                ("kernel", self.kernels),
            )
            if found
        ]
        return "the nearest that fit are " + "; ".join(parts)


def nearest_fits(size: int, slide: Slide) -> Fits:
    """What fits and lies nearest below and above, for each of stride, padding, size and kernel.

    >>> print(nearest_fits(7, Slide(3, 3)))
    the nearest that fit are stride 2 (→ 3) or 4 (→ 2); padding 1 (→ 3); picture side 6 (→ 2) or 9 (→ 3); kernel 1 (→ 3) or 4 (→ 2)
    """  # noqa: E501
    steps = size - slide.span + slide.before + slide.after

    def padded(pad: int) -> Slide:
        return Slide(slide.kernel, slide.stride, pad, pad, slide.dilation)

    def of_kernel(kernel: int) -> Slide:
        return Slide(kernel, slide.stride, slide.before, slide.after, slide.dilation)

    def of_stride(stride: int) -> Slide:
        return Slide(slide.kernel, stride, slide.before, slide.after, slide.dilation)

    strides = {s: (size, of_stride(s)) for s in range(1, steps + 1)}
    paddings = {p: (size, padded(p)) for p in range(slide.span)}
    sizes = {n: (n, slide) for n in range(max(1, size - slide.stride), size + slide.stride + 1)}
    kernels = {k: (size, of_kernel(k)) for k in range(1, slide.kernel + steps + 1)}
    return Fits(
        _nearest(strides, slide.stride),
        _nearest(paddings, slide.before),
        _nearest(sizes, size),
        _nearest(kernels, slide.kernel),
    )


def _nearest(candidates: dict[int, tuple[int, Slide]], given: int) -> dict[int, int]:
    """Of the candidates that fit, the next below and above `given`, with their output sizes."""
    outputs = {value: exact_size(size, slide) for value, (size, slide) in candidates.items()}
    whole = {v: int(out) for v, out in outputs.items() if out.denominator == 1 and out >= 1}
    below = [value for value in whole if value < given][-1:]
    above = [value for value in whole if value > given][:1]
    return {value: whole[value] for value in below + above}


def _listed(found: dict[int, int]) -> str:
    return " or ".join(f"{value} (→ {output})" for value, output in found.items())
