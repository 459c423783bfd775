"""The reader and runner of pages see what is wrong, and the reference misses no public name."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from documentation import agrees, find_blocks
from documentation_runner import run_page

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("builders", "beam", "campaign", "energetics", "engines", "studies", "vasp")


def run(folder: Path, text: str, *, slow: bool = False) -> tuple[list[str], list[str]]:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    done = run_page(page, folder, slow=slow)
    return done.failures, done.skipped


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```\n```text\n2\n```\n",
        "```python\n1 / 0\n```\n",
        "```python\nprint('something that the page does not show')\n```\n",
        "```console\n$ nanoslab knockon Se --kv 200\nelement   kv  E_max [eV]\n```\n",
        "```console\n$ nanoslab no-such-command\n```\n",
        "```bash\nfalse\n```\n",
        "```yaml\na: block without a purpose\n```\n",
    ],
)
def test_a_wrong_page_fails(tmp_path: Path, text: str) -> None:
    assert run(tmp_path, text)[0]


def test_a_right_page_passes_and_pages_share_one_folder_and_namespace(tmp_path: Path) -> None:
    text = (
        "<!-- file: a.txt -->\n```text\nhello\n```\n```python\nx = open('a.txt').read()\n```\n"
        "```python\nx\n```\n```text\n'hello\\n'\n```\n"
        "```console\n$ cat a.txt\nhello\n```\n<!-- test: exit 2 -->\n```console\n$ nanoslab build moon\n...\n```\n"
    ).replace("x = open('a.txt').read()", "from pathlib import Path\nx = Path('a.txt').read_text()")
    assert run(tmp_path, text) == ([], [])


def test_slow_installing_and_impossible_blocks_are_skipped_with_the_reason(tmp_path: Path) -> None:
    text = (
        "<!-- test: slow -->\n```bash\ntouch slow\n```\n```bash\npip install nothing\n```\n"
        "<!-- test: needs no_such_module -->\n```bash\nfalse\n```\n"
        "<!-- test: skip: a cluster, really -->\n```bash\nfalse\n```\n"
    )
    failures, skipped = run(tmp_path, text)
    assert not failures
    assert [reason.partition(": ")[2] for reason in skipped] == [
        "slow",
        "installs; the release check runs it",
        "needs no_such_module, which is not installed",
        "a cluster, really",
    ]
    assert not (tmp_path / "slow").exists()
    run(tmp_path, text, slow=True)
    assert (tmp_path / "slow").exists()


def test_numbers_may_round_but_not_change() -> None:
    assert agrees("-83.7776 eV", "-83.7777 eV")
    assert not agrees("-83.7776 eV", "-83.7779 eV")
    assert not agrees("7 planes", "8 planes")
    assert not agrees("a\n...\nz", "a\nb")
    assert not agrees("6.64", "6.64 eV")


def test_comments_belong_to_the_next_block_only() -> None:
    first, second = find_blocks("<!-- test: slow -->\n```bash\na\n```\n\n```bash\nb\n```\n")
    assert first.slow
    assert not second.slow


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_is_in_the_reference(room: str) -> None:
    page = (ROOT / "docs" / "reference" / f"{room}.md").read_text("utf-8")
    documented = set(re.findall(r"automodule:: (\S+)", page))
    package = import_module(f"nanoslab.{room}")
    public = {name: getattr(package, name) for name in package.__all__}
    homes = {name: one.__module__ for name, one in public.items() if hasattr(one, "__module__")}
    assert {name: home for name, home in homes.items() if home not in documented} == {}
