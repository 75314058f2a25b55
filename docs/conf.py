"""Sphinx's settings for the site of these documents, which tools/docs builds."""

from website import autodoc_hooks

import kgan

project = "kgan"
author = project_copyright = "The kgan authors"
version = release = kgan.__version__
root_doc = "docs/README"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
setup = autodoc_hooks.setup

# The pages, as common hosts of repositories show them.
myst_enable_extensions = ["html_image", "linkify"]
myst_linkify_fuzzy_links = False  # README.md is no address
myst_heading_anchors = 4
highlight_language = "none"
smartquotes = False  # --option has two dashes
suppress_warnings = ["toc.not_included"]  # a test says that the index names every page of docs/

# Docstrings.
autodoc_inherit_docstrings = False  # Keras's
autodoc_member_order = "bysource"
maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_param = False
napoleon_custom_sections = ["Reference", ("Attributes", "params_style")]

html_theme = "furo"
html_title = f"kgan {version}"
html_static_path = ["website/site.css"]
html_css_files = ["site.css"]
templates_path = ["website"]
html_additional_pages = {"index": "to_index.html"}
html_copy_source = html_show_sourcelink = False
