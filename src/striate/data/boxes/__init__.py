"""Boxes as truths: read, checked and written in the formats that the field uses."""
