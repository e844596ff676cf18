from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from striate.engine.settings import TrainSettings
from striate.engine.tune import (
    Choice,
    _others_share,
    _processor_seconds,
    candidates,
    measure,
    tune,
)
from striate.nn.recipe import Batch

MakeNetwork = Callable[..., nn.Module]
CPU = torch.device("cpu")


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        torch.randint(0, 256, (8, 3, 6, 8), generator=generator).float(), {"labels": torch.arange(8) % 3}
    )


def test_the_plainest_choice_comes_first_and_wishes_are_kept() -> None:
    free = candidates(TrainSettings(), CPU, seconds=None)
    assert (free[0].precision, free[0].memory_format, free[0].compile) == (
        "float32",
        "contiguous",
        False,
    )
    assert {option.precision for option in free} == {"float32", "bfloat16"}
    assert not any(option.compile for option in free)
    fixed = TrainSettings(precision="float32", memory_format="channels_last", threads=3, compile="on")
    assert candidates(fixed, CPU, seconds=None) == [Choice("float32", "channels_last", 3, compile=True)]


def test_measuring_leaves_weights_threads_and_gradients_alone(
    make_network: MakeNetwork, toy_recipe: Any, batch: Batch
) -> None:
    module = make_network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    threads = torch.get_num_threads()
    trial = measure(toy_recipe, module, batch, Choice("bfloat16", "channels_last", 1), seconds=0.01)
    assert trial.pictures_per_s > 0
    assert torch.get_num_threads() == threads
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_choice_that_fails_is_told_and_never_taken(
    make_network: MakeNetwork, toy_recipe: Any, batch: Batch, tmp_path: Path
) -> None:
    toy_recipe.starving_above = 0
    trial = measure(toy_recipe, make_network(), batch, Choice("float32", "contiguous", 1), seconds=0.01)
    assert trial.pictures_per_s == 0
    assert trial.error == "MemoryLimitError"


def test_a_measurement_is_remembered(
    make_network: MakeNetwork,
    toy_recipe: Any,
    batch: Batch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("striate.engine.tune._others_share", lambda before, after: 0.0)
    settings = TrainSettings(precision="float32", memory_format="contiguous", threads=1)
    first = tune(toy_recipe, make_network(), batch, settings, name="toy", home=tmp_path)
    calls = toy_recipe.calls
    again = tune(toy_recipe, make_network(), batch, settings, name="toy", home=tmp_path)
    assert again[:2] == first[:2]
    assert toy_recipe.calls == calls
    assert first[2]
    assert not again[2]
    tune(toy_recipe, make_network(), batch, settings, name="other", home=tmp_path)
    assert toy_recipe.calls > calls
    for file in (tmp_path / "tuned").iterdir():
        file.write_text("{ damaged")
    assert tune(toy_recipe, make_network(), batch, settings, name="toy", home=tmp_path)[2]


def test_a_measurement_on_a_busy_machine_is_used_once(
    make_network: MakeNetwork,
    toy_recipe: Any,
    batch: Batch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("striate.engine.tune._others_share", lambda before, after: 0.5)
    settings = TrainSettings(precision="float32", memory_format="contiguous", threads=1)
    for _ in range(2):
        assert tune(toy_recipe, make_network(), batch, settings, name="toy", home=tmp_path)[2]


def test_what_others_took_of_the_machine() -> None:
    # in 10 s on 2 processors: 12 of 20 processor seconds worked, 4 of them ours
    assert _others_share((100.0, 500.0, 3.0), (112.0, 520.0, 7.0)) == pytest.approx(0.4)
    assert _others_share((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)) == 0.0
    assert _processor_seconds()[0] >= 0
