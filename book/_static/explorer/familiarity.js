// Whether an image resembles anything that the course's networks were trained on. The rule and
// its limits are measured on the training images (familiarity.py) and stand in familiarity.json.

/**
 * @typedef {object} Rule
 * @property {number} images how many it was measured on
 * @property {number} floor added to each deviation
 * @property {{distance: number, strangeness: number}} limits
 * @property {number[]} mean of each pixel
 * @property {number[]} deviation
 * @property {number[][]} typical images at half the size
 */

const SIDE = 28;

/**
 * @param {Rule} rule
 * @param {Float32Array} image 28 × 28 numbers between 0 and 1
 */
export function measure({ mean, deviation, floor, typical }, image) {
  let distance = 0;
  const halved = new Float64Array((SIDE / 2) ** 2);
  image.forEach((share, place) => {
    const value = 255 * share;
    distance += (value - mean[place]) ** 2 / (deviation[place] ** 2 + floor ** 2);
    const row = Math.floor(place / SIDE / 2);
    const column = Math.floor((place % SIDE) / 2);
    halved[(row * SIDE) / 2 + column] += value / 4;
  });
  /** @param {ArrayLike<number>} one @param {ArrayLike<number>} other */
  const product = (one, other) => Array.from(one).reduce((sum, value, place) => sum + value * other[place], 0);
  const length = Math.max(1e-9, Math.sqrt(product(halved, halved)));
  const likeness = typical.map((known) => product(known, halved) / Math.sqrt(product(known, known)) / length);
  return { distance: distance / image.length, strangeness: 1 - Math.max(...likeness) };
}

/** @type {Promise<Rule | null> | undefined} */
let fetched;

/**
 * A sentence about an image that resembles none of the training images, else nothing.
 * @param {Float32Array} image 28 × 28 numbers between 0 and 1
 * @returns {Promise<string>}
 */
export async function warningAbout(image) {
  fetched ??= fetch(new URL("./familiarity.json", import.meta.url))
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null);
  const rule = await fetched;
  if (!rule || image.length !== SIDE * SIDE) return "";
  const { distance, strangeness } = measure(rule, image);
  if (strangeness > rule.limits.strangeness) {
    return (
      "This image has the shape of nothing that the network was trained on. It knows ten kinds of clothes and has no " +
      "word for anything else, so its answer means little, however sure it sounds."
    );
  }
  if (distance > rule.limits.distance) {
    return (
      "This image is light where the training images are dark, or dark where they are light. The network knows ten " +
      "kinds of clothes on black and has no word for anything else: its answer means little, however sure it sounds."
    );
  }
  return "";
}
