"""One run of a comparison, in a process of its own: `python -m shakegen.compare.worker FOLDER NAME [--quiet]`.

Its peak memory and its compilation are its own, and its failure harms no other run. It reads and writes the record and
the model file of that name. Exit codes: 0, the record has the outcome; 128 + n, a signal ended the run; it can go on.
"""

import contextlib
import math
import os
import signal
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from shakegen import __version__
from shakegen.compare.record import Record, Text, describe_cell, identify
from shakegen.files import holding
from shakegen.model import load
from shakegen.network.config import Config
from shakegen.network.quiet import quiet_tensorflow, without_extras
from shakegen.streams import standard_streams
from shakegen.training.tasks import get_task

PARENT = os.getppid()  # asked early: TensorFlow and a long text take a while
TIMED = 0.5  # seconds for which the speed of sampling is measured


def main(place: str, name: str, *flags: str) -> None:
    folder = Path(place)
    record = Record.read(folder / f"{name}.json")
    with quiet_tensorflow(), without_extras():
        from tensorflow import errors

        from shakegen.training import Diverged
    try:
        with holding(record.model(folder), "`runs`"):  # one whose comparison was killed may be at work
            ended = carry_out(record, folder, "--quiet" not in flags)
    except KeyboardInterrupt as stop:
        sys.exit(128 + getattr(stop, "signal", signal.SIGINT))
    except Diverged as error:
        scores = measure_model(error.model, record, None) if error.model else {}
        ended = replace(record, state="diverged", reason=str(error).partition(";")[0], figures=scores)
    except (MemoryError, errors.ResourceExhaustedError):
        ended = record.fail(folder, "out of memory: try smaller networks or a smaller batch")
    except (OSError, ValueError) as error:
        ended = record.fail(folder, " ".join(str(error).split()))
    ended.write(folder)


def carry_out(record: Record, folder: Path, verbose: bool = False) -> Record:
    """Train, from where the run stands, then measure.

    Returns:
        The record with figures: `version` (of shakegen), `parameters`, `epochs`, `steps`, `best_epoch`, `seconds`,
        `peak_memory_bytes` (of the training; None where it is not known), `training_characters_per_second`,
        `sampling_characters_per_second`, `validation` and `test` (the task's scores; None without such text),
        `sample`, and `history`, as a model file has it.

    Raises:
        Diverged, Interrupted, ValueError, OSError: as `training.train`.
        ValueError: the text or the cell has changed, or a figure is not a number, though every loss was one.
    """
    config, path = record.config, record.model(folder)
    corpus = Text(**record.text).load(get_task(config.task))
    if identify(corpus) != record.what["corpus"]:
        raise ValueError(f"{corpus.name} is not the text any more that the comparison began with")
    if record.what.get("cell") != describe_cell(config).get("cell"):
        raise ValueError(f"the cell {config.cell} has other equations by now than when the comparison began")
    model = train_run(record, corpus, config, path, verbose)
    if model is None:  # trained before, by a process that ended before it had measured
        model, memory = load(path), record.figures.get("peak_memory_bytes")
    else:
        memory = peak_memory()
        replace(record, figures={"peak_memory_bytes": memory}).write(folder)
    figures = measure_model(model, record, corpus) | {"peak_memory_bytes": memory}
    ended = replace(record, state="finished", figures=figures)
    ended.write(folder)
    with contextlib.suppress(OSError):  # else the file stays as large as it is
        model.save(path)  # without the state of its training run
    return ended


def train_run(record: Record, corpus, config: Config, path: Path, verbose: bool):
    """The trained model of a run, or None where its training had ended before."""
    import keras

    from shakegen import training

    class WithParent(keras.callbacks.Callback):
        """Stop, to be resumed, when the process that started this one is gone."""

        def on_train_batch_end(self, batch, logs=None):
            if os.getppid() != PARENT:
                signal.raise_signal(signal.SIGTERM)

    options: dict[str, Any] = {"callbacks": [WithParent()], "verbose": verbose}
    if not path.exists():
        return training.train(corpus, config, out=path, **options, **record.what["recipe"])
    try:
        return training.train(corpus, config, resume=path, **options)
    except training.Ended:
        return None


def measure_model(model, record: Record, corpus) -> dict:
    """The measurements of a trained model; without a corpus only those of its training."""
    history = model.history
    last = history[-1] if history else {}
    figures = {
        "version": __version__,
        "parameters": model.parameters,
        "epochs": last.get("epoch", 0),
        "steps": last.get("steps", 0),
        "best_epoch": model.best_epoch.get("epoch"),
        "seconds": last.get("seconds"),
        "training_characters_per_second": median(entry.get("characters_per_second") for entry in history),
        "history": history,
    }
    if corpus is None:
        return figures
    task, wanted = get_task(model.task), record.sample
    sample = task.write_sample(model, corpus, wanted["seed"], wanted["length"], record.random_state)
    scores = {part: task.score(model, corpus, part) for part in ("validation", "test")}
    for part, score in scores.items():
        if any(isinstance(figure, float) and not math.isfinite(figure) for figure in (score or {}).values()):
            raise ValueError(f"its loss on the {part} text is not a number: perhaps its state grows without end")
    return {**figures, **scores, "sampling_characters_per_second": time_use(task.use_model, model), "sample": sample}


def median(values) -> float | None:
    values = [value for value in values if value]
    return statistics.median(values) if values else None


def time_use(use, model) -> float:
    """Characters/s at which a model is used."""
    count = 100
    while True:
        began = time.perf_counter()
        characters = use(model, count)
        took = time.perf_counter() - began
        if took >= TIMED:
            return round(characters / took, 1)
        count *= 2


def peak_memory() -> int | None:
    """The most memory that this process had by now, in bytes, as far as the platform tells."""
    try:  # not from getrusage where this exists: that begins with the memory of the process which started this one
        with open("/proc/self/status", encoding="utf-8") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    with standard_streams(lambda error: None):
        main(*sys.argv[1:])
