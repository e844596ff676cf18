"""Output sizes against the decks' figures, against counting, and against torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from striate.arithmetic.sizes import (
    Slide,
    ceiled,
    exact_size,
    fitted,
    floored,
    formula,
    lost_pixels,
    nearest_fits,
    plain,
    transposed,
)
from striate.errors import UsageError

slides = st.builds(
    lambda kernel, stride, pad, dilation: Slide(kernel, stride, pad, pad, dilation),
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(0, 4),
    st.integers(1, 3),
)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "output"), [(7, 3, 1, 5), (7, 3, 2, 3), (32, 5, 1, 28), (28, 5, 1, 24)]
)
def test_the_decks_figures(size: int, kernel: int, stride: int, output: int) -> None:
    assert fitted(size, Slide(kernel, stride)) == output


def test_the_decks_refusal() -> None:
    with pytest.raises(UsageError) as caught:
        fitted(7, Slide(3, 3))
    assert caught.value.what == "does not fit: (7−3)/3+1 = 2.33"
    assert "stride 2 (→ 3) or 4 (→ 2)" in caught.value.expected
    assert "padding 1 (→ 3)" in caught.value.expected
    assert "picture side 6 (→ 2) or 9 (→ 3)" in caught.value.expected
    assert floored(7, Slide(3, 3)) == 2


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), slides)
def test_floored_counts_the_places_of_the_window(size: int, slide: Slide) -> None:
    padded = size + 2 * slide.before
    assume(slide.span <= padded)
    starts = range(0, padded - slide.span + 1, slide.stride)
    assert floored(size, slide) == len(starts)
    whole = starts[-1] + slide.span == padded or (padded - slide.span) % slide.stride == 0
    assert (exact_size(size, slide).denominator == 1) == whole


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), slides)
def test_what_is_said_to_fit_fits(size: int, slide: Slide) -> None:
    assume(slide.span <= size + 2 * slide.before)
    assume(exact_size(size, slide).denominator > 1)
    found = nearest_fits(size, slide)
    for stride, output in found.strides.items():
        assert (
            fitted(size, Slide(slide.kernel, stride, slide.before, slide.after, slide.dilation))
            == output
        )
    for pad, output in found.paddings.items():
        assert fitted(size, Slide(slide.kernel, slide.stride, pad, pad, slide.dilation)) == output
    for other, output in found.sizes.items():
        assert fitted(other, slide) == output
    for kernel, output in found.kernels.items():
        changed = Slide(kernel, slide.stride, slide.before, slide.after, slide.dilation)
        assert fitted(size, changed) == output
    assert str(found).startswith("the nearest that fit are stride ")


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 30), slides)
def test_convolution_and_pools_as_torch_has_them(size: int, slide: Slide) -> None:
    assume(slide.span <= size + 2 * slide.before)
    x = torch.empty(1, 1, size, 40, device="meta")
    weight = torch.empty(1, 1, slide.kernel, 1, device="meta")
    out = F.conv2d(
        x, weight, stride=(slide.stride, 1), padding=(slide.before, 0), dilation=(slide.dilation, 1)
    )
    assert floored(size, slide) == out.shape[2]
    if 2 * slide.before <= slide.kernel:
        for ceil, count in ((False, floored), (True, ceiled)):
            out = F.max_pool2d(
                x,
                (slide.kernel, 1),
                (slide.stride, 1),
                (slide.before, 0),
                (slide.dilation, 1),
                ceil_mode=ceil,
            )
            assert count(size, slide) == out.shape[2]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 20), slides, st.integers(0, 4))
def test_transposed_as_torch_has_it(size: int, slide: Slide, extra: int) -> None:
    assume(extra < max(slide.stride, slide.dilation))
    assume((size - 1) * slide.stride - 2 * slide.before + slide.span + extra >= 1)
    out = F.conv_transpose2d(
        torch.empty(1, 1, size, 3, device="meta"),
        torch.empty(1, 1, slide.kernel, 1, device="meta"),
        stride=(slide.stride, 1),
        padding=(slide.before, 0),
        output_padding=(extra, 0),
        dilation=(slide.dilation, 1),
    )
    assert transposed(size, slide, extra) == out.shape[2]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), slides)
def test_lost_pixels_are_those_without_a_gradient(size: int, slide: Slide) -> None:
    assume(slide.span <= size + 2 * slide.before)
    output = floored(size, slide)
    seen = {
        start * slide.stride - slide.before + tap * slide.dilation
        for start in range(output)
        for tap in range(slide.kernel)
    }
    last = max(seen)
    assert lost_pixels(size, slide, output) == max(0, size - 1 - last)


@pytest.mark.parametrize(
    ("slide", "words"),
    [
        (Slide(9), "kernel 9 is larger than the picture of 7"),
        (Slide(9, 1, 0, 1), r"larger than the picture of 8 with its padding \(7\+0\+1\)"),
        (Slide(4, dilation=3), r"kernel 4 \(spread over 10 by dilation 3\)"),
        (Slide(0), "kernel is 0"),
        (Slide(3, 0), "stride is 0"),
        (Slide(3, -2), "stride is -2"),
        (Slide(3, 1, -1, 1), "padding is -1"),
        (Slide(3, dilation=0), "dilation is 0"),
    ],
)
def test_windows_that_cannot_be(slide: Slide, words: str) -> None:
    for count in (fitted, floored):
        with pytest.raises(UsageError, match=words):
            count(7, slide)


def test_transposed_refuses_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="nothing is left"):
        transposed(1, Slide(2, 1, 2, 2))
    with pytest.raises(UsageError, match="output padding is 2"):
        transposed(3, Slide(2, 2), 2)


def test_in_figures() -> None:
    assert formula(224, Slide(7, 2, 3, 3)) == "(224−7+2·3)/2+1"
    assert formula(224, Slide(3, 2, 0, 1)) == "(224−3+0+1)/2+1"
    assert formula(7, Slide(3, 1, 0, 0, 2)) == "(7−5)/1+1"
    assert [plain(exact_size(7, Slide(3, s))) for s in (1, 3, 5)] == ["5", "2.33", "1.8"]
