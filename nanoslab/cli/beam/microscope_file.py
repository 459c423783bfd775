"""What the header of a microscope's file says about the beam, through RosettaSciIO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

#: what RosettaSciIO leaves where Velox wrote it: key of the header -> place
VELOX = {"dwell": ("Scan", "DwellTime"), "current": ("Optics", "LastMeasuredScreenCurrent")}


def read_header(path: Path) -> dict[str, float]:
    """Beam energy, current, pixel, dwell time, exposure and frames, those that the header has.

    Returns
    -------
    Keys ``kilovolts`` [kV], ``current`` [A], ``pixel`` [Å], ``dwell`` [s], ``time`` [s], ``frames``.
    """
    from nanoslab.measure.imaging.files import first_signal

    first = first_signal(path)
    found = exposure_of(_mapped(first), first.get("axes", ()))
    for key, place in VELOX.items():
        value = _at(first.get("original_metadata", {}), place)
        if key not in found and value is not None and float(value) > 0:
            found[key] = float(value)
    return found


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
    from nanoslab.measure.imaging.files import LENGTHS

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
