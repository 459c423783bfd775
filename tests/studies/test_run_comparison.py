"""Two runs compared: what VASP used decides, and energies are subtracted only where they mean something."""

import json
from pathlib import Path

import numpy as np
import pytest
import vasp_writers as writers

from nanoslab.cli.main import main
from nanoslab.studies.run_comparison import compare_runs
from nanoslab.vasp import read_run


def run_in(folder: Path, run, change=lambda text: text) -> Path:
    folder.mkdir()
    (folder / "vasprun.xml").write_bytes(change(writers.vasprun(run)))
    return folder


def test_two_equal_runs_differ_in_nothing_and_may_be_subtracted(tmp_path: Path) -> None:
    first = run_in(tmp_path / "a", writers.Run(steps=(writers.shifted(-20.0), writers.Step())))
    found = compare_runs(read_run(first), read_run(first))
    assert found.differences == ()
    assert found.reasons == ()
    assert found.energy_difference == 0.0
    assert found.largest_displacement == pytest.approx(0.0, abs=1e-12)


def test_another_cutoff_is_named_and_forbids_the_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = writers.Run(steps=(writers.Step(),))
    cutoff = read_run(run_in(tmp_path / "a", run)).cutoff_energy
    assert cutoff is not None
    text = (tmp_path / "a" / "vasprun.xml").read_bytes()
    (tmp_path / "b").mkdir()
    words = {f"{cutoff:.8f}".encode(), f"{cutoff:.1f}".encode(), f"{cutoff:g}".encode()}
    for word in sorted(words, key=len, reverse=True):
        if word in text:
            text = text.replace(word, f"{cutoff + 100:.8f}".encode())
            break
    (tmp_path / "b" / "vasprun.xml").write_bytes(text)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["may_be_subtracted"] is False
    assert document["energy_difference_eV"] is None
    assert any("cutoff (ENCUT)" in reason for reason in document["reasons"])
    assert any(one["kind"] == "INCAR" for one in document["differences"])
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "must not be subtracted" in capsys.readouterr().out


def test_an_unconverged_run_forbids_the_difference(tmp_path: Path) -> None:
    good = run_in(tmp_path / "a", writers.Run(steps=(writers.Step(),)))
    bad = run_in(tmp_path / "b", writers.Run(steps=(writers.shifted(-19.0, n=60, last_change=0.1),)))
    found = compare_runs(read_run(good), read_run(bad))
    assert found.energy_difference is None
    assert any("b is not converged: electrons not converged" in reason for reason in found.reasons)
    assert None not in found.energies


def test_read_plots_sorts_and_keeps_only_the_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_in(tmp_path / "low", writers.Run(steps=(writers.shifted(-20.0), writers.shifted(-30.0))))
    run_in(tmp_path / "high", writers.Run(steps=(writers.Step(),)))
    run_in(tmp_path / "bad", writers.Run(steps=(writers.shifted(-19.0, n=60, last_change=0.1),)))
    assert main(["read", str(tmp_path), "--sort", "energy", "--json"]) == 0
    energies = [row["energy_eV"] for row in json.loads(capsys.readouterr().out)["runs"]]
    assert energies == sorted(energies)
    assert main(["read", str(tmp_path), "--failed", "--json"]) == 0
    assert [Path(row["path"]).name for row in json.loads(capsys.readouterr().out)["runs"]] == ["bad"]
    assert main(["read", str(tmp_path), "--details", "--plot", str(tmp_path / "steps.svg")]) == 0
    said = capsys.readouterr()
    assert "3 of 3 runs" in said.err
    assert "Fermi [eV]" in said.out
    assert (tmp_path / "steps.svg").read_text().count("<svg") == 1


def test_the_forces_of_the_plot_end_at_the_force_of_the_table(tmp_path: Path) -> None:
    from nanoslab.cli.runs.read_plot import largest_forces

    result = read_run(run_in(tmp_path / "a", writers.Run(steps=(writers.shifted(-20.0), writers.Step()))))
    forces = largest_forces(result)
    assert len(forces) == 2
    assert forces[-1] == pytest.approx(result.max_free_force)


def test_fermi_level_volume_and_memory_are_what_the_files_say(tmp_path: Path) -> None:
    run = writers.Run(steps=(writers.Step(),))
    dos = b'<dos>\n  <i name="efermi">      1.23450000 </i>\n  <total></total></dos>\n </calculation>'
    result = read_run(run_in(tmp_path / "a", run, lambda text: text.replace(b"</calculation>", dos)))
    assert result.fermi_energy == 1.2345
    frame = result.final
    assert result.volume == pytest.approx(abs(np.linalg.det(frame.lattice)))
    assert result.energy_per_atom == pytest.approx(result.energy / result.n_atoms)
    (tmp_path / "b").mkdir()
    text = writers.outcar(run)
    assert b"Voluntary" in text
    memory = b"Voluntary context switches:"
    used = b"                  Maximum memory used (kb):      123456.\n" + b" " * 25
    (tmp_path / "b" / "OUTCAR").write_bytes(text.replace(memory, used + memory, 1))
    found = read_run(tmp_path / "b")
    assert found.memory_MB == pytest.approx(123.456)
    assert found.seconds_per_step == pytest.approx(found.elapsed_s)
