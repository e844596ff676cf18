from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage

from striate.pictures import read, write

Call = Callable[..., Any]

PHOTOS = Path(skimage.__file__).parent / "data"


@pytest.fixture
def astronaut() -> Path:
    return PHOTOS / "astronaut.png"


@pytest.mark.parametrize("kind", ["sift", "hog", "canny", "harris", "haar"])
def test_show_as_the_issue_has_it(striate: Call, astronaut: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"{kind}.png"
    found = striate("features", "show", astronaut, "--kind", kind, "--out", out)
    assert found.code == 0
    assert f"drawn to {out}" in found.err
    assert found.out.strip()
    assert read(out).size > 0


def test_show_for_machines(striate: Call, astronaut: Path) -> None:
    found = striate("features", "show", astronaut, "--limit", 5, "--json")
    assert (found.code, found.err) == (0, "")
    (line,) = found.lines
    assert line["kind"] == "sift"
    assert len(line["points_xy"]) == len(line["angle_deg"]) == line["count"] == 5
    assert line["found"] > 500
    assert line["out"] is None
    boxes = striate("features", "show", astronaut, "--kind", "haar", "--json").lines[0]["boxes_xyxy"]
    assert np.abs(np.array(boxes[0]) - (177, 66, 272, 161)).max() < 15


def test_a_kernel_of_ones_own_is_written_pixel_for_pixel(
    striate: Call, astronaut: Path, tmp_path: Path
) -> None:
    out = tmp_path / "k.png"
    found = striate("features", "show", astronaut, "--kind", "kernel:-1", "--out", out)
    assert found.code == 0
    assert not read(out).any()
    kind = "kernel:0 0 0; 0 1 0; 0 0 0"
    assert striate("features", "show", astronaut, "--kind", kind, "--out", out).code == 2  # is there
    again = striate("features", "show", astronaut, "--kind", kind, "--out", out, "--overwrite")
    assert again.code == 0
    assert (read(out) == read(astronaut)).all()
    assert "weights" in again.out


def test_what_is_wrong_is_told(striate: Call, astronaut: Path, tmp_path: Path) -> None:
    found = striate("features", "show", astronaut, "--kind", "sitf")
    assert found.code == 2
    assert "did you mean 'sift'" in found.err
    assert striate("features", "show", astronaut, "--limit", 0).code == 2
    assert striate("features", "show", tmp_path / "gone.png").code == 3
    pixel = write(np.zeros((1, 1, 3), np.uint8), tmp_path / "pixel.png")
    found = striate("features", "show", pixel, "--kind", "kernel:sharpen", "--json")
    assert found.code == 2
    assert "larger" in found.lines[0]["error"]["what"] + found.lines[0]["error"]["expected"]
    found = striate("features", "show", pixel)
    assert (found.code, found.out.strip()) == (0, "No SIFT points")
    for flag, value in (("--ratio", 2), ("--threshold", 0), ("--limit", 0), ("--seed", -1)):
        assert striate("features", "match", astronaut, astronaut, flag, value).code == 2
    assert striate("features", "match", astronaut, astronaut, "--model", "cubic").code == 2
    assert striate("features", "match", astronaut, tmp_path / "gone.png").code == 3


def test_match_for_machines(striate: Call, astronaut: Path, tmp_path: Path) -> None:
    picture = read(astronaut)
    part = write(np.ascontiguousarray(np.rot90(picture[60:400, 80:480])), tmp_path / "part.png")
    found = striate("features", "match", astronaut, part, "--json", "--model", "similarity")
    (line,) = found.lines
    assert found.code == 0
    assert line["found"]
    assert line["inlier_ratio"] == pytest.approx(line["inliers"] / line["matches"], abs=1e-4)
    assert len(line["points_a_xy"]) == len(line["points_b_xy"]) == len(line["inlier"]) == line["matches"]
    # a quarter turn counter-clockwise of the part: (x, y) goes to (y − 60, 479 − x)
    np.testing.assert_allclose(line["matrix"], [[0, 1, -60], [-1, 0, 479], [0, 0, 1]], atol=0.05)
    assert (line["scale"], line["turn_deg"]) == pytest.approx((1, -90), abs=0.05)


def test_match_for_people(striate: Call, astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.png"
    found = striate("features", "match", astronaut, PHOTOS / "coffee.png", "--out", out, "--limit", 300)
    assert found.code == 0
    assert "no map" in found.out
    assert read(out).shape[1] == 512 + 24 + 600
    found = striate("features", "match", astronaut, astronaut, "--kind", "orb", "--limit", 300)
    assert "1.000 times as large, turned 0.0°" in found.out
    assert "homography" in found.out


def test_help_is_instant_and_loads_no_vision_library() -> None:
    code = (
        "import sys; from striate.cli.main import main; code = main(['features', 'show', '--help']); "
        "heavy = {'cv2', 'skimage', 'scipy', 'sklearn', 'numpy'} & set(sys.modules); "
        "sys.exit(code or bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--kind" in done.stdout
