from __future__ import annotations

import base64
import http.client
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from striate.errors import DataError, MachineError, UnknownNameError, UsageError
from striate.explain.live_drawing import Scale, ramp, sprite_of
from striate.explain.live_graph import Overheard
from striate.explain.live_page import render_live_page
from striate.features.opencv import cv2_module
from striate.runs.run import Run
from striate.verbs.explain import live as explain_live
from striate.verbs.explain import live_player as explain_live_player
from striate.verbs.explain.live import LiveSummary, live, write_live
from striate.verbs.explain.live_player import Looker, Moment, Player
from striate.verbs.explain.live_server import LiveServer
from striate.verbs.explain.live_source import PictureFolder, open_source
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import load


@pytest.fixture
def shots(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Four pictures, and a file that is none."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(rng.integers(0, 256, (48, 40, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"nothing")
    return folder


# -- what is drawn ----------------------------------------------------------------------------


def test_a_layer_is_overheard_while_the_graph_answers(gabor_run: Run) -> None:
    model = load(gabor_run, threads=1)
    data = gabor_run.file("graphs/main.onnx").read_bytes()
    inside = look_inside(model, threads=1)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 24, 20, 3), dtype=np.uint8)
    for name in ("act", "features", "probabilities"):
        layer = inside.layer(name)
        graph = Overheard(data, layer, threads=1)
        answers = graph({"pictures": pixels})
        wanted = model.graphs(1)["main"]({"pictures": pixels})
        assert graph.output_names == tuple(wanted)
        for key, value in wanted.items():
            np.testing.assert_allclose(answers[key], value, rtol=1e-5)
        heard = inside.watch([layer])(pixels)[name][0].reshape(graph.heard.shape)
        np.testing.assert_allclose(graph.heard, heard, rtol=1e-5)


def test_levels_and_colours() -> None:
    values = np.array([[[0.0, 2.0]], [[-1.0, 0.5]], [[0.0, 0.0]]], np.float32)
    scale = Scale()
    np.testing.assert_array_equal(
        scale.levels(values, together=False)[:, 0], [[128, 255], [1, 192], [128, 128]]
    )
    np.testing.assert_array_equal(scale.levels(values, together=True)[1, 0], [64, 160])
    # half as bright a frame later: the scale is still that of before
    assert scale.levels(values / 2, together=False)[0, 0, 1] < 200
    colours = ramp().astype(int)
    assert colours.shape == (256, 3)
    assert colours[128].sum() < 60
    assert colours[255].sum() > 700
    assert colours[20, 2] > colours[20, 0]


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (10, 1, 1), (64, 128, 160), (7, 900, 2)])
def test_tiles_hold_all_channels(shape: tuple[int, int, int]) -> None:
    levels = np.broadcast_to((np.arange(shape[0], dtype=np.uint8) + 100)[:, None, None], shape).copy()
    found = sprite_of(levels)
    image = Image.open(io.BytesIO(base64.b64decode(found.uri.partition(",")[2])))
    pixels = np.asarray(image)
    tall, wide = found.tile_hw
    assert pixels.size <= 4 * 400_000
    for channel in range(shape[0]):
        y, x = channel // found.columns * tall, channel % found.columns * wide
        assert (pixels[y : y + tall, x : x + wide] == channel + 100).all()
    np.testing.assert_array_equal(np.array(image.getpalette()).reshape(-1, 3), ramp())


# -- written ----------------------------------------------------------------------------------


def test_a_page_without_a_server(gabor_run: Run, shots: Path, tmp_path: Path) -> None:
    found = write_live(gabor_run, str(shots), tmp_path / "out", layer="act", threads=1)
    assert found.frames == 4
    assert found.layer == "act"
    assert list(found.left_out) == [str(shots / "broken.png")]
    assert "4 moments" in found.statements[0]
    text = found.page.read_text("utf-8")
    assert "connect-src" not in text
    assert "http://" not in text
    told = json.loads(text.partition('id="told">')[2].partition("</script>")[0])
    assert [one["name"] for one in told["moments"]] == ["0.png", "1.png", "2.png", "3.png"]
    assert told["moments"][0]["sprite"]["channels"] == 3
    data = json.loads((tmp_path / "out" / "live.json").read_text())
    assert len(data["moments"]) == 4
    assert len(data["moments"][0]["peaks"]) == 3
    answer = load(gabor_run).predict(str(shots / "0.png")).to_dict()
    assert data["moments"][0]["answer"]["label"] == answer["label"]
    with pytest.raises(UsageError, match="exists already"):
        write_live(gabor_run, str(shots), tmp_path / "out")


def test_moments_are_spread_over_a_long_film(gabor_run: Run, shots: Path, tmp_path: Path) -> None:
    found = write_live(gabor_run, str(shots), tmp_path / "out", at_most=3, threads=1)
    data = json.loads((tmp_path / "out" / "live.json").read_text())
    assert found.frames == len(data["moments"]) == 2  # every second one of five files
    with pytest.raises(UsageError, match="at most 0"):
        write_live(gabor_run, str(shots), tmp_path / "other", at_most=0)


def test_a_film_and_a_still(gabor_run: Run, shots: Path, tmp_path: Path) -> None:
    frames = [Image.open(shots / f"{number}.png") for number in range(3)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:], duration=100)
    found = write_live(gabor_run, str(tmp_path / "film.gif"), tmp_path / "a", threads=1)
    assert found.frames == 3
    found = write_live(gabor_run, str(shots / "1.png"), tmp_path / "b", threads=1)
    assert found.frames == 1


def test_a_film_that_is_cut_off(gabor_run: Run, tmp_path: Path, rng: np.random.Generator) -> None:
    cv2 = cv2_module()
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(tmp_path / "film.avi"), codec, 10, (64, 48))
    for _ in range(12):
        writer.write(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    whole = (tmp_path / "film.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    entire = write_live(gabor_run, str(tmp_path / "film.avi"), tmp_path / "a", threads=1)
    assert (entire.frames, entire.broken) == (12, "")
    cut = write_live(gabor_run, str(tmp_path / "cut.avi"), tmp_path / "b", threads=1)
    assert 0 < cut.frames < 12
    assert cut.statements[-1] == f"The film breaks off: {cut.frames} of 12 moments could be read."
    few = write_live(gabor_run, str(tmp_path / "film.avi"), tmp_path / "c", at_most=5, threads=1)
    assert (few.frames, few.broken) == (4, "")


def test_a_score_that_is_no_number_is_written_as_null(
    gabor_run: Run, shots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Looker.look

    def look(self: Looker, *given: Any, **options: Any) -> Moment:
        found = usual(self, *given, **options)
        return replace(found, page={**found.page, "answer": [("a", "nan %", float("nan"))]})

    monkeypatch.setattr(Looker, "look", look)
    found = write_live(gabor_run, str(shots), tmp_path / "out", threads=1)
    told = json.loads(found.page.read_text("utf-8").partition('id="told">')[2].partition("</script>")[0])
    assert told["moments"][0]["answer"] == [["a", "nan %", None]]


def test_nothing_is_written_of_a_page_that_cannot_be(
    gabor_run: Run, shots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: Any) -> str:
        raise RuntimeError("no page")

    monkeypatch.setattr(explain_live, "render_live_page", fail)
    with pytest.raises(RuntimeError, match="no page"):
        write_live(gabor_run, str(shots), tmp_path / "out", threads=1)
    assert not (tmp_path / "out" / "live.json").exists()


def test_sources_that_are_none(
    gabor_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        open_source(str(tmp_path / "empty"))
    (tmp_path / "empty" / "x.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not one picture of"):
        open_source(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="there is no such file"):
        open_source(str(tmp_path / "absent.mp4"))
    with pytest.raises(UsageError, match="--every was given 0"):
        open_source(str(tmp_path), every=0)
    with pytest.raises(MachineError, match=r"camera 63 gives no picture.*try --live 0"):
        live(gabor_run, "63", announce=print)
    with pytest.raises(UnknownNameError, match="unknown layer"):
        live(gabor_run, str(tmp_path), layer="nowhere", announce=print)


def test_text_of_the_user_cannot_break_the_page() -> None:
    nasty = "</script><script>alert(1)</script>"
    told = {
        "run": nasty,
        "source": nasty,
        "layers": [{"name": nasty, "kind": "conv", "channels": 1, "places": [1, 1]}],
        "layer": nasty,
        "total": None,
        "camera": False,
        "loop": False,
        "wait_ms": 40,
        "moments": None,
    }
    assert nasty not in render_live_page(told)


# -- served -----------------------------------------------------------------------------------


class Served:
    """A live view in a thread, and a client that speaks to it as a browser does."""

    def __init__(self, run: Run, source: str, **options: Any) -> None:
        self.summary: LiveSummary | None = None
        self._address: list[str] = []
        ready = threading.Event()

        def announce(address: str) -> None:
            self._address.append(address)
            ready.set()

        def serve() -> None:
            self.summary = live(run, source, threads=1, announce=announce, **options)

        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()
        assert ready.wait(20)
        parts = urlsplit(self._address[0])
        assert parts.port is not None
        self.host, self.port, self.path = str(parts.hostname), parts.port, parts.path

    def ask(
        self, path: str, *, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        to = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if body is not None else {}
        to.request(method, path, data, {**given, **(headers or {})})
        reply = to.getresponse()
        found = reply.status, reply.read(), dict(reply.getheaders())
        to.close()
        return found

    def next(self, after: int = -1) -> dict[str, Any]:
        status, data, _ = self.ask(f"{self.path}next?after={after}")
        assert status == 200
        found: dict[str, Any] = json.loads(data)
        return found

    def until(self, wanted: Callable[[dict[str, Any]], bool], *, seconds: float = 15) -> dict[str, Any]:
        """The first answer that is `wanted`, with the last moment."""
        end, after, moment = time.monotonic() + seconds, -1, None
        while time.monotonic() < end:
            found = self.next(after)
            after, moment = found["number"], found["moment"] or moment
            if wanted({**found, "moment": moment}):
                return {**found, "moment": moment}
        raise AssertionError(f"waited for nothing; last: {found['status']}")

    def control(self, **change: Any) -> int:
        return self.ask(f"{self.path}control", method="POST", body=change)[0]


@pytest.fixture
def serving(
    gabor_run: Run, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Served]]:
    """`serving(**options)`: a live view of `shots`, ended with the test as Ctrl-C ends it."""
    players: list[Player] = []
    ended = threading.Event()
    usual = Player.run

    def run(self: Player) -> None:
        players.append(self)
        usual(self)
        ended.set()
        raise KeyboardInterrupt  # what Ctrl-C does to the main thread

    monkeypatch.setattr(Player, "run", run)
    monkeypatch.setattr(PictureFolder, "fps", 50.0, raising=False)
    served: list[Served] = []

    def make(**options: Any) -> Served:
        served.append(Served(gabor_run, str(shots), **options))
        return served[-1]

    yield make
    for player in players:
        player.close()
    for one in served:
        one.thread.join(10)
        assert not one.thread.is_alive()
        assert one.summary is not None


def test_only_with_the_secret_and_only_from_here(serving: Callable[..., Served]) -> None:
    served = serving(layer="act")
    assert served.host == "127.0.0.1"
    status, page, headers = served.ask(served.path)
    assert status == 200
    assert b"<title>gabors" in page
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert served.ask(served.path, headers={"Host": f"localhost:{served.port}"})[0] == 200
    for path in ("/", "/wrong/", f"/{'x' * 32}/next?after=-1", served.path.rstrip("/")):
        assert served.ask(path)[0] == 403, path
    for host in ("evil.example", f"evil.example:{served.port}", f"127.0.0.1:{served.port + 1}", ""):
        assert served.ask(served.path, headers={"Host": host})[0] == 403, host
    assert served.ask(served.path, headers={"Origin": "http://evil.example"})[0] == 403
    assert served.ask(f"{served.path}other")[0] == 404
    assert served.ask(f"{served.path}../../etc/passwd")[0] == 404
    assert served.ask(f"{served.path}next?after=x")[0] == 400
    assert served.ask(served.path, method="PUT")[0] == 501


def test_of_http_s_own_port_browsers_leave_out_the_number(
    serving: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serving()
    for host in ("127.0.0.1", "localhost"):
        assert served.ask(served.path, headers={"Host": host})[0] == 403, host
    monkeypatch.setattr(LiveServer, "port", 80)
    for host in ("127.0.0.1", "localhost", "127.0.0.1:80"):
        given = {"Host": host, "Origin": f"http://{host}"}
        assert served.ask(served.path, headers=given)[0] == 200, host
    evil = {"Host": "127.0.0.1", "Origin": "http://evil.example"}
    assert served.ask(served.path, headers=evil)[0] == 403
    assert served.ask(served.path, headers={"Host": "evil.example"})[0] == 403


def test_a_page_that_waits_watches(gabor_run: Run, shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next picture comes after more seconds than a closed page is waited for."""
    monkeypatch.setattr(explain_live_player, "_WATCHED_S", 0.1)
    monkeypatch.setattr(PictureFolder, "fps", 2.0, raising=False)
    player = Player(
        Looker(load(gabor_run, threads=1), "act", 1),
        open_source(str(shots)),
        lambda: open_source(str(shots)),
    )
    thread = threading.Thread(target=player.run, daemon=True)
    thread.start()
    try:
        first = player.wait(0, 10)
        assert first["moment"]["name"] == "0.png"
        second = player.wait(first["number"], 10)
        assert second["moment"] is not None
        assert second["moment"]["name"] == "1.png"
        time.sleep(1.2)  # nobody waits now: the film stands still
        assert player.frames == 2
        assert not player._watched()
    finally:
        player.close()
        thread.join(10)
    assert not thread.is_alive()


def test_wishes_that_cannot_be_are_refused(serving: Callable[..., Served]) -> None:
    served = serving()
    for wish in ({"layer": "nowhere"}, {"speed": 0}, {"speed": True}, {"paused": 1}, {"other": True}):
        assert served.control(**wish) == 400, wish
    path = f"{served.path}control"
    assert served.ask(path, method="POST", body=b"[1]")[0] == 400
    assert served.ask(path, method="POST", body=b"{")[0] == 400
    assert served.ask(path, method="POST", body=b" " * 5000)[0] == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert served.ask(path, method="POST", body=b"{}", headers=form)[0] == 415
    assert served.ask(f"{served.path}next", method="POST", body={})[0] == 404


def test_a_folder_is_played_to_its_end_and_again(serving: Callable[..., Served]) -> None:
    served = serving(layer="act")
    found = served.until(lambda now: now["status"] == "ended")
    assert found["moment"]["name"] == "3.png"  # the last one stays
    assert found["moment"]["layer"] == "act"
    assert len(found["moment"]["answer"]) == 3
    assert served.control(layer="conv") == 200  # another layer, on the frame that stands
    found = served.until(lambda now: bool(now["moment"]) and now["moment"]["layer"] == "conv")
    assert (found["status"], found["moment"]["name"]) == ("ended", "3.png")
    number = found["number"]
    assert served.control(again=True) == 200
    found = served.until(lambda now: now["status"] == "ended" and now["number"] > number)
    assert found["moment"]["name"] == "3.png"


def test_pause_step_and_loop(serving: Callable[..., Served]) -> None:
    served = serving(loop=True)
    served.until(lambda now: now["moment"] is not None)
    served.control(paused=True)
    paused = served.until(lambda now: now["status"] == "paused")
    time.sleep(0.3)
    before = served.next(-1)
    time.sleep(0.3)
    assert served.next(-1)["number"] == before["number"]
    assert paused["paused"]
    served.control(step=True)
    after = served.until(lambda now: now["moment"]["name"] != before["moment"]["name"])
    served.control(paused=False, speed=8)
    served.until(lambda now: now["number"] > after["number"] + 12)  # round and round


def test_nothing_is_played_until_somebody_watches(serving: Callable[..., Served]) -> None:
    served = serving()
    time.sleep(0.4)
    first = served.until(lambda now: now["moment"] is not None)
    assert first["moment"]["name"] == "0.png"


def test_a_port_that_is_taken(gabor_run: Run, shots: Path) -> None:
    with (
        LiveServer(0, "", lambda after, seconds: {}, lambda change: None) as server,
        pytest.raises(MachineError, match=f"port {server.port} cannot be listened to"),
    ):
        live(gabor_run, str(shots), port=server.port, announce=print)
    with pytest.raises(UsageError, match="port was given 70000"):
        live(gabor_run, str(shots), port=70000, announce=print)
