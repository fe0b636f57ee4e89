
"use strict";
// Searches the operations by word and action; pages that hold a hit are opened, as are all for printing.
const bar = document.querySelector("search");
if (bar) {
  const pages = Array.from(document.querySelectorAll(".page"), page => ({
    page, open: page.open,
    groups: Array.from(page.querySelectorAll("tbody"), group => ({group, rows: Array.from(group.rows).slice(1)})),
  }));
  const input = bar.querySelector("#search"), found = bar.querySelector("#found"), boxes = Array.from(bar.querySelectorAll("[type=checkbox]"));
  const show = () => {
    const word = input.value.trim().toLowerCase(), off = new Set(boxes.filter(b => !b.checked).map(b => b.value));
    const searching = word !== "" || off.size > 0;
    let hits = 0;
    for (const {page, open, groups} of pages) {
      let some = 0;
      for (const {group, rows} of groups) {
        const named = word === "" || group.firstElementChild.textContent.toLowerCase().includes(word);
        let left = 0;
        for (const row of rows) {
          const hit = !off.has(row.classList[0]) && (named || row.textContent.toLowerCase().includes(word));
          if (row.hidden === hit) row.hidden = !hit;
          if (hit) left++;
        }
        group.hidden = left === 0;
        some += left;
      }
      hits += some;
      page.hidden = some === 0;
      page.open = searching ? some > 0 && hits - some < 1000 : open;
    }
    found.textContent = searching ? hits + " found" : "";
  };
  let waiting;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(show, 150); };
  bar.addEventListener("input", soon);
  bar.hidden = false;
  const reveal = () => {
    const row = location.hash && document.getElementById(location.hash.slice(1));
    if (row) { row.closest("details").open = true; row.scrollIntoView({block: "center"}); }
  };
  addEventListener("hashchange", reveal);
  reveal();
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
