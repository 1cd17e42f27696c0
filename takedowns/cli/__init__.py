"""The ``vapewatch`` command: results on stdout, progress on stderr, and one sentence for each failure."""

from __future__ import annotations

import sys

import typer

from classifiers.yamlfile import ConfigError
from takedowns.cli import classifying, collecting, following, licences, rescanning, running
from takedowns.cli.output import ERROR, USAGE, complain
from takedowns.configuration import UnknownPlatformError

app = typer.Typer(
    help="Find e-cigarettes sold in disguise, and follow each lead until the listing is really gone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its frames would print listing text raw to the terminal
)
for part in (running.app, collecting.app, classifying.app, rescanning.app, licences.app, following.app):
    app.add_typer(part)

EXPECTED = (ValueError, LookupError, OSError, RuntimeError)
"""What commands raise for reasons a person can mend; anything else is a defect and keeps its traceback."""


def main() -> None:
    """Run the command line; exit codes are listed in ``takedowns.cli.output``."""
    try:
        app()  # exits by itself, with 2 for a wrong command line and 130 when interrupted
    except (ConfigError, UnknownPlatformError) as error:
        complain(str(error))
        sys.exit(USAGE)
    except EXPECTED as error:
        complain(str(error) or type(error).__name__)
        sys.exit(ERROR)
