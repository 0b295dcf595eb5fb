"""How Sphinx builds the docs into a site that opens from disk, without a network.

    python -m sphinx -W docs build/site

What is ours stands in ``_extensions``: ``links`` (Markdown that also reads well in a
repository), ``formulas`` (MathML), ``names`` (the reference),
``course`` (lessons and their notebooks), ``gallery`` (the examples, run at build) and
``landmarks`` (for screen readers). ``teaching`` is what the lessons themselves import.
"""

import os
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
HERE = [str(ROOT), str(DOCS / "_extensions")]
sys.path[:0] = HERE
# Lessons and examples run in processes of their own, in other folders.
beside = filter(None, [os.environ.get("PYTHONPATH")])
os.environ["PYTHONPATH"] = os.pathsep.join([*HERE, *beside])
os.environ.pop("MPLBACKEND", None)  # figures are shown in the lessons
# An old list of fonts would be complained about in the lessons' outputs.
fonts = tempfile.TemporaryDirectory()
os.environ["MPLCONFIGDIR"] = fonts.name

import autograd  # noqa: E402

project = "scalar-autograd"
release = version = autograd.__version__
copyright = "2026, the scalar-autograd authors. MIT licence"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc"]
extensions += ["links", "formulas", "names", "course", "gallery", "landmarks"]
exclude_patterns = ["_*", "**/.ipynb_checkpoints"]

# -- Text ----------------------------------------------------------------------------

# Where a reader sees the repository's files, up to the path: "https://…/blob/main/".
# Empty: the files are copied into the site, so that links need no network.
repository_files = ""
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"
smartquotes = False

# -- Lessons -------------------------------------------------------------------------

nb_execution_mode = "auto"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = -1  # none
nb_merge_streams = True

# -- The reference -------------------------------------------------------------------

autodoc_typehints = "none"  # docstrings say what arguments are
autodoc_member_order = "bysource"
add_module_names = False
toc_object_entries_show_parents = "hide"

# -- The look ------------------------------------------------------------------------

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [
    (f"{name}.js", {"defer": "defer"}) for name in ("exercises", "live", "scrolling")
]
html_extra_path = ["playground.html"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it would ask for pages, which file:// forbids
html_use_index = True
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
