"""Names that INCAR understands: functionals, smearings, and every known tag."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache

from nanoslab.errors import InputError

TagValue = str | int | float | bool | tuple[int | float, ...]

#: functional -> its tags (VASP manual, GGA, METAGGA, IVDW, "List of hybrid functionals")
FUNCTIONALS: Mapping[str, Mapping[str, TagValue]] = {
    "LDA": {"GGA": "CA"},
    "PBE": {"GGA": "PE"},
    "PBEsol": {"GGA": "PS"},
    "RPBE": {"GGA": "RP"},
    "revPBE": {"GGA": "RE"},
    "AM05": {"GGA": "AM"},
    "PBE-D3": {"GGA": "PE", "IVDW": 11},
    "PBE-D3(BJ)": {"GGA": "PE", "IVDW": 12},
    "SCAN": {"METAGGA": "SCAN", "ALGO": "All"},
    "r2SCAN": {"METAGGA": "R2SCAN", "ALGO": "All"},
    "HSE06": {"GGA": "PE", "LHFCALC": True, "HFSCREEN": 0.2, "ALGO": "All"},
}

SMEARINGS: Mapping[str, int] = {"gaussian": 0, "methfessel-paxton": 1, "fermi": -1, "tetrahedron": -5}

#: tag -> the field of the settings that says it, and so the place to change it
FIELDS: Mapping[str, str] = {
    "ENCUT": "cutoff_energy", "KSPACING": "kpoints", "KGAMMA": "gamma_centred", "ISPIN": "spin_polarized",
    "ISMEAR": "smearing", "SIGMA": "smearing_width", "EDIFF": "electronic_tolerance", "EDIFFG": "force_tolerance",
    "NELM": "max_electronic_steps", "NSW": "max_ionic_steps and relax",
    "GGA": "functional", "METAGGA": "functional", "LHFCALC": "functional",
    "LDIPOL": "dipole_correction", "IDIPOL": "dipole_correction",
    "MAGMOM": "the structure's initial magnetic moments", "SYSTEM": "the calculation's name",
}  # fmt: skip

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)


def check_extra(tag: str, value: TagValue) -> str | None:
    """Remark on a tag of the user's; refuse one that a field of the settings says, or a value of more than one tag."""
    where = f"settings.extra.{tag}"
    if tag in FIELDS:
        advice = "remove it from extra and change that field"
        raise InputError(where, expected=f"this to be said by {FIELDS[tag]}", got=repr(value), advice=advice)
    if not _TAG.fullmatch(tag):
        raise InputError("settings.extra", expected="the name of a tag (A-Z, 0-9, _)", got=repr(tag[:60]))
    if isinstance(value, str) and (not value.isprintable() or any(character in value for character in ";#!\\=")):
        # VASP reads on behind a semicolon or a line end, and stops reading at a comment
        raise InputError(where, expected="one value on one line", got=repr(value), advice="give each tag on its own")
    return check_tag(tag)


@cache
def known_tags() -> frozenset[str]:
    """Every INCAR tag that pymatgen or ASE knows."""
    from ase.calculators.vasp import create_input
    from pymatgen.io.vasp.inputs import Incar

    kinds = ("float", "exp", "string", "int", "bool", "list_bool", "list_int", "list_float", "special", "dict")
    ase_tags = (tag.upper() for kind in kinds for tag in getattr(create_input, f"{kind}_keys"))
    return frozenset([*Incar.INCAR_PARAMS, *ase_tags])


def check_tag(tag: str) -> str | None:
    """Refuse a misspelt tag; a tag nobody knows and that resembles none is let through with a remark.

    VASP itself ignores what it does not know without a word.
    """
    if tag in known_tags():
        return None
    close = difflib.get_close_matches(tag.upper(), known_tags(), n=2, cutoff=0.7)
    if close or tag != tag.upper() or not tag.isascii():
        advice = f"did you mean {' or '.join(close)}?" if close else "tags are written in capitals"
        raise InputError("settings.extra", expected="an INCAR tag", got=repr(tag), advice=advice)
    return f"INCAR tag {tag} is known neither to pymatgen nor to ASE; VASP ignores tags that it does not know"
