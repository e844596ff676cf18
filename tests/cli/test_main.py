from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import striate.cli.doctor as doctor_command
from striate.cli.commands import COMMANDS, FAMILIES
from striate.cli.overview import overview

Call = Callable[..., Any]


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_root_help(striate: Call, words: tuple[str, ...]) -> None:
    found = striate(*words)
    assert found.code == 0
    assert found.err == ""
    for name in COMMANDS:
        assert f"\n  {name.split()[0]} " in found.out


@pytest.mark.parametrize(
    ("family", "more"),
    [(one, ()) for one in FAMILIES] + [(one, ("--help",)) for one in FAMILIES if one not in COMMANDS],
)
def test_family_help(striate: Call, family: str, more: tuple[str, ...]) -> None:
    found = striate(family, *more)
    assert found.code == 0
    listed = found.out.partition("Commands\n")[2].partition("\n\n")[0].splitlines()
    names = [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "]
    own = [name for name in COMMANDS if name.startswith(f"{family} ")]
    assert names == ["RUN"] * (family in COMMANDS) + [name.split()[-1] for name in own]


def test_a_command_that_is_a_family_too_has_its_own_help(striate: Call) -> None:
    assert "Usage  striate explain RUN" in striate("explain", "--help").out


@pytest.mark.parametrize("width", [40, 44, 80, 100])
def test_help_fits_the_terminal(width: int) -> None:
    for family in ("", *FAMILIES):
        lines = overview(family, width=width, colour=False).splitlines()
        assert max(map(len, lines)) <= width
        assert "\x1b" in overview(family, width=width, colour=True)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("columns", ["80", "44"])
def test_every_command_has_a_page(
    striate: Call, name: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    found = striate(*name.split(), "--help")
    assert found.code == 0, found.err
    assert f"striate {name}" in found.out
    assert max(len(line.rstrip()) for line in found.out.splitlines()) <= int(columns)
    assert "object at 0x" not in found.out


def test_help_in_words(striate: Call) -> None:
    assert striate("help", "predict").out == striate("predict", "--help").out
    assert striate("help", "data").out == striate("data").out


def test_version(striate: Call) -> None:
    assert striate("--version").out.startswith("striate 0.")


@pytest.mark.parametrize(
    ("words", "near"),
    [(("trian",), "train"), (("picture", "gird"), "grid"), (("predictt", "--json"), "predict")],
)
def test_unknown_commands_name_the_nearest(striate: Call, words: tuple[str, ...], near: str) -> None:
    found = striate(*words)
    assert found.code == 2
    if "--json" in words:
        assert found.lines[0]["error"]["kind"] == "UnknownNameError"
        assert near in found.lines[0]["error"]["remedy"]
    else:
        assert found.out == ""
        assert f"did you mean {near!r}" in found.err


def test_a_wrong_flag_names_the_nearest(striate: Call) -> None:
    found = striate("predict", "run", "x.jpg", "--tpo", "3")
    assert found.code == 2
    assert "--top" in found.err
    assert "striate predict --help" in found.err


def failing(error: BaseException) -> Callable[..., int]:
    def doctor(*, deep: bool = False, json: bool = False) -> int:
        raise error

    return doctor


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ZeroDivisionError("by nought"), 1, "this is a bug in striate"),
        (KeyboardInterrupt(), 5, "stopped"),
        (MemoryError(), 4, "memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 4, "/x/y"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 4, "/x/y: permission denied"),
    ],
)
def test_other_ends(
    striate: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(doctor_command, "doctor", failing(error))
    found = striate("doctor")
    assert (found.code, found.out) == (code, "")
    assert said in found.err
    assert "Traceback" not in found.err
    found = striate("doctor", "--json")
    assert found.code == code
    assert said in found.lines[0]["error"]["what"]
    assert found.err == ""


def test_a_bug_says_where_and_debug_shows_it_whole(
    monkeypatch: pytest.MonkeyPatch, striate: Call
) -> None:
    monkeypatch.setattr(doctor_command, "doctor", failing(ZeroDivisionError("by nought")))
    assert "striate doctor" in striate("doctor").err
    found = striate("doctor", "--debug")
    assert found.code == 1
    assert "Traceback" in found.err
    found = striate("predict", "nowhere", "x.jpg", "--debug")
    assert found.code == 3
    assert "Traceback" in found.err
    assert "error: there is no run" in found.err


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, **options
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom striate.cli.main import main\nmain(['--help'])\n"
        "heavy = {'numpy', 'torch', 'pydantic', 'rich', 'cyclopts', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command() -> None:
    done = python("-m", "striate", "data", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert '"digits"' in done.stdout


def test_nobody_reads_any_more(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "reader = subprocess.Popen(['true'], stdin=subprocess.PIPE)\n"
        "reader.wait()\n"
        "done = subprocess.run([sys.executable, '-m', 'striate', 'picture', 'dimensions', '--help'],\n"
        "    stdout=reader.stdin, stderr=subprocess.PIPE, text=True)\n"
        "print(done.returncode, done.stderr)"
    )
    done = python("-c", code)
    assert done.stdout.strip() == "0", done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(striate: Call, shell: str) -> None:
    found = striate("completion", shell)
    assert found.code == 0
    assert "--time-budget" in found.out
    assert "predict" in found.out
