"""What can be concluded from a comparison, in words made from its intervals. Only numpy."""

from collections.abc import Iterator

from shakegen.compare.measurement import Measurement
from shakegen.compare.summary import Row, Summary
from shakegen.plotting.scale import count_places, format_error

BUSY = 0.1  # of the epochs of a network at equal time: more apart, something else used the machine


def conclude(summary: Summary) -> list[str]:
    """Sentences: which rows differ from the first network, and what weakens this."""
    first = summary.rows[0].name
    sentences = [judge(name, first, one, summary) for name, one in summary.differences.items()]
    if summary.plan.repeats == 1 and len(summary.rows) > 1:
        sentences = ["One run of each network cannot tell them apart: repeat them with other random states."]
    return [*filter(None, sentences), *list_doubts(summary)]


def judge(name: str, first: str, difference: Measurement, summary: Summary) -> str:
    """A sentence on a row and the first network; "" if they have no two runs in common."""
    mean, error, count = difference.mean, difference.error, len(difference.values)
    if mean is None or error is None or difference.runs_error is None:
        return ""
    unit = summary.measure.unit + ", for other random states only" * (name in summary.without_text)
    places = count_places(error)
    if round(abs(mean), places) > round(error, places) or (mean and not error):  # as shown, or it would look like a tie
        better, worse = (name, first) if mean < 0 else (first, name)
        return f"{better} is better than {worse} by {format_error(abs(mean), error)} {unit}."
    shown = format_error(mean, error, sign="+")
    return f"{name} cannot be told from {first} with {count} runs: the difference is {shown} {unit}."


def list_doubts(summary: Summary) -> Iterator[str]:
    """What a reader should know before the sentences are believed."""
    if summary.measure.part == "validation":
        yield "There is no test text: these figures are of the validation text, which chose the best epochs."
    finished = [row for row in summary.rows if row.finished]
    if finished and not any(row.figures[summary.measure.name].values for row in finished):
        yield "There is neither validation nor test text: nothing tells these networks apart."
    for row in summary.rows:
        lost = len(row.records) - len(row.finished)
        if lost and row.finished:
            yield (
                f"{lost} of {len(row.records)} runs of {row.name} did not finish: its figures come from the others, "
                "and may flatter it."
            )
        if summary.plan.match == "time" and summary.plan.recipe.patience is None and is_uneven(row):
            yield (
                f"The runs of {row.name} got between {min(epochs_of(row)):.3g} and {max(epochs_of(row)):.3g} epochs in "
                "the same time: the machine was busy. Repeat them when it is not."
            )
    versions = {str(record.figures.get("version", "unknown")) for row in summary.rows for record in row.finished}
    if len(versions) > 1:
        yield f"The runs are of several versions of shakegen ({', '.join(sorted(versions))}), which may differ."
    judged = sum(one.error is not None and one.runs_error is not None for one in summary.differences.values())
    if judged > 2:
        yield (
            f"Each of these {judged} judgements is wrong 1 time in 20 by chance. The chance that at least one is wrong "
            "is larger."
        )
    edges = [f"{trial.chosen:g} for {trial.entry.name}" for trial in summary.trials if trial.at_edge]
    if edges:
        setting = summary.trials[0].setting.replace("_", " ")
        yield f"The {setting} chosen is at the edge of those tried ({', '.join(edges)}): try values beyond it."


def epochs_of(row: Row) -> list[float]:
    return list(row.figures["epochs"].values.values())


def is_uneven(row: Row) -> bool:
    """Whether runs of a network, in the same time, got unequally far."""
    epochs = epochs_of(row)
    return len(epochs) > 1 and max(epochs) - min(epochs) > BUSY * max(epochs)
