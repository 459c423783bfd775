"""The nouns that travel between the rooms: settings, a calculation, and what came out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from ase import Atoms
from pydantic import BaseModel, ConfigDict, ValidationError

from nanoslab.errors import InputError
from nanoslab.files import LONGEST_NAME, is_folder_name
from nanoslab.structure_types import as_atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Density-functional settings in the field's terms; each code's border translates them."""

    source: str  #: where these settings come from
    functional: str = "PBE"  #: exchange and correlation, such as ``PBE``
    cutoff_energy: float = 400.0  #: plane-wave cutoff [eV]
    #: occupation smearing and its width [eV]
    smearing: Literal["gaussian", "methfessel-paxton", "tetrahedron", "fermi"] = "gaussian"
    smearing_width: float = 0.1
    electronic_tolerance: float = 1e-5  #: largest change of energy between the last two electronic steps [eV]
    force_tolerance: float = 1e-2  #: largest force on a free component at the end of a relaxation [eV/Å]
    #: mesh along the three reciprocal vectors, and whether it holds the Gamma point
    kpoints: tuple[int, int, int] = (1, 1, 1)
    gamma_centred: bool = True
    spin_polarized: bool = False  #: collinear spin; initial moments are those of the `Atoms`
    #: element -> U - J on its d (or f) electrons [eV], after Dudarev; none where it is empty
    hubbard_u: Mapping[str, float] = field(default_factory=dict)
    #: ``none`` (one energy), ``ions``, or ``cell`` (ions, shape and volume; of a sheet the lattice in its plane)
    relax: Literal["none", "ions", "cell"] = "ions"
    dipole_correction: bool = False  #: along the third lattice vector, for slabs whose faces differ
    #: limits of the two loops
    max_electronic_steps: int = 100
    max_ionic_steps: int = 200
    #: tags of the code itself, taken as they are (for VASP: INCAR tags)
    extra: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class Role(BaseModel):
    """What a study does with a calculation; a study derives its own roles with typed fields."""

    # fields of a study that is not known here are kept as they are
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    #: such as ``pristine``, ``vacancy``, ``bulk``, ``element``, ``atom``, ``neck``; engines skip isolated atoms
    #: (``atom``) that they cannot compute
    kind: str
    label: str = ""  #: a few words for tables and pictures

    if TYPE_CHECKING:  # a plain role takes any field

        def __init__(self, *, kind: str, **fields: Any) -> None: ...

    @classmethod
    def from_role(cls, role: Role) -> Self:
        """Return the same role with the typed fields of this class; InputError where one is missing or wrong."""
        try:
            return cls.model_validate(role.model_dump())
        except ValidationError as error:
            fault = error.errors()[0]
            field_name = ".".join(str(key) for key in fault["loc"])
            raise InputError(f"role {role.kind}: {field_name}", expected=fault["msg"], got=fault["input"]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """One structure with one set of settings, a name and a role in a study."""

    name: str  #: folder name: letters, digits, ``. _ + -`` only
    role: Role  #: what the study does with it
    #: start structure, grouped by species, with its constraints; ``atoms.info["recipe"]`` says how it was built
    atoms: Atoms
    settings: Settings  #: level of theory and tolerances
    #: when set: the start is the relaxed structure of that calculation less these atoms of it (indices into it)
    starts_from: str | None = None
    removed_indices: tuple[int, ...] = ()
    #: what is done with it (one of `nanoslab.engines.procedures.PROCEDURES`) and its numbers, as plain JSON values;
    #: None is what ``settings.relax`` asks for, a relaxation or one energy
    procedure: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "atoms", as_atoms(self.atoms))
        if not isinstance(self.name, str) or not is_folder_name(self.name):
            expected = f"letters, digits and . _ + - only, at most {LONGEST_NAME}, starting with a letter or digit"
            raise InputError("calculation name", expected=expected, got=repr(self.name), advice="rename it")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculationResult:
    """What one finished (or failed) calculation says, whichever code ran it."""

    #: the calculation and the folder that was read
    name: str
    path: str
    #: for the reader, such as ``PBE, PAW, 400 eV (VASP 6.4.1)`` or ``CHGNet 0.4.2 (trained on PBE)``
    level_of_theory: str
    found: bool = True  #: False when there is no run at all yet; a run that failed or was cut is found
    energy: float | None = None  #: energy extrapolated to zero smearing [eV], or None when there is none to be trusted
    atoms: Atoms | None = None  #: final structure, or None
    converged: bool = False  #: True only if nothing is wrong
    problems: tuple[str, ...] = ()  #: what is wrong, in words
    max_free_force: float | None = None  #: largest force on a free component at the end [eV/Å], or None
    #: what must agree before two energies are subtracted: ``code`` (such as ``VASP`` or ``CHGNet 0.4.2``),
    #: ``functional`` (str), ``cutoff_energy`` (eV), ``kpoints`` (mesh), ``potentials`` (element -> title). A key that
    #: is unknown is absent.
    comparable: Mapping[str, Any] = field(default_factory=dict)
    #: what else a procedure found, as plain JSON values under keys that carry their units
    findings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A calculation as it was written, and what came out of it."""

    calculation: Calculation
    result: CalculationResult
