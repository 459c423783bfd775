"""Where the shipped data lies, and writing that never leaves half a file behind."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

#: file systems take 255 bytes; scripts, logs and kept copies add to a name
LONGEST_NAME = 120
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def is_folder_name(name: str) -> bool:
    """Whether a name can be one folder of its own: letters, digits and ``. _ + -``, at most 120 of them.

    Examples
    --------
    >>> is_folder_name("v_Se-1"), is_folder_name("../v_Se"), is_folder_name("v" * 121)
    (True, False, False)
    """
    return len(name) <= LONGEST_NAME and _FOLDER_NAME.fullmatch(name) is not None


def data_folder(name: str) -> Path:
    """Folder of shipped data: ``structures`` or ``workflows``.

    Inside the package when installed from a wheel, beside it in a checkout.
    """
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file whole or not at all, so that a kill or a full disk leaves the old one."""
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp is private to its owner; campaigns are shared with a group
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sha256(content: bytes) -> str:
    """Hash of a file's content, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_where_changed(path: Path, content: bytes) -> None:
    """Write a file unless it holds just that already, so that it keeps its date; folders on the way are made."""
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
