"use strict";
(() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const find = (selector) => document.querySelector(`.live ${selector}`);
  const [frame, pill, when, answer, said, seek] = [".now", ".pill", ".when", ".answer", ".said", ".seek"].map(find);
  const [play, step, again] = [".play", ".step", ".again"].map(find);
  const [loop, speed, together] = [".loop input", ".speed input", ".together input"].map(find);
  const [layer, one, grid] = [".layer", ".one", ".grid"].map(find);
  const written = told.moments !== null;
  const sprite = new Image();
  let channel = -1, moment = null, paused = false, columns = 1, gap = 2, cell = [1, 1];

  const words = { running: "running", paused: "paused", ended: "ended", waiting: "waiting" };
  const setStatus = (status) => {
    pill.textContent = words[status] || status;
    pill.className = `pill ${status}`;
    again.disabled = told.camera;
    step.disabled = !paused || status === "ended";
  };

  const fill = (rows) => {
    answer.replaceChildren(...rows.map(([name, text, share], index) => {
      const row = document.createElement("div");
      const [term, track, bar, value] = ["dt", "span", "i", "dd"].map((kind) => document.createElement(kind));
      term.textContent = term.title = name;
      value.textContent = text;
      track.className = "track";
      if (share === null) track.style.visibility = "hidden";
      bar.style.width = `${100 * (share || 0)}%`;
      if (index === 0) row.className = "first";
      track.append(bar);
      row.append(term, track, value);
      return row;
    }));
  };

  // all channels side by side, as large as the page allows; the sprite is exact, the canvas only enlarges
  const drawGrid = () => {
    const { channels, tile, columns: stored } = moment.sprite;
    const [tall, wide] = tile;
    const ratio = window.devicePixelRatio || 1;
    const room = Math.max(120, grid.clientWidth) * ratio;
    gap = Math.round(2 * ratio);
    const least = (window.innerWidth < 500 ? 30 : 38) * ratio;
    columns = Math.max(1, Math.min(channels, Math.floor(room / (least * Math.max(1, wide / tall) + gap))));
    const most = 112 * ratio;
    columns = Math.max(columns > 16 ? 16 : 1, Math.min(columns, Math.ceil(Math.sqrt(channels * 1.6))));
    const side = Math.min(most, Math.floor(room / columns) - gap);
    cell = [Math.max(1, Math.round(side * tall / wide)), side];
    const rows = Math.ceil(channels / columns);
    grid.width = Math.round(room);
    grid.height = rows * (cell[0] + gap);
    grid.style.aspectRatio = `${grid.width} / ${grid.height}`;
    const draw = grid.getContext("2d");
    draw.imageSmoothingEnabled = false;
    for (let index = 0; index < channels; index += 1) {
      const from = [(index % stored) * wide, Math.floor(index / stored) * tall];
      const [x, y] = [(index % columns) * (cell[1] + gap), Math.floor(index / columns) * (cell[0] + gap)];
      draw.drawImage(sprite, from[0], from[1], wide, tall, x, y, cell[1], cell[0]);
      if (index === channel) {
        draw.strokeStyle = "#ffffff";
        draw.lineWidth = 2 * ratio;
        draw.strokeRect(x + ratio, y + ratio, cell[1] - 2 * ratio, cell[0] - 2 * ratio);
      }
    }
  };

  const drawOne = () => {
    const { tile, columns: stored } = moment.sprite;
    const [tall, wide] = tile;
    const times = Math.max(1, Math.floor(600 / Math.max(tall, wide)));
    one.width = wide * times;
    one.height = tall * times;
    const draw = one.getContext("2d");
    draw.imageSmoothingEnabled = false;
    draw.drawImage(sprite, (channel % stored) * wide, Math.floor(channel / stored) * tall, wide, tall, 0, 0, one.width, one.height);
    const title = document.createElement("b");
    title.textContent = `${moment.layer}:${channel}`;
    const peak = moment.peaks[channel];
    said.replaceChildren(title, ` highest value now ${peak.toPrecision(3)}; strongest in this picture is channel ${moment.strongest}`);
  };

  const redraw = () => { if (moment && sprite.complete && sprite.naturalWidth) { drawGrid(); drawOne(); } };
  sprite.addEventListener("load", redraw);
  window.addEventListener("resize", redraw);

  const show = (next, place) => {
    moment = next;
    channel = channel < 0 ? moment.strongest : Math.min(channel, moment.sprite.channels - 1);
    frame.src = moment.picture;
    frame.classList.toggle("small", moment.small);
    sprite.src = moment.sprite.uri;
    if (layer.value !== moment.layer) layer.value = moment.layer;
    when.textContent = `${moment.name} · ${place}`;
    fill(moment.answer);
  };

  const pick = (index) => {
    if (!moment) return;
    channel = Math.max(0, Math.min(moment.sprite.channels - 1, index));
    redraw();
  };
  grid.addEventListener("click", (event) => {
    const box = grid.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) * grid.width / box.width / (cell[1] + gap));
    const y = Math.floor((event.clientY - box.top) * grid.height / box.height / (cell[0] + gap));
    const index = y * columns + x;
    if (x < columns && moment && index < moment.sprite.channels) pick(index);
  });
  grid.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    pick(channel + way);
  });
  const times = () => 2 ** Number(speed.value);
  const sayPaused = () => {
    play.textContent = paused ? "Go on" : "Pause";
    play.setAttribute("aria-pressed", String(paused));
  };
  speed.addEventListener("input", () => { find(".speed output").textContent = `×${times()}`; });

  const serve = () => {
    const control = (change) => fetch("control", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change),
    }).catch(() => setStatus("lost"));
    play.addEventListener("click", () => { paused = !paused; sayPaused(); control({ paused }); });
    step.addEventListener("click", () => control({ step: true }));
    again.addEventListener("click", () => { paused = false; sayPaused(); control({ again: true, paused }); });
    loop.addEventListener("change", () => control({ loop: loop.checked }));
    together.addEventListener("change", () => control({ together: together.checked }));
    speed.addEventListener("change", () => control({ speed: times() }));
    layer.addEventListener("change", () => { channel = -1; control({ layer: layer.value }); });
    words.lost = "connection lost";
    loop.checked = told.loop;
    find(".loop").hidden = find(".speed").hidden = again.hidden = told.camera;
    const ask = async (after) => {
      let last = after;
      try {
        const reply = await fetch(`next?after=${after}`, { cache: "no-store" });
        if (!reply.ok) throw new Error(String(reply.status));
        const next = await reply.json();
        const of = told.total ? ` of ${told.total}` : "";
        if (next.moment) show(next.moment, `frame ${next.moment.frame + 1}${of}`);
        last = next.number;
        paused = next.paused;
        sayPaused();
        setStatus(next.status);
      } catch {
        setStatus("lost");
        await new Promise((done) => setTimeout(done, 1000));
      }
      ask(last);
    };
    ask(-1);
  };

  const replay = () => {
    let at = 0, timer = 0;
    find(".together").hidden = true;
    layer.disabled = true;
    seek.hidden = false;
    seek.max = String(told.moments.length - 1);
    loop.checked = true;
    const go = (to) => {
      at = Math.max(0, Math.min(told.moments.length - 1, to));
      seek.value = String(at);
      show(told.moments[at], `${at + 1} of ${told.moments.length}`);
    };
    const tick = () => {
      clearTimeout(timer);
      const last = at === told.moments.length - 1;
      if (!paused && last && !loop.checked) { paused = true; sayPaused(); setStatus("ended"); return; }
      setStatus(paused ? "paused" : "running");
      if (paused) return;
      timer = setTimeout(() => { go(last && at === told.moments.length - 1 ? 0 : at + 1); tick(); }, told.wait_ms / times());
    };
    play.addEventListener("click", () => { paused = !paused; sayPaused(); tick(); });
    step.addEventListener("click", () => go((at + 1) % told.moments.length));
    again.addEventListener("click", () => { paused = false; sayPaused(); go(0); tick(); });
    seek.addEventListener("input", () => { paused = true; sayPaused(); go(Number(seek.value)); tick(); });
    paused = told.moments.length < 2 || window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    sayPaused();
    go(0);
    tick();
  };
  if (written) replay(); else serve();
})();
