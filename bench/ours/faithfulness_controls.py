"""Prints what the checks of `striate explain` make of maps that are known to be right, and to be wrong.

python -m bench.ours.faithfulness_controls RUN DATA COUNT METHODS
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from bench.ours.untrained import untrained
from striate.data.dataset import Record
from striate.data.scenes.origin import SceneOrigin
from striate.explain.attribution import Asked, in_picture
from striate.explain.explanation import Attribution, Explanation
from striate.explain.faithfulness import faith_of, verdict_of
from striate.types import Array, Picture
from striate.verbs.explain.why import Why
from striate.verbs.explain.why_sources import source_of
from striate.verbs.model import Model, load

_MASKS = 200
_OLD_GAIN = 0.01
"""The rule before: better than the mean of the copies by so much, in deletion and in insertion."""


def main() -> None:
    run, data, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    methods = sys.argv[4].split(",")
    model = load(run)
    records = _records(model, data, count)
    why = Why.of(model, methods, (), layer=None, masks=_MASKS, check=True, seed=0, threads=0)
    rows = list(_rows(why, records, "trained"))
    print("random weights", file=sys.stderr)
    rows += _rows(untrained(model, methods, masks=_MASKS), records, "untrained")
    print(json.dumps({"pictures": len(records), "rows": rows}))


def _records(model: Model, data: str, count: int) -> list[Record[Any]]:
    """Some of the pictures that the run has not learnt from."""
    dataset = model.task.read(data)
    held = next(name for name in ("test", "validation", *dataset.splits) if name in dataset.splits)
    records = dataset.only(held).records
    order = np.random.default_rng(0).permutation(len(records))
    return [records[row] for row in order[:count]]


def _rows(why: Why, records: Sequence[Record[Any]], network: str) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(records):
        picture = record.origin.read(why.model.task.read_at_least_hw)
        (found,) = why.batch([(source_of(record.key, picture), picture, ())])
        truth = _truth(record) if why.model.header.task == "classify" else None
        for one in found.attributions:
            row = _judged(one, one.method.name)
            yield {"network": network, "picture": number, **row, **_lies_on(one.heat, truth)}
        if network == "trained":
            for control in _controls(why, found, picture, truth, number):
                yield {"network": network, "picture": number, **control}


def _judged(one: Attribution, name: str) -> dict[str, Any]:
    assert one.faith is not None
    alike = one.sameness[-1][1] if one.sameness else None
    return {
        "map": name,
        "verdict": one.verdict,
        "gain": one.faith.gain,
        "as_good": one.faith.as_good,
        "alike": alike,
        "beats_the_mean": bool(
            one.faith.random_deletion - one.faith.deletion > _OLD_GAIN
            and one.faith.insertion - one.faith.random_insertion > _OLD_GAIN
        ),
    }


def _controls(
    why: Why, found: Explanation, picture: Picture, truth: Array | None, seed: int
) -> Iterator[dict[str, Any]]:
    """Maps that no network made, judged by deletion and insertion alone."""
    (aim,) = found.aims
    prepared = why.model.task.prepare(picture)
    asked = Asked.of(why.model.task, why.model.graphs(why.threads)["main"], prepared, aim)
    maps = {
        "random": _random(asked.size_hw, seed),
        "edges": _edges(prepared.pixels),
        "centre": _centre(asked.size_hw),
    }
    if truth is not None:
        maps["object"] = _in_input(truth, asked)
    for name, heat in maps.items():
        faith = faith_of(asked, heat, seed=seed)
        verdict, _ = verdict_of(faith, (), heat)
        base = found.attributions[0]
        like = Attribution(base.method, aim, prepared, heat, None, faith, (), verdict, (), where="")
        yield {**_judged(like, name), **_lies_on(in_picture(heat, prepared), truth)}


def _random(size_hw: tuple[int, int], seed: int) -> Array:
    """Noise as smooth as maps of a late layer."""
    noise = np.random.default_rng(seed).random(size_hw)
    shown = Image.fromarray((255 * noise).astype(np.uint8))
    return np.asarray(shown.filter(ImageFilter.GaussianBlur(min(size_hw) / 12)), np.float64) + noise


def _edges(pixels: Array) -> Array:
    """What an edge detector gives: the slope of the luminance (Adebayo et al. 2018, section 5)."""
    down, along = np.gradient(np.asarray(Image.fromarray(pixels).convert("L"), np.float64))
    found: Array = np.hypot(down, along)
    return found


def _centre(size_hw: tuple[int, int]) -> Array:
    down, along = (((np.arange(side) + 0.5) / side - 0.5) ** 2 for side in size_hw)
    found: Array = np.exp(-8 * (down[:, None] + along[None]))
    return found


def _truth(record: Record[Any]) -> Array | None:
    """Where the object lies that a class is of: bool (H, W); None where that is not known."""
    if not isinstance(record.origin, SceneOrigin):
        return None
    scene = record.origin.scene()
    if scene.main is None:
        return None
    found: Array = np.asarray(scene.instances == scene.main + 1)
    return found if found.any() else None


def _in_input(truth: Array, asked: Asked) -> Array:
    """The object in pixels of the network's input, its middle above its rim."""
    shown = Image.fromarray((255 * truth).astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))
    prepared = asked.task.prepare(np.repeat(np.asarray(shown)[..., None], 3, axis=2))
    return prepared.pixels[..., 0].astype(np.float64)


def _lies_on(heat: Array, truth: Array | None) -> dict[str, Any]:
    """The share of the heat that lies on the object, over the share of the picture that it takes; and
    whether the hottest place does (Zhang et al. 2016, the pointing game)."""
    if truth is None:
        return {}
    known = np.nan_to_num(np.asarray(heat, np.float64))
    total = float(known.sum())
    return {
        "times": float(known[truth].sum()) / total / float(truth.mean()) if total > 0 else 0.0,
        "points": bool(truth.ravel()[int(known.argmax())]) if total > 0 else False,
    }


if __name__ == "__main__":
    main()
