"""Hand-made features as vectors, each written as part of an ONNX graph.

A feature here is a function from uint8 pictures (B, H, W, 3) to float32 vectors (B, D), told once, as
graph nodes. What trains on it and what is exported are the same nodes, so they cannot differ.
"""
