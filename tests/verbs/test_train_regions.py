"""Training of R-CNN: what lies outside the loop can be stopped, is kept, and knows the budget."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.engine.events import Epoch, Event, Stage, Step
from striate.errors import Interrupted
from striate.pictures import write
from striate.verbs.model import Model
from striate.verbs.train import train


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures with a bright block each, as a table."""
    root = tmp_path_factory.mktemp("data") / "blocks"
    root.mkdir()
    rng = np.random.default_rng(5)
    lines = ["path,x0,y0,x1,y1,label"]
    for number in range(10):
        picture = rng.normal(90, 5, (48, 64, 3))
        left, top = int(rng.integers(2, 40)), int(rng.integers(2, 24))
        picture[top : top + 20, left : left + 20] = (220, 60, 60)
        write(np.clip(picture, 0, 255).astype(np.uint8), root / f"{number}.png")
        lines.append(f"{number}.png,{left},{top},{left + 20},{top + 20},block")
    (root / "boxes.csv").write_text("\n".join(lines) + "\n")
    return root


def rcnn(source: Path, out: Path, listen: Callable[[Event], None], **more: Any) -> Model:
    settings = {
        "task": "detect", "method": "rcnn", "model": "small-cnn", "size": "32x48", "threads": 1,
        "precision": "float32", "memory_format": "contiguous", "epochs": 1,
    }  # fmt: skip
    return train(source, out=out, on_event=listen, **(settings | more))


def stop_in(stage: str) -> tuple[list[str], Callable[[Event], None]]:
    """The stages that were heard, and a listener that sends Ctrl-C at the first progress in `stage`."""
    heard: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Stage):
            heard.append(event.name)
        if isinstance(event, Step) and heard[-1:] == [stage]:
            heard.append("stopped")
            os.kill(os.getpid(), signal.SIGINT)

    return heard, listen


def test_ctrl_c_is_heard_while_boxes_are_proposed(
    blocks: Path, tmp_path: Path, striate_home: Path
) -> None:
    heard, listen = stop_in("look-ahead")
    with pytest.raises(Interrupted, match="stopped while proposing boxes in 8 train pictures"):
        rcnn(blocks, tmp_path / "run", listen)
    assert heard[-1] == "stopped"
    assert len(list((striate_home / "proposals").rglob("*.npy"))) == 8  # they are not asked again


@pytest.mark.slow
def test_ctrl_c_is_heard_while_solving_and_nothing_is_lost(blocks: Path, tmp_path: Path) -> None:
    heard, listen = stop_in("solve")
    with pytest.raises(Interrupted, match="stopped while solving"):
        rcnn(blocks, tmp_path / "run", listen)
    assert heard[-1] == "stopped"
    again: list[Event] = []
    model = rcnn(blocks, tmp_path / "run", again.append, resume=True)
    assert model.header.metrics["validation"]["ap50"] is not None
    stages = [event.name for event in again if isinstance(event, Stage)]
    assert "look-ahead" not in stages
    assert not any(isinstance(event, Epoch) for event in again)


@pytest.mark.slow
def test_what_is_solved_lies_within_the_budget(blocks: Path, tmp_path: Path) -> None:
    from striate.tasks.detect.recipe import RECIPE

    given: list[float | None] = []
    before = RECIPE.finish

    def finish(self: Any, *arguments: Any, seconds: float | None = None, **more: Any) -> Any:
        given.append(seconds)
        return (yield from before(self, *arguments, seconds=seconds, **more))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RECIPE, "finish", finish)
        rcnn(blocks, tmp_path / "run", lambda event: None, time_budget=10, epochs=None)
    assert given[0] is not None
    assert 5 <= given[0] < 10
