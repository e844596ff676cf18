"""Settings for drawing a scene again: at least as harsh as the level, and nothing else."""

from __future__ import annotations

import pytest

from striate.data.scenes import SceneSettings
from striate.data.scenes.redraw import redrawn_settings

OWN = SceneSettings(viewpoint_deg=-40, elevation_deg=20, illumination=0.6, clutter=0.5, scale=0.8)


def changed(change: str, level: float, own: SceneSettings = OWN) -> dict[str, object]:
    """The fields that differ."""
    found = redrawn_settings(own, change, level, alone=True)
    assert found is not None
    SceneSettings.parse(found.model_dump(exclude_none=True))
    before = own.model_dump()
    return {name: value for name, value in found.model_dump().items() if value != before[name]}


@pytest.mark.parametrize(
    ("change", "milder", "harsher", "becomes"),
    [
        ("camera-round", 30, 60, {"viewpoint_deg": -60.0}),  # on its own side
        ("camera-above", 15, 40, {"elevation_deg": 40}),
        ("camera-far", 1.2, 4, {"scale": 0.25}),
        ("nightfall", 0.3, 0.7, {"illumination": 0.3}),
        ("litter", 0.4, 0.9, {"clutter": 0.9}),
        ("hoarding", 0.0, 0.45, {"occlusion": 0.45}),
        ("deformation", 0.0, 0.8, {"deformation": 0.8}),
    ],
)
def test_one_setting_is_at_least_so_harsh(
    change: str, milder: float, harsher: float, becomes: dict[str, float]
) -> None:
    assert changed(change, 0.0) == {}
    assert changed(change, milder) == {}
    assert changed(change, harsher) == becomes


def test_near_things_come_as_far_as_others() -> None:
    near = SceneSettings(scale=1.4)
    assert changed("camera-far", 0.0, near) == {}
    assert changed("camera-far", 1.25, near) == {"scale": 0.8}


def test_what_a_scene_does_not_have() -> None:
    assert redrawn_settings(OWN, "pose", 10.0, alone=True) is None
    for change in ("camera-round", "camera-above", "camera-far"):
        assert redrawn_settings(OWN, change, 40.0, alone=False) is None  # all would be placed anew
    assert redrawn_settings(OWN, "hoarding", 0.3, alone=False) is not None
