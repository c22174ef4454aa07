"""Operations of TensorFlow without public names that the compiled loop needs: they are named here alone.

Attributes:
    xla: slices of XLA, whose starts may be tensors, and which it fuses with what reads them.
    record: whether a tape is recording, and how not to let it.
    missing: why they are not there; None where they are. Then Keras's own loop runs.
"""

try:
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops as xla
    from tensorflow.python.eager import record

    missing = None
except ImportError as error:
    xla = record = None
    missing = str(error)


def is_mapped() -> bool:
    """Whether `tf.vectorized_map` or a tape's Jacobian is writing down what it will run for many values at once.

    It cannot convert XLA's slices. TensorFlow gives no other sign of it than this scope.
    """
    import tensorflow as tf

    return "loop_body" in tf.get_current_name_scope().split("/")
