from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from striate.errors import UnknownNameError, UsageError
from striate.nn import networks
from striate.nn.networks.backbone import IMAGENET, Backbone
from striate.nn.networks.pooling import FixedAverage
from striate.nn.networks.registry import NETWORKS, build_backbone, check_name, smallest_side
from striate.nn.networks.small import small_cnn

SIZES = {"alexnet": (64, 70), "zfnet": (64, 70), "googlenet": (40, 33)}
TIMM = ("test_resnet", "test_vit", "test_convnext", "test_efficientnet")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [*NETWORKS, *TIMM])
def test_every_backbone_keeps_its_promises(name: str, channels: int) -> None:
    """Features of the promised width, gradients for all that is trained, stages that cover it."""
    size_hw = SIZES.get(name, (32, 48))
    backbone = build_backbone(name, channels=channels, size_hw=size_hw)
    assert backbone.training
    features = backbone(torch.randn(3, channels, *size_hw))
    assert features.shape == (3, backbone.features_dim)
    parameters = {name: p for name, p in backbone.named_parameters() if p.requires_grad}
    if parameters:
        features.square().mean().backward()
        assert all(parameter.grad is not None for parameter in parameters.values())
    assert len(backbone.preferred_norm.for_channels(channels).mean) == channels
    staged = [id(p) for stage in backbone.stages() for p in stage.parameters()]
    assert len(staged) == len(set(staged))
    # class tokens and the like stand outside the stages
    assert sum(id(p) in set(staged) for p in parameters.values()) >= len(parameters) - 2


@pytest.mark.parametrize("name", ["small-cnn", "deck-cnn", "pixels-mlp"])
def test_equal_seeds_equal_weights(name: str) -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        found.append(build_backbone(name, channels=3, size_hw=(20, 20)).state_dict())
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])


@pytest.mark.parametrize(
    ("name", "side"), [("alexnet", 63), ("deck-cnn", 10), ("pixels-linear", 1), ("small-cnn", 1)]
)
def test_smallest_side_is_found(name: str, side: int) -> None:
    """AlexNet by hand: 63 → 15 → 7 → 7 → 3 → 3 → 1; of 62, nothing is left after the last pooling."""
    assert smallest_side(name) == side
    build_backbone(name, channels=3, size_hw=(side, side))
    if side > 1:
        with pytest.raises(UsageError, match=f"at least {side}×{side}"):
            build_backbone(name, channels=3, size_hw=(side - 1, side + 20))


def test_small_pictures_in_a_large_network_are_explained() -> None:
    with pytest.raises(UsageError) as caught:
        build_backbone("alexnet", channels=3, size_hw=(8, 8))
    assert "alexnet cannot take pictures of 8×8 pixels" in str(caught.value)
    assert "use --size 63" in caught.value.remedy


@pytest.mark.parametrize("size_hw", [(1, 1), (5, 3), (8, 8), (33, 97), (224, 224)])
def test_the_small_network_takes_any_size(size_hw: tuple[int, int]) -> None:
    backbone = small_cnn(3, size_hw, width=16, depth=3).eval()
    assert backbone(torch.randn(2, 3, *size_hw)).shape == (2, 64)


def test_vgg_averages_small_maps_by_a_product_that_exports() -> None:
    with torch.device("meta"):
        small = build_backbone("vgg11", channels=3, size_hw=(64, 96))
        usual = build_backbone("vgg11", channels=3, size_hw=(224, 224))
    assert isinstance(small.model.get_submodule("features")[-1], FixedAverage)  # type: ignore[index]
    assert not isinstance(usual.model.get_submodule("features")[-1], FixedAverage)  # type: ignore[index]
    assert small.state_dict().keys() == usual.state_dict().keys()


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'resnet18'"):
        build_backbone("resnt18", channels=3, size_hw=(32, 32))
    for name in ("resnet18.no_such_tag", "hf-hub:someone/model", "local-dir:/tmp", "../resnet18", ""):
        with pytest.raises(UnknownNameError):
            check_name(name)


def test_names_with_underscores_and_tags_are_known() -> None:
    assert check_name("small_cnn") == "small-cnn"
    assert check_name("resnet18.a1_in1k") == "resnet18.a1_in1k"


def test_wrong_stage_names_fail_at_once() -> None:
    with pytest.raises(AttributeError):
        Backbone(torch.nn.Flatten(), features_dim=3, stages=[("no_such_part",)])


def test_grey_normalisation_is_that_of_luma() -> None:
    grey = IMAGENET.for_channels(1)
    assert grey.mean[0] == pytest.approx(0.299 * 0.485 + 0.587 * 0.456 + 0.114 * 0.406)
    assert IMAGENET.for_channels(3) is IMAGENET


@pytest.mark.parametrize(
    "module", sorted(Path(networks.__path__[0]).glob("*.py")), ids=lambda path: path.stem
)
def test_timm_and_torchvision_are_imported_where_they_are_used(module: Path) -> None:
    """Each takes seconds to import; our own networks need neither."""
    at_top = [
        node
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not {"timm", "torchvision"} & {
        name.partition(".")[0] for node in at_top for name in _names(node)
    }


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    )
