// The last step: one number of one map, where it looks on the image, and how it was computed.

import { arithmeticOf } from "./arithmetic.js";
import { digits, h, times } from "./dom.js";
import { follow, receptiveField, valueAt } from "./explain.js";
import { limitOf, paintInput, paintMap } from "./paint.js";
import { placeBox } from "./picture-panel.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./explain.js").Place} Place */
/** @typedef {import("./explain.js").Box} Box */
/** @typedef {import("./explain.js").Explanation} Explanation */
/** @typedef {import("./network.js").Manifest} Manifest */

/** A picture with a frame over part of it. */
class View {
  constructor() {
    this.canvas = h("canvas", { class: "cnn-pixels", role: "img" });
    this.box = h("div", { class: "cnn-box" });
    this.frame = h("div", { class: "cnn-frame" }, this.canvas, this.box);
    this.caption = h("figcaption");
    this.element = h("figure", {}, this.frame, this.caption);
  }

  /**
   * @param {Maps} maps
   * @param {Box} box
   * @param {string} caption
   */
  update(maps, box, caption) {
    this.frame.style.aspectRatio = `${maps.width} / ${maps.height}`;
    placeBox(this.box, box, maps.height, maps.width);
    this.caption.textContent = caption;
    this.canvas.setAttribute("aria-label", caption);
  }
}

export class NumberPanel {
  /**
   * @param {object} hooks
   * @param {(place: Partial<Place>) => void} hooks.onMove
   * @param {(source: number) => void} hooks.onSource
   */
  constructor({ onMove, onSource }) {
    this.onMove = onMove;
    this.onSource = onSource;
    this.image = new View();
    this.input = new View();
    this.map = new View();
    this.readout = h("output", { class: "cnn-muted cnn-readout", "aria-live": "off" });
    this.back = h("button", { type: "button", class: "cnn-button", onclick: () => this.follow(-1) }, "← Where it comes from");
    this.forth = h("button", { type: "button", class: "cnn-button", onclick: () => this.follow(1) }, "Where it goes →");
    this.keys = h(
      "p",
      { class: "cnn-muted", id: "cnn-keys" },
      "Point at any place of the right map, or use the arrow keys there; Page up and Page down change the map.",
    );
    this.arithmetic = h("div", { class: "cnn-arithmetic" });
    this.element = h(
      "div",
      {},
      h("div", { class: "cnn-views" }, this.image.element, this.input.element, this.map.element),
      this.keys,
      this.readout,
      this.arithmetic,
      h("p", { class: "cnn-row" }, this.back, this.forth),
    );
    const { canvas } = this.map;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "map");
    canvas.setAttribute("aria-describedby", "cnn-keys");
    this.listen(canvas);
  }

  /** @param {HTMLCanvasElement} canvas */
  listen(canvas) {
    /** @param {PointerEvent} event */
    const placeAt = (event) => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - box.top) / box.height) * canvas.height);
      const column = Math.floor(((event.clientX - box.left) / box.width) * canvas.width);
      /** @param {number} position @param {number} size */
      const clamp = (position, size) => Math.min(Math.max(position, 0), size - 1);
      return { row: clamp(row, canvas.height), column: clamp(column, canvas.width) };
    };
    canvas.addEventListener("pointerdown", (event) => this.onMove(placeAt(event)));
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) this.onMove(placeAt(event));
      else this.readOut(placeAt(event));
    });
    canvas.addEventListener("pointerleave", () => (this.readout.textContent = ""));
    canvas.addEventListener("keydown", (event) => {
      const { place, outputs } = this;
      if (!place || !outputs) return;
      const { row, column, channel } = place;
      const { height, width, channels } = outputs[place.layer + 1];
      const next = {
        ArrowUp: { row: Math.max(0, row - 1) },
        ArrowDown: { row: Math.min(height - 1, row + 1) },
        ArrowLeft: { column: Math.max(0, column - 1) },
        ArrowRight: { column: Math.min(width - 1, column + 1) },
        Home: { column: 0 },
        End: { column: width - 1 },
        PageUp: { channel: Math.max(0, channel - 1) },
        PageDown: { channel: Math.min(channels - 1, channel + 1) },
      }[event.key];
      if (!next) return;
      event.preventDefault();
      // The page draws in the next frame; a second key may come before that.
      this.place = { ...place, ...next };
      this.onMove(next);
    });
  }

  /** @param {{row: number, column: number}} at under the pointer */
  readOut({ row, column }) {
    if (!this.place || !this.outputs) return;
    const value = valueAt(this.outputs[this.place.layer + 1], row, column, this.place.channel);
    this.readout.textContent = `under the pointer: row ${row + 1}, column ${column + 1}: ${digits(value, 4)}`;
  }

  /** @param {1 | -1} step */
  follow(step) {
    if (!this.place || !this.outputs || !this.manifest) return;
    const { layers } = this.manifest;
    const type = layers[this.place.layer].type;
    const mixes = step < 0 && (type === "conv2d" || type === "dense");
    const from = mixes ? { ...this.place, channel: this.source ?? 0 } : this.place;
    this.onMove(follow(layers, this.outputs, from, step));
  }

  /**
   * @param {Manifest} manifest
   * @param {Maps[]} outputs
   * @param {Place} place
   * @param {Explanation} explanation
   * @param {number} source which input map is laid open
   */
  update(manifest, outputs, place, explanation, source) {
    Object.assign(this, { manifest, outputs, place, source });
    const { layer, row, column, channel } = place;
    const image = outputs[0];
    const inputs = outputs[layer];
    const maps = outputs[layer + 1];
    const field = receptiveField(manifest.layers, outputs, place);
    paintInput(this.image.canvas, image, manifest.input.range);
    this.image.update(image, field, describeField(field, image));
    const shown = explanation.type === "flatten" ? explanation.from.channel : Math.min(source, inputs.channels - 1);
    if (layer === 0) paintInput(this.input.canvas, image, manifest.input.range);
    else paintMap(this.input.canvas, inputs, shown, limitOf(inputs));
    this.input.update(
      inputs,
      explanation.window,
      layer === 0 ? "What goes in: the image." : `What goes in: map ${shown + 1} of ${inputs.channels}.`,
    );
    paintMap(this.map.canvas, maps, channel, limitOf(maps));
    this.map.update(
      maps,
      { top: row, left: column, height: 1, width: 1 },
      `What comes out: map ${channel + 1} of ${maps.channels}, row ${row + 1}, column ${column + 1}: ` +
        `${digits(explanation.value, 4)}.`,
    );
    this.back.disabled = layer === 0;
    this.forth.disabled = layer === manifest.layers.length - 1;
    const focused = document.activeElement?.id === "cnn-source";
    this.arithmetic.replaceChildren(
      ...arithmeticOf(explanation, { source: shown, onSource: this.onSource, classes: manifest.classes }),
    );
    if (focused) document.getElementById("cnn-source")?.focus();
    return field;
  }

  /** @type {Manifest | undefined} */
  manifest;
  /** @type {Maps[] | undefined} */
  outputs;
  /** @type {Place | undefined} */
  place;
  /** @type {number | undefined} */
  source;
}

/**
 * @param {Box} field
 * @param {Maps} image
 */
function describeField(field, image) {
  const size = times([field.height, field.width]);
  const bottom = field.top + field.height;
  const right = field.left + field.width;
  if (field.height === 1 && field.width === 1) return "The image. The number depends on one pixel of it.";
  if (field.top <= 0 && field.left <= 0 && bottom >= image.height && right >= image.width) {
    return `The image. The receptive field, ${size} pixels, covers all of it.`;
  }
  if (field.top < 0 || field.left < 0 || bottom > image.height || right > image.width) {
    return `The image. The receptive field, ${size} pixels, reaches over its border.`;
  }
  return `The image. The receptive field is ${size} pixels of it.`;
}
