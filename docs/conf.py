"""Sphinx: Markdown pages, reference from docstrings, formulas as MathML; the site asks nothing of the network.

Build: python -m sphinx -W --keep-going -b html docs site
"""

from __future__ import annotations

import contextlib
import html
import io
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils.utils.math.latex2mathml import tex2mathml

from nanoslab import __version__, studies
from nanoslab.cli import main as command
from nanoslab.studies.schema import field_tables
from nanoslab.studies.study_file import STUDIES

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

# autodoc writes inherited annotations into the classes it documents, and pydantic refuses to subclass such a class;
# so all studies are imported first
for _module in pkgutil.walk_packages(studies.__path__, "nanoslab.studies."):
    import_module(_module.name)

project = "nanoslab"
author = "the nanoslab authors"
copyright = author  # noqa: A001  Sphinx's name
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["validation-table.md"]
suppress_warnings = ["ref.python"]  # docstring words such as "element" that are names of several attributes
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
default_role = "code"
nitpicky = False

html_theme = "furo"
html_title = f"nanoslab {__version__}"
html_static_path = ["_static"]
html_css_files = ["nanoslab.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"


def escape_bars(*sphinx_event: Any) -> None:
    """Let |G|² and float_ stand in docstrings as they are, though reStructuredText gives them a meaning."""
    lines: list[str] = sphinx_event[-1]
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(`[^`]*`)", line)
            parts[::2] = [re.sub(r"(?<=\w)_(?!\w)", r"\\_", part.replace("|", r"\|")) for part in parts[::2]]
            lines[number] = "".join(parts)


def inline_math(translator: HTML5Translator, node: nodes.math) -> None:
    """Write one formula within a line."""
    translator.body.append(tex2mathml(node.astext()))
    raise_skip()


def block_math(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write one formula on its own."""
    mathml = tex2mathml(node.astext(), as_block=True)
    label = html.escape(node.astext().strip(), quote=True)
    translator.body.append(f'<div class="math" role="math" aria-label="{label}">{mathml}</div>\n')
    raise_skip()


def raise_skip() -> None:
    """Tell docutils that the node is done."""
    from docutils.nodes import SkipNode

    raise SkipNode


def add_generated_text(app: Sphinx, page: str, source: list[str]) -> None:
    """Append what is generated: the help of every command, and the table that the validation run leaves."""
    table = Path(app.srcdir) / "validation-table.md"
    if page == "reference/commands":
        source[0] += "".join(f"## nanoslab {name}\n\n```text\n{help_of(name)}```\n\n" for name in command_names())
    elif page == "reference/study-fields":
        source[0] += "".join(fields_of(kind) for kind in STUDIES)
    elif page == "validation" and table.is_file():
        source[0] += "\n" + table.read_text(encoding="utf-8")


def fields_of(kind: str) -> str:
    """Section of one kind of study: a table for the file and one for each part of it."""
    text = f"## {kind}\n\n"
    for table in field_tables(kind):
        rows = [table.columns, ("---",) * len(table.columns), *table.rows]
        cells = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        text += f"{table.title}\n\n" + "\n".join(cells) + "\n\n"
    return text


def command_names() -> list[str]:
    """Every command, those of a group after its name."""
    names = []
    for name, (module, _) in command.COMMANDS.items():
        group = getattr(import_module(f"nanoslab.cli.{module}"), "COMMANDS", None)
        names += [f"{name} {member}" for member in group] if group else [name]
    return names


def help_of(name: str) -> str:
    """What ``--help`` prints."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.suppress(SystemExit):
        command.main([*name.split(), "--help"])
    return stream.getvalue()


def setup(app: Sphinx) -> None:
    """Register MathML, which every browser draws by itself, as the renderer of formulas."""
    app.connect("source-read", add_generated_text)
    app.connect("autodoc-process-docstring", escape_bars, priority=900)  # after napoleon
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
