"""The axes of stress: what is done to pictures, by kind."""
