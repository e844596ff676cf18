from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from striate.errors import DataError, UsageError
from striate.nn.network import Network, build_network
from striate.nn.networks.backbone import Normalisation
from striate.nn.weights.load import load_weights
from striate.nn.weights.source import WeightsSource, sha256_of

SIZE_HW = (32, 40)


def _network(
    model: str = "test_resnet", *, channels: int = 3, classes: int = 4, seed: int = 0
) -> Network:
    torch.manual_seed(seed)
    return build_network(
        model,
        in_channels=channels,
        size_hw=SIZE_HW if "vit" not in model else (64, 96),
        head=lambda features: nn.Linear(features, classes),
        norm=Normalisation((0.1 * seed,) * channels, (0.5,) * channels),
    )


def _source(
    tensors: dict[str, Tensor], folder: Path, *, kind: str = "file", model: str = ""
) -> WeightsSource:
    path = folder / "weights.safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)
    return WeightsSource(kind, "somewhere", path, sha256_of(path), model=model)  # type: ignore[arg-type]


def _published(model: str = "test_resnet") -> nn.Module:
    """What is on the hub: timm's own names, with a head of 1000 classes."""
    torch.manual_seed(9)
    found: nn.Module = timm.create_model(model, pretrained=False)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.01)
    return found


def _pictures(size_hw: tuple[int, int] = SIZE_HW) -> Tensor:
    return torch.rand(2, 3, *size_hw) * 255


def test_published_weights_give_the_published_features(tmp_path: Path) -> None:
    published, network = _published().eval(), _network().eval()
    notes = load_weights(network, _source(published.state_dict(), tmp_path, kind="pretrained"))
    pictures = _pictures()
    with torch.no_grad():
        expected = published.forward_head(
            published.forward_features(network.normalise(pictures)), pre_logits=True
        )
        torch.testing.assert_close(network.features(pictures), expected)
    count = sum(not name.endswith("num_batches_tracked") for name in network.backbone.state_dict())
    assert notes[0] == f"loaded {count} of {count} tensors of test_resnet from somewhere"
    assert notes[1] == "left out: fc.bias, fc.weight (a head for other classes)"
    assert len(notes) == 2


def test_a_file_without_batch_counters_is_complete(tmp_path: Path) -> None:
    state = {n: t for n, t in _published().state_dict().items() if not n.endswith("num_batches_tracked")}
    notes = load_weights(_network(), _source(state, tmp_path))
    assert "left random" not in " ".join(notes)


@pytest.mark.parametrize("kind", ["file", "pretrained"])
def test_colour_filters_are_summed_for_grey_networks(kind: str, tmp_path: Path) -> None:
    """On a grey picture, the sum of the three filters answers as the three did."""
    published, network = _published(), _network(channels=1)
    load_weights(network, _source(published.state_dict(), tmp_path, kind=kind))
    first = next(name for name in published.state_dict() if name.endswith(".weight"))
    loaded = network.backbone.model.state_dict()[first]
    torch.testing.assert_close(
        loaded, published.state_dict()[first].sum(dim=1, keepdim=True), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("kind", ["file", "pretrained"])
def test_position_embeddings_are_interpolated_to_another_size(kind: str, tmp_path: Path) -> None:
    published, network = _published("test_vit"), _network("test_vit")
    before, wanted = (
        published.state_dict()["pos_embed"],
        network.backbone.model.state_dict()["pos_embed"],
    )
    assert before.shape != wanted.shape
    notes = load_weights(network, _source(published.state_dict(), tmp_path, kind=kind))
    assert "left random" not in " ".join(notes)
    after = network.backbone.model.state_dict()["pos_embed"]
    assert after.mean() == pytest.approx(float(before.mean()), abs=0.01)
    for name in ("norm.weight", "blocks.0.mlp.fc2.weight"):
        assert torch.equal(network.backbone.model.state_dict()[name], published.state_dict()[name])


def test_filters_of_our_own_networks_are_summed_too(tmp_path: Path) -> None:
    trained, network = _network("deck-cnn", seed=1), _network("deck-cnn", channels=1, seed=2)
    notes = load_weights(network, _source(trained.state_dict(), tmp_path, kind="run"))
    assert "left random" not in " ".join(notes)
    first = "model.conv1.weight"
    summed = trained.backbone.state_dict()[first].sum(dim=1, keepdim=True)
    assert torch.equal(network.backbone.state_dict()[first], summed)


def test_a_run_brings_its_head_and_normalisation(tmp_path: Path) -> None:
    trained, network = _network(seed=1), _network(seed=2)
    notes = load_weights(network, _source(trained.state_dict(), tmp_path, kind="run"))
    assert notes[-1] == "its head is taken over too"
    for name, tensor in trained.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(network.state_dict()[name], tensor), name


def test_a_run_for_other_classes_brings_all_but_its_head(tmp_path: Path) -> None:
    trained, network = _network(seed=1, classes=4), _network(seed=2, classes=5)
    own = network.head.weight.detach().clone()
    notes = load_weights(network, _source(trained.state_dict(), tmp_path, kind="run"))
    assert "head is left out" in notes[-1]
    assert torch.equal(network.head.weight, own)
    assert torch.equal(network.scale, trained.scale)
    assert torch.equal(network.shift, trained.shift)


def test_another_network_is_refused_with_the_first_difference(tmp_path: Path) -> None:
    other = _source(
        _published("test_efficientnet").state_dict(),
        tmp_path,
        kind="pretrained",
        model="test_efficientnet",
    )
    network = _network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(UsageError) as caught:
        load_weights(network, other)
    assert "are not of the network test_resnet" in str(caught.value)
    assert "The first that does not is conv1" in str(caught.value)
    assert caught.value.remedy == "use --model test_efficientnet"
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def test_wrong_shapes_are_refused_too(tmp_path: Path) -> None:
    """The right names in the wrong sizes: not even for published weights is the rest made up."""
    state = {name: torch.zeros(3, *tensor.shape) for name, tensor in _published().state_dict().items()}
    for kind in ("file", "pretrained"):
        with pytest.raises(UsageError, match="0 of its"):
            load_weights(_network(), _source(state, tmp_path, kind=kind))


def test_one_odd_tensor_is_left_random_and_named(tmp_path: Path) -> None:
    state = _published().state_dict()
    odd = next(name for name in state if name.startswith("layer4") and name.endswith("weight"))
    state[odd] = torch.zeros(1)
    notes = load_weights(_network(), _source(state, tmp_path))
    assert f"left random, because they do not fit: {odd}" in notes


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    source = _source(_published().state_dict(), tmp_path)
    content = bytearray(source.path.read_bytes())
    content[-5] ^= 0x10
    source.path.write_bytes(content)
    with pytest.raises(DataError, match="sha256 differs"):
        load_weights(_network(), source)
    source.path.unlink()
    with pytest.raises(DataError, match="missing"):
        load_weights(_network(), source)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    state = _published().state_dict()
    state["fc.bias"][3] = float("nan")
    with pytest.raises(DataError, match=r"fc\.bias.*not finite"):
        load_weights(_network(), _source(state, tmp_path))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    source = _source({"a": torch.ones(1)}, tmp_path)
    source.path.write_bytes(b"\xff" * 64)
    broken = dataclasses.replace(source, sha256=sha256_of(source.path))
    with pytest.raises(DataError, match="not a readable safetensors file"):
        load_weights(_network(), broken)
