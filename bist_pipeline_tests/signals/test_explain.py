import json

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.errors import ContractError
from bist_pipeline.signals.contract import SUB_SIGNALS
from bist_pipeline.signals.explain import explain_terms, terms_json
from bist_pipeline.signals.model import MODEL
from bist_pipeline.signals.registry import registered_terms
from bist_pipeline.signals.score import score_signals
from bist_pipeline_tests.signals.rows import make_frames, make_inputs
from bist_pipeline_tests.signals.test_score import market

SIGNALS = score_signals(*market(400, seed=3))


def test_contributions_sum_to_the_score():
    for row in SIGNALS.to_dict("records"):
        assert sum(line["contribution"] for line in explain_terms(row)) == pytest.approx(row["score"], abs=1e-12)
        assert sum(line["weight"] for line in explain_terms(row)) == pytest.approx(1, abs=1e-12)


def test_every_term_is_listed_with_its_stored_value():
    row = SIGNALS.iloc[-1]
    lines = explain_terms(row)
    assert [line["term"] for line in lines] == list(registered_terms())
    for line in lines:
        stored = row[f"term_{line['term']}"]
        assert (line["value"] is None and np.isnan(stored)) or line["value"] == stored
        assert line["contribution"] == pytest.approx((line["value"] or 0.0) * line["weight"], abs=1e-15)


def test_an_unknown_term_has_neither_weight_nor_contribution():
    lines = [line for row in SIGNALS.to_dict("records") for line in explain_terms(row) if line["value"] is None]
    assert lines
    assert {(line["weight"], line["contribution"]) for line in lines} == {(0.0, 0.0)}


def test_agreement_of_the_contributions_is_the_confidence_of_a_fully_known_row():
    indicators, bars = make_frames(make_inputs(50))
    for row in score_signals(indicators, market(50)[1], bars).to_dict("records"):
        total = sum(abs(line["contribution"]) for line in explain_terms(row))
        assert row["confidence"] == pytest.approx(abs(row["score"]) / total, abs=1e-12)


def test_the_document_of_terms_agrees_with_the_columns_and_is_json():
    for row in SIGNALS.to_dict("records"):
        document = terms_json(row)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert tuple(document) == SUB_SIGNALS
        assert sum(part["contribution"] for part in document.values()) == pytest.approx(row["score"], abs=1e-12)
        for name, part in document.items():
            assert (part["value"] is None and np.isnan(row[name])) or part["value"] == pytest.approx(
                row[name], abs=1e-12
            )
        assert [term for part in document.values() for term in part["terms"]] == list(registered_terms())


def test_a_row_of_a_series_and_of_a_mapping_with_none_explain_alike():
    row = SIGNALS.iloc[0]
    nulls = {name: None if pd.isna(value) else value for name, value in row.items()}
    assert explain_terms(row) == explain_terms(nulls)


def test_a_row_of_another_model_is_not_explained():
    row = SIGNALS.iloc[0].to_dict() | {"model_version": "weights-0"}
    with pytest.raises(ContractError, match=rf"ZZ\d+ on 2024-01-02 was made by model weights-0.*{MODEL.version}"):
        explain_terms(row)
