"""Brenner's second potential of carbon (Phys. Rev. B 42 (1990) 9458), from matscipy."""

from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import TersoffBrenner
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import Brenner_PRB_42_9458_C_II


def calculator() -> Manybody:
    """Calculator for ASE."""
    return Manybody(**TersoffBrenner(Brenner_PRB_42_9458_C_II))
