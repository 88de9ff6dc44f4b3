"""The whole path in one process, on simulated files."""

from datetime import date

from bist_pipeline.pipeline.backfill import backfill
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.archives import simulated_bars, write_archive


def test_a_backfill_fills_every_table(context, tmp_path):
    bars = simulated_bars(symbols=3, sessions=300)
    write_archive(tmp_path / "archive", bars)
    report = backfill(context, build_providers(context.settings), Span(date(2021, 1, 4), date(2022, 12, 30)))
    assert report.cleaned.prices.inserted == len(bars)
    assert report.published.signals > 0
    served = context.database.rows("SELECT count(*) AS n FROM serving.signals_v1")[0].n
    assert served == report.published.signals
