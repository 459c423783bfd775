"""VASP input sets: written from calculations."""
