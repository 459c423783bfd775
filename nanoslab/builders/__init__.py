"""Structures that carry their recipe: nanosheets, vacancies, necks, ligated double slabs, nanocrystals."""

from typing import Any

from nanoslab.builders.clusters.candidates import build_candidate
from nanoslab.builders.clusters.tetrahedral import build_tetrahedral_cluster
from nanoslab.builders.double_slab import DoubleSlab, describe_double_slab
from nanoslab.builders.interfaces.attachment import Contact, build_attached_pair
from nanoslab.builders.interfaces.exchange import exchange_ions
from nanoslab.builders.interfaces.heterostructure import Join, build_heterostructure
from nanoslab.builders.ligand import LigandLayer
from nanoslab.builders.nanosheet import available_terminations, build_nanosheet
from nanoslab.builders.neck import build_neck
from nanoslab.builders.particles.ligands import Ligands
from nanoslab.builders.particles.particle import Surface, build_nanocrystal, build_particle
from nanoslab.builders.particles.shapes import Shape, facet_areas
from nanoslab.builders.particles.twinned import build_twinned
from nanoslab.builders.rattle import rattle_atoms
from nanoslab.builders.sandwich import build_sandwich, scan_gaps, scan_poses
from nanoslab.builders.summary import StructureSummary, sheet_ledger
from nanoslab.builders.vacancy import Vacancy, VacancyCount, count_vacancies, distinct_vacancies

__all__ = [
    "Contact",
    "DoubleSlab",
    "Join",
    "LigandLayer",
    "Ligands",
    "Shape",
    "StructureSummary",
    "Surface",
    "Vacancy",
    "VacancyCount",
    "available_terminations",
    "build_attached_pair",
    "build_candidate",
    "build_heterostructure",
    "build_nanocrystal",
    "build_nanosheet",
    "build_neck",
    "build_particle",
    "build_sandwich",
    "build_tetrahedral_cluster",
    "build_twinned",
    "count_vacancies",
    "describe_double_slab",
    "distinct_vacancies",
    "exchange_ions",
    "facet_areas",
    "rattle_atoms",
    "scan_gaps",
    "scan_poses",
    "sheet_ledger",
]


def __getattr__(name: str) -> Any:
    """Former names, kept for one release."""
    if name not in ("Ledger", "Plane"):
        raise AttributeError(name)
    import warnings

    from nanoslab.slab_geometry import Plane

    found, now = (StructureSummary, "StructureSummary") if name == "Ledger" else (Plane, "slab_geometry.Plane")
    warnings.warn(f"nanoslab.builders.{name} is now {now}", DeprecationWarning, stacklevel=2)
    return found
