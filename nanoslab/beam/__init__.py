"""What the electron beam does to an atom: energies, cross-sections, vibrations, escape, dose.

Public names are listed in ``__init__.pyi``; each is loaded when it is first asked for, so that kinematics alone stays
free of numpy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
