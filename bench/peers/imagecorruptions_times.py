"""Times and answers of imagecorruptions: `imagecorruptions_times.py PICTURES.npz TURNS OUT.npz`.

Its last release calls scikit-image's `gaussian` by an argument that has since been dropped; the call
is translated here, which changes neither its result nor its speed.
"""

import json
import statistics
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")

import imagecorruptions  # noqa: E402
from imagecorruptions import corruptions  # noqa: E402
from skimage.filters import gaussian  # noqa: E402

SEVERITIES = (1, 2, 3, 4, 5)


def _gaussian(image, sigma, multichannel=False, **settings):
    return gaussian(image, sigma, channel_axis=-1 if multichannel else None, **settings)


def main() -> None:
    corruptions.gaussian = _gaussian
    path, turns, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    times, answers = {}, {}
    for label, pictures in np.load(path).items():
        for name in imagecorruptions.get_corruption_names("all"):
            for severity in SEVERITIES:
                np.random.seed(severity)
                answers[f"{label}/{name}/{severity}"] = imagecorruptions.corrupt(
                    pictures[0], severity, name
                )
            times[f"{label}/{name}"] = [_turn(pictures, name) for _ in range(turns)]
    np.savez(out, **answers)
    medians = {key: statistics.median(found) for key, found in times.items()}
    print(json.dumps({"ms_each": medians, "raw": times}))


def _turn(pictures, name):
    """Milliseconds of a picture, mean over severities."""
    began = time.perf_counter()
    for severity in SEVERITIES:
        for picture in pictures:
            imagecorruptions.corrupt(picture, severity, name)
    return 1000 * (time.perf_counter() - began) / len(SEVERITIES) / len(pictures)


if __name__ == "__main__":
    main()
