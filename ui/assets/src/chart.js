// Interactive time series. The server has drawn each chart as SVG and put its
// figures beside it; uPlot takes the SVG's place, with a cursor and a selection
// that becomes the page's period.
import uPlot from "uplot";

const number = new Intl.NumberFormat("en");

// Colours come from the style sheet: an element of the class is asked for its
// colour, since a canvas knows nothing of custom properties.
function colour(host, name) {
  const probe = document.createElement("i");
  probe.className = `paint-${name}`;
  probe.hidden = true;
  host.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function compact(value) {
  if (value >= 1e9) return `${+(value / 1e9).toFixed(1)}B`;
  if (value >= 1e6) return `${+(value / 1e6).toFixed(1)}M`;
  if (value >= 1e4) return `${+(value / 1e3).toFixed(1)}k`;
  return number.format(value);
}

// tip is a box that follows the cursor. Positions are set through the CSSOM, which
// the content security policy allows, unlike style attributes.
function tip(data) {
  let box;
  const line = (kind, label, value) => {
    const row = document.createElement("div");
    const mark = document.createElement("i");
    mark.className = `mark mark-${kind}`;
    const name = document.createElement("span");
    name.textContent = label;
    const figure = document.createElement("b");
    figure.textContent = value;
    row.append(mark, name, figure);
    return row;
  };
  return {
    hooks: {
      init: (plot) => {
        box = document.createElement("div");
        box.className = "chart-tip";
        box.hidden = true;
        plot.over.append(box);
      },
      setCursor: (plot) => {
        const { left, idx } = plot.cursor;
        if (idx == null || left < 0) {
          box.hidden = true;
          return;
        }
        const title = document.createElement("div");
        title.className = "chart-tip-title";
        title.textContent = data.labels[idx] + (data.partial && idx === data.labels.length - 1 ? " (so far)" : "");
        const rows = [title];
        if (data.now[idx] != null) rows.push(line("now", data.measure, number.format(data.now[idx])));
        if (data.before[idx] != null) rows.push(line("before", data.beforeLabels[idx], number.format(data.before[idx])));
        box.replaceChildren(...rows);
        box.hidden = false;
        // On the side of the cursor where there is room.
        const right = left > plot.over.clientWidth / 2;
        box.style.left = right ? "" : `${left + 12}px`;
        box.style.right = right ? `${plot.over.clientWidth - left + 12}px` : "";
      },
    },
  };
}

// select turns a dragged range into the page's period. The server knows how to
// write it: the address has a place for either end.
function select(data) {
  return (plot) => {
    const { left, width } = plot.select;
    if (width < 8) return;
    const from = plot.posToIdx(left);
    const to = plot.posToIdx(left + width);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    const address = new URL(data.zoom, location);
    address.searchParams.set("from", data.starts[from]);
    address.searchParams.set("to", data.ends[to]);
    location.assign(address);
  };
}

function draw(host) {
  const data = JSON.parse(host.dataset.chart);
  const svg = host.querySelector("svg");
  const height = host.clientHeight || 240;
  const count = data.now.length;
  const xs = data.now.map((_, i) => i);

  // A bucket that isn't over is drawn apart, so that it doesn't look like a fall.
  const whole = data.partial ? data.now.map((v, i) => (i < count - 1 ? v : null)) : data.now;
  const part = data.now.map((v, i) => (data.partial && i >= count - 2 ? v : null));

  const paint = (name) => colour(host, name);
  const font = `11px ${getComputedStyle(host).fontFamily}`;

  const plot = new uPlot(
    {
      width: host.clientWidth,
      height,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        x: true,
        y: false,
        points: { size: 7, width: 2 },
        drag: { x: true, y: false, setScale: false },
      },
      scales: {
        x: { time: false, range: [0, Math.max(count - 1, 1)] },
        y: { range: [0, data.top] },
      },
      axes: [
        {
          stroke: () => paint("axis"),
          font,
          size: 28,
          gap: 6,
          grid: { show: false },
          ticks: { show: false },
          // Every other one where there is little room; the last stays.
          splits: (plot) => (plot.width < 560 ? data.ticks.filter((_, i) => (data.ticks.length - 1 - i) % 2 === 0) : data.ticks),
          values: (_, splits) => splits.map((i) => data.short[i]),
        },
        {
          stroke: () => paint("axis"),
          font,
          size: 44,
          gap: 8,
          grid: { stroke: () => paint("grid"), width: 1 },
          ticks: { show: false },
          splits: () => data.levels,
          values: (_, splits) => splits.map(compact),
        },
      ],
      series: [
        {},
        { stroke: () => paint("before"), width: 1.5, dash: [4, 4], points: { show: false } },
        { stroke: () => paint("now"), fill: () => paint("area"), width: 2, points: { show: count === 1 } },
        { stroke: () => paint("now"), width: 2, dash: [3, 4], points: { show: false } },
      ],
      plugins: [tip(data)],
      hooks: { setSelect: [select(data)] },
    },
    [xs, data.before, whole, part],
    host,
  );

  // The canvas is a picture; what it shows is said in words here and in full in the
  // table below.
  plot.ctx.canvas.setAttribute("role", "img");
  plot.ctx.canvas.setAttribute("aria-label", svg.getAttribute("aria-label"));
  host.classList.add("drawn");

  const resize = new ResizeObserver(() => {
    if (!host.isConnected) return resize.disconnect();
    plot.setSize({ width: host.clientWidth, height });
  });
  resize.observe(host);
  const repaint = () => {
    if (host.isConnected) plot.redraw();
    else document.removeEventListener("tallygate:theme", repaint);
  };
  document.addEventListener("tallygate:theme", repaint);
}

function drawAll(root) {
  for (const host of root.querySelectorAll("[data-chart]:not(.drawn)")) draw(host);
}

drawAll(document);
document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt.parentElement ?? document));
