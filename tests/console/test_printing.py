from console.printing import print_table


def test_cells_are_neither_markup_nor_terminal_commands(capsys):
    print_table("a [red]title\x1b[2J", ("key",), [("[bold]x[/bold]\nnext\x07",)])

    out = capsys.readouterr().out
    assert "[red]title\\x1b[2J" in out
    assert "[bold]x[/bold]\\nnext\\x07" in out


def test_a_row_stays_on_one_line_in_a_pipe(capsys):
    print_table("", ("key", "value"), [("k" * 70, "v" * 70)])

    assert "k" * 70 + "  " in capsys.readouterr().out
