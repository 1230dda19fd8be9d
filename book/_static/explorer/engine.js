// The page's side of the worker: load a network, run an image, explain one number. Each call
// gives a promise; whether the answer is still wanted is for the caller to see (wish.js).

import { Complaint, readManifest } from "./network.js";

/** @typedef {import("./network.js").Manifest} Manifest */
/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {{outputs: Maps[], run: number, milliseconds: number,
 *   divergence: ReturnType<typeof import("./network.js").findDivergence>}} Answer */
/** @typedef {import("./explain.js").Explanation} Explanation */
/** @typedef {import("./worker.js").Relation} Relation */

const LARGEST_MANIFEST = 4 * 2 ** 20;
const PATIENCE = 20_000; // milliseconds without a byte

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
   * @param {string} key names the network from now on
   * @param {string} manifest
   * @param {ArrayBuffer} weights moves to the worker
   * @returns {Promise<Manifest>}
   */
  load(key, manifest, weights) {
    return this.ask({ kind: "load", key, manifest, weights }, [weights]);
  }

  /**
   * Frees a network that is not wanted any more.
   * @param {string} key
   */
  forget(key) {
    return this.ask({ kind: "forget", key });
  }

  /**
   * @param {string} key
   * @param {Float32Array} image
   * @returns {Promise<Answer>}
   */
  run(key, image) {
    return this.ask({ kind: "run", key, image });
  }

  /**
   * How one number came about.
   * @param {string} key
   * @param {number} run whose numbers are meant
   * @param {import("./explain.js").Place} place layer 0 is the first layer
   * @returns {Promise<Explanation | null>} null when the network has run again meanwhile
   */
  explain(key, run, place) {
    return this.ask({ kind: "explain", key, run, ...place });
  }

  /**
   * What feeds one map, and what it feeds.
   * @param {string} key
   * @param {{layer: number, channel: number}} map
   * @returns {Promise<Relation>}
   */
  relate(key, { layer, channel }) {
    return this.ask({ kind: "relate", key, layer, channel });
  }
}

/**
 * Fetches an exported network.
 * @param {URL} folder address of the folder or of its manifest.json
 * @param {object} [settings]
 * @param {boolean} [settings.anyHost] only an address that the reader typed may lead elsewhere
 * @param {AbortSignal} [settings.signal] gives it up
 * @param {(share: number) => void} [settings.onProgress] how much of the weights has come
 * @returns {Promise<{manifest: string, weights: ArrayBuffer}>}
 */
export async function fetchNetwork(folder, { anyHost = false, signal, onProgress } = {}) {
  const address = new URL(folder);
  if (!address.pathname.endsWith(".json")) {
    address.pathname = `${address.pathname.replace(/\/$/, "")}/manifest.json`;
  }
  const text = await get(address, { anyHost, signal, most: LARGEST_MANIFEST });
  const manifest = new TextDecoder().decode(text);
  const { file, bytes } = readManifest(manifest).weights;
  const weights = await get(new URL(file, address), {
    anyHost, signal, most: bytes + 1, onProgress: (got) => onProgress?.(got / bytes),
  });
  return { manifest, weights };
}

/**
 * Reads a file to its end, and gives up on one that is longer than it may be or stops coming.
 * @param {URL} address
 * @param {object} settings
 * @param {boolean} settings.anyHost
 * @param {number} settings.most bytes
 * @param {AbortSignal} [settings.signal]
 * @param {(got: number) => void} [settings.onProgress]
 * @returns {Promise<ArrayBuffer>}
 */
async function get(address, { anyHost, most, signal, onProgress }) {
  const stop = new AbortController();
  const give = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", give);
  let clock = 0;
  const wait = () => {
    clearTimeout(clock);
    clock = setTimeout(() => stop.abort(), PATIENCE);
  };
  wait();
  try {
    const mode = anyHost ? "cors" : "same-origin";
    const response = await fetch(address, { mode, referrerPolicy: "no-referrer", signal: stop.signal });
    if (!response.ok) {
      throw new Complaint(`There is no file ${address.pathname} (answer ${response.status}).`);
    }
    /** @type {Uint8Array[]} */
    const parts = [];
    let got = 0;
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
      wait();
      parts.push(part.value);
      got += part.value.length;
      onProgress?.(got);
      // One byte too many tells a file that is too long from one that fits.
      if (got > most) break;
    }
    if (got > most && most === LARGEST_MANIFEST) {
      throw new Complaint(`${address.pathname} is too long for a manifest.`);
    }
    return new Blob(/** @type {BlobPart[]} */ (parts)).arrayBuffer();
  } catch (error) {
    if (error instanceof Complaint || signal?.aborted) throw error;
    if (stop.signal.aborted) throw new Complaint(`${address.host} has sent nothing for 20 seconds. Try again later.`);
    throw new Complaint(
      address.origin === location.origin
        ? `${address.pathname} could not be fetched. Are you still connected?`
        : `${address.host} did not answer, or does not allow other pages to read its files.`,
    );
  } finally {
    clearTimeout(clock);
    signal?.removeEventListener("abort", give);
    stop.abort();
  }
}
