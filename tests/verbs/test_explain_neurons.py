"""Units of trained runs: what is cut, sent back, made, mapped, drawn and refused."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.errors import DataError, UnknownNameError, UsageError
from striate.explain.fields import fields_of_layer
from striate.pictures import read, write
from striate.runs.run import Run
from striate.verbs.explain.maps import feature_maps
from striate.verbs.explain.neurons import Neurons, neurons
from striate.verbs.explain.tsne import layer_map
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import load
from striate.verbs.train import train

QUICK: dict[str, Any] = {
    "model": "small-cnn", "size": "24x32", "epochs": 3, "threads": 1, "precision": "float32",
    "memory_format": "contiguous", "augment": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def blots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with a red blot at the left or a blue one at the right."""
    root = tmp_path_factory.mktemp("data") / "blots"
    rng = np.random.default_rng(2)
    for split, count in (("train", 16), ("validation", 8)):
        for side, band, at in (("left", 0, 3), ("right", 2, 19)):
            (root / split / side).mkdir(parents=True)
            for number in range(count):
                picture = rng.normal(110, 20, (24, 32, 3))
                picture[6:18, at : at + 10, band] += 90
                write(np.clip(picture, 0, 255).astype(np.uint8), root / split / side / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def network(blots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "network"
    train(blots, out=out, **QUICK)
    return out


@pytest.fixture(scope="module")
def shown(network: Path, blots: Path) -> Neurons:
    """Two channels of one layer, with everything."""
    return neurons(network, "stage2.first.0", data=blots, channels=(5, 2), top=4, steps=5, threads=1)


def test_patches_are_what_the_unit_sees(shown: Neurons, network: Path, blots: Path) -> None:
    """Against a loop over all pictures, one after the other."""
    model = load(network, threads=1)
    inside = look_inside(model, threads=1)
    layer = inside.layer("stage2.first.0")
    data = model.run.file(model.header.graphs["main"]).read_bytes()
    fields = fields_of_layer(data, inside, layer)
    (view,) = shown.views
    assert [one.name for one in view.channels] == ["stage2.first.0:5", "stage2.first.0:2"]
    assert view.sees_hw == fields.size_hw
    files = sorted((blots / "validation").rglob("*.png"))
    assert shown.pictures == len(files) == 16
    pixels = {one.relative_to(blots).as_posix(): read(one) for one in files}
    maps = {key: inside.watch([layer])(one[None])[layer.name][0] for key, one in pixels.items()}
    for channel in view.channels:
        best = sorted(
            ((float(one[channel.index].max()), key) for key, one in maps.items()), reverse=True
        )
        assert [one.key for one in channel.patches] == [key for _, key in best[:4]]
        for patch in channel.patches:
            one = maps[patch.key][channel.index]
            assert patch.value == pytest.approx(float(one.max()), rel=1e-4)
            y, x = patch.place
            assert float(one[y, x]) == pytest.approx(patch.value, rel=1e-4)
            box = fields.of((y, x))
            assert patch.extent == box
            cut = pixels[patch.key][box.top : box.bottom, box.left : box.right]
            np.testing.assert_array_equal(patch.patch, cut)
            assert patch.projection is not None
            assert patch.projection.shape == cut.shape


def test_the_page_the_sheet_and_the_numbers(shown: Neurons, tmp_path: Path) -> None:
    page = shown.save(tmp_path / "out")
    text = page.read_text("utf-8")
    assert "What stage2.first.0 of network looks for" in text
    for words in ("made for it", "where it is strongest", "what of it counts", "stage2.first.0:5"):
        assert words in text
    data = json.loads((tmp_path / "out" / "neurons.json").read_text())
    units = data["layers"][0]["units"]
    assert [one["channel"] for one in units] == [5, 2]
    assert len(units[0]["patches"]) == 4
    assert units[0]["patches"][0]["box_xyxy"][2] <= 32
    assert units[0]["synthesised"]["activation"] > units[0]["synthesised"]["at_start"]
    assert read(tmp_path / "out" / "neurons.png").shape[1] > 3 * 280
    with pytest.raises(UsageError, match="exists already"):
        shown.save(tmp_path / "out")
    assert shown.save(tmp_path / "out", overwrite=True) == page
    assert any("stage2.first.0:5" in one for one in shown.statements)


def test_from_low_to_high(network: Path, blots: Path, tmp_path: Path) -> None:
    heard: dict[str, list[tuple[int, int | None]]] = {}
    found = neurons(
        network, "all", data=blots, count=2, top=1, steps=2, threads=1,
        listen=lambda stage, done, of: heard.setdefault(stage, []).append((done, of)),
    )  # fmt: skip
    assert len(found.views) == 6
    sizes = [view.sees_hw[0] for view in found.views[:-1]]
    assert sizes == sorted(sizes)
    assert found.views[-1].layer.name == "logits"
    assert [one.says for one in found.views[-1].channels] == ["left", "right"]
    text = found.save(tmp_path / "out").read_text("utf-8")
    typical = [view.typical for view in found.views]
    assert all(one is not None for one in typical)
    assert any("tell classes apart" in one and f"{typical[0]:.2f}" in one for one in found.statements)
    assert "tell classes apart" in text
    for level in ("Low", "Middle", "High", "Output"):
        assert f"{level}: " in text
    assert list(heard) == ["showing pictures", "making their pictures"]
    for told in heard.values():  # each stage goes on to its end, all layers as one
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    "asked", [{"class_name": "right"}, {"layer": "head:right"}, {"layer": "logits:1"}]
)
def test_a_class_without_pictures(network: Path, asked: dict[str, str], tmp_path: Path) -> None:
    found = neurons(network, **asked, steps=30, threads=1)  # type: ignore[arg-type]
    (channel,) = found.views[0].channels
    assert (channel.name, channel.says, channel.patches) == ("logits:1", "right", ())
    assert channel.strength is not None
    assert channel.at_start is not None
    assert channel.strength > channel.at_start + 0.2
    assert "no pictures were shown" in found.save(tmp_path / "out").read_text("utf-8")


def test_pictures_without_labels_and_a_file_that_is_none(
    network: Path, blots: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for number, file in enumerate(sorted((blots / "train").rglob("*.png"))[:6]):
        write(read(file), folder / f"{number}.png")
    (folder / "bad.png").write_bytes(b"no picture")
    found = neurons(network, "stem", data=folder, count=3, top=9, steps=0, threads=1)
    assert found.pictures == 6
    assert [one.kind for one in found.problems] == ["unreadable"]
    (view,) = found.views
    assert len(view.channels) == 3
    assert all(len(one.patches) == 6 and not one.favourite for one in view.channels)
    assert all(one.synthesised is None for one in view.channels)
    for bad in folder.glob("[0-9].png"):
        bad.write_bytes(b"nothing")
    with pytest.raises(DataError, match="could be read"):
        neurons(network, "stem", data=folder, steps=0, threads=1)


def test_a_layer_of_the_graph_alone_still_has_patches(network: Path, blots: Path) -> None:
    found = neurons(network, "probabilities", data=blots, top=2, steps=2, threads=1)
    (view,) = found.views
    assert "in its graph only" in view.note
    assert view.channels[0].patches[0].projection is None
    assert view.channels[0].synthesised is None


def test_a_hand_made_model_has_patches_only(
    make_run: Callable[..., Run], coloured: Path, tmp_path: Path
) -> None:
    run = make_run()
    found = neurons(run, "logits", data=coloured, top=2, threads=1)
    (view,) = found.views
    assert "hand-made" in view.note
    for channel, name in zip(view.channels, ("red", "green", "blue"), strict=True):
        assert channel.patches[0].key.startswith(name)
        assert channel.favourite == name
        assert channel.patches[0].projection is None
    assert found.save(tmp_path / "out").stat().st_size > 10_000
    with pytest.raises(UsageError, match="nothing to show"):
        neurons(run, "logits", threads=1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"layer": ""}, "no layer was named"),
        ({"layer": "stem", "channels": (99,)}, "no channel 99"),
        ({"layer": "stem:99"}, "no channel 99"),
        ({"layer": "all", "channels": (1,)}, "channels of all layers"),
        ({"layer": "stem", "class_name": "left"}, "a class was named"),
        ({"layer": "stem", "top": 0}, "0 patches"),
        ({"layer": "stem", "steps": 0}, "nothing to show"),
        ({"layer": "stem", "steps": -1}, "0 or more"),
    ],
)
def test_what_cannot_be(network: Path, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        neurons(network, **asked)


def test_unknown_names_list_the_choices(network: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"stage1\.first\.0"):
        neurons(network, "nowhere")
    with pytest.raises(UnknownNameError, match="left"):
        neurons(network, class_name="cat")


# -- maps -------------------------------------------------------------------------------------


def test_maps_of_every_layer_and_the_filters(network: Path, blots: Path, tmp_path: Path) -> None:
    file = next((blots / "validation" / "left").glob("*.png"))
    found = feature_maps(network, file, at_most=3, threads=1)
    inside = look_inside(load(network), threads=1)
    assert [one.layer.name for one in found.layers] == [one.name for one in inside.layers]
    values = inside.watch(inside.layers)(read(file)[None])
    for one in found.layers:
        every = values[one.layer.name][0].reshape(one.layer.channels, -1)
        order = np.argsort(-every.max(axis=1), kind="stable")[:3]
        assert list(one.channels) == order.tolist()
        np.testing.assert_allclose(one.maps.reshape(len(order), -1), every[order], rtol=1e-5)
        assert one.high == pytest.approx(float(every.max()))
    first = found.filters[0]
    assert (first.layer.name, first.sees_picture) == ("stem", True)
    from safetensors.numpy import load_file

    stored = load_file(network / "model.safetensors")
    np.testing.assert_allclose(first.weights, stored["backbone.model.stem.weight"], atol=1e-6)
    assert not found.filters[-1].sees_picture
    text = found.save(tmp_path / "out").read_text("utf-8")
    assert "stem · conv" in text
    assert "Filters" in text
    data = json.loads((tmp_path / "out" / "maps.json").read_text())
    assert data["layers"][0]["strongest"][0]["channel"] == found.layers[0].channels[0]
    assert read(tmp_path / "out" / "maps.png").shape[2] == 3


def test_maps_of_a_model_without_maps(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run()
    drawn = feature_maps(run, "scenes/00012", at_most=1, threads=1)
    assert drawn.picture == "scenes/00012"
    with pytest.raises(UsageError, match="has no picture"):
        feature_maps(run, "scenes/99999", at_most=1, threads=1)
    found = feature_maps(run, np.full((30, 12, 3), 77, np.uint8), threads=1)
    assert found.filters == ()
    assert found.statements == ()
    assert found.save(tmp_path / "out").stat().st_size > 5_000
    with pytest.raises(UsageError, match="at most 0"):
        feature_maps(make_run(name="other"), np.zeros((4, 4, 3), np.uint8), at_most=0)


# -- the map of pictures ----------------------------------------------------------------------


def page_data(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="map">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def test_a_map_of_pictures(network: Path, blots: Path, tmp_path: Path) -> None:
    found = layer_map(network, "features", blots, split="all", seed=1, threads=1)
    assert len(found.keys) == 48
    assert found.has_truths
    assert found.alike is not None
    assert found.alike > 0.7
    assert any("Trustworthiness" in one and "neighbours" in one for one in found.statements)
    text = found.save(tmp_path / "out").read_text("utf-8")
    data = page_data(text)
    stored = json.loads((tmp_path / "out" / "map.json").read_text())
    assert [one["picture"] for one in stored["points"]] == list(found.keys)
    # places: the page's whole numbers are those of the file, but for their scale
    for axis in "xy":
        shown, kept = np.array(data[axis]), np.array([one[axis] for one in stored["points"]])
        assert np.corrcoef(shown, kept)[0, 1] > 0.99999
    assert max(*data["x"], *data["y"]) == 10_000
    assert data["group"] == [found.names.index(one["truth"]) for one in stored["points"]]
    assert all(key in label for key, label in zip(found.keys, data["labels"], strict=True))
    # the sprite: every thumbnail is the picture at its place
    held = re.search(r'id="sprite"[^>]*src="data:image/jpeg;base64,([^"]+)"', text)
    assert held is not None
    sheet = np.array(Image.open(BytesIO(base64.b64decode(held.group(1)))))
    side = data["side"]
    assert side == 32
    for at in (0, 7, 47):
        top, left = at // data["columns"] * side, at % data["columns"] * side
        shown_tile = sheet[top : top + side, left : left + side].astype(float)
        assert np.abs(shown_tile - found.thumbnails[at]).mean() < 16
    assert read(tmp_path / "out" / "map.png").shape[2] == 3
    again = layer_map(network, "features", blots, split="all", seed=1, threads=1)
    assert (again.embedding.points == found.embedding.points).all()


def test_a_map_layer_counts_by_its_means(
    network: Path, blots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.explain.projection_map import Embedding, embed
    from striate.verbs.explain import tsne as explain_tsne

    seen: list[np.ndarray] = []

    def kept(features: np.ndarray, **options: Any) -> Embedding:
        seen.append(features)
        return embed(features, **options)

    monkeypatch.setattr(explain_tsne, "embed", kept)
    layer_map(network, "stem", blots, threads=1)
    inside = look_inside(load(network), threads=1)
    files = sorted((blots / "validation").rglob("*.png"))
    pixels = np.stack([read(one) for one in files])
    expected = inside.watch([inside.layer("stem")])(pixels)["stem"].mean(axis=(2, 3))
    assert seen[0].shape == expected.shape
    order = [np.linalg.norm(expected - one, axis=1).argmin() for one in seen[0]]
    np.testing.assert_allclose(seen[0], expected[order], rtol=1e-4, atol=1e-5)


def test_few_pictures_make_no_map(network: Path, blots: Path) -> None:
    with pytest.raises(UsageError, match="5 pictures or more"):
        layer_map(network, "features", blots, at_most=3, threads=1)
    with pytest.raises(UnknownNameError, match="stem"):
        layer_map(network, "nowhere", blots, threads=1)


# -- other tasks ------------------------------------------------------------------------------


def test_a_run_of_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["file,light"]
    (tmp_path / "data").mkdir()
    for number in range(24):
        light = int(rng.integers(30, 220))
        noise = rng.integers(-20, 20, (24, 32, 3))
        write((light + noise).astype(np.uint8), tmp_path / "data" / f"{number}.png")
        lines.append(f"{number}.png,{light}")
    (tmp_path / "data" / "table.csv").write_text("\n".join(lines) + "\n")
    table = tmp_path / "data" / "table.csv"
    train(table, out=tmp_path / "run", task="regress", **QUICK)
    found = neurons(
        tmp_path / "run", "stage1.first.0", data=table, split="all", count=2, top=2, steps=2, threads=1
    )
    (view,) = found.views
    assert len(view.channels) == 2
    assert not view.channels[0].favourite
    assert view.channels[0].patches[0].projection is not None
    output = neurons(tmp_path / "run", class_name="light", steps=20, threads=1)
    (channel,) = output.views[0].channels
    assert channel.says == "light"
    laid = layer_map(tmp_path / "run", "features", table, split="all", threads=1)
    assert laid.alike is None
    assert laid.names == ()
    assert laid.save(tmp_path / "map").stat().st_size > 10_000
