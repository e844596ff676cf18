"""Networks that have forgotten what they learnt, from the head downwards, for the randomisation check.

Adebayo et al. (2018), "Sanity checks for saliency maps": a map that stays when weights are drawn anew
does not tell what the network has learnt.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from striate.gradients.question import Network, Question

__all__ = ["cascade", "weighted_order"]

_FIXED = ("scale", "shift", "luma")
"""How pictures are normalised: no part of what is forgotten."""


def weighted_order(network: Network, question: Question) -> list[str]:
    """Modules that hold weights or statistics of their own, in the order in which they answer.

    Those that never run by themselves (their weights are used by others) come first.
    """
    owners = [name for name, one in network.module.named_modules() if name and _own(one)]
    ran: list[str] = []

    def hear(name: str) -> Any:
        return lambda *_: ran.append(name)

    modules = dict(network.module.named_modules())
    handles = [modules[name].register_forward_hook(hear(name)) for name in owners]
    try:
        with torch.no_grad():
            network.pull(question)
    finally:
        for handle in handles:
            handle.remove()
    order = list(dict.fromkeys(ran))
    return [name for name in owners if name not in order] + order


def _own(module: nn.Module) -> list[str]:
    return [
        name
        for name, _ in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    ]


def cascade(network: Network, question: Question, *, seed: int = 0) -> list[tuple[str, Network]]:
    """(what was drawn anew, the network), less and less of it learnt: head, upper half, all."""
    order = weighted_order(network, question)
    fresh = _untrained(network, seed)
    stages: Sequence[tuple[str, Sequence[str]]] = (
        ("the last layer", order[-1:]),
        ("the upper half", order[len(order) // 2 :]),
        ("all layers", order),
    )
    return [(words, _mixed(network, fresh, names)) for words, names in stages]


def _untrained(network: Network, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network.recipe.build()


def _mixed(network: Network, fresh: nn.Module, names: Sequence[str]) -> Network:
    """A copy of `network` in which the modules `names` are those of `fresh`."""
    module = copy.deepcopy(network.module)
    for name in names:
        to, source = module.get_submodule(name), fresh.get_submodule(name)
        with torch.no_grad():
            for own in _own(to):
                if "." not in name and own in _FIXED:
                    continue
                value = (
                    source.get_parameter(own)
                    if own in dict(source.named_parameters())
                    else source.get_buffer(own)
                )
                held = (
                    to.get_parameter(own) if own in dict(to.named_parameters()) else to.get_buffer(own)
                )
                held.copy_(value)
    return Network.of(network.recipe, module)
