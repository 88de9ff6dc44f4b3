"""Work that is killed anywhere loses nothing, doubles nothing and leaves nothing half written.

Five kills here; as many as one likes, with a table of what each found, by

    python -m bist_pipeline_tests.pipeline.test_killed 50
"""

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.pipeline.killing import ARENAS, Arena, found_after
from bist_pipeline_tests.pipeline.sites import Sites, count
from bist_pipeline_tests.storage.embedded_homes import temporary_home

# How far into the work the kills come: one after the other in the same database, or each in a database of its own.
MOMENTS = {"backfill": ((0.25, 0.5),), "refresh": ((0.6,),), "restatement": ((0.35,), (0.8,))}


@pytest.fixture(scope="module", params=MOMENTS)
def arena(request, sites, tmp_path_factory) -> Iterator[Arena]:
    with ARENAS[request.param](sites, tmp_path_factory.mktemp(request.param)) as made:
        yield made


def test_work_that_is_killed_and_begun_again_ends_in_the_tables_of_undisturbed_work(arena):
    chance, kills = random.Random(20260807), 0
    for moments in MOMENTS[arena.name]:
        context = arena.copy()
        for moment in moments:
            kills += arena.kill(context, arena.seconds * (moment + chance.uniform(-0.1, 0.1)))
        assert arena.resume(context) == []
        assert count(context, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0
        assert count(context, "market.fetch_ledger", "status <> 'answered'") == 0
    assert kills, "too fast to be killed: the test says nothing"
    assert arena.resume(context) == [], "done once more, it changes nothing"


# ── as many as one likes ──


@contextmanager
def _own_sites() -> Iterator[Sites]:
    """Databases outside of pytest, on a server of their own."""
    with temporary_home() as home, tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        try:
            server.ensure_database("template_of_kills")
            template = Database(DatabaseUrl.parse(server.url("template_of_kills")))
            migrate(template, database_shape())
            template.close()
            made = Sites(server, Path(folder), "template_of_kills")
            yield made
            made.close()
        finally:
            server.stop()


def main(arguments: Sequence[str]) -> int:
    """Kill as often as the command line says, at moments of a seed, and print what was found."""
    kills, seed = int(arguments[0]) if arguments else 50, int(arguments[1]) if len(arguments) > 1 else 20260807
    chance, failures, alive = random.Random(seed), 0, 0
    with _own_sites() as sites, ExitStack() as opened:
        arenas = [opened.enter_context(make(sites, sites.folder / name)) for name, make in _folders(sites)]
        for arena in arenas:
            sys.stdout.write(f"{arena.name}: {arena.seconds:.2f} s undisturbed\n")
        for number in range(kills):
            arena = arenas[number % len(arenas)]
            context, seconds = arena.copy(), chance.uniform(0, arena.seconds)
            was_alive = arena.kill(context, seconds)
            left, differing = found_after(context), arena.resume(context)
            context.database.close()  # fifty pools are more than the server has places
            failures, alive = failures + bool(differing), alive + was_alive
            verdict = f"NO: {', '.join(differing)}" if differing else "yes"
            state = "" if was_alive else " (had ended)"
            sys.stdout.write(
                f"{number + 1:>3}  {arena.name:<12}{seconds:>6.2f} s{state}  left: {left}  equal: {verdict}\n"
            )
            sys.stdout.flush()
    sys.stdout.write(f"{kills} kills, {alive} of them at work, {failures} that did not end as undisturbed work\n")
    return 1 if failures else 0


def _folders(sites: Sites):
    for name, make in ARENAS.items():
        (sites.folder / name).mkdir()
        yield name, make


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
