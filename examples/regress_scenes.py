"""How dark is it? A number with an interval, learnt from drawn street scenes. Needs no network.

python examples/regress_scenes.py
"""

from __future__ import annotations

from pathlib import Path

import striate


def main(out: Path = Path("runs/scenes"), epochs: int = 6) -> None:
    model = striate.train(
        "scenes-values",
        out=out,
        task="regress",
        target="illumination",
        size=48,
        epochs=epochs,
        overwrite=True,
    )
    metrics = model.header.metrics["test"]
    print(f"mean error {metrics['mae']:.3f} (always the median: {metrics['baseline_mae']:.3f})")
    print(f"{metrics['coverage']:.0%} of test pictures lie within their 90 % interval")
    record = model.task.read("scenes-values").records[0]
    print(record.target, model.predict(record.origin.read()).to_dict())


if __name__ == "__main__":
    main()
