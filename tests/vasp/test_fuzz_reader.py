"""A few hundred cuts and damages of every run of the tests; `fuzz_reader.py` by itself makes thousands."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_spec = importlib.util.spec_from_file_location("vasp_fuzz_reader", Path(__file__).with_name("fuzz_reader.py"))
fuzz = sys.modules.setdefault("vasp_fuzz_reader", importlib.util.module_from_spec(_spec))
if not hasattr(fuzz, "check_cut"):
    _spec.loader.exec_module(fuzz)

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
REAL = ("aiida-vasp/relax/vasprun.xml", "custodian/io/OUTCAR", "atomate/adsorbate_wf_3/outputs/vasprun.xml.gz")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def samples(folder):
    return fuzz.synthetic_samples(folder)


@SETTINGS
@given(which=st.integers(0, 5), where=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_tells_only_what_was_finished(which, where, samples, folder):
    chosen = samples[which]
    fuzz.check_cut(chosen, int(where * fuzz.last_byte_that_matters(chosen.content)), folder)


@SETTINGS
@given(which=st.integers(0, 5), places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1))
def test_damage_never_leaves_as_anything_but_our_own_error(which, places, samples, folder):
    fuzz.check_flips(samples[which], places, folder)


#: an OUTCAR whose last steps are cut out with everything between them says nothing of it; see the test in test_problems
DETECTABLE = [mutation for mutation in fuzz.MUTATIONS if mutation is not fuzz.piece_lost]


@pytest.mark.parametrize("mutation", DETECTABLE, ids=lambda mutation: mutation.__name__)
def test_a_changed_file_is_no_converged_run_of_another_energy(mutation, samples, folder):
    chance = random.Random(7)
    for chosen in samples:
        other = chance.choice([sample for sample in samples if sample.kind == chosen.kind])
        for _ in range(4):
            content = mutation(chosen.content, other.content, chance)
            assert fuzz.judge_mutation(chosen, content, folder) in ("same", "told"), chosen.name


@pytest.mark.parametrize("name", REAL)
def test_real_files_cut_anywhere(name, vasp_corpus, folder):
    path = vasp_corpus / name
    if not path.is_file():
        path = path.with_name(path.name + ".gz")
    kind = "OUTCAR" if "OUTCAR" in name else "vasprun"
    chosen = fuzz.sample(name, kind, fuzz._content(path), folder)
    assert chosen.ends
    size = fuzz.last_byte_that_matters(chosen.content)
    for at in [*range(0, size, max(1, size // 60)), *(end - 1 for end in chosen.ends), *chosen.ends]:
        fuzz.check_cut(chosen, min(at, size - 1), folder)
