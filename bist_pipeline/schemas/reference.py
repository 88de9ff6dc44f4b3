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

CORPORATE_ACTIONS = contract(
    "reference.corporate_actions",
    "One corporate action as a provider's answer carried it.",
    {
        "symbol": symbol(),
        "ex_date": session("First session without the right."),
        "kind": choice("What happened.", ("split", "bonus", "rights", "dividend", "rename")),
        "ratio": number(
            "new shares per old share", "Ratio of a split, bonus or rights issue.", pa.Check.gt(0), null=True
        ),
        "amount_try": number("TRY per share", "Cash per share of a dividend.", pa.Check.ge(0), null=True),
        "source": text("Provider and place it was read from."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "ex_date", "kind"),
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
