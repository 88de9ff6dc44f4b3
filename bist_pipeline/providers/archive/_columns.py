"""Which column is what: names in English and Turkish.

Belongs here: folding names and giving each column its role. Does not belong here: reading values. An alias must match
the whole name, so that `Önceki Kapanış` (previous close) or `Change %` is nobody's close; a name that two columns
share by meaning is refused, never resolved by order.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bist_pipeline.providers.archive._place import Place, quoted

PRICE_ROLES = ("open", "high", "low", "close", "adj_close")
NUMBER_ROLES = (*PRICE_ROLES, "volume", "dividend", "split")
OPTIONAL_ROLES = ("open", "high", "low", "volume")

# Folded names without blanks. `price` is the close only beside a separate date column: yfinance heads its dates so.
_ALIASES = {
    "date": "date datetime timestamp tarih tarihsaat islemtarihi hgdgtarih sessiondate tradedate tradingdate",
    "time": "time saat zaman t",
    "symbol": "symbol ticker sembol kod hisse hissekodu islemkodu",
    "open": "open o acilis acilisfiyati acilisfiyat openprice openraw",
    "high": "high h yuksek enyuksek enyuksekfiyat max maks highprice highraw hgdgmax",
    "low": "low l dusuk endusuk endusukfiyat min lowprice lowraw hgdgmin",
    "close": "close c kapanis kapanisfiyati kapanisfiyat son sonfiyat simdi last lastprice closeprice closeraw "
    "hgdgkapanis",
    "price": "price fiyat",
    "adj_close": "adjclose adjustedclose adjcloseprice adjcloseraw duzeltilmiskapanis duzkapanis "
    "duzeltilmiskapanisfiyati",
    "volume": "volume v vol hacim hac lot adet hacimlot hacimadet islemmiktari toplamislemmiktari "
    "volumeshares volumeraw",
    "dividend": "dividends dividend divcash dividendamount temettu karpayi",
    "split": "stocksplits stocksplit splits split splitfactor splitcoefficient splitratio bolunme",
}
_ROLE_OF = {alias: role for role, aliases in _ALIASES.items() for alias in aliases.split()}
_LIRA = frozenset({"tl", "try", "lira"})
_INDEX_NAMES = re.compile(r"|index|unnamed\d*|level\d+|indexlevel\d+")
_TURKISH = str.maketrans({"ı": "i", "İ": "i"})


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column plays which part.

    Attributes:
        index: Role to position of its column.
        ignored: Names of the columns that play none.
    """

    index: Mapping[str, int]
    ignored: tuple[str, ...]


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` in lower case without diacritics, its words parted by single blanks: `Düşük (TL)` is `dusuk tl`."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.translate(_TURKISH))
    plain = "".join(c for c in unicodedata.normalize("NFKD", parted) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", plain.lower()))


@lru_cache(maxsize=65536)
def role_of(name: str, symbol: str) -> str | None:
    """Return the role that a column's name claims, or None.

    The file's own symbol inside a name (`Close_THYAO.IS`) is set aside. So is a unit of lira, except for a volume:
    `Hacim (TL)` is turnover, not shares.
    """
    words = fold(re.sub(r"^\d+\.\s*", "", name)).split()
    own = fold(symbol)
    if own in words and len(words) > 1:
        words = [word for word in words if word not in {own, "is", "e"}]
    bare = [word for word in words if word not in _LIRA]
    role = _ROLE_OF.get("".join(bare))
    return None if role == "volume" and len(bare) < len(words) else role


def assign_roles(names: Sequence[str], place: Place) -> Roles:
    """Give each column at most one role.

    Raises:
        BadPayloadError: Two columns claim one role, or there is no date or no close.
    """
    claims: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        role = role_of(name, place.symbol)
        if role is not None:
            claims.setdefault(role, []).append(position)
    _settle_date(claims, names)
    _settle_price(claims)
    index = {role: _only(role, held, names, place) for role, held in claims.items()}
    for needed in ("date", "close"):
        if needed not in index:
            shown = quoted(", ".join(names), 160)
            raise place.refuse(f"no column is recognised as the {needed}; the columns are {shown}")
    used = set(index.values())
    return Roles(index, tuple(name for position, name in enumerate(names) if position not in used))


def _settle_date(claims: dict[str, list[int]], names: Sequence[str]) -> None:
    if "date" in claims or not names:
        return
    if "time" in claims:
        claims["date"] = claims.pop("time")
    elif claims.get("price", [None])[0] == 0 or _INDEX_NAMES.fullmatch(fold(names[0]).replace(" ", "")):
        claims["date"] = [0]
        claims["price"] = [position for position in claims.get("price", []) if position != 0]


def _settle_price(claims: dict[str, list[int]]) -> None:
    prices = claims.pop("price", [])
    if prices and "date" in claims:
        claims["close"] = sorted([*claims.get("close", []), *prices])


def _only(role: str, held: list[int], names: Sequence[str], place: Place) -> int:
    if len(held) > 1:
        both = " and ".join(quoted(names[position]) for position in held)
        raise place.refuse(f"columns {both} both claim to be the {role}; keep one")
    return held[0]
