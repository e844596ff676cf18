"""Attribution without torch: places, occlusion beside captum, RISE, deletion and insertion, likeness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from striate.errors import UnknownNameError
from striate.explain.attribution import METHODS, Asked, content_box, in_picture, method_named
from striate.explain.attribution_drawing import (
    Panel,
    heat_colours,
    overlaid,
    picture_panel,
    sheet_of,
    shown_size,
)
from striate.explain.faithfulness import Faith, faith_of, likeness, verdict_of
from striate.explain.occlusion import GREY, occlude, square_for
from striate.explain.rise import masks, randomly_masked
from striate.explain.whereabouts import NamedArea, area_words, heat_within, region_words
from striate.pictures.resize import fit
from striate.task import Aim
from striate.types import Array, Prepared

SIZE_HW = (16, 24)
AIM = Aim("bright", 0, 1.0, "100%")


class Spot:
    """A model that sees one window: how bright it is there, 0 to 1."""

    def __init__(self, rows: slice, columns: slice) -> None:
        self.window = (slice(None), rows, columns)
        self.most = 0

    def feeds(self, pixels: Array) -> Mapping[str, Array]:
        return {"pictures": pixels}

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.most = max(self.most, len(feeds["pictures"]))
        return {"value": feeds["pictures"][self.window].mean(axis=(1, 2, 3)) / 255}

    def pull(self, outputs: Mapping[str, Array], aims: Any) -> Array:
        return np.asarray(outputs["value"], np.float64)


def asked_of(spot: Any, pixels: Array | None = None, prepared: Prepared | None = None) -> Asked:
    shown = np.full((*SIZE_HW, 3), 250, np.uint8) if pixels is None else pixels
    return Asked.of(spot, spot, prepared or Prepared(shown, SIZE_HW), AIM)


@pytest.fixture
def spot() -> Spot:
    return Spot(slice(2, 7), slice(14, 22))


def inside(spot: Spot, heat: Array) -> float:
    found = np.clip(heat, 0, None)
    return float(found[spot.window[1:]].sum() / found.sum())


# -- where ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["crop", "pad", "squash"])
@pytest.mark.parametrize("size_hw", [(40, 21), (5, 90), (16, 24), (1, 1)])
def test_heat_comes_back_to_where_the_picture_was(how: Any, size_hw: tuple[int, int]) -> None:
    """Coordinates of the input themselves, as heat, must come back as `Prepared` says."""
    prepared = fit(np.zeros((*size_hw, 3), np.uint8), SIZE_HW, how=how)
    rows = np.repeat(np.arange(SIZE_HW[0])[:, None] + 0.5, SIZE_HW[1], axis=1)
    found = in_picture(rows, prepared)
    assert found.shape == size_hw
    expected = (np.arange(size_hw[0]) + 0.5) * prepared.scale_yx[0] + prepared.offset_yx[0]
    expected = np.repeat(expected[:, None], size_hw[1], axis=1)
    known = np.isfinite(found)
    assert known.any()
    assert np.allclose(found[known], np.clip(expected[known], 0.5, SIZE_HW[0] - 0.5), atol=1e-4)
    if how != "crop":
        assert known.all()


def test_what_was_cut_off_has_no_heat() -> None:
    prepared = fit(np.zeros((16, 48, 3), np.uint8), SIZE_HW, how="crop")
    found = in_picture(np.ones(SIZE_HW), prepared)
    assert np.isnan(found[:, :12]).all()
    assert np.isfinite(found[:, 12:36]).all()


def test_only_what_shows_the_picture_counts_as_content() -> None:
    prepared = fit(np.zeros((40, 20, 3), np.uint8), SIZE_HW, how="pad")
    rows, columns = content_box(prepared)
    assert (rows, columns) == (slice(0, 16), slice(8, 16))
    whole = content_box(fit(np.zeros((40, 20, 3), np.uint8), SIZE_HW, how="crop"))
    assert whole == (slice(0, 16), slice(0, 24))


def test_regions_in_words() -> None:
    heat = np.zeros((30, 60))
    heat[25:, 25:35] = 1
    assert region_words(heat) == "lower centre (100 % of the heat)"
    assert region_words(np.ones((9, 9))) == "spread over the picture"
    assert region_words(np.zeros((9, 9))) == "nowhere"
    assert region_words(np.ones((1, 1))).endswith("(100 % of the heat)")
    heat[:] = np.nan
    heat[14, 30] = 1
    assert region_words(heat).startswith("the middle")


def test_the_part_that_is_hottest_for_its_size_is_named() -> None:
    heat = np.full((20, 20), 0.01)
    heat[4:6, 4:6] = 1
    areas = [NamedArea("body", (0, 0, 20, 20), "bus"), NamedArea("wheel", (4, 4, 6, 6), "bus")]
    share, times = heat_within(heat, areas[1])
    assert share == pytest.approx(4 / (4 + 396 * 0.01))
    assert times == pytest.approx(share * 100)
    assert area_words(heat, areas).startswith("wheel of the bus (50 % of the heat, 50.")
    assert area_words(np.ones((20, 20)), areas) == ""
    assert area_words(heat, []) == ""


# -- black boxes ------------------------------------------------------------------------------


def test_occlusion_is_captums(spot: Spot, rng: np.random.Generator) -> None:
    captum = pytest.importorskip("captum.attr")
    torch = pytest.importorskip("torch")
    pixels = rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)

    def forward(batch: Any) -> Any:
        given = np.round(batch.permute(0, 2, 3, 1).numpy()).astype(np.uint8)
        return torch.from_numpy(spot.pull(spot({"pictures": given}), []))

    theirs = captum.Occlusion(forward).attribute(
        torch.from_numpy(pixels).permute(2, 0, 1)[None].double(),
        sliding_window_shapes=(3, 5, 5), strides=(3, 3, 3), baselines=float(GREY),
    )  # fmt: skip
    ours = occlude(asked_of(spot, pixels), square=5, step=3)
    assert np.allclose(ours, theirs[0, 0].numpy(), atol=1e-6)


@pytest.mark.parametrize("method", [occlude, randomly_masked])
def test_asking_finds_what_the_model_looks_at(spot: Spot, method: Callable[[Asked], Array]) -> None:
    heat = method(asked_of(spot))
    assert heat.shape == SIZE_HW
    share = 5 * 8 / (SIZE_HW[0] * SIZE_HW[1])
    assert inside(spot, heat) > 3 * share


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 300), (7, 5), (224, 224)])
def test_every_place_is_covered(size_hw: tuple[int, int]) -> None:
    square, step = square_for(size_hw)
    assert 1 <= step <= square
    spot = Spot(slice(None), slice(None))
    if size_hw[0] < 200:
        pixels = np.full((*size_hw, 3), 250, np.uint8)
        assert (occlude(asked_of(spot, pixels, Prepared(pixels, size_hw))) > 0).all()


def test_masks_are_seeded_half_open_and_the_same_for_any_count() -> None:
    first = masks((20, 33), 200, seed=3)
    assert first.shape == (200, 20, 33)
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    assert first.mean() == pytest.approx(0.5, abs=0.03)
    assert np.array_equal(first[:5], masks((20, 33), 5, seed=3))
    assert not np.array_equal(first[:5], masks((20, 33), 5, seed=4))


def test_an_answer_that_never_changes_has_no_heat(spot: Spot) -> None:
    grey = np.full((*SIZE_HW, 3), GREY, np.uint8)
    assert np.abs(occlude(asked_of(spot, grey))).max() < 1e-9
    assert np.abs(randomly_masked(asked_of(spot, grey), count=50)).max() < 1e-9


def test_few_pictures_are_held_at_a_time() -> None:
    spot, side = Spot(slice(0, 8), slice(0, 8)), 512
    pixels = np.full((side, side, 3), 250, np.uint8)
    asked = asked_of(spot, pixels, Prepared(pixels, (side, side)))
    asked.each(20, lambda rows: np.repeat(pixels[None], len(range(20)[rows]), axis=0))
    assert spot.most <= 4


# -- faith ------------------------------------------------------------------------------------


def truth(spot: Spot) -> Array:
    heat = np.zeros(SIZE_HW)
    heat[spot.window[1:]] = 1
    return heat


def test_the_right_map_passes_and_its_opposite_fails(spot: Spot) -> None:
    pixels = np.zeros((*SIZE_HW, 3), np.uint8)
    pixels[spot.window[1:]] = 255
    asked = asked_of(spot, pixels)
    right, wrong = faith_of(asked, truth(spot)), faith_of(asked, 1 - truth(spot))
    assert right.deletion < right.random_deletion
    assert right.insertion > right.random_insertion
    assert (right.as_good, right.chance) == (0, 0.05)
    assert verdict_of(right, (), truth(spot)) == ("passes", ())
    assert right.deletion < wrong.deletion
    assert wrong.as_good == wrong.copies
    verdict, reasons = verdict_of(wrong, (), 1 - truth(spot))
    assert verdict == "unreliable"
    assert "19 of 19 copies" in reasons[0]


def test_deletion_by_hand() -> None:
    """Four places, one of which is seen: with the right map it is gone at the first step."""
    spot = Spot(slice(0, 1), slice(3, 4))
    pixels = np.full((1, 4, 3), 255, np.uint8)
    asked = asked_of(spot, pixels, Prepared(pixels, (1, 4)))
    found = faith_of(asked, np.array([[0.0, 0.1, 0.2, 0.9]]))
    grey = GREY / 255
    # left: 1 with nothing greyed, then what grey is, from an eighth of the places on
    assert found.deletion == pytest.approx((1 + grey) / 2 / 8 + grey * 7 / 8)
    assert found.insertion == pytest.approx(1)  # white, blurred, is white


def test_by_chance_one_map_in_twenty_passes(spot: Spot, rng: np.random.Generator) -> None:
    """Maps at random places of a picture are as good as their copies: the rule's promise."""
    pixels = rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    passed = []
    for seed in range(200):
        heat = np.roll(truth(spot), rng.integers(0, 24, 2), axis=(0, 1)) + rng.random(SIZE_HW) / 9
        passed.append(faith_of(asked_of(spot, pixels), heat, seed=seed).as_good == 0)
    assert 0.01 < np.mean(passed) < 0.1


def test_padding_is_never_changed(spot: Spot) -> None:
    seen: list[Array] = []

    class Looking(Spot):
        def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
            seen.append(feeds["pictures"])
            return super().__call__(feeds)

    prepared = fit(np.zeros((40, 20, 3), np.uint8), SIZE_HW, how="pad")
    faith_of(asked_of(Looking(slice(0, 4), slice(8, 12)), prepared=prepared), np.ones(SIZE_HW))
    assert all((one[:, :, :8] == prepared.pixels[:, :8]).all() for one in seen)


GOOD = Faith(0.1, 0.9, 0.5, 0.5, 0)
HEAT = np.ones((2, 2))


def test_maps_that_stay_are_refused() -> None:
    verdict, reasons = verdict_of(GOOD, (("the last layer", 0.9), ("all layers", 0.97)), HEAT)
    assert verdict == "unreliable"
    assert "random weights" in reasons[0]
    assert verdict_of(GOOD, (("the last layer", 0.99), ("all layers", 0.1)), HEAT)[0] == "passes"
    assert verdict_of(None, (), HEAT) == ("unchecked", ())
    assert verdict_of(GOOD, (), np.zeros((2, 2)))[0] == "unreliable"


@pytest.mark.parametrize(
    ("as_good", "verdict"), [(0, "passes"), (1, "doubtful"), (3, "doubtful"), (4, "unreliable")]
)
def test_the_more_copies_do_as_well_the_less_a_map_says(as_good: int, verdict: str) -> None:
    found, reasons = verdict_of(replace(GOOD, as_good=as_good), (), HEAT)
    assert found == verdict
    assert not reasons if verdict == "passes" else f"{as_good} of 19 copies" in reasons[0]


def test_an_answer_that_hardly_moves_proves_nothing() -> None:
    """An untrained network's map may be better than all of its copies: by next to nothing."""
    verdict, reasons = verdict_of(Faith(0.1080, 0.1090, 0.1085, 0.1086, 0), (), HEAT)
    assert verdict == "unreliable"
    assert "matters hardly more to the answer" in reasons[0]


def test_a_picture_of_one_colour_has_no_place_to_tell(spot: Spot) -> None:
    flat = asked_of(spot, np.full((*SIZE_HW, 3), (20, 30, 40), np.uint8))
    assert flat.even
    assert verdict_of(GOOD, (), HEAT, even=flat.even)[0] == "unreliable"
    assert "one colour" in verdict_of(None, (), HEAT, even=flat.even)[1][0]
    padded = asked_of(spot, prepared=fit(np.full((40, 20, 3), 9, np.uint8), SIZE_HW, how="pad"))
    assert padded.even  # padding is no part of the picture
    pixels = np.full((*SIZE_HW, 3), 9, np.uint8)
    pixels[3, 4] = 10
    assert not asked_of(spot, pixels).even


def test_of_an_object_only_what_is_about_its_box_is_compared(spot: Spot) -> None:
    aim = Aim("a", 0, 1.0, "", box_xyxy=(4.0, 2.0, 12.0, 6.0))
    asked = Asked.of(spot, spot, Prepared(np.zeros((*SIZE_HW, 3), np.uint8), SIZE_HW), aim)  # type: ignore[arg-type]
    assert asked.seen == (slice(1, 7), slice(2, 14))
    assert asked_of(spot).seen == (slice(None), slice(None))
    outside = Asked.of(spot, spot, asked.prepared, Aim("a", 0, 1.0, "", box_xyxy=(90, 90, 95, 95)))  # type: ignore[arg-type]
    assert np.zeros(SIZE_HW)[outside.seen].size >= 1


def test_likeness_is_spearmans(rng: np.random.Generator) -> None:
    one, other = rng.integers(0, 5, (2, 9, 14)).astype(float)
    assert likeness(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert likeness(one, one * 3 + 1) == pytest.approx(1)
    assert likeness(one, -one) == pytest.approx(-1)
    assert likeness(one, np.ones_like(one)) == 0


@given(height=st.integers(1, 70), width=st.integers(1, 70))
def test_likeness_of_any_size(height: int, width: int) -> None:
    field = np.random.default_rng(height * 71 + width).random((height, width))
    assert likeness(field, field) == pytest.approx(1.0 if height * width > 1 else 0.0)


# -- drawing ----------------------------------------------------------------------------------


def test_colours_grow_lighter() -> None:
    grey = heat_colours(np.linspace(0, 1, 50)).astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(grey) > -0.5).all()
    assert grey[0] < 5
    assert grey[-1] > 230


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 4000), (32, 32), (700, 33)])
def test_any_picture_can_be_drawn(size_hw: tuple[int, int]) -> None:
    picture = np.full((*size_hw, 3), 90, np.uint8)
    prepared = fit(picture, SIZE_HW, how="pad")
    shown = shown_size(size_hw)
    assert max(shown) <= 320
    assert min(shown) >= 1
    over = overlaid(picture, np.ones(SIZE_HW), prepared, shown)
    assert over.shape == (*shown, 3)
    panels = [
        picture_panel(picture, "why?", ["path"], (0, 0, 1, 1)),
        Panel(over, "gradcam", [("x", "bad")]),
    ]
    sheet = sheet_of(panels)
    assert sheet.shape[1] > 2 * 320
    assert sheet.dtype == np.uint8


def test_no_heat_leaves_the_picture_grey() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    found = overlaid(picture, np.zeros(SIZE_HW), Prepared(picture, SIZE_HW), SIZE_HW)
    assert (found[..., 0] == found[..., 2]).all()


def test_methods_by_name() -> None:
    assert method_named("rise").needs_gradients is False
    assert method_named("gradcam").needs_gradients is True
    with pytest.raises(UnknownNameError, match="gradcam"):
        method_named("grad-cam")
    assert all(one.sentence and one.source for one in METHODS.values())


def test_the_gradient_methods_are_those_of_the_table() -> None:
    found = pytest.importorskip("striate.gradients.attribution").GRADIENT_METHODS
    assert set(found) == {one.name for one in METHODS.values() if one.needs_gradients}
    assert all(found[name].layered == (METHODS[name].kind == "layer") for name in found)
