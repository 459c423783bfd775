"""What the papers print beside what every level of theory gives, wrong ones included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Reader = Callable[[Document], float | None]

#: spacings this close are of one family of planes: constants of a crystal computed twice differ by less
SAME_SPACING = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number of a paper and how it is read from a study's document.

    Attributes
    ----------
    name, unit
        For the reader.
    study
        Kind of study that gives it.
    paper, source
        What is printed, in its unit, and by whom.
    read
        Document of the study -> number in that unit, or None where it is not there.
    digits
        Decimals that make sense.
    """

    name: str
    unit: str
    study: str
    paper: str
    source: str
    read: Reader
    digits: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRow:
    """A quantity with the number of every source that has one."""

    quantity: Quantity
    deck_ready: bool
    values: Mapping[str, float]

    def cells(self, sources: tuple[str, ...]) -> tuple[str, ...]:
        """Texts of the row: name, paper, deck, then a number or a dash per source."""
        numbers = (
            f"{self.values[source]:.{self.quantity.digits}f}" if source in self.values else "-" for source in sources
        )
        printed = f"{self.quantity.paper} ({self.quantity.source})"
        name = f"{self.quantity.name} [{self.quantity.unit}]" if self.quantity.unit else self.quantity.name
        return (name, printed, "yes" if self.deck_ready else "no", *numbers)


def _lowest_removal(phase: str, potential: str) -> Reader:
    def read(document: Document) -> float | None:
        costs = [
            row["formation_energy_eV"][potential]
            for row in document["vacancies"]
            if row["phase"] == phase and row["removed"] == {"Se": 1} and potential in row["formation_energy_eV"]
        ]
        return min(costs, default=None)

    return read


def _energy_change(phase: str, n_removed: int) -> Reader:
    """Energy per atom [meV] after the cheapest loss of so many Se, less that of the whole sheet."""

    def read(document: Document) -> float | None:
        changes = [
            row["energy_per_atom_change_meV"]
            for row in document["vacancies"]
            if row["phase"] == phase and row["removed"] == {"Se": n_removed}
        ]
        return min(changes, default=None)

    return read


def _formation_change(phase: str, n_removed: int) -> Reader:
    """Energy of formation per atom [meV] after the cheapest loss of so many Se, less that of the whole sheet."""

    def read(document: Document) -> float | None:
        key = "formation_energy_per_atom_eV"
        whole = next((row[key] for row in document["sheets"] if row["phase"] == phase), None)
        lost = [
            row[key]
            for row in document["vacancies"]
            if row["phase"] == phase and row["removed"] == {"Se": n_removed} and row[key] is not None
        ]
        return None if whole is None or not lost else 1000 * (min(lost) - whole)

    return read


def _zinc_blende_from(document: Document) -> float | None:
    changes = document["phase_changes"]
    return next((row["anion_to_cation"] for row in changes if row["after"] == "zinc blende"), None)


def _layers(n_removed: int) -> Reader:
    def read(document: Document) -> float | None:
        for row in document["vacancies"]:
            if row["phase"] == "wurtzite" and row["removed"] == {"Se": n_removed} and "layers" in row["series"]:
                energy: float | None = row["formation_energy_eV"].get("atom")
                return None if energy is None else energy / n_removed
        return None

    return read


def _thickness(phase: str) -> Reader:
    def read(document: Document) -> float | None:
        return next((row["thickness_A"] / 10 for row in document["sheets"] if row["phase"] == phase), None)

    return read


def _edge(crystal: str, axis: int, divisor: float) -> Reader:
    def read(document: Document) -> float | None:
        for row in document["crystals"]:
            if row["crystal"] == crystal:
                return float(row["lattice_constants_A"][axis]) / divisor / 10
        return None

    return read


def _lateral_spacing(phase: str, n_lost: int, bulk_spacing: Reader) -> Reader:
    """Mean spacing [nm], in a sheet relaxed in its plane, of the planes that have a spacing in the bulk."""

    def read(document: Document) -> float | None:
        bulk = bulk_spacing(document)
        removed = {"Se": n_lost} if n_lost else {}
        row = next((r for r in document["lateral"] if r["phase"] == phase and r["removed"] == removed), None)
        if bulk is None or row is None:
            return None
        same = [
            reflection["spacing_A"] / 10
            for reflection in row["reflections"]
            if abs(reflection["built_spacing_A"] / 10 - bulk) < SAME_SPACING * bulk
        ]
        return sum(same) / len(same) if same else None

    return read


def _e_max(energy_keV: float) -> Reader:
    def read(document: Document) -> float | None:
        for row in document["beam"]:
            if row["element"] == "Se" and row["beam_energy_keV"] == energy_keV:
                return float(row["max_transferred_energy_eV"])
        return None

    return read


def _key(key: str, factor: float = 1.0) -> Reader:
    def read(document: Document) -> float | None:
        value = document.get(key)
        return None if value is None else factor * value

    return read


_D0002 = _edge("CdSe-wurtzite", 2, 2.0)
_D220 = _edge("CdSe-zincblende", 0, 8**0.5)
_MA: dict[str, Any] = {"study": "vacancies", "source": "Ma 2023"}
QUANTITIES: tuple[Quantity, ...] = (
    Quantity(
        name="E_f of Se, wurtzite sheet, mu of the atom", unit="eV", paper="5.12",
        read=_lowest_removal("wurtzite", "atom"), **_MA,
    ),
    Quantity(
        name="E_f of Se, wurtzite sheet, mu of the element", unit="eV", paper="-",
        read=_lowest_removal("wurtzite", "element"), **_MA,
    ),
    Quantity(
        name="E_f of Se, zinc-blende sheet, mu of the atom", unit="eV", paper="-",
        read=_lowest_removal("zinc blende", "atom"), **_MA,
    ),
    Quantity(
        name="energy per atom, 1 Se lost, wurtzite", unit="meV", paper="rises", digits=0,
        read=_energy_change("wurtzite", 1), **_MA,
    ),
    Quantity(
        name="energy per atom, 2 Se lost, wurtzite", unit="meV", paper="rises", digits=0,
        read=_energy_change("wurtzite", 2), **_MA,
    ),
    Quantity(
        name="energy per atom, 1 Se lost, zinc blende", unit="meV", paper="falls", digits=0,
        read=_energy_change("zinc blende", 1), **_MA,
    ),
    Quantity(
        name="energy per atom, 2 Se lost, zinc blende", unit="meV", paper="falls", digits=0,
        read=_energy_change("zinc blende", 2), **_MA,
    ),
    Quantity(
        name="formation energy per atom, 1 Se lost, wurtzite", unit="meV", paper="rises", digits=0,
        read=_formation_change("wurtzite", 1), **_MA,
    ),
    Quantity(
        name="formation energy per atom, 1 Se lost, zinc blende", unit="meV", paper="falls", digits=0,
        read=_formation_change("zinc blende", 1), **_MA,
    ),
    Quantity(
        name="zinc blende the more stable sheet below", unit="Se per Cd", paper="0.8 seen",
        read=_zinc_blende_from, **_MA,
    ),
    Quantity(name="one face's Se layer gone (14:12), E_f per Se", unit="eV", paper="-", read=_layers(2), **_MA),
    Quantity(name="both faces' Se layers gone (14:10), E_f per Se", unit="eV", paper="-", read=_layers(4), **_MA),
    Quantity(
        name="thickness, wurtzite sheet (between nuclei)", unit="nm", paper="1.4",
        read=_thickness("wurtzite"), **_MA,
    ),
    Quantity(
        name="thickness, zinc-blende sheet (between nuclei)", unit="nm", paper="2.0",
        read=_thickness("zinc blende"), **_MA,
    ),
    Quantity(
        name="d(0002), bulk wurtzite", unit="nm", paper="0.359", digits=3, read=_D0002, **_MA
    ),
    Quantity(
        name="d(220), bulk zinc blende", unit="nm", paper="0.220", digits=3,
        read=_D220, **_MA,
    ),
    Quantity(
        name="a, bulk wurtzite", unit="nm", paper="-", digits=4, read=_edge("CdSe-wurtzite", 0, 1.0), **_MA,
    ),
    Quantity(
        name="a, bulk zinc blende", unit="nm", paper="-", digits=4, read=_edge("CdSe-zincblende", 0, 1.0), **_MA,
    ),
    Quantity(
        name="d(0002), wurtzite sheet, in-plane lattice free", unit="nm", paper="-", digits=3,
        read=_lateral_spacing("wurtzite", 0, _D0002), **_MA,
    ),
    Quantity(
        name="mean d(220), zinc-blende sheet, in-plane lattice free", unit="nm", paper="0.233", digits=3,
        read=_lateral_spacing("zinc blende", 0, _D220), **_MA,
    ),
    Quantity(
        name="mean d(220), the same without its Se face", unit="nm", paper="0.233", digits=3,
        read=_lateral_spacing("zinc blende", 2, _D220), **_MA,
    ),
    Quantity(name="E_max of Se at 200 kV (kinematics)", unit="eV", paper="6.64", read=_e_max(200), **_MA),
    Quantity(name="E_max of Se at 300 kV (kinematics)", unit="eV", paper="10.81", read=_e_max(300), **_MA),
    Quantity(
        name="critical neck, fitted", unit="pairs", study="neck", paper="9", source="Wang 2020", digits=1,
        read=_key("critical_pairs"),
    ),
    Quantity(
        name="critical neck, raw", unit="pairs", study="neck", paper="9", source="Wang 2020", digits=0,
        read=_key("critical_pairs_raw"),
    ),
    Quantity(
        name="gap of lowest energy", unit="nm", study="gap", paper="0.55 to 0.8", source="Wang 2020",
        read=_key("minimum_gap_A", 0.1),
    ),
    Quantity(
        name="the same, between the facing planes", unit="nm", study="gap", paper="0.55 to 0.8",
        source="Wang 2020", read=_key("minimum_facing_distance_A", 0.1),
    ),
)  # fmt: skip


def validation_rows(
    documents: Mapping[tuple[str, str], Document], decks: Mapping[str, bool]
) -> tuple[ValidationRow, ...]:
    """Every quantity of the papers with the numbers of every source.

    Parameters
    ----------
    documents
        (kind of study, source) -> document of its result.
    decks
        Kind of study -> whether VASP decks of it can be written.

    Examples
    --------
    >>> rows = validation_rows({("gap", "xtb"): {"minimum_gap_A": 6.6}}, {"gap": True})
    >>> rows[-2].cells(("xtb",))
    ('gap of lowest energy [nm]', '0.55 to 0.8 (Wang 2020)', 'yes', '0.66')
    """
    rows = []
    for quantity in QUANTITIES:
        values = {}
        for (kind, source), document in documents.items():
            if kind == quantity.study and (value := quantity.read(document)) is not None:
                values[source] = value
        rows.append(ValidationRow(quantity=quantity, deck_ready=decks.get(quantity.study, False), values=values))
    return tuple(rows)
