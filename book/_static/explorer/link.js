// What a link holds: network, image, layer, map and place, behind the # of the address. Rows,
// columns and maps are counted from 1, as on the page.

/**
 * @typedef {object} Link
 * @property {string} [network]
 * @property {string} [with] the network beside it
 * @property {number} [image] of a test image, within the test part of the data
 * @property {string} [layer] its number or its name
 * @property {number} [map]
 * @property {number} [row]
 * @property {number} [column]
 */

const COUNTS = /** @type {const} */ (["map", "row", "column"]);

/**
 * @param {string} hash with or without its #
 * @returns {Link | null} null when it is no link of the explorer, but one to a heading
 */
export function readLink(hash) {
  const text = hash.replace(/^#/, "");
  if (!text.includes("=")) return null;
  const parts = new URLSearchParams(text);
  /** @type {Link} */
  const link = {};
  for (const name of /** @type {const} */ (["network", "with", "layer"])) {
    const value = parts.get(name);
    if (value) link[name] = value;
  }
  for (const name of COUNTS) {
    const value = Number(parts.get(name));
    if (Number.isInteger(value) && value > 0) link[name] = value;
  }
  const image = parts.get("image");
  if (image !== null && /^\d+$/.test(image)) link.image = Number(image);
  return link;
}

/** @param {Link} link */
export function writeLink(link) {
  const parts = Object.entries(link).filter(([, value]) => value !== undefined);
  return `#${new URLSearchParams(parts.map(([name, value]) => [name, String(value)]))}`;
}
