// The page's side of the worker: load a network, run an image, explain one number. Each call
// gives a promise; an answer that came too late for the newest question is still delivered, and
// the caller decides.

import { Complaint, readManifest } from "./network.js";

/** @typedef {import("./network.js").Manifest} Manifest */
/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {{outputs: Maps[], milliseconds: number}} Answer */
/** @typedef {import("./explain.js").Explanation} Explanation */

export class Engine {
  constructor() {
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.count = 0;
    /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    this.worker.addEventListener("message", ({ data }) => {
      const call = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (!call) return;
      if (data.error === undefined) call.resolve(data.result);
      else call.reject(data.complaint ? new Complaint(data.error) : new Error(data.error));
    });
    this.worker.addEventListener("error", () => {
      const error = new Complaint("Your browser could not start the background thread.");
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    });
  }

  /**
   * @param {import("./worker.js").Request} request
   * @param {Transferable[]} [transfer] buffers that move to the worker
   * @returns {Promise<any>}
   */
  ask(request, transfer = []) {
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, request }, transfer);
    });
  }

  /**
   * @param {string} manifest
   * @param {ArrayBuffer} weights moves to the worker
   * @returns {Promise<Manifest>}
   */
  load(manifest, weights) {
    return this.ask({ kind: "load", manifest, weights }, [weights]);
  }

  /**
   * @param {Float32Array} image
   * @returns {Promise<Answer>}
   */
  run(image) {
    return this.ask({ kind: "run", image });
  }

  /**
   * How one number came about.
   * @param {{layer: number, row: number, column: number, channel: number}} place layer 0 is the
   *   first layer, and counts as in the manifest
   * @returns {Promise<Explanation>}
   */
  explain(place) {
    return this.ask({ kind: "explain", ...place });
  }
}

/**
 * Fetches an exported network.
 * @param {URL} folder address of the folder or of its manifest.json
 * @param {{anyHost?: boolean}} [settings] only an address that the reader typed may lead elsewhere
 * @returns {Promise<{manifest: string, weights: ArrayBuffer}>}
 */
export async function fetchNetwork(folder, { anyHost = false } = {}) {
  const address = new URL(folder);
  if (!address.pathname.endsWith(".json")) {
    address.pathname = `${address.pathname.replace(/\/$/, "")}/manifest.json`;
  }
  const manifest = await (await get(address, anyHost)).text();
  const weights = new URL(readManifest(manifest).weights.file, address);
  return { manifest, weights: await (await get(weights, anyHost)).arrayBuffer() };
}

/**
 * @param {URL} address
 * @param {boolean} anyHost
 */
async function get(address, anyHost) {
  const mode = anyHost ? "cors" : "same-origin";
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address, { mode, referrerPolicy: "no-referrer" });
  } catch {
    throw new Complaint(
      address.origin === location.origin
        ? `${address.pathname} could not be fetched. Are you still connected?`
        : `${address.host} did not answer, or does not allow other pages to read its files.`,
    );
  }
  if (!response.ok) {
    throw new Complaint(`There is no file ${address.pathname} (answer ${response.status}).`);
  }
  return response;
}
