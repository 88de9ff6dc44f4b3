"""Terms of the sub-signal volume: whether shares change hands on rises or on falls.

`obv` and `ad` are not read: their level depends on where the series starts and on the number of shares, and their
change needs the row before, which a term does not see.
"""

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.signals.contract import Term
from bist_pipeline.signals.terms._shapes import saturate

_CMF_SCALE = 0.2
_MFI_SCALE_POINTS = 25.0


def _chaikin_money_flow(cmf: FloatArray) -> FloatArray:
    return saturate(cmf, _CMF_SCALE)


def _money_flow_from_50(mfi: FloatArray) -> FloatArray:
    return saturate(mfi - 50.0, _MFI_SCALE_POINTS)


CHAIKIN_MONEY_FLOW = Term(
    name="chaikin_money_flow",
    sub_signal="volume",
    version=1,
    weight=0.50,
    inputs=("cmf_20",),
    description="Volume of sessions that close near their high less those that close near their low; ±0.71 at ±0.2.",
    source="Chaikin; the scale is ours.",
    compute=_chaikin_money_flow,
    rises_with=("cmf_20",),
)

MONEY_FLOW_FROM_50 = Term(
    name="money_flow_from_50",
    sub_signal="volume",
    version=1,
    weight=0.50,
    inputs=("mfi_14",),
    description="Money flow index above 50, in points; ±0.71 at 25 points.",
    source="Money flow index of Quong & Soudack; read about its middle rather than as overbought, which is our choice.",
    compute=_money_flow_from_50,
    rises_with=("mfi_14",),
)
