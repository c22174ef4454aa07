"""A learned initial state, for any layer that holds one recurrent cell."""

import keras
from keras import ops

from shakegen.layers.carried import Carried


class Untracked:
    """A variable that is no weight of its layer, as Keras's own states are none."""

    def __init__(self, variable: keras.Variable):
        self.variable = variable


class LearnedInitialState:
    """Gives a recurrent layer the argument `learn_initial_state`: weights in place of the zeros it would start from.

    Name it before the Keras layer, forward the argument, and nothing else is needed; it does nothing while False:

        class GRU(LearnedInitialState, keras.layers.GRU):
            def __init__(self, units, *, learn_initial_state=False, **kwargs):
                super().__init__(units, learn_initial_state=learn_initial_state, **kwargs)

    The layer then owns one vector per state, `learned_states[k]` of shape (state_size[k],), zeros at first and trained
    by backpropagation like any weight; they come before the cell's in `weights`. Every call without `initial_state`
    starts each sample of the batch from them, and so does `get_initial_state(batch_size)`.

    A stateful layer starts there every sample that has not begun, and then carries on. Building the layer and
    `reset_state()` let all samples begin anew. The variable `begun`, (batch, 1), has a 1 for each sample that has
    begun: assign a 0 to let one begin anew.

    Args:
        learn_initial_state: whether to learn the initial state. False by default.
    """

    begun = property(lambda self: self._begun and self._begun.variable)

    def __init__(self, *args, learn_initial_state=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.learn_initial_state = learn_initial_state
        self.learned_states = self._begun = None
        if learn_initial_state and hasattr(self, "use_cudnn") and keras.backend.backend() != "tensorflow":
            self.use_cudnn = False  # Keras's Bidirectional would start cuDNN's loop from zeros

    def build(self, sequences_shape, initial_state_shape=None):
        if self.learn_initial_state and self.learned_states is None:
            self.learned_states = [
                self.add_weight(shape=(size,), initializer="zeros", name=f"initial_state_{k}")
                for k, size in enumerate(self.state_size)
            ]
            for state in self.learned_states:
                setattr(self, state.name, state)  # checkpoints of TensorFlow find weights by attributes
        super().build(sequences_shape, initial_state_shape)
        if self.learn_initial_state and self.stateful and self._begun is None:
            self._begun = Untracked(keras.Variable(ops.zeros((sequences_shape[0], 1)), trainable=False, name="begun"))

    def reset_state(self):
        super().reset_state()
        if self._begun is not None:
            self.begun.assign(ops.zeros_like(self.begun.value))

    def get_initial_state(self, batch_size):
        """The states a sequence starts from: a list of tensors, the k-th of shape (batch_size, state_size[k])."""
        zeros = super().get_initial_state(batch_size)
        if self.learned_states is None:
            return zeros
        return [zero + ops.cast(start, zero.dtype) for zero, start in zip(zeros, self.learned_states)]

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if self._begun is None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        if initial_state is None:
            starts = self.get_initial_state(self.begun.shape[0])
            initial_state = Carried(self.states, self.begun.value == 0).start(starts)
        returned = super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        self.begun.assign(ops.ones_like(self.begun.value))
        return returned

    def get_config(self):
        return {**super().get_config(), "learn_initial_state": self.learn_initial_state}
