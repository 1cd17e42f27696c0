"""Six months of a market whose truth is known, and every difference between it and the ledger.

    python bench/market.py [--leads 2000] [--seeds 1 2 3] [--ledger URL]

Without ``--ledger`` each seed gets a SQLite file of its own. A PostgreSQL database must be empty and takes
one seed. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter

import sqlalchemy as sa

from bench.simulation.comparison import differences
from bench.simulation.market import Simulation
from takedowns import configuration
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger, open_ledger


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--leads", type=int, default=2000)
    options.add_argument("--seeds", type=int, nargs="+", default=[1])
    options.add_argument("--ledger", help="URL of an empty database")
    given = options.parse_args()
    differing = 0
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            ledger = open_ledger(given.ledger or f"sqlite:///{folder}/ledger.db")
            differing += lived_through(ledger, given.leads, seed)
            ledger.close()
    return 1 if differing else 0


def lived_through(ledger: Ledger, count: int, seed: int) -> int:
    settings = configuration.settings(configuration.SHIPPED)
    platform = configuration.platforms(configuration.SHIPPED)["sample"]
    simulation = Simulation(ledger, settings, platform, count=count, seed=seed)
    begun = time.monotonic()
    simulation.run()
    lived = time.monotonic() - begun
    found = differences(simulation)
    with ledger.read() as session:
        outcomes = Counter(session.scalars(sa.select(tables.Lead.outcome)))
        looks = session.scalar(sa.select(sa.func.count(tables.Sighting.id)))
    print(f"seed {seed}: {count:,} leads, {looks:,} looks in {lived:.0f} s; {len(found)} differences")
    print("  " + ", ".join(f"{name or 'open'} {n}" for name, n in outcomes.most_common()))
    for sentence in found[:40]:
        print(f"  {sentence}")
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
