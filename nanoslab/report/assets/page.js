"use strict";
/* The page's own part: unpacks plotly, hands it the plots and the structures, and sorts and copies tables. */
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("says").textContent = text; };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999"];
  const RAMP = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
  const MOST_BALLS = 3000;

  async function unpack(id) {
    const text = atob(byId(id).textContent);
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  /* ---------- tables ---------- */
  const NUMBER = /^[+-]?(?:1:)?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:\s.*)?$/i;
  const blank = (text) => text === "-" || text === "";
  const number = (text) => parseFloat(text.replace(/^1:/, ""));

  function sortTable(table, column, button) {
    const heading = button.closest("th");
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    const rows = [...table.tBodies[0].rows];
    const text = (row) => row.cells[column].textContent.trim();
    const numeric = rows.every((row) => blank(text(row)) || NUMBER.test(text(row)));
    const compare = (one, other) => {
      const [a, b] = [text(one), text(other)];
      if (blank(a) || blank(b)) return blank(a) - blank(b); // what is missing stays at the end
      const order = numeric ? number(a) - number(b) : a.localeCompare(b, "en", { numeric: true });
      return ascending ? order : -order;
    };
    table.tBodies[0].append(...rows.sort(compare));
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    say(`Sorted by ${button.textContent}, ${ascending ? "ascending" : "descending"}.`);
  }

  function csv(table) {
    const cell = (td) => {
      const text = td.textContent.trim();
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [...table.rows].map((row) => [...row.cells].map(cell).join(",")).join("\n") + "\n";
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say("The table is copied as CSV.");
  }

  function button(text, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => action(made));
    return made;
  }

  function liven(table) {
    [...table.tHead.rows[0].cells].forEach((th, column) => {
      const text = th.textContent;
      th.textContent = "";
      th.append(button(text, (made) => sortTable(table, column, made)));
    });
    const tools = table.closest(".table").querySelector(".tools");
    if (table.tBodies[0].rows.length > 12) tools.append(search(table));
    tools.append(button("Copy as CSV", () => copy(csv(table))));
    tools.hidden = false;
  }

  function search(table) {
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Find rows";
    field.setAttribute("aria-label", `Find rows of ${table.caption.firstChild.textContent}`);
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase();
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    return field;
  }

  /* ---------- plots ---------- */
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  function themed(layout) {
    const axis = (given) => ({
      ...given, gridcolor: css("--line"), linecolor: css("--soft"), zerolinecolor: css("--line"), zeroline: false,
      showline: true, ticks: "outside", tickcolor: css("--soft"), automargin: true, title: { ...given.title, standoff: 8 },
      exponentformat: "power",
    });
    return {
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: css("--ink"), family: getComputedStyle(document.body).fontFamily, size: 13 },
      xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis),
      margin: { l: 60, r: 15, t: 30, b: 50 },
      hoverlabel: { bgcolor: css("--paper"), bordercolor: css("--line"), font: { color: css("--ink") }, align: "left" },
      legend: { orientation: "h", yanchor: "top", y: -0.2, x: 0, font: { size: 12 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--link") },
    };
  }

  const CONFIG = {
    responsive: true, displayModeBar: "hover", displaylogo: false, showSendToCloud: false, modeBarButtonsToRemove: ["lasso2d", "select2d"],
    toImageButtonOptions: { format: "svg" },
  };

  async function drawPlots() {
    const plots = JSON.parse(byId("plot-data").textContent);
    for (const figure of document.querySelectorAll("figure[data-plot]")) {
      const { data, layout } = plots[figure.dataset.plot];
      await Plotly.react(figure.querySelector(".plot"), data, themed(layout), CONFIG);
    }
  }

  /* ---------- structures ---------- */
  let world = { elements: {}, scenes: [] };
  let camera = null;

  function hasWebGL() {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
  }

  function ramp(share) {
    const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
    const low = Math.min(Math.floor(at), RAMP.length - 2);
    const part = (index, from) => parseInt(RAMP[index].slice(from, from + 2), 16);
    const mix = [1, 3, 5].map((from) => Math.round(part(low, from) + (at - low) * (part(low + 1, from) - part(low, from))));
    return `rgb(${mix.join(",")})`;
  }

  function colouring(shown, by) {
    if (by === "element") {
      return { of: (atom) => world.elements[shown.symbols[atom]].colour,
        keys: [...new Set(shown.symbols)].map((symbol) => [world.elements[symbol].colour, symbol]) };
    }
    if (by === "coordination") {
      const kinds = [...new Set(shown.coordination)].sort((a, b) => a - b);
      const pick = (kind) => PALETTE[kind % PALETTE.length];
      return { of: (atom) => pick(shown.coordination[atom]), keys: kinds.map((kind) => [pick(kind), `${kind} neighbours`]) };
    }
    const values = by === "plane" ? shown.planes : shown.displacements;
    const largest = Math.max(...values) || 1;
    const words = by === "plane" ? ["lowest layer", `layer ${largest + 1}`] : ["0 Å", `${Math.max(...values).toFixed(2)} Å moved in the relaxation`];
    return { of: (atom) => ramp(values[atom] / largest), ends: words };
  }

  function ball(detail) {
    const points = [], faces = [];
    const [rings, sectors] = [detail, 2 * detail];
    for (let i = 0; i <= rings; i++) {
      for (let j = 0; j < sectors; j++) {
        const [polar, around] = [(Math.PI * i) / rings, (2 * Math.PI * j) / sectors];
        points.push([Math.sin(polar) * Math.cos(around), Math.sin(polar) * Math.sin(around), Math.cos(polar)]);
      }
    }
    for (let i = 0; i < rings; i++) {
      for (let j = 0; j < sectors; j++) {
        const [a, b] = [i * sectors + j, i * sectors + ((j + 1) % sectors)];
        if (i > 0) faces.push([a, b, a + sectors]);
        if (i < rings - 1) faces.push([b, b + sectors, a + sectors]);
      }
    }
    return { points, faces };
  }

  /* Without perspective plotly's own light falls flat: it is painted on, from the front, above and the right. */
  function shaded(colour, facing) {
    const parts = colour[0] === "#" ? [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16)) : colour.match(/\d+/g).map(Number);
    const light = 0.86 + 0.26 * facing;
    return `rgb(${parts.map((part) => Math.round(Math.min(255, part * light + (facing > 0.9 ? 40 * (facing - 0.9) * 10 : 0)))).join(",")})`;
  }

  function balls(atoms, opacity) {
    const shape = ball(atoms.length > 400 ? 6 : atoms.length > 120 ? 8 : 12);
    const mesh = { type: "mesh3d", x: [], y: [], z: [], i: [], j: [], k: [], vertexcolor: [], hovertext: [], hoverinfo: "text",
      flatshading: false, opacity, lighting: { ambient: 1, diffuse: 0, specular: 0, fresnel: 0 } };
    for (const { place, radius, colour, text } of atoms) {
      const first = mesh.x.length;
      for (const [x, y, z] of shape.points) {
        mesh.x.push(place[0] + radius * x); mesh.y.push(place[1] + radius * y); mesh.z.push(place[2] + radius * z);
        mesh.vertexcolor.push(shaded(colour, 0.3 * x - 0.6 * y + 0.74 * z)); mesh.hovertext.push(text);
      }
      for (const [i, j, k] of shape.faces) { mesh.i.push(first + i); mesh.j.push(first + j); mesh.k.push(first + k); }
    }
    return mesh;
  }

  const plus = (place, cell, image) => place.map((x, axis) => x + image[0] * cell[0][axis] + image[1] * cell[1][axis] + image[2] * cell[2][axis]);

  function lines(pieces, colour, width) {
    const trace = { type: "scatter3d", mode: "lines", x: [], y: [], z: [], hoverinfo: "skip", showlegend: false, line: { color: colour, width } };
    for (const piece of pieces) {
      for (const [x, y, z] of piece) { trace.x.push(x); trace.y.push(y); trace.z.push(z); }
      trace.x.push(null); trace.y.push(null); trace.z.push(null);
    }
    return trace;
  }

  function bonds(shown, images, isShown) {
    const pieces = [];
    for (const at of images) {
      for (const [one, other, a, b, c] of shown.bonds) {
        const from = plus(shown.positions[one], shown.cell, at);
        const to = plus(shown.positions[other], shown.cell, [at[0] + a, at[1] + b, at[2] + c]);
        const inside = isShown([at[0] + a, at[1] + b, at[2] + c]);
        const half = from.map((x, axis) => (x + to[axis]) / 2);
        pieces.push(inside ? [from, to] : [from, half]);
        if (!isShown([at[0] - a, at[1] - b, at[2] - c])) { // the other half of the bond that comes in from outside
          const mine = plus(shown.positions[other], shown.cell, at);
          const theirs = plus(shown.positions[one], shown.cell, [at[0] - a, at[1] - b, at[2] - c]);
          pieces.push([mine, mine.map((x, axis) => (x + theirs[axis]) / 2)]);
        }
      }
    }
    return pieces;
  }

  function edges(shown) {
    const { cell, positions } = shown;
    // heights of the atoms in units of the third vector: a sheet is shown without its vacuum unless that is asked for
    const share = positions.map((place) => place[2] / (cell[2][2] || 1));
    const margin = 1.2 / (cell[2][2] || 1);
    const [low, high] = [Math.min(...share) - margin, Math.max(...share) + margin];
    const cut = byId("cell").value === "plane" && high - low < 0.9;
    const level = (k) => (cut ? [low, high][k] : k);
    const corner = (i, j, k) => plus([0, 0, 0], cell, [i, j, level(k)]);
    const found = [];
    for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      found.push([corner(0, i, j), corner(1, i, j)], [corner(i, 0, j), corner(i, 1, j)], [corner(i, j, 0), corner(i, j, 1)]);
    }
    return found;
  }

  function traces(shown) {
    const size = Number(byId("repeat").value);
    const most = Math.max(1, Math.min(size, Math.floor(Math.sqrt(MOST_BALLS / shown.symbols.length))));
    const images = [];
    for (let i = 0; i < most; i++) for (let j = 0; j < most; j++) images.push([i, j, 0]);
    const isShown = ([i, j, k]) => i >= 0 && i < most && j >= 0 && j < most && k === 0;
    const { of } = colouring(shown, byId("colour").value);
    const atoms = images.flatMap((at) => shown.symbols.map((symbol, n) => ({
      place: plus(shown.positions[n], shown.cell, at), radius: 0.45 * world.elements[symbol].radius, colour: of(n),
      text: `${symbol} ${n}: layer ${shown.planes[n] + 1}, ${shown.coordination[n]} neighbours, moved ${shown.displacements[n].toFixed(2)} Å`,
    })));
    const made = [balls(atoms, 1)]; // the first trace are the atoms
    if (byId("bonds").checked) made.push(lines(bonds(shown, images, isShown), dark.matches ? "#8a94a0" : "#7b838c", 5));
    if (byId("cell").value !== "none") made.push(lines(edges(shown), css("--soft"), 2));
    if (byId("ghosts").checked && shown.ghosts.length) {
      const gone = images.flatMap((at) => shown.ghosts.map(([symbol, ...place]) => ({
        place: plus(place, shown.cell, at), radius: 0.45 * world.elements[symbol].radius, colour: "#d7263d", text: `${symbol} removed`,
      })));
      made.push(balls(gone, 0.35));
    }
    return made;
  }

  /* Orthographic, along the lattice vectors and the normal of the sheet; from the side on which atoms are missing. */
  function cameraOf(view, shown) {
    const [a, b] = shown.cell.map((vector) => vector.map((x) => x / (Math.hypot(...vector) || 1)));
    const heights = shown.positions.map((place) => place[2]);
    const middle = (Math.min(...heights) + Math.max(...heights)) / 2;
    const below = shown.ghosts.length && shown.ghosts.every((ghost) => ghost[3] < middle);
    const eyes = { free: [1.0, -1.3, below ? -0.45 : 0.45], a, b: b.map((x) => -x), top: [0, 0, below ? -1 : 1] };
    const [x, y, z] = eyes[view].map((part) => 1.8 * part);
    return { eye: { x, y, z }, center: { x: 0, y: 0, z: 0 }, projection: { type: "orthographic" },
      up: view === "top" ? { x: -a[1], y: a[0], z: 0 } : { x: 0, y: 0, z: 1 } };
  }

  function legend(shown) {
    const place = byId("legend");
    place.textContent = "";
    const { keys, ends } = colouring(shown, byId("colour").value);
    const mark = (style, text, kind) => {
      const span = document.createElement("span"), dot = document.createElement("i");
      dot.style.background = style;
      dot.className = kind;
      span.append(dot, text);
      place.append(span);
    };
    if (keys) keys.forEach(([colour, text]) => mark(colour, text, ""));
    else mark(`linear-gradient(90deg, ${RAMP.join(",")})`, `${ends[0]} to ${ends[1]}`, "bar");
    if (shown.ghosts.length) mark("rgba(215,38,61,.4)", `${shown.ghosts.length} removed`, "");
  }

  /* One change after the other, so that none meets a scene that is half drawn. */
  let queue = Promise.resolve();
  const inTurn = (action) => (queue = queue.then(action, action));

  const sceneOf = (id) => world.scenes[byId(id).value];

  async function drawStructure() {
    const [shown, beside] = [sceneOf("which"), sceneOf("compare")];
    camera = camera || cameraOf("free", shown);
    byId("compared").hidden = !beside;
    const made = [shown, beside].map((one) => one && traces(one));
    const box = boxOf(made.filter(Boolean).flat()); // one scale for both
    if (beside) await drawInto("beside", beside, made[1], box);
    await drawInto("viewer", shown, made[0], box);
    legend(shown);
    byId("about").textContent = `${shown.caption}. Drag to rotate, scroll to zoom, shift-drag to move.`;
    byId("about-beside").textContent = beside ? `${beside.caption}.` : "";
  }

  function boxOf(all) {
    return ["x", "y", "z"].map((name) => {
      const values = all.flatMap((trace) => trace[name]).filter((value) => value !== null);
      return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    });
  }

  let size = 1.35;
  const ratioOf = (box) => {
    const extents = box.map(([low, high]) => high - low);
    const [x, y, z] = extents.map((extent) => (size * extent) / Math.max(...extents));
    return { x, y, z };
  };

  async function drawInto(id, shown, made, box) {
    const axis = (n) => ({ visible: false, showspikes: false, range: box[n] });
    byId(id).box = box;
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--link") },
      margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, uirevision: "camera",
      hoverlabel: { bgcolor: css("--paper"), bordercolor: css("--line"), font: { color: css("--ink") } },
      scene: { xaxis: axis(0), yaxis: axis(1), zaxis: axis(2), aspectmode: "manual", aspectratio: ratioOf(box), dragmode: "orbit", camera },
    };
    await Plotly.react(id, made, layout, { ...CONFIG, toImageButtonOptions: { format: "png", scale: 3 } });
    byId(id).setAttribute("aria-label", `Structure in three dimensions: ${shown.caption}`);
    if (byId(id).dataset.heard) return;
    byId(id).dataset.heard = "yes";
    byId(id).on("plotly_relayout", (change) => { // both are seen from the same side
      const now = change["scene.camera"];
      if (!now || JSON.stringify(now) === JSON.stringify(camera)) return;
      camera = now;
      inTurn(() => lookFrom(id === "viewer" ? "beside" : "viewer"));
    });
  }

  async function lookFrom(id) {
    if (id === "viewer" || sceneOf("compare")) await Plotly.relayout(id, { "scene.camera": structuredClone(camera) });
  }

  function turn(eye, how) {
    const angle = { left: -Math.PI / 12, right: Math.PI / 12 }[how];
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return { x: c * eye.x - s * eye.y, y: s * eye.x + c * eye.y, z: eye.z };
  }

  async function look(to) {
    camera = to;
    for (const id of ["viewer", "beside"]) await lookFrom(id);
  }

  async function zoom(how) { // without perspective the size of the axes is what comes nearer
    size *= { in: 1 / 0.85, out: 0.85 }[how];
    for (const id of sceneOf("compare") ? ["viewer", "beside"] : ["viewer"]) {
      await Plotly.relayout(id, { "scene.aspectratio": ratioOf(byId(id).box) });
    }
  }

  async function startViewer() {
    if (!hasWebGL()) {
      byId("no-webgl").hidden = false;
      return;
    }
    world = JSON.parse(await unpack("scenes-packed"));
    if (!world.scenes.length) return;
    byId("compare").append(new Option("nothing", ""));
    for (const id of ["which", "compare"]) world.scenes.forEach((shown, n) => byId(id).append(new Option(shown.name, n)));
    const parentOf = () => world.scenes.findIndex((one) => one.name === sceneOf("which").parent);
    const besideIt = () => { byId("compare").value = parentOf() < 0 ? "" : parentOf(); };
    byId("which").value = Math.max(0, world.scenes.findIndex((shown) => shown.ghosts.length)); // a defect is what one came for
    besideIt();
    root.classList.add("scenes-live");
    await drawStructure();
    byId("controls").addEventListener("change", (event) => {
      if (event.target.id === "which") besideIt();
      inTurn(drawStructure);
    });
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("controls").addEventListener("click", (event) => {
      const { view, turn: how } = event.target.dataset;
      if (view) inTurn(() => look(cameraOf(view, sceneOf("which"))));
      if (how === "in" || how === "out") inTurn(() => zoom(how));
      else if (how) inTurn(() => look({ ...camera, eye: turn(camera.eye, how) }));
    });
  }

  /* ---------- folded tables: whole on paper, and open where a link leads ---------- */
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  addEventListener("hashchange", () => {
    const target = byId(location.hash.slice(1));
    target?.querySelectorAll("details.fold").forEach((fold) => { fold.open = true; });
  });

  /* ---------- start ---------- */
  async function start() {
    document.querySelectorAll("table.data").forEach(liven);
    if (typeof DecompressionStream === "undefined") {
      say("This browser is too old for the interactive plots; still pictures are shown.");
      return;
    }
    const script = document.createElement("script");
    script.textContent = await unpack("plotly-packed");
    document.head.append(script);
    root.classList.add("plots-live");
    await drawPlots();
    await startViewer();
    dark.addEventListener("change", async () => {
      await drawPlots();
      if (world.scenes.length) inTurn(drawStructure);
    });
    root.dataset.ready = "true";
  }
  start();
})();
