"""HTML from the templates of this room: each page is one file that needs no network."""

from functools import cache
from typing import Any

import jinja2

from streams.text.times import utc


def render(name: str, **values: Any) -> str:
    """Return a page; every text in it is escaped.

    Parameters
    ----------
    name
        Of the template, without its endings.
    values
        What the template names, functions among them; one that is missing is an error.
    """
    return _templates().get_template(f"{name}.html.j2").render(values)


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("streams.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = utc
    return environment
