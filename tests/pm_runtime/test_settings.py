from datetime import UTC, datetime

import pytest

from pm_runtime import settings as settings_module
from pm_runtime.settings import process_holder, read_command_line


def test_a_bare_command_line_is_the_loop_on_the_configured_timeframes():
    settings = read_command_line([])

    assert (settings.timeframes, settings.once, settings.from_at, settings.grace_s) == (None, False, None, 20.0)


def test_instants_are_read_with_their_offset():
    settings = read_command_line(["--once", "--as-of", "2025-06-01T02:00+02:00", "--timeframe", "1h"])

    assert settings.as_of == datetime(2025, 6, 1, tzinfo=UTC)
    assert settings.timeframes == ("1h",)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--once", "--as-of", "2025-06-01T02:00"], "as_of: Input should have timezone info"),
        (["--as-of", "2025-06-01T02:00Z"], "--as-of needs --once"),
        (["--from", "2025-06-01T00:00Z"], "--from and --to go together"),
        (["--from", "2025-06-02T00:00Z", "--to", "2025-06-01T00:00Z"], "--from must not be after --to"),
        (["--once", "--from", "2025-06-01T00:00Z", "--to", "2025-06-02T00:00Z"], "exclude each other"),
        (["--timeframe", "7m"], "timeframes.0: Input should be '1m', '5m'"),
        (["--grace-s", "-1"], "grace_s: Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_a_reason(capsys, arguments, complaint):
    with pytest.raises(SystemExit) as ended:
        read_command_line(arguments)

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("host", ["short", "x" * 200, "büro-7"])
def test_a_holder_fits_postgres_and_keeps_pid_and_start(monkeypatch, host):
    monkeypatch.setattr(settings_module.socket, "gethostname", lambda: host)

    holder = process_holder(datetime(2025, 6, 1, tzinfo=UTC))

    assert holder.isascii()
    assert len(holder) <= 63
    assert holder.endswith(f":{settings_module.os.getpid()}:20250601T000000Z")
