"""The page: small, closed to the network, safe against what its user wrote, and alive in a real browser."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import shutil
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nanoslab.report.page import LARGEST, pack_scenes, render_page, write_page
from nanoslab.report.page_content import PageContent
from nanoslab.studies.result import Table

EVIL = "<script>window.evil = 1</script><img src=x onerror='window.evil = 2'>"


@pytest.fixture
def page(pages: dict[str, Path]) -> Path:
    return pages["vacancy"]


def visible(html: str) -> str:
    return re.sub(r"<script.*?</script>|<style.*?</style>", "", html, flags=re.DOTALL)


def test_the_page_is_small_and_says_where_its_numbers_are_from(page: Path) -> None:
    html = page.read_text()
    assert len(html.encode()) < LARGEST
    assert visible(html).count("closed form") > 10
    assert "doi:10.1002/advs.202205690" in html


def test_nothing_on_the_page_points_outside_but_links(page: Path) -> None:
    html = visible(page.read_text())
    addresses = re.findall(r"<(?:script|iframe|link|img|source|object)[^>]+(?:src|href)=[\"']?([^\"'>]{0,9})", html)
    assert addresses
    assert all(address.startswith("data:") for address in addresses)
    assert "default-src 'none'" in html


def test_what_the_user_wrote_stays_text(contents: dict[str, PageContent]) -> None:
    content = contents["vacancy"]
    plot = replace(
        content.plots[0], title=EVIL, reading=EVIL, series=(replace(content.plots[0].series[0], label=EVIL),)
    )
    table = Table(title=EVIL, columns=(EVIL,), rows=((EVIL,),), notes=(EVIL,))
    scene = replace(content.scenes[0], name=EVIL, caption=EVIL)
    evil = replace(
        content, title=EVIL, plots=(plot,), tables=(table,), scenes=(scene,), study_file=EVIL, summary=(EVIL,)
    )
    html = render_page(evil)
    assert EVIL not in html
    assert "<script>window.evil" not in html
    data = re.search(r'<script type="application/json" id="plot-data">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])[plot.name]["data"][0]["name"].startswith("&lt;script&gt;")


class Outline(HTMLParser):
    """Ids, headings, pictures and tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if found.get("id") else []  # type: ignore[list-item]
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []


def test_a_screen_reader_finds_its_way(page: Path) -> None:
    outline = Outline()
    outline.feed(page.read_text())
    names = [tag for tag, _ in outline.tags]
    assert len(set(outline.ids)) == len(outline.ids)
    assert outline.headings[0] == 1
    assert max(np.diff(outline.headings)) == 1
    assert {"header", "nav", "main", "footer"} <= set(names)
    assert all(found.get("alt") for tag, found in outline.tags if tag == "img")
    assert all(found.get("scope") for tag, found in outline.tags if tag == "th")
    assert names.count("caption") == names.count("table")
    anchors = [found["href"] for tag, found in outline.tags if tag == "a" and str(found.get("href")).startswith("#")]
    assert {str(anchor)[1:] for anchor in anchors} <= set(outline.ids)


def test_failing_runs_come_first_and_the_page_warns(damaged: PageContent) -> None:
    states = [row[1] for row in damaged.checks.rows]
    assert states[:4] == ["refused", "not converged", "not run", "used with a remark"]
    assert set(states[4:]) == {"used"}
    html = render_page(damaged)
    assert "Not every run is used: 1 refused, 1 not converged, 1 not run." in html
    assert "cut in step 3" in html


def test_what_is_odd_about_a_run_that_is_used_stands_in_the_summary(damaged: PageContent) -> None:
    (remark,) = [line for line in damaged.summary if line.startswith("Used with a remark")]
    assert "v_" in remark
    assert remark.endswith("2 atoms moved by more than 2.6 Å.")
    assert remark in visible(render_page(damaged))


def test_captions_say_what_was_done_to_a_structure(contents: dict[str, PageContent], damaged: PageContent) -> None:
    ends = {kind: {scene.caption.rpartition(", ")[2] for scene in one.scenes} for kind, one in contents.items()}
    assert ends["neck"] == {"as built (single point)"}
    assert ends["gap"] == {"relaxed"}
    assert any(scene.caption.endswith("relaxed, not converged") for scene in damaged.scenes)


def test_ligands_between_slabs_count_with_their_charge(contents: dict[str, PageContent]) -> None:
    table = contents["gap"].structures
    charges = {row[0]: row[table.columns.index("charge [e]")] for row in table.rows}
    assert charges == dict.fromkeys(charges, "0")
    assert "gap-05.00" in charges


def test_three_hundred_structures_fit_and_what_is_left_out_is_said(contents: dict[str, PageContent]) -> None:
    content = contents["vacancy"]
    random = np.random.default_rng(0)
    many = tuple(
        replace(content.scenes[0], name=f"s{n}", positions=content.scenes[0].positions + random.random((28, 3)))
        for n in range(300)
    )
    html = render_page(replace(content, scenes=many))
    assert len(html.encode()) < LARGEST
    assert "left out of the 3D view" not in html
    assert "292 more are in the 3D view" in html
    _, shown = pack_scenes(many, largest=20_000)
    assert 0 < shown < 300


def test_structures_that_do_not_fit_are_counted(
    contents: dict[str, PageContent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nanoslab.report.page.LARGEST_SCENES", 3000)
    content = contents["vacancy"]
    html = render_page(content)
    packed = re.search(r'id="scenes-packed">(.*?)<', html)
    assert packed is not None
    shown = len(json.loads(gzip.decompress(base64.b64decode(packed[1])))["scenes"])
    assert 0 < shown < len(content.scenes)
    assert f"{len(content.scenes) - shown} of {len(content.scenes)} structures are left out" in html


def test_a_page_whose_only_plot_is_its_answer_does_not_say_that_there_is_none(pages: dict[str, Path]) -> None:
    html = visible(pages["gap"].read_text())
    assert "Do the facets keep a gap between them?" in html
    assert "The only plot stands beside the answer." in html
    assert "No run gives a number yet" not in html


@pytest.mark.parametrize("kind", ["neck", "gap", "vacancy"])
def test_every_plot_and_structure_is_drawn_without_a_word_in_the_console(
    browser: Any, contents: dict[str, PageContent], pages: dict[str, Path], kind: str
) -> None:
    browser.open(pages[kind])
    drawn = (
        "return [...document.querySelectorAll('figure[data-plot] .plot')].map(p => p.querySelectorAll('.trace').length)"
    )
    lead = contents[kind].headline.plot
    others = [plot for plot in contents[kind].plots if plot.name != lead.name]
    assert browser.run(drawn) == [len(p.series) + sum(bool(s.band) for s in p.series) for p in (lead, *others)]
    assert browser.run("return document.querySelectorAll('#viewer canvas').length") >= 1
    assert browser.run("return document.querySelector('#no-webgl').hidden")
    assert browser.messages() == []
    assert browser.requests() == []


def test_the_page_follows_the_system_into_the_dark(browser: Any, page: Path) -> None:
    browser.show(page)
    ink = "document.querySelector('figure .plot')._fullLayout.font.color"
    for scheme, ground, letters in (("dark", "rgb(20, 23, 28)", "#e7eaee"), ("light", "rgb(255, 255, 255)", "#1b1f24")):
        browser.scheme(scheme)
        assert browser.run("return getComputedStyle(document.body).backgroundColor") == ground
        browser.wait(f"return {ink} === '{letters}'")
    assert browser.messages() == []


def test_the_structure_turns_with_a_drag_and_with_keys(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser.show(page)
    camera = "return JSON.stringify(document.querySelector('#viewer')._fullLayout.scene._scene.getCamera().eye)"
    viewer = browser.driver.find_element("id", "viewer")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", viewer)
    before = browser.run(camera)
    ActionChains(browser.driver).move_to_element(viewer).click_and_hold().move_by_offset(120, 60).release().perform()
    browser.wait(f"{camera} !== {json.dumps(before)}")
    dragged = browser.run(camera)
    button = browser.driver.find_element("css selector", "[data-turn=left]")
    button.send_keys("\n")
    browser.wait(f"{camera} !== {json.dumps(dragged)}")
    assert browser.messages() == []


def n_colours(browser: Any) -> int:
    """Colours of the picture of the structure: a blank one has a few dozen, of the buttons above it."""
    picture = browser.driver.find_element("id", "viewer").screenshot_as_png
    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 24) or ())


def test_every_view_shows_atoms(browser: Any, page: Path) -> None:
    browser.show(page)
    browser.run("arguments[0].scrollIntoView({block: 'center'})", browser.driver.find_element("id", "viewer"))
    for view in ("a", "b", "top", "free"):
        browser.driver.find_element("css selector", f"[data-view={view}]").send_keys("\n")
        end = time.monotonic() + 20
        while (found := n_colours(browser)) < 300 and time.monotonic() < end:
            time.sleep(0.2)
        assert found >= 300, view


def test_a_defect_stands_first_beside_what_it_was_made_from_and_both_turn_together(browser: Any, page: Path) -> None:
    browser.open(page)
    named = "const field = document.getElementById(arguments[0]); return field.selectedOptions[0].textContent"
    assert "-v_" in browser.run(named, "which")
    assert browser.run(named, "compare").endswith("pristine")
    browser.driver.find_element("css selector", "[data-view=a]").send_keys("\n")
    eye = "JSON.stringify(document.querySelector('#{}')._fullLayout.scene.camera)"
    browser.wait(f"return {eye.format('viewer')} === {eye.format('beside')}")
    camera = json.loads(browser.run(f"return {eye.format('viewer')}"))
    assert camera["projection"]["type"] == "orthographic"
    assert abs(camera["eye"]["z"]) < 1e-9
    assert browser.messages() == []


def test_colours_cells_and_ghosts_can_be_chosen(browser: Any, page: Path, contents: dict[str, PageContent]) -> None:
    browser.show(page)
    scenes = contents["vacancy"].scenes
    vacancy = next(n for n, scene in enumerate(scenes) if scene.ghost_symbols)
    choose = """const field = document.getElementById(arguments[0]); field.value = arguments[1];
        field.dispatchEvent(new Event('change', {bubbles: true}));"""
    browser.run(choose, "which", str(vacancy))
    browser.wait("return document.querySelector('#legend').textContent.includes('removed')")
    for colour, word in (("plane", "layer"), ("coordination", "neighbours"), ("displacement", "moved")):
        browser.run(choose, "colour", colour)
        browser.wait(f"return document.querySelector('#legend').textContent.includes('{word}')")
    atoms = "return new Set(document.querySelector('#viewer').data[0].hovertext).size"
    assert browser.run(atoms) == len(scenes[vacancy].symbols)
    assert browser.messages() == []


def test_tables_sort_both_ways_and_copy_as_csv(browser: Any, page: Path) -> None:
    browser.show(page)
    table = "document.querySelector('#table-vacancies table')"
    browser.run(f"{table}.closest('details').open = true")
    cells = f"return [...{table}.tBodies[0].rows].map(row => parseFloat(row.cells[3].textContent))"
    button = browser.driver.find_elements("css selector", "#table-vacancies thead button")[3]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", button)
    button.send_keys(" ")
    assert browser.run(f"return {table}.tHead.rows[0].cells[3].getAttribute('aria-sort')") == "ascending"
    values = browser.run(cells)
    assert values == sorted(values)
    assert len(set(values)) > 3
    button.send_keys(" ")
    assert browser.run(cells) == sorted(values, reverse=True)
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    browser.driver.find_element("css selector", "#table-vacancies .tools button:last-child").send_keys(" ")
    browser.wait("return window.copied !== undefined")
    lines = str(browser.run("return window.copied")).splitlines()
    assert lines[0].startswith("sheet,lost,Cd:Se")
    assert len(lines) == len(values) + 1


def test_without_webgl_the_page_says_so_and_shows_still_pictures(browser: Any, page: Path, tmp_path: Path) -> None:
    blind = tmp_path / "blind.html"
    blocked = "<script>HTMLCanvasElement.prototype.getContext = () => null;</script><style>"
    blind.write_text(page.read_text().replace("<style>", blocked, 1))
    browser.open(blind)
    assert not browser.run("return document.querySelector('#no-webgl').hidden")
    assert browser.run("return document.querySelector('.stills img').getBoundingClientRect().height") > 50
    assert browser.messages() == []


def test_evil_words_do_nothing_in_the_browser(browser: Any, contents: dict[str, PageContent], tmp_path: Path) -> None:
    content = contents["vacancy"]
    series = tuple(replace(line, label=EVIL) for line in content.plots[0].series)
    scene = replace(content.scenes[0], name=EVIL, caption=EVIL)
    evil = replace(
        content, title=EVIL, plots=(replace(content.plots[0], series=series, x_label=EVIL),), scenes=(scene,)
    )
    browser.open(write_page(tmp_path / "evil.html", evil))
    assert browser.run("return window.evil === undefined")
    assert browser.requests() == []


def test_a_printed_page_shows_still_pictures(browser: Any, page: Path, tmp_path: Path) -> None:
    browser.show(page)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = "return [...document.querySelectorAll('{}')].every(e => getComputedStyle(e).display !== 'none')"
    assert browser.run(shown.format("figure .still, .stills"))
    assert not browser.run(shown.format(".live"))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")
def test_the_browser_is_a_real_one(browser: Any) -> None:
    assert "Chrome" in browser.run("return navigator.userAgent")
