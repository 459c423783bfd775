"""``ENGINE:corrected=FILE``: a potential with a small correction fitted to energies and forces of a better one."""

from nanoslab.engines.correction.calculator import corrected_engine
from nanoslab.engines.correction.file import base_options, find_correction, read_correction, write_correction
from nanoslab.engines.correction.fit import Point, fit_correction
from nanoslab.engines.correction.model import Correction, LeftOut, refuse_extrapolation
from nanoslab.engines.correction.terms import Term

__all__ = [
    "Correction",
    "LeftOut",
    "Point",
    "Term",
    "base_options",
    "corrected_engine",
    "find_correction",
    "fit_correction",
    "read_correction",
    "refuse_extrapolation",
    "write_correction",
]
