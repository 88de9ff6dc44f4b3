"""Which file holds which symbol.

Belongs here: recognising symbols in file names and listing a folder. Does not belong here: opening a file. A name is
split into words; words that only describe an export (`1d`, `cache`, `daily`, dates …) are set aside and exactly one
word must be left: the symbol. A name with an unknown second word is reported rather than guessed, because `AET-L.csv`
is London's AET and not Istanbul's.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bist_pipeline.core.errors import SymbolError
from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.providers.archive._columns import fold

PARQUET_SUFFIXES = (".parquet", ".pq")
DATA_SUFFIXES = (".csv", ".txt", ".tsv", *PARQUET_SUFFIXES)

_DOCUMENTS = frozenset({"readme", "license", "licence", "notice", "changelog", "copying", "authors", "requirements"})
_EXPORT_WORDS = """
    is e bist xist d w 1d 1day day days daily dly gunluk eod 1h 1m 5m 15m 30m 60m cache cached data history historical
    hist price prices quote quotes bar bars ohlc ohlcv stock stocks hisse veri veriler verileri gecmis fiyat yahoo
    yfinance yf stooq tradingview investing export raw adj adjusted unadjusted full max all
"""
_ASIDE = frozenset(_EXPORT_WORDS.split())
_WORD_BREAKS = re.compile(r"[\s_\-,()+]+")


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in an archive's folder.

    Attributes:
        files: Normalised symbol to the data files that claim it; more than one is a fault of that symbol.
        unnamed: Data file name to the reason why it names no symbol.
        ignored: Names of everything else: documents, hidden files, folders, other formats.
    """

    files: Mapping[str, tuple[Path, ...]]
    unnamed: Mapping[str, str]
    ignored: tuple[str, ...]


def list_folder(folder: Path, names: Iterable[str]) -> Listing:
    """Sort the entries of `folder` into symbols' files and the rest; sub-folders are not entered."""
    files: dict[str, tuple[Path, ...]] = {}
    unnamed: dict[str, str] = {}
    ignored: list[str] = []
    for name in sorted(names):
        path, stem = folder / name, data_stem(name)
        if stem is None or not path.is_file():
            ignored.append(name)
            continue
        try:
            symbol = symbol_of(stem)
        except SymbolError as error:
            unnamed[name] = str(error)
        else:
            files[symbol] = (*files.get(symbol, ()), path)
    return Listing(dict(sorted(files.items())), unnamed, tuple(ignored))


def data_stem(name: str) -> str | None:
    """Return the name of a data file without its suffixes, or None when it is none."""
    bare = name[:-3] if name.lower().endswith(".gz") else name
    stem, dot, suffix = bare.rpartition(".")
    if not stem or (dot + suffix).lower() not in DATA_SUFFIXES or name[0] in ".~$":
        return None
    return None if fold(stem) in _DOCUMENTS else stem


def symbol_of(stem: str) -> str:
    """Return the symbol that a file's name carries: `THYAO.IS`, `thyao_1d_cache`, `BIST_DLY_THYAO, 1D` are THYAO.

    Raises:
        SymbolError: No word, or more than one, could be the symbol.
    """
    words = [word for word in _WORD_BREAKS.split(stem) if word]
    left = [word for word in words if fold(word) not in _ASIDE and not re.fullmatch(r"[\d.]+[dmy]?", word)]
    if len(left) != 1:
        raise SymbolError(f"{stem!r} names no symbol" if not left else f"{stem!r} is more than a symbol: {left}")
    return normalise_symbol(left[0])
