// A network as the exporter wrote it: reading manifest and weights, checking them, and running
// an image through. What each kind of layer computes stands in kinds.js.

import { KINDS, areCounts, volume } from "./kinds.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Pair} Pair */

/**
 * One layer of a manifest; which settings it has depends on its type.
 * @typedef {object} LayerEntry
 * @property {string} type
 * @property {string} name
 * @property {number[]} output_shape
 * @property {number[]} [inputs] numbers of outputs: 0 is the image, k the output of the k-th layer
 * @property {Pair} [window] height and width of the kernel or pool
 * @property {Pair} [strides]
 * @property {"valid" | "same" | [Pair, Pair]} [padding]
 * @property {Pair} [dilation_rate]
 * @property {number} [groups]
 * @property {boolean} [keepdims]
 * @property {number[]} [scale]
 * @property {number[]} [offset]
 * @property {number} [epsilon]
 * @property {number} [rate]
 * @property {number | null} [max_value]
 * @property {number} [negative_slope]
 * @property {number} [threshold]
 * @property {number} [alpha]
 * @property {boolean} [approximate]
 * @property {Record<string, {offset: number, shape: number[]}>} [weights]
 */

/**
 * @typedef {object} Manifest
 * @property {string} format
 * @property {number} version
 * @property {string} name
 * @property {{shape: [number, number, number], range: Pair}} input
 * @property {"softmax" | "sigmoid" | "scores"} [answer] what its last numbers are
 * @property {string[]} classes
 * @property {{file: string, dtype: "float16" | "float32", bytes: number}} weights
 * @property {LayerEntry[]} layers
 */

/** @typedef {{manifest: Manifest, weights: Record<string, Float32Array>[]}} Network */

/** Something the reader can understand and mend; its message is shown as it stands. */
export class Complaint extends Error {}

// What a phone computes in a few seconds, and holds without running out of memory.
const LARGEST_FILE = 256 * 2 ** 20;
const MOST_STEPS = 2e9;
const MOST_NUMBERS = 2 ** 24;
const MOST_LAYERS = 500;
const LONGEST_TEXT = 500;

// Kept as one literal, because a test compares it with the exporter's list.
const KNOWN = new Set([
  "conv2d", "depthwise_conv2d", "dense", "batch_normalization", "rescaling", "average_pool2d",
  "max_pool2d", "global_average_pool2d", "global_max_pool2d", "zero_padding2d", "flatten",
  "dropout", "relu", "leaky_relu", "elu", "gelu", "sigmoid", "tanh", "softmax", "add",
]);

/** @param {unknown} value */
const isText = (value) => typeof value === "string" && value.trim() !== "" && value.length <= LONGEST_TEXT;

/** @param {unknown} value */
const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

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
  if (manifest.version !== 1 && manifest.version !== 2) {
    throw new Complaint(
      `The manifest has version ${excerpt(manifest.version)}; this page reads versions 1 and 2.`,
    );
  }
  const problem = findProblem(manifest);
  if (problem) throw new Complaint(`The manifest is damaged: ${problem}. Export the network again.`);
  refuseWhatIsTooLarge(manifest);
  return manifest;
}

/**
 * A value of a damaged file, short enough for a sentence.
 * @param {unknown} value
 */
function excerpt(value) {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/**
 * @param {Manifest} manifest
 * @returns {string} empty when all is well
 */
function findProblem(manifest) {
  const { input, classes, weights, answer = "softmax" } = manifest;
  if (!isText(manifest.name)) return `the network has no name of up to ${LONGEST_TEXT} letters`;
  if (!areCounts(input?.shape, 3) || ![1, 3].includes(input.shape[2])) {
    return "the input shape is not (height, width, one or three channels)";
  }
  const { range } = input;
  if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isFinite)) {
    return "the input has no range of two numbers";
  }
  if (range[0] === range[1]) return "the range of the input is empty: black and white are the same number";
  if (!Array.isArray(classes) || classes.length === 0 || !classes.every(isText)) {
    return "the classes have no names";
  }
  if (!isRecord(weights)) return "it says nothing of the weights";
  // A bare file name: an export can point at nothing outside its own folder.
  if (typeof weights.file !== "string" || !/^\w[\w.-]{0,99}$/.test(weights.file)) {
    return "it does not name a weight file beside it";
  }
  const width = weights.dtype === "float16" ? 2 : weights.dtype === "float32" ? 4 : 0;
  if (!width || !Number.isInteger(weights.bytes) || weights.bytes < 0 || weights.bytes % width) {
    return "the form of the weights is not stated";
  }
  if (weights.bytes > LARGEST_FILE) return "it asks for more than 256 MB of weights";
  if (!Array.isArray(manifest.layers) || manifest.layers.length === 0) return "it has no layers";
  if (manifest.layers.length > MOST_LAYERS) return `it has more than ${MOST_LAYERS} layers`;
  /** @type {number[][]} */
  const shapes = [input.shape];
  const names = new Set();
  for (const [index, layer] of manifest.layers.entries()) {
    const problem = findLayerProblem(layer, shapes, weights.bytes / width);
    const called = isText(layer?.name) ? excerpt(layer.name) : `${index + 1}, without a name,`;
    if (problem) return `layer ${called} ${problem}`;
    if (names.has(layer.name)) return `two layers have the name ${called}`;
    names.add(layer.name);
    shapes.push(layer.output_shape);
  }
  return findAnswerProblem(manifest, answer, shapes);
}

/**
 * @param {Manifest} manifest
 * @param {string} answer
 * @param {number[][]} shapes
 */
function findAnswerProblem({ classes, layers }, answer, shapes) {
  const shape = shapes[layers.length];
  const last = layers[layers.length - 1].type;
  if (!["softmax", "sigmoid", "scores"].includes(answer)) return `its answer is of an unknown form (${excerpt(answer)})`;
  if (shape.length !== 1) return "it does not end in one row of numbers";
  if (answer !== "scores" && last !== answer) return `it does not end in a ${answer}`;
  if (answer === "scores" && (last === "softmax" || last === "sigmoid")) return `it ends in a ${last}, not in scores`;
  if (answer === "softmax" && shape[0] < 2) return "a softmax over one number is always 1";
  const wanted = shape[0] === 1 ? 2 : shape[0];
  return classes.length === wanted ? "" : `it has ${classes.length} classes for ${shape[0]} outputs`;
}

/**
 * @param {LayerEntry} layer
 * @param {number[][]} shapes of the image and of all layers before this one
 * @param {number} available how many weights the file holds
 */
function findLayerProblem(layer, shapes, available) {
  if (!isRecord(layer)) return "is no record of settings";
  if (!KNOWN.has(layer.type)) return `is of an unknown type (${excerpt(layer.type)})`;
  if (!isText(layer.name)) return `has no name of up to ${LONGEST_TEXT} letters`;
  const kind = KINDS[layer.type];
  const fields = new Set(["type", "name", "output_shape", "inputs", "weights", ...(kind.fields ?? [])]);
  const unknown = Object.keys(layer).find((field) => !fields.has(field));
  if (unknown) return `has a setting that this page does not know (${excerpt(unknown)})`;
  const { inputs = [shapes.length - 1], output_shape: output } = layer;
  if (!Array.isArray(inputs) || !inputs.every((n) => Number.isInteger(n) && n >= 0 && n < shapes.length)) {
    return "has inputs that do not come before it";
  }
  const adds = layer.type === "add";
  if (adds ? inputs.length < 2 : inputs.length !== 1) return `has ${inputs.length} inputs`;
  const shape = shapes[inputs[0]];
  if (inputs.some((n) => String(shapes[n]) !== String(shape))) return "adds outputs of different shapes";
  if (!areCounts(output, 1) && !areCounts(output, 3)) return "has no output shape";
  const problem = kind.problem?.(layer, shape);
  if (problem) return problem;
  const found = kind.shape?.(layer, shape) ?? shape;
  if (String(found) !== String(output)) {
    return `gives the shape ${found.join(" × ")}, not ${output.join(" × ")}`;
  }
  return findWeightProblem(layer, shape, available);
}

/**
 * @param {LayerEntry} layer
 * @param {number[]} shape of its input
 * @param {number} available
 */
function findWeightProblem(layer, shape, available) {
  const kind = KINDS[layer.type];
  const wanted = kind.weights?.(layer, shape) ?? {};
  const { weights = {} } = layer;
  if (!isRecord(weights)) return "has no record of its weights";
  const unknown = Object.keys(weights).find((role) => !Object.hasOwn(wanted, role));
  if (unknown) return `has weights that this page does not know (${excerpt(unknown)})`;
  for (const [role, size] of Object.entries(wanted)) {
    const place = weights[role];
    if (place === undefined && kind.optional?.includes(role)) continue;
    if (!isRecord(place)) return `has no ${role}`;
    if (!Array.isArray(place.shape) || String(place.shape) !== String(size)) return `has a ${role} of the wrong shape`;
    if (!Number.isInteger(place.offset) || place.offset < 0 || place.offset + volume(size) > available) {
      return `has a ${role} outside the weight file`;
    }
  }
  return "";
}

/**
 * A network can be sound and still too much for a page. What it costs is known before it runs.
 * @param {Manifest} manifest whole and consistent
 */
function refuseWhatIsTooLarge({ name, input, layers }) {
  const shapes = [/** @type {number[]} */ (input.shape), ...layers.map((layer) => layer.output_shape)];
  const numbers = shapes.reduce((sum, shape) => sum + volume(shape), 0);
  if (numbers > MOST_NUMBERS) {
    throw new Complaint(
      `${excerpt(name)} holds ${inWords(numbers)} numbers between its layers for one image; this page has room ` +
        `for ${inWords(MOST_NUMBERS)}. Export it with a smaller input.`,
    );
  }
  const steps = layers.reduce((sum, layer, index) => {
    const shape = shapes[inputsOf(layers, index)[0]];
    return sum + volume(layer.output_shape) * (KINDS[layer.type].work?.(layer, shape) ?? 1);
  }, 0);
  if (steps > MOST_STEPS) {
    throw new Complaint(
      `${excerpt(name)} multiplies and adds ${inWords(steps)} times for one image; this page takes networks of up ` +
        `to ${inWords(MOST_STEPS)}, which a browser computes in some seconds. Export it with a smaller input.`,
    );
  }
}

/** @param {number} count */
function inWords(count) {
  const [size, word] = count >= 1e9 ? [1e9, "billion"] : [1e6, "million"];
  return `${(count / size).toLocaleString("en", { maximumSignificantDigits: 3 })} ${word}`;
}

/**
 * The outputs that a layer reads: 0 is the image, k the output of the k-th layer.
 * @param {LayerEntry[]} layers
 * @param {number} index of the layer, counted from 0
 */
export const inputsOf = (layers, index) => layers[index].inputs ?? [index];

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
        numbers.slice(offset, offset + volume(shape)),
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
 * The whole forward pass.
 * @param {Network} network
 * @param {Float32Array} image values in row, column, channel order, in the network's range
 * @returns {Maps[]} the input first, then the output of every layer
 */
export function run({ manifest, weights }, image) {
  const [height, width, channels] = manifest.input.shape;
  if (image.length !== height * width * channels) {
    throw new Complaint(`Got ${image.length} numbers for a ${height} × ${width} × ${channels} image.`);
  }
  const outputs = [{ height, width, channels, data: image }];
  manifest.layers.forEach((layer, index) => {
    const inputs = inputsOf(manifest.layers, index).map((number) => outputs[number]);
    outputs.push(KINDS[layer.type].run(layer, inputs, weights[index]));
  });
  return outputs;
}

/**
 * Where numbers stopped being numbers: the first layer that puts out NaN or infinity, and the
 * first that holds one among its weights.
 * @param {Network} network
 * @param {Maps[]} outputs as `run` gave them
 * @returns {{layer: number, holds: number, count: number} | null} `holds` is −1 when all weights
 *   are finite
 */
export function findDivergence({ weights }, outputs) {
  /** @param {Float32Array} data */
  const broken = (data) => data.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  const layer = outputs.findIndex(({ data }) => broken(data) > 0) - 1;
  if (layer < 0) return null;
  const counts = weights.map((arrays) => Object.values(arrays).reduce((sum, data) => sum + broken(data), 0));
  const holds = counts.findIndex((count) => count > 0);
  return { layer, holds, count: counts[holds] ?? 0 };
}
