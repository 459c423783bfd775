"""Where `nanoslab.plot_data` was until version 0.2."""

from nanoslab.plot_data import Guide, Plot, Series

__all__ = ["Guide", "Plot", "Series"]
