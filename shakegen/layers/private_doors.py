"""Names of TensorFlow and Keras that are not public, and that the compiled loop needs: they stand here alone.

Attributes:
    xla: slices of XLA, whose starts may be tensors, and which it fuses with what reads them.
    record: whether a tape is recording, and how not to let it.
    forwardprop_util: which accumulators differentiate forward.
    AutocastScope: in which a Keras variable is read in a dtype; None: in its own.
    missing: why they are not there; None where they are. Then Keras's own loop runs.
"""

import keras

try:
    if keras.backend.backend() != "tensorflow":  # which takes seconds to load, and has no use there
        raise ImportError("Keras runs on another backend")
    from keras.src.backend import AutocastScope
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops as xla
    from tensorflow.python.eager import forwardprop_util, record

    missing = None
except ImportError as error:
    xla = record = forwardprop_util = AutocastScope = None
    missing = str(error)


def is_mapped() -> bool:
    """Whether `tf.vectorized_map` or a tape's Jacobian is writing down what it will run for many values at once.

    It cannot convert XLA's slices. TensorFlow gives no other sign of it than this scope.
    """
    import tensorflow as tf

    return "loop_body" in tf.get_current_name_scope().split("/")


def may_be_differentiated() -> bool:
    """Whether a gradient may be asked for that the compiled loop gives: eagerly, or by a tape that records in a graph.

    A function that is traced without a tape is exported, or serves, or `tf.gradients` differentiates it. In a graph, an
    accumulator of `tf.autodiff` would find no tangent; two of them, one within the other, find none eagerly.
    """
    import tensorflow as tf

    accumulators = len(forwardprop_util.pack_tangents([]).indices)
    return accumulators < 2 if tf.executing_eagerly() else record.could_possibly_record() and not accumulators
