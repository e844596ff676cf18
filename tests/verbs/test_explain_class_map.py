"""Class maps: every window gets what the network says of it alone, and the picture is seen once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import UnknownNameError, UsageError
from striate.pictures import read
from striate.pictures.resize import resize
from striate.runs.run import Run
from striate.types import Picture
from striate.verbs.explain.class_map import FILES, class_map

torch = pytest.importorskip("torch")
nn = torch.nn

MakeRun = Callable[..., Run]


class Colours(nn.Module):  # type: ignore[misc, name-defined]
    """A map of three channels at half the size, their means, a head; `past`: something goes past it."""

    def __init__(self, *, past: bool = False) -> None:
        super().__init__()
        self.past, self.seen = past, list[tuple[int, ...]]()
        self.backbone = nn.Sequential(nn.Conv2d(3, 3, 2, stride=2, bias=False), nn.ReLU())
        self.head = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            self.backbone[0].weight.copy_(torch.eye(3)[:, :, None, None].expand(3, 3, 2, 2) / 4)
            self.head.weight.copy_(torch.eye(3))

    def forward(self, pixels: Any) -> Any:
        self.seen.append(tuple(pixels.shape[2:]))
        left = pixels.mean(dim=(2, 3)) if self.past else 0
        return self.head(self.backbone(pixels).mean(dim=(2, 3)) / 25 + left)


@pytest.fixture
def network(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Any]:
    from striate.tasks.classify.recipe import ClassifyRecipe
    from striate.verbs.explain import class_map_network
    from striate.verbs.networks import TrainedNetwork

    module = Colours().eval()

    def open_it(model: Any, **_: Any) -> TrainedNetwork:
        return TrainedNetwork(ClassifyRecipe(model.task), module, torch.device("cpu"))

    monkeypatch.setattr(class_map_network, "open_network", open_it)
    return make_run().folder, module


def corners(size_hw: tuple[int, int] = (96, 160)) -> Picture:
    """Dark, with red in the upper left and blue in the lower right."""
    picture = np.full((*size_hw, 3), 20, np.uint8)
    picture[: size_hw[0] // 3, : size_hw[1] // 3] = (250, 20, 20)
    picture[-size_hw[0] // 3 :, -size_hw[1] // 3 :] = (20, 20, 250)
    return picture


def test_a_window_gets_what_the_network_says_of_it_alone(network: tuple[Path, Any]) -> None:
    run, module = network
    picture = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    found = class_map(run, picture, windows=3)
    seen_hw = max(module.seen)
    rows, columns = found.probabilities.shape[:2]
    input_hw = min(module.seen)
    assert (rows, columns) == tuple(
        whole // 2 - part // 2 + 1 for whole, part in zip(seen_hw, input_hw, strict=True)
    )
    shown = torch.from_numpy(resize(picture, seen_hw)).permute(2, 0, 1)[None].float()
    for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, 1)):
        y, x = 2 * row, 2 * column
        alone = module(shown[:, :, y : y + input_hw[0], x : x + input_hw[1]])
        expected = torch.softmax(alone, dim=1)[0].detach().numpy()
        assert found.probabilities[row, column] == pytest.approx(expected, abs=1e-4)


def test_the_whole_picture_is_seen_once(network: tuple[Path, Any]) -> None:
    run, module = network
    found = class_map(run, corners())
    larger = [one for one in module.seen if one > min(module.seen)]
    assert len(larger) == 1
    assert found.probabilities.shape[0] * found.probabilities.shape[1] > 50


def test_classes_are_found_where_they_are(network: tuple[Path, Any]) -> None:
    found = class_map(network[0], corners(), about=["red", "blue"])
    assert [found.names[one] for one in found.shown] == ["red", "blue"]
    assert "upper left" in found.statements[1]
    assert "lower right" in found.statements[2]
    heat = found.heat(found.shown[0])
    assert heat[0, 0] > 0.9 > heat[-1, -1]
    height, width = heat.shape
    assert height / width == pytest.approx(96 / 160, rel=0.2)


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 200), (6, 8), (500, 20)])
def test_pictures_of_any_form(
    network: tuple[Path, Any], size_hw: tuple[int, int], tmp_path: Path
) -> None:
    found = class_map(network[0], np.full((*size_hw, 3), (20, 250, 20), np.uint8), about=["green"])
    assert (found.heat(found.shown[0]) > 0.9).all()
    assert found.save(tmp_path / "out").exists()


def test_the_likeliest_class_of_each_place(network: tuple[Path, Any]) -> None:
    found = class_map(network[0], corners())
    index, share = found.best((60, 100))
    assert index.shape == share.shape == (60, 100)
    assert found.names[index[0, 0]] == "red"
    assert found.names[index[-1, -1]] == "blue"
    heats = np.stack([found.heat(one, (60, 100)) for one in range(3)], axis=-1)
    np.testing.assert_array_equal(share, heats.max(axis=-1))
    areas = dict(found.likeliest())
    assert sum(areas.values()) == pytest.approx(1)
    assert areas["red"] == pytest.approx((heats.argmax(axis=-1) == 0).mean(), abs=0.05)
    assert found.unsure() == pytest.approx((share <= 0.5).mean(), abs=0.05)
    assert found.statements[0].startswith("likeliest class, by area: ")
    assert set(found.to_dict()["likeliest"][0]) == {"name", "share"}


def test_coarse_windows_come_with_a_hint(network: tuple[Path, Any]) -> None:
    coarse = class_map(network[0], corners(), windows=2)
    assert "--windows 4 looks closer" in coarse.statements[-1]
    assert coarse.to_dict()["hint"] == coarse.hint
    assert class_map(network[0], corners(), windows=12).hint == ""
    small = class_map(network[0], corners((12, 16)), windows=8)
    assert "no more pixels" in small.hint


def test_files(network: tuple[Path, Any], tmp_path: Path) -> None:
    found = class_map(network[0], corners())
    page = found.save(tmp_path / "out")
    assert page.name == FILES[0]
    data = json.loads((tmp_path / "out" / FILES[1]).read_text("utf-8"))
    assert np.asarray(data["probabilities"]).shape == found.probabilities.shape
    assert data["classes"][0]["most"] > 0.9
    assert read(tmp_path / "out" / FILES[2]).shape[1] > 640
    assert f"Where {found.run} sees what" in page.read_text("utf-8")


def test_what_cannot_be(network: tuple[Path, Any], make_run: MakeRun) -> None:
    run, module = network
    with pytest.raises(UnknownNameError, match="purple"):
        class_map(run, corners(), about=["purple"])
    with pytest.raises(UsageError, match="0 windows"):
        class_map(run, corners(), windows=0)
    with pytest.raises(UsageError, match="a run of classify"):
        class_map(make_run("regress", name="numbers").folder, corners())
    module.past = True
    with pytest.raises(UsageError, match="alone"):
        class_map(run, corners())


def test_a_hand_made_model_has_no_map(make_run: MakeRun) -> None:
    with pytest.raises(UsageError, match="a class map needs a network"):
        class_map(make_run().folder, corners())
