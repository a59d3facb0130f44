"""HTML from the templates of a room: those of this one are pages of one file that need no network."""

from functools import cache
from typing import Any

import jinja2

from streams.text.times import utc


def render(name: str, package: str = "streams.pages", /, **values: Any) -> str:
    """Return a page; every text in it is escaped.

    Parameters
    ----------
    name
        Of the template, without its endings.
    package
        Whose folder ``templates`` holds it.
    values
        What the template names, functions among them; one that is missing is an error.
    """
    return _templates(package).get_template(f"{name}.html.j2").render(values)


@cache
def _templates(package: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = utc
    return environment
