"""The parts of an ablation: arms, plan, scores, effects, page."""
