// The second step: one picture of the whole network, with its edges, that is also the map to
// click; and below it the maps of the chosen layer.

import { blocksOf, titleOf } from "./describe.js";
import { digits, h, makeRoving, setChecked, short, svg, times } from "./dom.js";
import { inputsOf } from "./network.js";
import { limitOf, mosaicOf, paintInput, paintMap, paintMosaic } from "./paint.js";
import { placeBox } from "./picture-panel.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./network.js").Manifest} Manifest */
/** @typedef {import("./paint.js").Mosaic} Mosaic */
/** @typedef {import("./explain.js").Place} Place */
/** @typedef {import("./worker.js").Relation} Relation */

const MAPS_SHOWN = 256;
const LARGEST_TILE = 108;
const SMALLEST_TILE = 22;
const LINES_DRAWN = 64;

/**
 * Height, width and number of the maps of a layer.
 * @param {number[]} shape
 */
const sizeOf = (shape) =>
  shape.length === 3
    ? { height: shape[0], width: shape[1], channels: shape[2] }
    : { height: 1, width: 1, channels: shape[0] };

/**
 * What stands below the picture of a layer.
 * @param {string} title
 * @param {number[]} shape
 */
const textOf = (title, shape) =>
  h(
    "span",
    { class: "cnn-card-text" },
    h("span", { class: "cnn-card-title" }, title),
    h("span", { class: "cnn-muted" }, times(shape)),
  );

/**
 * @typedef {{canvas: HTMLCanvasElement, mosaic: Mosaic, size: ReturnType<typeof sizeOf>,
 *   node: HTMLElement}} Node
 */

/** The whole network: a picture for each layer, and the edges between them. */
export class NetworkPanel {
  /**
   * @param {object} hooks
   * @param {(place: {layer: number, channel?: number, row?: number, column?: number}) => void} hooks.onChoose
   * @param {(place: {layer: number, channel: number} | null) => void} hooks.onPoint a map lies under the pointer
   */
  constructor({ onChoose, onPoint }) {
    this.onChoose = onChoose;
    this.onPoint = onPoint;
    this.title = h("p", { class: "cnn-label" });
    this.blocks = h("div", { class: "cnn-network", role: "radiogroup", "aria-label": "Layers of the network" });
    this.edges = svg("svg", { class: "cnn-edges", "aria-hidden": "true" });
    this.lines = svg("svg", { class: "cnn-edges cnn-lines", "aria-hidden": "true" });
    this.field = h("div", { class: "cnn-box", hidden: true });
    this.words = h("p", { class: "cnn-muted cnn-feeds" });
    this.plan = h("div", { class: "cnn-plan" }, this.edges, this.blocks, this.lines);
    this.element = h("div", { class: "cnn-side-network" }, this.title, this.plan, this.words);
    makeRoving(this.blocks);
    /** @type {Node[]} the image first, then every layer */
    this.nodes = [];
    this.pointed = "";
    /** @type {Manifest | undefined} */
    this.manifest = undefined;
    /** @type {Relation | undefined} */
    this.relation = undefined;
    new ResizeObserver(() => this.arrange()).observe(this.plan);
    this.plan.addEventListener("pointermove", (event) => this.point(event));
    this.plan.addEventListener("pointerleave", () => this.point(null));
  }

  /** @param {Manifest} manifest */
  setNetwork(manifest) {
    const { layers, input } = manifest;
    this.manifest = manifest;
    this.relation = undefined;
    this.words.textContent = "";
    const range = input.range.map((bound) => String(bound).replace("-", "−"));
    this.title.textContent =
      `${short(manifest.name)}: ${layers.length} layers, input ${times(input.shape)}, ` +
      `black is ${range[0]}, white is ${range[1]}`;
    const image = this.makeNode(input.shape);
    image.node = h(
      "div",
      { class: "cnn-card cnn-card-image", "aria-hidden": "true" },
      h("span", { class: "cnn-mosaic" }, h("span", { class: "cnn-frame" }, image.canvas, this.field)),
      textOf("Image", input.shape),
    );
    this.nodes = [image];
    layers.forEach((layer, index) => {
      const node = this.makeNode(layer.output_shape);
      node.node = h(
        "button",
        {
          type: "button",
          role: "radio",
          class: "cnn-card",
          "aria-label": `Layer ${index + 1}, ${titleOf(layer)}, ${layer.output_shape.join(" by ")}`,
          onclick: (/** @type {MouseEvent} */ event) => this.chooseAt(event, index),
        },
        h("span", { class: "cnn-mosaic" }, node.canvas),
        textOf(titleOf(layer), layer.output_shape),
      );
      this.nodes.push(node);
    });
    this.blocks.replaceChildren(
      ...blocksOf(layers).map((indices, block) =>
        h(
          "div",
          { class: "cnn-cards" },
          h("span", { class: "cnn-block-title" }, `Block ${block + 1}`),
          ...(block === 0 ? [image.node] : []),
          ...indices.map((index) => this.nodes[index + 1].node),
        ),
      ),
    );
    setChecked(this.blocks, null);
    this.arrange();
  }

  /**
   * @param {number[]} shape
   * @returns {Node}
   */
  makeNode(shape) {
    const size = sizeOf(shape);
    return { canvas: h("canvas", { class: "cnn-pixels" }), mosaic: mosaicOf(size), size, node: h("div") };
  }

  /** Gives every picture its size, by the room that there is, and draws the edges. */
  arrange() {
    const room = this.plan.clientWidth;
    if (room === 0 || this.nodes.length === 0) return;
    const largest = Math.min(LARGEST_TILE, Math.max(46, room / 8));
    const sides = this.nodes.map(({ size: { height, width }, mosaic: { columns, rows } }, index) =>
      index === 0 ? 0 : Math.max(columns * width, rows * height),
    );
    const most = sides.reduce((longest, side) => Math.max(longest, side), 1);
    this.nodes.forEach(({ canvas, mosaic }, index) => {
      const side = index === 0 ? largest * 0.6 : Math.max(SMALLEST_TILE, (largest * sides[index]) / most);
      const share = side / Math.max(mosaic.width, mosaic.height);
      canvas.style.width = `${Math.max(6, mosaic.width * share)}px`;
      canvas.style.height = `${Math.max(6, mosaic.height * share)}px`;
    });
    this.drawEdges();
    this.drawLines();
  }

  drawEdges() {
    const { manifest } = this;
    if (!manifest) return;
    const frame = this.plan.getBoundingClientRect();
    const boxes = this.nodes.map(({ canvas }) => within(canvas.getBoundingClientRect(), frame));
    const paths = manifest.layers.flatMap((_, index) =>
      inputsOf(manifest.layers, index).map((number) => {
        const skips = number !== index;
        return svg("path", { d: edge(boxes[number], boxes[index + 1], skips), class: skips ? "cnn-skip" : "" });
      }),
    );
    this.edges.replaceChildren(...paths);
  }

  /**
   * A click on the picture of a layer chooses the map and the number under the pointer.
   * @param {MouseEvent} event
   * @param {number} layer
   */
  chooseAt(event, layer) {
    const at = event.detail > 0 ? this.placeUnder(event, layer + 1) : null;
    this.onChoose({ layer, ...at });
  }

  /**
   * @param {{clientX: number, clientY: number}} event
   * @param {number} number of the node
   */
  placeUnder({ clientX, clientY }, number) {
    const { canvas, mosaic, size } = this.nodes[number];
    const box = canvas.getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * mosaic.width;
    const y = ((clientY - box.top) / box.height) * mosaic.height;
    if (x < 0 || y < 0 || x >= mosaic.width || y >= mosaic.height) return null;
    const { tile, columns, zoom, step } = mosaic;
    const channel = Math.floor(y / (tile.height + 1)) * columns + Math.floor(x / (tile.width + 1));
    if (channel >= size.channels) return null;
    /** @param {number} position @param {number} side @param {number} length */
    const along = (position, side, length) =>
      Math.min(Math.floor(Math.min(position % (side + 1), side - 1e-6) / zoom) * step, length - 1);
    return { channel, row: along(y, tile.height, size.height), column: along(x, tile.width, size.width) };
  }

  /** @param {PointerEvent | null} event */
  point(event) {
    const node = event && event.pointerType !== "touch" && /** @type {Element} */ (event.target).closest(".cnn-card");
    const number = node ? this.nodes.findIndex((other) => other.node === node) : -1;
    const at = event && number > 0 ? this.placeUnder(event, number) : null;
    const key = at ? `${number}/${at.channel}` : "";
    if (key === this.pointed) return;
    this.pointed = key;
    this.onPoint(at ? { layer: number - 1, channel: at.channel } : null);
  }

  /** @param {Maps[]} outputs */
  update(outputs) {
    const { manifest } = this;
    if (!manifest) return;
    paintInput(this.nodes[0].canvas, outputs[0], manifest.input.range);
    this.nodes.forEach(({ canvas, mosaic }, index) => {
      if (index > 0) paintMosaic(canvas, outputs[index], mosaic, limitOf(outputs[index]));
    });
  }

  /** @param {number} layer −1 when the chosen one is in another network */
  select(layer) {
    setChecked(this.blocks, this.nodes[layer + 1]?.node);
    if (layer < 0) this.showField(null);
  }

  /**
   * The part of the image that the chosen number depends on.
   * @param {import("./explain.js").Box | null} box
   */
  showField(box) {
    this.field.hidden = !box;
    const { height, width } = this.nodes[0].size;
    if (box) placeBox(this.field, box, height, width);
  }

  /**
   * Lights what feeds one map and what it feeds.
   * @param {Relation | null} relation
   */
  light(relation) {
    this.relation = relation ?? undefined;
    this.words.textContent = relation && this.manifest ? inWords(this.manifest, relation) : "";
    this.drawLines();
  }

  drawLines() {
    const { relation } = this;
    if (!relation || !this.nodes[relation.layer + 1]) {
      this.lines.replaceChildren();
      return;
    }
    // Everything is measured before anything is drawn, so that the browser lays out once.
    const frame = this.plan.getBoundingClientRect();
    const boxes = this.nodes.map(({ canvas }) => within(canvas.getBoundingClientRect(), frame));
    const here = this.tileBox(relation.layer + 1, relation.channel, boxes);
    /** @type {Element[]} */
    const parts = [];
    const mark = (/** @type {ReturnType<typeof within>} */ box, /** @type {string} */ name, /** @type {number} */ share) =>
      parts.push(
        svg("rect", {
          x: box.left - 1, y: box.top - 1, width: box.width + 2, height: box.height + 2,
          class: name, "stroke-opacity": 0.25 + 0.75 * share,
        }),
      );
    for (const [side, name] of /** @type {const} */ ([[relation.feeds, "cnn-feeds-it"], [relation.fed, "cnn-fed-by-it"]])) {
      for (const { number, shares } of side) {
        const strongest = [...shares.keys()].filter((k) => shares[k] > 0).sort((a, b) => shares[b] - shares[a]);
        for (const channel of strongest.slice(0, LINES_DRAWN).reverse()) {
          const there = this.tileBox(number, channel, boxes);
          const [from, to] = name === "cnn-feeds-it" ? [there, here] : [here, there];
          parts.push(
            svg("path", { d: edge(from, to, false), class: name, "stroke-opacity": 0.15 + 0.65 * shares[channel] ** 2 }),
          );
          mark(there, name, shares[channel]);
        }
      }
    }
    mark(here, "cnn-lit", 1);
    this.lines.replaceChildren(...parts);
  }

  /**
   * Where one map stands in the picture.
   * @param {number} number of the node
   * @param {number} channel
   * @param {ReturnType<typeof within>[]} boxes of all nodes
   */
  tileBox(number, channel, boxes) {
    const { mosaic } = this.nodes[number];
    const box = boxes[number];
    if (number === 0) return box;
    const scale = box.width / mosaic.width;
    return {
      left: box.left + (channel % mosaic.columns) * (mosaic.tile.width + 1) * scale,
      top: box.top + Math.floor(channel / mosaic.columns) * (mosaic.tile.height + 1) * scale,
      width: mosaic.tile.width * scale,
      height: mosaic.tile.height * scale,
    };
  }
}

/**
 * @param {Manifest} manifest
 * @param {Relation} relation
 */
function inWords({ layers }, { layer, channel, feeds, fed }) {
  const reads = feeds.map(({ number, shares }) => {
    const count = shares.reduce((sum, share) => sum + (share > 0 ? 1 : 0), 0);
    if (number === 0) return "the image";
    return `${count === 1 ? `map ${shares.findIndex((share) => share > 0) + 1}` : `${count} maps`} of layer ${number}`;
  });
  const readers = fed.map(({ number, shares }) => {
    const count = shares.reduce((sum, share) => sum + (share > 0 ? 1 : 0), 0);
    return `${count === 1 ? "one map" : `${count} maps`} of layer ${number}`;
  });
  return (
    `Map ${channel + 1} of layer ${layer + 1}, ${titleOf(layers[layer])}, reads ${reads.join(" and ")}` +
    (readers.length > 0 ? ` and feeds ${readers.join(" and ")}.` : "; nothing comes behind it.")
  );
}

/** @param {DOMRect} box @param {DOMRect} frame */
const within = (box, frame) => ({
  left: box.left - frame.left,
  top: box.top - frame.top,
  width: box.width,
  height: box.height,
});

/**
 * A line from one picture to the next: straight across in a row, bent down to the next row, and
 * over the top where it skips layers.
 * @param {ReturnType<typeof within>} from
 * @param {ReturnType<typeof within>} to
 * @param {boolean} skips
 */
function edge(from, to, skips) {
  const start = { x: from.left + from.width, y: from.top + from.height / 2 };
  const end = { x: to.left, y: to.top + to.height / 2 };
  if (end.x >= start.x && !skips) {
    const bend = (end.x - start.x) / 2;
    return `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`;
  }
  if (skips && Math.abs(from.top - to.top) < Math.max(from.height, to.height)) {
    const top = Math.min(from.top, to.top) - 12;
    const [x, y] = [from.left + from.width / 2, to.left + to.width / 2];
    return `M${x} ${from.top}C${x} ${top} ${y} ${top} ${y} ${to.top}`;
  }
  const [x, y] = [from.left + from.width / 2, to.left + to.width / 2];
  const middle = (from.top + from.height + to.top) / 2;
  return `M${x} ${from.top + from.height}C${x} ${middle} ${y} ${middle} ${y} ${to.top}`;
}

/** Every map of one layer. */
export class MapsPanel {
  /** @param {(place: {channel: number, row?: number, column?: number}) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.each = h("input", { type: "checkbox", id: "cnn-each", onchange: () => this.paint() });
    this.grid = h("div", { class: "cnn-maps", role: "radiogroup", "aria-label": "Maps of this layer" });
    makeRoving(this.grid);
    this.low = h("span");
    this.high = h("span");
    this.more = h("button", { type: "button", class: "cnn-button", onclick: () => this.showMore() });
    this.element = h(
      "div",
      {},
      h(
        "p",
        { class: "cnn-row cnn-legend" },
        this.low,
        h("span", { class: "cnn-scale", "aria-hidden": "true" }),
        this.high,
        h("span", { class: "cnn-choice" }, this.each, h("label", { for: "cnn-each" }, "Stretch each map by itself")),
      ),
      this.grid,
      h("p", { class: "cnn-row" }, this.more),
    );
    /** @type {HTMLCanvasElement[]} */
    this.canvases = [];
    this.first = "";
    /** @type {Maps | undefined} */
    this.maps = undefined;
    /** @type {string[]} */
    this.names = [];
  }

  /**
   * @param {Maps} maps
   * @param {string[]} names of the channels, empty where they have none
   * @param {string} key changes when the tiles must be built anew
   */
  update(maps, names, key) {
    if (maps === this.maps && key === this.first) return;
    this.maps = maps;
    this.names = names;
    if (key !== this.first) {
      this.first = key;
      this.canvases = [];
      this.grid.replaceChildren();
      const side = maps.channels > 64 ? 40 : maps.channels > 32 ? 52 : 72;
      this.grid.style.setProperty("--cnn-tile", `${maps.height === 1 && maps.width === 1 ? 30 : side}px`);
      this.grid.classList.toggle("cnn-named", names.length > 0);
      this.showMore();
    }
    this.paint();
  }

  showMore() {
    const { maps, names } = this;
    if (!maps) return;
    const end = Math.min(maps.channels, this.canvases.length + MAPS_SHOWN);
    for (let channel = this.canvases.length; channel < end; channel++) {
      const canvas = h("canvas", { class: "cnn-pixels" });
      canvas.style.aspectRatio = `${maps.width} / ${maps.height}`;
      this.canvases.push(canvas);
      this.grid.append(
        h(
          "button",
          {
            type: "button",
            role: "radio",
            "aria-checked": "false",
            tabindex: -1,
            "aria-label": short(names[channel] ?? `Map ${channel + 1}`),
            onclick: (/** @type {MouseEvent} */ event) => this.chooseAt(event, canvas, channel),
          },
          canvas,
          names.length > 0 && h("span", {}, short(names[channel])),
          names.length > 0 && h("span", { class: "cnn-muted" }),
        ),
      );
    }
    const left = maps.channels - end;
    this.more.hidden = left === 0;
    this.more.textContent = `Show ${Math.min(left, MAPS_SHOWN)} more of ${maps.channels} maps`;
    this.paint();
  }

  /**
   * @param {MouseEvent} event
   * @param {HTMLCanvasElement} canvas
   * @param {number} channel
   */
  chooseAt(event, canvas, channel) {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * canvas.width);
    const row = Math.floor(((event.clientY - box.top) / box.height) * canvas.height);
    const byPointer = event.detail > 0 && row >= 0 && row < canvas.height && column >= 0 && column < canvas.width;
    this.onChoose(byPointer ? { channel, row, column } : { channel });
  }

  paint() {
    const { maps } = this;
    if (!maps) return;
    const limit = limitOf(maps);
    const alone = this.each.checked;
    this.low.textContent = alone ? "− the map's largest" : digits(-limit);
    this.high.textContent = alone ? "+ the map's largest" : digits(limit);
    this.canvases.forEach((canvas, channel) => {
      paintMap(canvas, maps, channel, alone ? limitOf(maps, channel) : limit);
      const number = this.grid.children[channel].querySelector(".cnn-muted");
      if (number) number.textContent = digits(maps.data[channel], 3);
    });
  }

  /** @param {number} channel */
  select(channel) {
    while (channel >= this.canvases.length && !this.more.hidden) this.showMore();
    setChecked(this.grid, /** @type {HTMLElement} */ (this.grid.children[channel]));
  }
}
