from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from striate.errors import DataError, UsageError
from striate.features.parts import (
    PartsModel,
    PartsSettings,
    detect_parts,
    explain_parts,
    name_parts,
    train_parts,
)
from striate.features.parts.boxes import ious
from striate.features.parts.layout import (
    bare,
    from_weights,
    lowest_weights,
    root_size,
    weights_of,
    with_parts,
)
from striate.features.parts.measure import average_precision
from striate.features.parts.samples import Example, seen_best, warped
from striate.features.parts.search import fit, levels, vectors
from striate.features.parts.solve import fit_weights
from striate.types import Array, Picture

SMALL = PartsSettings(parts=3, cells=30, rounds=1, negatives=200, enlarge=1.0)


def wagon(picture: Picture, left: int, top: int, size: float, rng: np.random.Generator) -> Array:
    """Two discs beneath a plate, the discs not always at the same place: an object with moving parts."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    wide, tall = 44 * size, 26 * size
    ink = rng.integers(150, 250)
    plate = (x >= left) & (x < left + wide) & (y >= top) & (y < top + 0.5 * tall)
    picture[plate] = ink
    for middle in (0.22, 0.78):
        shift = rng.uniform(-0.07, 0.07)
        far = np.hypot(x - left - (middle + shift) * wide, y - top - 0.7 * tall)
        picture[far < 0.28 * tall] = ink // 3
        picture[far < 0.12 * tall] = 230
    return np.array([left, top, left + wide, top + tall])


def street(seed: int, count: int = 1) -> tuple[Picture, Array]:
    """A noisy picture, 96 high and 128 wide, with boxes and discs about and `count` wagons."""
    rng = np.random.default_rng(seed)
    picture = np.full((96, 128, 3), rng.integers(60, 130), np.uint8)
    y, x = np.mgrid[:96, :128]
    for _ in range(9):
        row, column, side = rng.integers(0, 96), rng.integers(0, 128), rng.integers(3, 14)
        shape = (
            np.hypot(x - column, y - row)
            if rng.random() < 0.5
            else np.maximum(abs(x - column), abs(y - row))
        )
        picture[shape < side] = rng.integers(20, 250)
    tops = rng.permutation([4, 52])
    boxes = [
        wagon(picture, int(rng.integers(2, 60)), int(tops[index]), rng.uniform(1.0, 1.35), rng)
        for index in range(count)
    ]
    grain = rng.normal(0, 6, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8), np.array(boxes).reshape(-1, 4)


@pytest.fixture(scope="module")
def streets() -> tuple[list[Picture], list[Array]]:
    made = [street(seed, (1, 2, 0)[seed % 3]) for seed in range(14)]
    return [picture for picture, _ in made], [boxes for _, boxes in made]


@pytest.fixture(scope="module")
def model(streets: tuple[list[Picture], list[Array]]) -> PartsModel:
    return train_parts(*streets, "wagon", settings=SMALL)


def test_it_finds_what_it_has_not_seen(model: PartsModel) -> None:
    made = [street(seed, 1 + seed % 2) for seed in range(100, 108)]
    found = [detect_parts(model, picture, least=-1.0) for picture, _ in made]
    score = average_precision(
        [(one.boxes_xyxy, one.scores) for one in found], [boxes for _, boxes in made]
    )
    assert score > 0.85
    # a shuffled picture holds no wagon
    rng = np.random.default_rng(0)
    mixed = rng.permutation(made[0][0].reshape(-1, 3)).reshape(96, 128, 3)
    assert len(detect_parts(model, mixed)) == 0


def test_the_same_seed_gives_the_same_model(
    model: PartsModel, streets: tuple[list[Picture], list[Array]]
) -> None:
    again = train_parts(*streets, "wagon", settings=SMALL, threads=3)
    assert again.to_bytes() == model.to_bytes()


def test_saved_and_loaded_it_finds_the_same(model: PartsModel, tmp_path: object) -> None:
    again = PartsModel.from_bytes(model.to_bytes())
    assert (again.label, again.part_names, again.first_scale) == (
        model.label,
        model.part_names,
        model.first_scale,
    )
    picture, _ = street(100)
    before, after = detect_parts(model, picture), detect_parts(again, picture)
    np.testing.assert_array_equal(before.scores, after.scores)
    np.testing.assert_array_equal(before.part_boxes_xyxy, after.part_boxes_xyxy)


def test_what_is_not_a_model() -> None:
    for data in (b"", b"PK\x03\x04 torn", b"\x93NUMPY"):
        with pytest.raises(DataError, match="is not a part model"):
            PartsModel.from_bytes(data, source="x.npz")
    with pytest.raises(DataError, match="cannot read"):
        PartsModel.load("/nowhere/x.npz")


def test_a_newer_format_is_refused(model: PartsModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.features.parts import model as module

    monkeypatch.setattr(module, "FORMAT", 7)
    data = model.to_bytes()
    monkeypatch.setattr(module, "FORMAT", 1)
    with pytest.raises(DataError, match="newer striate"):
        PartsModel.from_bytes(data)


def test_a_score_is_the_weights_times_what_was_seen(model: PartsModel) -> None:
    """The map of scores, computed filter by filter, against one product per window."""
    picture, _ = street(100)
    component = model.components[0]
    level = next(iter(levels(picture, [1.0], parts=True)))
    fits = fit(level, component)
    row, column = (one.ravel()[::7] for one in np.indices(fits.total.shape))
    seen = vectors(fits, row, column)
    np.testing.assert_allclose(seen @ weights_of(component), fits.total[row, column], atol=1e-4)


def test_an_explanation_adds_up(model: PartsModel) -> None:
    picture, boxes = street(100)
    found = detect_parts(model, picture)
    assert ious(found.boxes_xyxy[:1], boxes).max() > 0.5
    told = explain_parts(model, found)
    total = told.base + told.whole + sum(part.contribution for part in told.parts)
    assert total == pytest.approx(told.score, abs=1e-4)
    assert told.score == found.scores[0]
    assert told.strongest is not None
    assert told.strongest.contribution == max(part.contribution for part in told.parts)
    assert told.strongest.name in told.sentence
    assert told.sentence.startswith(f"wagon {told.score:.2f}: mostly ")
    for part in told.parts:  # a part is at its anchor or a few cells beside it
        x0, y0, x1, y1 = part.box_xyxy
        assert x0 < x1
        assert y0 < y1
    assert len(told.to_dict()["parts"]) == 3  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        explain_parts(model, found, 99)


def test_a_hidden_part_says_less(model: PartsModel) -> None:
    """Noise over its place takes from the part that spoke most, and from the score."""
    picture, _ = street(100)
    found = detect_parts(model, picture)
    before = explain_parts(model, found)
    assert before.strongest is not None
    x0, y0, x1, y1 = np.rint(before.strongest.box_xyxy).astype(int)
    hidden = picture.copy()
    place = np.s_[max(y0, 0) : y1, max(x0, 0) : x1]
    hidden[place] = np.random.default_rng(0).integers(0, 256, hidden[place].shape)
    after = detect_parts(model, hidden, least=-3.0)
    same = int(ious(found.boxes_xyxy[:1], after.boxes_xyxy)[0].argmax())
    told = explain_parts(model, after, same)
    which = before.parts.index(before.strongest)
    assert told.parts[which].contribution < before.strongest.contribution - 0.05
    assert told.score < before.score - 0.1


def test_parts_are_named_after_what_they_lie_on(
    model: PartsModel, streets: tuple[list[Picture], list[Array]]
) -> None:
    pictures, boxes = streets[0][:6], streets[1][:6]
    marks = [
        [("plate", np.array([b[0], b[1], b[2], (b[1] + b[3]) / 2])) for b in one]
        + [
            (
                "wheel",
                np.array(
                    [b[0] + at * (b[2] - b[0]), b[1] + 12, b[0] + (at + 0.3) * (b[2] - b[0]), b[3]]
                ),
            )
            for b in one
            for at in (0.06, 0.62)
        ]
        for one in boxes
    ]
    named = name_parts(model, pictures, marks, boxes)
    words = {name.split(" (")[0] for name in named.part_names[0]}
    assert words <= {"wheel", "plate", "part 1", "part 2", "part 3"}
    assert words & {"wheel", "plate"}
    unmarked = name_parts(model, pictures, [[] for _ in boxes], boxes)
    assert unmarked.part_names == model.part_names


def test_names_of_ones_own(model: PartsModel) -> None:
    assert model.renamed(["a", "b", "c"]).part_names == (("a", "b", "c"),)
    with pytest.raises(UsageError, match="2 names"):
        model.renamed(["a", "b"])
    assert model.part_names[0][0].startswith("part 1 (")


def test_two_views(streets: tuple[list[Picture], list[Array]]) -> None:
    settings = SMALL.model_copy(update={"components": 2, "rounds": 1, "parts": 1})
    found = train_parts(streets[0][:10], streets[1][:10], "wagon", settings=settings)
    assert len(found.components) == 2
    detections = detect_parts(found, streets[0][1])
    assert set(detections.components.tolist()) <= {0, 1}
    assert len(detections)


def test_the_root_alone(streets: tuple[list[Picture], list[Array]]) -> None:
    alone = train_parts(*streets, "wagon", settings=SMALL.model_copy(update={"parts": 0}))
    found = detect_parts(alone, streets[0][1], least=-1.0)
    assert found.part_boxes_xyxy.shape == (len(found), 0, 4)
    told = explain_parts(alone, found)
    assert told.strongest is None
    assert told.base + told.whole == pytest.approx(told.score, abs=1e-4)
    assert "the whole" in told.sentence


def test_pictures_in_which_nothing_fits(model: PartsModel) -> None:
    for size in ((1, 1), (9, 200), (96, 128)):
        found = detect_parts(model, np.full((*size, 3), 80, np.uint8))
        assert len(found) == 0
        assert found.part_boxes_xyxy.shape == (0, 3, 4)


def test_what_cannot_be_learnt(streets: tuple[list[Picture], list[Array]]) -> None:
    pictures, boxes = streets
    with pytest.raises(DataError, match="2 objects are marked"):
        train_parts(pictures[1:2], boxes[1:2])
    with pytest.raises(UsageError, match="one each"):
        train_parts(pictures, boxes[:-1])
    with pytest.raises(UsageError, match="without area"):
        train_parts(pictures[:1], [np.array([[5, 5, 5, 9]])])
    with pytest.raises(UsageError, match="without area"):
        train_parts(pictures[:1], [np.array([[500, 5, 600, 90]])])
    few = PartsSettings(parts=0, enlarge=0.1, cells=30)
    with pytest.raises(DataError, match=r"large enough|background"):
        train_parts(pictures, boxes, settings=few)


# -- the pieces -------------------------------------------------------------------------------


def test_weights_against_scikit_learn(rng: np.random.Generator) -> None:
    samples = rng.standard_normal((200, 12)).astype(np.float32)
    signs = np.sign(samples[:, 0] + 0.5 * rng.standard_normal(200) + 0.3)
    found = fit_weights(np.column_stack([samples, np.ones(200)]), signs, penalty=0.05)
    # a very large column for the bias, so that its weight is as good as free
    reference = LinearSVC(loss="squared_hinge", C=0.05, intercept_scaling=1000, dual=False, tol=1e-8)
    reference.fit(samples, signs)
    np.testing.assert_allclose(found[:-1], reference.coef_[0], atol=2e-3)
    assert found[-1] == pytest.approx(float(reference.intercept_[0]), abs=2e-3)


def test_importance_is_repetition(rng: np.random.Generator) -> None:
    samples = np.column_stack([rng.standard_normal((60, 4)), np.ones(60)])
    signs = np.sign(samples[:, 0] + rng.standard_normal(60))
    times = rng.integers(1, 4, 60)
    found = fit_weights(samples, signs, penalty=0.1, importance=times)
    repeated = fit_weights(samples.repeat(times, axis=0), signs.repeat(times), penalty=0.1)
    np.testing.assert_allclose(found, repeated, atol=2e-3)


def test_weights_keep_to_their_bounds(rng: np.random.Generator) -> None:
    samples = np.column_stack([rng.standard_normal((100, 3)), np.ones(100)]).astype(np.float32)
    signs = -np.sign(samples[:, 0])
    lowest = np.array([0.25, -np.inf, -np.inf, -np.inf])
    assert fit_weights(samples, signs, penalty=1.0)[0] < -0.5
    assert fit_weights(samples, signs, penalty=1.0, lowest=lowest)[0] == pytest.approx(0.25)


def test_weights_there_and_back(rng: np.random.Generator) -> None:
    component = with_parts(bare((4, 7)), 3)
    weights = rng.random(len(weights_of(component))).astype(np.float32)
    np.testing.assert_array_equal(weights_of(from_weights(component, weights)), weights)
    assert len(lowest_weights(component)) == len(weights)
    assert np.isfinite(lowest_weights(component)).sum() == 6


def test_parts_begin_where_the_root_has_most_weight() -> None:
    component = bare((4, 8))
    component.root[0, 1] = 1.0
    component.root[3, 6] = 2.0
    parted = with_parts(component, 2)
    side = parted.parts.shape[1]
    centres = parted.anchors + side / 2
    # cell (0, 1) covers fine rows 0-1 and columns 2-3; cell (3, 6) rows 6-7 and columns 12-13
    assert (abs(centres[0] - (1, 3)) <= side / 2).all()
    assert (abs(centres[1] - (7, 13)) <= side / 2).all()
    assert len(with_parts(component, 0).parts) == 0


def test_the_root_has_the_aspect_of_the_boxes() -> None:
    boxes = np.array([[0, 0, 200, 100.0]] * 9 + [[0, 0, 90, 100]])
    tall, wide = root_size(boxes, 50, 1.0)
    assert (tall, wide) == (5, 10)
    assert root_size(np.array([[0, 0, 24, 24.0]] * 4), 60, 1.0) == (3, 3)


def test_a_warped_object_fills_the_cells() -> None:
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[20:44, 30:78] = 200  # edges at the outermost cells
    found = warped(Example(picture, np.zeros((0, 4))), np.array([30.0, 20, 78, 44]), (3, 6))
    assert found.shape == (3, 6, 31)
    strong = found[..., :18].sum(axis=2)
    assert strong[1, 1:5].max() < 0.25 * strong[[0, 0, 2, 2], [0, 5, 0, 5]].min()
    corner = warped(Example(picture, np.zeros((0, 4))), np.array([0.0, 0, 90, 60]), (3, 6))
    assert corner.shape == (3, 6, 31)


def test_an_object_is_seen_where_it_is_marked() -> None:
    picture, boxes = street(3)
    component = bare((4, 7))
    seen = seen_best(Example(picture, boxes), boxes[0], component, enlarge=2.0)
    assert seen is not None
    assert ious(seen[1][None], boxes).max() > 0.6
    assert seen_best(Example(picture, boxes), boxes[0], component, enlarge=0.01) is None
