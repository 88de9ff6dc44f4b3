"""The reject census: how many candidates each named rule turned away, by symbol and session.

Belongs here: counting. A candidate is counted at the bar at which all of it was known, under the first rule it broke;
what keeps every rule is counted under its fate: `kept`, `same_structure` (merged into an earlier event) or
`not_broken_before` (by the bar at which all of it was known it had been left on the wrong side, too early or too late,
or its target lay behind the close).
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from bist_pipeline.patterns.pivots.tape import Ints, Tape
from bist_pipeline.patterns.structures.engine import Detected
from bist_pipeline.patterns.structures.judging import rules_of
from bist_pipeline.patterns.structures.life import FATES


def reject_census(tape: Tape, detected: Sequence[Detected], since: date | None = None) -> pd.DataFrame:
    """Count candidates by symbol, session, pattern and outcome, from a session on.

    Returns:
        One row per symbol and session with a candidate: `symbol`, `session_date`, `candidates` (int64) and `outcomes`,
        a JSON list with one `"pattern.rule"` a candidate, sorted.
    """
    names: list[str] = []
    rows, codes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    first = np.datetime64("0000-01-01" if since is None else since, "D")
    for one in detected:
        known = one.judged.candidates.known
        chosen = (tape.day[known] >= first) & one.answers(known)
        rows.append(known[chosen])
        codes.append(_outcomes(one)[chosen] + len(names))
        names += [f'"{one.pattern.name}.{rule.name}"' for rule in rules_of(one.pattern)]
        names += [f'"{one.pattern.name}.{fate}"' for fate in FATES]
    # In the order of the texts: it must not depend on how many answers there are.
    texts, places = np.unique(np.array(names, dtype=str), return_inverse=True)
    return _frame(tape, np.concatenate(rows), places[np.concatenate(codes)], texts.astype(object))


def _outcomes(one: Detected) -> Ints:
    """Position of the first rule broken; after the rules, the fate of what broke none."""
    outcomes = one.judged.broken.copy()
    outcomes[one.judged.kept] += one.fates
    return outcomes


def _frame(tape: Tape, rows: Ints, codes: Ints, names: np.ndarray) -> pd.DataFrame:
    order = np.lexsort((codes, rows))
    rows, texts = rows[order], names[codes[order]].tolist()
    edges = np.flatnonzero(np.diff(rows, prepend=-1))
    ends = np.append(edges[1:], len(rows))[: len(edges)]
    outcomes = ["[" + ",".join(texts[a:b]) + "]" for a, b in zip(edges.tolist(), ends.tolist(), strict=True)]
    places = rows[edges]
    return pd.DataFrame(
        {
            "symbol": pd.array(np.array(tape.symbols, dtype=object)[tape.symbol_index[places]], dtype="str"),
            "session_date": tape.day[places].astype("datetime64[us]"),
            "candidates": ends - edges,
            "outcomes": pd.array(outcomes, dtype="str"),
        }
    )
