from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from striate.errors import UnknownNameError, UsageError
from striate.features.kernels import KERNELS, Kernel, convolve, kernel_of
from striate.types import Picture


@pytest.fixture(scope="module")
def noise() -> Picture:
    return np.random.default_rng(3).integers(0, 256, (11, 17, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(
    ("padding", "mode"),
    [("reflect", "mirror"), ("edge", "nearest"), ("zeros", "constant"), ("wrap", "grid-wrap")],
)
def test_every_kernel_agrees_with_scipy(noise: Picture, name: str, padding: str, mode: str) -> None:
    found = convolve(noise, name, padding=padding)  # type: ignore[arg-type]
    for channel in range(3):
        wanted = ndimage.convolve(noise[..., channel].astype(float), KERNELS[name].values, mode=mode)
        np.testing.assert_allclose(found.values[..., channel], wanted, atol=1e-9)
    assert found.picture().shape == noise.shape


def test_the_table_of_the_decks_by_hand() -> None:
    picture = np.zeros((3, 3, 3), np.uint8)
    picture[..., 0] = [[1, 2, 3], [4, 50, 6], [7, 8, 90]]

    def middle(name: str) -> float:
        return float(convolve(picture, name, padding="valid").values[0, 0, 0])

    assert middle("identity") == 50
    assert middle("edge-diagonal") == 1 - 3 - 7 + 90
    assert middle("laplacian") == 2 + 4 + 6 + 8 - 4 * 50
    assert middle("edge-outline") == 8 * 50 - (1 + 2 + 3 + 4 + 6 + 7 + 8 + 90)
    assert middle("sharpen") == 5 * 50 - (2 + 4 + 6 + 8)
    assert middle("gaussian-blur") == (1 + 3 + 7 + 90 + 2 * (2 + 4 + 6 + 8) + 4 * 50) / 16
    assert middle("box-blur") == (1 + 2 + 3 + 4 + 50 + 6 + 7 + 8 + 90) / 9


def test_the_identity_changes_nothing_and_the_laplacian_is_none(noise: Picture) -> None:
    assert (convolve(noise, "identity").picture() == noise).all()
    even = np.full((5, 7, 3), 91, np.uint8)
    assert not convolve(even, "laplacian").values.any()
    slope = np.repeat(np.arange(0, 90, 10, dtype=np.uint8)[None, :, None], 5, 0).repeat(3, 2)
    assert not convolve(slope, "laplacian", padding="valid").values.any()
    # "identity less Laplacian" is what sharpen is
    less = noise - convolve(noise, "laplacian").values
    assert (convolve(noise, "sharpen").values == less).all()


def test_blurs_keep_light_and_edges_ignore_it() -> None:
    for name in ("gaussian-blur", "box-blur", "gaussian-blur-5", "unsharp-5", "identity", "sharpen"):
        assert KERNELS[name].values.sum() == pytest.approx(1, abs=1e-12), name
    for name in ("edge-diagonal", "laplacian", "edge-outline", "sobel-x", "prewitt-y", "scharr-x"):
        assert KERNELS[name].values.sum() == 0, name


def test_a_correlation_is_a_convolution_with_the_turned_kernel(noise: Picture) -> None:
    sobel = KERNELS["sobel-x"]
    turned = Kernel("turned", sobel.weights[::-1, ::-1])
    first = convolve(noise, sobel, operation="correlation").values
    assert (first == convolve(noise, turned).values).all()
    assert (first == -convolve(noise, sobel).values).all()
    lighter_right = np.repeat(np.arange(9, dtype=np.uint8)[None, :, None], 5, 0).repeat(3, 2)
    assert (convolve(lighter_right, "sobel-x", padding="valid").values == 8).all()
    assert (convolve(lighter_right.swapaxes(0, 1), "sobel-y", padding="valid").values == 8).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda wide: st.lists(
            st.lists(st.integers(-9, 9), min_size=wide, max_size=wide), min_size=1, max_size=4
        )
    ),
    st.integers(1, 16),
)
def test_kernels_survive_their_text(rows: list[list[int]], divisor: int) -> None:
    kernel = Kernel("own", np.array(rows, np.float64), float(divisor))
    again = kernel_of(str(kernel))
    assert (again.weights == kernel.weights).all()
    assert again.divisor == kernel.divisor


def test_a_kernel_as_text() -> None:
    assert kernel_of("laplacian") is KERNELS["laplacian"]
    kernel = kernel_of(" 1, 2 1;2 4 2 ; 1 2 1; /16")
    assert (kernel.values == KERNELS["gaussian-blur"].values).all()
    assert str(kernel) == "1 2 1; 2 4 2; 1 2 1 / 16"


@pytest.mark.parametrize("text", ["1 2; 3", "1 a", "1 2 / 0", "", "1 inf", "nan", "1;;2", "1 / 2 / 3"])
def test_text_that_is_no_kernel(text: str) -> None:
    with pytest.raises(UsageError, match="kernel") as caught:
        kernel_of(text)
    assert "0 -1 0" in str(caught.value)


def test_wrong_names_list_the_right_ones(noise: Picture) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean|or give rows"):
        convolve(noise, "laplacien")
    with pytest.raises(UnknownNameError, match="reflect"):
        convolve(noise, "sharpen", padding="mirror")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="correlation"):
        convolve(noise, "sharpen", operation="filter")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="absolute"):
        convolve(noise, "sharpen").picture("abs")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (9, 2)])
def test_a_kernel_larger_than_the_picture(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=f"3 × 3.*{size[0]} × {size[1]}.*no larger"):
        convolve(np.zeros((*size, 3), np.uint8), "sharpen")


def test_an_even_kernel_has_no_middle(noise: Picture) -> None:
    even = np.ones((2, 3))
    with pytest.raises(UsageError, match="no middle"):
        convolve(noise, even)
    found = convolve(noise, even, padding="valid")
    assert found.values.shape == (10, 15, 3)
    assert found.values[4, 5, 1] == noise[4:6, 5:8, 1].sum()


def test_a_pixel_under_a_kernel_of_one() -> None:
    pixel = np.full((1, 1, 3), 40, np.uint8)
    assert (convolve(pixel, "3").values == 120).all()
    assert (convolve(pixel, "9").picture() == 255).all()


def test_rounding_and_negatives(noise: Picture) -> None:
    found = convolve(np.full((1, 2, 3), 5, np.uint8), "1 / 2")
    assert (found.values == 2.5).all()
    assert (found.picture() == 2).all()  # halves go to the even number
    negative = convolve(noise, "-1")
    assert not negative.picture().any()
    assert (negative.picture("absolute") == noise).all()
    assert (negative.picture("grey") == np.clip(128 - noise.astype(int), 0, 255)).all()
    facts = negative.to_dict()
    assert facts["below_0"] == pytest.approx(float((noise > 0).mean()), abs=1e-6)
    assert (facts["least"], facts["most"]) == (-float(noise.max()), -float(noise.min()))


def test_a_broken_kernel_is_our_callers_bug() -> None:
    with pytest.raises(ValueError, match="finite"):
        Kernel("x", np.array([[np.nan]]))
    with pytest.raises(ValueError, match="divisor"):
        Kernel("x", np.ones((1, 1)), 0.0)
