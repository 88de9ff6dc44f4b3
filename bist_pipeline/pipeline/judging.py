"""Judging bars by their neighbours: what cleaning withholds, doubts and repairs beyond what one row alone says.

Belongs here: handing histories to the analysis of breaks and to the checks that have an effect, and keeping what they
say. Does not belong here: any threshold (`quality/`), carrying it out (`market/`).

How it works:
1. checks that look at the whole market judge the delivered rows of all symbols when one of them has changed; while a
   session is refreshed, when many have (`judge_market`). What they say is stored, and a symbol of which they say
   something else is cleaned again;
2. everything else is judged symbol by symbol, over whole histories, when a symbol is cleaned (`judge_histories`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.market.judged import Judged
from bist_pipeline.market.splits import TRADED_VALUES
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.quality.breaks import analyse_all, histories_of
from bist_pipeline.quality.contract import ACTION_COLUMNS, BAR_VALUES, Check, CheckInput
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline.quality.sources_disagree import NAME as SECOND
from bist_pipeline.quality.sources_disagree import is_doubted
from bist_pipeline.storage.bulk import BulkTransaction, Scope

_VERDICT = ["symbol", "session_date", "rule", "effect", "kind", "reason"]
_KEY = ["symbol", "session_date", "rule"]
_REPAIR = ["symbol", "first_session", "last_session", "price_factor", "volume_factor", "rule", "kind", "reason"]
_RAW = ("symbol", "session_date", "occurrence", *TRADED_VALUES, "adj_close_raw", "volume_raw", "basis", "source_row")

# Of the symbols with rows: reading all of them takes longer than a refresh may; the run after the close does it.
_SHARE_WORTH_JUDGING = 0.20


@dataclass(frozen=True)
class Judgement:
    """What is said of the histories of some symbols.

    Attributes:
        verdicts: Rows of `market.verdicts`.
        repairs: As the analysis tells them: `symbol`, `first_session`, `last_session`, factors, `rule`, `reason`.
        inferred: Actions that the prices alone tell of.
        residuals: What actions still leave of prices that were adjusted wrongly, or not at all.
    """

    verdicts: pd.DataFrame
    repairs: pd.DataFrame
    inferred: pd.DataFrame
    residuals: pd.DataFrame

    def with_second(self, disputed: pd.DataFrame) -> "Judgement":
        """Add the bars that a second source tells otherwise, with nothing that speaks for the first's."""
        if not len(disputed):
            return self
        told = disputed[is_doubted(disputed) & (disputed["chosen"] == "first")].rename(columns={"detail": "reason"})
        return self.with_market(told.assign(rule=SECOND, effect="doubt", kind="fault"))

    def with_market(self, told: pd.DataFrame) -> "Judgement":
        """Add what the whole market says of the same symbols."""
        both = pd.concat([self.verdicts, told[_VERDICT]], ignore_index=True) if len(told) else self.verdicts
        return replace(self, verdicts=both.drop_duplicates(_KEY, ignore_index=True))

    def for_cleaning(self) -> Judged:
        """The part that cleaning carries out."""
        return Judged(self.verdicts, self.repairs)


def rules_digest() -> str:
    """Changes with the checks that have an effect: what is stored is then judged anew."""
    told = sorted((check.name, check.effect) for check in registered_checks().values() if check.effect != "none")
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]


def judge_histories(
    context: PipelineContext, raw: pd.DataFrame, traded: pd.DataFrame, actions: pd.DataFrame
) -> Judgement:
    """Judge whole histories, symbol by symbol.

    Args:
        context: The run's surroundings.
        raw: Rows of `market.raw_prices`, every one of its symbols.
        traded: The same rows, as traded as far as they could be undone.
        actions: What is in force: `quality.contract.ACTION_COLUMNS`.
    """
    given = CheckInput(raw, _sessions(context), _nobody_asked(), bars=bars_of(traded), actions=actions)
    breaks = analyse_all(histories_of(given))
    found = [_verdicts(check, given) for check in _with_effect(market_wide=False)]
    kept = [frame[_VERDICT] for frame in (breaks.verdicts, *found) if len(frame)]
    verdicts = pd.concat(kept, ignore_index=True) if kept else breaks.verdicts[_VERDICT]
    told = verdicts.drop_duplicates(_KEY, ignore_index=True)
    return Judgement(told, breaks.repairs[_REPAIR], breaks.actions, breaks.residuals)


def judge_market(context: PipelineContext, changed: Iterable[str], stored: int) -> None:
    """Let the whole market be judged anew where it has changed.

    Args:
        context: The run's surroundings.
        changed: Symbols whose delivered rows have changed since they were cleaned.
        stored: How many symbols have rows.
    """
    checks, count = _with_effect(market_wide=True), len(list(changed))
    if not checks or not count or (context.origin == "live" and count < _SHARE_WORTH_JUDGING * stored):
        return
    columns = ", ".join(_RAW)
    raw = context.database.frame(f"SELECT {columns} FROM market.raw_prices ORDER BY symbol, session_date, occurrence")
    given = CheckInput(raw, _sessions(context), _nobody_asked())
    found = [frame for frame in (_verdicts(check, given) for check in checks) if len(frame)]
    with context.database.bulk("writing market.verdicts") as bulk:
        bulk.lock(contracts().verdicts.name)
        bulk.execute("DELETE FROM market.verdicts WHERE rule = ANY (string_to_array($1, ','))", [_market_wide_names()])
        if found:
            stage = bulk.stage(contracts().verdicts, [pd.concat(found, ignore_index=True).drop_duplicates(_KEY)])
            bulk.execute(
                f"INSERT INTO market.verdicts ({', '.join(_VERDICT)}) SELECT {', '.join(_VERDICT)} FROM {stage}"
            )


def market_marks(context: PipelineContext) -> Mapping[str, str]:
    """A mark per symbol of what the whole market says of it."""
    rows = context.database.rows(
        """SELECT symbol, left(md5(string_agg(concat_ws(',', session_date, rule, effect), ';'
            ORDER BY session_date, rule)), 8) AS mark
        FROM market.verdicts WHERE rule = ANY (string_to_array(:names, ',')) GROUP BY symbol""",
        {"names": _market_wide_names()},
    )
    return {str(row.symbol): str(row.mark) for row in rows}


def market_verdicts(context: PipelineContext, symbols: Sequence[str] | None = None) -> pd.DataFrame:
    """What the whole market says of some symbols' bars: rows of `market.verdicts`."""
    return context.database.frame(
        f"""SELECT {", ".join(_VERDICT)} FROM market.verdicts WHERE rule = ANY (string_to_array($1, ','))
        AND ($2::text IS NULL OR symbol = ANY (string_to_array($2, ','))) ORDER BY symbol, session_date, rule""",
        [_market_wide_names(), None if symbols is None else ",".join(symbols)],
    )


def _market_wide_names() -> str:
    return ",".join(check.name for check in _with_effect(market_wide=True))


def store_judgement(bulk: BulkTransaction, judgement: Judgement, symbols: Sequence[str]) -> None:
    """Make the tables hold what is said of some symbols."""
    scope = Scope(symbols=tuple(symbols))
    bulk.replace(contracts().verdicts, [judgement.verdicts], scope)
    repairs = judgement.repairs.rename(columns={"first_session": "session_date"})
    bulk.replace(contracts().repairs, [repairs] if len(repairs) else [], scope)


def stored_judgement(bulk: BulkTransaction, scope: Scope) -> Judged:
    """What was said of the bars of a scope when their symbols were cleaned."""
    where = bulk.predicate(scope)
    verdicts = bulk.frame(f"SELECT {', '.join('t.' + n for n in _VERDICT)} FROM market.verdicts AS t WHERE {where}")
    symbols = bulk.predicate(Scope(symbols=scope.symbols))
    repairs = bulk.frame(f"SELECT t.* FROM market.repairs AS t WHERE {symbols}")
    return Judged(verdicts, repairs.rename(columns={"session_date": "first_session"})[_REPAIR])


def _with_effect(*, market_wide: bool) -> list[Check]:
    checks = registered_checks().values()
    return [check for check in checks if check.effect != "none" and check.market_wide == market_wide]


def _verdicts(check: Check, given: CheckInput) -> pd.DataFrame:
    rows = check.find(given).rows
    told = rows.assign(rule=check.name, effect=rows.get("effect", check.effect), kind=rows.get("kind", ""))
    told = told[(told["effect"] != "none") & told["session_date"].notna()].rename(columns={"detail": "reason"})
    return told[_VERDICT].astype(dict.fromkeys(("symbol", "rule", "effect", "kind", "reason"), "str"))


def bars_of(traded: pd.DataFrame) -> pd.DataFrame:
    """Bring rows of `market.raw_prices` as traded into the shape that checks look at."""
    names = dict(zip((*TRADED_VALUES, "volume_raw"), BAR_VALUES, strict=True))
    return traded[[*names, "basis"]].rename(columns=names)


def actions_for_checks(actions: pd.DataFrame, factors: pd.DataFrame) -> pd.DataFrame:
    """Bring actions in force and what they leave of prices into the shape that checks look at."""
    known = factors[["symbol", "ex_date", "price_factor", "share_ratio"]]
    merged = actions.astype({"symbol": "object"}).merge(
        known.astype({"symbol": "object"}), on=["symbol", "ex_date"], how="left"
    )
    return merged.astype({"symbol": "str"})[list(ACTION_COLUMNS)]


def _sessions(context: PipelineContext) -> pd.DataFrame:
    schedule = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    return schedule[["session_date", "is_session", "is_half_day"]]


def _nobody_asked() -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.array(np.array([], dtype=object), dtype="str") for name in ("symbol", "status", "reason")}
    )
