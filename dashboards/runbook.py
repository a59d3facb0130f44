"""The runbooks: files of Markdown, found by name."""

from importlib import resources
from typing import Final

BOARD: Final = "watchkeeper-runbooks"


def names() -> list[str]:
    """Return the names of all runbooks, in the order of the board."""
    folder = resources.files("dashboards") / "runbooks"
    return sorted(item.name.removesuffix(".md") for item in folder.iterdir() if item.name.endswith(".md"))


def page(name: str) -> str:
    """Return the text of a runbook."""
    return (resources.files("dashboards") / "runbooks" / f"{name}.md").read_text()


def on_board(name: str) -> str:
    """Return the text of a runbook with the services that are chosen on the board in its queries."""
    text = page(name).replace("= {service:String}", "IN ({service:String})")
    return text.replace("{service:String}", "${service:singlequote}")


def link(name: str) -> str:
    """Return where a runbook is on its board, from Grafana's root on.

    >>> link("drift").startswith("d/watchkeeper-runbooks?viewPanel=")
    True
    """
    return f"d/{BOARD}?viewPanel={names().index(name) + 1}"
