"""The part of ``nanoslab build vacancies`` that writes one file instead of folders."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.output import print_json
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.builders.enumeration.removal import Block, Removal


def add_stream_arguments(parser: ArgumentParser) -> None:
    """Counts of several species, one file, filters, and draws."""
    parser.add_argument(
        "--remove",
        nargs="+",
        type=_counts,
        metavar="EL=N",
        help="atoms of each element to remove, such as Se=3 Cd=1, or from N to M as Se=1-4; with --stream",
    )
    parser.add_argument(
        "--stream", type=Path, metavar="FILE", help="write one table (.parquet) or all structures (.extxyz) instead"
    )
    filters = (
        ("--depth", "depth below the nearer face [Å]"),
        ("--apart", "distance between any two removed atoms [Å]"),
        ("--charge", "formal charge of what is left [e]"),
    )
    for name, words in filters:
        parser.add_argument(name, nargs=2, type=float, metavar=("MIN", "MAX"), help=f"keep only ways with this {words}")
    parser.add_argument("--sample", type=int, metavar="N", help="draw N ways at random instead of listing all")
    parser.add_argument(
        "--weights",
        choices=("degeneracy", "equal"),
        default="degeneracy",
        help="draw as random loss would (default), or every distinct way with the same chance",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default 0)")


def stream(arguments: Namespace) -> None:
    """Count, list or draw, and print what was written."""
    from nanoslab.builders.enumeration import removals, write_table
    from nanoslab.cli.structures import read_structure

    _refuse(arguments)
    slab = read_structure(arguments.slab)
    filters = {name: tuple(value) for name in ("depth", "apart", "charge") if (value := getattr(arguments, name))}
    questions = removals(
        slab, dict(arguments.remove), region=arguments.region, tolerance=arguments.tolerance, **filters
    )
    document: dict[str, Any] = {
        "slab": str(arguments.slab),
        "region": arguments.region,
        "filters": {name: list(value) for name, value in filters.items()},
        "counts": [_count(one) for one in questions],
    }
    if arguments.stream is not None:
        draws: list[dict[str, Any]] = []

        def blocks() -> Iterator[tuple[Removal, Block]]:
            for one in questions:
                if arguments.sample is None:
                    yield from ((one, block) for block in one.blocks())
                    continue
                alike = arguments.weights == "equal"
                block, drawn = one.sample(arguments.sample, seed=arguments.seed, each_way_alike=alike)
                draws.append({"remove": dict(one.counts), "n_drawn": drawn.n_draws, "share_passing": drawn.passing})
                yield one, block

        rows = write_table(arguments.stream, blocks(), questions, sampled=arguments.sample is not None)
        document |= {"file": str(arguments.stream), "n_rows": rows}
        if arguments.sample is not None:
            document |= {"seed": arguments.seed, "weights": arguments.weights, "draws": draws}
    if arguments.json:
        print_json(document)
        return
    for row in document["counts"]:
        removed = " ".join(f"{species}={number}" for species, number in row["remove"].items())
        passing = "" if not filters else f", {row['n_passing'] or 'not counted how many'} passing the filters"
        print(f"{removed}: {row['n_distinct']} distinct of {row['n_total']} ways{passing}")
    for row in document.get("draws", ()):
        print(f"{row['n_drawn']} drawn, {row['share_passing']:.3g} of them passing the filters")
    if arguments.stream is not None:
        print(f"wrote {document['n_rows']} rows to {arguments.stream}")


def _count(one: Removal) -> dict[str, Any]:
    return {
        "remove": dict(one.counts),
        "n_distinct": one.n_distinct,
        "n_total": one.n_total,
        "n_passing": one.n_passing,
        "n_operations": len(one.sites.permutations),
    }


def _refuse(arguments: Namespace) -> None:
    if arguments.output is not None:
        raise InputError("--output", expected="none beside --remove", got=arguments.output, advice="give --stream FILE")
    if arguments.stream is None and not arguments.count_only:
        raise InputError(
            "--stream", expected="a file", got="none", advice="give --stream ways.parquet, or --count-only"
        )
    if arguments.stream is not None and arguments.count_only:
        raise InputError(
            "--count-only", expected="no file to write", got=arguments.stream, advice="give one of the two"
        )


def _counts(text: str) -> tuple[str, int | tuple[int, int]]:
    element, _, numbers = text.partition("=")
    low, dash, high = numbers.partition("-")
    if not low.isdigit() or (dash and not high.isdigit()):
        raise ArgumentTypeError(f"expected an element and a number as Se=3 or Se=1-4, got {text!r}")
    return element, (int(low), int(high)) if dash else int(low)
