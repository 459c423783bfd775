"""Sheets that lose atoms at scale: low ways to do so, where another phase takes over, which path a beam takes."""
