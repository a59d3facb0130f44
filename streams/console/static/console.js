// Small helps for those who have scripts: keys for buttons, and live parts that renew themselves. Pages work without.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  for (const each of document.querySelectorAll("[data-key]")) {
    if (each.dataset.key !== event.key.toLowerCase()) continue;
    event.preventDefault();
    if (each.tagName === "SUMMARY") each.parentElement.open = true;
    const field = each.tagName === "SUMMARY" && each.parentElement.querySelector("input:not([type=hidden]), select, textarea");
    if (field) field.focus();
    else each.click();
    return;
  }
});

document.addEventListener("change", (event) => {
  const prefix = event.target.dataset.all;
  if (!prefix) return;
  for (const each of document.querySelectorAll(`input[name^="${prefix}"]`)) each.checked = event.target.checked;
});

async function renew() {
  const live = [...document.querySelectorAll("[data-live]")];
  if (!live.length || document.hidden || live.some((part) => part.contains(document.activeElement))) return;
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw new Error(answer.status);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of live) {
    const other = fresh.getElementById(part.id);
    if (other) part.replaceWith(document.adoptNode(other));
  }
}

// The server has something to say every ten seconds at least. Who hears nothing looks at what was true before, and is told so.
const SILENT = 30000;
let heard = performance.now();

if (document.querySelector("[data-live]")) {
  const news = new EventSource("/console/live");
  news.addEventListener("message", () => renew().then(() => { heard = performance.now(); }).catch(() => {}));
  setInterval(() => { document.getElementById("away").hidden = performance.now() - heard < SILENT; }, 1000);
}

// What is being worked out is looked at again soon, as long as it is.
setInterval(() => document.querySelector("[data-soon]") && renew().catch(() => {}), 2000);
