"""CHGNet, the default engine: a graph network trained on Materials Project relaxations, weights in its package.

Energies are those of its training set: PBE (PBE+U for some oxides and fluorides) *plus* the composition corrections
of Materials Project 2020, which lower every Se, S, Te, halide, ... anion of a compound (Se by 0.472 eV) and leave the
elements alone (the label ``energy_per_atom`` of MPtrj is ``corrected_total_energy`` / number of atoms). So a compound
against its elements comes out near the *measured* formation enthalpy rather than PBE's: CdSe -1.58 eV per formula,
measured about -1.4 to -1.7, PBE about -1.1. With ``chgnet:corrections=removed`` the corrections are taken out again
and all energies are on the scale of plain PBE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.data import chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress

from nanoslab.calculation import Settings
from nanoslab.engines.interface import Capabilities, Energies, Engine, OwnCalculator
from nanoslab.engines.quiet import quiet
from nanoslab.engines.registry import choose, not_installed, refuse_unknown_options

MODEL = "0.3.0"
_TRAINED_ON = frozenset(chemical_symbols[1:95]) - {"Po", "At", "Rn", "Fr", "Ra"}
_ANIONS = frozenset({"N", "O", "F", "S", "Cl", "Se", "Br", "Te", "I"})
_CORRECTIONS = ("kept", "removed")


def create(options: Mapping[str, str]) -> Engine:
    """Return the CHGNet engine; the network itself is loaded where it computes.

    Parameters
    ----------
    options
        ``corrections``: ``kept`` (as trained) or ``removed`` (plain PBE).
    """
    refuse_unknown_options("chgnet", options, {"corrections": _CORRECTIONS[0]})
    kept = choose("chgnet", options, "corrections", _CORRECTIONS) == "kept"
    try:
        versions = {"chgnet": version("chgnet"), "torch": version("torch")}
    except PackageNotFoundError as missing:
        not_installed("chgnet", "chgnet", missing)
    scale = "with Materials Project 2020 corrections" if kept else "Materials Project 2020 corrections removed"
    return Engine(
        name="chgnet",
        version=versions["chgnet"],
        level_of_theory=f"CHGNet {MODEL} (trained on PBE{' ' if kept else ', '}{scale})",
        capabilities=Capabilities(isolated_atoms=False, elements=_TRAINED_ON),
        calculator_factory=chgnet_calculator,
        batch=chgnet_batch,
        options={} if kept else dict(options),
        versions=versions,
    )


def chgnet_calculator(atoms: Atoms, settings: Settings, options: Mapping[str, Any]) -> BaseCalculator:
    """Return a quiet CPU calculator; settings of plane waves and k-points have no meaning for it."""
    del atoms, settings
    return QuietCHGNet(remove_corrections=options.get("corrections") == "removed")


def chgnet_batch(structures: Sequence[Atoms], settings: Settings, options: Mapping[str, Any]) -> Energies:
    """Energies and forces of many structures, 16 graphs at a time through the network."""
    from pymatgen.io.ase import AseAtomsAdaptor

    del settings
    with quiet():
        model = _network().model
        graphs = [model.graph_converter(AseAtomsAdaptor.get_structure(atoms)) for atoms in structures]
        found = model.predict_graph(graphs, task="ef", batch_size=16)
    removed = options.get("corrections") == "removed"
    return [
        (
            float(one["e"]) * len(atoms) - (anion_correction(atoms) if removed else 0.0),
            np.array(one["f"], dtype=float),
        )
        for one, atoms in zip([found] if isinstance(found, dict) else found, structures, strict=True)
    ]


class QuietCHGNet(OwnCalculator):
    """CHGNet on one CPU in float64 results, silent, with or without the Materials Project corrections."""

    implemented_properties = [*OwnCalculator.implemented_properties, "magmoms"]  # noqa: RUF012 (ASE's own type)

    def __init__(self, *, remove_corrections: bool) -> None:
        super().__init__()
        self.remove_corrections = remove_corrections

    def compute(self, structure: Atoms, properties: list[str], changes: list[str]) -> dict[str, Any]:
        """Energy, forces, stress and magnetic moments."""
        del properties, changes
        with quiet():
            network = _network()
            network.calculate(structure)
        energy = float(network.results["energy"]) - (anion_correction(structure) if self.remove_corrections else 0.0)
        arrays = {key: np.array(network.results[key], dtype=float) for key in ("forces", "stress", "magmoms")}
        arrays["stress"] = full_3x3_to_voigt_6_stress(arrays["stress"])
        return {"energy": energy, "free_energy": energy, **arrays}


def anion_correction(atoms: Atoms) -> float:
    """Materials Project 2020 correction of a composition [eV], as CHGNet has learned it.

    In a composition that holds a metal, every chalcogen, halogen and nitrogen gets its correction (pymatgen's table;
    oxygen as oxide); without a metal (an element, an organic molecule) there is none. A composition where such an
    element is the cation (a sulphate), hydrides, silicides and antimonides are outside this rule.
    """
    from pymatgen.core import Element

    symbols = atoms.get_chemical_symbols()
    if not any(Element(symbol).is_metal for symbol in set(symbols)):
        return 0.0
    table = _corrections()
    return float(sum(table["oxide" if symbol == "O" else symbol] for symbol in symbols if symbol in _ANIONS))


@cache
def _corrections() -> Mapping[str, float]:
    with quiet():
        from pymatgen.entries.compatibility import MaterialsProject2020Compatibility

        compatibility = MaterialsProject2020Compatibility(check_potcar=False)
    return dict(compatibility.comp_correction)


@cache
def _network() -> Any:
    from chgnet.model import CHGNet
    from chgnet.model.dynamics import CHGNetCalculator

    model = CHGNet.load(model_name=MODEL, use_device="cpu", verbose=False)
    return CHGNetCalculator(model=model, use_device="cpu", on_isolated_atoms="ignore")
