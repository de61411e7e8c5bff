"""What one row of a lineage says, in a line, and how to ask on from it."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]


def words_of(kind: str, row: Row) -> str:
    """Say a row in one line."""
    return _WORDS[kind](row)


def ask_of(kind: str, row: Row) -> str | None:
    """Say how to begin at a row, its key among its columns; None where `lowcap why` does not begin at its kind."""
    begin = begin_at(kind, row)
    return None if begin is None else f"lowcap why {shlex.join(begin)}"


def begin_at(kind: str, row: Row) -> tuple[str, ...] | None:
    """Words behind `lowcap why` that begin at a row, of its key alone or of all its columns."""
    begin = _ASKED.get(kind)
    return None if begin is None else begin(row)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _cell(row: Row) -> str:
    values = " ".join(f"{name}={value}" for name, value in row["scope_values"].items()) or "everywhere"
    return f"{row['pattern_key']} {row['action_category']}, {values}"


def _override(row: Row) -> str:
    lived = "was live" if row["times_live"] else "was never live"
    return (
        f"override {row['override_id']}: {row['lever']} x {_number(row['multiplier'])} for {_cell(row)}; {row['state']}"
        f" in set {row['set_id']} as of {row['as_of']}, which {lived}; from {row['n_trades']} trades,"
        f" edge {_number(row['edge_raw'])}, expires {row['expires_at']}"
    )


def _step(row: Row) -> str:
    moved = f"{row['from_state'] or 'nothing'} -> {row['to_state']}"
    return f"{moved} in set {row['set_id']} at {row['stepped_at']}: {row['reason']}"


def _lesson(row: Row) -> str:
    return (
        f"lesson {row['lesson_id']} as of {row['as_of']}: {_cell(row)}; {row['status']}, born {row['born_on']}, "
        f"measured {row['measured_on']}; {row['n_trades']} trades, mean R/R {_number(row['avg_rr'])} against"
        f" {_number(row['baseline_rr'])}, edge {_number(row['edge_used'])}, q {_number(row['q_value'])}"
    )


def _statistic(row: Row) -> str:
    return (
        f"{row['n_trades']} trades in {row['n_actions']} actions, {row['n_wins']} won; mean R/R"
        f" {_number(row['avg_rr'])}, median {_number(row['median_rr'])}, variance {_number(row['variance_rr'])},"
        f" PnL {_number(row['pnl_usd'])}"
        f" USD, edge {_number(row['edge_raw'])}, as of {row['as_of']}"
    )


def _hypothesis(row: Row) -> str:
    return (
        f"{row['verdict']}: effect {_number(row['effect_rr'])} R ({_number(row['effect_low'])} to"
        f" {_number(row['effect_high'])}), p {_number(row['p_value'])}, q {_number(row['q_value'])}; later"
        f" {row['oos_trades']} trades, effect {_number(row['oos_effect_rr'])}, p {_number(row['oos_p_value'])}"
    )


def _run(row: Row) -> str:
    return (
        f"{row['n_hypotheses']} hypotheses tried, {row['n_promoted']} believed ({row['promotion']}), {row['n_retired']}"
        f" retired; {row['cells_mined']} of {row['cells_found']} cells mined from {row['n_trades']} trades,"
        f" baseline {_number(row['baseline_rr'])} R, as of {row['as_of']}"
    )


def _decay(row: Row) -> str:
    return f"{row['decay_state']}, half-life {_number(row['half_life_hours'])} h, edge x {_number(row['decay_mult'])}"


def _tuning(row: Row) -> str:
    values = " ".join(f"{name}={value}" for name, value in row["scope_values"].items()) or "everywhere"
    return (
        f"{row['family']} {row['gate']}, {values}: threshold x {_number(row['multiplier'])} since {row['since']}, on"
        f" {row['n_evidence']} windows, as of {row['as_of']}"
    )


def _verdict(row: Row) -> str:
    return f"{row['verdict']}: x {_number(row['step_from'])} -> x {_number(row['step_to'])}, as of {row['as_of']}"


def _rate(row: Row) -> str:
    return (
        f"taken {row['n_acted']}, of which {row['n_acted_success']} paid; left {row['n_skipped']}, of which"
        f" {row['n_skipped_success']} would have; win rate {_number(row['wr'])}, missed {_number(row['mr'])}"
    )


def _episode(row: Row) -> str:
    return f"{row['family']} of {row['token_contract']} from {row['started_at']}: {row['decision']}, {row['outcome']}"


def _trade(row: Row) -> str:
    token = f"{row['token_contract']} on {row['chain']}, {row['timeframe']}"
    if row["closed_at"] is None:
        return f"trade {row['trade_id']}: {token}, not closed"
    rr = f"R/R {_number(row['rr'])}" if row["rr"] is not None else f"no R/R ({row['rr_absent_reason']})"
    return (
        f"trade {row['trade_id']}: {token}, closed {row['closed_at']} by {row['exit_reason']}; {rr},"
        f" PnL {_number(row['pnl_usd'])} USD, held {_number(row['hold_hours'])} h"
    )


def _fact(row: Row) -> str:
    rr = f"R/R {_number(row['rr'])}" if row["rr"] is not None else f"no R/R ({row['rr_absent_reason']})"
    return (
        f"{row['action_category']} {row['pattern_key']} {row['action_ts']}: {rr}; {len(row['scope'])} scope dimensions"
    )


def _action(row: Row) -> str:
    steps = " -> ".join(f"{step['name']} {_number(step['a'])}/{_number(step['e'])}" for step in row["levers"] or ())
    return (
        f"action {row['order_id']}: {row['decision_type']} {row['pattern_key']} of {row['token_contract']} on"
        f" {row['timeframe']} at {row['decided_at']}; A {_number(row['a_value'])}, E {_number(row['e_value'])}"
        f"{f' ({steps})' if steps else ''}; strength x {_number(row['pm_strength_applied'])}, skew x"
        f" {_number(row['exposure_skew_applied'])}, override set {row['override_set_id'] or 'none'}"
    )


def _fill(row: Row) -> str:
    return f"{row['side']} {_number(row['quantity'])} at {_number(row['price_usd'])} USD, {row['filled_at']}"


def _tick(row: Row) -> str:
    return f"tick {row['tick_id']}, {row['mode']}, finished {row['finished_at']} by {row['holder']}"


def _config(row: Row) -> str:
    return f"version {row['version']}, {row['author']}: {row['reason']}, since {row['created_at']}"


def _score(row: Row) -> str:
    return (
        f"{row['bucket']} {row['timeframe']} {row['timestamp']}: A {_number(row['a'])}, E {_number(row['e'])} from"
        f" {row['coverage']} of 15 channels{', degraded' if row['degraded'] else ''}"
    )


def _context(row: Row) -> str:
    return f"{row['timestamp']}: {row['regime_label'] or 'no label'}"


def _tag(row: Row) -> str:
    return f"{row['bucket']} on {row['timestamp'][:10]}, market cap {_number(row['market_cap_usd'])} USD"


def _metadata(row: Row) -> str:
    return (
        f"market cap {_number(row['market_cap_usd'])} USD ({row['cap_status']}) by {row['source']}, read"
        f" {row['updated_at']}, known {row['known_at']}"
    )


def _state(row: Row) -> str:
    whose = row.get("driver") or f"{row['token_contract']}@{row['chain']}"
    flags = [name for name in ("buy_signal", "buy_flag", "first_dip_buy_flag", "trim_flag") if row[name]]
    moved = f", {row['transition']} ({row['transition_reason']})" if row["transition"] else ""
    said = f" {' '.join(flags)}" if flags else ""
    return f"{whose} {row['timeframe']} {row['timestamp']}: {row['state']}{said}{moved}, price {_number(row['price'])}"


def _indicators(row: Row) -> str:
    emas = ", ".join(f"EMA{length} {_number(row[f'ema{length}'])}" for length in (20, 60, 144, 333))
    return f"{row['timestamp']}, bar {row['bars_count']} of its series: {emas}"


def _prices(row: Row) -> str:
    prices = " ".join(f"{name} {_number(row[f'{name}_usd'])}" for name in ("open", "high", "low", "close"))
    return f"{row['timeframe']} {row['timestamp']}: {prices}, volume {_number(row['volume'])}"


def _driver_bar(row: Row) -> str:
    return f"{row['driver']} {_prices(row)}; by {row['source']}, components {row['component_count']}"


def _candle(row: Row) -> str:
    whose = row.get("symbol") or f"{row['token_contract']}@{row['chain']}"
    partial = f", {row['coverage']:.0%} of it" if row["partial"] else ""
    return f"{whose} {_prices(row)}; by {row['source']}{partial}, known {row['known_at']}"


def _sample(row: Row) -> str:
    return (
        f"{row['metric']} {row['timeframe']} {row['timestamp']}: {_number(row['value_pct'])} %; by {row['source']},"
        f" known {row['known_at']}"
    )


def _quarantine(row: Row) -> str:
    return f"{row['reason']} ({row['detail']}), from {row['source'] or 'nobody'}, known {row['known_at']}"


_WORDS: dict[str, Callable[[Row], str]] = {
    **{"override": _override, "override_step": _step, "lesson": _lesson, "statistic": _statistic},
    **{"hypothesis": _hypothesis, "decay_fit": _decay, "learning_run": _run, "fact": _fact, "trade": _trade},
    **{"action": _action, "fill": _fill, "tick": _tick, "config": _config, "score": _score, "context": _context},
    **{"tag": _tag, "metadata": _metadata, "driver_state": _state, "token_state": _state, "driver_ta": _indicators},
    **{"token_ta": _indicators, "driver_bar": _driver_bar, "token_bar": _candle, "major_bar": _candle},
    **{"tuning_state": _tuning, "tuning_verdict": _verdict, "tuning_rate": _rate, "episode": _episode},
    **{"sample": _sample, "quarantine": _quarantine},
}
_ASKED: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "override": lambda row: ("override", str(row["override_id"])),
    "lesson": lambda row: ("lesson", row["lesson_id"]),
    "trade": lambda row: ("trade", row["trade_id"]),
    "action": lambda row: ("action", row.get("strand_id") or row["order_id"]),
    "driver_state": lambda row: ("state", row["driver"], row["timeframe"], row["timestamp"]),
    "major_bar": lambda row: (
        *("candle", f"majors_price_data_ohlc:{row['symbol']}"),
        *(row["timeframe"], row["timestamp"]),
    ),
    "token_bar": lambda row: (
        *("candle", f"lowcap_price_data_ohlc:{row['token_contract']}@{row['chain']}"),
        *(row["timeframe"], row["timestamp"]),
    ),
    "sample": lambda row: ("candle", f"dominance_sample:{row['metric']}", row["timeframe"], row["timestamp"]),
}
