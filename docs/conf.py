"""How Sphinx makes the site: every page of Markdown of the tree, where it lies, so that links hold here and there."""

project = "Watchkeeper"
author = "Watchkeeper contributors"
project_copyright = "Apache-2.0"

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "examples/*.md",
    "schemas/**.md",
    "streams/**/README.md",
    "dashboards/**.md",
]
exclude_patterns = [".*", "build", "data", "dist", "secrets", "tests", "**/node_modules"]

myst_heading_anchors = 3
nitpicky = True
suppress_warnings = [
    "misc.highlighting_failure",  # no lexer knows the parameters of ClickHouse: {name:Type}
    "toc.not_included",  # runbooks and the like are reached from their lists; a test finds what nobody links to
]

html_theme = "furo"
html_title = "Watchkeeper"
html_copy_source = False
html_show_sphinx = False
