"""The steps of `striate.train`, one module each: request → data → network → plan → loop → seal."""
