"""Pure functions of arrays: boxes and what is done with them. NumPy only."""
