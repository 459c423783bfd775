"""How the clusters of structures/clusters were found. Every step leaves files, so that a killed run goes on.

    python candidates.py find CdSe13 work --starts 40 --hops 30     minima of a pair potential, from many starts
    python candidates.py relax CdSe13 work --engine chgnet          the lowest of them by an engine
    python candidates.py ship CdSe13 work                           the lowest by the engine into structures/clusters

Starts are balls cut from wurtzite and zinc blende about a random point, cages with a core (relaxed on spheres first),
and random balls, in turn. Cd37S20Cl34 starts from the best bonded 20 S and 37 Cd of a crystal, and Cl.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from ase import Atoms, units
from ase.io import read, write
from ase.neighborlist import neighbor_list
from ase.optimize import LBFGS
from scipy.optimize import LinearConstraint, milp, minimize
from scipy.sparse import csr_array, eye_array, hstack, vstack

from nanoslab.builders.clusters.search import Search, search_cluster
from nanoslab.builders.particles.ligands import Ligands, add_ligands
from nanoslab.builders.particles.sites import bond_lengths, sites_within
from nanoslab.builders.stacking import conventional_cell
from nanoslab.calculation import Settings
from nanoslab.crystals import crystal, load_crystal
from nanoslab.engines import engine
from nanoslab.engines.interface import OwnCalculator
from nanoslab.files import write_atomically
from nanoslab.species import formal_charges

#: formula units, and how many of them start as the core of a cage
CLUSTERS = {"CdSe13": (13, (1,)), "CdSe19": (19, (2, 3)), "CdSe33": (33, (5,)), "CdSe34": (34, (6,))}
CLUSTERS |= {"CdSe66": (66, (16, 18, 20)), "Cd37S20Cl34": (0, ())}
#: what is known of them elsewhere
_SEARCHED = "Zhang, Wang and Xu (Nanoscale 17 (2025) 12847: random search, xTB, DFT) find a core in a cage lowest"
_RAMAN = "Raman spectra agree with a core in a cage (Dmitruk et al.)"
KNOWN = {
    "CdSe13": f"no crystal structure; {_SEARCHED}; their coordinates were not compared",
    "CdSe19": f"no crystal structure; {_SEARCHED}; their coordinates were not compared",
    "CdSe33": f"no crystal structure; {_RAMAN}; {_SEARCHED}; their coordinates were not compared",
    "CdSe34": f"no crystal structure; {_RAMAN}; {_SEARCHED}, with a Cd4Se6 core; their coordinates were not compared",
    "CdSe66": "no crystal structure; assigned by its absorption in Palencia 2020",
    "Cd37S20Cl34": "two isomers with carboxylates (Williamson et al., Science 363 (2019) 731, by scattering); that "
    "there are 34 charges of ligands is arithmetic; Cl stands for them, and which isomer this is like was not compared",
}
NOT_SEARCHED = {
    True: "not searched: ligands, solvent, other engines than those listed, vibrational energy, and minima that the "
    "pair potential places above those relaxed",
    False: "not searched: anything but the starts relaxed once: other cores than cuts, carboxylates",
}
PAIR_POTENTIAL = "CdSe pair potential of Rabani (J. Chem. Phys. 116 (2002) 258)"
KINDS = ("wurtzite", "zinc blende", "cage", "random")
SETTINGS = Settings(source="cluster search")


class PairPotential(OwnCalculator):
    """Point charges and Lennard-Jones terms; its zinc blende has a = 6.13 Å (measured: 6.08)."""

    #: charge [e], length [Å] and depth [eV] by atomic number
    ions: ClassVar = {48: (1.18, 1.98, 16.8 * units.kB), 34: (-1.18, 5.24, 14.9 * units.kB)}
    pairs: Any = None

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Energy and forces of a cluster."""
        del properties
        if self.pairs is None or "numbers" in changes:
            first, second = np.triu_indices(len(structure), 1)
            charge, sigma, depth = np.array([self.ions[z] for z in structure.numbers]).T
            coulomb = units.Hartree * units.Bohr * charge[first] * charge[second]
            sixth = (0.5 * (sigma[first] + sigma[second])) ** 6
            self.pairs = first, second, coulomb, sixth, 4.0 * np.sqrt(depth[first] * depth[second])
        first, second, coulomb, sixth, depth = self.pairs
        vectors = structure.positions[first] - structure.positions[second]
        inverse = 1.0 / (np.einsum("ij,ij->i", vectors, vectors) + 1e-12)
        charge, attraction = coulomb * np.sqrt(inverse), sixth * inverse**3
        slope = (charge + depth * (12.0 * attraction**2 - 6.0 * attraction)) * inverse
        n = len(structure)
        forces = np.column_stack(
            [np.bincount(first, slope * v, n) - np.bincount(second, slope * v, n) for v in vectors.T]
        )
        energy = float((charge + depth * (attraction**2 - attraction)).sum())
        return {"energy": energy, "free_energy": energy, "forces": forces}


def start_of(name: str, number: int) -> tuple[Atoms, str]:
    """Start of a number, and what kind it is."""
    rng = np.random.default_rng([number, 7])
    if name == "Cd37S20Cl34":
        kind = KINDS[number % 2]
        return ligated_cut(f"CdS-{kind.replace(' ', '')}", rng), kind
    n, cores = CLUSTERS[name]
    kind = KINDS[number % len(KINDS)]
    if kind == "random":
        return ball(n, rng), kind
    if kind != "cage":
        return cut(f"CdSe-{kind.replace(' ', '')}", n, rng), kind
    inside = cores[number // len(KINDS) % len(cores)]
    return cage(n - inside, rng) + (ball(1, rng) if inside == 1 else cage(inside, rng)), f"{kind} around {inside}"


def cut(source: str, n: int, rng: np.random.Generator) -> Atoms:
    """The n cations and n anions nearest to a random point of a crystal."""
    block = crystal(source).repeat(8)
    block.positions -= block.cell.sum(axis=0) / 2 + rng.uniform(-2, 2, 3)
    order = np.argsort(np.linalg.norm(block.positions, axis=1))
    taken = np.concatenate([order[block.numbers[order] == z][:n] for z in (48, 34)])
    return Atoms(block.numbers[taken], positions=block.positions[taken])


def ball(n: int, rng: np.random.Generator) -> Atoms:
    """Random points of a ball of 27 Å³ per atom, pushed apart."""
    points = rng.normal(size=(2 * n, 3))
    points *= (rng.random((2 * n, 1)) * 2 * n * 27.0 * 0.75 / np.pi) ** (1 / 3) / np.linalg.norm(points, axis=1)[
        :, None
    ]
    for _ in range(30):
        away = points[:, None] - points[None]
        lengths = np.linalg.norm(away, axis=2) + 9.0 * np.eye(2 * n)
        points += 0.4 * (np.clip(2.4 - lengths, 0, None)[..., None] * away / lengths[..., None]).sum(axis=1)
    return Atoms([48] * n + [34] * n, positions=points)


def cage(n: int, rng: np.random.Generator) -> Atoms:
    """Ions on a sphere, three bonds each, as the pair potential wants them there: the best of five."""
    radius = np.sqrt(2 * n * 8.8 / (4 * np.pi))
    atoms = Atoms([48] * n + [34] * n, positions=np.zeros((2 * n, 3)), calculator=PairPotential())

    def on_sphere(given: np.ndarray) -> tuple[float, np.ndarray]:
        points = given.reshape(-1, 3)
        lengths = np.linalg.norm(points, axis=1)[:, None]
        atoms.positions = radius * points / lengths
        slopes = -atoms.get_forces()
        along = (slopes * points).sum(axis=1)[:, None] * points / lengths**2
        return float(atoms.get_potential_energy()), (radius * (slopes - along) / lengths).ravel()

    tries = [minimize(on_sphere, rng.normal(size=6 * n), jac=True, method="L-BFGS-B") for _ in range(5)]
    on_sphere(min(tries, key=lambda one: one.fun).x)
    return Atoms(atoms.numbers, positions=atoms.positions)


def ligated_cut(source: str, rng: np.random.Generator) -> Atoms:
    """20 S and 37 Cd near a random point of a crystal, with the most bonds (HiGHS), and 34 Cl on the cut bonds."""
    cell = conventional_cell(load_crystal(source, "experimental"))
    sites = sites_within(cell, formal_charges("CdS"), rng.uniform(-2, 2, 3), 18.0)
    far = np.linalg.norm(sites.positions, axis=1)
    free = np.flatnonzero(far < 9.0)
    n = len(free)
    sulphur = (sites.symbols[free] == "S").astype(float)
    one, other = sites.bonded[free][:, free].toarray().nonzero()
    one, other = one[one < other], other[one < other]
    bonds = np.arange(len(one))
    ends = [csr_array((np.ones(len(bonds)), (bonds, end)), shape=(len(bonds), n)) for end in (one, other)]
    both = vstack([hstack([end, -eye_array(len(bonds))]) for end in ends])  # a bond needs both of its atoms
    no_bonds = np.zeros(len(bonds))
    counts = np.array([np.append(sulphur, no_bonds), np.append(1.0 - sulphur, no_bonds)])
    found = milp(
        np.append(0.004 * far[free] ** 2 + rng.uniform(0, 0.2, n), no_bonds - 1.0),
        integrality=np.append(np.ones(n), no_bonds),
        bounds=(0, 1),
        constraints=[LinearConstraint(both, 0, np.inf), LinearConstraint(counts, [20, 37], [20, 37])],
        options={"time_limit": 20.0, "mip_rel_gap": 0.02},
    )
    chosen = np.zeros(len(far), dtype=bool)
    chosen[free[found.x[:n] > 0.5]] = True
    return add_ligands(sites, chosen, Ligands(name="Cl", count=34), (0.0, bond_lengths(cell)))[0]


def find(name: str, folder: Path, starts: int, hops: int) -> None:
    """Basin hopping from every start that has no file yet; starts with ligands are kept as they are."""
    for number in range(starts):
        target = folder / f"start-{number:03d}.extxyz"
        if target.exists():
            continue
        start, kind = start_of(name, number)
        minima = [(float(number), start)]
        if name.startswith("CdSe"):
            minima = list(search_cluster(start, PairPotential(), Search(hops=hops, seed=number)).minima)
        kept = []
        for energy, atoms in minima[:12]:
            atoms.info = {"found_energy_eV": energy, "kind": kind, "start": number, "hops": hops}
            kept.append(atoms)
        write(folder / "part.extxyz", kept)
        (folder / "part.extxyz").rename(target)
        print(name, number, kind, f"{minima[0][0]:.4f} eV, {len(minima)} minima", flush=True)


def pool(folder: Path) -> tuple[list[Atoms], list[Atoms]]:
    """Distinct minima, the lowest first, and the lowest of every start."""
    runs = [read(path, index=":") for path in sorted(folder.glob("start-*.extxyz"))]
    distinct: list[Atoms] = []
    for atoms in sorted((one for run in runs for one in run), key=lambda one: one.info["found_energy_eV"]):
        if not distinct or atoms.info["found_energy_eV"] - distinct[-1].info["found_energy_eV"] > 5e-3:
            distinct.append(atoms)
    return distinct, [run[0] for run in runs]


def boxed(atoms: Atoms) -> Atoms:
    """The cluster in a periodic box, 8 Å from its faces."""
    made = Atoms(atoms.numbers, positions=atoms.positions)
    made.center(vacuum=8.0)
    made.pbc = True
    return made


def relax(folder: Path, name: str, lowest: int, force: float) -> None:
    """Relax the lowest minima by an engine."""
    for atoms in pool(folder)[0][:lowest]:
        found = atoms.info["found_energy_eV"]
        target = folder / f"{engine(name).label}-{atoms.info['start']:03d}-{abs(found):.3f}.extxyz"
        if target.exists():
            continue
        made = boxed(atoms) if name.startswith("chgnet") else Atoms(atoms.numbers, positions=atoms.positions)
        part = target.with_suffix(".xyz")
        if part.exists():  # a killed relaxation goes on from its last step
            made.positions = read(part).positions
        made.calc = engine(name).calculator(made, SETTINGS)
        relaxation = LBFGS(made, logfile=None, maxstep=0.1)
        relaxation.attach(lambda where=part, now=made: write(where, Atoms(now.numbers, now.positions)), interval=5)
        relaxation.run(fmax=force, steps=300)
        energy, left = float(made.get_potential_energy()), float(np.linalg.norm(made.get_forces(), axis=1).max())
        made.calc = None
        part.unlink(missing_ok=True)
        made.info = {**atoms.info, "energy_eV": energy, "largest_force_eV_per_A": left}
        write(target, made)
        print(
            target.name,
            atoms.info["kind"],
            f"{found:.3f} {energy:.4f} eV {left:.3f}",
            flush=True,
        )


def point_group(atoms: Atoms, tolerance: float = 0.2) -> str:
    """Schoenflies symbol within a tolerance [Å]."""
    from pymatgen.core import Molecule
    from pymatgen.symmetry.analyzer import PointGroupAnalyzer

    return str(PointGroupAnalyzer(Molecule(atoms.numbers, atoms.positions), tolerance=tolerance).sch_symbol)


def ship(name: str, folder: Path, target: Path, engines: list[str]) -> None:
    """Write the lowest cluster by the first engine, with how it was found and what every engine says."""
    distinct, starts = pool(folder)
    results = {one: [read(path) for path in sorted(folder.glob(f"{engine(one).label}-*.extxyz"))] for one in engines}
    levels = []
    for one, relaxed in results.items():
        energies = np.array([atoms.info["energy_eV"] for atoms in relaxed])
        order = np.argsort(energies)
        made = engine(one)
        levels.append(
            {
                "engine": one,
                "version": made.version,
                "level_of_theory": made.level_of_theory,
                "relaxed": len(relaxed),
                "energies_above_lowest_eV": [round(float(energies[k] - energies.min()), 3) for k in order],
                "places_in_the_search": [
                    sum(one.info["found_energy_eV"] < relaxed[k].info["found_energy_eV"] - 5e-3 for one in distinct)
                    for k in order
                ],
                "lowest_energy_eV": round(float(energies.min()), 4),
            }
        )
    best = min(results[engines[0]], key=lambda one: one.info["energy_eV"])
    n = CLUSTERS[name][0] or 1
    bonds = neighbor_list("i", best, {("Cd", other): 3.1 for other in ("Se", "S", "Cl")})
    bonds = np.bincount(bonds, minlength=len(best))
    kinds = Counter(one.info["kind"] for one in starts)
    met = [one.info["found_energy_eV"] for one in starts]
    record = {
        "name": name,
        "formula": best.get_chemical_formula(),
        "energy_eV": round(best.info["energy_eV"], 4),
        "energy_per_unit_eV": round(best.info["energy_eV"] / n, 4) if n > 1 else None,
        "largest_force_eV_per_A": round(best.info["largest_force_eV_per_A"], 4),
        "point_group": point_group(best),
        "atoms_by_bonds": {str(b): int((bonds == b).sum()) for b in np.unique(bonds)},
        "known": KNOWN[name],
        "not_searched": NOT_SEARCHED[n > 1],
        "engines": levels,
        "search": {
            "potential": PAIR_POTENTIAL if n > 1 else None,
            "starts": len(starts),
            "starts_by_kind": dict(kinds),
            "seeds": [0, len(starts) - 1],
            "hops_of_each": starts[0].info["hops"],
            "distinct_minima_kept": len(distinct),
            "starts_that_met_its_lowest": int((np.array(met) < min(met) + 5e-3).sum()) if n > 1 else None,
            "found_from": best.info["kind"],
        },
    }
    write(
        target / f"{name}.xyz",
        Atoms(best.numbers, positions=best.positions - best.positions.mean(axis=0)),
        format="xyz",
        fmt="%.5f",
    )
    write_atomically(target / f"{name}.json", json.dumps(record, indent=2, default=int) + "\n")
    print(name, record["point_group"], record["energy_eV"], record["search"])


def main() -> None:
    """One step of one cluster."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("find", "relax", "ship"))
    parser.add_argument("name", choices=tuple(CLUSTERS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--hops", type=int, default=30)
    parser.add_argument("--lowest", type=int, default=10)
    parser.add_argument("--force", type=float, default=0.03)
    parser.add_argument("--engine", nargs="+", default=["chgnet"])
    given = parser.parse_args()
    folder = given.folder / given.name
    folder.mkdir(parents=True, exist_ok=True)
    if given.step == "find":
        find(given.name, folder, given.starts, given.hops)
    elif given.step == "relax":
        relax(folder, given.engine[0], given.lowest, given.force)
    else:
        ship(given.name, folder, Path(__file__).parents[2] / "structures" / "clusters", given.engine)


if __name__ == "__main__":
    main()
