(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("map").textContent);
  const stage = document.querySelector(".stage");
  const canvas = stage.querySelector(":scope > canvas");
  const card = document.querySelector(".card-of");
  const thumb = card.querySelector("canvas");
  const words = card.querySelector("p");
  const sprite = document.getElementById("sprite");
  const buttons = [...document.querySelectorAll(".groups button")];
  const count = data.x.length;
  const most = (values) => values.reduce((a, b) => Math.max(a, b), 1);
  const flat = { x: Float64Array.from(data.x), y: Float64Array.from(data.y), middles: data.middles };
  Object.assign(flat, { wide: most(flat.x), tall: most(flat.y) });
  const upright = {
    x: flat.y, y: flat.x.map((x) => flat.wide - x), wide: flat.tall, tall: flat.wide,
    middles: data.middles.map((at) => at && [at[1], flat.wide - at[0]]),
  };
  let { x: xs, y: ys, wide, tall, middles } = flat;
  const view = { scale: 1, x: 0, y: 0 };
  let chosen = -1, only = -1, fit = 1, dot = 5, queued = false;

  const night = matchMedia("(prefers-color-scheme: dark)");
  const sizes = data.names.map(() => 0);
  for (const group of data.group) if (group >= 0 && data.names.length) sizes[group]++;
  const largest = sizes.map((_, group) => group).sort((a, b) => sizes[b] - sizes[a]);

  // a map has no top: it is turned by 90 degrees where it then fits the screen better
  function measure(w, h) {
    const turn = (w < h) !== (flat.wide < flat.tall);
    ({ x: xs, y: ys, wide, tall, middles } = turn ? upright : flat);
    fit = Math.min((w - 48) / wide, (h - 48) / tall);
    // many points are small ones; pictures stand in for them once they have room
    const room = Math.min(1, Math.sqrt((w * h) / 600000));
    dot = Math.min(5, Math.max(1.6, 5 * room * Math.sqrt(2000 / count)));
  }

  // pixels for a place: left + x · grow, bottom − y · grow
  function frame() {
    const grow = fit * view.scale;
    return {
      grow,
      left: canvas.clientWidth / 2 + view.x - (wide / 2) * grow,
      bottom: canvas.clientHeight / 2 + view.y + (tall / 2) * grow,
    };
  }
  function place(i) {
    const { grow, left, bottom } = frame();
    return [left + xs[i] * grow, bottom - ys[i] * grow];
  }
  const side = () => Math.min(56, dot * Math.pow(view.scale, 0.9));

  function draw() {
    queued = false;
    // a finger on the whole map scrolls the page; on a part of it, the map
    canvas.style.touchAction = view.scale > 1 ? "none" : "pan-y";
    const ratio = window.devicePixelRatio || 1;
    const w = canvas.clientWidth, h = canvas.clientHeight;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    measure(w, h);
    const ink = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.clearRect(0, 0, w, h);
    ink.imageSmoothingEnabled = data.side > 24;
    const size = side(), pictures = size >= 15 && sprite.complete && sprite.naturalWidth > 0;
    const soft = style.getPropertyValue("--soft");
    ink.strokeStyle = style.getPropertyValue("--ink");
    ink.lineWidth = night.matches ? 0.7 : 0.4;
    const { grow, left, bottom } = frame();
    for (let i = 0; i < count; i++) {
      const x = left + xs[i] * grow, y = bottom - ys[i] * grow;
      if (x < -size || y < -size || x > w + size || y > h + size) continue;
      const group = data.group[i];
      ink.globalAlpha = only >= 0 && group !== only ? 0.08 : pictures ? 1 : 0.8;
      ink.fillStyle = group >= 0 ? data.tints[group] : soft;
      if (pictures) {
        ink.fillRect(x - size / 2 - 2, y - size / 2 - 2, size + 4, size + 4);
        ink.drawImage(sprite, (i % data.columns) * data.side, Math.floor(i / data.columns) * data.side,
          data.side, data.side, x - size / 2, y - size / 2, size, size);
      } else if (size < 4) {
        ink.fillRect(x - size / 2, y - size / 2, size, size);
      } else {
        mark(ink, x, y, size / 2 + 0.5, group >= 0 ? data.shapes[group] : 0);
        ink.fill();
        ink.stroke();
      }
    }
    if (!pictures) name(ink, w, h);
    ink.globalAlpha = 1;
    if (chosen >= 0) {
      const [x, y] = place(chosen);
      ink.strokeStyle = style.getPropertyValue("--ink");
      ink.lineWidth = 2.5;
      ink.beginPath();
      ink.arc(x, y, pictures ? size * 0.75 + 3 : size / 2 + 5, 0, 7);
      ink.stroke();
    }
  }
  // the outline of a point: of as much area in each shape
  function mark(ink, x, y, r, shape) {
    ink.beginPath();
    if (shape === 0) {
      ink.arc(x, y, r, 0, 7);
    } else if (shape === 1) {
      ink.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
    } else {
      const corners = shape === 2 ? [0, 1, 2, 3].map((at) => at / 4) : [0.25, 7 / 12, 11 / 12];
      corners.forEach((at, k) => {
        const far = (shape === 2 ? 1.25 : 1.5) * r, turn = 2 * Math.PI * at;
        ink[k ? "lineTo" : "moveTo"](x + far * Math.cos(turn), y - far * Math.sin(turn));
      });
      ink.closePath();
    }
  }
  // names of groups where they are densest, the largest first; a name that would hide another waits
  // until the map is larger
  function name(ink, w, h) {
    const { grow, left, bottom } = frame();
    const written = [];
    ink.globalAlpha = 1;
    ink.font = `600 ${w < 500 ? 12 : 14}px system-ui, -apple-system, "Segoe UI", sans-serif`;
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    for (const group of largest) {
      const at = middles[group];
      if (!at || (only >= 0 && group !== only)) continue;
      const full = [...data.names[group]];
      const words = full.length > 22 ? full.slice(0, 20).join("").trimEnd() + "…" : full.join("");
      const x = left + at[0] * grow, y = bottom - at[1] * grow;
      if (x < 0 || y < 0 || x > w || y > h) continue;
      const half = ink.measureText(words).width / 2 + 7;
      const cx = Math.max(half + 4, Math.min(x, w - half - 4)), cy = Math.max(15, Math.min(y, h - 15));
      if (written.some(([ox, oy, o]) => Math.abs(ox - cx) < o + half + 2 && Math.abs(oy - cy) < 24)) continue;
      written.push([cx, cy, half]);
      ink.fillStyle = data.tints[group];
      ink.strokeStyle = data.inks[group];
      ink.lineWidth = 1;
      ink.beginPath();
      ink.roundRect(cx - half, cy - 11, 2 * half, 22, 5);
      ink.fill();
      ink.stroke();
      ink.fillStyle = data.inks[group];
      ink.fillText(words, cx, cy + 1);
    }
  }
  function soon() {
    if (!queued) { queued = true; requestAnimationFrame(draw); }
  }
  function nearest(px, py, reach) {
    const { grow, left, bottom } = frame();
    const cx = (px - left) / grow, cy = (bottom - py) / grow;
    let best = -1, least = (reach / grow) ** 2;
    for (let i = 0; i < count; i++) {
      if (only >= 0 && data.group[i] !== only) continue;
      const far = (xs[i] - cx) ** 2 + (ys[i] - cy) ** 2;
      if (far < least) { least = far; best = i; }
    }
    return best;
  }
  function choose(i) {
    chosen = i;
    card.hidden = i < 0;
    if (i >= 0) {
      const ink = thumb.getContext("2d");
      thumb.width = thumb.height = data.side;
      ink.drawImage(sprite, (i % data.columns) * data.side, Math.floor(i / data.columns) * data.side,
        data.side, data.side, 0, 0, data.side, data.side);
      thumb.style.imageRendering = data.side <= 40 ? "pixelated" : "auto";
      words.textContent = data.labels[i];
      const [x, y] = place(i);
      const left = x + 18 + card.offsetWidth > canvas.clientWidth ? x - 18 - card.offsetWidth : x + 18;
      const top = y + card.offsetHeight + 8 > canvas.clientHeight ? y - card.offsetHeight - 8 : y + 8;
      card.style.transform = `translate(${Math.max(8, Math.min(left, canvas.clientWidth - card.offsetWidth - 8))}px,${Math.max(8, top)}px)`;
    }
    soon();
  }
  function zoom(by, px, py) {
    const scale = Math.min(60 * (5 / dot), Math.max(1, view.scale * by));
    const cx = px - canvas.clientWidth / 2, cy = py - canvas.clientHeight / 2;
    view.x = cx - (cx - view.x) * (scale / view.scale);
    view.y = cy - (cy - view.y) * (scale / view.scale);
    if (scale === 1) view.x = view.y = 0;
    view.scale = scale;
    choose(chosen);
  }
  // a point that the keyboard went to may lie outside of what is seen
  function reveal(i) {
    const [x, y] = place(i), w = canvas.clientWidth, h = canvas.clientHeight;
    if (x < 0 || y < 0 || x > w || y > h) {
      view.x += w / 2 - x;
      view.y += h / 2 - y;
    }
  }
  const held = new Map();
  let moved = 0;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at(event));
    moved = held.size > 1 ? 99 : 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    const before = held.get(event.pointerId);
    if (!before) {
      choose(nearest(x, y, Math.max(24, side() * 0.75)));
      return;
    }
    if (held.size === 2) {
      const other = [...held].find(([id]) => id !== event.pointerId)[1];
      const old = Math.hypot(before[0] - other[0], before[1] - other[1]);
      zoom(Math.hypot(x - other[0], y - other[1]) / Math.max(old, 1), (x + other[0]) / 2, (y + other[1]) / 2);
    } else {
      moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
      if (moved > 6) {
        view.x += x - before[0];
        view.y += y - before[1];
        choose(chosen);
      }
    }
    held.set(event.pointerId, [x, y]);
  });
  const up = (event) => {
    const [x, y] = at(event);
    if (held.delete(event.pointerId) && moved <= 6) choose(nearest(x, y, Math.max(28, side())));
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", (event) => held.delete(event.pointerId));
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !held.size) choose(-1);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.002), ...at(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", () => {
    Object.assign(view, { scale: 1, x: 0, y: 0 });
    choose(-1);
  });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "+" || event.key === "-" || event.key === "=") {
      const middle = nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e6);
      zoom(event.key === "-" ? 0.8 : 1.25, ...place(chosen >= 0 ? chosen : Math.max(0, middle)));
    } else if (event.key === "Escape") {
      choose(-1);
    } else if (event.key in steps) {
      if (chosen < 0) {
        choose(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e6));
      } else {
        const [dx, dy] = steps[event.key], x = xs[chosen], y = ys[chosen];
        let best = -1, least = Infinity;
        for (let i = 0; i < count; i++) {
          if (i === chosen || (only >= 0 && data.group[i] !== only)) continue;
          const along = (xs[i] - x) * dx + (y - ys[i]) * dy;
          const off = Math.abs((xs[i] - x) * dy) + Math.abs((y - ys[i]) * dx);
          if (along > 0 && along + 3 * off < least) { least = along + 3 * off; best = i; }
        }
        if (best >= 0) { reveal(best); choose(best); }
      }
    } else {
      return;
    }
    event.preventDefault();
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const group = Number(button.dataset.group);
      only = only === group ? -1 : group;
      for (const one of buttons) one.setAttribute("aria-pressed", String(Number(one.dataset.group) === only));
      choose(-1);
    });
  }
  sprite.addEventListener("load", soon);
  new ResizeObserver(soon).observe(stage);
  night.addEventListener("change", soon);
  draw();
})();
