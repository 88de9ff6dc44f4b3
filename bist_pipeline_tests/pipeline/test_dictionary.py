"""The generated documentation is what the code says, and says something of everything."""

from pathlib import Path

import pytest

import bist_pipeline
from bist_pipeline.indicators.registry import indicator_columns
from bist_pipeline.market.rules import RULES
from bist_pipeline.patterns.registry import registered_candlesticks
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.dictionary import FILES, main, render
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline.settings import Settings
from bist_pipeline.signals.registry import registered_terms
from bist_pipeline.storage.database import Database

DOCS = Path(bist_pipeline.__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", FILES)
def test_the_checked_in_file_is_what_the_code_renders(name):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == render()[name], f"docs/{name} is stale: python -m bist_pipeline.pipeline.dictionary docs"


def test_the_command_writes_every_file(tmp_path):
    main([str(tmp_path / "new" / "docs")])
    assert {path.name for path in (tmp_path / "new" / "docs").iterdir()} == set(FILES)


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_the_command_says_how_it_is_used(arguments):
    with pytest.raises(SystemExit, match="usage"):
        main(arguments)


def test_rendering_depends_on_nothing_but_the_code(monkeypatch, tmp_path):
    before = render()
    monkeypatch.setenv("BIST_HOME", str(tmp_path))
    monkeypatch.setenv("COLLECTOR_BATCH_SIZE", "7")
    monkeypatch.chdir(tmp_path)
    assert render() == before
    assert not any(str(place) in text for text in before.values() for place in (Path.home(), DOCS.parent, tmp_path))


def test_every_part_has_a_row():
    text = render()["parts.md"]
    named = [
        *(column.name for column in indicator_columns()),
        *registered_candlesticks(),
        *(term.column for term in registered_terms().values()),
        *registered_checks(),
        *(rule.name for rule in RULES),
    ]
    assert [name for name in named if f"| `{name}` |" not in text] == []
    assert f"{len(registered_candlesticks())} patterns" in text


def test_every_variable_has_a_row():
    text = render()["settings.md"]
    assert [name for name in Settings.model_fields if f"| `{name.upper()}` |" not in text] == []


def test_nothing_is_left_to_guess_where_a_text_may_be_empty():
    assert "One of action, fault, or empty." in render()["tables.md"]
    assert not [line for text in render().values() for line in text.splitlines() if "``" in line or ", ." in line]


def test_every_table_and_every_served_view_is_described_as_the_database_has_it(database: Database):
    sections = _sections(render()["tables.md"])
    stored = database.rows(
        """SELECT table_schema || '.' || table_name AS name, array_agg(column_name::text) AS columns
        FROM information_schema.columns
        WHERE table_schema IN ('reference', 'market', 'analytics', 'serving', 'operations')
        AND table_name <> 'bist_alembic_version' GROUP BY 1"""
    )
    assert {row.name: set(row.columns) for row in stored} == sections
    assert {contract.name for contract in contracts().all()} <= sections.keys()


def test_a_served_view_is_described_with_the_types_that_the_database_answers_with(database: Database):
    shown = {tuple(line.split(" | ")[:2]) for line in render()["tables.md"].splitlines() if line.startswith("| `")}
    types = {"timestamp with time zone": "timestamptz"}
    served = database.rows(
        """SELECT table_name, column_name::text AS column, data_type::text AS kind FROM information_schema.columns
        WHERE table_schema = 'serving'"""
    )
    wrong = [row for row in served if (f"| `{row.column}`", types.get(row.kind, row.kind)) not in shown]
    assert wrong == []


def _sections(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for section in text.split("\n### ")[1:]:
        name, *lines = section.splitlines()
        found[name] = {line.split("`")[1] for line in lines if line.startswith("| `")}
    return found
