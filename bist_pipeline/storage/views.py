"""What consumers read: views, one function and one role over the tables, as SQL.

Belongs here: the served names of v1. Columns are only appended and never change meaning; `CREATE OR REPLACE VIEW`
refuses anything else. Reading the JSON of the terms costs per row, so it is built when read, not when written.
"""

from collections.abc import Sequence

from bist_pipeline.schemas.analytics import SUB_SIGNALS
from bist_pipeline.storage.coverage_view import COVERAGE, EXCHANGE_NOW

READER = "bist_reader"

PRICES = """
CREATE OR REPLACE VIEW serving.prices_v1 AS
SELECT symbol, session_date, open_try, high_try, low_try, close_try, volume_shares, adjustment_factor,
       total_return_factor, basis, is_final, grade, source, as_of, updated_at
FROM market.daily_prices"""

MARKET = """
CREATE OR REPLACE VIEW serving.market AS
SELECT kind, detail, noted_at FROM operations.market"""

RELIABILITY = """
CREATE OR REPLACE VIEW serving.pattern_reliability_v1 AS
SELECT pattern, direction, horizon_sessions, events, hit_rate, base_rate, updated_at
FROM analytics.pattern_reliability"""

EVENTS = """
CREATE OR REPLACE VIEW serving.pattern_events_v1 AS
SELECT event_id, symbol, session_date, pattern, kind, direction, state, strength, known_at, details, publish_id,
       is_final
FROM serving.pattern_events WHERE superseded_by IS NULL"""

CENSUS = """
CREATE OR REPLACE VIEW serving.pattern_census_v1 AS
SELECT c.session_date, split_part(o.outcome, '.', 1) AS pattern, split_part(o.outcome, '.', 2) AS outcome,
       count(*) AS candidates
FROM analytics.chart_candidates AS c
CROSS JOIN LATERAL jsonb_array_elements_text(c.outcomes::jsonb) AS o (outcome)
GROUP BY 1, 2, 3"""

WATERMARK = """
CREATE OR REPLACE VIEW serving.watermark AS
SELECT max(publish_id) AS publish_id, max(published_at) AS published_at,
       (SELECT max(session_date) FROM serving.signals WHERE superseded_by IS NULL) AS last_session,
       (SELECT max(session_date) FROM serving.signals WHERE superseded_by IS NULL AND is_final) AS last_final_session
FROM serving.publishes HAVING count(*) > 0"""

# So long after a session is over, its signals should be there: the evening's run takes minutes.
_DUE_AFTER = "interval '2 hours'"

# The newest signal of each symbol, and whether a session that is over or was published for others lacks one: what was
# withheld, halted or not told leaves the last good signal in place, and says so; and so does an outage of everything.
# A signal that an outage left forming is as stale once its session is over.
LATEST = f"""
CREATE OR REPLACE VIEW serving.latest_signals_v1 AS
SELECT s.symbol, s.session_date, s.score, s.action, s.confidence, s.terms, s.close_try, s.is_final, s.known_at,
       s.origin, s.data_version, s.publish_id, s.model_version, s.grade,
       late.is_unfinished OR late.is_behind AS is_stale,
       CASE WHEN late.is_unfinished THEN s.session_date WHEN late.is_behind THEN (
           SELECT min(se.session_date) FROM reference.sessions AS se
           WHERE se.is_session AND se.session_date > s.session_date) END AS stale_since,
       CASE WHEN late.is_unfinished OR late.is_behind THEN coalesce(
           (SELECT q.reason FROM market.quarantine AS q
            WHERE q.symbol = s.symbol AND q.session_date = due.session_date ORDER BY q.occurrence LIMIT 1),
           CASE WHEN NOT late.is_behind THEN 'its session is over, and its bar was not told to the end' END,
           (SELECT CASE WHEN c.state IN ('traded', 'no_trade') THEN 'no signal is published yet'
                   ELSE concat_ws(': ', c.state, nullif(c.reason, '')) END FROM serving.coverage_v1 AS c
            WHERE c.symbol = s.symbol AND c.session_date = due.session_date), 'unknown') END AS stale_because
FROM reference.stocks AS st
CROSS JOIN (SELECT ended.session_date AS ended_on, greatest(
    (SELECT max(session_date) FROM serving.signals WHERE superseded_by IS NULL), ended.session_date) AS session_date
    FROM (SELECT max(session_date) AS session_date FROM reference.sessions
          WHERE is_session AND final_at + {_DUE_AFTER} <= {EXCHANGE_NOW}) AS ended) AS due
CROSS JOIN LATERAL (
    SELECT * FROM serving.signals_v1 AS v WHERE v.symbol = st.symbol ORDER BY v.session_date DESC LIMIT 1) AS s
CROSS JOIN LATERAL (SELECT coalesce(NOT s.is_final AND s.session_date <= due.ended_on, false) AS is_unfinished,
    coalesce(s.session_date < due.session_date, false) AS is_behind) AS late
WHERE st.is_active"""

# The weights of each model in one row, so that a signal finds all of its own by one lookup.
_WEIGHTS = ", ".join(f"max(sub_signal_weight) FILTER (WHERE sub_signal = '{n}') AS {n}" for n in SUB_SIGNALS)
MODEL_WEIGHTS = f"""
CREATE OR REPLACE VIEW serving.signal_model_weights AS
SELECT model_version, {_WEIGHTS}
FROM serving.signal_models GROUP BY model_version"""

# The role belongs to the whole server: only its maker may alter it, and other databases may make it at the same time.
ROLE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
        CREATE ROLE {READER} LOGIN;
        ALTER ROLE {READER} SET default_transaction_read_only = on;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'no right to create the role {READER}';
    WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this server was faster
END $$"""

# What everybody may do in a database by default, and a reader need not. Of another's database or of PostgreSQL's own
# functions only their owner may take it: for others this says nothing and changes nothing. Large objects are stored
# by functions, which no privilege on tables stops.
_LARGE_OBJECT_WRITERS = (
    *("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)", "lo_put(oid, bigint, bytea)"),
    *("lowrite(integer, bytea)", "lo_truncate(integer, integer)", "lo_truncate64(integer, bigint)", "lo_unlink(oid)"),
)
NOT_FOR_ALL = f"""
DO $$
BEGIN
    IF (SELECT pg_has_role(d.datdba, 'USAGE') FROM pg_database AS d WHERE d.datname = current_database()) THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        REVOKE EXECUTE ON FUNCTION {", ".join(f"pg_catalog.{name}" for name in _LARGE_OBJECT_WRITERS)} FROM PUBLIC;
    END IF;
END $$"""

GRANTS = f"""
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
        GRANT USAGE ON SCHEMA serving TO {READER};
        GRANT SELECT ON ALL TABLES IN SCHEMA serving TO {READER};
        GRANT EXECUTE ON FUNCTION serving.signals_as_of(timestamptz) TO {READER};
    END IF;
END $$"""


def indicators_view(columns: Sequence[str]) -> str:
    """SQL of `serving.indicators_v1`: the keys first, then the indicator columns in the table's order.

    Args:
        columns: Of `analytics.indicators` as it stands in the database, those of retired indicators included.
    """
    first = ("symbol", "session_date", "is_final", "updated_at")
    rest = [name for name in columns if name not in first]
    return f"CREATE OR REPLACE VIEW serving.indicators_v1 AS SELECT {_list([*first, *rest])} FROM analytics.indicators"


def signal_views(terms: Sequence[tuple[str, str]]) -> list[str]:
    """SQL of `serving.signals_v1` and of the function `signals_as_of`.

    Args:
        terms: (term, sub-signal) of every registered term, in order.
    """
    body = _signals_select(terms)
    # The function finds what was visible at a moment: the versions of publishes up to then, not yet superseded then.
    function = f"""
CREATE OR REPLACE FUNCTION serving.signals_as_of(at timestamptz) RETURNS SETOF serving.signals_v1
LANGUAGE sql STABLE AS $$
{body}
CROSS JOIN (SELECT max(publish_id) AS publish_id FROM serving.publishes WHERE published_at <= $1) AS seen
WHERE s.publish_id <= seen.publish_id AND (s.superseded_by IS NULL OR s.superseded_by > seen.publish_id)
$$"""
    view = f"CREATE OR REPLACE VIEW serving.signals_v1 AS {body} WHERE s.superseded_by IS NULL"
    return [MODEL_WEIGHTS, view, function]


def _signals_select(terms: Sequence[tuple[str, str]]) -> str:
    known = " + ".join(f"CASE WHEN s.{n} IS NULL THEN 0 ELSE w.{n} END" for n in SUB_SIGNALS)
    parts = ", ".join(f"'{n}', {_sub_signal_json(n, [t for t, owner in terms if owner == n])}" for n in SUB_SIGNALS)
    return f"""
SELECT s.symbol, s.session_date, s.score, s.action, s.confidence,
       jsonb_build_object({parts}) AS terms,
       s.close_try, s.is_final, s.known_at, s.origin, s.data_version, s.publish_id, s.model_version, s.grade
FROM serving.signals AS s
LEFT JOIN serving.signal_model_weights AS w USING (model_version)
CROSS JOIN LATERAL (SELECT nullif({known}, 0) AS weight) AS known"""


def _sub_signal_json(name: str, terms: Sequence[str]) -> str:
    values = ", ".join(f"'{term}', s.term_{term}" for term in terms)
    return (
        f"jsonb_build_object('value', s.{name}, "
        f"'weight', CASE WHEN s.{name} IS NULL THEN 0 ELSE w.{name} / known.weight END, "
        f"'contribution', coalesce(s.{name} * w.{name} / known.weight, 0), 'terms', jsonb_build_object({values}))"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def statements(indicator_columns: Sequence[str], terms: Sequence[tuple[str, str]]) -> list[str]:
    """Every statement that makes the served names, in the order in which they depend on each other."""
    views = [MARKET, PRICES, indicators_view(indicator_columns), COVERAGE, RELIABILITY, EVENTS, CENSUS, WATERMARK]
    return [*views, *signal_views(terms), LATEST, ROLE, NOT_FOR_ALL, GRANTS]
