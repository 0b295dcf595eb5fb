// What is wider than its place and scrolls can be reached by keyboard, and only that.
"use strict";

function reachable() {
  for (const box of document.querySelectorAll("pre, .formula, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

addEventListener("resize", reachable);
addEventListener("toggle", reachable, true); // what was folded has a width now
reachable();
