"""calculation.json: everything of a calculation, back to the last digit; what is spoilt is one clear error."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixBondLength, FixCartesian, FixedLine, FixedPlane, FixScaled
from hypothesis import given, settings
from hypothesis import strategies as st

from nanoslab.calculation import Calculation, Role, Settings
from nanoslab.campaign.format import calculation_document, document_text, n_atoms, read_calculation, read_document
from nanoslab.errors import FileError, InputError, NanoslabError

NUMBER = st.floats(-1e3, 1e3, allow_nan=False)
POSITIVE = st.floats(1e-9, 1e3)
WORD = st.text(max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | NUMBER | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
MASK = st.tuples(st.booleans(), st.booleans(), st.booleans())


@st.composite
def constraints(draw: st.DrawFn, n: int) -> list[Any]:
    indices = st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True)
    kinds = (
        lambda: FixAtoms(draw(indices)),
        lambda: FixScaled(draw(indices), mask=draw(MASK)),
        lambda: FixCartesian(draw(indices), mask=draw(MASK)),
        lambda: FixedPlane(draw(indices), (0, 0.6, 0.8)),
        lambda: FixedLine(draw(indices), (0, 0, 1)),
    )
    return [draw(st.sampled_from(kinds))() for _ in range(draw(st.integers(0, 2)))]


@st.composite
def structures(draw: st.DrawFn) -> Atoms:
    symbols = draw(st.lists(st.sampled_from(("Cd", "Se", "Pb", "H")), min_size=1, max_size=5))
    n = len(symbols)

    def rows(count: int) -> Any:
        return np.array(draw(st.lists(NUMBER, min_size=3 * count, max_size=3 * count))).reshape(-1, 3)

    def per_atom(values: st.SearchStrategy[Any]) -> Any:
        return draw(st.none() | st.lists(values, min_size=n, max_size=n))

    atoms = Atoms(
        symbols,
        positions=rows(n),
        cell=rows(3),
        pbc=draw(MASK),
        magmoms=per_atom(NUMBER),
        tags=per_atom(st.integers(0, 9)),
        constraint=draw(constraints(n)),
    )
    recipe = draw(st.none() | st.dictionaries(WORD, PLAIN, max_size=3))
    if recipe is not None:
        atoms.info["recipe"] = recipe
    return atoms


@st.composite
def calculations(draw: st.DrawFn) -> Calculation:
    extra = st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True), st.booleans() | NUMBER | WORD)
    return Calculation(
        name=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,119}", fullmatch=True)),
        role=Role.model_validate({**draw(st.dictionaries(WORD.map("x".__add__), PLAIN, max_size=3)), "kind": "test"}),
        atoms=draw(structures()),
        settings=Settings(
            source=draw(WORD),
            functional=draw(WORD),
            cutoff_energy=draw(POSITIVE),
            smearing=draw(st.sampled_from(("gaussian", "fermi"))),
            kpoints=draw(st.tuples(*[st.integers(1, 20)] * 3)),
            spin_polarized=draw(st.booleans()),
            hubbard_u=draw(st.dictionaries(st.sampled_from(("Cd", "Pb")), POSITIVE)),
            extra=draw(extra),
        ),
        starts_from=draw(st.none() | st.just("parent")),
        removed_indices=draw(st.lists(st.integers(0, 99), max_size=3).map(tuple)),
        **draw(st.just({}) | st.fixed_dictionaries({"procedure": WORD, "parameters": st.dictionaries(WORD, PLAIN)})),
    )


def written(calculation: Calculation, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "calculation.json").write_text(document_text(calculation_document(calculation)))
    return folder


@given(calculations())
@settings(max_examples=80, deadline=None)
def test_every_calculation_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, made: Calculation) -> None:
    folder = written(made, tmp_path_factory.mktemp("calculation"))
    back = read_calculation(folder)
    for name in ("numbers", "positions", "pbc"):
        assert np.array_equal(getattr(back.atoms, name), getattr(made.atoms, name)), name
    assert np.array_equal(back.atoms.cell.array, made.atoms.cell.array)
    for name in ("initial_magmoms", "tags"):
        assert back.atoms.has(name) == made.atoms.has(name)
        assert np.array_equal(back.atoms.arrays.get(name, []), made.atoms.arrays.get(name, [])), name
    kept = [json.dumps(constraint.todict(), default=np.ndarray.tolist) for constraint in made.atoms.constraints]
    assert [json.dumps(c.todict(), default=np.ndarray.tolist) for c in back.atoms.constraints] == kept
    assert back.atoms.info == made.atoms.info
    for field in fields(Calculation):
        if field.name != "atoms":
            assert getattr(back, field.name) == getattr(made, field.name), field.name
    assert list(back.settings.extra) == list(made.settings.extra), "tags keep their order"
    assert n_atoms(read_document(folder)) == len(made.atoms)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    atoms = Atoms("CdSe", positions=[[0, 0, 0], [1, 1, 1 / 3]], cell=[4, 4, 20], pbc=True, constraint=FixAtoms([1]))
    made = Calculation(name="sheet", role=Role(kind="pristine"), atoms=atoms, settings=Settings(source="test"))
    return written(made, tmp_path / "sheet")


def test_a_row_of_numbers_stands_on_one_line(folder: Path) -> None:
    assert "      [1.0, 1.0, 0.3333333333333333]\n" in (folder / "calculation.json").read_text()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(schema=99),
        lambda d: d.pop("settings"),
        lambda d: d["settings"].pop("functional"),
        lambda d: d["settings"].update(colour="red"),
        lambda d: d["settings"].update(cutoff_energy="high"),
        lambda d: d["settings"].update(smearing="none"),
        lambda d: d["settings"].update(kpoints=[1, 1]),
        lambda d: d.update(settings=[]),
        lambda d: d.update(name="../outside"),
        lambda d: d.update(name=3),
        lambda d: d.update(role="pristine"),
        lambda d: d.update(role={}),
        lambda d: d.update(removed_indices=None),
        lambda d: d["structure"].pop("cell_A"),
        lambda d: d["structure"].update(symbols=["Xx", "Se"]),
        lambda d: d["structure"].update(positions_A=[[0, 0, 0]]),
        lambda d: d["structure"].update(positions_A=[[0, 0, 0], [0, 0, "x"]]),
        lambda d: d["structure"].update(initial_magnetic_moments=[1.0]),
        lambda d: d["structure"].update(constraints=[{"name": "ExternalForce", "kwargs": {}}]),
        lambda d: d["structure"].update(constraints=[{"name": "FixAtoms", "kwargs": {"indices": [7]}}]),
        lambda d: d["structure"].update(constraints=[{"name": "FixAtoms", "kwargs": {"wrong": 1}}]),
        lambda d: d["structure"].update(constraints=["FixAtoms"]),
    ],
)
def test_a_spoilt_document_is_one_clear_line(folder: Path, spoil: Any) -> None:
    path = folder / "calculation.json"
    document = json.loads(path.read_text())
    spoil(document)
    path.write_text(json.dumps(document))
    with pytest.raises(NanoslabError, match=r"calculation\.json") as caught:
        read_calculation(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_file_that_is_no_document_is_one_clear_line(folder: Path, text: str) -> None:
    (folder / "calculation.json").write_text(text)
    with pytest.raises(FileError, match=r"calculation\.json.*write the campaign again"):
        read_calculation(folder)


def test_what_json_cannot_hold_is_refused_before_writing() -> None:
    odd = Calculation(name="a", role=Role(kind="x", y=object()), atoms=Atoms("Se"), settings=Settings(source="test"))
    with pytest.raises(InputError, match="a: role: expected plain JSON values"):
        calculation_document(odd)
    bond = Atoms("Se2", positions=[[0, 0, 0], [0, 0, 2]], constraint=FixBondLength(0, 1))
    with pytest.raises(InputError, match="a: constraints: expected FixAtoms"):
        calculation_document(Calculation(name="a", role=Role(kind="x"), atoms=bond, settings=Settings(source="test")))


@pytest.mark.parametrize("name", ["a" * 121, "", "../a", "a/b", "a b", "é", ".a", "a\n"])
def test_a_name_that_is_no_folder_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="calculation name: expected letters"):
        Calculation(name=name, role=Role(kind="x"), atoms=Atoms("Se"), settings=Settings(source="test"))
