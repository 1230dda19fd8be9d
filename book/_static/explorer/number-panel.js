// One number of one map: where it looks, and how it was computed. It stands beside the network,
// on a phone in a sheet that rises from below. Its kernel can be let slide over the input.

import { arithmeticOf } from "./arithmetic.js";
import { titleOf } from "./describe.js";
import { digits, h, short, times } from "./dom.js";
import { follow, mixes, readersOf, receptiveField, valueAt } from "./explain.js";
import { inputsOf } from "./network.js";
import { limitOf, paintInput, paintMap } from "./paint.js";
import { placeBox } from "./picture-panel.js";
import { Player } from "./player.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./explain.js").Place} Place */
/** @typedef {import("./explain.js").Box} Box */
/** @typedef {import("./explain.js").Explanation} Explanation */
/** @typedef {import("./network.js").Manifest} Manifest */

/** A picture with a frame over part of it. */
class View {
  constructor() {
    this.canvas = h("canvas", { class: "cnn-pixels", role: "img", "aria-label": "No map yet" });
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
    this.input = new View();
    this.map = new View();
    this.player = new Player({ onStep: (byHand) => this.step(byHand) });
    // While the kernel slides, its map holds only what it has reached: the place where it is,
    // counted row by row, and whether that is shown already.
    this.cursor = -1;
    this.shown = true;
    this.trail = h("span", { class: "cnn-trail" });
    this.value = h("span", { class: "cnn-value" });
    this.toggle = h(
      "button",
      { type: "button", class: "cnn-toggle", "aria-expanded": "false", onclick: () => this.open(!this.isOpen) },
      "Show the arithmetic",
    );
    this.readout = h("output", { class: "cnn-muted cnn-readout", "aria-live": "off" });
    this.back = h("button", { type: "button", class: "cnn-button", onclick: () => this.follow(-1) }, "← Where it comes from");
    this.forth = h("button", { type: "button", class: "cnn-button", onclick: () => this.follow(1) }, "Where it goes →");
    this.field = h("p", { class: "cnn-muted" });
    this.keys = h(
      "p",
      { class: "cnn-muted", id: "cnn-keys" },
      "Point at any place of the right map, or use the arrow keys there; Page up and Page down change the map.",
    );
    this.arithmetic = h("div", { class: "cnn-arithmetic" });
    this.element = h(
      "aside",
      { class: "cnn-section cnn-number-panel", "aria-label": "One number" },
      h(
        "div",
        { class: "cnn-sheet-head" },
        h("h2", { class: "cnn-heading" }, h("span", { class: "cnn-step" }, "3"), "One number", this.value),
        this.trail,
        this.toggle,
      ),
      h(
        "div",
        { class: "cnn-sheet-body" },
        h("p", { class: "cnn-row" }, this.back, this.forth),
        h("div", { class: "cnn-views" }, this.input.element, this.map.element),
        this.player.element,
        this.readout,
        this.arithmetic,
        this.field,
        this.keys,
      ),
    );
    const { canvas } = this.map;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "map");
    canvas.setAttribute("aria-describedby", "cnn-keys");
    this.listen(canvas);
  }

  get isOpen() {
    return this.element.classList.contains("cnn-open");
  }

  /**
   * On a phone the panel is a sheet, open or shut; where there is room it always stands open.
   * @param {boolean} open
   */
  open(open) {
    this.element.classList.toggle("cnn-open", open);
    this.toggle.setAttribute("aria-expanded", String(open));
    this.toggle.textContent = open ? "Hide the arithmetic" : "Show the arithmetic";
  }

  /**
   * The next place, row by row.
   * @param {boolean} byHand
   * @returns {boolean} false at the end
   */
  step(byHand) {
    const { place, outputs } = this;
    if (!place || !outputs) return false;
    const { height, width } = outputs[place.layer + 1];
    if (!this.shown && !byHand) return true; // the machine is slower than the speed that was asked for
    if (this.cursor === height * width - 1) {
      this.cursor = -1;
      return false;
    }
    this.cursor += 1;
    this.shown = false;
    this.onMove({ row: Math.floor(this.cursor / width), column: this.cursor % width });
    return true;
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
    const { layer } = this.place;
    const next = step > 0 ? readersOf(layers, layer)[0] : inputsOf(layers, layer)[0] - 1;
    const weighs = step < 0 && mixes(layers[layer]);
    const from = weighs ? { ...this.place, channel: this.source ?? 0 } : this.place;
    this.onMove(follow(layers, this.outputs, from, next));
  }

  /**
   * @param {Manifest} manifest
   * @param {Maps[]} outputs
   * @param {Place} place
   * @param {Explanation} explanation
   * @param {number} source which input map is laid open
   */
  update(manifest, outputs, place, explanation, source) {
    const onWay =
      this.outputs === outputs &&
      this.place?.layer === place.layer &&
      this.place.channel === place.channel &&
      this.cursor === place.row * outputs[place.layer + 1].width + place.column;
    if (!onWay) {
      this.player.stop();
      this.cursor = -1;
    }
    this.shown = true;
    Object.assign(this, { manifest, outputs, place, source });
    const { layers } = manifest;
    const { layer, row, column, channel } = place;
    const [number] = inputsOf(layers, layer);
    const inputs = outputs[number];
    const maps = outputs[layer + 1];
    const field = receptiveField(layers, outputs, place);
    const shown = explanation.type === "flatten" ? explanation.from.channel : Math.min(source, inputs.channels - 1);
    if (number === 0) paintInput(this.input.canvas, outputs[0], manifest.input.range);
    else paintMap(this.input.canvas, inputs, shown, limitOf(inputs));
    this.input.update(
      inputs,
      explanation.window,
      number === 0 ? "In: the image." : `In: map ${shown + 1} of ${inputs.channels}.`,
    );
    const end = this.cursor < 0 ? Infinity : this.cursor + 1;
    paintMap(this.map.canvas, maps, channel, limitOf(maps), end);
    this.map.update(
      maps,
      { top: row, left: column, height: 1, width: 1 },
      `Out: map ${channel + 1} of ${maps.channels}, row ${row + 1}, column ${column + 1}: ` +
        `${digits(explanation.value, 4)}.`,
    );
    this.field.textContent = describeField(field, outputs[0]);
    this.value.textContent = digits(explanation.value, 4);
    this.trail.textContent =
      `${short(manifest.name)} › layer ${layer + 1}, ${titleOf(layers[layer])} › map ${channel + 1} › ` +
      `row ${row + 1}, column ${column + 1}`;
    this.back.disabled = number === 0;
    this.forth.disabled = readersOf(layers, layer).length === 0;
    this.player.fit(maps.height * maps.width);
    const focused = document.activeElement?.id === "cnn-source";
    const first = explanation.type === "conv2d" ? explanation.first : 0;
    this.arithmetic.replaceChildren(
      ...arithmeticOf(explanation, {
        source: shown - first,
        onSource: (chosen) => this.onSource(chosen + first),
        classes: manifest.classes,
      }),
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
