"""Quantities told in words around a number: kits, pieces, generations, flavours, draws, days, grades."""

from __future__ import annotations

import re
from dataclasses import dataclass

from classifiers.literals import DIGIT, NUMERAL

_FEW = r"(?:[一两二三四五六七八九十半几]{1,3}|(?<![\d.])\d{1,2})"
_ABOUT = r"(?:大概|差不多|大约|约|就|能|够|可以?|要|得|也)?"
# Spelled out, no [橙橘]子: the engine skips ahead quickly only where every alternative begins with a letter.
_FLAVOUR = (
    r"(?:西瓜|荔枝|葡萄|薄荷|青提|提子|蜜桃|白桃|黄桃|桃子|芒果|绿豆|可乐|雪碧|红牛|苏打|汽水|乌龙|龙井|茉莉|铁观音|普洱|单丛"
    r"|绿茶|红茶|咖啡|拿铁|美式|冷萃|可可|焦糖|香草|奶茶|奶绿|芋泥|抹茶|海盐|西柚|柚子|葡萄柚|青柠|柠檬|柑橘|蓝莓|草莓|莓果"
    r"|凤梨|菠萝|哈密瓜|蜜瓜|百香果|椰子|椰奶|生椰|乌梅|话梅|杨梅|青梅|酸梅|陈皮|枇杷|川贝|雪梨|冰棍|绿舌头|原味|老味|烟草"
    r"|原叶|桂花|樱花|玫瑰|檀香|沉香|雪松|樱桃|车厘子|苹果|橙子|橘子|甜橙|石榴|黑加仑|蔓越莓|沙棘|罗汉果|桂圆|芦荟|芝士|芭乐|火龙果|杨枝甘露|青瓜|榛子|摩卡|泡泡糖|棉花糖|奶糖|酸奶|养乐多"
    r"|槟榔|冰泉|grape|mango|peach|lychee|watermelon|strawberry|blueberry|raspberry|razz|kiwi|cola|mint|menthol|lemon|lime"
    r"|banana|cherry|melon|guava|pineapple|vanilla|custard|tobacco|taro|jasmine|oolong|longjing|mojito)"
)
_FLAVOURS = _FLAVOUR[3:-1].replace("|", " ")
_LAST = "".join(sorted({word[-1] for word in _FLAVOURS.split()}))
_JOINT = r"(?: ?[/、,;·|&+] ?| |[和跟或配加]| and | or )"


# For the literals that each pattern needs: a figure; a few; each of them or of those that say "about".
_D = DIGIT
_F = NUMERAL + DIGIT


@dataclass(frozen=True, slots=True)
class Phrase:
    """What ``pattern`` matches holds one of the literals ``needs`` (see :mod:`classifiers.literals`)."""

    needs: str
    pattern: re.Pattern[str]


def _phrase(needs: str, pattern: str) -> Phrase:
    return Phrase(needs, re.compile(pattern))


PHRASES = {
    "measure.puffs": _phrase(
        rf"[数次口吸s][=:大约概{_D}] [抽吸嘬][个到满够约大{_F}] [百余多来][引息]",
        r"(?:[口饮吸抽下]数|[吸口]次|(?<![^\n;])口|能吸|draws|sips|breaths|puffs|hits)[=: ]{1,2}[大约概]{0,2}"
        r"(?:\d{3,5}|\d{1,2}[k千万])"
        r"|[抽吸嘬](?:[个到满够约]|大概)?(?:\d{3,5}|[一二三四五六七八九两]{1,2}[百千万])(?![\d的块元度多来口下次抽吸]|ml|毫)"
        r"|[一二两三四五六七八九\d]百[余多来]?(?:引(?![擎用号导体言])|息(?![税差肉怒]))",
    ),
    "measure.thousands": _phrase(
        rf"000 [{_D}]k",
        # The count of draws without its word; no sum, no part number, nothing that is measured in thousands.
        r"(?<![\d.,¥$£€=:/x*#a-z-])(?:(?:[5-9]|[1-4]\d)000|(?:[5-9]|1\d|2[05]|3[05]|40)(?:\.5)?k)"
        r"(?![\d.%a-z℃°/x*+-]| ?(?:m(?:ah|w|l|ap?s?\b|b|hz|bps|\d)|[wgvlk]\b|kg|rpm|lm|lumens?|btu|pa|hz|cr"
        r"|gold|carat|pcs|pieces|series|ohm|ω|puff|hit|draw|pull|drag|sip|gulp|breath|ritual|inhal|[扣吸抽嘬饮发息]|[欧金钛毫安转帕伏米克斤元块度件张粒字目支个人条只套步瓦升万多余次下"
        r"口年本分箱根倍枚颗盒包瓶起系男女]|流明|公里))",
    ),
    "measure.kit": _phrase(
        rf"[一1双两2][杆机主底座][机体座+配送加{_F}]",
        r"(?:[一1双两2]) ?(?:杆|机|主机|主体|底座|座) ?[+配送加]? ?(?:十?[一二两三四五六]|\d{1,2}) ?"
        r"(?:弹|颗|粒|枚|仓|芯|囊|匣|胆|胶囊|茶仓)",
    ),
    "measure.pieces": _phrase(
        rf"[{_F}][颗粒枚][装入起一盒排板匣条/] [一每][盒排板匣条][装有{_F}] 单[颗枚粒] [三3]入"
        rf" [弹芯仓][{_F}][颗粒枚] [{NUMERAL}][颗粒枚] [送带剩][{_F}][颗粒]",
        rf"{_FEW} ?[颗粒枚] ?(?:装|入|起|一?[盒排板匣条]|/ ?[盒板])|[一每][盒板排匣条][装有]?{_FEW}[颗粒枚]"
        r"|单[颗枚粒]装?|[三3]入|[弹芯仓][一两二三四五六][颗粒枚]|[一两二三四五六半][颗粒枚].{0,2}[弹芯仓囊]"
        r"|[送带剩][一两二三四五六半几][颗粒]",
    ),
    "measure.cartons": _phrase(
        rf"[软硬细粗的中华包盒支装{_D}][{_F}]条 [{_F}]条[不烟软硬细面] [一每]条十 [一每]包二十",
        r"(?:[软硬细粗][的中华包盒支装]?|[蓝红黑白绿金]的) ?(?:[一两俩二三四五半几十]|\d{1,2})条"
        r"(?![裤裙毛围腿路线床鱼狗绳链])"
        r"|(?:[一两俩二三四五半几]|(?<!\d)\d)条 ?(?:不拆|不零卖|烟|软的|硬的|细的|面交)"
        r"|[一每]条十[包盒]|[一每]包二十[根支]",
    ),
    "measure.generation": _phrase(
        rf"[{_F}]代[通都能可以插杆弹壳主烟饮机] [配插容通][{_F}][代{_F}] 通[四五六]",
        r"(?<![第\d一二三四五六七])(?:[一二三四五六七]{1,2}|[1-7]) ?代 ?"
        r"(?:通[用配吃]|都?[能可]用|能插|以上|杆|弹|壳|主[机体]|烟|饮座|机身)"
        r"|(?:通配|插|适配|兼容|通)[一二三四五六七1-7]{1,2}代|通[四五六]{2}",
    ),
    "measure.flavour_count": _phrase(
        rf"[{_F}][口风味ft][味道型la] [{_F}][种款个大][口风味ft] [{_F}]味 味[=:][{_D}]",
        r"(?:(?<!\d)\d{1,2}|[四五六七八九十]{1,3}) ?(?:[种款个大] ?)?"
        r"(?:口味|风味|味道|味型|flavou?rs|flavs|tastes?\b)"
        r"|(?:(?<!\d)\d{1,2}|[两三四五六七八九十]{1,3}|十[一二])[种款个大]?味"
        r"(?![子真觉精知极增丸散药]|中药|地黄|珍珠|党参)|口味[=:]\d{1,2}(?![\d/])",
    ),
    "measure.flavour_list": _phrase(_FLAVOURS, rf"{_FLAVOUR}[味冰款]?{_JOINT}冰?{_FLAVOUR}"),
    "measure.flavour_cloud": _phrase(
        rf"[{_LAST}味香的冷热甜][雾云] [{_LAST}味香的冷热甜]白气 [{_LAST}味香的冷热甜]蒸汽"
        " cloud fog vapo smoke steam fume mist",
        rf"{_FLAVOUR}[味香]?的?[冷热甜]?(?:雾(?![面霾色蓝灰紫粉化机灯炮都])|云(?![南吞腿朵母贵])|白气|蒸汽)"
        rf"|(?:{_FLAVOUR}|plum|apple|berry|fruit|coffee|coconut|flavou?r(?:ed)?) "
        r"(?:cloud|fog|vapou?r|smoke|steam|fume|mist(?! ?(?:spray|humid|body|pillow|maker|room)))s?\b",
    ),
    "measure.base_ratio": _phrase(
        rf"[5678]0/ maxvg [vp]g[{_D}]0 0[vp]g",
        r"(?<![\d/])(?:[5-8]0/[2-5]0|max ?vg)(?![\d/])|[vp]g ?\d0|(?<!\d)\d0 ?[vp]g",
    ),
    "measure.draws": _phrase(
        rf"[吸嘬嗦抽抿吮咂上个它了过得够来走整造品][{_F}][{_F}来口下]"
        rf" [天日前后晚上次来吸抽嘬用住憋][{_F}][{_F}来多口吸下秒] for[{_D}tf]",
        rf"(?:[吸嘬嗦抽抿吮咂][上个它了过得够]?{_FEW}来?(?:口|下(?![来去午水单载]))"
        rf"|[来走整造品过][上个它了]?{_FEW}口)(?![味气袋井锅罩红子径香])"
        rf"|(?:[一每天]天|每日|睡前|饭后|[唱歌]前|早晚|早上|晚上|每次)[来吸抽嘬]?{_FEW}[来多]?(?:口|吸(?!管))"
        rf"|(?:每次|[一每]晚|[一每]天)[来用]?{_FEW}下|[吸抽嘬憋]住?{_FEW}秒"
        r"|(?:draw|pull|inhale|sip|suck)(?: [a-z]+){0,2} for (?:\d|two|three|four|five)\b",
    ),
    "measure.lasting": _phrase(
        rf"[顶管抵撑用吸抽嘬喝造耍扛你伴我上掉完概多约柱囊炮芯弹][{_F}][{_F}来多天日周个星礼月年晚宿夜]"
        rf" 周一[支芯颗粒囊管] 天一[芯格] [oer{_D}]days [oer{_D}]weeks",
        rf"(?:[支根颗粒杆枚只管仓芯]|一个){_ABOUT}(?:[顶管抵撑用吸抽嘬喝造耍扛]|陪[你伴])(?:我|你|上|掉|完)?"
        rf"(?:大概|差不多|约)?{_FEW}[来多]?(?:天|周|个?星期|个?礼拜|个?月|晚|宿|夜)"
        rf"|一[柱囊炮芯弹]{_FEW}[天日周夜]|一周一[支芯颗粒囊管]|一天一[芯格]|够你?[抽吸嘬]{_FEW}(?:天|周|个?月|年)"
        r"|lasts? (?:about |like )?(?:two|three|four|five|\d{1,2}) (?:days|weeks)",
    ),
    "measure.packs": _phrase(
        rf"[顶抵于的][{_F}][{_F}多包条根百盒斤]",
        rf"(?:[支根颗粒杆枚只管盒罐袋胆口囊芯壶炮弹]|一[个天]){_ABOUT}(?:[顶抵]|等于|相当于)(?:纸的)?{_FEW}多?"
        r"(?:包|条(?![裤裙腿路])|根|盒|百根|斤)",
    ),
    "measure.strength_grade": _phrase(
        rf"[{_D}%][/、][{_D}] [冰凉甜劲][度感][等=:★{_F}] 度[=:{_D}] 度数[=:{_D}] [和跟]5的"
        rf" 3.5度 icelevel [{NUMERAL}]档[劲凉冰] [{NUMERAL}]毫"
        rf" [{_D}]mg[/,&]",
        r"(?<![\d./-])(?:0%?[/、](?:[1-5]%?[/、]){0,2}[2-6]%?"
        r"|(?:20|25|30|35)[/、](?:30|35|45|50)(?:[/、](?:50|55|60))?)(?![\d./-]|ml)"
        r"|[冰凉甜劲][度感](?:等级)?[=: ]{0,2}(?:\d(?!\d)|[二三四五★]|一(?!般))"
        r"|(?:度数|浓度|尼度)[=: ]{1,2}\d|(?<!\d)[03]的?[和跟]5的|(?<![\d.])3\.5度"
        r"|ice levels?\b|[一二三两]档(?:劲|凉|冰)|(?<![\d.])[三五]毫(?![升米克安秒巴伏])"
        r"|(?<![\d.])(?:0|3|6|10|12|14|20) ?mg ?[/,&] ?(?:3|6|10|12|20|35|50) ?mg",
    ),
    "measure.remaining": _phrase(
        rf"[剩余量有了概多约][{NUMERAL}]成 [剩余量有了概多约][{_D}] [{NUMERAL}]成[液油满雾电]"
        rf" [剩有]大半 [剩有]一[大半分] [剩有]三分 [剩有]半[液油支颗仓] [剩有]一半[液油支颗仓]"
        rf" [液油电还]剩[{_D}] 电[{_D}][{_D}]液 %juice %left",
        r"(?:剩|余量?|还有)了?(?:大概|差不多|约)?(?:[一二三四五六七八九两]成|[2-9]\d%?(?![\d元块包支个片条瓶]))"
        r"|[六七八九]成(?:液|油|满|雾|电)|(?:剩|还有)(?:一?大半|三分之[一二])|(?:剩一?半|还有一?半)(?:液|油|支|颗|仓)"
        r"|(?:液|油|电)还?剩\d{2}(?!\d)|电\d{2}液\d{2}|\d{2}% (?:juice|left)",
    ),
}
