"""Images by abTEM's multislice: the wave behind a structure, and dark field with channelling and vibrations."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.signal import resample

from nanoslab.errors import InputError
from nanoslab.measure.imaging.image import Image
from nanoslab.measure.imaging.microscope import Microscope
from nanoslab.measure.imaging.potential import FieldOfView

#: probes times pixels of the wave times slices times configurations: eight hours or so on one core
_MOST_WORK = 5e11
#: pixels of the potential [Å]: an atom between coarser ones would scatter less, at 0.04 Å by a tenth
_FINEST = 0.03
#: a probe of 20 mrad needs this much room before it meets its own image [Å]
_ROOM = 10.0


def abtem_exit_wave(
    atoms: Atoms, microscope: Microscope, field: FieldOfView, slice_thickness: float = 2.0
) -> NDArray[np.complex128]:
    """Wave behind a structure, of a plane wave along z, 1 in vacuum; shape of the field.

    Potentials are those of Lobato and Van Dyck (Acta Cryst. A 70 (2014) 636), each in the slice it is in.
    """
    abtem = _abtem()
    potential = abtem.Potential(_boxed(atoms, field, slice_thickness), **_options(field.shape, slice_thickness))
    wave = abtem.PlaneWave(energy=1e3 * microscope.kilovolts).multislice(potential).compute(progress_bar=False)
    return np.asarray(wave.array, dtype=complex)


def abtem_haadf_image(
    atoms: Atoms,
    microscope: Microscope,
    field: FieldOfView,
    *,
    source_size: float = 0.4,
    u_iso: float = 0.006,
    n_configurations: int = 8,
) -> Image:
    """Fraction of the electrons that reach the detector: a multislice of the probe at every position (abTEM).

    Vibrations are those of independent atoms, frozen anew in every configuration. Only one period of a structure that
    repeats within the field is computed. The waves are sampled finely enough for the outer angle of the detector.
    One probe of a sheet of 1.4 nm takes about a second of one core for each configuration.

    Parameters
    ----------
    source_size
        Standard deviation of the effective source [Å].
    u_iso
        Mean square displacement of the atoms along one direction [Å²]; 0 for atoms at rest.
    n_configurations
        Of the displaced atoms.
    """
    abtem = _abtem()
    repeats = _repeats(atoms, field)
    # of a structure that repeats, as many periods as the probe needs room, and the probe over one of them
    periods = [min(n, int(np.ceil(_ROOM * n / length))) for n, length in zip(repeats, field.lengths, strict=True)]
    lengths = [length * k / n for length, k, n in zip(field.lengths, periods, repeats, strict=True)]
    pixel = min(_FINEST, microscope.wavelength / (3.06e-3 * microscope.detector_mrad[1]))
    shape = tuple(int(np.ceil(length / pixel)) for length in lengths)
    part = FieldOfView(corner=field.corner, lengths=(lengths[0], lengths[1]), shape=(shape[0], shape[1]))
    boxed = _boxed(_inside(atoms, part), part, 1.0)
    finest = microscope.wavelength / (4 * microscope.aperture_mrad * 1e-3) * 0.95
    scanned = [length / k for length, k in zip(lengths, periods, strict=True)]
    points = [int(np.ceil(length / finest)) for length in scanned]
    _require_work(np.prod(points) * np.prod(shape) * boxed.cell[2, 2] * (n_configurations if u_iso else 1))
    if u_iso:
        boxed = abtem.FrozenPhonons(boxed, num_configs=n_configurations, sigmas=float(np.sqrt(u_iso)), seed=0)
    probe = abtem.Probe(
        energy=1e3 * microscope.kilovolts,
        semiangle_cutoff=microscope.aperture_mrad,
        soft=False,
        defocus=microscope.defocus,
        Cs=microscope.spherical_aberration_mm * 1e7,
    )
    scan = abtem.GridScan((0, 0), tuple(scanned), gpts=tuple(points), endpoint=False)
    detector = abtem.AnnularDetector(*microscope.detector_mrad)
    found = probe.scan(abtem.Potential(boxed, **_options(shape, 1.0)), scan=scan, detectors=detector)
    values = np.asarray(found.compute(progress_bar=False).array, dtype=float)
    values = np.tile(values.reshape(-1, *points).mean(axis=0), repeats)
    # the image of a probe holds no frequency above twice its aperture, so nothing is lost or made up between points
    for axis, n in enumerate(field.shape):
        values = resample(values, n, axis=axis)
    k = field.radial_frequency
    blurred = np.fft.ifft2(np.fft.fft2(values) * np.exp(-2 * (np.pi * k * source_size) ** 2)).real
    return Image(values=np.clip(blurred, 0.0, None), field=field)


def _abtem() -> Any:
    try:
        import abtem
    except ModuleNotFoundError:
        raise InputError(
            "method", expected="abTEM", got="not installed", advice="pip install nanoslab[images]"
        ) from None
    return abtem


def _options(shape: tuple[int, ...], slice_thickness: float) -> dict[str, Any]:
    return {"gpts": shape, "slice_thickness": slice_thickness, "projection": "infinite", "parametrization": "lobato"}


def _boxed(atoms: Atoms, field: FieldOfView, slice_thickness: float) -> Atoms:
    """The atoms in a periodic box of the field's sides, as high as the slices that hold them."""
    positions = atoms.positions - [*field.corner, atoms.positions[:, 2].min() - 1e-6]
    n_slices = int(np.ptp(positions[:, 2]) / slice_thickness) + 1
    return Atoms(atoms.numbers, positions, cell=[*field.lengths, n_slices * slice_thickness], pbc=True)


def _inside(atoms: Atoms, field: FieldOfView) -> Atoms:
    """Atoms of a field, those on its lower edges but not on its upper ones."""
    places = atoms.positions[:, :2] - np.array(field.corner)
    return atoms[np.all((places > -1e-4) & (places < np.array(field.lengths) - 1e-4), axis=1)]


def _repeats(atoms: Atoms, field: FieldOfView) -> tuple[int, int]:
    """How many times the structure repeats along x and y within the field."""
    places = (atoms.positions[:, :2] - np.array(field.corner)) / np.array(field.lengths)
    rows = np.column_stack([places, atoms.positions[:, 2], atoms.numbers])

    def same(axis: int, n: int) -> bool:
        moved = rows.copy()
        moved[:, axis] += 1.0 / n
        return len(atoms) % n == 0 and np.array_equal(_sorted(rows), _sorted(moved))

    most = [max(int(length // 2), 1) for length in field.lengths]
    found = [next(n for n in range(most[axis], 0, -1) if n == 1 or same(axis, n)) for axis in (0, 1)]
    return found[0], found[1]


def _sorted(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of places in the field, rounded and in one order whatever the order of the atoms."""
    rounded = np.round(np.column_stack([(rows[:, :2] + 1e-5) % 1.0, rows[:, 2:]]), 4)
    return np.asarray(rounded[np.lexsort(rounded.T)])


def _require_work(work: float) -> None:
    if work > _MOST_WORK:
        raise InputError(
            "structure",
            expected="one that abTEM images overnight",
            got=f"{work / _MOST_WORK:.0f} times as much",
            advice="take a smaller field, a smaller outer angle of the detector or a structure that repeats",
        )
