"""`lowcap`: a person's door. One command group or view a module; this one only puts them together."""

import typer

from console.ae_view import ae
from console.config_commands import config_app
from console.quarantine_commands import quarantine_app
from console.regime_commands import regime_app
from console.stack_commands import demo, down, open_stack, up
from console.states_view import states

app = typer.Typer(
    name="lowcap",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Market regime and portfolio runtime of low-cap tokens.",
)
app.add_typer(config_app, name="config")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(regime_app, name="regime")
app.callback()(open_stack)
app.command("demo")(demo)
app.command("up")(up)
app.command("down")(down)
app.command("ae")(ae)
app.command("states")(states)

if __name__ == "__main__":
    app()
