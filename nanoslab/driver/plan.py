"""The campaign as its driver sees it: names, parents, sizes and commands, without reading one structure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoslab.driver.config import Cluster
from nanoslab.driver.job import JobOrder
from nanoslab.driver.names import calculation_names, campaign_label, matching
from nanoslab.errors import InputError
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
        There is no campaign, or one of its decks is broken.
    """
    return parents_first([_planned(campaign / name) for name in calculation_names(campaign)])


def _planned(folder: Path) -> Planned:
    document = read_manifest(folder)
    return Planned(
        name=folder.name,
        n_atoms=len(document["poscar_order"]),
        starts_from=document["starts_from"],
        build=str(document.get("vasp_binary", "vasp_std")).removeprefix("vasp_"),
        has_potcar=(folder / "POTCAR").is_file(),
    )


def parents_first(planned: Sequence[Planned]) -> tuple[Planned, ...]:
    """Give an order in which every calculation comes after the one it starts from.

    Raises
    ------
    InputError
        A parent is not there, or a circle.

    Examples
    --------
    >>> [p.name for p in parents_first([Planned(name="a", n_atoms=1, starts_from="z"), Planned(name="z", n_atoms=2)])]
    ['z', 'a']
    """
    by_name = {item.name: item for item in planned}
    ordered: dict[str, Planned] = {}
    for item in planned:
        chain: list[Planned] = []
        link: str | None = item.name
        while link is not None and link not in ordered:
            if link not in by_name or by_name[link] in chain:
                got = f"{link!r}, which is not in the campaign" if link not in by_name else "itself in a circle"
                raise InputError(f"{item.name}: starts_from", expected="another calculation", got=got)
            chain.append(by_name[link])
            link = by_name[link].starts_from
        ordered.update({member.name: member for member in reversed(chain)})
    return tuple(ordered.values())


def selected(planned: Sequence[Planned], patterns: Iterable[str]) -> tuple[Planned, ...]:
    """Calculations whose name matches one of the shell patterns, and what they start from; all without any pattern.

    Raises
    ------
    InputError
        A pattern matches nothing.

    Examples
    --------
    >>> both = [Planned(name="z", n_atoms=2), Planned(name="a1", n_atoms=1, starts_from="z")]
    >>> [p.name for p in selected(both, ["a*"])]
    ['z', 'a1']
    """
    patterns = tuple(patterns)
    names = [item.name for item in planned]
    wanted = set(names) if not patterns else matching(names, patterns)
    for item in reversed(planned):  # children stand after their parents
        if item.name in wanted and item.starts_from is not None:
            wanted.add(item.starts_from)
    return tuple(item for item in planned if item.name in wanted)


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
