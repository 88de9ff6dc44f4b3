"""Where a home is when nobody names one.

Belongs here: the names of homes and of the file of remembered choices in them. Does not belong here: reading either
(`settings.py`).
"""

from pathlib import Path

HOME_FILE = "settings.env"
DEFAULT_HOME = ".bist"
SIMULATED_HOME = ".bist-simulated"


def last_started() -> str:
    """Of the homes in the working folder the one that `up` was last started in, which writes the file each time.

    A default home without that file was filled by hand: it stays the one that is meant.
    """
    if Path(DEFAULT_HOME).exists() and not Path(DEFAULT_HOME, HOME_FILE).exists():
        return DEFAULT_HOME
    written = {name: Path(name, HOME_FILE) for name in (DEFAULT_HOME, SIMULATED_HOME)}
    ages = {name: path.stat().st_mtime for name, path in written.items() if path.exists()}
    return max(ages, key=lambda name: ages[name]) if ages else DEFAULT_HOME
