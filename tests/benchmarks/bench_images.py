"""Images beside abTEM and a tilt series beside scikit-image: python tests/benchmarks/bench_images.py.

Needs `pip install abtem scikit-image`. Processor times [s] and how far the results differ.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from numpy.typing import NDArray

from nanoslab.builders import build_nanocrystal, build_nanosheet
from nanoslab.measure.imaging import Microscope, exit_wave, field_of_view, haadf_image
from nanoslab.measure.tomography import project, reconstruct_density, tilt_rotations

abtem = pytest.importorskip("abtem")
iradon_sart = pytest.importorskip("skimage.transform").iradon_sart


def timed(function: Callable[[], NDArray[np.float64]]) -> tuple[NDArray[np.float64], float]:
    """Result and processor time [s]."""
    started = time.process_time()
    return function(), time.process_time() - started


def sheet() -> Atoms:
    atoms = build_nanosheet("CdSe-wurtzite", "11-20", 7, vacuum=6)
    atoms.set_constraint()
    atoms.positions[:, 2] -= atoms.positions[:, 2].min() - 1e-4
    return atoms * (2, 2, 1)


def waves(atoms: Atoms) -> None:
    """Multislice of a plane wave, the second call of each."""
    thickness = atoms.cell[2, 2] / round(atoms.cell[2, 2])
    field = field_of_view(atoms, 0.05)
    microscope = Microscope(kilovolts=200)

    def theirs() -> NDArray[np.float64]:
        potential = abtem.Potential(atoms, gpts=field.shape, slice_thickness=thickness, projection="infinite")
        return abtem.PlaneWave(energy=200e3).multislice(potential).compute().array

    theirs()
    (_, ours_s), (_, theirs_s) = timed(lambda: exit_wave(atoms, microscope, field, thickness)), timed(theirs)
    print(f"exit wave, {len(atoms)} atoms, {field.shape}: nanoslab {ours_s:.2f} s, abTEM {theirs_s:.2f} s", flush=True)


def dark_field(atoms: Atoms) -> None:
    """Incoherent dark field beside a multislice of the probe, no vibration, no source size."""
    angles = (60, 110)
    field = field_of_view(atoms, 0.03)
    microscope = Microscope(kilovolts=300, aperture_mrad=25, detector_mrad=angles)
    ours, ours_s = timed(lambda: haadf_image(atoms, microscope, field, source_size=0.0, u_iso=0.0))
    potential = abtem.Potential(atoms, gpts=field.shape, slice_thickness=1.0, projection="infinite")
    cell = np.diag(atoms.cell.array)[:2]
    scan = abtem.GridScan((0, 0), tuple(cell / 2), gpts=(16, 16))
    probe = abtem.Probe(energy=300e3, semiangle_cutoff=25, soft=False)

    def theirs() -> NDArray[np.float64]:
        return probe.scan(potential, scan=scan, detectors=abtem.AnnularDetector(*angles)).compute().array

    reference, theirs_s = timed(theirs)
    steps = [np.rint(np.arange(16) * c / 2 / 16 / d).astype(int) for c, d in zip(cell, field.pixel, strict=True)]
    same = ours.values[np.ix_(*steps)]
    print(f"dark field: nanoslab {ours_s:.2f} s for all pixels, abTEM {theirs_s:.1f} s for 256")
    correlation = np.corrcoef(same.ravel(), reference.ravel())[0, 1]
    print(f"  mean {same.mean() / reference.mean():.3f} of abTEM's, correlation {correlation:.4f}")


def tilt_series() -> None:
    """Density of a tilt series with a missing wedge, ours and SART, beside the true one."""
    atoms = build_nanocrystal("PbSe-rocksalt", {"Pb": 30, "Se": 30})
    angles = np.linspace(-79, 79, 30)
    microscope = Microscope(kilovolts=300, aperture_mrad=25, detector_mrad=(50, 200))
    projections = project(atoms, tilt_rotations(30), microscope, 0.5, 1e5)
    ours, ours_s = timed(lambda: reconstruct_density(projections))
    n = projections.images.shape[1]

    def sart() -> NDArray[np.float64]:
        volume = np.zeros((n, n, n))
        for y in range(n):
            sinogram = np.array(projections.images[:, :, y].T, order="C")
            found = None
            for _ in range(3):
                found = iradon_sart(sinogram, theta=angles, image=found, clip=(0, 1e9))
            volume[:, y, :] = found
        return volume

    theirs, theirs_s = timed(sart)
    points = atoms.positions - atoms.positions.mean(axis=0)
    axis = (np.arange(n) - n // 2) * 0.5
    truth = np.zeros((n, n, n))
    for point, number in zip(points, atoms.numbers, strict=True):
        x, y, z = (np.exp(-((axis - p) ** 2) / (2 * 0.5**2)) for p in point)
        truth += number**1.8 * x[:, None, None] * y[None, :, None] * z[None, None, :]
    best = 0.0
    for flip in (theirs, theirs[::-1], theirs[:, :, ::-1], theirs[::-1, :, ::-1]):
        for volume in (flip, np.swapaxes(flip, 0, 2)):
            best = max(best, float(np.corrcoef(volume.ravel(), truth.ravel())[0, 1]))
    mine = np.corrcoef(ours.ravel(), truth.ravel())[0, 1]
    print(f"tilt series, {n}³, correlation with the truth: nanoslab {mine:.3f}, SART {best:.3f}")
    print(f"  nanoslab {ours_s:.1f} s, SART {theirs_s:.1f} s", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    abtem.config.set({"diagnostics.progress_bar": False})
    waves(sheet())
    tilt_series()
    dark_field(sheet())
