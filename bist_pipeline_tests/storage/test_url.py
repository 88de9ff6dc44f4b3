"""Addresses of databases: what is legal, what each library gets, and that no password is ever shown."""

import traceback

import pytest
from sqlalchemy import make_url

from bist_pipeline.core.errors import SettingsError
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl

PASSWORD = "s3cret-w0rd"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
def test_every_usual_scheme_leads_to_the_same_address(scheme):
    url = DatabaseUrl.parse(f"{scheme}://desk:{PASSWORD}@db.example:5433/bist")
    assert url.libpq == f"postgresql://desk:{PASSWORD}@db.example:5433/bist"
    assert url.sqlalchemy == f"postgresql+psycopg2://desk:{PASSWORD}@db.example:5433/bist"
    assert url.database == "bist"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no URL"),
        ("bist", "no URL"),
        (f"desk:{PASSWORD}@db/bist", "no URL"),
        (f"host=db password={PASSWORD} dbname=bist", "no URL"),
        (f" postgresql://desk:{PASSWORD}@db/bist", "no URL"),
        (f"postgresql://desk:{PASSWORD}/bist", "no URL"),  # the @ is missing: the password looks like a port
        (f"postgresql://desk:{PASSWORD}@db:port/bist", "no URL"),
        (f"mysql://desk:{PASSWORD}@db/bist", "scheme 'mysql'"),
        (f"sqlite:///{PASSWORD}", "scheme 'sqlite'"),
        (f"https://desk:{PASSWORD}@db/bist", "scheme 'https'"),
        (f"postgresql+asyncpg://desk:{PASSWORD}@db/bist", "scheme 'postgresql+asyncpg'"),
        (f"postgresql://desk:{PASSWORD}@db", "database's name is missing"),
        (f"postgresql://desk:{PASSWORD}@db/", "database's name is missing"),
        (f"postgresql://desk:x@{PASSWORD}@db/bist", "written %40"),
    ],
)
def test_an_illegal_address_is_refused_in_one_line_that_hides_it(text, complaint):
    with pytest.raises(SettingsError) as caught:
        DatabaseUrl.parse(text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("BIST_DATABASE_URL: expected postgresql://")
    assert "\n" not in str(caught.value)
    chain = "".join(traceback.format_exception(None, caught.value, None))
    assert PASSWORD not in chain


def test_a_refusal_names_the_variable_it_came_from():
    with pytest.raises(SettingsError, match=r"^url: expected"):
        DatabaseUrl.parse("mysql://h/d", variable="url")


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://desk:{PASSWORD}@db/bist",
        f"postgresql://db/bist?user=desk&password={PASSWORD}",
        f"postgresql://desk:other@db/bist?password={PASSWORD}",
        f"postgresql://desk@db/bist?sslkey=key.pem&sslpassword={PASSWORD}",
    ],
)
@pytest.mark.parametrize("show", [str, repr, "{}".format, lambda url: f"{[url]}"])
def test_no_text_of_an_address_shows_a_password(text, show):
    url = DatabaseUrl.parse(text)
    assert PASSWORD not in show(url)
    assert PASSWORD not in show(url.with_database("dagster").with_search_path("dagster"))
    assert PASSWORD in url.libpq
    assert PASSWORD in url.sqlalchemy


def test_credentials_behind_the_question_mark_are_taken_as_libpq_takes_them():
    url = DatabaseUrl.parse(f"postgresql://db/bist?user=desk&password={PASSWORD}&connect_timeout=5")
    assert url.libpq == f"postgresql://desk:{PASSWORD}@db/bist?connect_timeout=5"


@pytest.mark.parametrize("password", ["a b", "a+b", "a%b", "a/b:c@d", "a?b#c", "şifre", "%20"])
def test_a_password_survives_every_dialect(password):
    url = DatabaseUrl(DatabaseUrl.parse("postgresql://desk@db/bist").url.set(password=password))
    assert DatabaseUrl.parse(url.libpq).url.password == password
    assert make_url(url.sqlalchemy).password == password
    assert " " not in url.libpq


def test_parameters_reach_libpq_with_their_spaces_and_plus_signs():
    url = DatabaseUrl.parse("postgresql://db/bist?options=-c%20lock_timeout%3D1s&application_name=a%2Bb")
    assert url.libpq == "postgresql://db/bist?application_name=a%2Bb&options=-c%20lock_timeout%3D1s"


def test_a_socket_folder_with_a_space_reaches_libpq():
    assert DatabaseUrl.parse("postgresql:///bist?host=/tmp/a%20b").libpq == "postgresql:///bist?host=%2Ftmp%2Fa%20b"


def test_another_database_of_the_same_server_keeps_everything_else():
    url = DatabaseUrl.parse(f"postgresql://desk:{PASSWORD}@[::1]:5433/bist?sslmode=require")
    assert url.with_database("dagster").libpq == f"postgresql://desk:{PASSWORD}@[::1]:5433/dagster?sslmode=require"


def test_a_search_path_is_added_to_the_options_that_are_there():
    url = DatabaseUrl.parse("postgresql://db/bist?options=-clock_timeout%3D1s")
    assert url.with_search_path("dagster").url.query["options"] == "-clock_timeout=1s -csearch_path=dagster"


def test_a_search_path_decides_where_unqualified_names_lead(database):
    database.run_alone("CREATE SCHEMA elsewhere")
    other = Database(database.url.with_search_path("elsewhere"))
    assert other.rows("SELECT current_schema()")[0][0] == "elsewhere"
    assert other.frame("SELECT current_schema() AS name")["name"].tolist() == ["elsewhere"]
    other.close()
