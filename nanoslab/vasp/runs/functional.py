"""Exchange and correlation in the field's words, from the tags VASP used."""

from __future__ import annotations

from nanoslab.vasp.runs.parsed_run import ParsedRun

_GGA = {
    "PE": "PBE", "PS": "PBEsol", "RP": "RPBE", "RE": "revPBE", "91": "PW91", "CA": "LDA", "AM": "AM05",
    "MK": "optB86b", "BO": "optB88", "OR": "optPBE", "ML": "PW86R", "B3": "B3LYP", "B5": "B3LYP", "BF": "BEEF",
}  # fmt: skip
_DISPERSION = {
    1: "D2", 10: "D2", 11: "D3", 12: "D3(BJ)", 13: "D4", 2: "TS", 20: "TS", 21: "TS/HI", 202: "MBD", 4: "dDsC",
}  # fmt: skip


def functional(run: ParsedRun) -> str | None:
    """Name such as ``PBE``, ``HSE06``, ``PBEsol+U`` or ``PBE+D3(BJ)``; None when no file says."""
    base = _semilocal(run)
    if base is None:
        return None
    if run.logical("LHFCALC"):
        base = _hybrid(run, base)
    if run.logical("LDAU"):
        base += "+U"
    dispersion = run.integer("IVDW", 0)
    if dispersion:
        base += f"+{_DISPERSION.get(dispersion, f'IVDW={dispersion}')}"
    if run.logical("LUSE_VDW"):
        base += "+vdW-DF" if run.integer("IVDW_NL", 1) == 1 else "+rVV10"
    if run.logical("LSORBIT"):
        base += "+SOC"
    return base


def _semilocal(run: ParsedRun) -> str | None:
    meta = (run.tag("METAGGA") or "").strip().upper()
    if meta not in ("", "F", ".FALSE.", "NONE", "--"):
        return {"R2SCA": "R2SCAN"}.get(meta, meta)
    gga = (run.tag("GGA") or "").strip().upper()
    if gga in _GGA:
        return _GGA[gga]
    if gga not in ("", "--"):
        return f"GGA={gga}"
    titles = [title for output in run.outputs for _, title in output.potentials]
    if not titles:
        return None
    if titles[0].startswith("PAW_PBE"):
        return "PBE"
    return "PW91" if "GGA" in titles[0].split()[0] else "LDA"


def _hybrid(run: ParsedRun, base: str) -> str:
    mixing = run.value("AEXX")
    screening = run.value("HFSCREEN") or 0.0
    mixing = 0.25 if mixing is None else mixing
    if base == "B3LYP" or (mixing >= 1 and screening == 0):
        return "B3LYP" if base == "B3LYP" else "HF"
    if base == "PBE" and abs(mixing - 0.25) < 1e-6:
        for name, value in (("PBE0", 0.0), ("HSE06", 0.2), ("HSE03", 0.3)):
            if abs(screening - value) < 0.011:  # 0.2 and 0.207 are both in use
                return name
    return f"{base} hybrid (AEXX={mixing:g}, HFSCREEN={screening:g})"
