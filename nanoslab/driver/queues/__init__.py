"""Slurm through existing engines, each in one file that is loaded when a cluster file names it."""
