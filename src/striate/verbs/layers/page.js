"use strict";
(() => {
  const { input, layers, at } = JSON.parse(document.getElementById("network").textContent);
  const looker = document.getElementById("looker");
  const find = (selector) => looker.querySelector(selector);
  const [choice, said, units, seen] = ["select", ".said", ".units", ".seen"].map(find);
  const [unit, lines, veil, padded, patch] = [".unit", ".lines", ".veil", ".padded", ".patch"].map(find);
  const boxes = [...document.querySelectorAll(".box")];
  const rows = [...document.querySelectorAll("tr[data-layer]")];
  const [height, width] = input;
  let [layer, y, x] = at;
  document.documentElement.classList.add("js");

  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
  };
  const span = (flat, index) => (flat.length === 2 ? flat : flat.slice(2 * index, 2 * index + 2));
  const rect = ([x0, y0, x1, y1]) => ({ x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) });

  const drawUnits = () => {
    const [tall, wide] = layers[layer].p;
    units.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
    set(units.querySelector(".ground"), { width: wide, height: tall });
    let path = "";
    if (Math.max(tall, wide) <= 64) {
      for (let row = 0; row <= tall; row += 1) path += `M0 ${row}H${wide}`;
      for (let column = 0; column <= wide; column += 1) path += `M${column} 0V${tall}`;
    }
    lines.setAttribute("d", path);
    // a single unit, or a few, need not fill the page
    units.style.maxWidth = Math.max(tall, wide) < 5 ? `${80 * wide}px` : "";
  };

  const show = () => {
    const one = layers[layer];
    const [top, bottom] = span(one.y, y);
    const [left, right] = span(one.x, x);
    const sees = top <= bottom && left <= right;
    set(unit, { x, y });
    const box = sees ? [left, top, right + 1, bottom + 1] : [0, 0, 0, 0];
    set(patch, rect(box));
    const hole = sees ? `M${box[0]} ${box[1]}H${box[2]}V${box[3]}H${box[0]}Z` : "";
    veil.setAttribute("d", `M0 0H${width}V${height}H0Z${hole}`);
    padded.style.display = one.f ? "" : "none";
    if (one.f) {
      const [startY, startX, stepY, stepX, sizeY, sizeX] = one.f;
      const from = [startX + x * stepX, startY + y * stepY];
      // far beyond the input it would only stretch the page
      const most = 0.35 * Math.max(height, width);
      const within = (value, end) => Math.min(Math.max(value, -most), end + most);
      set(padded, rect([within(from[0], width), within(from[1], height), within(from[0] + sizeX, width), within(from[1] + sizeY, height)]));
    }
    const bound = one.e ? "" : "at most ";
    const start = `Unit (${y}, ${x}) of ${one.n} sees `;
    said.textContent = sees
      ? `${start}${bound}rows ${top} to ${bottom} and columns ${left} to ${right}: ${bottom - top + 1}×${right - left + 1} of ${height}×${width} pixels.`
      : `${start}nothing of the input: padding alone.`;
    frame();
  };

  // room for the padding that is drawn around the input
  const frame = () => {
    const box = ["x", "y", "width", "height"].map((name) => Number(padded.getAttribute(name)));
    const on = padded.style.display !== "none";
    const left = on ? Math.min(0, box[0]) : 0;
    const top = on ? Math.min(0, box[1]) : 0;
    const right = on ? Math.max(width, box[0] + box[2]) : width;
    const bottom = on ? Math.max(height, box[1] + box[3]) : height;
    const pad = 0.02 * Math.max(height, width);
    seen.setAttribute("viewBox", `${left - pad} ${top - pad} ${right - left + 2 * pad} ${bottom - top + 2 * pad}`);
  };

  const choose = (index, scroll) => {
    if (!(index in layers)) return;
    layer = index;
    const [tall, wide] = layers[layer].p;
    y = Math.min(Math.floor(tall / 2), tall - 1);
    x = Math.min(Math.floor(wide / 2), wide - 1);
    update();
    if (scroll) looker.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };

  const update = () => {
    choice.value = String(layer);
    rows.forEach((row) => row.classList.toggle("chosen", Number(row.dataset.layer) === layer));
    let chosen = null;
    boxes.forEach((box) => {
      box.classList.remove("chosen");
      if (chosen === null && Number(box.dataset.last) >= layer) chosen = box;
    });
    if (chosen) chosen.classList.add("chosen");
    drawUnits();
    show();
  };

  const pick = (event) => {
    const [tall, wide] = layers[layer].p;
    const area = units.getBoundingClientRect();
    const scale = Math.min(area.width / wide, area.height / tall);
    const inside = (value, count) => Math.min(Math.max(Math.floor(value), 0), count - 1);
    x = inside((event.clientX - area.left - (area.width - scale * wide) / 2) / scale, wide);
    y = inside((event.clientY - area.top - (area.height - scale * tall) / 2) / scale, tall);
    show();
  };

  units.addEventListener("pointerdown", pick);
  units.addEventListener("pointermove", (event) => {
    if (event.buttons || event.pointerType === "mouse" && event.shiftKey) pick(event);
  });
  units.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const [tall, wide] = layers[layer].p;
    y = Math.min(Math.max(y + move[0], 0), tall - 1);
    x = Math.min(Math.max(x + move[1], 0), wide - 1);
    show();
  });
  choice.addEventListener("change", () => choose(Number(choice.value), false));
  rows.forEach((row) => row.addEventListener("click", () => choose(Number(row.dataset.layer), true)));
  boxes.forEach((box) => box.addEventListener("click", () => choose(Number(box.dataset.last), true)));

  if (!seen.querySelector("image")) {
    veil.classList.add("empty");
    patch.classList.add("blank");
  }
  update();
})();
