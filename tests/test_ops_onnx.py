"""The reference layers on ONNX's own node tests, translated from channels first to last.

These cases are written by others for other runtimes, so they share no assumption with this
package. Every case of the six operators is either run or excluded for a reason that stands here;
the two lists are spelled out, so that a new version of ``onnx`` cannot drop or add one unseen.
"""

import importlib

import numpy as np
import onnx
import pytest
from closeness import assert_close
from onnx.backend.test.case import node as onnx_nodes

from cnncourse import ops

# Importing one of these registers its cases; the loader that onnx offers imports all operators.
for _module in (
    "averagepool",
    "batch_normalization",
    "conv",
    "globalaveragepool",
    "maxpool",
    "softmax",
):
    importlib.import_module(f"{onnx_nodes.__name__}.{_module}")

OPERATORS = {
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "GlobalAveragePool",
    "MaxPool",
    "Softmax",
}

RUN = {
    "test_averagepool_2d_default",
    "test_averagepool_2d_pads",
    "test_averagepool_2d_precomputed_pads",
    "test_averagepool_2d_precomputed_same_upper",
    "test_averagepool_2d_precomputed_strides",
    "test_averagepool_2d_same_lower",
    "test_averagepool_2d_same_upper",
    "test_averagepool_2d_strides",
    "test_basic_conv_with_padding",
    "test_basic_conv_without_padding",
    "test_batchnorm_epsilon",
    "test_batchnorm_epsilon_training_mode",
    "test_batchnorm_example",
    "test_batchnorm_example_training_mode",
    "test_conv_with_autopad_same",
    "test_conv_with_strides_and_asymmetric_padding",
    "test_conv_with_strides_no_padding",
    "test_conv_with_strides_padding",
    "test_globalaveragepool",
    "test_globalaveragepool_precomputed",
    "test_maxpool_2d_default",
    "test_maxpool_2d_pads",
    "test_maxpool_2d_precomputed_pads",
    "test_maxpool_2d_precomputed_same_upper",
    "test_maxpool_2d_precomputed_strides",
    "test_maxpool_2d_same_lower",
    "test_maxpool_2d_same_upper",
    "test_maxpool_2d_strides",
    "test_maxpool_2d_uint8",
    "test_maxpool_with_argmax_2d_precomputed_pads",
    "test_maxpool_with_argmax_2d_precomputed_strides",
    "test_softmax_axis_0",
    "test_softmax_axis_1",
    "test_softmax_axis_2",
    "test_softmax_default_axis",
    "test_softmax_example",
    "test_softmax_large_number",
    "test_softmax_negative_axis",
}
"""Of the cases with a position of the maximum as second output, the first output is compared."""

ONE_AXIS = "signals with one axis: these layers are for images"
THREE_AXES = "volumes with three axes: these layers are for images"
CEIL = "output sizes rounded up: Keras has no such mode"
COUNTED = "padding counted in an average: here it never is"
DILATED = "dilated windows: the course has none"

EXCLUDED = {
    "test_averagepool_1d_default": ONE_AXIS,
    "test_averagepool_2d_ceil": CEIL,
    "test_averagepool_2d_ceil_last_window_starts_on_pad": CEIL,
    "test_averagepool_2d_dilations": DILATED,
    "test_averagepool_2d_pads_count_include_pad": COUNTED,
    "test_averagepool_2d_precomputed_pads_count_include_pad": COUNTED,
    "test_averagepool_3d_default": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": THREE_AXES,
    "test_averagepool_3d_dilations_small": THREE_AXES,
    "test_maxpool_1d_default": ONE_AXIS,
    "test_maxpool_2d_ceil": CEIL,
    "test_maxpool_2d_ceil_output_size_reduce_by_one": CEIL,
    "test_maxpool_2d_dilations": DILATED,
    "test_maxpool_3d_default": THREE_AXES,
    "test_maxpool_3d_dilations": THREE_AXES,
    "test_maxpool_3d_dilations_use_ref_impl": THREE_AXES,
    "test_maxpool_3d_dilations_use_ref_impl_large": THREE_AXES,
}


def single_node_cases():
    """The cases by name, without those that spell one operator out as a graph of others."""
    cases = {}
    for case in onnx_nodes._NodeTestCases:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in OPERATORS:
            cases[case.name] = case
    return cases


CASES = single_node_cases()


def reason_to_exclude(operator, inputs, attributes):
    """Why the reference layers do not cover a case, or None: derived, not listed."""
    if operator in {"Conv", "AveragePool", "MaxPool"} and inputs[0].ndim != 4:
        return {3: ONE_AXIS, 5: THREE_AXES}[inputs[0].ndim]
    if set(attributes.get("dilations", [1])) != {1}:
        return DILATED
    if attributes.get("ceil_mode"):
        return CEIL
    return COUNTED if attributes.get("count_include_pad") else None


def attributes_of(node):
    return {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}


def channels_last(array):
    return np.moveaxis(array, 1, -1)


def window_options(inputs, window, attributes):
    """Strides and padding in the words of the reference layers."""
    strides = tuple(attributes.get("strides", (1, 1)))
    mode = attributes.get("auto_pad", b"NOTSET")
    if mode == b"NOTSET":
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        return {"strides": strides, "padding": ((top, bottom), (left, right))}
    if mode == b"SAME_UPPER":
        return {"strides": strides, "padding": "same"}
    assert mode == b"SAME_LOWER"  # the odd place goes before
    edges = map(ops.same_padding, inputs.shape[2:], window, strides)
    return {"strides": strides, "padding": tuple((after, before) for before, after in edges)}


def run_node(operator, inputs, attributes):
    """What the reference layers make of a node's inputs, channels first again."""
    images = channels_last(inputs[0])
    if operator == "Softmax":
        return [ops.softmax(inputs[0], axis=attributes.get("axis", -1))]
    if operator == "GlobalAveragePool":
        return [ops.global_average_pool2d(images)[:, :, np.newaxis, np.newaxis]]
    if operator == "BatchNormalization":
        scale, offset, mean, variance = inputs[1:]
        options = {
            "scale": scale,
            "offset": offset,
            "epsilon": attributes.get("epsilon", 1e-5),
        }
        if not attributes.get("training_mode"):
            outputs = ops.batch_normalization(images, mean, variance, **options)
            return [np.moveaxis(outputs, -1, 1)]
        outputs, *batch = ops.batch_normalization_train(images, **options)
        kept = attributes.get("momentum", 0.9)
        moving = [
            kept * old + (1 - kept) * new for old, new in zip((mean, variance), batch, strict=True)
        ]
        return [np.moveaxis(outputs, -1, 1), *moving]
    window = tuple(attributes["kernel_shape"])
    options = window_options(inputs[0], window, attributes)
    if operator == "Conv":
        kernel = inputs[1].transpose(2, 3, 1, 0)
        outputs = ops.conv2d(images, kernel, *inputs[2:], **options)
    else:
        pool = {"AveragePool": ops.average_pool2d, "MaxPool": ops.max_pool2d}[operator]
        outputs = pool(images, window, **options)
    return [np.moveaxis(outputs, -1, 1)]


def test_no_case_appears_or_disappears_unseen():
    assert set(CASES) == RUN | set(EXCLUDED)
    assert {case.model.graph.node[0].op_type for case in CASES.values()} == OPERATORS


@pytest.mark.parametrize("name", sorted(EXCLUDED))
def test_a_case_is_excluded_for_the_reason_stated(name):
    case = CASES[name]
    (node,) = case.model.graph.node
    inputs, _ = case.data_sets[0]
    assert reason_to_exclude(node.op_type, inputs, attributes_of(node)) == EXCLUDED[name]


@pytest.mark.parametrize("name", sorted(RUN))
def test_onnx_node(name):
    case = CASES[name]
    (node,) = case.model.graph.node
    attributes = attributes_of(node)
    for inputs, wanted in case.data_sets:
        assert reason_to_exclude(node.op_type, inputs, attributes) is None
        outputs = run_node(node.op_type, inputs, attributes)
        if not name.startswith("test_maxpool_with_argmax"):
            assert len(outputs) == len(wanted)
        for ours, theirs in zip(outputs, wanted, strict=False):
            assert ours.dtype == theirs.dtype
            assert ours.shape == theirs.shape
            assert_close(ours, theirs, terms=100)
