"""Layer normalisation and zoneout for the layers that are Keras's."""

from shakegen.layers.equation_step import EquationStep, dtype_of_steps, to_plain


class ExtendedCell:
    """Gives a layer whose cell is Keras's options that Keras's cell does not have.

    With one of them the cell computes the equations of its record in `shakegen.cells`; without, it is Keras's own. The
    activations must then be tanh, sigmoid, relu or linear. Recurrent dropout then acts on h on its way into products
    with weights, by one mask for all gates; `implementation` has no effect.

    Args:
        layer_norm: whether products with weights are normalised over their width and scaled, and an LSTM's memory on
            its way out (Ba, Kiros & Hinton 2016, arXiv 1607.06450).
        zoneout: share of the states that a step of training leaves as they were, 0 to 0.99; elsewhere each state is
            its mean in training (Krueger et al. 2017, arXiv 1606.01305).

    Raises:
        ValueError: an option is out of range, the activations are others, or `use_cudnn` is True.
    """

    def _extend_cell(self, **extensions):
        self._extensions, kind = {name: to_plain(value) for name, value in extensions.items()}, type(self.cell)
        if not any(extensions.values()):
            return
        if getattr(self, "_use_cudnn", False) is True:
            raise ValueError(f"`use_cudnn` must be 'auto' or False with `{'` or `'.join(extensions)}`. Received: True")
        try:
            record = self._recurrence()
        except KeyError as error:
            raise ValueError(
                f"`{'` and `'.join(extensions)}` go with the activations tanh, sigmoid, relu and linear. "
                f"Received: {getattr(error.args[0], '__name__', error.args[0])}"
            ) from None
        for name, value in self._extensions.items():
            record.check_option(name, value)
        by_equations = type(kind.__name__, (EquationStep, kind), {})
        self.cell = self._copy_cell(by_equations, dtype=dtype_of_steps(self.cell.dtype_policy))
        self.cell.record = record
        self.supports_jit = True  # Keras's LSTM and GRU say no, for cuDNN, which knows neither option

    def _copy_cell(self, kind, **more):
        """A cell of another kind in place of the layer's, with its arguments and more."""
        given = {name: getattr(self.cell, name) for name in self.cell.get_config()}
        self._tracker.untrack(self.cell)  # else Keras keeps it, and its random state
        self._kind_of_cell = kind
        return kind(**given | {"dtype": self.cell.dtype_policy} | more)

    def get_config(self):
        return {**super().get_config(), **self._extensions}
