"""A learned initial state, for any layer that holds one recurrent cell."""

import keras
from keras import ops


class LearnedInitialState:
    """Gives a recurrent layer the argument `learn_initial_state`: weights in place of the zeros it would start from.

    Name it before the Keras layer, forward the argument, and nothing else is needed; it does nothing while False:

        class GRU(LearnedInitialState, keras.layers.GRU):
            def __init__(self, units, *, learn_initial_state=False, **kwargs):
                super().__init__(units, learn_initial_state=learn_initial_state, **kwargs)

    The layer then owns one vector per state, `learned_states[k]` of shape (state_size[k],), zeros at first and trained
    by backpropagation like any weight; they come before the cell's in `weights`. Every call without `initial_state`
    starts each sample of the batch from them, and so does `get_initial_state(batch_size)`.

    A stateful layer starts there every sample that has not begun: one whose states are all exactly zero, as building
    the layer, `reset_state()`, or assigning zeros to that sample's rows of `states` leaves them. From then on it
    carries on.

    Args:
        learn_initial_state: whether to learn the initial state. False by default.
    """

    def __init__(self, *args, learn_initial_state=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.learn_initial_state = learn_initial_state
        self.learned_states = None
        if learn_initial_state and hasattr(self, "use_cudnn") and keras.backend.backend() != "tensorflow":
            self.use_cudnn = False  # Keras's Bidirectional would start cuDNN's loop from zeros

    def build(self, sequences_shape, initial_state_shape=None):
        if self.learn_initial_state and self.learned_states is None:
            self.learned_states = [
                self.add_weight(shape=(size,), initializer="zeros", name=f"initial_state_{k}")
                for k, size in enumerate(self.state_size)
            ]
        super().build(sequences_shape, initial_state_shape)

    def get_initial_state(self, batch_size):
        """The states a sequence starts from: a list of tensors, the k-th of shape (batch_size, state_size[k])."""
        zeros = super().get_initial_state(batch_size)
        if self.learned_states is None:
            return zeros
        return [zero + ops.cast(start, zero.dtype) for zero, start in zip(zeros, self.learned_states)]

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if initial_state is None and self.stateful and self.learn_initial_state:
            initial_state = self._carried_or_learned_states()
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def _carried_or_learned_states(self):
        begun = ops.any(
            ops.concatenate([ops.not_equal(state, 0) for state in self.states], axis=1), axis=1, keepdims=True
        )
        starts = self.get_initial_state(self.states[0].shape[0])
        return [ops.where(begun, ops.cast(state, start.dtype), start) for state, start in zip(self.states, starts)]

    def get_config(self):
        return {**super().get_config(), "learn_initial_state": self.learn_initial_state}
