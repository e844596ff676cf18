"""The good-feature test: is a detector's key point found again when the picture changes?"""
