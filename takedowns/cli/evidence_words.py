"""What the evidence commands say to people, in Chinese and English."""

from __future__ import annotations

from enum import StrEnum

from takedowns.evidence.verifying import Finding, Problem


class Lang(StrEnum):
    ZH = "zh"
    EN = "en"


PROBLEMS: dict[Problem, tuple[str, str]] = {
    Problem.NOT_KEPT: ("未存入证据库，无法核对", "was not kept in the evidence store and cannot be verified"),
    Problem.EXPIRED: ("已按保存期限销毁", "was given up when its time of keeping was over"),
    Problem.MANIFEST_MISSING: ("清单缺失", "its manifest is missing"),
    Problem.MANIFEST_CHANGED: ("清单被改动", "its manifest was changed"),
    Problem.FILE_MISSING: ("文件缺失", "the file is missing"),
    Problem.FILE_CHANGED: ("文件被改动", "the file was changed"),
    Problem.RECORD_CHANGED: ("记录被改动", "the record was changed"),
    Problem.RECORD_UNREADABLE: ("记录已损坏，无法读取", "the record is damaged and cannot be read"),
    Problem.RECORD_MISSING: ("台账引用的记录不存在", "a record that the ledger names is not there"),
}

PHRASES: dict[str, tuple[str, str]] = {
    "whole": (
        "完好：{runs} 次采集，{files} 个文件，{records} 条记录，{references} 处引用",
        "whole: {runs} runs, {files} files, {records} records, {references} references",
    ),
    "nothing": ("证据库为空，没有可核对的内容", "nothing was kept yet, so there is nothing to verify"),
    "damaged": ("发现 {count} 处损坏", "{count} damages found"),
    "not_verifiable": ("{count} 次采集无法核对", "{count} runs could not be verified"),
    "no_evidence": ("没有保存该商品的网页", "no page of this listing was kept"),
    "packed": ("已写入 {file}，SHA-256 {sha256}", "{file} written, SHA-256 {sha256}"),
    "nothing_due": ("没有待截图的商品", "no listing waits for a screenshot"),
    "captured": (
        "截图 {captures} 张，图片 {pictures} 张，未成功 {lost} 项",
        "{captures} screenshots, {pictures} pictures, {lost} not taken",
    ),
    "kept": ("新存入 {count} 次采集", "{count} runs newly kept"),
    "expired": ("按期限销毁 {count} 次采集的证据", "evidence of {count} runs given up"),
    "no_term": ("未设保存期限（evidence.keep_days），全部保留", "evidence.keep_days is not set: all is kept"),
    "saved": ("已存为 {file}", "saved as {file}"),
}

COLUMNS: dict[str, tuple[str, str]] = {
    "at": ("时间（北京）", "time (Shanghai)"),
    "what": ("种类", "what"),
    "state": ("状态", "state"),
    "reason": ("原因", "reason"),
    "view": ("截图", "screenshot"),
    "sound": ("核对", "verified"),
    "reference": ("引用", "reference"),
    "kind": ("记录类型", "record"),
    "uri": ("地址", "address"),
    "media_type": ("格式", "type"),
    "size": ("字节", "bytes"),
    "sha256": ("SHA-256", "SHA-256"),
    "url": ("图片地址", "picture"),
    "perceptual_hash": ("感知哈希", "perceptual hash"),
}

VALUES: dict[str, tuple[str, str]] = {
    "snapshot": ("快照", "snapshot"),
    "sighting": ("观测", "sighting"),
    "capture": ("截图采集", "capture"),
    "up": ("在架", "up"),
    "gone": ("已下架", "gone"),
    "altered": ("已更换", "altered"),
    "blocked": ("被拦截", "blocked"),
    "error": ("出错", "error"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "whole": ("完好", "whole"),
    "changed": ("被改动", "changed"),
    "missing": ("缺失", "missing"),
    "none": ("无", "none"),
}


def pick(words: tuple[str, str], lang: Lang) -> str:
    return words[0] if lang is Lang.ZH else words[1]


def say(phrase: str, lang: Lang, **values: object) -> str:
    return pick(PHRASES[phrase], lang).format(**values)


def sentence(finding: Finding, lang: Lang) -> str:
    """Names run, file, record and place, then what is wrong."""
    place = "/".join(filter(None, (finding.run_id, finding.file)))
    record = f"#{finding.record}" if finding.record else ""
    offset = f" @{finding.offset}" if finding.offset is not None else ""
    told = pick(PROBLEMS[finding.problem], lang)
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{place}{record}{offset}: {told}{detail}"
