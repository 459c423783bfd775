"""The density whose projections are the images: least squares without negative values.

Back projection followed by projection is, for any set of orientations, a convolution with one kernel: the sum over the
images of the point-spread function of a band-limited projection. So the images are read once, and every step after
that is a Fourier transform of the volume. Libraries of tomography (scikit-image, ASTRA) do a tilt series slice by
slice; for orientations all around none of them has a way without a graphics card.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, rfftn
from scipy.ndimage import map_coordinates, spline_filter

from nanoslab.errors import InputError
from nanoslab.measure.tomography.projections import Projections

Array = NDArray[np.float64]
Single = NDArray[np.float32]

#: voxels along a side of the largest volume: its transforms take 1 GB
_MOST_VOXELS = 200


def reconstruct_density(projections: Projections, n_steps: int = 25) -> Array:
    """Density on a cube of voxels of the size of a pixel, about the origin, from projections in any orientations.

    Minimises the squared misfit to all images over densities without negative values, by accelerated gradient steps
    (FISTA: Beck and Teboulle, SIAM J. Imaging Sci. 2 (2009) 183). What no image shows (a missing wedge) is left to the
    condition that nothing is negative.

    Returns
    -------
    Signal per Å, shape (n, n, n): its sum along the beam times the pixel is an image.
    """
    n = projections.images.shape[1]
    if n > _MOST_VOXELS:
        raise InputError("images", expected=f"at most {_MOST_VOXELS} pixels a side", got=n, advice="bin the pixels")
    if n_steps < 1:
        raise InputError("n_steps", expected="at least 1", got=n_steps)
    gradient_at_zero = _back_projection(projections)
    kernel = rfftn(_kernel(projections), overwrite_x=True)
    largest = float(np.abs(kernel).max())
    density = np.zeros((n, n, n), dtype=np.float32)
    ahead, momentum = density, 1.0
    for _ in range(n_steps):
        padded = irfftn(rfftn(ahead, (2 * n,) * 3) * kernel, (2 * n,) * 3)[:n, :n, :n]
        stepped = np.maximum(ahead - (padded - gradient_at_zero) / largest, 0.0)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = stepped + np.float32((momentum - 1) / following) * (stepped - density)
        density, momentum = stepped, following
    return np.asarray(density / projections.pixel, dtype=float)


def _back_projection(projections: Projections) -> Single:
    """Sum of the images over all lines through each voxel, by cubic splines."""
    n = projections.images.shape[1]
    axis = np.arange(n) - n // 2
    total = np.zeros((n, n, n), dtype=np.float32)
    for image, rotation in zip(projections.images, projections.rotations, strict=True):
        u, v = (_linear(row, axis) + n // 2 for row in rotation[:2])
        total += map_coordinates(spline_filter(image), [u, v], order=3, mode="grid-constant", prefilter=False)
    return total


def _kernel(projections: Projections) -> Single:
    """What back projection makes of the projections of one voxel, on the doubled periodic grid."""
    n = projections.images.shape[1]
    axis = np.fft.fftfreq(2 * n, 1 / (2 * n))
    total = np.zeros((2 * n,) * 3, dtype=np.float32)
    for rotation in projections.rotations:
        u, v = (_linear(row, axis).astype(np.float32) for row in rotation[:2])
        total += np.sinc(u) * np.sinc(v)
    return total


def _linear(row: Array, axis: Array) -> Array:
    """Component along a direction of every point of a cubic grid [voxels]."""
    return np.asarray(row[0] * axis[:, None, None] + row[1] * axis[None, :, None] + row[2] * axis[None, None, :])
