"""What a page cites: the papers that a study follows, and the codes and data behind its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Reference(NamedTuple):
    """One line of the list, and where it leads."""

    text: str
    link: str


def _doi(text: str, doi: str) -> Reference:
    return Reference(text, f"https://doi.org/{doi}")


_MA = _doi(
    "Ma et al., Advanced Science (2023): CdSe nanosheets lose Se under the beam and transform",
    "10.1002/advs.202205690",
)
_WANG = Reference(
    "Wang et al., In situ TEM observation of neck formation during oriented attachment of PbSe nanocrystals",
    "https://escholarship.org/uc/item/9j82d378",
)
_PBE = _doi("Perdew, Burke, Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996): PBE", "10.1103/PhysRevLett.77.3865")

#: kind of study -> what it follows
OF_STUDY: Mapping[str, tuple[Reference, ...]] = {
    "cdse-nanosheet": (_MA,),
    "pbse-neck": (_WANG,),
    "pbse-gap": (_WANG,),
}
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
OF_BEAM = (
    Reference("Egerton et al., Ultramicroscopy 110, 991 (2010): sputtering and E_d = 5/3 E_sub", ""),
    Reference("Mott, Proc. R. Soc. Lond. A 135, 429 (1932): scattering of fast electrons by nuclei", ""),
)
OF_EVERY_PAGE = (
    _doi("Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017): ASE", "10.1088/1361-648X/aa680e"),
    _doi("Ong et al., Comput. Mater. Sci. 68, 314 (2013): pymatgen", "10.1016/j.commatsci.2012.10.028"),
    Reference("plotly.js, MIT license: the interactive plots of this page", "https://plotly.com/javascript/"),
)


def references(kind: str, source: str, *, has_beam: bool) -> tuple[Reference, ...]:
    """Papers of a study, its source of energies, the beam, and the tools.

    Examples
    --------
    >>> references("cdse-nanosheet", "chgnet", has_beam=False)[0].link
    'https://doi.org/10.1002/advs.202205690'
    """
    code = next((found for name, found in OF_SOURCE.items() if source.startswith(name)), ())
    return (*OF_STUDY.get(kind, ()), *code, *(OF_BEAM if has_beam else ()), *OF_EVERY_PAGE)
