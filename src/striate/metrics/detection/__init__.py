"""How good a detector is. Pure functions of arrays.

`tables` sorts truths and answers and finds which overlap, `matching` says which answer is right about
which object, `precision` makes AP and AR of it; `errors`, `confusion`, `thresholds` and `luck` ask why,
what for what, from which score, and how sure that is.
"""
