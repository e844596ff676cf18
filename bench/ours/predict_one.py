"""Latency of one picture through a loaded run: `predict_one.py RUN PICTURE CALLS`."""

import json
import sys
import time

import striate


def main() -> None:
    run, picture, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = striate.load(run)
    for _ in range(20):
        answer = model.predict(picture)
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        answer = model.predict(picture)
        times.append(time.perf_counter() - began)
    scores = answer.to_dict()["scores"]
    print(json.dumps({"times_s": times, "scores": [scores[name] for name in model.names]}))


if __name__ == "__main__":
    main()
