"""``watchkeeper demo``: a recorded week, or a scenario made for it, played through the real thing."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from streams.commands.options import Seed, times_real_time
from streams.settings import Settings, SettingsError, load

SCENARIOS: Final = ("week", "agents")


def demo(
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept; emptied first.")] = None,
    scenario: Annotated[
        str, typer.Option(help="week, as it was recorded; or agents: half a day, made up, in which no KPI is empty.")
    ] = "week",
    seconds: Annotated[float, typer.Option(help="How long a week shall take, if the machine can.")] = 50,
    speed: Annotated[str | None, typer.Option(help="Times real time, or max, in place of --seconds.")] = None,
    seed: Seed = None,
    kafka: Annotated[
        str | None, typer.Option("--kafka", help="Of services that run already, with --clickhouse.")
    ] = None,
    clickhouse: Annotated[str | None, typer.Option("--clickhouse", help="Their store, which must be empty.")] = None,
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--exit", help="Keep it up until Ctrl-C; as it is at a terminal."),
    ] = None,
) -> None:
    """Play a recorded week, or a scenario, through Kafka, Faust, the detectors and ClickHouse."""
    from streams.demo.play import WEEK_SECONDS, Pace
    from streams.demo.run import play_and_compare, run_demo, run_demo_there
    from streams.demo.scenario.run import play_scenario, prepared
    from streams.health.logs import configure_logs
    from streams.local.ports import free_base_port

    if scenario not in SCENARIOS:
        raise SettingsError(f"--scenario is one of {', '.join(SCENARIOS)}, not {scenario!r}")
    play = play_and_compare if scenario == "week" else play_scenario
    pace = Pace(WEEK_SECONDS / seconds if speed is None else times_real_time(speed), seed)
    if kafka or clickhouse:
        settings = _of_others(kafka, clickhouse, data_dir)
        configure_logs(settings)
        run_demo_there(settings, pace, play)
        return
    folder = data_dir or Path("data/demo")
    given = {"data_dir": folder, "clickhouse": f"chdb://{folder}/clickhouse", "log_level": "WARNING"}
    given |= prepared() if scenario == "agents" else {}
    settings = load(**given)
    if not settings.base_port:
        settings = load(**given, base_port=free_base_port())  # beside whatever else runs here
    configure_logs(settings)
    run_demo(settings, pace, play, stay=_looks_on() if stay is None else stay)


def _of_others(kafka: str | None, clickhouse: str | None, data_dir: Path | None) -> Settings:
    """Return the settings of services that run already."""
    if data_dir or not (kafka and clickhouse):
        raise SettingsError("--kafka and --clickhouse name services that run; give both, and no --data-dir")
    return load(kafka=kafka, clickhouse=clickhouse, log_level="WARNING")


def _looks_on() -> bool:
    """Tell whether a person sits at the terminal, and no script."""
    return sys.stdin.isatty() and sys.stdout.isatty()
