/** The link page, `/j/{code}`: for the channels where the chat lives somewhere else. */

import { applyAccent, brand, embedding } from "../branding";
import { Flow } from "../call/flow";
import { expose } from "../diagnostics";
import { byId } from "../dom";

expose();
const settings = embedding();
applyAccent(settings.accent);
void brand(settings).then(({ accent }) => applyAccent(accent));

const code = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1) ?? "");
const flow = new Flow({
  root: byId("stage"),
  code,
  url: location.origin + location.pathname,
  chat: null,
  close: null,
});
void flow.start();
