"""What a page cites: the papers that its study names, and the codes and data behind its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.studies.study import Reference, Study


def _doi(text: str, doi: str) -> Reference:
    return Reference(text, f"https://doi.org/{doi}")


_PBE = _doi("Perdew, Burke, Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996): PBE", "10.1103/PhysRevLett.77.3865")

#: beginning of the name of a source -> the code
OF_SOURCE: Mapping[str, tuple[Reference, ...]] = {
    "vasp": (
        _doi("Kresse, Furthmüller, Phys. Rev. B 54, 11169 (1996): VASP", "10.1103/PhysRevB.54.11169"),
        _PBE,
    ),
    "chgnet": (
        _doi("Deng et al., Nat. Mach. Intell. 5, 1031 (2023): CHGNet", "10.1038/s42256-023-00716-3"),
        _PBE,
    ),
    "xtb": (
        _doi("Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019): xTB", "10.1021/acs.jctc.8b01176"),
    ),
    "gpaw": (_doi("Mortensen et al., J. Chem. Phys. 160, 092503 (2024): GPAW", "10.1063/5.0182685"), _PBE),
}
OF_EVERY_PAGE = (
    _doi("Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017): ASE", "10.1088/1361-648X/aa680e"),
    _doi("Ong et al., Comput. Mater. Sci. 68, 314 (2013): pymatgen", "10.1016/j.commatsci.2012.10.028"),
    Reference("plotly.js, MIT license: the interactive plots of this page", "https://plotly.com/javascript/"),
)


def references(study: Study[Any], source: str) -> tuple[Reference, ...]:
    """Papers that the study file names, its source of energies, its method, and the tools."""
    code = next((found for name, found in OF_SOURCE.items() if source.startswith(name)), ())
    return (*(paper.reference for paper in study.papers), *code, *study.methods, *OF_EVERY_PAGE)
