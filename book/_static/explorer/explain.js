// How one number came about: its receptive field on the image, and the arithmetic of its layer
// with every number that took part. Showing it belongs to the page.

import { paddingAlong } from "./layers.js";
import { windowOf } from "./network.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Pair} Pair */
/** @typedef {import("./network.js").LayerEntry} LayerEntry */
/** @typedef {import("./network.js").Network} Network */

/**
 * A rectangle of pixels; it may reach beyond the image, where the padding is.
 * @typedef {{top: number, left: number, height: number, width: number}} Box
 */

/** @typedef {{layer: number, row: number, column: number, channel: number}} Place */

/**
 * One number and where it came from. `window` lies on the layer's input. Arrays named `patch`
 * and `products` hold NaN where the window lies in the padding.
 * @typedef {{value: number, window: Box} & (
 *   | {type: "conv2d", size: Pair, channels: number, patch: Float32Array, kernel: Float32Array,
 *      sums: number[], bias: number}
 *   | {type: "pool", summary: "average" | "max", size: Pair, patch: Float32Array, count: number}
 *   | {type: "batch_normalization", input: number, mean: number, variance: number,
 *      epsilon: number, gamma: number, beta: number}
 *   | {type: "relu", input: number}
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
 * The part of a layer's input that one output position reads, padding included.
 * @param {LayerEntry} layer
 * @param {Pick<Maps, "height" | "width" | "channels">} inputs
 * @param {{row: number, column: number, channel?: number}} place on the layer's output
 * @returns {Box}
 */
export function windowOn(layer, inputs, { row, column, channel = 0 }) {
  const whole = { top: 0, left: 0, height: inputs.height, width: inputs.width };
  switch (layer.type) {
    case "conv2d":
    case "average_pool2d":
    case "max_pool2d": {
      const { window, strides, padding } = windowOf(layer);
      const [above] = paddingAlong(inputs.height, window[0], strides[0], padding, 0);
      const [before] = paddingAlong(inputs.width, window[1], strides[1], padding, 1);
      return {
        top: row * strides[0] - above,
        left: column * strides[1] - before,
        height: window[0],
        width: window[1],
      };
    }
    case "global_average_pool2d":
      return whole;
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
 * The receptive field on the image: from layer to layer backwards, the box of positions that
 * the number depends on. It may be larger than the image.
 * @param {LayerEntry[]} entries
 * @param {Pick<Maps, "height" | "width" | "channels">[]} outputs as `run` gives them
 * @param {Place} place
 * @returns {Box}
 */
export function receptiveField(entries, outputs, { layer, row, column, channel }) {
  let box = { top: row, left: column, height: 1, width: 1 };
  let map = channel;
  for (let index = layer; index >= 0; index--) {
    const inputs = outputs[index];
    const first = windowOn(entries[index], inputs, { row: box.top, column: box.left, channel: map });
    const last = windowOn(entries[index], inputs, {
      row: box.top + box.height - 1,
      column: box.left + box.width - 1,
      channel: map,
    });
    if (entries[index].type === "softmax" || entries[index].type === "dense") {
      // These read all channels, so a Flatten before them is read as a whole.
      map = NaN;
    }
    if (entries[index].type === "flatten" && Number.isNaN(map)) {
      box = { top: 0, left: 0, height: inputs.height, width: inputs.width };
    } else {
      box = {
        top: first.top,
        left: first.left,
        height: last.top + last.height - first.top,
        width: last.left + last.width - first.left,
      };
    }
  }
  return box;
}

/**
 * The numbers of one channel under a window; NaN in the padding.
 * @param {Maps} inputs
 * @param {Box} box
 * @param {number} channel
 */
function cut(inputs, box, channel) {
  const patch = new Float32Array(box.height * box.width).fill(NaN);
  for (let i = 0; i < box.height; i++) {
    for (let j = 0; j < box.width; j++) {
      const row = box.top + i;
      const column = box.left + j;
      if (row < 0 || column < 0 || row >= inputs.height || column >= inputs.width) continue;
      patch[i * box.width + j] = valueAt(inputs, row, column, channel);
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
  const entry = network.manifest.layers[layer];
  const weights = network.weights[layer];
  const inputs = outputs[layer];
  const value = valueAt(outputs[layer + 1], row, column, channel);
  const window = windowOn(entry, inputs, place);
  const input = entry.type === "flatten" ? value : valueAt(inputs, row, column, channel);
  switch (entry.type) {
    case "conv2d":
    case "dense": {
      const { channels } = inputs;
      const filters = outputs[layer + 1].channels;
      const area = window.height * window.width;
      const patch = new Float32Array(channels * area);
      const kernel = new Float32Array(channels * area);
      const sums = [];
      for (let source = 0; source < channels; source++) {
        const part = cut(inputs, window, source);
        let sum = 0;
        for (let place = 0; place < area; place++) {
          const weight = weights.kernel[(place * channels + source) * filters + channel];
          kernel[source * area + place] = weight;
          if (!Number.isNaN(part[place])) sum += part[place] * weight;
        }
        patch.set(part, source * area);
        sums.push(sum);
      }
      const bias = weights.bias ? weights.bias[channel] : 0;
      const size = /** @type {Pair} */ ([window.height, window.width]);
      return { type: "conv2d", value, window, size, channels, patch, kernel, sums, bias };
    }
    case "batch_normalization":
      return {
        type: "batch_normalization",
        value,
        window,
        input,
        mean: weights.moving_mean[channel],
        variance: weights.moving_variance[channel],
        epsilon: entry.epsilon ?? 0,
        gamma: weights.gamma ? weights.gamma[channel] : 1,
        beta: weights.beta ? weights.beta[channel] : 0,
      };
    case "relu":
      return { type: "relu", value, window, input };
    case "average_pool2d":
    case "max_pool2d":
    case "global_average_pool2d": {
      const patch = cut(inputs, window, channel);
      const count = patch.reduce((sum, number) => sum + (Number.isNaN(number) ? 0 : 1), 0);
      const size = /** @type {Pair} */ ([window.height, window.width]);
      const summary = entry.type === "max_pool2d" ? "max" : "average";
      return { type: "pool", summary, value, window, size, patch, count };
    }
    case "flatten":
      return { type: "flatten", value, window, input, from: beforeFlatten(inputs, channel) };
    case "softmax": {
      const start = (row * inputs.width + column) * inputs.channels;
      const numbers = inputs.data.slice(start, start + inputs.channels);
      const largest = Math.max(...numbers);
      const powers = Array.from(numbers, (number) => Math.exp(number - largest));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return { type: "softmax", value, window, inputs: numbers, powers, total, channel };
    }
    default:
      return { type: "same", value, window, input, rate: entry.rate ?? 0 };
  }
}

/**
 * The same place seen from the neighbouring layer: where the number comes from, or goes to.
 * @param {LayerEntry[]} entries
 * @param {Pick<Maps, "height" | "width" | "channels">[]} outputs
 * @param {Place} place
 * @param {1 | -1} step
 * @returns {Place}
 */
export function follow(entries, outputs, place, step) {
  const layer = place.layer + step;
  const here = outputs[place.layer + 1];
  const there = outputs[layer + 1];
  let { row, column, channel } = place;
  if (step < 0) {
    const box = windowOn(entries[place.layer], there, place);
    row = box.top + Math.floor((box.height - 1) / 2);
    column = box.left + Math.floor((box.width - 1) / 2);
  } else {
    const { strides } = windowOf(entries[layer]);
    row = Math.floor(row / strides[0]);
    column = Math.floor(column / strides[1]);
  }
  /** @param {number} position @param {number} size */
  const clamp = (position, size) => Math.min(Math.max(position, 0), size - 1);
  row = clamp(row, there.height);
  column = clamp(column, there.width);
  if (entries[Math.max(place.layer, layer)].type === "flatten") {
    const flat = (place.row * here.width + place.column) * here.channels + place.channel;
    channel = step > 0 ? flat : beforeFlatten(there, place.channel).channel;
  }
  return { layer, row, column, channel: clamp(channel, there.channels) };
}

