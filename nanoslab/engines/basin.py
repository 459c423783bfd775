"""Did a relaxation stay the structure that was asked for? Rules that look at start and end and speak in words.

Some findings make a result useless for its purpose (`left_basin`), others are worth knowing (`remarks`): a surface
that has lost atoms may well reconstruct.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from ase.neighborlist import natural_cutoffs, neighbor_list
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nanoslab.slab_geometry import empty_height, find_bonds, slab_heights
from nanoslab.symmetry import point_operations

Rule = Callable[[Atoms, Atoms], str]

#: an empty layer of at least this along c makes a sheet of a crystal [Å]
VACUUM = 6.0
#: closer than this fraction of the sum of covalent radii is no structure of any element
COLLAPSE_FRACTION = 0.6
#: a bond length: an atom that moved farther has left its site [Å]
SITE_DISTANCE = 2.6
#: change of the extent along c beyond which a double slab has closed (or a sheet swollen) by about a plane [Å]
EXTENT_CHANGE = 1.5
#: a symmetry broken by less than this is none that relaxation has broken [Å]
SAME_PLACE = 0.02


def left_basin(start: Atoms, final: Atoms, rules: Sequence[Rule] | None = None) -> tuple[str, ...]:
    """Return what makes the end of a relaxation another structure than the one asked for, in words."""
    found = (rule(start, final) for rule in (BASIN_RULES if rules is None else rules))
    return tuple(problem for problem in found if problem)


def judge_shape(start: Atoms, final: Atoms, role: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what went wrong with the shape, and remarks, for a structure with this role in its study."""
    if role in ("vacancy", "slip", "path"):  # a sheet that lost atoms may close over the hole, and reconstruct
        wrong = left_basin(start, final, tuple(rule for rule in BASIN_RULES if rule is not pieces_merged))
        return wrong, left_basin(start, final, (pieces_merged, extent_changed, atoms_left_their_sites, symmetry_kept))
    wrong = left_basin(start, final, (*BASIN_RULES, extent_changed))
    return wrong, left_basin(start, final, (atoms_left_their_sites, symmetry_kept))


def atoms_too_close(start: Atoms, final: Atoms) -> str:
    """Two atoms on top of one another: the engine has left what it knows."""
    del start
    i, j, d = neighbor_list("ijd", final, natural_cutoffs(final, mult=COLLAPSE_FRACTION))
    if not len(d):
        return ""
    worst = int(np.argmin(d))
    return f"atoms {_name(final, int(i[worst]))} and {_name(final, int(j[worst]))} are {d[worst]:.2f} Å apart"


def pieces_came_off(start: Atoms, final: Atoms) -> str:
    """More separate pieces than at the start: atoms desorbed, a sheet came apart, a neck broke."""
    before, after = pieces(start), pieces(final)
    if len(set(after)) <= len(set(before)):
        return ""
    sizes = Counter(after.tolist()).most_common()
    loose = [i for i, piece in enumerate(after) if piece != sizes[0][0]]
    if len(loose) <= max(4, len(final) // 10):
        return f"{len(loose)} atoms came off: {', '.join(_name(final, i) for i in loose)}"
    return f"it came apart into {len(sizes)} pieces of {', '.join(str(size) for _, size in sizes)} atoms"


def pieces_merged(start: Atoms, final: Atoms) -> str:
    """Two bodies became one: a gap closed. Loose surface atoms that find their place again are no body."""
    before, after = bodies(start), bodies(final)
    return f"{before} separate bodies became {after}: a gap closed" if after < before else ""


def vacuum_closed(start: Atoms, final: Atoms) -> str:
    """The widest empty layer along c has gone: images of a slab touch."""
    before, after = empty_height(start), empty_height(final)
    return f"the vacuum shrank from {before:.1f} to {after:.1f} Å" if before > VACUUM and after < before / 2 else ""


def extent_changed(start: Atoms, final: Atoms) -> str:
    """A slab became thicker or thinner by about a plane: it buckled, or the gap of a double slab collapsed."""
    if empty_height(start) < VACUUM:
        return ""
    before, after = (float(slab_heights(atoms)[0].max()) for atoms in (start, final))
    if abs(after - before) <= EXTENT_CHANGE:
        return ""
    return f"the extent along c went from {before:.1f} to {after:.1f} Å"


def atoms_left_their_sites(start: Atoms, final: Atoms) -> str:
    """Atoms moved by more than a bond length against the rest."""
    if empty_height(start) < VACUUM:
        return ""
    moved = np.linalg.norm(displacements(start, final), axis=1)
    far = np.flatnonzero(moved > SITE_DISTANCE)
    if not len(far):
        return ""
    worst = int(np.argmax(moved))
    return f"{len(far)} atoms moved by more than {SITE_DISTANCE} Å (most: {_name(final, worst)}, {moved[worst]:.1f} Å)"


def symmetry_kept(start: Atoms, final: Atoms) -> str:
    """A sheet kept every symmetry of its start: forces across it vanish, so that a saddle would look like a minimum."""
    if empty_height(start) < VACUUM:
        return ""
    before, after = (len(point_operations(atoms, SAME_PLACE)) for atoms in (start, final))
    if before == 1 or after < before:
        return ""
    return (
        f"kept the {before} symmetry operations of its start, which was not broken: it may be a saddle; "
        "start from displaced atoms (rattle: 0.1) to see"
    )


BASIN_RULES: tuple[Rule, ...] = (atoms_too_close, pieces_came_off, pieces_merged, vacuum_closed)


def bodies(atoms: Atoms) -> int:
    """Count the pieces of at least four atoms and a tenth of all."""
    return sum(size >= max(4, len(atoms) / 10) for size in Counter(pieces(atoms).tolist()).values())


def pieces(atoms: Atoms) -> NDArray[np.int32]:
    """Piece each atom belongs to, pieces being joined by bonds (through periodic images too)."""
    n = len(atoms)
    i, j = find_bonds(atoms)
    _, labels = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)
    joined: NDArray[np.int32] = labels
    return joined


def displacements(start: Atoms, final: Atoms) -> NDArray[np.float64]:
    """Shortest displacement of every atom [Å], shape (atoms, 3), less the drift of the whole."""
    vectors, _ = find_mic(final.positions - start.positions, start.cell, start.pbc)
    relative: NDArray[np.float64] = vectors - np.median(vectors, axis=0)
    return relative


def _name(atoms: Atoms, index: int) -> str:
    return f"{atoms.symbols[index]} {index}"
