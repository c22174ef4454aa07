"""A network as an ONNX model, for programs that know nothing of shakegen.

The model reads whole sequences and gives the logits after each symbol. Its states are inputs and outputs, so a
sequence may be read in pieces, down to single symbols. Its metadata have all that a writer needs.
"""

import json
from collections.abc import Sequence

import numpy as np

from shakegen import __version__
from shakegen.cells.cell import Cell, OnnxNode
from shakegen.cells.graph import Graph, trace
from shakegen.cells.program import depends_on, order_of
from shakegen.export.onnx_nodes import NODES, Arrays, Nodes
from shakegen.export.texts import texts_of_outputs
from shakegen.inference.layers import layers_of

OPSET, IR = 18, 9


def make_onnx(model):
    """The `onnx.ModelProto` of a `LanguageModel` or an `AutocompleteModel`.

    Its inputs are `ids`, int64 (N, T), and a state (N, H) for each state of each layer, such as `layer1/h`. Its outputs
    are `logits`, float32 (N, T, outputs), and the states after the last symbol, such as `layer1/h/after`. N and T are
    free. Its metadata are strings of JSON: `vocabulary`, the text of each id; `outputs`, the text of each logit; both
    with null where there is none; `config`; `corpus`; and `start`, the states that a text starts from, where they are
    not zeros.

    Raises:
        ModuleNotFoundError: onnx is not installed.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    config, weights = model.config, dict(model.weights)
    arrays, inputs, outputs, start = Arrays(), [], [], {}
    nodes = Nodes(arrays, "network")
    ids = nodes.add("Transpose", "ids", perm=[1, 0])  # time comes first
    # The same ids, but an error for T = 0, where nodes of ONNX Runtime end the program or clear the states.
    ids = nodes.add("Reshape", ids, arrays.constant([0, -1]))
    hidden = embed(nodes, ids, weights.get("embedding/embeddings"), len(model.vocabulary))
    for number, (equations, own, size) in enumerate(layers_of(config, weights), 1):
        names = [f"layer{number}/{name}" for name in equations.state_names]
        below, node = hidden, find_node(equations)
        if node:
            hidden = add_node(nodes, node, equations.gates, own, hidden, names)
        else:
            hidden = add_loop(nodes, trace(equations, size), own, hidden, names)
        if config.adds_layers and number > 1:
            hidden = nodes.add("Add", hidden, below)
        for k, name in enumerate(names):
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", config.units]))
            outputs.append(helper.make_tensor_value_info(f"{name}/after", TensorProto.FLOAT, ["N", config.units]))
            if f"initial_state_{k}" in own:
                start[name] = own[f"initial_state_{k}"].tolist()
    kernel, bias = (arrays.add(weights[f"dense/{part}"], f"dense/{part}") for part in ("kernel", "bias"))
    read_out = nodes.add("Add", nodes.add("MatMul", hidden, kernel), bias)
    nodes.add("Transpose", read_out, name="logits", perm=[1, 0, 2])
    graph = helper.make_graph(
        nodes.list,
        config.cell,
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["N", "T"]), *inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", len(weights["dense/bias"])]), *outputs],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.held.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=IR, producer_name="shakegen")
    made.producer_version = __version__
    texts = {
        "vocabulary": model.vocabulary.to_json(),
        "outputs": texts_of_outputs(model),
        "config": config.to_dict(),
        "corpus": model.corpus,
        "start": start,
    }
    helper.set_model_props(made, {name: json.dumps(value) for name, value in texts.items()})
    checker.check_model(made, full_check=True)
    return made


def embed(nodes: Nodes, ids: str, embeddings: np.ndarray | None, size: int) -> str:
    """The vectors of ids, (T, N, width): one-hot without an embedding."""
    if embeddings is not None:
        return nodes.add("Gather", nodes.arrays.add(embeddings, "embedding"), ids)
    return nodes.add("OneHot", ids, nodes.arrays.constant([size]), nodes.arrays.add(np.array([0, 1], np.float32)))


def find_node(cell: Cell) -> OnnxNode | None:
    """The standard node that computes a layer; None if there is none."""
    node = None if cell.zoneout else cell.onnx_node()
    return None if node and "linear" in node.activations else node


def add_node(nodes: Nodes, node: OnnxNode, gates: Sequence[str], weights, hidden: str, names: list[str]) -> str:
    """Append a layer as a standard node, whose weights are those of the cell in another order.

    Args:
        nodes: of the network.
        node: the kind of node.
        gates: of the cell, in the order of its weights.
        weights, hidden, names: as for `add_loop`.

    Returns:
        The name of its output, (T, N, H).
    """
    order = [gates.index(gate) for gate in node.gates]

    def reorder(weight):  # (a, gates · H) → (1, gates · H, a)
        return np.concatenate([np.split(weight.T, len(order))[k] for k in order])[None]

    kernel, recurrent = reorder(weights["kernel"]), reorder(weights["recurrent_kernel"])
    biases = np.zeros((2, kernel.shape[1]), np.float32)  # of the input, and of h
    biases[: weights["bias"].ndim] = reorder(np.atleast_2d(weights["bias"]))[0].T
    prefix, (zero, one) = names[0].partition("/")[0], (nodes.arrays.constant([axis]) for axis in (0, 1))
    arrays = {"W": kernel, "R": recurrent, "B": biases.reshape(1, -1)}
    shown, *after = nodes.add(
        node.kind,
        hidden,
        *(nodes.arrays.add(array, f"{prefix}/{name}") for name, array in arrays.items()),
        "",  # the sequences are equally long
        *(nodes.add("Unsqueeze", name, zero) for name in names),
        outputs=1 + len(names),
        hidden_size=recurrent.shape[2],
        activations=[NODES[name] for name in node.activations],
        **node.attributes,
    )
    for name, state in zip(names, after, strict=True):
        nodes.add("Squeeze", state, zero, name=f"{name}/after")
    return nodes.add("Squeeze", shown, one)


def add_loop(nodes: Nodes, graph: Graph, weights, hidden: str, names: list[str]) -> str:
    """Append a layer: the symbols that depend on its inputs alone for all steps at once, then a loop over time.

    Args:
        nodes: of the network.
        graph: of a step.
        weights: of the layer, by name.
        hidden: its input, (T, N, inputs).
        names: of its states, (N, H) each. The states after the last step have "/after" behind them.

    Returns:
        The name of its output, (T, N, H).
    """
    from onnx import TensorProto, helper

    values = {symbol: weights[name] for name, symbol in graph.weights.items()}
    after, states = list(graph.after.values()), list(graph.states.values())
    moving = depends_on(after, states)
    at_once = depends_on(after, [graph.x]) - moving
    looped = [symbol for symbol in order_of(after) if symbol in moving or symbol in after]
    needed = dict.fromkeys(one for symbol in looped for one in (symbol, *symbol.inputs) if one in {graph.x, *at_once})
    fed = nodes.compute(needed, {graph.x: hidden}, values)
    layer = names[0].partition("/")[0]
    prefix = f"{layer}/step"  # of names that no state has
    body = Nodes(nodes.arrays, prefix)
    into = [f"{name}/before" for name in names], [f"{prefix}/input{number}" for number in range(len(fed))]
    known = dict(zip([*states, *needed], [*into[0], *into[1]], strict=True))
    out = [body.rename(name, f"{prefix}/new{k}") for k, name in enumerate(body.compute(after, known, values))]
    output = body.rename(out[0], f"{prefix}/shown")

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    units = states[0].shape[-1]
    widths = [units] * len(states) + [symbol.shape[-1] for symbol in needed]
    step = helper.make_graph(
        body.list,
        f"{layer} step",
        [value(name, "N", width) for name, width in zip([*into[0], *into[1]], widths, strict=True)],
        [value(name, "N", units) for name in [*out, output]],
    )
    results = [f"{name}/after" for name in names]
    shown = f"{prefix}/outputs"
    nodes.list.append(helper.make_node("Scan", [*names, *fed], [*results, shown], body=step, num_scan_inputs=len(fed)))
    return shown
