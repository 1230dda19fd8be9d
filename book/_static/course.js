// What the theme leaves undone, mended once the page stands; and the definitions of terms.

// The link home stands outside every landmark of the page: it is part of the navigation.
document.querySelector(".navbar-brand")?.parentElement?.setAttribute("role", "navigation");
document.querySelector(".navbar-brand")?.parentElement?.setAttribute("aria-label", "Home");

// What scrolls must be within reach of the keyboard, at every width of the page. To measure code
// lays it out, so that is done piece by piece while the browser has nothing better to do.
/** @type {(then: (left: {timeRemaining: () => number}) => void) => void} */
const whenIdle =
  window.requestIdleCallback ?? ((then) => setTimeout(() => then({ timeRemaining: () => 0 }), 50));
/** @type {Element[]} */
let unmeasured = [];
/** @param {{timeRemaining: () => number}} left */
const measure = (left) => {
  do {
    const element = unmeasured.shift();
    if (!element) return;
    if (element.scrollWidth > element.clientWidth) element.setAttribute("tabindex", "0");
    else element.removeAttribute("tabindex");
  } while (left.timeRemaining() > 5);
  whenIdle(measure);
};
const reach = () => {
  const waits = unmeasured.length > 0;
  unmeasured = [...document.querySelectorAll(".bd-article :is(table, pre, .math)")];
  if (!waits) whenIdle(measure);
};
reach();
addEventListener("resize", reach);
document.fonts.ready.then(reach); // a formula is wider in its own font

// The arrows that open a part of the side bar have no text; the link beside them has.
for (const summary of document.querySelectorAll(".bd-sidenav summary")) {
  const link = summary.closest("li")?.querySelector("a");
  summary.setAttribute("aria-label", `Parts of ${link?.textContent?.trim()}`);
}

// The bibliography comes with roles that are deprecated and contradict each other.
for (const element of document.querySelectorAll(".citation-list, .citation")) {
  element.removeAttribute("role");
}

// On paper everything is open; afterwards only what was.
/** @type {Element[]} */
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open], .cnn-quiz details)")];
  for (const details of opened) details.setAttribute("open", "");
});
addEventListener("afterprint", () => {
  for (const details of opened) details.removeAttribute("open");
});

// A term shows what it means: to a pointer that rests on it, to the keyboard, to the first tap.
const bubble = document.createElement("div");
bubble.id = "definition";
bubble.className = "definition";
bubble.role = "tooltip";
bubble.hidden = true;
/** @type {HTMLAnchorElement | null} */
let shown = null;
let leaving = 0;

const hide = () => {
  bubble.hidden = true;
  shown?.removeAttribute("aria-describedby");
  shown = null;
};

/** @param {HTMLAnchorElement} term */
const show = (term) => {
  clearTimeout(leaving);
  if (shown === term) return;
  hide();
  shown = term;
  bubble.textContent = term.dataset.definition ?? "";
  term.setAttribute("aria-describedby", bubble.id);
  term.after(bubble);
  bubble.hidden = false;
  // Below the term, and inside the page.
  const ground = (bubble.offsetParent ?? document.body).getBoundingClientRect();
  const { left, bottom } = [...term.getClientRects()].at(-1) ?? term.getBoundingClientRect();
  const most = document.documentElement.clientWidth - bubble.offsetWidth - 16;
  bubble.style.left = `${Math.max(16, Math.min(left, most)) - ground.left}px`;
  bubble.style.top = `${bottom - ground.top + 4}px`;
};

const hideSoon = () => {
  clearTimeout(leaving);
  // Long enough to move the pointer into the definition.
  leaving = setTimeout(hide, 200);
};

for (const term of document.querySelectorAll("a.term")) {
  if (!(term instanceof HTMLAnchorElement)) continue;
  term.dataset.definition = term.title;
  term.removeAttribute("title");
  let touched = false;
  term.addEventListener("pointerdown", (event) => {
    touched = event.pointerType === "touch" && shown !== term;
  });
  term.addEventListener("click", (event) => {
    if (touched) event.preventDefault(); // the second tap leads to the glossary
    touched = false;
    show(term);
  });
  term.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && show(term));
  term.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && hideSoon());
  term.addEventListener("focus", () => touched || show(term));
  term.addEventListener("blur", hideSoon);
}
bubble.addEventListener("pointerenter", () => clearTimeout(leaving));
bubble.addEventListener("pointerleave", hideSoon);
addEventListener("keydown", ({ key }) => key === "Escape" && hide());
addEventListener("pointerdown", ({ target }) => {
  if (shown && target !== shown && !bubble.contains(/** @type {Node} */ (target))) hide();
});
