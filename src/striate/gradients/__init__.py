"""What needs gradients: why a network answered, what its units look for, and pictures that fool it."""
