"""What is found in one session alone is what a range around it finds there, however long the hole. SIMULATED bars."""

from dataclasses import replace

import pytest

from bist_pipeline.pipeline.checks import gather
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import refresh_universe
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.quality.missing_bars import find
from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

BARS = simulated_bars(symbols=6, sessions=200)
SYMBOLS = sorted(BARS["symbol"].unique())
DAYS = sorted({day.date() for day in BARS["session_date"]})
HOLES = {SYMBOLS[0]: range(60, 140), SYMBOLS[1]: range(100, 102), SYMBOLS[2]: range(170, 200)}
LOST = 120  # by everybody


@pytest.fixture(scope="module")
def context(sites, tmp_path_factory):
    folder = tmp_path_factory.mktemp("holes")
    for symbol in SYMBOLS:
        lines = lines_of(BARS[BARS["symbol"] == symbol])
        kept = [line for n, line in enumerate(lines) if n != LOST and n not in HOLES.get(symbol, ())]
        # No session and no bar: neither makes a history longer.
        phantom = kept[-1] | {"Date": "2021-10-30"}
        write_lines(folder, symbol, [*kept, kept[-1] | {"Date": "2021-10-28", "Close": ""}, phantom])
    context = sites.make(folder)
    providers = build_providers(context.settings)
    refresh_universe(context, providers)
    ingest(context, providers, SYMBOLS)
    clean_prices(context, Span(DAYS[0], DAYS[-1]))
    return context


def found(context, first, last):
    rows = find(gather(context, Span(DAYS[first], DAYS[last]))).rows
    return {(row.session_date.date(), row.symbol): (row.detail, row.kind) for row in rows.itertuples()}


def test_one_session_at_a_time_finds_what_the_range_finds(context):
    whole = found(context, 0, 199)
    expected = {(DAYS[n], symbol) for symbol in SYMBOLS[:2] for n in HOLES[symbol]}
    assert set(whole) == expected | {(DAYS[LOST], symbol) for symbol in SYMBOLS}
    for day in (59, 60, 61, 95, 96, 100, 101, 102, LOST - 1, LOST, 139, 140, 169, 170, 185, 199):
        assert found(context, day, day) == {key: told for key, told in whole.items() if key[0] == DAYS[day]}
    assert found(context, 90, 104) == {key: told for key, told in whole.items() if DAYS[90] <= key[0] <= DAYS[104]}


def test_without_bounds_a_hole_longer_than_the_rows_around_it_is_not_seen(context):
    given = gather(context, Span(DAYS[100], DAYS[100]))
    assert {row.symbol for row in find(given).rows.itertuples()} == set(SYMBOLS[:2])
    assert {row.symbol for row in find(replace(given, bounds=None)).rows.itertuples()} == {SYMBOLS[1]}
