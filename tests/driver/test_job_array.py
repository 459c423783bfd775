"""submit.sh: run for real by bash, with a queue and a VASP that are small shell programs."""

import gzip
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixScaled
from ase.io.vasp import write_vasp
from hypothesis import given, settings
from hypothesis import strategies as st

from nanoslab.calculation import Calculation, Role
from nanoslab.campaign.state import State, write_state
from nanoslab.driver.job_array import calculations_table, job_array_script
from nanoslab.errors import InputError
from nanoslab.presets import preset
from nanoslab.selective_dynamics import free_components
from nanoslab.vasp.inputs.deck import write_deck
from nanoslab.vasp.poscar import read_poscar, write_poscar

# One job after the other: each number of --array is a shell of its own, as under Slurm.
SBATCH = r"""#!/bin/bash
id=$(( $(cat "$FAKE/count" 2>/dev/null || echo 0) + 1 )); echo $id >"$FAKE/count"
echo "$@" >>"$FAKE/sbatch.log"
for word in "$@"; do
    case $word in --array=*) rows=${word#--array=};; esac
done
for row in ${rows//,/ }; do
    SLURM_SUBMIT_DIR=$PWD SLURM_ARRAY_JOB_ID=$id SLURM_ARRAY_TASK_ID=$row bash "$FAKE/spool.sh" >>"$FAKE/jobs.log" 2>&1
done
echo "$id;cluster"
"""

# A VASP that shifts every atom along the first vector, writes what VASP writes, and fails when told to.
VASP = r"""#!/bin/bash
echo "$(basename "$PWD") $1" >>"$FAKE/starts.log"
told() { [ -e "$FAKE/$1" ] && rm "$FAKE/$1"; }
told "fail-$(basename "$PWD")" && { echo "Error EDDDAV" >OUTCAR; exit 1; }
told "empty-$(basename "$PWD")" && { echo cut >OUTCAR; : >CONTCAR; exit 1; }
if told "slow-$(basename "$PWD")"; then
    kill -USR1 "$(awk '{ print $4 }' "/proc/$PPID/stat")" # the shell of the job, as Slurm does
    for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; [ -e STOPCAR ] && break; done
    cp POSCAR CONTCAR
    printf ' soft stop encountered!  aborting job ...\n General timing and accounting\n' >OUTCAR
    exit 0
fi
cp "$FAKE/relaxed/$(basename "$PWD")" CONTCAR 2>/dev/null || cp POSCAR CONTCAR
printf ' reached required accuracy\n General timing and accounting\n' >OUTCAR
"""


def sheet() -> Atoms:
    return Atoms(
        "Cd3Se3",
        positions=[[0, 0, 8], [2, 2, 9], [1, 0, 10], [0, 1, 11], [2, 1, 12], [1, 2, 13]],
        cell=[[4.1, 0, 0], [0.3, 4.2, 0], [0, 0, 25]],
        pbc=True,
        constraint=[FixAtoms([2]), FixScaled([4], mask=(False, False, True))],
    )


def child_of(parent: Atoms, removed: list[int]) -> Atoms:
    return parent[[i for i in range(len(parent)) if i not in removed]]


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    folder = tmp_path / "campaign with spaces"
    settings = preset("ma2023-wurtzite")
    parent = Calculation(name="sheet", role=Role(kind="pristine"), atoms=sheet(), settings=settings)
    child = replace(
        parent,
        name="vacancy",
        role=Role(kind="vacancy"),
        atoms=child_of(sheet(), [1, 4]),
        starts_from="sheet",
        removed_indices=(1, 4),
    )
    atom = Calculation(
        name="atom",
        role=Role(kind="atom"),
        atoms=Atoms("Se", cell=[12, 13, 14], pbc=True),
        settings=replace(preset("ma2023"), relax="none"),
    )
    for calculation in (parent, child, atom):
        write_deck(calculation, folder / calculation.name)
        (folder / calculation.name / "POTCAR").write_text("fake\n")
    (folder / "submit.sh").write_text(job_array_script())
    (folder / "calculations.tsv").write_text(calculations_table([parent, child, atom]))
    return folder


def submit(campaign: Path, *arguments: str, queued: str = "") -> subprocess.CompletedProcess[str]:
    fake = campaign.parent / "fake"
    (fake / "relaxed").mkdir(parents=True, exist_ok=True)
    programs = {
        "sbatch": SBATCH,
        "srun": VASP,
        "squeue": f"#!/bin/bash\necho -n '{queued}'\n",
    }
    for name, text in programs.items():
        (fake / name).write_text(text)
        (fake / name).chmod(0o755)
    shutil.copy(campaign / "submit.sh", fake / "spool.sh")  # Slurm runs a copy of the script
    environment = {**os.environ, "PATH": f"{fake}:{os.environ['PATH']}", "FAKE": str(fake)}
    for name in list(environment):
        if name.startswith("SLURM"):
            del environment[name]
    return subprocess.run(
        ["bash", str(campaign / "submit.sh"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def tell(campaign: Path, what: str) -> None:
    (campaign.parent / "fake").mkdir(exist_ok=True)
    (campaign.parent / "fake" / what).touch()


def log(campaign: Path, name: str) -> list[str]:
    path = campaign.parent / "fake" / name
    return path.read_text().splitlines() if path.is_file() else []


def relaxed_sheet(campaign: Path) -> Atoms:
    """What the fake VASP will say the sheet relaxes to, in direct coordinates as VASP writes them."""
    relaxed = sheet()
    relaxed.positions += np.random.default_rng(1).normal(0, 0.1, relaxed.positions.shape)
    folder = campaign.parent / "fake" / "relaxed"
    folder.mkdir(parents=True)
    write_vasp(folder / "sheet", relaxed, direct=True)
    return relaxed


def test_bash_can_read_it() -> None:
    done = subprocess.run(["bash", "-n"], input=job_array_script(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_person_can_read_it_in_a_minute() -> None:
    assert len(job_array_script().splitlines()) <= 105


def test_everything_runs_once_and_children_after_their_parents(campaign: Path) -> None:
    relaxed = relaxed_sheet(campaign)
    done = submit(campaign)
    assert done.returncode == 0, done.stderr
    assert log(campaign, "starts.log") == ["sheet vasp_std", "atom vasp_gam", "vacancy vasp_std"]
    first, second = log(campaign, "sbatch.log")
    assert "--array=2,4 " in first
    assert "--dependency=afterany:1 --array=3 " in second
    child = read_poscar(campaign / "vacancy" / "POSCAR")
    expected = child_of(relaxed, [1, 4])
    assert np.allclose(child.positions, expected.positions, rtol=0, atol=1e-10)
    assert np.array_equal(child.numbers, expected.numbers)
    assert np.array_equal(free_components(child), free_components(child_of(sheet(), [1, 4])))
    initial = read_poscar(campaign / "vacancy" / "POSCAR.initial")
    assert np.array_equal(initial.positions, child_of(sheet(), [1, 4]).positions)


def test_running_again_starts_nothing_that_is_finished(campaign: Path) -> None:
    submit(campaign)
    assert submit(campaign, "--list").stdout == ""
    assert submit(campaign).stdout == ""
    assert len(log(campaign, "starts.log")) == 3


def test_a_list_queues_nothing(campaign: Path) -> None:
    assert submit(campaign, "--list").stdout.split() == ["sheet", "atom", "vacancy"]
    assert not log(campaign, "sbatch.log")


@pytest.mark.parametrize("name", ["OUTCAR", "OUTCAR.gz"])
def test_a_run_somebody_finished_by_hand_counts(campaign: Path, name: str) -> None:
    text = b" reached required accuracy\n General timing and accounting\n"
    (campaign / "sheet" / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert "sheet" not in submit(campaign, "--list").stdout.split()


def test_what_nanoslab_has_in_its_hands_is_left_to_it(campaign: Path) -> None:
    for name, state in (("sheet", "running"), ("atom", "queued"), ("vacancy", "done")):
        write_state(campaign / name, State(state=state))
    assert submit(campaign, "--list").stdout == ""
    write_state(campaign / "atom", State(state="failed"))
    assert submit(campaign, "--list").stdout == "atom\n"


def test_a_crash_is_repeated_by_the_next_submission_alone_and_what_it_left_is_kept(campaign: Path) -> None:
    tell(campaign, "fail-sheet")
    submit(campaign)
    assert log(campaign, "starts.log") == ["sheet vasp_std", "atom vasp_gam"]
    assert "starts from sheet, which did not end" in "".join(log(campaign, "jobs.log"))
    assert (campaign / "sheet" / "vasp.exit").read_text().split() == ["1"]
    submit(campaign)
    assert log(campaign, "starts.log")[2:] == ["sheet vasp_std", "vacancy vasp_std"]
    assert (campaign / "sheet" / "attempts" / "000" / "OUTCAR").read_text() == "Error EDDDAV\n"


def test_an_empty_contcar_is_never_a_start(campaign: Path) -> None:
    before = (campaign / "sheet" / "POSCAR").read_bytes()
    tell(campaign, "empty-sheet")
    submit(campaign)
    submit(campaign)
    assert (campaign / "sheet" / "POSCAR").read_bytes() == before
    assert (campaign / "sheet" / "attempts" / "000" / "CONTCAR").read_bytes() == b""


@pytest.mark.parametrize("spoil", ["cut", "stars", "fewer", "nan"])
def test_a_broken_contcar_is_never_a_start(campaign: Path, spoil: str) -> None:
    folder = campaign / "sheet"
    before = (folder / "POSCAR").read_text()
    lines = before.splitlines()
    broken = {
        "cut": before[: len(before) * 2 // 3],
        "stars": before.replace("13.0", "****"),
        "fewer": "\n".join(lines[:-1]),
        "nan": before.replace("13.0", "NaN"),
    }[spoil]
    assert broken != before
    (folder / "CONTCAR").write_text(broken)
    (folder / "OUTCAR").write_text("killed\n")
    submit(campaign)
    assert (folder / "POSCAR").read_text() == before
    assert (folder / "attempts" / "000" / "CONTCAR").read_text() == broken


@pytest.mark.parametrize("spoil", ["cut", "stars"])
def test_a_child_of_a_broken_contcar_does_not_start(campaign: Path, spoil: str) -> None:
    relaxed_sheet(campaign)
    path = campaign.parent / "fake" / "relaxed" / "sheet"
    text = path.read_text()
    path.write_text(text[:-60] if spoil == "cut" else text.replace("0.", "*."))
    submit(campaign)
    assert "vacancy vasp_std" not in log(campaign, "starts.log")
    assert "the CONTCAR of sheet is broken" in "".join(log(campaign, "jobs.log"))


def test_a_killed_run_goes_on_from_its_contcar(campaign: Path) -> None:
    folder = campaign / "sheet"
    first = (folder / "POSCAR").read_bytes()
    moved = sheet()
    moved.positions[0] += 0.25
    write_poscar(moved, folder / "CONTCAR")
    last = (folder / "CONTCAR").read_bytes()
    (folder / "OUTCAR").write_text("killed\n")
    submit(campaign)
    assert (folder / "POSCAR").read_bytes() == last
    assert (folder / "POSCAR.initial").read_bytes() == first


def test_the_time_limit_stops_vasp_gently_and_the_next_submission_goes_on(campaign: Path) -> None:
    tell(campaign, "slow-sheet")
    submit(campaign)
    assert (campaign / "sheet" / "STOPCAR").read_text() == "LSTOP = .TRUE.\n"
    assert (campaign / "sheet" / "vasp.exit").read_text() == "0 stopped\n"
    assert submit(campaign, "--list").stdout.split() == ["sheet", "vacancy"]
    submit(campaign)
    assert log(campaign, "starts.log").count("sheet vasp_std") == 2
    assert (campaign / "sheet" / "attempts" / "000" / "STOPCAR").is_file()
    assert not (campaign / "sheet" / "STOPCAR").exists()


def test_a_missing_potcar_is_said_and_nothing_starts(campaign: Path) -> None:
    (campaign / "atom" / "POTCAR").unlink()
    submit(campaign)
    assert "atom vasp_gam" not in log(campaign, "starts.log")
    assert "atom: no POTCAR" in "".join(log(campaign, "jobs.log"))


def test_a_second_submission_waits_for_the_first(campaign: Path) -> None:
    done = submit(campaign, queued="12\n")
    assert done.returncode == 2
    assert "is in the queue" in done.stderr
    assert not log(campaign, "sbatch.log")


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_the_start_of_a_child_is_what_ase_makes_of_it(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("child")
    script = job_array_script()
    awk = script[script.index("start_of_child()") : script.index("prepare()")]
    parent = sheet()
    removed = sorted(data.draw(st.sets(st.integers(0, 5), min_size=1, max_size=4)))
    child = child_of(parent, removed)
    write_poscar(child, folder / "POSCAR")
    parent.positions += data.draw(st.floats(-0.3, 0.3))
    parent.set_cell(parent.cell * data.draw(st.floats(0.95, 1.05)))
    selective, direct = data.draw(st.booleans()), data.draw(st.booleans())
    write_vasp(folder / "CONTCAR", parent, direct=direct, ignore_constraints=not selective)
    numbers = ",".join(str(i + 1) for i in removed)
    done = subprocess.run(
        ["bash", "-c", f"{awk}\nstart_of_child CONTCAR POSCAR {numbers} > NEW"], cwd=folder, check=False
    )
    assert done.returncode == 0
    made = read_poscar(folder / "NEW")
    expected = child_of(parent, removed)
    assert np.allclose(made.positions, expected.positions, rtol=0, atol=1e-10)
    assert np.allclose(made.cell, parent.cell, rtol=0, atol=1e-12)
    assert np.array_equal(made.numbers, child.numbers)
    assert np.array_equal(free_components(made), free_components(child))


def test_rows_are_lines_of_the_parents_poscar_also_when_it_is_not_grouped() -> None:
    parent = Calculation(name="p", role=Role(kind="x"), atoms=Atoms("CdSeCdSe"), settings=preset("ma2023"))
    child = replace(parent, name="c", atoms=Atoms("CdCdSe"), starts_from="p", removed_indices=(1,))
    assert calculations_table([parent, child]).splitlines()[2].split("\t")[-2:] == ["p", "3"]


def test_a_child_in_another_order_than_its_parent_is_refused() -> None:
    parent = Calculation(name="p", role=Role(kind="x"), atoms=Atoms("CdSeCdSe"), settings=preset("ma2023"))
    child = replace(parent, name="c", atoms=Atoms("SeCdSe"), starts_from="p", removed_indices=(0,))
    with pytest.raises(InputError, match="group the atoms"):
        calculations_table([parent, child])
