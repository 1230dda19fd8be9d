// The background thread: it holds the networks and does all their arithmetic, so that the page
// stays free to scroll and answer. It knows nothing of the page.

import { explain, readersOf, strengths } from "./explain.js";
import { Complaint, findDivergence, inputsOf, readManifest, readWeights, run } from "./network.js";

/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./layers.js").Maps} Maps */

/**
 * What feeds one map and what it feeds: for each output that takes part, by its number, how much
 * each of its maps weighs.
 * @typedef {{layer: number, channel: number, feeds: {number: number, shares: Float32Array}[],
 *   fed: {number: number, shares: Float32Array}[]}} Relation
 */

/**
 * What the page asks; `key` names a network.
 * @typedef {{kind: "load", key: string, manifest: string, weights: ArrayBuffer}
 *   | {kind: "forget", key: string}
 *   | {kind: "run", key: string, image: Float32Array}
 *   | {kind: "explain", key: string, run: number, layer: number, row: number, column: number, channel: number}
 *   | {kind: "relate", key: string, layer: number, channel: number}} Request
 */

/** @type {Map<string, {network: Network, run: number, outputs: Maps[]}>} */
const held = new Map();

/** @param {Request} request */
function answer(request) {
  if (request.kind === "load") {
    const network = readWeights(readManifest(request.manifest), request.weights);
    held.set(request.key, { network, run: 0, outputs: [] });
    return network.manifest;
  }
  if (request.kind === "forget") return held.delete(request.key);
  const entry = held.get(request.key);
  if (!entry) throw new Complaint("No network is loaded yet.");
  const { network } = entry;
  switch (request.kind) {
    case "run": {
      const started = performance.now();
      entry.outputs = run(network, request.image);
      entry.run += 1;
      const milliseconds = performance.now() - started;
      return { outputs: entry.outputs, run: entry.run, milliseconds, divergence: findDivergence(network, entry.outputs) };
    }
    case "explain":
      // The numbers that were asked for have been replaced: the page has asked anew by now.
      return request.run === entry.run ? explain(network, entry.outputs, request) : null;
    case "relate":
      return relate(network, request.layer, request.channel);
  }
}

/**
 * @param {Network} network
 * @param {number} layer
 * @param {number} channel
 * @returns {Relation}
 */
function relate(network, layer, channel) {
  const { layers, input } = network.manifest;
  /** @param {number} number */
  const channelsOf = (number) =>
    /** @type {number} */ ((number === 0 ? input.shape : layers[number - 1].output_shape).at(-1));
  const feeds = inputsOf(layers, layer).map((number) => ({
    number,
    shares: strengths(network, layer, channel, channelsOf(number), channelsOf(layer + 1)),
  }));
  const fed = readersOf(layers, layer).map((reader) => {
    const maps = channelsOf(reader + 1);
    const shares = new Float32Array(maps);
    if (layers[reader].type === "flatten") {
      for (let k = channel; k < maps; k += channelsOf(layer + 1)) shares[k] = 1;
    } else {
      for (let k = 0; k < maps; k++) {
        shares[k] = strengths(network, reader, k, channelsOf(layer + 1), maps)[channel];
      }
    }
    return { number: reader + 1, shares };
  });
  return { layer, channel, feeds, fed };
}

self.addEventListener("message", ({ data: { id, request } }) => {
  try {
    self.postMessage({ id, result: answer(request) });
  } catch (error) {
    // A complaint is a sentence for the reader; anything else is a fault of this page.
    const message = error instanceof Error ? error.message : String(error);
    self.postMessage({ id, error: message, complaint: error instanceof Complaint });
  }
});
