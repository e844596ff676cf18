"""One call for every method, for one picture or many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from striate.errors import UnknownNameError, UsageError
from striate.features.proposals.edge_boxes import edge_boxes
from striate.features.proposals.grid import propose_grid
from striate.features.proposals.selective_search import selective_search
from striate.features.proposals.types import METHODS, Method, Proposals
from striate.types import Picture, check_picture

__all__ = ["propose", "propose_many"]


def propose(
    picture: Picture, *, method: Method = "selective-search", most: int = 2000, seed: int = 0
) -> Proposals:
    """Boxes of `picture`, uint8 (H, W, 3), that may hold an object, at most `most`, best first.

    `method`: one of `METHODS`. `seed`: of what is drawn at random, which is the order within selective
    search and the grid; the same seed gives the same answer. `UnknownNameError` for another method,
    `UsageError` for `most` under 1.
    """
    check_picture(picture)
    if method not in METHODS:
        raise UnknownNameError("proposal method", method, METHODS)
    if most < 1:
        raise UsageError(f"at most {most} proposals were asked for", expected="1 or more")
    if method == "edge-boxes":
        return edge_boxes(picture, most=most)
    if method == "grid":
        return propose_grid((picture.shape[0], picture.shape[1]), most=most, seed=seed)
    if method == "selective-search-quality":
        return selective_search(picture, most=most, seed=seed, mode="quality")
    return selective_search(picture, most=most, seed=seed)


def propose_many(
    pictures: Sequence[Callable[[], Picture]],
    *,
    method: Method = "selective-search",
    most: int = 2000,
    seed: int = 0,
    threads: int = 1,
    listen: Callable[[int, int], None] | None = None,
) -> list[Proposals]:
    """`propose` for each of `pictures`, which are called when it is their turn, in any thread.

    Few pictures are in memory at a time. `threads` changes nothing but the time. `listen` hears
    (pictures done, pictures in all). What a picture raises is raised here.
    """
    found: list[Proposals | None] = [None] * len(pictures)

    def work(index: int) -> None:
        found[index] = propose(pictures[index](), method=method, most=most, seed=seed)

    for done in _each(work, len(pictures), threads):
        if listen is not None:
            listen(done, len(pictures))
    return [one for one in found if one is not None]


def _each(work: Callable[[int], None], count: int, threads: int) -> Iterator[int]:
    """Do `work` for 0 … count − 1; yields how many are done. The first error stops the rest."""
    with ThreadPoolExecutor(max(1, threads), "striate-propose") as pool:
        waiting = {pool.submit(work, index) for index in range(count)}
        try:
            while waiting:
                ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for one in ended:
                    one.result()
                yield count - len(waiting)
        finally:
            for one in waiting:
                one.cancel()
