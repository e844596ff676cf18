"""Scripts that run striate, each in a process of its own; each prints one line of JSON."""
