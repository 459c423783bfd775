"""Nanosheets of an exact number of monolayers, cut from any crystal along any face."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.constraints import FixAtoms
from numpy.typing import NDArray
from scipy.linalg import block_diag

from nanoslab.builders.face import face_name, parse_face
from nanoslab.builders.recipe import (
    MOST,
    describe_lattice,
    describe_source,
    group_by_species,
    require_positive,
    require_whole_number,
)
from nanoslab.builders.stacking import Stacking, Vector, conventional_cell, is_hexagonal, stack_planes
from nanoslab.builders.summary import sheet_ledger
from nanoslab.crystals import load_crystal, make_recipe
from nanoslab.errors import InputError, unknown_name
from nanoslab.slab_geometry import PLANE_TOLERANCE
from nanoslab.species import cations_first, formal_charges
from nanoslab.structure_types import AnyStructure

#: two whole numbers, or a 2 x 2 matrix of them
Repeat = Sequence[int] | Sequence[Sequence[int]]

FIXABLE = ("middle", "bottom", "none")
#: a larger sheet is a typing error
MOST_ATOMS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Which planes of which stack make the sheet."""

    stacking: Stacking
    turned_over: bool
    start: int
    n_planes: int

    @property
    def termination(self) -> tuple[str, str]:
        planes = self.stacking.planes
        return planes[self.start].species, planes[(self.start + self.n_planes - 1) % len(planes)].species


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCell:
    """How a sheet stands in its cell; see `build_nanosheet`."""

    repeat: Repeat = (1, 1)
    vacuum: float = 15.0
    fix: str = "middle"

    def __post_init__(self) -> None:
        """Refuse what is no vacuum, and no part of a sheet."""
        require_positive("vacuum", self.vacuum, "Å")
        if self.fix not in FIXABLE:
            raise unknown_name("fix", self.fix, FIXABLE)

    @property
    def matrix(self) -> NDArray[np.int_]:
        """Rows are the new in-plane vectors in terms of the old ones."""
        numbers = np.array(self.repeat, dtype=object)
        if numbers.shape == (2,):
            return np.diag([require_whole_number("repeat", number) for number in self.repeat])
        whole = numbers.shape == (2, 2) and all(isinstance(n, int | np.integer) for n in numbers.flat)
        matrix = numbers.astype(int) if whole else np.zeros((2, 2), dtype=int)
        if matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0] < 1:
            expected = "two whole numbers above 0, or a 2 x 2 matrix of whole numbers with a determinant above 0"
            advice = "such as 2 3, or 1 1 -1 1 for the cell turned by 45 degrees"
            raise InputError("repeat", expected=expected, got=repr(self.repeat), advice=advice)
        return matrix

    def frozen_planes(self, n_planes: int, per_monolayer: int) -> range:
        """Numbers of the planes that stay, counted from the bottom; none where nothing would be left free."""
        size, count = (1, n_planes) if n_planes % per_monolayer else (per_monolayer, n_planes // per_monolayer)
        middle = range((count - 1) // 2 * size, (count // 2 + 1) * size)
        planes = {"none": range(0), "bottom": range(per_monolayer), "middle": middle}[self.fix]
        return planes if len(planes) < n_planes else range(0)


def build_nanosheet(
    crystal: str | Path | AnyStructure,
    face: str | Sequence[int],
    monolayers: int,
    *,
    termination: str | Sequence[str] | None = None,
    lattice: str | None = None,
    **cell: Any,
) -> Atoms:
    """One sheet of an exact number of monolayers, its normal along z and centred in the cell.

    A monolayer is the thinnest slice with the composition of the crystal: one plane for wurtzite (11-20) and (10-10),
    zinc blende (110) and rock salt (001) and (110); one cation plane and one anion plane for zinc blende (001), and
    for wurtzite (0001), zinc blende (111) and rock salt (111). Of the cuts that give what is asked for, the one that
    breaks the fewest bonds is taken: (0001) and (111) sheets are cut between the widely spaced planes, where every
    surface atom keeps three of its four bonds; if the termination asked for needs it, the sheet is turned over.
    The in-plane cell is the smallest one, its shorter vector along x.

    Parameters
    ----------
    crystal
        Name of a reference crystal, path of a structure file, or a crystal of any cell.
    face
        Miller or Miller-Bravais indices in any usual spelling, such as ``"11-20"`` or ``(0, 0, 1)``, referring to the
        conventional cell.
    monolayers
        Number of monolayers, odd or even.
    termination
        Species of the lowest and of the highest plane, such as ``("Cd", "Cd")`` or ``"Cd/Se"``. With the same species
        on both faces the sheet has one plane more than its monolayers hold (zinc blende (001), 7: Cd8Se7).
    lattice
        Named lattice constants of a reference crystal: ``pbe`` (when not given) or ``experimental``.
    cell
        ``repeat`` (1, 1): repeats of the smallest in-plane cell along its two vectors; or a 2 x 2 matrix of whole
        numbers whose rows are the new vectors in terms of the old ones, such as ``((1, 1), (-1, 1))`` for the square
        cell a x a of a zinc blende or rock salt (001) sheet.
        ``vacuum`` (15): distance between the outermost nuclei and those of the next image, along the normal [Å].
        ``fix`` (``middle``): the middle monolayer stays where it is (both middle ones of an even number; the middle
        plane of a sheet with equal faces that has one plane more); or ``bottom``, the lowest one; or ``none``. In a
        sheet so thin that no atom would be left free, none is frozen.

    Returns
    -------
    Atoms
        Grouped by species, cations first; ``info`` holds ``recipe`` and ``ledger``.

    Examples
    --------
    >>> sheet = build_nanosheet("CdSe-wurtzite", "11-20", 7)
    >>> sheet.get_chemical_formula(), sheet.info["ledger"]["n_planes"], sheet.cell.angles().round(6).tolist()
    ('Cd14Se14', 7, [90.0, 90.0, 90.0])
    """
    monolayers = require_whole_number("monolayers", monolayers, maximum=MOST)
    frame = SheetCell(**cell)
    repeats = frame.matrix
    conventional = conventional_cell(load_crystal(crystal, lattice))
    hexagonal = is_hexagonal(conventional)
    miller = parse_face(face, hexagonal=hexagonal)
    cut = _choose_cut(conventional, miller, monolayers, _check_termination(termination))
    _check_size(cut, repeats)
    sheet = _assemble(cut, repeats, float(frame.vacuum))
    frozen = frame.frozen_planes(cut.n_planes, cut.stacking.planes_per_monolayer)
    fixed = np.flatnonzero(np.isin(sheet.arrays.pop("plane"), frozen))
    sheet.set_constraint(FixAtoms(indices=fixed) if len(fixed) else None)
    summary = sheet_ledger(
        sheet,
        charges=formal_charges(conventional.get_chemical_formula()),
        plane_tolerance=min(PLANE_TOLERANCE, cut.stacking.smallest_spacing / 2),
    )
    sheet.info = {
        "recipe": make_recipe(
            "nanosheet",
            crystal=describe_source(crystal),
            lattice=describe_lattice(crystal, lattice),
            face=face_name(miller, hexagonal=hexagonal),
            monolayers=monolayers,
            repeat=(np.diag(repeats) if np.array_equal(repeats, np.diag(np.diag(repeats))) else repeats).tolist(),
            termination=list(cut.termination),
            turned_over=cut.turned_over,
            vacuum=float(frame.vacuum),
            fix=frame.fix,
        ),
        "ledger": summary.to_dict(),
    }
    return sheet


def available_terminations(
    crystal: str | Path | AnyStructure, face: str | Sequence[int], monolayers: int, *, lattice: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Terminations (bottom, top) that a sheet can have.

    Examples
    --------
    >>> available_terminations("CdSe-zincblende", "001", 7)
    (('Cd', 'Se'), ('Se', 'Cd'), ('Cd', 'Cd'), ('Se', 'Se'))
    """
    conventional = conventional_cell(load_crystal(crystal, lattice))
    miller = parse_face(face, hexagonal=is_hexagonal(conventional))
    cuts = _cuts(conventional, miller, require_whole_number("monolayers", monolayers, maximum=MOST))
    return tuple(dict.fromkeys(cut.termination for cut in cuts))


def _check_size(cut: _Cut, repeats: NDArray[np.int_]) -> None:
    in_plane = float(np.linalg.det(repeats.astype(float)))
    n_atoms = in_plane * sum(len(cut.stacking.plane(cut.start + i).symbols) for i in range(cut.n_planes))
    if n_atoms > MOST_ATOMS:
        expected, advice = f"at most {MOST_ATOMS} atoms", "take a smaller sheet"
        raise InputError("repeat", expected=expected, got=f"{n_atoms:.0f}", advice=advice)


def _check_termination(termination: str | Sequence[str] | None) -> tuple[frozenset[str], frozenset[str]] | None:
    if termination is None:
        return None
    parts = termination.split("/") if isinstance(termination, str) else list(termination)
    if len(parts) != 2:
        expected = "bottom and top species"
        raise InputError("termination", expected=expected, got=repr(termination), advice="such as Cd Se")
    return _elements(parts[0]), _elements(parts[1])


def _elements(species: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Z][a-z]?", species))


def _cuts(conventional: Atoms, miller: tuple[int, int, int], monolayers: int) -> list[_Cut]:
    """Every cut with that number of monolayers; stoichiometric ones and upright ones first."""
    h, k, l = miller  # noqa: E741
    upright = stack_planes(conventional, miller)
    turned = stack_planes(conventional, (-h, -k, -l))
    size = upright.planes_per_monolayer
    return [
        _Cut(stacking=stacking, turned_over=stacking is turned, start=start, n_planes=n_planes)
        for n_planes in range(monolayers * size, (monolayers + 1) * size)
        for stacking in (upright, turned)
        for start in range(len(stacking.planes))
        if n_planes > monolayers * size or stacking.is_stoichiometric(start, n_planes)
    ]


def _choose_cut(
    conventional: Atoms,
    miller: tuple[int, int, int],
    monolayers: int,
    termination: tuple[frozenset[str], frozenset[str]] | None,
) -> _Cut:
    cuts = _cuts(conventional, miller, monolayers)
    cations = cations_first(conventional.get_chemical_symbols())
    thinnest = min(cut.n_planes for cut in cuts)
    wanted = [cut for cut in cuts if cut.n_planes == thinnest and not cut.turned_over]
    if termination is not None:
        wanted = [cut for cut in cuts if tuple(map(_elements, cut.termination)) == termination]
    if not wanted:
        had = ", ".join(dict.fromkeys("/".join(cut.termination) for cut in cuts))
        asked = "/".join("".join(sorted(part)) or "nothing" for part in termination or ())
        expected, advice = f"one that the stacking can give (bottom/top: {had})", "pick one of these, or another face"
        raise InputError("termination", expected=expected, got=asked, advice=advice)

    def preference(cut: _Cut) -> tuple[int, int, bool, int, int]:
        bottom = min(cations.index(species) for species in _elements(cut.termination[0]))
        broken = cut.stacking.broken_bonds(cut.start, cut.n_planes)
        return cut.n_planes, broken, cut.turned_over, bottom, cut.start

    return min(wanted, key=preference)


def _assemble(cut: _Cut, repeats: NDArray[np.int_], vacuum: float) -> Atoms:
    planes = [cut.stacking.plane(number) for number in range(cut.start, cut.start + cut.n_planes)]
    positions = np.concatenate([plane.positions for plane in planes])
    symbols = [symbol for plane in planes for symbol in plane.symbols]
    thickness = float(np.ptp(positions[:, 2]))
    cell: Vector = np.vstack([cut.stacking.in_plane, [0.0, 0.0, thickness + vacuum]])
    cell[:2, 2] = 0.0
    origin = positions[0] * (1, 1, 0)
    positions = positions - origin + (0, 0, vacuum / 2 - positions[:, 2].min())
    sheet = Atoms(symbols, positions=positions, cell=cell, pbc=True)
    sheet.new_array("plane", np.repeat(np.arange(len(planes)), [len(plane.symbols) for plane in planes]))
    scaled = sheet.get_scaled_positions(wrap=False)
    # an atom a hair below the border belongs at 0, not at 1
    scaled[:, :2] = np.where((wrapped := scaled[:, :2] % 1.0) > 1 - 1e-9, 0.0, wrapped)
    sheet.set_scaled_positions(scaled)
    larger = make_supercell(sheet, block_diag(repeats, 1))
    larger.rotate(larger.cell[0], "x", rotate_cell=True)
    return group_by_species(larger)
