// Live pages stand in frames as high as their contents: see viz/page/frame.js.
"use strict";

const frames = [...document.querySelectorAll(".live iframe")];

for (const frame of frames) {
  const ask = () => frame.contentWindow.postMessage("fit", "*");
  frame.addEventListener("load", ask);
  ask();
}

addEventListener("message", (event) => {
  const frame = frames.find((frame) => frame.contentWindow === event.source);
  const height = event.data.height;
  if (frame && height > 0) frame.style.height = `${Math.min(height, 4000) + 2}px`;
});
