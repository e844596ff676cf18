"""Tables of boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.data.boxes.read import read_boxes
from striate.errors import LayoutError

from .boxes_corpus import picture, text


def test_tables_of_edges_extents_and_without_a_header(tmp_path: Path) -> None:
    tables = {
        "1": "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,40,30,cat,1,2,11,12\n",
        "2": "label;image;x;y;width;height\ncat;a.png;1;2;10;10\n",
        "3": "# path, edges, class\na.png,1,2,11,12,cat\nb.png,,,,,\n",
        "4": "ImageID,XMin,XMax,YMin,YMax,LabelName\na,0.025,0.275,0.0666666667,0.4,cat\n",
    }
    for name, content in tables.items():
        picture(tmp_path / name / "a.png")
        picture(tmp_path / name / "b.png")
        text(tmp_path / name / "boxes.csv", "\ufeff" + content.replace("\n", "\r\n"))
        dataset = read_boxes(tmp_path / name)
        np.testing.assert_allclose(dataset.records[0].target[0].box_xyxy, (1, 2, 11, 12), atol=1e-6)
        assert dataset.names == ("cat",)
        assert not dataset.problems
        assert len(dataset) == (2 if name == "3" else 1)


def test_rows_of_a_table_that_are_wrong(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    picture(tmp_path / "images" / "b.png")
    rows = [
        "path,xmin,ymin,xmax,ymax,label,split",
        "images/a.png,1,1,5,5,cat,train",
        "images/gone.png,1,1,5,5,cat,train",
        "images/a.png,1,1,5,5,,train",
        "// a comment",
        "images/a.png,1,1,5",
        "images/a.png,1,1,q,5,cat,train",
        "images/a.png,1,1,5,5,cat,val",
        "images/b.png,,,,,,valid",
        "images/b.png,1,1,9,9,dog,sometimes",
        "../../a.png,8,8,9,9,dog,train",
    ]
    text(tmp_path / "boxes.csv", "\n".join(rows))
    dataset = read_boxes(tmp_path)
    told = [(problem.kind, problem.line) for problem in dataset.problems]
    assert told == [
        ("annotation-broken", 6),
        ("picture-missing", 3),
        ("annotation-broken", 4),
        ("annotation-broken", 7),
        ("picture-twice", 8),
        ("split-unknown", 10),
        ("picture-twice", 10),
        ("box-duplicate", 8),
    ]
    assert [record.split for record in dataset] == ["train", "validation"]
    assert len(dataset.records[0].target) == 2  # a name that leads outside is found by its last part


def test_several_tables_must_be_splits(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    for name in ("one.csv", "two.csv"):
        text(tmp_path / name, "a.png,1,2,11,12,cat\n")
    with pytest.raises(LayoutError, match="several tables with boxes"):
        read_boxes(tmp_path)
    assert len(read_boxes(tmp_path / "one.csv")) == 1
    text(tmp_path / "train.csv", "a.png,1,2,11,12,cat\n")
    assert read_boxes(tmp_path).splits == ("train",)
