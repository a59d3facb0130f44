"""The commands ``watchkeeper review …``."""

import getpass
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from schemas.fields import NANO
from streams.settings import load

review_app: Final = typer.Typer(no_args_is_help=True, help="The review queue: look, judge, and see what it tells.")

Who = Annotated[str | None, typer.Option("--reviewer", help="Who judges; you, when empty.")]


@review_app.command("next")
def following(
    queue: Annotated[str, typer.Option(help="Name of the queue.")] = "safety",
    reviewer: Who = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Show the oldest item that still needs you."""
    from streams.review.queue import upcoming

    items = upcoming(load(), queue, reviewer or getpass.getuser())
    if not items:
        typer.echo(f"nothing in {queue} waits for you")
    elif as_json:
        typer.echo(json.dumps(items[0]))
    else:
        _show(items[0])


def _show(item: dict[str, Any]) -> None:
    chosen = f"{item['sampling_method']}, 1 in {1 / item['sampling_probability']:.0f} of stratum {item['stratum']}"
    typer.echo(f"{item['target_event_id']}  {item['target_kind']} of {item['service_name']}, {item['queued']}")
    typer.echo(f"chosen: {chosen}; risk {item['risk']:.2f}; flagged: {'yes' if item['flagged'] else 'no'}")
    for guard in item["guards"]:
        found = ", ".join(guard["categories"]) or "nothing"
        typer.echo(f"  {guard['guard_name']} on {guard['layer']}: {guard['verdict'] or guard['status']}, {found}")
    for name, text in item["texts"].items():
        typer.echo(f"{name}: {text}")
    if not item["texts"]:
        typer.echo("no text: its service does not send any")


@review_app.command()
def label(
    event_id: Annotated[str, typer.Argument(help="As `watchkeeper review next` shows it.")],
    judgement: Annotated[str, typer.Argument(help="safe, unsafe, borderline, benign_blocked or cannot_judge.")],
    category: Annotated[list[str] | None, typer.Option(help="What is wrong; may be given several times.")] = None,
    severity: Annotated[int | None, typer.Option(min=0, max=4)] = None,
    note: Annotated[str | None, typer.Option(help="A short explanation, or a link to one.")] = None,
    reviewer: Who = None,
    at: Annotated[datetime | None, typer.Option(help="When it was judged, UTC; now, when empty.")] = None,
) -> None:
    """Say what an event is. A second judgement of yours takes the place of the first."""
    from schemas.topics import REVIEWS
    from streams.audit.published import send
    from streams.review.queue import LABELS, Judgement, judged

    if judgement not in LABELS:
        raise ValueError(f"{judgement!r} is no label; take one of {', '.join(LABELS)}")
    settings = load()
    said = Judgement(
        target_event_id=event_id,
        label=judgement,  # type: ignore[arg-type]
        reviewer=reviewer or getpass.getuser(),
        categories=category or None,
        severity=severity,
        note=note,
        labelled_at=int(at.replace(tzinfo=at.tzinfo or UTC).timestamp()) * NANO if at else None,
    )
    record = judged(settings, said)
    send(settings, REVIEWS, record, record.target_event_id)
    typer.echo(f"{event_id} is {judgement}")


@review_app.command()
def stats(
    since: Annotated[str, typer.Option(help="A span back from now (36h, 7d), or a time in ISO 8601.")] = "7d",
    known_at: Annotated[datetime | None, typer.Option(help="As it was known then, UTC.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Show progress, agreement, the true rate and the quality of the guards."""
    from streams.kpis.period import Period, begin
    from streams.kpis.show import table
    from streams.review.show import estimated, guards_table
    from streams.review.stats import stats as found
    from streams.text.terminal import console

    now = datetime.now(UTC)
    known = known_at.replace(tzinfo=known_at.tzinfo or UTC) if known_at else now
    said = found(load(), Period(begin(since, now), now), known)
    if as_json:
        typer.echo(json.dumps(said))
        return
    progress = said["progress"]
    typer.echo(
        f"{progress['labelled']} of {progress['items']} items judged, {progress['last_day']} judgements in a day, "
        f"{progress['unsure']} of {progress['judgements']} unsure, {progress['feedback']} words of users, "
        f"{progress['unmatched']} about events nobody has seen"
    )
    for service, quality in said["services"].items():
        shown = ", ".join(f"{name} {estimated(quality[name])}" for name in ("true_rate", "precision", "recall"))
        more = (
            ""
            if quality["labels_to_halve"] is None
            else f"; {quality['labels_to_halve']} more would halve the interval"
        )
        typer.echo(f"{service}: {quality['labels']} labels, {shown}{more}")
    if (guards := guards_table(said["services"])).row_count:
        console().print(guards)
    console().print(table(said["kpis"], f"As known at {said['known_at']} UTC"))
