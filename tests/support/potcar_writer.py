"""Fake POTCARs of our own invention, shaped like real ones; no licensed number is in them."""

import gzip
import lzma
from pathlib import Path


def fake_potcar(title: str, *, exchange: str = "PE", cutoff: float = 250.0) -> str:
    dataset = title.split()[1]
    return (
        f"  {title}\n 6.000\n parameters from PSCTR are:\n   VRHFIN ={dataset.split('_')[0]}: fake\n"
        f"   LEXCH  = {exchange}\n   TITEL  = {title}\n   ENMAX  =  {cutoff:.3f}; ENMIN  =  100.000 eV\n"
        f"   END of PSCTR-controll parameters\n SECRET-{dataset}-NUMBERS 1.0 2.0\n End of Dataset\n"
    )


def write_library(
    root: Path,
    datasets: tuple[str, ...] = ("Cd", "Se", "Pb_d"),
    *,
    layout: str = "{dataset}/POTCAR",
    date: str = "06Sep2000",
    kind: str = "PAW_PBE",
    exchange: str = "PE",
    cutoff: float = 250.0,
) -> Path:
    """A library folder; the layout is that of ASE, or of pymatgen (``POTCAR.{dataset}.gz``)."""
    for dataset in datasets:
        path = root / layout.format(dataset=dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = fake_potcar(f"{kind} {dataset} {date}", exchange=exchange, cutoff=cutoff).encode()
        pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(data))
    return root
