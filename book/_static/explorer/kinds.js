// What each kind of layer is: the fields that it may have, the weights that it wants, the shape
// and the maps that come out. A new kind is one entry here and its name in KNOWN of network.js.

import * as layers from "./layers.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Pair} Pair */
/** @typedef {import("./network.js").LayerEntry} LayerEntry */

/**
 * @typedef {object} Kind
 * @property {string[]} [fields] what its entry may hold besides name, type, shape and weights
 * @property {(layer: LayerEntry, shape: number[]) => string} [problem] with its fields, or ""
 * @property {(layer: LayerEntry, shape: number[]) => Record<string, number[]>} [weights]
 * @property {string[]} [optional] weights that may be absent
 * @property {(layer: LayerEntry, shape: number[]) => number[]} [shape] of its output
 * @property {(layer: LayerEntry, shape: number[]) => number} [work] steps for one number of its output
 * @property {(layer: LayerEntry, inputs: Maps[], weights: Record<string, Float32Array>) => Maps} run
 */

/** @param {unknown} value */
const isCount = (value) => Number.isInteger(value) && /** @type {number} */ (value) > 0;

/** @param {unknown} value @param {number} length */
export const areCounts = (value, length) =>
  Array.isArray(value) && value.length === length && value.every(isCount);

/** @param {unknown} value */
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/**
 * The settings of a layer that slides a window.
 * @param {LayerEntry} layer
 */
export function windowOf(layer) {
  const { window = [1, 1], strides = [1, 1], padding = "valid", dilation_rate: dilation = [1, 1] } = layer;
  /** @type {Pair} what the window covers, gaps included */
  const covers = [layers.reach(window[0], dilation[0]), layers.reach(window[1], dilation[1])];
  return { window, strides, padding, dilation, covers };
}

/** @param {number[]} shape */
export const volume = (shape) => shape.reduce((product, side) => product * side, 1);

/** @param {number[]} shape */
const depth = (shape) => /** @type {number} */ (shape.at(-1));

/** @param {LayerEntry} layer */
const area = (layer) => volume(windowOf(layer).window);

/** @param {LayerEntry} _ @param {number[]} shape */
const wantsMaps = (_, shape) => (shape.length === 3 ? "" : "wants maps, not a row of numbers");

/** @param {LayerEntry} layer @param {number[]} shape */
function windowProblem(layer, shape) {
  if (wantsMaps(layer, shape)) return wantsMaps(layer, shape);
  if (!areCounts(layer.window, 2)) return "has no window";
  if (!areCounts(layer.strides, 2)) return "has no strides";
  if (layer.padding !== "same" && layer.padding !== "valid") return "has no padding";
  if (layer.dilation_rate !== undefined && !areCounts(layer.dilation_rate, 2)) {
    return "has a dilation that is not two counts";
  }
  const { covers } = windowOf(layer);
  if (layer.padding === "valid" && (covers[0] > shape[0] || covers[1] > shape[1])) {
    return `lays a window of ${covers.join(" × ")} on maps of ${shape[0]} × ${shape[1]}, where it fits nowhere`;
  }
  return "";
}

/** @param {LayerEntry} layer @param {number[]} shape */
function slidingShape(layer, shape) {
  const { strides, padding, covers } = windowOf(layer);
  return /** @type {const} */ ([0, 1]).map((axis) =>
    layers.outputLength(
      shape[axis], covers[axis], strides[axis],
      layers.paddingAlong(shape[axis], covers[axis], strides[axis], padding, axis),
    ),
  );
}

/**
 * A function of one number; `settings` are numbers that the entry must hold.
 * @param {(value: number, layer: LayerEntry) => number} of
 * @param {string[]} settings
 * @returns {Kind}
 */
const pointwise = (of, settings = []) => ({
  fields: settings,
  problem: (layer) => {
    const entry = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (layer));
    const missing = settings.find((name) => !isNumber(entry[name]));
    return missing ? `has no ${missing}` : "";
  },
  run: (layer, [inputs]) => layers.each(inputs, (value) => of(value, layer)),
});

/**
 * @param {(inputs: Maps, size: Pair, settings: import("./layers.js").Sliding) => Maps} run
 * @returns {Kind}
 */
const pooling = (run) => ({
  fields: ["window", "strides", "padding"],
  problem: windowProblem,
  shape: (layer, shape) => [...slidingShape(layer, shape), depth(shape)],
  work: area,
  run: (layer, [inputs]) => {
    const { window, strides, padding } = windowOf(layer);
    return run(inputs, window, { strides, padding });
  },
});

/**
 * @param {(inputs: Maps) => Maps} run
 * @returns {Kind}
 */
const globalPooling = (run) => ({
  fields: ["keepdims"],
  problem: (layer, shape) =>
    wantsMaps(layer, shape) ||
    (layer.keepdims === undefined || typeof layer.keepdims === "boolean" ? "" : "has a keepdims that is neither true nor false"),
  shape: (layer, shape) => (layer.keepdims ? [1, 1, depth(shape)] : [depth(shape)]),
  work: (_, shape) => volume(shape) / depth(shape),
  run: (_, [inputs]) => run(inputs),
});

/** @type {Record<string, Kind>} */
export const KINDS = {
  conv2d: {
    fields: ["window", "strides", "padding", "dilation_rate", "groups"],
    problem: (layer, shape) => {
      const problem = windowProblem(layer, shape);
      const { groups = 1 } = layer;
      if (problem || groups === 1) return problem;
      return isCount(groups) && depth(shape) % groups === 0 && depth(layer.output_shape) % groups === 0
        ? ""
        : "has groups that do not divide its channels";
    },
    weights: (layer, shape) => ({
      kernel: [...windowOf(layer).window, depth(shape) / (layer.groups ?? 1), depth(layer.output_shape)],
      bias: [depth(layer.output_shape)],
    }),
    optional: ["bias"],
    shape: (layer, shape) => [...slidingShape(layer, shape), depth(layer.output_shape)],
    work: (layer, shape) => (area(layer) * depth(shape)) / (layer.groups ?? 1),
    run: (layer, [inputs], { kernel, bias }) => {
      const { window, strides, padding, dilation } = windowOf(layer);
      return layers.conv2d(inputs, kernel, window, bias, { strides, padding, dilation, groups: layer.groups });
    },
  },
  depthwise_conv2d: {
    fields: ["window", "strides", "padding", "dilation_rate"],
    problem: (layer, shape) =>
      windowProblem(layer, shape) ||
      (depth(layer.output_shape) % depth(shape) ? "gives a number of maps that is no multiple of its input's" : ""),
    weights: (layer, shape) => ({
      kernel: [...windowOf(layer).window, depth(shape), depth(layer.output_shape) / depth(shape)],
      bias: [depth(layer.output_shape)],
    }),
    optional: ["bias"],
    shape: (layer, shape) => [...slidingShape(layer, shape), depth(layer.output_shape)],
    work: area,
    run: (layer, [inputs], { kernel, bias }) => {
      const { window, strides, padding, dilation } = windowOf(layer);
      return layers.depthwiseConv2d(inputs, kernel, window, bias, { strides, padding, dilation });
    },
  },
  dense: {
    weights: (layer, shape) => ({
      kernel: [depth(shape), depth(layer.output_shape)],
      bias: [depth(layer.output_shape)],
    }),
    optional: ["bias"],
    shape: (layer, shape) => [...shape.slice(0, -1), depth(layer.output_shape)],
    work: (_, shape) => depth(shape),
    run: (_, [inputs], { kernel, bias }) => layers.dense(inputs, kernel, bias),
  },
  batch_normalization: {
    fields: ["epsilon"],
    problem: ({ epsilon }) => (isNumber(epsilon) && Number(epsilon) >= 0 ? "" : "has no epsilon"),
    weights: (_, shape) => {
      const each = [depth(shape)];
      return { moving_mean: each, moving_variance: each, gamma: each, beta: each };
    },
    optional: ["gamma", "beta"],
    run: (layer, [inputs], weights) =>
      layers.batchNormalization(
        inputs, /** @type {import("./layers.js").Moments} */ (/** @type {unknown} */ (weights)), layer.epsilon ?? 0,
      ),
  },
  rescaling: {
    fields: ["scale", "offset"],
    problem: ({ scale, offset }, shape) =>
      [scale, offset].every(
        (values) => Array.isArray(values) && [1, depth(shape)].includes(values.length) && values.every(isNumber),
      )
        ? ""
        : "has no scale and offset, one for all channels or one for each",
    run: ({ scale = [1], offset = [0] }, [inputs]) => layers.rescaling(inputs, scale, offset),
  },
  average_pool2d: pooling(layers.averagePool2d),
  max_pool2d: pooling(layers.maxPool2d),
  global_average_pool2d: globalPooling(layers.globalAveragePool2d),
  global_max_pool2d: globalPooling(layers.globalMaxPool2d),
  zero_padding2d: {
    fields: ["padding"],
    problem: (layer, shape) => {
      const pairs = /** @type {unknown} */ (layer.padding);
      const fits =
        Array.isArray(pairs) &&
        pairs.length === 2 &&
        pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0));
      return wantsMaps(layer, shape) || (fits ? "" : "does not say how many zeros it adds");
    },
    shape: (layer, [height, width, channels]) => {
      const [[top, bottom], [left, right]] = zerosOf(layer);
      return [top + height + bottom, left + width + right, channels];
    },
    run: (layer, [inputs]) => layers.zeroPadding2d(inputs, zerosOf(layer)),
  },
  flatten: {
    shape: (_, shape) => [volume(shape)],
    run: (_, [inputs]) => layers.flatten(inputs),
  },
  dropout: {
    fields: ["rate"],
    problem: ({ rate }) => (isNumber(rate) && Number(rate) >= 0 && Number(rate) < 1 ? "" : "has no rate between 0 and 1"),
    // Dropout is awake in training only: in an answer it passes everything on.
    run: (_, [inputs]) => inputs,
  },
  relu: {
    fields: ["max_value", "negative_slope", "threshold"],
    problem: ({ max_value: most = null, negative_slope: slope = 0, threshold = 0 }) =>
      (most === null || isNumber(most)) && isNumber(slope) && isNumber(threshold) ? "" : "has a setting that is not a number",
    run: (layer, [inputs]) => layers.each(inputs, (value) => layers.relu(value, layer)),
  },
  leaky_relu: pointwise((value, { negative_slope }) => layers.relu(value, { negative_slope }), ["negative_slope"]),
  elu: pointwise((value, { alpha = 1 }) => layers.elu(value, alpha), ["alpha"]),
  gelu: {
    fields: ["approximate"],
    problem: ({ approximate }) => (typeof approximate === "boolean" ? "" : "does not say whether it is approximate"),
    run: (layer, [inputs]) => layers.each(inputs, (value) => layers.gelu(value, layer.approximate ?? false)),
  },
  sigmoid: pointwise(layers.sigmoid),
  tanh: pointwise(Math.tanh),
  softmax: { run: (_, [inputs]) => layers.softmax(inputs) },
  add: { run: (_, inputs) => layers.add(inputs) },
};

/**
 * The zeros that a ZeroPadding2D adds: [[top, bottom], [left, right]].
 * @param {LayerEntry} layer
 */
export const zerosOf = (layer) => /** @type {[Pair, Pair]} */ (layer.padding);
