-- Why: the ways from an override to its trades and from a set to the ticks that read it, under a second on a million rows. Additive.

CREATE INDEX pattern_trade_events_cell ON learning.pattern_trade_events (pattern_key, action_category, "timestamp");
CREATE INDEX pm_overrides_lesson ON learning.pm_overrides (lesson_id, set_id DESC);
CREATE INDEX pm_order_trade ON pm.pm_order (trade_id);
CREATE INDEX pm_tick_override_set ON pm.pm_tick (override_set_id, timeframe, bar_timestamp);
