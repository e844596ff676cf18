"""A live view into a run: what it is shown, what it answers, what its units do meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from striate.errors import PictureError, UsageError
from striate.explain.live_page import render_live_page
from striate.runs.atomic import write_text
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.verbs.explain.live_player import Looker, Moment, Player
from striate.verbs.explain.live_server import LiveServer
from striate.verbs.explain.live_source import PictureFolder, open_source
from striate.verbs.model import FilePath, load
from striate.verbs.outputs import writable
from striate.verbs.predict.frames import Film

__all__ = ["FILES", "LiveSummary", "WrittenLive", "live", "write_live"]

FILES = ("live.html", "live.json")

_SHORTEST_MS, _LONGEST_MS = 40, 1000
_ENOUGH = 0.9
"""Of the frames that a film promises: some only estimate their number."""


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """What came of a live view: `frames` that were shown, and how many seconds it was served."""

    run: str
    source: str
    frames: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain --live --json`."""
        return {
            "run": self.run,
            "source": self.source,
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class WrittenLive:
    """What `write_live` wrote. `page`: the file to open. `left_out`: pictures that could not be read,
    and why; `broken`: why a film ended early, or empty."""

    run: str
    source: str
    layer: str
    frames: int
    page: Path
    left_out: dict[str, str]
    broken: str = ""

    @property
    def statements(self) -> list[str]:
        """What was written, in sentences."""
        said = [f"{self.frames} moments of {self.source}, with what {self.layer} did."]
        said += [f"left out {name}: {reason}." for name, reason in list(self.left_out.items())[:3]]
        return said + ([f"The film breaks off: {self.broken}."] if self.broken else [])

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain --live --out --json`."""
        return {
            "run": self.run,
            "source": self.source,
            "layer": self.layer,
            "frames": self.frames,
            "page": str(self.page),
            "left_out": self.left_out,
            "broken": self.broken,
        }


def live(
    run: FilePath | Run,
    source: str,
    *,
    layer: str | None = None,
    port: int = 0,
    every: int = 1,
    loop: bool = False,
    threads: int = 0,
    announce: Callable[[str], None],
) -> LiveSummary:
    """Serve the live view on 127.0.0.1 until Ctrl-C. `source`: number of a camera, a film, a folder.

    `announce` hears the address, once it answers. `layer`: the first to be shown; the page can choose
    any. `port`: 0 takes a free one. `every`: of the frames only each so-manieth. Frames wait until
    somebody watches. A film that ends stays on its last frame, or begins again with `loop`. Ctrl-C
    (`KeyboardInterrupt`) ends it: the call returns. Errors: `MachineError` for a camera that gives no
    picture or a port that is taken, `UnknownNameError` for a layer, `DataError` for what is no film.
    """
    model = load(run, threads=threads)
    name = model.run.name
    looker = Looker(model, layer, threads)
    film = open_source(source, every=every)
    player = Player(looker, film, lambda: open_source(source, every=every), loop=loop)
    began = time.monotonic()
    try:
        page = render_live_page(_told(looker, film, name, None, every=every, loop=loop))
        with LiveServer(port, page, player.wait, player.control) as server:
            serving = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
            serving.start()
            try:
                announce(server.address)
                player.run()
            except KeyboardInterrupt:
                pass  # the way to end it
            finally:
                player.close()
                server.shutdown()
                serving.join()
    finally:
        player.film.close()
    return LiveSummary(name, film.name, player.frames, time.monotonic() - began)


def write_live(
    run: FilePath | Run,
    source: str,
    out: FilePath,
    *,
    layer: str | None = None,
    every: int = 1,
    at_most: int = 60,
    threads: int = 0,
    overwrite: bool = False,
    listen: Callable[[int, int | None], None] | None = None,
) -> WrittenLive:
    """Write the view of `source` without a server: `out`/live.html, a page that plays, and live.json.

    `at_most`: moments; of a longer film or folder they are spread evenly where its length is known, else
    the first ones are taken (of a camera, too). Errors: those of `live`; `UsageError` where a file is
    in the way.
    """
    if at_most < 1:
        raise UsageError(f"at most {at_most} moments were asked for", expected="1 or more")
    page, data = (writable(Path(out) / name, overwrite=overwrite) for name in FILES)
    model = load(run, threads=threads)
    looker = Looker(model, layer, threads)
    film = open_source(source, every=every)
    if film.total is not None and film.total > at_most:
        film.close()
        film = open_source(source, every=every * -(-film.total // at_most))
    moments: list[Moment] = []
    broken = ""
    try:
        for frame in islice(film.frames(), at_most):
            name = film.file_name(frame.number) if isinstance(film, PictureFolder) else ""
            moments.append(looker.look(frame, name or f"{frame.time_s:.1f} s"))
            if listen is not None:
                listen(len(moments), min(at_most, film.total) if film.total else None)
    except PictureError as error:  # a damaged frame of an animation
        if not moments:
            raise
        broken = error.reason
    except KeyboardInterrupt:
        if not (film.live and moments):
            raise
    finally:
        film.close()
    promised = min(at_most, film.total or 0)
    if not broken and not isinstance(film, PictureFolder) and len(moments) < _ENOUGH * promised:
        broken = f"{len(moments)} of {promised} moments could be read"
    found = WrittenLive(
        run=model.run.name,
        source=film.name,
        layer=looker.layer.name,
        frames=len(moments),
        page=page,
        left_out=dict(film.left_out) if isinstance(film, PictureFolder) else {},
        broken=broken,
    )
    rows = [
        {"frame": one.frame, "time_s": one.time_s, "answer": one.answer, "peaks": list(one.peaks)}
        for one in moments
    ]
    told = json.dumps(json_ready({**found.to_dict(), "moments": rows}), allow_nan=False) + "\n"
    text = render_live_page(_told(looker, film, model.run.name, moments))
    write_text(data, told)
    write_text(page, text)
    return found


def _told(
    looker: Looker,
    film: Film,
    name: str,
    moments: Sequence[Moment] | None,
    *,
    every: int = 1,
    loop: bool = False,
) -> dict[str, Any]:
    """What the page knows from the start. `total`: of all frames, also of those that are left out."""
    layers = [
        {
            "name": one.name,
            "kind": one.kind,
            "channels": one.channels,
            "places": list(one.places_hw),
        }
        for one in looker.inside.layers
    ]
    return {
        "run": name,
        "source": film.name,
        "layers": layers,
        "layer": looker.layer.name,
        "total": None if film.total is None else film.total * every,
        "camera": film.live,
        "loop": loop,
        "wait_ms": min(_LONGEST_MS, max(_SHORTEST_MS, round(1000 / film.fps))),
        "moments": None if moments is None else [one.page for one in moments],
    }
