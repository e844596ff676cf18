"""`striate data augment` from its flags to its files."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.cli.data_augment import augment, make_augment
from striate.errors import LayoutError, UsageError
from striate.nn.augment.settings import AugmentSettings
from striate.pictures.write import write


def test_every_setting_is_a_flag_once() -> None:
    for task in ("classify", "detect", "regress"):
        names = list(inspect.signature(make_augment(["data", "--task", task])).parameters)
        assert len(names) == len(set(names))
        assert set(AugmentSettings.model_fields) <= set(names)
        assert "epochs" in names


def test_a_sheet_and_a_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    asked = {"policy": "randaugment", "rotate_deg": "10"}
    assert augment("digits", out=out, pictures=2, variants=2, json=True, **asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["out"] == str(out)
    assert (told["pictures"], told["variants"]) == (2, 2)
    assert told["settings"]["policy"] == "randaugment"
    assert out.stat().st_size > 1000
    assert augment("digits", out=out, pictures=1, variants=1, overwrite=True) == 0
    shown = capsys.readouterr()
    assert "shifted by up to 6 %" in shown.out
    assert "sheet.png" in shown.out + shown.err


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"out": "x.txt"}, r"x\.png or x\.html"),
        ({"ablate": True, "time_budget": "5m", "out": "lab.png"}, "names a file"),
        ({"ablate": True, "time_budget": "5m", "task": "detect", "only": ["mixup"]}, "mixup"),
        ({"only": ["blur"]}, "--ablate"),
        ({"time_budget": "5m"}, "--ablate"),
        ({"epochs": "3"}, "--epochs is for --ablate"),
        ({"added_only": True, "seeds": 5}, "--added-only and --seeds are for --ablate"),
        ({"ablate": True, "time_budget": "5m", "pictures": 2}, "--pictures is for a sheet"),
        ({"policy_ops": 2}, "none was asked for"),
        ({"ablate": True, "time_budget": "5m", "blur": "1"}, "--blur is an augmentation"),
        ({"ablate": True, "time_budget": "5m", "seeds": 0}, "--seeds"),
        ({"ablate": True}, "when to stop"),
        ({"ablate": True, "time_budget": "5m", "only": ["blurr,mixup"]}, "blurr"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    name = asked.get("out", "lab" if asked.get("ablate") else "sheet.png")
    with pytest.raises(UsageError, match=words):
        augment("digits", **(asked | {"out": tmp_path / name}))
    assert not list(tmp_path.iterdir())


def test_pictures_without_labels_have_a_sheet_but_no_ablation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(2):
        write(np.full((30, 40, 3), 60 * number, np.uint8), photos / f"{number}.png")
    assert augment(str(photos), out=tmp_path / "sheet.html", variants=1) == 0
    assert "No labels were found" in capsys.readouterr().err
    with pytest.raises(LayoutError, match="needs labels") as found:
        augment(str(photos), out=tmp_path / "lab", ablate=True, time_budget="1m")
    assert "leave out --ablate" in found.value.remedy
    assert not (tmp_path / "lab").exists()
