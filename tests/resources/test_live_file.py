import re
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import SecretStr

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS
from resources.live_config import LiveConfig, LiveSymbol, VenueSymbol
from resources.live_file import KEY_FIELD, read_live_config

KEY = "CG-fixture-secret-321"
LOWCAP = """
depth_days = { 1m = 2, 1h = 30 }
[[lowcaps]]
token_contract = "0xpepe"
chain = "eth"
coingecko_id = "pepe"
[[lowcaps.venues]]
venue = "geckoterminal"
symbol = "eth/0xa"
listed_at = 2025-01-01T00:00:00Z
"""


def read(folder: Path, text: str, key: str | None = None) -> LiveConfig:
    file = folder / "live.toml"
    file.write_text(text, encoding="utf-8")
    return read_live_config(file, SecretStr(key) if key else None, key_variable="THE_KEY")


def test_an_empty_file_is_the_majors(tmp_path):
    config = read(tmp_path, "")

    assert [each.token_contract for each in config.symbols] == list(MAJORS)
    assert config.coingecko_demo_key is None


def test_a_file_declares_low_caps_and_how_far_back(tmp_path):
    config = read(tmp_path, LOWCAP, KEY)

    assert config.lowcaps[0].venues[0].source == "geckoterminal:eth/0xa"
    assert config.lowcaps[0].coingecko_id == "pepe"
    assert config.depth_days == {Timeframe.M1: 2, Timeframe.H1: 30}
    assert config.coingecko_demo_key == SecretStr(KEY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("majors = 7", r"live\.toml: majors: Input should be a valid tuple"),
        ("unknown = 1", r"live\.toml: unknown: Extra inputs are not permitted"),
        (LOWCAP.replace("eth/0xa", "0xa"), r"lowcaps\.0\.venues\.0: Value error, a geckoterminal symbol must be"),
        (LOWCAP.replace("1h = 30", "1h = 0"), r"live\.toml: depth_days\.1h: Input should be greater than 0"),
        ("unknown = 1\n" * 2, r"live\.toml: Cannot overwrite a value"),
        (LOWCAP + LOWCAP.split("}")[1], r"live\.toml: Value error, each token must be listed once"),
        ("majors = [", r"live\.toml: Invalid value"),
        ("limit = 1\nmax_splice_ratio = 1", r"max_splice_ratio: Input should be greater than 1; .*limit: Extra"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_by_its_name_and_key(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"live\.toml: No such file"):
        read_live_config(tmp_path / "live.toml", None, key_variable="THE_KEY")


@pytest.mark.parametrize("value", [f'"{KEY}"', f'["{KEY}"]', f'{{ a = "{KEY}" }}'])
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path, value):
    with pytest.raises(
        ValueError, match=r"live\.toml: coingecko_demo_key must not stand in a file: set THE_KEY"
    ) as told:
        read(tmp_path, f"coingecko_demo_key = {value}")

    assert KEY not in repr(told.getrepr(chain=True, showlocals=False))
    assert told.value.__cause__ is None


def test_a_wrong_value_is_not_repeated(tmp_path):
    with pytest.raises(ValueError, match="coingecko_url") as told:
        read(tmp_path, f'coingecko_url = ["{KEY}"]')

    assert KEY not in str(told.value)
    assert (told.value.__cause__, told.value.__suppress_context__) == (None, True)


PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/use-live-sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^ {4}# live\.toml\n((?: {4}.*\n|\n)+)", PAGE, re.MULTILINE)


def test_the_examples_of_the_documentation_are_live_markets(tmp_path):
    majors, lowcaps = (read(tmp_path, dedent(example)) for example in EXAMPLES)

    assert majors == LiveConfig()
    assert [each.venues[0].source for each in lowcaps.lowcaps] == [
        "geckoterminal:eth/0xa43fe16908251ee70ef74718545e4fe6c5ccec9f",
        "hyperliquid:kPEPE/1000",
    ]


def test_every_key_of_the_file_is_documented_and_no_other():
    told = {
        name for cell in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`([\w.]+)`", cell)
    }
    venue = {f"venues.{name}" for name in VenueSymbol.model_fields}
    urls = {name for name in LiveConfig.model_fields if name.endswith("_url")}
    config = set(LiveConfig.model_fields) - urls - {"lowcaps", KEY_FIELD}

    assert told - urls == set(LiveSymbol.model_fields) | venue | config
