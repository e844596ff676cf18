"""Hand-made features with a learner on top: trained without torch, exported and used like a network."""
