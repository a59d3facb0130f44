"""What the tests' Grafana answers to queries: the engine's own, and a stand-in for expressions."""

from datetime import UTC, datetime

from tests.support.dashboards.grafana import macros

EXPRESSIONS = ("reduce", "threshold", "math")


def asking(client):
    """Return the answering of a query call, over a client of the store."""

    def ask(body):
        since, until = (datetime.fromtimestamp(int(body[name]) / 1_000, UTC) for name in ("from", "to"))
        results = {}
        for query in body["queries"]:
            answer = expression if query["datasource"]["uid"] == "__expr__" else rows
            try:
                results[query["refId"]] = {"status": 200, "frames": [answer(query, results, client, since, until)]}
            except Exception as error:  # noqa: BLE001 - whatever the engine says is what Grafana passes on
                results[query["refId"]] = {"status": 500, "error": str(error).splitlines()[0]}
        return results

    return ask


def rows(query, _results, client, since, until):
    """Return the frame of a query of the store."""
    answer = client.query(macros(query["rawSql"], since, until))
    kinds = [kind.name for kind in answer.column_types]
    fields = [{"name": name, "kind": kind} for name, kind in zip(answer.column_names, kinds, strict=True)]
    columns = [[str(value) for value in column] for column in answer.result_columns]
    return {"schema": {"fields": fields}, "data": {"values": columns}}


def expression(query, results, *_):
    """Return an empty frame, or refuse what Grafana's expressions do not take: anything but text and one number."""
    assert query["type"] in EXPRESSIONS, f"no such expression: {query['type']}"
    if query["type"] != "math":
        fields = results[query["expression"]]["frames"][0].get("schema", {"fields": []})["fields"]
        numbers = [field for field in fields if "String" not in field["kind"]]
        assert len(numbers) <= 1, "input data must be a wide series but got type not"
    return {"data": {"values": []}}
