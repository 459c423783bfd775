"""Convergence of the energy of a sheet with cutoff, k-points, vacuum and thickness: one of them varied at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from nanoslab.calculation import Calculation, Role
from nanoslab.errors import InputError
from nanoslab.measure.sheet import faces_differ
from nanoslab.plot_data import Guide, Plot, Series, drawn
from nanoslab.studies.headline import Said, Verdict
from nanoslab.studies.result import Cell, StudyResult, Table, record, table_of
from nanoslab.studies.runs import UsableRuns
from nanoslab.studies.study import Study, inside
from nanoslab.studies.vacancies.calculations import ideal_sheet
from nanoslab.studies.vacancies.fields import Count, Mesh, SheetModel

Positive = Annotated[float, Field(gt=0, le=10_000)]
#: what is varied -> (words, label of the axis)
QUANTITIES: Mapping[str, tuple[str, str]] = {
    "cutoff_energy": ("cutoff", "plane-wave cutoff (eV)"),
    "kpoints": ("k-points", "k-points in the whole zone"),
    "vacuum": ("vacuum", "vacuum (Å)"),
    "monolayers": ("thickness", "monolayers"),
}
_SAME = 1e-9


class PointRole(Role):
    """A sheet at one setting of everything that is varied."""

    kind: str = "convergence"
    cutoff_energy: float
    kpoints: tuple[int, int, int]
    vacuum: float
    monolayers: int

    def at(self, quantity: str) -> float:
        """Value on the axis of a quantity: of a mesh its number of points."""
        value = getattr(self, quantity)
        return float(prod(value) if quantity == "kpoints" else value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One point of one scan.

    Attributes
    ----------
    energy
        Per atom [eV]; in a scan of the thickness, of the atoms added since the point before (None of the first).
    difference
        Less that of the last point of the scan [meV/atom].
    """

    quantity: str
    value: float
    label: str
    calculation: str
    energy: float | None
    difference: float | None
    is_base: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """A scan: the first value from which on all lie within the tolerance of the last, None where only the last does."""

    quantity: str
    converged_from: str | None
    is_base_enough: bool | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceResult(StudyResult):
    """Scans and their points, in the order of the file; tolerance [meV/atom]."""

    scans: tuple[ScanRow, ...]
    points: tuple[PointRow, ...]
    tolerance: float

    def document(self) -> dict[str, Any]:
        """Return the numbers; the keys carry their units."""
        names = {"energy": "energy_per_atom_eV", "difference": "difference_meV_per_atom"}
        return {
            "scans": [record(scan) for scan in self.scans],
            "points": [record(point, **names) for point in self.points],
            "tolerance_meV_per_atom": self.tolerance,
        }

    def tables(self) -> tuple[Table, ...]:
        """What is enough, and every point."""
        document = self.document()
        scans: dict[str, Cell] = {
            "varied": lambda row: QUANTITIES[row["quantity"]][0],
            "enough from": lambda row: row["converged_from"] or "not within the scan",
            "the study's own": lambda row: {True: "enough", False: "not enough", None: "-"}[row["is_base_enough"]],
            "remarks": lambda row: "; ".join(row["notes"]),
        }
        points: dict[str, Cell] = {
            "varied": lambda row: QUANTITIES[row["quantity"]][0],
            "value": "label",
            "E/atom [eV]": "energy_per_atom_eV:.5f",
            "less the last [meV/atom]": "difference_meV_per_atom:.2f",
        }
        notes = [
            f"Level of theory: {self.level_of_theory}.",
            f"Enough: this and all denser values lie within {self.tolerance:g} meV/atom of the densest.",
            "Thickness: energy of the atoms added since the thinner sheet, over their number.",
        ]
        return (
            table_of("Convergence", document["scans"], scans, notes),
            table_of("Points of the scans", document["points"], points),
        )


def says(document: Mapping[str, Any]) -> Said | None:
    """Whether the study's own settings are converged.

    Examples
    --------
    >>> scan = {"quantity": "kpoints", "converged_from": "4x3x1", "is_base_enough": True}
    >>> says({"scans": [scan], "tolerance_meV_per_atom": 1.0}).sentence
    'The settings are converged within 1 meV/atom (k-points)'
    """
    known = [scan for scan in document.get("scans", ()) if scan["is_base_enough"] is not None]
    if not known:
        return None
    within = f"within {document['tolerance_meV_per_atom']:g} meV/atom"
    failed = [QUANTITIES[scan["quantity"]][0] for scan in known if not scan["is_base_enough"]]
    unknown = [QUANTITIES[s["quantity"]][0] for s in document["scans"] if s["is_base_enough"] is None]
    verdict: Verdict = "no" if failed else "open" if unknown else "yes"
    if failed:
        words = f"The settings are not converged {within}: {', '.join(failed)}"
    else:
        words = f"The settings are converged {within} ({', '.join(QUANTITIES[s['quantity']][0] for s in known)})"
    open_ = (f"Not decided: {', '.join(unknown)}.",) if unknown else ()
    caveat = "Of total energies; differences of energies converge sooner, forces and stresses later."
    return Said(verdict, f"{len(known) - len(failed)} of {len(known)} enough", words, (*open_, caveat))


class ConvergenceStudy(Study[ConvergenceResult]):
    """Which cutoff, k-points, vacuum and thickness are enough for a sheet, each varied with the others held.

    Examples
    --------
    >>> study = ConvergenceStudy.from_document({"study": "convergence", "title": "short",
    ...     "sheet": {"phase": "wz", "crystal": "CdSe-wurtzite", "face": "11-20", "monolayers": 2,
    ...     "kpoints": [2, 2, 1]}, "cutoff_energies": [300, 500], "kpoints": [[3, 3, 1], [4, 4, 1]]})
    >>> [calculation.name for calculation in study.calculations()][:3]
    ['e300-k2x2x1-v15-m2', 'e400-k2x2x1-v15-m2', 'e500-k2x2x1-v15-m2']
    """

    kind: ClassVar[str] = "convergence"
    asks: ClassVar[str] = "Are the settings of the study converged?"
    says = says
    roles: ClassVar[tuple[type[Role], ...]] = (PointRole,)
    analysis_only: ClassVar[dict[str, Any]] = {**Study.analysis_only, "tolerance_meV_per_atom": True}

    sheet: SheetModel
    cutoff_energies: tuple[Positive, ...] = ()
    kpoints: tuple[Mesh, ...] = ()
    vacuums: tuple[Positive, ...] = ()
    monolayers: tuple[Count, ...] = ()
    tolerance_meV_per_atom: float = Field(default=1.0, gt=0)
    relax: Literal["none", "ions"] = "none"

    @model_validator(mode="after")
    def _has_a_scan(self) -> ConvergenceStudy:
        if not any((self.cutoff_energies, self.kpoints, self.vacuums, self.monolayers)):
            raise ValueError("a list of cutoff_energies, kpoints, vacuums or monolayers, got none")
        return self

    @property
    def crystals(self) -> tuple[str, ...]:
        """Crystal of the sheet."""
        return (self.sheet.crystal,)

    def calculations(self) -> tuple[Calculation, ...]:
        """The sheet at every value of each list and at its own, all others as the study says; none twice."""
        settings = replace(self.settings.settings(), relax=self.relax)
        base: dict[str, Any] = {
            "cutoff_energy": settings.cutoff_energy,
            "kpoints": self.sheet.kpoints,
            "vacuum": self.sheet.vacuum,
            "monolayers": self.sheet.monolayers,
        }
        lists = (self.cutoff_energies, self.kpoints, self.vacuums, self.monolayers)
        made: dict[str, Calculation] = {}
        for quantity, values in zip(QUANTITIES, lists, strict=True):
            every = {*values, base[quantity]} if values else set()
            for value in sorted(every, key=lambda one: (prod(one), one) if isinstance(one, tuple) else one):
                point = {**base, quantity: value}
                mesh = "x".join(map(str, point["kpoints"]))
                name = f"e{point['cutoff_energy']:g}-k{mesh}-v{point['vacuum']:g}-m{point['monolayers']}"
                if name not in made:
                    sheet = self.sheet.model_copy(update={key: point[key] for key in ("vacuum", "monolayers")})
                    with inside(f"sheet {sheet.phase}"):
                        atoms = ideal_sheet(sheet, self.crystal_source)
                    own = replace(
                        settings,
                        cutoff_energy=point["cutoff_energy"],
                        kpoints=point["kpoints"],
                        dipole_correction=faces_differ(atoms),
                    )
                    role = PointRole(label=name, **point)
                    made[name] = Calculation(name=name, role=role, atoms=atoms, settings=own)
        return self.settings.with_moments(made.values())

    def answer(self, runs: UsableRuns) -> ConvergenceResult:
        """Energy per atom along each scan against that of its last point."""
        known = [(role, used) for role, run in runs.of(PointRole) if (used := runs.get(run)) is not None]
        base = {
            "cutoff_energy": self.settings.settings().cutoff_energy,
            "kpoints": tuple(self.sheet.kpoints),
            "vacuum": self.sheet.vacuum,
            "monolayers": self.sheet.monolayers,
        }
        scans, points = [], []
        for quantity in QUANTITIES:
            others = [name for name in QUANTITIES if name != quantity]
            own = [one for one in known if all(getattr(one[0], name) == base[name] for name in others)]
            own.sort(key=lambda one: one[0].at(quantity))
            if len(own) > 1:
                rows = _points(quantity, own, base[quantity])
                points += rows
                scans.append(_scan(quantity, rows, self.tolerance_meV_per_atom))
        if known and not scans:
            raise InputError("runs", expected="two points of one scan", got=f"{len(known)} runs", advice="run more")
        return ConvergenceResult(scans=tuple(scans), points=tuple(points), tolerance=self.tolerance_meV_per_atom)

    @classmethod
    def plots(cls, document: Mapping[str, Any]) -> tuple[Plot, ...]:
        """One plot for each scan: energy per atom less that of the last point."""
        return drawn(*(_plot(scan, document) for scan in document.get("scans", ())))


def _points(quantity: str, own: Sequence[tuple[PointRole, Any]], base: Any) -> list[PointRow]:
    energies: list[float | None] = []
    for before, (_, used) in zip([None, *own], own, strict=False):
        energy, n_atoms = used.energy, len(used.calculation.atoms)
        if quantity != "monolayers":
            energies.append(energy / n_atoms)
        else:
            added = None if before is None else n_atoms - len(before[1].calculation.atoms)
            energies.append((energy - before[1].energy) / added if before is not None and added else None)
    last = energies[-1]
    return [
        PointRow(
            quantity=quantity,
            value=role.at(quantity),
            label="x".join(map(str, role.kpoints)) if quantity == "kpoints" else f"{role.at(quantity):g}",
            calculation=used.calculation.name,
            energy=energy,
            difference=None if energy is None or last is None else 1e3 * (energy - last),
            is_base=getattr(role, quantity) == base,
        )
        for (role, used), energy in zip(own, energies, strict=True)
    ]


def _scan(quantity: str, rows: Sequence[PointRow], tolerance: float) -> ScanRow:
    known = [row for row in rows if row.difference is not None]
    differences = [abs(row.difference or 0.0) for row in known]
    if len(known) < 2 or max(differences) <= _SAME:
        # a potential that knows no plane waves gives one energy for all cutoffs: that proves nothing
        note = "too few points" if len(known) < 2 else "the energy does not depend on it here: nothing was tested"
        return ScanRow(quantity=quantity, converged_from=None, is_base_enough=None, notes=(note,))
    beyond = [n for n, difference in enumerate(differences) if difference > tolerance]
    first = beyond[-1] + 1 if beyond else 0
    # the last point cannot vouch for itself
    enough = known[first].label if first < len(known) - 1 else None
    own = next((n for n, row in enumerate(known) if row.is_base), None)
    is_enough = None if own is None or (own == len(known) - 1 and enough is None) else own >= first
    notes = () if enough else ("only the densest is within the tolerance of itself: scan further",)
    return ScanRow(quantity=quantity, converged_from=enough, is_base_enough=is_enough, notes=notes)


def _plot(scan: Mapping[str, Any], document: Mapping[str, Any]) -> Plot:
    words, axis = QUANTITIES[scan["quantity"]]
    rows = [one for one in document["points"] if one["quantity"] == scan["quantity"]]
    rows = [one for one in rows if one["difference_meV_per_atom"] is not None]
    tolerance = float(document["tolerance_meV_per_atom"])
    return Plot(
        name=f"convergence-{words}",
        title=f"Convergence with {words}",
        x_label=axis,
        y_label="energy less that of the last point (meV/atom)",
        series=(
            Series(
                label="",
                x=tuple(float(row["value"]) for row in rows),
                y=tuple(float(row["difference_meV_per_atom"]) for row in rows),
                names=tuple(str(row["label"]) for row in rows),
            ),
        ),
        reading=f"Enough from {scan['converged_from']} on." if scan["converged_from"] else f"{scan['notes'][0]}.",
        level_of_theory=str(document.get("level_of_theory", "")),
        guides=(Guide(axis="y", value=-tolerance, until=tolerance, label=f"within {tolerance:g} meV/atom"),),
        x_whole=scan["quantity"] in ("kpoints", "monolayers"),
    )
