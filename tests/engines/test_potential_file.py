"""A potential that the user has as a file: its hash is part of the engine, and nothing is fetched."""

import pickle
from pathlib import Path

import pytest
from ase.build import bulk

from nanoslab.calculation import Settings
from nanoslab.engines import engine
from nanoslab.engines.registry import engine_of_file
from nanoslab.errors import EngineError, FileError, InputError

SETTINGS = Settings(source="test")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CHGNet's own weights, as its fine-tuning writes them."""
    torch = pytest.importorskip("torch")
    model = pytest.importorskip("chgnet.model").CHGNet.load(use_device="cpu", verbose=False)
    path = tmp_path_factory.mktemp("potential") / "tuned.pth.tar"
    torch.save({"model": model.as_dict()}, path)
    return path


def test_a_potential_read_back_from_its_file_is_the_same(saved: Path) -> None:
    crystal = bulk("CdSe", "zincblende", a=6.1)
    crystal.rattle(0.05, seed=1)
    energies, forces = [], []
    for name in ("chgnet", f"chgnet:{saved}"):
        made = pickle.loads(pickle.dumps(engine(name)))  # noqa: S301
        crystal.calc = made.calculator(crystal, SETTINGS)
        energies.append(crystal.get_potential_energy())
        forces.append(crystal.get_forces())
    assert energies[1] == pytest.approx(energies[0], abs=1e-6)
    assert forces[1] == pytest.approx(forces[0], abs=1e-5)


def test_another_file_is_another_engine_and_a_changed_one_is_refused(saved: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tuned.pth.tar"
    copy.write_bytes(saved.read_bytes())
    made = engine(f"chgnet:{copy}")
    assert made.label == engine(f"chgnet:{saved}").label
    assert made.label != engine("chgnet").label
    with copy.open("ab") as stream:
        stream.write(b" ")
    assert engine(f"chgnet:{copy}").label != made.label
    with pytest.raises(EngineError, match="changed since"):
        made.calculator(bulk("Cu"), SETTINGS)


def test_a_pinned_sum_must_be_that_of_the_file(saved: Path) -> None:
    found = engine(f"chgnet:{saved}").options["potential"].rpartition("-")[2]
    assert engine(f"chgnet:{saved},sha256={found}").options["potential"].endswith(found)
    with pytest.raises(FileError, match="expected SHA-256 000"):
        engine(f"chgnet:{saved},sha256=000")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("mace:model.pt", EngineError, "pip install mace-torch"),
        ("chgnet:nowhere.pth.tar", FileError, "mend the path"),
        ("chgnet:nowhere.pth.tar,device=gpu", InputError, "sha256"),
    ],
)
def test_what_is_missing_is_said_in_one_line(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        engine(name)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_potential_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a potential")
    with pytest.raises(EngineError, match="expected a potential of chgnet"):
        engine(f"chgnet:{tmp_path / 'notes.txt'}").calculator(bulk("Cu"), SETTINGS)


@pytest.mark.parametrize("name", ["chgnet:tuned.pth.tar", "mace:model.pt", "chgnet:tuned.pth.tar,sha256=abc"])
def test_a_study_file_never_names_a_potential(name: str) -> None:
    with pytest.raises(InputError, match="a file does not choose code"):
        engine_of_file("screen.engine", name)
