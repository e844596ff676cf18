"""Hand-made features trained, used, exported and compared like a network."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate.engine.events import Event, Finished, Stage
from striate.errors import Interrupted, UnknownNameError, UsageError
from striate.pictures import write
from striate.verbs.compare import compare
from striate.verbs.comparing.ladder import LADDERS, size_rungs
from striate.verbs.comparing.page import blur_side, enough
from striate.verbs.export import export
from striate.verbs.model import load
from striate.verbs.train import train
from striate.verbs.training.request import Request


def stripes(angle: float, seed: int) -> Any:
    """Noisy stripes, not square."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :30]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 0.9 + rng.uniform(0, 6))
    picture = 128 + 60 * wave[..., None] + rng.normal(0, 20, (24, 30, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def striped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders that only directions tell apart."""
    root = tmp_path_factory.mktemp("data") / "stripes"
    for index, name in enumerate(("flat", "steep", "upright")):
        (root / name).mkdir(parents=True)
        for number in range(20):
            write(stripes(index * np.pi / 4, 100 * index + number), root / name / f"{number}.png")
    return root


def test_hog_and_a_machine_become_a_run_like_any_other(striped: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    model = train(striped, out=tmp_path / "run", model="hog+svm", on_event=events.append)
    assert [event.name for event in events if isinstance(event, Stage)] == [
        "read", "compare", "cache", "cache", "features", "features", "train", "calibrate", "export",
        "evaluate", "report",
    ]  # fmt: skip
    assert isinstance(events[-1], Finished)
    assert model.header.metrics["validation"]["accuracy"] == 1.0
    assert model.header.plan["features"] == ["hog"]
    assert model.header.plan["parity"]["scores"] < 1e-3
    answer = model.predict(striped / "steep" / "0.png").to_dict()
    assert answer["label"] == "steep"
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-4)
    for name in ("run.toml", "graphs/main.onnx", "report.html", "card.md", "data.json"):
        assert (tmp_path / "run" / name).exists()
    assert "hog+svm" in (tmp_path / "run" / "report.html").read_text()
    measured = striate.evaluate(tmp_path / "run", striped, split="all")
    assert measured.metrics["accuracy"] == 1.0


def test_the_exported_file_answers_alone(striped: Path, tmp_path: Path) -> None:
    import onnxruntime

    model = train(striped, out=tmp_path / "run", model="hog+lbp+logistic")
    export(tmp_path / "run", out=tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["names"]) == ["flat", "steep", "upright"]
    assert said["network"] == "hog+lbp+logistic"
    prepared = model.task.prepare(stripes(0.0, 7)).pixels[None]
    logits, probabilities = session.run(["logits", "probabilities"], {"pictures": prepared})
    expected = model.predict(prepared[0]).to_dict()["scores"]
    assert list(expected.values()) == pytest.approx(probabilities[0].tolist(), abs=1e-5)
    assert logits.shape == (1, 3)


def test_the_same_seed_gives_the_same_bits(striped: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(striped, out=tmp_path / name, model="sift-words+forest", seed=3)
    one, two = ((tmp_path / name / "graphs/main.onnx").read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("learner", ["ridge", "svm", "forest", "boosting", "mlp"])
def test_numbers_and_angles_are_learnt(learner: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with (tmp_path / "all.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "bright", "turn"])
        for index in range(60):
            angle = rng.uniform(-170, 170)
            level = int(rng.integers(20, 200))
            picture = np.full((20, 26, 3), level, np.uint8)
            y, x = 10 + 7 * np.sin(np.deg2rad(angle)), 13 + 7 * np.cos(np.deg2rad(angle))
            picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] = 255
            write(picture, tmp_path / f"{index}.png")
            rows.writerow([f"{index}.png", level, round(angle, 2)])
    model = train(
        tmp_path / "all.csv",
        out=tmp_path / "run",
        task="regress",
        target="bright,turn",
        angles="turn",
        model=f"pixels+{learner}",
        size=16,
    )
    metrics = model.header.metrics["validation"]
    assert metrics["per_target"]["bright"]["mae"] < 40
    answer = model.predict(tmp_path / "0.png").to_dict()
    low, high = answer["intervals"]["bright"]
    assert low < answer["values"]["bright"] < high
    assert -180 <= answer["values"]["turn"] <= 180


def test_labels_are_learnt_with_any_number_a_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["path,tags"]
    for index in range(60):
        tags = [name for name, one in (("red", 0), ("blue", 2)) if (index >> (one // 2)) & 1]
        picture = rng.integers(0, 90, (16, 20, 3), dtype=np.uint8)
        for name in tags:
            picture[:, :, 0 if name == "red" else 2] += 120
        write(picture, tmp_path / f"{index}.png")
        lines.append(f"{index}.png,{'|'.join(tags)}")
    (tmp_path / "all.csv").write_text("\n".join(lines) + "\n")
    model = train(tmp_path / "all.csv", out=tmp_path / "run", multi_label=True, model="colour+boosting")
    picture = np.full((16, 20, 3), 40, np.uint8)
    picture[:, :, 2] += 120
    assert model.predict(picture).to_dict()["labels"] == ["blue"]


def test_wrong_names_are_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="feature 'hogg'"):
        train(tmp_path / "nothing", out=tmp_path / "run", model="hogg+svm")
    with pytest.raises(UnknownNameError, match="learner 'svn'"):
        train(tmp_path / "nothing", out=tmp_path / "run", model="hog+svn")
    with pytest.raises(UsageError, match=r"striate\.compare"):
        train(tmp_path / "nothing", out=tmp_path / "run", model="compare")
    assert not (tmp_path / "run").exists()


def test_a_learner_that_does_not_fit_the_task_is_told(striped: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot learn classes"):
        train(striped, out=tmp_path / "run", model="hog+ridge")


def test_ctrl_c_leaves_a_run_that_can_be_made_again(striped: Path, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Stage) and event.name == "train":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(striped, out=tmp_path / "run", model="hog+svm", on_event=interrupt)
    train(striped, out=tmp_path / "run", model="hog+svm", resume=True)
    train(striped, out=tmp_path / "whole", model="hog+svm")
    one, two = ((tmp_path / name / "graphs/main.onnx").read_bytes() for name in ("run", "whole"))
    assert one == two


def test_ctrl_c_after_the_end_comes_too_late(striped: Path, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Finished):
            os.kill(os.getpid(), signal.SIGINT)

    model = train(striped, out=tmp_path / "run", model="pixels+logistic", on_event=interrupt)
    assert "validation" in model.header.metrics


WITHOUT_TORCH = """
import sys
for name in ("torch", "torchvision", "timm", "safetensors"):
    sys.modules[name] = None
import striate
model = striate.train(sys.argv[1], out=sys.argv[2], model="hog+logistic")
print(model.header.metrics["validation"]["accuracy"])
striate.evaluate(sys.argv[2], sys.argv[1], split="all")
"""


def test_torch_is_not_needed(striped: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", WITHOUT_TORCH, str(striped), str(tmp_path / "run")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == 1.0


# -- side by side ---------------------------------------------------------------------------------


def test_models_are_compared_and_kept(striped: Path, tmp_path: Path) -> None:
    models = ["colour+logistic", "hog+logistic", "hog+ridge"]
    found = compare(striped, out=tmp_path / "all", models=models, time_budget="60s")
    assert [one.name for one in found.rungs] == models
    assert found.best is not None
    assert found.best.name == "hog+logistic"
    assert found.metric == "accuracy"
    assert found.rungs[2].score is None
    assert "cannot learn classes" in found.rungs[2].reason
    for one in found.rungs[:2]:
        assert one.size_mb > 0
        assert one.latency_ms > 0
        assert one.interval is not None
        assert load(tmp_path / "all" / one.run).header.config["model"] == one.name
    written = json.loads((tmp_path / "all" / "compare.json").read_text())
    assert written["best"] == "hog+logistic"
    page = (tmp_path / "all" / "compare.html").read_text()
    assert "hog+logistic" in page
    assert "cannot learn classes" in page
    with pytest.raises(UsageError, match="holds a comparison"):
        compare(striped, out=tmp_path / "all", models=models)
    before = (tmp_path / "all" / "hog+logistic" / "run.toml").stat().st_mtime_ns
    compare(striped, out=tmp_path / "all", models=models, resume=True)
    assert (tmp_path / "all" / "hog+logistic" / "run.toml").stat().st_mtime_ns == before


def test_sizes_are_compared(striped: Path, tmp_path: Path) -> None:
    found = compare(striped, out=tmp_path / "all", sizes=True, model="hog+logistic", size=24)
    assert [one.name for one in found.rungs] == ["4x4", "8x8", "12x12", "16x16", "24x24"]
    scores = [one.score for one in found.rungs]
    assert scores[-1] == 1.0
    assert min(score for score in scores if score is not None) < 1.0
    least = enough(found)
    assert least is not None
    assert found.best is not None
    assert found.best.interval is not None
    assert least.score is not None
    assert least.score >= found.best.interval[0]
    page = (tmp_path / "all" / "compare.html").read_text()
    assert "Where classes blur together" in page


def test_ladders_name_what_exists() -> None:
    for task, rungs in LADDERS.items():
        assert len({rung.folder for rung in rungs}) == len(rungs)
        for rung in rungs:
            Request.of("x", task, dict(rung.settings))
    assert [rung.name for rung in size_rungs("hog+svm", (28, 56))][:3] == ["2x4", "4x8", "6x12"]
    assert blur_side({4: 0.89, 8: 0.95, 16: 0.8}) == 8
    with pytest.raises(UsageError, match="twice"):
        compare("digits", out="nowhere", models=["a", "a"])


def test_grey_is_weighed_inside_the_graph(striped: Path, tmp_path: Path) -> None:
    model = train(striped, out=tmp_path / "run", model="pixels+logistic", grey=True, size=12)
    assert model.header.facts["channels"] == 1
    picture = stripes(0.3, 5)
    grey = np.repeat(np.rint(picture @ np.array([0.299, 0.587, 0.114]))[..., None], 3, axis=2).astype(
        np.uint8
    )
    one, two = (model.predict(each).to_dict()["scores"] for each in (picture, grey))
    assert list(one.values()) == pytest.approx(list(two.values()), abs=0.02)
