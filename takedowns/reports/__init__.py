"""The takedown report: ``compute`` a ``Period``'s figures, ``write_report`` to files, ``store`` the fact."""

from takedowns.reports.definitions import Phrase
from takedowns.reports.figures import Figure, Report, compute
from takedowns.reports.imprint import Imprint
from takedowns.reports.period import Period, PeriodError
from takedowns.reports.store import store
from takedowns.reports.write import write_report

__all__ = [
    "Figure",
    "Imprint",
    "Period",
    "PeriodError",
    "Phrase",
    "Report",
    "compute",
    "store",
    "write_report",
]
