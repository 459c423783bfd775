"""Images against closed forms, abTEM, published spacings and counting statistics."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from nanoslab.builders import build_nanosheet
from nanoslab.crystals import crystal
from nanoslab.errors import InputError
from nanoslab.measure.imaging import (
    FieldOfView,
    Image,
    Microscope,
    abtem_exit_wave,
    abtem_haadf_image,
    annular_cross_section,
    counted_image,
    exit_wave,
    field_of_view,
    haadf_image,
    hrtem_image,
    image_spacings,
    index_spacings,
    projected_potential,
    read_images,
    rose_dose,
    wave_image,
    write_images,
)

TEM = Microscope(kilovolts=300, defocus=60, focal_spread=20, aperture_mrad=30)


def sheet(name: str, face: str, repeat: tuple[int, int]) -> Atoms:
    atoms = build_nanosheet(name, face, 7, repeat=repeat, vacuum=6)
    atoms.set_constraint()
    atoms.positions[:, 2] -= atoms.positions[:, 2].min() - 1e-4
    return atoms


def test_wavelength_and_interaction_are_the_relativistic_ones() -> None:
    """Kirkland, Advanced Computing in Electron Microscopy (2010), tables of both."""
    for kv, wavelength, interaction in (
        (100, 0.03701, 0.9244e-3),
        (200, 0.02508, 0.7288e-3),
        (300, 0.01969, 0.6526e-3),
    ):
        found = Microscope(kilovolts=kv)
        assert found.wavelength == pytest.approx(wavelength, abs=5e-6)
        assert found.interaction == pytest.approx(interaction, rel=2e-4)


def test_mean_potential_is_that_of_the_forward_form_factors() -> None:
    atoms = sheet("CdSe-wurtzite", "11-20", (1, 1))
    field = field_of_view(atoms, 0.1)
    total = projected_potential(atoms, field).sum() * np.prod(field.pixel)
    from nanoslab.measure.scattering import form_factors

    f = form_factors(["Cd", "Se"], [0.0], "electron")[:, 0]
    assert total == pytest.approx(47.878 * 14 * f.sum(), rel=1e-4)


def test_wave_of_a_shifted_sheet_is_shifted_and_keeps_its_electrons() -> None:
    atoms = sheet("CdSe-wurtzite", "11-20", (1, 1))
    field = field_of_view(atoms, 0.1)
    wave = exit_wave(atoms, TEM, field)
    moved = atoms.copy()
    moved.positions[:, 0] += 5 * field.pixel[0]
    assert np.allclose(exit_wave(moved, TEM, field), np.roll(wave, 5, axis=0), atol=1e-8)
    assert np.mean(np.abs(wave) ** 2) == pytest.approx(1.0, abs=0.02)
    assert np.mean(np.abs(exit_wave(atoms[:0] + Atoms("H", [(0, 0, 0)]), TEM, field)) ** 2) == pytest.approx(
        1, abs=1e-3
    )


def test_dark_field_of_a_sheet_holds_the_cross_sections_of_its_atoms() -> None:
    atoms = sheet("CdSe-zincblende", "001", (2, 2))
    field = field_of_view(atoms, 0.1)
    stem = Microscope(kilovolts=200, aperture_mrad=25)
    image = haadf_image(atoms, stem, field)
    expected = sum(annular_cross_section(symbol, stem) for symbol in atoms.get_chemical_symbols())
    assert image.values.sum() * np.prod(field.pixel) == pytest.approx(expected, rel=1e-3)


def test_a_weak_atom_scatters_its_born_cross_section_into_a_detector_that_is_wide_beside_the_probe() -> None:
    """The integral of (m/m0)² |f|² over the ring; the angles of a narrow probe add next to nothing to it."""
    stem = Microscope(kilovolts=300, aperture_mrad=4, detector_mrad=(60, 150))
    angle = np.linspace(0.06, 0.15, 4000)
    q = 2 * np.pi * angle / stem.wavelength
    from nanoslab.measure.scattering import form_factors

    ring = 2 * np.pi * q * form_factors(["C"], q, "electron")[0] ** 2
    born = (stem.mass_ratio * stem.wavelength / (2 * np.pi)) ** 2 * np.trapezoid(ring, q)
    assert annular_cross_section("C", stem) == pytest.approx(born, rel=0.01)
    # heavy atoms scatter less than the Born approximation says, most at large angles
    assert annular_cross_section("Pb", stem) < 0.9 * born * (82 / 6) ** 2


def test_dark_field_contrast_grows_with_the_atomic_number() -> None:
    stem = Microscope(kilovolts=200, detector_mrad=(80, 200))
    exponent = np.log(annular_cross_section("Pb", stem) / annular_cross_section("Se", stem)) / np.log(82 / 34)
    assert 1.5 < exponent < 2.1


@pytest.mark.parametrize(
    ("made", "built_with", "hkl", "spacing"),
    [
        (("CdSe-wurtzite", "11-20", (5, 5)), 3.5711, (0, 0, 2), 3.59),
        (("CdSe-zincblende", "001", (8, 8)), 2.1875, (2, 2, 0), 2.20),
        (("CdSe-zincblende", "001", (8, 8)), 2.1875, (2, 2, 0), 2.33),
    ],
)
@pytest.mark.parametrize("mode", ["hrtem", "haadf"])
def test_published_spacings_are_read_from_images_and_indexed(
    made: tuple[str, str, tuple[int, int]], built_with: float, hkl: tuple[int, int, int], spacing: float, mode: str
) -> None:
    """Ma 2023: d(0002) of wurtzite 3.59 Å, d(220) of zinc blende 2.20 Å and, in the sheet, 2.33 Å."""
    atoms, stretch = sheet(*made), spacing / built_with
    atoms.set_cell(atoms.cell * [[stretch], [stretch], [1.0]], scale_atoms=True)
    field = field_of_view(atoms, 0.15)
    image = hrtem_image(atoms, TEM, field) if mode == "hrtem" else haadf_image(atoms, Microscope(kilovolts=200), field)
    peaks = image_spacings(counted_image(image, 2e4 if mode == "haadf" else 500))
    indexed = [row for row in index_spacings(peaks, crystal(made[0]), tolerance=0.08) if row and row.hkl == hkl]
    assert indexed
    assert indexed[0].measured.spacing == pytest.approx(spacing, rel=0.004)


def test_an_image_of_noise_has_no_spacings() -> None:
    field = FieldOfView(corner=(0.0, 0.0), lengths=(50.0, 50.0), shape=(250, 250))
    flat = Image(values=np.ones((250, 250)), field=field)
    assert image_spacings(counted_image(flat, 1000.0)) == ()
    with pytest.raises(InputError, match="all alike"):
        image_spacings(flat)


def test_counts_have_the_mean_and_variance_of_the_dose() -> None:
    field = FieldOfView(corner=(0.0, 0.0), lengths=(20.0, 20.0), shape=(200, 200))
    counts = counted_image(Image(values=np.full((200, 200), 0.5), field=field), 2000.0).values
    assert counts.mean() == pytest.approx(10.0, rel=0.01)
    assert counts.var() == pytest.approx(10.0, rel=0.05)


def test_at_the_rose_dose_the_best_filter_sees_the_change_at_five_sigma() -> None:
    atoms = sheet("CdSe-wurtzite", "11-20", (2, 2))
    field = field_of_view(atoms, 0.2)
    stem = Microscope(kilovolts=200, aperture_mrad=25)
    whole = haadf_image(atoms, stem, field)
    less = haadf_image(atoms[1:], stem, field)
    dose = rose_dose(whole, less)
    template = (whole.values - less.values) / whole.values
    seen = [
        [np.sum(counted_image(image, dose, seed).values * template) for seed in range(300)] for image in (whole, less)
    ]
    assert (np.mean(seen[0]) - np.mean(seen[1])) / np.std(seen[0]) == pytest.approx(5.0, rel=0.15)
    assert rose_dose(whole, whole) == np.inf


def test_bad_microscopes_and_pixels_are_refused() -> None:
    for arguments, said in (
        ({"kilovolts": 0}, "1 to 3000 keV"),
        ({"kilovolts": 200, "aperture_mrad": -1}, "aperture -1"),
    ):
        with pytest.raises(InputError, match=said):
            Microscope(**arguments)
    with pytest.raises(InputError, match=r"0.01 to 2 Å, got nan"):
        field_of_view(Atoms("Cd"), float("nan"))
    with pytest.raises(InputError, match="4096² pixels"):
        field_of_view(Atoms("Cd2", [(0, 0, 0), (1000, 1000, 0)]), 0.1)


def test_images_written_to_a_file_are_read_back_equal(tmp_path: Path) -> None:
    pytest.importorskip("rsciio.emd")
    import h5py

    atoms = sheet("CdSe-wurtzite", "11-20", (1, 1))
    field = field_of_view(atoms, 0.3)
    frames = [counted_image(hrtem_image(atoms, TEM, field), 100.0, seed) for seed in (1, 2, 3)]
    for name, images in (("one.emd", frames[:1]), ("stack.emd", frames)):
        write_images(tmp_path / name, images, {"beam_energy_keV": 300.0, "dose_e_per_A2": 100.0})
        found = read_images(tmp_path / name)
        assert len(found) == len(images)
        for ours, theirs in zip(images, found, strict=True):
            assert np.array_equal(ours.values, theirs.values)
            assert theirs.field.pixel == pytest.approx(field.pixel, rel=1e-12)
        with h5py.File(tmp_path / name) as file:
            assert dict(file["microscope"].attrs) == {"beam_energy_keV": 300.0, "dose_e_per_A2": 100.0}
    with pytest.raises(InputError, match=r"ending in \.emd"):
        write_images(tmp_path / "image.png", frames)


@pytest.mark.parametrize("element", ["C", "Cd"])
def test_dark_field_of_one_atom_is_that_of_abtem_within_a_percent(element: str) -> None:
    """On a point of abTEM's grid: between its points abTEM scatters up to a tenth less, as its pixels are coarse."""
    abtem = pytest.importorskip("abtem")
    side, n = 16.0, 576
    stem = Microscope(kilovolts=300, aperture_mrad=25, detector_mrad=(60, 110))
    one = Atoms(element, [(side / 2, side / 2, 1)], cell=(side, side, 2), pbc=True)
    away = np.arange(0, 3, 0.25)
    probe = abtem.Probe(energy=300e3, semiangle_cutoff=25, soft=False)
    potential = abtem.Potential(one, gpts=n, slice_thickness=2.0, projection="infinite", parametrization="lobato")
    scan = abtem.CustomScan(np.c_[away + side / 2, np.full(len(away), side / 2)])
    theirs = probe.scan(potential, scan=scan, detectors=abtem.AnnularDetector(60, 110)).compute(progress_bar=False)
    field = FieldOfView(corner=(0.0, 0.0), lengths=(side, side), shape=(256, 256))
    image = haadf_image(one, stem, field, source_size=0.0, u_iso=0.0).values
    ours, share = image[128 + np.rint(away / 0.0625).astype(int), 128], np.clip(away, 0.05, None)
    assert np.sum(share * ours) == pytest.approx(np.sum(share * theirs.array), rel=0.01)
    assert np.corrcoef(ours, theirs.array)[0, 1] > 0.9999


def test_abtem_as_a_route_takes_one_period_and_gives_the_whole_field() -> None:
    pytest.importorskip("abtem")
    stem = Microscope(kilovolts=100, aperture_mrad=12, detector_mrad=(20, 40))
    one = Atoms("CdSe", [(1.0, 1.0, 0.5), (3.0, 2.5, 0.5)], cell=(6.0, 5.5, 3.0), pbc=True)
    images = []
    for repeat in ((2, 2, 1), (4, 2, 1)):
        atoms = one * repeat
        images.append(abtem_haadf_image(atoms, stem, field_of_view(atoms, 0.5), u_iso=0.0).values)
    assert images[1].shape == (2 * images[0].shape[0], images[0].shape[1])
    assert np.allclose(images[1], np.tile(images[0], (2, 1)), rtol=1e-5, atol=1e-9)
    ours = haadf_image(one * (2, 2, 1), stem, field_of_view(one * (2, 2, 1), 0.5), u_iso=0.0).values
    assert np.corrcoef(ours.ravel(), images[0].ravel())[0, 1] > 0.99
    assert images[0].mean() == pytest.approx(ours.mean(), rel=0.1)


def test_waves_and_images_are_those_of_abtem_within_a_percent() -> None:
    """Form factors of Lobato and Van Dyck (2014) there; ours are Mott-Bethe of another table."""
    pytest.importorskip("abtem")
    atoms = sheet("CdSe-wurtzite", "11-20", (1, 1))
    field = field_of_view(atoms, 0.05)
    for defocus in (60.0, 200.0):
        microscope = Microscope(kilovolts=200, aperture_mrad=30, focal_spread=0, defocus=defocus)
        theirs = wave_image(abtem_exit_wave(atoms, microscope, field, 1.0), microscope, field).values
        ours = hrtem_image(atoms, microscope, field, 1.0).values
        assert np.std(ours - theirs) < 0.01 * theirs.mean()
