"""Street scenes drawn from a seed, with the exact truth for every vision task.

`make_scene(settings, seed=…)` gives one, `scenes_dataset(kind)` a data set that renders lazily,
`write_scenes(folder, …)` files for other tools. Sizes are those of a toy town: people, dogs,
bicycles and signs are larger beside cars than in life, so that they can be seen in small pictures.
"""

from striate.data.scenes.make import make_scene, single_object_scene
from striate.data.scenes.names import OBJECT_NAMES, SEMANTIC_NAMES, STUFF_NAMES, VEHICLE_NAMES
from striate.data.scenes.origin import GENERATOR_VERSION, SceneOrigin
from striate.data.scenes.records import SceneKind, scenes_dataset
from striate.data.scenes.settings import FACTOR_NAMES, SceneSettings
from striate.data.scenes.truth import Keypoint, Part, Region, Scene
from striate.data.scenes.write import write_scenes

__all__ = [
    "FACTOR_NAMES",
    "GENERATOR_VERSION",
    "OBJECT_NAMES",
    "SEMANTIC_NAMES",
    "STUFF_NAMES",
    "VEHICLE_NAMES",
    "Keypoint",
    "Part",
    "Region",
    "Scene",
    "SceneKind",
    "SceneOrigin",
    "SceneSettings",
    "make_scene",
    "scenes_dataset",
    "single_object_scene",
    "write_scenes",
]
