"""Two real processes over gloo against one process with the whole batch."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from striate.errors import UsageError
from striate.nn.norm import SyncedBatchNorm, convert_sync

OTHER_PROCESS = """
import sys
from pathlib import Path
import torch
from safetensors.torch import load_file, save_file
sys.path.insert(0, {here!r})
import test_norm
folder = Path({folder!r})
found = test_norm.one_rank(1, folder, load_file(folder / "given.safetensors"))
save_file(found, folder / "found.safetensors")
"""
SPLIT = 5
"""Of 8 pictures: uneven halves, so that counts matter."""


def _network(state: dict[str, Tensor] | None = None) -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 12, 6),
        nn.BatchNorm1d(6, momentum=None, affine=False),
    )
    if state is not None:
        network.load_state_dict(state, strict=False)
    return network


def _train(network: nn.Module, pictures: Tensor) -> dict[str, Tensor]:
    """Two steps' worth of forward passes, the second one's gradients, and the running statistics."""
    pictures = pictures.clone().requires_grad_()
    network(pictures * 0.5)
    output = network(pictures)
    (output * torch.linspace(-1, 1, 6) + output.pow(3) / 3).sum().backward()
    found = {
        f"gradient.{n}": p.grad.clone() for n, p in network.named_parameters() if p.grad is not None
    }
    found |= {f"buffer.{n}": b.clone() for n, b in network.named_buffers()}
    assert pictures.grad is not None
    return found | {"output": output.detach().clone(), "input": pictures.grad.clone()}


def one_rank(rank: int, folder: Path, given: dict[str, Tensor]) -> dict[str, Tensor]:
    pictures = given.pop("pictures")
    own = pictures[:SPLIT] if rank == 0 else pictures[SPLIT:]
    warnings.simplefilter("ignore")  # gloo's own deprecations are not ours
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    try:
        return _train(convert_sync(_network(given)), own)
    finally:
        dist.destroy_process_group()


@pytest.mark.filterwarnings("ignore")
def test_two_processes_equal_one_with_the_whole_batch(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    pictures = torch.randn(8, 2, 5, 6) * 3 + 100  # a large mean: cancellation would show
    reference = _network()
    given = {name: tensor.clone() for name, tensor in reference.state_dict().items()}
    save_file(given | {"pictures": pictures}, tmp_path / "given.safetensors")
    code = OTHER_PROCESS.format(here=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        mine = one_rank(0, tmp_path, given | {"pictures": pictures})
        assert other.wait(120) == 0
    theirs = load_file(tmp_path / "found.safetensors")
    whole = _train(reference, pictures)
    for name in ("output", "input"):
        torch.testing.assert_close(
            torch.cat([mine[name], theirs[name]]), whole[name], atol=2e-4, rtol=1e-3
        )
    for name, expected in whole.items():
        if name.startswith("buffer."):
            torch.testing.assert_close(mine[name], expected, atol=1e-5, rtol=1e-4, msg=name)
            assert torch.equal(mine[name], theirs[name]), name
        elif name.startswith("gradient."):
            torch.testing.assert_close(
                mine[name] + theirs[name], expected, atol=1e-2, rtol=1e-3, msg=name
            )


def test_conversion_keeps_tensors_modes_and_names() -> None:
    network = _network()
    network[1].eval()
    tensors = dict(network.state_dict(keep_vars=True))
    converted = convert_sync(network)
    assert converted is network
    assert type(network[1]) is SyncedBatchNorm
    assert isinstance(network[5], SyncedBatchNorm)
    assert not network[1].training
    assert network[5].training
    after = dict(network.state_dict(keep_vars=True))
    assert after.keys() == tensors.keys()
    assert all(after[name] is tensors[name] for name in tensors)
    assert convert_sync(network)[1] is network[1]
    assert isinstance(convert_sync(nn.BatchNorm2d(3)), SyncedBatchNorm)


def test_timms_activation_inside_the_layer_is_kept() -> None:
    from timm.layers.norm_act import BatchNormAct2d

    plain = BatchNormAct2d(4, act_layer=nn.SiLU)
    maps = torch.randn(5, 4, 3, 3)
    expected = copy.deepcopy(plain)(maps)
    converted = convert_sync(nn.Sequential(plain))
    assert isinstance(converted[0], SyncedBatchNorm)  # type: ignore[index]
    assert torch.equal(converted(maps), expected)


def test_alone_it_is_torchs_own_layer() -> None:
    pictures = torch.randn(4, 2, 5, 6)
    plain, converted = _train(_network(), pictures), _train(convert_sync(_network()), pictures)
    for name in plain:
        assert torch.equal(plain[name], converted[name]), name


def test_a_layer_that_cannot_share_is_named() -> None:
    class Odd(nn.BatchNorm2d):
        pass

    with pytest.raises(UsageError, match="Odd cannot share"):
        convert_sync(nn.Sequential(Odd(3)))
