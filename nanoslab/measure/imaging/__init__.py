"""What a transmission electron microscope shows of a structure: images, their noise, the spacings in them.

Public names are listed in ``__init__.pyi``; each is loaded when it is first asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
