"""The command ``watchkeeper prometheus``."""

import os
from pathlib import Path
from typing import Annotated

import typer


def prometheus(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where Prometheus and Alertmanager read them.")],
) -> None:
    """Write the rules of Prometheus and the configuration of Alertmanager, with the receivers of the environment."""
    from dashboards.generate import prometheus_files

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in prometheus_files(os.environ).items():
        (folder / name).write_text(text)
        typer.echo(f"wrote {folder / name}")
