from __future__ import annotations

import csv
import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.data.dataset import Dataset
from striate.data.sheet import read_sheet
from striate.data.tables import read_label_tables, read_value_tables
from striate.errors import LabelError, UnknownNameError

Save = Callable[..., str]
Table = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path, save: Save) -> Table:
    """Writes a table beside a.png, b.png and sub/c.png."""
    for name in ("a.png", "b.png", "sub/c.png"):
        save(name)

    def write(text: str | bytes, name: str = "labels.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def address(path: str) -> str:
    return "file://" + quote_from_bytes(os.fsencode(path))


def labels(dataset: Dataset[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {record.key: record.target for record in dataset}


PLAIN = {"a.png": ("cat",), "b.png": ("dog",), "sub/c.png": ("cat",)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("path,label\na.png,cat\nb.png,dog\nsub/c.png,cat\n", "x.csv"),
        ("\ufefffile;class\r\na.png;cat\r\nb.png;dog\r\nsub/c.png;cat\r\n", "x.csv"),
        ("image\tlabel\na.png\tcat\nb.png\tdog\nsub/c.png\tcat\n", "x.tsv"),
        ("image|label\na.png|cat\nb.png|dog\nsub/c.png|cat", "x.csv"),
        (",image,label\n0,a.png,cat\n1,b.png,dog\n2,sub/c.png,cat\n", "x.csv"),
        ("a.png,cat\nb.png,dog\nsub/c.png,cat\n", "x.csv"),
        ("a.png cat\nb.png   dog\n\nsub/c.png cat\n", "x.txt"),
        ('"path","label"\n"a.png"," cat "\n"b.png","dog"\n"./sub/../sub/c.png",cat\n', "x.csv"),
        ("path,label\na.png,cat\nb.png,dog\nsub\\c.png,cat\n", "x.csv"),
        ("path,label,,\na.png,cat,,\nb.png,dog,,\nsub/c.png,cat,,\n", "x.csv"),
        ("path,label\na,cat\nb,dog\nsub/c,cat\n", "x.csv"),
        (
            "\n".join(json.dumps({"image": k, "label": v[0], "n": 3}) for k, v in PLAIN.items()),
            "x.jsonl",
        ),
        ("\n".join(json.dumps({"label": list(v), "file": k}) for k, v in PLAIN.items()), "x.ndjson"),
    ],
)
def test_forms_of_one_table(table: Table, text: str, name: str) -> None:
    found = read_label_tables([table(text, name)])
    assert labels(found) == PLAIN
    assert found.names == ("cat", "dog")
    assert name in found.layout
    assert all(record.origin.read().shape == (9, 12, 3) for record in found)
    assert {problem.severity for problem in found.problems} <= {"note"}


def test_utf16_and_windows_1252(tmp_path: Path, table: Table, save: Save) -> None:
    text = "path,label\na.png,café\nb.png,dog\n"
    assert read_label_tables([table(text.encode("utf-16"))]).names == ("café", "dog")
    save(b"caf\xe9.png")
    found = read_label_tables([table((text + "café.png,dog\n").encode("cp1252"))])
    assert found.names == ("café", "dog")
    assert [problem.kind for problem in found.problems] == ["encoding"]
    assert os.fsencode(found.records[-1].key) == b"caf\xe9.png"


def test_every_fault_is_told_with_its_line(table: Table) -> None:
    path = table(
        "path,label,split\n"
        "a.png,cat,train\n"
        "gone.png,cat,train\n"
        "b.png,,train\n"
        "sub,cat,\n"
        "sub/c.png,cat,holdout\n"
        "gone.png,,\n"
        "only-one-cell\n"
        ",cat,\n"
    )
    found = read_label_tables([path])
    assert labels(found) == {"a.png": ("cat",)}
    faults = [(problem.line, problem.kind) for problem in found.problems]
    assert sorted(faults) == [
        (3, "missing-picture"),
        (4, "bad-label"),
        (5, "missing-picture"),
        (6, "bad-split"),
        (7, "bad-label"),
        (7, "missing-picture"),
        (8, "bad-row"),
        (9, "missing-picture"),
    ]
    assert {problem.key for problem in found.problems} == {"labels.csv"}
    assert all(problem.severity == "error" and problem.repair for problem in found.problems)


def test_lines_are_counted_through_cells_with_line_ends(table: Table) -> None:
    path = table('path,label,note\na.png,cat,"two\nlines"\n\ngone.png,cat,x\n')
    (problem,) = read_label_tables([path]).problems
    assert problem.line == 5


def test_repeated_rows(table: Table) -> None:
    path = table("path,label\na.png,cat\n./a.png,cat\nb.png,dog\nb.png,cat\n")
    found = read_label_tables([path])
    assert labels(found) == {"a.png": ("cat",), "b.png": ("dog",)}
    assert [(p.kind, p.line) for p in found.problems] == [("repeated-row", 3), ("conflicting-rows", 5)]
    several = read_label_tables([path], multi_label=True)
    assert labels(several) == {"a.png": ("cat",), "b.png": ("cat", "dog")}
    assert several.problems == ()


@pytest.mark.parametrize(
    ("cell", "separator", "expected"),
    [
        ("red;round", None, ("red", "round")),
        ("round|red", None, ("red", "round")),
        (" red ; red ", None, ("red",)),
        ("", None, ()),
        ("red round", None, ("red round",)),
        ("red  round", " ", ("red", "round")),
        ("red+round", "+", ("red", "round")),
    ],
)
def test_cells_with_several_labels(
    table: Table, cell: str, separator: str | None, expected: tuple[str, ...]
) -> None:
    path = table(f'path,labels\na.png,"{cell}"\nb.png,square\n')
    found = read_label_tables([path], multi_label=True, label_separator=separator)
    assert labels(found)["a.png"] == expected
    assert found.names == tuple(sorted({*expected, "square"}))


def test_lists_in_json_lines(table: Table) -> None:
    path = table(
        '{"path": "a.png", "tags": ["red", "round"]}\n{"path": "b.png", "tags": []}\n', "t.jsonl"
    )
    found = read_label_tables([path], multi_label=True)
    assert labels(found) == {"a.png": ("red", "round"), "b.png": ()}
    with pytest.raises(LabelError, match=r"2 × bad-label.*t\.jsonl:1"):
        read_label_tables([path])


def test_columns_of_yes_and_no(table: Table) -> None:
    path = table("path,round,red,blue\na.png,1,true,0\nb.png,no,0,0.0\nsub/c.png,,1,1\n")
    found = read_label_tables([path], target_columns=("round", "red", "blue"), multi_label=True)
    assert labels(found) == {"a.png": ("round", "red"), "b.png": ()}
    assert found.names == ("round", "red", "blue")
    assert [(p.kind, p.line) for p in found.problems] == [("bad-label", 4)]
    signed = table("path,round,red\na.png,1,-1\nb.png,-1,1\n")
    found = read_label_tables([signed], target_columns=("round", "red"), multi_label=True)
    assert labels(found) == {"a.png": ("round",), "b.png": ("red",)}
    mixed = table("path,round,red\na.png,1,0\nb.png,-1,1\n")
    found = read_label_tables([mixed], target_columns=("round", "red"), multi_label=True)
    assert labels(found) == {"a.png": ("round",)}


def test_several_labels_where_one_is_expected_are_noticed(table: Table) -> None:
    found = read_label_tables([table("path,label\na.png,red;round\nb.png,red\n")])
    assert [problem.kind for problem in found.problems] == ["looks-multi-label"]


def test_numbers(table: Table) -> None:
    path = table("path,yaw,note,pitch\na.png,1.5,x,-2\nb.png,1e2,y,0\n")
    found = read_value_tables([path])
    assert found.names == ("yaw", "pitch")
    assert [record.target for record in found] == [(1.5, -2.0), (100.0, 0.0)]
    assert read_value_tables([path], target_columns=("pitch",)).targets == [(-2.0,), (0.0,)]
    comma = table("path;yaw\na.png;1,5\nb.png;-2\n")
    assert read_value_tables([comma]).targets == [(1.5,), (-2.0,)]


@pytest.mark.parametrize("cell", ["", "x", "nan", "inf", "-inf", "1,5", "0x10", "1 2"])
def test_what_is_no_number(table: Table, cell: str) -> None:
    path = table(f'path,yaw\na.png,1\nb.png,"{cell}"\nsub/c.png,2\n')
    found = read_value_tables([path])
    assert found.targets == [(1.0,), (2.0,)]
    assert [(p.kind, p.line) for p in found.problems] == [("bad-label", 3)]


def test_splits_and_groups(table: Table) -> None:
    path = table("path,label,Split,GROUP\na.png,cat,Train,g1\nb.png,dog,valid,\nsub/c.png,cat,,g1\n")
    found = read_label_tables([path])
    assert [(r.split, r.group) for r in found] == [("train", "g1"), ("validation", None), (None, "g1")]
    assert found.names == ("cat", "dog")


def test_tables_that_are_splits(table: Table) -> None:
    train = table("path,label\na.png,cat\nb.png,dog\n", "train.csv")
    test = table("path,label\nsub/c.png,cat\nb.png,dog\n", "Test.csv")
    found = read_label_tables([train, test])
    assert [(r.key, r.split) for r in found] == [
        ("a.png", "train"),
        ("b.png", "train"),
        ("sub/c.png", "test"),
    ]
    assert [problem.kind for problem in found.problems] == ["conflicting-rows"]  # in both splits


def test_pictures_elsewhere(tmp_path: Path, table: Table, save: Save) -> None:
    outside = save("../elsewhere-of-striate/x.png")
    try:
        (tmp_path / "link.png").symlink_to(outside)
        raw = save(b"caf\xe9\xff.png")
        cells = (outside, "../elsewhere-of-striate/x.png", "link.png", address(raw), "/dev/null")
        path = table("path,label\n" + "".join(f"{cell},a\n" for cell in cells))
        found = read_label_tables([path])
        assert [os.fsencode(r.key) for r in found] == [
            os.fsencode(os.path.realpath(outside)),
            b"link.png",
            b"caf\xe9\xff.png",
        ]
        assert [(p.kind, p.line) for p in found.problems] == [
            ("repeated-row", 3),
            ("missing-picture", 6),
        ]
        assert "device" in found.problems[-1].reason
    finally:
        Path(outside).unlink()
        Path(outside).parent.rmdir()


def test_a_folder_beside_the_table_is_found(table: Table) -> None:
    found = read_label_tables([table("id_code,diagnosis\nc,0\n")])
    assert labels(found) == {"sub/c.png": ("0",)}
    assert "pictures in sub/, .png added" in found.layout


def test_which_column_is_meant(table: Table) -> None:
    path = table("path,breed,colour\na.png,collie,red\nb.png,pug,blue\n")
    with pytest.raises(LabelError, match=r"'breed', 'colour'"):
        read_label_tables([path])
    assert read_label_tables([path], target_columns=("breed",)).names == ("collie", "pug")
    with pytest.raises(UnknownNameError, match="did you mean 'colour'"):
        read_label_tables([path], target_columns=("color",))
    with pytest.raises(UnknownNameError, match="column of labels"):
        read_label_tables([path], path_column="file", target_columns=("breed",))
    with pytest.raises(LabelError, match="2 label columns"):
        read_label_tables([path], target_columns=("breed", "colour"))
    with pytest.raises(LabelError, match="numbers to learn"):
        read_value_tables([path])


@pytest.mark.parametrize(
    ("text", "name", "match"),
    [
        ("", "x.csv", "is empty"),
        ("\n\n", "x.csv", "is empty"),
        ("path,label\n", "x.csv", "lists no pictures"),
        ("path,path\na.png,cat\n", "x.csv", r"x\.csv:1.*'path'"),
        ('path,label\na.png,cat\nb.png,"do"g\n', "x.csv", r"x\.csv:3"),
        ('path,label\na.png,"cat\nb.png,dog\n', "x.csv", r"x\.csv:2"),
        ("path,label\nno.png,cat\nneither.png,dog\n", "x.csv", r"2 rows.*2 × missing-picture.*x\.csv:2"),
        ("path\na.png\n", "x.csv", "none"),
        ("", "x.jsonl", "no rows"),
        ("[1]\n", "x.jsonl", "no rows"),
    ],
)
def test_tables_that_cannot_be_used(table: Table, text: str, name: str, match: str) -> None:
    with pytest.raises(LabelError, match=match):
        read_label_tables([table(text, name)])


def test_bad_json_lines_are_told(table: Table) -> None:
    lines = [
        '{"path": "a.png", "label": "x"}',
        "{",
        '"text"',
        '{"path": "\\ud800.png", "label": "x"}',
        "[" * 99999,
    ]
    found = read_label_tables([table("\n".join(lines), "x.jsonl")])
    assert labels(found) == {"a.png": ("x",)}
    assert [(p.kind, p.line) for p in found.problems] == [("bad-row", n) for n in (2, 3, 4, 5)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), name=st.sampled_from(["x.csv", "x.tsv", "x.jsonl", "x.txt"]))
def test_any_bytes_are_a_table_or_a_label_error(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for read in (read_label_tables, read_value_tables):
        with pytest.raises((LabelError, UnknownNameError)):
            read([path])
    try:
        sheet = read_sheet(path)
    except LabelError:
        return
    assert all(len(row.cells) == len(sheet.columns) for row in sheet.rows)
    lines = [row.line for row in sheet.rows]
    assert lines == sorted(lines)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1
    )
)
def test_labels_come_back_from_quoted_cells(tmp_path: Path, table: Table, names: list[str]) -> None:
    path = tmp_path / "q.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label"])
        for number, name in enumerate(names):
            (tmp_path / f"{number}.png").touch()
            writer.writerow([f"{number}.png", name])
    wanted = [unicodedata.normalize("NFC", name.strip()) for name in names]
    if not any(wanted):
        return
    found = {record.key: record.target[0] for record in read_label_tables([path])}
    assert found == {f"{number}.png": name for number, name in enumerate(wanted) if name}
