"""The answer in one sentence: which atoms a head-on collision moves, and from which voltage on. No heavy library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nanoslab.beam.kinematics import max_transferred_energy, threshold_beam_energy


def knockon_sentence(lowest: Mapping[str, float], kilovolts: Sequence[float]) -> str:
    """What head-on collisions do to atoms at rest, in words.

    Parameters
    ----------
    lowest
        For each element the lowest threshold [eV].
    kilovolts
        Voltages asked about; none for the voltages from which on atoms move.

    Examples
    --------
    >>> knockon_sentence({"Mo": 20.0, "S": 6.9}, [80])
    '80 kV: no head-on collision moves Mo or S at rest; S from 92 kV, Mo from 564 kV.'
    >>> knockon_sentence({"Se": 4.47}, [200])
    '200 kV: a head-on collision can move Se (6.64 eV, 4.47 needed); Se from 141 kV.'
    >>> knockon_sentence({"C": 21.14}, [])
    'At rest no head-on collision moves C below 105 kV.'
    """
    onsets = {element: float(threshold_beam_energy(element, energy)) for element, energy in lowest.items()}
    order = sorted(onsets, key=onsets.__getitem__)
    from_on = ", ".join(f"{element} from {_kilovolts(onsets[element])} kV" for element in order)
    if not kilovolts:
        first = onsets[order[0]]
        sentence = f"At rest no head-on collision moves {_joined(list(lowest), 'or')} below {_kilovolts(first)} kV"
        return f"{sentence}: {from_on}." if len(order) > 1 else f"{sentence}."
    parts = []
    still = [kv for kv in kilovolts if all(kv < onset for onset in onsets.values())]
    if still:
        none = _joined(list(lowest), "or")
        parts.append(f"{_joined([f'{kv:g}' for kv in still], 'and')} kV: no head-on collision moves {none} at rest")
    for kv in (kv for kv in kilovolts if kv not in still):
        moved = [
            f"{element} ({float(max_transferred_energy(element, kv)):.3g} eV, {lowest[element]:.3g} needed)"
            for element in order
            if kv >= onsets[element]
        ]
        subject = "it" if parts else "a head-on collision"
        parts.append(f"{kv:g} kV: {subject} can move {_joined(moved, 'and')}")
    return "; ".join([*parts, from_on]) + "."


def _kilovolts(onset: float) -> str:
    return f"{onset:.0f}"


def _joined(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
