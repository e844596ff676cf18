"""`striate.compare`: several models on the same pictures, side by side."""
