// How one number came about: its receptive field on the image, and the arithmetic of its layer
// with every number that took part. Showing it belongs to the page.

import { at, paddingAlong } from "./layers.js";
import { windowOf, zerosOf } from "./kinds.js";
import { inputsOf } from "./network.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Pair} Pair */
/** @typedef {import("./network.js").LayerEntry} LayerEntry */
/** @typedef {import("./network.js").Network} Network */
/** @typedef {Pick<Maps, "height" | "width" | "channels">} Size */

/**
 * A rectangle of pixels; it may reach beyond the image, where the padding is.
 * @typedef {{top: number, left: number, height: number, width: number}} Box
 */

/** @typedef {{layer: number, row: number, column: number, channel: number}} Place */

/**
 * One number and where it came from. `window` lies on the layer's input; with dilation it holds
 * gaps. A convolution reads `channels` maps, from map `first` on. Arrays named `patch` and
 * `products` hold NaN where the window lies in the padding.
 * @typedef {{value: number, window: Box} & (
 *   | {type: "conv2d", size: Pair, channels: number, first: number, patch: Float32Array,
 *      kernel: Float32Array, sums: number[], bias: number}
 *   | {type: "pool", summary: "average" | "max", size: Pair, patch: Float32Array, count: number}
 *   | {type: "batch_normalization", input: number, mean: number, variance: number,
 *      epsilon: number, gamma: number, beta: number}
 *   | {type: "rescaling", input: number, scale: number, offset: number}
 *   | {type: "function", input: number, entry: LayerEntry}
 *   | {type: "padding", inside: boolean}
 *   | {type: "add", inputs: number[], numbers: number[]}
 *   | {type: "same", input: number, rate: number}
 *   | {type: "flatten", input: number, from: {row: number, column: number, channel: number}}
 *   | {type: "softmax", inputs: Float32Array, powers: number[], total: number, channel: number}
 * )} Explanation
 */

/**
 * @param {Maps} maps
 * @param {number} row
 * @param {number} column
 * @param {number} channel
 */
export function valueAt(maps, row, column, channel) {
  return maps.data[(row * maps.width + column) * maps.channels + channel];
}

/**
 * Whether a layer weighs several maps of its input for one number.
 * @param {LayerEntry} layer
 */
export const mixes = ({ type }) => type === "conv2d" || type === "dense";

/**
 * The part of a layer's input that one output position reads, padding included.
 * @param {LayerEntry} layer
 * @param {Size} inputs
 * @param {{row: number, column: number, channel?: number}} place on the layer's output
 * @returns {Box}
 */
export function windowOn(layer, inputs, { row, column, channel = 0 }) {
  switch (layer.type) {
    case "conv2d":
    case "depthwise_conv2d":
    case "average_pool2d":
    case "max_pool2d": {
      const { covers, strides, padding } = windowOf(layer);
      const [above] = paddingAlong(inputs.height, covers[0], strides[0], padding, 0);
      const [before] = paddingAlong(inputs.width, covers[1], strides[1], padding, 1);
      return {
        top: row * strides[0] - above,
        left: column * strides[1] - before,
        height: covers[0],
        width: covers[1],
      };
    }
    case "global_average_pool2d":
    case "global_max_pool2d":
      return { top: 0, left: 0, height: inputs.height, width: inputs.width };
    case "zero_padding2d": {
      const [[top], [left]] = zerosOf(layer);
      return { top: row - top, left: column - left, height: 1, width: 1 };
    }
    case "flatten": {
      const from = beforeFlatten(inputs, channel);
      return { top: from.row, left: from.column, height: 1, width: 1 };
    }
    default:
      return { top: row, left: column, height: 1, width: 1 };
  }
}

/**
 * Where the number at a place of the flat row stood before Flatten.
 * @param {Pick<Maps, "width" | "channels">} inputs
 * @param {number} index
 */
function beforeFlatten({ width, channels }, index) {
  const pixel = Math.floor(index / channels);
  return { row: Math.floor(pixel / width), column: pixel % width, channel: index % channels };
}

/**
 * The smallest box around two.
 * @param {Box | undefined} one
 * @param {Box} other
 * @returns {Box}
 */
function around(one, other) {
  if (!one) return other;
  const top = Math.min(one.top, other.top);
  const left = Math.min(one.left, other.left);
  return {
    top,
    left,
    height: Math.max(one.top + one.height, other.top + other.height) - top,
    width: Math.max(one.left + one.width, other.left + other.width) - left,
  };
}

/**
 * The receptive field on the image: from layer to layer backwards, along every way that leads
 * there, the box of positions that the number depends on. It may be larger than the image.
 * @param {LayerEntry[]} entries
 * @param {Size[]} outputs as `run` gives them
 * @param {Place} place
 * @returns {Box}
 */
export function receptiveField(entries, outputs, { layer, row, column, channel }) {
  /** @type {(Box | undefined)[]} */
  const boxes = [];
  // The channel is only known as long as no layer on the way reads several of them.
  /** @type {number[]} */
  const channels = [];
  boxes[layer + 1] = { top: row, left: column, height: 1, width: 1 };
  channels[layer + 1] = channel;
  for (let index = layer; index >= 0; index--) {
    const box = boxes[index + 1];
    if (!box) continue;
    const entry = entries[index];
    const known = mixes(entry) || entry.type === "softmax" ? NaN : channels[index + 1];
    for (const number of inputsOf(entries, index)) {
      const inputs = outputs[number];
      const whole = { top: 0, left: 0, height: inputs.height, width: inputs.width };
      const first = windowOn(entry, inputs, { row: box.top, column: box.left, channel: known });
      const last = windowOn(entry, inputs, {
        row: box.top + box.height - 1,
        column: box.left + box.width - 1,
        channel: known,
      });
      const seen = entry.type === "flatten" && Number.isNaN(known) ? whole : around(first, last);
      boxes[number] = around(boxes[number], seen);
      channels[number] = number in channels && channels[number] !== known ? NaN : known;
    }
  }
  // Without a way to the image (there is always one) nothing of it would count.
  return boxes[0] ?? { top: 0, left: 0, height: 0, width: 0 };
}

/**
 * The numbers of one channel under a window; NaN in the padding.
 * @param {Maps} inputs
 * @param {Box} box
 * @param {number} channel
 * @param {Pair} [dilation] distance of neighbouring weights
 */
function cut(inputs, box, channel, dilation = [1, 1]) {
  const [height, width] = [box.height, box.width].map((side, axis) => Math.ceil(side / dilation[axis]));
  const patch = new Float32Array(height * width).fill(NaN);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const row = box.top + i * dilation[0];
      const column = box.left + j * dilation[1];
      if (row < 0 || column < 0 || row >= inputs.height || column >= inputs.width) continue;
      patch[i * width + j] = valueAt(inputs, row, column, channel);
    }
  }
  return patch;
}

/**
 * @param {Network} network
 * @param {Maps[]} outputs as `run` gave them
 * @param {Place} place
 * @returns {Explanation}
 */
export function explain(network, outputs, place) {
  const { layer, row, column, channel } = place;
  const entries = network.manifest.layers;
  const entry = entries[layer];
  const numbers = inputsOf(entries, layer);
  const inputs = outputs[numbers[0]];
  const value = valueAt(outputs[layer + 1], row, column, channel);
  const window = windowOn(entry, inputs, place);
  switch (entry.type) {
    case "conv2d":
    case "depthwise_conv2d":
    case "dense":
      return weighted(network, outputs, place, window);
    case "batch_normalization": {
      const weights = network.weights[layer];
      return {
        type: "batch_normalization",
        value,
        window,
        input: valueAt(inputs, row, column, channel),
        mean: weights.moving_mean[channel],
        variance: weights.moving_variance[channel],
        epsilon: entry.epsilon ?? 0,
        gamma: weights.gamma ? weights.gamma[channel] : 1,
        beta: weights.beta ? weights.beta[channel] : 0,
      };
    }
    case "rescaling":
      return {
        type: "rescaling",
        value,
        window,
        input: valueAt(inputs, row, column, channel),
        scale: at(entry.scale ?? [1], channel),
        offset: at(entry.offset ?? [0], channel),
      };
    case "average_pool2d":
    case "max_pool2d":
    case "global_average_pool2d":
    case "global_max_pool2d": {
      const patch = cut(inputs, window, channel);
      const count = patch.reduce((sum, number) => sum + (Number.isNaN(number) ? 0 : 1), 0);
      const size = /** @type {Pair} */ ([window.height, window.width]);
      const summary = entry.type.includes("max") ? "max" : "average";
      return { type: "pool", summary, value, window, size, patch, count };
    }
    case "zero_padding2d": {
      const { top, left } = window;
      const inside = top >= 0 && left >= 0 && top < inputs.height && left < inputs.width;
      return { type: "padding", value, window, inside };
    }
    case "add": {
      const terms = numbers.map((number) => valueAt(outputs[number], row, column, channel));
      return { type: "add", value, window, inputs: numbers, numbers: terms };
    }
    case "flatten":
      return { type: "flatten", value, window, input: value, from: beforeFlatten(inputs, channel) };
    case "softmax": {
      const start = (row * inputs.width + column) * inputs.channels;
      const scores = inputs.data.slice(start, start + inputs.channels);
      const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
      const powers = Array.from(scores, (score) => Math.exp(score - largest));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return { type: "softmax", value, window, inputs: scores, powers, total, channel };
    }
    case "dropout":
      return { type: "same", value, window, input: value, rate: entry.rate ?? 0 };
    default:
      return { type: "function", value, window, input: valueAt(inputs, row, column, channel), entry };
  }
}

/**
 * A weighted sum over a window: of all channels, of a group of them, or of one.
 * @param {Network} network
 * @param {Maps[]} outputs
 * @param {Place} place
 * @param {Box} window
 * @returns {Explanation}
 */
function weighted({ manifest, weights: all }, outputs, { layer, row, column, channel }, window) {
  const entry = manifest.layers[layer];
  const weights = all[layer];
  const inputs = outputs[inputsOf(manifest.layers, layer)[0]];
  const { channels: filters } = outputs[layer + 1];
  const { window: size, dilation } = windowOf(entry);
  const area = size[0] * size[1];
  const alone = entry.type === "depthwise_conv2d";
  const { channels, first } = readsOf(entry, inputs.channels, filters, channel);
  const patch = new Float32Array(channels * area);
  const kernel = new Float32Array(channels * area);
  const sums = [];
  for (let source = 0; source < channels; source++) {
    const part = cut(inputs, window, first + source, dilation);
    let sum = 0;
    for (let place = 0; place < area; place++) {
      const weight = weights.kernel[(alone ? place : place * channels + source) * filters + channel];
      kernel[source * area + place] = weight;
      if (!Number.isNaN(part[place])) sum += part[place] * weight;
    }
    patch.set(part, source * area);
    sums.push(sum);
  }
  const bias = weights.bias ? weights.bias[channel] : 0;
  const value = valueAt(outputs[layer + 1], row, column, channel);
  return { type: "conv2d", value, window, size, channels, first, patch, kernel, sums, bias };
}

/**
 * Which maps of its input one map of a layer reads: `channels` of them, from `first` on.
 * @param {LayerEntry} entry
 * @param {number} inputs how many maps go in
 * @param {number} filters how many come out
 * @param {number} channel
 */
export function readsOf(entry, inputs, filters, channel) {
  if (entry.type === "depthwise_conv2d") {
    return { channels: 1, first: Math.floor(channel / (filters / inputs)) };
  }
  if (entry.type === "softmax") return { channels: inputs, first: 0 };
  if (entry.type === "flatten") return { channels: 1, first: channel % inputs };
  if (!mixes(entry)) return { channels: 1, first: channel };
  const groups = entry.groups ?? 1;
  return { channels: inputs / groups, first: Math.floor(channel / (filters / groups)) * (inputs / groups) };
}

/**
 * How much each map of a layer's input weighs in one of its maps: 0 where it is not read, else
 * the length of its kernel as a share of the longest.
 * @param {Network} network
 * @param {number} layer
 * @param {number} channel
 * @param {number} inputs how many maps go in
 * @param {number} filters how many come out
 */
export function strengths({ manifest, weights: all }, layer, channel, inputs, filters) {
  const entry = manifest.layers[layer];
  const { channels, first } = readsOf(entry, inputs, filters, channel);
  const shares = new Float32Array(inputs);
  const { kernel } = all[layer];
  if (!kernel || channels === 1) return shares.fill(1, first, first + channels);
  const area = kernel.length / (channels * filters);
  for (let source = 0; source < channels; source++) {
    for (let place = 0; place < area; place++) {
      shares[first + source] += kernel[(place * channels + source) * filters + channel] ** 2;
    }
  }
  const longest = Math.sqrt(shares.reduce((most, share) => Math.max(most, share), 0)) || 1;
  return shares.map((share) => Math.sqrt(share) / longest);
}

/**
 * The layers that read the output of another.
 * @param {LayerEntry[]} entries
 * @param {number} layer
 */
export const readersOf = (entries, layer) =>
  [...entries.keys()].filter((index) => inputsOf(entries, index).includes(layer + 1));

/**
 * The same place seen from a layer before or behind: where the number comes from, or goes to.
 * @param {LayerEntry[]} entries
 * @param {Size[]} outputs
 * @param {Place} place
 * @param {number} layer one that this one reads, or one that reads it
 * @returns {Place}
 */
export function follow(entries, outputs, place, layer) {
  const here = outputs[place.layer + 1];
  const there = outputs[layer + 1];
  const back = layer < place.layer;
  const between = entries[back ? place.layer : layer];
  let { row, column, channel } = place;
  if (back) {
    const box = windowOn(between, there, place);
    row = box.top + Math.floor((box.height - 1) / 2);
    column = box.left + Math.floor((box.width - 1) / 2);
    if (!mixes(between)) channel = readsOf(between, there.channels, here.channels, channel).first;
  } else {
    const { strides } = windowOf(between);
    const [[top], [left]] = between.type === "zero_padding2d" ? zerosOf(between) : [[0], [0]];
    row = Math.floor(row / strides[0]) + top;
    column = Math.floor(column / strides[1]) + left;
    if (between.type === "flatten") channel += (place.row * here.width + place.column) * here.channels;
    if (between.type === "depthwise_conv2d") channel *= there.channels / here.channels;
  }
  /** @param {number} position @param {number} size */
  const clamp = (position, size) => Math.min(Math.max(position, 0), size - 1);
  return {
    layer,
    row: clamp(row, there.height),
    column: clamp(column, there.width),
    channel: clamp(channel, there.channels),
  };
}
