"""Projections of a particle: orientations of a tilt series or of Brownian motion, and dark-field images with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift
from scipy.spatial.transform import Rotation

from nanoslab.errors import InputError
from nanoslab.measure.imaging.haadf import haadf_image
from nanoslab.measure.imaging.image import counted_image
from nanoslab.measure.imaging.microscope import Microscope
from nanoslab.measure.imaging.potential import FieldOfView

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projections:
    """Images of one particle in known orientations.

    Attributes
    ----------
    images
        Signal in square pixels, shape (images, n, n); the middle pixel n // 2 is the origin of the coordinates.
    rotations
        Matrices that turn the particle before it is seen along z, shape (images, 3, 3).
    pixel
        Side of a pixel [Å].
    """

    images: Array
    rotations: Array
    pixel: float

    def __post_init__(self) -> None:
        """Make the arrays read-only and refuse shapes that do not belong together."""
        n = len(self.images)
        square = self.images.ndim == 3 and self.images.shape[1] == self.images.shape[2] >= 16
        if not square or self.rotations.shape != (n, 3, 3):
            got = f"{self.images.shape} and {self.rotations.shape}"
            raise InputError("projections", expected="images (k, n, n), n >= 16, with k rotations (k, 3, 3)", got=got)
        if not np.all(np.isfinite(self.images)):
            raise InputError("projections", expected="finite images", got="NaN or infinity among them")
        for array in (self.images, self.rotations):
            array.setflags(write=False)


def tilt_rotations(n_images: int, largest_degrees: float = 79.0) -> Array:
    """Rotations about y at even steps between -largest and +largest; what lies beyond is the missing wedge."""
    if not (n_images >= 2 and 0 < largest_degrees <= 90):
        got = f"{n_images} images to {largest_degrees:g} degrees"
        raise InputError("tilt series", expected="at least 2 images up to 90 degrees", got=got)
    angles = np.linspace(-largest_degrees, largest_degrees, n_images, endpoint=largest_degrees < 90)
    return _about_y(np.asarray(angles))


def measured_projections(images: Array, tilts_degrees: Array, pixel: float) -> Projections:
    """Tilt series of one particle from measured images, for the atoms to be found in.

    The tilt axis is y, and the series must be aligned to it (the rotation of the images, drift within an image). What
    differs between the images otherwise is taken care of here: the mean of the border is subtracted from each, and its
    centre of mass is moved to the middle, where the particle must stand alone. `trace_atoms` fits what shift is left.

    Parameters
    ----------
    images
        Dark-field signal in square pixels, shape (images, x, y).
    tilts_degrees
        Angles about y, shape (images,). Where their sign is that of the other hand, the mirror image is found.
    pixel
        Side of a pixel [Å].
    """
    images, tilts = np.asarray(images, dtype=float), np.asarray(tilts_degrees, dtype=float)
    if images.ndim != 3 or len(images) < 2 or tilts.shape != (len(images),) or not np.all(np.abs(tilts) <= 90):
        got = f"images {images.shape} and {tilts.size} angles"
        raise InputError("tilt series", expected="at least 2 images, each with an angle from -90 to 90", got=got)
    centred = [_about_centre_of_mass(image, 2.0 / pixel) for image in images]
    n = max(max(image.shape) for image in images) // 2 * 2 + 1
    square = np.zeros((len(images), n, n))
    for target, (image, middle) in zip(square, centred, strict=True):
        target[: image.shape[0], : image.shape[1]] = image
        target[:] = shift(target, n // 2 - middle, order=3, prefilter=True)
    return Projections(images=square, rotations=_about_y(tilts), pixel=pixel)


def _about_centre_of_mass(image: Array, blur: float) -> tuple[Array, Array]:
    """Image less its border, and its centre of mass [pixels], of what stands above the noise of a blurred one."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    image = image - border.mean()
    smooth = gaussian_filter(image, blur)
    mass = np.where(smooth > 0.1 * smooth.max(), smooth, 0.0)
    if not mass.any():
        raise InputError("images", expected="a bright particle on a dark ground", got="an image without one")
    places = np.indices(image.shape)
    return image, np.asarray((places * mass).sum(axis=(1, 2)) / mass.sum())


def _about_y(degrees: Array) -> Array:
    return np.asarray(Rotation.from_euler("y", degrees[:, None], degrees=True).as_matrix())


def random_rotations(n_images: int, seed: int = 0) -> Array:
    """Orientations of a particle that tumbles in a liquid, evenly distributed over all."""
    if n_images < 2:
        raise InputError("projections", expected="at least 2 images", got=n_images)
    return np.asarray(Rotation.random(n_images, rng=np.random.default_rng(seed)).as_matrix())


def project(
    atoms: Atoms, rotations: Array, microscope: Microscope, pixel: float = 0.4, dose_e_per_A2: float | None = None
) -> Projections:
    """Dark-field images of a particle about its middle (the origin of the coordinates that are found again).

    Incoherent and linear in the atoms, as tomography assumes: channelling and the damage done on the way are left out.

    Parameters
    ----------
    dose_e_per_A2
        Of all images together [e/Å²]; None for images without noise. With noise the images are counts over the dose.
    """
    points = atoms.positions - atoms.positions.mean(axis=0)
    radius = float(np.linalg.norm(points, axis=1).max()) + 4.0
    n = 2 * int(np.ceil(radius / pixel)) + 1
    half = (n // 2) * pixel
    field = FieldOfView(corner=(-half, -half), lengths=(n * pixel, n * pixel), shape=(n, n))
    images = []
    for number, rotation in enumerate(rotations):
        turned = Atoms(atoms.numbers, points @ rotation.T)
        image = haadf_image(turned, microscope, field)
        if dose_e_per_A2 is not None:
            each = dose_e_per_A2 / len(rotations)
            counts = counted_image(image, each, seed=number)
            images.append(counts.values / (each * pixel**2))
        else:
            images.append(image.values)
    return Projections(images=np.array(images), rotations=np.asarray(rotations), pixel=pixel)
