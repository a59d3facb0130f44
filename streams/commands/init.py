"""The command ``watchkeeper init``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

Answer = Annotated[str | None, typer.Option(help="Answers that question; without it, it is asked.")]


def init(
    file: Annotated[Path, typer.Argument(help="The policy file to write.")] = Path("policy.yaml"),
    use_case: Answer = None,
    service: Answer = None,
    owner: Answer = None,
    runbook: Answer = None,
    guards: Answer = None,
) -> None:
    """Ask five questions and write the first policy of a service, which extends a ready one."""
    from streams.policy.explain import explained, today
    from streams.policy.first import QUESTIONS, first_policy
    from streams.policy.policy import PolicyError, parse_policy

    if file.exists():
        raise PolicyError(f"{file} is there already; name another file, or add the service to it by hand")
    given = {"use_case": use_case, "service": service, "owner": owner, "runbook": runbook, "guards": guards}
    open_ones = [name for name, answer in given.items() if answer is None]
    if open_ones and not sys.stdin.isatty():
        flags = ", ".join("--" + name.replace("_", "-") for name in open_ones)
        raise PolicyError(f"nobody is there to be asked: answer by {flags}")
    empty = ("runbook", "guards")
    asked = {
        name: typer.prompt(QUESTIONS[name], default="" if name in empty else None, show_default=False)
        for name in open_ones
    }
    text = first_policy(**{name: asked.get(name, answer or "") for name, answer in given.items()})
    file.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {file}; set WATCHKEEPER_POLICY={file} to use it\n")
    typer.echo("\n".join(explained(parse_policy(text), today())))
