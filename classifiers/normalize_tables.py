"""The tables of the normaliser: what stands for what. Data for :mod:`classifiers.normalize`."""

from __future__ import annotations

CJK = "[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]"

# Characters pulled apart into their components. No left half is a right half or the other way round; pairs
# that ordinary text contains by chance (口及, 木干, 女乃) are left to the lexicon.
COMPONENTS = {
    "火因": "烟", "弓单": "弹", "氵由": "油", "氵夜": "液", "氵气": "汽", "氵包": "泡", "雨务": "雾",
    "亻匕": "化", "亻七": "化", "忄兑": "悦", "亥刂": "刻", "尸匕": "尼", "钅白": "铂", "牜勿": "物",
    "饣欠": "饮", "艹早": "草", "日乚": "电", "曰乚": "电", "扌由": "抽", "冫水": "冰", "冫东": "冻",
    "亻言": "信", "亻尔": "你", "亻立": "位", "讠旬": "询", "讠青": "请", "讠舌": "话", "讠羊": "详",
    "彳敖": "微", "犭苗": "猫",
}  # fmt: skip
# Characters before and after which a pair is just the end of one word and the beginning of the next.
HONEST_NEIGHBOURS = {"火因": ("灭防着起失救山", "素此为果"), "雨务": ("", "必")}

# Characters of which three in a row are honest: numerals, laughter, praise, and the ends of doubled words
# that meet another of the kind (爷爷奶奶奶粉, 棒棒棒糖, 天天天蓝).
HONEST_ROWS = (
    "〇零一二三四五六七八九十百千万哈呵嘿嘻嘎啦啊呀哇呜耶哟好棒赞差快"
    "多大小高买看等谁个天人家妈爸奶爷姥公婆哥姐弟妹宝贝谢"
)

# Characters that are written for others because they look like them, and the words in which they are read so:
# 申, 于 and 甩 are words of their own. Sound-alikes (烟蛋, 悟化) are the lexicon's.
SHAPE_ALIKE = {
    "电": "申甩曱甴", "子": "孑孓孒予于", "烟": "畑炯烔", "汽": "汔", "雾": "雰", "化": "仳匕讹",
    "器": "嚣哭", "弹": "掸惮", "棒": "捧", "杆": "扞", "油": "汕", "尼": "泥呢妮", "古": "占吉右",
    "刻": "劾", "植": "殖值", "物": "勿", "饮": "炊钦", "料": "枓科",
}  # fmt: skip
SHAPE_WORDS = (
    "电子烟", "电子雾", "电子香", "蒸汽烟", "烟弹", "烟油", "烟杆", "雾化器", "雾化弹", "雾化棒", "雾化杆",
    "尼古丁", "悦刻", "植物饮料",
)  # fmt: skip
NOT_AFTER_SHAPE = "台"  # 申于烟台 is a place

# Words of the trade that are read through digits and symbols between their letters (v4pe, e-c1g) or through
# stretched letters (vaaape). Left out: words that are no more than two letters and a digit (n1c, c1g).
TRADE_WORDS = (
    "vape", "vapes", "vaper", "vaping", "vapor", "vapour", "pod", "pods", "ecig", "ecigs", "ecigarette",
    "ecigarettes", "cigarette", "cigarettes", "nicotine", "nicsalt", "dispo", "disposable",
    "disposables", "eliquid", "ejuice", "snus", "relx", "iqos", "juul", "smok", "vozol", "moti", "yooz",
    "elfbar", "lostmary", "geekbar", "puffbar", "heets", "terea", "vaporesso", "voopoo", "uwell",
    "caliburn", "oxva",
)  # fmt: skip
HONEST_SPELLINGS = frozenset(
    {"e-cig", "e-cigs", "e-cigarette", "e-cigarettes", "e-liquid", "e-juice", "nic-salt"}
)
LEET = str.maketrans("4@3€1!|l05$7862", "aaeeiiiiosstbgz")  # l too, because 1 is either i or l

# Emoji that sellers use as words, by what they use them for.
EMOJI_BY_USE = {
    "emoji_smoke": {
        "🚬": "烟", "💨": "烟气", "🌬": "烟气", "☁": "云", "🌫": "雾", "🔋": "电池", "🪫": "电池", "👄": "嘴",
        "👅": "舌", "🫁": "肺",
    },
    "emoji_fruit": {
        "🍉": "西瓜", "🍓": "草莓", "🍇": "葡萄", "🍑": "白桃", "🥭": "芒果", "🍋": "柠檬", "🍍": "菠萝",
        "🫐": "蓝莓", "🍒": "樱桃", "🍏": "青苹果", "🍎": "苹果", "🥝": "猕猴桃", "🥥": "椰子",
        "🍊": "橙子", "🍈": "哈密瓜", "🍌": "香蕉", "🍐": "梨", "🧊": "冰", "❄": "冰", "🥶": "冰",
        "🍧": "冰沙", "🍃": "薄荷", "🌿": "薄荷", "☘": "薄荷", "🍀": "薄荷", "🍵": "茶", "🧋": "奶茶",
        "🥤": "可乐", "☕": "咖啡", "🥛": "牛奶", "🍦": "冰淇淋", "🍨": "冰淇淋", "🍮": "布丁",
        "🍯": "蜂蜜", "🍬": "糖果", "🍭": "棒棒糖", "🍫": "巧克力", "🍪": "曲奇", "🍩": "甜甜圈",
        "🍹": "鸡尾酒", "🥃": "威士忌", "🍺": "啤酒", "🌹": "玫瑰", "🌸": "樱花", "🪷": "荷花",
    },
    "emoji_contact": {
        "🐧": "企鹅", "🛰": "卫星", "📡": "卫星", "➕": "+", "✚": "+", "✈": "飞机", "🛩": "飞机", "🛫": "飞机",
        "🦇": "蝙蝠", "🥔": "土豆", "☎": "电话", "📞": "电话",
    },
}  # fmt: skip
EMOJI = {emoji: word for words in EMOJI_BY_USE.values() for emoji, word in words.items()}

# Letters of other scripts, of either case, that look like a Latin one: Cyrillic, Greek, Armenian, Cherokee,
# Lisu, Canadian syllabics, phonetic letters. Left out: μ, Ω and ° carry meaning in measures. Letters that
# Unicode calls small capitals, turned or stroked Latin ones are found by their names.
LOOKALIKES = {
    "a": "аАαΑɑᎪꓮᗩ", "b": "вВьβΒᏴᏏꓐᗷ", "c": "сСϲᏟꓚᑕ", "d": "ԁᎠꓓᗪ", "e": "еЕєЄҽҼεΕ℮Ꭼꓰᗴᕮ", "f": "ғҒꓝᖴ",
    "g": "ցɡᏀꓖ", "h": "нНһҺΗհᎻꓧᕼ", "i": "іІιΙıɩᎥꓲ", "j": "јЈյᎫꓙᒍ", "k": "кКκΚᏦꓗ", "l": "ӏӀᏞꓡᒪ",
    "m": "мМΜᎷꓟᗰ", "n": "ηΝոꓠᑎ", "o": "оОοΟσօՕꓳ", "p": "рРρΡᏢꓑᑭ", "q": "ԛԚզ", "r": "ᎡᏒꓣᖇ", "s": "ѕЅՏᏚꓢᔕ",
    "t": "тТτΤᎢꓔ", "u": "υսՍꓴᑌ", "v": "ѵѴνᏙꓦᐯ∨⋁", "w": "ԝԜѡᎳꓪᗯ", "x": "хХχΧꓫ᙭", "y": "уУүҮγΥᎩꓬ", "z": "ΖζᏃꓜ",
}  # fmt: skip

# Variants and Japanese forms that OpenCC leaves alone; strokes and kana that are used as dividers.
VARIANTS = str.maketrans(
    "菸噐霚雺恱弾気薬氺囯丨丶丿ㄧ",
    "烟器雾雾悦弹气药水国|·/-",
)

# Radicals of the CJK Radicals Supplement, which NFKC leaves alone, as the characters they are parts of.
RADICALS = str.maketrans(
    "⺀⺅⺈⺉⺋⺌⺍⺎⺐⺒⺓⺖⺗⺘⺙⺛⺝⺞⺟⺠⺡⺢⺣⺤⺨⺩⺪⺬⺭⺮⺰⺲⺵⺶⺷⺹⺼⺽⺾⺿⻀⻂⻃⻄⻅⻈⻉⻋⻌⻍⻎⻐⻑⻒⻓⻔⻖⻗⻘⻙⻚⻛⻜⻝⻟⻠⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻱⻲⻳",
    "冫亻刀刂㔾小小兀尢已幺忄心扌攵旡月歺母民氵水灬爫犭王疋示礻竹纟罒罓羊羊耂肉臼艹艹艹衤西西见讠贝车辶辶辶钅长长长门阝雨青韦页风飞食食饣马骨鬼鱼鸟卤麦黄齐齿龙龟龟龟",
)

BRACKETS = str.maketrans(
    {"〔": "(", "〕": ")", "【": "(", "】": ")", "「": "(", "」": ")", "『": "(", "』": ")", "㎍": "μg"}
    | {chr(0x1F150 + n): chr(97 + n) for n in range(26)}  # negative circled letters
    | {chr(0x1F170 + n): chr(97 + n) for n in range(26)}  # negative squared letters
    | {chr(0x1F1E6 + n): chr(97 + n) for n in range(26)}  # regional indicators
)

# Letters and symbols that show nothing, and code points set aside for such.
BLANK_LETTERS = frozenset(
    "\u115f\u1160\u3164\uffa0\u2800\u180e\ufffc\u2065\U0001d159"
    + "".join(map(chr, [*range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)]))
)
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
VARIATION_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))

# Tags of which a crawl leaves remains; those of blocks stand for a line break.
BLOCK_TAGS = frozenset({
    "br", "p", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "section", "article",
})  # fmt: skip
INLINE_TAGS = frozenset({
    "a", "abbr", "b", "big", "body", "center", "code", "dd", "del", "dl", "dt", "em", "font", "head",
    "html", "i", "img", "input", "ins", "label", "link", "mark", "meta", "nobr", "pre", "s", "script",
    "small", "span", "strike", "strong", "style", "sub", "sup", "tbody", "td", "th", "thead", "tt", "u",
    "wbr",
})  # fmt: skip
