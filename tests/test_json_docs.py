"""docs/json.md against what is written: every key, its type, null or not, in both directions."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from striate.errors import PictureError
from striate.explain.explanation import Explanation
from striate.explain.inside import Layer
from striate.explain.projection_map import Embedding
from striate.pictures import write
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.stress.advice import Advice, Gain
from striate.stress.corrupted import Corrupted
from striate.stress.curves import Estimate
from striate.stress.poses_search import Nearest
from striate.tasks.classify.types import Classification
from striate.tasks.detect.types import Detections
from striate.tasks.regress.types import Regression
from striate.types import Problem
from striate.verbs.ablate import ablate
from striate.verbs.explain.class_map import ClassMap
from striate.verbs.explain.dissect import dissect
from striate.verbs.explain.maps import feature_maps
from striate.verbs.explain.neurons import neurons
from striate.verbs.explain.tsne import LayerMap
from striate.verbs.explain.why import explain_all
from striate.verbs.explain.why_report import write_explanations
from striate.verbs.stress.attack import attack
from striate.verbs.stress.card import StressReport, stress_card
from striate.verbs.stress.poses import poses

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "json.md").read_text("utf-8")


def _beside(path: str) -> ModuleType:
    name = f"striate_tests_{path.replace('/', '_').removesuffix('.py')}_of_json_docs"
    spec = importlib.util.spec_from_file_location(name, TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_explain, _blobs = _beside("explain/conftest.py"), _beside("cli/blob_run.py")
make_run, coloured, gabor_run = _explain.make_run, _explain.coloured, _explain.gabor_run

MakeRun = Callable[..., Run]
Json = dict[str, Any]

BROKEN = Problem("unreadable", "error", "red/broken.png", "why", "mend it")

# -- the page ---------------------------------------------------------------------------------

_SECTIONS = {
    name: text
    for name, text in re.findall(r"^#{2,3} (\S+)$\n(.*?)(?=^#{2,3} |\Z)", PAGE, re.M | re.S)
    if "| key |" in text
}
FILES = tuple(name for name in _SECTIONS if name.endswith(".json"))
PARTS = tuple(name for name in _SECTIONS if name not in FILES)
_ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \|(.*)\|$", re.M)
_PART = re.compile(r"\[(\w+)\]\(#\w+\)")
_OWN = ("problem: ", "answer: ")
"""Parts whose rows have tests of their own."""


@dataclass(eq=False)
class Key:
    """What the page says of one key. `told`: it has a row; `lent`: of which shared part that is."""

    path: str
    type: str = "object"
    told: bool = False
    lent: str = ""
    optional: bool = False
    seen: bool = False
    children: dict[str, Key] = field(default_factory=dict)

    @property
    def nullable(self) -> bool:
        return bool(re.search(r"\bor null$|\bor null[,)]", self.type))

    @property
    def may_be_absent(self) -> bool:
        """Said so or, without a row, so of all that is within."""
        inner = self.children.values()
        return self.optional or (not self.told and bool(inner) and all(one.optional for one in inner))

    def child(self, name: str) -> Key | None:
        """That of a written key: by name, else the first with a place for it, such as {class}."""
        if name in self.children:
            return self.children[name]
        for known, one in self.children.items():
            parts = re.split(r"\{[^}]*\}", known)
            if len(parts) > 1 and re.fullmatch(".+".join(map(re.escape, parts)), name):
                return one
        return None

    def every(self) -> Iterator[Key]:
        for one in self.children.values():
            yield one
            yield from one.every()


def keys_of(section: str) -> Key:
    """The table of a section as a tree, with the parts that it names."""
    root = Key(section, told=True)
    for path, kind, meaning in _ROW.findall(_SECTIONS[section]):
        key, walked = root, ""
        for step in path.replace("[]", ".[]").split("."):
            walked += step if step == "[]" else f".{step}"
            above, key = key, key.children.setdefault(step, Key(walked.removeprefix(".")))
        assert not key.told, f"{section}: {path} has two rows"
        key.type, key.told = kind.strip(), True
        key.optional = meaning.strip().startswith("only when")
        if path.endswith("[]"):
            above.optional = key.optional
        if part := _PART.search(kind):
            _lend(key, keys_of(part[1]), optional="only when" in kind)
    return root


def _lend(key: Key, part: Key, *, optional: bool) -> None:
    for one in part.every():
        one.lent = one.lent or f"{part.path}: {one.path}"
        one.path = f"{key.path}.{one.path}"
    for name, one in part.children.items():
        one.optional = one.optional or optional
        key.children[name] = one


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


_EACH: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("list of texts", _is_text),
    ("list of whole numbers", _is_whole),
    ("list of numbers or nulls", lambda one: one is None or _is_number(one)),
    ("list of numbers", _is_number),
    ("list of true or false", _is_truth),
    ("list of lists", lambda one: isinstance(one, list)),
)
_KINDS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("text", _is_text),
    ("true or false", _is_truth),
    ("whole number", _is_whole),
    ("number", _is_number),
    ("anything", lambda value: True),
)


def is_of(value: Any, kind: str) -> bool:
    """Whether a value that is no object is of the type that stands in the table, and in its range."""
    if kind.startswith("[low, high]"):
        return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
    for start, right in _EACH:
        if kind.startswith(start):
            return isinstance(value, list) and all(map(right, value))
    right = next((one for start, one in _KINDS if kind.startswith(start)), lambda _: False)
    ends = re.search(r"(−?\d+) to (\d+)", kind)
    if ends is None or not right(value):
        return right(value)
    low, high = (float(one.replace("−", "-")) for one in ends.groups())
    return low - 1e-5 <= float(value) <= high + 1e-5


def wrongs(value: Any, key: Key, *, whole: bool = True) -> Iterator[str]:
    """What differs between a written value and its key, in sentences; `whole`: nothing may be absent."""
    key.seen = True
    if key.type == "anything":
        return
    if value is None:
        if not key.nullable:
            yield f"{key.path} is null, which its type does not say"
    elif isinstance(value, dict) and (key.children or key.type.startswith("object")):
        for name, one in value.items():
            if (known := key.child(name)) is None:
                yield f"{key.path}.{name} is written, and not documented"
            else:
                yield from wrongs(one, known, whole=whole)
        for name, known in key.children.items():
            if whole and "{" not in name and not known.may_be_absent and name not in value:
                yield f"{known.path} is documented as always there, and not written"
    elif isinstance(value, list) and "[]" in key.children:
        for one in value:
            yield from wrongs(one, key.children["[]"], whole=whole)
    elif not is_of(value, key.type):
        yield f"{key.path} is {str(value)[:60]!r}, documented as {key.type!r}"


def never_seen(root: Key) -> list[str]:
    """Rows that no example has. One place of a shared part is enough; some have tests of their own."""
    rows = [one for one in root.every() if one.told]
    seen = {one.lent or one.path for one in rows if one.seen}
    return sorted(
        f"{one.path} is documented, and never written"
        for one in rows
        if (one.lent or one.path) not in seen and not one.lent.startswith(_OWN)
    )


# -- examples of each file --------------------------------------------------------------------


def told_by(found: Any) -> Json:
    """What is saved to the file, but without drawing the page beside it."""
    told: Json = json.loads(json.dumps(json_ready(found.to_dict()), allow_nan=False))
    return told


def read(path: Path) -> Json:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{path.name} holds {constant}, which is not JSON")

    told: Json = json.loads(path.read_text("utf-8"), parse_constant=refuse)
    return told


@pytest.fixture
def many(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Class folders of 26 pictures each, more or less of the class's colour; one is no picture."""
    root = tmp_path / "many"
    for place, name in enumerate(("red", "green", "blue")):
        (root / name).mkdir(parents=True)
        for number in range(26):
            picture = rng.integers(60, 130, (12, 16, 3), dtype=np.uint8)
            picture[..., place] = rng.integers(90, 150)
            write(picture, root / name / f"{number}.png")
    (root / "red" / "broken.png").write_bytes(b"not a picture at all")
    return root


def _tried(report: StressReport) -> StressReport:
    """With numbers that only long measurements give."""
    gain = Gain(0.1, 0.05, 0.15, 3, "accuracy under fog", "It helps.")
    advice = Advice("noise", ("fog",), "why", "words", {"noise": 0.1}, "striate train", gain=gain)
    some = Estimate(0.9, 0.8, 1.0)
    over = Corrupted("mCE", "meaning", some, some, "relative mCE", "other", {"fog": 0.9})
    return replace(report, card=replace(report.card, advice=(advice,), corrupted=over))


@pytest.fixture
def cards(make_run: MakeRun, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """Of classes, with a second run and everything; of few pictures; of numbers; of boxes."""
    run = make_run()
    quick: Json = {"severities": (1, 5), "time_budget": None, "threads": 1}
    axes = ("fog", "overexposure", "rotation", "background-other")
    full = _tried(stress_card(run, many, axes=axes, against=make_run(name="other"), **quick))
    few = stress_card(run, many, axes=("fog",), at_most=4, threads=1)
    table, boxes = _values(tmp_path / "values"), _boxes(tmp_path / "boxes")
    numbers = stress_card(make_run("regress", name="numbers"), table, axes=("fog",), **quick)
    monkeypatch.setattr("striate.verbs.model.load_graph", _blobs.load_blob_graph)
    detector = _blobs.blob_run(tmp_path / "detector", size_hw=(64, 64))
    found = stress_card(detector, boxes, axes=("overexposure",), **quick)
    return [told_by(one.card) for one in (full, few, numbers, found)]


def _values(folder: Path) -> Path:
    folder.mkdir()
    rows = ["path,redness,greenness"]
    for number in range(12):
        rgb = (20 * number, 200 - 10 * number, 90)
        write(np.full((12, 16, 3), rgb, np.uint8), folder / f"{number}.png")
        rows.append(f"{number}.png,{rgb[0]},{rgb[1]}")
    (folder / "values.csv").write_text("\n".join(rows))
    return folder / "values.csv"


def _boxes(folder: Path) -> Path:
    folder.mkdir()
    rows = ["path,x0,y0,x1,y1,label"]
    for number in range(12):
        picture = _blobs.paint((64, 64), [(10 + number, 16, 20, 24, 255)])
        write(picture, folder / f"{number}.png")
        rows.append(f"{number}.png,{10 + number},16,{30 + number},40,bead")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def attacks(make_run: MakeRun, many: Path) -> list[Json]:
    run = make_run()
    quick: Json = {"strengths": (40,), "steps": 2, "at_most": 6, "threads": 1, "seed": 1}
    found = [attack(run, many, "one-pixel", **quick)]
    found.append(attack(run, many, "one-pixel", target="red", **quick))
    found.append(replace(found[0], problems=(BROKEN,)))
    return [told_by(one) for one in found]


@pytest.fixture
def posed(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """A cube of two colours, before runs of classes and of angles."""
    cube = _explain._verbs.write_cube(tmp_path)
    original = _explain._verbs._facts

    def facts(kind: str, threshold: float | None) -> Json:
        known: Json = original(kind, threshold)
        return {**known, "names": ("yaw_deg", "pitch"), "is_angle": (True, True)}

    found = [poses(make_run(), cube, samples=60, threads=1)]
    never = Nearest(None, None, float("nan"), axes=4, upto_deg=90.0, asked=40)
    found.append(replace(found[0], found=replace(found[0].found, nearest=never)))
    monkeypatch.setattr(_explain._verbs, "_facts", facts)
    found.append(poses(make_run("regress", name="angles"), "head", samples=20, threads=1))
    return [told_by(one) for one in found]


def _trained(source: str, *, out: Path, task: str, **settings: Any) -> Any:
    """Stands for `striate.train`."""
    plan = {"batch_size": 16, "precision": "float32", "compile": False, "threads": 2}
    header = SimpleNamespace(plan=plan, timings={"train": 2.0, "export": 1.0}, augment={"erase": 0.1})
    return SimpleNamespace(settings=settings, header=header)


@pytest.fixture
def ablated(tmp_path: Path) -> list[Json]:
    def measure(model: Any) -> np.ndarray:
        return (np.random.default_rng(model.settings["seed"]).random(40) < 0.6).astype(float)

    ablate(
        "digits", out=tmp_path, train=_trained, candidates={"blur": {"blur": 1.0}}, leave_out=True,
        epochs=4, measure=measure, measured="right answers",
    )  # fmt: skip
    return [read(tmp_path / "ablate.json")]


@pytest.fixture
def explained(make_run: MakeRun, coloured: Path, tmp_path: Path) -> list[Json]:
    """Pictures with and without parts, one that cannot be read, and what a network would add."""
    run = make_run().folder
    given = [coloured / "red" / "0.png", "scenes/00012"]
    found = list(explain_all(run, given, method="occlusion"))
    first = found[0]
    deep = replace(first.attributions[0], layer="stage3", sameness=(("all layers", 0.2),), part="wheel")
    found.append(replace(first, attributions=(deep,), remark="it is a guess"))
    broken = PictureError("x.png", "damaged", remedy="mend it")
    found.append(Explanation("x.png", None, None, error=broken))
    found += explain_all(run, given[:1], method="occlusion", check=False)
    write_explanations(found, tmp_path / "why", run="run", given="some")
    return [read(tmp_path / "why" / "explain.json")]


@pytest.fixture
def dissected(gabor_run: Run, tmp_path: Path, rng: np.random.Generator) -> list[Json]:
    """Pictures of noise, above and below of another kind; a mask with an unknown number."""
    root = tmp_path / "fields"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    (root / "classes.json").write_text(json.dumps({"classes": ["calm", "wild", "never"]}))
    for number in range(5):
        picture = rng.integers(100, 150, (48, 40, 3), dtype=np.uint8)
        picture[24:] = rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)
        mask = np.zeros((48, 40, 3), np.uint8)
        mask[24:] = 9 if number == 4 else 1
        write(picture, root / "images" / f"{number}.png")
        _write_grey(mask[..., 0], root / "masks" / f"{number}.png")
    found = dissect(gabor_run, root, layers=["act"], against=["random"], top=0.05, threads=1)
    return [told_by(found)]


def _write_grey(values: Any, path: Path) -> None:
    from PIL import Image

    Image.fromarray(values).save(path)


@pytest.fixture
def looked_for(gabor_run: Run, many: Path) -> list[Json]:
    """Without a network nothing is made from noise: those numbers are put in."""
    found = neurons(gabor_run, "act", data=many, count=2, top=2, steps=0, at_most=12, threads=1)
    (view,) = found.views
    made = replace(view.channels[0], strength=2.0, at_start=0.5, says="red")
    found = replace(found, views=(replace(view, channels=(made, *view.channels[1:]), note="why"),))
    return [told_by(replace(found, problems=(BROKEN,)))]


@pytest.fixture
def mapped(gabor_run: Run, coloured: Path) -> list[Json]:
    found = feature_maps(gabor_run, coloured / "red" / "0.png", threads=1)
    return [told_by(found)]


@pytest.fixture
def laid_out(rng: np.random.Generator) -> list[Json]:
    """t-SNE itself would take the longest of all."""
    points = rng.normal(size=(3, 2)).astype(np.float32)
    found = LayerMap(
        run="run", source="some", split="test", available=3, layer=Layer("act", "relu", "t", (4, 5, 6)),
        names=("red", "green"), keys=("a", "b", "c"), truths=(0, 1, -1), said=(1, 1, 0),
        thumbnails=np.zeros((3, 8, 8, 3), np.uint8), alike=0.5, seed=0, problems=(BROKEN,),
        embedding=Embedding(points, 0.9, 2, 3, 4, 0.8, 30.0),
    )  # fmt: skip
    return [told_by(found), told_by(replace(found, alike=None))]


@pytest.fixture
def class_mapped(tmp_path: Path, rng: np.random.Generator) -> list[Json]:
    """The network needs torch; what it says is drawn by lot."""
    shares = rng.dirichlet([0.5] * 3, (4, 6)).astype(np.float32)
    picture = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    found = ClassMap(
        run="run", name="a.png", picture=picture, names=("red", "green", "blue"), probabilities=shares,
        window_hw=(0.4, 0.3), step_hw=(0.2, 0.14), layer="stage3", shown=(2, 0), hint="look closer",
    )  # fmt: skip
    found.save(tmp_path / "out")
    return [read(tmp_path / "out" / "class-map.json")]


MADE: Mapping[str, str] = {
    "card.json": "cards",
    "attack.json": "attacks",
    "poses.json": "posed",
    "ablate.json": "ablated",
    "explain.json": "explained",
    "dissect.json": "dissected",
    "neurons.json": "looked_for",
    "maps.json": "mapped",
    "map.json": "laid_out",
    "class-map.json": "class_mapped",
}
"""File → the fixture that writes examples of it."""

# -- page and files ---------------------------------------------------------------------------


def test_every_file_has_a_section() -> None:
    assert set(FILES) == set(MADE)
    assert len(PARTS) == 6


@pytest.mark.parametrize("name", MADE)
def test_what_is_written_is_what_is_documented(name: str, request: pytest.FixtureRequest) -> None:
    root = keys_of(name)
    found = [wrong for one in request.getfixturevalue(MADE[name]) for wrong in wrongs(one, root)]
    assert "\n".join(sorted({*found, *never_seen(root)})) == ""


def test_answers_are_those_of_the_tasks() -> None:
    root = keys_of("answer")
    classes, pair = ("a", "b"), np.array([0.9, 0.1], np.float32)
    boxes = np.array([[0, 0, 4, 4]], np.float32)
    answers: list[Any] = [
        Classification(classes, pair, ("a",)),
        Classification(classes, pair, ("a",), multi_label=True),
        Regression(classes, np.ones(2), np.array([0, np.nan]), np.array([2, np.nan])),
        Detections(classes, boxes, pair[:1], np.array([1]), np.array([3.0], np.float32)),
    ]
    assert not [wrong for one in answers for wrong in wrongs(one.to_dict(), root)]
    assert not never_seen(root)


def test_problems_may_name_lines_and_others() -> None:
    root = keys_of("problem")
    one = Problem("unknown-label", "error", "a.csv", "why", "mend it", line=3, others=("b.csv",))
    assert not list(wrongs(one.to_dict(), root))
    assert not never_seen(root)


@pytest.mark.parametrize("name", MADE)
def test_examples_are_of_documented_keys(name: str) -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```", _SECTIONS[name], re.M | re.S)
    told = json.loads(re.sub(r",?\s*…", "", example))
    assert not list(wrongs(told, keys_of(name), whole=False))


# -- the test itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told.update(new=1), "map.json.new is written, and not documented"),
        (lambda told: told["points"][0].pop("x"), "points[].x is documented as always there"),
        (lambda told: told.update(seed=None), "seed is null"),
        (lambda told: told.update(pictures=2.5), "pictures is '2.5'"),
        (lambda told: told.update(variance=1.5), "variance is '1.5'"),
        (lambda told: told.update(problems={}), "problems"),
    ],
)
def test_differences_are_told(change: Callable[[Json], Any], words: str, laid_out: list[Json]) -> None:
    told = laid_out[0]
    change(told)
    assert words in " ".join(wrongs(told, keys_of("map.json")))


def test_rows_that_nobody_writes_are_told() -> None:
    root = keys_of("map.json")
    assert "seed is documented, and never written" in never_seen(root)
