"""The nouns that travel between the rooms: settings, a calculation, and what came out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from ase import Atoms
from pydantic import BaseModel, ConfigDict, ValidationError

from nanoslab.errors import InputError
from nanoslab.files import LONGEST_NAME, is_folder_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Density-functional settings in the field's terms; each code's border translates them.

    Attributes
    ----------
    functional
        Exchange and correlation, such as ``PBE``.
    cutoff_energy
        Plane-wave cutoff [eV].
    smearing, smearing_width
        Occupation smearing and its width [eV].
    electronic_tolerance
        Largest change of energy between the last two electronic steps [eV].
    force_tolerance
        Largest force on a free component at the end of a relaxation [eV/Å].
    kpoints, gamma_centred
        Mesh along the three reciprocal vectors, and whether it holds the Gamma point.
    spin_polarized
        Collinear spin; initial moments are those of the `Atoms`.
    hubbard_u
        Element -> U - J on its d (or f) electrons [eV], after Dudarev; none where it is empty.
    relax
        ``none`` (one energy), ``ions``, or ``cell`` (ions, shape and volume; of a sheet the lattice in its plane).
    dipole_correction
        Along the third lattice vector, for slabs whose faces differ.
    max_electronic_steps, max_ionic_steps
        Limits of the two loops.
    extra
        Tags of the code itself, taken as they are (for VASP: INCAR tags).
    source
        Where these settings come from.
    """

    source: str
    functional: str = "PBE"
    cutoff_energy: float = 400.0
    smearing: Literal["gaussian", "methfessel-paxton", "tetrahedron", "fermi"] = "gaussian"
    smearing_width: float = 0.1
    electronic_tolerance: float = 1e-5
    force_tolerance: float = 1e-2
    kpoints: tuple[int, int, int] = (1, 1, 1)
    gamma_centred: bool = True
    spin_polarized: bool = False
    hubbard_u: Mapping[str, float] = field(default_factory=dict)
    relax: Literal["none", "ions", "cell"] = "ions"
    dipole_correction: bool = False
    max_electronic_steps: int = 100
    max_ionic_steps: int = 200
    extra: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class Role(BaseModel):
    """What a study does with a calculation; a study derives its own roles with typed fields.

    Attributes
    ----------
    kind
        Such as ``pristine``, ``vacancy``, ``bulk``, ``element``, ``atom``, ``neck``; engines skip isolated atoms
        (``atom``) that they cannot compute.
    label
        A few words for tables and pictures.
    """

    # fields of a study that is not known here are kept as they are
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    kind: str
    label: str = ""

    if TYPE_CHECKING:  # a plain role takes any field

        def __init__(self, *, kind: str, **fields: Any) -> None: ...

    @classmethod
    def from_role(cls, role: Role) -> Self:
        """Return the same role with the typed fields of this class.

        Raises
        ------
        InputError
            If a field is missing or of another type.
        """
        try:
            return cls.model_validate(role.model_dump())
        except ValidationError as error:
            fault = error.errors()[0]
            field_name = ".".join(str(key) for key in fault["loc"])
            raise InputError(f"role {role.kind}: {field_name}", expected=fault["msg"], got=fault["input"]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """One structure with one set of settings, a name and a role in a study.

    Attributes
    ----------
    name
        Folder name: letters, digits, ``. _ + -`` only.
    role
        What the study does with it.
    atoms
        Start structure, grouped by species, with its constraints; ``atoms.info["recipe"]`` says how it was built.
    settings
        Level of theory and tolerances.
    starts_from, removed_indices
        When set: the start is the relaxed structure of that calculation less these atoms of it (indices into it).
    procedure, parameters
        What is done with it (one of `nanoslab.engines.procedures.PROCEDURES`) and its numbers, as plain JSON values;
        None is what ``settings.relax`` asks for, a relaxation or one energy.
    """

    name: str
    role: Role
    atoms: Atoms
    settings: Settings
    starts_from: str | None = None
    removed_indices: tuple[int, ...] = ()
    procedure: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that could be anything but one folder of its own."""
        if not isinstance(self.name, str) or not is_folder_name(self.name):
            raise InputError(
                "calculation name",
                expected=f"letters, digits and . _ + - only, at most {LONGEST_NAME}, starting with a letter or digit",
                got=repr(self.name),
                advice="rename it",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculationResult:
    """What one finished (or failed) calculation says, whichever code ran it.

    Attributes
    ----------
    name, path
        The calculation and the folder that was read.
    found
        False when there is no run at all yet; a run that failed or was cut is found.
    energy
        Energy extrapolated to zero smearing [eV], or None when there is none to be trusted.
    atoms
        Final structure, or None.
    converged
        True only if nothing is wrong.
    problems
        What is wrong, in words.
    max_free_force
        Largest force on a free component at the end [eV/Å], or None.
    level_of_theory
        For the reader, such as ``PBE, PAW, 400 eV (VASP 6.4.1)`` or ``CHGNet 0.4.2 (trained on PBE)``.
    comparable
        What must agree before two energies are subtracted: ``code`` (such as ``VASP`` or ``CHGNet 0.4.2``),
        ``functional`` (str), ``cutoff_energy`` (eV), ``kpoints`` (mesh), ``potentials`` (element -> title).
        A key that is unknown is absent.
    findings
        What else a procedure found, as plain JSON values under keys that carry their units.
    """

    name: str
    path: str
    level_of_theory: str
    found: bool = True
    energy: float | None = None
    atoms: Atoms | None = None
    converged: bool = False
    problems: tuple[str, ...] = ()
    max_free_force: float | None = None
    comparable: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A calculation as it was written, and what came out of it."""

    calculation: Calculation
    result: CalculationResult
