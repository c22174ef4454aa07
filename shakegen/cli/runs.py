"""The messages of `shakegen train` about a run."""

import shlex
import statistics
from pathlib import Path

from shakegen.cells.registry import VARIABLE, environment_for, find_cell


def describe_run(model, out: Path, baseline=None, packed: float | None = None) -> str:
    """The outcome of a run: its best epoch, beside the baselines if there are any, its time and speed, its file."""
    from shakegen.training.tasks import get_task

    saved = f"Saved: {out}, a {model.config.cell} of {model.parameters:,} weights"
    if not model.history:
        return f"No epoch has ended yet.\n{saved}"
    score, last = get_task(model.task).describe_score(model), model.history[-1]
    speed = statistics.median(entry["characters_per_second"] for entry in model.history)
    epochs = f"{last['epoch']:.4g} epoch{'s' * (last['epoch'] != 1)}"
    took = f"{format_duration(last['seconds'])} for {epochs}, {speed:,.0f} characters/s while learning"
    best = ", ".join(filter(None, [f"Best epoch: {model.best_epoch['epoch']:.4g}", score]))
    general = "" if packed is None else f", xz -9 {packed:.3f}"
    beside = f"For comparison: {baseline} there{general}.\n" if baseline and score else ""
    return f"{best}.\n{beside}Time: {took}.\n{saved}"


def summarise(model, out: Path) -> dict:
    """The outcome of a run, ready for JSON; None where no epoch has ended, or no validation text was there."""
    best, last = model.best_epoch, model.history[-1] if model.history else {}
    figures = {"epochs": last.get("epoch", 0), "seconds": last.get("seconds", 0), "best_epoch": best.get("epoch")}
    losses = {"loss": best.get("loss"), "val_loss": best.get("val_loss"), **model.validation_figures()}
    return {"path": str(out), "parameters": model.parameters, **figures, **losses, "history": model.history}


def format_duration(seconds: float) -> str:
    """Seconds as people say them: 48 s, 3 min 5 s, 2 h 0 min."""
    minutes, hours = round(seconds) // 60, round(seconds / 60) // 60
    if hours:
        return f"{hours} h {round(seconds / 60) % 60} min"
    return f"{minutes} min {round(seconds) % 60} s" if minutes else f"{round(seconds)} s"


def resume_command(corpus: tuple[str, ...], model, out: Path) -> str:
    """The command that goes on with a run."""
    return f"{program(model)} train {shlex.join(corpus)} --out {shlex.quote(out.as_posix())} --resume"


def list_next_commands(corpus: tuple[str, ...], reading: dict, model, out: Path) -> str:
    """Commands that use a trained model; on its text only if that can be read again, as it was read."""
    from shakegen.training.tasks import get_task

    path, own = shlex.quote(out.as_posix()), program(model)
    lines = [f"{own} {get_task(model.task).example.format(path)}"]
    if "-" not in corpus:
        text = shlex.join([*corpus, *name_reading(**reading)])
        lines += [f"{own} evaluate {path} {text}", f"{own} train {text} --finetune {path} --out ..."]
    return "Now try: " + "\n         ".join(lines)


def name_reading(encoding: str, lowercase: bool, normalize: str | None) -> list[str]:
    """The options for the reading of a text, where they are not the usual ones."""
    encoded = [] if encoding == "utf-8" else ["--encoding", encoding]
    return [*encoded, *["--lowercase"] * lowercase, *(["--normalize", normalize] if normalize else [])]


def program(model) -> str:
    """The program, as it is called for a model: a cell that is not of this package must be named."""
    places = environment_for([find_cell(model.config.cell)])
    return f"{VARIABLE}={places} shakegen" if places else "shakegen"
