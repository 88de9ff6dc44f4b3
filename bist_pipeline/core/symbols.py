"""Borsa Istanbul codes: one spelling for what people, Yahoo, TradingView and the exchange write differently.

Belongs here: recognising and spelling a code. Does not belong here: which codes exist (`core/universe.py`).
A code is 4 to 6 letters A-Z and digits, the first a letter. The exchange appends the kind of the instrument (`.E`
equity, `.R` rights coupon), Yahoo the exchange (`.IS`), TradingView puts `BIST:` before it.
"""

import re
from collections.abc import Iterable
from typing import Literal

from bist_pipeline.core.errors import SymbolError

SymbolKind = Literal["share", "index"]

YAHOO_SUFFIX = ".IS"

_PREFIX = "BIST:"
_SUFFIXES = (YAHOO_SUFFIX, ".E")
_RIGHTS = ".R"
_CODE = re.compile(r"[A-Z][A-Z0-9]{3,5}")

# The letter I in all Turkish spellings. Lower-casing "İ" elsewhere leaves "i" and a combining dot (U+0307).
_ANY_I = re.compile("[iIıİ]\u0307?")
# Letters that no code contains, folded only to suggest what may have been meant.
_TURKISH_LETTERS = str.maketrans("çğöşüâîûÇĞÖŞÜÂÎÛ", "CGOSUAIUCGOSUAIU")

_SHOWN_CHARACTERS = 40


def normalise_symbol(text: str) -> str:
    """Return the code that `text` spells: `thyao`, `THYAO.IS`, `THYAO.E` and `BIST:THYAO` all mean `THYAO`.

    Case is folded without regard to the locale, so that `isctr`, `ısctr` and `İSCTR` are `ISCTR`.

    Raises:
        SymbolError: It spells no code; the message is one line, says why, and suggests a code where one is obvious.
    """
    code = _read(text)
    if code is None:
        raise SymbolError(f"not a Borsa Istanbul symbol: {_explain(text)}")
    return code


def normalise_symbols(texts: Iterable[str]) -> list[str]:
    """Return the code of each text, in order, repetitions included.

    Raises:
        SymbolError: Some spell no code; the message names all of them. A single text is refused too: its letters
            would be taken for symbols.
    """
    if isinstance(texts, str):
        raise SymbolError(f"expected a list of symbols, got the text {_shown(texts)}")
    read = [(text, _read(text)) for text in texts]
    faults = [_explain(text) for text, code in read if code is None]
    if faults:
        raise SymbolError(f"not Borsa Istanbul symbols, {len(faults)} of {len(read)}: {'; '.join(faults)}")
    return [code for _, code in read if code is not None]


def symbol_kind(symbol: str) -> SymbolKind:
    """Tell an index from a share: the exchange keeps codes that begin with X for its indices.

    Raises:
        SymbolError: `symbol` spells no code.
    """
    return "index" if normalise_symbol(symbol).startswith("X") else "share"


def yahoo_symbol(symbol: str) -> str:
    """Return Yahoo's spelling, `THYAO.IS`.

    Raises:
        SymbolError: `symbol` spells no code.
    """
    return normalise_symbol(symbol) + YAHOO_SUFFIX


def _read(text: object) -> str | None:
    code = _bare(_fold(text)) if isinstance(text, str) else ""
    return code if _CODE.fullmatch(code) else None


def _explain(text: object) -> str:
    if not isinstance(text, str):
        return f"{_shown(text)} is no text"
    code = _bare(_fold(text))
    suggestion = _suggest(code)
    return f"{_shown(text)} {_fault(code)}" + (f" (did you mean {suggestion}?)" if suggestion else "")


def _fold(text: str) -> str:
    """Upper-case ASCII letters and the Turkish i alone: `str.upper` would turn ß into SS and ſ into S."""
    folded = _ANY_I.sub("I", text.strip())
    return "".join(letter.upper() if letter.isascii() else letter for letter in folded)


def _bare(folded: str) -> str:
    code = folded.removeprefix(_PREFIX)
    for suffix in _SUFFIXES:
        if code.endswith(suffix):
            return code.removesuffix(suffix)
    return code


def _fault(code: str) -> str:
    if not code:
        return "is empty"
    if code.endswith(_RIGHTS):
        return "is a rights coupon, which has no history of its own"
    foreign = next((letter for letter in code if not re.fullmatch("[A-Z0-9]", letter)), None)
    if foreign is not None:
        return f"contains {foreign!r}; a code has only A-Z and 0-9, with .IS, .E or BIST: around it"
    if not 4 <= len(code) <= 6:
        return f"has {len(code)} characters; a code has 4 to 6"
    return "begins with a digit; a code begins with a letter"


def _suggest(code: str) -> str | None:
    """Return the code that is left after a rights suffix, Turkish letters or punctuation around it are taken off."""
    candidate = _bare(code.translate(_TURKISH_LETTERS).strip(" \t$#*.,;:'\"()[]<>")).removesuffix(_RIGHTS)
    return candidate if _CODE.fullmatch(candidate) else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
