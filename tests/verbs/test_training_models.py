"""A model that does not exist, or cannot learn the task, is told before any data is read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from striate.errors import LayoutError, MissingExtraError, StriateError, UnknownNameError, UsageError
from striate.verbs.ablate import ablate
from striate.verbs.compare import compare
from striate.verbs.train import train
from striate.verbs.training.models import check_model
from striate.verbs.training.request import Request

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("classify", {"model": "smal-cnn"}, "did you mean 'small-cnn'"),
    ("classify", {"model": "resnt18"}, "'resnet18'"),
    ("classify", {"model": "hog+smv"}, "unknown learner 'smv'"),
    ("classify", {"model": "hog+ridge"}, "cannot learn classes"),
    ("classify", {"model": "hog+ridge", "multi_label": True}, "cannot learn"),
    ("regress", {"model": "hog+logistic"}, "cannot learn numbers"),
    ("regress", {"model": "convnext_nano_"}, "convnext_nano"),
    ("detect", {"model": "resnt18"}, "'resnet18'"),
    ("detect", {"model": "hog+svm"}, "--method parts"),
    ("detect", {"method": "yolo"}, "unknown method 'yolo'"),
    ("detect", {"method": "single", "classifier": "svm"}, "method single has none"),
    ("detect", {"looks": 3}, "method fcos has none"),
    ("detect", {"method": "ssd", "boxes": "turned"}, "upright boxes only"),
    ("detect", {"method": "parts", "model": "resnet18"}, "--model"),
]


@pytest.mark.parametrize(("task", "settings", "told"), WRONG)
def test_a_wrong_model_is_told_before_data_is_read(
    task: str, settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=told):
        train(tmp_path / "no-data", out=tmp_path / "run", task=task, **settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("task", "models"), [("classify", ["hog+svm", "resnt18"]), ("detect", ["fcos", "yolo"])]
)
def test_one_wrong_name_stops_a_comparison_before_it_begins(
    task: str, models: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError):
        compare(tmp_path / "no-data", out=tmp_path / "all", task=task, models=models)
    with pytest.raises(UsageError, match="unknown model 'resnt18'"):
        compare(tmp_path / "no-data", out=tmp_path / "all", sizes=True, model="resnt18")
    assert not (tmp_path / "all").exists()


def test_an_ablation_with_a_wrong_model_reads_nothing(tmp_path: Path) -> None:
    with pytest.raises(StriateError, match="unknown model 'resnt18'"):
        ablate(tmp_path / "no-data", out=tmp_path / "out", epochs=1, seeds=[0], model="resnt18")


def test_our_own_networks_are_listed_first_then_the_nearest_of_timm() -> None:
    with pytest.raises(UnknownNameError) as caught:
        check_model(Request.of("x", "classify", {"model": "resnt18"}))
    error = caught.value
    assert error.expected.startswith("one of alexnet, deck-cnn, googlenet, pixels-linear, pixels-mlp,")
    assert "timm" in error.expected
    assert "resnet18" not in error.expected
    assert error.remedy.startswith("did you mean 'resnet18'")
    assert len(str(error)) < 300
    with pytest.raises(UnknownNameError, match="did you mean 'deck-cnn'"):
        check_model(Request.of("x", "classify", {"model": "deck_cn"}))
    with pytest.raises(UnknownNameError, match=r"timm\.list_models"):
        check_model(Request.of("x", "classify", {"model": "qqqqqqqq"}))


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("classify", {}),
        ("classify", {"model": "small_cnn"}),
        ("classify", {"model": "hog+colour+forest"}),
        ("regress", {"model": "resnet18.a1_in1k"}),
        ("regress", {"model": "hog+ridge"}),
        ("detect", {"method": "parts"}),
        ("detect", {"method": "sliding-window"}),
        ("detect", {"method": "rcnn", "looks": 3, "classifier": "svm"}),
    ],
)
def test_what_exists_goes_on_to_the_data(task: str, settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(LayoutError):
        train(tmp_path / "no-data", out=tmp_path / "run", task=task, **settings)


def test_without_the_training_extra_a_comparison_goes_on_and_a_training_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "striate.nn.networks.registry", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"striate\[train\]"):
        check_model(Request.of("x", "classify", {"model": "small-cnn"}))
    with pytest.raises(LayoutError):
        compare(tmp_path / "no-data", out=tmp_path / "all", sizes=True, model="small-cnn")
    with pytest.raises(MissingExtraError):
        train(tmp_path / "no-data", out=tmp_path / "run", model="small-cnn")


def test_several_models_are_not_one(tmp_path: Path) -> None:
    for choice in ("model", "method"):
        with pytest.raises(UsageError, match=r"striate\.compare"):
            train(tmp_path / "no-data", out=tmp_path / "run", task="detect", **{choice: "compare"})
