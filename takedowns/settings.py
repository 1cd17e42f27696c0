"""``config/vapewatch.yml`` as a frozen model: missing keys have defaults, unknown ones are errors."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from crawlers.lead_channel import Rung, ascending

NonEmpty = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Office(Section):
    """Who we are: stands in notices, numbers, reports and the crawler's user agent."""

    code: Annotated[
        str, Field(pattern=r"^[0-9A-Z]{1,8}$", description="part of every lead and notice number")
    ]
    name_zh: NonEmpty
    name_en: NonEmpty
    contact: NonEmpty = Field(description="mail address or page that a site owner can write to")


class Mail(Section):
    host: NonEmpty
    port: int = Field(ge=1, le=65535)
    sender: NonEmpty
    starttls: bool = True
    username: str | None = None
    password_env: str | None = Field(
        default=None, description="name of the environment variable that holds it"
    )
    timeout_s: float = Field(default=30, gt=0)


class Review(Section):
    lease_minutes: float = Field(default=5, gt=0)
    held_at_most: int = Field(default=5, ge=1, description="tasks one person may hold at a time")
    control_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="of flagged listings watched as the control group (docs/verification.md); 0: none",
    )


class OfficeHours(Section):
    """Of working days, in Shanghai."""

    opens: time
    closes: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("office hours end after they begin, on the same day")
        return self


class Notices(Section):
    two_person: bool = Field(
        default=True, description="the approver must not be the author or a reviewer of its leads"
    )
    leads_at_most: int = Field(default=200, ge=1, description="leads in one notice")
    answer_working_days: int = Field(default=3, ge=1)
    packs_at_most_mb: float = Field(
        default=15,
        ge=0,
        description="evidence packs that go along with a letter, together: many mail servers refuse more "
        "than 20 MB, and mail makes a file a third larger",
    )
    hold_minutes: float = Field(
        default=10, ge=0, description="between approval and sending, which can be taken back meanwhile"
    )
    office_hours: OfficeHours | None = Field(
        default=OfficeHours(opens=time(8, 30), closes=time(17, 30)),
        description="notices leave on working days and then only; null: at any time",
    )
    ladder: Annotated[tuple[Rung, ...], AfterValidator(ascending)] = Field(
        default=(Rung(after_working_days=4), Rung(after_working_days=8, kind="escalation")),
        description="what is done about unanswered notices where the platform's profile says nothing",
    )


class Channels(Section):
    """What web hooks and SFTP need beside the platform's profile; ``mail`` has its own section."""

    secrets: Path | None = Field(
        default=None,
        description="folder with a file for each secret that profiles name, readable by its owner only; "
        "an environment variable of that name goes first",
    )
    ssh_key: Path | None = Field(default=None, description="private key that signs in to SFTP servers")
    timeout_s: float = Field(default=60, gt=0, description="for one delivery")


class Inbox(Section):
    """The mailbox that platforms answer to. It is read and never changed."""

    host: NonEmpty
    port: int = Field(default=993, ge=1, le=65535)
    tls: Literal["implicit", "starttls"] = Field(
        default="implicit",
        description="starttls begins in the open, at port 143; without TLS nothing is read",
    )
    ca_file: Path | None = Field(
        default=None,
        description="certificate of the authority that the server's own is signed by, if private",
    )
    username: NonEmpty
    password: str = Field(pattern="^[A-Z][A-Z0-9_]*$", description="name of the secret (channels.secrets)")
    folder: NonEmpty = "INBOX"
    authserv_id: NonEmpty = Field(
        description="by which our own receiving server signs its Authentication-Results; only those count"
    )
    mail_at_most: int = Field(default=20_000_000, ge=10_000, description="bytes; a longer one is not fetched")
    mails_at_most: int = Field(default=200, ge=1, description="taken in at one poll; the others at the next")
    timeout_s: float = Field(default=60, gt=0)


class Removal(Section):
    """The confirmation rule: so many looks found it gone, over so long, and none between found it up."""

    gone_checks: int = Field(default=2, ge=2)
    over_hours: float = Field(default=24, ge=1)
    up_checks: int = Field(
        default=2, ge=2, description="looks that find it up after a claim make the claim false"
    )
    up_over_hours: float = Field(
        default=1, ge=0, description="between the first and last of them: two looks at once are one"
    )
    vantage_days: float = Field(
        default=30,
        ge=0,
        description="another vantage that found it there within so many days must have found it gone as well",
    )


class Classifying(Section):
    model: Path | None = Field(
        default=None, description="folder that `vapewatch train` wrote; without it the shipped model judges"
    )
    base_rate: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="share of violating listings that the probabilities assume; without it that of training",
    )


class Crawl(Section):
    wall_clock_minutes: float = Field(default=30, gt=0, description="then the crawl's process group is ended")
    grace_seconds: float = Field(default=60, ge=0, description="between asking it to stop and killing it")
    keys: Path | None = Field(
        default=None, description="file with the keys of interfaces, readable by its owner only"
    )


class Evidence(Section):
    keep_days: int | None = Field(
        default=None,
        ge=30,
        description="then `vapewatch evidence expire` gives up what no flag, decision or measurement "
        "rests on; None: everything is kept",
    )


class Tips(Section):
    """How long a tip may wait for a person, from when it was received."""

    minors_hours: float = Field(default=24, gt=0, description="where minors are concerned: by the clock")
    working_days: int = Field(default=5, ge=1)


class Handovers(Section):
    """Case files given to another office, and got from one."""

    working_days: int = Field(default=10, ge=1, description="for the answer, from the day it was packed")
    package_at_most_mb: float = Field(default=500, gt=0, description="a larger package is not taken in")


class Retention(Section):
    non_hit_days: int | None = Field(
        default=None,
        ge=7,
        description="then `vapewatch forget` deletes listings that nothing suspected; None: all is kept",
    )


class Contacts(Section):
    key: Path | None = Field(
        default=None,
        description="file with the key of contact hashes, readable by its owner; every machine that takes "
        "listings in needs the same; None: contacts.key in var, made at the first use",
    )


class Desk(Section):
    host: NonEmpty = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65535)
    session_hours: float = Field(default=12, gt=0)
    idle_minutes: float = Field(default=60, gt=0)


class Settings(Section):
    office: Office
    ledger: NonEmpty = Field(description="database URL; a relative SQLite path starts at the working folder")
    var: Path = Field(default=Path("var"), description="run directories, evidence and reports")
    mail: Mail
    review: Review = Review()
    notices: Notices = Notices()
    channels: Channels = Channels()
    inbox: Inbox | None = Field(default=None, description="without it no mail is read")
    removal: Removal = Removal()
    classifier: Classifying = Classifying()
    crawl: Crawl = Crawl()
    evidence: Evidence = Evidence()
    retention: Retention = Retention()
    tips: Tips = Tips()
    handover: Handovers = Handovers()
    contacts: Contacts = Contacts()
    desk: Desk = Desk()
