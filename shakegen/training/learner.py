"""One step of training after the other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from shakegen.layers.carried import carrying, make_states
from shakegen.layers.dropout import scale_dropout
from shakegen.training.workers.replicas import Replicas

AHEAD = 8  # batches made at a time: threads that take turns for each one would cost more than a small batch


class Crossentropy:
    """The mean cross entropy of ids, in nats, from logits; an id below 0 does not count.

    No `keras.losses.Loss`, which would make floats of the ids: bfloat16, say, has no 257.
    """

    def __call__(self, targets, logits) -> tf.Tensor:
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), logits)
        return tf.reduce_sum(tf.where(targets >= 0, nats, 0)) / tf.cast(tf.maximum(1, self.count(targets)), nats.dtype)

    def count(self, targets) -> tf.Tensor:
        """The number of targets that count."""
        return tf.math.count_nonzero(targets >= 0, dtype=tf.int32)


class Learner:
    """A network that learns from the batches of a run, in their order.

    Args:
        network: the `keras.Model`, compiled.
        replicas: the copies of the network, with the batches that they learn from.
        forward: from inputs to the input of the loss, with the weights of the network; by default the network itself.
        loss: a mean, from targets and the outputs of `forward`; its `count` is the number of targets averaged.

    Attributes:
        batches: the whole batches.
        replicas: as given.
        states: of layers, for `carrying`, if the batches carry any.
    """

    def __init__(self, network: keras.Model, replicas: Replicas, forward: keras.Model | None = None, loss=None):
        self._forward, self._loss = forward or network, loss or Crossentropy()
        self.network, self.strategy, self.batches, self.replicas = network, replicas.strategy, replicas.whole, replicas
        carries = replicas.batches.carries_state
        self.states = replicas.make(lambda: make_states(network, replicas.width)) if carries else {}
        self._step, self._dropout = self._function(), 1.0
        self._momentum = float(network.optimizer.ema_momentum.numpy()) if network.optimizer.use_ema else 0.0
        self._maker = ThreadPoolExecutor(1)

    def begin(self, number: int) -> None:
        """Go to a batch, by its number in the run."""
        self._number, self._made = number, self._make_batches(number)

    def prepare(self, number: int) -> tuple[tf.Tensor, ...]:
        """The inputs and targets of a batch, and which rows begin anew."""
        batches = self.replicas.batches
        return tuple(map(tf.constant, (*batches.pair(number), batches.begins(number))))

    def _make_batches(self, number: int) -> Iterator[tuple[tf.Tensor, ...]]:
        """The batches from a number on; the next ones are made while the network learns from those before."""

        def make(first):
            return [self.prepare(k) for k in range(first, first + AHEAD)]

        made = self._maker.submit(make, number)
        while True:
            number += AHEAD
            ready, made = made.result(), self._maker.submit(make, number)
            yield from ready

    def __call__(self, rate: float, dropout: float = 1.0) -> float:
        """Learn from the next batch, at a learning rate and with the network's dropout scaled; returns the loss."""
        self.strategy.order("learn", rate=rate, dropout=dropout)
        if self._momentum:  # less at first, as in `tf.train.ExponentialMovingAverage`
            momentum = min(self._momentum, (1 + self._number) / (10 + self._number))
            self.network.optimizer.ema_momentum.assign(momentum)
        if dropout != self._dropout:
            scale_dropout(self.network, dropout)
            self._dropout = dropout
        given = *next(self._made), tf.constant(rate, tf.float32)
        loss = self.strategy.wait_for(lambda: float(self._step(*given)))
        self._number += 1
        return loss

    def loss(self, inputs, targets, training: bool = False) -> tf.Tensor:
        """The mean loss of the network on a batch, in nats."""
        return self._loss(targets, self._forward(inputs, training=training))

    def _function(self):
        network, replicas = self.network, self.replicas

        def learn(inputs, targets, begins):
            with tf.GradientTape() as tape, carrying(network, self.states, begins):
                loss = self.loss(inputs, targets, training=True)
            variables = network.trainable_variables
            # An embedding's gradient has a slice for each look-up; Keras's Adam would square these, not their sums.
            gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]
            *gradients, loss = replicas.mean([*gradients, loss], self._loss.count(targets))
            network.optimizer.apply(gradients, variables)
            return loss

        @tf.function(jit_compile=False, autograph=False)  # dropout is several times slower under XLA
        def step(inputs, targets, begins, rate):
            network.optimizer.learning_rate.assign(rate)  # here, an operation of the graph, it takes no call of its own
            return replicas.run(learn, (inputs, targets, begins))

        return step
