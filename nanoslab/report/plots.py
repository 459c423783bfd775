"""Every plot that the document of a result can be drawn as: from ``results.json`` alone, so that no run is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanoslab.plot_data import Plot
from nanoslab.studies.study_file import study_class


def plots_of(document: Mapping[str, Any]) -> tuple[Plot, ...]:
    """Plots of a study's document, in the order of the page."""
    return study_class(str(document["study"])).plots(document)
