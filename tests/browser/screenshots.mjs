// Takes the pictures for the README, from the real app: `NOOM_ZOOM_BIN=… node screenshots.mjs FOLDER`
// Four people are in a call; instead of the browser's green test picture each shows a drawn one.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { devices } from "playwright-core";
import { ChromiumPerson, launchChromium } from "./harness/chromium.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

const ROOM = "friday-coffee";
const DESKTOP = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 };
const { defaultBrowserType, ...PHONE } = devices["iPhone 13"];

const CAST = [
  { name: "Mina Park", wall: ["#f3d9c4", "#d98f6c"], skin: "#e8b48f", hair: "#2d2320", shirt: "#2f5d62" },
  { name: "Jonas Weber", wall: ["#cfe0e6", "#7fa6b5"], skin: "#f0c8a8", hair: "#8a5a34", shirt: "#34495e" },
  { name: "Ayşe Yılmaz", wall: ["#e6dcef", "#a58bbf"], skin: "#d9a27c", hair: "#3b2a24", shirt: "#7a3e58" },
  { name: "Bảo Trần", wall: ["#dfe8d2", "#93ad76"], skin: "#dcae86", hair: "#1e1b1a", shirt: "#b5632f" },
];

/** Runs in the page: the camera shows a person drawn on a canvas, who breathes. */
function drawnCamera({ wall, skin, hair, shirt }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 640, height: 360 });
  const context = canvas.getContext("2d");
  const ellipse = (colour, x, y, rx, ry) => {
    context.fillStyle = colour;
    context.beginPath();
    context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    context.fill();
  };
  const draw = () => {
    const breath = 2 * Math.sin(performance.now() / 900);
    const light = context.createLinearGradient(0, 0, 640, 360);
    wall.forEach((colour, index) => light.addColorStop(index, colour));
    context.fillStyle = light;
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = "rgb(255 255 255 / 28%)";
    context.fillRect(452, 36, 128, 150);
    context.fillStyle = "rgb(255 255 255 / 22%)";
    context.fillRect(60, 90, 120, 10);
    context.fillRect(60, 150, 120, 10);
    ellipse(hair, 320, 152 + breath, 78, 88);
    ellipse(shirt, 320, 390 + breath, 150, 128);
    context.fillStyle = skin;
    context.fillRect(296, 220 + breath, 48, 58);
    ellipse(skin, 320, 272 + breath, 34, 18);
    ellipse(skin, 320, 172 + breath, 60, 74);
    ellipse(hair, 320, 108 + breath, 66, 30);
    for (const x of [298, 342]) ellipse("#2a2420", x, 168 + breath, 5, 6);
    context.strokeStyle = "#8d4b3f";
    context.lineWidth = 4;
    context.lineCap = "round";
    context.beginPath();
    context.arc(320, 190 + breath, 22, 0.35, Math.PI - 0.35);
    context.stroke();
  };
  draw();
  setInterval(draw, 66);
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async ({ audio, video }) => {
    const stream = audio ? await getUserMedia({ audio }) : new MediaStream();
    if (video) stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
    return stream;
  };
}

async function withoutNotices(person) {
  await until("the notices have gone", () => person.page.evaluate(() => document.querySelectorAll(".notice").length === 0));
}

const folder = process.argv[2];
if (!folder) throw new Error("usage: node screenshots.mjs FOLDER");
await mkdir(folder, { recursive: true });
const server = await startServer([]);
const browser = await launchChromium();
try {
  const shoot = (person, name) => person.page.screenshot({ path: path.join(folder, `${name}.png`) });
  const open = (face, options) => ChromiumPerson.open(browser, face.name, { init: drawnCamera, initArg: face, ...options });
  const people = [];
  for (const [index, face] of CAST.entries()) {
    people.push(await open(face, index === 1 ? { ...PHONE, colorScheme: "dark" } : { ...DESKTOP, colorScheme: "light" }));
  }
  const [mina, jonas, ayse] = people;
  await mina.goto(`${server.url}/r/${ROOM}`);
  await mina.fill("Your name", mina.name);
  await mina.ready();
  await until("the preview plays", () => mina.page.getByLabel("Your camera").evaluate((video) => video.videoWidth > 0));
  await shoot(mina, "prejoin");
  await mina.enter();
  for (const person of people.slice(1)) await person.join(server.url, ROOM);
  await ayse.press("Mute");
  for (const person of people) await person.watches(...people.filter((other) => other !== person).map(({ name }) => name));
  await mina.tileIs("Ayşe Yılmaz", "muted", ({ label }) => label.includes("microphone off"));
  await withoutNotices(mina);
  await shoot(mina, "call");
  await withoutNotices(jonas);
  await shoot(jonas, "call-phone");
  await mina.page.emulateMedia({ colorScheme: "dark" });
  await mina.press("Chat");
  for (const [person, text] of [[jonas, "Good morning! Coffee is ready."], [ayse, "Two minutes, I'm looking for my headset."]]) {
    await person.page.getByRole("button", { name: /^Chat/ }).click();
    await person.page.getByRole("textbox", { name: "Message" }).fill(text);
    await person.page.keyboard.press("Enter");
    await mina.page.getByRole("log").getByText(text).waitFor();
  }
  await shoot(mina, "call-dark");
} finally {
  await browser.close();
  await server.stop();
}
