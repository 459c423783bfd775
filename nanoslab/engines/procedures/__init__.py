"""What is computed of a structure, by name: one file and one line here each."""

from nanoslab.engines.interface import Procedure
from nanoslab.engines.procedures.band import band
from nanoslab.engines.procedures.dimer import dimer
from nanoslab.engines.procedures.displacement import displacement
from nanoslab.engines.procedures.relax import relax
from nanoslab.engines.procedures.single import single

#: name that a `nanoslab.calculation.Calculation` gives -> what is done
PROCEDURES: dict[str, Procedure] = {
    "relax": relax,
    "single": single,
    "band": band,
    "dimer": dimer,
    "displacement": displacement,
}

__all__ = ["PROCEDURES"]
