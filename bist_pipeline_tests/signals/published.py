"""The weights of each model version as they were published, one file each.

Belongs here: where the file of the model in use lies, and writing it once. Does not belong here: comparing.
"""

from pathlib import Path

import pandas as pd

from bist_pipeline.signals.explain import weights_table
from bist_pipeline.signals.model import MODEL
from bist_pipeline.signals.registry import registered_terms

COLUMNS = ["term", "version", "sub_signal", "term_weight", "sub_signal_weight"]


def published_file() -> Path:
    """The file of the model in use, `weights_1.csv` for `weights-1`."""
    return Path(__file__).with_name(f"{MODEL.version.replace('-', '_')}.csv")


def weights() -> pd.DataFrame:
    """The weights of the model in use, with each term's own version."""
    table = weights_table()
    return table.assign(version=[registered_terms()[name].version for name in table["term"]])


def write() -> Path:
    """Write the file of a new version.

    Raises:
        FileExistsError: The version was published: raise `MODEL.version` in signals/model.py.
    """
    with published_file().open("x", encoding="utf-8", newline="") as file:
        weights()[COLUMNS].to_csv(file, index=False, lineterminator="\n")
    return published_file()
