from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from striate.errors import UnknownNameError, UsageError
from striate.nn.network import Network, PictureNetwork
from striate.tasks.detect.methods.registry import HEADS
from striate.tasks.detect.network import DetectGraph, objects_of

MakeDetection = Callable[..., Any]


def test_a_detector_is_a_network_of_pictures(make_detection: MakeDetection) -> None:
    module = make_detection("fcos").network()
    assert isinstance(module, PictureNetwork)
    assert not isinstance(module, Network)
    assert (module.name, module.channels, module.size_hw) == ("test_resnet", 3, (64, 96))
    assert [one.stride for one in module.maps.shapes] == [8, 16, 32]
    # maps are read out of the backbone: they own nothing that would be saved twice
    assert not [name for name in module.state_dict() if name.startswith("maps")]
    assert {name.partition(".")[0] for name, _ in module.named_parameters()} == {"backbone", "head"}


@pytest.mark.parametrize("model", ["small-cnn", "pixels-linear", "test_vit"])
@pytest.mark.parametrize("method", ["fcos", "faster-rcnn", "single"])
def test_a_network_without_maps_is_refused(
    make_detection: MakeDetection, method: str, model: str
) -> None:
    with pytest.raises(UsageError, match=f"{model} has .*maps.*resnet18"):
        make_detection(method, model=model).network()


def test_an_unknown_network_is_refused(make_detection: MakeDetection) -> None:
    with pytest.raises(UnknownNameError, match="resnet18"):
        make_detection("fcos", model="resnett18").network()


@pytest.mark.parametrize("depth", ["head", "last", "all"])
def test_depth_freezes_what_is_below(make_detection: MakeDetection, depth: str) -> None:
    made = make_detection("fcos", (1, 2))
    module = made.network().train()
    module.freeze(depth)
    made.recipe.loss(module, made.batch)["loss"].backward()
    moved = {name for name, p in module.named_parameters() if p.grad is not None and p.grad.any()}
    assert any(name.startswith("head.") for name in moved)
    assert any(name.startswith("backbone.") for name in moved) == (depth != "head")
    first = next(name for name, _ in module.named_parameters() if name.startswith("backbone."))
    assert (first in moved) == (depth == "all")


def test_objects_are_those_that_are_there() -> None:
    boxes = torch.arange(24.0).view(2, 3, 4)
    labels = torch.tensor([[1, -1, 0], [-1, -1, -1]])
    one, none = objects_of({"boxes": boxes, "labels": labels})
    assert one["labels"].tolist() == [1, 0]
    assert torch.equal(one["boxes"], boxes[0, [0, 2]])
    assert none["boxes"].shape == (0, 4)
    assert none["labels"].shape == (0,)


def test_ways_to_settle_overlaps_reach_the_graph(make_detection: MakeDetection) -> None:
    """Agnostic leaves no more than per class, soft no fewer: its overlaps are settled afterwards."""
    counts = {}
    for nms in ("per-class", "agnostic", "soft"):
        made = make_detection("retinanet", nms=nms, score_threshold=0.001)
        graph = DetectGraph(made.network().eval(), made.recipe.known)
        with torch.no_grad():
            scores = graph(torch.from_numpy(made.pixels))[1]
        counts[nms] = int((scores > 0).sum())
    assert 0 < counts["agnostic"] <= counts["per-class"] <= counts["soft"]


def test_every_named_map_is_one_that_the_backbone_has() -> None:
    assert all(set(head.strides) <= {4, 8, 16, 32} for head in HEADS.values())
