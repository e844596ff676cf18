"""The methods that are trained by gradient, by name."""
