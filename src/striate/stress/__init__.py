"""What breaks a run: its pictures changed in known ways, step by step, and what is left. Never torch."""
