import logging

from pm_runtime.log_line import FieldFormatter, fields


def line_of(event, **values):
    record = logging.LogRecord("pm_runtime.loop", logging.WARNING, "loop.py", 1, event, None, None)
    record.created = 0.0
    vars(record).update(fields(**values))
    return FieldFormatter().format(record)


def test_a_line_is_the_event_and_its_fields():
    assert line_of("ticked", mode="ACTIVE", fresh=5) == "1970-01-01T00:00:00Z WARNING ticked mode=ACTIVE fresh=5"


def test_a_value_with_blanks_is_quoted_and_stays_on_its_line():
    assert line_of("ticked", reason="no\nfresh score", empty="").endswith(r"reason='no\nfresh score' empty=''")


def test_a_line_without_fields_is_the_event():
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "started", None, None)

    assert FieldFormatter().format(record).endswith("INFO started")
