"""The convolution over time against Keras's."""

import keras
import numpy as np
import pytest

from shakegen.layers.convolution import CausalConvolution

N, T, H = 3, 12, 4


@pytest.mark.parametrize("width", [1, 2, 4])
def test_it_is_the_causal_convolution_of_keras(width, rng):
    x = rng.normal(size=(N, T, H)).astype("float32")
    own, other = CausalConvolution(width), keras.layers.DepthwiseConv1D(width, padding="valid", use_bias=False)
    found = own(x)
    padded = np.pad(x, ((0, 0), (width - 1, 0), (0, 0)))
    other.build(padded.shape)
    other.set_weights([keras.ops.convert_to_numpy(own.kernel)[:, :, None]])
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (found, other(padded))), rtol=0, atol=1e-6)


def test_a_file_that_has_one_loads(tmp_path, rng):
    x = rng.normal(size=(N, T, H)).astype("float32")
    model = keras.Sequential([keras.Input((None, H)), CausalConvolution(3), keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(*(keras.ops.convert_to_numpy(one(x)) for one in (again, model)), rtol=0, atol=1e-6)
