"""The test itself: every detector on every picture, under every change at every strength."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from striate.errors import SettingError, UnknownNameError
from striate.features.repeatability.changes import CHANGES, Changed, change_picture
from striate.features.repeatability.results import Case, FeatureTest
from striate.features.repeatability.scores import PairScore, common_part, score_matches, score_places
from striate.features.repeatability.settings import TrialSettings
from striate.features.repeatability.spots import KINDS, Spots, describe_spots, find_spots
from striate.pictures import resize
from striate.randomness import hash64
from striate.types import Array, Picture, SizeHW, check_picture

__all__ = ["measure_detectors"]

Listener = Callable[[int, int], None]
Clock = Callable[[], float]


def measure_detectors(
    pictures: Sequence[Picture],
    kinds: Sequence[str] = KINDS,
    *,
    changes: Sequence[str] = tuple(CHANGES),
    settings: TrialSettings | None = None,
    threads: int = 1,
    listen: Listener | None = None,
    clock: Clock = time.perf_counter,
) -> FeatureTest:
    """Repeatability, matching score and distinctness of each of `kinds` on `pictures`, uint8 (H, W, 3).

    `kinds`: of `spots.KINDS`. `changes`: of `CHANGES`, each at all of its levels. `threads`: detectors
    that work at a time; it changes nothing but the time. `listen` hears (steps done, steps in all). The
    same seed gives the same scores. Errors: `UnknownNameError`; `SettingError` where nothing is named.
    Source: Mikolajczyk et al., IJCV 2005, section 4, on changes that are made instead of photographed.
    """
    _check("detector", kinds, KINDS)
    _check("change", changes, tuple(CHANGES))
    if not len(pictures):
        raise SettingError("no picture was given", expected="one or more")
    chosen = settings or TrialSettings()
    kinds, changes = tuple(dict.fromkeys(kinds)), tuple(dict.fromkeys(changes))
    steps = len(pictures) * (1 + sum(len(CHANGES[name].levels) for name in changes))
    told = _Told(listen, steps)
    scores: dict[Case, list[PairScore]] = {}
    seconds = dict.fromkeys(kinds, 0.0)
    shown: list[tuple[str, float, Picture]] = []
    with ThreadPoolExecutor(threads) as pool:
        for index, given in enumerate(pictures):
            picture = _small(check_picture(given), chosen.longest)
            references = [_refer(picture, kind, chosen, clock) for kind in kinds]
            told.step()
            for name, level, changed in _changed(picture, changes, hash64(chosen.seed, index)):
                score = partial(_score, picture, changed, chosen)
                for kind, one in zip(kinds, pool.map(score, references), strict=True):
                    scores.setdefault((kind, name, level), []).append(one)
                shown += [(name, level, changed.picture)] if index == 0 else []
                told.step()
            for reference in references:
                seconds[reference.kind] += reference.seconds
    return FeatureTest(
        kinds,
        changes,
        len(pictures),
        chosen,
        {case: tuple(every) for case, every in scores.items()},
        {kind: 1000 * spent / len(pictures) for kind, spent in seconds.items()},
        tuple(shown),
    )


@dataclass(slots=True)
class _Told:
    """Counts steps for whoever listens."""

    listen: Listener | None
    steps: int
    done: int = 0

    def step(self) -> None:
        self.done += 1
        if self.listen is not None:
            self.listen(self.done, self.steps)


@dataclass(frozen=True, slots=True)
class _Reference:
    """What a detector found in the unchanged picture, and how long that took."""

    kind: str
    spots: Spots
    described: Array
    seconds: float


def _check(word: str, names: Sequence[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(word, name, known)
    if not names:
        raise SettingError(f"no {word} was named", expected=f"one or more of {', '.join(known)}")


def _small(picture: Picture, longest: int) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size: SizeHW = (max(1, round(height * scale)), max(1, round(width * scale)))
    return resize(picture, size)


def _refer(picture: Picture, kind: str, settings: TrialSettings, clock: Clock) -> _Reference:
    find_spots(picture, kind, limit=settings.limit)  # what is loaded and made once is not timed
    started = clock()
    spots = find_spots(picture, kind, limit=settings.limit)
    seconds = clock() - started
    return _Reference(kind, spots, describe_spots(picture, spots), seconds)


def _changed(
    picture: Picture, changes: Sequence[str], seed: int
) -> Iterator[tuple[str, float, Changed]]:
    for name in changes:
        for level in CHANGES[name].levels:
            yield name, level, change_picture(picture, name, level, seed=seed)


def _score(
    picture: Picture, changed: Changed, settings: TrialSettings, reference: _Reference
) -> PairScore:
    size = picture.shape[0], picture.shape[1]
    most = settings.overlap
    spots = find_spots(changed.picture, reference.kind, limit=settings.limit)
    common = common_part(reference.spots, spots, changed, size, most=most)
    places = score_places(common, spots, changed, size, most=most, seed=settings.seed)
    described = describe_spots(changed.picture, spots)
    matching, precision, distinctness = score_matches(common, reference.described, described)
    return dataclasses.replace(places, matching=matching, precision=precision, distinctness=distinctness)
