from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from striate.errors import UsageError
from striate.explain.boundary import AnswerMap, Plane, answers_on, corner_rows, vote_map
from striate.explain.boundary_drawing import Corner, Spot, draw_map
from striate.explain.principal import first_two
from striate.explain.shades import shaded
from striate.runs.run import Run
from striate.tasks.classify.types import Classification
from striate.types import Array
from striate.verbs.model import Model, load

RED, GREEN, BLUE = (
    np.full((6, 8, 3), rgb, np.uint8) for rgb in ((230, 20, 10), (30, 220, 15), (5, 25, 240))
)


@pytest.fixture
def model(make_run: Callable[..., Run]) -> Model:
    return load(make_run())


def answered(**scores: float) -> Classification:
    names = ("cat", "dog", "hen")
    values = np.array([scores.get(name, 0.0) for name in names], np.float32)
    return Classification(names, values, (names[int(values.argmax())],))


def test_the_plane_goes_through_its_pictures() -> None:
    plane = Plane.through([RED, GREEN, BLUE])
    found, cut = plane.pictures_at(plane.corners_xy)
    np.testing.assert_array_equal(found, np.stack([RED, GREEN, BLUE]))
    assert cut.tolist() == [0, 0, 0]
    # distances are root mean squares of the pixels' differences
    apart = np.sqrt(np.mean((RED.astype(float) - GREEN) ** 2))
    assert np.hypot(*(plane.corners_xy[0] - plane.corners_xy[1])) == pytest.approx(apart)
    middle = plane.corners_xy.mean(axis=0, keepdims=True)
    found, _ = plane.pictures_at(middle)
    np.testing.assert_allclose(
        found[0, 0, 0], np.mean([RED[0, 0], GREEN[0, 0], BLUE[0, 0]], axis=0), atol=0.5
    )


def test_beyond_black_and_white_values_are_cut() -> None:
    plane = Plane.through([RED, GREEN, BLUE])
    found, cut = plane.pictures_at(np.array([[-300.0, 0.0]]))
    assert cut[0] > 0.3
    assert found.dtype == np.uint8


def test_pictures_without_a_plane_are_refused() -> None:
    with pytest.raises(UsageError, match="equal"):
        Plane.through([RED, RED, BLUE])
    with pytest.raises(UsageError, match="equal"):
        Plane.through([RED, BLUE, BLUE])
    with pytest.raises(UsageError, match="line"):
        Plane.through([RED * 0, RED * 0 + 100, RED * 0 + 200])


def test_every_point_holds_the_runs_own_answer(model: Model) -> None:
    plane = Plane.through([RED, GREEN, BLUE])
    heard: list[tuple[int, int]] = []
    found, cut = answers_on(
        plane, model.task, model.graphs(1)["main"], grid=12,
        listen=lambda done, of: heard.append((done, of)),
    )  # fmt: skip
    assert heard[-1] == (144, 144)
    assert found.names == ("red", "green", "blue")
    assert sum(found.shares) == pytest.approx(1.0)
    assert 0 < cut < 1
    step = (found.x_range[1] - found.x_range[0]) / 12
    for row, column in ((0, 0), (5, 5), (11, 3), (7, 9)):
        xy = np.array(
            [[found.x_range[0] + (column + 0.5) * step, found.y_range[1] - (row + 0.5) * step]]
        )
        picture = plane.pictures_at(xy)[0][0]
        answer = model.predict(picture).to_dict()
        assert found.names[found.classes[row, column]] == answer["label"]
        assert found.sureness[row, column] == pytest.approx(max(0, (answer["score"] - 1 / 3) * 1.5))
    # the corners lie in areas of their own answers
    for at, (x, y) in enumerate(plane.corners_xy.tolist()):
        column, row = int((x - found.x_range[0]) / step), int((found.y_range[1] - y) / step)
        assert found.classes[row, column] == at


def test_the_classes_that_are_mixed_up_most_are_chosen() -> None:
    truths = ["cat"] * 3 + ["dog"] * 3 + ["hen"] * 3
    results = [
        answered(cat=0.9, dog=0.1), answered(cat=0.6, dog=0.4), answered(dog=0.8, cat=0.2),
        answered(dog=0.95, cat=0.05), answered(dog=0.7, cat=0.3), answered(dog=0.6, cat=0.4),
        answered(hen=1.0), answered(hen=0.9, dog=0.1), answered(hen=0.8, cat=0.2),
    ]  # fmt: skip
    assert corner_rows(truths, results) == [0, 4, 7]  # typical: the middle of those answered right
    assert corner_rows(["cat", "cat", "dog"], [results[0], results[1], results[3]]) == [0, 2, 1]
    with pytest.raises(UsageError, match="three or more"):
        corner_rows(truths[:2], results[:2])


def test_votes_of_neighbours(rng: np.random.Generator) -> None:
    points = rng.normal(size=(80, 2))
    points[:, 0] += np.repeat([-9.0, 9.0], 40)
    found = vote_map(points, ["left"] * 40 + ["right"] * 40, grid=20)
    assert found.names == ("left", "right")
    assert (found.classes[:, :9] == 0).all()
    assert (found.classes[:, 11:] == 1).all()
    assert found.sureness[:, [0, -1]].min() == 1.0
    alone = vote_map(np.zeros((3, 2)), ["a", "a", "b"], grid=4)
    assert (alone.classes == 0).all()


def test_first_two_components(rng: np.random.Generator) -> None:
    from sklearn.decomposition import PCA

    vectors = rng.normal(size=(30, 7)) * np.arange(1, 8)
    found, share = first_two(vectors)
    model = PCA(2).fit(vectors)
    np.testing.assert_allclose(np.abs(found), np.abs(model.transform(vectors)), atol=1e-9)
    assert share == pytest.approx(model.explained_variance_ratio_.sum())
    assert first_two(np.ones((5, 3)))[1] == 1.0
    assert first_two(np.arange(4.0)[:, None])[0][:, 1].tolist() == [0] * 4


def corners() -> list[Corner]:
    places = ((0.0, 0.0), (9.0, 0.0), (3.0, 8.0))
    return [
        Corner(letter, xy, picture, f"a/very/long/folder/name/of/{letter}.jpg", "red, 99 %")
        for letter, xy, picture in zip("ABC", places, (RED, GREEN, BLUE), strict=True)
    ]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_drawing(count: int) -> None:
    names = tuple(f"class {at}" for at in range(count))
    classes = np.arange(64).reshape(8, 8) % count
    found = AnswerMap(names, classes, np.full((8, 8), 0.5), (-1.0, 10.0), (-1.0, 10.0))
    drawn = draw_map(found, title="Where it changes", notes=["a note"], corners=corners())
    assert drawn.dtype == np.uint8
    assert drawn.shape[1] == 1168
    spots = [Spot((1.0, 1.0), names[0], True), Spot((2.0, 5.0), "a truth never answered", False)]
    again = draw_map(found, title="Ü – 猫", notes=["long " * 200, "two"], spots=spots)
    assert again.shape[0] > drawn.shape[0]
    # the map itself lies where it should: the first cell in the first class's colour, paled
    assert again[70 + 20, 26 + 20].tolist() == drawn[70 + 20, 26 + 20].tolist()


def test_shades() -> None:
    found = shaded(np.array([[0.0, 1.0], [2.0, 4.0]]))
    assert found.shape == (2, 2, 3)
    light = found.astype(int).sum(axis=2)
    assert light[0, 0] > light[0, 1] > light[1, 0] > light[1, 1]
    assert (shaded(np.zeros((2, 3))) == shaded(np.ones((1, 1)) * 0)[0, 0]).all()


def test_a_model_of_several_labels(model: Model) -> None:
    class Both:
        input_names = ("pictures",)
        output_names = ("probabilities",)

        def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
            share = feeds["pictures"].mean(axis=(1, 2)) / 255
            return {"logits": share, "probabilities": share.astype(np.float32)}

    task: Any = type(model.task)(
        model.task.config, model.task.facts.model_copy(update={"multi_label": True})
    )
    found, _ = answers_on(Plane.through([RED, GREEN, BLUE]), task, Both(), grid=10)
    assert "nothing" in found.names or "red + green" in found.names
