"""Contracts of the schema `reference`: what exists, not what it cost."""

import pandera.pandas as pa

from bist_pipeline.schemas.contract import choice, contract, flag, integer, number, session, symbol, text, timestamp

STOCKS = contract(
    "reference.stocks",
    "One instrument that the pipeline follows: a Borsa Istanbul share or a main index.",
    {
        "symbol": symbol(),
        "name": text("Company or index name; empty where only the archive knows the symbol."),
        "sector": text("Sector as the exchange lists it; empty for indices and where unknown."),
        "kind": choice("What it is.", ("share", "index")),
        "in_xu030": flag("Member of BIST 30 on the list's date."),
        "in_xu050": flag("Member of BIST 50 on the list's date."),
        "in_xu100": flag("Member of BIST 100 on the list's date."),
        "origin": choice("Which list names it.", ("packaged", "file", "archive")),
        "is_active": flag("In the universe now; a symbol that left it keeps its history."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol",),
    stamps=("updated_at",),
)

ACTION_KINDS = ("split", "bonus", "rights", "dividend", "rename")
ACTION_ORIGINS = ("desk", "provider", "inferred")


def _terms() -> dict[str, pa.Column]:
    return {
        "symbol": symbol(),
        "ex_date": session("First session without the right."),
        "kind": choice("What happened.", ACTION_KINDS),
        "ratio": number(
            "shares per share",
            "Of a split, shares after per share before; of a bonus or rights issue, new shares per old share.",
            pa.Check.gt(0),
            null=True,
        ),
        "amount_try": number("TRY per share", "Cash per share of a dividend.", pa.Check.ge(0), null=True),
    }


DELIVERED_ACTIONS = contract(
    "market.delivered_actions",
    "One corporate action as a provider's answer carried it.",
    {
        **_terms(),
        "source": text("Provider and place it was read from."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "ex_date", "kind"),
    stamps=("updated_at",),
)

CORPORATE_ACTIONS = contract(
    "reference.corporate_actions",
    "One corporate action that is in force: the desk's word before the provider's, and what the prices alone tell.",
    {
        **_terms(),
        "subscription_try": number(
            "TRY per share", "Price of a new share of a rights issue.", pa.Check.ge(0), null=True
        ),
        "new_symbol": text("The code it goes on under, of a rename; empty otherwise."),
        "origin": choice("Who says so.", ACTION_ORIGINS),
        "reason": text("What was overruled, or how it was inferred; empty where a provider alone says so."),
        "source": text("Provider and place, file and line, or rule."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "ex_date", "kind"),
    stamps=("updated_at",),
)

ACTION_FACTORS = contract(
    "reference.action_factors",
    "What all actions of one symbol and day together leave of a price as traded, by the exchange's formula.",
    {
        "symbol": symbol(),
        "ex_date": session("First session without the rights."),
        "base_close_try": number("TRY", "Last close before, as traded.", pa.Check.gt(0), null=True),
        "theoretical_try": number("TRY", "Base price of the ex-date.", pa.Check.gt(0), null=True),
        "price_factor": number("ratio", "Theoretical price per base close.", pa.Check.gt(0)),
        "split_factor": number("ratio", "The same without cash: splits, bonus and rights issues.", pa.Check.gt(0)),
        "share_ratio": number("ratio", "Shares after per share before.", pa.Check.gt(0)),
        "kinds": text("Comma-separated kinds of the actions."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "ex_date"),
    stamps=("updated_at",),
)

LISTINGS = contract(
    "reference.listings",
    "When one share was listed, left the exchange or changed its code, as far as somebody says so.",
    {
        "symbol": symbol(),
        "listed_on": session("First session.", null=True),
        "delisted_on": session("First session without it.", null=True),
        "renamed_on": session("First session under the new code.", null=True),
        "renamed_to": text("The new code; empty where there is none."),
        "source": text("File and line, or provider."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol",),
    stamps=("updated_at",),
)

SESSIONS = contract(
    "reference.sessions",
    "One weekday and whether the exchange traded on it.",
    {
        "session_date": session("Weekday in Europe/Istanbul."),
        "is_session": flag("Whether Borsa Istanbul traded."),
        "is_half_day": flag("Whether it closed at 12:30."),
        "open_at": timestamp("Start of continuous trading; NULL when closed.", null=True),
        "close_at": timestamp("End of continuous trading; NULL when closed.", null=True),
        "final_at": timestamp("When the closing auction is over and a bar is final; NULL when closed.", null=True),
        "note": text("Why it is closed or short, where the calendar says."),
    },
    key=("session_date",),
)

SCHEMA_CHANGES = contract(
    "reference.schema_changes",
    "One column that was appended to a table after its creation.",
    {
        "table_name": text("Qualified table."),
        "column_name": text("The column that was added."),
        "sql_type": text("Its PostgreSQL type."),
        "change_number": integer("", "Order of the changes."),
        "changed_at": timestamp("When it was added."),
    },
    key=("table_name", "column_name"),
)
