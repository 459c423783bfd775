from pathlib import Path

import pytest
from small_campaign import three_calculations

from nanoslab.calculation import Calculation


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("study: toy\ntitle: one sheet\nsheets:\n  - {lattice: pbe, planes: 7}\n")
    return path


@pytest.fixture
def calculations() -> list[Calculation]:
    return three_calculations()
