"""Attacks on whole runs: networks by gradient, any model by pixels; what is refused, what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.errors import SettingError, UnknownNameError, UsageError
from striate.pictures import write
from striate.stress.attacked import ATTACKS
from striate.stress.stock import Stock
from striate.types import PictureArray
from striate.verbs.stress.attack import attack
from striate.verbs.stress.gradients import GradientAttack, shortened
from striate.verbs.train import train

QUICK = {
    "model": "small-cnn", "size": "24x32", "epochs": 16, "threads": 1, "precision": "float32",
    "memory_format": "contiguous", "augment": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def blots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with a faint blot at the left or at the right; validation has 12 of each."""
    root = tmp_path_factory.mktemp("data") / "blots"
    rng = np.random.default_rng(2)
    for split, count in (("train", 24), ("validation", 12)):
        for side in ("left", "right"):
            (root / split / side).mkdir(parents=True)
            for number in range(count):
                picture = rng.normal(110, 20, (24, 32, 3))
                at = 3 if side == "left" else 19
                picture[6:18, at : at + 10] += 50
                write(np.clip(picture, 0, 255).astype(np.uint8), root / split / side / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def network(blots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "network"
    train(blots, out=out, **QUICK)
    return out


@pytest.fixture(scope="module")
def hand_made(blots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "hand-made"
    train(blots, out=out, model="pixels+logistic", size="24x32")
    return out


@pytest.mark.parametrize(
    ("name", "strengths"), [("fgsm", (4, 60)), ("pgd", (4, 60)), ("pgd-l2", (100, 1500))]
)
def test_the_gradient_breaks_what_chance_does_not(
    network: Path, blots: Path, name: str, strengths: tuple[float, float], tmp_path: Path
) -> None:
    heard: list[tuple[str, int, int]] = []
    found = attack(
        network, blots, name, strengths=strengths, steps=0 if name == "fgsm" else 4,
        listen=lambda stage, done, of: heard.append((stage, done, of)),
    )  # fmt: skip
    assert found.split == "validation"
    assert found.clean.value > 0.9
    mild, harsh = found.levels
    assert harsh.score.value < 0.3
    assert harsh.score.value <= mild.score.value
    assert harsh.control.value > harsh.score.value + 0.3
    assert harsh.beyond.value == pytest.approx(harsh.control.value - harsh.score.value)
    assert 0 < harsh.beyond.low < harsh.beyond.value < harsh.beyond.high
    assert "the direction of the change" in " ".join(found.statements)
    assert found.examples
    for one in found.examples:
        change = one.changed.astype(float) - one.clean
        far = np.abs(change).max() if name != "pgd-l2" else np.linalg.norm(change)
        assert 0 < far <= one.strength
    for number, strength in enumerate(strengths, start=1):
        stage = f"attacking by {strength} grey levels ({number} of 2)"
        done = [one for said, one, of in heard if said == stage and of == found.pictures]
        assert done == sorted(done)
        assert done[-1] == found.pictures
    page = found.save(tmp_path / "out")
    written = json.loads((tmp_path / "out" / "attack.json").read_text())
    assert written["levels"][1]["score"] == pytest.approx(harsh.score.value)
    assert "under attack" in page.read_text()
    with pytest.raises(UsageError, match="exists"):
        found.save(tmp_path / "out")


def test_equal_seeds_give_equal_attacks(network: Path, blots: Path) -> None:
    one, two = (
        attack(network, blots, "pgd", strengths=(6,), steps=2, at_most=9).to_dict() for _ in range(2)
    )
    assert one == two
    assert one["pictures"] == 9


def test_a_target_is_hit(network: Path, blots: Path) -> None:
    found = attack(network, blots, "pgd", strengths=(60,), steps=5, target="left")
    assert found.levels[0].turned is not None
    assert found.levels[0].turned > 0.7
    assert any("become left" in one for one in found.statements)


def test_boxes_can_be_attacked(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    lines = ["path,x0,y0,x1,y1,label"]
    for number in range(16):
        picture = rng.normal(90, 5, (48, 64, 3))
        left, top = int(rng.integers(2, 40)), int(rng.integers(2, 24))
        picture[top : top + 20, left : left + 20] = (220, 60, 60)
        write(np.clip(picture, 0, 255).astype(np.uint8), tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{left},{top},{left + 20},{top + 20},block")
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "run"
    quick = {"method": "sliding-window", "model": "auto", "size": "48x64", "epochs": 12}
    train(tmp_path, out=out, task="detect", **(QUICK | quick))
    found = attack(out, tmp_path, "pgd", strengths=(2, 40), steps=3, split="all")
    assert found.levels[1].score.value < found.clean.value
    assert found.levels[1].score.value <= found.levels[0].score.value
    again = attack(out, tmp_path, "pgd", strengths=(2, 40), steps=3, split="all")
    assert again.to_dict() == found.to_dict()


def test_a_patch_is_learnt_on_the_other_half(network: Path, blots: Path, tmp_path: Path) -> None:
    found = attack(network, blots, "patch", strengths=(20,), steps=60)
    assert found.pictures == 12
    assert found.levels[0].score.value <= found.levels[0].control.value
    [(strength, patch)] = found.patches
    assert strength == 20
    assert patch.shape == (12, 12, 3)
    found.save(tmp_path)


def test_pixels_are_found_without_gradients(hand_made: Path, blots: Path) -> None:
    found = attack(hand_made, blots, "one-pixel", strengths=(12,), steps=6, at_most=8)
    assert found.levels[0].score.value <= found.levels[0].control.value
    with pytest.raises(UsageError, match="hand-made") as refused:
        attack(hand_made, blots / "nowhere", "pgd")  # said before anything is read
    assert "one-pixel" in refused.value.expected


def test_pixels_are_the_same_with_any_number_of_threads(hand_made: Path, blots: Path) -> None:
    alone, beside = (
        attack(hand_made, blots, "one-pixel", strengths=(3,), steps=2, at_most=6, threads=threads)
        for threads in (1, 3)
    )
    assert alone.to_dict() == beside.to_dict()


def test_where_time_is_short_fewer_are_attacked(network: Path, blots: Path) -> None:
    few = attack(network, blots, "fgsm", strengths=(8,), time_budget=1e-6)
    assert few.pictures == 20
    assert "20 of 24 pictures, drawn by seed 0" in few.warnings[0]
    assert few.to_dict()["shortened"] == few.warnings[0]
    assert attack(network, blots, "fgsm", strengths=(8,), time_budget=None).pictures == 24
    with pytest.raises(UsageError, match="time budget"):
        attack(network, blots, "fgsm", time_budget="soon")


def test_numbers_can_be_attacked(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = ["path,light"]
    for number in range(30):
        level = int(rng.integers(40, 200))
        write(np.full((24, 32, 3), level, np.uint8), tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{level}")
    (tmp_path / "truth.csv").write_text("\n".join(lines) + "\n")
    train(tmp_path, out=tmp_path / "run", task="regress", **QUICK)
    found = attack(tmp_path / "run", tmp_path, "pgd", strengths=(4, 12, 36), steps=3)
    assert not found.more_is_better
    assert found.levels[2].beyond.value > 0
    assert "better than a guess" in " ".join(found.statements)
    errors = [found.clean.value, *(one.score.value for one in found.levels)]
    assert errors == sorted(errors)
    assert errors[3] > 2 * errors[1]  # who has fallen falls deeper
    with pytest.raises(UsageError, match="classif"):
        attack(tmp_path / "run", tmp_path, "one-pixel")
    with pytest.raises(UsageError, match="target"):
        attack(tmp_path / "run", tmp_path, "pgd", target="light")


@pytest.mark.parametrize(
    ("name", "more", "kind", "words"),
    [
        ("fgms", {}, UnknownNameError, "fgsm"),
        ("pgd", {"strengths": (0.5,)}, SettingError, "whole"),
        ("pgd", {"strengths": (-1,)}, SettingError, "above 0"),
        ("patch", {"strengths": (90,)}, SettingError, "60"),
        ("pgd", {"target": "middle"}, UnknownNameError, "left"),
        ("pgd", {"steps": -1}, SettingError, "steps"),
        ("fgsm", {"steps": 7}, SettingError, "one step, 7 were asked for"),
        ("fgsm", {"seed": -1}, SettingError, "seed is -1"),
        ("pgd", {"device": "tpu"}, UnknownNameError, "cuda"),
        ("one-pixel", {"device": "cuda"}, UsageError, "CPU"),
    ],
)
def test_what_makes_no_sense_is_refused(
    network: Path, blots: Path, name: str, more: dict[str, object], kind: type[Exception], words: str
) -> None:
    make: Callable[..., object] = attack
    with pytest.raises(kind, match=words):
        make(network, blots, name, **more)


def test_every_attack_says_what_it_is() -> None:
    for one in ATTACKS.values():
        assert one.words.endswith(".")
        assert list(one.strengths) == sorted(one.strengths)


def test_rounding_never_lengthens_a_change() -> None:
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (4, 6, 7, 3), dtype=np.uint8)
    change = rng.normal(0, 1, clean.shape)
    change *= 25 / np.linalg.norm(change.reshape(4, -1), axis=1)[:, None, None, None]
    found = shortened(np.clip(clean + change, 0, 255), clean, 25.0)
    lengths = np.linalg.norm((found.astype(float) - clean).reshape(4, -1), axis=1)
    assert (lengths <= 25 + 1e-6).all()
    assert (lengths > 10).all()


def test_time_is_told_by_more_pictures_where_a_few_are_slow(
    network: Path, blots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that is slow to start, and then takes no longer for many pictures than for one."""
    now, asked = 0.0, []

    def attacked(_: object, stock: Stock, strength: float, listen: object) -> PictureArray:
        nonlocal now
        now += 3.0 if not asked else 0.1
        asked.append(len(stock))
        return stock.pixels

    monkeypatch.setattr(GradientAttack, "attacked", attacked)
    monkeypatch.setattr("striate.verbs.stress.attack.monotonic", lambda: now)
    assert attack(network, blots, "fgsm", strengths=(8,), time_budget=15.0).pictures == 20
    assert asked[:-1] == [4]  # 3 s for 4 of 24 are too many, and a second look would be dear
    now = 0.0
    asked.clear()
    monkeypatch.setattr("striate.verbs.stress.attack._TRIAL", 1.0)
    assert attack(network, blots, "fgsm", strengths=(8,), time_budget=15.0).pictures == 24
    assert asked[:-1] == [4, 16]
