"""Plot data against the closed form behind it, and both drawings against the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase.geometry import get_distances
from matplotlib.figure import Figure

from nanoslab.beam import displacement_cross_section, max_transferred_energy, surviving_fraction
from nanoslab.beam.conditions import Conditions
from nanoslab.beam.knockon import velocity_variance
from nanoslab.errors import InputError
from nanoslab.plot_data import Plot, Series
from nanoslab.report.draw import draw
from nanoslab.report.page_content import PageContent
from nanoslab.report.plotly_json import plotly_figure
from nanoslab.report.structure_data import Scene
from nanoslab.report.structure_views import draw_structure
from nanoslab.studies.phonons.plots import phase_plot


def named(content: PageContent, name: str) -> Plot:
    return next(plot for plot in content.plots if plot.name == name)


def test_each_kind_of_study_has_its_plots(contents: dict[str, PageContent]) -> None:
    names = {kind: {plot.name for plot in content.plots} for kind, content in contents.items()}
    assert names["neck"] == {"neck_energy"}
    assert names["gap"] == {"gap"}
    assert {"transferred_energy", "energy_per_atom", "cross_section", "etching"} <= names["vacancy"]


def test_the_gap_plot_is_the_parabola_it_was_made_of(contents: dict[str, PageContent]) -> None:
    (line,) = named(contents["gap"], "gap").series
    parabola = 0.2 * (np.array(line.x) - 6.4) ** 2
    assert np.array(line.y) - line.y[0] == pytest.approx(parabola - parabola[0])
    assert "6.40" in named(contents["gap"], "gap").reading


def test_the_neck_plot_is_the_curve_it_was_made_of(contents: dict[str, PageContent]) -> None:
    line = named(contents["neck"], "neck_energy").series[0]
    x = np.array(line.x)
    assert sorted(x) == list(x)
    assert np.array(line.y) - line.y[0] == pytest.approx(-0.03 * ((x - 9) ** 2 - (x[0] - 9) ** 2))


def test_transferred_energies_are_the_beam_rooms(contents: dict[str, PageContent]) -> None:
    for line in named(contents["vacancy"], "transferred_energy").series[:2]:
        element = line.label.split(":")[0]
        assert line.y == pytest.approx([max_transferred_energy(element, kv) for kv in line.x])


def test_the_etching_curve_is_the_loss_of_se_alone(contents: dict[str, PageContent]) -> None:
    content = contents["vacancy"]
    cost = named(content, "transferred_energy").series[2].y[0]
    line = next(line for line in named(content, "etching").series if line.label == "wurtzite, 200 kV")
    variance = velocity_variance("Se", Conditions())
    barns = float(displacement_cross_section("Se", 200.0, cost, masses="isotopes", velocity_variance=variance))
    assert line.y == pytest.approx(surviving_fraction(barns, np.array(line.x)))
    assert barns > 0


def test_matplotlib_draws_on_the_given_axes_and_all_of_the_data(contents: dict[str, PageContent]) -> None:
    for content in contents.values():
        for plot in content.plots:
            axes = Figure().subplots()
            assert draw(plot, axes) is axes
            lines = [line for line in axes.lines if len(line.get_xdata()) > 2 or line.get_marker() not in ("", "None")]
            drawn = [tuple(line.get_ydata()) for line in lines]
            for series in plot.series:
                assert any(np.array_equal(series.y, y, equal_nan=True) for y in drawn), (plot.name, series.label)
            assert "(" in axes.get_ylabel() or "per" in axes.get_ylabel()


def test_plotly_and_matplotlib_show_the_same_numbers(contents: dict[str, PageContent]) -> None:
    for content in contents.values():
        for plot in content.plots:
            for trace, series in zip(plotly_figure(plot)["data"][-len(plot.series) :], plot.series, strict=True):
                finite = [value for value in series.y if np.isfinite(value)]
                assert [value for value in trace["y"] if value is not None] == pytest.approx(finite, rel=1e-5)
                assert len(trace["y"]) == len(series.y)


def test_series_are_told_apart_without_colour(contents: dict[str, PageContent]) -> None:
    for content in contents.values():
        for plot in content.plots:
            looks = [(series.style, series.is_thin, series.drawn) for series in plot.series]
            assert len(set(looks)) == len(looks), plot.name


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="2 values"):
        Series(label="a", x=(1.0, 2.0), y=(1.0,))


def test_ghosts_stand_where_the_parent_had_its_atoms(contents: dict[str, PageContent]) -> None:
    scenes = {scene.name: scene for scene in contents["vacancy"].scenes}
    whole, part = scenes["wurtzite-pristine"], scenes["wurtzite-v_Se-surface-1"]
    assert len(part.symbols) + len(part.ghost_symbols) == len(whole.symbols)
    # nothing moved in the closed form, so that the ghosts complete the parent but for a common shift
    both = np.vstack([part.positions, part.ghost_positions])
    symbols = (*part.symbols, *part.ghost_symbols)
    assert sorted(symbols) == sorted(whole.symbols)
    both += whole.positions[0] - both[0]
    distances = get_distances(both, whole.positions, cell=whole.cell, pbc=True)[1]
    assert distances.min(axis=0).max() < 1e-6


def test_bonds_and_coordination_agree(contents: dict[str, PageContent]) -> None:
    for scene in contents["vacancy"].scenes:
        ends = np.bincount(scene.bonds[:, :2].ravel(), minlength=len(scene.symbols))
        assert ends.tolist() == scene.coordination.tolist()


def test_structures_are_drawn_from_three_sides(contents: dict[str, PageContent]) -> None:
    scene: Scene = contents["vacancy"].scenes[2]
    before = scene.positions.copy()
    for view in ("side", "front", "top"):
        axes = draw_structure(scene, view=view, repeat=2)  # type: ignore[arg-type]
        (circles,) = axes.collections
        assert len(circles.get_offsets()) == 4 * (len(scene.symbols) + len(scene.ghost_symbols))
    assert np.array_equal(scene.positions, before)
    with pytest.raises(InputError, match="did you mean side"):
        draw_structure(scene, view="sid")  # type: ignore[arg-type]


def test_an_empty_study_has_no_plot(contents: dict[str, PageContent]) -> None:
    plot = contents["gap"].plots[0]
    assert replace(plot, series=()).is_empty


def test_a_phase_that_hangs_on_imaginary_modes_has_a_thin_line_beside_its_own() -> None:
    firm = {
        "phase": "firm",
        "difference_meV_per_atom": [1.0, -1.0],
        "difference_imaginary_as_real_meV_per_atom": [1.0, -1.0],
        "crossing_temperatures_K": [150.0],
        "reading": "crosses",
    }
    shaky = {**firm, "phase": "shaky", "difference_imaginary_as_real_meV_per_atom": [1.0, 2.0], "reading": "hangs"}
    document = {"reference": "a", "level_of_theory": "x", "temperature_K": [0, 300], "comparisons": [firm, shaky]}
    plot = phase_plot(document)
    assert [(line.label, line.style, line.is_thin) for line in plot.series] == [
        ("firm", 0, False),
        ("shaky", 1, False),
        ("", 1, True),
    ]
    assert plot.series[2].y == (1.0, 2.0)
    assert [(guide.axis, guide.value) for guide in plot.guides] == [("y", 0.0), ("x", 150.0), ("x", 150.0)]
    assert plot.reading == "crosses hangs"


@pytest.mark.parametrize(("width", "cm"), [("single", 8.5), ("double", 17.5)])
def test_figures_have_the_widths_of_journals_and_letters_that_can_be_read(width: str, cm: float) -> None:
    from nanoslab.report.draw import new_panels

    figure, panels = new_panels(2, width=width)
    assert figure.get_figwidth() * 2.54 == pytest.approx(cm)
    figure.draw_without_rendering()
    sizes = {label.get_fontsize() for axes in panels for label in (*axes.get_xticklabels(), axes.xaxis.label)}
    assert sizes == {7.0, 8.0}
