// A page inside another one, which asks for it, takes the height of its contents: no
// second scroll bar. What asks is told the height, whenever it changes.
addEventListener("message", (event) => {
  if (event.data !== "fit" || event.source !== parent) return;
  document.documentElement.classList.add("framed");
  const tell = () => parent.postMessage({ height: document.body.scrollHeight }, "*");
  new ResizeObserver(tell).observe(document.body);
});
