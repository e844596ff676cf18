"""Why did a run say that: heat over pictures by several methods, each checked, for every task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from striate.errors import MissingExtraError, UsageError
from striate.explain.attribution import METHODS, Asked, Method, method_named
from striate.explain.explanation import Attribution, Explanation, placed
from striate.explain.faithfulness import faith_of, likeness, verdict_of
from striate.explain.occlusion import occlude
from striate.explain.parts_used import parts_used
from striate.explain.rise import randomly_masked
from striate.explain.whereabouts import NamedArea
from striate.runs.run import Run
from striate.task import Aim, Result
from striate.tasks.detect.config import DetectFacts
from striate.types import Array, Picture, Prepared
from striate.verbs.explain.why_sources import Source, no_pictures, sources_of, taken
from striate.verbs.model import FilePath, Model, OnePicture, load

if TYPE_CHECKING:
    from striate.verbs.explain.why_network import NetworkSide

__all__ = ["BATCH", "Why", "explain", "explain_all"]

BATCH = 8
Listen: TypeAlias = Callable[[int, int], None]
_WEIGHTS = "model.safetensors"
_TRAIN_EXTRA = ("torch", "torchvision", "timm", "safetensors")
_NO_WEIGHTS = "a hand-made model has no weights to forget: only deletion and insertion are checked"
_NO_TORCH = "torch is not installed: only deletion and insertion are checked"
_NOTHING = "found nothing at all in this picture, so there is nothing to explain"
_NOT_FOUND = "what was asked about was not found in the picture, so there is nothing to explain"
_BEST_GUESS = "found nothing above its threshold of {least:.2f}; this explains its best guess, {shown}"
_GUESS = "below the threshold of {least:.2f}, from which detections are shown: {shown}"
_FORGETFUL_MASKS = 300


def explain(
    run: FilePath | Run | Model,
    picture: OnePicture,
    *,
    method: str | Sequence[str] = (),
    about: str | Sequence[str] = (),
    layer: str | None = None,
    masks: int = 1000,
    check: bool = True,
    seed: int = 0,
    threads: int = 0,
) -> Explanation:
    """Why `run` answers as it does for one picture: a path, bytes, an open file or an array.

    `method`: one or several of `METHODS`; by default "gradcam" of a network ("layercam" for detections),
    "integrated" where it has no maps, "occlusion" for hand-made models. `about`: a class, a target, or
    the number of a detection; by default what the answer is surest of. `layer`: of methods that look at
    one. `masks`: of "rise". Without `check` maps come without scores. Errors: `PictureError` for what
    cannot be read, `DataError` for a folder or pattern without pictures, `UsageError` for gradients of
    a hand-made model, `UnknownNameError` for names.
    """
    found = next(
        explain_all(
            run, [picture], method=method, about=about, layer=layer, masks=masks, check=check,
            seed=seed, threads=threads,
        ),
        None,
    )  # fmt: skip
    if found is None:
        raise no_pictures(str(picture))
    if found.error is not None:
        raise found.error
    return found


def explain_all(
    run: FilePath | Run | Model,
    pictures: Iterable[Any],
    *,
    method: str | Sequence[str] = (),
    about: str | Sequence[str] = (),
    layer: str | None = None,
    masks: int = 1000,
    check: bool = True,
    seed: int = 0,
    threads: int = 0,
    skip: FilePath | None = None,
    listen: Listen = lambda done, of: None,
) -> Iterator[Explanation]:
    """An `Explanation` a picture as they become ready, `BATCH` at a time; a bad file never stops it.

    `pictures`: files, folders, patterns, arrays, embedded sets or records of one (`scenes/00012`).
    `skip`: a folder that is not looked into. `listen` hears, of each few pictures, how many maps are
    done, of how many. None at all where there are no pictures. Otherwise as
    `explain`.
    """
    model = run if isinstance(run, Model) else load(run, threads=threads)
    why = Why.of(
        model, method, about, layer=layer, masks=masks, check=check, seed=seed, threads=threads,
        listen=listen,
    )  # fmt: skip
    rows = taken(sources_of(model, pictures, skip=skip), model.task.read_at_least_hw)
    while batch := list(islice(rows, BATCH)):
        good = [(source, picture, areas) for source, picture, areas, _ in batch if picture is not None]
        done = iter(why.batch(good))
        for source, picture, _, error in batch:
            yield (
                next(done) if picture is not None else Explanation(source.name, None, None, error=error)
            )


@dataclass(slots=True, eq=False)
class Why:
    """How pictures are explained: the model, the methods, and what is asked for."""

    model: Model
    methods: tuple[Method, ...]
    about: tuple[str, ...]
    side: NetworkSide | None
    masks: int
    check: bool
    seed: int
    threads: int
    listen: Listen

    @classmethod
    def of(
        cls,
        model: Model,
        method: str | Sequence[str],
        about: str | Sequence[str],
        *,
        layer: str | None,
        masks: int,
        check: bool,
        seed: int,
        threads: int,
        listen: Listen = lambda done, of: None,
    ) -> Why:
        """Names are checked, and the network is opened where one is needed."""
        if masks < 1:
            raise UsageError(f"{masks} masks were asked for", expected="1 or more")
        names = (method,) if isinstance(method, str) else tuple(method)
        methods = tuple(method_named(name) for name in dict.fromkeys(names))
        wishes = (about,) if isinstance(about, str) else tuple(about)
        network = _WEIGHTS in model.run.files
        gradients = [one.name for one in methods if one.needs_gradients]
        side = None
        if gradients or (network and (check or not methods) and _has_torch()):
            side = _side(model, gradients[0] if gradients else "", layer, seed)
        layered = any(one.kind == "layer" for one in methods or [METHODS["gradcam"]])
        if layer is not None and (side is None or not layered):
            choices = [one.name for one in METHODS.values() if one.kind == "layer"]
            raise UsageError(
                f"layer {layer!r} was named, and none of the methods looks at a layer",
                expected=f"one of the methods {', '.join(choices)}",
            )
        return cls(model, methods, wishes or ("",), side, masks, check, seed, threads, listen)

    def batch(self, given: Sequence[tuple[Source, Picture, tuple[NamedArea, ...]]]) -> list[Explanation]:
        """Explanations of a few pictures, in order."""
        if not given:
            return []
        task = self.model.task
        prepared = [task.prepare(picture) for _, picture, _ in given]
        graph = self.model.graphs(self.threads)["main"]
        feeds = dict(task.feeds(np.stack([one.pixels for one in prepared])))
        answers: list[Result] = task.decode(graph(feeds), prepared)
        found: list[list[Attribution]] = [[] for _ in given]
        for wish in self.about:
            aims = [task.aim(answer, one, wish) for answer, one in zip(answers, prepared, strict=True)]
            rows = [row for row, aim in enumerate(aims) if aim is not None]
            for row, one in self._attributed(
                rows, aims, prepared, feeds, [areas for *_, areas in given]
            ):
                found[row].append(one)
        return [
            Explanation(
                source.name,
                picture,
                answer,
                tuple(own),
                remark=self._remark_on(answer, own),
                areas=areas,
            )
            for (source, picture, areas), answer, own in zip(given, answers, found, strict=True)
        ]

    def _remark_on(self, answer: Result, own: Sequence[Attribution]) -> str:
        """That there is nothing to explain, or nothing that would be shown as found."""
        if not own:
            return _NOTHING if self.about == ("",) else _NOT_FOUND
        facts = self.model.task.facts
        if not isinstance(facts, DetectFacts):
            return ""
        low = [aim for aim in dict.fromkeys(one.aim for one in own) if aim.value < facts.show_from]
        if not low:
            return ""
        shown = ", ".join(f"{aim.name} with {aim.shown}" for aim in low)
        best = self.about == ("",)  # if the best is below, all are
        return (_BEST_GUESS if best else _GUESS).format(least=facts.show_from, shown=shown)

    def _attributed(
        self,
        rows: Sequence[int],
        aims: Sequence[Aim | None],
        prepared: Sequence[Prepared],
        feeds: dict[str, Array],
        areas: Sequence[tuple[NamedArea, ...]],
    ) -> Iterator[tuple[int, Attribution]]:
        """(row, what a method says), method by method, for the rows that have an aim."""
        chosen = [aim for aim in aims if aim is not None]
        if not chosen:
            return
        own = {name: value[list(rows)] for name, value in feeds.items()}
        question = None if self.side is None else self.side.ask(own, chosen)
        graph = self.model.graphs(self.threads)["main"]
        asked = [
            Asked(
                self.model.task,
                graph,
                prepared[row],
                aim,
                {name: value[at : at + 1] for name, value in own.items()},
            )
            for at, (row, aim) in enumerate(zip(rows, chosen, strict=True))
        ]
        used = [parts_used(one, areas[row]) for one, row in zip(asked, rows, strict=True)]
        methods = self._methods(question)
        done, of = 0, len(methods) * len(rows)
        for method in methods:
            self.listen(done, of)
            heats, layer = self._heats(method, asked, question)
            alike = self._sameness(method, asked, heats, question) if self.check else [()] * len(asked)
            for at, row in enumerate(rows):
                found = self._judged(method, asked[at], heats[at], layer, alike[at], areas[row])
                yield row, replace(found, used=used[at])
                done += 1
                self.listen(done, of)

    def _methods(self, question: Any) -> Sequence[Method]:
        """Those that were chosen; by default what suits the model."""
        if self.methods:
            return self.methods
        if self.side is None:
            return (METHODS["occlusion"],)
        if not self.side.has_layer(question):
            return (METHODS["integrated"],)
        # one object among others: a mean over the whole map says nothing of it
        return (METHODS["gradcam" if question.aims[0].box_xyxy is None else "layercam"],)

    def _heats(
        self, method: Method, asked: Sequence[Asked], question: Any
    ) -> tuple[Sequence[Array], str | None]:
        if not method.needs_gradients:
            return [self._by_asking(method, one, self.masks) for one in asked], None
        assert self.side is not None
        layer = self.side.layer_for(method.name, question)
        return list(self.side.heat(method.name, question)), None if layer is None else str(layer)

    def _by_asking(self, method: Method, asked: Asked, masks: int) -> Array:
        signed = (
            occlude(asked)
            if method.name == "occlusion"
            else randomly_masked(asked, count=masks, seed=self.seed)
        )
        return np.maximum(signed, 0).astype(np.float32)

    def _sameness(
        self, method: Method, asked: Sequence[Asked], heats: Sequence[Array], question: Any
    ) -> Sequence[tuple[tuple[str, float], ...]]:
        """How alike the maps of networks that forgot are, for each picture."""
        if self.side is None:
            return [()] * len(asked)
        if method.needs_gradients:
            stages = self.side.forgetful_heat(method.name, question)
            return [
                tuple(
                    (words, likeness(heats[at][one.seen], maps[at][one.seen])) for words, maps in stages
                )
                for at, one in enumerate(asked)
            ]
        graph = self.side.forgetful_graph(question)
        masks = min(self.masks, _FORGETFUL_MASKS)
        return [
            (
                (
                    "all layers",
                    likeness(
                        heats[at][one.seen],
                        self._by_asking(method, replace(one, graph=graph), masks)[one.seen],
                    ),
                ),
            )
            for at, one in enumerate(asked)
        ]

    def _judged(
        self,
        method: Method,
        asked: Asked,
        heat: Array,
        layer: str | None,
        sameness: tuple[tuple[str, float], ...],
        areas: tuple[NamedArea, ...],
    ) -> Attribution:
        faith = faith_of(asked, heat, seed=self.seed) if self.check else None
        verdict, reasons = verdict_of(faith, sameness, heat, even=asked.even)
        where, part = placed(heat, asked.prepared, areas)
        return Attribution(
            method=method,
            aim=asked.aim,
            prepared=asked.prepared,
            input_heat=heat,
            layer=layer,
            faith=faith,
            sameness=sameness,
            verdict=verdict,
            reasons=reasons,
            where=where,
            part=part,
            remark=self._unchecked(),
        )

    def _unchecked(self) -> str:
        if not self.check or self.side is not None:
            return ""
        return _NO_TORCH if _WEIGHTS in self.model.run.files else _NO_WEIGHTS


def _side(model: Model, needed_for: str, layer: str | None, seed: int) -> NetworkSide:
    """The torch half, by name: whoever only asks models need not have it."""
    try:
        half = import_module("striate.verbs.explain.why_network")
    except ModuleNotFoundError as error:
        if error.name not in _TRAIN_EXTRA:
            raise
        raise MissingExtraError(error.name, "train", needed_for=needed_for) from error
    found: NetworkSide = half.open_side(model, needed_for=needed_for, layer=layer, seed=seed)
    return found


def _has_torch() -> bool:
    return find_spec("torch") is not None
