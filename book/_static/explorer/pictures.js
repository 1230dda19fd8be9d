// From whatever the reader brings (a test image, a file, the camera, a drawing) to the numbers
// that a network eats. Pictures stay in this browser; nothing is sent anywhere.

import { short } from "./dom.js";
import { Complaint } from "./network.js";

/**
 * A picture before it is fitted to a network.
 * @typedef {object} Picture
 * @property {ImageData} pixels
 * @property {string} name what it is, for the caption
 * @property {string[]} notes what was changed on the way, in sentences
 * @property {number} [index] of a test image, within the test part of the data
 */

const LARGEST_FILE = 30 * 2 ** 20;
const LARGEST_PICTURE = 50e6; // pixels; four bytes each must fit into a phone's memory
const KEPT_SIDE = 512;

/**
 * The test images that ship with the page.
 * @param {URL} address of images.json
 * @returns {Promise<{pictures: Picture[]}>}
 */
export async function loadGallery(address) {
  const [description, bytes] = await Promise.all([
    fetch(address).then((response) => response.json()),
    fetch(new URL("images.bin", address)).then((response) => response.arrayBuffer()),
  ]);
  const { shape, indices, labels, classes } = description;
  const [count, height, width] = shape;
  const numbers = new Uint8Array(bytes);
  const pictures = Array.from({ length: count }, (_, index) => {
    const pixels = new ImageData(width, height);
    for (let place = 0; place < height * width; place++) {
      pixels.data.fill(numbers[index * height * width + place], 4 * place, 4 * place + 3);
      pixels.data[4 * place + 3] = 255;
    }
    const name = `Test image ${indices[index]}, labelled ${classes[labels[index]]}`;
    return { pixels, name, notes: [], index: indices[index] };
  });
  return { pictures };
}

/**
 * Reads a picture file, and says in a sentence why it cannot be used.
 * @param {File} file
 * @returns {Promise<Picture>}
 */
export async function readPicture(file) {
  const name = short(file.name);
  if (file.size > LARGEST_FILE) {
    throw new Complaint(
      `${name} has ${Math.round(file.size / 2 ** 20)} MB; this page takes pictures up to 30 MB.`,
    );
  }
  if (isCutShort(new Uint8Array(await file.arrayBuffer()))) {
    throw new Complaint(`${name} is cut short: its end is missing. Save or download it again.`);
  }
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    // The size is known before the pixels are unpacked, which may need gigabytes.
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () =>
        reject(new Complaint(`${name} is not a picture that this browser can read.`));
    });
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || !height) throw new Complaint(`${name} states no size in pixels.`);
    if (width * height > LARGEST_PICTURE) {
      throw new Complaint(
        `${name} has ${width} × ${height} pixels; this page takes up to 50 million. ` +
          "Make it smaller first.",
      );
    }
    await image.decode().catch(() => {
      throw new Complaint(`${name} is not a picture that this browser can read.`);
    });
    try {
      return prepare(image, width, height, file.name);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
      // The browser keeps pages from reading an SVG that holds parts of other documents.
      throw new Complaint(`${name} holds foreign parts, and a browser lets no page read such a picture. Save it as PNG first.`);
    }
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * Whether a PNG or a JPEG lacks its end. Browsers show what has come of it, and grey for the rest.
 * @param {Uint8Array} bytes
 */
function isCutShort(bytes) {
  /** @param {string} text @param {number} from */
  const holds = (text, from) => [...text].every((letter, at) => bytes[from + at] === letter.charCodeAt(0));
  if (holds("\x89PNG", 0)) {
    // Chunk by chunk: its length, its kind, its content, its check sum.
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
      if (holds("IEND", at + 4)) return false;
    }
    return true;
  }
  if (holds("\xff\xd8\xff", 0)) {
    // From the start of the pixels on, these two bytes stand nowhere but at the end.
    const pixels = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xda);
    for (let at = bytes.length - 2; at > pixels; at--) if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return false;
    return true;
  }
  return false;
}

/**
 * One frame of the camera, cut to a square.
 * @param {HTMLVideoElement} video
 * @returns {Picture}
 */
export function takePhoto(video) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  const canvas = new OffscreenCanvas(side, side);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(video, (side - video.videoWidth) / 2, (side - video.videoHeight) / 2);
  return prepare(canvas, side, side, "Your photo");
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @param {string} name
 * @returns {Picture}
 */
function prepare(source, width, height, name) {
  const ratio = Math.min(1, KEPT_SIDE / Math.max(width, height));
  const canvas = shrink(source, width, height, Math.ceil(width * ratio), Math.ceil(height * ratio));
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const notes = [];
  if (blackenTransparency(pixels)) {
    notes.push("Transparent parts were taken as black, the background of the test images.");
  }
  return { pixels, name, notes };
}

/**
 * Scales a picture down in halves, so that every pixel has its say.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 * @returns {OffscreenCanvas}
 */
function shrink(source, width, height, newWidth, newHeight) {
  let canvas;
  do {
    const nextWidth = Math.max(newWidth, Math.ceil(width / 2));
    const nextHeight = Math.max(newHeight, Math.ceil(height / 2));
    canvas = new OffscreenCanvas(nextWidth, nextHeight);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, width, height, 0, 0, nextWidth, nextHeight);
    [source, width, height] = [canvas, nextWidth, nextHeight];
  } while (width > newWidth || height > newHeight);
  return canvas;
}

/**
 * @param {ImageData} pixels changed in place
 * @returns {boolean} whether anything was transparent
 */
function blackenTransparency({ data }) {
  let found = false;
  for (let place = 0; place < data.length; place += 4) {
    const opacity = data[place + 3] / 255;
    if (opacity === 1) continue;
    found = true;
    for (let k = 0; k < 3; k++) data[place + k] *= opacity;
    data[place + 3] = 255;
  }
  return found;
}

/**
 * Whether a picture has a light border, unlike the images that the networks were trained on.
 * @param {ImageData} pixels
 */
export function hasLightBorder({ data, width, height }) {
  let sum = 0;
  let count = 0;
  for (let row = 0; row < height; row++) {
    const step = row === 0 || row === height - 1 ? 1 : Math.max(1, width - 1);
    for (let column = 0; column < width; column += step, count++) {
      const place = 4 * (row * width + column);
      sum += (data[place] + data[place + 1] + data[place + 2]) / 3;
    }
  }
  return sum / count > 127;
}

/**
 * Fits a picture to a network: the whole picture, centred on black, scaled to the input's size.
 * @param {Picture} picture
 * @param {readonly [number, number, number]} shape height, width, channels
 * @param {readonly [number, number]} range the values of black and of full light
 * @param {boolean} invert
 * @returns {Float32Array}
 */
export function toInput({ pixels }, [height, width, channels], [low, high], invert) {
  if (invert) {
    const data = pixels.data.map((value, place) => (place % 4 === 3 ? value : 255 - value));
    pixels = new ImageData(data, pixels.width, pixels.height);
  }
  if (pixels.width !== width || pixels.height !== height) pixels = fit(pixels, width, height);
  const image = new Float32Array(height * width * channels);
  for (let place = 0; place < height * width; place++) {
    const [red, green, blue] = pixels.data.subarray(4 * place, 4 * place + 3);
    // Grey as television weighs the colours; exact where the three are equal.
    const grey = red === green && green === blue ? red : 0.299 * red + 0.587 * green + 0.114 * blue;
    const values = channels === 1 ? [grey] : [red, green, blue];
    values.forEach((value, k) => {
      image[place * channels + k] = low + (value / 255) * (high - low);
    });
  }
  return image;
}

/**
 * @param {ImageData} pixels
 * @param {number} width
 * @param {number} height
 */
function fit(pixels, width, height) {
  const source = new OffscreenCanvas(pixels.width, pixels.height);
  /** @type {OffscreenCanvasRenderingContext2D} */ (source.getContext("2d")).putImageData(pixels, 0, 0);
  const ratio = Math.min(width / pixels.width, height / pixels.height);
  const newWidth = Math.max(1, Math.round(pixels.width * ratio));
  const newHeight = Math.max(1, Math.round(pixels.height * ratio));
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillRect(0, 0, width, height);
  const scaled =
    ratio < 1 ? shrink(source, pixels.width, pixels.height, newWidth, newHeight) : source;
  context.drawImage(
    scaled, Math.floor((width - newWidth) / 2), Math.floor((height - newHeight) / 2), newWidth, newHeight,
  );
  return context.getImageData(0, 0, width, height);
}

/**
 * Asks for the camera, and says in a sentence why there is none.
 * @returns {Promise<MediaStream>}
 */
export async function openCamera() {
  if (!navigator.mediaDevices) {
    throw new Complaint("This browser gives the camera only to pages opened over https.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new Complaint(
      {
        NotAllowedError: "The camera was refused. Allow it in the browser's settings, or use a file.",
        NotFoundError: "There is no camera on this machine. Use a file instead.",
        NotReadableError: "The camera is in use by another program.",
      }[name] ?? "The camera could not be opened. Use a file instead.",
    );
  }
}
