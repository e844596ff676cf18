"""`striate data augment` from its flags to its files."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from striate.cli.data_augment import augment, make_augment
from striate.errors import UsageError
from striate.nn.augment.settings import AugmentSettings


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
    assert "shifted by up to 6%" in shown.out
    assert "sheet.png" in shown.out + shown.err


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"only": ["blur"]}, "--ablate"),
        ({"time_budget": "5m"}, "--ablate"),
        ({"epochs": "3"}, "--epochs is of training"),
        ({"ablate": True, "time_budget": "5m", "blur": "1"}, "--blur is an augmentation"),
        ({"ablate": True, "time_budget": "5m", "seeds": 0}, "--seeds"),
        ({"ablate": True}, "when to stop"),
        ({"ablate": True, "time_budget": "5m", "only": ["blurr,mixup"]}, "blurr"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    tmp_path: Path, asked: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        augment("digits", out=tmp_path / "out", **asked)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
