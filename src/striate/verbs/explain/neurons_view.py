"""Makes the view of a layer: channels with their patches, what of them counts, and what is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from striate.errors import MissingExtraError
from striate.explain.fields import LayerFields, fields_of_layer
from striate.explain.inside import Inside, Layer
from striate.explain.neuron_report import Channel, LayerView, TopPatch
from striate.explain.selectivity import choose_channels
from striate.explain.tiles import signal_picture
from striate.explain.top_patches import Strongest
from striate.types import Array, PictureArray
from striate.verbs.explain.neurons_data import Shown
from striate.verbs.model import Model

if TYPE_CHECKING:
    from striate.verbs.explain.neurons_torch import Neurons as Network

__all__ = ["Viewer", "has_network", "network_of"]


_WHOLE, _PATCHED = 100, 20
"""What a layer's view counts as, and how much of it the patches: the synthesis takes longer."""


def has_network(model: Model) -> bool:
    """Whether a run is a network, not a hand-made model."""
    return "model.safetensors" in model.run.files


def network_of(model: Model, inside: Inside, layers: Sequence[Layer]) -> Network | None:
    """None for a hand-made model, of which patches can still be shown."""
    if not has_network(model):
        return None
    try:
        from striate.verbs.explain.neurons_torch import Neurons as Opened
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("striate"):
            raise
        raise MissingExtraError(error.name, "train", needed_for="looking for what units want") from error
    return Opened(model, inside, layers)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Makes the view of a layer. `listen` hears how much of it is done, of how much."""

    model: Model
    inside: Inside
    shown: Shown | None
    network: Network | None
    steps: int
    seed: int
    listen: Callable[[int, int], None]

    def view(self, layer: Layer, named: Sequence[int], count: int, best: Strongest | None) -> LayerView:
        chosen = list(named) or self._chosen(layer, count, best)
        fields = self._fields(layer)
        known = self.network if self.network is not None and self.network.knows(layer) else None
        found = [self._channel(layer, one, best) for one in chosen]
        self.listen(0, _WHOLE)
        if best is not None:
            found = self._patched(found, layer, best, fields, known)
        if self.steps and known is not None:
            found = self._with_made(found, fields, known)
        self.listen(_WHOLE, _WHOLE)
        silent = None if best is None else int((best.preference.awake == 0).sum())
        typical = None if best is None else best.preference.typical
        note = self._note(layer)
        return LayerView(layer, fields.size_hw, fields.whole, tuple(found), silent, typical, note)

    def _chosen(self, layer: Layer, count: int, best: Strongest | None) -> list[int]:
        """The output shows its first classes; other layers the most selective channels, if known."""
        if best is None or layer.tensor in self.inside.output_names:
            return list(range(min(count, layer.channels)))
        return choose_channels(best.preference, count)

    def _fields(self, layer: Layer) -> LayerFields:
        data = self.model.run.file(self.model.header.graphs["main"]).read_bytes()
        return fields_of_layer(data, self.inside, layer)

    def _note(self, layer: Layer) -> str:
        if self.network is None:
            return "This is a hand-made model without gradients: patches are all that can be shown."
        if not self.network.knows(layer):
            return (
                "It is computed after the network, in its graph only: nothing can be sent back from it."
            )
        return ""

    def _channel(self, layer: Layer, index: int, best: Strongest | None) -> Channel:
        names = self.model.names
        output = layer.tensor in self.inside.output_names and layer.channels == len(names)
        found = Channel(layer.name, index, names[index] if output else "")
        if best is None:
            return found
        of = best.preference
        favourite = int(of.favourite[index])
        return replace(
            found,
            favourite=names[favourite] if favourite >= 0 else "",
            score=float(of.score[index]) if of.alive[index] else None,
            support=int(of.support[index]),
            awake=float(of.awake[index]),
        )

    # -- patches --------------------------------------------------------------------------------

    def _patched(
        self,
        found: Sequence[Channel],
        layer: Layer,
        best: Strongest,
        fields: LayerFields,
        network: Network | None,
    ) -> list[Channel]:
        """Each with its patches; a channel at a time, so that few pictures are held."""
        done = []
        for one in found:
            patches = self._patches(one.index, layer, best, fields, network)
            done.append(replace(one, patches=tuple(patches)))
            self.listen(_PATCHED * len(done) // len(found), _WHOLE)
        return done

    def _patches(
        self,
        index: int,
        layer: Layer,
        best: Strongest,
        fields: LayerFields,
        network: Network | None,
    ) -> list[TopPatch]:
        assert self.shown is not None
        rows = [row for row in best.rows[index].tolist() if row >= 0]
        pixels = self.shown.some(rows)
        places = best.places[index, : len(rows)]
        signals = self._signals(layer, pixels, index, places, network)
        return [
            self._patch(at, rows[at], index, best, fields, pixels, signals) for at in range(len(rows))
        ]

    def _signals(
        self, layer: Layer, pixels: PictureArray, index: int, places: Array, network: Network | None
    ) -> Array | None:
        if network is None:
            return None
        return network.projections(layer, pixels, [index] * len(pixels), places)

    def _patch(
        self,
        at: int,
        row: int,
        index: int,
        best: Strongest,
        fields: LayerFields,
        pixels: PictureArray,
        signals: Array | None,
    ) -> TopPatch:
        assert self.shown is not None
        y, x = (int(one) for one in best.places[index, at])
        extent = fields.of((y, x))
        cut = (slice(extent.top, extent.bottom), slice(extent.left, extent.right))
        return TopPatch(
            self.shown.key(row),
            float(best.values[index, at]),
            (y, x),
            extent,
            pixels[at][cut],
            None if signals is None else signal_picture(signals[at][cut]),
        )

    # -- made from noise ------------------------------------------------------------------------

    def _with_made(
        self, found: Sequence[Channel], fields: LayerFields, network: Network
    ) -> list[Channel]:
        made = network.synthesise(
            fields.layer,
            [one.index for one in found],
            steps=self.steps,
            seed=self.seed,
            sees_hw=fields.size_hw,
            listen=lambda done, of: self.listen(_PATCHED + (_WHOLE - _PATCHED) * done // of, _WHOLE),
        )
        pictures: Mapping[int, PictureArray] = dict(
            enumerate(made.pictures.permute(0, 2, 3, 1).contiguous().numpy())
        )
        return [
            replace(
                one,
                synthesised=pictures[at],
                strength=float(made.strength[at]),
                at_start=float(made.at_start[at]),
            )
            for at, one in enumerate(found)
        ]
