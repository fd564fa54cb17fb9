const SVG = "http://www.w3.org/2000/svg";

const slash = "M4 3.5l16.5 17";

/** Stroked paths on a 24 by 24 field. */
const PATHS = {
  microphone: ["M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0z", "M5.5 11a6.5 6.5 0 0 0 13 0", "M12 17.5V21"],
  "microphone-off": ["M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0z", "M5.5 11a6.5 6.5 0 0 0 13 0", "M12 17.5V21", slash],
  camera: ["M5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z", "M15 11l6-3.5v9L15 13z"],
  "camera-off": ["M5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z", "M15 11l6-3.5v9L15 13z", slash],
  devices: ["M4 7.5h8", "M18 7.5h2", "M15 5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z", "M4 16.5h2", "M12 16.5h8", "M9 14a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"],
  link: ["M10 13.5a4 4 0 0 0 5.7.3l3-3a4 4 0 0 0-5.7-5.6l-1.3 1.3", "M14 10.5a4 4 0 0 0-5.7-.3l-3 3a4 4 0 0 0 5.7 5.6l1.3-1.3"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  leave: ["M3.5 15.5c-.8-1.7-.3-3.3 1.3-4.3 4.3-2.7 10.1-2.7 14.4 0 1.6 1 2.1 2.6 1.3 4.3-.3.7-1 .9-1.7.7l-2.3-.7c-.7-.2-1-.7-1-1.4v-1.6a12.5 12.5 0 0 0-7 0v1.6c0 .7-.3 1.2-1 1.4l-2.3.7c-.7.2-1.4 0-1.7-.7z"],
  play: ["M8 5.5v13l10.5-6.5z"],
  warning: ["M12 4l9 16H3z", "M12 10v4.5", "M12 17.2v.1"],
  chat: ["M5.5 5h13A1.5 1.5 0 0 1 20 6.5v8a1.5 1.5 0 0 1-1.5 1.5H11l-4.5 3.5V16h-1A1.5 1.5 0 0 1 4 14.5v-8A1.5 1.5 0 0 1 5.5 5z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  send: ["M4.5 12h14", "M13 6.5l5.5 5.5-5.5 5.5"],
  people: ["M9 5a3.2 3.2 0 1 0 0 6.4A3.2 3.2 0 0 0 9 5z", "M3 19c.4-3.4 2.8-5.2 6-5.2s5.6 1.8 6 5.2", "M16 5.6a3 3 0 0 1 0 5.4", "M17.5 14.2c2 .6 3.2 2.3 3.5 4.8"],
};

/** A decorative icon. Whatever it means must also be said in text by the element around it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
