"""Scattering of a structure: Debye intensity, pair distribution function, fit to a measured one; sizes from SAXS.

Examples: nanoslab scatter cluster.xyz --q-max 20 --plot intensity.pdf
          nanoslab scatter cluster.xyz --pdf --u-iso Cd=0.02 Se=0.02
          nanoslab scatter zb.xyz wz.xyz --fit measured.gr --r-min 1 --r-max 20 --q-max 18.5 --qdamp 0.06
          nanoslab scatter saxs.dat --sizes 7 12

The structure is taken as it stands in the file, without periodic images, in all orientations. With --fit the structures
are ranked by how well each explains a measured G(r); with --sizes FILE holds q [1/Å], intensity and its error.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoslab.cli.measuring.inputs import numbers_by_element, plot_curves, read_atoms, read_columns, require_one
from nanoslab.cli.output import add_json_option, print_json, print_note, print_table
from nanoslab.errors import InputError

if TYPE_CHECKING:
    from nanoslab.measure.scattering import PdfFit, PdfWindow

SHOWN = 11


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, nargs="+", help="structure file; several with --fit; columns of numbers with --sizes")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--pdf", action="store_true", help="G(r) instead of the intensity")
    mode.add_argument("--minus", type=Path, metavar="FILE", help="G(r) less that of another structure")
    mode.add_argument("--fit", type=Path, metavar="FILE", help="rank structures against a measured G(r): r [Å], G")
    mode.add_argument("--sizes", type=float, nargs=2, metavar="A", help="radii of spheres between two lengths [Å]")
    add("--form-factor", choices=("xray", "electron", "unity"), default="xray", help="(default: %(default)s)")
    add("--q-min", type=float, metavar="Q", help="1/Å (default: 0; of a G(r) 0.9)")
    add("--q-max", type=float, metavar="Q", default=20.0, help="1/Å (default: %(default)s)")
    add("--points", type=int, metavar="N", default=1001, help="of q or r (default: %(default)s)")
    add("--r-min", type=float, metavar="A", default=1.0, help="of a G(r) [Å] (default: %(default)s)")
    add("--r-max", type=float, metavar="A", default=20.0, help="of a G(r) [Å] (default: %(default)s)")
    add("--qdamp", type=float, metavar="Q", default=0.0, help="damping of G(r) by the resolution [1/Å] (default: 0)")
    add("--u-iso", nargs="+", metavar="[ELEMENT=]A2", default=(), help="mean square displacements B/(8 pi²) [Å²]")
    add("--delta2", type=float, metavar="A2", default=0.0, help="correlated motion of near atoms [Å²] (default: 0)")
    add("--plot", metavar="FILE", help="as .pdf, .svg or .png")
    add_json_option(parser)


def run(arguments: Namespace) -> None:
    if not 2 <= arguments.points <= 1_000_000:
        raise InputError("--points", expected="2 to 1,000,000", got=arguments.points)
    if arguments.sizes:
        _sizes(arguments)
    elif arguments.fit:
        _fit(arguments)
    elif arguments.pdf or arguments.minus:
        _pdf(arguments)
    else:
        _intensity(arguments)


def _intensity(arguments: Namespace) -> None:
    import numpy as np

    from nanoslab.measure.scattering import debye_intensity

    require_one("FILE", arguments.file, "of a structure")
    q_min = arguments.q_min or 0.0
    if not 0 <= q_min < arguments.q_max:
        raise InputError("--q-min", expected="0 <= q-min < q-max", got=f"{q_min:g} and {arguments.q_max:g}")
    atoms = read_atoms(arguments.file[0])
    q = np.linspace(q_min, arguments.q_max, arguments.points)
    intensity = debye_intensity(atoms, q, arguments.form_factor, _vibration(arguments, atoms))
    document = {
        "formula": atoms.get_chemical_formula(),
        "n_atoms": len(atoms),
        "form_factor": arguments.form_factor,
        "q_per_A": q.tolist(),
        "intensity": intensity.tolist(),
    }
    _finish(arguments, document, ("q_per_A", "q [1/Å]"), ("intensity", "intensity"), log=True)


def _pdf(arguments: Namespace) -> None:
    import numpy as np

    from nanoslab.measure.scattering import pair_distribution

    require_one("FILE", arguments.file, "of a structure")
    if not 0 < arguments.r_min < arguments.r_max:
        raise InputError("--r-min", expected="0 < r-min < r-max", got=f"{arguments.r_min:g} and {arguments.r_max:g}")
    r = np.linspace(arguments.r_min, arguments.r_max, arguments.points)
    values = np.zeros_like(r)
    structures = [read_atoms(path) for path in (arguments.file[0], arguments.minus) if path is not None]
    for atoms, sign in zip(structures, (1.0, -1.0), strict=False):
        found = pair_distribution(atoms, r, _window(arguments), _vibration(arguments, atoms), arguments.form_factor)
        values += sign * found
    document = {
        "formula": structures[0].get_chemical_formula(),
        "minus": structures[1].get_chemical_formula() if arguments.minus else None,
        "r_A": r.tolist(),
        "g_per_A2": values.tolist(),
    }
    _finish(arguments, document, ("r_A", "r [Å]"), ("g_per_A2", "G [1/Å²]"), log=False)


def _fit(arguments: Namespace) -> None:
    from nanoslab.measure.scattering import MeasuredPdf, rank_structures

    r, values = read_columns(arguments.fit, 2)[:2]
    chosen = (r >= arguments.r_min - 1e-9) & (r <= arguments.r_max + 1e-9)
    measured = MeasuredPdf(radii=r[chosen], values=values[chosen], window=_window(arguments))
    fits = rank_structures(measured, {str(path): read_atoms(path) for path in arguments.file})
    document = {"fits": [_fit_row(fit, fits[0]) for fit in fits]}
    if arguments.plot:
        curves = {"measured": (r[chosen], values[chosen]), fits[0].name: (r[chosen], fits[0].values)}
        plot_curves(arguments.plot, curves, "r (Å)", "G (1/Å²)", log=False)
    if arguments.json:
        print_json(document)
        return
    columns = ["structure", "R_w", "evidence", *fits[0].parameters]
    rows = []
    for fit in fits:
        numbers = [f"{value:.4g}±{fit.errors[name]:.1g}" for name, value in fit.parameters.items()]
        rows.append([fit.name, f"{fit.weighted_residual:.4f}", f"{fit.evidence - fits[0].evidence:.1f}", *numbers])
    print_table(columns, rows)
    print_note("R_w = sqrt(sum (G - fit)²/sum G²). Evidence: Akaike's criterion above the best; above 10 is ruled out.")
    for fit in fits:
        if fit.at_bounds:
            print_note(f"{fit.name}: {', '.join(fit.at_bounds)} ended at the end of the range: not determined.")


def _fit_row(fit: PdfFit, best: PdfFit) -> dict[str, Any]:
    return {
        "structure": fit.name,
        "weighted_residual": fit.weighted_residual,
        "evidence_above_best": fit.evidence - best.evidence,
        "parameters": dict(fit.parameters),
        "errors": dict(fit.errors),
        "at_bounds": list(fit.at_bounds),
    }


def _sizes(arguments: Namespace) -> None:
    from nanoslab.measure.scattering import fit_sizes

    require_one("FILE", arguments.file, "of q, intensity and error")
    q, intensity, errors = read_columns(arguments.file[0], 3)[:3]
    found = fit_sizes(q, intensity, errors, radii_between=tuple(arguments.sizes))
    names = ("radii", "radius_errors", "fractions", "fraction_errors")
    rows = list(zip(*(getattr(found, name).tolist() for name in names), strict=True))
    keys = ("radius_A", "radius_error_A", "fraction", "fraction_error")
    document = {
        "sizes": [dict(zip(keys, row, strict=True)) for row in rows],
        "reduced_chi_square": found.reduced_chi_square,
        "bayes_factors": list(found.bayes_factors),
        "background": found.background,
    }
    if arguments.json:
        print_json(document)
        return
    columns = ["radius [Å]", "error", "share of particles", "error"]
    print_table(columns, [[f"{value:.3f}" for value in row] for row in rows])
    factors = ", ".join(f"{n}: {factor:.2g}" for n, factor in enumerate(found.bayes_factors, 1))
    print_note(f"chi²/f = {found.reduced_chi_square:.2f}. Odds of this number of radii against others: {factors}.")


def _window(arguments: Namespace) -> PdfWindow:
    from nanoslab.measure.scattering import PdfWindow

    q_min = 0.9 if arguments.q_min is None else arguments.q_min
    return PdfWindow(q_min=q_min, q_max=arguments.q_max, qdamp=arguments.qdamp)


def _vibration(arguments: Namespace, atoms: Any) -> Any:
    from nanoslab.measure.scattering import Vibration

    elements = tuple(dict.fromkeys(atoms.get_chemical_symbols()))
    displacements = numbers_by_element("--u-iso", arguments.u_iso, elements, "Å²")
    return Vibration(mean_square_displacements=displacements, delta2=arguments.delta2)


def _finish(
    arguments: Namespace, document: dict[str, Any], x: tuple[str, str], y: tuple[str, str], *, log: bool
) -> None:
    """Plot and print a curve; a terminal sees eleven points or so."""
    if arguments.plot:
        plot_curves(arguments.plot, {y[1]: (document[x[0]], document[y[0]])}, x[1], y[1], log=log)
    if arguments.json:
        print_json(document)
        return
    step = max((len(document[x[0]]) - 1) // (SHOWN - 1), 1)
    rows = zip(document[x[0]][::step], document[y[0]][::step], strict=True)
    print_table([x[1], y[1]], [[f"{a:.4g}", f"{b:.5g}"] for a, b in rows])
    n_points = len(document[x[0]])
    print_note(f"{document['formula']}: {len(range(0, n_points, step))} of {n_points} points; --json has all.")
