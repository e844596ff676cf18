"use strict";
(() => {
  const steps = JSON.parse(document.getElementById("steps").textContent);
  const player = document.getElementById("player");
  const find = (selector) => player.querySelector(selector);
  const [now, play, back, next] = [".now", ".play", ".back", ".next"].map(find);
  const slider = find("input");
  const speed = find("select");
  const rows = [...document.querySelectorAll(".steps-list li")];

  // every drawn number by the cell it shows, and the step that writes it
  const places = new Map();
  for (const element of player.querySelectorAll("[data-cell]")) {
    for (const key of element.dataset.cell.split(" ")) {
      if (!places.has(key)) places.set(key, []);
      places.get(key).push(element);
    }
  }
  const at = (key) => places.get(key) || [];
  const writer = new Map();
  steps.forEach((step, index) => step.w.forEach((key) => writer.set(key, index)));

  let current = 0;
  let timer = 0;
  let tallest = 0;

  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const drawTerm = ([text, ...keys]) => {
    const term = make("span", "term", text);
    const heat = (on) => keys.forEach((key) => at(key).forEach((one) => one.classList.toggle("hot", on)));
    term.addEventListener("mouseenter", () => heat(true));
    term.addEventListener("mouseleave", () => heat(false));
    return term;
  };

  const drawEquation = (one) => {
    const line = make("p");
    if (one.n) line.append(make("span", "name", one.n + " "));
    line.append(one.b);
    one.t.forEach((term, index) => line.append(index ? one.j : "", drawTerm(term)));
    line.append(one.a + " ", make("span", "result", one.r));
    return line;
  };

  const mark = (step) => {
    for (const kind of ["lit", "new", "hot"]) {
      player.querySelectorAll("." + kind).forEach((element) => element.classList.remove(kind));
    }
    player.querySelectorAll("[data-by]").forEach((element) => element.removeAttribute("data-by"));
    for (const equation of step.e) {
      for (const [text, ...keys] of equation.t) {
        keys.forEach((key) => at(key).forEach((element) => element.classList.add("lit")));
        const times = text.indexOf("×");
        if (keys.length === 2 && times > 0 && step.e.length === 1) {
          at(keys[0]).forEach((element) => element.setAttribute("data-by", text.slice(times)));
        }
      }
    }
    for (const key of step.w) {
      at(key).forEach((element) => { element.classList.remove("lit"); element.classList.add("new"); });
    }
  };

  const reveal = (index) => {
    for (const [key, place] of writer) {
      at(key).forEach((element) => {
        if (element.classList.contains("value")) element.classList.toggle("unknown", place > index);
      });
    }
  };

  const show = (index) => {
    current = Math.max(0, Math.min(steps.length - 1, index));
    const step = steps[current];
    reveal(current);
    mark(step);
    find(".count").textContent = `Step ${current + 1} of ${steps.length}`;
    find(".now h2").textContent = step.t;
    find(".sentence").textContent = step.s;
    find(".equations").replaceChildren(...step.e.map(drawEquation));
    const outcome = find(".outcome");
    if (outcome) outcome.hidden = current !== steps.length - 1;
    slider.value = String(current + 1);
    slider.setAttribute("aria-valuetext", `${current + 1} of ${steps.length}: ${step.t}`);
    back.disabled = current === 0;
    next.disabled = current === steps.length - 1;
    rows.forEach((row, place) => {
      row.classList.toggle("now-step", place === current);
      if (place === current) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    });
    now.style.minHeight = "";
    tallest = Math.max(tallest, now.offsetHeight); // never shrinks: what stands below must not jump
    now.style.minHeight = tallest + "px";
  };

  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
    now.setAttribute("aria-live", "polite");
  };
  const tick = () => {
    if (current === steps.length - 1) stop();
    else show(current + 1);
  };
  const start = () => {
    if (current === steps.length - 1) show(0);
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    now.setAttribute("aria-live", "off"); // too fast to be read out
    clearInterval(timer);
    timer = setInterval(tick, Number(speed.value));
  };
  const go = (index) => { stop(); show(index); };
  const toggle = () => (timer ? stop() : start());

  back.addEventListener("click", () => go(current - 1));
  next.addEventListener("click", () => go(current + 1));
  play.addEventListener("click", toggle);
  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  speed.addEventListener("change", () => { if (timer) start(); });
  document.addEventListener("keydown", (event) => {
    const own = event.target.closest("input, select, button, a, .scroll");
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = {
      ArrowRight: () => go(current + 1), ArrowLeft: () => go(current - 1),
      Home: () => go(0), End: () => go(steps.length - 1), " ": toggle,
    };
    const inForm = own && own.matches("input, select");
    if (!moves[event.key] || inForm || (own && own.matches(".scroll"))) return;
    if (event.key === " " && own) return; // a focused button is pressed by it
    event.preventDefault();
    moves[event.key]();
  });
  player.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell) return;
    const key = cell.dataset.cell.split(" ").find((one) => writer.has(one));
    if (key !== undefined) go(writer.get(key));
  });
  const fromAddress = () => {
    const found = /^#step-(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) - 1 : 0;
  };
  window.addEventListener("hashchange", () => {
    go(fromAddress());
    player.scrollIntoView({ block: "start" });
  });
  window.addEventListener("resize", () => { tallest = 0; show(current); });
  document.documentElement.classList.add("js");
  show(fromAddress());
})();
