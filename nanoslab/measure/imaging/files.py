"""Images and stacks of images in the files of microscopes, through RosettaSciIO."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from nanoslab.errors import FileError, InputError
from nanoslab.files import write_atomically
from nanoslab.measure.imaging.image import Image
from nanoslab.measure.imaging.potential import FieldOfView

#: ending of the file -> reader of RosettaSciIO
READERS = {
    ".dm3": "digitalmicrograph",
    ".dm4": "digitalmicrograph",
    ".emd": "emd",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".ser": "tia",
    ".emi": "tia",
    ".hspy": "hspy",
    ".mrc": "mrc",
    ".ali": "mrc",
}

#: unit of an axis -> Å
LENGTHS = {"pm": 0.01, "å": 1.0, "a": 1.0, "nm": 10.0, "µm": 1e4, "μm": 1e4, "um": 1e4, "m": 1e10}

_ADVICE = "pip install nanoslab[microscope]"


def first_signal(path: Path) -> Mapping[str, Any]:
    """First signal of a file, as RosettaSciIO gives it: data, axes, metadata, original metadata."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(path, expected=f"a file ending in {', '.join(READERS)}", got=path.name)
    if not path.is_file():
        raise FileError(path, expected="a file", got="none", advice="check the path")
    library = _library(reader)
    try:
        return library.file_reader(str(path))[0]  # type: ignore[no-any-return]
    except Exception as error:  # noqa: BLE001 (a foreign reader raises whatever its format's library does)
        got = f"{type(error).__name__}: {error}"
        raise FileError(path, expected="a file that RosettaSciIO reads", got=got) from None


def read_images(path: str | Path, pixel: float | None = None) -> tuple[Image, ...]:
    """All images of a file with their scale: one, or the frames of a stack, shape (x, y) each.

    Parameters
    ----------
    path
        A file that RosettaSciIO reads: .emd, .mrc, .dm3, .dm4, .hspy, .ser, .tif.
    pixel
        Side of a pixel [Å] where the file has no scale; it goes before that of the file.
    """
    path = Path(path)
    signal = first_signal(path)
    values, axes = np.asarray(signal["data"], dtype=float), list(signal["axes"])[-2:]
    lengths = [LENGTHS.get(str(axis.get("units") or "").lower(), 0.0) for axis in axes]
    scales = [length * abs(float(axis.get("scale") or 0)) for length, axis in zip(lengths, axes, strict=True)]
    scales = [pixel] * 2 if pixel is not None else scales
    if values.ndim < 2 or len(scales) != 2 or not all(scales) or not np.all(np.isfinite(values)):
        got = f"shape {values.shape}, scales {[axis.get('units') for axis in axes]}"
        raise FileError(path, expected="images with a scale in nm, Å, pm or µm", got=got, advice="calibrate it")
    rows, columns = values.shape[-2:]
    corner = [float(axis.get("offset") or 0) * length for axis, length in zip(axes, lengths, strict=True)]
    field = FieldOfView(
        corner=(corner[1], corner[0]), lengths=(columns * scales[1], rows * scales[0]), shape=(columns, rows)
    )
    return tuple(Image(values=frame.T.copy(), field=field) for frame in values.reshape(-1, rows, columns))


def read_tilts(path: str | Path) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Tilt angles that a file of a tilt series holds [degrees], or None.

    Looked for in what `write_images` writes, in the extended header of a microscope's MRC file, and in an axis of the
    stack in degrees.
    """
    signal = first_signal(Path(path))
    original, axes = signal.get("original_metadata", {}), signal["axes"]
    if len(axes) < 3:
        return None
    n = int(axes[0]["size"])
    for group, key in (("microscope", "tilt_degrees"), ("fei_header", "a_tilt")):
        found = np.atleast_1d(np.asarray((original.get(group) or {}).get(key, ()), dtype=float))
        if len(found) >= n and np.any(found):
            return found[:n]
    if str(axes[0].get("units") or "").lower() in ("°", "deg", "degree", "degrees"):
        return np.asarray(float(axes[0]["offset"]) + float(axes[0]["scale"]) * np.arange(n))
    return None


def write_images(path: str | Path, images: Sequence[Image], settings: Mapping[str, Any] | None = None) -> None:
    """Write an image, or several of one field as a stack, to an EMD file (NCEM's, of HDF5) that other programs open.

    Parameters
    ----------
    settings
        Numbers or lists of numbers with their units in the names, such as ``beam_energy_keV``, ``dose_e_per_A2`` or
        ``tilt_degrees``; they are attributes of the group ``microscope``.

    Examples
    --------
    >>> import tempfile
    >>> field = FieldOfView(corner=(0, 0), lengths=(2.0, 3.0), shape=(4, 6))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_images(f"{folder}/a.emd", [Image(values=np.ones((4, 6)), field=field)])
    ...     read_images(f"{folder}/a.emd")[0].field.pixel
    (0.5, 0.5)
    """
    path = Path(path)
    if path.suffix.lower() != ".emd":
        raise InputError("output", expected="a file ending in .emd", got=path.name)
    if not images or any(image.field != images[0].field for image in images):
        raise InputError("images", expected="one or more images of one field", got=f"{len(images)}")
    field = images[0].field
    frames = np.array([image.values.T for image in images])
    data = frames[0] if len(images) == 1 else frames
    places = [("y", field.corner[1], field.pixel[1]), ("x", field.corner[0], field.pixel[0])]
    axes = [
        {"name": name, "units": "nm", "scale": scale / 10, "offset": offset / 10, "navigate": False}
        for name, offset, scale in places
    ]
    if len(images) > 1:
        axes.insert(0, {"name": "image", "units": "", "scale": 1.0, "offset": 0.0, "navigate": True})
    signal = {
        "data": data,
        "axes": [
            {**axis, "size": n, "index_in_array": k} for k, (axis, n) in enumerate(zip(axes, data.shape, strict=True))
        ],
        "metadata": {"General": {"title": "images"}, "Signal": {"signal_type": ""}},
        "original_metadata": {"microscope": dict(settings or {}), "user": {"program": "nanoslab"}},
    }
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "images.emd"
        _library("emd").file_writer(str(whole), signal)
        content = whole.read_bytes()
    try:
        write_atomically(path, content)
    except OSError as error:
        raise FileError(path, expected="a place to write to", got=error.strerror or "no file") from error


def _library(reader: str) -> Any:
    try:
        return import_module(f"rsciio.{reader}")
    except ModuleNotFoundError:
        raise FileError("microscope file", expected="RosettaSciIO", got="not installed", advice=_ADVICE) from None
