"""A campaign of three calculations, and what lies in a folder."""

from pathlib import Path

from ase import Atoms
from ase.constraints import FixAtoms

from nanoslab.calculation import Calculation, Role
from nanoslab.presets import preset


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def three_calculations() -> list[Calculation]:
    """A sheet, a vacancy that starts from it, an atom."""
    atoms = Atoms(
        "Cd2Se2",
        positions=[[0, 0, 8], [2, 2, 11], [2, 0, 9.5], [0, 2, 12.5]],
        cell=[4, 4, 25],
        pbc=True,
        constraint=FixAtoms([1]),
        info={"recipe": {"builder": "test"}},
    )
    settings = preset("ma2023-zincblende")
    vacancy = atoms.copy()
    del vacancy[2]
    atom = Atoms("Se", cell=[12, 13, 14])
    return [
        Calculation(name="sheet", role=Role(kind="pristine", phase="zb"), atoms=atoms, settings=settings),
        Calculation(
            name="sheet-v_Se",
            role=Role(kind="vacancy"),
            atoms=vacancy,
            settings=settings,
            starts_from="sheet",
            removed_indices=(2,),
        ),
        Calculation(name="Se-atom", role=Role(kind="atom"), atoms=atom, settings=preset("ma2023")),
    ]
