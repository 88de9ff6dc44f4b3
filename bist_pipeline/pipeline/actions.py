"""Corporate actions in force: what providers delivered, what the desk keeps, what prices alone tell.

Belongs here: bringing the three together for some symbols, and storing what is in force with its factors. Does not
belong here: which statement counts and what it leaves of a price (`market/`).

The desk's list is `corporate_actions.csv` in the home. While it cannot be read, what it said before stays in force.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import ISTANBUL, ORIGIN
from bist_pipeline.market.actions import Resolved, paid, resolve
from bist_pipeline.market.desk_actions import FRAME_COLUMNS, ActionsFileError, parse_desk_actions
from bist_pipeline.market.splits import Actions
from bist_pipeline.market.theoretical import ActionFactors, action_factors
from bist_pipeline.pipeline.context import ACTIONS_FILE, PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.settings import Settings
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts

_TERMS = ("symbol", "ex_date", "kind", "ratio", "amount_try")
_KEY = ["symbol", "ex_date", "kind"]


@dataclass(frozen=True)
class Desk:
    """The desk's own actions.

    Attributes:
        frame: Columns of `market.desk_actions.FRAME_COLUMNS`.
        problem: Why the file cannot be read; empty where it can. The frame then holds what it said before.
    """

    frame: pd.DataFrame
    problem: str = ""


def read_desk(context: PipelineContext) -> Desk:
    """Read the desk's list, or what was in force of it while it is faulty."""
    try:
        return Desk(desk_file(context.settings))
    except ActionsFileError as error:
        return Desk(context.database.frame(_STORED_OF_DESK), str(error))


def desk_file(settings: Settings) -> pd.DataFrame:
    """Read the desk's list from the home; no rows where there is none.

    Raises:
        ActionsFileError: It cannot be read, or lines of it are wrong.
    """
    path = settings.bist_home / ACTIONS_FILE
    try:
        return parse_desk_actions(path.read_text(encoding="utf-8-sig"), path.name)
    except FileNotFoundError:
        return pd.DataFrame(columns=list(FRAME_COLUMNS))
    except (OSError, UnicodeDecodeError) as error:
        raise ActionsFileError(f"{path} cannot be read: {error}") from error


_STORED_OF_DESK = """
SELECT symbol, ex_date, kind, ratio, amount_try, subscription_try, new_symbol,
    regexp_replace(reason, '(; )?overrules .*$', '') AS note, source
FROM reference.corporate_actions WHERE origin = 'desk' ORDER BY symbol, ex_date, kind"""


def today(context: PipelineContext) -> date:
    """The day at the exchange: actions of later days are not in force."""
    return context.clock.now().astimezone(ISTANBUL).date()


def read_delivered(bulk: BulkTransaction, symbols: Sequence[str], until: date) -> Actions:
    """What providers say of some symbols."""
    wanted = ",".join(symbols)
    frame = bulk.frame(
        f"""SELECT {", ".join(_TERMS)}, source FROM market.delivered_actions
        WHERE symbol = ANY (string_to_array($1, ',')) ORDER BY symbol, ex_date, kind""",
        [wanted],
    )
    stating = bulk.frame(
        """SELECT symbol FROM market.fetch_ledger
        WHERE states_actions AND symbol = ANY (string_to_array($1, ','))""",
        [wanted],
    )
    return Actions(frame, frozenset(stating["symbol"]), until)


def marks_in_force(context: PipelineContext, desk: Desk) -> Mapping[str, str]:
    """A mark per symbol of the statements about it that are in force today: bars are cleaned again when it changes."""
    day = today(context)
    rows = context.database.rows(
        f"""SELECT symbol,
            left(md5(string_agg(concat_ws(',', {", ".join(_TERMS[1:])}), ';' ORDER BY ex_date, kind)), 12) AS mark
            FROM market.delivered_actions WHERE ex_date <= :today GROUP BY symbol""",
        {"today": day},
    )
    marks = {str(row.symbol): str(row.mark) for row in rows}
    own = desk.frame[pd.to_datetime(desk.frame["ex_date"]) <= pd.Timestamp(day)]
    for symbol, said in own.drop(columns="source", errors="ignore").groupby("symbol"):
        told = hashlib.sha256(said.to_csv(index=False).encode()).hexdigest()[:12]
        marks[str(symbol)] = marks.get(str(symbol), "") + told
    return marks


def in_force(
    context: PipelineContext, delivered: Actions, desk: Desk, symbols: Sequence[str], inferred: pd.DataFrame
) -> Resolved:
    """Decide which statements about some symbols count."""
    own = desk.frame[desk.frame["symbol"].isin(list(symbols))]
    sessions = context.calendar.sessions(ORIGIN, context.calendar.horizon)
    return resolve(delivered, own, inferred, sessions=sessions)


def store_actions(
    bulk: BulkTransaction, resolved: Resolved, factors: ActionFactors, symbols: Sequence[str]
) -> WriteCounts:
    """Make both tables hold what is in force of some symbols."""
    scope = Scope(symbols=tuple(symbols))
    actions = _as_stored(resolved, factors)
    bulk.replace(contracts().action_factors, [factors.factors.astype({"symbol": "str", "kinds": "str"})], scope)
    return bulk.replace(contracts().corporate_actions, [actions], scope)


def _as_stored(resolved: Resolved, factors: ActionFactors) -> pd.DataFrame:
    """The actions with amounts per share as traded, and with what was solved or refused of them."""
    actions = resolved.actions.assign(amount_try=paid(resolved.actions))
    keys = pd.MultiIndex.from_frame(actions[_KEY])
    reason = actions["reason"].to_numpy(dtype=object, copy=True)
    amount = actions["amount_try"].to_numpy(dtype=np.float64, copy=True)
    for told, verb in ((factors.solved, "solved"), (factors.refused, "refused")):
        for row in told.to_dict("records"):
            mine = keys.get_indexer(pd.MultiIndex.from_tuples([(row["symbol"], row["ex_date"], row["kind"])]))
            place = int(mine[0])
            if place < 0:
                continue
            reason[place] = "; ".join(filter(None, (reason[place], f"{verb}: {row['reason']}")))
            amount[place] = row.get("amount_try", amount[place])
    columns = list(contracts().corporate_actions.columns)
    stored = actions.assign(reason=pd.array(reason, dtype="str"), amount_try=amount)
    return stored[[name for name in columns if name in stored]]


def factors_of(resolved: Resolved, closes: pd.DataFrame, until: date) -> ActionFactors:
    """What the actions leave of prices, given closes as traded (`symbol`, `session_date`, `close_try`)."""
    return action_factors(resolved.actions, closes, until)
