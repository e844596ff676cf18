"""What belongs together: sets that grow as pairs turn up (union-find)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

__all__ = ["Groups"]


class Groups:
    """The numbers 0 … `count` - 1 in sets, at first each alone.

    >>> groups = Groups(4)
    >>> groups.join([0, 2])
    >>> groups.sets()
    [[0, 2], [1], [3]]
    """

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, members: Iterable[int]) -> None:
        """Put all `members`, and all that are with them, into one set."""
        roots = sorted({self._root(member) for member in members})
        for root in roots[1:]:
            self._parent[root] = roots[0]

    def join_equal(self, keys: Iterable[tuple[int, Hashable]]) -> None:
        """Put numbers with an equal key into one set."""
        first: dict[Hashable, int] = {}
        for member, key in keys:
            if (known := first.setdefault(key, member)) != member:
                self.join((known, member))

    def joined(self, members: Iterable[int]) -> bool:
        """Whether all `members` are in one set."""
        return len({self._root(member) for member in members}) <= 1

    def sets(self) -> list[list[int]]:
        """The sets, each ascending, in the order of their least members."""
        found: dict[int, list[int]] = defaultdict(list)
        for member in range(len(self._parent)):
            found[self._root(member)].append(member)
        return list(found.values())

    def _root(self, member: int) -> int:
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member
