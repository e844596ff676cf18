"""What every task must do in training: the train half of the conformance suite.

A task needs nothing here beyond its `<name>_examples.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from striate.engine.export import check_parity, write_graph
from striate.graphs import load_graph
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Batch, Recipe
from striate.nn.torch_graphs import TorchGraph
from striate.task import task_names, task_type

SIZE = "12x9"


def examples_of(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}_examples.py")
    spec = importlib.util.spec_from_file_location(f"{path.stem}_train", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = [(name, variant) for name in task_names() for variant in examples_of(name).VARIANTS]


class Case:
    def __init__(self, name: str, variant: str, make_dataset: Any) -> None:
        examples = examples_of(name)
        kind = task_type(name)
        config = kind.config_type.parse(
            {**examples.VARIANTS[variant], "size": SIZE, "model": "small-cnn"}
        )
        truths = examples.targets(variant, 24)
        self.data = make_dataset(truths, examples.names(variant))
        task = kind(config).learn(self.data)
        self.data = task.align(self.data)
        self.recipe: Recipe[Any] = importlib.import_module(f"striate.tasks.{name}.recipe").RECIPE(task)
        self.pixels = np.stack([task.prepare(r.origin.read()).pixels for r in self.data])
        self.batch = Batch(
            torch.from_numpy(self.pixels).permute(0, 3, 1, 2).float(),
            self.recipe.encode(self.data.targets),
        )

    def network(self, seed: int = 0) -> torch.nn.Module:
        torch.manual_seed(seed)
        return self.recipe.build()


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, make_dataset: Any) -> Case:
    return Case(*request.param, make_dataset)


def test_one_batch_is_learnt_by_heart(case: Case) -> None:
    module = case.network().train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.0)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = case.recipe.loss(module, case.batch)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    module.eval()
    graph = TorchGraph(case.recipe, module, device=torch.device("cpu"))
    predictions = case.recipe.task.decode(
        graph({"pictures": case.pixels}), [case.recipe.task.prepare(r.origin.read()) for r in case.data]
    )
    meter = case.recipe.task.meter()
    meter.update(predictions, case.data.targets)
    learnt = meter.compute()[case.recipe.task.headline]
    untrained = TorchGraph(case.recipe, case.network(), device=torch.device("cpu"))
    meter = case.recipe.task.meter()
    meter.update(
        case.recipe.task.decode(
            untrained({"pictures": case.pixels}),
            [case.recipe.task.prepare(r.origin.read()) for r in case.data],
        ),
        case.data.targets,
    )
    before = meter.compute()[case.recipe.task.headline]
    assert losses[-1] < losses[0]
    if case.recipe.task.headline_mode == "max":
        assert learnt > 0.95
    else:
        assert learnt < 0.35 * before


def test_the_same_seed_builds_the_same_network(case: Case) -> None:
    one, same, other = case.network(), case.network(), case.network(seed=1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert any(not torch.equal(v, other.state_dict()[n]) for n, v in one.state_dict().items())


def test_weights_survive_a_file(case: Case, tmp_path: Path) -> None:
    module, fresh = case.network().eval(), case.network(seed=1).eval()
    save_file({k: v.contiguous() for k, v in module.state_dict().items()}, tmp_path / "w.safetensors")
    fresh.load_state_dict(load_file(tmp_path / "w.safetensors"))
    for name, value in case.recipe.outputs(module, case.batch.pixels).items():
        assert torch.equal(value, case.recipe.outputs(fresh, case.batch.pixels)[name])


def test_the_exported_graph_answers_alike_for_any_batch(case: Case, tmp_path: Path) -> None:
    module = case.network().eval()
    for name, source in case.recipe.graphs(module).items():
        path = tmp_path / f"{name}.onnx"
        write_graph(source, path, input_hw=case.recipe.task.input_hw, metadata={"names": ["å", "b"]})
        assert set(check_parity(source, path, case.pixels)) == set(source.outputs)
        graph = load_graph(path)
        assert graph.input_names == ("pictures",)
        assert graph.output_names == source.outputs
        one = graph({"pictures": case.pixels[:1]})
        for output, value in graph({"pictures": case.pixels}).items():
            np.testing.assert_allclose(one[output][0], value[0], atol=1e-4, rtol=1e-4)


def test_training_outputs_are_among_the_exported_ones(case: Case) -> None:
    module = case.network().eval()
    exported = case.recipe.graphs(module)["main"].outputs
    assert set(case.recipe.outputs(module, case.batch.pixels)) <= set(exported)


def test_mixing_everything_with_itself_changes_nothing(case: Case) -> None:
    module = case.network().eval()
    share = torch.linspace(0.1, 0.9, len(case.pixels))
    mixed = Batch(case.batch.pixels, case.batch.targets, case.batch.targets, share)
    plain = case.recipe.loss(module, case.batch)["loss"]
    torch.testing.assert_close(case.recipe.loss(module, mixed)["loss"], plain)


def test_a_solved_head_beats_a_random_one(case: Case) -> None:
    module = case.network().eval()
    with torch.no_grad():
        features = module.features(case.batch.pixels)  # type: ignore[operator]
    before = float(case.recipe.loss(module, case.batch)["loss"].detach())
    solution = case.recipe.solve_head(features, case.batch.targets, features, case.batch.targets)
    head = next(part for part in module.head.modules() if isinstance(part, torch.nn.Linear))  # type: ignore[union-attr]
    with torch.no_grad():
        head.weight.copy_(solution.weight)
        head.bias.copy_(solution.bias)
    assert float(case.recipe.loss(module, case.batch)["loss"].detach()) < before


def test_defaults_and_augmentation_are_concrete(case: Case) -> None:
    for pictures in (3, 100, 60_000):
        for transfer in (False, True):
            wishes = case.recipe.defaults(pictures, transfer=transfer)
            assert wishes.epochs >= 1
            assert wishes.batch_size >= 1
            assert wishes.lr > 0
    settled = case.recipe.augment(AugmentSettings(), case.pixels)
    assert settled.flip != "auto"
    assert settled.augment != "auto"
    assert settled.crop is not None
