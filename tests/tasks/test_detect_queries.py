"""RT-DETR: what is special to it; what every method must do is in test_detect_methods."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("transformers")

from striate.engine.export import check_parity, write_graph
from striate.errors import MissingExtraError
from striate.nn.weights.load import load_weights
from striate.nn.weights.source import WeightsSource, sha256_of
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.methods import queries
from striate.tasks.detect.methods.queries import queries_of

MakeDetection = Callable[..., Any]

COLOURS = ((250, 40, 30), (20, 60, 250), (40, 200, 60))


def _facts(most_boxes: int) -> DetectFacts:
    return DetectFacts(
        method="rtdetr", model="test_resnet", names=("ant",), size_hw=(64, 96), most_boxes=most_boxes
    )


@pytest.mark.parametrize(
    ("most_boxes", "places", "wanted"),
    [(1, 9999, 100), (80, 9999, 160), (1000, 9999, 300), (1000, 126, 126), (0, 30, 30)],
)
def test_queries_suit_the_pictures(most_boxes: int, places: int, wanted: int) -> None:
    assert queries_of(_facts(most_boxes).model_copy(update={"most_boxes": most_boxes}), places) == wanted


def test_too_many_objects_are_told_of(make_detection: MakeDetection) -> None:
    head = make_detection("rtdetr").network().head
    assert head.remarks() == []
    head.facts = _facts(1000)
    assert "at most 100 objects" in head.remarks()[0]
    assert "1000" in head.remarks()[0]


def test_without_transformers_the_error_says_what_to_install(
    make_detection: MakeDetection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module itself is imported for every method, and so must do without."""
    shapes = make_detection("rtdetr").network().head.shapes
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert queries.__file__
    spec = importlib.util.spec_from_file_location("queries_afresh", queries.__file__)
    assert spec
    assert spec.loader
    afresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(afresh)
    with pytest.raises(MissingExtraError, match=r"method rtdetr needs transformers.*striate\[hf\]"):
        afresh.RtDetr(shapes, _facts(3))


def test_nothing_is_fetched(make_detection: MakeDetection, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    made = make_detection("rtdetr")
    assert torch.isfinite(made.recipe.loss(made.network().train(), made.batch)["loss"])


def test_boxes_are_where_the_truths_are(make_detection: MakeDetection) -> None:
    """Who is always right answers in input pixels, though own boxes are parts of a padded input."""
    made = make_detection("rtdetr", (4,), size="70x100")
    head = made.network().head
    assert head.padded_hw == (96, 128)
    targets = made.batch.targets
    boxes = head._labels(targets)[0]["boxes"]
    assert ((boxes > 0) & (boxes < 1)).all()
    found = head.candidates({"logits": torch.zeros(1, 4, 3), "boxes": boxes[None]})
    torch.testing.assert_close(found.boxes, targets["boxes"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", ["70x100", "32x32"])
def test_any_size_is_trained_and_exported(
    make_detection: MakeDetection, size: str, tmp_path: Path
) -> None:
    made = make_detection("rtdetr", size=size)
    module, path = made.network().train(), tmp_path / "main.onnx"
    made.recipe.loss(module, made.batch)["loss"].backward()
    source = made.recipe.graphs(module.eval())["main"]
    write_graph(source, path, input_hw=made.recipe.known.size_hw, metadata={})
    told = check_parity(made.recipe, source, path, made.pixels)
    assert told["boxes"] < 1e-3
    assert told["unpaired"] == 0


def test_every_weight_is_reached_though_nothing_is_there(make_detection: MakeDetection) -> None:
    """Processes that train together would wait for ever for a gradient that does not come."""
    made = make_detection("rtdetr", (0, 0))
    module = made.network().train()
    made.recipe.loss(module, made.batch)["loss"].backward()
    assert [name for name, p in module.head.named_parameters() if p.grad is None] == []


def test_a_look_without_gradients_does_not_spoil_training(make_detection: MakeDetection) -> None:
    """transformers keeps places and positions from call to call; those of a mere look must serve."""
    made = make_detection("rtdetr")
    with torch.inference_mode():
        made.recipe.outputs(made.network().eval(), made.batch.pixels, {})
    made.recipe.loss(made.network().train(), made.batch)["loss"].backward()


def test_weights_of_a_backbone_or_a_run_are_taken(make_detection: MakeDetection, tmp_path: Path) -> None:
    made = make_detection("rtdetr")
    one, backbone_only, whole = made.network(1), made.network(2), made.network(3)
    state = {name: tensor.contiguous() for name, tensor in one.state_dict().items()}
    published = {
        name.removeprefix("backbone.model."): tensor
        for name, tensor in state.items()
        if name.startswith("backbone.model.")
    }
    for network, tensors in ((backbone_only, published), (whole, state)):
        path = tmp_path / "weights.safetensors"
        save_file(tensors, path)  # refuses tensors that share memory
        load_weights(network, WeightsSource("file", "somewhere", path, sha256_of(path)))
        assert all(
            torch.equal(t, state[f"backbone.{n}"]) for n, t in network.backbone.state_dict().items()
        )
    assert all(torch.equal(tensor, state[name]) for name, tensor in whole.state_dict().items())
    names = [name for name in state if name.startswith("head.") and name.endswith("weight")]
    assert any(not torch.equal(backbone_only.state_dict()[name], state[name]) for name in names)


def test_learns_by_heart_answers_once_an_object_and_is_exported(
    make_detection: MakeDetection, tmp_path: Path
) -> None:
    made = make_detection("rtdetr", (1, 2, 0), iou_threshold=1.0)  # nothing is suppressed
    pixels = np.full_like(made.pixels, 120)
    for row, (boxes, labels) in enumerate(
        zip(made.batch.targets["boxes"], made.batch.targets["labels"], strict=True)
    ):
        for (left, top, right, bottom), label in zip(
            boxes.round().int().tolist(), labels.tolist(), strict=True
        ):
            if label >= 0:
                pixels[row, top:bottom, left:right] = COLOURS[label]
    batch = type(made.batch)(torch.from_numpy(pixels).permute(0, 3, 1, 2).float(), made.batch.targets)
    module = made.network().train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3, weight_decay=0.0)
    for _ in range(80):
        optimizer.zero_grad()
        made.recipe.loss(module, batch)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        outputs = made.recipe.outputs(module.eval(), batch.pixels, {})
    answers = made.recipe.task.decode({n: o.numpy() for n, o in outputs.items()}, made.prepared)
    meter = made.recipe.task.meter()
    meter.update(answers, made.targets)
    assert meter.compute()["ap50"] > 0.99
    assert [len(answer.above(0.5)) for answer in answers] == [1, 2, 0]
    source, path = made.recipe.graphs(module)["main"], tmp_path / "main.onnx"
    write_graph(source, path, input_hw=(64, 96), metadata={})
    told = check_parity(made.recipe, source, path, pixels)
    assert told["boxes"] * 96 < 0.5
    assert told["scores"] < 1e-3
    assert told["unpaired"] == 0
