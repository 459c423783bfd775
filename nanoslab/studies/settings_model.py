"""The ``settings:`` part of a study file: a named preset and what is changed about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Literal

from ase.data import atomic_numbers
from pydantic import Field, field_validator, model_validator

from nanoslab.calculation import Calculation, Settings
from nanoslab.errors import InputError
from nanoslab.presets import preset
from nanoslab.vasp.inputs.incar_names import check_extra
from nanoslab.vasp.inputs.pymatgen_sets import input_set, is_input_set
from nanoslab.yaml_file import StrictModel

Tags = dict[str, str | int | float | bool]


class SettingsModel(StrictModel):
    """Fields of `Settings` that a study file may change; those left out are the preset's.

    Attributes
    ----------
    functional
        Any name; whoever computes or writes inputs says which it knows.
    initial_moments
        Element -> magnetic moment that its atoms start with [Bohr magnetons]; needs ``spin_polarized``.
    """

    preset: str = "pbe"
    functional: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_+./ -]*$")
    spin_polarized: bool | None = None
    hubbard_u: dict[str, Annotated[float, Field(ge=0)]] | None = None
    initial_moments: dict[str, float] = Field(default_factory=dict)
    cutoff_energy: float | None = Field(default=None, gt=0, le=10_000)
    smearing: Literal["gaussian", "methfessel-paxton", "tetrahedron", "fermi"] | None = None
    smearing_width: float | None = Field(default=None, gt=0)
    electronic_tolerance: float | None = Field(default=None, gt=0)
    force_tolerance: float | None = Field(default=None, gt=0)
    max_electronic_steps: int | None = Field(default=None, gt=0, le=100_000)
    max_ionic_steps: int | None = Field(default=None, gt=0, le=100_000)
    extra: Tags | None = None

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str) -> str:
        with _refused():
            _named(name)
        return name

    @model_validator(mode="after")
    def _moments_need_spin(self) -> SettingsModel:
        if self.initial_moments and not self.spin_polarized:
            raise ValueError("spin_polarized: true beside initial_moments, got none")
        for field, elements in (("initial_moments", self.initial_moments), ("hubbard_u", self.hubbard_u or {})):
            for element in elements:
                if element not in atomic_numbers:
                    raise ValueError(f"{field} of elements, got {element!r}")
        return self

    @field_validator("extra")
    @classmethod
    def _known_tags(cls, extra: Tags | None) -> Tags | None:
        with _refused():
            for tag, value in (extra or {}).items():
                check_extra(tag, value)
        return extra

    def settings(self) -> Settings:
        """Settings of the preset with the changed fields, the source saying which."""
        base = _named(self.preset)
        changes: dict[str, Any] = self.model_dump(exclude={"preset", "initial_moments"}, exclude_none=True)
        if not changes:
            return base
        return replace(base, **changes, source=f"{base.source}; changed in the study file: {', '.join(changes)}")

    def with_moments(self, calculations: Iterable[Calculation]) -> tuple[Calculation, ...]:
        """Calculations whose atoms start with the moments of the file; those with moments of their own keep them."""
        if not self.initial_moments:
            return tuple(calculations)
        return tuple(self._with_moments(calculation) for calculation in calculations)

    def _with_moments(self, calculation: Calculation) -> Calculation:
        atoms = calculation.atoms.copy()
        if not atoms.has("initial_magmoms"):
            symbols = atoms.get_chemical_symbols()
            atoms.set_initial_magnetic_moments([self.initial_moments.get(symbol, 0.0) for symbol in symbols])
        return replace(calculation, atoms=atoms)


def _named(name: str) -> Settings:
    """Settings of a preset of ours, or of one of pymatgen's input sets."""
    return input_set(name) if is_input_set(name) else preset(name)


@contextmanager
def _refused() -> Iterator[None]:
    """Refusals of the block in the words of the file's checker, which knows the line."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error).partition(": expected ")[2]) from error
