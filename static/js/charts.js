// Draws figures that the page carries as JSON, in the page's own colours, on load and after each swap.
// Nothing leaves the page: no Plotly server, no share button.
"use strict";
(() => {
  const carried = new Map();

  const resolve = (() => {
    const probe = document.createElement("span");
    probe.hidden = true;
    return (name) => {
      if (!probe.isConnected) document.body.append(probe);
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
  })();

  const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const merge = (base, over) => {
    const result = { ...base };
    for (const [key, value] of Object.entries(over || {})) {
      result[key] = isPlain(value) && isPlain(result[key]) ? merge(result[key], value) : value;
    }
    return result;
  };

  // Figures name colours as the stylesheet does; here they become the colours of the theme that is shown.
  const coloured = (value) => {
    if (typeof value === "string") {
      const name = /^var\((--[a-z0-9-]+)\)$/.exec(value);
      return name ? resolve(name[1]) : value;
    }
    if (Array.isArray(value)) return value.length && typeof value[0] === "number" ? value : value.map(coloured);
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
  };
  const faint = (colour) => colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.09)");

  const themed = (figure, element) => {
    const muted = resolve("--muted"), line = resolve("--line");
    const isHidden = document.documentElement.dataset.amounts === "hidden";
    const axis = { linecolor: line, tickcolor: line, tickfont: { color: muted, size: 11 } };
    const base = {
      autosize: true, dragmode: false,
      font: { family: getComputedStyle(document.body).fontFamily },
      hoverlabel: { bgcolor: resolve("--surface"), bordercolor: line, font: { color: resolve("--ink"), size: 13 } },
      legend: { font: { color: muted }, itemclick: false, itemdoubleclick: false }, xaxis: axis, yaxis: axis, yaxis2: axis,
    };
    const { data, layout: own } = coloured(figure);
    const layout = merge(base, own);
    if (!own.yaxis2) delete layout.yaxis2;
    if (element.classList.contains("donut")) Object.assign(layout, { showlegend: false, margin: { l: 2, r: 2, t: 2, b: 2 } });
    const money = layout.meta || {};
    if (isHidden && money.money) {
      layout.hovermode = false;
      for (const name of money.money_axes || []) layout[name] = { ...layout[name], showticklabels: false };
    }
    const [first] = data;
    if (data.length && first.type === "scatter" && element.dataset.fill) fillBelow(data, layout);
    if (isHidden && money.money) for (const trace of data) trace.hoverinfo = "none";
    return { data, layout };
  };

  // A faint area under the first line where it has no gap (an area would span it); the axis keeps to the data.
  const fillBelow = (data, layout) => {
    const known = data.flatMap((trace) => (trace.y || []).filter((y) => y !== null));
    if (known.length < 2) return;
    const low = Math.min(...known), high = Math.max(...known), room = (high - low || Math.abs(high) || 1) * 0.08;
    const whole = data[0].y.every((y) => y !== null);
    if (whole) data[0] = { ...data[0], fill: "tozeroy", fillcolor: faint(data[0].line.color) };
    layout.yaxis = { ...layout.yaxis, range: [low >= 0 ? Math.max(0, low - room) : low - room, high + room] };
  };

  const config = {
    displayModeBar: false, displaylogo: false, responsive: true, plotlyServerURL: "", showTips: false,
    doubleClick: false, scrollZoom: false, modeBarButtonsToRemove: ["sendDataToCloud"],
  };

  const figureOf = (element) => {
    const id = element.dataset.figure;
    const script = document.getElementById(id);
    if (script) carried.set(id, JSON.parse(script.textContent));
    return carried.get(id);
  };

  const draw = (root) => {
    if (!window.Plotly) return;
    const inside = root.querySelectorAll ? [...root.querySelectorAll(".chart[data-figure]")] : [];
    if (root.matches && root.matches(".chart[data-figure]")) inside.push(root);
    for (const element of inside) {
      const figure = figureOf(element);
      if (!figure) continue;
      const { data, layout } = themed(figure, element);
      window.Plotly.react(element, data, layout, config);
    }
  };

  // htmx drops every script of a fragment, and with them the figures: they are read before.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const text = event.detail.xhr ? event.detail.xhr.responseText : "";
    if (!text.includes("application/json")) return;
    const parsed = new DOMParser().parseFromString(text, "text/html");
    for (const script of parsed.querySelectorAll('script[type="application/json"][id]')) {
      carried.set(script.id, JSON.parse(script.textContent));
    }
  });
  document.addEventListener("htmx:load", (event) => draw(event.detail.elt));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(document));
  addEventListener("DOMContentLoaded", () => draw(document));
})();
