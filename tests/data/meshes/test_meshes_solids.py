from __future__ import annotations

import numpy as np
import pytest

from striate.data.meshes import (
    CLASS_NAMES,
    SOLID_NAMES,
    SolidSettings,
    View,
    make_solid,
    render,
    solids_dataset,
)
from striate.data.meshes.mesh import face_normals
from striate.data.meshes.origin import SolidOrigin
from striate.data.meshes.solids import canonical_view, drawn_solid
from striate.data.meshes.solids.figures import Joints, person
from striate.errors import SettingError, UnknownNameError

EXPECTED_PARTS = {
    "bicycle": {"wheels", "frame", "saddle", "handlebars"},
    "bus": {"body", "windows", "wheels", "lamps", "doors"},
    "car": {"body", "cabin", "windows", "wheels", "lamps"},
    "dog": {"body", "head", "legs", "tail", "ears"},
    "head": {"face", "nose", "eyes", "hair", "ears", "mouth"},
    "person": {"torso", "arms", "legs", "face", "shoes", "hands"},
    "plane": {"fuselage", "wings", "tail", "fin", "engines"},
    "truck": {"cab", "box", "wheels", "windows"},
    "van": {"body", "windows", "wheels"},
}


@pytest.mark.parametrize("name", SOLID_NAMES)
def test_solids_are_well_made(name: str) -> None:
    mesh = make_solid(name)
    assert set(mesh.parts) >= EXPECTED_PARTS[name]
    assert len(mesh) < 3000
    flat = np.linalg.norm(face_normals(mesh.vertices[mesh.faces]), axis=1) < 0.5
    assert flat.mean() < 0.05  # hair that is drawn up to its line; ends of tubes
    seen: set[str] = set()
    for yaw in range(0, 360, 45):
        found = render(mesh, View.at(yaw, elevation_deg=10), (64, 64))
        assert 0.005 < found.cover.mean() < 0.6
        seen |= set(found.part_boxes())
    assert seen >= EXPECTED_PARTS[name]


def test_faces_look_outwards() -> None:
    # of closed solids no inside is ever seen: drawing both sides changes nothing
    from dataclasses import replace

    for name in SOLID_NAMES:
        mesh = make_solid(name)
        for yaw in (20, 200):
            view = View.at(yaw, 15, 5)
            one = render(mesh, view, (96, 96))
            both = render(replace(mesh, two_sided=True), view, (96, 96))
            assert (one.part != both.part).mean() < 0.004, name


def test_a_head_is_turned_as_its_angles_say() -> None:
    def middle(view: View, part: str) -> np.ndarray:
        x0, y0, x1, y1 = render(make_solid("head"), view, (128, 128)).part_boxes()[part]
        return np.array([(x0 + x1) / 2, (y0 + y1) / 2])

    rest = middle(View.at(), "nose")
    assert middle(View.at(40), "nose")[0] > rest[0] + 5
    assert middle(View.at(0, 30), "nose")[1] < rest[1] - 3
    assert middle(View.at(0, 0, 40), "hair")[0] > middle(View.at(), "hair")[0] + 5


def test_joints_move_what_hangs_on_them() -> None:
    def top(joints: Joints) -> float:
        mesh = person(joints=joints)
        hands = mesh.faces[mesh.part_index == mesh.parts.index("hands")]
        return float(mesh.vertices[hands].reshape(-1, 3)[:, 1].max())

    assert top(Joints(raised=(90, 9))) > top(Joints()) + 0.4
    assert top(Joints(shoulders=(150, 0))) > 1.7
    bent = person(joints=Joints(hips=(80, 80), knees=(90, 90)))
    assert bent.bounds[1][1] < person().bounds[1][1] - 0.25
    assert bent.bounds[0][1] == pytest.approx(0)
    still = [Joints.drawn(np.random.default_rng(k), 0.0) for k in (1, 2)]
    assert still[0] == still[1] == Joints()


def test_deformation_changes_the_pose_of_figures_only_so_far() -> None:
    def spread(deformation: float) -> float:
        meshes = [drawn_solid("person", np.random.default_rng(k), deformation) for k in range(6)]
        return float(np.mean([np.abs(m.vertices - person().vertices).mean() for m in meshes]))

    assert spread(0.0) == pytest.approx(0, abs=1e-9)
    assert 0 < spread(0.3) < spread(1.0)


def test_names_and_other_words() -> None:
    assert len(make_solid("lorry")) == len(make_solid("truck"))
    with pytest.raises(UnknownNameError, match="bicycle"):
        make_solid("submarine")
    assert canonical_view("bus").elevation_deg == 10
    assert canonical_view(None).scale == canonical_view("bus").scale


# -- data sets --------------------------------------------------------------------------------


def test_classes_are_balanced_in_every_split() -> None:
    found = solids_dataset("class", n=320)
    for split, each in (("train", 28), ("validation", 6), ("test", 6)):
        targets = [record.target[0] for record in found.only(split)]  # type: ignore[arg-type]
        assert {name: targets.count(name) for name in CLASS_NAMES} == dict.fromkeys(CLASS_NAMES, each)


def test_pictures_are_those_of_the_seed() -> None:
    one, same, other = (solids_dataset("class", n=8, seed=seed) for seed in (0, 0, 1))
    for a, b, c in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(a.origin.read(), b.origin.read())
        assert a.origin.content_hash() == b.origin.content_hash() != c.origin.content_hash()
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
    assert (one.records[0].origin.read() != other.records[0].origin.read()).any()


def test_factors_have_their_own_streams() -> None:
    usual = SolidOrigin("car", SolidSettings(), 5)
    for change in ({"clutter": 0.0}, {"light": 1.0}, {"deformation": 1.0}, {"shift": 0.3}):
        changed = SolidOrigin("car", SolidSettings(**change), 5)
        assert changed.angles() == usual.angles()
        assert changed.view().scale == usual.view().scale


def test_boxes_hold_the_object_and_are_of_the_same_pictures() -> None:
    boxes, classes = solids_dataset("boxes", n=8), solids_dataset("class", n=8)
    for one, other in zip(boxes, classes, strict=True):
        (box,) = one.target
        assert box.label == other.target[0]
        origin = other.origin
        assert isinstance(origin, SolidOrigin)
        assert box.box_xyxy == origin.rendered().box_xyxy
        np.testing.assert_array_equal(one.origin.read(), other.origin.read())


def test_heads_tell_their_angles() -> None:
    found = solids_dataset("heads", n=60)
    angles = np.array(found.targets)
    assert found.names == ("yaw", "pitch", "roll")
    assert np.abs(angles).max(axis=0).tolist() <= [75, 40, 35]
    assert (np.abs(angles).max(axis=0) > [50, 28, 24]).all()
    origin = found.records[3].origin
    assert isinstance(origin, SolidOrigin)
    # the nose of the rendered head points where the angles say
    row = int(angles[:, 0].argmax())
    far = found.records[row].origin
    assert isinstance(far, SolidOrigin)
    boxes = far.rendered().part_boxes()
    assert boxes["nose"][2] > (boxes["face"][0] + boxes["face"][2]) / 2


def test_wrong_sizes_and_kinds_are_refused() -> None:
    with pytest.raises(SettingError, match="'n'"):
        solids_dataset("class", n=0)
    with pytest.raises(UnknownNameError, match="kind of solids"):
        solids_dataset("class2")  # type: ignore[call-overload]
    assert [one.split for one in solids_dataset("heads", n=2)] == ["train", "train"]
