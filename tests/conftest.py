"""Shared by all tests: where the real VASP runs lie, when they are there."""

from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "vasp_corpus"


@pytest.fixture(scope="session")
def vasp_corpus() -> Path:
    """Folder of real VASP runs beside the checkout; the test is skipped without it."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus of real VASP runs at {CORPUS}")
    return CORPUS


@pytest.fixture
def no_potcar_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the POTCAR library of this machine."""
    for name in ("PMG_VASP_PSP_DIR", "VASP_PP_PATH", "PMG_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
