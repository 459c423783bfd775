"""Borders towards people: files of results, plots, the page."""
