// Single layers to play with, on numbers small enough to check by hand. They stand on the
// explorer page, and in a lesson wherever a paragraph links to one of them: the link is what
// readers of the plain notebook see. The arithmetic is the explorer's own, from layers.js.

import { numberGrid } from "./arithmetic.js";
import { digits, h, svg, times } from "./dom.js";
import { backward, forward, OPERATIONS } from "./graph.js";
import * as layers from "./layers.js";
import { colourOf, inkOn, onThemeChange, readPalette } from "./paint.js";
import { Player } from "./player.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Padding} Padding */

let count = 0;

/**
 * A labelled choice.
 * @param {string} label
 * @param {string[]} options
 * @param {() => void} onchange
 * @param {number} [chosen]
 */
function choice(label, options, onchange, chosen = 0) {
  const id = `cnn-choice-${++count}`;
  const select = h("select", { id, onchange });
  options.forEach((name, index) => select.append(h("option", { value: index, selected: index === chosen }, name)));
  return { select, element: h("span", { class: "cnn-row" }, h("label", { for: id }, label), select) };
}

/**
 * A labelled slider.
 * @param {string} label
 * @param {() => void} oninput
 * @param {Record<string, number>} settings
 */
function slider(label, oninput, settings) {
  const id = `cnn-slider-${++count}`;
  const input = h("input", { type: "range", id, oninput, ...settings });
  return { input, element: h("span", { class: "cnn-row" }, h("label", { for: id }, label), input) };
}

/**
 * A number that a reader typed: decimal point or comma, a minus of any kind; 0 when it is none.
 * @param {string} text
 */
function typed(text) {
  const value = Number(text.replace(",", ".").replace("−", "-"));
  return Number.isFinite(value) ? Math.max(-99, Math.min(99, value)) : 0;
}

/** @param {number} value */
const asTyped = (value) => String(Math.round(value * 100) / 100).replace("-", "−");

/**
 * A grid of numbers that can be changed. It is built anew only when its size changes, so that
 * the reader's cursor stays where it is.
 */
class EditableGrid {
  /**
   * @param {string} caption
   * @param {() => void} onchange
   */
  constructor(caption, onchange) {
    this.onchange = onchange;
    this.body = h("tbody");
    this.shape = "";
    this.element = h(
      "div",
      { class: "cnn-scroll" },
      h("table", { class: "cnn-grid cnn-editable" }, h("caption", {}, caption), this.body),
    );
  }

  /**
   * @param {ArrayLike<number>} values row after row, NaN in the padding
   * @param {readonly [number, number]} size
   * @param {number} limit
   * @param {(row: number, column: number) => boolean} marked
   * @param {(place: number, value: number) => void} set
   */
  update(values, [height, width], limit, marked, set) {
    // Where the padding lies is part of the form.
    const shape = `${height}/${width}/${Array.from(values, (value) => (Number.isNaN(value) ? "0" : "1")).join("")}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.body.replaceChildren(
        ...Array.from({ length: height }, (_, row) =>
          h("tr", {}, ...Array.from({ length: width }, (__, column) => this.cell(values[row * width + column], row, column))),
        ),
      );
    }
    this.set = (/** @type {number} */ row, /** @type {number} */ column, /** @type {string} */ text) =>
      set(row * width + column, typed(text));
    [...this.body.children].forEach((line, row) => {
      [...line.children].forEach((cell, column) => {
        cell.classList.toggle("cnn-under", marked(row, column));
        const input = cell.querySelector("input");
        const value = values[row * width + column];
        if (!input) return;
        if (input !== document.activeElement) input.value = asTyped(value);
        const colour = colourOf(value, limit);
        input.style.background = `rgb(${colour.join(" ")})`;
        input.style.color = inkOn(colour);
      });
    });
  }

  /**
   * @param {number} value
   * @param {number} row
   * @param {number} column
   */
  cell(value, row, column) {
    if (Number.isNaN(value)) return h("td", { class: "cnn-padding", title: "padding: outside the input" }, "0");
    const input = h("input", {
      type: "text",
      inputmode: "decimal",
      "aria-label": `row ${row + 1}, column ${column + 1}`,
      oninput: () => {
        this.set?.(row, column, input.value);
        this.onchange();
      },
      onblur: () => this.onchange(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (by === undefined) return;
        const line = this.body.children[row + by]?.children[column];
        line?.querySelector("input")?.focus();
        event.preventDefault();
      },
    });
    return h("td", {}, input);
  }

  /** @type {((row: number, column: number, text: string) => void) | undefined} */
  set;
}

/** A small picture: a bright corner on a dark ground, with one brighter pixel in it. */
const PICTURE = [
  [0, 0, 0, 0, 0, 0, 0],
  [0, 4, 4, 4, 4, 4, 0],
  [0, 4, 4, 4, 4, 4, 0],
  [0, 4, 4, 9, 0, 0, 0],
  [0, 4, 4, 0, 0, 0, 0],
  [0, 4, 4, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 1],
];

/**
 * The upper left part of the picture, with the given side.
 * @param {number} side
 * @returns {Maps}
 */
function picture(side) {
  const data = Float32Array.from(PICTURE.slice(0, side).flatMap((row) => row.slice(0, side)));
  return { height: side, width: side, channels: 1, data };
}

/**
 * What a sliding window sees: the input with its padding, and where the window lies.
 * @param {Maps} inputs
 * @param {number} window
 * @param {number} stride
 * @param {Padding} padding
 * @param {Maps} outputs
 * @param {number} step
 */
function windowAt(inputs, window, stride, padding, outputs, step) {
  const [before, after] = layers.paddingAlong(inputs.height, window, stride, padding, 0);
  const side = inputs.height + before + after;
  const padded = new Float32Array(side * side).fill(NaN);
  for (let row = 0; row < inputs.height; row++) {
    for (let column = 0; column < inputs.width; column++) {
      padded[(row + before) * side + column + before] = inputs.data[row * inputs.width + column];
    }
  }
  const top = Math.floor(step / outputs.width) * stride;
  const left = (step % outputs.width) * stride;
  const inside = (/** @type {number} */ row, /** @type {number} */ column) =>
    row >= top && row < top + window && column >= left && column < left + window;
  const patch = padded.filter((_, place) => inside(Math.floor(place / side), place % side));
  return { padded, side, inside, patch, before, after };
}

/**
 * Marks one cell of a grid, and lets each be clicked.
 * @param {HTMLElement} grid
 * @param {number} chosen
 * @param {(place: number) => void} onClick
 * @param {number} shown how many cells the window has reached
 */
function mark(grid, chosen, onClick, shown) {
  [...grid.querySelectorAll("td")].forEach((cell, place) => {
    cell.classList.toggle("cnn-under", place === chosen);
    cell.classList.add("cnn-clickable");
    cell.addEventListener("click", () => onClick(place));
    if (place < shown) return;
    cell.textContent = "";
    cell.removeAttribute("style");
  });
  return grid;
}

const KERNELS = [
  { name: "left minus right, 3×3", values: [1, 0, -1, 1, 0, -1, 1, 0, -1] },
  { name: "sharpen, 3×3", values: [0, -1, 0, -1, 5, -1, 0, -1, 0] },
  { name: "mean, 3×3", values: Array(9).fill(1 / 9) },
  { name: "mean, 2×2", values: Array(4).fill(1 / 4) },
];

/** A player and a slider that lead from one output place to the next. */
class Steps {
  /** @param {() => void} onchange */
  constructor(onchange) {
    this.onchange = onchange;
    // While the window slides, the output holds only what it has reached.
    this.filling = false;
    this.slider = slider(
      "Place",
      () => {
        this.player.stop();
        this.filling = false;
        onchange();
      },
      { min: 0, max: 0, value: 0 },
    );
    this.player = new Player({ onStep: () => this.advance(), speed: 4 });
    this.element = h("div", { class: "cnn-row" }, this.player.element, this.slider.element);
  }

  advance() {
    const last = Number(this.slider.input.max);
    if (this.filling && this.step === last) {
      this.filling = false;
      this.onchange();
      return false;
    }
    this.step = this.filling ? this.step + 1 : 0;
    this.filling = true;
    this.onchange();
    return true;
  }

  get step() {
    return Number(this.slider.input.value);
  }

  set step(value) {
    this.slider.input.value = String(value);
  }

  /** @param {number} place that the reader chose */
  choose(place) {
    this.player.stop();
    this.filling = false;
    this.step = place;
    this.onchange();
  }

  get shown() {
    return this.filling ? this.step + 1 : Infinity;
  }

  /** @param {Maps} outputs */
  fit(outputs) {
    this.slider.input.max = String(outputs.height * outputs.width - 1);
    const row = Math.floor(this.step / outputs.width);
    this.slider.input.setAttribute("aria-valuetext", `row ${row + 1}, column ${(this.step % outputs.width) + 1}`);
  }
}

/**
 * The largest distance from zero, at least 1.
 * @param {ArrayLike<number>} values
 */
const limitOf = (values) => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1);

/**
 * The numbers of the picture, which the reader may change.
 * @param {number} side
 * @param {Map<number, Maps>} kept for each side, so that what was typed comes back with it
 */
function inputsOf(side, kept) {
  const inputs = kept.get(side) ?? picture(side);
  kept.set(side, inputs);
  return inputs;
}

/** @param {HTMLElement} root */
function convolution(root) {
  const kernel = choice("Kernel", [...KERNELS.map(({ name }) => name), "your own"], chooseKernel);
  const side = choice("Input", ["5×5", "6×6", "7×7"], draw, 1);
  const stride = choice("Stride", ["1", "2", "3"], draw);
  const padding = choice("Padding", ["valid: none", "same: TensorFlow's rule", "symmetric: as much on each side"], draw);
  const steps = new Steps(draw);
  const input = new EditableGrid("Input, with its padding", draw);
  const weightGrid = new EditableGrid("Kernel", draw);
  const products = h("div");
  const output = h("div");
  const words = h("p", { "aria-live": "polite" });
  /** @type {Map<number, Maps>} */
  const typedInputs = new Map();
  let weights = Float32Array.from(KERNELS[0].values);
  root.replaceChildren(
    h("p", { class: "cnn-row" }, kernel.element, side.element, stride.element, padding.element),
    h(
      "div",
      { class: "cnn-equation" },
      input.element,
      sign("×"),
      weightGrid.element,
      sign("="),
      products,
      sign("→"),
      output,
    ),
    steps.element,
    words,
    h("p", { class: "cnn-muted" }, "Every number of the input and of the kernel can be changed: choose it and type."),
  );
  draw();
  return draw;

  function chooseKernel() {
    const chosen = KERNELS[Number(kernel.select.value)];
    if (chosen) weights = Float32Array.from(chosen.values);
    draw();
  }

  function draw() {
    const window = Math.sqrt(weights.length);
    const inputs = inputsOf(5 + Number(side.select.value), typedInputs);
    const by = Number(stride.select.value) + 1;
    const half = Math.floor(window / 2);
    const rule = /** @type {Padding[]} */ (["valid", "same", [[half, half], [half, half]]])[
      Number(padding.select.value)
    ];
    const outputs = layers.conv2d(inputs, weights, [window, window], null, { strides: [by, by], padding: rule });
    steps.fit(outputs);
    const { step } = steps;
    const view = windowAt(inputs, window, by, rule, outputs, step);
    const terms = view.patch.map((value, place) => value * weights[place]);
    input.update(view.padded, [view.side, view.side], limitOf(inputs.data), view.inside, (place, value) => {
      const row = Math.floor(place / view.side) - view.before;
      inputs.data[row * inputs.width + (place % view.side) - view.before] = value;
    });
    weightGrid.update(weights, [window, window], limitOf(weights), () => false, (place, value) => {
      weights[place] = value;
      kernel.select.value = String(KERNELS.length);
    });
    products.replaceChildren(numberGrid("Products", terms, [window, window], limitOf(terms)));
    output.replaceChildren(
      mark(
        numberGrid("Output", outputs.data, [outputs.height, outputs.width], limitOf(outputs.data)),
        step,
        (place) => steps.choose(place),
        steps.shown,
      ),
    );
    const zeros =
      view.before === view.after ? `${view.before} on each side` : `${view.before} before and ${view.after} behind`;
    words.textContent =
      `Row ${Math.floor(step / outputs.width) + 1}, column ${(step % outputs.width) + 1}: the products add up to ` +
      `${digits(outputs.data[step])}. Zeros added along each axis: ${zeros}. ` +
      `Output: ${times([outputs.height, outputs.width])}.`;
  }
}

/** @param {HTMLElement} root */
function pooling(root) {
  const kind = choice("Pooling", ["average", "max"], draw);
  const side = choice("Input", ["5×5", "6×6", "7×7"], draw);
  const size = choice("Pool", ["2×2", "3×3"], draw);
  const padding = choice("Padding", ["valid", "same"], draw, 1);
  const steps = new Steps(draw);
  const input = new EditableGrid("Input, with its padding", draw);
  const output = h("div");
  const words = h("p", { "aria-live": "polite" });
  /** @type {Map<number, Maps>} */
  const typedInputs = new Map();
  root.replaceChildren(
    h("p", { class: "cnn-row" }, kind.element, side.element, size.element, padding.element),
    h("div", { class: "cnn-equation" }, input.element, sign("→"), output),
    steps.element,
    words,
    h("p", { class: "cnn-muted" }, "Every number of the input can be changed: choose it and type."),
  );
  draw();
  return draw;

  function draw() {
    const inputs = inputsOf(5 + Number(side.select.value), typedInputs);
    const window = 2 + Number(size.select.value);
    const rule = /** @type {Padding[]} */ (["valid", "same"])[Number(padding.select.value)];
    const pool = kind.select.value === "0" ? layers.averagePool2d : layers.maxPool2d;
    const outputs = pool(inputs, [window, window], { padding: rule });
    steps.fit(outputs);
    const { step } = steps;
    const view = windowAt(inputs, window, window, rule, outputs, step);
    input.update(view.padded, [view.side, view.side], limitOf(inputs.data), view.inside, (place, value) => {
      const row = Math.floor(place / view.side) - view.before;
      inputs.data[row * inputs.width + (place % view.side) - view.before] = value;
    });
    output.replaceChildren(
      mark(
        numberGrid("Output", outputs.data, [outputs.height, outputs.width], limitOf(inputs.data)),
        step,
        (place) => steps.choose(place),
        steps.shown,
      ),
    );
    const numbers = [...view.patch].filter((value) => !Number.isNaN(value));
    const sum = numbers.reduce((total, value) => total + value, 0);
    const listed = numbers.map((value) => asTyped(value));
    words.textContent =
      kind.select.value === "0"
        ? `(${listed.join(" + ")}) ÷ ${numbers.length} = ${digits(sum)} ÷ ${numbers.length} = ${digits(outputs.data[step])}`
        : `The largest of ${listed.join(", ")} is ${digits(outputs.data[step])}`;
    words.textContent += numbers.length < window * window ? ". The padding takes no part." : ".";
  }
}

/** One channel of a batch: what a convolution might give for eight images at one place. */
const BATCH = [3.1, 4.6, 5.2, 5.9, 6.3, 7.0, 7.4, 8.5];
const MOMENTA = [0.9, 0.99, 0.999];

/** @param {HTMLElement} root */
function batchNormalization(root) {
  const steps = slider("Training steps so far", draw, { min: 0, max: 600, step: 5, value: 20 });
  const momentum = choice("Momentum", MOMENTA.map(String), draw, 1);
  const lines = h("div");
  const words = h("p", { "aria-live": "polite" });
  const batch = [...BATCH];
  const grid = new EditableGrid("The batch: eight images at one place. Choose a number and type another.", draw);
  root.replaceChildren(
    h(
      "p",
      {},
      "In training a batch is normalized by its own mean and variance. In an answer the moving statistics ",
      "stand in for them. They begin at 0 and 1 and take over a small part of each batch.",
    ),
    h("p", { class: "cnn-row" }, steps.element, momentum.element),
    grid.element,
    lines,
    words,
  );
  draw();
  return draw;

  function draw() {
    grid.update(batch, [1, batch.length], limitOf(batch), () => false, (place, value) => (batch[place] = value));
    const inputs = { height: 1, width: batch.length, channels: 1, data: Float32Array.from(batch) };
    const mean = batch.reduce((sum, value) => sum + value, 0) / batch.length;
    const variance = batch.reduce((sum, value) => sum + (value - mean) ** 2, 0) / batch.length;
    const kept = MOMENTA[Number(momentum.select.value)] ** Number(steps.input.value);
    const moving = { mean: (1 - kept) * mean, variance: kept + (1 - kept) * variance };
    const normalize = (/** @type {number} */ center, /** @type {number} */ spread) =>
      layers.batchNormalization(
        inputs,
        { moving_mean: Float32Array.of(center), moving_variance: Float32Array.of(spread) },
        1e-3,
      ).data;
    const now = normalize(moving.mean, moving.variance);
    lines.replaceChildren(
      dots("What comes in", batch),
      dots(`In training: batch mean ${digits(mean)}, variance ${digits(variance)}`, normalize(mean, variance)),
      dots(`In an answer: moving mean ${digits(moving.mean)}, moving variance ${digits(moving.variance)}`, now),
    );
    const center = now.reduce((sum, value) => sum + value, 0) / now.length;
    words.textContent =
      `After ${steps.input.value} steps the next layer was trained on numbers around 0, and in an answer it gets ` +
      `numbers around ${digits(center)}.` +
      (Math.abs(center) > 0.5 ? " That is why an early test can fail where training looks well." : "");
  }
}

/**
 * Numbers as dots on a line from −3 to 9; what lies beyond stands at its end.
 * @param {string} caption
 * @param {ArrayLike<number>} values
 */
function dots(caption, values) {
  const x = (/** @type {number} */ value) => 50 * (Math.max(-3.3, Math.min(9.3, value)) + 3) + 20;
  const numbers = Array.from(values);
  const drawing = svg("svg", { viewBox: "0 0 640 54", role: "img", class: "cnn-dots" });
  drawing.setAttribute("aria-label", `${caption}: ${numbers.map((value) => digits(value)).join(", ")}`);
  drawing.append(svg("line", { x1: x(-3), x2: x(9), y1: 24, y2: 24 }));
  for (let tick = -3; tick <= 9; tick++) {
    drawing.append(svg("line", { x1: x(tick), x2: x(tick), y1: 20, y2: tick === 0 ? 34 : 28 }));
    const label = svg("text", { x: x(tick), y: 48 });
    label.textContent = digits(tick, 0);
    drawing.append(label);
  }
  for (const value of numbers) drawing.append(svg("circle", { cx: x(value), cy: 24, r: 8 }));
  const figure = h("figure", {}, h("figcaption", {}, caption));
  figure.append(drawing);
  return figure;
}

/** @param {string} text */
const sign = (text) => h("span", { class: "cnn-operator", "aria-hidden": "true" }, text);

/** The graph of lesson 06; the places are those of a drawing of 440 by 330. */
/** @type {Record<string, {value: number, at: [number, number]}>} */
const LEAVES = {
  k: { value: 2, at: [50, 30] },
  w: { value: 3, at: [50, 110] },
  d: { value: 1, at: [50, 190] },
  c: { value: 10, at: [50, 282] },
};
/** @type {(import("./graph.js").Box & {at: [number, number]})[]} */
const BOXES = [
  { name: "a", of: ["k", "w"], operation: "product", at: [195, 60] },
  { name: "b", of: ["w", "d"], operation: "sum", at: [195, 160] },
  { name: "p", of: ["a", "b"], operation: "product", at: [290, 110] },
  { name: "loss", of: ["p", "c"], operation: "maximum", at: [368, 222] },
];

/** @param {number} value as short as a wire is */
const onWire = (value) =>
  Math.abs(value) < 99999.5 ? asTyped(value) : value.toExponential(1).replace("-", "−").replace("+", "");

// What a box does with the gradient that arrives, in the words of the lesson.
/** @type {Record<string, string>} */
const PATTERNS = {
  sum: "A sum hands on: each term gets it as it is.",
  product: "A product exchanges: each factor gets it times the other factor.",
  maximum: "A maximum chooses: the larger input gets it whole, the other 0.",
};

/** @param {HTMLElement} root */
function computationGraph(root) {
  const choices = BOXES.map(({ name, operation }) => {
    const kinds = Object.keys(OPERATIONS);
    return choice(name, kinds, draw, kinds.indexOf(operation));
  });
  const last = 2 * BOXES.length;
  const step = slider("Step", () => (player.stop(), draw()), { min: 0, max: last, value: last });
  const player = new Player({ onStep: advance, speed: 1 });
  const drawing = svg("svg", { viewBox: "0 0 440 330", role: "img" });
  const inputs = Object.entries(LEAVES).map(([name, { value, at: [x, y] }]) => {
    const input = h("input", { type: "text", inputmode: "decimal", value: asTyped(value), oninput: draw });
    input.addEventListener("blur", () => (input.value = asTyped(typed(input.value))));
    const place = `left: ${x / 4.4}%; top: ${y / 3.3}%`;
    return { name, input, label: h("label", { style: place }, h("i", {}, name), " ", input) };
  });
  const words = h("p", { "aria-live": "polite" });
  root.replaceChildren(
    h("p", { class: "cnn-row" }, ...choices.map(({ element }) => element)),
    h("div", { class: "cnn-graph" }, /** @type {any} */ (drawing), ...inputs.map(({ label }) => label)),
    h(
      "p",
      { class: "cnn-row" },
      h("span", { class: "cnn-forward" }, "above: the value, forward"),
      h("span", { class: "cnn-backward" }, "below: the gradient, backward"),
    ),
    h("div", { class: "cnn-row" }, player.element, step.element),
    words,
    h(
      "p",
      { class: "cnn-muted" },
      "Each of the four numbers on the left can be changed: choose it and type. ",
      "Each box can be a sum, a product or a maximum.",
    ),
  );
  draw();
  return draw;

  function advance() {
    const now = Number(step.input.value);
    step.input.value = String(now === last ? 0 : now + 1);
    draw();
    return now !== last - 1;
  }

  function draw() {
    const boxes = BOXES.map((box, place) => ({
      ...box,
      operation: Object.keys(OPERATIONS)[Number(choices[place].select.value)],
    }));
    const leaves = Object.fromEntries(inputs.map(({ name, input }) => [name, typed(input.value)]));
    const values = forward(boxes, leaves);
    const { at, along } = backward(boxes, values);
    const now = Number(step.input.value);
    // Forward box by box, then backward in the opposite order.
    const known = (/** @type {number} */ place) => now > place;
    const handed = (/** @type {number} */ place) => now >= last - place;
    const active = now === 0 ? -1 : now <= BOXES.length ? now - 1 : last - now;
    const placeOf = (/** @type {string} */ name) => boxes.findIndex((box) => box.name === name);

    drawing.replaceChildren();
    /** @type {string[]} */
    const told = [];
    boxes.forEach(({ name, of, operation, at: [x, y] }, place) => {
      of.forEach((from, side) => {
        const source = placeOf(from);
        const [left, top] = source < 0 ? LEAVES[from].at : boxes[source].at;
        const start = source < 0 ? left + 46 : left + 21;
        drawing.append(svg("line", { x1: start, y1: top, x2: x, y2: y, class: place === active ? "cnn-active" : "" }));
        // Where wires that leave one number are well apart.
        const share = source < 0 ? 0.45 : 0.42;
        const value = source < 0 || known(source) ? onWire(values[from]) : "";
        const gradient = handed(place) ? onWire(along[name][side]) : "";
        drawing.append(...onLine(start + share * (x - start), top + share * (y - top), value, gradient));
        if (gradient) told.push(`${from} gets ${gradient} from ${name}`);
      });
    });
    const end = boxes[boxes.length - 1];
    drawing.append(svg("line", { x1: end.at[0], y1: end.at[1], x2: 440, y2: end.at[1] }));
    const done = now >= BOXES.length;
    drawing.append(...onLine(414, end.at[1], done ? onWire(values[end.name]) : "", now > BOXES.length ? "1" : ""));
    boxes.forEach(({ name, operation, at: [x, y] }, place) => {
      drawing.append(svg("circle", { cx: x, cy: y, r: 21, class: place === active ? "cnn-active" : "" }));
      const operator = svg("text", { x, y: y + 6, class: "cnn-sign" });
      operator.textContent = OPERATIONS[operation].sign;
      const title = svg("text", { x, y: y - 27, class: "cnn-name" });
      title.textContent = name;
      drawing.append(operator, title);
    });
    // What arrives at each number on the left, once every box that uses it has handed its part on.
    for (const [name, { at: [x, y] }] of Object.entries(LEAVES)) {
      const users = boxes.flatMap(({ of }, place) => (of.includes(name) ? [place] : []));
      if (!users.every(handed)) continue;
      const sum = svg("text", { x: x + 8, y: y + 36, class: "cnn-backward" });
      sum.textContent = onWire(at[name]);
      drawing.append(sum);
    }
    const seen = boxes.filter((_, place) => known(place)).map(({ name }) => `${name} = ${onWire(values[name])}`);
    const given = Object.keys(leaves).map((name) => `${name} = ${onWire(values[name])}`);
    drawing.setAttribute("aria-label", `Computation graph: ${[...given, ...seen, ...told].join(", ")}`);
    const way = now <= BOXES.length ? `${now} boxes forward` : `${now - BOXES.length} boxes backward`;
    step.input.setAttribute("aria-valuetext", way);
    words.textContent = sentence();

    function sentence() {
      if (now === 0) return "Before the first step only the four numbers are known. What will each box give?";
      const { name, of: [x, y], operation } = boxes[active];
      if (now <= BOXES.length) {
        const sign = OPERATIONS[operation].sign;
        const [one, other] = [onWire(values[x]), onWire(values[y])];
        const sum = operation === "maximum" ? `max(${one}, ${other})` : `${one} ${sign} ${other}`;
        return `Forward: ${name} = ${sum} = ${onWire(values[name])}.`;
      }
      const [toX, toY] = along[name].map(onWire);
      const tie =
        operation === "maximum" && values[x] === values[y] ? " Both are equal, a corner: the first one wins." : "";
      const text =
        `Backward: ${onWire(at[name])} arrives at ${name}. ${PATTERNS[operation]}${tie} ` +
        `So ${x} gets ${toX}, and ${y} gets ${toY}.`;
      if (now < last) return text;
      const raised = 1e-3;
      const lossAt = (/** @type {number} */ w) => forward(boxes, { ...leaves, w })[end.name];
      const slope = (lossAt(leaves.w + raised) - lossAt(leaves.w - raised)) / (2 * raised);
      const ways = ["a", "b"].map((way) => onWire(along[way][boxes[placeOf(way)].of.indexOf("w")]));
      return (
        `${text} At w two ways meet and add: ${ways.join(" + ")} = ${onWire(at.w)}. ` +
        `Measured with a small step of w to both sides: ${onWire(slope)}.`
      );
    }
  }
}

/**
 * The two numbers of a wire: its value above, its gradient below.
 * @param {number} x
 * @param {number} y
 * @param {string} value
 * @param {string} gradient
 */
function onLine(x, y, value, gradient) {
  const above = svg("text", { x, y: y - 4, class: "cnn-forward" });
  const below = svg("text", { x, y: y + 16, class: "cnn-backward" });
  above.textContent = value;
  below.textContent = gradient;
  return [above, below];
}

/** @type {Record<string, (root: HTMLElement) => () => void>} each gives what draws it anew */
const WIDGETS = {
  convolution,
  pooling,
  "batch-normalization": batchNormalization,
  "computation-graph": computationGraph,
};

/** Puts a widget behind each paragraph that links to one, except on the explorer page itself. */
function plantBesideLinks() {
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll('p a[href*="explorer.html#widget-"]');
  for (const link of links) {
    const name = link.hash.replace("#widget-", "");
    if (!(name in WIDGETS)) continue;
    link.closest("p")?.after(h("div", { class: "cnn-widget", "data-widget": name }));
  }
}

function start() {
  plantBesideLinks();
  /** @type {NodeListOf<HTMLElement>} */
  const roots = document.querySelectorAll(".cnn-widget[data-widget]");
  if (roots.length === 0) return;
  /** @type {(() => void)[]} */
  let redraw = [];
  const begin = () => {
    redraw = [...roots].flatMap((root) => {
      readPalette(root);
      return WIDGETS[root.dataset.widget ?? ""]?.(root) ?? [];
    });
  };
  if (!document.querySelector('link[href$="explorer.css"]')) {
    const sheet = h("link", { rel: "stylesheet", href: String(new URL("./explorer.css", import.meta.url)) });
    sheet.addEventListener("load", begin);
    document.head.append(sheet);
  } else {
    begin();
  }
  onThemeChange(() => {
    readPalette(roots[0]);
    for (const draw of redraw) draw();
  });
}

start();
