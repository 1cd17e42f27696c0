"""The ``vapewatch`` command: results on stdout, progress on stderr, and one sentence for each failure."""

from __future__ import annotations

import sys

import typer

from classifiers.yamlfile import ConfigError
from takedowns.cli import (
    classifying,
    collecting,
    evidence,
    following,
    handover,
    licences,
    networks,
    notifying,
    platforms,
    records,
    replying,
    rescanning,
    running,
    scheduling,
    sellers,
    tips,
)
from takedowns.cli.output import ERROR, PARTIAL, USAGE, complain
from takedowns.configuration import UnknownPlatformError
from takedowns.crawling.admission import NotNowError

app = typer.Typer(
    help="Find e-cigarettes sold in disguise, and follow each lead until the listing is really gone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its frames would print listing text raw to the terminal
)
PARTS = (
    running,
    collecting,
    platforms,
    scheduling,
    classifying,
    rescanning,
    licences,
    networks,
    notifying,
    following,
    replying,
    tips,
    handover,
    evidence,
    records,
    sellers,
)
for part in PARTS:
    app.add_typer(part.app)

EXPECTED = (ValueError, LookupError, OSError, RuntimeError)
"""What commands raise for reasons a person can mend; anything else is a defect and keeps its traceback."""


def main() -> None:
    """Run the command line; exit codes are listed in ``takedowns.cli.output``."""
    try:
        app()  # exits by itself, with 2 for a wrong command line and 130 when interrupted
    except (ConfigError, UnknownPlatformError) as error:
        complain(str(error))
        sys.exit(USAGE)
    except NotNowError as refusal:
        complain(str(refusal))
        sys.exit(PARTIAL)
    except EXPECTED as error:
        complain(str(error) or type(error).__name__)
        sys.exit(ERROR)
