"""What every method must do, whatever it is: losses, candidates, exported graphs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from striate.engine.export import check_parity, write_graph
from striate.graphs import load_graph
from striate.nn.recipe import Batch
from striate.tasks.detect.methods.registry import HEADS
from striate.tasks.detect.network import OUTPUTS
from striate.tasks.detect.proposing import PROPOSED_OUTSIDE

MakeDetection = Callable[..., Any]

VARIANTS: dict[str, dict[str, str]] = {
    **{name: {"method": name} for name in HEADS},
    "fcos-turned": {"method": "fcos", "boxes": "turned"},
}

pytestmark = pytest.mark.parametrize("variant", VARIANTS)

OBJECTS = {"none": (0, 0), "one": (1, 1), "sixty": (60, 60), "mixed": (0, 60, 1)}


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("objects", OBJECTS.values(), ids=OBJECTS)
def test_losses_and_gradients_are_finite(
    make_detection: MakeDetection,
    variant: str,
    objects: tuple[int, ...],
    precision: torch.dtype,
) -> None:
    made = make_detection(**VARIANTS[variant], objects=objects)
    module = made.network().train()
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        losses = made.recipe.loss(module, made.batch)
    parts = {name: value for name, value in losses.items() if name != "loss"}
    assert parts
    assert all(value.dtype == torch.float32 and value.dim() == 0 for value in losses.values())
    assert all(torch.isfinite(value) and value >= 0 for value in losses.values())
    torch.testing.assert_close(losses["loss"], torch.stack(list(parts.values())).sum())
    losses["loss"].backward()
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    assert all(torch.isfinite(value).all() for value in gradients.values())
    if any(objects):  # SSD takes as many negatives as positives allow: of nothing it learns nothing
        assert any(n.startswith("backbone.") and value.any() for n, value in gradients.items())
        assert any(n.startswith("head.") and value.any() for n, value in gradients.items())
    if objects == OBJECTS["mixed"]:  # what no loss ever touches is dead weight
        reached = set(gradients)
        known = {name for name, p in module.named_parameters() if p.requires_grad}
        assert not {name for name in known - reached if name.startswith("head.")}


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_candidates_lie_in_the_input(
    make_detection: MakeDetection, variant: str, precision: torch.dtype
) -> None:
    made = make_detection(**VARIANTS[variant])
    module = made.network().eval()
    more = made.more() if made.recipe.outside else None
    with torch.no_grad(), torch.autocast("cpu", precision, enabled=precision != torch.float32):
        found = module.head.candidates(module(made.batch.pixels, more))
        outputs = made.recipe.outputs(module, made.batch.pixels, made.more())
    boxes, scores, labels = (outputs[name] for name in OUTPUTS)
    numbers = 5 if made.recipe.known.oriented else 4
    assert found.boxes.shape == (3, found.scores.shape[1], numbers)
    assert found.scores.shape[2] == 3
    assert torch.isfinite(found.boxes).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert boxes.shape[1:] == (scores.shape[1], numbers)
    assert scores.shape == labels.shape
    assert scores.shape[1] <= (900 if numbers == 5 else 300)
    assert all(torch.isfinite(one).all() for one in (boxes, scores))
    assert (labels >= 0).all()
    assert (labels < 3).all()
    for answer in made.recipe.task.decode(
        {name: outputs[name].float().numpy() for name in OUTPUTS}, made.prepared
    ):
        assert len(answer) <= 300
        middles = (answer.boxes_xyxy[:, :2] + answer.boxes_xyxy[:, 2:]) / 2
        assert ((middles >= 0) & (middles <= [64, 48])).all()
        if numbers == 4:
            assert (answer.boxes_xyxy >= 0).all()
            assert (answer.boxes_xyxy <= [64, 48, 64, 48]).all()


def test_the_exported_graph_answers_as_the_network(
    make_detection: MakeDetection, variant: str, tmp_path: Path
) -> None:
    made = make_detection(**VARIANTS[variant])
    network = made.network().eval()
    with torch.no_grad():  # as if it had learnt something: equal scores would leave the choice to chance
        for name, parameter in network.head.named_parameters():
            parameter.mul_(8.0 if parameter.ndim > 1 and "pyramid" not in name else 1.0)
    source, path = made.recipe.graphs(network)["main"], tmp_path / "main.onnx"
    write_graph(source, path, input_hw=(64, 96), metadata={})
    for rows in (slice(0, 1), slice(0, 3)):
        told = check_parity(made.recipe, source, path, made.pixels[rows])
        assert told["unpaired"] == 0
    graph = load_graph(path)
    assert ("proposals" in graph.input_names) == (variant in PROPOSED_OUTSIDE)
    blank = np.zeros((2, 64, 96, 3), np.uint8)  # where there may be no proposal at all
    found = graph(made.recipe.feeds(blank))
    assert all(np.isfinite(one).all() for one in found.values())


def test_the_same_seed_is_the_same_head(make_detection: MakeDetection, variant: str) -> None:
    made = make_detection(**VARIANTS[variant])
    one, same, other = made.network(3), made.network(3), made.network(4)
    ours = one.state_dict()
    assert all(torch.equal(value, same.state_dict()[name]) for name, value in ours.items())
    assert any(not torch.equal(v, other.state_dict()[n]) for n, v in ours.items())
    losses = []
    for module in (one, same):
        torch.manual_seed(0)
        losses.append(made.recipe.loss(module.train(), made.batch)["loss"])
    assert torch.equal(*losses)


def test_a_second_look_changes_nothing(make_detection: MakeDetection, variant: str) -> None:
    made = make_detection(**VARIANTS[variant])
    module = made.network().eval()
    with torch.no_grad():
        one, two = (made.recipe.outputs(module, made.batch.pixels, made.more()) for _ in range(2))
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_remarks_are_sentences(make_detection: MakeDetection, variant: str) -> None:
    made = make_detection(**VARIANTS[variant])
    assert all(isinstance(one, str) and one for one in made.recipe.remarks(made.network()))


def test_attacks_have_a_gradient_to_follow(make_detection: MakeDetection, variant: str) -> None:
    """In evaluation mode, as a network is attacked; the statistics of its batches stay as they are."""
    made = make_detection(**VARIANTS[variant], objects=(2, 3))
    module = made.network().eval()
    before = {name: value.clone() for name, value in module.named_buffers()}
    pixels = made.batch.pixels.clone().requires_grad_(True)
    made.recipe.harm(module, Batch(pixels, made.batch.targets)).sum().backward()
    assert pixels.grad is not None
    assert torch.isfinite(pixels.grad).all()
    assert all(one.any() for one in pixels.grad)
    assert not module.training
    assert all(torch.equal(value, before[name]) for name, value in module.named_buffers())
