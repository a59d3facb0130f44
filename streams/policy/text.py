"""A policy as text: read from YAML with its lines, so that what is wrong is told with its place."""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.reader import ReaderError


class PolicyError(ValueError):
    """A policy that cannot be used; the message names file, line and what to do."""


def parsed(text: str, name: str) -> Any:
    """Return what a text says, with its lines; aliases are refused, which can say one thing a million times."""
    try:
        if not any(isinstance(event, AliasEvent) for event in YAML(pure=True).parse(text)):
            return YAML(pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = str(error.problem).partition(" with value")[0]  # of a repeated key, which may be a secret
        raise PolicyError(f"{name}:{line}: {problem}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PolicyError(f"{name}:{line}: {error.reason}") from None
    except RecursionError:
        raise PolicyError(f"{name}:1: nested too deep") from None
    except (YAMLError, ValueError) as error:  # of a date or a number that there is not
        raise PolicyError(f"{name}:1: {error}") from None
    raise PolicyError(f"{name}:1: aliases (*name) are not taken in a policy; write it out")


def problem(name: str, content: Any, item: Any) -> str:
    """Return what is wrong with a policy, after file and line, for an error of pydantic's."""
    path = [part for part in item["loc"] if part != "[key]"]
    return f"{name}:{_line(content, path)}: {'.'.join(map(str, path))}: {item['msg']}"


def _line(content: Any, path: list[int | str]) -> int:
    """Return the line of the deepest key of a path that is there."""
    line = 0
    for part in path:
        if isinstance(content, CommentedMap) and part in content:
            line = content.lc.key(part)[0]
        elif isinstance(content, CommentedSeq) and isinstance(part, int) and part < len(content):
            line = content.lc.item(part)[0]
        else:
            break
        content = content[part]
    return line + 1
