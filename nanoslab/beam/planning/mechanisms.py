"""Which mechanism could explain a loss that was seen after a dose: knock-on, knock-on of loosened atoms, or unknown.

Notes
-----
A loss f after a dose D needs the cross-section σ = -ln(1 - f)/D per atom. Knock-on has a lowest and a highest one (the
threshold at its highest and lowest, the way out the narrowest and widest). Above the highest something else is at work.
If the atoms were loosened by the same electron down to some threshold (`nanoslab.beam.excitation`), the chance of that
would have to be at least (σ - σ_knock-on)/σ(loosened); above 1 even that is not enough. For CdSe and PbSe nobody has
measured that chance, nor the cross-section of damage without any push: what is left is therefore called unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log1p
from typing import Any

from nanoslab.beam.checks import require_positive
from nanoslab.beam.conditions import Conditions
from nanoslab.beam.dose import A2_PER_BARN
from nanoslab.beam.knockon import cross_section
from nanoslab.errors import InputError

KNOCK_ON = "knock-on explains it"
LOW_THRESHOLD = "knock-on explains it if the threshold is low"
ASSISTED = "knock-on alone does not explain it; loosening by ionisation might; unknown"
UNKNOWN = "no kind of knock-on explains it; unknown"

#: threshold of an atom that is all but loose [eV]; no excitation lowers it more than to nothing, and σ grows as
#: 1/threshold
LOOSENED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a loss asks of each mechanism.

    Attributes
    ----------
    element, beam_energy_keV, dose_e_per_A2, loss
        What was seen.
    needed_barn
        Cross-section per atom that the loss needs [barn].
    knock_on_barn
        Lowest and highest of knock-on [barn].
    needed_excitation
        Chance of finding the atom loosened to 0.5 eV that closes the gap; 0 where knock-on is enough, above 1 where
        nothing of the kind is.
    verdict
        In words.
    """

    element: str
    beam_energy_keV: float
    dose_e_per_A2: float
    loss: float
    needed_barn: float
    knock_on_barn: tuple[float, float]
    needed_excitation: float
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        return asdict(self) | {"knock_on_barn": list(self.knock_on_barn)}


def explain_loss(material: str, element: str, loss: float, beam_energy_keV: float, dose_e_per_A2: float) -> Explanation:
    """Which mechanism could have taken a fraction of an element.

    Parameters
    ----------
    material, element
        Such as ``CdSe`` and ``Se``; thresholds as in `nanoslab.beam.plan_session`, of the weakest site.
    loss
        Fraction of the atoms that are gone, 0 to 1.
    beam_energy_keV, dose_e_per_A2
        [keV], [e/Å²].

    Examples
    --------
    Ma et al. 2023, ex situ, and what 300 kV would need:

    >>> explain_loss("CdSe", "Se", 0.2, 200, 3.7e3).verdict
    'knock-on alone does not explain it; loosening by ionisation might; unknown'
    >>> explain_loss("CdSe", "Se", 0.2, 300, 1e5).verdict
    'knock-on explains it if the threshold is low'
    """
    ((explanation,),) = explanation_map(material, element, loss, [beam_energy_keV], [dose_e_per_A2])
    return explanation


def explanation_map(
    material: str, element: str, loss: float, kilovolts: Sequence[float], doses_e_per_A2: Sequence[float]
) -> tuple[tuple[Explanation, ...], ...]:
    """`explain_loss` for every voltage (rows) and dose (columns).

    Examples
    --------
    >>> rows = explanation_map("PbSe", "Se", 0.1, [80, 300], [1e2, 1e4, 1e6])
    >>> for row in rows:
    ...     print([cell.verdict for cell in row][1:])
    ['knock-on alone does not explain it; loosening by ionisation might; unknown', 'knock-on alone ...']
    ['knock-on alone does not explain it; loosening by ionisation might; unknown', 'knock-on explains it']
    """
    from nanoslab.beam.planning.session import site_intervals

    for dose in doses_e_per_A2:
        require_positive("dose", dose, "e/Å²")
    if not 0 < loss < 1:
        raise InputError("loss", expected="a fraction between 0 and 1", got=loss, advice="20 % is 0.2")
    intervals = [site.interval for site in site_intervals(material, {}) if site.element == element]
    if not intervals:
        raise InputError("element", expected=f"one of {material}", got=element)
    low, high = min(intervals)
    return tuple(_row(element, loss, kv, doses_e_per_A2, (low, high)) for kv in kilovolts)


def _row(
    element: str, loss: float, kilovolts: float, doses: Sequence[float], thresholds: tuple[float, float]
) -> tuple[Explanation, ...]:
    """Explanations at one voltage, whose cross-sections are the same for every dose."""
    conditions, (low, high) = Conditions(), thresholds
    barns = (
        cross_section(element, kilovolts, high, conditions, "planar"),
        cross_section(element, kilovolts, low, conditions, "spherical"),
    )
    loosened = cross_section(element, kilovolts, LOOSENED, conditions, "spherical")
    row = []
    for dose in doses:
        needed = -log1p(-loss) / (dose * A2_PER_BARN)
        excited = max(needed - barns[1], 0.0) / max(loosened - barns[1], 1e-300)
        verdict = KNOCK_ON if needed <= barns[0] else LOW_THRESHOLD if needed <= barns[1] else ASSISTED
        row.append(
            Explanation(
                element=element,
                beam_energy_keV=float(kilovolts),
                dose_e_per_A2=float(dose),
                loss=loss,
                needed_barn=needed,
                knock_on_barn=barns,
                needed_excitation=excited,
                verdict=UNKNOWN if excited > 1 else verdict,
            )
        )
    return tuple(row)
