"""Each nuisance factor does what its name says, more of it does more, and none moves another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from striate.data.scenes import FACTOR_NAMES, Scene, SceneSettings, make_scene, single_object_scene
from striate.data.scenes.light import make_light
from striate.data.scenes.names import stuff_id
from striate.data.scenes.settings import Weather
from striate.errors import SettingError, UnknownNameError

EASY = SceneSettings(size_hw=(96, 120))
SEEDS = (1, 2, 3, 4)


def with_(**factors: object) -> SceneSettings:
    return SceneSettings.parse({**EASY.model_dump(exclude_none=True), **factors})


def means(
    name: str, values: Sequence[float], measure: Callable[[Scene], float], **fixed: object
) -> list[float]:
    """The measure at each value of a factor, averaged over seeds, of cars alone in their picture."""
    return [
        float(
            np.mean(
                [measure(single_object_scene("car", with_(**{name: v}, **fixed), seed=s)) for s in SEEDS]
            )
        )
        for v in values
    ]


def rises(values: Sequence[float]) -> bool:
    return all(b > a for a, b in itertools.pairwise(values))


def brightness(scene: Scene) -> float:
    return float(scene.picture.mean())


def edges(scene: Scene) -> float:
    grey = scene.picture.mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def area(scene: Scene) -> float:
    return float(np.count_nonzero(scene.amodal[0]))


@pytest.mark.parametrize("weather", Weather.__args__)  # type: ignore[attr-defined]
def test_it_gets_darker_as_the_daylight_goes(weather: str) -> None:
    found = means("illumination", (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), brightness, weather=weather)
    assert rises(found)
    assert found[-1] > 1.5 * found[0]


def test_occlusion_hides_the_share_that_was_asked_for() -> None:
    for name in ("car", "pedestrian", "tree", "house", "dog"):
        for share in (0.0, 0.2, 0.4, 0.6, 0.8):
            scene = single_object_scene(name, with_(occlusion=share), seed=5)
            assert float(scene.visible_fraction[0]) == pytest.approx(1 - share, abs=0.08)


def test_occlusion_in_a_street_only_ever_hides_more() -> None:
    found = [make_scene(SceneSettings(objects=(6, 8), occlusion=o), seed=3) for o in (0, 0.3, 0.6, 0.85)]
    for less, more in itertools.pairwise(found):
        assert not ((more.instances > 0) & (less.instances == 0)).any()
        assert more.visible_fraction.mean() < less.visible_fraction.mean()


def test_truncation_cuts_the_main_object() -> None:
    found = means("truncation", (0.0, 0.2, 0.4, 0.6, 0.8), lambda s: float(s.truncated_fraction[0]))
    assert rises(found)
    assert found[0] == 0
    assert found == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8], abs=0.03)


def test_truncation_holds_for_a_turned_camera() -> None:
    for name in ("traffic-light", "bus"):
        scene = single_object_scene(name, with_(truncation=0.5, rotation_deg=65), seed=3)
        assert scene.truncated_fraction[0] == pytest.approx(0.5, abs=0.08)


def test_truncation_in_a_street() -> None:
    for seed in SEEDS:
        scene = make_scene(SceneSettings(truncation=0.5, objects=(3, 3)), seed=seed)
        assert scene.main is not None
        assert scene.truncated_fraction[scene.main] == pytest.approx(0.5, abs=0.08)


def test_scale_sets_the_size() -> None:
    found = means("scale", (0.25, 0.5, 0.75, 1.0), area)
    assert rises(found)
    assert found[1] / found[3] == pytest.approx(0.25, rel=0.25)


def test_scale_in_a_street() -> None:
    only = {"classes": ("car",), "objects": (4, 4)}
    found = [
        np.mean(
            [
                np.median(make_scene(with_(scale=k, **only), seed=s).amodal.sum(axis=(1, 2)))
                for s in SEEDS
            ]
        )
        for k in (0.3, 0.6, 1.0, 1.4)
    ]
    assert rises([float(value) for value in found])


def test_viewpoint_turns_cars_from_their_side_to_their_end() -> None:
    def slimness(scene: Scene) -> float:
        x0, y0, x1, y1 = scene.full_boxes_xyxy[0]
        return float((y1 - y0) / (x1 - x0))

    for sign in (-1, 1):
        assert rises(means("viewpoint_deg", [sign * v for v in (5, 25, 45, 65)], slimness))


def test_viewpoint_shows_the_other_end_from_the_other_side() -> None:
    left, right = (
        {part.name for part in single_object_scene("bus", with_(viewpoint_deg=v), seed=2).parts}
        for v in (-50, 50)
    )
    assert ("windscreen" in left) != ("windscreen" in right)


def test_elevation_lowers_the_sky() -> None:
    def sky(scene: Scene) -> float:
        return float((scene.semantic == stuff_id("sky")).mean())

    found = [
        np.mean([sky(make_scene(with_(elevation_deg=e, objects=(0, 0)), seed=s)) for s in SEEDS])
        for e in (30, 18, 8, 3)
    ]
    assert found[0] < found[-1]
    assert found[1] < found[-1]


def test_clutter_adds_edges() -> None:
    found = [
        float(np.mean([edges(make_scene(with_(clutter=c), seed=s)) for s in SEEDS]))
        for c in (0, 0.35, 0.7, 1)
    ]
    assert rises(found)
    assert found[-1] > 1.1 * found[0]


def test_deformation_bends_the_silhouette_ever_further() -> None:
    for name in ("car", "pedestrian"):
        straight = single_object_scene(name, EASY, seed=4).amodal[0]
        moved = [
            float((single_object_scene(name, with_(deformation=d), seed=4).amodal[0] ^ straight).sum())
            for d in (0.2, 0.5, 1.0)
        ]
        assert rises([0.0, *moved])


def test_rotation_turns_the_picture_clockwise() -> None:
    square = {"size_hw": (96, 96), "objects": (5, 5)}
    level = make_scene(with_(**square), seed=3)
    for degrees, turns in ((90, -1), (180, 2), (-90, 1)):
        turned = make_scene(with_(rotation_deg=degrees, **square), seed=3)
        wanted = np.rot90(level.instances > 0, turns)
        both = (turned.instances > 0) & wanted
        assert both.sum() / ((turned.instances > 0) | wanted).sum() > 0.85
        ground = np.rot90(level.semantic == stuff_id("road"), turns)
        assert ((turned.semantic == stuff_id("road")) == ground).mean() > 0.95


def test_blur_takes_away_detail_and_noise_adds_its_deviation() -> None:
    assert rises(means("blur_px", (4.0, 2.0, 1.0, 0.5, 0.0), edges))
    clean = make_scene(EASY, seed=2).picture.astype(float)
    for share in (0.02, 0.05, 0.1):
        noisy = make_scene(with_(noise=share), seed=2).picture.astype(float)
        middle = (clean > 100) & (clean < 155)
        assert (noisy - clean)[middle].std() == pytest.approx(255 * share, rel=0.08)


def test_light_comes_from_where_it_is_set() -> None:
    left, right = (make_light(with_(light_deg=d), 1).sun_xyz for d in (-80.0, 80.0))
    assert left[0] < -0.5 < 0.5 < right[0]

    def shade(degrees: float) -> float:
        """How much darker the pavement is right of a tree than left of it."""
        chosen = with_(light_deg=degrees, size_hw=(96, 120))
        scene = single_object_scene("tree", chosen, seed=7)
        pavement = (scene.semantic == stuff_id("pavement")) | (scene.semantic == stuff_id("road"))
        middle = int(scene.boxes_xyxy[0][[0, 2]].mean())
        grey = scene.picture.mean(axis=2)
        return float(
            grey[:, :middle][pavement[:, :middle]].mean() - grey[:, middle:][pavement[:, middle:]].mean()
        )

    assert shade(-75.0) > shade(75.0)


@pytest.mark.parametrize(
    ("factor", "value"),
    [
        ("illumination", 0.1),
        ("blur_px", 2.0),
        ("noise", 0.2),
        ("light_deg", 60.0),
        ("weather", "rainy"),
        ("weather", "snowy"),
        ("weather", "foggy"),
    ],
)
def test_light_and_lens_leave_the_truth_alone(factor: str, value: object) -> None:
    chosen: dict[str, object] = {"classes": ("car", "bus", "tree", "house", "dog", "bicycle")}
    plain, changed = (
        make_scene(with_(**chosen), seed=6),
        make_scene(with_(**{factor: value}, **chosen), seed=6),
    )
    assert not np.array_equal(plain.picture, changed.picture)
    for name in ("instances", "semantic", "amodal", "boxes_xyxy", "depths_m"):
        assert np.array_equal(getattr(plain, name), getattr(changed, name)), name


def test_clutter_and_occlusion_leave_the_objects_alone() -> None:
    plain = make_scene(SceneSettings(objects=(5, 7)), seed=9)
    for changed in ({"clutter": 1.0}, {"occlusion": 0.3}):
        scene = make_scene(SceneSettings.parse({"objects": (5, 7), **changed}), seed=9)
        assert scene.names == plain.names
        assert scene.colours == plain.colours
        assert np.array_equal(scene.amodal, plain.amodal)


def test_factors_are_reported() -> None:
    scene = make_scene(SceneSettings(clutter=0.25, viewpoint_deg=-12), seed=1)
    assert tuple(scene.factors) == FACTOR_NAMES
    assert scene.factors["clutter"] == 0.25
    assert scene.factors["viewpoint_deg"] == -12


@pytest.mark.parametrize(
    "wrong",
    [
        {"occlusion": 1.2},
        {"viewpoint_deg": 90},
        {"size_hw": (4, 100)},
        {"objects": (5, 2)},
        {"objects": (0, 40)},
        {"weather": "hail"},
        {"classes": ()},
        {"classes": ("cat",)},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        SceneSettings.parse(wrong)


def test_an_unknown_factor_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'occlusion'"):
        SceneSettings.parse({"oclusion": 0.3})
