import { Call } from "./call.js";
import { CallScreen } from "./callscreen.js";
import { joinError } from "./joinerror.js";
import { Left } from "./left.js";
import { LocalMedia } from "./media.js";
import { Prefs } from "./prefs.js";
import { Prejoin } from "./prejoin.js";
import { linkTo, roomOf } from "./room.js";
import { t } from "./text.js";

const prefs = new Prefs();
const media = new LocalMedia(prefs);
let screen;
let call;

/** Puts a screen in the place of the one before. Every screen has `element`, `focus()` and `close()`. */
function show(next, title) {
  screen?.close();
  screen = next;
  document.querySelector("#app").replaceChildren(next.element);
  document.title = title ? `${title} · ${t("app.name")}` : t("app.name");
  next.focus();
}

function prejoin() {
  const room = roomOf(location.href);
  show(new Prejoin({ media, name: prefs.get("name"), room, onjoin: join }), room);
  void media.open();
}

async function join({ name, room }) {
  prefs.set("name", name);
  const joining = new Call({ room, name, media });
  joining.on("ended", (reason) => joining === call && left(room, reason));
  try {
    call = joining;
    await joining.join();
  } catch (error) {
    if (call === joining) call = undefined;
    throw new Error(joinError(error));
  }
  if (call !== joining) return; // left by the back button meanwhile
  if (roomOf(location.href) !== room || location.pathname === "/") history.pushState(null, "", linkTo(room));
  show(new CallScreen({ call, media, onleave: () => joining.leave() }), room);
}

function left(room, reason) {
  call = undefined;
  media.close();
  show(new Left({ room, reason, onrejoin: prejoin, onhome: home }), room);
}

function home() {
  history.pushState(null, "", "/");
  prejoin();
}

/** Back and forward lead out of a call, to the screen before the room in the address. */
addEventListener("popstate", () => {
  call?.abandon();
  call = undefined;
  prejoin();
});

addEventListener("pagehide", () => {
  call?.abandon();
  media.close();
});

// Out of the back-forward cache comes a page whose call and devices are gone: start over.
addEventListener("pageshow", (event) => event.persisted && location.reload());

prejoin();
