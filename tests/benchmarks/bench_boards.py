"""What boards and alert rules cost: ``python -m tests.benchmarks.bench_boards``.

The store is that of `bench_kpis`: thirty days of five million events of 20 services. A board's figure is the sum over
its panels, each asked for the whole month; a rule's is its one query. Beside each stands how often longer it takes than
``SELECT count() FROM service_minutes FINAL``.
"""

from datetime import timedelta

from dashboards.boards import BOARDS
from dashboards.layout import board_json
from tests.benchmarks.bench_kpis import SERVICES, SINCE, UNTIL, filled, milliseconds
from tests.support.dashboards.grafana import alert_rules, expand
from tests.support.histories import judge

OPTIONS = {"service": [f"service-{number}" for number in range(SERVICES)], "version": ["m@0", "m@1"]}


def main() -> None:
    """Fill, read, print."""
    client = filled()
    judge(client)
    unit = milliseconds(client, "SELECT count() FROM service_minutes FINAL")
    print(f"{'SELECT count() FROM service_minutes FINAL':48} {unit:8.0f} ms")
    for board in BOARDS:
        asked = [target["rawSql"] for panel in board_json(board)["panels"] for target in panel.get("targets", [])]
        taken = [milliseconds(client, expand(sql, SINCE, UNTIL, {}, OPTIONS)) for sql in asked]
        if taken:
            print(f"board {board.name:42} {sum(taken):8.0f} ms {sum(taken) / unit:6.1f} x, slowest {max(taken):.0f} ms")
    for rule in alert_rules():
        asked = rule["data"][0]
        since = UNTIL - timedelta(seconds=asked["relativeTimeRange"]["from"])
        taken = milliseconds(client, expand(asked["model"]["rawSql"], since, UNTIL, {}, OPTIONS))
        print(f"rule {rule['uid']:43} {taken:8.0f} ms {taken / unit:6.1f} x", flush=True)


if __name__ == "__main__":
    main()
