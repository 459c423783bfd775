"""Settings and structure to INCAR tags and KPOINTS text: small rules, each of which knows one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import prod

import numpy as np

from nanoslab.calculation import Calculation
from nanoslab.errors import InputError, unknown_name
from nanoslab.vasp.inputs.incar_names import FUNCTIONALS, SMEARINGS, TagValue, check_extra
from nanoslab.vasp.inputs.magnetism import hubbard, is_noncollinear, spin, starting_moments
from nanoslab.vasp.inputs.shape import (
    ISOLATED_GAP,
    centre_of_mass,
    empty_widths,
    is_hexagonal_like,
    is_isolated_atom,
    is_third_vector_perpendicular,
)

Rule = Callable[[Calculation], Mapping[str, TagValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incar:
    """Tags of one INCAR, and what a reader of the deck should know about them."""

    tags: Mapping[str, TagValue]  #: tag -> value, in the order they are written
    remarks: tuple[str, ...] = ()  #: in words: defaults that were replaced by hand, doubtful combinations

    def text(self) -> str:
        """Text of the file, one tag per line."""
        return "".join(f"{tag} = {_value(value)}\n" for tag, value in self.tags.items())


def basis(calculation: Calculation) -> dict[str, TagValue]:
    """Plane waves and projectors.

    LREAL is false for every size of cell: were it chosen by the number of atoms, a sheet and its vacancy or its
    reference crystal could fall on either side, and the difference of their energies would hold its error.
    """
    return {"PREC": "Accurate", "ENCUT": calculation.settings.cutoff_energy, "LREAL": False, "LASPH": True}


def functional(calculation: Calculation) -> dict[str, TagValue]:
    """Exchange and correlation."""
    name = calculation.settings.functional
    if name not in FUNCTIONALS:
        raise unknown_name("settings.functional", name, FUNCTIONALS)
    return dict(FUNCTIONALS[name])


def electronic_loop(calculation: Calculation) -> dict[str, TagValue]:
    """Tolerance and limit of the self-consistency loop."""
    return {"EDIFF": calculation.settings.electronic_tolerance, "NELM": calculation.settings.max_electronic_steps}


def smearing(calculation: Calculation) -> dict[str, TagValue]:
    """Occupations; tetrahedra need at least three k-points along some direction and a mesh that holds Gamma."""
    settings = calculation.settings
    if settings.smearing == "tetrahedron" and (prod(settings.kpoints) < 4 or not settings.gamma_centred):
        expected = "gaussian for fewer than 4 k-points or a mesh without Gamma"
        raise InputError("settings.smearing", expected=expected, got=f"tetrahedron with {_mesh(settings.kpoints)}")
    return {"ISMEAR": SMEARINGS[settings.smearing], "SIGMA": settings.smearing_width}


def relaxation(calculation: Calculation) -> dict[str, TagValue]:
    """What moves."""
    settings = calculation.settings
    if settings.relax == "none":
        return {"IBRION": -1, "NSW": 0}
    return {
        "IBRION": 2,
        "ISIF": 3 if settings.relax == "cell" else 2,
        "NSW": settings.max_ionic_steps,
        "EDIFFG": -settings.force_tolerance,
    }


def in_plane_lattice(calculation: Calculation) -> dict[str, TagValue]:
    """Hold the third vector of a sheet whose cell is relaxed, or the vacuum would close.

    The constraint zeroes rows and columns of the stress, so it holds the vector only where the sheet lies in the
    plane xy (VASP manual, LATTICE_CONSTRAINTS).
    """
    widths = empty_widths(calculation.atoms)
    if calculation.settings.relax != "cell" or max(widths) <= ISOLATED_GAP:
        return {}
    cell = calculation.atoms.cell.array
    if max(widths[:2]) > ISOLATED_GAP or max(np.abs(cell[:2, 2]).max(), np.abs(cell[2, :2]).max()) > 1e-6:
        expected = "'ions', or 'cell' for a sheet in the plane xy with its third lattice vector along z"
        got, advice = f"'cell' with {max(widths):.1f} Å of vacuum", "relaxing the cell would close the vacuum"
        raise InputError(f"{calculation.name}: settings.relax", expected=expected, got=got, advice=advice)
    return {"LATTICE_CONSTRAINTS": ".TRUE. .TRUE. .FALSE."}


def isolated_atom(calculation: Calculation) -> dict[str, TagValue]:
    """One atom in a box: no symmetry, and the multiplicity held where Hund's rule put it."""
    if not is_isolated_atom(calculation.atoms):
        return {}
    tags: dict[str, TagValue] = {"ISYM": 0}
    if calculation.settings.spin_polarized and not is_noncollinear(calculation):
        tags["NUPDOWN"] = round(abs(float(starting_moments(calculation).sum())))
    return tags


def dipole(calculation: Calculation) -> dict[str, TagValue]:
    """Dipole correction along the third lattice vector, about the centre of mass (0.5 where there is no vacuum)."""
    if not calculation.settings.dipole_correction:
        return {}
    atoms = calculation.atoms
    if not is_third_vector_perpendicular(atoms):
        expected = "a third lattice vector perpendicular to the first two"
        got = "angles of {:.3f}° and {:.3f}°".format(*atoms.cell.angles()[:2])
        advice = "build the slab with c along its normal, or switch the correction off"
        raise InputError(f"{calculation.name}: settings.dipole_correction", expected=expected, got=got, advice=advice)
    axes = zip(centre_of_mass(atoms), empty_widths(atoms), strict=True)
    centre = tuple(round(float(x), 6) if width > ISOLATED_GAP else 0.5 for x, width in axes)
    return {"LDIPOL": True, "IDIPOL": 3, "DIPOL": centre}


def output(calculation: Calculation) -> dict[str, TagValue]:
    """Leave the large files unwritten; moments per atom where there is spin."""
    files: dict[str, TagValue] = {"LWAVE": False, "LCHARG": False}
    return {**files, "LORBIT": 11} if calculation.settings.spin_polarized else files


#: every rule of an INCAR, in the order of its lines; no two say the same tag
RULES: tuple[Rule, ...] = (
    *(basis, functional, electronic_loop, smearing, relaxation, in_plane_lattice),
    *(spin, hubbard, isolated_atom, dipole, output),
)


def cubic_box(calculation: Calculation) -> str | None:
    """An open shell in a box with equal edges."""
    lengths = calculation.atoms.cell.lengths()
    if not is_isolated_atom(calculation.atoms) or np.diff(np.sort(lengths)).min() > 0.05:
        return None
    return "isolated atom in a box with equal edges: an open shell may be held in a state of too high symmetry"


def sampled_vacuum(calculation: Calculation) -> str | None:
    """More than one k-point along a direction with vacuum."""
    pairs = zip(empty_widths(calculation.atoms), calculation.settings.kpoints, strict=True)
    axes = [str(i) for i, (width, points) in enumerate(pairs, 1) if width > ISOLATED_GAP and points > 1]
    return f"more than one k-point across the vacuum along lattice vector {', '.join(axes)}" if axes else None


def unused_moments(calculation: Calculation) -> str | None:
    """Moments on the structure and no spin in the settings."""
    moments = calculation.atoms.get_initial_magnetic_moments()
    if calculation.settings.spin_polarized or not moments.any():
        return None
    return "the structure's magnetic moments are not used, for the settings are not spin-polarised"


def wide_smearing(calculation: Calculation) -> str | None:
    """Partial occupations of an isolated atom."""
    width = calculation.settings.smearing_width
    if not is_isolated_atom(calculation.atoms) or width <= 0.02:
        return None
    return f"isolated atom with a smearing of {width:g} eV: check in the OUTCAR that occupations are 0 or 1"


def young_tag(calculation: Calculation) -> str | None:
    """A tag that older programs pass over in silence."""
    if not in_plane_lattice(calculation):
        return None
    return "LATTICE_CONSTRAINTS relaxes cells from VASP 6.5 on; an older VASP ignores it and closes the vacuum"


#: doubts worth recording beside the deck
REMARKS = (cubic_box, sampled_vacuum, unused_moments, wide_smearing, young_tag)


def incar(calculation: Calculation) -> Incar:
    """INCAR of a calculation: every rule, then the user's own tags."""
    tags: dict[str, TagValue] = {"SYSTEM": calculation.name}
    for rule in RULES:
        tags.update(rule(calculation))
    remarks = [remark for doubt in REMARKS if (remark := doubt(calculation))]
    for tag, value in calculation.settings.extra.items():
        remarks += [remark] if (remark := check_extra(tag, value)) else []
        if tag in tags and tags[tag] != value:
            remarks.append(f"INCAR tag {tag} = {_value(value)} of extra replaces {_value(tags[tag])}")
        tags[tag] = value
    return Incar(tags=tags, remarks=tuple(remarks))


def kpoints_text(calculation: Calculation) -> str:
    """KPOINTS: one automatic mesh, Gamma-centred or Monkhorst-Pack."""
    settings = calculation.settings
    if min(settings.kpoints) < 1:
        raise InputError("settings.kpoints", expected="three numbers above 0", got=_mesh(settings.kpoints))
    even = any(points % 2 == 0 for points in settings.kpoints)
    if not settings.gamma_centred and even and is_hexagonal_like(calculation.atoms):
        expected, got = "a Gamma-centred mesh for lattice vectors at 60° or 120°", _mesh(settings.kpoints)
        where, advice = f"{calculation.name}: settings.gamma_centred", "set gamma_centred to true"
        raise InputError(where, expected=expected, got=f"Monkhorst-Pack {got}", advice=advice)
    style = "Gamma" if settings.gamma_centred else "Monkhorst-Pack"
    return f"Automatic mesh\n0\n{style}\n{' '.join(str(points) for points in settings.kpoints)}\n0 0 0\n"


def vasp_binary(calculation: Calculation) -> str:
    """Which of VASP's programs the deck is for: ``vasp_ncl``, ``vasp_gam`` (Gamma alone) or ``vasp_std``."""
    if is_noncollinear(calculation):
        return "vasp_ncl"
    return "vasp_gam" if tuple(calculation.settings.kpoints) == (1, 1, 1) else "vasp_std"


def _value(value: TagValue) -> str:
    if isinstance(value, bool):
        return ".TRUE." if value else ".FALSE."
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, tuple):
        groups = ((_value(number), len(list(same))) for number, same in groupby(value))
        return " ".join(text if count == 1 else f"{count}*{text}" for text, count in groups)
    return str(value)


def _mesh(kpoints: tuple[int, int, int]) -> str:
    return "x".join(map(str, kpoints))
