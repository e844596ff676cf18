"""Masks as truths: every pixel of a picture belongs to a class, or is not judged."""
