"""An explained action as steps on common scales: 0.5 to A and E, what was learned mask by mask, wallet to order.

What belongs here: which steps there are, their stored numbers, and where each begins and ends. What is not there is a
step that says so. What does not: lines and colours (`waterfall_svg`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.stored_strand import mask_words

Facts = Mapping[str, Any]

LAST_OF_CAP = "remaining"
START, RISE, FALL, SAME, SUM, ABSENT = "start", "rise", "fall", "same", "sum", "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: where it begins and ends on the scale of its part, and what is stored of it.

    kind: start, rise, fall, same, sum or absent. value, change: the stored numbers it shows, None where there is none.
    words: what is said beside them.
    """

    name: str
    kind: str
    begin: float
    end: float
    value: float | None = None
    change: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Steps on one scale, in their order.

    change_is: what a change is, a sum or a factor. absent: what of it is not there, and why.
    """

    title: str
    steps: tuple[Step, ...]
    change_is: str = "sum"
    absent: str | None = None


def waterfall(facts: Facts) -> tuple[Part, ...]:
    """Parts of an explained action, absent ones too: A, E, strength, skew, cap and order; a sale has no cap.

    Parameters
    ----------
    facts : mapping
        As `explain_action` gives them.
    """
    levers = facts["levers"]
    return (
        _lever_part(levers, "a"),
        _lever_part(levers, "e"),
        _strength_part(facts.get("pm_strength")),
        _skew_part(facts.get("exposure_skew"), facts.get("action_category")),
        *_size_parts(facts["sizing"], facts.get("order")),
    )


def _lever_part(levers: Facts, lever: str) -> Part:
    """Make A (`a`) or E (`e`): the base, every channel, then each further step to what was used."""
    name, base, steps = lever.upper(), levers["base"], levers["steps"]
    title = f"{name} {levers[f'{name}_mode'] or ''}".rstrip()
    if not steps:
        return Part(title=title, steps=(), absent="the tick had no score, so no lever")
    first, *further = steps
    rest = (_sum(first["name"], first[lever]), *_further(further, lever, levers))
    if base is None:
        note = "the base, for the configuration of then cannot be read"
        return Part(title=title, steps=rest, absent=note)
    begin = Step(name="base", kind=START, begin=0.0, end=base, value=base)
    if levers["channels_note"] is not None:
        return Part(title=title, steps=(begin, *rest), absent=f"the channels, for {levers['channels_note']}")
    return Part(title=title, steps=(begin, *_channels(levers["channels"], lever, base), *rest))


def _channels(channels: Sequence[Facts], lever: str, base: float) -> Iterable[Step]:
    at = base
    for channel in channels:
        change = channel[lever]
        if change is None or channel["status"] != "ok":
            yield Step(name=channel["name"], kind=ABSENT, begin=at, end=at, words=f"absent: {channel['status']}")
            continue
        words = channel["signal"] or ""
        yield Step(name=channel["name"], kind=_kind(change), begin=at, end=at + change, change=change, words=words)
        at += change


def _further(steps: Sequence[Facts], lever: str, levers: Facts) -> Iterable[Step]:
    reasons = {"bucket_multiplier": _bucket_words(levers), "intent": _intent_words(levers)}
    for step in steps:
        end, change = step[lever], step[f"{lever}_change"]
        words = reasons.get(step["name"], "")
        yield Step(
            name=step["name"], kind=_kind(change), begin=end - change, end=end, value=end, change=change, words=words
        )
    used = levers[f"{lever}_value"]
    if used is not None:
        yield _sum(f"{lever.upper()} used", used)


def _bucket_words(levers: Facts) -> str:
    told = levers.get("bucket_multiplier")
    return "" if told is None else f"m {told['multiplier']:.4g}, {told['basis']}"


def _intent_words(levers: Facts) -> str:
    told = levers.get("intent_deltas")
    return "absent: no intent is known" if told is not None and not told["is_present"] else ""


def _strength_part(strength: Facts | None) -> Part:
    """From 1, over every override that applied, to the strength."""
    if strength is None:
        return Part(title="strength", steps=(), change_is="factor", absent="the decision does not tell it")
    title = f"strength, {strength['basis']}"
    if not strength["matched"]:
        reason = "nothing that is sold depends on what was learned" if strength["basis"] == "sells" else "none applied"
        return Part(title=title, steps=(_sum("strength", strength["multiplier"]),), change_is="factor", absent=reason)
    found, at = [Step(name="neutral", kind=START, begin=0.0, end=1.0, value=1.0)], 1.0
    for each in strength["matched"]:
        end = at * each["factor"]
        share = (
            "no share, for nothing has a weight"
            if each["weight_share"] is None
            else f"a share of {each['weight_share']:.4g}"
        )
        words = f"in {share}, override {each['override_id']}"
        kind = _kind(each["factor"] - 1)
        found.append(
            Step(name=mask_words(each["mask"]), kind=kind, begin=at, end=end, change=each["multiplier"], words=words)
        )
        at = end
    return Part(title=title, steps=(*found, _sum("strength", strength["multiplier"])), change_is="factor")


def _skew_part(skew: Facts | None, category: str | None) -> Part:
    """From the skew of an empty neighbourhood, down over every mask, to the one that was measured."""
    if skew is None:
        sells = category in ("trim", "exit")
        reason = "crowding is asked of buys only" if sells else "the decision does not tell it"
        return Part(title="exposure skew", steps=(), absent=reason)
    title, last = f"exposure skew, {skew['basis']}", _sum("exposure skew", skew["skew"])
    if skew["basis"] != "measured":
        why = {"empty_book": "nothing else was held", "no_mask": "no mask of the candidate was known"}
        return Part(title=title, steps=(last,), absent=why.get(skew["basis"], skew["basis"]))
    highest = skew.get("highest")
    if highest is None:
        return Part(title=title, steps=(last,), absent="the configuration of then cannot be read, so no part is known")
    found, at = [Step(name="nothing near", kind=START, begin=0.0, end=highest, value=highest)], highest
    for mask in skew["masks"]:
        end = at + mask["skew_change"]
        words = f"USD near, {mask['pk_scope_exposure_usd']:.6g} on it too, weight {mask['weight']:.3g}"
        near = mask["scope_exposure_usd"]
        kind = _kind(mask["skew_change"])
        found.append(Step(name=mask_words(mask["mask"]), kind=kind, begin=at, end=end, value=near, words=words))
        at = end
    return Part(title=title, steps=(*found, last))


def _size_parts(sizing: Facts, order: Facts | None) -> Iterable[Part]:
    """From the wallet to what remains of the cap, and from there, or from a holding, factor by factor to the order."""
    steps = sizing["steps"]
    if not steps:
        yield Part(title="order", steps=(), absent="the decision does not tell its steps")
        return
    names = [step["name"] for step in steps]
    told = [_amount(step, sizing, is_first=place == 0) for place, step in enumerate(steps)]
    if LAST_OF_CAP in names:
        place = names.index(LAST_OF_CAP)
        yield Part(title="cap, USD", steps=tuple(told[: place + 1]), change_is="factor")
        told = [_sum(LAST_OF_CAP, steps[place]["amount"]), *told[place + 1 :]]
    unit = "USD" if LAST_OF_CAP in names else "tokens"
    if order is None:
        reason = "what was ordered, for the order's row is not there any more"
        yield Part(title=f"order, {unit}", steps=tuple(told), change_is="factor", absent=reason)
        return
    ordered = order["order_usd"] if order["side"] == "buy" else order["order_quantity"]
    yield Part(title=f"order, {unit}", steps=(*told, _sum("order", ordered)), change_is="factor")


def _amount(step: Facts, sizing: Facts, *, is_first: bool) -> Step:
    """Make a bar as long as the amount a step left. The first one's factor is that amount itself."""
    words = sizing["size_frac_by"] or "" if step["name"] == "size_frac" else ""
    amount, change = step["amount"], None if is_first else step["factor"]
    return Step(name=step["name"], kind=SUM, begin=0.0, end=amount, value=amount, change=change, words=words)


def _sum(name: str, value: float) -> Step:
    return Step(name=name, kind=SUM, begin=0.0, end=value, value=value)


def _kind(change: float) -> str:
    if not change:
        return SAME
    return RISE if change > 0 else FALL
