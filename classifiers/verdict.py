"""The verdict contract: one listing's text in, one Verdict out (``vapewatch classify`` writes it as JSON)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Label(StrEnum):
    """Everything but ``BENIGN`` is violating."""

    BENIGN = "benign"
    ECIG_OVERT = "ecig_overt"
    DISGUISED_MEDICAL = "disguised_medical"
    DISGUISED_DRINK = "disguised_drink"
    DISGUISED_OTHER = "disguised_other"
    OTHER_TOBACCO = "other_tobacco"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListingText(BaseModel):
    """What is read of a listing. Unknown keys are refused, so that a misspelt field is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    title: str
    description: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    price: str | float | int | None = None
    shop: str | None = None
    platform: str | None = None
    lang: str | None = None
    images: tuple[str, ...] = Field(default=(), description="local files, or data:image/…;base64,… addresses")


class Signal(Model):
    """One reason. ``text == original_field[start:end]``; offsets are code points of the ORIGINAL field."""

    kind: str = Field(description="lexicon | measure | evasion | contact | minors | claim | price | text")
    concept: str = Field(description="stable id, e.g. product.ecig, measure.puffs, evasion.zero_width")
    text: str
    field: str = Field(description="title | description | shop | price | attributes.<name> | images.<n>")
    start: int
    end: int
    contribution: float = Field(description="log-odds added to 'violating'; negative speaks for benign")
    why: str = Field(description="reason code with a zh-CN and en sentence on the desk, e.g. read_as:电子烟")


class Claim(Model):
    """A licence or product number found on the page. Never says 'forged'."""

    kind: str = Field(description="device_registration | device_filing | food_licence | drug_approval | …")
    text: str
    field: str
    start: int
    end: int
    status: str = Field(description="format_ok | format_bad | inconsistent | needs_register_lookup")
    reasons: tuple[str, ...] = Field(default=(), description="codes such as MR2, SC1")


class Unread(StrEnum):
    """Why a picture was not read, or not to its end."""

    NOT_INSTALLED = "ocr_not_installed"
    NOT_FETCHED = "not_fetched"  # an address of the web; classifiers know no network
    NO_FILE = "no_file"
    TOO_MANY = "too_many"  # this picture and all after it
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    NO_PICTURE = "no_picture"
    BROKEN = "broken"
    BLANK = "blank"
    IN_PART = "in_part"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    READER_FAILED = "reader_failed"  # it did not start, whatever the picture


class ImageText(Model):
    """What was read in one picture of the listing: lines from top to bottom, then what QR codes say."""

    text: str = ""
    qr: tuple[str, ...] = Field(default=(), description="the last lines of text")
    unread: Unread | None = Field(default=None, description="with text: it was not read to its end")


class Verdict(Model):
    id: str
    label: Label
    score: float = Field(ge=0, le=1, description="calibrated probability of violation")
    flagged: bool = Field(description="score >= the operating threshold")
    scores: dict[Label, float]
    signals: tuple[Signal, ...]
    claims: tuple[Claim, ...]
    lexicon_version: str
    model_version: str
    images: tuple[ImageText, ...] = Field(
        default=(),
        exclude_if=lambda images: not images,
        description="parallel to the listing's images; empty when its words alone settled the verdict",
    )
