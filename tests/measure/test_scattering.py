"""Intensities against the sum over every pair, closed forms, and shells; sizes and structures found again."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from nanoslab.builders import build_nanocrystal
from nanoslab.errors import InputError
from nanoslab.measure.scattering import (
    MeasuredPdf,
    PdfWindow,
    Vibration,
    core_shell_intensity,
    debye_intensity,
    difference_pdf,
    fit_pdf,
    fit_sizes,
    form_factors,
    pair_distances,
    pair_distribution,
    rank_structures,
    sphere_intensity,
)

Q = np.linspace(0.0, 20.0, 401)


def ball(radius: float, name: str = "Cu", a: float = 3.6) -> Atoms:
    """Sphere cut from a face-centred cubic crystal, about a point that is no atom."""
    atoms = bulk(name, "fcc", a=a, cubic=True) * ((2 * int(radius / a) + 3,) * 3)
    centre = atoms.cell.sum(axis=0) / 2 + (0.3, 0.7, 1.1)
    return atoms[np.linalg.norm(atoms.positions - centre, axis=1) < radius]


def every_pair(atoms: Atoms, q: np.ndarray, kind: str, msd: float = 0.0) -> np.ndarray:
    """The Debye sum as it is written."""
    f = form_factors(atoms.get_chemical_symbols(), q, kind)
    distances = np.linalg.norm(atoms.positions[:, None] - atoms.positions[None], axis=2)
    damping = np.exp(-msd * q**2)
    total = np.zeros_like(q)
    for i, row in enumerate(distances):
        waves = np.sinc(np.outer(row, q) / np.pi) * damping
        waves[i] = 1.0
        total += f[i] * np.sum(f * waves, axis=0)
    return total


@pytest.fixture(scope="module")
def cluster() -> Atoms:
    atoms = build_nanocrystal("CdSe-zincblende", {"Cd": 68, "Se": 55})
    atoms.rattle(0.05, seed=3)
    return atoms


@pytest.mark.parametrize("kind", ["xray", "electron", "unity"])
def test_binned_intensity_is_the_sum_over_every_pair(cluster: Atoms, kind: str) -> None:
    got, exact = debye_intensity(cluster, Q, kind), every_pair(cluster, Q, kind)
    beyond = Q > 1.0
    assert np.abs(got - exact)[beyond].max() < 1e-4 * exact[beyond].max()
    assert got[0] == pytest.approx(exact[0], rel=1e-12)


def test_bin_error_falls_with_the_width(cluster: Atoms) -> None:
    exact = every_pair(cluster, Q, "xray")
    worst = [np.abs(debye_intensity(pair_distances(cluster, w), Q) - exact).max() for w in (0.02, 0.002)]
    assert worst[1] < worst[0] / 5


def test_thermal_factor_is_that_of_every_pair(cluster: Atoms) -> None:
    got = debye_intensity(cluster, Q, "xray", Vibration(mean_square_displacements={"Cd": 0.01, "Se": 0.01}))
    assert np.allclose(got, every_pair(cluster, Q, "xray", msd=0.01), rtol=2e-3)


def test_forward_intensity_is_the_square_of_the_number_of_atoms(cluster: Atoms) -> None:
    assert debye_intensity(cluster, [0.0], "unity")[0] == pytest.approx(len(cluster) ** 2, rel=1e-14)


def test_atoms_on_a_lattice_have_the_distances_counted_pair_by_pair() -> None:
    atoms = build_nanocrystal("CdSe-wurtzite", {"Cd": 200, "Se": 200})
    atoms.rotate(33, (1, 2, 3))
    nudged = atoms.copy()
    nudged.rattle(1e-3, seed=1)
    on_lattice, by_pairs = (pair_distances(each, width=0.01) for each in (atoms, nudged))
    for pair, counts in on_lattice.counts.items():
        assert counts.sum() == by_pairs.counts[pair].sum()
        mean, other = (f.radii @ f.counts[pair] / f.counts[pair].sum() for f in (on_lattice, by_pairs))
        assert mean == pytest.approx(other, abs=2e-3)
    exact, beyond = every_pair(atoms, Q, "xray"), Q > 1.0
    assert np.abs(debye_intensity(atoms, Q) - exact)[beyond].max() < 2e-4 * exact[beyond].max()


def test_every_pair_is_counted_once_across_blocks() -> None:
    atoms = ball(28.0)
    atoms.rattle(0.01, seed=0)
    assert len(atoms) > 4096, "more than one block"
    found = pair_distances(atoms)
    n = len(atoms)
    assert found.counts["Cu", "Cu"].sum() == n * (n - 1) // 2
    shifted = atoms.copy()
    shifted.rotate(33, (1, 2, 3))
    shifted.translate((1e3, -1e3, 5e2))
    q = np.linspace(0.01, 10, 60)  # together by the chirp transform, alone by sines
    assert np.allclose(debye_intensity(found, q), [debye_intensity(found, [x])[0] for x in q], rtol=1e-8)
    reference = debye_intensity(found, q)
    assert np.abs(debye_intensity(shifted, q) - reference).max() < 1e-3 * reference[q > 1].max()


def test_a_sphere_of_atoms_tends_to_the_analytic_form_factor() -> None:
    q = np.linspace(0.0, 0.45, 46)
    errors = []
    for radius in (10.0, 20.0):
        atoms = ball(radius)
        equivalent = (len(atoms) * 3.6**3 / 4 * 3 / (4 * np.pi)) ** (1 / 3)
        ideal = sphere_intensity(q, equivalent) / (4 / 3 * np.pi * equivalent**3) ** 2
        x = q * equivalent < 4.0
        errors.append(np.abs(debye_intensity(atoms, q, "unity") / len(atoms) ** 2 - ideal)[x].max())
    assert errors[1] < 0.004
    assert errors[1] < errors[0]


def test_core_and_shell_of_equal_contrast_are_one_sphere_and_a_hollow_one_scatters_its_shell() -> None:
    assert np.allclose(core_shell_intensity(Q, 10, 4, 2, 2), sphere_intensity(Q, 14, 2))
    hollow = core_shell_intensity([0.0], 10, 4, 0, 1)[0]
    assert hollow == pytest.approx((4 / 3 * np.pi * (14**3 - 10**3)) ** 2)


@pytest.mark.parametrize("element", ["Cd", "Se", "Pb", "S", "O", "C", "Zn", "Te", "Pt"])
def test_electron_form_factor_is_the_mott_bethe_formula_with_a_finite_limit(element: str) -> None:
    q = np.array([0.0, 1e-5, 4.0, 12.0, 40.0])
    electron = form_factors([element], q, "electron")[0]
    charge = form_factors([element], [0.0])[0, 0]
    expected = 2 / 0.529177 * (charge - form_factors([element], q[2:])[0]) / q[2:] ** 2
    assert np.allclose(electron[2:], expected, rtol=1e-5)
    assert electron[1] == pytest.approx(electron[0], rel=1e-6)


def test_form_factors_match_the_package_that_holds_the_table() -> None:
    from periodictable.cromermann import fxrayatq

    for element in ("Cd", "Se", "Pb"):
        assert np.allclose(form_factors([element], Q)[0], fxrayatq(element, Q))


def test_an_element_without_a_form_factor_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected an element up to Cf, got 'X'"):
        debye_intensity(Atoms("CdX", [(0, 0, 0), (2, 0, 0)]), Q)


@pytest.mark.parametrize(
    ("q", "got"), [([np.nan], "nan to nan"), ([-1.0], "-1 to -1"), ([80.0], "80 to 80"), ([[1.0]], r"shape \(1, 1\)")]
)
def test_scattering_vectors_outside_the_table_are_refused(q: object, got: str) -> None:
    with pytest.raises(InputError, match=got):
        form_factors(["Cd"], q)


def test_peaks_of_the_pair_distribution_are_the_shells() -> None:
    atoms = build_nanocrystal("CdSe-zincblende", {"Cd": 68, "Se": 55})
    a = float(np.min(pair_distances(atoms).radii)) * 4 / 3**0.5
    r = np.arange(1.5, 8.0, 0.005)
    g = pair_distribution(
        atoms, r, PdfWindow(q_max=40.0), Vibration(mean_square_displacements={"Cd": 0.005, "Se": 0.005})
    )
    peaks = r[1:-1][(g[1:-1] > g[:-2]) & (g[1:-1] > g[2:]) & (g[1:-1] > 0.2 * g.max())]
    for shell in (3**0.5 / 4, 1 / 2**0.5, 11**0.5 / 4):
        assert np.abs(peaks - shell * a).min() < 0.02


def test_difference_of_a_structure_with_itself_is_nothing(cluster: Atoms) -> None:
    r = np.arange(1.0, 5.0, 0.1)
    assert np.allclose(difference_pdf(cluster, cluster, r), 0.0)
    assert np.abs(difference_pdf(cluster, cluster[:60], r)).max() > 0.1


def test_a_structure_and_its_displacements_are_found_again_among_others() -> None:
    tetrahedral = build_nanocrystal("CdSe-zincblende", {"Cd": 68, "Se": 55})
    wurtzite = build_nanocrystal("CdSe-wurtzite", {"Cd": 60, "Se": 60})
    window = PdfWindow(qdamp=0.05)
    r = np.arange(1.5, 15.0, 0.02)
    truth = Vibration(mean_square_displacements={"Cd": 0.03, "Se": 0.02}, delta2=3.0)
    stretched = tetrahedral.copy()
    stretched.positions *= 0.99
    noise = 0.02 * np.random.default_rng(1).standard_normal(len(r))
    g = 0.4 * pair_distribution(stretched, r, window, truth) + noise
    first, second = rank_structures(
        MeasuredPdf(radii=r, values=g, window=window), {"wurtzite": wurtzite, "zinc blende": tetrahedral}
    )
    assert (first.name, second.name) == ("zinc blende", "wurtzite")
    assert second.evidence - first.evidence > 10
    for name, value in {"expansion": -0.01, "U_Cd": 0.03, "U_Se": 0.02, "delta2": 3.0, "scale": 0.4}.items():
        assert abs(first.parameters[name] - value) < 4 * first.errors[name] + 1e-9, name
        assert first.errors[name] < 0.15 * abs(value)


def test_three_radii_are_found_again_in_noisy_intensities() -> None:
    """0.87, 0.94 and 1.02 nm, the SAXS radii of Palencia 2020."""
    radii, numbers = np.array([8.7, 9.4, 10.2]), np.array([0.4, 0.35, 0.25])
    q = np.linspace(0.05, 1.6, 400)
    clean = sum(n * sphere_intensity(q, r) for n, r in zip(numbers, radii, strict=True))
    errors = 0.01 * clean + 1e-6 * clean.max()
    noisy = clean + errors * np.random.default_rng(5).standard_normal(len(q))
    found = fit_sizes(q, noisy, errors, radii_between=(7.0, 12.0))
    assert len(found.radii) == 3
    assert np.abs(found.radii - radii).max() < 0.15
    assert np.all(np.abs(found.radii - radii) < 4 * found.radius_errors)
    assert np.all(np.abs(found.fractions - numbers) < 4 * found.fraction_errors)
    assert 0.8 < found.reduced_chi_square < 1.2
    assert found.bayes_factors[1] > 100, "two radii are excluded"


def test_one_radius_is_not_split() -> None:
    q = np.linspace(0.05, 1.2, 200)
    clean = sphere_intensity(q, 9.4)
    errors = 0.02 * clean + 1e-4 * clean.max()
    noisy = clean + errors * np.random.default_rng(2).standard_normal(len(q))
    found = fit_sizes(q, noisy, errors, radii_between=(7.0, 12.0), most_components=3, n_bootstrap=10)
    assert len(found.radii) == 1
    assert found.radii[0] == pytest.approx(9.4, abs=0.02)


def test_a_measured_function_in_uneven_steps_is_refused() -> None:
    with pytest.raises(InputError, match="even steps"):
        MeasuredPdf(radii=np.arange(1, 20) ** 2.0, values=np.ones(19), window=PdfWindow())
    with pytest.raises(InputError, match="q_min 3, q_max 2"):
        PdfWindow(q_min=3, q_max=2)
    assert fit_pdf.__doc__
