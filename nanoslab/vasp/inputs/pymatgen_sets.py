"""Settings from pymatgen's input sets by the name of their class, such as ``MPRelaxSet``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ase.build import bulk

from nanoslab.calculation import Settings
from nanoslab.errors import InputError, unknown_name
from nanoslab.structure_types import to_structure
from nanoslab.vasp.inputs.incar_names import FIELDS, FUNCTIONALS, SMEARINGS

#: what the study and its structures say, or what is kept the same for all cells of a study
_NOT_TAKEN = ("MAGMOM", "LMAXMIX", "KSPACING", "KGAMMA", "IBRION", "ISIF", "LREAL", "SYSTEM")
_SMALLEST_TOLERANCE = 1e-5


def is_input_set(name: str) -> bool:
    """Whether a preset is meant for pymatgen."""
    return name.endswith("Set") and name[:1].isupper()


def input_set(name: str) -> Settings:
    """Settings of a set: functional, cutoff, smearing, tolerances, limits; its other tags as ``extra``.

    Its k-points, moments, +U, LMAXMIX and POTCAR labels hang on the structure, and are left to the study.

    Examples
    --------
    >>> settings = input_set("MPScanRelaxSet")
    >>> settings.functional, settings.cutoff_energy, settings.force_tolerance
    ('r2SCAN', 680.0, 0.02)
    """
    from importlib.metadata import version

    from pymatgen.io.vasp import sets

    kinds = {n: one for n, one in vars(sets).items() if is_input_set(n) and hasattr(one, "CONFIG")}
    if name not in kinds:
        raise unknown_name("settings.preset", name, kinds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about POTCARs, which nobody reads here
            tags: dict[str, Any] = dict(kinds[name](to_structure(bulk("Si"))).incar)
    except Exception as error:  # sets that need an earlier run, or more arguments, say so each in its own way
        got, advice = str(error).split("\n", 1)[0][:120], "take MPRelaxSet, MPStaticSet, MPScanRelaxSet ..."
        raise InputError("settings.preset", expected="a set of a structure alone", got=got, advice=advice) from error
    if "ENCUT" not in tags:
        advice = "take MPRelaxSet, MPStaticSet, MPScanRelaxSet ..."
        raise InputError("settings.preset", expected="a set that gives a cutoff", got=name, advice=advice)
    per_atom = "EDIFF_PER_ATOM" in kinds[name].CONFIG.get("INCAR", {})
    functional = _functional(tags, name)
    known = {*FIELDS, *FUNCTIONALS[functional], *_NOT_TAKEN, "HFSCREEN"}
    extra = {tag: value for tag, value in tags.items() if tag not in known and not tag.startswith("LDAU")}
    left = "k-points, moments, +U, LMAXMIX and POTCAR labels are not taken from it; LREAL is false for all cells alike"
    return replace(
        Settings(source=""),
        source=f"pymatgen {version('pymatgen')}, {name}; {left}{'; EDIFF 1e-5 eV for all cells' if per_atom else ''}",
        functional=functional,
        cutoff_energy=float(tags["ENCUT"]),
        smearing=_smearing(int(tags.get("ISMEAR", 1))),
        smearing_width=float(tags.get("SIGMA", 0.2)),
        electronic_tolerance=_SMALLEST_TOLERANCE if per_atom else float(tags.get("EDIFF", 1e-4)),
        force_tolerance=-float(tags["EDIFFG"]) if float(tags.get("EDIFFG", 0)) < 0 else 1e-2,
        spin_polarized=int(tags.get("ISPIN", 1)) == 2,
        max_electronic_steps=int(tags.get("NELM", 60)),
        max_ionic_steps=max(1, int(tags.get("NSW", 0))) if tags.get("NSW") else 200,
        extra=extra,
    )


def _functional(tags: Mapping[str, Any], name: str) -> str:
    """Name of the functional of some tags; without any of them the POTCAR is PBE."""

    def spelled(given: Mapping[str, Any]) -> tuple[str, str, bool]:
        meta = str(given.get("METAGGA", "")).upper()
        return meta, "" if meta else str(given.get("GGA", "PE")).upper(), bool(given.get("LHFCALC", False))

    found = [one for one, own in FUNCTIONALS.items() if spelled(own) == spelled(tags) and "IVDW" not in own]
    if not found or tags.get("IVDW") or tags.get("LUSE_VDW"):
        told = ("METAGGA", "GGA", "LHFCALC", "IVDW", "LUSE_VDW")
        got = ", ".join(f"{tag} {tags[tag]}" for tag in told if tag in tags)
        advice = "take another set, or name the functional in the study"
        raise InputError("settings.preset", expected=f"a functional of {name} that is known", got=got, advice=advice)
    return found[0]


def _smearing(number: int) -> Any:
    """Smearing of an ISMEAR; all orders of Methfessel and Paxton are one."""
    return next((name for name, one in SMEARINGS.items() if one == number), "methfessel-paxton")
