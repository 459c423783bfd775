"""nanoslab: why nanocrystals change under an electron beam, from structure to number."""

__version__ = "0.1.0"
