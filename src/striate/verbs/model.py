"""Use a trained run: load it, ask it, measure it. ONNX Runtime or OpenVINO; torch is never touched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import numpy as np

from striate.cores import granted_cores, usable_cores
from striate.errors import PictureError, UnknownNameError, UsageError
from striate.graphs import BACKENDS, Backend, Graph, Graphs, load_graph
from striate.pictures.read import read
from striate.pictures.sources import Source
from striate.runs.header import RunHeader
from striate.runs.run import Run
from striate.task import Result, Task, task_type
from striate.types import Array, Picture, check_picture
from striate.verbs.files import find_pictures
from striate.verbs.stream import Outcome, stream

if TYPE_CHECKING:
    from striate.explain.explanation import Explanation
    from striate.verbs.evaluate import Evaluation, SplitChoice

__all__ = ["Answer", "FilePath", "Model", "OnePicture", "load"]

Given = TypeVar("Given")
FilePath: TypeAlias = str | os.PathLike[str]
OnePicture: TypeAlias = Source | Picture
"""A path, the bytes of a picture file, an open file, or a picture: uint8 (H, W, 3) RGB."""

BATCH = 8
"""Pictures a call of the graph in one worker: measured on 2 cores, larger ones leave the caches."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one file: a `result`, or the `error` why there is none.

    `path` is what was given, or what was found in a folder that was given.
    """

    path: FilePath
    result: Result | None
    error: PictureError | None

    def to_dict(self) -> dict[str, Any]:
        """A line of `striate predict --json`; bytes of a name that are not UTF-8 are escaped."""
        path = os.fsencode(self.path).decode("utf-8", "backslashreplace")
        if self.result is None:
            return {"path": path, "error": str(self.error)}
        return {"path": path, **self.result.to_dict()}


class Model:
    """A trained run, ready to answer. `load` makes it.

    Safe to use from several threads. Graphs are verified and compiled when first needed: one that
    answers a single picture with all threads, and one of a single thread that workers share.
    """

    def __init__(self, run: Run, *, backend: Backend = "onnxruntime", threads: int = 0) -> None:
        if backend not in BACKENDS:
            raise UnknownNameError("backend", backend, BACKENDS)
        if threads < 0:
            raise UsageError(f"{threads} threads", expected="1 or more, or 0 for all cores")
        self._run = run
        self._backend: Backend = backend
        self._asked = threads
        self._threads = threads or granted_cores()
        self._compiled: dict[int, Graphs] = {}
        self._compiling = Lock()
        kind = task_type(run.header.task)
        self.task: Task[Any, Any] = kind(
            kind.config_type.parse(run.header.config), kind.facts_type.parse(run.header.facts)
        )

    def __repr__(self) -> str:
        return f"<striate.Model {self._run.name!r}: {self.header.task}, {len(self.names)} names>"

    @property
    def run(self) -> Run:
        """The run folder behind it."""
        return self._run

    @property
    def header(self) -> RunHeader:
        """What the run says of itself: task, settings, data, metrics, versions, licence."""
        return self._run.header

    @property
    def names(self) -> tuple[str, ...]:
        """Class names, or names of the numbers, in the order of the graph's outputs."""
        return self.header.data.names

    @property
    def threads(self) -> int:
        """Processor cores that it may use."""
        return self._asked or usable_cores()

    # -- asking -------------------------------------------------------------------------------

    @overload
    def predict(self, picture: OnePicture) -> Result: ...

    @overload
    def predict(self, picture: list[Any] | tuple[Any, ...]) -> list[Result]: ...

    def predict(self, picture: OnePicture | list[Any] | tuple[Any, ...]) -> Result | list[Result]:
        """The answer for one picture, or a list of them for a list.

        A picture is a path, the bytes of a picture file, a file opened with "rb", or an array uint8
        (H, W, 3) in RGB. Raises `PictureError` for the first that cannot be read, and `ValueError`
        for an array of another form. For folders, or where some may be bad: `predict_files`.
        """
        if isinstance(picture, list | tuple):
            return self._predict_many(picture)
        found: list[Result] = self.task.predict(self.graphs(self._threads), [self._picture(picture)])
        return found[0]

    def _predict_many(self, pictures: Sequence[OnePicture]) -> list[Result]:
        results = []
        for _, result, error in self.stream(pictures, self._picture, batch_size=BATCH, workers=0):
            if error is not None:
                raise error
            assert result is not None
            results.append(result)
        return results

    def _picture(self, source: OnePicture) -> Picture:
        if isinstance(source, np.ndarray):
            return check_picture(source)
        return read(source, at_least_hw=self.task.read_at_least_hw)

    def predict_files(
        self, paths: FilePath | Iterable[FilePath], *, batch_size: int = BATCH, workers: int = 0
    ) -> Iterator[Answer]:
        """An `Answer` a picture file, in order, as they become ready; a bad file never stops it.

        `paths`: files, folders (all pictures within, sorted) and patterns such as `shots/*.png`; one
        of them or any number, taken as they are needed. `batch_size`: pictures a call of the graph.
        `workers`: threads; 0 takes as many as the model was loaded for, by default one a core.
        """
        named = [paths] if isinstance(paths, str | os.PathLike) else paths
        files = find_pictures(named)
        for path, result, error in self.stream(
            files, self._picture, batch_size=batch_size, workers=workers
        ):
            yield Answer(path, result, error)

    def evaluate(
        self, source: FilePath, *, split: SplitChoice = "auto", unseen: bool = False
    ) -> Evaluation:
        """Measure the model on pictures whose answer is known; see `striate.evaluate`."""
        from striate.verbs.evaluate import evaluate_model

        return evaluate_model(self, source, split=split, unseen=unseen)

    def explain(
        self,
        picture: OnePicture,
        *,
        method: str | Sequence[str] = (),
        about: str | Sequence[str] = (),
        layer: str | None = None,
        masks: int = 1000,
        check: bool = True,
        seed: int = 0,
    ) -> Explanation:
        """Why it answers as it does for a picture: heat by one or several methods, each checked.

        See `striate.verbs.explain.why.explain`. Gradient methods need the extra `train`.
        """
        from striate.verbs.explain.why import explain

        return explain(
            self, picture, method=method, about=about, layer=layer, masks=masks, check=check, seed=seed
        )

    # -- graphs -------------------------------------------------------------------------------

    def graphs(self, threads: int = 0) -> Graphs:
        """The run's graphs, their files verified, compiled for `threads` threads (0: one a core)."""
        found = self._compiled.get(threads)
        return self._compile(threads) if found is None else found

    def _compile(self, threads: int) -> Graphs:
        with self._compiling:
            if threads not in self._compiled:
                self._compiled[threads] = {
                    name: load_graph(self._run.file(file), backend=self._backend, threads=threads)
                    for name, file in self.header.graphs.items()
                }
            return self._compiled[threads]

    def stream(
        self,
        sources: Iterable[Given],
        read_one: Callable[[Given], Picture],
        *,
        batch_size: int = BATCH,
        workers: int = 0,
    ) -> Iterator[Outcome[Given]]:
        """Answers for whatever `read_one` turns into pictures; see `striate.verbs.stream`."""
        workers = workers or self.threads
        graphs = self.graphs(1)
        if self._backend == "openvino":
            graphs = {name: OneAtATime(graph) for name, graph in self.graphs(self._threads).items()}
        return stream(self.task, graphs, sources, read_one, batch_size=batch_size, workers=workers)


class OneAtATime:
    """A graph whose runtime does not bear being called from two threads at once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._turn = Lock()

    @property
    def input_names(self) -> tuple[str, ...]:
        return self._graph.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._graph.output_names

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        with self._turn:
            return self._graph(feeds)


def load(run: FilePath | Run, *, backend: Backend = "onnxruntime", threads: int = 0) -> Model:
    """The trained run in the folder `run`, ready to answer.

    `backend`: what runs the graphs; "openvino" is an extra, faster on Intel. `threads`: of processor
    cores; 0 takes all this process may use. Raises `RunError` where the folder is no finished run,
    was changed, or is from a newer striate.
    """
    opened = run if isinstance(run, Run) else Run.open(os.fspath(run))
    return Model(opened, backend=backend, threads=threads)
