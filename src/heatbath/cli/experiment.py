"""``heatbath experiment``: from the plan to the promotion."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from heatbath.cli.commands import Command, Group
from heatbath.cli.experiment_page import listed, page
from heatbath.cli.flags import Json
from heatbath.cli.kept import DEFAULT, Name, StoreUrl, opened, pair, share
from heatbath.cli.screen import screen, write_json
from heatbath.errors import InputError

if TYPE_CHECKING:
    from heatbath.experiments import Experiment, Store

app = typer.Typer(cls=Group, help="Compare temperatures on live traffic: plan, start, look, promote, roll back.")

Note = Annotated[str, typer.Option(help="Why, for the history.", metavar="TEXT", show_default=False)]


@app.command(cls=Command)
def plan(
    name: Name,
    task: Annotated[str, typer.Option(help="The task whose requests take part.", metavar="TEXT", show_default=False)],
    arms: Annotated[
        list[str],
        typer.Option(
            "--arm",
            help="An arm and its policy, such as 'warm=fixed(1.2)'; the control first. To be repeated.",
            metavar="NAME=POLICY",
            show_default=False,
        ),
    ],
    metric: Annotated[
        str,
        typer.Option(
            help="What is compared: a metric of the feedback; or of the answers: seconds, first_seconds, "
            "prompt_tokens, completion_tokens, error.",
            metavar="TEXT",
            show_default=False,
        ),
    ],
    kind: Annotated[str | None, typer.Option(help="boolean or number.", metavar="TEXT", show_default=False)] = None,
    better: Annotated[str | None, typer.Option(help="higher or lower.", metavar="TEXT", show_default=False)] = None,
    silence: Annotated[
        float | None,
        typer.Option(help="What a request without feedback counts as; left out, it does not count.", metavar="X"),
    ] = None,
    within: Annotated[
        float, typer.Option(help="Hours that people have to answer, before silence is silence.", metavar="X", min=0)
    ] = 0.0,
    unit: Annotated[
        str, typer.Option(help="What is assigned: user, conversation or request.", metavar="TEXT")
    ] = "user",
    weights: Annotated[
        list[str] | None,
        typer.Option("--weight", help="The weight of an arm; left out, all are equal.", metavar="NAME=X"),
    ] = None,
    guardrails: Annotated[
        list[str] | None,
        typer.Option(
            "--guardrail",
            help="A metric that must not suffer by so much, such as seconds=0.5; of feedback of other kinds, "
            "name:number:higher=0.1.",
            metavar="NAME=X",
        ),
    ] = None,
    covariates: Annotated[
        list[str] | None,
        typer.Option("--covariate", help="What was known before: before, prompt_length.", metavar="TEXT"),
    ] = None,
    method: Annotated[str, typer.Option(help="asymptotic, or exact for a boolean.", metavar="TEXT")] = "asymptotic",
    alpha: Annotated[float, typer.Option(help="The chance of any false claim.", metavar="X")] = 0.05,
    effect: Annotated[
        float | None,
        typer.Option(help="The least difference that would change what you do.", metavar="X", show_default=False),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(help="In place of --effect: how long it may take.", metavar="X", show_default=False),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="The control's share, of a boolean.", metavar="X", show_default=False)
    ] = None,
    sd: Annotated[
        float | None,
        typer.Option(help="The standard deviation of a unit's mean, of a number.", metavar="X", show_default=False),
    ] = None,
    power: Annotated[float, typer.Option(help="The chance to find the effect.", metavar="X")] = 0.8,
    traffic: Annotated[
        float | None, typer.Option(help="Units that come in a day.", metavar="X", show_default=False)
    ] = None,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what it would take, and keep nothing.")] = False,
    store: StoreUrl = DEFAULT,
    as_json: Json = False,
) -> None:
    """Define an experiment, and say how many units and days it will take.

    \b
    Examples
      heatbath experiment plan poem --task poem --arm "cool=fixed(0.7)" --arm "warm=fixed(1.2)" --metric liked \\
        --rate 0.3 --effect 0.03 --traffic 2000 --guardrail seconds=0.5
    """
    from heatbath.experiments import Experiment
    from heatbath.experiments.planning import planned

    fields = {"name": metric, "kind": kind, "better": better, "silence": silence, "within": within * 3600}
    weighed = dict(pair(each, "--weight", "--weight warm=0.1") for each in weights or ())
    made = Experiment.define(
        name,
        task=task,
        arms=dict(pair(each, "--arm", "--arm 'warm=fixed(1.2)'") for each in arms),
        metric={field: value for field, value in fields.items() if value is not None},
        weights={arm: share(text, "--weight", "--weight warm=0.1") for arm, text in weighed.items()} or None,
        unit=unit,
        guardrails=[_guardrail(text) for text in guardrails or ()],
        covariates=covariates or (),
        method=method,
        alpha=alpha,
    )
    found = None
    if effect is not None or days is not None:
        found = planned(made, effect=effect, days=days, rate=rate, sd=sd, power=power, per_day=traffic)
        made = found.experiment
    if not dry:
        with opened(store) as kept:
            kept.experiments.add(made)
    if as_json:
        plain = found and {**found.plan._asdict(), "days": found.days, "expected_days": found.expected_days}
        write_json({"experiment": made.record(), "plan": plain})
        return
    screen().print(f"{made.name} is {'not kept' if dry else made.status}: {_arms(made)}")
    if found:
        screen().print(str(found))


def _arms(made: "Experiment") -> str:
    return ", ".join(f"{arm.name} = {arm.policy} ({arm.weight:.0%})".replace("%", " %") for arm in made.arms)


def _guardrail(text: str) -> dict[str, Any]:
    name, margin = pair(text, "--guardrail", "--guardrail seconds=0.5")
    name, *words = name.split(":")
    fields: dict[str, Any] = {"name": name, "margin": share(margin, "--guardrail", "--guardrail seconds=0.5")}
    fields |= {"kind" if word in ("boolean", "number") else "better": word for word in words}
    return fields


@app.command("list", cls=Command)
def list_(store: StoreUrl = DEFAULT, as_json: Json = False) -> None:
    """List the experiments of a store.

    \b
    Examples
      heatbath experiment list
    """
    with opened(store) as kept:
        found = kept.experiments.all()
    if as_json:
        write_json({"experiments": [each.record() for each in found]})
    else:
        screen().print(listed(found) if found else "no experiments yet; plan one: heatbath experiment plan --help")


@app.command(cls=Command)
def show(
    name: Name,
    plot: Annotated[
        str | None,
        typer.Option(help="Also draw the effects over time into this file (.png, .svg, .pdf).", metavar="FILE"),
    ] = None,
    store: StoreUrl = DEFAULT,
    as_json: Json = False,
) -> None:
    """Show what an experiment has shown so far: as often as you like.

    \b
    Examples
      heatbath experiment show poem
      heatbath experiment show poem --plot poem.png --json
    """
    from heatbath.experiments.results import results

    with opened(store) as kept:
        result = results(kept, name)
    if plot is not None:
        _draw(result, plot)
    if as_json:
        write_json(result.document())
    else:
        screen().print(page(result, screen()))


def _draw(result: Any, path: str) -> None:
    from heatbath.experiments.picture import picture

    try:
        picture(result).figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        why = f"the picture cannot be written ({error})"
        raise InputError(why, doing="drawing", on=path, instead="write --plot poem.png") from error


@app.command(cls=Command)
def watch(
    name: Name,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", metavar="X", min=0.1)] = 10.0,
    times: Annotated[
        int | None, typer.Option(help="Look so many times; left out, until Ctrl-C.", metavar="N", min=1)
    ] = None,
    store: StoreUrl = DEFAULT,
) -> None:
    """Look at an experiment again and again, which costs nothing.

    \b
    Examples
      heatbath experiment watch poem
    """
    from heatbath.experiments.results import results

    console, look = screen(), 0
    with opened(store) as kept:
        while True:
            result = results(kept, name, looks=0)
            if console.is_terminal:
                console.clear()
            console.print(page(result, console))
            look += 1
            if look == times:
                return
            time.sleep(every)


@app.command(cls=Command)
def start(name: Name, note: Note = "", store: StoreUrl = DEFAULT, as_json: Json = False) -> None:
    """Let an experiment assign; gateways on the same store take it up by themselves.

    \b
    Examples
      heatbath experiment start poem
    """
    with opened(store) as kept:
        before = kept.experiments.get(name)
        _keep(kept, before, before.started(note=note), as_json)


@app.command(cls=Command)
def stop(name: Name, note: Note = "", store: StoreUrl = DEFAULT, as_json: Json = False) -> None:
    """Let an experiment assign nobody any more. What it has shown so far goes into its history.

    \b
    Examples
      heatbath experiment stop poem
    """
    with opened(store) as kept:
        before = kept.experiments.get(name)
        _keep(kept, before, before.stopped(note=note or _shown(kept, before)), as_json)


@app.command(cls=Command)
def promote(
    name: Name,
    arm: Annotated[
        str | None,
        typer.Argument(help="Whose policy; left out, that of the winner.", metavar="ARM", show_default=False),
    ] = None,
    note: Note = "",
    store: StoreUrl = DEFAULT,
    as_json: Json = False,
) -> None:
    """Let the policy of an arm be that of the task. Without ARM, the winner, if there is one.

    \b
    Examples
      heatbath experiment promote poem
      heatbath experiment promote poem warm --note "the poets prefer it"
    """
    with opened(store) as kept:
        before = kept.experiments.get(name)
        if arm is None:
            from heatbath.experiments.results import results

            result = results(kept, before, looks=0)
            arm, note = result.winner, note or result.sentences[0]
            if arm is None:
                raise InputError(
                    f"no arm has won: {result.sentences[0]}",
                    doing="promoting",
                    on=name,
                    instead="name an arm to promote it all the same",
                )
        _keep(kept, before, before.promoted(arm, note=note), as_json)


@app.command(cls=Command)
def rollback(name: Name, note: Note = "", store: StoreUrl = DEFAULT, as_json: Json = False) -> None:
    """Take a promotion back: the task gets the policy that it had before.

    \b
    Examples
      heatbath experiment rollback poem
    """
    with opened(store) as kept:
        before = kept.experiments.get(name)
        _keep(kept, before, before.rolled_back(note=note), as_json)


def _shown(kept: "Store", experiment: "Experiment") -> str:
    from heatbath.experiments.results import results

    return results(kept, experiment, looks=0).sentences[0]


def _keep(kept: "Store", before: "Experiment", after: "Experiment", as_json: bool) -> None:
    kept.experiments.change(before, after)
    override = kept.overrides.get(after.task)
    if as_json:
        write_json({"experiment": after.record(), "override": override and override._asdict()})
        return
    event = after.history[-1]
    line = Text.assemble((f"{after.name} is {after.status}", "bold"), f": {event.note}" if event.note else "")
    screen().print(line)
    if override:
        screen().print(f"the policy of {after.task} is {override.policy}, by {override.experiment}")
