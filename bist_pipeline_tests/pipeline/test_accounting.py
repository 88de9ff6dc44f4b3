"""No delivered row is lost: each is served, or withheld with the reason."""

import csv
from collections import Counter

import pytest

from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.sites import as_date, contents, count, run
from bist_pipeline_tests.pipeline.spoiled import ACCEPTED, FAULTS, one_of_each, spoiled_archive

FIRST, LAST = "2021-01-04", "2021-12-31"


@pytest.fixture(scope="module")
def spoiled(sites, tmp_path_factory):
    """A market in which every kind of fault occurs, backfilled, with the verdict on every line."""
    archive = tmp_path_factory.mktemp("spoiled") / "archive"
    bars = simulated_bars(symbols=4, sessions=250)
    verdicts = spoiled_archive(archive, bars, one_of_each(bars, FAULTS))
    context = sites.make(archive)
    run(context, FIRST, LAST)
    return context, verdicts


def test_the_counts_of_served_and_withheld_rows_sum_to_the_lines_of_the_files(spoiled):
    context, verdicts = spoiled
    lines = sum(len(path.read_text().splitlines()) - 1 for path in context.settings.bist_archive_dir.iterdir())
    served, withheld = count(context, "serving.prices_v1"), count(context, "market.quarantine")
    assert lines == len(verdicts) == served + withheld == count(context, "market.raw_prices")
    assert withheld == sum(verdict != ACCEPTED for _, _, verdict in verdicts)


def test_every_line_is_served_or_withheld_by_the_rule_that_a_person_would_name(spoiled):
    context, verdicts = spoiled
    served = contents(context, "serving.prices_v1")
    withheld = contents(context, "market.quarantine")
    found = [(s, as_date(d), ACCEPTED) for s, d in zip(served["symbol"], served["session_date"], strict=True)]
    keys = zip(withheld["symbol"], withheld["session_date"], withheld["rule"], strict=True)
    found += [(symbol, as_date(day), rule) for symbol, day, rule in keys]
    assert Counter(found) == Counter(verdicts)


def test_every_withheld_row_says_why_with_its_symbol_and_day(spoiled):
    withheld = contents(spoiled[0], "market.quarantine")
    assert len(set(withheld["rule"])) >= 10
    for row in withheld.to_dict("records"):
        assert row["reason"].startswith(f"{row['symbol']} on {row['session_date']:%Y-%m-%d} breaks {row['rule']}: ")


def test_what_was_filled_is_flagged_and_nothing_else_is(spoiled):
    context, _ = spoiled
    filled = contents(context, "market.daily_prices", "filled <> ''")
    kinds = Counter(filled["filled"])
    each = count(context, "reference.stocks")
    assert kinds == {
        "open_try": each,
        "high_try,low_try": each,
        "volume_shares": each,
        "open_try,high_try,low_try,volume_shares": each,
    }
    assert set(filled["grade"]) == {"B"}
    assert count(context, "market.daily_prices", "filled = '' AND grade <> 'A'") == 0


def test_every_kind_of_fault_was_tried():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 19


@pytest.mark.realdata
def test_every_recorded_bar_is_served_or_withheld(recorded):
    files = sorted(recorded.settings.bist_archive_dir.glob("*.csv"))
    lines = Counter()
    for path in files:
        with path.open(newline="") as file:
            lines.update((path.stem, row["Price"]) for row in csv.DictReader(file))
    assert (len(files), lines.total()) == (92, 107_401)
    served, withheld = contents(recorded, "serving.prices_v1"), contents(recorded, "market.quarantine")
    found = Counter(
        (symbol, f"{day:%Y-%m-%d}")
        for frame in (served, withheld)
        for symbol, day in zip(frame["symbol"], frame["session_date"], strict=True)
    )
    assert found == lines
    assert len(served) + len(withheld) == 107_401
    assert (withheld["reason"] != "").all()
    # As the recording's own description counts them: a cancelled session, holidays, three bars out of order.
    assert (withheld["session_date"] == "2023-02-08").sum() == 80
    of_one_row = {"closed_day": 365, "low_above_body": 2, "high_below_body": 1}
    assert withheld["rule"].value_counts().to_dict() == of_one_row | {"stale_close": 12, "bar_range": 2}
    assert set(served["basis"]) == {"fully_adjusted"}
