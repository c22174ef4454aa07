"""The public names of the package, by the module from which they are imported."""

import functools
import importlib
import pkgutil

import shakegen

# Packages for the rooms of the package alone.
INTERNAL = {"shakegen.cli", "shakegen.text.reading", "shakegen.training.tasks"}
# Names that no package lists: of modules to be imported from, and of classes that public functions take and return.
MORE = {
    "shakegen.callbacks": "SampleText CompleteText ShowText",
    "shakegen.cells": "as_layer",
    "shakegen.cells.graph": "Names",
    "shakegen.cells.symbol": "Symbol",
    "shakegen.compare.comparison": "Comparison",
    "shakegen.compare.measurement": "Measurement",
    "shakegen.compare.plan": "Plan Entry",
    "shakegen.compare.record": "Record Text",
    "shakegen.compare.summary": "BaselineRow Row Summary",
    "shakegen.compare.tuning": "Trial",
    "shakegen.compression.container": "Sizes",
    "shakegen.export.exporting": "write_export DifferenceError",
    "shakegen.export.keras_file": "make_keras read_keras load_keras",
    "shakegen.export.onnx_model": "make_onnx",
    "shakegen.export.page.page": "write_page",
    "shakegen.export.tensors": "read_tensors write_tensors",
    "shakegen.lab.cliff": "cliff Cliff Descent",
    "shakegen.lab.cloze": "cloze Cloze",
    "shakegen.lab.gates": "gates Gates",
    "shakegen.lab.gradients": "of_cells of_model Gradients GradientSettings",
    "shakegen.lab.hessian_free": "HessianFree Objective Update",
    "shakegen.lab.memory": "memory Memory",
    "shakegen.lab.repeats": "Estimate",
    "shakegen.lab.result": "Result",
    "shakegen.lab.start": "start Start",
    "shakegen.lab.timer": "timer Timer",
    "shakegen.layers.carried": "CarriesStates",
    "shakegen.layers.cell_layer": "CellLayer",
    "shakegen.layers.compiled": "CompiledLoop",
    "shakegen.layers.extended_cell": "ExtendedCell",
    "shakegen.layers.initial_state": "LearnedInitialState",
    "shakegen.model.base": "LossUnit",
    "shakegen.model.copies": "keep_from_copying",
    "shakegen.model.evaluation": "Evaluation",
    "shakegen.model.scoring": "score weigh Evidence Piece",
    "shakegen.model.model_file": "Training",
    "shakegen.model.precision": "shrink",
    "shakegen.model.predictor": "Predictor",
    "shakegen.sampling.draft": "Draft",
    "shakegen.study.autocomplete.completion": "Completion Typing",
    "shakegen.study.autocomplete.measures": "AutocompleteEvaluation",
    "shakegen.study.autocomplete.observations": "Observations",
    "shakegen.study.autocomplete.outputs": "Outputs",
    "shakegen.study.connectivity.connections": "Connections",
    "shakegen.study.connectivity.script": "Script",
    "shakegen.text.encoding": "Part",
    "shakegen.text.ngram": "Baseline KneserNey",
    "shakegen.text.spelling": "Spelling",
    "shakegen.text.vocabulary": "Reading",
    "shakegen.text.word_vocabulary": "ListedVocabulary",
    "shakegen.text.windows": "Batches",
}


@functools.cache
def list_public_names() -> dict[str, list[str]]:
    """The public names of each module: those in `__all__` of packages, and `MORE`."""
    packages = ["shakegen"]
    packages += [found.name for found in pkgutil.walk_packages(shakegen.__path__, "shakegen.") if found.ispkg]
    listed = {name: list(getattr(importlib.import_module(name), "__all__", [])) for name in packages}
    names = {name: found for name, found in listed.items() if found and name not in INTERNAL}
    for module, more in MORE.items():
        names.setdefault(module, []).extend(more.split())
    return dict(sorted(names.items()))


@functools.cache
def find_homes() -> dict[tuple[str, str], str]:
    """For each module and name, the full name under which the reference describes it: the first that it has."""
    homes, first = {}, {}
    for module, names in list_public_names().items():
        for name in names:
            value = getattr(importlib.import_module(module), name)
            key = id(value) if callable(value) else f"{module}.{name}"
            homes[module, name] = first.setdefault(key, f"{module}.{name}")
    return homes
