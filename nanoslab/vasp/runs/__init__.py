"""VASP runs: read back, with the truth about them."""
