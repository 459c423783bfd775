"""``vaspout.h5``: the same numbers and verdicts as the other files of a run give, whole, cut or hostile."""

from __future__ import annotations

import gzip
from dataclasses import replace

import h5py
import numpy as np
import pytest
from vasp_writers import LICENSED, Run, Step, outcar, shifted, vaspout, vasprun

from nanoslab.vasp import read_run, read_trajectory

RELAXED = Run(version="6.5.0", steps=(shifted(-20.4), shifted(-20.5), shifted(-20.50001)))
SPIN = (np.array([[[-5.0, -1.0, 0.9], [-4.0, -2.0, 1.5]], [[-5.0, -1.2, 0.7], [-4.0, -2.0, 1.5]]]),
        np.array([[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]], [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]]))  # fmt: skip


@pytest.fixture
def both(tmp_path):
    """The run as vaspout.h5 and as vasprun.xml."""
    (tmp_path / "vasprun.xml").write_bytes(vasprun(RELAXED))
    vaspout(RELAXED, tmp_path / "vaspout.h5")
    return tmp_path


def test_it_tells_what_vasprun_tells(both):
    ours, other = read_run(both / "vaspout.h5"), read_run(both / "vasprun.xml")
    for name in (
        *("energy", "free_energy", "max_free_force", "n_ionic_steps", "kind", "formula", "volume", "complete"),
        *("electronic_converged", "ionic_converged", "converged", "potentials", "functional", "problems"),
    ):
        expected = getattr(other, name)
        assert getattr(ours, name) == (pytest.approx(expected, abs=1e-8) if isinstance(expected, float) else expected)
    assert ours.converged
    assert (ours.mesh, ours.n_kpoints, ours.cutoff_energy, ours.fermi_energy) == ((4, 3, 1), 2, 400.0, -0.1)
    assert ours.vasp_version == "6.5.0"
    for mine, theirs in zip(read_trajectory(both / "vaspout.h5"), read_trajectory(both / "vasprun.xml"), strict=True):
        assert np.abs(mine.positions - theirs.positions).max() < 1e-6
        assert np.abs(mine.get_stress() - theirs.get_stress()).max() < 1e-9
        assert np.abs(mine.get_forces(apply_constraint=False) - theirs.get_forces(apply_constraint=False)).max() < 1e-8


def test_pymatgen_reads_the_same_energy_and_structure_from_our_synthetic_file(both):
    from pymatgen.io.vasp.outputs import Vaspout

    with h5py.File(both / "vaspout.h5", "a") as file:
        del file["input/potcar/content"]  # ours is no POTCAR
    peer = Vaspout(both / "vaspout.h5", parse_dos=False, store_potcar=False)
    ours = read_run(both / "vaspout.h5")
    assert ours.energy == pytest.approx(float(peer.final_energy), abs=1e-8)
    theirs = peer.ionic_steps[-1]["structure"]
    assert np.abs(ours.to_atoms().positions - theirs.cart_coords).max() < 1e-8


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (replace(RELAXED, steps=(shifted(-20.5, last_change=0.1, n=60),)), "electrons not converged in ionic step 1"),
        (replace(RELAXED, steps=(Step(forces=np.full((4, 3), 0.3)),)), "ions not relaxed"),
    ],
)
def test_it_is_judged_as_the_other_files_are(run, says, tmp_path):
    vaspout(run, tmp_path / "vaspout.h5")
    found = read_run(tmp_path)
    assert not found.converged
    assert any(says in problem for problem in found.problems), found.problems


def test_before_6_5_it_tells_no_electronic_steps_and_is_not_called_converged(tmp_path):
    vaspout(replace(RELAXED, version="6.4.2"), tmp_path / "vaspout.h5", with_rounds=False)
    alone = read_run(tmp_path)
    assert not alone.converged
    assert "nobody knows" in alone.problems[0]
    (tmp_path / "OUTCAR").write_bytes(outcar(replace(RELAXED, version="6.4.2")))
    assert read_run(tmp_path).converged


def test_a_killed_run_has_its_finished_steps_and_is_not_complete(tmp_path):
    vaspout(RELAXED, tmp_path / "vaspout.h5", finished=False)
    with h5py.File(tmp_path / "vaspout.h5", "a") as file:
        rows = file["intermediate/ion_dynamics/oszicar"][:]
        del file["intermediate/ion_dynamics/oszicar"]
        file["intermediate/ion_dynamics/oszicar"] = np.vstack([rows, rows[:2]])
    found = read_run(tmp_path)
    assert (found.n_ionic_steps, found.complete, found.converged) == (3, False, False)
    assert "after ionic step 3" in found.problems[0]


def test_cut_anywhere_it_tells_no_number_that_is_not_in_the_whole_file(tmp_path):
    vaspout(RELAXED, tmp_path / "whole.h5")
    content = (tmp_path / "whole.h5").read_bytes()
    whole = read_run(tmp_path / "whole.h5")
    told = 0
    for size in range(0, len(content), 797):
        path = tmp_path / "vaspout.h5"
        path.write_bytes(content[:size])
        found = read_run(path)
        assert not found.converged
        assert found.problems
        assert found.energy in (None, whole.energy)
        assert found.max_free_force in (None, whole.max_free_force)
        told += found.energy is not None
    assert told > 0  # VASP writes the results last: a file that lost its end still tells the energies


def test_changed_bytes_never_make_a_converged_run_of_another_energy(tmp_path):
    """HDF5 keeps no checksums; what shows a changed energy are F, E and E0 and the last electronic step."""
    import random

    chance = random.Random(3)
    vaspout(RELAXED, tmp_path / "whole.h5")
    content, whole = (tmp_path / "whole.h5").read_bytes(), read_run(tmp_path / "whole.h5")
    path = tmp_path / "vaspout.h5"
    told = 0
    for _ in range(250):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 1, 3, 20))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        found = read_run(path)
        told += not found.converged
        assert not found.converged or abs(found.energy - whole.energy) < 1e-6
    assert told > 0


def test_a_packed_file_is_read_as_the_plain_one(both):
    (both / "packed").mkdir()
    (both / "packed" / "vaspout.h5.gz").write_bytes(gzip.compress((both / "vaspout.h5").read_bytes()))
    assert read_run(both / "packed").energy == read_run(both / "vaspout.h5").energy


def test_no_word_of_the_potcar_leaves_the_file(both):
    found = read_run(both / "vaspout.h5")
    assert found.potentials == {"Cd": "PAW_PBE Cd 06Sep2000", "Se": "PAW_PBE Se 06Sep2000"}
    assert LICENSED.split()[-1] not in repr(found)


def test_the_titles_are_also_found_where_pymatgen_took_the_potcar_out(both):
    with h5py.File(both / "vaspout.h5", "a") as file:
        del file["input/potcar/content"]
        file["input/potcar/spec"] = np.bytes_(b'[{"titel": "PAW_PBE Cd 06Sep2000"}, {"titel": "PAW_PBE Se 06Sep2000"}]')
    assert dict(read_run(both / "vaspout.h5").potentials) == {
        "Cd": "PAW_PBE Cd 06Sep2000",
        "Se": "PAW_PBE Se 06Sep2000",
    }


def test_links_out_of_the_file_and_huge_quantities_are_not_followed(both, tmp_path):
    secret = tmp_path / "other.h5"
    with h5py.File(secret, "w") as file:
        file["energies"] = [[-1.0, -1.0, -1.0]]
    energies = "intermediate/ion_dynamics/energies"
    for how in ("external link", "huge", "soft link"):
        vaspout(RELAXED, both / "vaspout.h5")
        with h5py.File(both / "vaspout.h5", "a") as file:
            del file[energies]
            if how == "external link":
                file[energies] = h5py.ExternalLink(str(secret), "energies")
            elif how == "soft link":
                file[energies] = h5py.SoftLink("/" + energies)
            else:
                file.create_dataset(energies, shape=(10**11, 3), chunks=(1000, 3), dtype="f8")
        found = read_run(both / "vaspout.h5")
        assert found.energy is None
        assert not found.converged


def test_the_gap_of_spin_channels_and_of_a_metal(tmp_path):
    vaspout(RELAXED, tmp_path / "vaspout.h5", levels=SPIN)
    gap = read_run(tmp_path).band_gap()
    assert (gap.energy, gap.is_direct, gap.file) == (pytest.approx(1.7), True, "vaspout.h5")
    metal = SPIN[1].copy()
    metal[0, 0, 2] = 1.0  # a band that is filled at one k-point only
    vaspout(RELAXED, tmp_path / "vaspout.h5", levels=(SPIN[0], metal))
    assert read_run(tmp_path).band_gap().energy == 0.0


def test_moments_of_sites_are_the_last_ones(tmp_path):
    vaspout(RELAXED, tmp_path / "vaspout.h5")
    values = np.zeros((3, 2, 4, 3))
    values[-1, 1] = [[0.1, 0.2, 0.3], [0, 0, 0], [-1, 0, 0], [0, 0, 2]]
    with h5py.File(tmp_path / "vaspout.h5", "a") as file:
        file["intermediate/ion_dynamics/magnetism/spin_moments/values"] = values
    assert read_run(tmp_path).site_moments == pytest.approx([0.6, 0, -1, 2])
