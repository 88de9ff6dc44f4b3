"""What the checks on breaks share: the analysis of what they are given, cut to their rules.

Belongs here: running it and wording the finding. Does not belong here: which rules a check has.
"""

import pandas as pd

from bist_pipeline.quality._findings import nothing_there, offences, plural, report
from bist_pipeline.quality._range import is_judged
from bist_pipeline.quality.breaks._analysis import analyse_all
from bist_pipeline.quality.breaks._history import histories_of
from bist_pipeline.quality.contract import CheckInput, Finding

# A detail is shown in a table; the analysis itself keeps the whole reason.
_LONGEST = 300


def find_by_rules(given: CheckInput, rules: frozenset[str], noun: str) -> Finding:
    """Report the verdicts of some rules on the sessions that are judged.

    Args:
        given: What the check was given. All of its rows are looked at: a break is judged by what lies around it.
        rules: Names of the rules.
        noun: What one verdict is, in the summary.
    """
    histories = list(histories_of(given))
    judged = sum(int(is_judged(given, history.day).sum()) for history in histories)
    if not judged:
        return nothing_there("no bars of shares on sessions")
    verdicts = analyse_all(histories).verdicts
    rows = verdicts[verdicts["rule"].isin(list(rules)) & is_judged(given, verdicts["session_date"])]
    return _report(rows, noun, judged)


def _report(rows: pd.DataFrame, noun: str, judged: int) -> Finding:
    details = [f"{rule}: {reason}"[:_LONGEST] for rule, reason in zip(rows["rule"], rows["reason"], strict=True)]
    symbols = rows["symbol"].nunique()
    effects = {name: int((rows["effect"] == name).sum()) for name in ("withhold", "doubt")}
    return report(
        offences(
            *(rows["symbol"].tolist(), rows["session_date"].tolist(), details),
            **{"effect": rows["effect"].tolist(), "kind": rows["kind"].tolist()},
        ),
        found=f"{plural(len(rows), noun)} of {plural(symbols, 'symbol')}: {effects['withhold']:,} withheld, "
        f"{effects['doubt']:,} doubted, {int((rows['kind'] == 'action').sum()):,} from actions.",
        clear=f"None of {plural(judged, 'bar')} shows one.",
        counts={"bars": judged, "symbols": symbols, **effects},
    )
