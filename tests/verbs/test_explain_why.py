"""Why a run said that: hand-made models, a network beside its graph, detections, files and pages."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from striate.errors import (
    DataError,
    DiskError,
    Interrupted,
    PictureError,
    UnknownNameError,
    UsageError,
)
from striate.explain.explanation import Explanation
from striate.pictures import read, write
from striate.runs.run import Run
from striate.types import Picture
from striate.verbs.explain import why as explain_why
from striate.verbs.explain import why_report as explain_why_report
from striate.verbs.explain.why import explain, explain_all
from striate.verbs.explain.why_report import first_names, write_explanations
from striate.verbs.explain.why_sources import check_apart
from striate.verbs.model import load

MakeRun = Callable[..., Run]


def half_green(size_hw: tuple[int, int] = (36, 48)) -> Picture:
    """Grey, with green in the lower right: all that speaks for green is there."""
    picture = np.full((*size_hw, 3), 120, np.uint8)
    picture[size_hw[0] // 2 :, size_hw[1] // 2 :] = (20, 250, 20)
    return picture


# -- models that can only be asked ------------------------------------------------------------


@pytest.mark.parametrize("method", ["occlusion", "rise"])
def test_a_hand_made_classifier_is_explained_by_asking(make_run: MakeRun, method: str) -> None:
    found = explain(make_run().folder, half_green(), method=method, about="green")
    (one,) = found.attributions
    assert one.method.name == method
    assert one.heat.shape == (36, 48)
    assert np.nansum(one.heat[18:, 24:]) > 0.5 * np.nansum(one.heat)
    assert one.where.startswith("lower right")
    assert one.verdict == "passes"
    assert one.sameness == ()
    assert "no weights to forget" in one.remark
    assert one.faith is not None
    assert one.faith.deletion < one.faith.random_deletion


def test_asking_is_the_default_without_a_network(make_run: MakeRun) -> None:
    (one,) = explain(make_run().folder, half_green()).attributions
    assert one.method.name == "occlusion"
    assert one.aim.name == "green"
    assert 0.3 < one.aim.value < 1


def test_gradients_of_a_hand_made_model_are_refused_with_what_works(make_run: MakeRun) -> None:
    pytest.importorskip("torch")
    with pytest.raises(UsageError, match="occlusion or rise"):
        explain(make_run().folder, half_green(), method="gradcam")


def test_numbers_are_explained_by_what_holds_them(make_run: MakeRun) -> None:
    picture = np.zeros((36, 48, 3), np.uint8) + np.uint8(127)
    picture[:18, :24, 0] = 255  # redness comes from here alone
    run = make_run("regress").folder
    found = explain(run, picture, about="redness")
    (one,) = found.attributions
    assert one.aim.either_way
    assert one.where.startswith("upper left")
    with pytest.raises(UnknownNameError, match="greenness"):
        explain(run, picture, about="blueness")


def test_a_model_explains_itself(make_run: MakeRun) -> None:
    model = load(make_run().folder)
    assert model.explain(half_green(), about="green").attributions[0].aim.name == "green"


def test_names_that_are_not_there(make_run: MakeRun) -> None:
    run = make_run().folder
    with pytest.raises(UnknownNameError, match="gradcam"):
        explain(run, half_green(), method="grad-cam")
    with pytest.raises(UnknownNameError, match="blue"):
        explain(run, half_green(), about="purple")
    with pytest.raises(UsageError, match="looks at a layer"):
        explain(run, half_green(), method="occlusion", layer="stage3")
    with pytest.raises(UsageError, match="masks"):
        explain(run, half_green(), method="rise", masks=0)
    with pytest.raises(PictureError):
        explain(run, "nothing.jpg")


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 4000), (3, 2)])
def test_pictures_of_odd_forms(make_run: MakeRun, size_hw: tuple[int, int]) -> None:
    picture = np.full((*size_hw, 3), (20, 250, 20), np.uint8)
    found = explain(make_run().folder, picture)
    assert found.attributions[0].heat.shape == size_hw
    assert found.plot().dtype == np.uint8


def test_without_checks_nothing_is_said_of_trust(make_run: MakeRun) -> None:
    (one,) = explain(make_run().folder, half_green(), check=False).attributions
    assert one.verdict == "unchecked"
    assert one.faith is None


def test_equal_seeds_give_equal_maps_in_any_batch(make_run: MakeRun) -> None:
    model = load(make_run().folder)
    many = list(explain_all(model, [half_green()] * 3, method="rise", masks=64))
    alone = explain(model, half_green(), method="rise", masks=64)
    first = alone.attributions[0]
    for one in many:
        assert np.array_equal(one.attributions[0].heat, first.heat)
        assert one.attributions[0].to_dict() == first.to_dict()


# -- a network --------------------------------------------------------------------------------


@pytest.fixture
def network_run(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The graph of tests/verbs as a network too: a map of three channels, their means, a head."""
    torch = pytest.importorskip("torch")
    from torch import nn

    from striate.tasks.classify.recipe import ClassifyRecipe
    from striate.verbs.explain import why_network as explain_why_network
    from striate.verbs.networks import TrainedNetwork

    class Colours(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.ReLU())
            self.head = nn.Linear(3, 3, bias=False)

        def forward(self, pixels: Any) -> Any:
            return self.head(self.backbone(pixels).mean(dim=(2, 3)) / 25)

    def build(recipe: Any) -> nn.Module:
        return Colours()

    def open_it(model: Any, *, needed_for: str, device: str = "cpu") -> TrainedNetwork:
        module: Any = Colours()
        with torch.no_grad():
            module.backbone[0].weight.copy_(torch.eye(3)[:, :, None, None])
            module.head.weight.copy_(torch.eye(3))
        return TrainedNetwork(ClassifyRecipe(model.task), module, torch.device("cpu"))

    monkeypatch.setattr(ClassifyRecipe, "build", build)
    monkeypatch.setattr(explain_why_network, "open_network", open_it)
    monkeypatch.setattr(explain_why, "_WEIGHTS", "graphs/main.onnx")
    return make_run().folder


def test_gradcam_is_the_default_of_a_network(network_run: Path) -> None:
    (one,) = explain(network_run, half_green()).attributions
    assert one.method.name == "gradcam"
    assert one.layer == "backbone.1 (3 × 6 × 8)"
    assert [words for words, _ in one.sameness] == ["the last layer", "the upper half", "all layers"]
    assert one.heat[24:, 30:].mean() == pytest.approx(one.heat[:12, :18].mean() * 250 / 120, rel=0.01)


def test_a_layer_by_name(network_run: Path) -> None:
    (one,) = explain(network_run, half_green(), layer="0").attributions
    assert one.layer == "backbone.0 (3 × 6 × 8)"
    with pytest.raises(UnknownNameError, match=r"backbone\.0, backbone\.1"):
        explain(network_run, half_green(), layer="stage9")


def test_asking_a_network_is_checked_against_an_untrained_one(network_run: Path) -> None:
    (one,) = explain(network_run, half_green(), method="occlusion", about="green").attributions
    assert [words for words, _ in one.sameness] == ["all layers"]
    assert one.remark == ""


def test_several_methods_and_classes_make_a_panel_each(network_run: Path) -> None:
    methods = ["gradcam", "layercam", "saliency", "integrated", "occlusion", "deconv"]
    found = explain(network_run, half_green(), method=methods, about=["green", "red"])
    assert [one.method.name for one in found.attributions] == methods * 2
    assert [one.aim.name for one in found.attributions] == ["green"] * 6 + ["red"] * 6
    assert len(found.panels()) == 2 * (1 + 6)
    json.dumps(found.to_dict(), allow_nan=False)


# -- detections -------------------------------------------------------------------------------


@pytest.fixture
def blobs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).parent.parent / "cli" / "blob_run.py"
    spec = importlib.util.spec_from_file_location("striate_tests_blobs_of_why", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    monkeypatch.setattr("striate.verbs.model.load_graph", module.load_blob_graph)
    return module


def test_a_detection_is_explained_by_its_own_box(tmp_path: Path, blobs: ModuleType) -> None:
    run = blobs.blob_run(tmp_path / "run", size_hw=(64, 64)).folder
    picture = blobs.paint((128, 128), [(10, 16, 30, 24, 255), (80, 90, 24, 24, 0)])
    first = explain(run, picture, method="rise", masks=300).attributions[0]
    second = explain(run, picture, method="rise", masks=300, about="2").attributions[0]
    assert {first.aim.name, second.aim.name} == {"bead", "hole"}
    for one, where in ((first, (28, 25)), (second, (102, 92))):
        y, x = (102, 92) if one.aim.name == "hole" else (28, 25)
        assert where
        heat = one.heat
        assert heat[y - 6 : y + 6, x - 6 : x + 6].mean() > 2 * heat.mean()
    by_name = explain(run, picture, method="rise", masks=20, about="hole").attributions[0]
    assert by_name.aim.name == "hole"
    with pytest.raises(UsageError, match="neither a detection nor a class"):
        explain(run, picture, about="cat")
    with pytest.raises(UsageError, match="from 1"):
        explain(run, picture, about="0")


def test_where_nothing_is_found_there_is_nothing_to_explain(tmp_path: Path, blobs: ModuleType) -> None:
    run = blobs.blob_run(tmp_path / "run", size_hw=(64, 64)).folder
    found = explain(run, blobs.paint((64, 64), []))
    assert found.attributions == ()
    assert "nothing to explain" in found.remark
    assert found.plot().shape[0] > 64


def test_a_guess_is_called_one(tmp_path: Path, blobs: ModuleType) -> None:
    picture = blobs.paint((128, 128), [(10, 16, 30, 24, 200), (80, 90, 24, 24, 60)])
    sure = explain(blobs.blob_run(tmp_path / "sure", show_from=0.3).folder, picture, check=False)
    assert sure.remark == ""
    run = blobs.blob_run(tmp_path / "run", show_from=0.9).folder
    guess = explain(run, picture, check=False)
    words = (
        "found nothing above its threshold of 0.90; this explains its best guess, bead with score 0.61"
    )
    assert guess.statements[0] == guess.remark == guess.to_dict()["remark"] == words
    assert guess.told()[0][1] == "bad"
    assert guess.aims[0].name == "bead"
    assert words in [one for one, _ in guess.panels()[0].lines]
    asked = explain(run, picture, about="2", check=False)
    assert asked.remark.startswith("below the threshold of 0.90")
    write_explanations([guess], tmp_path / "out", run="r", given="g")
    assert words[6:] in (tmp_path / "out" / "explain.html").read_text("utf-8")


# -- names ------------------------------------------------------------------------------------


def test_pages_name_files_and_paths_only_where_names_clash(
    make_run: MakeRun, coloured: Path, tmp_path: Path
) -> None:
    run, red, blue = make_run().folder, coloured / "red" / "0.png", coloured / "blue" / "0.png"
    written(run, [red], tmp_path / "one")
    page = (tmp_path / "one" / "explain.html").read_text("utf-8")
    assert str(coloured) not in page
    assert "0.png" in page
    written(run, [red, blue, coloured / "blue" / "1.png"], tmp_path / "two")
    page = (tmp_path / "two" / "explain.html").read_text("utf-8")
    assert str(red) in page
    assert str(blue) in page
    assert str(coloured / "blue" / "1.png") not in page
    assert first_names([red]) == "0.png"
    assert first_names([red, blue]) == f"{red}, {blue}"
    assert first_names([coloured, np.zeros((2, 2, 3)), "scenes/00012"]) == (
        f"{coloured.name}, a picture and 1 more"
    )
    assert first_names(["scenes/00012"]) == "scenes/00012"


# -- files ------------------------------------------------------------------------------------


def written(run: Path, given: list[Any], out: Path, **how: Any) -> tuple[Any, list[Explanation]]:
    told: list[Explanation] = []
    found = write_explanations(
        explain_all(run, given, skip=out, check=False, **how),
        out,
        run="run",
        given="colours",
        tell=lambda one, _: told.append(one),
    )
    return found, told


def test_many_pictures_become_a_page_a_json_and_a_sheet_each(
    make_run: MakeRun, coloured: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    found, told = written(make_run().folder, [coloured], out)
    assert (found.pictures, found.failed) == (7, 1)
    assert len(told) == 7
    data = json.loads((out / "explain.json").read_text("utf-8"))
    names = [one["file"] for one in data["pictures"] if "error" not in one]
    assert len(set(names)) == 6  # 0.png and 1.png of three folders
    assert all(read(out / name).shape[2] == 3 for name in names)
    assert data["count"] == 7
    assert data["methods"][0]["method"] == "occlusion"
    assert sum("error" in one for one in data["pictures"]) == 1
    page = (out / "explain.html").read_text("utf-8")
    assert "How it is measured" in page
    assert "1 could not be read" in page
    with pytest.raises(UsageError, match="exists already"):
        written(make_run(name="other").folder, [coloured], out)


def test_a_folder_without_pictures(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = make_run().folder
    with pytest.raises(DataError, match=r"no pictures in .*empty"):
        explain(run, tmp_path / "empty")
    with pytest.raises(DataError, match="no pictures in colours"):
        written(run, [tmp_path / "empty"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_call_that_fails_leaves_no_folder(make_run: MakeRun, tmp_path: Path, coloured: Path) -> None:
    with pytest.raises(UnknownNameError, match="purple"):
        written(make_run().folder, [coloured], tmp_path / "out", about="purple")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_refused_before_the_work(
    make_run: MakeRun, tmp_path: Path, coloured: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write(half_green(), out / "1.png")  # left by a run that was broken off
    found = explain_all(make_run().folder, [coloured / "red"], check=False)
    with pytest.raises(UsageError, match="is not empty"):
        write_explanations(found, out, run="r", given="g")
    write_explanations(found, out, run="r", given="g", overwrite=True)
    assert read(out / "1.png").shape[1] > 600


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # whoever runs the tests, root too
    with pytest.raises(DiskError, match="permission denied"):
        write_explanations(iter(()), tmp_path / "new" / "out", run="r", given="g")


def test_what_was_done_before_ctrl_c_is_kept(make_run: MakeRun, tmp_path: Path, coloured: Path) -> None:
    def until_stopped() -> Iterator[Explanation]:
        yield from islice(explain_all(make_run().folder, [coloured / "red"], check=False), 2)
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(Interrupted, match="stopped after 2 pictures"):
        write_explanations(until_stopped(), out, run="r", given="g")
    data = json.loads((out / "explain.json").read_text("utf-8"))
    assert data["count"] == len(data["pictures"]) == 2
    assert all((out / one["file"]).exists() for one in data["pictures"])
    assert "The methods" in (out / "explain.html").read_text("utf-8")


def test_ctrl_c_before_anything_was_explained_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> Iterator[Explanation]:
        yield Explanation("a.png", None, None, error=PictureError("a.png", "it is empty", remedy="-"))
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="before anything was explained"):
        write_explanations(stopped(), tmp_path / "out", run="r", given="g")
    assert not (tmp_path / "out").exists()


def test_a_sheet_never_replaces_its_own_picture(make_run: MakeRun, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    write(half_green(), picture)
    before = picture.read_bytes()
    found = explain_all(make_run().folder, [picture], check=False)
    with pytest.raises(UsageError, match="cannot lie in one folder"):
        write_explanations(found, tmp_path, run="r", given="g", overwrite=True)
    assert picture.read_bytes() == before


def test_pictures_and_sheets_lie_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos, out = tmp_path / "photos", tmp_path / "photos" / "out"
    for name in ("a.png", "b [1].png", "in/c.png", "out/d.png"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        write(half_green(), photos / name)
    (tmp_path / "link").symlink_to(photos, target_is_directory=True)
    (tmp_path / "e.png").symlink_to(out / "d.png")
    monkeypatch.chdir(photos)
    for good in (photos, "a.png", photos / "in" / "c.png", "*.png", np.zeros((2, 2, 3), np.uint8), "x"):
        check_apart([good], out)
    check_apart([photos / "in"], photos)
    for given, folder in (
        (photos, photos),
        (photos, "."),
        (tmp_path / "link", photos),
        (photos, tmp_path / "link"),
        ("a.png", photos),
        ("b [1].png", "."),
        ("*.png", photos),
        ("out/*", out),
        (tmp_path / "e.png", out),
        (tmp_path / "e.png", tmp_path),
    ):
        with pytest.raises(UsageError, match="cannot lie in one folder"):
            check_apart([given], folder)


def test_an_unreliable_map_is_on_the_page_with_a_warning(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_why, "occlude", lambda asked: -np.ones(asked.size_hw))
    found = explain(make_run().folder, half_green())
    (one,) = found.attributions
    assert one.verdict == "unreliable"
    assert "UNRELIABLE" in found.statements[0]
    out = tmp_path / "out"
    tally = write_explanations([found], out, run="run", given="one").tallies[0]
    assert tally.verdicts == {"unreliable": 1}
    page = (out / "explain.html").read_text("utf-8")
    assert "✗" in page
    assert "It marks nothing" in page  # the reason stands beneath the map
    assert "no weights to forget" in page
    assert "0 of 1" in tally.sentence()


def test_few_pictures_are_held(make_run: MakeRun, coloured: Path, tmp_path: Path) -> None:
    paths = [coloured / "red" / "0.png"] * 40
    found = explain_all(make_run().folder, paths, check=False)
    next(found)
    read_before: list[str] = []
    feed = (read_before.append(str(one)) or one for one in paths)  # type: ignore[func-returns-value]
    next(explain_all(make_run(name="again").folder, feed, check=False))
    assert len(read_before) <= explain_why.BATCH + 1


def test_the_page_shows_the_first_ones(make_run: MakeRun, coloured: Path, tmp_path: Path) -> None:
    found = explain_all(make_run().folder, [coloured / "red"] * 3, check=False)
    write_explanations(found, tmp_path / "out", run="r", given="g", shown=2)
    page = (tmp_path / "out" / "explain.html").read_text("utf-8")
    assert "The first 2; 4 more are in the folder" in page
    assert explain_why_report.FILES == ("explain.html", "explain.json")


# -- scenes -----------------------------------------------------------------------------------


def test_a_record_of_an_embedded_set_has_parts(make_run: MakeRun, tmp_path: Path) -> None:
    model = load(make_run().folder)
    from striate.verbs.explain.why_sources import sources_of

    (source,) = sources_of(model, ["embedded:scenes/00012"])
    picture, areas = source.read(None)
    assert picture.ndim == 3
    assert areas
    assert any(one.within for one in areas) or all(not one.within for one in areas)
    found = explain(model, "embedded:scenes/00012", check=False)
    (one,) = found.attributions
    assert one.used[0].loss == max(each.loss for each in one.used)
    assert any("covered part by part" in words for words in found.statements)
    assert one.to_dict()["parts_covered"][0]["part"] == one.used[0].name
    with pytest.raises(UsageError, match="has no picture"):
        list(sources_of(model, ["embedded:scenes/99999"]))


def test_a_file_of_the_name_of_a_set_wins(make_run: MakeRun, tmp_path: Path, monkeypatch: Any) -> None:
    from striate.verbs.explain.why_sources import sources_of

    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    write(half_green(), tmp_path / "scenes" / "00012.png")
    (found,) = sources_of(load(make_run().folder), ["scenes"])
    assert found.name.endswith("00012.png")
