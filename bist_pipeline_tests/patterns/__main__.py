"""The long run of the contract suite's cuts: `python -m bist_pipeline_tests.patterns --cuts 1000`."""

import click

from bist_pipeline_tests.patterns.contract_market import PATTERNS, differing, market, random_shares


@click.command()
@click.option("--cuts", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
def main(cuts: int, seed: int) -> None:
    """Search the beginnings of an INVENTED market and compare with what is found in the whole of it."""
    faults = list(differing(random_shares(cuts, seed)))
    for name, share, differs in faults:
        click.echo(f"{name}: cut at {share:.4f}: {', '.join(differs)}")
    click.echo(f"{cuts} cuts of {len(market()):,} bars, {len(PATTERNS)} patterns: {len(faults)} answers differ")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
