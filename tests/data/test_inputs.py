import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import inputs
from striate.data.dataset import Record
from striate.errors import PictureError

SIZES = st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), max_size=20)


@pytest.mark.parametrize("side_hw", [(8, 8), (25, 25), (28, 28), (32, 32), (64, 64), (12, 9), (1, 1)])
@pytest.mark.parametrize("model", ["auto", "small-cnn", "pixels-linear", "pixels-mlp", "deck-cnn"])
def test_small_pictures_keep_their_exact_size(model: str, side_hw: tuple[int, int]) -> None:
    assert inputs.choose_size(model, [side_hw] * 5) == side_hw


@pytest.mark.parametrize(
    ("model", "sizes", "expected"),
    [
        ("small-cnn", [(480, 640), (640, 480), (3000, 4000)], (128, 128)),
        ("auto", [(320, 320)], (128, 128)),
        ("small-cnn", [(96, 96)] * 3, (96, 96)),  # never enlarged
        ("small-cnn", [(60, 200)] * 3, (64, 64)),
        ("pixels-mlp", [(480, 640)], (64, 64)),
        ("deck-cnn", [(480, 640)], (64, 64)),
        ("deck_cnn", [(480, 640)], (64, 64)),  # networks may be spelt with underscores
        ("googlenet", [(480, 640)], (224, 224)),
        ("alexnet", [(32, 32)], (224, 224)),
        ("resnet18", [(28, 28)], (224, 224)),
        ("small-cnn", [], (128, 128)),
        ("small-cnn", [(28, 28)] * 9 + [(900, 900)], (28, 28)),  # one stray picture
    ],
)
def test_the_rule(model: str, sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    assert inputs.choose_size(model, sizes) == expected


@settings(max_examples=50)
@given(st.sampled_from(["small-cnn", "deck-cnn", "vgg19"]), SIZES)
def test_any_pictures_give_a_usable_size_and_fit(model: str, sizes: list[tuple[int, int]]) -> None:
    height, width = inputs.choose_size(model, sizes)
    assert 1 <= height <= 224
    assert 1 <= width <= 224
    assert inputs.choose_fit(sizes, (height, width)) in ("crop", "pad")


def test_pictures_that_cropping_would_halve_are_padded() -> None:
    assert inputs.choose_fit([(100, 190)] * 3, (64, 64)) == "crop"
    assert inputs.choose_fit([(100, 210)] * 3, (64, 64)) == "pad"
    assert inputs.choose_fit([(210, 100)] * 3, (64, 64)) == "pad"
    assert inputs.choose_fit([(100, 210)] * 3, (50, 105)) == "crop"
    assert inputs.choose_fit([], (64, 64)) == "crop"


@pytest.mark.parametrize("value", [48, "48", (48, 48), [48, 48], "48x48", "48 × 48"])
def test_a_size_can_be_said_in_many_ways(value: object) -> None:
    text = inputs.text_from_size(value)
    assert isinstance(text, str)
    assert inputs.size_from_text(text) == (48, 48)


def test_height_comes_first() -> None:
    assert inputs.size_from_text("48x64") == (48, 64)


@pytest.mark.parametrize("value", [0, -3, 5000, "a", "", "1x2x3", "64x", 64.5, True, (1, "b"), []])
def test_a_wrong_size_is_refused_with_words(value: object) -> None:
    with pytest.raises(ValueError, match="HEIGHTxWIDTH"):
        inputs.text_from_size(value)


def test_columns() -> None:
    assert inputs.columns_from_text("a, b,,c ") == ("a", "b", "c")
    assert inputs.columns_from_text(["a,b", "c"]) == ("a", "b", "c")
    assert inputs.columns_from_text(None) == inputs.columns_from_text("") == ()
    assert inputs.columns_from_text(3) == 3  # left for validation to refuse


def test_a_glance_sees_sizes_and_colour(make_dataset) -> None:  # type: ignore[no-untyped-def]
    coloured = inputs.glance(make_dataset([0] * 250, ["x"], size_hw=(7, 5)).records, most=100)
    assert coloured.sizes_hw == ((7, 5),) * 100
    assert not coloured.grey
    assert inputs.glance(make_dataset([0] * 3, ["x"], grey=True).records).grey
    assert inputs.glance([]) == inputs.Glance((), False)


def test_one_coloured_picture_among_grey_ones_is_noticed(make_dataset) -> None:  # type: ignore[no-untyped-def]
    grey = make_dataset([0] * 30, ["x"], grey=True).records
    colour = make_dataset([0] * 1, ["x"]).records
    assert not inputs.glance([*grey, *colour]).grey


def test_a_tint_of_jpeg_is_still_grey(make_dataset) -> None:  # type: ignore[no-untyped-def]
    record = make_dataset([0], ["x"], grey=True).records[0]
    record.origin.picture[:] = np.minimum(record.origin.picture, 250)
    record.origin.picture[..., 1] += 2
    assert inputs.glance([record]).grey
    record.origin.picture[..., 1] += 3
    assert not inputs.glance([record]).grey


class Unreadable:
    def read(self, at_least_hw: object = None) -> np.ndarray:
        raise PictureError("a.jpg", "it is cut off", remedy="leave it out")

    def content_hash(self) -> str:
        return ""


def test_unreadable_pictures_are_passed_over(make_dataset) -> None:  # type: ignore[no-untyped-def]
    good = make_dataset([0] * 2, ["x"], size_hw=(5, 4)).records
    bad = Record("bad", Unreadable(), 0)
    assert inputs.glance([bad, *good]).sizes_hw == ((5, 4), (5, 4))
    assert inputs.glance([bad]) == inputs.Glance((), False)


class DraftOrigin:
    """A large picture whose decoder halves the size as often as it is allowed to, as for JPEG."""

    def __init__(self, *size_hw: int) -> None:
        self.size_hw = size_hw

    def read(self, at_least_hw: tuple[int, int] | None = None) -> np.ndarray:
        height, width = self.size_hw
        while at_least_hw and height // 2 >= at_least_hw[0] and width // 2 >= at_least_hw[1]:
            height, width = height // 2, width // 2
        return np.zeros((height, width, 3), np.uint8)

    def content_hash(self) -> str:
        return ""


def test_reduced_decoding_does_not_make_photos_look_small() -> None:
    records = [Record(str(k), DraftOrigin(480, 640 + k), 0) for k in range(5)]
    seen = inputs.glance(records)
    assert inputs.choose_size("small-cnn", seen.sizes_hw) == (128, 128)
    assert all(width / height == pytest.approx(640 / 480, abs=0.02) for height, width in seen.sizes_hw)
