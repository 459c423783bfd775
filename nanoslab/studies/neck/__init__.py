"""Necks between two slabs: their energy against their size, and the size beyond which they grow."""
