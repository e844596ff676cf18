"""`striate data`: check, list and write data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cyclopts import Group

from striate.cli.flags import flags_of, given, with_flags
from striate.cli.output import Output
from striate.data.scenes.settings import SceneSettings

__all__ = ["list_sets", "make_scenes", "scenes", "write"]


def list_sets(*, json: bool = False) -> int:
    """List the embedded data sets, which need no download.

    Their names stand for a path everywhere: striate train digits --out RUN.

    Args:
        json: Write one JSON object a line.
    """
    from striate.data.embedded import EMBEDDED

    output = Output(json=json)
    if json:
        for name, one in EMBEDDED.items():
            kinds = {"labels": one.labels, "values": one.values, "boxes": one.boxes}
            has = {kind: read is not None for kind, read in kinds.items()}
            output.line({"name": name, "about": one.about, **has})
    else:
        output.facts("Embedded data sets", [(name, one.about) for name, one in EMBEDDED.items()])
    return 0


def write(name: str, folder: Path, /, *, json: bool = False) -> int:
    """Write an embedded data set as picture files in class folders.

    Args:
        name: Name of an embedded set: see striate data list.
        folder: Where to; must be new or empty.
        json: Write one JSON object.
    """
    from striate.verbs.data.materialise import write_embedded

    output = Output(json=json)
    target, count = write_embedded(name, folder)
    _written(output, target, count)
    return 0


def scenes(folder: Path, /, *, n: int = 100, seed: int = 0, json: bool = False, **settings: Any) -> int:
    """Draw street scenes with the exact truth for every task, as files.

    Writes pictures, annotations.json (COCO: boxes, masks, keypoints), semantic masks, captions and
    scenes.jsonl. The same seed and factors give the same scenes.

    Args:
        folder: Where to; must be new or empty.
        n: How many.
        seed: Seed of everything random.
        json: Write one JSON object.
    """
    from striate.data.scenes.write import write_scenes

    output = Output(json=json)
    target = write_scenes(folder, n=n, seed=seed, settings=SceneSettings.parse(given(settings)))
    _written(output, target, n)
    return 0


def make_scenes(words: Sequence[str]) -> Callable[..., int]:
    """`scenes` with a flag for each factor of a scene."""
    return with_flags(scenes, flags_of(SceneSettings, Group.create_ordered("The scenes")))


def _written(output: Output, folder: Path, count: int) -> None:
    if output.json:
        output.line({"folder": str(folder), "pictures": count})
    else:
        output.facts("Written", [("folder", str(folder)), ("pictures", str(count))])
