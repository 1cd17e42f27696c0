"""``python -m crawlers RUNDIR``: does the one job in ``RUNDIR/job.json``.

Exit code 0 only when ``stats.json`` was written, 2 when the job cannot be read or was started before. How the
crawl went stands in ``stats.json``; what it did is told on stderr.
"""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from pathlib import Path

from pydantic import ValidationError
from scrapy.crawler import AsyncCrawlerProcess

from crawlers.recorder import Recorder
from crawlers.rundir import CrawlJob, RunKind, alive, job_file
from crawlers.settings import settings_for
from crawlers.spiders.api_recheck import ApiRecheckSpider
from crawlers.spiders.api_sweep import ApiSweepSpider
from crawlers.spiders.base import JobSpider
from crawlers.spiders.capture import CaptureSpider
from crawlers.spiders.discovery import DiscoverySpider
from crawlers.spiders.look import LookSpider
from crawlers.spiders.recheck import RecheckSpider, SellersSpider
from crawlers.spiders.sample import SampleSpider
from crawlers.spiders.sweep import SweepSpider

SPIDERS: dict[RunKind, type[JobSpider]] = {
    RunKind.SWEEP: SweepSpider,
    RunKind.RECHECK: RecheckSpider,
    RunKind.SAMPLE: SampleSpider,
    RunKind.CAPTURE: CaptureSpider,
    RunKind.LOOK: LookSpider,
    RunKind.SELLERS: SellersSpider,
}
API_SPIDERS: dict[RunKind, type[JobSpider]] = {
    RunKind.SWEEP: ApiSweepSpider,
    RunKind.RECHECK: ApiRecheckSpider,
}
USAGE_ERROR = 2

logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        return _refuse("usage: python -m crawlers RUNDIR")
    run = Path(arguments[0])
    with ExitStack() as life:
        try:
            life.enter_context(alive(run))
            job = CrawlJob.model_validate_json(job_file(run).read_bytes())
            recorder = Recorder(run, job)
        except (OSError, ValidationError) as error:
            return _refuse(f"cannot run {run}: {error}")
        recorder.finish(crawl(job, recorder))
    return 0


def crawl(job: CrawlJob, recorder: Recorder) -> str:
    """Runs the spider to its end and returns Scrapy's finish reason, or ``crashed``."""
    try:
        process = AsyncCrawlerProcess(settings_for(job))
        # Only its handler minds LOG_LEVEL: a line would be made for each page, and dropped there.
        logging.getLogger("scrapy").setLevel(logging.INFO)
        crawler = process.create_crawler(spider_for(job))
        done = process.crawl(crawler, job=job, recorder=recorder)
        process.start()
        done.result()
    except Exception as error:
        logger.exception("The crawl broke off")
        recorder.issue("crashed", f"The crawl broke off: {error}")
        return "crashed"
    recorder.counters["spider_exceptions"] = crawler.stats.get_value("spider_exceptions/count", 0)
    return str(crawler.stats.get_value("finish_reason", "crashed"))


def spider_for(job: CrawlJob) -> type[JobSpider]:
    """By the platform's road and the kind of run."""
    if job.platform.road == "api":
        return API_SPIDERS[job.kind]
    if job.kind is RunKind.SWEEP and job.platform.discovery:
        return DiscoverySpider
    return SPIDERS[job.kind]


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
