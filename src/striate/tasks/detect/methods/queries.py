"""Queries that look where they want, one answer an object: RT-DETR, with transformers' layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import MissingExtraError
from striate.nn.networks.maps import MapShape
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.network import Candidates, DetectHead, Raw, See, objects_of
from striate.types import SizeHW

__all__ = ["RtDetr", "queries_of"]

_CHANNELS, _HIDDEN, _ATTENTION_HEADS = 128, 512, 8
_LAYERS = 3
"""The paper's 256 channels, 6 layers and 300 queries are for COCO and an accelerator."""
_FEWEST, _MOST = 100, 300
_DENOISED = 100
_PRIOR = 0.01
"""What every place scores for every class before it has learnt anything (Lin et al. 2017, 4.1)."""

_LOSSES = {"vfl": "class", "bbox": "box", "giou": "overlap"}


def queries_of(facts: DetectFacts, places: int) -> int:
    """How many objects a picture is asked for: twice the most ever seen, within 100 … 300.

    `places`: how many places all maps have; each can start one query.
    """
    return min(max(_FEWEST, min(_MOST, 2 * facts.most_boxes)), places)


class RtDetr(DetectHead):
    """RT-DETR (Zhao et al. 2024; v2: Lv et al. 2024): a hybrid encoder, then a decoder of queries.

    The likeliest places of three maps become queries; each decoder layer lets them look at a few points
    around their box and moves the box. In training each object is matched to one query by the least
    total cost, so that one query learns to answer for it and no other: nothing is left to suppress.
    Encoder, decoder, matching, losses and denoising are transformers' own; the backbone is ours. Its
    maps must halve exactly, so pictures are padded to a multiple of the coarsest stride.
    """

    model: Any
    """transformers' `RTDetrV2ForObjectDetection`, without its backbone."""

    def __init__(self, shapes: Sequence[MapShape], facts: DetectFacts) -> None:
        super().__init__(shapes, facts)
        self.padded_hw = _padded(facts.size_hw, shapes[-1].stride)
        height, width = self.padded_hw
        places = sum((height // one.stride) * (width // one.stride) for one in shapes)
        self.queries = queries_of(facts, places)
        self.model = _model(shapes, len(facts.names), self.queries)
        self.merges = nn.ModuleList(
            nn.Sequential(nn.Conv2d(one.channels, _CHANNELS, 1, bias=False), nn.BatchNorm2d(_CHANNELS))
            for one in shapes
        )

    def remarks(self) -> list[str]:
        """What the number of queries leaves out."""
        if self.facts.most_boxes <= self.queries:
            return []
        return [
            f"rtdetr answers for at most {self.queries} objects a picture, and there are up to "
            f"{self.facts.most_boxes} in one: fcos has no such limit, and --tile in use raises it"
        ]

    def forward(self, see: See, pictures: Tensor, targets: Mapping[str, Tensor] | None) -> Raw:
        """`logits` (B, Q, K) and `boxes` (B, Q, 4), middle and size as parts of the padded input; with
        `targets`, `losses` too.

        Boxes need digits, so queries are float32 whatever the arithmetic of the maps.
        """
        maps = [merge(one) for merge, one in zip(self.merges, see(self._pad(pictures)), strict=True)]
        merged = [one.float() for one in self.model.model.encoder(maps).last_hidden_state]
        with torch.autocast(pictures.device.type, enabled=False):
            found = self.model(
                None,
                inputs_embeds=merged[-1],  # asked for its batch and device only
                encoder_outputs=(merged,),
                labels=None if targets is None else self._labels(targets),
            )
        raw = {"logits": found.logits, "boxes": found.pred_boxes}
        if targets is None:
            return raw
        # without objects nothing is denoised, but processes that train together wait for every gradient
        unused = 0.0 * self.model.model.denoising_class_embed.weight.sum()
        losses = _summed(found.loss_dict)
        return raw | {"losses": losses | {"class": losses["class"] + unused}}

    def losses(self, raw: Raw, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Class (varifocal), box (L1) and overlap (GIoU): over decoder layers, the encoder's choice of
        places and denoising, as transformers weighs them."""
        found: dict[str, Tensor] = raw["losses"]
        return found

    def candidates(self, raw: Raw) -> Candidates:
        """One candidate a query."""
        height, width = self.padded_hw
        middles, sizes = raw["boxes"][..., :2], raw["boxes"][..., 2:]
        corners = torch.cat([middles - sizes / 2, middles + sizes / 2], dim=2)
        boxes = corners * corners.new_tensor([width, height, width, height])
        high, wide = self.facts.size_hw
        inside = torch.minimum(boxes.clamp_min(0), boxes.new_tensor([wide, high, wide, high]))
        return Candidates(inside, raw["logits"].sigmoid())

    def _pad(self, pictures: Tensor) -> Tensor:
        down, right = (
            wanted - had for wanted, had in zip(self.padded_hw, self.facts.size_hw, strict=True)
        )
        return nn.functional.pad(pictures, (0, right, 0, down)) if down or right else pictures

    def _labels(self, targets: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Truths as transformers wants them: middle and size as parts of the padded input."""
        height, width = self.padded_hw
        found = []
        for one in objects_of(targets):
            low, high = one["boxes"][:, :2].float(), one["boxes"][:, 2:].float()
            boxes = torch.cat([(low + high) / 2, high - low], dim=1)
            parts = boxes / boxes.new_tensor([width, height, width, height])
            found.append({"class_labels": one["labels"], "boxes": parts})
        return found


def _padded(size_hw: SizeHW, stride: int) -> SizeHW:
    height, width = (-(-side // stride) * stride for side in size_hw)
    return height, width


def _summed(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """transformers' many losses (`loss_vfl_aux_0`, `loss_giou_dn_2`, …), summed by what they measure."""
    return {
        ours: torch.stack([v for name, v in losses.items() if name.split("_")[1] == theirs]).sum()
        for theirs, ours in _LOSSES.items()
    }


def _model(shapes: Sequence[MapShape], classes: int, queries: int) -> nn.Module:
    """transformers' detector with random weights and no backbone; nothing is fetched."""
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", "hf", needed_for="method rtdetr") from error
    library: Any = transformers  # its configurations take more names than their types tell
    # a backbone must be there while it is built; it is taken out below
    backbone = library.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_indices=[2, 3, 4],
    )
    config = library.RTDetrV2Config(
        backbone_config=backbone,
        num_labels=classes,
        initializer_bias_prior_prob=_PRIOR,
        feat_strides=[one.stride for one in shapes],
        encoder_in_channels=[_CHANNELS] * len(shapes),
        encoder_hidden_dim=_CHANNELS,
        encoder_ffn_dim=_HIDDEN,
        encoder_attention_heads=_ATTENTION_HEADS,
        encoder_layers=1,
        d_model=_CHANNELS,
        decoder_in_channels=[_CHANNELS] * len(shapes),
        decoder_ffn_dim=_HIDDEN,
        decoder_attention_heads=_ATTENTION_HEADS,
        decoder_layers=_LAYERS,
        num_queries=queries,
        num_denoising=_DENOISED,
        # each decoder layer has its own answer, as in the paper
        tie_word_embeddings=False,
    )
    model = library.RTDetrV2ForObjectDetection(config)
    _start(model)
    del model.model.backbone, model.model.encoder_input_proj
    del model.class_embed, model.bbox_embed  # copies: the decoder's are those in use
    found: nn.Module = model
    return found


def _start(model: Any) -> None:
    """Random weights as in the paper's code.

    transformers' own start, normal numbers of 0.01 even for the scales of its batch norms, is meant to
    be overwritten by loaded weights: from it four pictures that are learnt by heart in 40 steps are not
    in 60.
    """
    plain = nn.Linear | nn.Conv2d | nn.BatchNorm2d | nn.Embedding
    for module in model.modules():
        if isinstance(module, plain):
            module.reset_parameters()
    for module in model.modules():
        if not isinstance(module, plain):
            model._init_weights(module)  # scores, offsets and boxes start from set values
    for name in ("weight", "bias"):
        nn.init.zeros_(model.model.enc_bbox_head.layers[-1].get_parameter(name))
