"""Rates, and what they do with time: growth, exchange, hollowing, walks on a lattice.

Public names are listed in ``__init__.pyi``; each is loaded when it is first asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
