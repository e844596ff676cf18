"""What an attack came to, in words, numbers and as a page; of levels made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import UsageError
from striate.stress.attacked import Attacked, AttackExample, AttackLevel
from striate.stress.curves import Estimate
from striate.types import Problem


def about(value: float, room: float = 0.05) -> Estimate:
    return Estimate(value, value - room, value + room)


def level(
    strength: float, score: float, beyond: float, fooled: float, turned: Any = None
) -> AttackLevel:
    return AttackLevel(strength, about(score), about(score + beyond), about(beyond), fooled, turned)


def attacked(*levels: AttackLevel, least: tuple[float, ...] = (1, 4, np.nan), **more: Any) -> Attacked:
    dark, light = np.zeros((8, 10, 3), np.uint8), np.full((8, 10, 3), 3, np.uint8)
    usual: dict[str, Any] = {
        "run": "a <run>", "source": "photos", "split": "test", "available": 90, "pictures": 4,
        "name": "pgd", "steps": 20, "target": None, "score_name": "accuracy", "score_note": "Share.",
        "good": "answers that were right", "more_is_better": True, "chance": 0.1, "clean": about(0.75),
        "least": np.array(least), "right": 3, "patches": (), "problems": (),
        "examples": (AttackExample(dark, light, 1, "cat", "cat (98 %)", "dog (60 %)"),),
    }  # fmt: skip
    return Attacked(**{**usual, "levels": levels, **more})


def test_what_was_found_is_said() -> None:
    found = attacked(level(1, 0.5, 0.2, 0.33), level(4, 0.25, 0.4, 0.67))
    curve, half, chance, doubt = found.statements
    assert curve.startswith("Accuracy is 0.750 (0.700 to 0.800) on the pictures as they are and 0.250")
    assert half == (
        "Half of the 3 answers that were right are turned by 4 grey levels or less; 1 stands at every "
        "strength tried."
    )
    assert "what breaks the run is the direction" in chance
    assert "from above" in doubt
    whole = attacked(level(1, 0.1, 0.5, 1.0), least=(1, 1, 1))
    assert "turned by 1 grey level or less; none stands" in whole.statements[1]


def test_what_few_pictures_do_not_tell_is_not_claimed() -> None:
    found = attacked(level(8, 0.5, 0.04, 0.6))  # the interval of the difference reaches below 0
    assert found.statements[2].endswith("no sure difference on 4 pictures.")


def test_a_run_that_stands_is_suspect_and_one_that_is_never_right_too() -> None:
    found = attacked(level(16, 0.7, 0.01, 0.1), least=(np.nan,) * 3)
    assert "0 % of the 3 answers" in found.statements[1]
    assert "gradients may be masked" in found.statements[3]
    assert "Nothing was right" in attacked(level(1, 0.0, 0.0, 0.0), right=0).statements[1]


def test_numbers_and_page(tmp_path: Path, read: Callable[..., Any]) -> None:
    found = attacked(
        level(1, 0.5, 0.2, 0.33, 0.5),
        target="<ship>",
        patches=((2.0, np.zeros((4, 4, 3), np.uint8)),),
        problems=(Problem("unreadable", "error", "x.jpg", "it is text", "remove it"),),
        shortened="20 of 90 pictures",
        seen_in_training=2,
    )
    page = found.save(tmp_path / "out")
    text = read(page.read_text())
    for words in ("a <run> under attack", "cat (98 %) → dog (60 %)", "turned to <ship>", "it is text",
                  "20 of 90 pictures", "2 of these pictures were trained on",
                  "50\N{NO-BREAK SPACE}%"):  # fmt: skip
        assert words in text
    assert "<ship>" not in page.read_text()
    data = json.loads((tmp_path / "out" / "attack.json").read_text())
    assert data["least_strengths"] == {"1": 1, "4": 1}
    assert data["levels"][0]["beyond_chance"]["interval"] == pytest.approx([0.15, 0.25])
    (tmp_path / "out" / "attack.json").unlink()
    with pytest.raises(UsageError, match=r"attack\.html exists"):
        found.save(tmp_path / "out")
    found.save(tmp_path / "out", overwrite=True)
