// The picture of the landing page comes alive: the explorer's own modules run a network on the
// image that a reader chooses. It loads when the browser has nothing else to do, or at the first
// touch where the reader saves data.

const picture = document.querySelector(".live");
const start = () => import("./explorer/engine.js").then(bringToLife);
// @ts-ignore: not every browser knows of saved data
if (picture && !navigator.connection?.saveData && location.protocol.startsWith("http")) {
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 500));
  const begin = () => idle(() => start().catch(() => {})); // without it the picture stays
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin);
}

/** @param {typeof import("./explorer/engine.js")} modules */
async function bringToLife({ Engine, fetchNetwork }) {
  const here = new URL("./explorer/", import.meta.url);
  const [{ loadGallery, toInput }, paint, { h, percent }, { readAnswer }] = await Promise.all([
    import("./explorer/pictures.js"),
    import("./explorer/paint.js"),
    import("./explorer/dom.js"),
    import("./explorer/describe.js"),
  ]);
  const [{ pictures }, files] = await Promise.all([
    loadGallery(new URL("images.json", here)),
    fetchNetwork(new URL("networks/simpler_CNN", here)),
  ]);
  const engine = new Engine();
  const manifest = await engine.load("simpler_CNN", files.manifest, files.weights);
  const { shape, range } = manifest.input;
  const stops = manifest.layers.flatMap(({ type }, index) => (type === "relu" ? [index + 1] : []));

  const images = h("div", { role: "group", "aria-label": "An image for the network", class: "live-images" });
  const maps = stops.map(() => h("canvas", { role: "img" }));
  const sizes = stops.map(() => h("figcaption"));
  const answer = h("ul", { class: "live-answer", "aria-live": "polite" });
  let wish = 0;

  /** @param {number} index */
  const choose = async (index) => {
    const mine = ++wish;
    const { outputs } = await engine.run("simpler_CNN", toInput(pictures[index], shape, range, false));
    if (mine !== wish) return; // another image was chosen meanwhile
    stops.forEach((stop, place) => {
      const made = outputs[stop];
      const shown = { ...made, channels: Math.min(made.channels, 16) };
      const few = { ...shown, data: firstChannels(made, shown.channels) };
      paint.paintMosaic(maps[place], few, paint.mosaicOf(few), paint.limitOf(few));
      sizes[place].textContent = `block ${place + 1}: ${made.height} × ${made.width}`;
      maps[place].setAttribute("aria-label", `${shown.channels} of ${made.channels} maps of ${made.height} × ${made.width}`);
    });
    const rows = [...readAnswer(manifest, outputs[outputs.length - 1]).rows].sort((a, b) => b.share - a.share);
    answer.replaceChildren(
      ...rows.slice(0, 3).map(({ name, share }) => {
        const bar = h("span", { class: "cnn-bar", style: `width: ${100 * share}%` });
        return h("li", {}, `${name} ${percent(share)}`, h("span", { class: "cnn-track", "aria-hidden": "true" }, bar));
      }),
    );
    [...images.children].forEach((button, place) => button.setAttribute("aria-pressed", `${place === CHOICE.indexOf(index)}`));
  };

  for (const index of CHOICE) {
    const canvas = h("canvas", { width: 28, height: 28, "aria-hidden": "true" });
    canvas.getContext("2d")?.putImageData(pictures[index].pixels, 0, 0);
    const button = h("button", { type: "button", "aria-label": pictures[index].name, "aria-pressed": "false" }, canvas);
    button.addEventListener("click", () => choose(index));
    images.append(button);
  }
  const explorer = h("a", { href: "explorer.html" }, "Look into it in the explorer");
  const live = h(
    "div",
    { class: "live cnn-explorer" },
    images,
    h("div", { class: "live-maps" }, ...maps.map((map, place) => h("figure", {}, map, sizes[place]))),
    answer,
    h("p", {}, "simpler_CNN computes this in your browser, now. From left to right: up to 16 maps after each of its first four blocks. ", explorer, "."),
  );
  await new Promise((done) => {
    const style = h("link", { rel: "stylesheet", href: new URL("explorer.css", here).href });
    style.addEventListener("load", done);
    document.head.append(style);
  });
  picture?.replaceWith(live);
  const first = () => {
    paint.readPalette(live);
    return choose(CHOICE[Math.max(0, [...images.children].findIndex((b) => b.getAttribute("aria-pressed") === "true"))]);
  };
  paint.onThemeChange(first);
  await first();
}

/** Which images of the gallery are offered: first one in doubt, then one that it gets wrong. */
const CHOICE = [1, 28, 9, 14, 21, 24];

/**
 * @param {import("./explorer/layers.js").Maps} maps
 * @param {number} count
 */
function firstChannels({ data, channels }, count) {
  return data.filter((_, place) => place % channels < count);
}
