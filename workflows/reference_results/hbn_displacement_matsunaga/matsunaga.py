"""Tersoff's form for B, C and N, by matscipy: Matsunaga, Fisher and Matsubara, Jpn. J. Appl. Phys. 39 (2000) 48."""

from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import TersoffBrenner
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import (
    Matsunaga_Fisher_Matsubara_Jpn_J_Appl_Phys_39_48_B_C_N as PARAMETERS,
)


def calculator() -> Manybody:
    """Calculator for ASE."""
    return Manybody(**TersoffBrenner(PARAMETERS))
