"""What a detector's network costs: `detect_cost.py RUN`."""

from __future__ import annotations

import json
import sys
from typing import Any

import striate
from bench.ours.rebuilt import Rebuilt


def main() -> None:
    model = striate.load(sys.argv[1])
    facts: Any = model.task.facts
    torch_model = Rebuilt(model)
    found = {
        "method": facts.method,
        "model": facts.model,
        "size_hw": list(facts.size_hw),
        "multiply_adds": torch_model.multiply_adds(),
        "parameters": sum(one.numel() for one in torch_model.module.parameters()),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
