"""``watchkeeper change``: what a person or a pipeline changed, on the one timeline of changes."""

import getpass
import time
import uuid
from typing import Annotated, Final

import typer

from schemas.topics import CHANGES
from streams.commands.options import Kafka
from streams.settings import load

change_app: Final = typer.Typer(no_args_is_help=True, help="Changes of models, prompts, policies, code and data.")


@change_app.callback()
def changes() -> None:
    """Changes of models, prompts, policies, code and data."""


@change_app.command("record")
def record(  # noqa: PLR0913 - one option for each fact of a change
    *,
    service: Annotated[str, typer.Option(help="The service that is changed.")],
    subject: Annotated[str, typer.Option(help="model, prompt, guard_policy, code, index, tool, feature_flag, ...")],
    action: Annotated[str, typer.Option(help="proposed, approved, started, advanced, promoted, rolled_back, ...")],
    name: Annotated[str | None, typer.Option(help="Name of what is changed; the service's own when not given.")] = None,
    to_version: Annotated[str | None, typer.Option("--to", help="The version that serves after it.")] = None,
    from_version: Annotated[str | None, typer.Option("--from", help="The version that served before.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    incident: Annotated[str | None, typer.Option(help="The incident that it shall end.")] = None,
    weight: Annotated[float | None, typer.Option(help="Share of the traffic, 0 to 1.")] = None,
    revision: Annotated[str | None, typer.Option(help="Revision in version control.")] = None,
    repository: Annotated[str | None, typer.Option(help="Address of the repository.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Run of the pipeline.")] = None,
    initiator: Annotated[str | None, typer.Option(help="Who did it; the user of this terminal if not said.")] = None,
    approver: Annotated[list[str] | None, typer.Option(help="Who approved it; may be said several times.")] = None,
    change_id: Annotated[str | None, typer.Option(help="The change that this is a further step of.")] = None,
    kafka: Kafka = None,
) -> None:
    """Record one step of one change."""
    from streams.api.changes import checked
    from streams.audit.published import send

    given = {
        "service_name": service, "subject_type": subject, "action": action, "subject_name": name or service,
        "to_version": to_version, "from_version": from_version, "reason": reason, "incident_id": incident,
        "rollout_weight": weight, "vcs_revision": revision, "vcs_repository": repository, "pipeline_run_id": pipeline,
        "initiator_id": initiator or getpass.getuser(), "approver_ids": approver, "change_id": change_id or _new(),
        "trigger": "ci" if pipeline else "human",
    }  # fmt: skip
    change = checked(given | {"event_id": _new(), "source": "watchkeeper/cli"}, time.time_ns())
    send(load(kafka=kafka), CHANGES, change, change.service_name)
    typer.echo(change.change_id)


def _new() -> str:
    return uuid.uuid4().hex
