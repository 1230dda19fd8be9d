// The background thread: it holds one network and does all its arithmetic, so that the page
// stays free to scroll and answer. It knows nothing of the page.

import { explain } from "./explain.js";
import { Complaint, readManifest, readWeights, run } from "./network.js";

/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./layers.js").Maps} Maps */

/**
 * What the page asks.
 * @typedef {{kind: "load", manifest: string, weights: ArrayBuffer}
 *   | {kind: "run", image: Float32Array}
 *   | {kind: "explain", layer: number, row: number, column: number, channel: number}} Request
 */

/** @type {Network | null} */
let network = null;
/** @type {Maps[]} */
let outputs = [];

/** @param {Request} request */
function answer(request) {
  if (request.kind === "load") {
    network = readWeights(readManifest(request.manifest), request.weights);
    outputs = [];
    return network.manifest;
  }
  if (!network) throw new Complaint("No network is loaded yet.");
  if (request.kind === "run") {
    const started = performance.now();
    outputs = run(network, request.image);
    return { outputs, milliseconds: performance.now() - started };
  }
  return explain(network, outputs, request);
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
