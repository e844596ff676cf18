"""Backbones: from the first linear classifier on pixels to any timm name."""
