"""What every task must do in training: the train half of the conformance suite.

A task needs nothing here beyond its `<name>_examples.py`. For training that file says: MODEL and SIZE,
a small network and its input; BATCH, STEPS and LR, with which one batch is learnt by heart, and
learnt(before), the headline from which it is, given that of the untrained network; MIXES, whether
pictures may be blended.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from striate.data.prepared import PreparedSet
from striate.engine.export import check_parity, write_graph
from striate.errors import TrainingError, UsageError
from striate.graphs import load_graph
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Batch, Recipe
from striate.nn.torch_graphs import TorchGraph
from striate.task import task_names, task_type


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
            {"model": examples.MODEL, **examples.VARIANTS[variant], "size": examples.SIZE}
        )
        self.examples = examples
        truths = examples.targets(variant, examples.BATCH)
        self.data = make_dataset(
            truths, examples.names(variant), size_hw=examples.PICTURE_HW, paint=examples.paint
        )
        task = kind(config).learn(self.data)
        self.data = task.align(self.data)
        self.recipe: Recipe[Any] = importlib.import_module(f"striate.tasks.{name}.recipe").RECIPE(task)
        self.prepared = [task.prepare(record.origin.read()) for record in self.data]
        self.pixels = np.stack([one.pixels for one in self.prepared])
        geometry = [[*one.size_hw, *one.scale_yx, *one.offset_yx] for one in self.prepared]
        prepared = PreparedSet(self.pixels, np.array(geometry), np.arange(len(self.prepared)), ())
        self.batch = Batch(
            torch.from_numpy(self.pixels).permute(0, 3, 1, 2).float(),
            self.recipe.encode(self.data.targets, prepared),
        )

    @property
    def feeds(self) -> Mapping[str, np.ndarray]:
        return self.recipe.feeds(self.pixels)

    def outputs(self, module: torch.nn.Module) -> dict[str, torch.Tensor]:
        more = {k: torch.from_numpy(v) for k, v in self.feeds.items() if k != "pictures"}
        return self.recipe.outputs(module, self.batch.pixels, more)

    def headline(self, module: torch.nn.Module) -> float:
        """What the task is measured by, on the pictures of the batch."""
        graph = TorchGraph(self.recipe, module, device=torch.device("cpu"))
        meter = self.recipe.task.meter()
        meter.update(self.recipe.task.decode(graph(self.feeds), self.prepared), self.data.targets)
        return float(meter.compute()[self.recipe.task.headline])

    def network(self, seed: int = 0) -> torch.nn.Module:
        torch.manual_seed(seed)
        return self.recipe.build()


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, make_dataset: Any) -> Case:
    return Case(*request.param, make_dataset)


def test_one_batch_is_learnt_by_heart(case: Case) -> None:
    module = case.network().train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=case.examples.LR, weight_decay=0.0)
    losses = []
    for _ in range(case.examples.STEPS):
        optimizer.zero_grad()
        loss = case.recipe.loss(module, case.batch)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    learnt, before = case.headline(module.eval()), case.headline(case.network())
    assert losses[-1] < losses[0]
    if case.recipe.task.headline_mode == "max":
        assert learnt > case.examples.learnt(before)
    else:
        assert learnt < case.examples.learnt(before)


def test_the_same_seed_builds_the_same_network(case: Case) -> None:
    one, same, other = case.network(), case.network(), case.network(seed=1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert any(not torch.equal(v, other.state_dict()[n]) for n, v in one.state_dict().items())


def test_weights_survive_a_file(case: Case, tmp_path: Path) -> None:
    module, fresh = case.network().eval(), case.network(seed=1).eval()
    save_file({k: v.contiguous() for k, v in module.state_dict().items()}, tmp_path / "w.safetensors")
    fresh.load_state_dict(load_file(tmp_path / "w.safetensors"))
    for name, value in case.outputs(module).items():
        assert torch.equal(value, case.outputs(fresh)[name])


def test_the_exported_graph_answers_alike_for_any_batch(case: Case, tmp_path: Path) -> None:
    module = case.network().eval()
    for name, source in case.recipe.graphs(module).items():
        path = tmp_path / f"{name}.onnx"
        write_graph(source, path, input_hw=case.recipe.task.input_hw, metadata={"names": ["å", "b"]})
        told = check_parity(case.recipe, source, path, case.pixels)
        assert set(source.outputs) <= {*told, *case.examples.COMPARED_OTHERWISE}
        graph = load_graph(path)
        assert graph.input_names == ("pictures", *source.more_inputs)
        assert graph.output_names == source.outputs
        alone = graph({name: value[:1] for name, value in case.feeds.items()})
        beside_others = {output: value[:1] for output, value in graph(case.feeds).items()}
        for output, value in alone.items():
            assert value.shape == beside_others[output].shape
            if not case.examples.COMPARED_OTHERWISE:
                np.testing.assert_allclose(value, beside_others[output], atol=1e-4, rtol=1e-4)
        differences = case.recipe.task.differences(alone, beside_others)
        assert max(differences.values()) <= 1e-3


def test_a_graph_of_other_weights_is_refused(case: Case, tmp_path: Path) -> None:
    (source, other) = (case.recipe.graphs(case.network(seed).eval())["main"] for seed in (0, 1))
    path = tmp_path / "main.onnx"
    write_graph(other, path, input_hw=case.recipe.task.input_hw, metadata={})
    with pytest.raises(TrainingError, match="differs from the network"):
        check_parity(case.recipe, source, path, case.pixels)


def test_training_outputs_are_among_the_exported_ones(case: Case) -> None:
    module = case.network().eval()
    exported = case.recipe.graphs(module)["main"].outputs
    assert set(case.outputs(module)) <= set(exported)


def test_mixing_everything_with_itself_changes_nothing_or_is_refused(case: Case) -> None:
    if not case.examples.MIXES:
        for asked in (AugmentSettings(mixup=0.2), AugmentSettings(cutmix=1.0)):
            with pytest.raises(UsageError, match="mixup and cutmix"):
                case.recipe.augment(asked, case.pixels)
        return
    module = case.network().eval()
    share = torch.linspace(0.1, 0.9, len(case.pixels))
    mixed = Batch(case.batch.pixels, case.batch.targets, case.batch.targets, share)
    plain = case.recipe.loss(module, case.batch)["loss"]
    torch.testing.assert_close(case.recipe.loss(module, mixed)["loss"], plain)


def test_the_harm_of_a_mixed_batch_is_that_of_its_parts_in_their_shares(case: Case) -> None:
    if not case.examples.MIXES:
        return
    module, plain = case.network().eval(), case.batch
    others = {name: value.roll(1, dims=0) for name, value in plain.targets.items()}
    share = torch.linspace(0.1, 0.9, len(case.pixels))
    own, other = (case.recipe.harm(module, Batch(plain.pixels, one)) for one in (plain.targets, others))
    found = case.recipe.harm(module, Batch(plain.pixels, plain.targets, others, share))
    assert not torch.allclose(own, other)
    torch.testing.assert_close(found, share * own + (1 - share) * other)


@pytest.mark.parametrize("augment", ["auto", "none", "heavy"])
def test_truths_that_follow_keep_their_form(case: Case, augment: str) -> None:
    wishes = AugmentSettings.parse({"augment": augment, "rotate_deg": 8.0})
    settled = case.recipe.augment(wishes, case.pixels)
    plan = Augmenter(settled, case.recipe.task.input_hw, seed=1).plan(2, np.arange(len(case.pixels)))
    before = {name: value.clone() for name, value in case.batch.targets.items()}
    followed = case.recipe.follow(dict(case.batch.targets), plan)
    assert set(followed) == set(before)
    for name, value in before.items():
        assert followed[name].shape == value.shape
        assert followed[name].dtype == value.dtype
        assert torch.equal(case.batch.targets[name], value)  # the stored truths are not touched


def test_no_records_have_truths_of_the_same_kinds(case: Case) -> None:
    size_hw = case.recipe.task.input_hw
    pixels = np.zeros((0, *size_hw, 3), np.uint8)
    none = case.recipe.encode([], PreparedSet(pixels, np.zeros((0, 6)), np.arange(0), ()))
    assert {k: v.dtype for k, v in none.items()} == {k: v.dtype for k, v in case.batch.targets.items()}
    assert all(len(value) == 0 for value in none.values())


def test_a_solved_head_beats_a_random_one(case: Case) -> None:
    if not case.recipe.solves_head:
        with pytest.raises(NotImplementedError, match="solves no head"):
            case.recipe.solve_head(torch.zeros(1, 2), {}, torch.zeros(1, 2), {})
        return
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
