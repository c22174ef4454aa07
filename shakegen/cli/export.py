"""The commands that write models for other programs, and read such files."""

from pathlib import Path

import click

from shakegen.checks import require
from shakegen.cli.group import main
from shakegen.cli.options import input_encoding_option, model_argument, out_option, refuse_idle
from shakegen.export.exporting import SUFFIXES, write_export


@main.command()
@model_argument
@click.option("--to", "kind", type=click.Choice(list(SUFFIXES)), required=True, help="The format.")
@out_option("The file; for a SavedModel, the folder.  [default: the name of MODEL, in this folder, if that is free]")
def export(model, kind, out):
    """Write MODEL for other programs.

    onnx: for ONNX Runtime, on any device. safetensors: the weights by their names; `shakegen import` reads it back, bit
    for bit. keras: for `keras.models.load_model`; of Keras's own layers if the cell is one of Keras's, else first
    `import shakegen.layers`. savedmodel: for TensorFlow alone, with the functions serve and sample.

    Each is compared with the model along 200 random symbols. If a logit differs by more than 0.0001, nothing is
    written. onnx needs `pip install onnx onnxruntime`, and safetensors `pip install safetensors`.

    \b
    shakegen export models/my-gru.h5 --to onnx
    shakegen export sonnets-lstm --to keras --out sonnets.keras
    """
    from shakegen.files import refuse_existing, refuse_same
    from shakegen.model import load

    if out is None:
        out = Path(f"{Path(model).stem}{SUFFIXES[kind]}")
        refuse_existing(out)
    if not out.name.endswith(SUFFIXES[kind]):
        raise ValueError(f"cannot write {kind} to {out}: expected a name that ends in {SUFFIXES[kind]}")
    refuse_same(out, [model])
    difference = write_export(load(model), kind, out)
    click.echo(f"Saved: {out}; its logits differ from the model's by {difference:.1g} at most", err=True)


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--symbols", type=click.Path(path_type=Path), help="Of a .keras model, the character of each id: a .json "
              "list, or a text whose characters, sorted, are the symbols.")  # fmt: skip
@input_encoding_option
@out_option("The model file; one that is there is kept.  [default: models/<name>.h5]")
def import_model(file, symbols, encoding, out):
    """Read a model that another program wrote.

    FILE is a .safetensors file of `shakegen export`, or a .keras file.

    A .keras file may be a textbook's: an Embedding or one-hot vectors, recurrent layers of Keras or shakegen.layers,
    all of one kind and size, and a Dense layer that predicts the next character. Its model can then write, be measured,
    and be put on a page.

    \b
    shakegen import my-gru.safetensors
    shakegen import textbook.keras --symbols corpus.txt
    """
    from shakegen.files import ensure_writable, refuse_existing
    from shakegen.network.quiet import quiet_tensorflow, without_extras

    if not file.is_file():
        raise FileNotFoundError(f"no file {file}: expected one that ends in .safetensors or .keras")
    if file.suffix not in (".safetensors", ".keras"):
        raise ValueError(f"cannot read {file}: expected a name that ends in .safetensors or .keras")
    out = out or Path("models", f"{file.stem}.h5")
    refuse_existing(out)
    if file.suffix == ".safetensors":
        from shakegen.export.tensors import read_tensors

        refuse_idle("on a .safetensors file, which has its own symbols", "symbols", "encoding")
        require(["safetensors"], "this format")
        model = read_tensors(file)
    else:
        if symbols is None:
            raise ValueError("the symbols are missing: give the characters of the model with --symbols FILE")
        if symbols.suffix.lower() == ".json":
            refuse_idle("on a list in JSON", "encoding")
        with quiet_tensorflow(), without_extras():
            from shakegen.export.keras_file import load_keras

            model = load_keras(file, symbols, encoding)
    ensure_writable(out)
    refuse_existing(out)  # somebody may have made it meanwhile
    model.save(out)
    click.echo(f"Saved: {out}, a {model.config.cell} of {model.parameters:,} weights", err=True)
