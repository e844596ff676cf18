"""The hand-made runs of tests/verbs, and a way to call the command."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from striate.cli.main import main

_spec = importlib.util.spec_from_file_location(
    "striate_tests_verbs_conftest", Path(__file__).parent.parent / "verbs" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_verbs = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _verbs
_spec.loader.exec_module(_verbs)

make_run, coloured = _verbs.make_run, _verbs.coloured


@dataclass(frozen=True)
class Outcome:
    """What a call of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def striate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`striate("predict", run, picture, "--json")` in this process."""

    def call(*words: object) -> Outcome:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
