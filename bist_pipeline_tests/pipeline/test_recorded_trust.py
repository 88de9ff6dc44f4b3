"""The 92 recorded shares, judged: every known fault is found and named, and nothing else is withheld.

Belongs here: what the description of the recordings (`data/README.md`) says of them, held against what is stored. With
`pytest -s -m realdata` on this file the tables are printed that a person would want to see.
"""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.price_limits import limit_on
from bist_pipeline_tests.pipeline.sites import contents

pytestmark = pytest.mark.realdata

HOLIDAYS = (
    "2023-02-08",
    "2026-04-23",
    "2026-05-01",
    "2026-05-19",
    "2026-05-27",
    "2026-05-28",
    "2026-05-29",
    "2026-07-15",
)
# As the description lists them, and what the tick grid says of each.
BREAKS = {
    ("CCOLA", "2024-08-01"): "fault",
    ("HEKTS", "2024-09-09"): "fault",
    ("HEKTS", "2022-10-12"): "action",
    ("KONTR", "2025-12-01"): "fault",
    ("SKBNK", "2024-06-04"): "fault",
    ("KCAER", "2024-11-28"): "action",
    ("CANTE", "2026-01-26"): "fault",
    ("ENTRA", "2026-06-01"): "action",
}
# Where a provider adjusted some rows only, the action behind it lies some sessions later.
ACTIONS_BEHIND = {
    "CCOLA": "2024-08-13",
    "HEKTS": "2024-09-18",
    "KONTR": "2025-12-09",
    "SKBNK": "2024-06-13",
    "CANTE": "2026-02-03",
}
MOST_PER_10_000 = 5.0


def frame(context, sql):
    return context.database.frame(sql)


def day(text):
    return pd.Timestamp(text)


def show(title, table):
    print(f"\n{title}\n{table.to_string(index=False, max_colwidth=110)}")  # noqa: T201 - asked for with -s


def test_every_finding_is_told_by_rule_and_session(recorded):
    by_rule = frame(
        recorded,
        """SELECT check_name AS rule, kind, effect, count(*) AS bars, count(DISTINCT symbol) AS symbols,
            count(DISTINCT session_date) AS sessions, min(session_date) AS first, max(session_date) AS last
        FROM market.quality_findings GROUP BY 1, 2, 3 ORDER BY bars DESC, rule, kind""",
    )
    by_session = frame(
        recorded,
        """SELECT session_date, string_agg(rule || ' ' || n, ', ' ORDER BY n DESC, rule) AS findings FROM (
            SELECT session_date, check_name AS rule, count(*) AS n FROM market.quality_findings GROUP BY 1, 2) AS f
        GROUP BY 1 ORDER BY 1""",
    )
    show("findings by rule", by_rule)
    show("findings by session", by_session)
    assert {"bars_on_closed_days", "missing_bars", "truncated_sessions", "stale_bars", "level_breaks"} <= set(
        by_rule["rule"]
    )


def test_bars_of_days_without_a_session_are_withheld_whatever_their_volume(recorded):
    withheld = contents(recorded, "market.quarantine", "rule = 'closed_day'")
    assert sorted(withheld["session_date"].dt.strftime("%Y-%m-%d").unique()) == sorted(HOLIDAYS)
    assert (withheld["session_date"] == day("2023-02-08")).sum() == 80
    assert (withheld["volume_raw"] > 0).any()
    assert not frame(recorded, f"SELECT 1 FROM market.daily_prices WHERE session_date IN {HOLIDAYS}").shape[0]


def test_no_move_that_is_left_is_beyond_the_limit_but_for_those_that_are_doubted(recorded):
    bars = contents(recorded, "market.daily_prices")
    sessions = pd.DatetimeIndex(recorded.calendar.sessions(day("2021-08-01").date(), day("2026-08-31").date()))
    place = sessions.get_indexer(pd.DatetimeIndex(bars["session_date"]))
    same = (bars["symbol"] == bars["symbol"].shift()).to_numpy()
    gap = np.where(same, np.diff(place, prepend=0), 1)
    # As a reader sees them: what is left of an action that the provider got wrong is in the factor.
    close = bars["close_try"] * bars["adjustment_factor"]
    move = np.where(same, close / close.shift() - 1, 0.0)
    limit = limit_on(bars["session_date"].to_numpy())
    beyond = (move > (1 + limit) ** gap - 1 + 0.005) | (move < (1 - limit) ** gap - 1 - 0.005)
    left = bars[beyond].assign(move=move[beyond])
    around = bars["grade"].eq("C") | bars["grade"].shift().eq("C") | bars["grade"].shift(-1).eq("C")
    show(
        "moves beyond the limit that are left",
        left[["symbol", "session_date", "close_try", "move", "grade", "repaired"]],
    )
    assert around[beyond].all()
    assert not (left["session_date"] == day("2023-02-15")).any()  # the false +22 % against the cancelled session
    assert len(left) <= 15


def test_lost_sessions_and_sessions_that_were_cut_off_are_found(recorded):
    missing = frame(
        recorded,
        """SELECT session_date, count(*) AS symbols FROM market.quality_findings
        WHERE check_name = 'missing_bars' AND kind = 'fault' GROUP BY 1 ORDER BY 1""",
    )
    assert missing.astype({"session_date": str}).to_numpy().tolist() == [["2024-04-09", 63], ["2026-07-31", 90]]
    states = frame(
        recorded,
        """SELECT session_date, state, count(*) AS symbols FROM serving.coverage_v1
        WHERE session_date IN ('2024-04-09', '2026-07-31') AND state <> 'traded' GROUP BY 1, 2 ORDER BY 1, 2""",
    )
    show("coverage of the two lost sessions", states)
    assert states.loc[states["state"] == "provider_silent", "symbols"].tolist() == [63, 90]
    cut = contents(recorded, "market.verdicts", "session_date = DATE '2022-12-16'")
    assert (cut["kind"] == "fault").all()
    assert cut["symbol"].nunique() == 78  # every share of that session
    left = contents(recorded, "market.daily_prices", "session_date = DATE '2022-12-16'")
    assert (left["grade"] == "C").all()


def test_every_break_is_called_action_or_fault_with_its_reason(recorded):
    told = contents(recorded, "market.verdicts")
    told = told[~told["rule"].isin(["truncated_sessions", "stale_bars"])]
    show("breaks", told[["symbol", "session_date", "rule", "effect", "kind", "reason"]])
    keys = pd.MultiIndex.from_arrays([told["symbol"], told["session_date"].dt.strftime("%Y-%m-%d")])
    kinds = dict(zip(keys, told["kind"], strict=True))
    assert {key: kinds.get(key) for key in BREAKS} == BREAKS
    assert (told["reason"].str.len() > 20).all()
    actions = contents(recorded, "reference.corporate_actions")
    assert set(actions["origin"]) == {"inferred"}
    inferred = set(zip(actions["symbol"], actions["ex_date"].dt.strftime("%Y-%m-%d"), strict=True))
    assert set(ACTIONS_BEHIND.items()) <= inferred


def test_what_is_withheld_is_little_and_listed_row_by_row(recorded):
    withheld = contents(recorded, "market.quarantine", "rule <> 'closed_day'")
    clean = len(contents(recorded, "market.daily_prices"))
    rate = len(withheld) / clean * 10_000
    show("withheld beyond days without a session", withheld[["symbol", "session_date", "rule", "reason"]])
    print(f"{len(withheld)} of {clean:,} bars: {rate:.2f} per 10,000")  # noqa: T201 - asked for with -s
    assert rate <= MOST_PER_10_000
    assert (withheld["reason"] != "").all()
