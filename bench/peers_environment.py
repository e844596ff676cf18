"""The peers live in virtual environments of their own, made when a benchmark first needs it.

ultralytics is AGPL-3.0: its code runs there and nowhere else, as a program that is started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.processes import BenchmarkFailed, ask
from bench.record import ROOT

OVERRIDE = "STRIATE_BENCH_PEERS"
SCRIPTS = ROOT / "bench" / "peers"
_REQUIREMENTS = SCRIPTS / "requirements.txt"


class Peers:
    """The environment: its Python, its commands, the variables that keep it quiet and unplugged."""

    def __init__(self, python: Path, home: Path) -> None:
        self.python, self._home = python, home
        home.mkdir(parents=True, exist_ok=True)

    def command(self, name: str) -> str:
        """The path of an installed command, such as `yolo`."""
        return str(self.python.with_name(name))

    def ask(self, script: str, *arguments: object) -> dict[str, Any]:
        """What `bench/peers/SCRIPT` answers. ultralytics writes where it runs: a scratch folder."""
        words = [str(self.python), str(SCRIPTS / script), *(str(word) for word in arguments)]
        return ask(words, env=self.env, folder=self._home)

    @property
    def env(self) -> Mapping[str, str]:
        """No downloads, no package installs, no analytics; settings go to a temporary folder.

        Looking for updates and sending statistics would only cost the peers time: this favours them.
        """
        mine = {
            key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        return mine | {
            "YOLO_CONFIG_DIR": str(self._home),
            "YOLO_OFFLINE": "true",
            "YOLO_AUTOINSTALL": "false",
            "FASTAI_HOME": str(self._home / "fastai"),
            "MPLCONFIGDIR": str(self._home / "matplotlib"),
        }

    def versions(self) -> dict[str, str]:
        return {name: str(version) for name, version in self.ask("versions.py").items()}


def prepare(home: Path, *, say: Callable[[str], None]) -> Peers:
    """The peers' environment; `STRIATE_BENCH_PEERS` names one that is there, or its Python."""
    python = environment(
        ".venv-peers", _REQUIREMENTS, override=OVERRIDE, told="about 6 GB, a minute or two", say=say
    )
    return Peers(python, home)


def environment(
    name: str,
    requirements: Path,
    *,
    override: str,
    told: str,
    say: Callable[[str], None],
    closed: bool = False,
) -> Path:
    """The Python of an environment with `requirements`, in the folder `name`; made if it is not there.

    `override`: the variable that may name another one. `told`: what it takes. `closed`: what is
    required is all there is to be, whatever the packages ask for.
    """
    given = os.environ.get(override)
    if given:
        path = Path(given)
        python = path / "bin" / "python" if path.is_dir() else path
        if not python.exists():
            raise BenchmarkFailed(f"{override} is {given}, and {python} does not exist")
        return python
    folder = ROOT / name
    python, done = folder / "bin" / "python", folder / ".done"
    wanted = requirements.read_text("utf-8")
    if not (python.exists() and done.exists() and done.read_text("utf-8") == wanted):
        say(f"installing {requirements.name} of the peers into {folder} ({told}) …")
        _create(folder, python, ["-r", str(requirements), *(["--no-deps"] if closed else [])])
        done.write_text(wanted, "utf-8")
    return python


def _create(folder: Path, python: Path, wanted: Sequence[str]) -> None:
    uv = _uv()
    if uv:
        _run(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        words = [*uv, "pip", "install", "--quiet", "--python", str(python), *wanted]
        if subprocess.run(words, check=False).returncode == 0:
            return
        print("uv could not install them; trying pip", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    _run(str(python), "-m", "pip", "install", "--quiet", *wanted)


def _uv() -> list[str]:
    """How uv is started: beside this Python, as its module, or from PATH; empty if there is none."""
    beside = Path(sys.executable).with_name("uv")
    if beside.exists():
        return [str(beside)]
    module = [sys.executable, "-m", "uv"]
    if subprocess.run([*module, "--version"], capture_output=True, check=False).returncode == 0:
        return module
    found = shutil.which("uv")
    return [found] if found else []


def _run(*words: str) -> None:
    done = subprocess.run(words, check=False, stdout=sys.stderr)
    if done.returncode:
        raise BenchmarkFailed(f"exit {done.returncode}: {' '.join(words)}")
