from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.errors import DataError, LabelError, LayoutError, MissingExtraError, UsageError
from striate.explain.stimuli import Window, bars
from striate.pictures import read, write
from striate.runs.run import Run
from striate.verbs.explain import tuning as explain_tuning
from striate.verbs.explain.boundary import boundary
from striate.verbs.explain.dimension import dimension
from striate.verbs.explain.invariance import invariance
from striate.verbs.explain.tuning import tuning, unit_layers


@pytest.fixture
def barred(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Class folders of bars at 0, 60 and 120°, named as the run's classes; and a file that is none."""
    root = tmp_path / "bars"
    window = Window((12.0, 10.0), 40.0)
    for name, angle in (("red", 0.0), ("green", 60.0), ("blue", 120.0)):
        (root / name).mkdir(parents=True)
        for number in range(7):
            turn, place = angle + rng.uniform(-8, 8), [rng.uniform(-3, 3)]
            picture = bars((24, 20), window, turn, place, width=3.0)[0]
            noise = rng.integers(0, 12, picture.shape, dtype=np.uint8)
            write(picture // 2 + noise, root / name / f"{number}.png")
    (root / "red" / "broken.png").write_bytes(b"no picture")
    return root


def test_layers_of_a_run(gabor_run: Run) -> None:
    assert [(one.name, one.channels) for one in unit_layers(gabor_run)] == [
        ("conv", 3), ("act", 3), ("pool", 3), ("features", 3), ("logits", 3), ("probabilities", 3)
    ]  # fmt: skip


def test_tuning_of_a_run(gabor_run: Run, tmp_path: Path) -> None:
    found = tuning(gabor_run, ["conv:1"], step_deg=15.0)
    (unit,) = found.units
    assert unit.bar.peak_deg == pytest.approx(60.0, abs=7.5)
    page = found.save(tmp_path / "out")
    text = page.read_text("utf-8")
    assert "conv:1 answers most to a light bar" in text
    assert "best angle" in text
    data = json.loads((tmp_path / "out" / "tuning.json").read_text())
    assert data["units"][0]["bar"]["peak_deg"] == unit.bar.peak_deg
    with pytest.raises(UsageError, match="exists already"):
        found.save(tmp_path / "out")
    assert found.save(tmp_path / "out", overwrite=True) == page


def test_the_hierarchy_of_a_run(gabor_run: Run, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    found = tuning(gabor_run, step_deg=30.0, listen=lambda done, of: heard.append((done, of)))
    assert heard[-1][0] == heard[-1][1]
    assert [one.layer.name for one in found.layers] == ["conv", "act", "pool", "features"]
    np.testing.assert_allclose(found.layers[1].peaks_deg[1:], [60, 120], atol=8)
    assert len(found.units) == 4
    assert "few layers" in " ".join(found.statements)
    assert found.save(tmp_path / "out").stat().st_size > 10_000


def test_a_run_without_hidden_layers(make_run: Callable[..., Run]) -> None:
    found = tuning(make_run(), step_deg=45.0)
    assert [one.layer.name for one in found.layers] == ["logits"]
    assert "few layers" in found.note


def test_bad_settings_of_tuning(gabor_run: Run) -> None:
    for options in ({"step_deg": 0.0}, {"step_deg": 90.0}, {"ground": 256}, {"ground": -1}):
        with pytest.raises(UsageError):
            tuning(gabor_run, **options)  # type: ignore[arg-type]


def test_without_onnx_it_is_said(gabor_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match="looking inside"):
        unit_layers(gabor_run)


def test_invariance_of_a_run(
    gabor_run: Run, barred: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = invariance(gabor_run, barred, threads=1)
    assert (found.split, found.moved.pictures, found.available) == ("all", 21, 22)
    assert found.moved.unmoved.quality == (1.0,)
    assert [one.key for one in found.problems] == ["red/broken.png"]
    # a network of bars minds rotation, and shift less
    assert found.moved.axis("rotation").at(60.0).likeness[0] < 0.5
    assert found.moved.axis("right").ends(found.moved.steady)[1] >= 2
    assert [one.layer.name for one in found.motion] == ["conv", "act", "pool", "features", "logits"]
    page = found.save(tmp_path / "out").read_text("utf-8")
    assert "Shifted sideways" in page
    assert "Equivariance" in page
    data = json.loads((tmp_path / "out" / "invariance.json").read_text())
    assert set(data["curves"]) == {"right", "down", "rotation", "scale"}
    fewer = invariance(gabor_run, barred, at_most=5, border="grey", threads=1)
    assert fewer.moved.pictures <= 5
    assert "grey (127)" in fewer.save(tmp_path / "grey").read_text("utf-8")
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    alone = invariance(gabor_run, barred, at_most=4, threads=1)
    assert alone.motion == ()
    assert "Shifted" in alone.save(tmp_path / "alone").read_text("utf-8")


def test_invariance_of_numbers(make_run: Callable[..., Run], coloured: Path, tmp_path: Path) -> None:
    run = make_run("regress", name="numbers")
    rows = [f"{path.relative_to(coloured)},200,20" for path in sorted(coloured.glob("red/*.png"))]
    table = coloured / "table.csv"
    table.write_text("path,redness,greenness\n" + "\n".join(rows) + "\n")
    found = invariance(run, table, threads=1)
    assert found.moved.judge.names == ("redness", "greenness")
    assert "off unmoved" in found.statements[0]
    assert "redness" in found.save(tmp_path / "out").read_text("utf-8")


def test_boundary_through_three_pictures(gabor_run: Run, barred: Path, tmp_path: Path) -> None:
    paths = [barred / name / "0.png" for name in ("red", "green", "blue")]
    found = boundary(gabor_run, through=paths, grid=10, threads=1)
    assert set(found.answers.names) >= {"red", "green", "blue"}
    assert [one["answer"] for one in found.about["corners"]] == ["red", "green", "blue"]
    assert read(found.save(tmp_path / "x.png")).shape == found.drawn.shape
    assert json.dumps(found.to_dict())
    chosen = boundary(gabor_run, barred, grid=6, threads=1)
    assert sorted(one["truth"] for one in chosen.about["corners"]) == ["blue", "green", "red"]


def test_boundary_by_features(gabor_run: Run, barred: Path) -> None:
    found = boundary(gabor_run, barred, plane="features", grid=16, threads=1)
    assert found.about["layer"] == "features"
    assert found.about["pictures"] == 21
    assert found.about["wrong"] == 0
    assert json.dumps(found.to_dict())


def test_bad_settings_of_boundary(
    gabor_run: Run, barred: Path, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = barred / "red" / "0.png"
    with pytest.raises(UsageError, match="neither data"):
        boundary(gabor_run)
    with pytest.raises(UsageError, match="2 pictures"):
        boundary(gabor_run, through=[picture] * 2)
    with pytest.raises(UsageError, match="equal"):
        boundary(gabor_run, through=[picture] * 3, grid=4)
    with pytest.raises(UsageError, match="plane of features"):
        boundary(gabor_run, barred, through=[picture] * 3, plane="features")
    with pytest.raises(UsageError, match="grid"):
        boundary(gabor_run, barred, grid=1)
    with pytest.raises(UsageError, match="numbers, not with classes"):
        boundary(make_run("regress", name="numbers"), barred)


def test_dimension_of_folders_sets_and_runs(gabor_run: Run, barred: Path, tmp_path: Path) -> None:
    found = dimension(barred)
    assert (found.found["pixels"].count, found.available, found.size_hw) == (21, 22, (24, 20))
    assert found.found["pixels"].numbers == 24 * 20 * 3
    inside = dimension(barred, run=gabor_run, layers=["conv"])
    assert list(inside.found) == ["pixels", "conv", "features", "logits"]
    assert inside.found["conv"].numbers == 3 * 24 * 20
    page = inside.save(tmp_path / "out").read_text("utf-8")
    assert "Your 21 pictures of 1 440 numbers" in page
    assert "directions of the features" in page
    assert json.loads((tmp_path / "out" / "dimension.json").read_text())["run"] == "gabors"
    grey = dimension("digits", at_most=100)
    assert grey.found["pixels"].numbers == 64  # grey counts once
    assert grey.available == 1797
    assert dimension("digits", at_most=100).found["pixels"] == grey.found["pixels"]
    assert dimension("digits", at_most=40, size="6x5").found["pixels"].numbers == 30


def test_dimension_of_a_flat_folder(tmp_path: Path, rng: np.random.Generator) -> None:
    for number in range(14):
        write(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8), tmp_path / f"{number}.png")
    assert dimension(tmp_path).found["pixels"].count == 14


def test_what_dimension_refuses(gabor_run: Run, barred: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without a run"):
        dimension(barred, layers=["conv"])
    with pytest.raises(UsageError, match="beside a run"):
        dimension(barred, run=gabor_run, size=8)
    with pytest.raises(UsageError, match="size is x"):
        dimension(barred, size="x")
    with pytest.raises(UsageError, match="at most 3"):
        dimension(barred, at_most=3)
    (tmp_path / "none").mkdir()
    with pytest.raises((LayoutError, LabelError)):
        dimension(tmp_path / "none")
    with pytest.raises((LayoutError, LabelError)):
        dimension(tmp_path / "not there")
    (tmp_path / "same").mkdir()
    for number in range(20):
        write(np.full((5, 5, 3), 77, np.uint8), tmp_path / "same" / f"{number}.png")
    with pytest.raises(DataError, match="only 1 differ"):
        dimension(tmp_path / "same")


def test_the_files_are_named_once() -> None:
    assert explain_tuning.FILES == ("report.html", "tuning.json")
