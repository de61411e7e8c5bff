"""Words stand twice, in the vocabulary and in the constraints of the schema; here they are held together."""

import re
from collections.abc import Iterable
from typing import get_args

import pytest

from domain.config.lesson import LessonConfig
from domain.config.token_state import TokenTimeframe
from domain.learning.edge_decay import DecayState
from domain.learning.judged_gate import TuningVerdict
from domain.learning.lesson_state import LessonStanding
from domain.learning.override_record import STANDING_STATES, OverrideState
from domain.learning.research_note import NoteKind, NoteStatus
from domain.learning.trade_intake import IntakeStatus
from domain.portfolio.episode import EpisodeDecision, EpisodeOutcome
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.strand import StrandKind
from domain.portfolio.trading_switch import TradingMode
from domain.regime.bucket_eligibility import SkipReason
from domain.regime.bucket_return import RETURN_TIMEFRAMES
from domain.regime.regime_event import RegimeEventKind
from domain.regime.uptrend_state import NO_STATE, REASON, STATES
from domain.scopes.pattern_key import TuningFamily
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.alarm import AlarmKind, AlarmSeverity, DeliveryStatus, NoticeKind
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.cap_status import CapBasis, CapStatus
from domain.vocabulary.driver import DOMINANCE_DRIVERS, DRIVERS
from domain.vocabulary.horizon import REGIME_TIMEFRAMES, Horizon
from domain.vocabulary.lesson_type import LessonType
from domain.vocabulary.phase import Phase
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import StateStatus, TransitionReason, UptrendState
from pm_runtime.portfolio_row import OrderStatus
from sql.queries import query
from sql.schema import SCHEMA_FILE

PROMOTIONS = get_args(LessonConfig.model_fields["promotion"].annotation)
RAW_TABLES = ("majors_price_data_ohlc", "lowcap_price_data_ohlc", "dominance_sample")
WORDS: dict[str, Iterable[str]] = {
    "ae_score.bucket": REGIME_BUCKETS,
    "bucket_eligibility.bucket": CapBucket,
    "bucket_eligibility.reason": SkipReason,
    "bucket_return_series.bucket": CapBucket,
    "bucket_return_series.timeframe": RETURN_TIMEFRAMES,
    "composite_return_series.timeframe": RETURN_TIMEFRAMES,
    "phase_state.horizon": Horizon,
    "phase_state.pending_label": Phase,
    "phase_state.phase": Phase,
    "phase_state_bucket.bucket": CapBucket,
    "phase_state_bucket.horizon": Horizon,
    "phase_state_bucket.pending_label": Phase,
    "phase_state_bucket.phase": Phase,
    "regime_alarm.kind": AlarmKind,
    "regime_alarm.severity": AlarmSeverity,
    "pm_alarm.kind": AlarmKind,
    "pm_alarm.severity": AlarmSeverity,
    "learning_alarm.kind": AlarmKind,
    "learning_alarm.severity": AlarmSeverity,
    "notification.kind": NoticeKind,
    "notification.status": DeliveryStatus,
    "regime_event.bucket": CapBucket,
    "regime_event.kind": RegimeEventKind,
    "token_cap_bucket.bucket": CapBucket,
    "token_metadata.cap_status": CapStatus,
    "token_metadata.market_cap_basis": CapBasis,
    "token_ta.timeframe": get_args(TokenTimeframe),
    "token_uptrend_state.prev_state": UptrendState,
    "token_uptrend_state.state": UptrendState,
    "token_uptrend_state.status": StateStatus,
    "token_uptrend_state.timeframe": get_args(TokenTimeframe),
    "token_uptrend_state.transition_reason": TransitionReason,
    "ae_score.timeframe": Timeframe,
    "bar_quarantine.reason": QuarantineReason,
    "bar_quarantine.table_name": RAW_TABLES,
    "dominance_sample.metric": DOMINANCE_DRIVERS,
    "dominance_sample.timeframe": Timeframe,
    "lowcap_price_data_ohlc.timeframe": Timeframe,
    "majors_price_data_ohlc.timeframe": Timeframe,
    "lowcap_positions.status": PositionStatus,
    "lowcap_positions.timeframe": Timeframe,
    "pattern_episode_events.decision": EpisodeDecision,
    "pattern_episode_events.family": TuningFamily,
    "pattern_episode_events.outcome": EpisodeOutcome,
    "pattern_episode_events.timeframe": Timeframe,
    "pm_order.action_category": ActionCategory,
    "pm_order.side": OrderSide,
    "pm_order.status": OrderStatus,
    "pm_order.timeframe": Timeframe,
    "pm_overrides.action_category": [category for category in ActionCategory if category.side is OrderSide.BUY],
    "pm_overrides.lever": OverrideLever,
    "pm_fill.side": OrderSide,
    "position_status_change.became": PositionStatus,
    "position_status_change.was": PositionStatus,
    "ad_strands.kind": StrandKind,
    "ad_strands.timeframe": Timeframe,
    "trading_switch.mode": TradingMode,
    "pm_tick.mode": TradingMode,
    "pm_tick.timeframe": Timeframe,
    "regime_driver_state.driver": DRIVERS,
    "regime_driver_state.prev_state": UptrendState,
    "regime_driver_state.state": UptrendState,
    "regime_driver_state.status": StateStatus,
    "regime_driver_state.timeframe": REGIME_TIMEFRAMES,
    "regime_driver_state.transition_reason": TransitionReason,
    "regime_driver_ta.driver": DRIVERS,
    "regime_driver_ta.timeframe": REGIME_TIMEFRAMES,
    "regime_price_data_ohlc.driver": DRIVERS,
    "regime_price_data_ohlc.timeframe": Timeframe,
    "edge_decay_fit.action_category": ActionCategory,
    "edge_decay_fit.decay_state": DecayState,
    "learning_edge_history.action_category": ActionCategory,
    "learning_lessons.action_category": ActionCategory,
    "learning_lessons.decay_state": DecayState,
    "learning_lessons.lesson_type": LessonType,
    "learning_lessons.promotion": PROMOTIONS,
    "learning_lessons.status": LessonStanding,
    "learning_run.promotion": PROMOTIONS,
    "lesson_hypothesis.action_category": ActionCategory,
    "override_step.from_state": OverrideState,
    "override_step.lever": OverrideLever,
    "override_step.to_state": OverrideState,
    "pattern_scope_stats.action_category": ActionCategory,
    "pattern_trade_events.action_category": ActionCategory,
    "pattern_trade_events.timeframe": Timeframe,
    "pm_overrides.state": STANDING_STATES,
    "trade_intake.status": IntakeStatus,
    "learning_latent_factors.action_category": ActionCategory,
    "learning_regime_weights.action_category": [each for each in ActionCategory if each.side is OrderSide.BUY],
    "llm_learning.kind": NoteKind,
    "llm_learning.status": NoteStatus,
    "tuning_rate.family": TuningFamily,
    "tuning_state.family": TuningFamily,
    "tuning_verdict.family": TuningFamily,
    "tuning_verdict.verdict": TuningVerdict,
}
"""Words each column may hold."""

_TABLE = re.compile(r"CREATE TABLE \w+\.(?P<table>\w+) \(\n(?P<body>.*?)\n\)", re.DOTALL)
_LIST = re.compile(r"\(?(?P<column>\w+)\)? = ANY \(\(?ARRAY\[(?P<words>.*?)\]")
_WORD = re.compile(r"'([^']*)'")


def word_lists(schema: str) -> dict[str, list[str]]:
    """Words of every `column IN (...)` constraint, by table and column."""
    return {
        f"{table['table']}.{found['column']}": _WORD.findall(found["words"])
        for table in _TABLE.finditer(schema)
        for found in _LIST.finditer(table["body"])
    }


SCHEMA = SCHEMA_FILE.read_text(encoding="utf-8")


def test_every_list_of_words_in_the_schema_has_a_vocabulary():
    assert set(word_lists(SCHEMA)) == set(WORDS)
    assert len(word_lists(SCHEMA)) == SCHEMA.count("ARRAY[")


@pytest.mark.parametrize("column", WORDS)
def test_a_column_may_hold_the_words_of_its_vocabulary_and_no_other(column):
    assert sorted(word_lists(SCHEMA)[column]) == sorted(str(word) for word in WORDS[column])


def test_the_arrows_a_check_lets_pass_are_those_of_the_state_machine():
    arrows = {f"{STATES[old]}->{STATES[new]}" for old, new in REASON if old != NO_STATE}

    listed = query("check_transitions_are_legal").partition("NOT IN")[2]

    assert set(_WORD.findall(listed)) == arrows


@pytest.mark.parametrize("name", ["check_one_indicator_row_per_driver_bar"])
def test_the_timeframes_a_check_looks_at_are_those_with_indicators(name):
    listed = re.search(r"timeframe IN \((.*?)\)", query(name))

    assert listed is not None
    assert set(_WORD.findall(listed[1])) == set(REGIME_TIMEFRAMES)
