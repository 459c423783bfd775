"""Phases against one another: Einstein crystals in closed form, symmetry under exchange, and what must be refused."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units
from phonopy.structure.atoms import PhonopyAtoms
from scipy.optimize import brentq

from nanoslab.calculation import CalculationResult
from nanoslab.energetics.consistency import OTHER_PHASE, require_comparable
from nanoslab.energetics.free_energy import Phase, PhaseComparison, compare_phases
from nanoslab.energetics.phonon import thermal_properties
from nanoslab.errors import InputError, MismatchError

#: phonopy's own constants, so that differences of free energies are compared to the last digit
EV_PER_THZ, BOLTZMANN_EV_PER_K = get_physical_units().THzToEv, get_physical_units().KB
EVERY_100_K = [0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0]


def einstein(
    name: str,
    energy_per_atom: float,
    frequencies_THz: Sequence[float],
    temperatures: Sequence[float] = EVERY_100_K,
    *,
    formula: str = "CdSe",
    comparable: Mapping[str, Any] | None = None,
) -> Phase:
    """Every atom in a well of its own, with these three frequencies."""
    atoms = Atoms(formula, cell=[4.0, 4.0, 4.0 * len(Atoms(formula))], pbc=True)
    n = len(atoms)
    masses = atoms.get_masses()
    unit = PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array,
        scaled_positions=np.linspace(0, 1, n, endpoint=False)[:, None] * [0, 0, 1],
        masses=masses,
    )
    phonon = Phonopy(unit, np.eye(3, dtype=int), primitive_matrix="P")
    along = np.array(frequencies_THz, dtype=float)
    phonon.force_constants = np.zeros((n, n, 3, 3))
    for i, mass in enumerate(masses):
        phonon.force_constants[i, i] = np.diag(np.sign(along) * mass * (along / phonon.unit_conversion_factor) ** 2)
    phonon.run_mesh([1, 1, 1], shift=[0.5, 0, 0], is_mesh_symmetry=False)  # one wave vector, not Gamma
    static = CalculationResult(
        name=name,
        path=name,
        level_of_theory="Einstein",
        energy=energy_per_atom * n,
        atoms=atoms,
        converged=True,
        comparable=comparable or {"code": "Einstein"},
    )
    return Phase(name=name, static=static, thermal=thermal_properties(phonon, temperatures))


def einstein_free_energy(energy: float, frequency_THz: float, temperature: float) -> float:
    quantum, kt = EV_PER_THZ * frequency_THz, BOLTZMANN_EV_PER_K * temperature
    return float(energy + 1.5 * quantum + 3 * kt * np.log(-np.expm1(-quantum / kt)))


def test_soft_and_stiff_cross_where_the_classical_limit_says() -> None:
    """F -> E + 3kT ln(h f/kT): T = dE / (3k ln(f_stiff/f_soft)).

    The next term of the expansion, 3 (hf)²/(24 kT), differs by 1e-6 eV between the two, a shift of 0.02 K.
    """
    temperature = 450.0
    cost = 3 * BOLTZMANN_EV_PER_K * temperature * np.log(0.5 / 0.4)
    comparison = compare_phases(einstein("soft", cost, [0.4] * 3), einstein("stiff", 0.0, [0.5] * 3))
    assert comparison.crossings == pytest.approx((temperature,), abs=0.1)
    assert comparison.static_difference == pytest.approx(cost)
    assert "stiff is more stable from 0 to 450 K, soft from 450 to 600 K. No mode is imaginary." in comparison.reading


@pytest.mark.parametrize("cost", [0.012, 0.02, 0.035, 0.09])
def test_crossings_between_temperatures_far_apart_are_those_of_the_closed_form(cost: float) -> None:
    """Slopes at the temperatures make the error of fourth order in their distance: 0.2 K where steps are 100 K."""
    comparison = compare_phases(einstein("soft", cost, [3.0] * 3), einstein("stiff", 0.0, [5.0] * 3))

    def difference(temperature: float) -> float:
        return einstein_free_energy(cost, 3.0, temperature) - einstein_free_energy(0.0, 5.0, temperature)

    expected = (brentq(difference, 1.0, 600.0),) if difference(1.0) > 0 > difference(600.0) else ()
    assert comparison.crossings == pytest.approx(expected, abs=0.2)
    if expected:
        assert comparison.reading.startswith(
            f"stiff is more stable from 0 to {comparison.crossings[0]:.0f} K, soft from"
        )
    assert comparison.difference[1:] == pytest.approx([difference(t) for t in EVERY_100_K[1:]], abs=1e-12)


def test_two_crossings_are_both_found() -> None:
    """The zero-point energy favours equal frequencies, the middle temperatures the soft mode, the hot ones equal."""
    energy, uneven, even = -0.010, [1.0, 9.0, 9.0], [4.0] * 3
    comparison = compare_phases(einstein("uneven", energy, uneven), einstein("even", 0.0, even))

    def difference(temperature: float) -> float:
        parts = [einstein_free_energy(energy, f, temperature) / 3 for f in uneven]
        return sum(parts) - einstein_free_energy(0.0, even[0], temperature)

    expected = [brentq(difference, 1.0, 200.0), brentq(difference, 200.0, 600.0)]
    assert comparison.crossings == pytest.approx(expected, abs=0.2)
    assert comparison.reading.startswith(
        f"even is more stable from 0 to {expected[0]:.0f} K, uneven from {expected[0]:.0f} to {expected[1]:.0f} K, even"
    )


def test_phases_that_only_meet_do_not_cross() -> None:
    """Equal zero-point energies and equal static ones: the difference is rounding at 0 K and grows from there."""
    comparison = compare_phases(einstein("uneven", -1.0, [2.9, 5.2, 3.9]), einstein("even", -1.0, [4.0] * 3))
    assert abs(comparison.difference[0]) < 1e-12
    assert comparison.crossings == ()
    assert comparison.reading.startswith("uneven is more stable from 0 to 600 K, by 0.00 to")


def bent(difference: Sequence[float], slope: Sequence[float]) -> PhaseComparison:
    """Comparison whose difference has these values and slopes at equal steps of 100 K."""
    flat = einstein("flat", 0.0, [5.0] * 3, [100.0 * i for i in range(len(difference))])
    thermal = flat.thermal
    moved = replace(
        thermal, free_energy=thermal.free_energy + difference, entropy=thermal.entropy - np.array(slope, dtype=float)
    )
    return compare_phases(replace(flat, name="bent", thermal=moved), flat)


def test_a_difference_that_touches_zero_does_not_cross_it() -> None:
    """The parabola 1e-6 eV/K² (T - 200 K)², which a cubic with its slopes is."""
    kelvin = np.arange(0.0, 500.0, 100.0)
    touching = bent((1e-6 * (kelvin - 200) ** 2).tolist(), (2e-6 * (kelvin - 200)).tolist())
    assert touching.crossings == ()
    assert touching.reading.startswith("flat is more stable from 0 to 400 K, by 0.00 to 40.00 meV/atom")


def test_a_crossing_through_noise_is_one_crossing() -> None:
    noisy = bent([1e-3, 1e-7, -1e-7, 1e-7, -1e-7, -1e-3], [-2e-5, 0.0, 0.0, 0.0, 0.0, -2e-5])
    assert len(noisy.crossings) == 1
    assert 100 < noisy.crossings[0] < 400


def test_a_phase_against_itself_and_against_its_supercell_is_nothing() -> None:
    one, doubled = (einstein("a", -3.0, [3.0, 4.0, 5.0], formula=formula) for formula in ("CdSe", "Cd2Se2"))
    for other in (one, doubled):
        comparison = compare_phases(other, one)
        assert comparison.difference == pytest.approx(np.zeros(7), abs=1e-12)
        assert comparison.crossings == ()
        assert "alike within 0.01 meV/atom from 0 to 600 K" in comparison.reading


def test_exchange_of_the_two_turns_the_sign_and_nothing_else() -> None:
    one, other = einstein("a", 0.02, [3.0] * 3), einstein("b", 0.0, [5.0] * 3)
    there, back = compare_phases(one, other), compare_phases(other, one)
    assert there.difference == pytest.approx(-back.difference)
    assert there.crossings == pytest.approx(back.crossings)
    assert there.reading == back.reading


def test_the_order_of_the_temperatures_does_not_matter() -> None:
    mixed = [400.0, 0.0, 600.0, 200.0, 400.0]
    straight = compare_phases(*(einstein(n, e, [f] * 3, sorted({*mixed})) for n, e, f in (("a", 0.02, 3), ("b", 0, 5))))
    shuffled = compare_phases(*(einstein(n, e, [f] * 3, mixed) for n, e, f in (("a", 0.02, 3), ("b", 0, 5))))
    assert shuffled.to_dict() == straight.to_dict()


def test_one_temperature_has_no_crossing() -> None:
    comparison = compare_phases(einstein("a", 0.02, [3.0] * 3, [300.0]), einstein("b", 0.0, [5.0] * 3, [300.0]))
    assert comparison.crossings == ()
    assert "at 300 K" in comparison.reading


def test_imaginary_modes_are_counted_and_what_hangs_on_them_is_said() -> None:
    """One mode in three is imaginary: without it F lacks -kT ln(kT/h|f|), which is more than the difference."""
    shaky, firm = einstein("shaky", 0.0, [-1.0, 5.0, 5.0]), einstein("firm", 0.0, [5.0, 5.0, 5.0])
    comparison = compare_phases(shaky, firm)
    missing = [einstein_free_energy(0.0, 5.0, t) / 3 for t in EVERY_100_K[1:]]
    softer = [einstein_free_energy(0.0, 1.0, t) / 3 for t in EVERY_100_K[1:]]
    assert comparison.difference[1:] == pytest.approx([-f for f in missing])
    assert comparison.difference_imaginary_as_real[1:] == pytest.approx(np.array(softer) - missing)
    assert [(one.thermal.n_imaginary, one.thermal.n_modes) for one in (shaky, firm)] == [(2, 6), (0, 6)]
    assert comparison.undecided_temperatures == tuple(t for t, f in zip(EVERY_100_K[1:], missing, strict=True) if f < 0)
    assert "2 of 6 of shaky" in comparison.reading
    assert "600 K the answer depends on them" in comparison.reading
    assert "shaky is more stable from 0 to 600 K" in comparison.reading


def test_imaginary_modes_that_change_no_sign_are_said_to_change_none() -> None:
    comparison = compare_phases(einstein("shaky", 1.0, [-4.0, 5.0, 5.0]), einstein("firm", 0.0, [5.0, 5.0, 5.0]))
    assert comparison.undecided_temperatures == ()
    assert "At no temperature does the sign change." in comparison.reading


def test_crossings_with_imaginary_modes_as_real_are_those_of_real_modes() -> None:
    stiff = einstein("stiff", 0.0, [5.0] * 3)
    shaky, soft = (einstein("soft", 0.02, [sign * 3.0, 3.0, 3.0]) for sign in (-1, 1))
    assert compare_phases(shaky, stiff).crossings_imaginary_as_real == compare_phases(soft, stiff).crossings


def test_other_compositions_theories_and_temperatures_are_refused() -> None:
    sheet = einstein("wz", -3.0, [3.0] * 3, formula="Cd2Se2")
    with pytest.raises(MismatchError, match="composition of wz, CdSe, got Cd2Se"):
        compare_phases(einstein("poor", -3.0, [3.0] * 3, formula="Cd4Se2"), sheet)
    with pytest.raises(MismatchError, match="code VASP against Einstein"):
        compare_phases(einstein("vasp", -3.0, [3.0] * 3, comparable={"code": "VASP"}), sheet)
    with pytest.raises(InputError, match="--temperatures"):
        compare_phases(einstein("warm", -3.0, [3.0] * 3, [0.0, 300.0]), sheet)
    allowed = compare_phases(einstein("v", -3.0, [3.0] * 3, comparable={"code": "VASP"}), sheet, allow_mismatch=True)
    assert allowed.notes == ("code VASP against Einstein",)
    unfinished = replace(sheet, static=replace(sheet.static, converged=False, problems=("cut",)))
    with pytest.raises(MismatchError, match="converged run, got cut"):
        compare_phases(unfinished, sheet)


@pytest.mark.parametrize(
    ("length", "mesh", "refused"), [(4.0, (12, 12, 1), False), (5.0, (9, 9, 1), False), (4.0, (6, 6, 1), True)]
)
def test_cells_of_other_shapes_may_differ_a_little_in_their_k_points(
    length: float, mesh: tuple[int, int, int], refused: bool
) -> None:
    def sampled(edge: float, points: tuple[int, int, int], vacuum: float) -> CalculationResult:
        atoms = Atoms("Cd", cell=[edge, edge, vacuum], pbc=True)
        return CalculationResult(name="a", path="a", level_of_theory="x", atoms=atoms, comparable={"kpoints": points})

    sheet, other = sampled(4.0, (12, 12, 1), 25.0), sampled(length, mesh, 40.0)
    for pair in ((sheet, other), (other, sheet)):
        assert bool(require_comparable(*pair, OTHER_PHASE, allow_mismatch=True)) is refused
