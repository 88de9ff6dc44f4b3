import re
import time

import click
import pytest

from bist_pipeline import __version__
from bist_pipeline.cli import main
from bist_pipeline_tests.cli.commands import run, run_apart

CONTEXT = click.Context(main)
COMMANDS = main.list_commands(CONTEXT)


def options_of(name):
    command = main.get_command(CONTEXT, name)
    assert command is not None
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def test_the_root_lists_every_command_in_the_order_of_need():
    shown = run("--help")
    assert shown.exit_code == 0
    assert COMMANDS == [
        "up",
        "env",
        "backfill",
        "refresh",
        "restate",
        "signals",
        "explain",
        "status",
        "doctor",
        "export",
        "simulate",
    ]
    listed = re.findall(r"^  (\w+) {2,}\S", shown.stdout, flags=re.MULTILINE)
    assert listed == COMMANDS
    assert "bist-pipeline up --simulated" in shown.stdout


def test_no_command_answers_with_the_help():
    assert run().stdout + run().stderr == run("--help").stdout


def test_the_version_is_told():
    assert __version__ in run("--version").stdout


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_commands_help_names_and_explains_every_option(name, flag):
    shown = run(name, flag)
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"Usage: bist-pipeline {name} [OPTIONS]")
    for option in options_of(name):
        assert option.opts[0] in shown.stdout
        explained = option.help or (isinstance(option.type, click.Choice) and option.show_default)
        assert explained, f"{name} {option.opts[0]} is not explained"
        if isinstance(option.type, click.Choice):
            assert "|".join(option.type.choices) in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_its_first_line_what_it_does(name):
    command = main.get_command(CONTEXT, name)
    assert command is not None
    first = (command.help or "").splitlines()[0]
    assert first.endswith(".")
    assert len(first.split()) >= 5
    assert command.short_help


def test_the_help_answers_at_once_and_touches_nothing(tmp_path):
    began = time.monotonic()
    shown = run_apart("--help", cwd=tmp_path, env={})
    assert time.monotonic() - began < 8  # about one second alone; others use the machine too
    assert shown.returncode == 0
    assert shown.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["sginals"], ["signals", "--dat", "2022-01-03"], ["status", "now"]])
def test_a_misspelt_command_or_option_is_wrong_usage(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("Error: ")
