// Numbers as colours: one diverging map for everything that has a sign, grey for grey pictures.
// The colours themselves stand in explorer.css, one set for light pages and one for dark ones.

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {[number, number, number]} Colour */

const STOPS = ["minus-full", "minus-half", "zero", "plus-half", "plus-full"];

/** @type {Colour[]} */
let palette = [];

/**
 * Reads the colours from the style sheet; call it again when the page turns light or dark.
 * @param {Element} element one inside `.cnn-explorer` or a widget
 */
export function readPalette(element) {
  const style = getComputedStyle(element);
  palette = STOPS.map((name) => {
    const hex = style.getPropertyValue(`--cnn-${name}`).trim();
    return /** @type {Colour} */ ([1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  });
}

/**
 * Calls back whenever the page turns light or dark.
 * @param {() => void} callback
 */
export function onThemeChange(callback) {
  const observer = new MutationObserver(callback);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}

/**
 * @param {number} value
 * @param {number} limit the value that gets the full colour, with either sign
 * @returns {Colour}
 */
export function colourOf(value, limit) {
  const share = limit > 0 ? Math.min(Math.max(value / limit, -1), 1) : 0;
  const place = Math.min(2 * (share + 1), 3.999999);
  const from = palette[Math.floor(place)];
  const to = palette[Math.floor(place) + 1];
  const rest = place % 1;
  return /** @type {Colour} */ (from.map((part, i) => Math.round(part + rest * (to[i] - part))));
}

/**
 * Black or white, whichever reads better on a colour.
 * @param {Colour} colour
 */
export function inkOn(colour) {
  const [red, green, blue] = colour.map((part) => (part / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
}

/**
 * The largest distance from zero, over all maps or in one.
 * @param {Maps} maps
 * @param {number} [channel]
 */
export function limitOf(maps, channel) {
  let limit = 0;
  const step = channel === undefined ? 1 : maps.channels;
  for (let place = channel ?? 0; place < maps.data.length; place += step) {
    limit = Math.max(limit, Math.abs(maps.data[place]));
  }
  return limit;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function contextOf(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * One map, one canvas pixel for each number.
 * @param {HTMLCanvasElement} canvas
 * @param {Maps} maps
 * @param {number} channel
 * @param {number} limit
 */
export function paintMap(canvas, maps, channel, limit) {
  const context = contextOf(canvas, maps.width, maps.height);
  const image = context.createImageData(maps.width, maps.height);
  for (let pixel = 0; pixel < maps.width * maps.height; pixel++) {
    const colour = colourOf(maps.data[pixel * maps.channels + channel], limit);
    image.data.set(colour, 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * All maps of a layer side by side, one canvas pixel for each number.
 * @param {HTMLCanvasElement} canvas
 * @param {Maps} maps
 * @param {number} columns how many maps stand in a row
 * @param {number} limit
 */
export function paintMosaic(canvas, maps, columns, limit) {
  const rows = Math.ceil(maps.channels / columns);
  const context = contextOf(canvas, columns * maps.width, rows * maps.height);
  const image = context.createImageData(canvas.width, canvas.height);
  let source = 0;
  for (let row = 0; row < maps.height; row++) {
    for (let column = 0; column < maps.width; column++) {
      for (let k = 0; k < maps.channels; k++) {
        const y = Math.floor(k / columns) * maps.height + row;
        const x = (k % columns) * maps.width + column;
        const target = 4 * (y * canvas.width + x);
        image.data.set(colourOf(maps.data[source++], limit), target);
        image.data[target + 3] = 255;
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/**
 * The input of a network as a picture, grey or in colours.
 * @param {HTMLCanvasElement} canvas
 * @param {Maps} maps one or three channels
 * @param {readonly [number, number]} range the values of black and of full light
 */
export function paintInput(canvas, maps, [low, high]) {
  const context = contextOf(canvas, maps.width, maps.height);
  const image = context.createImageData(maps.width, maps.height);
  for (let pixel = 0; pixel < maps.width * maps.height; pixel++) {
    for (let k = 0; k < 3; k++) {
      const value = maps.data[pixel * maps.channels + (maps.channels === 3 ? k : 0)];
      image.data[4 * pixel + k] = (255 * (value - low)) / (high - low);
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
