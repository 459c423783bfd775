"""Campaigns of every kind of study whose energies are known beforehand, and a browser to open their pages."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from study_runs import runs_of

from nanoslab.calculation import Calculation, CalculationResult
from nanoslab.campaign import Campaign
from nanoslab.files import data_folder
from nanoslab.report.page import write_page
from nanoslab.report.page_content import PageContent, page_content
from nanoslab.studies.study_file import load_study

NECK = """\
study: pbse-neck
title: necks of a closed form
relax: none
crystal: PbSe-rocksalt
lateral: [6, 6]
planes: 1
pairs: [1, 2, 3, 4, 6, 9, 12, 16]
"""
GAP = """\
study: pbse-gap
title: gaps of a closed form
crystal: PbSe-rocksalt
planes: 1
lateral: [4, 4]
gaps: [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
ligand: {name: formic-acid}
"""
FILES = {"vacancy": (data_folder("workflows") / "cdse_nanosheet.yaml").read_text(), "neck": NECK, "gap": GAP}


def energy(calculation: Calculation) -> float:
    """Atoms cost 3 eV each, a lost one 2 eV more; necks are highest at 9 pairs, gaps lowest at 6.4 Å."""
    role, n_atoms = calculation.role, len(calculation.atoms)
    lost = len(calculation.removed_indices)
    if role.kind == "element":
        return -1.0 * n_atoms
    if role.kind == "neck":
        return -3.0 * n_atoms + 3.0 - 0.03 * (role.n_pairs - 9) ** 2
    if role.kind == "gap":
        return -3.0 * n_atoms + 0.2 * (role.gap_A - 6.4) ** 2
    return -3.0 * n_atoms + (2.0 + 0.1 * lost) * lost if calculation.role.kind != "atom" else -0.5


def results_of(calculations: tuple[Calculation, ...]) -> dict[str, CalculationResult]:
    return {
        calculation.name: CalculationResult(
            name=calculation.name,
            path=calculation.name,
            energy=energy(calculation),
            converged=True,
            atoms=calculation.atoms.copy(),
            max_free_force=0.004,
            level_of_theory="closed form",
            comparable={"code": "test"},
        )
        for calculation in calculations
    }


Change = Callable[[dict[str, CalculationResult]], None]


def content_of(text: str, folder: Path, change: Change | None = None) -> PageContent:
    """Page of a study file with changed results."""
    file = folder / "study.yaml"
    file.write_text(text)
    study = load_study(file)
    calculations = study.calculations()
    results = results_of(calculations)
    if change is not None:
        change(results)
    campaign = Campaign(folder=folder, study_file=file, calculations=calculations)
    runs = runs_of(calculations, results)
    return page_content(campaign, study, "test", runs, study.analyze(runs, allow_unconverged=True))


@pytest.fixture(scope="session")
def study_files() -> dict[str, str]:
    return FILES


@pytest.fixture(scope="session")
def closed_form() -> Callable[[tuple[Calculation, ...]], dict[str, CalculationResult]]:
    return results_of


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PageContent]:
    return {kind: content_of(text, tmp_path_factory.mktemp(kind)) for kind, text in FILES.items()}


@pytest.fixture(scope="session")
def pages(contents: dict[str, PageContent], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {kind: write_page(folder / f"{kind}.html", content) for kind, content in contents.items()}


@pytest.fixture(scope="session")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> PageContent:
    """A vacancy campaign in which one run failed, one is not converged, one is missing, and atoms moved far in one."""

    def change(results: dict[str, CalculationResult]) -> None:
        failed, loose, missing, moved = [name for name in results if "v_" in name][:4]
        results[moved] = replace(results[moved], problems=("2 atoms moved by more than 2.6 Å",))
        results[failed] = replace(results[failed], energy=None, converged=False, problems=("cut in step 3",))
        results[loose] = replace(results[loose], converged=False, problems=("forces above 0.01 eV/Å",))
        results[missing] = replace(results[missing], energy=None, found=False, problems=("not run yet",))

    return content_of(FILES["vacancy"], tmp_path_factory.mktemp("damaged"), change)


class Browser:
    """Chromium without a screen, which notes what it asks the network for."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for flag in (
            "headless=new",
            "no-sandbox",
            "use-angle=swiftshader",
            "enable-unsafe-swiftshader",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "disable-dev-shm-usage",
            "no-first-run",
            "window-size=1280,1000",
            f"user-data-dir={profile}",
        ):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver") or "")
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(60)

    def scheme(self, name: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features, "media": ""})

    def open(self, path: Path) -> None:
        self.scheme("light")
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        self.messages()
        self.requests()
        self.driver.get(path.as_uri())
        self.wait("return document.documentElement.dataset.ready === 'true'")

    def show(self, path: Path) -> None:
        """Open a page unless it is open, as it was left."""
        if self.driver.current_url != path.as_uri():
            self.open(path)

    def wait(self, script: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not self.driver.execute_script(script):
            if time.monotonic() > end:
                raise TimeoutError(f"{script} stayed false; console: {self.messages()}")
            time.sleep(0.1)

    def run(self, script: str, *arguments: object) -> object:
        return self.driver.execute_script(script, *arguments)

    def messages(self) -> list[str]:
        """What the console says, errors and refusals of the security policy among it."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        import json

        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [
            entry["params"]["request"]["url"] for entry in entries if entry["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in asked if url.split(":")[0] not in ("file", "data", "blob")]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pytest.importorskip("selenium", reason="selenium is not installed")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("no chromium and chromedriver (Debian: apt install chromium chromium-driver)")
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.driver.quit()
