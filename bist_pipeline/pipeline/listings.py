"""When shares were listed, delisted and renamed, as far as somebody says so: `reference.listings`.

Belongs here: putting together the desk's file and the renames among the corporate actions. The desk's word on a share
wins; what a provider's answers merely suggest is no listing date and stands in the ledger. While the file cannot be
read, what it said before stays in force.
"""

import pandas as pd

from bist_pipeline.core.errors import UniverseError
from bist_pipeline.core.listings_file import LISTINGS_FILE, Listing, read_listings
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.settings import Settings
from bist_pipeline.storage.bulk import Scope, WriteCounts

_DAYS = ("listed_on", "delisted_on", "renamed_on")
_COLUMNS = ("symbol", *_DAYS, "renamed_to", "source")


def refresh_listings(context: PipelineContext) -> WriteCounts:
    """Make `reference.listings` say what the desk's file and the stored renames say.

    Costs two small reads where nothing changed; a line that left the file leaves the table. A file that cannot be read
    changes nothing of what it said before: a typo must not stop the bars of every symbol.
    """
    try:
        desk = _frame(read_listings(context.settings.bist_home / LISTINGS_FILE))
    except UniverseError:  # told by `listings_problem`
        desk = _typed(context.database.frame(_STORED_OF_DESK))
    renames = context.database.frame(
        """SELECT DISTINCT ON (symbol) symbol, ex_date AS renamed_on, new_symbol AS renamed_to, source
        FROM reference.corporate_actions WHERE kind = 'rename' ORDER BY symbol, ex_date DESC"""
    )
    rows = _merged(desk, renames)
    with context.database.bulk("writing reference.listings") as bulk:
        return bulk.replace(contracts().listings, [rows], Scope())


def listings_problem(settings: Settings) -> str:
    """Say why the desk's file cannot be read; empty where it can, or where there is none."""
    try:
        read_listings(settings.bist_home / LISTINGS_FILE)
    except UniverseError as error:
        return str(error)
    return ""


# Without the rename that an action lent to the desk's row.
_STORED_OF_DESK = f"""
SELECT symbol, listed_on, delisted_on,
    CASE WHEN source NOT LIKE '%; %' THEN renamed_on END AS renamed_on,
    CASE WHEN source NOT LIKE '%; %' THEN renamed_to ELSE '' END AS renamed_to,
    split_part(source, '; ', 1) AS source
FROM reference.listings WHERE source LIKE '{LISTINGS_FILE}, line %' ORDER BY symbol"""


def _frame(desk: list[Listing]) -> pd.DataFrame:
    rows = [
        (
            one.symbol,
            one.listed_on,
            one.delisted_on,
            one.renamed_on,
            one.renamed_to,
            f"{LISTINGS_FILE}, line {one.line}",
        )
        for one in desk
    ]
    return _typed(pd.DataFrame(rows, columns=list(_COLUMNS)))


def _merged(desk: pd.DataFrame, renames: pd.DataFrame) -> pd.DataFrame:
    """The desk's rows, with the rename of an action where the desk says nothing of one; then the other renames."""
    known = renames.set_index("symbol")
    silent = desk["renamed_on"].isna() & desk["symbol"].isin(known.index)
    told = known.reindex(desk["symbol"]).reset_index(drop=True)
    desk = desk.assign(
        renamed_on=desk["renamed_on"].where(~silent, told["renamed_on"]),
        renamed_to=desk["renamed_to"].where(~silent, told["renamed_to"]),
        source=desk["source"].where(~silent, desk["source"] + "; " + told["source"].fillna("")),
    )
    others = renames[~renames["symbol"].isin(desk["symbol"])].reindex(columns=list(_COLUMNS))
    return pd.concat([_typed(frame) for frame in (desk, others) if len(frame)] or [desk], ignore_index=True)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    days = {name: pd.to_datetime(frame[name]).astype("datetime64[us]") for name in _DAYS}
    return frame.assign(**days).astype(dict.fromkeys(("symbol", "renamed_to", "source"), "str"))
