"""Pictures a second of a loaded run on a folder: `predict_folder.py RUN FOLDER ROUNDS`."""

import json
import sys
import time

import striate


def main() -> None:
    run, folder, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = striate.load(run)
    speeds, count = [], 0
    for turn in range(rounds + 1):
        began = time.perf_counter()
        answers = list(model.predict_files(folder))
        seconds = time.perf_counter() - began
        count = len(answers)
        assert all(answer.result is not None for answer in answers)
        if turn:  # the first compiles and warms the disk cache
            speeds.append(count / seconds)
    print(json.dumps({"pictures_per_s": speeds, "pictures": count}))


if __name__ == "__main__":
    main()
