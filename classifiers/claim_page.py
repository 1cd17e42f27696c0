"""What a listing says around a licence number: what the number has to fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from classifiers.claim_grammars import PROVINCES


@dataclass(frozen=True, slots=True)
class Context:
    """What the rest of the listing says, as far as a number has to fit it."""

    inhaled: bool = False  # e-cigarette parts, puffs or inhaling
    nebuliser: bool = False  # the goods are called a nebuliser or something that nebulises
    flavoured: bool = False
    drink: bool = False  # the goods are called a drink
    this_year: int = 2026


@dataclass(frozen=True)
class Page:
    """The canonical text around a number. What it says is looked for once, however many numbers it has."""

    text: str
    context: Context

    def _says(self, pattern: str) -> bool:
        return re.search(pattern, self.text) is not None

    @cached_property
    def registered(self) -> bool:
        return self._says("械注[准进许]")

    @cached_property
    def heated(self) -> bool:
        return self._says("加热雾化")

    @cached_property
    def powered(self) -> bool:
        """Something to breathe from that is more than a class I device can be."""
        applicator = self._says("给药器|吸入器") and self._says("充电|加热|锂电|mah")
        return self.context.inhaled or self.context.nebuliser or applicator

    @cached_property
    def second_class(self) -> bool:
        return self._says(r"(?:二|ii|2) ?类(?:医疗)?器械(?!经营|销售|备案)")

    @cached_property
    def domestic(self) -> bool:
        provinces = "|".join(PROVINCES.values())
        return self._says(rf"(?<![非中])国产(?![品业])|产地 ?:? ?(?:中国|国内|大陆|{provinces})")

    @cached_property
    def called_certified(self) -> bool:
        return self._says(r"医疗器械(?:产品)?(?:认证|批准)")

    @cached_property
    def breathed(self) -> bool:
        """Inhaled, or called a medical nebuliser without the registration of one."""
        medical = self._says("雾化吸入|医用.{0,4}雾化器")
        return self.context.inhaled or (medical and not self.registered)

    @cached_property
    def flavouring(self) -> bool:
        return self._says("香精|香料")

    @cached_property
    def medicine(self) -> bool:
        """Called a medicine for inhaling."""
        return self._says("吸入(?:用|粉|气|溶|混|制)|气雾剂|粉雾剂|混悬液")

    @cached_property
    def tiny(self) -> bool:
        return self._says(r"(?<![\d.])(?:1?\d|20)(?:\.\d+)? ?(?:ml|毫升)(?!/)")

    @cached_property
    def maker(self) -> bool:
        return self._says("生产企业|生产厂家|制造商|源头工厂|源头厂家|自有工厂")

    @cached_property
    def province(self) -> str | None:
        """Where the firm says it sits."""
        seat = r"(?:所在地|注册地址?|住所|经营地址|公司地址|企业地址) ?:? ?"
        match = re.search(rf"{seat}({'|'.join(PROVINCES.values())})", self.text)
        return match and match[1]
