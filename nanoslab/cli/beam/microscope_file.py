"""What the header of a microscope's file says about the beam, through RosettaSciIO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.errors import FileError

if TYPE_CHECKING:
    from nanoslab.measure.imaging import Image

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
}

#: unit of an axis -> Å
LENGTHS = {"pm": 0.01, "å": 1.0, "a": 1.0, "nm": 10.0, "µm": 1e4, "μm": 1e4, "um": 1e4, "m": 1e10}

#: what RosettaSciIO leaves where Velox wrote it: key of the header -> place
VELOX = {"dwell": ("Scan", "DwellTime"), "current": ("Optics", "LastMeasuredScreenCurrent")}


def read_header(path: Path) -> dict[str, float]:
    """Beam energy, current, pixel, dwell time, exposure and frames, those that the header has.

    Returns
    -------
    Keys ``kilovolts`` [kV], ``current`` [A], ``pixel`` [Å], ``dwell`` [s], ``time`` [s], ``frames``.
    """
    first = _first_signal(path)
    found = exposure_of(_mapped(first), first.get("axes", ()))
    for key, place in VELOX.items():
        value = _at(first.get("original_metadata", {}), place)
        if key not in found and value is not None and float(value) > 0:
            found[key] = float(value)
    return found


def read_image(path: Path) -> Image:
    """First image of a file with its scale; one of several frames the first. Shape (x, y)."""
    import numpy as np

    from nanoslab.measure.imaging import FieldOfView, Image

    first = _first_signal(path)
    values, axes = np.asarray(first["data"], dtype=float), list(first["axes"])
    while values.ndim > 2:
        values, axes = values[0], axes[1:]
    scales = [LENGTHS.get(str(axis.get("units", "")).lower(), 0.0) * abs(float(axis.get("scale", 0))) for axis in axes]
    if values.ndim != 2 or not all(scales) or not np.all(np.isfinite(values)):
        got = f"shape {values.shape}, scales {[axis.get('units') for axis in axes]}"
        raise FileError(path, expected="an image with a scale in nm, Å, pm or µm", got=got, advice="calibrate it")
    shape = (values.shape[1], values.shape[0])
    lengths = (shape[0] * scales[1], shape[1] * scales[0])
    return Image(values=values.T, field=FieldOfView(corner=(0.0, 0.0), lengths=lengths, shape=shape))


def _first_signal(path: Path) -> Mapping[str, Any]:
    """First signal of a file, as RosettaSciIO gives it."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError("--from", expected=f"a file ending in {', '.join(READERS)}", got=str(path))
    if not path.is_file():
        raise FileError("--from", expected="a file", got=str(path), advice="check the path")
    try:
        module = import_module(f"rsciio.{reader}")
    except ModuleNotFoundError:
        raise FileError(
            "--from", expected="RosettaSciIO", got="not installed", advice="pip install nanoslab[microscope]"
        ) from None
    try:
        first = module.file_reader(str(path))[0]
    except Exception as error:  # noqa: BLE001 (a foreign reader raises whatever its format's library does)
        raise FileError(
            path, expected="a file that RosettaSciIO reads", got=f"{type(error).__name__}: {error}"
        ) from None
    return first  # type: ignore[no-any-return]


def _mapped(signal: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a signal with what its reader says how to take from the original ones (HyperSpy does the same)."""
    metadata: dict[str, Any] = deepcopy(dict(signal.get("metadata", {})))
    for path, (target, convert) in signal.get("mapping", {}).items():
        value = _at(signal.get("original_metadata", {}), path.split("."))
        if value is None or not target.startswith("Acquisition_instrument."):
            continue
        *parents, last = target.split(".")
        place = metadata
        for name in parents:
            place = place.setdefault(name, {})
        try:
            place[last] = value if convert is None else convert(value)
        except (TypeError, ValueError, KeyError):
            continue  # a header that says it in words: what is missing is named later
    return metadata


def _at(tree: Any, path: Sequence[str]) -> Any:
    """Value at a place of nested mappings; None where there is none."""
    for name in path:
        if not isinstance(tree, Mapping) or name not in tree:
            return None
        tree = tree[name]
    return tree


def exposure_of(metadata: Mapping[str, Any], axes: Any) -> dict[str, float]:
    """The same from RosettaSciIO's metadata and axes.

    Examples
    --------
    >>> tem = {"beam_energy": 200.0, "beam_current": 0.05, "Detector": {"EDS": {"dwell_time": 1e-5}}}
    >>> axes = [{"name": "x", "scale": 0.02, "units": "nm", "navigate": False}]
    >>> exposure_of({"Acquisition_instrument": {"TEM": tem}}, axes)
    {'kilovolts': 200.0, 'current': 5e-11, 'dwell': 1e-05, 'pixel': 0.2}
    """
    instruments = metadata.get("Acquisition_instrument", {})
    tem = instruments.get("TEM") or instruments.get("SEM") or {}
    found: dict[str, float] = {}
    if tem.get("beam_energy"):
        found["kilovolts"] = float(tem["beam_energy"])
    if tem.get("beam_current"):
        found["current"] = float(tem["beam_current"]) / 1e9
    parts = [*tem.values(), *tem.get("Detector", {}).values(), *instruments.get("Detector", {}).values()]
    detectors = [*(part for part in parts if isinstance(part, Mapping)), tem]
    for key, names in (("dwell", ("dwell_time",)), ("time", ("exposure", "exposure_time")), ("frames", ("frames",))):
        value = next((d[name] for d in detectors for name in names if d.get(name)), None)
        if value is not None:
            found[key] = float(value)
    for axis in axes:
        factor = LENGTHS.get(str(axis.get("units", "")).lower())
        if factor is not None and axis.get("scale"):
            found["pixel"] = abs(float(axis["scale"])) * factor
            break
    return found
