"""No file of the project holds a key, a token or a password that could open anything."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", ".lowcap", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
BINARY = {".png", ".jpg", ".parquet", ".pyc", ".nbi", ".nbc", ".gz"}
FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[opsur]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})\b",
    "a PyPI token": r"\bpypi-AgEI[0-9A-Za-z_-]{50,}",
    "a key of a language model": r"\bsk-(?:[a-z]+-)*[0-9A-Za-z_]{24,}",
    "a CoinGecko key": r"\bCG-[0-9A-Za-z]{24}\b",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a webhook of a chat": r"hooks\.slack\.com/services/T[0-9A-Z]{8,}/B[0-9A-Z]{8,}/[0-9A-Za-z]{20,}",
    "a Telegram bot": r"\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}\b",
    "a signed token": r"\beyJ[0-9A-Za-z_-]{15,}\.eyJ[0-9A-Za-z_-]{15,}\.[0-9A-Za-z_-]{20,}",
    "a password in an address": r"postgres(?:ql)?(?:\+\w+)?://[^\s:/@'\"{}<]+:(?!\*\*\*|\$|\{|%)[^\s:/@'\"{}<]{12,}@",
}
"""Secrets by the form their makers give them; fixtures of tests are none of these forms, so that they can be told."""


def files() -> Iterator[Path]:
    for entry in sorted(PROJECT.iterdir()):
        if entry.name in NOT_OURS:
            continue
        inside = entry.rglob("*") if entry.is_dir() else [entry]
        yield from (
            path for path in inside if path.is_file() and path.suffix not in BINARY and not NOT_OURS & set(path.parts)
        )


def found_in(text: str) -> set[str]:
    return {what for what, form in FORMS.items() if re.search(form, text)}


def test_no_file_holds_a_secret():
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files()}

    assert {str(path.relative_to(PROJECT)): found for path, text in texts.items() if (found := found_in(text))} == {}
    assert len(texts) > 500


@pytest.mark.parametrize(
    ("what", "secret"),
    [
        ("a private key", "-----BEGIN OPENSSH " + "PRIVATE KEY-----"),
        ("an AWS key", "key = AKIA" + "ABCDEFGHIJKLMNOP"),
        ("a GitHub token", "ghp_" + "a1" * 18),
        ("a key of a language model", "sk-proj-" + "Ab1" * 10),
        ("a CoinGecko key", "CG-" + "aB3" * 8),
        ("a webhook of a chat", "https://hooks.slack.com/services/T00000000/" + "B00000000/" + "x" * 24),
        ("a Telegram bot", "123456789" + ":AA" + "b" * 33),
        ("a signed token", "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 30),
        ("a password in an address", "postgresql://ann:" + "correct-horse-battery" + "@db.example/lowcap"),
    ],
)
def test_a_secret_is_told_by_its_form(what, secret):
    assert found_in(f"KEY = '{secret}'") == {what}
