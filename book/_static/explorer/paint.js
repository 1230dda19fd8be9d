// Numbers as colours: one diverging map for everything that has a sign, grey for grey pictures.
// The colours themselves stand in explorer.css, one set for light pages and one for dark ones.

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {[number, number, number]} Colour */

const STOPS = ["minus-full", "minus-half", "zero", "plus-half", "plus-full"];
const SHADES = 256;

/** @type {Colour[]} */
let palette = [];
// All shades once, as the four bytes of a pixel; the last is for what is no number.
const pixels = new Uint32Array(2 * SHADES + 2);
const NO_NUMBER = 2 * SHADES + 1;

/**
 * Reads the colours from the style sheet; call it again when the page turns light or dark.
 * @param {Element} element one inside `.cnn-explorer` or a widget
 */
export function readPalette(element) {
  const style = getComputedStyle(element);
  /** @param {string} name @returns {Colour} */
  const colour = (name) => {
    const hex = style.getPropertyValue(`--cnn-${name}`).trim();
    return /** @type {Colour} */ ([1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  };
  palette = STOPS.map(colour);
  const bytes = new Uint8Array(pixels.buffer);
  for (let shade = 0; shade <= 2 * SHADES; shade++) bytes.set([...colourOf(shade - SHADES, SHADES), 255], 4 * shade);
  bytes.set([...colour("no-number"), 255], 4 * NO_NUMBER);
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
  const share = limit > 0 ? Math.min(Math.max(value / limit, -1), 1) || 0 : 0;
  const place = Math.min(2 * (share + 1), 3.999999);
  const from = palette[Math.floor(place)];
  const to = palette[Math.floor(place) + 1];
  const rest = place % 1;
  return /** @type {Colour} */ (from.map((part, i) => Math.round(part + rest * (to[i] - part))));
}

/**
 * The pixel of a number, faster than its colour.
 * @param {number} value
 * @param {number} scale shades for a distance of one from zero
 */
function pixelOf(value, scale) {
  const shade = value * scale;
  if (Number.isNaN(shade) || value === Infinity || value === -Infinity) return pixels[NO_NUMBER];
  return pixels[SHADES + Math.round(Math.min(Math.max(shade, -SHADES), SHADES))];
}

/** @param {number} limit */
const scaleOf = (limit) => (limit > 0 ? SHADES / limit : 0);

/**
 * Black or white, whichever reads better on a colour.
 * @param {Colour} colour
 */
export function inkOn(colour) {
  const [red, green, blue] = colour.map((part) => (part / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
}

/**
 * The largest finite distance from zero, over all maps or in one.
 * @param {Maps} maps
 * @param {number} [channel]
 */
export function limitOf(maps, channel) {
  let limit = 0;
  const step = channel === undefined ? 1 : maps.channels;
  for (let place = channel ?? 0; place < maps.data.length; place += step) {
    const size = Math.abs(maps.data[place]);
    if (size > limit && size < Infinity) limit = size;
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
 * @param {number} [shown] how many of its numbers are shown, row by row; the rest stays empty
 */
export function paintMap(canvas, maps, channel, limit, shown = Infinity) {
  const context = contextOf(canvas, maps.width, maps.height);
  const image = context.createImageData(maps.width, maps.height);
  const target = new Uint32Array(image.data.buffer);
  const scale = scaleOf(limit);
  const end = Math.min(target.length, shown);
  for (let pixel = 0; pixel < end; pixel++) {
    target[pixel] = pixelOf(maps.data[pixel * maps.channels + channel], scale);
  }
  context.putImageData(image, 0, 0);
}

/**
 * How the maps of a layer stand side by side in one picture. Small maps are drawn larger, so
 * that the gap between them stays thin; of very large ones only some numbers are drawn.
 * @param {Pick<Maps, "height" | "width" | "channels">} maps
 */
export function mosaicOf({ height, width, channels }) {
  // Nearly square, and without a gap in the last row where the number of maps allows it.
  const root = Math.min(channels, Math.max(1, Math.ceil(Math.sqrt((channels * height) / width))));
  let columns = root;
  while (channels % columns > 0 && columns < 2 * root) columns++;
  if (channels % columns > 0) columns = root;
  const rows = Math.ceil(channels / columns);
  const step = Math.ceil(Math.max(height, width) / 96);
  const zoom = step > 1 ? 1 : Math.ceil(8 / Math.max(height, width));
  const tile = { width: Math.ceil(width / step) * zoom, height: Math.ceil(height / step) * zoom };
  return {
    columns, rows, step, zoom, tile,
    width: columns * (tile.width + 1) - 1,
    height: rows * (tile.height + 1) - 1,
  };
}

/** @typedef {ReturnType<typeof mosaicOf>} Mosaic */

/**
 * All maps of a layer side by side.
 * @param {HTMLCanvasElement} canvas
 * @param {Maps} maps
 * @param {Mosaic} mosaic
 * @param {number} limit
 */
export function paintMosaic(canvas, maps, { columns, width, height, step, zoom, tile }, limit) {
  const context = contextOf(canvas, width, height);
  const image = context.createImageData(width, height);
  const target = new Uint32Array(image.data.buffer);
  const scale = scaleOf(limit);
  for (let k = 0; k < maps.channels; k++) {
    const left = (k % columns) * (tile.width + 1);
    const top = Math.floor(k / columns) * (tile.height + 1);
    for (let y = 0; y < tile.height; y++) {
      const line = Math.floor(y / zoom) * step * maps.width;
      let place = (top + y) * width + left;
      for (let x = 0; x < tile.width; x++) {
        const source = line + Math.floor(x / zoom) * step;
        target[place++] = pixelOf(maps.data[source * maps.channels + k], scale);
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
