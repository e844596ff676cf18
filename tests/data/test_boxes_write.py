from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.data.boxes.forms import FORMS, Form
from striate.data.boxes.read import read_boxes
from striate.data.boxes.truth import Box
from striate.data.boxes.write import write_boxes
from striate.data.dataset import Dataset
from striate.errors import (
    DiskError,
    LabelError,
    StriateError,
    UnknownNameError,
    UsageError,
)
from striate.types import Split

from .boxes_corpus import made, picture, seen, text

UPRIGHT: tuple[Form, ...] = ("coco", "yolo", "voc", "csv", "dlib", "yolo-obb", "dota")
TURNED: tuple[Form, ...] = ("csv", "yolo-obb", "dota")
SIZES = {"a.png": (30, 40), "b.png": (1, 4000), "c.png": (333, 217), "d.png": (7, 1)}

quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
whole = st.integers(-50, 5000).map(float)
edges = st.one_of(
    whole,
    st.floats(-50, 5000).map(lambda value: value if abs(value) > 1e-9 else 0.0),
    st.integers(-500, 50000).map(lambda value: value / 10),
)
labels = st.sampled_from(["cat", "dog", "traffic light", "café", 'it\'s <&> "quoted"', "1, 2"])


@st.composite
def boxes(draw: st.DrawFn, *, turned: bool = False) -> Box:
    x0, y0, x1, y1 = (draw(edges) for _ in range(4))
    if turned:  # sides of at least a pixel; a box without width has no direction
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1) + 1, min(y0, y1), max(y0, y1) + 1
        angle = draw(st.one_of(st.sampled_from([0.0, 90.0, 45.0, -30.5, 180.0]), st.floats(-179, 180)))
        angle = angle if abs(angle) > 1e-9 else 0.0
        return Box(draw(labels), (x0, y0, x1, y1), angle)
    return Box(draw(labels), (x0, y0, x1, y1), crowd=draw(st.booleans()), difficult=draw(st.booleans()))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for name, size_hw in SIZES.items():
        picture(root / name, size_hw)
    return root


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return tmp_path / "work"


def round_trip(dataset: Any, forms: list[Form], work: Path) -> Any:
    shutil.rmtree(work, ignore_errors=True)
    for number, form in enumerate(forms):
        out = work / str(number)
        write_boxes(dataset, out, to=form, pictures="link")
        dataset = read_boxes(out, repair=False)
    return dataset


splits = st.one_of(
    st.just([None] * 4),
    st.lists(st.sampled_from(["train", "validation", "test", None]), min_size=4, max_size=4),
)


@pytest.mark.parametrize("form", UPRIGHT)
@quick
@given(
    found=st.lists(st.lists(boxes(), max_size=4), min_size=4, max_size=4),
    split=splits,
    there=st.integers(0, 2**32),
)
def test_a_round_trip_keeps_the_last_bit(
    gallery: Path, fresh: Path, form: Form, found: list[list[Box]], split: list[Split | None], there: int
) -> None:
    """Any boxes, also flipped, empty and outside, through `form` and back."""
    if form in ("yolo-obb", "dota"):  # corners have no inside out
        found = [[upright(box) for box in group] for group in found]
    used = sorted({box.label for group in found for box in group} | {"never seen"})
    random.Random(there).shuffle(used)
    keys = list(SIZES)
    targets = {key: tuple(group) for key, group in zip(keys, found, strict=True)}
    if form == "dota":
        targets = {key: tuple(shorn(box) for box in group) for key, group in targets.items()}
    dataset = made(gallery, targets, names=tuple(used), splits=dict(zip(keys, split, strict=True)))
    back = round_trip(dataset, [form], fresh)
    shape = FORMS[form]
    assert seen(back, flags=shape.crowd and shape.difficult) == seen(
        dataset, flags=shape.crowd and shape.difficult
    )
    assert back.names == dataset.names


@pytest.mark.parametrize("form", ["yolo-obb", "dota"])
@pytest.mark.parametrize("angle", [0.0, 30.0, -101.25])
@pytest.mark.parametrize("least", [1e-8, 1e-17, 1e-18])
def test_boxes_thinner_than_anything_measured_keep_the_last_bit(
    gallery: Path, fresh: Path, form: Form, angle: float, least: float
) -> None:
    found = (Box("cat", (0.0, 3.0, least, 8.0), angle), Box("cat", (0.0, -least, 30.0, 0.0), angle))
    dataset = made(gallery, {"a.png": found})
    assert seen(round_trip(dataset, [form], fresh)) == seen(dataset)


@pytest.mark.parametrize("form", ["yolo", "yolo-obb", "dota"])
def test_what_no_digits_can_tell_is_refused_in_words(gallery: Path, fresh: Path, form: Form) -> None:
    dataset = made(gallery, {"a.png": (Box("cat", (0.0, 0.0, 1e-60, 5.0)),)})
    with pytest.raises(LabelError, match=r"box of 'cat'.*1e-60.*expected numbers of 1e-18 or more"):
        write_boxes(dataset, fresh, to=form)


def test_a_point_has_no_direction_to_keep(gallery: Path, fresh: Path) -> None:
    dataset = made(gallery, {"a.png": (Box("cat", (4.0, 5.0, 4.0, 5.0), 30.0),)})
    (back,) = round_trip(dataset, ["dota"], fresh).targets[0]
    assert (back.box_xyxy, back.angle_deg) == ((4.0, 5.0, 4.0, 5.0), 0.0)


def upright(box: Box) -> Box:
    x0, y0, x1, y1 = box.box_xyxy
    return Box(box.label, (min(x0, x1), min(y0, y1), max(x0, x1) + 1, max(y0, y1) + 1))


def shorn(box: Box) -> Box:
    return Box(box.label, box.box_xyxy)


@quick
@given(
    found=st.lists(boxes(), min_size=1, max_size=3),
    path=st.lists(st.sampled_from(UPRIGHT), min_size=2, max_size=4),
)
def test_any_format_to_any_other_and_back(
    gallery: Path, fresh: Path, found: list[Box], path: list[Form]
) -> None:
    dataset = made(gallery, {"a.png": tuple(upright(box) for box in found), "b.png": ()})
    back = round_trip(dataset, path, fresh)
    assert seen(back) == seen(dataset)
    assert back.names == dataset.names


@settings(quick, max_examples=20)
@given(
    found=st.lists(boxes(turned=True), min_size=1, max_size=4),
    path=st.lists(st.sampled_from(TURNED), min_size=1, max_size=3),
)
def test_turned_boxes_come_back_to_the_last_bit(
    gallery: Path, fresh: Path, found: list[Box], path: list[Form]
) -> None:
    dataset = made(gallery, {"a.png": tuple(found), "b.png": ()})
    assert seen(round_trip(dataset, path, fresh)) == seen(dataset)


@pytest.mark.parametrize("form", ["coco", "yolo", "voc", "dlib"])
def test_formats_without_angles_refuse_them(tmp_path: Path, form: Form) -> None:
    dataset = made(tmp_path, {"a.png": (Box("cat", (1, 1, 9, 5), 30.0),)})
    with pytest.raises(LabelError, match="yolo-obb"):
        write_boxes(dataset, tmp_path / "out", to=form)
    assert not (tmp_path / "out").exists()


def test_corners_that_are_no_rectangle_are_written_as_they_were(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "images" / "a.png", (97, 103))
    text(tmp_path / "in" / "labelTxt" / "a.txt", "10 70 30.5 72 29 85 8 80 plane 1\n")
    dataset = read_boxes(tmp_path / "in", repair=False)
    for path in (["dota"], ["yolo-obb", "dota"], ["csv", "yolo-obb", "dota"]):
        back = round_trip(dataset, list(path), tmp_path / "work")
        written = tmp_path / "work" / str(len(path) - 1) / "labelTxt" / "a.txt"
        assert written.read_text().startswith("10 70 30.5 72 29 85 8 80 plane")
        assert seen(back) == seen(dataset)


def test_extras_flags_and_polygons_through_coco_voc_csv(tmp_path: Path) -> None:
    extras = (
        ("segmentation", "[[1.0, 2.5, 3, 4]]"),
        ("pose", "Left"),
        ("note", '"5"'),
        ("score", "0.5"),
    )
    box = Box("cat", (1, 2, 3, 4), crowd=True, difficult=True, extras=extras)
    dataset = made(tmp_path, {"a.png": (box,)})
    for form in ("coco", "csv", "voc"):
        back = round_trip(dataset, [form], tmp_path / "work")
        (found,) = back.records[0].target
        assert (found.crowd, found.difficult) == (True, True)
        assert dict(found.extras) == dict(extras)
    written = write_boxes(dataset, tmp_path / "yolo", to="yolo")
    assert written.left == {"crowd": 1, "difficult": 1, "extras": 1}
    assert write_boxes(dataset, tmp_path / "dlib", to="dlib").left == {"extras": 3}  # it has a pose


def test_coco_that_is_written_is_what_pycocotools_reads(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    corners = np.sort(rng.uniform(0, 30, (50, 2, 2)), axis=1).reshape(50, 4)
    found = tuple(Box("cat", (a, b, c, d)) for a, b, c, d in corners.tolist())
    dataset = made(tmp_path, {"a.png": found, "b.png": ()}, splits={"a.png": "train", "b.png": "train"})
    write_boxes(dataset, tmp_path / "out", to="coco")
    loaded = tools.COCO(str(tmp_path / "out" / "annotations" / "instances_train.json"))
    capsys.readouterr()
    assert len(loaded.getImgIds()) == 2
    rows = np.array([one["bbox"] for one in loaded.loadAnns(loaded.getAnnIds())])
    np.testing.assert_allclose(np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:]]), corners, rtol=1e-14)


def test_names_that_clash_or_that_files_cannot_have(tmp_path: Path) -> None:
    keys = ["a/x.png", "b/x.png", "b/x.jpg", "# odd.png", "tab\there.png", "b-x.png"]
    dataset = made(tmp_path / "in", {key: (Box("cat", (0, 0, i + 1, 1)),) for i, key in enumerate(keys)})
    for form in UPRIGHT:
        written = write_boxes(dataset, tmp_path / form, to=form)
        back = read_boxes(tmp_path / form)
        assert written.pictures == len(back) == len(keys)
        assert sorted(record.target[0].box_xyxy[2] for record in back) == [1, 2, 3, 4, 5, 6]
        assert not back.problems


@pytest.mark.parametrize("name", ["two\nlines", " blank", "# comment", "\ud800", ""])
def test_class_names_that_do_not_fit(tmp_path: Path, name: str) -> None:
    dataset = made(tmp_path, {"a.png": (Box(name, (0, 0, 5, 5)),)})
    with pytest.raises(LabelError, match="cannot be written as voc"):
        write_boxes(dataset, tmp_path / "out", to="voc")


def test_the_folder_must_be_new_and_appears_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = made(tmp_path / "in", {"a.png": ()})
    text(tmp_path / "full" / "mine.txt", "x")
    with pytest.raises(UsageError, match="not an empty folder"):
        write_boxes(dataset, tmp_path / "full", to="coco")
    with pytest.raises(UnknownNameError):
        write_boxes(dataset, tmp_path / "out", to="cocoa")  # type: ignore[arg-type]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(DiskError, match="no space left"):
            write_boxes(dataset, tmp_path / "out", to="coco")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "in"]
    assert write_boxes(dataset, tmp_path / "out", to="coco").pictures == 1


def test_pictures_are_copied_linked_or_left(tmp_path: Path) -> None:
    dataset = made(tmp_path / "in", {"a.png": (Box("cat", (0, 0, 5, 5)),)})
    original = (tmp_path / "in" / "a.png").stat()
    for how, links in (("copy", 1), ("link", 2), ("none", 0)):
        write_boxes(dataset, tmp_path / how, to="yolo", pictures=how)  # type: ignore[arg-type]
        found = tmp_path / how / "images" / "a.png"
        assert found.exists() == (how != "none")
        if how != "none":
            assert found.stat().st_nlink == links
            assert (found.stat().st_ino == original.st_ino) == (how == "link")


def test_an_unreadable_picture_is_left_out_and_told(tmp_path: Path) -> None:
    dataset = made(tmp_path / "in", {"a.png": (), "b.png": ()})
    text(tmp_path / "in" / "b.png", "no picture")
    written = write_boxes(dataset, tmp_path / "out", to="coco")
    assert written.pictures == 1
    assert [(problem.kind, problem.key) for problem in written.problems] == [
        ("picture-unreadable", "b.png")
    ]


# -- mutated files ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Form, Path]:
    """The same small data set in every format."""
    root = tmp_path_factory.mktemp("corpus")
    boxes = (Box("cat", (1, 2, 20, 25)), Box("dog", (0.5, 3, 9, 9), difficult=True))
    splits: dict[str, Split | None] = {"a.png": "train", "b.png": "train", "c.png": "validation"}
    targets = {"a.png": boxes, "b.png": (), "c.png": boxes[:1]}
    for form in get_args(Form):
        write_boxes(made(gallery, targets, splits=splits), root / form, to=form, pictures="link")
    return {form: root / form for form in get_args(Form)}


WORDS = [
    *("nan", "inf", "-1", "1e999", "1e-400", "null", "true", "{}", "[]", '""', "0", "-0", "9" * 400),
    *('"\\ud800"', "\x00", "\ufeff", "<a>", "</object>", "<!DOCTYPE a>", "&lt;", "&x;", "#", "//", ","),
    *("../../x.png", "/etc/passwd", "\n", "\r\n", "١", "1_000", '"', "'", "\\", "- ", ": "),
]


@st.composite
def mutation(draw: st.DrawFn) -> tuple[float, float, str, bool]:
    return (
        draw(st.floats(0, 1)),
        draw(st.sampled_from([0.0, 0.0, 0.002, 0.01, 0.05, 0.5])),
        draw(st.one_of(st.sampled_from(WORDS), st.text(max_size=4))),
        draw(st.booleans()),
    )


@pytest.mark.parametrize("form", get_args(Form))
@settings(quick, max_examples=25)
@given(changes=st.lists(mutation(), min_size=1, max_size=3), which=st.integers(0, 100))
def test_damaged_files_are_told_and_never_break_the_reader(
    corpus: dict[Form, Path],
    fresh: Path,
    form: Form,
    changes: list[tuple[float, float, str, bool]],
    which: int,
) -> None:
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(corpus[form], fresh, copy_function=os.link)
    files = sorted(
        path for path in fresh.rglob("*") if path.suffix in (".json", ".txt", ".xml", ".csv", ".yaml")
    )
    path = files[which % len(files)]
    data = path.read_bytes().decode("utf-8")
    for at, length, word, _ in changes:
        start = int(at * len(data))
        data = data[:start] + word + data[start + int(length * len(data)) :]
    path.unlink()  # the original is linked
    path.write_bytes(data.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(StriateError):  # and nothing else
        check_whole(read_boxes(fresh, layout=form))


def check_whole(dataset: Dataset[tuple[Box, ...]]) -> None:
    json.dumps([problem.to_dict() for problem in dataset.problems])
    for record in dataset:
        record.origin.content_hash()
        for box in record.target:
            x0, y0, x1, y1 = box.box_xyxy
            assert np.isfinite(box.box_xyxy).all()
            assert x0 < x1
            assert y0 < y1
            assert box.label
            assert box.label in dataset.names


@pytest.mark.realdata
def test_bccd_through_every_format(real_data: Path, tmp_path: Path) -> None:
    dataset = read_boxes(real_data / "bccd", repair=False)
    for form in UPRIGHT:
        write_boxes(dataset, tmp_path / form, to=form, pictures="link")
        back = read_boxes(tmp_path / form, repair=False)
        assert seen(back) == seen(dataset)
        assert back.names == dataset.names
        assert [problem.kind for problem in back.problems] == ["box-empty", "box-empty"]
