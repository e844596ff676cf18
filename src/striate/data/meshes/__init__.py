"""Simple 3-D objects: read from OBJ files or made by code, turned and rendered on the CPU.

`read_obj(path)` or `make_solid("bus")` gives a `Mesh`, `render(mesh, View.at(yaw, pitch, roll))` a
picture with its truth, `solids_dataset(kind)` a data set that renders lazily. How angles are meant is
stated in `rotation`.
"""

from striate.data.meshes.mesh import Mesh
from striate.data.meshes.obj import ObjFile, read_obj
from striate.data.meshes.origin import GENERATOR_VERSION, SolidOrigin
from striate.data.meshes.records import ANGLE_NAMES, SolidKind, solids_dataset
from striate.data.meshes.render import Rendered, render, render_through
from striate.data.meshes.settings import SolidSettings
from striate.data.meshes.solids import CLASS_NAMES, SOLID_NAMES, canonical_view, make_solid
from striate.data.meshes.view import Camera, Light, View

__all__ = [
    "ANGLE_NAMES",
    "CLASS_NAMES",
    "GENERATOR_VERSION",
    "SOLID_NAMES",
    "Camera",
    "Light",
    "Mesh",
    "ObjFile",
    "Rendered",
    "SolidKind",
    "SolidOrigin",
    "SolidSettings",
    "View",
    "canonical_view",
    "make_solid",
    "read_obj",
    "render",
    "render_through",
    "solids_dataset",
]
