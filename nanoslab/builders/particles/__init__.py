"""Particles cut from a crystal: their shapes, balance of charge, ligands, and two of them facing one another."""
