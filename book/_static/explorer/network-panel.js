// The second and third step: the answer, the network layer by layer, and the maps of one layer.

import { digits, h, makeRoving, percent, setChecked, times } from "./dom.js";
import { windowOf } from "./network.js";
import { limitOf, paintMap, paintMosaic } from "./paint.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./network.js").Manifest} Manifest */
/** @typedef {import("./network.js").LayerEntry} LayerEntry */
/** @typedef {import("./explain.js").Place} Place */

const MAPS_SHOWN = 256;
const LARGEST_MOSAIC = 108;

/** @type {Record<string, string>} */
const SHORT = {
  conv2d: "Conv", dense: "Dense", batch_normalization: "Batch norm", relu: "ReLU",
  softmax: "Softmax", average_pool2d: "Average pool", max_pool2d: "Max pool",
  global_average_pool2d: "Global average", flatten: "Flatten", dropout: "Dropout",
};

/**
 * What a layer is called on the page.
 * @param {LayerEntry} layer
 */
export function titleOf(layer) {
  const { window, strides } = windowOf(layer);
  if (layer.type === "conv2d") {
    return `Conv ${times(window)}${Math.max(...strides) > 1 ? `, stride ${strides[0]}` : ""}`;
  }
  return SHORT[layer.type] + (layer.type.endsWith("_pool2d") && layer.window ? ` ${times(window)}` : "");
}

/**
 * What a layer does, in two sentences.
 * @param {LayerEntry} layer
 * @param {Maps} inputs
 * @param {Maps} outputs
 */
export function storyOf(layer, inputs, outputs) {
  const { window, strides, padding } = windowOf(layer);
  const n = outputs.channels;
  const weights = Object.values(layer.weights ?? {}).reduce(
    (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0,
  );
  const count = weights.toLocaleString("en");
  switch (layer.type) {
    case "conv2d":
      return (
        `${n} filters of ${times([...window, inputs.channels])} weights. Each is laid on every place of the ` +
        `input${strides[0] > 1 ? `, in steps of ${strides[0]},` : ""} and draws one map; ` +
        `padding “${padding}”; ${count} learned numbers.`
      );
    case "dense":
      return `Each of the ${n} outputs weighs all ${inputs.channels} inputs; ${count} learned numbers.`;
    case "batch_normalization":
      return (
        `Each of the ${n} maps is moved and stretched by two numbers of its own. They come from the ` +
        `mean and variance seen in training, and from a learned scale and offset; ${count} numbers.`
      );
    case "relu":
      return "What is negative becomes zero. Nothing is learned here, and maps keep their size.";
    case "average_pool2d":
      return `Each ${times(window)} patch becomes its mean. What the padding adds is not counted.`;
    case "max_pool2d":
      return `Of each ${times(window)} patch only the largest number goes on.`;
    case "global_average_pool2d":
      return `Each ${times([inputs.height, inputs.width])} map becomes one number, its mean: one for each class.`;
    case "flatten":
      return "The same numbers, written as one row.";
    case "softmax":
      return "Scores become probabilities: positive, and together one.";
    default:
      return (
        `Awake in training only: there it sets ${percent(layer.rate ?? 0)} of the numbers to zero. ` +
        "In an answer it passes everything on."
      );
  }
}

/**
 * Layers in blocks: a new one begins at the first convolution after the maps have shrunk.
 * @param {LayerEntry[]} layers
 * @returns {number[][]} indices of the layers of each block
 */
export function blocksOf(layers) {
  /** @type {number[][]} */
  const blocks = [[]];
  let shrunk = false;
  layers.forEach((layer, index) => {
    if (layer.type === "conv2d" && shrunk) {
      blocks.push([]);
      shrunk = false;
    }
    blocks[blocks.length - 1].push(index);
    shrunk ||= Math.max(...windowOf(layer).strides) > 1;
  });
  return blocks;
}

/** The bars of the answer. */
export class AnswerPanel {
  /** @param {(channel: number) => void} onChoose a class was clicked */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.list = h("ol", { class: "cnn-answer" });
    this.timing = h("p", { class: "cnn-muted" });
    this.element = h("div", {}, this.list, this.timing);
    /** @type {{row: HTMLElement, bar: HTMLElement, number: HTMLElement}[]} */
    this.rows = [];
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    this.rows = classes.map((name, channel) => {
      const bar = h("span", { class: "cnn-bar" });
      const number = h("span", { class: "cnn-percent" }, "–");
      const row = h(
        "button",
        { type: "button", disabled: true, onclick: () => this.onChoose(channel) },
        h("span", { class: "cnn-class" }, name),
        h("span", { class: "cnn-track" }, bar),
        number,
      );
      return { row, bar, number };
    });
    this.list.replaceChildren(...this.rows.map(({ row }) => h("li", {}, row)));
  }

  /**
   * @param {Float32Array} probabilities
   * @param {number} milliseconds
   */
  update(probabilities, milliseconds) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.rows.forEach(({ row, bar, number }, channel) => {
      row.removeAttribute("disabled");
      row.classList.toggle("cnn-best", channel === best);
      bar.style.width = percent(probabilities[channel]).replace(" ", "");
      number.textContent = percent(probabilities[channel]);
    });
    this.timing.textContent = `Computed here in ${Math.max(1, Math.round(milliseconds))} ms. Nothing left your machine.`;
  }
}

/** The whole network: a row for each block, a picture for each layer. */
export class NetworkPanel {
  /** @param {(place: {layer: number, channel?: number, row?: number, column?: number}) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.element = h("div", { class: "cnn-network", role: "radiogroup", "aria-label": "Layers of the network" });
    makeRoving(this.element);
    /** @type {{button: HTMLElement, canvas: HTMLCanvasElement, columns: number}[]} */
    this.cards = [];
  }

  /** @param {Manifest} manifest */
  setNetwork({ layers }) {
    const sizes = layers.map(({ output_shape: shape }) => {
      const [height, width, channels] = shape.length === 3 ? shape : [1, 1, /** @type {number} */ (shape.at(-1))];
      const columns = Math.ceil(Math.sqrt((channels * height) / width));
      return { columns, width: columns * width, height: Math.ceil(channels / columns) * height };
    });
    // One scale for all pictures, so that their areas compare the amounts of numbers.
    const largest = Math.max(...sizes.map(({ width, height }) => Math.max(width, height)));
    const scale = LARGEST_MOSAIC / largest;
    this.cards = layers.map((layer, index) => {
      const { columns, width, height } = sizes[index];
      const canvas = h("canvas", { class: "cnn-pixels" });
      canvas.style.width = `${Math.max(4, width * scale)}px`;
      canvas.style.height = `${Math.max(4, height * scale)}px`;
      const button = h(
        "button",
        {
          type: "button",
          role: "radio",
          class: "cnn-card",
          "aria-label": `Layer ${index + 1}, ${titleOf(layer)}, ${layer.output_shape.join(" by ")}`,
          onclick: (/** @type {MouseEvent} */ event) => this.chooseAt(event, index),
        },
        h("span", { class: "cnn-mosaic" }, canvas),
        h("span", { class: "cnn-card-title" }, titleOf(layer)),
        h("span", { class: "cnn-muted" }, times(layer.output_shape)),
      );
      return { button, canvas, columns };
    });
    this.element.replaceChildren(
      ...blocksOf(layers).map((indices, block) =>
        h(
          "div",
          { class: "cnn-block" },
          h("span", { class: "cnn-block-title" }, `Block ${block + 1}`),
          h("div", { class: "cnn-cards" }, ...indices.map((index) => this.cards[index].button)),
        ),
      ),
    );
    setChecked(this.element, null);
  }

  /**
   * A click on the picture of a layer chooses the map and the number under the pointer.
   * @param {MouseEvent} event
   * @param {number} layer
   */
  chooseAt(event, layer) {
    const { canvas, columns } = this.cards[layer];
    const box = canvas.getBoundingClientRect();
    const maps = this.outputs?.[layer + 1];
    const x = Math.floor(((event.clientX - box.left) / box.width) * canvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * canvas.height);
    const byPointer = event.detail > 0 && x >= 0 && y >= 0 && x < canvas.width && y < canvas.height;
    if (maps && byPointer) {
      const channel = Math.floor(y / maps.height) * columns + Math.floor(x / maps.width);
      if (channel < maps.channels) {
        this.onChoose({ layer, channel, row: y % maps.height, column: x % maps.width });
        return;
      }
    }
    this.onChoose({ layer });
  }

  /** @param {Maps[]} outputs */
  update(outputs) {
    this.outputs = outputs;
    this.cards.forEach(({ canvas, columns }, index) => {
      const maps = outputs[index + 1];
      paintMosaic(canvas, maps, columns, limitOf(maps));
    });
  }

  /** @param {number} layer */
  select(layer) {
    setChecked(this.element, this.cards[layer]?.button);
  }
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
        this.each,
        h("label", { for: "cnn-each" }, "Stretch each map by itself"),
      ),
      this.grid,
      h("p", { class: "cnn-row" }, this.more),
    );
    /** @type {HTMLCanvasElement[]} */
    this.canvases = [];
    this.first = "";
  }

  /**
   * @param {Maps} maps
   * @param {string[]} names of the channels, empty where they have none
   * @param {string} key changes when the tiles must be built anew
   */
  update(maps, names, key) {
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
    if (!maps || !names) return;
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
            "aria-label": names[channel] ?? `Map ${channel + 1}`,
            onclick: (/** @type {MouseEvent} */ event) => this.chooseAt(event, canvas, channel),
          },
          canvas,
          names.length > 0 && h("span", {}, names[channel]),
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
    const { maps, names } = this;
    if (!maps || !names) return;
    const limit = limitOf(maps);
    this.low.textContent = digits(-limit);
    this.high.textContent = digits(limit);
    this.canvases.forEach((canvas, channel) => {
      paintMap(canvas, maps, channel, this.each.checked ? limitOf(maps, channel) : limit);
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
