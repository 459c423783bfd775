"""Dynamic displacement thresholds: kick an atom, follow it with any calculator, say what became of it, bisect."""
