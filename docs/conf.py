"""Sphinx: `make docs` builds the site into build/docs, with warnings as errors and without the network."""

import sys
from pathlib import Path

from pygments.lexers import RConsoleLexer

import goursat

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Goursat"
author = "the Goursat developers"
copyright = "the Goursat developers"
version = release = goursat.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "c_header", "optional_module"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]
exclude_patterns = ["requirements.txt", ".pytest_cache"]

# Names in single backticks are links where they are names of Goursat.
default_role = "py:obj"
add_module_names = False
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False  # parameters that are described together stay together
autodoc_typehints = "none"  # the docstrings say them
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"Goursat {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["goursat.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app):
    app.add_lexer("r-session", RConsoleLexer)
