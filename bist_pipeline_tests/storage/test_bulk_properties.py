"""`replace` against a dictionary: whatever was stored, delivered and asked for, the scope holds what was delivered."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bist_pipeline.storage.bulk import Scope, WriteCounts
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.storage.rows import CANDLES, empty, insert, make_frame, replace, stored

SYMBOLS = ("ZZAAA", "ZZAAB", "ZZAAC")
DAYS = tuple(date(2024, 1, day) for day in (2, 3, 4))
ANSWER = ("strength", "direction", "trend_slope_atr", "fits_trend", "is_final")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Rows = dict[tuple[Any, ...], tuple[Any, ...]]

keys = st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(DAYS), st.sampled_from(("hammer", "doji")))
answers = st.tuples(
    st.sampled_from((80, 100)),
    st.sampled_from(("bullish", "bearish")),
    st.sampled_from((None, 0.0, -0.0, 5e-324, 0.1)),
    st.sampled_from((None, True, False)),
    st.booleans(),
)
tables = st.dictionaries(keys, answers, max_size=12)
bounds = st.none() | st.sampled_from(DAYS)
scopes = st.builds(Scope, bounds, bounds, st.none() | st.sets(st.sampled_from(SYMBOLS)).map(lambda s: tuple(sorted(s))))


def holds(scope: Scope, key: tuple[Any, ...]) -> bool:
    symbol, day, _ = key
    return (
        (scope.first is None or day >= scope.first)
        and (scope.last is None or day <= scope.last)
        and (scope.symbols is None or symbol in scope.symbols)
    )


def rows_of(table: Rows) -> list[dict[str, Any]]:
    return [dict(zip((*CANDLES.key, *ANSWER), (*key, *answer), strict=True)) for key, answer in table.items()]


def blocks_of(rows: list[dict[str, Any]], cuts: list[int]) -> Iterator[list[dict[str, Any]]]:
    edges = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    yield from (rows[start:end] for start, end in pairwise(edges))


@settings(max_examples=35, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prior=tables, delivered=tables, scope=scopes, cuts=st.lists(st.integers(0, 20), max_size=3))
@example(prior={}, delivered={}, scope=Scope(), cuts=[])
@example(
    prior={("ZZAAA", DAYS[0], "doji"): (80, "bullish", 0.0, None, True)},
    delivered={("ZZAAA", DAYS[0], "doji"): (80, "bullish", -0.0, None, True)},
    scope=Scope(),
    cuts=[0],
)
def test_the_scope_holds_exactly_the_delivered_rows(database, prior, delivered, scope, cuts):
    delivered = {key: answer for key, answer in delivered.items() if holds(scope, key)}
    within = {key for key in prior if holds(scope, key)}
    changed = {key for key in delivered if key in prior and prior[key] != delivered[key]}
    empty(database, CANDLES)
    insert(database, CANDLES, [{**row, "updated_at": LONG_AGO} for row in rows_of(prior)])

    counts = replace(database, CANDLES, *blocks_of(rows_of(delivered), cuts), scope=scope)

    expected = {key: answer for key, answer in prior.items() if key not in within} | delivered
    found = stored(database, CANDLES, (*ANSWER, "updated_at"))
    assert {key: row[:-1] for key, row in found.items()} == expected
    assert counts == WriteCounts(
        inserted=len(delivered.keys() - prior.keys()),
        updated=len(changed),
        unchanged=len(delivered.keys() & prior.keys()) - len(changed),
        deleted=len(within - delivered.keys()),
    )
    assert counts.delivered == len(delivered)
    # Only what is new or differs says that it changed.
    touched = {key for key, row in found.items() if row[-1] != LONG_AGO}
    assert touched == (delivered.keys() - prior.keys()) | changed


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delivered=tables.filter(bool))
def test_the_direct_and_the_staged_path_store_the_same_bits(database, delivered):
    text = "SELECT md5(string_agg(r::text, E'\\n' ORDER BY r::text)) FROM (SELECT {columns} FROM {table}) AS r"
    sql = text.format(columns=", ".join(n for n in CANDLES.columns if n != "updated_at"), table=CANDLES.name)
    sums = []
    for in_the_way in ([], [{"symbol": "IN_THE_WAY"}]):
        empty(database, CANDLES)
        insert(database, CANDLES, in_the_way)
        replace(database, CANDLES, rows_of(delivered))
        sums.append(database.rows(sql)[0][0])
    assert sums[0] == sums[1]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prior=tables, delivered=tables, scope=scopes)
def test_changed_names_the_first_session_that_a_merge_will_touch(database, prior, delivered, scope):
    delivered = {key: answer for key, answer in delivered.items() if holds(scope, key)}
    gone = {key for key in prior if holds(scope, key)} - delivered.keys()
    touched = gone | {key for key, answer in delivered.items() if key not in prior or prior[key] != answer}
    expected = {s: min(day for symbol, day, _ in touched if symbol == s) for s in {key[0] for key in touched}}
    empty(database, CANDLES)
    insert(database, CANDLES, rows_of(prior))
    with database.bulk("comparing") as bulk:
        stage = bulk.stage(CANDLES, [make_frame(CANDLES, rows_of(delivered))])
        found = bulk.changed(CANDLES, stage, scope)
    assert dict(zip(found["symbol"], found["session_date"].dt.date, strict=True)) == expected
