"""Pictures to measure on: real photos where they are unpacked, else generated scenes."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

PHOTOS = 1100
BIG_SIDE = 4000


def data_root() -> Path:
    """Where `../shared/data/unpack` puts real pictures."""
    return Path(os.environ.get("STRIATE_DATA", Path.home() / ".cache/striate/benchmarks"))


def needed(name: str) -> Path:
    """The folder or file `name` of the real data; without it the benchmark cannot run."""
    path = data_root() / name
    if not path.exists():
        raise SystemExit(
            f"{path} is missing: run ../shared/data/unpack, or set STRIATE_DATA to its folder"
        )
    return path


def photos(folder: Path, *, most: int = PHOTOS) -> tuple[str, list[Path]]:
    """What they are, and up to `most` photos about 240×320, copied or drawn into `folder`.

    Class folders become prefixes: every tool finds them in one flat folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    real = sorted((data_root() / "clothing10").rglob("*.jpg"))
    if real:
        step = len(real) / min(most, len(real))
        chosen = [real[int(number * step)] for number in range(min(most, len(real)))]
        for path in chosen:
            shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
        return "clothing10 photos", sorted(folder.iterdir())
    from striate.data.scenes import make_scene
    from striate.data.scenes.settings import SceneSettings

    for number in range(most):
        scene = make_scene(SceneSettings(), seed=number)
        picture = Image.fromarray(scene.picture).resize((320, 240), Image.Resampling.BICUBIC)
        picture.save(folder / f"scene-{number:05d}.jpg", quality=90)
    return "generated scenes", sorted(folder.iterdir())


def big_photos(folder: Path, sources: Sequence[Path], *, count: int, side: int = BIG_SIDE) -> list[Path]:
    """`count` of `sources` enlarged until the longer side has `side` pixels, as JPEG of quality 90."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sources[:: max(1, len(sources) // count)][:count]:
        with Image.open(path) as picture:
            scale = side / max(picture.size)
            size = (round(picture.width * scale), round(picture.height * scale))
            picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(
                folder / f"{path.stem}.jpg", quality=90
            )
    return sorted(folder.iterdir())


def class_folders(folder: Path, sources: Sequence[Path], *, classes: int, each: int) -> Path:
    """A tiny data set of class folders, to train a network whose answers do not matter."""
    for number in range(classes * each):
        home = folder / f"class{number % classes}"
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources[number % len(sources)], home / f"{number:04d}.jpg")
    return folder


def fewer_files(folder: Path, source: Path, *, each: int) -> Path:
    """A copy of SPLIT/CLASS/*.jpg with `each` pictures a class: for smoke runs."""
    for home in sorted(path for path in source.glob("*/*") if path.is_dir()):
        target = folder / home.relative_to(source)
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(home.glob("*.jpg"))[:each]:
            shutil.copy(path, target)
    return folder


def fewer_voc(folder: Path, source: Path, *, most: int) -> Path:
    """A copy of Pascal VOC's folders with the first `most` pictures of each split: for smoke runs."""
    for part in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for listed in sorted((source / "ImageSets" / "Main").glob("*.txt")):
        names = listed.read_text("utf-8").split()[:most]
        (folder / "ImageSets" / "Main" / listed.name).write_text("\n".join(names) + "\n", "utf-8")
        for name in names:
            shutil.copy(source / "Annotations" / f"{name}.xml", folder / "Annotations")
            shutil.copy(source / "JPEGImages" / f"{name}.jpg", folder / "JPEGImages")
    return folder


def fewer_idx(folder: Path, source: Path, *, most: int) -> Path:
    """A copy of the IDX files in `source`, each cut to its first `most` items: for smoke runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*-ubyte.gz")):
        data = gzip.decompress(path.read_bytes())
        sides = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
        size = 1
        for side in sides[1:]:
            size *= side
        kept = min(most, sides[0])
        header = data[:4] + struct.pack(f">{data[3]}I", kept, *sides[1:])
        start = 4 + 4 * data[3]
        (folder / path.name).write_bytes(gzip.compress(header + data[start : start + kept * size], 1))
    return folder
