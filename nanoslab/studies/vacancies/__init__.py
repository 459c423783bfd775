"""Atoms lost from sheets: what it costs to remove them, and whether the beam can pay it."""
