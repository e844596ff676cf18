"""Pictures a second of ultralytics: `ultralytics_folder.py MODEL.pt FOLDER ROUNDS SIDE BATCH`."""

import json
import sys
import time

from ultralytics import YOLO


def main() -> None:
    weights, folder = sys.argv[1], sys.argv[2]
    rounds, side, batch = (int(word) for word in sys.argv[3:6])
    model = YOLO(weights)
    speeds, count = [], 0
    for turn in range(rounds + 1):
        began = time.perf_counter()
        count = 0
        # stream=True as its documentation advises for folders: results are not all held in memory
        for result in model.predict(folder, imgsz=side, batch=batch, stream=True, verbose=False):
            assert result.probs is not None
            int(result.probs.top1)
            count += 1
        seconds = time.perf_counter() - began
        if turn:
            speeds.append(count / seconds)
    print(json.dumps({"pictures_per_s": speeds, "pictures": count}))


if __name__ == "__main__":
    main()
