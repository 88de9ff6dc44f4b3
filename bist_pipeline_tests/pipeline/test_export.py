"""Files for those who do not ask the database."""

import pandas as pd
import pytest

from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline.export import VIEWS, export
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import as_date, count, execute, run

BARS = simulated_bars(symbols=3, sessions=50)
SPAN = Span(as_date("2021-03-01"), as_date("2021-03-12"))
WITHIN = "session_date BETWEEN DATE '2021-03-01' AND DATE '2021-03-12'"


@pytest.fixture(scope="module")
def filled(sites, tmp_path_factory):
    context = sites.make(write_archive(tmp_path_factory.mktemp("export") / "archive", BARS))
    run(context, "2021-01-04", SPAN.last)
    return context


def in_database(context, view):
    return settled(context.database.frame(f"SELECT * FROM serving.{view} WHERE {WITHIN}"))


def settled(rows):
    keys = [name for name in ("symbol", "session_date", "pattern") if name in rows.columns]
    return rows.sort_values(keys).reset_index(drop=True)


def in_files(out, view, form):
    read = pd.read_csv if form == "csv" else pd.read_parquet
    parts = []
    for folder in sorted((out / view).iterdir()):
        rows = read(folder / f"rows.{form}")
        parts.append(rows.assign(session_date=pd.Timestamp(folder.name.removeprefix("session_date="))))
    return settled(pd.concat(parts, ignore_index=True))


@pytest.fixture(scope="module", params=["parquet", "csv"])
def written(request, filled, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "not there yet"
    return out, request.param, export(filled, out, SPAN, request.param)


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_written_reads_back_as_what_is_served(filled, written, view):
    out, form, told = written
    served, read = in_database(filled, view), in_files(out, view, form)
    assert told.rows[view] == len(read) == len(served) > 0
    assert set(read.columns) == set(served.columns)
    for name in served.columns:
        left, right = served[name], read[name]
        if pd.api.types.is_numeric_dtype(left.dtype) and not pd.api.types.is_bool_dtype(left.dtype):
            pd.testing.assert_series_equal(left.astype(float), right.astype(float), check_exact=True, check_names=False)
        elif form == "parquet":
            assert list(left.dropna()) == list(right.dropna()), name


def test_any_tool_finds_the_sessions_in_the_folders_names(filled, tmp_path):
    export(filled, tmp_path, SPAN)
    rows = pd.read_parquet(tmp_path / "signals_v1", columns=["symbol", "score", "session_date"])
    assert len(rows) == count(filled, "serving.signals_v1", WITHIN)


def test_writing_again_changes_nothing_and_leaves_no_draft(filled, tmp_path):
    def listing():
        return {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    export(filled, tmp_path, SPAN, "csv")
    first = listing()
    export(filled, tmp_path, SPAN, "csv")
    assert listing() == first
    assert not [path for path in first if ".part" in str(path)]


def test_only_the_range_asked_is_written_and_what_lies_beside_it_stays(filled, tmp_path):
    export(filled, tmp_path, SPAN)
    day = Span(as_date("2021-03-03"), as_date("2021-03-03"))
    before = (tmp_path / "prices_v1" / "session_date=2021-03-04" / "rows.parquet").stat().st_mtime_ns
    assert export(filled, tmp_path, day).rows["prices_v1"] == 3
    assert (tmp_path / "prices_v1" / "session_date=2021-03-04" / "rows.parquet").stat().st_mtime_ns == before


def test_a_session_that_lost_its_rows_loses_its_folder(sites, filled, tmp_path):
    context = sites.make(filled.settings.bist_archive_dir, copy_of=filled)
    export(context, tmp_path, SPAN)
    folder = tmp_path / "prices_v1" / "session_date=2021-03-05"
    assert folder.is_dir()
    execute(context, "DELETE FROM market.daily_prices WHERE session_date = DATE '2021-03-05'")
    export(context, tmp_path, SPAN)
    assert not folder.exists()
    assert (tmp_path / "prices_v1" / "session_date=2021-03-08").is_dir()


def test_a_place_that_cannot_be_written_is_one_line(filled, tmp_path):
    place = tmp_path / "out"
    place.write_text("a file, no folder")
    with pytest.raises(BistError, match=r"^cannot write to .*out: ") as told:
        export(filled, place, SPAN)
    assert "\n" not in str(told.value)


def test_progress_is_told_from_nothing_to_all(filled, tmp_path):
    steps = []
    export(filled, tmp_path, SPAN, progress=lambda stage, done, total: steps.append((stage, done, total)))
    assert steps == [("exporting", done, len(VIEWS)) for done in range(len(VIEWS) + 1)]


def test_an_export_of_invented_prices_says_so_and_no_folder_holds_both_kinds(filled, sites, tmp_path):
    archive = filled.settings.bist_archive_dir
    invented = sites.make(archive, copy_of=filled)
    execute(invented, "UPDATE operations.market SET kind = 'simulated'")
    export(invented, tmp_path / "invented", SPAN)
    assert (tmp_path / "invented" / "MARKET.txt").read_text().startswith("SIMULATED market")
    export(invented, tmp_path / "invented", SPAN)
    with pytest.raises(BistError, match="holds an export of a simulated market, this one is real"):
        export(filled, tmp_path / "invented", SPAN)
    export(filled, tmp_path / "real", SPAN)
    assert not (tmp_path / "real" / "MARKET.txt").exists()
    with pytest.raises(BistError, match="holds an export of a real market, this one is simulated"):
        export(invented, tmp_path / "real", SPAN)
