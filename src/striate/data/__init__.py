"""Files in, records out: layouts, splits, checks, copies, and the cache of prepared pictures."""
