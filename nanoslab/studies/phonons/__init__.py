"""Vibrations of one structure, and the phase that is stable at a temperature."""
