"""What a reader may call, held against the engine's own list of functions, in every place where a name may stand."""

from dataclasses import replace

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from streams.settings import load
from streams.sql.allowed import FUNCTIONS, SYSTEM, TABLE_FUNCTIONS
from streams.sql.errors import SqlError
from streams.sql.guard import Check
from streams.sql.reader import Reader
from streams.sql.request import Asked
from tests.support.stores import own_database

pytestmark = pytest.mark.store

PLACES = (
    "SELECT F_('x')",
    "SELECT `F_`(a, b) FROM (SELECT 1 AS a, 2 AS b)",
    "SELECT * APPLY(F_) FROM (SELECT 'x' AS p)",
    "SELECT * APPLY F_ FROM (SELECT 'x' AS p)",
    "SELECT COLUMNS('p') APPLY(F_) FROM (SELECT 'x' AS p)",
    "SELECT * APPLY(x -> F_(x)) FROM (SELECT 'x' AS p)",
    "SELECT * REPLACE(F_(p) AS p) FROM (SELECT 'x' AS p)",
    "SELECT arrayMap(F_, ['x'])",
    "SELECT arrayMap(`F_`, ['x'])",
    'SELECT arrayFold("F_", [1], 0)',
    "SELECT arrayMap(x -> F_(x), ['x'])",
    "WITH F_ AS g SELECT g('x')",
    "WITH F_('x') AS g SELECT g",
    "SELECT (SELECT F_('x'))",
    "SELECT 1 FROM (SELECT 1 AS a) WHERE F_(a) ORDER BY 1",
    "SELECT a FROM (SELECT 1 AS a) GROUP BY a HAVING F_(a)",
    "SELECT 1 UNION ALL SELECT F_('x')",
    "SELECT 1 IN (SELECT F_('x'))",
    "SELECT sum(F_(a)) OVER (PARTITION BY F_(a)) FROM (SELECT 1 AS a)",
    "SELECT * FROM (SELECT 1 AS a) AS l JOIN (SELECT 1 AS a) AS r ON F_(l.a) = r.a",
    "EXPLAIN SELECT F_('x')",
    "EXPLAIN QUERY TREE SELECT arrayMap(F_, ['x'])",
    "SELECT * FROM view(SELECT F_('x'))",
    "SELECT * FROM values('a UInt8', F_(1))",
)

TABLE_PLACES = (
    "SELECT * FROM F_('x')",
    "SELECT * FROM F_()",
    "SELECT 1 IN F_('x')",
    "SELECT 1 NOT IN `F_`('x')",
    "SELECT * FROM (SELECT 1) AS a, F_('x') AS b",
    "SELECT * FROM (SELECT 1 AS x) AS a JOIN F_('x') AS b ON 1",
    "WITH t AS (SELECT * FROM F_('x')) SELECT 1 FROM t",
    "SELECT * FROM view(SELECT * FROM F_('x'))",
    "EXPLAIN SELECT * FROM F_('x')",
)

DESCRIBED = (
    "DESCRIBE (SELECT F_('x'))",
    "DESCRIBE F_('x')",
    "DESCRIBE TABLE F_('x', 'CSV', 'a String')",
    "DESCRIBE (SELECT arrayMap(F_, ['x']))",
    "EXISTS VIEW default.`x`",
)

TELLTALE = frozenset(
    {"file", "getsetting", "getserversetting", "sleep", "sleepeachrow", "dictget", "joinget", "hascolumnintable"}
    | {"addresstoline", "addresstosymbol", "demangle", "hostname", "fqdn", "showcertificate", "filesystemavailable"}
    | {"catboostevaluate", "evalmlmethod", "aigenerate", "aiembed", "serveruuid", "getmacro", "getosversion"}
    | {"getoskernelversion", "zookeepersessionuptime", "tcpport", "getclienthttpheader", "structuretoprotobufschema"}
    | {"flamegraph", "logtrace", "regiontoname", "transactionid", "currentprofiles", "globalvariable", "chdb", "uptime"}
)
"""Functions that touch files, network, dictionaries, other tables, models, time, or tell of the machine."""


@pytest.fixture(scope="module")
def house(store_path):
    """A reader over empty tables, a handle of the engine, and what the engine calls its functions."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database="hostile")
    with own_database(settings) as client:
        reader = Reader(settings)
        yield reader, client
        reader.close()


def names(client, table):
    """Return all names of the engine's own list."""
    return [row[0] for row in client.query(f"SELECT name FROM system.{table}").result_rows]


def trees(client, texts):
    """Return the trees of queries; None where the engine itself says that a text is no query."""
    query = "SELECT parseQueryToJSON(arrayJoin({texts:Array(String)}))"
    try:
        return [row[0] for row in client.query(query, parameters={"texts": texts}).result_rows]
    except DatabaseError as error:
        if "SYNTAX_ERROR" not in str(error):
            raise
        if len(texts) == 1:
            return [None]
    half = len(texts) // 2
    return trees(client, texts[:half]) + trees(client, texts[half:])


def passed(reader, tree, parameters=None):
    """Tell whether the guard lets a tree pass."""
    try:
        Check(reader._names, "hostile", parameters or {}).run(tree)
    except SqlError as error:
        if error.code != 497:
            raise
        return False
    return True


def let_through(house, places, refused):
    """Return which names pass in which places, in any of the spellings."""
    reader, client = house
    asked = [(place, each) for place in places for name in refused for each in {name, name.upper()}]
    found = trees(client, [place.replace("F_", name) for place, name in asked])
    kept = [(ask, tree) for ask, tree in zip(asked, found, strict=True) if tree is not None]
    assert len(kept) > 0.95 * len(asked)
    return [ask for ask, tree in kept if passed(reader, tree)]


def refusal(reader, query, **parameters):
    """Return the code with which a question is refused, None where it is answered."""
    try:
        reader.run(Asked(query, parameters=parameters))
    except SqlError as error:
        return error.code
    return None


def test_every_function_that_is_not_on_the_list_is_refused_in_every_place(house):
    """Of all the engine's functions, aliases and spellings, none that the list lacks passes anywhere."""
    reader, client = house
    known = names(client, "functions")
    refused = [name for name in known if name.lower() not in FUNCTIONS]
    assert {name.lower() for name in refused} >= TELLTALE & {name.lower() for name in known}
    assert let_through(house, PLACES, refused) == []
    (tree,) = trees(client, ["SELECT arrayMap({name:Identifier}, ['x'])"])
    assert [name for name in refused if passed(reader, tree, {"name": name})] == []


def test_every_table_function_that_is_not_on_the_list_is_refused_in_every_place(house):
    """So it is with table functions, also right of IN and in views."""
    refused = [name for name in names(house[1], "table_functions") if name.lower() not in TABLE_FUNCTIONS]
    assert let_through(house, TABLE_PLACES, refused) == []


def test_combinators_make_no_function_of_the_list_out_of_one_that_is_not(house):
    """An aggregate function that the list lacks is refused with any one or two combinators, also named by a text."""
    _, client = house
    ends = names(client, "aggregate_function_combinators")
    rows = client.query("SELECT name FROM system.functions WHERE is_aggregate").result_rows
    refused = [name for (name,) in rows if name.lower() not in FUNCTIONS]
    assert "flameGraph" in refused
    combined = [name + one + two for name in refused for one in ends for two in ("", "If", "OrNull", "Array")]
    places = ("SELECT F_(1, 1)", "SELECT * APPLY(F_) FROM numbers(1)", "SELECT arrayReduce('F_', [1])")
    assert let_through(house, places, combined) == []


def test_all_that_the_list_has_may_be_called(house):
    """The list holds nothing that the engine does not know, and a call of each passes; so do combinators of it."""
    reader, client = house
    known = {name.lower(): name for name in names(client, "functions")}
    assert set(known) >= FUNCTIONS
    texts = [f"SELECT {known[name]}(a) FROM (SELECT 1 AS a)" for name in sorted(FUNCTIONS)]
    found = [tree for tree in trees(client, texts) if tree is not None]
    assert len(found) > 0.95 * len(texts)
    stopped = [
        text for text, tree in zip(texts, trees(client, texts), strict=True) if tree and not passed(reader, tree)
    ]
    assert [text.split("(")[0] for text in stopped] == ["SELECT arrayReduce", "SELECT arrayReduceInRanges"]
    assert reader.run(Asked("SELECT sumIfOrNull(number, number > 1), uniqExactArray([1]) FROM numbers(4)")).body


def test_a_function_that_is_new_in_the_engine_is_refused(house):
    """What is not on the list is refused, whether anybody has thought of it or not."""
    reader, client = house
    newer = replace(reader._names, functions=reader._names.functions | {"readeverything"})
    for text in ("SELECT readEverything(1)", "SELECT arrayMap(readEverything, [1])", "SELECT * APPLY readEverything"):
        with pytest.raises(SqlError, match="readEverything"):
            Check(newer, "hostile", {}).run(*trees(client, [text]))
    with pytest.raises(SqlError, match="UNKNOWN_FUNCTION"):
        Check(reader._names, "hostile", {}).run(*trees(client, ["SELECT readEverything(1)"]))


@pytest.mark.parametrize("place", [*DESCRIBED, *PLACES[:9], *TABLE_PLACES[:3]])
def test_a_file_of_the_machine_is_read_in_no_place(house, place, tmp_path):
    """The reader itself refuses a file that is there, with the same words as one that is not."""
    reader, _ = house
    there = tmp_path / "secret"
    there.write_text("secret\n")
    for path in (str(there), str(tmp_path / "none")):
        assert refusal(reader, place.replace("F_", "file").replace("'x'", f"'{path}'")) == 497


def test_an_identifier_from_outside_cannot_hide_a_function(house):
    """The value of a parameter that is an identifier is held against the list, and has plain letters only."""
    reader, _ = house
    query = "SELECT arrayMap({f:Identifier}, ['/etc/hostname'])"
    assert [refusal(reader, query, f=name) for name in ("file", "FILE", "fi\\x6ce", "`file`", "fi le")] == [497] * 5
    assert refusal(reader, query, f="upper") is None
    assert refusal(reader, "SELECT name FROM {d:Identifier}.users", d="system") == 497
    assert refusal(reader, "SELECT number AS n FROM numbers(1) ORDER BY {n:Identifier}", n="n") is None


def test_only_tables_of_the_list_are_read(house):
    """Of `system`, `default` and other databases, every other table is refused wherever a table may be named."""
    reader, client = house
    others = [f"system.{name}" for (name,) in client.query(
        "SELECT name FROM system.tables WHERE database = 'system'").result_rows if name not in SYSTEM]  # fmt: skip
    places = ("SELECT count() FROM T_", "SELECT 1 IN T_", "SELECT 1 FROM numbers(1) AS n JOIN T_ AS t ON 1",
              "SELECT (SELECT count() FROM T_)", "SELECT * FROM view(SELECT 1 FROM T_)")  # fmt: skip
    texts = [place.replace("T_", name) for place in places for name in [*others, "default.`/etc/hostname`"]]
    assert [text for text, tree in zip(texts, trees(client, texts), strict=True) if passed(reader, tree)] == []
    for kind in ("DESCRIBE", "SHOW CREATE TABLE", "EXISTS", "SHOW COLUMNS FROM"):
        for name in ("system.users", "system.processes", "default.`/etc/hostname`"):
            assert refusal(reader, f"{kind} {name}") == 497


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM system.tables",
        "SELECT data_paths FROM system.tables",
        "SELECT t.metadata_path FROM system.tables AS t",
        "SELECT COLUMNS('path') FROM system.disks",
        "SELECT t.* FROM system.parts AS t",
        "SELECT * EXCEPT name FROM system.databases",
        "SELECT n FROM (SELECT * FROM system.disks) AS t(n, p)",
        "SELECT count() FROM system.disks WHERE path = '/'",
        "SELECT ('default', '/') IN system.disks",
        "SELECT empty(data_paths AS p), p FROM system.tables",
        "SELECT empty(data_paths[1]) FROM system.tables",
        "SELECT empty(x -> data_paths) FROM system.tables",
        "WITH d AS (FROM system.disks) SELECT 1 FROM d",
    ],
)
def test_no_path_of_the_machine_is_told(house, query):
    """Where a table that may be read has columns with paths, these are refused by name, by star and by pattern."""
    assert refusal(house[0], query) == 497


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "WITH x AS (SELECT getSetting('max_memory_usage') SETTINGS max_memory_usage = 0) SELECT * FROM x",
        "SELECT * FROM (SELECT 1 SETTINGS allow_introspection_functions = 1)",
        "SELECT (SELECT 1 SETTINGS max_threads = 64)",
        "SELECT 1 IN (SELECT 1 SETTINGS readonly = 0)",
        "SELECT * FROM view(SELECT 1 SETTINGS readonly = 0)",
        "SELECT 1 UNION ALL SELECT 2 SETTINGS log_comment = 'x'",
        "EXPLAIN SELECT 1 SETTINGS readonly = 0",
        "DESCRIBE (SELECT 1 SETTINGS readonly = 0)",
    ],
)
def test_no_setting_is_changed_inside_a_question(house, query):
    """SETTINGS are refused in every part of a question, as the engine does at its end."""
    assert refusal(house[0], query) in {164, 497}


def test_what_reads_the_own_tables_is_answered(house):
    """Lambdas with names, CASE, parametrised views, windows, CTEs and unions run as before."""
    reader, _ = house
    for query in (
        "WITH (x, y) -> x + y AS add SELECT add(1, 2), CASE 1 WHEN 1 THEN 2 ELSE 3 END, arrayMap(upper, ['a'])",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT sum(n) FROM r",
        "SELECT * APPLY(toString) FROM numbers(2) ORDER BY ALL LIMIT 1 BY number",
        "SELECT sum(number) OVER (ORDER BY number ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers(3)",
        "SELECT count(*) FROM findings AS f FINAL LEFT JOIN inferences AS i USING (service_name) WHERE 1 IN (1, 2)",
        "SELECT free_space, total_space FROM system.disks",
        "SELECT empty(t.data_paths) FROM system.tables AS t",
        "SELECT name, engine, total_rows FROM system.tables WHERE database = currentDatabase()",
        "SELECT 1 INTERSECT SELECT 1 EXCEPT SELECT 2",
        "SELECT table_name FROM information_schema.tables",
        "EXPLAIN indexes = 1 SELECT * FROM findings",
        "SHOW DATABASES",
        "SHOW COLUMNS FROM findings",
        "SHOW FUNCTIONS LIKE 'array%'",
    ):
        assert refusal(reader, query) is None, query
