"""The coverage ledger as SQL: every active symbol and session in exactly one state, with the reason.

Belongs here: the states, in the order in which they are asked for, and what each rests on. Does not belong here: what
is done about a gap (`pipeline/gaps.py`).

PostgreSQL leaves a CASE at the first condition that holds, so what is dear stands late: only the few cells that lack a
bar for no known reason look at quotes and at single rows. Who else has a bar is counted once a session.
"""

from bist_pipeline.core.calendar import ORIGIN

COVERAGE_STATES = (
    "traded",
    "no_trade",
    "halted",
    "not_listed_yet",
    "delisted_or_renamed",
    "provider_failed",
    "provider_silent",
    "quarantined",
    "not_fetched",
    "not_yet_due",
)

# A hole inside a share's history is a halt where nearly all others have a bar of that session, and the provider's doing
# where many lack it. Measured on 92 recorded shares, 2021-08-10 to 2026-08-07: of 1,251 sessions 1,239 lack nobody, 10
# lack one share of 74 to 92 (all the others are there), and of the two that the provider lost 29 of 91 others are there
# (2024-04-09, 31.9 %) and 2 of 91 (2026-07-31, 2.2 %): nothing lies between. The line is drawn near the halts, since
# mistakes differ: silence that was a halt is asked for three times in vain, a halt that was silence costs the bar. Of
# 600 shares it lets 59 be halted at once; on an ordinary day one or two are.
LEAST_SHARE_OF_OTHERS = 0.90
# On the better one of the two lost sessions, five others that all have their bar would be chance once in 290 times.
LEAST_OTHERS = 5

# Sessions in a row on which the provider said that there is no such symbol: `pipeline/strikes.py`.
_STRIKES = 3

# A simulated exchange keeps its own time: a session of today may not have begun there.
EXCHANGE_NOW = """now() + coalesce((SELECT clock_offset_seconds FROM operations.market LIMIT 1), 0)
               * interval '1 second'"""

# What the live lane said last of a session that ended without a bar.
_LAST_QUOTE = """(SELECT qu.state FROM market.quotes AS qu
               WHERE qu.session_date = se.session_date AND qu.symbol = st.symbol ORDER BY qu.fetched_at DESC LIMIT 1)"""

_WITHHELD = "(st.symbol, se.session_date) IN (SELECT q.symbol, q.session_date FROM market.quarantine AS q)"
_RULES_BROKEN = """(SELECT string_agg(DISTINCT q.rule, ', ') FROM market.quarantine AS q
               WHERE q.symbol = st.symbol AND q.session_date = se.session_date)"""

# Between the two transactions a row is delivered, and neither accepted nor withheld.
_UNCLEANED = """EXISTS (SELECT FROM market.raw_prices AS r
               WHERE r.symbol = st.symbol AND r.session_date = se.session_date)"""

# Told once, and no more: what the provider forgot says nothing about the exchange.
_VANISHED = """(SELECT r.revision_class FROM market.revisions AS r WHERE r.symbol = st.symbol
               AND r.session_date = se.session_date ORDER BY r.noted_at DESC LIMIT 1) = 'vanished'"""

_ASKED_ON = "(l.fetched_at AT TIME ZONE 'Europe/Istanbul')::date"

# Days that a provider states and that cannot be, of the years 1921 or 2099, bound nothing.
_LEDGER = f"""(SELECT l.*, least(
        CASE WHEN l.first_session >= DATE '{ORIGIN}' THEN l.first_session
             ELSE (SELECT min(r.session_date) FROM market.raw_prices AS r
                   WHERE r.symbol = l.symbol AND r.session_date >= DATE '{ORIGIN}') END,
        (SELECT min(v.session_date) FROM market.revisions AS v WHERE v.symbol = l.symbol
         AND v.session_date >= DATE '{ORIGIN}' AND v.revision_class = 'vanished')) AS first_told,
        CASE WHEN l.last_session <= {_ASKED_ON} THEN l.last_session
             ELSE (SELECT max(r.session_date) FROM market.raw_prices AS r
                   WHERE r.symbol = l.symbol AND r.session_date <= {_ASKED_ON}) END AS last_told
    FROM market.fetch_ledger AS l WHERE l.symbol = st.symbol OFFSET 0)"""

# OFFSET 0 keeps both from being computed for every cell: once a symbol, once a session.
_OTHERS = """(SELECT (SELECT count(*) FROM market.daily_prices AS d WHERE d.session_date = se.session_date) AS present,
        greatest((SELECT count(*) FROM market.fetch_ledger AS f
                  WHERE se.session_date BETWEEN f.first_session AND f.last_session) - 1, 1) AS expected OFFSET 0)"""

_GONE_ON = "least(li.delisted_on, li.renamed_on)"
_AFTER = "(l.first_told IS NULL OR se.session_date > l.last_told)"
_IS_HOLE = "se.session_date > l.first_told AND se.session_date < l.last_told"
_OTHERS_HAVE_IT = f"others.present >= {LEAST_OTHERS} AND others.present >= {LEAST_SHARE_OF_OTHERS} * others.expected"
_COUNTED = "least(others.present, others.expected) || ' of ' || others.expected || ' others have a bar'"


def _local(moment: str) -> str:
    return f"to_char({moment} AT TIME ZONE 'Europe/Istanbul', 'YYYY-MM-DD HH24:MI')"


# Condition, state, and the reason as SQL; the first one that holds counts.
_RULES = (
    ("p.symbol IS NOT NULL AND (p.volume_shares > 0 OR st.kind = 'index')", "traded", "''"),
    ("p.symbol IS NOT NULL", "no_trade", "'its bar has no volume'"),
    (_WITHHELD, "quarantined", f"'withheld: ' || {_RULES_BROKEN}"),
    ("se.session_date < li.listed_on", "not_listed_yet", "'listed on ' || li.listed_on || ' (' || li.source || ')'"),
    (
        f"se.session_date >= {_GONE_ON}",
        "delisted_or_renamed",
        f"CASE WHEN li.delisted_on = {_GONE_ON} THEN 'delisted on ' ELSE 'renamed on ' END || {_GONE_ON} || "
        f"CASE WHEN li.renamed_on = {_GONE_ON} THEN coalesce(' to ' || nullif(li.renamed_to, ''), '') ELSE '' END || "
        "' (' || li.source || ')'",
    ),
    (f"se.final_at > {EXCHANGE_NOW}", "not_yet_due", f"'final at ' || {_local('se.final_at')} || ' in Istanbul'"),
    ("l.symbol IS NULL", "not_fetched", "'was never asked for'"),
    (f"l.status = 'failed' AND {_AFTER}", "provider_failed", "l.reason"),
    (
        f"l.strikes >= {_STRIKES} AND se.session_date > l.last_told",
        "delisted_or_renamed",
        "'unknown to the provider on ' || l.strikes || ' sessions in a row'",
    ),
    ("l.first_told IS NULL", "provider_silent", "coalesce(nullif(l.reason, ''), 'the provider told nothing of it')"),
    (
        "se.session_date < l.first_told AND li.listed_on IS NULL",
        "not_listed_yet",
        "'the provider tells of it from ' || l.first_told || ' on'",
    ),
    (_UNCLEANED, "not_fetched", "'delivered, and not cleaned yet'"),
    (f"{_LAST_QUOTE} = 'halted'", "halted", "'the last quote of the session said so'"),
    (f"{_LAST_QUOTE} = 'no_trade_yet'", "no_trade", "'the last quote of the session said so'"),
    (
        f"{_LAST_QUOTE} IN ('trading', 'price_only')",
        "provider_silent",
        "'a quote of the session tells of a trade, the history has no bar'",
    ),
    (
        "se.session_date > l.last_told AND l.fetched_at < se.final_at",
        "not_fetched",
        f"'last asked for at ' || {_local('l.fetched_at')} || ' in Istanbul, before the session was over'",
    ),
    (_VANISHED, "provider_silent", "'the provider told of it once, and no more'"),
    (f"st.kind = 'share' AND {_IS_HOLE} AND {_OTHERS_HAVE_IT}", "halted", _COUNTED),
    (_IS_HOLE, "provider_silent", f"'only ' || {_COUNTED}"),
    ("se.session_date > l.last_told", "provider_silent", "'its history ends on ' || l.last_told"),
    ("true", "provider_silent", "'its history begins on ' || l.first_told"),
)


def _case(choice: int) -> str:
    lines = [f"           WHEN {rule[0]} THEN {_literal(rule[1]) if choice == 1 else rule[2]}" for rule in _RULES]
    return "\n".join(["CASE", *lines, "       END"])


def _literal(text: str) -> str:
    return f"'{text}'"


COVERAGE = f"""
CREATE OR REPLACE VIEW serving.coverage_v1 AS
SELECT st.symbol, se.session_date,
       {_case(1)} AS state,
       {_case(2)} AS reason
FROM reference.sessions AS se
CROSS JOIN LATERAL {_OTHERS} AS others
CROSS JOIN reference.stocks AS st
LEFT JOIN reference.listings AS li ON li.symbol = st.symbol
LEFT JOIN LATERAL {_LEDGER} AS l ON true
LEFT JOIN market.daily_prices AS p ON p.symbol = st.symbol AND p.session_date = se.session_date
WHERE se.is_session AND st.is_active"""
