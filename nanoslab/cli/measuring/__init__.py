"""Commands that are given a structure and say something of it."""
