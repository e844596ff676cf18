"""What a trained run is like, measured: pure measures on arrays and graphs. Never torch."""
