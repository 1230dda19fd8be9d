// A network as the exporter wrote it: reading manifest and weights, checking them, and running
// an image through. How a single layer computes stands in layers.js.

import * as layers from "./layers.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Pair} Pair */

/**
 * One layer of a manifest; which settings it has depends on its type.
 * @typedef {object} LayerEntry
 * @property {string} type
 * @property {string} name
 * @property {number[]} output_shape
 * @property {Pair} [window] height and width of the kernel or pool
 * @property {Pair} [strides]
 * @property {"valid" | "same"} [padding]
 * @property {number} [epsilon]
 * @property {number} [rate]
 * @property {Record<string, {offset: number, shape: number[]}>} [weights]
 */

/**
 * @typedef {object} Manifest
 * @property {string} format
 * @property {number} version
 * @property {string} name
 * @property {{shape: [number, number, number], range: Pair}} input
 * @property {string[]} classes
 * @property {{file: string, dtype: "float16" | "float32", bytes: number}} weights
 * @property {LayerEntry[]} layers
 */

/** @typedef {{manifest: Manifest, weights: Record<string, Float32Array>[]}} Network */

/** Something the reader can understand and mend; its message is shown as it stands. */
export class Complaint extends Error {}

const LARGEST_FILE = 256 * 2 ** 20;

const KNOWN = new Set([
  "conv2d", "dense", "batch_normalization", "relu", "softmax", "average_pool2d", "max_pool2d",
  "global_average_pool2d", "flatten", "dropout",
]);

/** @param {unknown} value */
const isCount = (value) => Number.isInteger(value) && /** @type {number} */ (value) > 0;

/** @param {unknown} value @param {number} length */
const areCounts = (value, length) =>
  Array.isArray(value) && value.length === length && value.every(isCount);

/**
 * Reads a manifest, and complains in a sentence about the first thing wrong with it.
 * @param {string} text
 * @returns {Manifest}
 */
export function readManifest(text) {
  /** @type {Manifest} */
  let manifest;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw new Complaint("The manifest is not a JSON file. Export the network again.");
  }
  if (manifest?.format !== "cnncourse-explorer") {
    throw new Complaint(
      "This JSON file is not the manifest of an exported network. " +
        "Make one with: cnncourse export MODEL --to explorer FOLDER",
    );
  }
  if (manifest.version !== 1) {
    throw new Complaint(
      `The manifest has version ${manifest.version}; this page reads version 1.`,
    );
  }
  const problem = findProblem(manifest);
  if (problem) throw new Complaint(`The manifest is damaged: ${problem}. Export the network again.`);
  return manifest;
}

/**
 * @param {Manifest} manifest
 * @returns {string} empty when all is well
 */
function findProblem(manifest) {
  const { input, classes, weights } = manifest;
  if (typeof manifest.name !== "string") return "the network has no name";
  if (!areCounts(input?.shape, 3) || ![1, 3].includes(input.shape[2])) {
    return "the input shape is not (height, width, one or three channels)";
  }
  if (!Array.isArray(input.range) || !input.range.every(Number.isFinite)) {
    return "the input has no range";
  }
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === "string")) {
    return "the classes have no names";
  }
  // A bare file name: an export can point at nothing outside its own folder.
  if (!/^[\w.-]+$/.test(weights?.file ?? "") || weights.file.startsWith(".")) {
    return "it does not name a weight file beside it";
  }
  const width = weights.dtype === "float16" ? 2 : weights.dtype === "float32" ? 4 : 0;
  if (!width || !isCount(weights.bytes)) return "the form of the weights is not stated";
  if (weights.bytes > LARGEST_FILE) return "it asks for more than 256 MB of weights";
  if (!Array.isArray(manifest.layers) || manifest.layers.length === 0) return "it has no layers";
  let shape = input.shape.slice();
  for (const layer of manifest.layers) {
    const problem = findLayerProblem(layer, shape, weights.bytes / width);
    if (problem) return `layer ${layer?.name ?? "without a name"} ${problem}`;
    shape = outputShape(layer, shape);
    if (String(shape) !== String(layer.output_shape)) {
      return `layer ${layer.name} gives the shape ${shape.join(" × ")}, not ${layer.output_shape.join(" × ")}`;
    }
  }
  if (manifest.layers.at(-1)?.type !== "softmax" || shape.length !== 1) {
    return "it does not end in a softmax";
  }
  if (shape[0] !== classes.length) return `${classes.length} classes for ${shape[0]} outputs`;
  return "";
}

/**
 * @param {LayerEntry} layer
 * @param {number[]} shape of its input
 * @param {number} available how many weights the file holds
 */
function findLayerProblem(layer, shape, available) {
  if (!KNOWN.has(layer?.type)) return `is of an unknown type (${layer?.type})`;
  if (typeof layer.name !== "string") return "";
  if (!Array.isArray(layer.output_shape)) return "has no output shape";
  const channels = /** @type {number} */ (shape.at(-1));
  const filters = /** @type {number} */ (layer.output_shape.at(-1));
  if (["conv2d", "average_pool2d", "max_pool2d"].includes(layer.type)) {
    if (shape.length !== 3) return "wants maps, not a row of numbers";
    if (!areCounts(layer.window, 2) || !areCounts(layer.strides, 2)) return "has no window";
    if (layer.padding !== "same" && layer.padding !== "valid") return "has no padding";
  }
  if (layer.type === "batch_normalization" && !(Number(layer.epsilon) > 0)) return "has no epsilon";
  /** @type {Record<string, number[]>} */
  const wanted = {
    conv2d: { kernel: [...(layer.window ?? []), channels, filters], bias: [filters] },
    dense: { kernel: [channels, filters], bias: [filters] },
    batch_normalization: {
      moving_mean: [channels], moving_variance: [channels], gamma: [channels], beta: [channels],
    },
  }[layer.type] ?? {};
  for (const [role, size] of Object.entries(wanted)) {
    const place = layer.weights?.[role];
    if (!place) {
      if (["bias", "gamma", "beta"].includes(role)) continue;
      return `has no ${role}`;
    }
    if (String(place.shape) !== String(size)) return `has a ${role} of the wrong shape`;
    const end = place.offset + size.reduce((product, side) => product * side, 1);
    if (!Number.isInteger(place.offset) || place.offset < 0 || end > available) {
      return `has a ${role} outside the weight file`;
    }
  }
  return "";
}

/**
 * @param {LayerEntry} layer
 * @param {number[]} shape of its input
 * @returns {number[]}
 */
function outputShape(layer, shape) {
  const channels = /** @type {number} */ (shape.at(-1));
  switch (layer.type) {
    case "conv2d":
    case "average_pool2d":
    case "max_pool2d": {
      const { window, strides, padding } = windowOf(layer);
      const sides = /** @type {const} */ ([0, 1]).map((axis) =>
        layers.outputLength(
          shape[axis], window[axis], strides[axis],
          layers.paddingAlong(shape[axis], window[axis], strides[axis], padding, axis),
        ),
      );
      const filters = /** @type {number} */ (layer.output_shape.at(-1));
      return [...sides, layer.type === "conv2d" ? filters : channels];
    }
    case "dense":
      return [...shape.slice(0, -1), /** @type {number} */ (layer.output_shape.at(-1))];
    case "global_average_pool2d":
      return [channels];
    case "flatten":
      return [shape.reduce((product, side) => product * side, 1)];
    default:
      return shape;
  }
}

/**
 * The settings of a layer that slides a window.
 * @param {LayerEntry} layer
 */
export function windowOf(layer) {
  const { window = [1, 1], strides = [1, 1], padding = "valid" } = layer;
  return { window, strides, padding };
}

/**
 * Cuts the weight file into arrays, one record per layer.
 * @param {Manifest} manifest
 * @param {ArrayBuffer} buffer
 * @returns {Network}
 */
export function readWeights(manifest, buffer) {
  const { file, dtype, bytes } = manifest.weights;
  if (buffer.byteLength !== bytes) {
    const state = buffer.byteLength < bytes ? "cut short" : "too long";
    throw new Complaint(
      `The weight file ${file} is ${state}: ${buffer.byteLength} bytes instead of ${bytes}. ` +
        "Export or download it again.",
    );
  }
  const numbers = dtype === "float16" ? fromHalf(buffer) : fromSingle(buffer);
  const weights = manifest.layers.map((layer) =>
    Object.fromEntries(
      Object.entries(layer.weights ?? {}).map(([role, { offset, shape }]) => [
        role,
        numbers.slice(offset, offset + shape.reduce((product, side) => product * side, 1)),
      ]),
    ),
  );
  return { manifest, weights };
}

/**
 * Half precision, bit by bit: 1 for the sign, 5 for the exponent, 10 for the fraction.
 * @param {ArrayBuffer} buffer little-endian
 */
export function fromHalf(buffer) {
  const view = new DataView(buffer);
  return Float32Array.from({ length: buffer.byteLength / 2 }, (_, index) => {
    const bits = view.getUint16(2 * index, true);
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = (bits & 0x3ff) / 1024;
    if (exponent === 0) return sign * fraction * 2 ** -14;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction) * 2 ** (exponent - 15);
  });
}

/** @param {ArrayBuffer} buffer little-endian */
function fromSingle(buffer) {
  const view = new DataView(buffer);
  return Float32Array.from({ length: buffer.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/**
 * One layer on one image.
 * @param {LayerEntry} layer
 * @param {Record<string, Float32Array>} weights
 * @param {Maps} inputs
 * @returns {Maps}
 */
export function runLayer(layer, weights, inputs) {
  const { window, strides, padding } = windowOf(layer);
  switch (layer.type) {
    case "conv2d":
      return layers.conv2d(inputs, weights.kernel, window, weights.bias, { strides, padding });
    case "dense":
      return layers.dense(inputs, weights.kernel, weights.bias);
    case "batch_normalization":
      return layers.batchNormalization(
        inputs, /** @type {import("./layers.js").Moments} */ (weights), layer.epsilon ?? 0,
      );
    case "relu":
      return layers.relu(inputs);
    case "average_pool2d":
      return layers.averagePool2d(inputs, window, { strides, padding });
    case "max_pool2d":
      return layers.maxPool2d(inputs, window, { strides, padding });
    case "global_average_pool2d":
      return layers.globalAveragePool2d(inputs);
    case "flatten":
      return layers.flatten(inputs);
    case "softmax":
      return layers.softmax(inputs);
    default:
      // Dropout is awake in training only: in an answer it passes everything on.
      return inputs;
  }
}

/**
 * The whole forward pass.
 * @param {Network} network
 * @param {Float32Array} image values in row, column, channel order, in the network's range
 * @returns {Maps[]} the input first, then the output of every layer
 */
export function run(network, image) {
  const [height, width, channels] = network.manifest.input.shape;
  if (image.length !== height * width * channels) {
    throw new Complaint(`Got ${image.length} numbers for a ${height} × ${width} × ${channels} image.`);
  }
  const outputs = [{ height, width, channels, data: image }];
  network.manifest.layers.forEach((layer, index) => {
    outputs.push(runLayer(layer, network.weights[index], outputs[index]));
  });
  return outputs;
}
