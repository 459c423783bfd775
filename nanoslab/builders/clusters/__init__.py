"""Clusters: the tetrahedral series, candidates found by a seeded search, and sizes from absorption peaks."""
