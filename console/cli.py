"""`lowcap`: a person's door. One command group or view a module; this one only puts them together."""

import typer

from console.ae_view import ae
from console.alarm_view import alarms
from console.config_commands import config_app
from console.crowding_view import crowding
from console.decay_view import decay
from console.doctor_view import doctor
from console.exchange_commands import export, import_
from console.explain_view import explain
from console.forward_view import forward
from console.funnel_view import funnel
from console.learn_commands import learn, rebuild
from console.lessons_view import lessons
from console.notes_view import notes
from console.notify_command import notify
from console.override_set_commands import sets_app
from console.prune_command import prune
from console.quarantine_commands import quarantine_app
from console.regime_commands import regime_app
from console.replay_command import PASSED_THROUGH, replay
from console.serve_command import serve
from console.stack_commands import demo, down, open_stack, up
from console.states_view import states
from console.strand_commands import strand_app
from console.switch_commands import halt, overrides, resume, switch
from console.trades_view import trades
from console.tuning_view import tuning
from console.watch_commands import watch_app
from console.whatif_view import whatif
from console.why_command import why

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
app.add_typer(sets_app, name="sets")
app.add_typer(strand_app, name="strand")
app.add_typer(watch_app, name="watch")
app.callback()(open_stack)
app.command("demo")(demo)
app.command("up")(up)
app.command("down")(down)
app.command("ae")(ae)
app.command("doctor")(doctor)
app.command("alarms")(alarms)
app.command("prune")(prune)
app.command("states")(states)
app.command("trades")(trades)
app.command("explain")(explain)
app.command("lessons")(lessons)
app.command("forward")(forward)
app.command("decay")(decay)
app.command("funnel")(funnel)
app.command("crowding")(crowding)
app.command("tuning")(tuning)
app.command("notes")(notes)
app.command("why")(why)
app.command("whatif")(whatif)
app.command("serve")(serve)
app.command("switch")(switch)
app.command("halt")(halt)
app.command("resume")(resume)
app.command("overrides")(overrides)
app.command("learn", context_settings=PASSED_THROUGH, add_help_option=False)(learn)
app.command("rebuild", context_settings=PASSED_THROUGH, add_help_option=False)(rebuild)
app.command("export", context_settings=PASSED_THROUGH, add_help_option=False)(export)
app.command("import", context_settings=PASSED_THROUGH, add_help_option=False)(import_)
app.command("notify", context_settings=PASSED_THROUGH, add_help_option=False)(notify)
app.command("replay", context_settings=PASSED_THROUGH, add_help_option=False)(replay)

if __name__ == "__main__":
    app()
