"""SQL in files, one query each, and values written into SQL where they cannot travel as parameters."""

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jinja2 import Environment

Given = str | int | bool | tuple[str, ...] | tuple[tuple[str, ...], ...]


@cache
def query(package: str, name: str, **values: Given) -> str:
    """Return the query in ``queries/NAME.sql`` of a package.

    Values of users travel as ClickHouse's parameters, ``{name:Type}``. What no parameter can be (a table, a list of
    columns, a clause) is filled in by Jinja, from names of our own.

    Parameters
    ----------
    package
        Whose folder ``queries`` holds it, as in an import.
    values
        What the file's Jinja expressions name.

    Raises
    ------
    jinja2.TemplateNotFound
        Where there is no such file.
    jinja2.UndefinedError
        Where it names what was not given.
    """
    return _queries().get_template(f"{package}/{name}.sql").render(values).strip()


def _read(name: str) -> str | None:
    package, _, file = name.partition("/")
    path = resources.files(package) / "queries" / file
    return path.read_text().rstrip("\n") if path.is_file() else None


@cache
def _queries() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # who only writes a literal starts without Jinja

    class Queries(Environment):
        """Finds a query by ``PACKAGE/NAME``; one that is included without a package is of the same."""

        def join_path(self, template: str, parent: str) -> str:
            return template if "/" in template else f"{parent.partition('/')[0]}/{template}"

    return Queries(
        loader=FunctionLoader(_read), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )


_ESCAPED: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0"})


def literal(text: str) -> str:
    r"""Return a text as a literal of ClickHouse, for SQL that is shown or kept and so has no parameters.

    >>> print(literal("kim's \\ shop"))
    'kim\'s \\ shop'
    """
    return f"'{text.translate(_ESCAPED)}'"
