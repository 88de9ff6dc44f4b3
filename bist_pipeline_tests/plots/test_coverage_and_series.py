from base64 import b64decode
from datetime import date

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._days import written
from bist_pipeline.plots.coverage import coverage_bar
from bist_pipeline.plots.markdown import png_markdown
from bist_pipeline.plots.series import series_chart
from bist_pipeline_tests.plots.pictures import coloured

DAYS = pd.bdate_range("2024-01-02", periods=60)


def test_a_bar_is_as_long_as_its_share():
    png = coverage_bar({"traded": 75, "halted": 25})
    blue = coloured(png, canvas.UP)
    lengths = [int(row.sum()) for row in blue if row.sum() > 20]
    assert max(lengths) == pytest.approx(3 * min(lengths), abs=3)


def test_a_single_symbol_is_seen_beside_thousands():
    assert coloured(coverage_bar({"traded": 5000, "halted": 0}), canvas.DOWN).sum() == 0
    assert coloured(coverage_bar({"traded": 5000, "halted": 1}, attention=("halted",)), canvas.DOWN).sum() > 30


def test_a_status_without_symbols_needs_no_attention():
    counts = {"traded": 5, "provider_failed": 0}
    assert coverage_bar(counts, attention=("provider_failed",)) == coverage_bar(counts)


def test_the_order_of_days_does_not_matter():
    values = np.arange(60.0)
    one = series_chart(DAYS, {"rows": values}, title="Rows")
    assert one == series_chart(DAYS[::-1], {"rows": values[::-1]}, title="Rows")


def test_days_may_be_dates_or_timestamps():
    values = list(range(60))
    dates = [day.date() for day in DAYS]
    assert series_chart(dates, {"rows": values}, title="R") == series_chart(
        pd.Series(DAYS), {"rows": values}, title="R"
    )


def test_unknown_values_interrupt_a_line():
    values = np.full(60, 5.0)
    values[20:40] = np.nan
    blue = coloured(series_chart(DAYS, {"rows": values}, title="Rows"), canvas.UP)[60:280]
    columns = np.logical_or.reduce(blue, axis=0)
    assert not columns[250:330].any()
    assert columns[60:180].all()
    assert columns[390:540].all()


def test_a_series_of_another_length_is_refused_by_name():
    with pytest.raises(ValueError, match="series 'rows' has 3 values for 60 days"):
        series_chart(DAYS, {"rows": [1.0, 2.0, 3.0]}, title="Rows")


@pytest.mark.parametrize("values", [[0.0] * 60, [-3.0] * 60, list(range(-30, 30)), [1e9] * 60])
def test_any_level_can_be_drawn(values):
    assert coloured(series_chart(DAYS, {"rows": values}, title="Rows"), canvas.UP)[60:292].any()


def test_markdown_carries_the_picture():
    png = coverage_bar({"traded": 1})
    text = png_markdown(png)
    head = "![](data:image/png;base64,"
    assert text.startswith(head)
    assert text.endswith(")")
    assert b64decode(text[len(head) : -1], validate=True) == png


def test_dates_are_written_in_english_everywhere():
    assert written(date(2026, 8, 7)) == "7 Aug 2026"
