from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.errors import PictureError
from striate.pictures.video import VIDEO_SUFFIXES, animation, is_animation, is_video_name


def animated(kind: str, *, frames: int = 4, duration: int = 40) -> bytes:
    """Frames of different colours; of a GIF only a corner changes, as encoders store it."""
    stills = []
    for number in range(frames):
        still = Image.new("RGB", (24, 16), (10, 20, 30))
        still.paste((200, 60 * number, 0), (0, 0, 8, 8))
        stills.append(still)
    file = io.BytesIO()
    stills[0].save(
        file, kind, save_all=True, append_images=stills[1:], duration=duration, loop=0,
        **({"lossless": True} if kind == "WEBP" else {}),
    )  # fmt: skip
    return file.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_all_frames_whole_and_in_order(kind: str) -> None:
    data = animated(kind)
    assert is_animation(data)
    stills = list(animation(data))
    assert len(stills) == 4
    for number, still in enumerate(stills):
        assert still.picture.shape == (16, 24, 3)
        assert still.picture.dtype == np.uint8
        assert np.abs(still.picture[4, 4].astype(int) - (200, 60 * number, 0)).max() <= 4
        assert np.abs(still.picture[12, 20].astype(int) - (10, 20, 30)).max() <= 4
        assert still.seconds == pytest.approx(0.04)


def test_no_time_at_all_is_a_tenth_of_a_second() -> None:
    assert {still.seconds for still in animation(animated("GIF", duration=0))} == {0.1}


def test_a_still_picture_is_one_frame() -> None:
    file = io.BytesIO()
    Image.new("RGB", (5, 3), (1, 2, 3)).save(file, "PNG")
    assert not is_animation(file.getvalue())
    assert [still.picture.shape for still in animation(file.getvalue())] == [(3, 5, 3)]


def test_what_is_no_picture(tmp_path: Path) -> None:
    assert not is_animation(b"not a picture")
    assert not is_animation(tmp_path / "missing.gif")
    with pytest.raises(PictureError, match="no picture"):
        list(animation(b"not a picture at all"))
    with pytest.raises(PictureError, match="missing"):
        list(animation(tmp_path / "missing.gif"))


def test_a_damaged_file_is_told() -> None:
    data = animated("WEBP", frames=6)
    with pytest.raises(PictureError, match="damaged"):
        list(animation(data[: len(data) * 2 // 3]))


def test_names() -> None:
    assert all(is_video_name(f"a/clip{suffix}") for suffix in VIDEO_SUFFIXES)
    assert is_video_name(b"clip.MOV".decode())
    assert not any(is_video_name(name) for name in ("clip.gif", "mp4", "clip.mp4.txt", ""))
