"""Hand-made parts as a method of detection: trained, sealed, used like any detector."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from striate.data.boxes.read import read_boxes
from striate.engine.events import Event, Finished, Note, Planned, Stage
from striate.errors import DataError, Interrupted
from striate.features.parts import PartsModel
from striate.graphs import load_graph
from striate.pictures import write
from striate.verbs.evaluate import evaluate
from striate.verbs.model import load
from striate.verbs.train import train


def crossed(seed: int) -> tuple[np.ndarray, list[int]]:
    """Noise, not square, with one bright frame that has a bar across."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(110, 6, (64, 88, 3))
    left, top = int(rng.integers(2, 46)), int(rng.integers(2, 22))
    block = picture[top : top + 40, left : left + 40]
    block[:] = 190
    block[6:16, 6:34] = block[24:34, 6:34] = 40
    return np.clip(picture, 0, 255).astype(np.uint8), [left, top, left + 40, top + 40]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen pictures of frames and four without, as a table; two of another class: too few."""
    root = tmp_path_factory.mktemp("data") / "frames"
    root.mkdir()
    lines = ["path,x0,y0,x1,y1,label"]
    for number in range(18):
        picture, box = crossed(number)
        write(picture, root / f"{number}.png")
        lines.append(f"{number}.png,{','.join(map(str, box))},frame")
        if number < 2:
            lines.append(f"{number}.png,0,44,20,64,corner")
    (root / "boxes.csv").write_text("\n".join(lines) + "\n")
    assert len(read_boxes(root)) == 18
    return root


@pytest.fixture(scope="module")
def trained(frames: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    out = tmp_path_factory.mktemp("runs") / "run"
    train(
        frames, out=out, task="detect", method="parts", size="64x96", time_budget=12,
        on_event=events.append,
    )  # fmt: skip
    return out, events


def test_the_run_is_one_like_any_other(trained: tuple[Path, list[Event]], frames: Path) -> None:
    out, events = trained
    names = [event.name for event in events if isinstance(event, Stage)]
    assert [name for name in names if name != "cache"] == [
        "read", "compare", "tune", "train", "calibrate", "export", "evaluate", "report",
    ]  # fmt: skip
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Planned) for event in events) == 1
    assert any(isinstance(event, Note) and "corner" in event.text for event in events)
    model = load(out)
    assert model.header.plan["parity"]["scores"] < 1e-3
    assert model.header.plan["parity"]["boxes"] < 0.005
    assert model.header.plan["parity"]["unpaired"] == 0
    assert model.header.metrics["validation"]["ap50"] > 0.3
    assert {path.name for path in (out / "graphs").iterdir()} == {"main.onnx"}
    assert PartsModel.load(out / "parts" / "0.npz").label == "frame"
    picture, box = crossed(3)
    found = model.predict(picture).to_dict()["detections"]
    assert found[0]["label"] == "frame"
    np.testing.assert_allclose(found[0]["box_xyxy"], box, atol=9)
    # of two classes, one could not be learnt
    assert evaluate(out, frames, split="all").metrics["ap50"] == pytest.approx(0.5, abs=0.1)


def test_a_batch_answers_as_one_by_one(trained: tuple[Path, list[Event]]) -> None:
    graph = load_graph(trained[0] / "graphs" / "main.onnx")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    together = graph({"pictures": pictures})
    for row in range(3):
        alone = graph({"pictures": pictures[row : row + 1]})
        np.testing.assert_allclose(together["scores"][row], alone["scores"][0], atol=1e-6)


def test_ctrl_c_is_heard(frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.verbs.training.parts import PartsTraining
    from striate.verbs.training.request import Request

    asked: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, Stage) and event.name == "train":
            asked.append(True)

    request = Request.of(frames, "detect", {"method": "parts", "size": "64x96"})
    with pytest.raises(Interrupted, match="stopped"):
        PartsTraining.run(
            request, out=tmp_path / "run", resume=False, overwrite=False, started=0.0,
            stop=lambda: bool(asked), tell=listen,
        )  # fmt: skip


def test_no_class_has_enough(tmp_path: Path) -> None:
    lines = ["path,x0,y0,x1,y1,label"]
    for number in range(5):
        picture, box = crossed(number)
        write(picture, tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{','.join(map(str, box))},kind {number}")
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="no class has enough objects"):
        train(tmp_path, out=tmp_path / "run", task="detect", method="parts", size="64x96")


def test_no_torch_is_needed() -> None:
    code = (
        "import sys; from striate.verbs.training import parts; "
        "assert not {'torch', 'torchvision', 'timm'} & set(sys.modules)"
    )
    environment = dict(os.environ)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)
