// Layers, places and answers in words: titles, sentences, and what the last numbers mean.

import { digits, percent, short, times } from "./dom.js";
import { KINDS, volume, windowOf, zerosOf } from "./kinds.js";
import { sigmoid, softmax } from "./layers.js";
import { inputsOf } from "./network.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./network.js").LayerEntry} LayerEntry */
/** @typedef {import("./network.js").Manifest} Manifest */

/** @type {Record<string, string>} */
const SHORT = {
  conv2d: "Conv", depthwise_conv2d: "Depthwise conv", dense: "Dense",
  batch_normalization: "Batch norm", rescaling: "Rescale", average_pool2d: "Average pool",
  max_pool2d: "Max pool", global_average_pool2d: "Global average", global_max_pool2d: "Global max",
  zero_padding2d: "Zeros around", flatten: "Flatten", dropout: "Dropout", relu: "ReLU",
  leaky_relu: "Leaky ReLU", elu: "ELU", gelu: "GELU", sigmoid: "Sigmoid", tanh: "Tanh",
  softmax: "Softmax", add: "Add",
};

/**
 * Two settings as one where they are equal: "2", else "1×2".
 * @param {readonly [number, number]} pair
 */
const pairOf = ([down, right]) => (down === right ? String(down) : times([down, right]));

/**
 * What a layer is called on the page.
 * @param {LayerEntry} layer
 */
export function titleOf(layer) {
  const { window, strides, dilation } = windowOf(layer);
  const parts = [SHORT[layer.type] + (layer.window ? ` ${times(window)}` : "")];
  if (layer.type.endsWith("conv2d")) {
    if (Math.max(...strides) > 1) parts.push(`stride ${pairOf(strides)}`);
    if (Math.max(...dilation) > 1) parts.push(`dilation ${pairOf(dilation)}`);
    if ((layer.groups ?? 1) > 1) parts.push(`${layer.groups} groups`);
  }
  if (layer.type === "relu" && typeof layer.max_value === "number") parts.push(`up to ${layer.max_value}`);
  return parts.join(", ");
}

/**
 * What a layer does, in two sentences.
 * @param {LayerEntry[]} layers
 * @param {number} index of the layer
 * @param {Maps[]} all the outputs
 */
export function storyOf(layers, index, all) {
  const layer = layers[index];
  const inputs = all[inputsOf(layers, index)[0]];
  const outputs = all[index + 1];
  const { window, strides, padding, dilation } = windowOf(layer);
  const { groups = 1 } = layer;
  const n = outputs.channels;
  const weights = Object.values(layer.weights ?? {}).reduce((sum, { shape }) => sum + volume(shape), 0);
  const learned = `${weights.toLocaleString("en")} learned numbers`;
  const steps = Math.max(...strides) > 1 ? `, in steps of ${pairOf(strides)},` : "";
  const gaps = Math.max(...dilation) > 1 ? ` Its weights lie ${pairOf(dilation)} pixels apart.` : "";
  switch (layer.type) {
    case "conv2d":
      return (
        `${n} filters of ${times([...window, inputs.channels / groups])} weights. Each is laid on every place of the ` +
        `input${steps} and draws one map; padding “${padding}”; ${learned}.${gaps}` +
        (groups > 1 ? ` A filter reads one of ${groups} groups of ${inputs.channels / groups} maps.` : "")
      );
    case "depthwise_conv2d":
      return (
        `${n} kernels of ${times(window)} weights. Each is laid on one map of the input only${steps} and draws ` +
        `one map; padding “${padding}”; ${learned}.${gaps}`
      );
    case "dense":
      return `Each of the ${n} outputs weighs all ${inputs.channels} inputs; ${learned}.`;
    case "batch_normalization":
      return (
        `Each of the ${n} maps is moved and stretched by two numbers of its own. They come from the ` +
        `mean and variance seen in training, and from a learned scale and offset; ${weights.toLocaleString("en")} numbers.`
      );
    case "rescaling":
      return "Each number is multiplied by a fixed scale and moved by a fixed offset. Nothing is learned here.";
    case "average_pool2d":
      return `Each ${times(window)} patch becomes its mean. What the padding adds is not counted.`;
    case "max_pool2d":
      return `Of each ${times(window)} patch only the largest number goes on.`;
    case "global_average_pool2d":
      return `Each ${times([inputs.height, inputs.width])} map becomes one number, its mean.`;
    case "global_max_pool2d":
      return `Of each ${times([inputs.height, inputs.width])} map only the largest number goes on.`;
    case "zero_padding2d": {
      const [[top, bottom], [left, right]] = zerosOf(layer);
      return `Zeros are laid around each map: ${top} above, ${bottom} below, ${left} on the left, ${right} on the right.`;
    }
    case "flatten":
      return "The same numbers, written as one row.";
    case "dropout":
      return (
        `Awake in training only: there it sets ${percent(layer.rate ?? 0)} of the numbers to zero. ` +
        "In an answer it passes everything on."
      );
    case "softmax":
      return "Scores become probabilities: positive, and together one.";
    case "sigmoid":
      return "Each number is pressed between 0 and 1, by itself. Nothing is learned here.";
    case "tanh":
      return "Each number is pressed between −1 and 1. Nothing is learned here.";
    case "add":
      return "Number by number, what came through the layers is added to what went past them: a skip connection.";
    case "relu":
      return reluStory(layer);
    case "leaky_relu":
      return `What is negative is multiplied by ${layer.negative_slope}; the rest passes. Nothing is learned here.`;
    case "elu":
      return `What is negative is bent toward −${layer.alpha}; the rest passes. Nothing is learned here.`;
    default:
      return "Each number is multiplied by the share of a normal distribution that lies below it. Nothing is learned here.";
  }
}

/** @param {LayerEntry} layer */
function reluStory({ max_value: most = null, negative_slope: slope = 0, threshold = 0 }) {
  const below = threshold === 0 ? "What is negative" : `What is below ${threshold}`;
  const becomes = slope === 0 ? "becomes zero" : `counts ${slope} of its distance`;
  const cap = most === null ? "" : ` and nothing exceeds ${most}`;
  return `${below} ${becomes}${cap}. Nothing is learned here, and maps keep their size.`;
}

/**
 * What the last numbers of a network say.
 * @typedef {object} Reading
 * @property {{name: string, share: number, channel: number}[]} rows one for each class
 * @property {string} how what the page did to the numbers, or what they mean
 * @property {boolean} exclusive whether one class excludes the others
 */

/**
 * @param {Manifest} manifest
 * @param {Maps} maps the last output: one row of numbers
 * @returns {Reading}
 */
export function readAnswer({ classes, answer = "softmax" }, maps) {
  const numbers = [...maps.data];
  if (numbers.length === 1) {
    const share = answer === "scores" ? sigmoid(numbers[0]) : numbers[0];
    return {
      rows: [1 - share, share].map((part, index) => ({ name: classes[index], share: part, channel: 0 })),
      how:
        answer === "scores"
          ? `The network gives one score, ${digits(numbers[0], 3)}; this page turned it into a probability with a sigmoid.`
          : `The network gives one number, the probability of “${short(classes[1])}”.`,
      exclusive: true,
    };
  }
  const shares = answer === "scores" ? [...softmax(maps).data] : numbers;
  const how = {
    softmax: "",
    sigmoid: "Each class has a probability of its own; together they need not be 1.",
    scores: "The network gives scores; this page turned them into probabilities with a softmax.",
  }[answer];
  return {
    rows: shares.map((share, index) => ({ name: classes[index], share, channel: index })),
    how,
    exclusive: answer !== "sigmoid",
  };
}

/**
 * The answer in one sentence.
 * @param {Manifest} manifest
 * @param {Reading} reading
 */
export function answerSentence(manifest, { rows, exclusive }) {
  const name = short(manifest.name);
  const [first, second] = [...rows].sort((a, b) => b.share - a.share);
  if (!exclusive) {
    const likely = rows.filter(({ share }) => share >= 0.5).sort((a, b) => b.share - a.share);
    if (likely.length === 0) return `${name} says: none of its classes; nearest ${short(first.name)}, ${percent(first.share)}.`;
    return `${name} says: ${likely.slice(0, 5).map((row) => `${short(row.name)}, ${percent(row.share)}`).join("; ")}.`;
  }
  return (
    `${name} says: ${short(first.name)}, ${percent(first.share)}; ` +
    `next ${short(second.name)}, ${percent(second.share)}.`
  );
}

/**
 * Why there is no answer, and what that teaches.
 * @param {Manifest} manifest
 * @param {{layer: number, holds: number, count: number}} divergence
 */
export function divergenceSentence({ name, layers }, { layer, holds, count }) {
  const where = `layer ${layer + 1}, ${titleOf(layers[layer])}`;
  const begin = `${short(name)} gives no answer: from ${where}, on its numbers are infinite or not numbers (NaN). `;
  if (holds < 0) {
    return (
      `${begin}All its weights are finite, so a number outgrew single precision on the way, or a root was taken of a ` +
      "negative variance. Is the input in the range that the network was trained on?"
    );
  }
  const total = Object.values(layers[holds].weights ?? {}).reduce((sum, { shape }) => sum + volume(shape), 0);
  return (
    `${begin}${count.toLocaleString("en")} of the ${total.toLocaleString("en")} weights in layer ${holds + 1} already are. ` +
    "That is how a training ends that diverged: a step was too large, the loss grew to infinity, and every sum with a NaN " +
    "in it is NaN again. Train anew with a smaller learning rate, and look at the inputs for NaN."
  );
}

/**
 * Layers in blocks: a new one begins at the first weighing layer after the maps have shrunk.
 * @param {LayerEntry[]} layers
 * @returns {number[][]} indices of the layers of each block
 */
export function blocksOf(layers) {
  /** @type {number[][]} */
  const blocks = [[]];
  let shrunk = false;
  layers.forEach((layer, index) => {
    if (layer.type.endsWith("conv2d") && shrunk) {
      blocks.push([]);
      shrunk = false;
    }
    blocks[blocks.length - 1].push(index);
    shrunk ||= KINDS[layer.type].fields?.includes("strides") === true && Math.max(...windowOf(layer).strides) > 1;
  });
  return blocks;
}
