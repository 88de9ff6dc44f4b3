"""A consumer's question: today's signals."""

from collections.abc import Iterator

import psycopg2

from bist_pipeline.client import Client
from bist_pipeline.pipeline.context import DATA_DATABASE
from bist_pipeline_tests.benchmarks.arena import Arena
from bist_pipeline_tests.benchmarks.lines import Line

QUERY_MS = 20.0
_TIMES = 50


def todays_signals(arena: Arena) -> Iterator[Line]:
    """Ask for the signals of the last session, as consumers do."""
    url, watch = arena.server.url(DATA_DATABASE), arena.watch
    where = f"FROM serving.signals_v1 WHERE session_date = '{arena.sessions[-1]}'"
    plain = "symbol, session_date, score, action, confidence, close_try, is_final, known_at"
    client, connection = Client(url), psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:

            def sql(columns: str) -> None:
                cursor.execute(f"SELECT {columns} {where} ORDER BY symbol")
                cursor.fetchall()

            with_terms = watch.median_ms("today's signals, SQL with terms", lambda: sql("*"), _TIMES)
            without = watch.median_ms("today's signals, SQL without terms", lambda: sql(plain), _TIMES)
            by_client = watch.median_ms("today's signals, Client", client.signals, _TIMES)
    finally:
        connection.close()
        client.close()
    yield Line("Today's signals: SQL, with `terms`", with_terms, "ms", None, QUERY_MS)
    yield Line("· SQL, without `terms`", without, "ms", None, QUERY_MS)
    yield Line("· Client().signals(), the frame included", by_client, "ms", None, QUERY_MS)
