"""Images against closed forms, abTEM, published spacings and counting statistics."""

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
    annular_cross_section,
    counted_image,
    exit_wave,
    field_of_view,
    haadf_image,
    hrtem_image,
    image_spacings,
    index_spacings,
    probe_intensity,
    projected_potential,
    rose_dose,
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


def test_probe_holds_one_electron_and_blurring_moves_none() -> None:
    atoms = sheet("CdSe-zincblende", "001", (2, 2))
    field = field_of_view(atoms, 0.1)
    stem = Microscope(kilovolts=200, aperture_mrad=25)
    assert probe_intensity(stem, field).sum() * np.prod(field.pixel) == pytest.approx(1.0)
    image = haadf_image(atoms, stem, field)
    expected = sum(annular_cross_section(symbol, stem) for symbol in atoms.get_chemical_symbols())
    assert image.values.sum() * np.prod(field.pixel) == pytest.approx(expected, rel=1e-3)


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


def test_waves_and_images_are_those_of_abtem_within_a_percent() -> None:
    """Same slices; abTEM takes the form factors of Lobato and Van Dyck (2014), ours are Mott-Bethe of another table."""
    abtem = pytest.importorskip("abtem")
    abtem.config.set({"diagnostics.progress_bar": False})
    atoms = sheet("CdSe-wurtzite", "11-20", (1, 1))
    n = round(atoms.cell[2, 2] / 1.0)
    thickness = atoms.cell[2, 2] / n
    field = field_of_view(atoms, 0.05)
    potential = abtem.Potential(
        atoms, gpts=field.shape, slice_thickness=thickness, projection="infinite", parametrization="lobato"
    )
    theirs = np.asarray(abtem.PlaneWave(energy=200e3).multislice(potential).compute().array)
    microscope = Microscope(kilovolts=200, aperture_mrad=30, focal_spread=0)
    ours = exit_wave(atoms, microscope, field, thickness)
    k = field.radial_frequency
    # abTEM goes through the empty slices above the sheet too
    left = n - int(np.ptp(atoms.positions[:, 2]) / thickness) - 1
    ours = np.fft.ifft2(np.fft.fft2(ours) * np.exp(-1j * np.pi * microscope.wavelength * left * thickness * k**2))
    for defocus in (60.0, 200.0):
        lens = np.exp(1j * np.pi * microscope.wavelength * defocus * k**2) * (microscope.wavelength * k < 0.03)
        image, reference = (np.abs(np.fft.ifft2(np.fft.fft2(wave) * lens)) ** 2 for wave in (ours, theirs))
        assert np.std(image - reference) < 0.01 * reference.mean()
