"""Scenes as files that other tools read: COCO, semantic PNGs, captions."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from striate.data.scenes.chance import stream
from striate.data.scenes.make import make_scene
from striate.data.scenes.names import OBJECT_NAMES, SEMANTIC_NAMES
from striate.data.scenes.origin import GENERATOR_VERSION
from striate.data.scenes.settings import SceneSettings
from striate.data.scenes.truth import Scene
from striate.errors import DiskError, SettingError, UsageError
from striate.types import Array

__all__ = ["mask_to_rle", "scene_seeds", "write_scenes"]


def scene_seeds(n: int, seed: int) -> Iterator[int]:
    """The seeds of the `n` scenes that `write_scenes` writes, in order."""
    for index in range(n):
        yield stream(seed, "written", index).getrandbits(48)


def mask_to_rle(mask: Array) -> dict[str, Any]:
    """A bool mask (H, W) as COCO's uncompressed run lengths, column by column, zeros first.

    >>> mask_to_rle(np.array([[False, True], [True, True]]))
    {'counts': [1, 3], 'size': [2, 2]}
    """
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    ends = np.append(edges, mask.size) if not len(edges) or edges[-1] != mask.size else edges
    counts = np.diff(ends, prepend=0)
    return {"counts": counts.tolist(), "size": [int(mask.shape[0]), int(mask.shape[1])]}


def write_scenes(folder: Path, *, n: int, seed: int = 0, settings: SceneSettings | None = None) -> Path:
    """Write `n` scenes to `folder`, which must not exist or be empty; returns it.

    pictures/00000.png …, annotations.json (COCO: boxes, run-length masks, keypoint and part boxes
    as extra fields), semantic/00000.png (indices into names.json), captions.jsonl (five sentences
    and the region phrases), scenes.jsonl (everything else that is true). The folder appears only
    when it is complete. Errors: `DiskError` when it cannot be written, `UsageError` when it is not
    empty, `SettingError` for `n`.
    """
    settings = settings or SceneSettings()
    if n < 1:
        raise SettingError(f"setting 'n' was given {n!r}", expected="1 or more scenes")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is not an empty folder",
                expected="a folder that does not exist yet, or an empty one",
                remedy="choose another folder: existing files are never changed",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _trouble(folder, error) from error
    try:
        _write_all(work, n, seed, settings)
        work.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        work.rename(folder)
    except OSError as error:
        raise _trouble(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _trouble(folder: Path, error: OSError) -> DiskError:
    return DiskError(
        f"cannot write scenes to {folder}: {error.strerror or error}",
        remedy="free some space, or choose a folder that can be written",
    )


def _write_all(work: Path, n: int, seed: int, settings: SceneSettings) -> None:
    for name in ("pictures", "semantic"):
        (work / name).mkdir()
    coco = _coco_head()
    captions, scenes = [], []
    for index, scene_seed in enumerate(scene_seeds(n, seed)):
        scene, name = make_scene(settings, seed=scene_seed), f"{index:05d}.png"
        Image.fromarray(scene.picture).save(work / "pictures" / name)
        Image.fromarray(scene.semantic).save(work / "semantic" / name)
        height, width = scene.picture.shape[:2]
        coco["images"].append({"id": index + 1, "file_name": name, "height": height, "width": width})
        coco["annotations"] += _annotations(scene, index + 1, len(coco["annotations"]) + 1)
        truth = {"picture": f"pictures/{name}", **scene.to_dict()}
        scenes.append(truth)
        captions.append({key: truth[key] for key in ("picture", "captions", "regions")})
    _save(work / "annotations.json", json.dumps(coco))
    _save(work / "captions.jsonl", _lines(captions))
    _save(work / "scenes.jsonl", _lines(scenes))
    about = {
        "generator": f"striate.scenes/{GENERATOR_VERSION}",
        "seed": seed,
        "settings": settings.model_dump(mode="json"),
        "semantic_names": SEMANTIC_NAMES,
        "object_names": OBJECT_NAMES,
    }
    _save(work / "names.json", json.dumps(about, indent=2))


def _coco_head() -> dict[str, Any]:
    categories = [{"id": number + 1, "name": name} for number, name in enumerate(OBJECT_NAMES)]
    info = {"description": "striate street scenes", "version": str(GENERATOR_VERSION)}
    return {"info": info, "licenses": [], "images": [], "annotations": [], "categories": categories}


def _annotations(scene: Scene, image_id: int, first_id: int) -> list[dict[str, Any]]:
    """One COCO annotation an object: visible box x, y, w, h and visible mask."""
    found = []
    objects = scene.to_dict()["objects"]
    for index, (label, row) in enumerate(zip(scene.labels.tolist(), scene.boxes_xyxy, strict=True)):
        x0, y0, x1, y1 = (float(value) for value in row)
        mask = scene.instances == index + 1
        extra = {
            key: objects[index][key] for key in ("colour", "visible_fraction", "parts", "keypoints")
        }
        found.append(
            {
                "id": first_id + index,
                "image_id": image_id,
                "category_id": label + 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": int(np.count_nonzero(mask)),
                "iscrowd": 0,
                "segmentation": mask_to_rle(mask),
                "attributes": extra,
            }
        )
    return found


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _save(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
