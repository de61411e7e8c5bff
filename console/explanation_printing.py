"""An explanation as tables, as things came about: levers, gates, size, what was learned, order, fill, sources."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from console.printing import print_table, printable
from console.stored_strand import mask_words

Facts = Mapping[str, Any]

SHORT_ID = 8
GATE_COLUMNS = ("gate", "value", "threshold", "tuned", "margin", "passed", "detail")
OVERRIDE_COLUMNS = (
    "mask",
    "values",
    "multiplier",
    "mask weight",
    "confidence",
    "share",
    "factor",
    "trades",
    "edge",
    "decay",
    "id",
)


def print_action(facts: Facts) -> None:
    """Print the explanation of an action."""
    token = facts["token_ticker"] or facts["token_contract"]
    _say(f"{facts['decision_type']} of {token} on {facts['timeframe']}, {facts['pattern_key']}, {facts['decided_at']}")
    _say(f"order {facts['order_id']}")
    _say(f"trade {facts['trade_id']}, strand {facts['strand_id'] or 'not told yet: the order is open'}")
    _print_levers(facts["levers"])
    gates = [_gate(gate) for gate in facts["gates"]]
    print_table("gates", GATE_COLUMNS, gates)
    for threshold in facts["thresholds"]:
        moved = f"{threshold['name']} {_number(threshold['base'])} -> {_number(threshold['tuned'])}"
        _print_strength(f"threshold {moved}", threshold["strength"])
    _print_contradictions(facts["contradictions"])
    _print_size(facts["sizing"])
    _print_strength("strength", facts.get("pm_strength"))
    _print_skew(facts.get("exposure_skew"))
    _print_execution(facts)
    _print_sources(facts)


def print_trade(facts: Facts) -> None:
    """Print the explanation of a trade."""
    token = facts["token_ticker"] or facts["token_contract"]
    _say(f"trade {facts['trade_id']}: {token} on {facts['timeframe']}, {facts['stands']}")
    entry = facts["entry"]
    if entry is not None:
        _say(f"entered by {entry['pattern_key']} at A {_number(entry['a'])}, E {_number(entry['e'])}")
        _say(f"in {_pairs(entry['scope'])}")
    columns = ("decided", "action", "pattern", "status", "tokens", "price", "USD", "fee", "order")
    print_table("actions", columns, [_action(action) for action in facts["actions"]])
    names = ("pnl_usd", "rr", "rr_raw", "max_adverse_usd")
    results = (facts["from_fills"] or {}, facts["told"] or {})
    rows = [(name, *(_number(result.get(name)) for result in results)) for name in names]
    rows.append(("roi", _number(results[0].get("roi_frac")), _number(results[1].get("roi"))))
    rows.append(("hours held", _number(results[0].get("held_hours")), _number(results[1].get("hold_hours"))))
    print_table("result", ("", "from fills and bars", "as the closure told it"), rows)
    _print_agreement(results[0])
    if facts["exit_reason"]:
        _say(f"left by {facts['exit_reason']}")
    if facts["problem"]:
        _say(facts["problem"])


def _print_levers(levers: Facts) -> None:
    channels = [each for each in levers["channels"] if each["a"] or each["e"] or each["status"] != "ok"]
    if channels:
        rows = [
            (each["name"], each["signal"] or each["status"], _signed(each["a"]), _signed(each["e"]))
            for each in channels
        ]
        print_table("channels of the regime that moved a lever or were silent", ("channel", "says", "A", "E"), rows)
    if levers["channels_note"]:
        _say(levers["channels_note"])
    base = [] if levers["base"] is None else [("base", "", _number(levers["base"]), "", _number(levers["base"]))]
    steps = [
        (step["name"], _signed(step["a_change"]), _number(step["a"]), _signed(step["e_change"]), _number(step["e"]))
        for step in levers["steps"]
    ]
    title = f"levers: A {_number(levers['a_value'])} {levers['A_mode'] or ''}, E {_number(levers['e_value'])}"
    print_table(f"{title} {levers['E_mode'] or ''}", ("step", "A +", "A", "E +", "E"), [*base, *steps])
    _print_intent(levers["intent_deltas"])
    _print_bucket(levers["bucket_multiplier"])


def _print_intent(told: Facts | None) -> None:
    if told is not None and not told["is_present"]:
        _say("no intent of the token was known")


def _print_bucket(told: Facts | None) -> None:
    if told is None:
        return
    parts = f"rank {_signed(told['rank_adjustment'])}, slope {_signed(told['slope_term'])}"
    _say(f"bucket multiplier x {_number(told['multiplier'])} ({told['basis']}): {parts}")


def _gate(gate: Facts) -> tuple[str, ...]:
    numbers = [_number(gate[name]) for name in ("value", "threshold_base", "threshold", "margin")]
    return (gate["name"], *numbers, "yes" if gate["passed"] else "no", gate["detail"] or "")


def _print_contradictions(found: Sequence[Facts]) -> None:
    rows = [
        (each["more"], _ids(each["more_ids"]), each["less"], _ids(each["less_ids"]), each["precedence"])
        for each in found
    ]
    if rows:
        columns = ("buys more", "overrides", "buys less", "overrides", "obeyed")
        print_table("overrides that disagree, both of which are obeyed", columns, rows)


def _ids(numbers: Sequence[int]) -> str:
    return " ".join(str(number) for number in numbers)


def _split(split: Facts) -> str:
    learned = f" as of {split['learned_at'][:10]}" if split["learned_at"] else ""
    return f"the timeframe's share {_number(split['share'])} is {split['basis']}{learned}"


def _print_size(sizing: Facts) -> None:
    by = f" = {sizing['size_frac_by']}" if sizing["size_frac_by"] else ""
    rows = [(step["name"], _number(step["factor"]), _number(step["amount"])) for step in sizing["steps"]]
    cap = "" if sizing["cap_usd"] is None else f", of what remains of a cap of {_number(sizing['cap_usd'])} USD"
    print_table(f"size: fraction {_number(sizing['size_frac'])}{by}{cap}", ("step", "factor", "amount"), rows)
    if sizing["timeframe_split"] is not None:
        _say(_split(sizing["timeframe_split"]))
    if sizing["is_cut_by_cash"]:
        _say("cut to the cash there was")


def _print_strength(title: str, strength: Facts | None) -> None:
    if strength is None:
        return
    title = f"{title}: {strength['lever']} x {_number(strength['multiplier'])} ({strength['basis']})"
    if not strength["matched"]:
        _say(title)
        return
    print_table(title, OVERRIDE_COLUMNS, [_override(each) for each in strength["matched"]])


def _override(each: Facts) -> tuple[str, ...]:
    names = ("multiplier", "mask_weight", "confidence", "weight_share", "factor", "n_trades", "edge_raw", "decay_mult")
    numbers = (_number(each.get(name)) for name in names)
    return (
        mask_words(each["mask"]),
        _pairs(each["values"]),
        *numbers,
        f"{each['override_id']} {each['lesson_id'][:SHORT_ID]}",
    )


def _print_skew(skew: Facts | None) -> None:
    if skew is None:
        return
    title = f"exposure skew x {_number(skew['skew'])} ({skew['basis']}), concentration {_number(skew['conc_norm'])}"
    rows = [
        (
            mask_words(mask["mask"]),
            *(_number(mask[name]) for name in ("weight", "scope_exposure_usd", "pk_scope_exposure_usd")),
            _signed(mask.get("skew_change")),
        )
        for mask in skew["masks"]
    ]
    columns = ("mask", "weight", "near, USD", "on the pattern too, USD", "skew +")
    begins = "" if skew.get("highest") is None else f" from {_number(skew['highest'])} with nothing near"
    print_table(f"{title}, held elsewhere {_number(skew['others_usd'])} USD{begins}", columns, rows)


def _print_execution(facts: Facts) -> None:
    order, done = facts["order"], facts["execution"]
    if order is not None:
        size = (
            f"{_number(order['order_usd'])} USD"
            if order["side"] == "buy"
            else f"{_number(order['order_quantity'])} tokens"
        )
        _say(f"ordered: {order['side']} {size} at {order['venue']}")
    _say(f"became: {done['status']}{' - ' + done['reason'] if done['reason'] else ''}")
    rows = [
        (fill["filled_at"], *(_number(fill[name]) for name in ("quantity", "price_usd", "notional_usd", "fee_usd")))
        for fill in facts["fills"]
    ]
    if rows:
        gap = done["price_over_close"]
        said = "" if gap is None else f", {gap:+.3%} from the close that was seen"
        print_table(
            f"fills at {_number(done['average_price_usd'])}{said}", ("at", "tokens", "price", "USD", "fee"), rows
        )


def _print_sources(facts: Facts) -> None:
    seen, bar = facts["seen"], facts["seen"].get("bar", {})
    scores = [f"{bucket} {at or 'none'}" for bucket, at in seen.get("score_timestamps", {}).items()]
    prices = " ".join(f"{name} {_number(bar.get(f'{name}_usd'))}" for name in ("open", "high", "low", "close"))
    rows = [
        ("bar", f"{bar.get('opened_at')} to {bar.get('closed_at')}: {prices}, volume {_number(bar.get('volume'))}"),
        ("scores", ", ".join(scores) or "none"),
        ("regime context of", str(seen.get("context_evaluated_at") or "none")),
        ("scope", _pairs(facts["scope"])),
        ("switch", str(facts["switch"] or "not kept")),
        ("configuration, overrides", f"version {facts['config_version']}, set {facts['override_set_id'] or 'none'}"),
        ("code", str(facts["code_version"])),
    ]
    print_table("what was seen", ("", ""), rows)


def _print_agreement(result: Facts) -> None:
    if "problem" in result:
        _say(f"the fills cannot be folded: {result['problem']}")
    elif result.get("agrees_with_told") is False:
        _say(f"not as told: {', '.join(result['differs_in'])}; bars were made again since, or ticks were missed")
    elif result.get("agrees_with_told"):
        _say(f"{result['fills']} fills and {result['bars']} bars give what the closure told")


def _action(action: Facts) -> tuple[str, ...]:
    names = ("quantity", "average_price_usd", "notional_usd", "fee_usd")
    status = action["status"] + (f": {action['status_reason']}" if action["status_reason"] else "")
    numbers = (_number(action[name]) for name in names)
    told = (action["decided_at"], action["action_category"], action["pattern_key"], status)
    return (*told, *numbers, action["order_id"][:8])


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items()) or "everywhere"


def _say(text: str) -> None:
    typer.echo(printable(text))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
