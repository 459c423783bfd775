"""Every command and every line of Python in the documentation works and prints what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from documentation import find_blocks
from documentation_runner import prepare, run_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SLOW_PAGES = [page for page in PAGES if any(block.slow for block in find_blocks(page.read_text(encoding="utf-8")))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def check(page: Path, folder: Path, *, slow: bool) -> None:
    prepare(page, folder, ROOT)
    done = run_page(page, folder, slow=slow)
    assert not done.failures, "\n\n".join(done.failures)
    if done.skipped and not done.outputs:
        pytest.skip("; ".join(done.skipped))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    check(page, tmp_path, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW_PAGES, ids=name_of)
def test_slow_blocks_too(page: Path, tmp_path: Path) -> None:
    check(page, tmp_path, slow=True)
