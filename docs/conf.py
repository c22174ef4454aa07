"""How Sphinx builds the site from the Markdown files of the repository: `make docs`.

The source folder is the repository itself, so that every relative link works on the site as it works in the repository.
"""

import sys
from pathlib import Path

import shakegen

sys.path.append(str(Path(__file__).parent / "site"))

project, author = "shakegen", "The shakegen authors"
release = version = shakegen.__version__
project_copyright = author
language = "en"
smartquotes = False  # -- is the beginning of an option

root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "benchmarks/*.md",
    "corpora/*.md",
    "models/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [".*", "build", "poem", "**/__pycache__"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_pages", "notebooks"]
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "deflist"]

html_theme = "furo"
html_title = "shakegen"
html_static_path = ["site/site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
autodoc_inherit_docstrings = False
napoleon_use_param = False  # one entry may name several
napoleon_custom_sections = [("Attributes", "params_style"), ("Call arguments", "params_style")]
nitpick_ignore_regex = [
    ("py:.*", r"(?!shakegen\b).*"),  # names of other packages
    ("py:class", r"shakegen\.training\.(tasks\.task|beginning|workers\.channel)\..*"),  # handed on, never looked into
]
