"""Measures of how good an answer is: pure NumPy functions, tested against scikit-learn and SciPy.

`classification` one class a picture; `multilabel` any number; `calibration` can a probability be
believed; `rejection` what saying "unknown" buys; `regression` numbers and angles; `intervals` how
far a measure may be off by luck; `ranks` ties done right; `plain` numbers for JSON.
"""
