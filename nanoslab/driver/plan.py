"""The campaign as its driver sees it: names, parents, sizes and commands, without reading one structure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nanoslab.campaign.format import n_atoms, read_document
from nanoslab.campaign.graph import parents_first
from nanoslab.campaign.names import calculation_names
from nanoslab.campaign.study_copy import require_unchanged_study
from nanoslab.driver.config import Cluster
from nanoslab.driver.job import JobOrder
from nanoslab.driver.names import campaign_label
from nanoslab.vasp.inputs.manifest import read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One calculation of a campaign.

    Attributes
    ----------
    name, starts_from
        Its folder, and the calculation whose relaxed structure it starts from.
    n_atoms
        In its POSCAR.
    build
        Which VASP it needs: ``std``, ``gam`` or ``ncl``.
    has_potcar
        Whether a POTCAR lies in its folder.

    Examples
    --------
    >>> Planned(name="sheet", n_atoms=28).build
    'std'
    """

    name: str
    n_atoms: int
    starts_from: str | None = None
    build: str = "std"
    has_potcar: bool = True


def read_plan(campaign: Path) -> tuple[Planned, ...]:
    """Calculations of a campaign, parents before those that start from them.

    Raises
    ------
    FileError
        There is no campaign, one of its calculations is broken, or its study was edited since it was written.
    """
    require_unchanged_study(campaign)
    return parents_first([_planned(campaign / name) for name in calculation_names(campaign)])


def _planned(folder: Path) -> Planned:
    document = read_document(folder)
    return Planned(
        name=folder.name,
        n_atoms=n_atoms(document),
        starts_from=document["starts_from"],
        build=str(read_manifest(folder).get("vasp_binary", "vasp_std")).removeprefix("vasp_"),
        has_potcar=(folder / "POTCAR").is_file(),
    )


def job_order(campaign: Path, item: Planned, cluster: Cluster, *, source: str, label: str) -> JobOrder:
    """Everything the node needs to know about one calculation."""
    folder = campaign.resolve()
    suffix = f".{label}" if label else ""
    return JobOrder(
        campaign=str(folder),
        name=item.name,
        source=source,
        label=label,
        backend=cluster.backend,
        vasp_command=cluster.vasp.command(item.build) if source == "vasp" else (),
        custodian=cluster.custodian,
        stop_before_end=float(cluster.stop_before_end),
        frozen_after=float(cluster.frozen_after),
        wall_time=0.0 if cluster.backend == "local" else float(cluster.wall_time),
        ranks=cluster.ranks_for(item.n_atoms),
        job_name=f"{campaign_label(campaign)}.{item.name}{suffix}",
    )
