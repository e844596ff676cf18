"""Pictures a second of fastai on a folder: `fastai_folder.py FOLDER ROUNDS SIDE BATCH WORKERS`.

The network is MobileNetV3-small with 10 classes and random weights; `get_preds` on a `test_dl`, as its
documentation shows for many pictures.
"""

import json
import sys
import time
import warnings
from pathlib import Path

from fastai.losses import CrossEntropyLossFlat
from fastai.vision.all import (
    CategoryBlock,
    DataBlock,
    ImageBlock,
    Learner,
    Normalize,
    Resize,
    get_image_files,
    imagenet_stats,
)
from torchvision.models import mobilenet_v3_small

warnings.filterwarnings("ignore")


def label_of(path: Path) -> str:
    """One of ten names, spread over any set of file names."""
    return f"class{sum(path.name.encode()) % 10}"


def make_learner(folder: Path, side: int, batch: int, workers: int) -> Learner:
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=[f"class{number}" for number in range(10)])),
        get_items=get_image_files,
        get_y=label_of,
        item_tfms=Resize(side),
        batch_tfms=Normalize.from_stats(*imagenet_stats),
    )
    loaders = block.dataloaders(folder, bs=batch, num_workers=workers)
    model = mobilenet_v3_small(weights=None, num_classes=10)
    return Learner(loaders, model, loss_func=CrossEntropyLossFlat())


def main() -> None:
    folder = Path(sys.argv[1])
    rounds, side, batch, workers = (int(word) for word in sys.argv[2:6])
    learner = make_learner(folder, side, batch, workers)
    files = get_image_files(folder)
    speeds = []
    for turn in range(rounds + 1):
        began = time.perf_counter()
        loader = learner.dls.test_dl(files, bs=batch, num_workers=workers)
        with learner.no_bar(), learner.no_logging():
            scores, _ = learner.get_preds(dl=loader)
        seconds = time.perf_counter() - began
        assert scores.shape == (len(files), 10)
        if turn:
            speeds.append(len(files) / seconds)
    parameters = sum(p.numel() for p in learner.model.parameters())
    print(json.dumps({"pictures_per_s": speeds, "pictures": len(files), "parameters": parameters}))


if __name__ == "__main__":
    main()
