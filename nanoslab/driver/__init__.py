"""Campaigns on a cluster: one loop, an existing engine behind it, and the state in the folders.

Nothing is imported here: `nanoslab status` on a laptop needs none of the engines.
"""
