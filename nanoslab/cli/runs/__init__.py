"""Commands that are given folders of finished runs or of results."""
