"""The closes that live quotes are held against, and the judgement of the quotes by them.

Belongs here: which close stands for the session before, and what the history has said of it. Does not belong here:
asking for quotes (`quotes.py`), the judgement itself (`market/live.py`).

A close that our history lacks is the provider's to tell; one that cleaning withheld is not. What stands on a level
that cannot be judged yet is held, until the level is accepted or left again.
"""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.core.ticks import tick_size
from bist_pipeline.market.live import judge_quotes
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.providers.registry import provider_delay
from bist_pipeline.quality.breaks import LEVEL_RULES, UNIT_RULES

# The two newest final closes of each symbol, found through the key, and when its history was last asked for.
_CLOSES = """
SELECT l.symbol, p.session_date AS last_session, p.close_try, e.close_try AS earlier_close_try, l.fetched_at, l.status
FROM market.fetch_ledger AS l
CROSS JOIN LATERAL (SELECT session_date, close_try FROM market.daily_prices AS d
    WHERE d.symbol = l.symbol AND d.session_date < $1 AND d.is_final ORDER BY session_date DESC LIMIT 1) AS p
LEFT JOIN LATERAL (SELECT close_try FROM market.daily_prices AS d
    WHERE d.symbol = l.symbol AND d.session_date < p.session_date ORDER BY session_date DESC LIMIT 1) AS e ON true"""

_SPLITS = """
SELECT a.symbol, 1 / a.split_factor AS ratio FROM reference.action_factors AS a
WHERE a.ex_date <= $1 AND a.ex_date > (
    SELECT max(d.session_date) FROM market.daily_prices AS d
    WHERE d.symbol = a.symbol AND d.session_date < $1 AND d.is_final)"""

# Held in this session, and since then their chart came and told what there was to tell.
_EXPLAINED = """
SELECT q.symbol FROM market.quotes AS q JOIN market.fetch_ledger AS l USING (symbol)
WHERE q.session_date = $1 AND q.state = 'action_pending' AND l.status = 'answered'
GROUP BY q.symbol, l.fetched_at HAVING l.fetched_at >= min(q.fetched_at)"""

# Of which bars behind the newest accepted one stand on a level that was withheld.
_WITHHELD = """
SELECT DISTINCT q.symbol FROM market.quarantine AS q
WHERE q.session_date < $1 AND q.rule = ANY (string_to_array($2, ',')) AND q.session_date > (
    SELECT max(d.session_date) FROM market.daily_prices AS d
    WHERE d.symbol = q.symbol AND d.session_date < $1 AND d.is_final)"""
_RULES_OF_LEVELS = ",".join(sorted(LEVEL_RULES | UNIT_RULES))


def judge(context: PipelineContext, quotes: pd.DataFrame, session: date) -> pd.DataFrame:
    """Hold quotes against the newest final closes, put into the session's basis by the splits since.

    Args:
        context: The run's surroundings.
        quotes: The provider's `QUOTE_COLUMNS`, with `has_bar`.
        session: The session in progress.

    Returns:
        The quotes with `state` and `reason`, as `market.live.judge_quotes` says them.
    """
    before = context.calendar.sessions(ORIGIN, session - timedelta(days=1))[-1].astype(date)
    withheld = frozenset(context.database.frame(_WITHHELD, [session, _RULES_OF_LEVELS])["symbol"])
    stored = context.database.frame(_CLOSES, [session])
    stored = _comparable(context, stored, quotes, before, withheld=withheld)
    explained = context.database.frame(_EXPLAINED, [session])["symbol"]
    return judge_quotes(
        quotes,
        stored,
        context.database.frame(_SPLITS, [session]),
        session=session,
        calendar=context.calendar,
        now=context.clock.now(),
        # A chart whose newest bars were withheld has explained nothing.
        explained=[symbol for symbol in explained if symbol not in withheld],
    )


def _comparable(
    context: PipelineContext, stored: pd.DataFrame, quotes: pd.DataFrame, before: date, *, withheld: frozenset[str]
) -> pd.DataFrame:
    """Take the provider's word for the previous close of a symbol whose history cannot tell the session before.

    Yahoo lacks whole sessions of Borsa Istanbul (2026-07-31 of nine shares in ten): what it calls the previous close
    then is the close of a session that we cannot have. Its word counts only where the history was asked for after that
    session was over, and lacks it: after days off the history comes first, and may bring a split. Nor does it count
    where the history has the session and cleaning withheld its level, or beyond what the price limit allows since.
    """
    final_at = pd.Timestamp(context.calendar.schedule(before, before)["final_at"].iloc[0])
    was_asked = (stored["status"] == "answered") & (stored["fetched_at"] >= final_at + provider_delay(context.settings))
    lacks = was_asked & (stored["last_session"] < pd.Timestamp(before)) & ~stored["symbol"].isin(list(withheld))
    theirs = stored["symbol"].map(quotes.set_index("symbol")["previous_close_try"].astype("float64"))
    close = stored["close_try"].where(~lacks | ~_within_reach(context, stored, theirs, before), theirs)
    return stored.assign(close_try=close)


def _within_reach(
    context: PipelineContext, stored: pd.DataFrame, theirs: pd.Series, before: date
) -> npt.NDArray[np.bool_]:
    """Whether the price limit allows their close of a session, so many sessions behind ours; a tick each is allowed."""
    days = context.calendar.sessions(ORIGIN, before)
    passed = len(days) - np.searchsorted(days, stored["last_session"].to_numpy(dtype="datetime64[D]"), side="right")
    ours, told = stored["close_try"].to_numpy(dtype=np.float64), theirs.to_numpy(dtype=np.float64)
    limit, last = float(limit_on(np.datetime64(before))), np.datetime64(before)
    lowest, highest = ours * (1 - limit) ** passed, ours * (1 + limit) ** passed
    lowest, highest = (edge + side * passed * tick_size(edge, last) for edge, side in ((lowest, -1), (highest, 1)))
    # Indices have no limit; the exchange keeps codes that begin with X for them.
    return ((told >= lowest) & (told <= highest)) | stored["symbol"].str.startswith("X").to_numpy(dtype=bool)
