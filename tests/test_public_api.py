"""What `import striate` promises. A change here is a change for every user: see CHANGELOG."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import striate

SIGNATURES = {
    "doctor": "(*, deep: 'bool' = False) -> 'Diagnosis'",
    "evaluate": (
        "(run: 'FilePath | Run', source: 'FilePath', *, split: 'SplitChoice' = 'auto', "
        "unseen: 'bool' = False, "
        "backend: \"Literal['onnxruntime', 'openvino']\" = 'onnxruntime', threads: 'int' = 0) "
        "-> 'Evaluation'"
    ),
    "export": (
        "(run: 'FilePath | Run', out: 'FilePath', *, format: 'ExportFormat' = 'onnx', "
        "pictures: 'Sequence[FilePath]' = (), overwrite: 'bool' = False) -> 'Export'"
    ),
    "load": (
        "(run: 'FilePath | Run', *, backend: 'Backend' = 'onnxruntime', threads: 'int' = 0) -> 'Model'"
    ),
}
METHODS = {
    "Answer": ["error", "path", "result", "to_dict"],
    "Evaluation": [
        "evidence", "get", "items", "keys", "metrics", "model", "pictures", "problems", "report",
        "seen_in_training", "split", "summary", "to_dict", "values",
    ],
    "Export": [
        "bytes", "compared_on", "differences", "files", "format", "input_hw", "metadata", "names",
        "to_dict", "tolerance",
    ],
    "Model": [
        "evaluate", "explain", "graphs", "header", "names", "predict", "predict_files", "run", "stream",
        "threads",
    ],
    "StressReport": ["axes", "card", "masks", "model", "save", "stock", "with_advice"],
}  # fmt: skip


def test_names() -> None:
    assert sorted(striate.__all__) == [
        "Ablation",
        "Answer",
        "DataError",
        "Evaluation",
        "Export",
        "Interrupted",
        "MachineError",
        "Model",
        "PictureError",
        "Preview",
        "RunError",
        "StressReport",
        "StriateError",
        "UsageError",
        "__version__",
        "ablate",
        "attack",
        "augment",
        "compare",
        "doctor",
        "evaluate",
        "export",
        "load",
        "read",
        "stress_card",
        "train",
    ]
    assert set(striate.__all__) <= set(dir(striate))


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_signatures(name: str) -> None:
    assert str(inspect.signature(getattr(striate, name))) == SIGNATURES[name]


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods(name: str) -> None:
    kind = getattr(striate, name)
    found = {one for one in dir(kind) if not one.startswith("_")} | set(kind.__annotations__)
    assert sorted(one for one in found if not one.startswith("_")) == METHODS[name]


def test_train_is_declared_as_it_is() -> None:
    """`train` needs torch to be imported; its source can be read without."""
    source = (Path(striate.__file__).parent / "verbs/train.py").read_text("utf-8")
    (found,) = (node for node in ast.parse(source).body if getattr(node, "name", "") == "train")
    assert isinstance(found, ast.FunctionDef)
    arguments = found.args
    assert [one.arg for one in arguments.args] == ["source"]
    assert [one.arg for one in arguments.kwonlyargs] == [
        "out",
        "task",
        "resume",
        "overwrite",
        "on_event",
    ]
    assert arguments.kwarg is not None


def test_every_name_is_at_home_and_typed() -> None:
    tree = ast.parse(Path(striate.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))  # if TYPE_CHECKING
    typed = {
        alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert typed == set(striate.__all__) - {"__version__"}
    for name in sorted(typed - {"train"}):
        assert getattr(striate, name).__name__ == name


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = striate.trian


def test_version_is_that_of_the_project() -> None:
    project = Path(__file__).parent.parent / "pyproject.toml"
    declared = tomllib.loads(project.read_text("utf-8"))["project"]
    assert striate.__version__ == declared.get("version", striate.__version__)


def loaded_by(code: str) -> set[str]:
    """Modules that are loaded after `code` ran in a Python of its own."""
    shown = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_loads_nothing_heavy() -> None:
    found = loaded_by("import striate")
    assert not found & {"numpy", "torch", "pydantic", "PIL", "onnxruntime", "cyclopts", "rich"}
    assert len({name for name in found if name.startswith("striate")}) == 1


def test_the_use_half_never_loads_torch() -> None:
    found = loaded_by(
        "import striate\nfor name in striate.__all__:\n    name == 'train' or getattr(striate, name)"
    )
    heavy = {"torch", "sklearn", "scipy", "skimage", "cyclopts", "rich"}
    assert not {name.partition(".")[0] for name in found} & heavy


def test_training_without_torch_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\nimport striate\n"
        "try:\n    striate.train('digits', out='never')\n"
        "except striate.MachineError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'striate[train]'" in done.stdout
