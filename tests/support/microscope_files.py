"""Small files as microscopes write them: DM3, an EMD of Velox, a TIFF of an FEI microscope."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

#: codes of the DM format: type of a number -> its code and how it is packed
CODES = {"int": (3, "<i"), "float": (6, "<f"), "double": (7, "<d")}


def write_dm3(path: Path, tags: dict[str, Any], image: np.ndarray, pixel_nm: float) -> None:
    """Image with tags of the microscope (nested mappings of numbers and texts) as DM3."""
    side = {"Origin": 0.0, "Scale": np.float32(pixel_nm), "Units": "nm"}
    calibrations = {"Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": ""}, "Dimension": [side, side]}
    data = {
        "Calibrations": calibrations,
        "Data": image.astype(np.float32),
        "DataType": 2,
        "Dimensions": list(image.shape[::-1]),
        "PixelDepth": 4,
    }
    root = {"ImageList": [{"ImageData": data, "ImageTags": tags, "Name": "test"}]}
    body = _directory(root)
    path.write_bytes(struct.pack(">3i", 3, len(body) + 8, 1) + body + b"\0" * 8)


def _directory(content: dict[str, Any] | list[Any]) -> bytes:
    pairs = content.items() if isinstance(content, dict) else (("", value) for value in content)
    return struct.pack(">BBi", 1, 0, len(content)) + b"".join(_tag(name, value) for name, value in pairs)


def _tag(name: str, value: Any) -> bytes:
    is_directory = isinstance(value, dict | list)
    head = struct.pack(">BH", 20 if is_directory else 21, len(name)) + name.encode("latin-1")
    if is_directory:
        return head + _directory(value)
    if isinstance(value, str):
        return head + _data([20, 4, len(value)], value.encode("utf-16-le"))
    if isinstance(value, np.ndarray):
        return head + _data([20, 6, value.size], value.astype("<f4").tobytes())
    code, packed = CODES["int" if isinstance(value, int) else "float" if isinstance(value, np.float32) else "double"]
    return head + _data([code], struct.pack(packed, value))


def _data(kind: list[int], content: bytes) -> bytes:
    return b"%%%%" + struct.pack(f">i{len(kind)}i", len(kind), *kind) + content


def write_velox_emd(path: Path, metadata: dict[str, Any], image: np.ndarray) -> None:
    """One image with the metadata of Velox."""
    import h5py

    text = json.dumps(metadata).encode() + b"\0"
    with h5py.File(path, "w") as file:
        file["Version"] = np.array([b'{"format": "Velox", "version": "1.11"}'], dtype="S100")
        group = file.create_group("Data/Image/0123456789abcdef")
        group["Data"] = image[:, :, None].astype(np.uint16)
        group["Metadata"] = np.frombuffer(text, dtype=np.uint8)[:, None]
        group["FrameLookupTable"] = np.zeros(1, dtype=np.int64)


def write_fei_tiff(path: Path, sections: dict[str, dict[str, Any]], image: np.ndarray) -> None:
    """Image with the ini-like header that FEI's microscopes put into TIFF."""
    import tifffile

    lines = [
        f"[{name}]\r\n" + "".join(f"{key}={value}\r\n" for key, value in s.items()) for name, s in sections.items()
    ]
    text = "\r\n".join(lines)
    tifffile.imwrite(path, image.astype(np.uint8), extratags=[(34682, "s", 0, text, True)], metadata=None)
