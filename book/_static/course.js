// What the theme leaves undone, mended once the page stands.

// The link home stands outside every landmark of the page: it is part of the navigation.
document.querySelector(".navbar-brand")?.parentElement?.setAttribute("role", "navigation");
document.querySelector(".navbar-brand")?.parentElement?.setAttribute("aria-label", "Home");

// What scrolls must be within reach of the keyboard.
for (const element of document.querySelectorAll(".bd-article table, .cell_output pre, div.math")) {
  if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
}

// The arrows that open a part of the side bar have no text; the link beside them has.
for (const summary of document.querySelectorAll(".bd-sidenav summary")) {
  const link = summary.closest("li")?.querySelector("a");
  summary.setAttribute("aria-label", `Parts of ${link?.textContent?.trim()}`);
}

// The bibliography comes with roles that are deprecated and contradict each other.
for (const element of document.querySelectorAll(".citation-list, .citation")) {
  element.removeAttribute("role");
}
